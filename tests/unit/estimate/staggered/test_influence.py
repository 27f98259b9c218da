"""Contributions to errors: sums by cluster, covariances, draws."""

import numpy as np
import pytest

from evalkit.estimate.staggered.influence_arrays import Influence, InfluenceBlock, Piece, partition


def blocks():
    """Return two estimates from four rows: rows 0 and 1 bear on the first, rows 2 and 3 on both."""
    first = InfluenceBlock(np.array([0, 1]), np.array([0]), np.array([[1.0], [-1.0]]))
    second = InfluenceBlock(np.array([2, 3]), np.array([0, 1]), np.array([[2.0, 3.0], [-2.0, 1.0]]))
    return first, second


def test_covariances_by_hand():
    """Σψψ': first 1 + 1 + 4 + 4 = 10, second 9 + 1 = 10, together 2 × 3 − 2 × 1 = 4."""
    found = Influence(2, blocks(), None, 4)
    assert found.covariance().tolist() == [[10.0, 4.0], [4.0, 10.0]]
    assert found.by_cluster().tolist() == [[1, 0], [-1, 0], [2, 3], [-2, 1]]


def test_clusters_are_summed_first():
    """Rows 0 and 2 in one cluster, 1 and 3 in the other: (3, 3) and (−3, 1)."""
    found = Influence(2, blocks(), np.array([0, 1, 0, 1]), 2)
    assert found.by_cluster().tolist() == [[3.0, 3.0], [-3.0, 1.0]]
    assert found.covariance().tolist() == [[18.0, 6.0], [6.0, 10.0]]
    assert found.collapsed().covariance().tolist() == found.covariance().tolist()


def test_blocks_that_share_rows_are_added_before_they_are_multiplied():
    """Row 0 stands in both blocks: (1, 2) and (0, 1) make (1, 2) + (0, 1) = 1, 3 in its two columns."""
    one, two = (
        InfluenceBlock(np.array([0]), np.array([0, 1]), np.array([[1.0, 2.0]])),
        InfluenceBlock(np.array([0]), np.array([1]), np.array([[1.0]])),
    )
    assert Influence(2, (one, two), None, 5).covariance().tolist() == [[1.0, 3.0], [3.0, 9.0]]
    assert Influence(2, (one, two), None, 1).covariance().tolist() == [[1.0, 3.0], [3.0, 9.0]]


def test_a_row_in_two_blocks_gets_one_sign():
    both = tuple(InfluenceBlock(np.array([0]), np.array([at]), np.array([[at + 1.0]])) for at in range(2))
    draws = Influence(2, both, None, 3).drawn(50, np.random.default_rng(1))
    assert {tuple(draw) for draw in draws} == {(1.0, 2.0), (-1.0, -2.0)}


def test_combinations_by_hand():
    found = Influence(2, blocks(), None, 4).combined(np.array([[1.0], [2.0]]))
    assert found.ravel().tolist() == [1.0, -1.0, 8.0, 0.0]
    by_cluster = Influence(2, blocks(), np.array([0, 1, 0, 1]), 2).combined(np.array([[1.0], [2.0]]))
    assert by_cluster.ravel().tolist() == [9.0, -1.0]


@pytest.mark.parametrize("cluster", [None, np.array([0, 1, 0, 1])])
def test_draws_are_sums_with_random_signs(cluster):
    influence = Influence(2, blocks(), cluster, 4 if cluster is None else 2)
    draws = influence.drawn(20_000, np.random.default_rng(1))
    rows = influence.by_cluster()
    signs = np.array(np.meshgrid(*[[-1, 1]] * len(rows))).reshape(len(rows), -1).T
    possible = {tuple(sums) for sums in signs @ rows}
    assert {tuple(draw) for draw in draws} == possible
    # the covariance of signs is Σψψ'; Monte Carlo error of a variance v over 20,000 draws is at most v √(2/20,000) = 1%
    assert np.cov(draws.T, bias=True) == pytest.approx(influence.covariance(), rel=0.04, abs=0.4)
    assert np.abs(draws.mean(axis=0)).max() < 4 * np.sqrt(18 / 20_000)


def test_draws_repeat_under_their_seed_and_pass_the_border_of_a_chunk():
    values = np.random.default_rng(2).normal(size=(5000, 1))  # more than 4,096 rows
    influence = Influence.of(values)
    one, two = (influence.drawn(200, np.random.default_rng(3)) for _ in range(2))
    assert (one == two).all()
    assert one.std() == pytest.approx(np.sqrt((values**2).sum()), rel=4 / np.sqrt(400))


def test_a_partition_joins_what_stands_on_the_same_part():
    """Parts 0 (positions 0, 1) and 1 (position 2); a piece on both, one on the second. Position p is row order[p]."""
    order, start = np.array([2, 0, 1]), np.array([0, 2, 3])
    pieces = [
        Piece([0], np.array([0, 1, 2]), np.array([[1.0], [2.0], [3.0]])),
        Piece([1], np.array([2]), np.array([[4.0]])),
    ]
    found = partition(pieces, start, order)
    assert [(b.rows.tolist(), b.columns.tolist(), b.values.tolist()) for b in found] == [
        ([2, 0], [0], [[1.0], [2.0]]),
        ([1], [0, 1], [[3.0, 4.0]]),
    ]


def test_an_empty_part_has_no_block():
    found = partition([Piece([0], np.array([0]), np.array([[1.0]]))], np.array([0, 1, 1]), np.array([0]))
    assert len(found) == 1
