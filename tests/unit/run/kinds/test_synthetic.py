"""The kind `synthetic` on a project's own table: equal to `evalkit synth`, locked before outcomes, refused at need."""

import json

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError, MissingData, ProjectError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.finding import Verdict
from evalkit.report.kinds import synthetic as shown
from evalkit.run.cli import main
from evalkit.run.notebooks.session import open_design, open_evaluation
from tests.synth_command import COLUMNS, simulated

EFFECT, YEARS = 3.0, range(1998, 2020)

PROJECT = """\
schema_version: 2
slug: one
title: One area
question: Did scores rise?
programme: {{name: One, place: somewhere, funder: a fund, aim: to raise, start: {start}, end: 2019-07-31}}
data:
  kind: synthetic
  tables:
    scores: {{file: scores.csv, unit: area, period: year}}
participants: {{file: participants.csv{partial}}}
outcomes:
  - {{table: scores, column: score, label: Score, unit: points, role: primary}}
{outcomes}
analyses:
  - {{name: main, kind: synthetic, primary: true{options}}}
"""


def made(folder, table, starts, options="", outcomes="", partial=""):
    """Write a project in which areas start in the first summer named; return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "scores.csv", index=False)
    listed = "".join(f"{area},{year - 1}-09-01\n" for area, year in starts.items())
    (folder / "participants.csv").write_text("unit,start\n" + listed, encoding="utf-8")
    text = PROJECT.format(
        start=f"{min(starts.values()) - 1}-09-01", options=options, outcomes=outcomes, partial=partial
    )
    (folder / "project.yml").write_text(text, encoding="utf-8")
    return folder / "project.yml"


def evaluated(path):
    return open_evaluation(str(path)).primary


def staggered(n_areas=44, starts=(2010, 2012, 2013), seed=7):
    """Areas of which the first few gain `EFFECT` from starts of their own."""
    table = simulated(n_areas=n_areas, start=2100, seed=seed)
    begins = {f"{at:03d}": start for at, start in enumerate(starts)}
    for area, start in begins.items():
        own = table["area"] == area
        table.loc[own, "score"] -= table.loc[own, "score"].mean()
        table.loc[own & (table["year"] >= start), "score"] += EFFECT
    return table, begins


@pytest.fixture(scope="module")
def one_area(tmp_path_factory):
    """A project with one treated area among 44, its table and its results."""
    table = simulated(n_areas=44)
    path = made(tmp_path_factory.mktemp("one"), table, {"000": 2016})
    return path, table, evaluated(path)


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    """A project with three areas that start in different years, its table and its results."""
    table, starts = staggered()
    path = made(tmp_path_factory.mktemp("waves"), table, starts, options=", draws: 99")
    return path, table, evaluated(path)


def synth(table, folder, capsys, *options):
    """Return what `evalkit synth --json` says of a table."""
    table.to_csv(folder / "same.csv", index=False)
    command = ["synth", str(folder / "same.csv"), *COLUMNS, "--treated", "000", "--start", "2016", *options]
    assert main([*command, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("method", ["sc", "augmented", "sdid"])
def test_one_area_gives_what_synth_gives_to_the_last_digit(tmp_path, capsys, method):
    table = simulated(n_areas=14)
    results = evaluated(made(tmp_path / "p", table, {"000": 2016}, options=f", method: {method}"))
    given = json.loads(json.dumps(results.extra["synthetic"]["scores.score"]))
    command = synth(table, tmp_path, capsys, "--method", method)
    for key in set(command) - {"level", "seed", "notes", "interval", "interval_from"}:
        assert given[key] == command[key], key
    (main_effect,) = [one for one in results.effects if one.is_main]
    assert main_effect.estimate == command["estimate"]
    assert main_effect.p_value == command["placebo_p"]
    assert main_effect.std_error == command["std_error"]
    # the methods beside it are those that `--method` gives
    assert len(results.details.primary.beside) == 2


def test_the_effect_is_found_and_judged_by_placebos(one_area):
    _, _, results = one_area
    (main_effect,) = [one for one in results.effects if one.is_main]
    assert main_effect.estimate == pytest.approx(EFFECT, abs=0.5)
    assert main_effect.p_value == pytest.approx(1 / 44)
    assert isinstance(main_effect.interval, Interval)
    found = results.details.primary
    # 44 ranked: ⌊0.05 · 44⌋ = 2, so that the second largest gap of the 43 placebos ends the interval
    gaps = np.abs(found.study.space.gaps[:, -4:].mean(axis=1))
    half = np.sort(gaps)[-2]
    assert main_effect.interval.upper - main_effect.estimate == pytest.approx(half)
    assert found.conformal.n_periods == 22
    assert {finding.name: finding.verdict for finding in results.findings}["fit_before"] is Verdict.REASSURING
    assert "an effect if without the programme it would have moved" in shown.headline(found)


def test_weights_are_locked_before_outcomes_and_are_those_that_are_used(one_area):
    path, _, results = one_area
    record = json.loads(open_design(str(path)).to_json())["analyses"]["main"]["outcomes"]["scores.score"]
    assert record["starts"] == {"000": 2016}
    assert len(record["donors"]) == 43
    used = results.details.primary.study.synthetic.weight_of
    assert record["weights"] == {area: round(weight, 6) for area, weight in used.items()}


@pytest.mark.parametrize("options", ["", ", method: augmented", ", method: sdid"])
def test_the_design_holds_no_later_outcome_and_no_order_of_rows(tmp_path, options):
    table = simulated(n_areas=12)
    first = open_design(str(made(tmp_path / "one", table, {"000": 2016}, options))).to_json()
    later = table["year"] >= 2016
    table.loc[later, "score"] = np.random.default_rng(1).permutation(table.loc[later, "score"].to_numpy()) + 7
    moved = made(tmp_path / "two", table.sample(frac=1, random_state=3), {"000": 2016}, options)
    assert open_design(str(moved)).to_json() == first


def test_the_plan_of_starts_of_their_own_holds_no_later_outcome(waves, tmp_path):
    path, table, _ = waves
    _, starts = staggered()
    changed = table.copy()
    later = changed["year"] >= min(starts.values())
    changed.loc[later, "score"] = 7 - changed.loc[later, "score"]
    other = made(tmp_path / "other", changed, starts, options=", draws: 99")
    assert open_design(str(other)).to_json() == open_design(str(path)).to_json()


def test_areas_with_starts_of_their_own_have_weights_of_their_own(waves):
    _, _, results = waves
    found = results.details.primary
    pooled = found.pooled
    assert found.plan.how == "pooled"
    assert 0 < pooled.control.fit.nu < 1
    (main_effect,) = [one for one in results.effects if one.is_main]
    assert main_effect.estimate == pytest.approx(EFFECT, abs=0.3)
    # 99 draws of three donors each; the least p-value is one over the areas that could have been treated
    assert main_effect.p_value == pytest.approx(1 / 44)
    assert len(pooled.placebos.ratios) == 99
    assert [one.start for one in pooled.control.by_area] == [2010, 2012, 2013]
    # years 2013 to 2019 of the last, so that all have seven years since their starts
    assert (pooled.control.fit.n_lags, pooled.control.fit.n_leads) == (12, 7)
    assert sorted(pooled.without_area) == ["000", "001", "002"]
    times = {one.event_time: one.n_areas for one in pooled.control.by_event_time}
    assert (times[6], times[7], times[9]) == (3, 2, 1)
    assert "stood 2.7" in shown.headline(found)


def test_results_do_not_depend_on_the_order_of_rows(tmp_path, waves):
    _, table, results = waves
    _, starts = staggered()
    moved = made(tmp_path / "moved", table.sample(frac=1, random_state=4), starts, options=", draws: 99")
    assert json.dumps(evaluated(moved).extra) == json.dumps(results.extra)


def test_few_years_before_are_refused_on_outcomes_alone(tmp_path):
    table = simulated(n_areas=14, years=range(2013, 2020))
    results = evaluated(made(tmp_path, table, {"000": 2016}))
    found = results.details.primary
    assert "There are 3 years before the start, and weights on outcomes alone need 5" in found.quoted.estimate.reason
    assert results.recommended == "none"
    assert "no effect can be given" in shown.headline(found)
    assert "difference-in-differences" in str(shown.limits(results))
    (fit,) = [finding for finding in results.findings if finding.name == "fit_before"]
    assert fit.verdict is Verdict.NOT_ASSESSABLE
    record = json.loads(open_design(str(tmp_path / "project.yml")).to_json())["analyses"]["main"]
    assert record["outcomes"]["scores.score"]["refused"]


def test_few_years_before_and_covariates_give_an_estimate_and_no_inference(tmp_path):
    table = simulated(n_areas=14, years=range(2013, 2020))
    random = np.random.default_rng(3)
    table["fsm"] = table["area"].map(dict(zip(sorted(table["area"].unique()), random.normal(20, 3, 14), strict=True)))
    results = evaluated(made(tmp_path, table, {"000": 2016}, options=", covariates: [scores.fsm]"))
    found = results.details.primary
    assert isinstance(found.quoted.estimate, float)
    assert isinstance(found.quoted.p_value, Unavailable)
    assert isinstance(found.quoted.interval, Unavailable)
    # by hand: the covariate divided by the donors' SD, times the root mean square of the outcomes' SDs before
    design = found.study.synthetic.design
    series, donors = design.rows
    spread = np.sqrt((design.donor_values[:, :3].std(axis=0, ddof=1) ** 2).mean())
    known = table.drop_duplicates("area")["fsm"].to_numpy()
    np.testing.assert_allclose(donors[0], known[1:] / known[1:].std(ddof=1) * spread)
    assert series[0] == pytest.approx(known[0] / known[1:].std(ddof=1) * spread)
    assert len(series) == 1 + 7


def test_the_partial_year_counts_as_neither_before_nor_after(tmp_path):
    table = simulated(n_areas=12)
    results = evaluated(made(tmp_path, table, {"000": 2015}, partial=", first_year: partial"))
    periods = results.details.primary.study.synthetic.design.periods
    assert 2015 not in periods
    assert results.details.primary.study.synthetic.design.start == 2016
    both = made(tmp_path / "two", *staggered(), partial=", first_year: partial")
    with pytest.raises(DesignError, match="one area's partial year is another's year before"):
        open_design(str(both))


def test_years_are_left_out_where_the_project_says_so(tmp_path):
    table = simulated(n_areas=12)
    table = table[~((table["area"] == "000") & (table["year"] == 2017))]
    path = made(tmp_path, table, {"000": 2016})
    with pytest.raises(DesignError, match="'000' has no value in 2017"):
        evaluated(path)
    options = ", without_years: [2017], since: 2000, until: 2018"
    results = evaluated(made(tmp_path, table, {"000": 2016}, options=options))
    assert results.details.primary.study.synthetic.design.periods == (*range(2000, 2017), 2018)


def test_donors_that_lack_a_later_year_are_counted_and_stay_in_the_plan(tmp_path):
    table = simulated(n_areas=12)
    table = table[~((table["area"] == "005") & (table["year"] == 2017))]
    results = evaluated(made(tmp_path, table, {"000": 2016}))
    found = results.details.primary
    assert "005" in found.plan.donors
    assert found.lost_later == ("005",)
    (lost,) = [finding for finding in results.findings if finding.name == "donors_lost"]
    assert "1 donor of 11" in lost.sentence


def test_excluded_areas_are_no_donors(tmp_path):
    results = evaluated(
        made(tmp_path, simulated(n_areas=12), {"000": 2016}, options=', pool: {exclude_areas: ["003", "004"]}')
    )
    found = results.details.primary
    assert not {"003", "004"} & set(found.plan.donors)
    assert found.plan.dropped[0].units == ("003", "004")
    with pytest.raises(DesignError, match="which takes part"):
        open_design(
            str(made(tmp_path, simulated(n_areas=12), {"000": 2016}, options=', pool: {exclude_areas: ["000"]}'))
        )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (", method: sdid, covariates: [scores.score]", "only `sc` follows covariates"),
        (", nu: 1.5", "from 0 .* to 1"),
        (", draws: 5", "from 99 to 100,000"),
        (", since: 2010, until: 2005", "before it begins"),
        (", several: together, nu: 0.5", "nothing to pool"),
    ],
)
def test_what_goes_together_is_said_at_once(tmp_path, options, text):
    with pytest.raises(ProjectError, match=text):
        open_design(str(made(tmp_path, simulated(n_areas=8), {"000": 2016}, options=options)))


def test_starts_that_differ_are_not_followed_as_one(tmp_path):
    table, starts = staggered(n_areas=12)
    with pytest.raises(DesignError, match="several: pooled"):
        open_design(str(made(tmp_path, table, starts, options=", several: together")))
    with pytest.raises(DesignError, match="plain synthetic control on outcomes alone"):
        open_design(str(made(tmp_path, table, starts, options=", method: augmented")))


def test_several_areas_of_one_start_are_followed_as_their_mean(tmp_path, capsys):
    table = simulated(n_areas=14)
    results = evaluated(made(tmp_path / "p", table, {"000": 2016, "001": 2016}))
    assert results.details.primary.plan.how == "together"
    command = synth(table, tmp_path, capsys, "--treated", "001")
    given = json.loads(json.dumps(results.extra["synthetic"]["scores.score"]))
    assert given["estimate"] == command["estimate"]
    assert given["weights"] == command["weights"]


def test_every_document_part_can_be_made(one_area, waves):
    for _, _, results in (one_area, waves):
        parts = [*shown.design_parts(results.plan), *shown.answer_parts(results), *shown.review_parts(results)]
        assert len(parts) > 8
        assert all(table.to_csv() for table in shown.tables(results).values())
        assert shown.series_figure(results).svg
        for verb in (shown.answer, shown.comparison, shown.certainty, shown.limits):
            assert all(sentence.endswith(".") for sentence in verb(results).sentences), verb
        assert set(shown.estimand(results.plan)) == {"population", "treatment", "comparator", "summary", "leavers"}
        assert pd.notna(results.extra["synthetic"]["scores.score"]["estimate"])


def bordered(folder, treated=("000", "001"), n_areas=22, options="", rows=None):
    """Write a project of areas in a ladder of two columns, with a list of their borders; return its file."""
    table = simulated(n_areas=n_areas, start=2100)
    for area in treated:
        table.loc[(table["area"] == area) & (table["year"] >= 2016), "score"] += EFFECT
    path = made(folder, table, dict.fromkeys(treated, 2016), options=f", placebo: connected, draws: 99{options}")
    if rows is None:
        across = [(f"{at:03d}", f"{at + 1:03d}") for at in range(0, n_areas, 2)]
        rows = [*across, *((f"{at:03d}", f"{at + 2:03d}") for at in range(n_areas - 2))]
    pd.DataFrame(rows, columns=["area", "borders"]).to_csv(folder / "borders.csv", index=False)
    path.write_text(path.read_text().replace("  kind: synthetic\n", "  kind: synthetic\n  borders: borders.csv\n"))
    return path


def test_areas_that_lie_together_are_judged_by_sets_that_do(tmp_path):
    results = evaluated(bordered(tmp_path))
    found = results.details.primary
    space = found.study.space
    # 20 donors in a ladder are ten sets of two without one in common
    assert (space.n_disjoint, len(space.ratios)) == (10, 99)
    assert found.quoted.p_value == max((1 + space.n_as_large) / 100, 1 / 11)
    assert "an interval takes 40" in found.quoted.interval.reason
    assert isinstance(found.quoted.std_error, Unavailable)
    for one, other in space.areas:
        assert abs(int(one) - int(other)) in (1, 2)
    assert found.least_p == pytest.approx(1 / 11)
    (least,) = [finding for finding in results.findings if finding.name == "least_p"]
    assert least.verdict is Verdict.CAUTION
    told = str(shown.limits(results))
    assert "At most 10 sets of areas" in told
    assert "anywhere" not in told
    record = json.loads(open_design(str(tmp_path / "project.yml")).to_json())["analyses"]["main"]
    assert record["outcomes"]["scores.score"]["n_borders"] == 10 + 18


def test_what_connected_sets_need_is_said(tmp_path):
    with pytest.raises(DesignError, match="do not lie together"):
        open_design(str(bordered(tmp_path / "apart", treated=("000", "009"))))
    with pytest.raises(DesignError, match="sets of one border nothing"):
        open_design(str(bordered(tmp_path / "one", treated=("000",))))
    with pytest.raises(DesignError, match="not known what borders 000 and 001"):
        open_design(str(bordered(tmp_path / "unknown", rows=[("004", "005")])))
    with pytest.raises(DesignError, match="judged by donors from anywhere"):
        open_design(str(bordered(tmp_path / "pooled", options=", several: pooled")))
    path = bordered(tmp_path / "none")
    path.write_text(path.read_text().replace("  borders: borders.csv\n", ""))
    with pytest.raises(MissingData, match=r"`data\.borders`"):
        open_design(str(path))
