"""Distances and nearest rows, against hand arithmetic and a search by brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.design.matching.pairs_arrays import GroupScatter, pooled_within_covariance, whitened
from evalkit.design.project.group_matching import nearest
from evalkit.design.weights_arrays import effective_n


def test_covariance_is_pooled_within_groups():
    treated, comparison = np.array([[1.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 0.0], [0.0, 2.0], [3.0, 1.0]])
    # Treated, about (2, 2): sums of squares 2 and 8, of products 4. Comparison, about (1, 1): 1+1+4 = 6, 1+1+0 = 2,
    # products (−1)(−1) + (−1)(1) + (2)(0) = 0. Degrees 2 + 3 − 2 = 3.
    assert pooled_within_covariance(treated, comparison) == pytest.approx(np.array([[8 / 3, 4 / 3], [4 / 3, 10 / 3]]))


def test_a_difference_between_the_groups_is_not_in_it():
    rng = np.random.default_rng(1)
    treated, comparison = rng.normal(size=(5, 2)), rng.normal(size=(9, 2))
    moved = pooled_within_covariance(treated + 100, comparison)
    assert moved == pytest.approx(pooled_within_covariance(treated, comparison), abs=1e-10)


def test_distance_after_whitening_is_the_mahalanobis_distance():
    rng = np.random.default_rng(2)
    points = rng.normal(size=(6, 3)) @ rng.normal(size=(3, 3))
    covariance = np.cov(points.T)
    white = whitened(points, covariance)
    gap = points[0] - points[4]
    assert np.sum((white[0] - white[4]) ** 2) == pytest.approx(gap @ np.linalg.inv(covariance) @ gap, rel=1e-10)


def brute_force(treated, pool, ratio):
    """Sort every pool row by rounded distance, then by place."""
    columns, distances = [], []
    for point in treated:
        found = sorted((round(float(np.sqrt(((point - row) ** 2).sum())), 9), j) for j, row in enumerate(pool))[:ratio]
        short = ratio - len(found)
        columns.append([j for _, j in found] + [-1] * short)
        distances.append([d for d, _ in found] + [float("nan")] * short)
    return np.array(columns), np.array(distances)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(0, 40), st.sampled_from([0, 1, 3, 20]))
def test_nearest_equals_brute_force_on_a_grid_full_of_ties(seed, ratio, size, spare):
    rng = np.random.default_rng(seed)
    treated, pool = (rng.integers(0, 3, (n, 2)).astype(float) for n in (4, size))
    columns, distances = nearest(treated, pool, ratio, spare)
    wanted = brute_force(treated, pool, ratio)
    np.testing.assert_array_equal(columns, wanted[0])
    np.testing.assert_allclose(distances, wanted[1], atol=1e-9)


def test_nearest_equals_brute_force_without_ties():
    rng = np.random.default_rng(3)
    treated, pool = rng.normal(size=(20, 3)), rng.normal(size=(300, 3))
    np.testing.assert_array_equal(nearest(treated, pool, 5)[0], brute_force(treated, pool, 5)[0])


def test_a_run_of_ties_longer_than_the_spare_rows_is_resolved_over_the_whole_pool():
    pool = np.vstack([np.tile([1.0, 0.0], (50, 1)), [[0.5, 0.0]]])
    columns, distances = nearest(np.zeros((1, 2)), pool, ratio=3, spare=2)
    assert columns.tolist() == [[50, 0, 1]]
    assert distances.tolist() == [[0.5, 1.0, 1.0]]


def test_distances_that_differ_by_rounding_alone_are_ties():
    columns, _ = nearest(np.zeros((1, 1)), np.array([[1.0], [1.0 - 1e-12], [0.9]]), ratio=2)
    assert columns.tolist() == [[2, 0]]


def test_a_pool_smaller_than_the_ratio_leaves_places_empty():
    columns, distances = nearest(np.zeros((1, 1)), np.array([[2.0]]), ratio=3)
    assert columns.tolist() == [[0, -1, -1]]
    assert distances[0, 0] == 2.0
    assert np.isnan(distances[0, 1:]).all()


def test_effective_number():
    # (3 + 1)² / (9 + 1) = 1.6; four equal weights count as four.
    assert effective_n(np.array([3.0, 1.0])) == pytest.approx(1.6)
    assert effective_n(np.full(4, 0.2)) == pytest.approx(4.0)


def test_the_covariance_from_sums_is_that_of_the_rows():
    generator = np.random.default_rng(5)
    covariates, group = generator.normal(1000, 3, (60, 3)), generator.integers(1, 6, 60)
    scatter = GroupScatter.of(covariates, group)
    for own in (2, 3):
        rest = covariates[(group != own) & (group != 3)]
        assert scatter.pooled(own, 3) == pytest.approx(
            pooled_within_covariance(covariates[group == own], rest), rel=1e-10
        )


def test_the_covariance_from_sums_by_hand():
    # Group 1: 0, 2 (mean 1, scatter 2). Groups 2 and 3 together: 4, 8, 6 (mean 6, scatter 4 + 4 + 0 = 8). Group 9 is
    # the treated one and left out. (2 + 8) / (2 + 3 - 2) = 10 / 3.
    covariates = np.array([[0.0], [2.0], [4.0], [8.0], [6.0], [50.0]])
    scatter = GroupScatter.of(covariates, np.array([1, 1, 2, 2, 3, 9]))
    assert scatter.pooled(1, 9) == pytest.approx(np.array([[10 / 3]]))


@pytest.mark.parametrize("spare", [1, 2, 20])
def test_long_runs_of_ties_are_those_of_a_look_at_everything(spare):
    generator = np.random.default_rng(7)
    treated, pool = (generator.integers(0, 4, (n, 1)).astype(float) for n in (30, 80))
    columns, distances = nearest(treated, pool, 5, spare)
    for row, one in enumerate(treated):
        every = np.abs(pool[:, 0] - one[0])
        wanted = np.lexsort((np.arange(80), every))[:5]
        assert columns[row].tolist() == wanted.tolist()
        assert distances[row].tolist() == every[wanted].tolist()
