"""The slope among participants: by hand, against other programs, and whatever the order of rows or the scale."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import permutation_test

from evalkit.core.quantities import Interval, Unavailable
from evalkit.estimate.dose.slope_arrays import dealings, n_dealings, residuals, slope
from evalkit.estimate.dose.within import SlopeOptions, dose_slope

ONE = np.ones(4, dtype=np.int64)
NONE = np.empty((4, 0))


def made(n=20, seed=3):
    """Return change, dose, area and one covariate of n units in four areas."""
    rng = np.random.default_rng(seed)
    area = np.arange(n) % 4 + 1
    before = rng.normal(size=n) + area
    dose = np.round(5 - 2 * before + rng.normal(size=n), 1)
    return 0.3 * dose - 0.5 * before + area + rng.normal(size=n), dose, area.astype(np.int64), before[:, None]


def test_by_hand():
    change = np.array([1.0, 0, 3, 4])
    found = dose_slope(change, np.arange(4.0), ONE, NONE, SlopeOptions())
    assert isinstance(found.estimate, Unavailable)  # 4 units, 2 coefficients and 2 degrees of freedom: too few
    five, dose = np.append(change, 6.0), np.arange(5.0)
    # mean of changes 2.8, of doses 2: Σ(d − 2)(y − 2.8) = (−2)(−1.8) + (−1)(−2.8) + 0 + 1(1.2) + 2(3.2) = 14; /10 = 1.4
    found = dose_slope(five, dose, np.ones(5, dtype=np.int64), np.empty((5, 0)))
    assert found.estimate == pytest.approx(1.4, rel=1e-12)
    sizes = [abs(sum((d - 2) * y for d, y in zip(order, five, strict=True))) for order in permutations(dose)]
    assert found.p_value == pytest.approx(np.mean([size >= 14 - 1e-9 for size in sizes]), abs=1e-15)
    assert (found.n_dealings, found.is_exact, found.share_left) == (120, True, 1.0)
    assert found.largest_share == pytest.approx(0.4)  # (4 − 2)² / 10


def test_the_coefficient_is_that_of_least_squares_and_p_that_of_a_permutation_test():
    change, dose, area, before = made()
    columns = np.column_stack([area[:, None] == np.unique(area), before, dose])
    reference = np.linalg.lstsq(columns.astype(float), change, rcond=None)[0][-1]
    found = dose_slope(change, dose, area, before, SlopeOptions(n_draws=99))
    assert found.estimate == pytest.approx(reference, rel=1e-10)
    left = residuals(change, dose, area, before)
    fitted = columns @ np.linalg.lstsq(columns.astype(float), change, rcond=None)[0]
    np.testing.assert_allclose(left, change - fitted, atol=1e-10)
    seven = change[:7], dose[:7]
    own = dose_slope(*seven, np.ones(7, dtype=np.int64), np.empty((7, 0)))
    other = permutation_test(
        (seven[1],),
        lambda d: abs(np.corrcoef(d, seven[0])[0, 1]),
        permutation_type="pairings",
        n_resamples=np.inf,
        alternative="greater",
    )
    assert own.n_dealings == 5040
    assert own.p_value == pytest.approx(other.pvalue, abs=1e-12)


def test_doses_are_dealt_out_within_areas_in_every_way_once_where_ways_are_few():
    area, dose = np.array([1, 1, 1, 2, 2]), np.array([0.0, 0, 3, 1, 2])
    found = dealings(area, dose, 99, np.random.default_rng(1))
    assert n_dealings(area, dose) == 6  # 3!/2! times 2!
    assert found.is_exact
    assert len({tuple(row) for row in found.doses.tolist()}) == len(found.doses) == 6
    assert found.doses[0].tolist() == dose.tolist()
    assert all(sorted(row[:3]) == [0, 0, 3] and sorted(row[3:]) == [1, 2] for row in found.doses.tolist())
    sample = dealings(area, dose, 3, np.random.default_rng(1))
    assert (len(sample.doses), sample.is_exact) == (4, False)
    assert sample.doses[0].tolist() == dose.tolist()


def test_the_interval_is_that_of_slopes_which_the_test_does_not_reject():
    change, dose, area, before = made()
    found = dose_slope(change, dose, area, before)
    assert isinstance(found.interval, Interval)
    for end, inside in ((found.interval.lower, 1), (found.interval.upper, -1)):
        for side, is_kept in ((0.02 * inside, True), (-0.02 * inside, False)):
            tested = dose_slope(change - (end + side) * dose, dose, area, before)
            assert (tested.p_value > 0.05) == is_kept


def test_scale_shift_labels_of_areas_and_order_change_nothing():
    change, dose, area, before = made()
    own = dose_slope(change, dose, area, before)
    kept = [one.copy() for one in (change, dose, area, before)]
    scaled = dose_slope(10 * change + 3, dose, area + 70, 5 * before - 1)
    assert scaled.estimate == pytest.approx(10 * own.estimate, rel=1e-9)
    assert scaled.p_value == own.p_value
    assert scaled.interval.lower == pytest.approx(10 * own.interval.lower, rel=1e-6)
    halved = dose_slope(change, 2 * dose, area, before)
    assert halved.estimate == pytest.approx(own.estimate / 2, rel=1e-9)
    assert halved.p_value == own.p_value
    for one, was in zip((change, dose, area, before), kept, strict=True):
        np.testing.assert_array_equal(one, was)


def test_areas_that_all_move_move_no_line():
    change, dose, area, before = made()
    own = dose_slope(change, dose, area, before)
    moved = dose_slope(change + 10.0 * area, dose, area, before)
    assert moved.estimate == pytest.approx(own.estimate, rel=1e-9)
    assert moved.p_value == own.p_value


def test_where_no_line_can_be_drawn_it_says_why():
    change, _, area, before = made()
    assert "had the same dose" in dose_slope(change, np.full(20, 3.0), area, before).estimate.reason
    assert "had the same dose" in dose_slope(change, area.astype(float), area, before).estimate.reason
    assert "had the same dose" in dose_slope(change, 2 * before[:, 0], area, before).p_value.reason
    assert slope(change, np.full((1, 20), 3.0), area, before) is None
