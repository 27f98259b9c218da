"""Verdicts: facts of a design at their thresholds, what each check says where it cannot say much, and the rating."""

from dataclasses import replace

import pytest

from evalkit.core.quantities import Unavailable
from evalkit.design.project.areas import TREATED_GROUP
from evalkit.diagnose.finding import FindingKind, Verdict, banded
from evalkit.diagnose.project import checks_sample
from evalkit.diagnose.project.appraisal import n_serious_facts, security
from evalkit.diagnose.project.checks import CHECKS, MOST_CONTAMINATED
from evalkit.diagnose.project.checks_sample import DIFFERENTIAL
from evalkit.diagnose.project.evaluate import estimate_results
from evalkit.diagnose.project.evaluation import evidence_rating

RANKED = {"pre_trend", "placebo_outcome", "alternative_list", "influence", "joint"}


@pytest.fixture(scope="module")
def results(small_project, designed, intake):
    _, locked, stage = designed
    return estimate_results(small_project, intake, locked, stage)


def judged(results):
    """Return every finding by name."""
    return {finding.name: finding for finding in (check(results) for check in CHECKS)}


def with_outcome(results, code, change):
    """Return the results after `change` has been made to the school × year table of an outcome."""
    stage = next(s for s, records in results.intake.records.items() if code in records.values)
    records = results.intake.records[stage]
    values = change(records.values[code].copy(), records.schools["area"])
    moved = replace(records, values={**records.values, code: values})
    intake = replace(results.intake, records={**results.intake.records, stage: moved})
    return estimate_results(results.project, intake, results.locked, results.stage)


def added(points):
    """Return a change: so many points more in the treated area's schools after the programme."""

    def change(values, area):
        values.loc[area == 340, 2019] += points
        return values

    return change


def ranks(findings):
    return {name: (one.verdict, one.p_value, one.power) for name, one in findings.items() if name in RANKED}


def test_each_kind_has_the_verdicts_it_may_have(results):
    plain = {Verdict.REASSURING, Verdict.CAUTION, Verdict.SERIOUS, Verdict.NOT_ASSESSABLE}
    allowed = {
        FindingKind.DESIGN_FACT: plain,
        FindingKind.FALSIFICATION: {*plain, Verdict.UNINFORMATIVE},
        FindingKind.STATEMENT: {Verdict.NO_VERDICT, Verdict.NOT_ASSESSABLE},
    }
    for finding in judged(results).values():
        assert finding.verdict in allowed[finding.kind], finding
        is_ranked = finding.kind is FindingKind.FALSIFICATION and finding.verdict is not Verdict.NOT_ASSESSABLE
        assert isinstance(finding.p_value, float) is isinstance(finding.n_areas, int) is is_ranked


@pytest.mark.parametrize("points", [3.0, -3.0, 40.0])
def test_an_effect_of_any_size_moves_no_verdict(results, points):
    # No statistic holds the primary outcome's change of the treated schools: it cancels between lists, in what one
    # school moves, and is in neither the earlier movement nor the placebo outcome. Not even the p-values may move.
    before, after = judged(results), judged(with_outcome(results, "READPROG", added(points)))
    assert set(ranks(before)) == RANKED
    for name, (verdict, p, power) in ranks(before).items():
        assert ranks(after)[name] == (verdict, p, power)
    for name, one in before.items():
        assert after[name].verdict is one.verdict
        if one.kind is FindingKind.DESIGN_FACT:
            assert after[name].statistic == one.statistic
    assert security(results, [*before.values()]) == security(results, [*after.values()])


def test_a_placebo_outcome_that_moved_is_the_one_check_that_holds_it(results):
    before, after = judged(results), judged(with_outcome(results, "MATPROG", added(40.0)))
    changed = {name for name in RANKED if ranks(before)[name] != ranks(after)[name]}
    assert changed == {"placebo_outcome", "joint"}
    assert after["placebo_outcome"].verdict is Verdict.SERIOUS
    assert after["placebo_outcome"].p_value == 1 / after["placebo_outcome"].n_areas


def test_the_unit_of_the_outcome_moves_no_verdict(results):
    from evalkit.diagnose.project.describe import describe_design

    def change(values, _):
        return values * 10

    larger = with_outcome(with_outcome(results, "READPROG", change), "MATPROG", change)
    larger = replace(larger, stage=describe_design(larger.project, larger.intake, larger.locked))
    larger = estimate_results(larger.project, larger.intake, larger.locked, larger.stage)
    before, after = judged(results), judged(larger)
    for name, (verdict, p, power) in ranks(before).items():
        assert ranks(after)[name][:2] == (verdict, p)
        if not isinstance(power, Unavailable):
            assert after[name].power.violation == pytest.approx(10 * power.violation)
            assert after[name].power.at_one == pytest.approx(power.at_one)


def test_listed_schools_are_not_ranked_and_the_reason_is_given(results):
    design = results.locked.outcomes["READPROG"]
    listed = replace(results.locked.outcomes["READPROG"], treated_group=TREATED_GROUP)
    held = replace(results, locked=replace(results.locked, outcomes={**results.locked.outcomes, "READPROG": listed}))
    assert design.treated_group == 340
    from evalkit.diagnose.project import falsification

    for make in (falsification.earlier_movement, falsification.placebo_outcome, falsification.alternative_list):
        assert "Schools listed by name" in make(held).reason
    assert "No falsification test" in falsification.joint_of(falsification.ranked_tests(held)).reason


def test_the_placebo_says_what_it_cannot_tell_and_the_contrast_stands_beside_it(results):
    found = judged(results)["placebo_outcome"]
    shock = "An area shock moves both; this check cannot tell it from a programme that also moved maths progress."
    assert shock in found.sentence
    contrast = results.effect("READPROG-MATPROG")
    assert f"Reading progress less maths progress moved by {contrast.estimate:.2f}".replace("-", "−") in found.sentence
    assert found.p_value == results.effect("MATPROG").p_value


def test_verdicts_of_facts_at_their_lines():
    assert [banded(size, 0.05, 0.25) for size in (0.05, 0.051, 0.25, 0.251)] == [
        Verdict.REASSURING,
        Verdict.CAUTION,
        Verdict.CAUTION,
        Verdict.SERIOUS,
    ]
    assert banded(DIFFERENTIAL[1], *DIFFERENTIAL) is Verdict.CAUTION
    assert banded(0.01, 0.0, MOST_CONTAMINATED) is Verdict.CAUTION


def test_only_serious_facts_are_counted_for_the_rating(results):
    findings = list(judged(results).values())
    facts = [one for one in findings if one.kind is FindingKind.DESIGN_FACT and one.verdict is Verdict.SERIOUS]
    assert n_serious_facts(findings) == len(facts)
    worse = [replace(one, verdict=Verdict.SERIOUS) if one.name in RANKED else one for one in findings]
    assert security(results, worse) == security(results, findings)  # single verdicts are shown, not counted
    passed = [replace(one, verdict=Verdict.UNINFORMATIVE) if one.name in RANKED else one for one in findings]
    assert security(results, passed) == security(results, findings)  # and passing raises nothing


@pytest.mark.parametrize("joint", [0.001, 0.05, 0.06, 1.0, Unavailable("Not ranked.")])
def test_a_rating_never_rises_with_what_is_wrong(joint):
    values = [evidence_rating(0.25, 0.0, n, joint).value for n in range(7)]
    assert values == sorted(values, reverse=True)
    best = evidence_rating(0.25, 0.0, 0, Unavailable("Not ranked.")).value
    assert evidence_rating(0.25, 0.0, 0, joint).value <= best == 4


def test_a_start_put_back_needs_three_years_before(results):
    from evalkit.diagnose.project import falsification

    assert "the same check twice" in judged(results)["placebo_start"].sentence
    exposure = replace(results.project.exposure, pre=(2016, 2017, 2018), partial=())
    longer = replace(results, project=replace(results.project, exposure=exposure))
    test = falsification.placebo_start(longer)
    wide = results.outcomes["READPROG"].panel.wide()
    change = wide[2018] - (wide[2016] + wide[2017]) / 2
    area = results.outcomes["READPROG"].panel.by_unit()["cluster"]
    near = results.locked.outcomes["READPROG"].comparisons["neighbours"].of(340)
    assert test.value == pytest.approx(change[area == 340].mean() - change[area.isin(near)].mean(), abs=1e-12)
    # 2018 less the middle of 2016 and 2017 is a year and a half; 2019 less the middle of all three is two years.
    assert test.per_point == pytest.approx(1.5 / 2)
    assert not test.can_be_serious


def test_units_that_nobody_followed_are_not_said_to_have_kept_their_identity(results, monkeypatch):
    asked = []
    monkeypatch.setattr(checks_sample, "is_identity_followed", lambda *about: asked.append(about) or False)
    found = checks_sample.conversions(results)
    assert found.verdict is Verdict.NOT_ASSESSABLE
    assert "nobody has said which of them changed" in found.sentence
    rows = list(checks_sample.conversion_rows(results))
    assert all(isinstance(row.n_converted, Unavailable) and row.n_schools > 0 for row in rows)
    assert {stage for _, stage, _ in asked} == {"KS2"}
