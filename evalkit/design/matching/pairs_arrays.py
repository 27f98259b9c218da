"""Who may be paired with whom, how far apart they are, and the nearest partners of each: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Bools, Floats, Ints

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

# Who may be paired with whom, and how far apart they are, as arrays.


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the units of one arm stand.

    Attributes
    ----------
    coordinates : shape (n, k), in which Euclidean distance is the distance
    windows : shape (n, q), numbers that partners may differ in by no more than a width each
    codes : shape (n, a), codes that partners may not share, column by column
    """

    coordinates: Floats
    windows: Floats
    codes: Ints

    @classmethod
    def free(cls, coordinates: Floats) -> Places:
        """Return places without limits; `coordinates` may be a score of shape (n,)."""
        table = coordinates[:, None] if coordinates.ndim == 1 else coordinates
        n = len(table)
        return cls(np.ascontiguousarray(table, dtype=float), np.empty((n, 0)), np.empty((n, 0), dtype=np.int64))

    def __len__(self) -> int:
        return len(self.coordinates)

    def take(self, rows: Ints) -> Places:
        """Return the places of some units."""
        return Places(self.coordinates[rows], self.windows[rows], self.codes[rows])


@dataclass(frozen=True, slots=True, eq=False)
class PairProblem:
    """Two arms, and the widths of the windows within which they may be paired, shape (q,)."""

    focal: Places
    partners: Places
    widths: Floats

    @classmethod
    def free(cls, focal: Floats, partners: Floats) -> PairProblem:
        """Return a problem in which everyone may be paired with everyone."""
        return cls(Places.free(focal), Places.free(partners), np.empty(0))

    @property
    def is_limited(self) -> bool:
        """Return whether some pairs may be forbidden."""
        return bool(len(self.widths)) or bool(self.focal.codes.shape[1])

    @property
    def turned(self) -> PairProblem:
        """Return the problem with the two arms exchanged."""
        return PairProblem(self.partners, self.focal, self.widths)

    def take(self, focal: Ints, partners: Ints) -> PairProblem:
        """Return the problem of some units."""
        return PairProblem(self.focal.take(focal), self.partners.take(partners), self.widths)

    def distance(self, focal: Ints, partners: Ints) -> Floats:
        """Return the distance of each pair; the arrays of positions have one shape, or shapes that fit."""
        total: Floats = np.zeros(np.broadcast_shapes(focal.shape, partners.shape))
        for focal_column, partner_column in zip(self.focal.coordinates.T, self.partners.coordinates.T, strict=True):
            # |a − b| is exact where √(a − b)² may round: ties stay ties
            if self.focal.coordinates.shape[1] == 1:
                apart: Floats = np.abs(focal_column[focal] - partner_column[partners])
                return apart
            total += (focal_column[focal] - partner_column[partners]) ** 2
        return np.sqrt(total)

    def is_permitted(self, focal: Ints, partners: Ints) -> Bools:
        """Return which pairs may be made: within every window, and no code shared."""
        permitted: Bools = np.ones(np.broadcast_shapes(focal.shape, partners.shape), dtype=bool)
        for focal_values, partner_values, width in zip(
            self.focal.windows.T, self.partners.windows.T, self.widths, strict=True
        ):
            permitted &= np.abs(focal_values[focal] - partner_values[partners]) <= width
        for focal_codes, partner_codes in zip(self.focal.codes.T, self.partners.codes.T, strict=True):
            permitted &= focal_codes[focal] != partner_codes[partners]
        return permitted


# The nearest partners that a unit may be paired with, as a sparse graph that says what it leaves out.

PAIRS_AT_ONCE = 2_000_000
"""Distances held at a time where every partner of some units is looked at (16 MB)."""


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Possible pairs of some focal units.

    Attributes
    ----------
    first : shape (n + 1,), where each focal unit's pairs begin in the arrays below
    partner, distance : shape (n_pairs,)
    beyond : shape (n,)
        No pair that is permitted and left out is nearer than this; infinite where none is left out.
    """

    first: Ints
    partner: Ints
    distance: Floats
    beyond: Floats

    @property
    def n_pairs(self) -> int:
        """Return the number of pairs."""
        return len(self.partner)

    @property
    def focal(self) -> Ints:
        """Return the focal unit of each pair, shape (n_pairs,)."""
        return np.repeat(np.arange(len(self.beyond)), np.diff(self.first))

    def edges_of(self, rows: Ints) -> tuple[Ints, Ints]:
        """Return the positions of the pairs of some focal units, row after row, and how many each has."""
        size = self.first[rows + 1] - self.first[rows]
        start = np.repeat(self.first[rows] - np.concatenate([[0], np.cumsum(size)[:-1]]), size)
        return start + np.arange(size.sum()), size

    def take(self, rows: Ints) -> Graph:
        """Return the pairs of some focal units, which may be repeated."""
        edges, size = self.edges_of(rows)
        return Graph(_starts(size), self.partner[edges], self.distance[edges], self.beyond[rows])

    def where(self, is_kept: Bools) -> Graph:
        """Return the graph with some of its pairs; `beyond` still speaks of those left out of this one."""
        size = np.bincount(self.focal[is_kept], minlength=len(self.beyond))
        return Graph(_starts(size), self.partner[is_kept], self.distance[is_kept], self.beyond)

    def replaced(self, rows: Ints, replacement: Graph) -> Graph:
        """Return the graph with the pairs of `rows` taken from `replacement`, which holds them in that order."""
        n, source = len(self.beyond), np.arange(len(self.beyond))
        source[rows] = n + np.arange(len(rows))
        return joined(self, replacement).take(source)


def joined(first_graph: Graph, second_graph: Graph) -> Graph:
    """Return the pairs of two graphs, the second's focal units after the first's."""
    return Graph(
        np.concatenate([first_graph.first, first_graph.first[-1] + second_graph.first[1:]]),
        np.concatenate([first_graph.partner, second_graph.partner]),
        np.concatenate([first_graph.distance, second_graph.distance]),
        np.concatenate([first_graph.beyond, second_graph.beyond]),
    )


def nearest_permitted(problem: PairProblem, rows: Ints, n_each: int, tree: cKDTree | None = None) -> Graph:
    """Return the `n_each` nearest partners that each of some focal units may be paired with.

    Parameters
    ----------
    problem : who stands where, and what forbids a pair
    rows : positions of focal units, shape (n,)
    n_each : number of partners wanted; fewer are given where no more are permitted
    tree : a k-d tree of the partners' coordinates, if there is one already

    Returns
    -------
    Graph
        Partners of a row by distance and then by position. Where the nearest few by the tree are mostly
        forbidden, all partners within the narrowest window are looked at, `PAIRS_AT_ONCE` at a time.
    """
    from scipy.spatial import cKDTree

    n_partners = len(problem.partners)
    if n_each >= n_partners or not n_partners:
        return _searched(problem, rows, n_each)
    tree = cKDTree(problem.partners.coordinates) if tree is None else tree
    # some of the nearest will be forbidden, so that more are looked up than are wanted
    n_looked_up = min(n_partners, n_each * (4 if problem.is_limited else 1))
    far, near = tree.query(problem.focal.coordinates[rows], k=np.arange(1, n_looked_up + 1))
    if not problem.is_limited:
        return _by_rows(far, near, np.ones(far.shape, dtype=bool), far[:, -1])
    is_kept = problem.is_permitted(rows[:, None], near)
    rank = is_kept.cumsum(axis=1)
    is_found = (rank[:, -1] >= n_each) | (n_looked_up == n_partners)
    is_kept &= rank <= n_each
    beyond = np.where(rank[:, -1] >= n_each, np.where(is_kept, far, 0).max(axis=1), np.inf)
    graph_of_found = _by_rows(far[is_found], near[is_found], is_kept[is_found], beyond[is_found])
    order = np.concatenate([np.flatnonzero(is_found), np.flatnonzero(~is_found)])
    back = np.argsort(order)
    return joined(graph_of_found, _searched(problem, rows[~is_found], n_each)).take(back)


def _by_rows(far: Floats, near: Ints, is_kept: Bools, beyond: Floats) -> Graph:
    order = np.lexsort((near, far), axis=1)
    is_kept, near = np.take_along_axis(is_kept, order, 1), np.take_along_axis(near, order, 1)
    far = np.take_along_axis(far, order, 1)
    return Graph(_starts(is_kept.sum(axis=1)), near[is_kept].astype(np.int64), far[is_kept], beyond)


def _starts(size: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(size)]).astype(np.int64)


def _searched(problem: PairProblem, rows: Ints, n_each: int) -> Graph:
    """Look at every partner within the narrowest window of some focal units."""
    graph = Graph(np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    if not len(rows):
        return graph
    focal_values, partner_values, width = _narrowest(problem)
    order, columns = np.argsort(focal_values[rows], kind="stable"), np.argsort(partner_values, kind="stable")
    # a little too wide, since sums of floats round; `is_permitted` then looks at each pair exactly
    low = np.searchsorted(partner_values[columns], focal_values[rows[order]] - width * (1 + 1e-9), side="left")
    high = np.searchsorted(partner_values[columns], focal_values[rows[order]] + width * (1 + 1e-9), side="right")
    parts, start = [], 0
    while start < len(rows):
        stop = start + 1
        while stop < len(rows) and (stop + 1 - start) * (high[stop] - low[start]) <= PAIRS_AT_ONCE:
            stop += 1
        within = np.sort(columns[low[start] : high[stop - 1]])
        parts.append(_among(problem, rows[order[start:stop]], within, n_each))
        start = stop
    for part in parts:
        graph = joined(graph, part)
    return graph.take(np.argsort(order))


def _narrowest(problem: PairProblem) -> tuple[Floats, Floats, float]:
    """Return the numbers of both arms, and the width, of the window that the fewest pairs lie in."""
    focal_windows, partner_windows = problem.focal.windows, problem.partners.windows
    narrowest = (np.zeros(len(problem.focal)), np.zeros(len(problem.partners)), 1.0)
    fewest = len(problem.focal) * len(problem.partners)
    for focal_values, partner_values, width in zip(focal_windows.T, partner_windows.T, problem.widths, strict=True):
        ordered = np.sort(partner_values)
        within = np.searchsorted(ordered, focal_values + width, side="right") - np.searchsorted(
            ordered, focal_values - width
        )
        if within.sum() < fewest:
            narrowest, fewest = (focal_values, partner_values, float(width)), int(within.sum())
    return narrowest


def _among(problem: PairProblem, rows: Ints, columns: Ints, n_each: int) -> Graph:
    near = np.broadcast_to(columns, (len(rows), len(columns)))
    if not len(columns):
        return Graph(
            _starts(np.zeros(len(rows), dtype=np.int64)), near.ravel(), np.empty(0), np.full(len(rows), np.inf)
        )
    is_kept = problem.is_permitted(rows[:, None], columns[None, :])
    far = np.where(is_kept, problem.distance(rows[:, None], columns[None, :]), np.inf)
    beyond = np.full(len(rows), np.inf)
    if n_each < len(columns):
        chosen = np.argpartition(far, n_each - 1, axis=1)[:, :n_each]
        beyond = np.where(is_kept.sum(axis=1) > n_each, np.take_along_axis(far, chosen, 1).max(axis=1), np.inf)
        far, near, is_kept = (np.take_along_axis(table, chosen, 1) for table in (far, near, is_kept))
    return _by_rows(far, near, is_kept, beyond)


# The Mahalanobis distance: its matrix, and coordinates in which it is Euclidean.


def pooled_within_covariance(treated: Floats, comparison: Floats) -> Floats:
    """Return the covariance within two groups, pooled over their degrees of freedom.

    Parameters
    ----------
    treated : shape (n1, k)
    comparison : shape (n0, k)

    Returns
    -------
    shape (k, k): ((n1 − 1) S1 + (n0 − 1) S0) / (n1 + n0 − 2), the matrix of the Mahalanobis
    distance in Rubin (1980).
    """
    centred = [group - group.mean(axis=0) for group in (treated, comparison)]
    degrees = len(treated) + len(comparison) - 2
    covariance: Floats = (centred[0].T @ centred[0] + centred[1].T @ centred[1]) / degrees
    return covariance


@dataclass(frozen=True, slots=True, eq=False)
class GroupScatter:
    """Counts, sums and products of covariates by group, about the mean of all: what every pooled covariance is made of.

    Attributes
    ----------
    groups : shape (G,), in order
    n : shape (G,)
    sums : shape (G, k)
    products : shape (G, k, k)
    """

    groups: NDArray[np.int64]
    n: Floats
    sums: Floats
    products: Floats

    @classmethod
    def of(cls, covariates: Floats, group: NDArray[np.int64]) -> GroupScatter:
        """Return the sums of covariates, shape (n, k), whose rows belong to groups, shape (n,)."""
        groups, place = np.unique(group, return_inverse=True)
        centred = covariates - covariates.mean(axis=0)
        n, sums = np.bincount(place).astype(float), np.zeros((len(groups), centred.shape[1]))
        np.add.at(sums, place, centred)
        products = np.zeros((len(groups), *centred.shape[1:], centred.shape[1]))
        np.add.at(products, place, centred[:, :, None] * centred[:, None, :])
        return cls(groups, n, sums, products)

    def pooled(self, group: int, treated: int) -> Floats:
        """Return the covariance within the group `group` and within all others but `treated`, pooled.

        Shape (k, k); the same as `pooled_within_covariance` of the two sets of rows but for rounding.
        """
        is_group = self.groups == group
        arms = (is_group, ~is_group & (self.groups != treated))
        within = [self._scatter(part) for part in arms]
        covariance: Floats = (within[0] + within[1]) / (sum(self.n[part].sum() for part in arms) - 2)
        return covariance

    def _scatter(self, part: NDArray[np.bool_]) -> Floats:
        total, n = self.sums[part].sum(axis=0), self.n[part].sum()
        scatter: Floats = self.products[part].sum(axis=0) - np.outer(total, total) / max(n, 1.0)
        return scatter


def whitened(covariates: Floats, covariance: Floats) -> Floats:
    """Return covariates, shape (n, k), in which Euclidean distance is the Mahalanobis distance of `covariance`."""
    from scipy.linalg.lapack import dtrtrs  # what solve_triangular calls, which starts threads for so small a task

    white, _ = dtrtrs(np.asfortranarray(np.linalg.cholesky(covariance)), covariates.T, lower=1)
    return np.ascontiguousarray(white.T)


def whitened_generally(covariates: Floats, covariance: Floats) -> Floats:
    """Return coordinates, shape (n, r), in which Euclidean distance is the Mahalanobis distance.

    The covariance, shape (k, k), may be singular, of rank r: its generalised inverse is used, so that directions
    without variance (the sum of the levels of a category) count nothing.
    """
    size = np.sqrt(np.diag(covariance))
    size = np.where(size > 0, size, 1.0)
    # correlations first: which direction has no variance must not hang on units of measurement
    values, vectors = np.linalg.eigh(covariance / np.outer(size, size))
    has_variance = values > 1e-9 * max(values[-1], np.finfo(float).tiny)
    return np.ascontiguousarray((covariates / size) @ (vectors[:, has_variance] / np.sqrt(values[has_variance])))


# Distances as whole numbers, for solvers that compare sums of them.

_BITS: Final = 46
"""The largest cost becomes a number of so many bits; a float holds sums of 128 such numbers without rounding."""


def whole_costs(cost: Floats) -> Floats:
    """Return costs of zero or more as whole numbers from 1 on, in a unit of their own.

    Each is off by at most 1e-14 of the largest, and from 1 on because a sparse matrix drops zeros: where every row
    takes one column, what all columns cost more decides nothing. Prices in the algorithm of Jonker and Volgenant
    (1987) change by differences of sums. Where those are rounded, two rows that want the same columns can outbid
    each other for ever by less than a price can hold.
    """
    whole: Floats = 1 + np.rint(np.ldexp(cost, _BITS - int(np.frexp(cost.max(initial=0))[1])))
    return whole
