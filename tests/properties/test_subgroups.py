"""Subgroups and families on a small made-up England: samples in common, numbers that agree, what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.core.project import Exposure, Outcome
from evalkit.core.project_parts import Family
from evalkit.core.quantities import Unavailable
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.records import exclusion_reasons
from evalkit.data.published.sources import find_sources
from evalkit.data.published.subgroups import of_schools, on_common_sample, school_subgroups
from evalkit.data.subgroups import pupil_subgroups
from evalkit.design.kinds.matched import MatchedOptions
from evalkit.design.kinds.series import SeriesChoices
from evalkit.diagnose.kinds import matched
from evalkit.run.kinds import registry
from evalkit.run.kinds.areas import AREAS
from evalkit.run.kinds.families import with_families
from evalkit.run.kinds.registry import design_project, evaluate_project, placed_of, plan_of

OUTCOMES = ("PTRWM_EXP", "READPROG", "MATPROG")
BOTH = ("PTRWM_EXP_FSM6CLA1A", "PTRWM_EXP_NotFSM6CLA1A")


@pytest.fixture(scope="module")
def parted(project):
    """The project by disadvantaged, whose breakdown one outcome has, with a family of two outcomes."""
    outcomes = (Outcome(measure="PTRWM_EXP", role="primary"), Outcome(measure="READPROG", role="secondary"))
    outcomes += (Outcome(measure="MATPROG", role="secondary"),)
    analysis = replace(project.analyses[0], by=("disadvantaged",), outcomes=())
    return replace(
        project,
        outcomes=outcomes,
        contrasts=(),
        analyses=(analysis,),
        exposure=Exposure(pre=(2017,), partial=(2018,), post=(2019,)),
        families=(Family(name="Reading", outcomes=("PTRWM_EXP", "READPROG")),),
    )


@pytest.fixture(scope="module")
def baseline(parted, small_england):
    return _only_with_breakdown(read_baseline(_alone(parted), small_england, find_sources(small_england)))


@pytest.fixture(scope="module")
def intake(parted, small_england):
    return _only_with_breakdown(read_records(_alone(parted), small_england, find_sources(small_england)))


def _alone(project):
    """Return the project in a form of which every breakdown it asks for is in the files: of one outcome."""
    named = replace(project.analyses[0], outcomes=("PTRWM_EXP",))
    whole = replace(project.analyses[0], name="whole", by=(), primary=False)
    return replace(project, analyses=(named, whole))


def _only_with_breakdown(data):
    """Return the data with a breakdown that is not the same in all schools: a tenth of them lack one of the two."""
    records = data.records["KS2"]
    schools = records.schools.index
    rng = np.random.default_rng(4)
    moved, lost = rng.normal(0, 4, len(schools)), rng.random(len(schools)) < 0.1
    values = dict(records.values)
    values[BOTH[0]] = values[BOTH[0]].add(pd.Series(moved, schools), axis=0)
    values[BOTH[1]] = values[BOTH[1]].mask(np.repeat(lost[:, None], values[BOTH[1]].shape[1], axis=1))
    reasons = dict(records.reasons)
    reasons[BOTH[1]] = reasons[BOTH[1]].mask(values[BOTH[1]].isna() & (reasons[BOTH[1]] == ""), "not published")
    return replace(data, records={**data.records, "KS2": replace(records, values=values, reasons=reasons)})


@pytest.fixture(scope="module")
def evaluation(parted, baseline, intake):
    design = design_project(_alone(parted), baseline)
    return evaluate_project(design, intake)


def test_the_difference_is_that_of_the_effects_on_the_common_sample(evaluation):
    [found] = evaluation.primary.subgroups
    first, second = found.effects
    [difference] = found.interactions
    assert difference.difference.estimate == pytest.approx(first.common.estimate - second.common.estimate)
    assert first.common.n_treated == second.common.n_treated
    assert first.common.n_comparison == second.common.n_comparison < first.effect.n_comparison
    assert 0 < difference.difference.p_value <= 1
    assert difference.difference.n_areas <= 149


def test_the_family_leads_with_step_down_over_the_same_areas(evaluation):
    [family] = evaluation.families
    assert [test.outcome for test in family.tests] == ["PTRWM_EXP"]  # the primary analysis takes no other
    main = evaluation.primary.main("PTRWM_EXP")
    assert main.family == "Reading"
    assert main.p_adjusted == pytest.approx(main.p_value)


def test_what_is_in_no_family_is_exploratory(evaluation):
    effects = evaluation.analysis("whole").effects
    marks = {effect.outcome: effect.is_exploratory for effect in effects}
    assert marks == {"PTRWM_EXP": False, "READPROG": False, "MATPROG": True}


def test_a_family_over_two_outcomes_is_never_below_the_p_of_each(parted, evaluation, intake):
    named = replace(parted.families[0], analyses=("whole",))
    whole = replace(evaluation, project=replace(evaluation.project, families=(named,)))
    [family] = with_families(whole, intake, placed_of).families
    assert len(family.tests) == 2
    assert all(test.p_adjusted >= test.p_value - 1e-12 for test in family.tests)
    assert all(test.holm >= test.p_adjusted - 1e-12 for test in family.tests)  # step-down uses that outcomes are alike


def test_the_common_sample_before_follows_from_years_before(parted, intake, baseline):
    subgroups = pupil_subgroups(parted, "disadvantaged")
    whole, before = (on_common_sample(data, subgroups).records["KS2"] for data in (intake, baseline))
    for code in BOTH:
        assert whole.values[code][2017].equals(before.values[code][2017])
    known = [whole.values[code].notna() for code in BOTH]
    assert known[0].equals(known[1])
    assert whole.reasons[BOTH[0]].isna().equals(known[0]) or (whole.reasons[BOTH[0]] == "").equals(known[0])
    assert (
        intake.records["KS2"].values[BOTH[0]].notna().sum().sum() > known[0].sum().sum()
    )  # the caller's data untouched


def test_schools_of_a_level_are_all_that_is_left(intake):
    subgroups = school_subgroups(intake, "type")
    kept = {stage: found.index[found == "Academy"] for stage, found in subgroups.items()}
    part = of_schools(intake, kept)
    records = part.records["KS2"]
    assert set(records.schools["minor_group"]) == {"Academy"}
    assert not records.schools["is_converted"].any()
    assert set(part.treated.schools["KS2"]) <= set(records.schools.index)
    assert records.values["READPROG"].index.equals(records.schools.index)


def test_too_few_treated_schools_of_a_level_are_refused_with_every_count(parted, baseline):
    held = baseline.records["KS2"]
    usable = exclusion_reasons(held, "PTRWM_EXP", [2017], parted.pool.minor_groups) == ""
    own = [school for school in baseline.treated.schools["KS2"] if usable[school]]
    schools = baseline.records["KS2"].schools.index
    size = pd.Series("larger", schools).mask(schools.isin(own[:3]), "smaller")
    held = replace(baseline, columns=pd.DataFrame({"size.cohort": size}))
    analysis = replace(parted.analyses[0], by=("size.cohort", "region"), outcomes=("PTRWM_EXP",))
    with pytest.raises(DesignError) as refused:
        plan_of(replace(parted, analyses=(analysis,)), analysis, held)
    assert "`by: size.cohort`: too few treated schools" in str(refused.value)
    assert "smaller: 3 treated schools" in str(refused.value)
    assert "`by: region`: all treated schools are of one subgroup (North West)" in str(refused.value)


def test_a_kind_that_places_nothing_gives_separate_effects_and_the_reason(evaluation, intake, monkeypatch):
    monkeypatch.setattr(registry, "kind_of", lambda name: replace(AREAS, placed=None))
    [found] = registry._with_subgroups(replace(evaluation.primary, subgroups=()), intake, None).subgroups
    assert all(isinstance(one.effect.estimate, float) for one in found.effects)
    [one] = found.interactions
    assert isinstance(one.difference.p_value, Unavailable)
    assert "does not place" in one.difference.p_value.reason


# A difference planted in the synthetic England is found by every kind that its few summers allow.

PLANTED = 30.0


def planted(intake):
    """Return the data in which disadvantaged pupils of the treated area gain `PLANTED` after the start."""
    records = intake.records["KS2"]
    values = records.values[BOTH[0]].copy()
    values.loc[list(intake.treated.schools["KS2"]), [2018, 2019]] += PLANTED
    records = replace(records, values={**records.values, BOTH[0]: values})
    return replace(intake, records={**intake.records, "KS2": records})


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("areas", None),
        ("series", SeriesChoices(comparison="all", slope="no")),
        ("matched", MatchedOptions()),
    ],
)
def test_a_planted_difference_is_found_in_the_synthetic_england(parted, baseline, intake, monkeypatch, kind, options):
    monkeypatch.setattr(matched, "FEWER_SETS", 100)
    named = replace(
        parted.analyses[0],
        kind=kind,
        options=options,
        outcomes=("PTRWM_EXP",),
        uses_exposure=registry.kind_of(kind).uses_exposure,
    )
    project = replace(parted, analyses=(named,), families=())
    results = evaluate_project(design_project(project, baseline), planted(intake)).primary
    [found] = results.subgroups
    first, second = (one.common.estimate for one in found.effects)
    difference = found.interactions[0].difference
    assert difference.estimate == pytest.approx(first - second)
    assert difference.interval.lower < PLANTED < difference.interval.upper
    assert difference.p_value <= 0.05
    assert difference.over == "areas"
