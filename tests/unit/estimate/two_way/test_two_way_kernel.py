"""Unit and period effects are taken out as a regression on all their indicator columns would."""

import numpy as np
import pytest

from evalkit.core.draws import stream
from evalkit.core.errors import DesignError
from evalkit.estimate.two_way.two_way_arrays import TwoWay


def by_indicators(unit, period, weight, column):
    """Return the residuals from all indicator columns at once, and the rank of those: the slow, plain way."""
    table = np.column_stack([np.eye(unit.max() + 1)[unit], np.eye(period.max() + 1)[period]])
    root = np.sqrt(weight)
    beta = np.linalg.lstsq(root[:, None] * table, root * column, rcond=None)[0]
    return column - table @ beta, np.linalg.matrix_rank(table)


def panel(n_units, n_periods, share, weighted, seed=3):
    """Return a random panel with a share of its rows kept."""
    draw = stream(seed, f"two-way {n_units} {share} {weighted}")
    unit, period = np.repeat(np.arange(n_units), n_periods), np.tile(np.arange(n_periods), n_units)
    kept = draw.random(len(unit)) < share
    unit, period = np.unique(unit[kept], return_inverse=True)[1], np.unique(period[kept], return_inverse=True)[1]
    weight = draw.uniform(0.1, 3, len(unit)) if weighted else np.ones(len(unit))
    return unit, period, weight, 1000 + draw.normal(size=(len(unit), 2))


@pytest.mark.parametrize("share", [2.0, 0.7, 0.25])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_projection_is_that_of_all_indicators(share, weighted):
    unit, period, weight, columns = panel(30, 6, share, weighted)
    kernel = TwoWay.of(unit, period, weight)
    assert kernel.is_regular == (share > 1 and not weighted)
    for at in range(2):
        left, rank = by_indicators(unit, period, weight, columns[:, at])
        of_unit, of_period = kernel.effects(columns[:, at])
        np.testing.assert_allclose(kernel.residuals(columns)[:, at], left, atol=1e-9)
        np.testing.assert_allclose(columns[:, at] - of_unit[unit] - of_period[period], left, atol=1e-9)
        assert kernel.n_effects == rank
        assert abs(of_period.sum()) < 1e-9


def test_weights_constant_within_units_are_closed_form():
    unit, period, _, columns = panel(12, 4, 2.0, False)
    weight = np.repeat(np.arange(1.0, 13.0), 4)
    kernel = TwoWay.of(unit, period, weight)
    assert kernel.is_regular
    np.testing.assert_allclose(
        kernel.residuals(columns[:, 0]), by_indicators(unit, period, weight, columns[:, 0])[0], atol=1e-9
    )


def test_two_by_two_by_hand():
    # y = 1, 3, 5, 7: means of units 2, 6, of periods 3, 5, of all 4.
    # Residuals 1 - 2 - 3 + 4 = 0, 3 - 2 - 5 + 4 = 0, 5 - 6 - 3 + 4 = 0, 7 - 6 - 5 + 4 = 0
    codes = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    kernel = TwoWay.of(*codes, np.ones(4))
    np.testing.assert_allclose(kernel.residuals(np.array([1.0, 3.0, 5.0, 7.0])), 0, atol=1e-15)
    # y = 0, 0, 0, 1: means 0, 1/2; 0, 1/2; 1/4. Residuals 1/4, -1/4, -1/4, 1/4
    np.testing.assert_allclose(kernel.residuals(np.array([0.0, 0.0, 0.0, 1.0])), [0.25, -0.25, -0.25, 0.25])
    # period effects -1/4 and 1/4 (sum 0), unit effects 0 and 1/2
    np.testing.assert_allclose(np.concatenate(kernel.effects(np.array([0.0, 0.0, 0.0, 1.0]))), [0, 0.5, -0.25, 0.25])


def test_units_that_no_period_links_are_components_of_their_own():
    # units 0, 1 see periods 0, 1; units 2, 3 see periods 2, 3; period 4 and unit 4 have no row
    unit, period = np.repeat(np.arange(4), 2), np.array([0, 1, 0, 1, 2, 3, 2, 3])
    kernel = TwoWay.of(unit, period, np.ones(8), n_units=5, n_periods=5)
    assert kernel.period_component[0] == kernel.period_component[1] != kernel.period_component[2]
    assert kernel.unit_component[4] == -1
    assert kernel.n_effects == 6  # 4 units and 4 periods less 2 components
    column = np.array([1.0, 2, 3, 9, 4, 4, 0, 1])
    np.testing.assert_allclose(kernel.residuals(column), by_indicators(unit, period, np.ones(8), column)[0], atol=1e-12)
    assert kernel.effects(column)[0][4] == kernel.effects(column)[1][4] == 0


def test_no_columns_and_no_rows():
    unit, period = np.array([0, 0, 1]), np.array([0, 1, 0])
    assert TwoWay.of(unit, period, np.ones(3)).residuals(np.empty((3, 0))).shape == (3, 0)
    with pytest.raises(DesignError, match="No rows are left"):
        TwoWay.of(unit[:0], period[:0], np.ones(0))
