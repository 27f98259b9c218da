"""Systems of inequalities over violations, by hand for two coefficients on each side: δ = (δ₋₃, δ₋₂, δ₀, δ₁)."""

import numpy as np
import pytest

from evalkit.core.errors import DesignError
from evalkit.estimate.bounds.rays_arrays import extreme_rays
from evalkit.estimate.bounds.restrictions_arrays import relative_systems, shape_rows, smooth_systems

NO_SHAPE = np.zeros((0, 4))


def test_relative_systems_bound_steps_after_by_each_step_before():
    found = relative_systems(np.array([2.0]), 2, 2, NO_SHAPE)
    # The first takes δ₋₂ − δ₋₃ for the largest: δ₀ − 0 ≤ 2 (δ₋₂ − δ₋₃), δ₁ − δ₀ ≤ the same, and both the other way.
    assert found.rows.shape == (4, 4, 4)
    assert found.rows[0].tolist() == [[2, -2, 1, 0], [2, -2, -1, 1], [2, -2, -1, 0], [2, -2, 1, -1]]
    # The second takes 0 − δ₋₂, the step to the reference; the third and fourth the same steps downwards.
    assert found.rows[1].tolist() == [[0, 2, 1, 0], [0, 2, -1, 1], [0, 2, -1, 0], [0, 2, 1, -1]]
    assert found.rows[2].tolist() == [[-2, 2, 1, 0], [-2, 2, -1, 1], [-2, 2, -1, 0], [-2, 2, 1, -1]]
    assert not found.limits.any()


def test_smooth_systems_bound_changes_of_slope_that_touch_a_period_after():
    found = smooth_systems(np.array([0.5, 0.7]), 2, 2, NO_SHAPE)
    # δ₋₂ − 2·0 + δ₀ and 0 − 2δ₀ + δ₁; δ₋₃ − 2δ₋₂ + 0 lies before the start.
    assert found.rows[0].tolist() == [[0, 1, 1, 0], [0, 0, -2, 1], [0, -1, -1, 0], [0, 0, 2, -1]]
    assert found.limits.tolist() == [[0.5] * 4, [0.7] * 4]


@pytest.mark.parametrize(
    ("sign", "monotone", "rows"),
    [
        ("+", None, [[0, 0, -1, 0], [0, 0, 0, -1]]),
        ("-", None, [[0, 0, 1, 0], [0, 0, 0, 1]]),
        (None, "up", [[0, 0, -1, 0], [0, 0, 1, -1]]),
        (None, "down", [[0, 0, 1, 0], [0, 0, -1, 1]]),
        (None, None, []),
    ],
)
def test_shapes_are_rows_that_are_at_most_zero(sign, monotone, rows):
    assert shape_rows(2, 2, sign, monotone).tolist() == rows


def test_rays_of_one_free_unknown_pair_what_bounds_it_from_either_side():
    # x ≤ …, −x ≤ … and 2x ≤ …: the first or the third with the second; a row without x stands alone.
    rays = extreme_rays(np.array([[1.0], [-1.0], [2.0], [0.0]]))
    assert sorted(rays.tolist()) == [[0, 0, 0, 1], [0, 1, 0.5, 0], [1, 1, 0, 0]]


def test_too_many_combinations_are_refused_with_what_to_do():
    rows = relative_systems(np.array([0.1]), 2, 8, shape_rows(2, 8, "+", None)).rows[0, :, -8:]
    free = np.eye(8)[:, :-1] - np.eye(8)[:, 1:]
    with pytest.raises(DesignError, match="average over fewer event times"):
        extreme_rays(rows @ free[:, ::-1])
