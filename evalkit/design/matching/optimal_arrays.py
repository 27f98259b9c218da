"""Pairs with the least sum of distances, with their proof: on a line, and over any number of dimensions."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.errors import DesignError, EvalkitError
from evalkit.design.matching.pairs_arrays import Graph, PairProblem, nearest_permitted, whole_costs

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Pairs with the least sum of distances over any number of dimensions, sparse and proven.

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
    from scipy.spatial import cKDTree

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
        is_kept = n_alone - is_alone - before[focal] < ratio
        if is_kept.all():
            return graph
        graph = graph.where(is_kept)


def _penalties(graph: Graph, n: int, ratio: int) -> Floats:
    """Return what it costs to leave each copy of each focal unit alone: more than any rearrangement could save."""
    most = (n * ratio + 1) * max(float(graph.distance.max(initial=0)), np.finfo(float).tiny)
    penalty = np.full((n, ratio), most)
    # a first partner is worth more than any second: nobody goes without so that another has two
    penalty[:, 0] = 2 * most if ratio > 1 else most
    return penalty.ravel()


def _solved(rows: Graph, penalty: Floats) -> Ints:
    """Return the best partner of each row within the graph, or `NOT_MATCHED` (Jonker and Volgenant, 1987)."""
    from scipy.sparse.csgraph import maximum_bipartite_matching, min_weight_full_bipartite_matching

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
    from scipy.sparse import csr_array

    n = len(first) - 1
    order = np.lexsort((column, np.repeat(np.arange(n), np.diff(first))))
    return csr_array((whole_costs(cost)[order], column[order].astype(np.int32), first), shape=(n, n_columns))


def _proven(rows: Graph, columns: Ints, copies: Ints, result: Proof) -> Assignment:
    """Return the pairs, or stop: pairs that prices do not prove the best are given to nobody."""
    chosen = np.flatnonzero(rows.partner == columns[rows.focal])
    assignment = _ordered(copies[rows.focal[chosen]], rows.partner[chosen], rows.distance[chosen], result.gap)
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


# Pairs on a line with the least sum of distances, exactly, in the time that sorting takes.


def line_assignment(focal: Floats, partners: Floats) -> Ints:
    """Return for each focal score the position of its partner, no partner twice, at the least sum of distances.

    Parameters
    ----------
    focal : shape (n,)
    partners : shape (m,), m ≥ n

    Returns
    -------
    shape (n,)
        From left to right the set of partners used is kept the best one so far: each arrival may take a partner on
        its left, or be taken by one that comes later, and every such step can be taken back at its price (successive
        shortest paths on a line, which two heaps find). Focal units and the partners used are then paired in order,
        which is the best for every convex cost as well. Of equal scores the earlier position wins.
    """
    focal_order, partner_order = np.argsort(focal, kind="stable"), np.argsort(partners, kind="stable")
    used = _used(focal[focal_order], partners[partner_order])
    columns = np.empty(len(focal), dtype=np.int64)
    columns[focal_order] = partner_order[used]
    return columns


def line_gap(focal: Floats, partners: Floats, columns: Ints) -> float:
    """Return by how much at most the sum of distances of some pairs on a line exceeds the least one.

    The proof is a price for every place, shape of linear programming's dual: it changes by no more than the
    distance from place to place, by exactly it along the way of a pair, and is not above zero at a partner that is
    not used. If it can then be held at zero or more where partners are used, no other choice costs less.
    """
    is_used = np.zeros(len(partners), dtype=bool)
    is_used[columns] = True
    in_order = float(np.abs(np.sort(focal) - np.sort(partners[columns])).sum())
    crossed = float(np.abs(focal - partners[columns]).sum()) - in_order
    if is_used.all():
        return crossed
    place = np.concatenate([focal, partners])
    order = np.argsort(place, kind="stable")
    mass = np.concatenate([np.ones(len(focal)), -is_used.astype(float)])[order]
    price = _highest_prices(place[order], mass, np.concatenate([np.zeros(len(focal), bool), ~is_used])[order])
    of_used = np.concatenate([np.zeros(len(focal), bool), is_used])[order]
    return crossed + float(np.maximum(-price[of_used], 0).sum())


def _used(focal: Floats, partners: Floats) -> Ints:
    """Return the positions of the partners in use, ascending; both arrays are sorted.

    A heap entry is the cost of a step beside its place, and the partner that is freed or used by it. As many
    partners as there are focal units stand further left than the whole line is long, so that none of them is used
    in the end.
    """
    n, m = len(focal), len(partners)
    left = min(focal[0], partners[0])
    far = left - (max(focal[-1], partners[-1]) - left) - 1.0
    kind = np.concatenate([np.zeros(m, dtype=bool), np.ones(n, dtype=bool)])
    order = np.argsort(np.concatenate([partners, focal]), kind="stable")
    places = np.concatenate([partners, focal])[order].tolist()
    # those far off to the left have negative numbers, and are no partners
    free = [(-far, -1 - i) for i in range(n, 0, -1)]
    state = bytearray(m)
    taken: list[tuple[float, int]] = []
    for x, is_focal, index in zip(places, kind[order].tolist(), order.tolist(), strict=True):
        if is_focal:
            value, partner = heappop(free)
            if partner >= 0:
                state[partner] = 1
            heappush(taken, (-2 * x - value, partner))
        elif taken and taken[0][0] + x < 0:
            value, partner = heappop(taken)
            if partner >= 0:
                state[partner] = 0
            state[index] = 1
            heappush(free, (-2 * x - value, partner))
        else:
            heappush(free, (-x, index))
    return np.flatnonzero(np.frombuffer(state, dtype=np.uint8))


def _highest_prices(place: Floats, mass: Floats, is_spare: Bools) -> Floats:
    """Return the highest price of each place that is zero or less where a partner is spare; places ascend."""
    step, flow = np.diff(place), np.cumsum(mass)[:-1]
    rightwards = np.concatenate([[0.0], np.cumsum(np.where(flow > 0, -step, step))])
    leftwards = np.concatenate([[0.0], np.cumsum(np.where(flow < 0, -step, step))])
    from_left = rightwards + np.minimum.accumulate(np.where(is_spare, -rightwards, np.inf))
    from_right = np.minimum.accumulate(np.where(is_spare, leftwards, np.inf)[::-1])[::-1] - leftwards
    highest: Floats = np.minimum(from_left, from_right)
    return highest


# The proof that pairs are the best there are: prices of partners.

NOT_MATCHED = -1


class Proof(NamedTuple):
    """How far pairs may be from the best: `cost` of each row, its distance plus its partner's price, shape (n,).

    `gap` is the most by which the sum exceeds the least one over the pairs of the graph; `open_rows` are rows
    whose cost is above the distance of partners that the graph leaves out, which may therefore be better, and
    `loose_rows` those that would pay less with another partner of the graph.
    """

    cost: Floats
    gap: float
    open_rows: Ints
    loose_rows: Ints


def proof(graph: Graph, columns: Ints, penalty: Floats, n_partners: int) -> Proof:
    """Return what prices prove about pairs.

    Parameters
    ----------
    graph : possible pairs of each row
    columns : the partner of each row, or `NOT_MATCHED`, shape (n,)
    penalty : what a row without a partner costs, shape (n,)
    n_partners : number of partners

    Notes
    -----
    For any prices p ≥ 0 that are zero where partners are not used, no pairs cost less than Σ u'_i − Σ p_j with
    u'_i = min(min_j (c_ij + p_j), penalty_i): weak duality of the assignment problem. The prices tried are the least
    ones under which each row's partner is its cheapest, p_j = max(0, max_i (c_i,m(i) + p_m(i) − c_ij)), which exist
    for the best pairs and for no others (a wrong choice keeps a gap). They are raised along chains of rows that
    would rather have another's partner.
    """
    price, pair_cost = np.zeros(n_partners), np.array(penalty)
    is_matched = columns >= 0
    focal = graph.focal
    is_chosen = graph.partner == columns[focal]
    pair_cost[focal[is_chosen]] = graph.distance[is_chosen]
    holder = np.full(n_partners, NOT_MATCHED)
    holder[columns[is_matched]] = np.flatnonzero(is_matched)
    slack = 1e-13 * max(float(pair_cost.max(initial=0)), np.finfo(float).tiny)
    active = np.arange(len(columns))
    cost = pair_cost.copy()
    # a price is passed on along a chain of rows, and no chain is longer than there are rows
    for _ in range(len(columns) + 1):
        edges, size = graph.edges_of(active)
        partner = graph.partner[edges]
        bid = np.repeat(cost[active], size) - graph.distance[edges]
        raised = np.flatnonzero((bid > price[partner] + slack) & (holder[partner] >= 0))
        if not len(raised):
            break
        np.maximum.at(price, partner[raised], bid[raised])
        active = np.unique(holder[partner[raised]])
        cost[active] = pair_cost[active] + price[columns[active]]
    return _judged(graph, cost, price, penalty)


def _judged(graph: Graph, cost: Floats, price: Floats, penalty: Floats) -> Proof:
    least = penalty.copy()
    edges = graph.distance + price[graph.partner]
    rows = np.flatnonzero(np.diff(graph.first))
    if len(rows):
        least[rows] = np.minimum(least[rows], np.minimum.reduceat(edges, graph.first[rows]))
    slack = 1e-13 * max(float(cost.max(initial=0)), np.finfo(float).tiny)
    open_rows, loose_rows = np.flatnonzero(cost > graph.beyond + slack), np.flatnonzero(cost > least + slack)
    return Proof(cost, float(np.maximum(cost - least, 0).sum()), open_rows, loose_rows)
