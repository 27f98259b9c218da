"""Bounds for the kit's own event studies: the covariance behind printed errors, and when there are none."""

import numpy as np
import pandas as pd
import pytest

import evalkit
from evalkit.core.quantities import Unavailable
from evalkit.design.panel.staggered import with_universal_base
from evalkit.estimate.bounds.of_effects import ANTICIPATED, NO_COMMON_BASE, NO_EARLY
from evalkit.estimate.bounds.violation_bounds import ViolationBounds

ROLES = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
BY_AREA = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start", cluster="area")


def table(n=90, years=range(2012, 2019), starts=(2015, 2017, None), seed=3):
    random = np.random.default_rng(seed)
    rows = [
        (school, year, random.normal() + 2.0 * (start is not None and year >= start), start, school // 3)
        for school in range(n)
        for start in [starts[(school // 3) % 3]]
        for year in years
    ]
    return pd.DataFrame(rows, columns=["school", "year", "score", "start", "area"])


def effects_of(frame, roles=ROLES, estimator=evalkit.group_time_effects, **options):
    panel = evalkit.Panel.from_frame(frame, roles)
    return estimator(evalkit.staggered_design(panel, evalkit.StaggeredOptions(**options)))


def part_at(effects, time):
    parts = evalkit.staggered_results(effects).event_study.parts
    return next(part for part in parts if part.label == time)


@pytest.mark.parametrize("roles", [ROLES, BY_AREA])
def test_the_effect_and_its_error_are_those_of_the_event_study(roles):
    effects = effects_of(table(), roles, base_period="universal")
    found = evalkit.event_study_bounds(effects, event_time=0)
    part = part_at(effects, 0)
    assert found.times == (0,)
    assert found.estimate == pytest.approx(part.estimate, rel=1e-12)
    assert found.std_error == pytest.approx(part.std_error, rel=1e-9)
    assert (found.n_before, found.n_after) == (4, 4)
    mean = evalkit.event_study_bounds(effects)
    overall = evalkit.staggered_results(effects).event_study.overall
    assert mean.times == (0, 1, 2, 3)
    assert mean.estimate == pytest.approx(overall.estimate, rel=1e-12)


def test_bounds_are_those_of_the_coefficients_and_the_effects_covariance():
    effects = effects_of(table(), base_period="universal")
    parts = [part for part in evalkit.event_study(effects).parts if part.label != -1]
    weights = np.column_stack([part.weights for part in parts])
    told = evalkit.violation_bounds(
        [part.estimate.value for part in parts], weights.T @ effects.covariance @ weights,
        event_times=[part.label for part in parts], average=[0, 1, 2, 3],
    )  # fmt: skip
    found = evalkit.event_study_bounds(effects)
    assert found.relative == told.relative
    assert found.breakdown_smoothness == told.breakdown_smoothness


def test_a_varying_base_is_never_passed_and_a_design_can_be_made_universal():
    effects = effects_of(table())
    assert evalkit.event_study_bounds(effects) == Unavailable(NO_COMMON_BASE)
    anew = evalkit.group_time_effects(with_universal_base(effects.design))
    universal = evalkit.event_study_bounds(effects_of(table(), base_period="universal"))
    assert evalkit.event_study_bounds(anew).relative == universal.relative


def test_sun_and_abraham_have_a_common_base_and_imputation_has_none():
    assert isinstance(
        evalkit.event_study_bounds(effects_of(table(), estimator=evalkit.sun_abraham_effects)), ViolationBounds
    )
    for estimator in (evalkit.imputation_effects, evalkit.two_stage_effects):
        assert evalkit.event_study_bounds(effects_of(table(), estimator=estimator)) == Unavailable(NO_EARLY)


def test_anticipation_moves_the_base_away_from_the_start():
    effects = effects_of(table(), base_period="universal", anticipation=1)
    assert evalkit.event_study_bounds(effects) == Unavailable(ANTICIPATED)


def test_few_clusters_have_no_covariance_to_start_from():
    """Eight treated areas of sixty have 7 degrees of freedom or so; twenty have enough."""
    frame = table(180)
    few = frame[(frame["area"] % 3 == 2) | (frame["area"] < 12)]
    reason = evalkit.event_study_bounds(effects_of(few, BY_AREA, base_period="universal"))
    assert isinstance(reason, Unavailable)
    assert "degrees of freedom; below 10" in reason.reason
    assert isinstance(evalkit.event_study_bounds(effects_of(frame, BY_AREA, base_period="universal")), ViolationBounds)


def test_times_beyond_a_gap_are_left_out_and_named():
    frame = table(starts=(2015, 2015, None))
    gap = effects_of(frame[frame["year"] != 2017], base_period="universal")
    found = evalkit.event_study_bounds(gap)
    assert found.times == (0, 1)
    assert "event times 3." in found.notes[-1]
    reason = evalkit.event_study_bounds(gap, event_time=3).reason
    assert "3 periods after the start cannot be bounded" in reason
    no_base = effects_of(frame[frame["year"] != 2014], base_period="universal")
    assert "without a gap" in evalkit.event_study_bounds(no_base).reason


def test_one_period_before_the_start_leaves_nothing_to_measure_violations_by():
    frame = table(starts=(2013, 2013, None))
    assert isinstance(evalkit.event_study_bounds(effects_of(frame, base_period="universal")), Unavailable)


def test_bounds_do_not_depend_on_labels_order_or_calendar():
    frame = table()
    found = evalkit.event_study_bounds(effects_of(frame, base_period="universal"))
    moved = frame.assign(year=frame["year"] + 3, start=frame["start"] + 3, school=(frame["school"] * 7) % 97)
    other = evalkit.event_study_bounds(effects_of(moved.sample(frac=1, random_state=1), base_period="universal"))
    for one, two in zip(found.relative, other.relative, strict=True):
        assert one.interval.lower == pytest.approx(two.interval.lower, abs=1e-6)
        assert one.interval.upper == pytest.approx(two.interval.upper, abs=1e-6)
