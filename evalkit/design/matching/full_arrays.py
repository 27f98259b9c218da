"""Full matching as the cheapest set of pairs that leaves nobody out."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats, Ints
from evalkit.core.errors import DesignError
from evalkit.design.matching.pairs_arrays import PairProblem, nearest_permitted, whole_costs

MOST_PAIRS: Final = 5_000_000
"""Possible pairs that are weighed at once (some 500 MB)."""

ALL_AT_ONCE: Final = 1_000_000
"""So few possible pairs are all looked at, which is less work than looking near by."""


class Cover(NamedTuple):
    """Pairs as positions of treated and comparison units, shape (n_pairs,), and their distances."""

    treated: Ints
    comparison: Ints
    distance: Floats


def least_cover(problem: PairProblem) -> Cover:
    """Return the pairs with the least sum of distances that give everyone a partner, where any is permitted.

    With d the distance of each unit's nearest partner, everyone could join that. Two units that are paired with
    each other instead save d_i + d_j − c_ij, so that the best cover is the nearest partners of all but those in the
    matching with the largest sum of savings (the reduction of edge covers to matchings; Schrijver, 2003, section
    19.3). Only pairs that save something are looked at. The result falls into stars: a pair of two units that both
    have others as well would only cost.

    Raises
    ------
    DesignError
        Where more than `MOST_PAIRS` pairs could save something.
    """
    n, m = len(problem.focal), len(problem.partners)
    if n * m <= min(ALL_AT_ONCE, MOST_PAIRS):
        of_treated, of_comparison, (treated, comparison) = _all_looked_at(problem)
    else:
        of_treated, of_comparison = _nearest(problem), _nearest(problem.turned)
        treated, comparison = _savers(problem, of_treated.distance, of_comparison.distance)
    apart = of_treated.distance[treated] + of_comparison.distance[comparison]
    is_paired = _most_saved(treated, comparison, apart - problem.distance(treated, comparison), (n, m))
    first, second = treated[is_paired], comparison[is_paired]
    left = np.setdiff1d(np.flatnonzero(np.isfinite(of_treated.distance)), first)
    right = np.setdiff1d(np.flatnonzero(np.isfinite(of_comparison.distance)), second)
    first = np.concatenate([first, left, of_comparison.partner[right]])
    second = np.concatenate([second, of_treated.partner[left], right])
    return _stars(problem, first, second)


class _Nearest(NamedTuple):
    """Each focal unit's nearest permitted partner and its distance, −1 and infinity where there is none."""

    partner: Ints
    distance: Floats


def _all_looked_at(problem: PairProblem) -> tuple[_Nearest, _Nearest, tuple[Ints, Ints]]:
    """Return the nearest of each treated and comparison unit, and the pairs that save something: few units in all."""
    n, m = len(problem.focal), len(problem.partners)
    rows, columns = np.arange(n)[:, None], np.arange(m)[None, :]
    distance = problem.distance(rows, columns)
    if problem.is_limited:
        distance[~problem.is_permitted(rows, columns)] = np.inf
    nearest = []
    for axis, size in ((1, n), (0, m)):
        if not distance.size:
            nearest.append(_Nearest(np.full(size, -1, dtype=np.int64), np.full(size, np.inf)))
            continue
        at = distance.argmin(axis=axis)
        near = np.take_along_axis(distance, np.expand_dims(at, axis), axis).squeeze(axis)
        nearest.append(_Nearest(np.where(np.isfinite(near), at, -1), near))
    # two units without anybody are no savers: nothing is less than infinity that is infinity
    saves = distance < nearest[0].distance[:, None] + nearest[1].distance[None, :]
    treated, comparison = np.nonzero(saves & np.isfinite(distance))
    return nearest[0], nearest[1], (treated, comparison)


def _nearest(problem: PairProblem) -> _Nearest:
    n = len(problem.focal)
    partner, distance = np.full(n, -1, dtype=np.int64), np.full(n, np.inf)
    graph = nearest_permitted(problem, np.arange(n), 1)
    has = np.flatnonzero(np.diff(graph.first))
    partner[has], distance[has] = graph.partner[graph.first[has]], graph.distance[graph.first[has]]
    return _Nearest(partner, distance)


def _savers(problem: PairProblem, of_treated: Floats, of_comparison: Floats) -> tuple[Ints, Ints]:
    """Return every permitted pair that is nearer than both units' nearest distances together.

    Of such a pair the unit with the larger nearest distance d sees the other within 2 d.
    """
    from scipy.spatial import cKDTree

    pairs = []
    for side, is_turned, near, far in (
        (problem, False, of_treated, of_comparison),
        (problem.turned, True, of_comparison, of_treated),
    ):
        rows = np.flatnonzero(np.isfinite(near))
        radius = np.minimum(2 * near[rows], near[rows] + far[np.isfinite(far)].max(initial=0)) * (1 + 1e-12)
        tree = cKDTree(side.partners.coordinates)
        size = tree.query_ball_point(side.focal.coordinates[rows], radius, return_length=True)
        if int(size.sum()) > MOST_PAIRS:
            raise DesignError(
                f"Full matching would have to weigh {int(size.sum()):,} pairs, more than {MOST_PAIRS:,}: many units "
                "are far from all of the other group. Add exact constraints or a caliper, or weight units instead."
            )
        neighbours_of_rows = tree.query_ball_point(side.focal.coordinates[rows], radius)
        partner = np.array([at for neighbours in neighbours_of_rows for at in neighbours], dtype=np.int64)
        rows_repeated = np.repeat(rows, size)
        pairs.append((partner, rows_repeated) if is_turned else (rows_repeated, partner))
    treated, comparison = (np.concatenate(positions) for positions in zip(*pairs, strict=True))
    key = np.unique(treated * np.int64(len(problem.partners)) + comparison)
    treated, comparison = np.divmod(key, len(problem.partners))
    is_kept = problem.is_permitted(treated, comparison)
    is_kept &= problem.distance(treated, comparison) < of_treated[treated] + of_comparison[comparison]
    return treated[is_kept], comparison[is_kept]


def _most_saved(treated: Ints, comparison: Ints, saved: Floats, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which pairs make the matching with the largest sum of savings."""
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    if not len(treated):
        return np.zeros(0, dtype=bool)
    rows, row = np.unique(treated, return_inverse=True)
    # each row may stay alone in a place of its own, at no saving; zeros would be dropped, so all costs are raised
    alone = shape[1] + np.arange(len(rows))
    top = 2 * float(saved.max())
    cost = np.concatenate([top - saved, np.full(len(rows), top)])
    at = np.concatenate([row, np.arange(len(rows))]), np.concatenate([comparison, alone])
    matrix = csr_array(coo_array((whole_costs(cost), at), shape=(len(rows), shape[1] + len(rows))))
    chosen_row, chosen = min_weight_full_bipartite_matching(matrix)
    partner = np.full(len(rows), -1, dtype=np.int64)
    partner[chosen_row] = chosen
    return np.asarray(partner[row] == comparison)


def _stars(problem: PairProblem, treated: Ints, comparison: Ints) -> Cover:
    """Return the pairs, each once, without any whose two units both have others as well."""
    m = len(problem.partners)
    treated, comparison = np.divmod(np.unique(treated * np.int64(m) + comparison), m)
    distance = problem.distance(treated, comparison)
    degree = np.bincount(treated, minlength=len(problem.focal)), np.bincount(comparison, minlength=m)
    is_kept = np.ones(len(treated), dtype=bool)
    double = np.flatnonzero((degree[0][treated] > 1) & (degree[1][comparison] > 1))
    # the dearest first: each pair taken away can make the next one needed
    for at in double[np.argsort(-distance[double], kind="stable")].tolist():
        if degree[0][treated[at]] > 1 and degree[1][comparison[at]] > 1:
            is_kept[at] = False
            degree[0][treated[at]] -= 1
            degree[1][comparison[at]] -= 1
    return Cover(treated[is_kept], comparison[is_kept], distance[is_kept])


def bounded_cover(problem: PairProblem, of_treated: tuple[int, float], of_comparison: tuple[int, float]) -> Cover:
    """Return the pairs with the least sum of distances under bounds on how many partners a unit has.

    Parameters
    ----------
    problem : everyone must have a permitted partner
    of_treated : fewest and most partners of a treated unit
    of_comparison : fewest and most partners of a comparison unit

    Notes
    -----
    A linear program whose corners are whole numbers (the incidence matrix of a bipartite graph is totally
    unimodular; Hansen and Klopfer, 2006, solve it as a flow), solved by HiGHS.

    Raises
    ------
    DesignError
        Where no pairs keep the bounds, or more than `MOST_PAIRS` would have to be weighed.
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, csr_array, vstack

    n, m = len(problem.focal), len(problem.partners)
    if n * m > MOST_PAIRS:
        raise DesignError(
            f"Bounds on set sizes weigh every possible pair, here {n * m:,}; up to {MOST_PAIRS:,} are. Add exact "
            "constraints, or leave the bounds out."
        )
    treated, comparison = (part.ravel() for part in np.indices((n, m)))
    is_kept = problem.is_permitted(treated, comparison)
    treated, comparison = treated[is_kept], comparison[is_kept]
    distance = problem.distance(treated, comparison)
    k = len(treated)
    ones, at = np.ones(k), np.arange(k)
    incidence = csr_array(coo_array((np.tile(ones, 2), (np.concatenate([treated, n + comparison]), np.tile(at, 2)))))
    most = np.concatenate([np.full(n, min(of_treated[1], m)), np.full(m, min(of_comparison[1], n))])
    fewest = np.concatenate([np.full(n, of_treated[0]), np.full(m, of_comparison[0])])
    sides = vstack([incidence, -incidence])
    # the simplex method ends in a corner, where every number is whole; an interior point would not
    solution = linprog(distance, A_ub=sides, b_ub=np.concatenate([most, -fewest]), bounds=(0, 1), method="highs-ds")
    if solution.status != 0:
        raise DesignError(
            "No sets keep the bounds on their sizes: one group has too many units for them. Widen the bounds."
        )
    chosen = solution.x > 0.5
    return _stars(problem, treated[chosen], comparison[chosen])


def star_codes(cover: Cover, shape: tuple[int, int]) -> tuple[Ints, Ints]:
    """Return the number of each treated and comparison unit's set, −1 for none; shapes (n,) and (m,)."""
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.csgraph import connected_components

    n, m = shape
    graph = coo_array((np.ones(len(cover.treated)), (cover.treated, n + cover.comparison)), shape=(n + m, n + m))
    label = connected_components(csr_array(graph), directed=False)[1]
    used = np.zeros(n + m, dtype=bool)
    used[cover.treated], used[n + cover.comparison] = True, True
    codes = np.full(n + m, -1, dtype=np.int64)
    codes[used] = np.unique(label[used], return_inverse=True)[1]
    return codes[:n], codes[n:]
