"""Assignments that keep a design's numbers, and the two-way effect under each of them."""

import math

import numpy as np
import pytest

from evalkit.core.errors import DesignError
from evalkit.estimate.least_squares_arrays import cluster_error, least_squares, period_columns
from evalkit.estimate.two_way import inference_arrays as permutation
from evalkit.estimate.two_way.inference_arrays import (
    assignments,
    cohort_sums,
    n_assignments,
    permutation_reference,
    places,
)

STARTS = np.array([np.inf, 2, 3])
COHORT = np.array([0, 1, 2, 0, 1, 0, 0])
ONE = np.zeros(7, dtype=np.intp)


def ragged(seed):
    """Seven clusters of unequal numbers of units, some rows lost, weights, a covariate, two cohorts."""
    random = np.random.default_rng(seed)
    rows = [
        (cluster, 10 * cluster + unit, period)
        for cluster in range(7)
        for unit in range(random.integers(1, 4))
        for period in range(5)
        if random.random() < 0.9
    ]
    cluster, unit, period = np.array(rows).T
    n = len(rows)
    others = np.column_stack([period_columns(period), random.normal(size=n)])
    y = random.normal(size=n) + random.normal(size=7)[cluster] * (period > 2)
    return y, others, random.uniform(0.5, 2, n), cluster, np.unique(unit, return_inverse=True)[1], period


@pytest.mark.parametrize("is_studentised", [False, True])
def test_sums_agree_with_regressions_fitted_one_by_one(is_studentised):
    y, others, weight, cluster, unit, period = ragged(3)
    actual = (period >= STARTS[COHORT[cluster]]).astype(float)
    without = least_squares(y, np.zeros((len(y), 0)), others, weight, cluster, unit)
    who, own = assignments(COHORT, ONE, 10, np.random.default_rng(0)), places(COHORT, ONE)
    at = int(np.flatnonzero((who == own).all(axis=1))[0])
    sums = cohort_sums(without, STARTS, period.astype(float), actual)
    reference = permutation_reference(sums, who, COHORT[own], at, is_studentised)

    def statistic(cohort, value):
        moved = (period >= STARTS[cohort[cluster]]).astype(float)
        fit = least_squares(y - value * actual, moved[:, None], others, weight, cluster, unit)
        return fit.coefficients[0] / (cluster_error(fit, 0, "CR0").std_error if is_studentised else 1)

    for value in (0.0, 0.4):
        slow = []
        for row in who:
            cohort = np.zeros(7, dtype=np.intp)
            cohort[row] = COHORT[own]
            slow.append(statistic(cohort, value))
        scale = 1 if is_studentised else reference.scale
        spread = reference.square - 2 * value * reference.cross + value**2 * reference.bend
        quick = (reference.first - value * reference.slope) / np.sqrt(spread)
        np.testing.assert_allclose(quick * scale, slow, rtol=1e-9, atol=1e-12)
        wanted = np.mean(np.abs(slow) >= abs(statistic(COHORT, value)) * (1 - 1e-9))
        assert reference.p_value(value) == pytest.approx(wanted)


def test_chunks_do_not_change_a_number(monkeypatch):
    y, others, weight, cluster, unit, period = ragged(1)
    without = least_squares(y, np.zeros((len(y), 0)), others, weight, cluster, unit)
    actual = (period >= STARTS[COHORT[cluster]]).astype(float)
    sums = cohort_sums(without, STARTS, period.astype(float), actual)
    who, own = assignments(COHORT, ONE, 10, np.random.default_rng(0)), places(COHORT, ONE)
    whole = permutation_reference(sums, who, COHORT[own], 0, True)
    monkeypatch.setattr(permutation, "_CHUNK", 1)
    pieces = permutation_reference(sums, who, COHORT[own], 0, True)
    np.testing.assert_allclose(whole.square, pieces.square, rtol=1e-12)
    np.testing.assert_array_equal(whole.first, pieces.first)


def test_every_assignment_comes_once():
    # 7!/(4! 2! 1!) = 105 ways of choosing two clusters for one start and one for the other.
    who = assignments(COHORT, ONE, 10, np.random.default_rng(0))
    assert who.shape == (105, 3)
    pairs = {(frozenset(row[:2].tolist()), int(row[2])) for row in who}
    assert len(pairs) == n_assignments(COHORT, ONE) == 105


def test_strata_keep_their_own_numbers():
    # One of three treated in the first stratum, two of four in the second: 3 × 6 = 18.
    cohort, stratum = np.array([0, 1, 0, 1, 0, 0, 1]), np.array([0, 0, 0, 1, 1, 1, 1])
    who = assignments(cohort, stratum, 10, np.random.default_rng(0))
    assert who.shape == (18, 3) == (n_assignments(cohort, stratum), 3)
    assert (who[:, 0] < 3).all()
    assert (who[:, 1:] >= 3).all()
    assert places(cohort, stratum).tolist() == [1, 3, 6]


def test_drawn_assignments_start_with_the_actual_one_and_keep_strata():
    cohort, stratum = np.repeat([0, 1, 0, 1], [20, 6, 30, 4]), np.repeat([0, 1], [26, 34])
    assert n_assignments(cohort, stratum) == math.comb(26, 6) * math.comb(34, 4)
    who = assignments(cohort, stratum, 200, np.random.default_rng(0))
    assert who.shape == (201, 10)
    assert who[0].tolist() == places(cohort, stratum).tolist()
    assert (who[:, :6] < 26).all()
    assert (who[:, 6:] >= 26).all()
    assert all(len(set(row)) == 10 for row in who.tolist())


def test_an_assignment_that_treats_everybody_is_refused():
    y, others, weight, cluster, unit, period = ragged(1)
    without = least_squares(y, np.zeros((len(y), 0)), others, weight, cluster, unit)
    starts = np.array([np.inf, 2])
    cohort = np.ones(7, dtype=np.intp)
    sums = cohort_sums(without, starts, period.astype(float), (period >= 2).astype(float))
    with pytest.raises(DesignError, match="treatment does not differ within periods"):
        permutation_reference(sums, assignments(cohort, ONE, 10, np.random.default_rng(0)), cohort, 0, False)
