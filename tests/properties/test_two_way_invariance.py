"""A two-way effect and its inference keep under other orders, names, calendars and units of measurement."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.estimate.two_way.bacon import bacon_decomposition
from evalkit.estimate.two_way.conley_taber import conley_taber
from evalkit.estimate.two_way.randomisation import randomisation_test
from evalkit.estimate.two_way.recommended import wild_bootstrap
from evalkit.estimate.two_way.two_way import EventOptions, two_way_effect, two_way_event_study

ROLES = Roles(unit="unit", period="period", outcome="y", cohort="cohort", weight="w", covariates=("x",))


def table(seed):
    """Eleven units in four periods: two cohorts of two, seven never treated; weights fixed by unit."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(11), 4), "period": np.tile(np.arange(2001, 2005), 11)})
    frame["cohort"] = frame["unit"].map({0: 2003.0, 1: 2003.0, 2: 2004.0, 3: 2004.0})
    frame["w"] = random.uniform(1, 3, 11)[frame["unit"]]
    frame["x"] = random.normal(size=44)
    frame["y"] = random.normal(size=44) + 0.4 * frame["x"] + (frame["period"] >= frame["cohort"])
    return frame


def everything(frame, scale=1.0):
    """Return every number of every verb as one array, outcomes divided by `scale`."""
    panel = Panel.from_frame(frame, ROLES)
    study = two_way_event_study(panel, EventOptions(errors="plain"))
    effect, bacon = two_way_effect(panel), bacon_decomposition(panel)
    values = [effect.estimate.value, effect.estimate.std_error, bacon.estimate, bacon.within_estimate]
    values += [number for time in study.times for number in (time.estimate.value, time.estimate.std_error)]
    values += sorted(pair.estimate for pair in bacon.pairs)
    shares = [bacon.within_share, *sorted(pair.weight for pair in bacon.pairs)]
    for verb in (wild_bootstrap, randomisation_test, conley_taber):  # all enumerated at this size
        inference = verb(panel).inference
        shares.append(inference.p_value)
        if hasattr(inference.interval, "lower"):
            values += [inference.interval.lower, inference.interval.upper]
    return np.array([value / scale for value in values] + shares)


def agree(left, right):
    np.testing.assert_allclose(left, right, rtol=1e-7, atol=1e-9)


@pytest.fixture(scope="module")
def found():
    return {seed: everything(table(seed)) for seed in range(3)}


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2), order=st.permutations(range(44)))
def test_order_of_rows(found, seed, order):
    agree(everything(table(seed).iloc[list(order)]), found[seed])


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2), names=st.permutations("abcdefghijk"))
def test_names_of_units(found, seed, names):
    agree(everything(table(seed).assign(unit=lambda frame: frame["unit"].map(dict(enumerate(names))))), found[seed])


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2), years=st.integers(-1900, 500))
def test_calendar(found, seed, years):
    frame = table(seed)
    agree(everything(frame.assign(period=frame["period"] + years, cohort=frame["cohort"] + years)), found[seed])


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2), scale=st.sampled_from([1e-3, 0.5, 40.0, 1e4]), constant=st.floats(-100, 100))
def test_units_of_measurement(found, seed, scale, constant):
    frame = table(seed)
    agree(everything(frame.assign(y=scale * frame["y"] + constant), scale), found[seed])


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2), factor=st.sampled_from([1e-3, 7.0, 1e5]))
def test_scale_of_weights(found, seed, factor):
    frame = table(seed)
    agree(everything(frame.assign(w=factor * frame["w"])), found[seed])


def test_the_callers_table_is_left_alone():
    frame = table(0)
    before = frame.copy(deep=True)
    everything(frame)
    pd.testing.assert_frame_equal(frame, before)
