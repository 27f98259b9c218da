"""Published scales: each rule at its lines, by hand, and none that sees the estimate."""

from dataclasses import replace

import pytest

from evalkit.core.plan_lock import Deviation, PlanKept, PlanLock
from evalkit.core.quantities import Unavailable
from evalkit.diagnose.appraisal.appraise import security_of
from evalkit.diagnose.appraisal.judgement import DesignFacts
from evalkit.diagnose.appraisal.scales import baseline_category, maryland, reported_result, robins, wwc
from evalkit.diagnose.finding import Finding, FindingKind, Verdict

LOCK = PlanLock(locked="2026-01-01T00:00:00Z", seal="a")
MOVED = Deviation(block="pool", field="list", planned="a", used="b")
CLEAN = Finding("pre_trend", Verdict.REASSURING, 0.1, "", FindingKind.FALSIFICATION)
ALIKE = Finding("balance", Verdict.REASSURING, 0.04, "", FindingKind.DESIGN_FACT)
FACTS = DesignFacts(
    against="untreated",
    has_before=True,
    n_treated_areas=3,
    counts_whole_area=False,
    measured="outside",
    findings=(ALIKE, CLEAN),
    lost=0.05,
    detectable_sd=0.25,
    kept=PlanKept(lock=LOCK),
)


def with_verdict(verdict, one=CLEAN):
    return replace(FACTS, findings=(ALIKE if one is CLEAN else CLEAN, replace(one, verdict=verdict)))


def domain(facts, name):
    return next(one.judgement for one in robins(facts) if one.domain == name)


def standing(facts):
    return [one.judgement for one in wwc(facts)]


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        (replace(FACTS, against=None), 1),
        (replace(FACTS, has_before=False), 1),
        (replace(FACTS, against="doses"), 2),
        (replace(FACTS, findings=()), 2),
        (replace(FACTS, findings=(replace(CLEAN, verdict=Verdict.UNINFORMATIVE),)), 2),
        (with_verdict(Verdict.SERIOUS), 2),
        (with_verdict(Verdict.SERIOUS, ALIKE), 2),
        (with_verdict(Verdict.CAUTION), 3),
        (replace(FACTS, n_treated_areas=100), 3),  # never above without random allocation
    ],
)
def test_the_maryland_level_follows_from_comparison_and_checks(facts, level):
    assert maryland(facts).judgement == f"level {level}"
    assert maryland(facts).rule


@pytest.mark.parametrize(
    ("facts", "judgement"),
    [
        (replace(FACTS, against=None), "critical"),
        (FACTS, "serious"),  # three areas: a shock to one is a third of the estimate
        (replace(FACTS, n_treated_areas=19), "serious"),
        (replace(FACTS, n_treated_areas=20), "moderate"),
        (replace(FACTS, n_treated_areas=20, findings=()), "serious"),
        (replace(with_verdict(Verdict.SERIOUS), n_treated_areas=20), "serious"),
        (
            replace(FACTS, findings=tuple(replace(one, verdict=Verdict.SERIOUS) for one in (ALIKE, CLEAN))),
            "critical",
        ),
    ],
)
def test_confounding_follows_from_comparability(facts, judgement):
    assert domain(facts, "Confounding") == judgement


@pytest.mark.parametrize(
    ("name", "verdict", "of_domain", "judgement"),
    [
        ("attrition", Verdict.REASSURING, "Missing data", "low"),
        ("left_out", Verdict.CAUTION, "Missing data", "moderate"),
        ("units_lost", Verdict.SERIOUS, "Missing data", "serious"),
        ("units_lost", Verdict.SERIOUS, "Selection of participants", "serious"),
        ("attrition", Verdict.NOT_ASSESSABLE, "Missing data", "no information"),
        ("first_year", Verdict.CAUTION, "Classification of interventions", "moderate"),
        ("contamination", Verdict.SERIOUS, "Deviations from intended interventions", "serious"),
        ("contamination", Verdict.REASSURING, "Deviations from intended interventions", "no information"),
        ("breaks", Verdict.CAUTION, "Measurement of outcomes", "moderate"),
    ],
)
def test_a_domain_follows_from_its_check(name, verdict, of_domain, judgement):
    found = Finding(name, verdict, 0.1, "", FindingKind.DESIGN_FACT)
    assert domain(replace(FACTS, findings=(found,)), of_domain) == judgement


@pytest.mark.parametrize(
    ("measured", "judgement"), [("outside", "low"), ("teachers", "moderate"), ("own table", "no information")]
)
def test_measurement_follows_from_who_marks(measured, judgement):
    assert domain(replace(FACTS, measured=measured), "Measurement of outcomes") == judgement


@pytest.mark.parametrize(
    ("kept", "judgement"),
    [
        (PlanKept(), "serious"),
        (PlanKept(lock=LOCK), "low"),
        (PlanKept(lock=replace(LOCK, at_hand=(2019,))), "moderate"),
        (PlanKept(lock=replace(LOCK, reports=("2026-01-01",))), "serious"),
        (PlanKept(lock=LOCK, deviations=(replace(MOVED, reason="The list moved."),)), "moderate"),
        (PlanKept(lock=LOCK, deviations=(MOVED,)), "serious"),
    ],
)
def test_selection_of_the_result_follows_from_the_lock(kept, judgement):
    assert reported_result(kept).judgement == judgement


def test_overall_is_the_worst_domain_or_no_information():
    assert domain(FACTS, "Overall") == "serious"
    # confounding moderate, reporting low, but nothing is known of delivery
    assert domain(replace(FACTS, n_treated_areas=20), "Overall") == "no information"
    assert domain(replace(FACTS, against=None), "Overall") == "critical"


@pytest.mark.parametrize(
    ("facts", "category", "design"),
    [
        (FACTS, "satisfied", "could meet them with reservations"),
        (replace(FACTS, n_treated_areas=1), "satisfied", "does not meet the standards"),
        (replace(FACTS, n_treated_areas=None), "satisfied", "could meet them with reservations"),
        (replace(FACTS, against=None), "satisfied", "does not meet the standards"),
        (replace(FACTS, findings=(replace(ALIKE, statistic=-0.251),)), "fails", "does not meet the standards"),
        (replace(FACTS, findings=(replace(ALIKE, statistic=-0.25),)), "adjust", "could meet them with reservations"),
        (replace(FACTS, findings=(replace(ALIKE, statistic=Unavailable("None.")),)), "not known", "not known"),
    ],
)
def test_the_clearinghouse_category_and_standing(facts, category, design):
    assert standing(facts) == [category, design]
    assert baseline_category(Unavailable("None.")) == "not known"


def test_security_is_the_lowest_step_less_serious_facts():
    # .25 SD: 4; 5 % lost: 5; a comparison of changes: 4; no serious fact
    assert security_of(FACTS).judgement == "4 of 5"
    grave = replace(ALIKE, verdict=Verdict.SERIOUS)
    assert security_of(replace(FACTS, findings=(grave, replace(CLEAN, verdict=Verdict.SERIOUS)))).judgement == "3 of 5"
    assert security_of(replace(FACTS, lost=Unavailable("Not known."))).judgement == "not rated"
    assert security_of(replace(FACTS, detectable_sd=Unavailable("Not known."))).judgement == "not rated"
