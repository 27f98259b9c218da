"""Where areas stood before, against a slow calculation from the schools themselves."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from evalkit.data.published.records import exclusion_reasons
from evalkit.diagnose.project.evaluation import AreaBaselines
from evalkit.report.border.disclosure import release_record
from evalkit.report.kinds.areas import record


def levels_by_hand(intake, project, code):
    """Mean of 2016 and 2017 of the mainstream schools that have all four years, and their areas."""
    records = intake.records["KS2"]
    kept = exclusion_reasons(records, code, project.exposure.years, project.pool.minor_groups) == ""
    values = records.values[code][kept]
    return (values[2016] + values[2017]) / 2, records.schools["area"][kept]


def results_record(evaluation):
    """Return what results.json holds of these results."""
    return release_record(
        record(SimpleNamespace(details=evaluation, judgements=evaluation.judgements)),
        evaluation.project.disclosure.threshold,
    )


def found(evaluation, code, design="neighbours"):
    return next(one for one in evaluation.distributions if (one.outcome, one.design) == (code, design))


@pytest.mark.parametrize("code", ["READPROG", "READPROG-MATPROG"])
def test_levels_gaps_and_schools_are_those_of_the_schools_analysed(evaluation, intake, small_project, code):
    level, area = levels_by_hand(intake, small_project, code.split("-")[0])
    if "-" in code:
        other, _ = levels_by_hand(intake, small_project, "MATPROG")
        level = (level - other.reindex(level.index)).dropna()
        area = area.loc[level.index]
    one = found(evaluation, code)
    for at, own in list(enumerate(one.areas))[:25]:
        near = set(intake.neighbours["april_2021"].of(own)) - {340, own}
        assert one.before.pre_means[at] == pytest.approx(level[area == own].mean(), abs=1e-9)
        gap = level[area == own].mean() - level[area.isin(near)].mean()
        assert one.before.baseline_gaps[at] == pytest.approx(gap, abs=1e-9)
        assert one.before.n_schools[at] == (area == own).sum()


def test_the_main_comparison_alone_says_where_areas_stood(evaluation):
    assert all((one.before is not None) == (one.design == "neighbours") for one in evaluation.distributions)
    held = results_record(evaluation)["distributions"]
    assert all(("pre_means" in one) == (one["design"] == "neighbours") for one in held)
    assert all("before" not in one for one in held)


def test_numbers_of_few_schools_stay_in(evaluation):
    one = found(evaluation, "READPROG")
    few = AreaBaselines(
        pre_means=one.before.pre_means,
        baseline_gaps=one.before.baseline_gaps,
        n_schools=(5, *one.before.n_schools[1:]),
        pre=one.before.pre,
        post=one.before.post,
    )
    changed = replace(evaluation, distributions=(replace(one, before=few),))
    [one] = results_record(changed)["distributions"]
    assert one["n_schools"][0] == {
        "unavailable": "Withheld: it rests on fewer than 6 schools, or would let such a number be worked out."
    }
    told = [n for n in one["n_schools"] if isinstance(n, int)]
    assert told == [n for n in few.n_schools if n >= 6]
