"""Pairs with the least sum of distances over any number of dimensions, sparse and proven."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching, min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

from evalkit.core.errors import DesignError, EvalkitError
from evalkit.design.arrays.candidates import Graph, nearest_permitted
from evalkit.design.arrays.pair_problem import PairProblem
from evalkit.design.arrays.prices import NOT_MATCHED, Proof, proof
from evalkit.design.arrays.whole_costs import whole_costs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_PAIRS: Final = 10_000_000
"""Possible pairs held at a time (some 500 MB while they are solved)."""

_AT_ONCE: Final = 200_000
"""So few possible pairs are all looked at from the start."""
_FIRST: Final = 6
_WIDER: Final = 4
_NEAR: Final = 0.95


class Assignment(NamedTuple):
    """Pairs as positions of focal units and partners, shape (n_pairs,), and how far from the best they can be."""

    focal: Ints
    partner: Ints
    distance: Floats
    gap: float


NOBODY: Final = Assignment(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0), 0.0)


def least_assignment(problem: PairProblem, ratio: int = 1) -> Assignment:
    """Return pairs, `ratio` for each focal unit and no partner twice, with the least sum of distances.

    Where not all can be made, as many focal units as possible get a partner, as many pairs as possible are made,
    and of all choices that do so the one with the least sum is taken. Each focal unit starts from its nearest
    partners; where the proof (see `prices`) fails for some, these look further and all are solved again.

    Raises
    ------
    DesignError
        Where more than `MOST_PAIRS` possible pairs would have to be held.
    """
    n, n_partners = len(problem.focal), len(problem.partners)
    if not n or not n_partners:
        return NOBODY
    if ratio == 1 and n > n_partners:
        turned = least_assignment(problem.turned)
        return _ordered(turned.partner, turned.focal, turned.distance, turned.gap)
    copies = np.repeat(np.arange(n), ratio)
    n_each = np.full(n, n_partners if n * n_partners * ratio <= _AT_ONCE else min(n_partners, _FIRST * (ratio + 1)))
    tree = cKDTree(problem.partners.coordinates)
    graph = nearest_permitted(problem, np.arange(n), int(n_each.max(initial=0)), tree)
    while True:
        rows, penalty = graph.take(copies), _penalties(graph, n, ratio)
        columns = _solved(_contested(graph, ratio).take(copies), penalty)
        result = proof(rows, columns, penalty, n_partners)
        if not len(result.open_rows):
            return _proven(rows, columns, copies, result)
        # rows that are nearly open often are the next ones to be
        wider = np.unique(copies[result.cost > _NEAR * rows.beyond])
        n_each[wider] = np.minimum(n_each[wider] * _WIDER, n_partners)
        _require_room(graph, n_each, wider, ratio)
        for size in np.unique(n_each[wider]):
            these = wider[n_each[wider] == size]
            graph = graph.replaced(these, nearest_permitted(problem, these, int(size), tree))


def _contested(graph: Graph, ratio: int) -> Graph:
    """Return the graph without pairs that no best choice needs.

    A focal unit that has `ratio` partners to itself never needs one further away than these; leaving those out
    gives others partners to themselves, and so on.
    """
    while True:
        focal = graph.focal
        is_alone = np.bincount(graph.partner)[graph.partner] == 1
        n_alone = np.cumsum(is_alone)
        before = np.concatenate([[0], n_alone])[graph.first[:-1]]
        kept = n_alone - is_alone - before[focal] < ratio
        if kept.all():
            return graph
        graph = graph.where(kept)


def _penalties(graph: Graph, n: int, ratio: int) -> Floats:
    """Return what it costs to leave each copy of each focal unit alone: more than any rearrangement could save."""
    most = (n * ratio + 1) * max(float(graph.distance.max(initial=0)), np.finfo(float).tiny)
    penalty = np.full((n, ratio), most)
    penalty[:, 0] = 2 * most if ratio > 1 else most
    return penalty.ravel()


def _solved(rows: Graph, penalty: Floats) -> Ints:
    """Return the best partner of each row within the graph, or `NOT_MATCHED` (Jonker and Volgenant, 1987)."""
    used, partner = np.unique(rows.partner, return_inverse=True)
    n, ends = len(penalty), rows.first[1:]
    matrix = _matrix(rows.first, partner, rows.distance, len(used))
    if n > len(used) or maximum_bipartite_matching(matrix, perm_type="column").min(initial=0) < 0:
        # not everyone can be matched: each row gets a place of its own where it stays alone
        partner, cost = np.insert(partner, ends, len(used) + np.arange(n)), np.insert(rows.distance, ends, penalty)
        matrix = _matrix(rows.first + np.arange(n + 1), partner, cost, len(used) + n)
    row, of_row = min_weight_full_bipartite_matching(matrix)
    chosen = np.empty(n, dtype=np.int64)
    chosen[row] = of_row
    columns = np.full(len(penalty), NOT_MATCHED, dtype=np.int64)
    is_matched = chosen < len(used)
    columns[is_matched] = used[chosen[is_matched]]
    return columns


def _matrix(first: Ints, column: Ints, cost: Floats, n_columns: int) -> csr_array:
    n = len(first) - 1
    order = np.lexsort((column, np.repeat(np.arange(n), np.diff(first))))
    return csr_array((whole_costs(cost)[order], column[order].astype(np.int32), first), shape=(n, n_columns))


def _proven(rows: Graph, columns: Ints, copies: Ints, result: Proof) -> Assignment:
    """Return the pairs, or stop: pairs that prices do not prove the best are given to nobody."""
    own = np.flatnonzero(rows.partner == columns[rows.focal])
    assignment = _ordered(copies[rows.focal[own]], rows.partner[own], rows.distance[own], result.gap)
    if not _is_least(result):
        raise EvalkitError(f"Optimal pairs could not be proven: they may be {result.gap:.3g} above the least sum.")
    return assignment


def _is_least(result: Proof) -> bool:
    return result.gap <= 1e-9 * max(float(result.cost.sum()), np.finfo(float).tiny)


def _ordered(focal: Ints, partner: Ints, distance: Floats, gap: float) -> Assignment:
    order = np.lexsort((partner, focal))
    return Assignment(focal[order], partner[order], distance[order], gap)


def _require_room(graph: Graph, n_each: Ints, wider: Ints, ratio: int) -> None:
    size = np.diff(graph.first)
    size[wider] = n_each[wider]
    if ratio * int(size.sum()) > MOST_PAIRS:
        raise DesignError(
            f"Optimal pairs would need more than {MOST_PAIRS:,} possible pairs to be weighed at once: many units "
            "compete for the same partners. Add exact constraints or narrower calipers, or match nearest neighbours."
        )
