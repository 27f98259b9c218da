"""What must not matter to the cross-check estimators does not, and what scales the outcome scales the effect."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.staggered.extended import extended_effects
from evalkit.estimate.staggered.imputation import imputation_effects, two_stage_effects
from evalkit.estimate.staggered.imputation_leads import imputation_leads
from evalkit.estimate.staggered.summaries import event_study, overall_effect
from evalkit.estimate.staggered.sun_abraham import sun_abraham_effects

ROLES = Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="area", weight="w", covariates=("x",))
ESTIMATORS = [imputation_effects, sun_abraham_effects, extended_effects, two_stage_effects]
every_estimator = pytest.mark.parametrize("estimate", ESTIMATORS, ids=lambda verb: verb.__name__)
some_seeds = settings(max_examples=6, deadline=None)


def table(seed):
    """Return 48 units in 16 areas over six years, a tenth of the rows missing."""
    draw = np.random.default_rng(seed)
    unit, period = np.repeat(np.arange(48), 6), np.tile(np.arange(2001, 2007), 48)
    cohort = np.resize([2003.0, 2004.0, 2006.0, np.nan], 48)[unit]
    columns = {"unit": unit, "period": period, "cohort": cohort, "area": unit // 3}
    frame = pd.DataFrame(columns | {"x": draw.normal(size=288), "w": draw.uniform(0.5, 2, 288)})
    frame["y"] = draw.normal(size=48)[unit] + 0.3 * period + frame["x"] + (period >= cohort) + draw.normal(size=288)
    return frame[draw.random(288) < 0.9]


def found(estimate, frame, comparison="not-yet"):
    """Return values of cells and their covariance, with both overall averages."""
    design = staggered_design(Panel.from_frame(frame, ROLES), StaggeredOptions(comparison=comparison))
    effects = estimate(design)
    averages = [overall_effect(effects).estimate, event_study(effects).overall.estimate]
    numbers = [number for one in averages for number in (one.value, one.std_error)]
    return effects.values, effects.covariance[: len(effects.cells), : len(effects.cells)], np.array(numbers)


def assert_same(one, other):
    for first, second in zip(one, other, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-6, atol=1e-9)


@every_estimator
@some_seeds
@given(seed=st.integers(0, 10_000))
def test_order_names_and_calendar_do_not_matter(estimate, seed):
    frame = table(seed)
    plain = found(estimate, frame)
    shuffled = frame.sample(frac=1, random_state=seed)
    assert_same(plain, found(estimate, shuffled))
    renamed = frame.assign(
        unit="u" + (7919 * frame["unit"] % 101).astype(str), area="a" + (7 * frame["area"] % 17).astype(str)
    )
    assert_same(plain, found(estimate, renamed))
    assert_same(plain, found(estimate, frame.assign(period=frame["period"] - 1990, cohort=frame["cohort"] - 1990)))


@every_estimator
@some_seeds
@given(seed=st.integers(0, 10_000), factor=st.sampled_from([-3.0, 0.01, 1000.0]))
def test_effects_scale_with_the_outcome(estimate, seed, factor):
    frame = table(seed)
    values, covariance, averages = found(estimate, frame)
    scaled = found(estimate, frame.assign(y=factor * frame["y"] + 50))
    sign = np.array([factor, abs(factor)] * 2)
    np.testing.assert_allclose(scaled[0], factor * values, rtol=1e-6, atol=1e-8 * abs(factor))
    np.testing.assert_allclose(scaled[1], factor**2 * covariance, rtol=1e-6, atol=1e-9 * factor**2)
    np.testing.assert_allclose(scaled[2], sign * averages, rtol=1e-6)


@every_estimator
@some_seeds
@given(seed=st.integers(0, 10_000))
def test_what_effects_and_covariates_explain_does_not_matter(estimate, seed):
    frame = table(seed)
    moved = frame["y"] + 5 * np.sin(frame["unit"]) + 3 * np.cos(frame["period"]) + 2 * frame["x"]
    assert_same(found(estimate, frame), found(estimate, frame.assign(y=moved)))


@every_estimator
@some_seeds
@given(seed=st.integers(0, 10_000))
def test_the_scale_of_weights_and_covariates_does_not_matter(estimate, seed):
    frame = table(seed)
    assert_same(found(estimate, frame), found(estimate, frame.assign(w=1e4 * frame["w"], x=200 * frame["x"] - 5000)))


@every_estimator
def test_the_frame_given_is_left_as_it_was(estimate):
    frame = table(1)
    before = frame.copy()
    found(estimate, frame)
    pd.testing.assert_frame_equal(frame, before)


@every_estimator
def test_an_effect_is_found_where_outcomes_follow_the_model_exactly(estimate):
    frame = table(2)
    frame["y"] = (
        2 * np.sin(frame["unit"]) + 0.7 * frame["period"] + 3 * frame["x"] + 4 * (frame["period"] >= frame["cohort"])
    )
    design = staggered_design(Panel.from_frame(frame, ROLES), StaggeredOptions(comparison="not-yet"))
    effects = estimate(design)
    after = np.array([cell.event_time >= 0 for cell in effects.cells])
    np.testing.assert_allclose(effects.values[after], 4, atol=1e-8)
    np.testing.assert_allclose(effects.values[~after], 0, atol=1e-8)


@some_seeds
@given(seed=st.integers(0, 10_000))
def test_leads_do_not_see_what_happens_after_the_start(seed):
    frame = table(seed)
    changed = frame.assign(y=frame["y"] + 100 * (frame["period"] >= frame["cohort"]))
    one, other = (imputation_leads(staggered_design(Panel.from_frame(rows, ROLES)), 2) for rows in (frame, changed))
    assert_same([one.covariance], [other.covariance])
    assert [estimate.value for estimate in one.estimates] == [estimate.value for estimate in other.estimates]
