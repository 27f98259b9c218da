"""The evaluation as a whole: numbers that must agree with one another and with a slow calculation."""

from dataclasses import replace

import numpy as np
import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.published.records import exclusion_reasons
from evalkit.diagnose.finding import Verdict
from evalkit.diagnose.project.checks import CHECKS
from evalkit.diagnose.project.evaluate import evaluate


def change_by_hand(intake, project, code):
    """Mean of 2019 less mean of 2016 and 2017, of the mainstream schools that have all four years."""
    records = intake.records["KS2"]
    kept = exclusion_reasons(records, code, project.exposure.years, project.pool.minor_groups) == ""
    values = records.values[code][kept]
    return (values[2019] - (values[2016] + values[2017]) / 2), records.schools["area"][kept]


@pytest.mark.parametrize("code", ["READPROG", "WRITPROG", "MATPROG"])
def test_the_main_estimate_is_a_difference_of_two_mean_changes(evaluation, intake, small_project, code):
    change, area = change_by_hand(intake, small_project, code)
    neighbours = intake.neighbours["april_2021"].of(340)
    expected = change[area == 340].mean() - change[area.isin(neighbours)].mean()
    assert evaluation.effect(code).estimate == pytest.approx(expected, abs=1e-12)


def test_the_headline_equals_the_effects(evaluation):
    facts, main = evaluation.headline, evaluation.effect("READPROG")
    assert (facts.estimate, facts.interval, facts.p_value) == (main.estimate, main.interval, main.p_value)
    assert facts.n_as_large / facts.n_areas == pytest.approx(main.p_value, abs=1e-15)
    assert facts.placebo_estimate == evaluation.effect("MATPROG").estimate
    assert facts.contrast_estimate == evaluation.effect("READPROG-MATPROG").estimate
    assert (facts.placebo_label, facts.contrast_label) == ("Maths", "reading minus maths")
    assert facts.adjusted == evaluation.effect("READPROG", "neighbours_trend_adjusted").estimate


def test_the_earlier_trend_is_subtracted_over_two_and_a_half_years(evaluation):
    # The base is the middle of 2016 and 2017, so 2019 lies 2.5 years ahead of it.
    facts = evaluation.headline
    assert facts.adjusted == pytest.approx(facts.estimate - 2.5 * facts.lead, abs=1e-12)


def test_the_two_years_before_mirror_each_other(evaluation):
    first, second = (evaluation.effect("READPROG", period=year).estimate for year in ("2016", "2017"))
    assert first == pytest.approx(-second, abs=1e-12)
    assert second - first == pytest.approx(evaluation.headline.lead, abs=1e-12)


def test_the_year_after_is_the_headline(evaluation):
    assert evaluation.effect("READPROG", period="2019").estimate == evaluation.effect("READPROG").estimate


def test_the_flow_ends_where_the_effect_starts(evaluation):
    for code in ("READPROG", "WRITPROG", "MATPROG"):
        effect = evaluation.effect(code)
        assert evaluation.flow.count(code, "treated", "analysed") == effect.n_treated
        assert evaluation.flow.count(code, "comparison", "analysed") == effect.n_comparison


def test_secondaries_are_a_stated_result(evaluation, small_project, intake, designed):
    _, locked, stage = designed
    asked = replace(small_project, pool=replace(small_project.pool, minimum_treated=100))
    locked = replace(
        locked, outcomes={c: replace(d, too_few="six schools: too few") for c, d in locked.outcomes.items()}
    )
    found = evaluate(asked, intake, locked, stage)
    assert {e.estimate for e in found.effects} == {Unavailable("Six schools: too few")}
    assert isinstance(found.headline.estimate, Unavailable)
    assert all(finding.sentence for finding in found.findings)


def test_each_key_stands_once(evaluation):
    keys = [(e.outcome, e.design, e.period, e.inference) for e in evaluation.effects]
    assert len(keys) == len(set(keys))


def test_clustering_by_school_infers_nothing(evaluation):
    for effect in evaluation.effects:
        if effect.inference == "cluster" and isinstance(effect.estimate, float):
            assert isinstance(effect.std_error, float)
            assert isinstance(effect.p_value, Unavailable)
            assert isinstance(effect.interval, Unavailable)
            assert effect.cluster_level == "school"


def test_the_interval_of_g_is_the_interval_over_sigma(evaluation):
    sized = [e for e in evaluation.effects if e.effect_size and isinstance(e.effect_size.sd_used, float)]
    assert len(sized) >= 9
    for effect in sized:
        size, interval = effect.effect_size, effect.interval
        assert isinstance(interval, Interval)
        assert size.hedges_g_interval.lower * size.sd_used == pytest.approx(interval.lower, rel=1e-14)
        assert size.hedges_g_interval.upper * size.sd_used == pytest.approx(interval.upper, rel=1e-14)


def test_the_realised_detectable_effect_is_2_8_placebo_standard_deviations(evaluation):
    found = next(d for d in evaluation.distributions if (d.outcome, d.design) == ("READPROG", "neighbours"))
    others = [effect for area, effect in zip(found.areas, found.effects, strict=True) if area != 340]
    realised = next(d.realised for d in evaluation.detectable if d.outcome == "READPROG")
    assert realised == pytest.approx(2.8 * np.std(others, ddof=1), rel=1e-12)


def test_conversions_count_changes_within_the_window(evaluation, intake):
    treated = next(row for row in evaluation.conversions if row.arm == "treated")
    without = evaluation.effect("READPROG", "neighbours_without_conversions")
    assert treated.n_schools - treated.n_converted == without.n_treated


def test_claims_are_set_against_the_estimate(evaluation):
    first, second = evaluation.claims
    # the data are invented: no claim on a real programme gets a verdict from them
    assert {first.verdict, second.verdict} == {"not checked: the data are invented"}


def test_every_check_gives_a_verdict_and_a_sentence(evaluation):
    assert len({f.name for f in evaluation.findings}) == len(evaluation.findings) == len(CHECKS)
    for finding in evaluation.findings:
        assert finding.sentence.endswith(".")
        assert (finding.verdict is Verdict.NOT_ASSESSABLE) <= isinstance(finding.statistic, Unavailable)


def test_no_ratio_of_cost_to_an_uncertain_or_diluted_effect(evaluation):
    assert isinstance(evaluation.cost.per_tenth_sd_gbp, Unavailable)
    # £744,103 over 29 schools
    assert evaluation.cost.per_school_gbp == pytest.approx(25658.72, abs=0.01)


def test_on_published_data_claims_are_set_against_the_estimate(small_project, intake, designed, evaluation):
    _, locked, stage = designed
    claims = tuple(check.claim for check in evaluation.claims)
    found = evaluate(small_project, replace(intake, kind="real"), locked, stage, claims)
    first, second = found.claims
    zero_inside = 0.0 in found.effect("READPROG").interval
    assert first.verdict.startswith("not shown") == zero_inside
    assert (second.verdict, second.sentence) == ("these data cannot answer it", "Results do not show lessons.")


def test_weights_by_pupils_reach_every_effect_and_check(small_project, intake, designed):
    _, locked, stage = designed
    asked = replace(small_project, estimation=replace(small_project.estimation, weights="pupils"))
    found = evaluate(asked, intake, replace(locked, project=asked), stage)
    pupils = intake.records["KS2"].pupils[[2016, 2017]].mean(axis=1)
    reading, area = change_by_hand(intake, small_project, "READPROG")
    maths, _ = change_by_hand(intake, small_project, "MATPROG")
    neighbours = intake.neighbours["april_2021"].of(340)

    def difference(change):
        both = change.dropna()
        weight, where = pupils[both.index], area.reindex(both.index)
        means = [np.average(both[arm], weights=weight[arm]) for arm in (where == 340, where.isin(neighbours))]
        return means[0] - means[1]

    assert found.effect("READPROG").estimate == pytest.approx(difference(reading), abs=1e-12)
    contrast = (reading - maths.reindex(reading.index)).dropna()
    assert found.effect("READPROG-MATPROG").estimate == pytest.approx(difference(contrast), abs=1e-12)
    assert found.effect("READPROG", "neighbours_school_weighted").estimate != found.effect("READPROG").estimate


def test_the_flow_follows_the_rule_on_years(small_project, intake, designed):
    _, locked, stage = designed
    asked = replace(small_project, pool=replace(small_project.pool, require_all_years=False))
    found = evaluate(asked, intake, replace(locked, project=asked), stage)
    effect = found.effect("READPROG")
    assert found.flow.count("READPROG", "treated", "analysed") == effect.n_treated
    assert found.flow.count("READPROG", "comparison", "analysed") == effect.n_comparison


def test_weighted_means_give_the_weighted_estimate(small_project, intake, designed):
    _, locked, stage = designed
    asked = replace(small_project, estimation=replace(small_project.estimation, weights="pupils"))
    found = evaluate(asked, intake, replace(locked, project=asked), stage)
    row = next(r for r in found.outcomes if r.outcome == "READPROG")
    change = (row.treated_post - row.treated_pre) - (row.comparison_post - row.comparison_pre)
    assert change == pytest.approx(found.effect("READPROG").estimate, abs=1e-12)


def test_one_year_before_is_the_reason_for_no_trend(small_project, small_folder):
    from evalkit.data.published.project_data import read_baseline, read_records
    from evalkit.data.published.sources import find_sources
    from evalkit.design.project.plan import make_design
    from evalkit.diagnose.project.describe import describe_design

    asked = replace(small_project, exposure=replace(small_project.exposure, pre=(2017,)))
    sources = find_sources(small_folder)
    baseline = read_baseline(asked, small_folder, sources)
    locked = make_design(asked, baseline)
    every = read_records(asked, small_folder, sources)
    found = evaluate(asked, every, locked, describe_design(asked, baseline, locked))
    assert found.headline.lead == Unavailable("Only one year was observed before the programme.")
    assert isinstance(found.headline.contrast_estimate, float)
