"""The interaction-weighted event study: by hand, against all indicator columns, and at its edges."""

import numpy as np
import pandas as pd
import pytest
from staggered_tables import COHORTS, columns_of, design_of, indicators, sandwich, table, value_and_error

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Unavailable
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.staggered.extended import extended_effects
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.summaries import event_study, overall_effect
from evalkit.estimate.staggered.sun_abraham import small_sample_factor, sun_abraham_effects


def small():
    """Four units over three years; the first two start in year 3."""
    values = {"a": (1, 3, 9), "b": (2, 2, 6), "c": (0, 2, 3), "d": (4, 4, 5)}
    rows = [
        (unit, year, y, 3.0 if unit in "ab" else np.nan)
        for unit, three in values.items()
        for year, y in enumerate(three, start=1)
    ]
    return pd.DataFrame(rows, columns=["unit", "period", "y", "cohort"])


def test_four_units_by_hand():
    # year 3 less year 2: a 6, b 4, c 1, d 1: effect 5 - 1 = 4; errors (6 - 5)/2 = ±0.5, and 0: squares sum to 0.5
    # year 1 less year 2: a -2, b 0, c -2, d 0: -1 - (-1) = 0; errors ±0.5, ±0.5: squares sum to 1
    # factor 4/3 · 11/7: 4 clusters, 12 rows, k = 2 cells + 3 periods
    effects = sun_abraham_effects(design_of(small()))
    factor = 4 / 3 * 11 / 7
    assert effects.factor == pytest.approx(factor)
    assert value_and_error(effects, 3, 3) == pytest.approx((4, np.sqrt(0.5 * factor)))
    assert value_and_error(effects, 3, 1) == pytest.approx((0, np.sqrt(factor)), abs=1e-12)
    assert [cell.is_reference for cell in effects.cells] == [False, True, False]
    assert overall_effect(effects).estimate.df == 3


@pytest.mark.parametrize(
    ("share", "roles", "anticipation"),
    [
        (2.0, {}, 0),
        (0.85, {"weight": "w"}, 1),
        (0.85, {"weight": "w", "cluster": "area", "covariates": ("x",)}, 0),
    ],
)
def test_cells_are_those_of_all_indicator_columns(share, roles, anticipation):
    effects = sun_abraham_effects(design_of(table(share=share), anticipation=anticipation, **roles))
    wanted = [at for at, cell in enumerate(effects.cells) if not cell.is_reference]
    cells = [(effects.cells[at].cohort, effects.cells[at].period) for at in wanted]
    outcome, weight, units, periods, covariates, cluster = columns_of(effects.design)
    regressors = np.column_stack([units, periods, covariates, indicators(effects.design, cells)])
    values, covariance = sandwich(regressors, outcome, weight, cluster, len(cells))
    k = len(cells) + periods.shape[1] + covariates.shape[1]
    factor = small_sample_factor(len(np.unique(cluster)), len(outcome), k)
    np.testing.assert_allclose(effects.values[wanted], values, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(effects.covariance[np.ix_(wanted, wanted)], factor * covariance, rtol=1e-8, atol=1e-12)


def test_without_covariates_it_is_the_group_time_estimate_from_one_base_period():
    frame = table(share=2.0)
    options = StaggeredOptions(base_period="universal")
    roles = Roles(unit="unit", period="period", outcome="y", cohort="cohort")
    design = staggered_design(Panel.from_frame(frame, roles), options)
    one, other = sun_abraham_effects(design), group_time_effects(design, "reg")
    assert [(cell.cohort, cell.period) for cell in one.cells] == [(cell.cohort, cell.period) for cell in other.cells]
    np.testing.assert_allclose(one.values, other.values, atol=1e-10)
    n_cells = len(one.cells)
    np.testing.assert_allclose(
        one.covariance[:n_cells, :n_cells] / one.factor, other.covariance[:n_cells, :n_cells], rtol=1e-9, atol=1e-12
    )


def test_without_never_treated_units_the_last_cohort_is_compared_with():
    frame = table(cohorts=COHORTS[:3])
    effects = sun_abraham_effects(design_of(frame, "not-yet"))
    before = frame[frame["period"] < 2015].assign(cohort=lambda rows: rows["cohort"].where(rows["cohort"] < 2015))
    other = sun_abraham_effects(design_of(before))
    for cell in other.cells:
        assert value_and_error(effects, cell.cohort, cell.period) == pytest.approx(
            value_and_error(other, cell.cohort, cell.period)
        )
    reasons = {(cell.cohort, cell.period): cell.value for cell in effects.cells}
    assert "what the others are compared with" in reasons[2015, 2013].reason
    assert "no unit is untreated then" in reasons[2012, 2015].reason
    assert "the last cohort, 2015" in effects.notes[0]


def test_one_cohort_alone_is_refused():
    with pytest.raises(DesignError):
        sun_abraham_effects(design_of(table(cohorts=(2013.0,)), "not-yet"))


def test_a_cell_without_its_base_period_has_a_reason_and_the_rest_goes_on():
    frame = table(share=2.0)
    effects = sun_abraham_effects(design_of(frame[~((frame["cohort"] == 2013) & (frame["period"] == 2012))]))
    reasons = {(cell.cohort, cell.period): cell.value for cell in effects.cells}
    assert "from which it is measured" in reasons[2013, 2014].reason
    assert isinstance(reasons[2012, 2014], float)
    assert (2013, 2014) in overall_effect(effects).lacking
    assert np.isfinite(effects.covariance).all()


def test_estimated_shares_widen_the_error():
    # with effects that differ between cohorts their shares matter; estimates agree where the panel is balanced
    design = design_of(table(share=2.0))
    both = (sun_abraham_effects(design, shares) for shares in ("fixed", "estimated"))
    fixed, estimated = (overall_effect(effects).estimate for effects in both)
    assert estimated.value == pytest.approx(fixed.value)
    assert estimated.std_error > fixed.std_error


def test_the_base_period_is_zero_and_says_so():
    parts = {part.label: part.estimate for part in event_study(sun_abraham_effects(design_of(table()))).parts}
    assert parts[-1].value == 0
    assert "zero by definition" in parts[-1].std_error.reason


def test_a_cohort_in_one_cluster_has_no_standard_error():
    frame = table(share=2.0, cohorts=(2013.0, np.nan))
    frame["place"] = np.where(frame["cohort"] == 2013, -1, frame["unit"])
    estimate = overall_effect(sun_abraham_effects(design_of(frame, cluster="place"))).estimate
    assert isinstance(estimate.std_error, Unavailable)


@pytest.mark.parametrize("estimate", [sun_abraham_effects, extended_effects])
def test_one_cluster_leaves_the_estimate_and_no_standard_error(estimate):
    frame = table(share=2.0)
    alone, usual = (
        overall_effect(estimate(design_of(rows, **roles))).estimate
        for rows, roles in ((frame.assign(place=1), {"cluster": "place"}), (frame, {}))
    )
    assert alone.value == pytest.approx(usual.value)
    assert isinstance(alone.std_error, Unavailable)


def test_covariates_that_add_nothing_are_refused():
    frame = table()
    with pytest.raises(DesignError, match="taken out by its effect: 'size'"):
        sun_abraham_effects(design_of(frame, covariates=("size",)))
    frame["again"] = frame["x"] * 3
    with pytest.raises(DesignError, match="within each period 'again' follows from 'x'"):
        sun_abraham_effects(design_of(frame, covariates=("x", "again")))


def test_unknown_shares_are_refused():
    with pytest.raises(DesignError, match="fixed or estimated"):
        sun_abraham_effects(design_of(table()), shares="none")


def test_small_sample_factor():
    # 10/9 · 99/95
    assert small_sample_factor(10, 100, 5) == pytest.approx(10 / 9 * 99 / 95)
    assert small_sample_factor(1, 100, 5) == 1
    with pytest.raises(DesignError, match="leave nothing"):
        small_sample_factor(10, 5, 5)
