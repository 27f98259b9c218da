"""The specification curve that a project declares: crossed, estimated, refused where it makes no sense."""

from dataclasses import replace

import numpy as np
import pytest

from evalkit.core.project import Analysis
from evalkit.core.project_parts import Choices
from evalkit.core.quantities import Unavailable
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.design.kinds.matched import MatchedOptions
from evalkit.estimate.areas.together import TogetherOptions, place_together
from evalkit.report.documents.released import results_record
from evalkit.report.figures.curve import other_choices
from evalkit.report.tables.curve import choices_planned, curve_tables
from evalkit.run.kinds.curve import curve_of
from evalkit.run.kinds.registry import (
    PlacedRequest,
    VariedRequest,
    design_project,
    evaluate_project,
    kind_of,
    plan_of,
)
from evalkit.run.kinds.variations import choice_complaints, variations
from evalkit.run.project.project_file import load_project
from tests.conftest import ROOT

CODE = "READPROG"
VARY = {
    "pool.neighbours": ("april_2021", "may_2025"),
    "estimation.weights": ("schools", "pupils"),
    "exposure.pre": ([2016, 2017], [2017]),
    "pool.require_all_years": (True, False),
}


@pytest.fixture(scope="module")
def project():
    whole = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    outcomes = tuple(one for one in whole.outcomes if one.code == CODE)
    return replace(whole, outcomes=outcomes, contrasts=(), claims=None, cost=None)


@pytest.fixture(scope="module")
def intake(project, third_england):
    return read_records(project, third_england, find_sources(third_england))


def with_choices(project, vary=VARY, **more):
    return replace(project, choices=Choices(vary=vary, **more))


def told(project, **choices):
    return [one.text for one in choice_complaints(with_choices(project, **choices))]


def test_every_combination_but_the_impossible_is_made_once(project):
    every = variations(project, Choices(vary=VARY))
    assert len({one.options for one in every}) == len(every) == 2**4
    fewer = Choices(vary=VARY, impossible=({"exposure.pre": [2017], "estimation.weights": "pupils"},))
    # of 16 the quarter with both options
    assert len(variations(project, fewer)) == 12


def test_the_locked_choices_are_those_of_the_file(project):
    locked = [one for one in variations(project, Choices(vary=VARY)) if one.is_locked]
    assert [one.options for one in locked] == [(0, 0, 0, 0)]
    turned = replace(project, estimation=replace(project.estimation, weights="pupils"))
    assert [one.options for one in variations(turned, Choices(vary=VARY)) if one.is_locked] == [(0, 1, 0, 0)]


def test_what_is_kept_between_specifications_changes_none_of_them(project, intake):
    every = variations(project, Choices(vary=VARY))[::5]  # each option of each choice among them
    quick = kind_of("areas").varied(VariedRequest(variations=every, outcome=CODE, intake=intake))
    for one, found in zip(every, quick, strict=True):
        plan = plan_of(one.project, one.analysis, intake)
        anew = kind_of("areas").placed(PlacedRequest(plan=plan, outcome=CODE, intake=intake))
        rows = [(area,) for area in (*found.places.treated, *found.places.stand_ins)]
        assert found.places.treated == anew.places.treated
        assert found.places.stand_ins == anew.places.stand_ins
        assert found.places.statistic(rows) == pytest.approx(anew.places.statistic(rows), abs=1e-12)


@pytest.fixture(scope="module")
def evaluated(project, intake, third_england):
    vary = {**VARY, "comparison": ("neighbours", "england", "matched"), "change": ("plain", "less_trend")}
    asked = with_choices(project, vary)
    baseline = read_baseline(asked, third_england, find_sources(third_england))
    return evaluate_project(design_project(asked, baseline), intake)


def test_the_locked_specification_is_the_headline(evaluated):
    main = evaluated.primary.main(CODE)
    assert evaluated.curve.locked.estimate == pytest.approx(main.estimate, abs=1e-12)
    assert evaluated.curve.locked.p_value == pytest.approx(main.p_value)


def test_one_year_before_leaves_no_trend_to_take_off(evaluated):
    curve = evaluated.curve
    failed = [one for one in curve.specifications if isinstance(one.estimate, Unavailable)]
    assert {one.options[2] for one in failed} == {"2017"}
    assert {one.options[-1] for one in failed} == {"less trend"}
    assert curve.n_failed == len(failed) == 24  # half of the 48 with less trend


def test_the_lists_do_not_move_what_is_compared_without_them(evaluated):
    apart = {one.same_as != one.number for one in evaluated.curve.estimated if one.options[-2] == "england"
             and one.options[0] == "may 2025"}  # fmt: skip
    assert apart == {True}


def test_the_page_and_the_record_have_no_hole(evaluated):
    parts = other_choices(evaluated)
    assert len(parts.parts) == 4  # heading, sentences, figure, contributions
    tables = curve_tables(evaluated)
    assert len(tables["specification_ledger"].table.rows) == 96
    record = results_record(evaluated)["specification_curve"]
    assert (record["specifications"], record["failed"]) == (96, 24)
    assert record["locked"]["is_locked"]
    assert len(choices_planned(evaluated.design).parts) == 2


def test_a_matched_analysis_is_matched_anew(project, intake):
    matched = Analysis(name="matched", kind="matched", options=MatchedOptions(ratio=1))
    both = replace(project, analyses=(*project.analyses, matched))
    vary = {"matched.ratio": (1, 2), "pool.neighbours": ("april_2021", "may_2025")}
    curve = curve_of(replace(both, choices=Choices(vary=vary, analyses=("main", "matched"))), intake)
    assert [one.analysis for one in curve.specifications] == ["main"] * 2 + ["matched"] * 2
    # the sets of schools that stand in for a whole area are whole areas too: both are judged on those they share
    assert isinstance(curve.p_value, float)
    assert curve.over == "areas"
    alone = curve_of(replace(both, choices=Choices(vary={"matched.ratio": (1, 2)}, analyses=("matched",))), intake)
    assert not isinstance(alone.p_value, Unavailable)
    assert alone.locked.options == ("1",)


METHODS = {
    "matched.method": ("nearest", "optimal"),
    "matched.caliper": (None, 0.25),
    "matched.distance": (None, "mahalanobis"),
}
ESTIMATES = {"matched.ratio": (1, 2), "matched.estimate": (None, "change", "ancova", "difference")}
COVARIATES = {"matched.covariates": ((), ("cohort_size",)), "matched.method": ("nearest", "optimal")}


def with_few_areas(placed):
    """The same statistics among the first 24 areas alone, those of one pool still of one."""
    pools = {id(one.pool): replace(one.pool, stand_ins=one.pool.stand_ins[:24]) for one in placed}
    return [replace(one, pool=pools[id(one.pool)]) for one in placed]


@pytest.mark.parametrize("vary", [ESTIMATES, METHODS, COVARIATES], ids=["estimates", "methods", "covariates"])
def test_matchings_made_together_are_those_made_one_by_one(project, intake, vary):
    matched = Analysis(name="matched", kind="matched", options=MatchedOptions(ratio=1))
    alone = replace(project, analyses=(replace(matched, primary=True),))
    every = variations(alone, Choices(vary=vary, analyses=("matched",)))
    quick = [*kind_of("matched").varied(VariedRequest(variations=every, outcome=CODE, intake=intake))]
    # one statistic for all that are matched on the same, with a column for each estimate of each matching
    assert len({id(one.statistic) for one in quick}) == len(vary.get("matched.covariates", (None,)))
    plans = [plan_of(one.project, one.analysis, intake) for one in every]
    anew = [kind_of("matched").placed(PlacedRequest(plan=plan, outcome=CODE, intake=intake)) for plan in plans]
    options = TogetherOptions(level=0.95, seed=1)
    shared, apart = (place_together(with_few_areas(placed), options) for placed in (quick, anew))
    assert np.array_equal(shared.observed, apart.observed)
    assert np.array_equal(shared.values, apart.values)
    # that they are found at all, and are not one number: nothing said of an estimate is a change
    n_distinct = 6 if "matched.estimate" in vary else 2
    assert len(set(shared.observed.round(9))) >= n_distinct


def test_choices_of_a_matching_that_do_not_go_together_fail_alone(project, intake):
    matched = Analysis(name="matched", kind="matched", options=MatchedOptions(ratio=1))
    alone = replace(project, analyses=(replace(matched, primary=True),))
    vary = {"matched.replace": (None, True), "matched.reuse": (None, 2)}
    every = variations(alone, Choices(vary=vary, analyses=("matched",)))
    found = [*kind_of("matched").varied(VariedRequest(variations=every, outcome=CODE, intake=intake))]
    assert [isinstance(one, Unavailable) for one in found] == [False, False, False, True]
    assert "do not go together" in found[-1].reason


@pytest.mark.parametrize(
    ("vary", "said"),
    [
        ({"pool.neighbors": ("a", "b")}, "there is no key `neighbors`. Did you mean 'neighbours'?"),
        ({"pol.neighbours": ("a", "b")}, "`pol.neighbours` is no choice of this project. Did you mean 'pool'?"),
        ({"pool.neighbours": ("april_2021", "june_2020")}, "'june_2020' is none of its values"),
        ({"pool.neighbours": ("april_2021",)}, "at least two options"),
        ({"pool.minimum_treated": (10, 10)}, "each once"),
        ({"exposure.post": ([2019], [2018])}, "a curve is of one estimand"),
        ({"exposure.pre": ([2016, 2017], [2015])}, "2015 is not among the years before"),
        ({"comparison": ("neighbours", "wales")}, "'wales' is no `comparison`"),
        ({"matching.ratio.deep": (1, 2)}, "`ratio` has no keys of its own"),
        ({"pool.neighbours": ("may_2025", "april_2021"), "pool.minimum_treated": (3, 4)}, "own choices are not among"),
        ({}, "no choice is varied"),
    ],
)
def test_wrong_choices_are_told_with_what_to_do(project, vary, said):
    assert any(said in one for one in told(project, vary=vary)), told(project, vary=vary)


def test_too_many_and_unknown_names_are_told(project):
    many = {f"pool.{key}": tuple(range(1, 200)) for key in ("minimum_treated", "minimum_area_schools")}
    assert "more than 20,000" in told(project, vary=many)[0]
    assert "'NONE' is not among the outcomes" in told(project, vary=VARY, outcome="NONE")[0]
    assert "no analysis is called 'other'" in told(project, vary=VARY, analyses=("other",))[0]
    barred = ({"estimation.weights": "areas"},)
    assert "not among the choices that are varied" in told(project, vary=VARY, impossible=barred)[0]


def test_a_key_that_an_analysis_has_of_its_own_is_not_varied_in_vain(project):
    own = replace(project.analyses[0], options=kind_of("areas").options(pool=project.pool))
    apart = replace(project, analyses=(own,))
    assert "`main.pool.neighbours` instead" in told(apart, vary={"pool.neighbours": ("april_2021", "may_2025")})[0]
    named = Choices(vary={"main.pool.neighbours": ("april_2021", "may_2025")})
    every = variations(apart, named)
    assert [one.analysis.options.pool.neighbours for one in every] == ["april_2021", "may_2025"]
