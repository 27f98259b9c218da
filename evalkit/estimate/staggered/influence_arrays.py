"""What each unit contributes to the errors of estimates, and the overall effect with clusters exchanged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from evalkit.core.arrays import Codes, Floats, Ints
from evalkit.design.algebra_arrays import by_rows, crossed

# What each unit contributes to the error of several estimates at once.

_CHUNK = 256
"""Clusters drawn at a time, so few that their signs stay in the processor's cache; part of what a seed means."""
_SIGNS = 2 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(float) - 1
"""The eight signs that each byte stands for, shape (256, 8)."""


@dataclass(frozen=True, slots=True, eq=False)
class InfluenceBlock:
    """The contributions of some rows to some estimates; all others of these rows are zero.

    Attributes
    ----------
    rows : shape (n,), positions of the rows; no row stands in two blocks for the same column
    columns : shape (k,), positions of the estimates
    values : shape (n, k)
    """

    rows: Ints
    columns: Ints
    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """Influence functions divided by n: each estimate's error is about the sum of its column.

    Rows of one cluster are not independent, clusters are. Every statistic that is a weighted sum of the
    columns has the same weighted sum of contributions, so that one matrix serves all of them.

    Attributes
    ----------
    n_columns : number of estimates K
    blocks : the parts of the (n_rows, K) matrix that are not zero
    cluster : shape (n_rows,), position of each row's cluster, or None where each row is one
    n_clusters : number of clusters
    """

    n_columns: int
    blocks: tuple[InfluenceBlock, ...]
    cluster: Ints | None
    n_clusters: int

    @classmethod
    def of(cls, values: Floats) -> Influence:
        """Return contributions given as one matrix, shape (n_clusters, K), a row for each independent cluster."""
        rows, columns = (np.arange(size, dtype=np.int64) for size in values.shape)
        return cls(values.shape[1], (InfluenceBlock(rows, columns, values),), None, len(values))

    def by_cluster(self) -> Floats:
        """Return the contributions of each cluster, shape (n_clusters, K)."""
        total = np.zeros((self.n_clusters, self.n_columns))
        for block in self.blocks:
            at = block.rows if self.cluster is None else self.cluster[block.rows]
            for column, values in zip(block.columns, block.values.T, strict=True):
                total[:, column] += np.bincount(at, values, self.n_clusters)
        return total

    def covariance(self) -> Floats:
        """Return the covariance of the estimates, shape (K, K): Σ_c ψ_c ψ_c' over clusters c."""
        # Blocks that share no row have contributions that never meet: their products are taken block by block.
        if self.cluster is not None or not self._is_partition():
            dense = self.by_cluster()
            product: Floats = crossed(dense, dense)
            return product
        total = np.zeros((self.n_columns, self.n_columns))
        for block in self.blocks:
            total[np.ix_(block.columns, block.columns)] += crossed(block.values, block.values)
        return total

    def collapsed(self) -> Influence:
        """Return the same influence with a row for each cluster; itself where rows are clusters already."""
        return self if self.cluster is None and self._is_partition() else Influence.of(self.by_cluster())

    def drawn(self, n_draws: int, generator: np.random.Generator) -> Floats:
        """Return Σ_c ξ_c ψ_c for draws of independent signs ξ, shape (n_draws, K): the multiplier bootstrap.

        The signs are ±1 with equal probability (Rademacher), one for each cluster and draw, drawn for a
        fixed number of clusters at a time so that memory does not grow with n.
        """
        total = np.zeros((n_draws, self.n_columns))
        for block in self.collapsed().blocks:
            for first in range(0, len(block.rows), _CHUNK):
                some = block.values[first : first + _CHUNK]
                width = -(-len(some) // 8)
                # Eight signs from each random byte.
                drawn = np.frombuffer(generator.bytes(n_draws * width), dtype=np.uint8)
                signs = _SIGNS.take(drawn, axis=0).reshape(n_draws, 8 * width)[:, : len(some)]
                total[:, block.columns] += by_rows(signs, some)
        return total

    def combined(self, weights: Floats) -> Floats:
        """Return the contributions of each cluster to weighted sums of the estimates.

        `weights` has shape (K, m), the result (n_clusters, m).
        """
        source = self.collapsed()
        total = np.zeros((self.n_clusters, weights.shape[1]))
        for block in source.blocks:
            total[block.rows] += block.values @ weights[block.columns]
        return total

    def _is_partition(self) -> bool:
        """Return whether no row stands in two blocks, so that the covariance is the sum of the blocks' own."""
        return sum(len(block.rows) for block in self.blocks) <= self.n_clusters and not _overlap(self.blocks)


def _overlap(blocks: tuple[InfluenceBlock, ...]) -> bool:
    if len(blocks) < 2:
        return False
    rows = np.concatenate([block.rows for block in blocks])
    return bool((np.bincount(rows) > 1).any())


class Piece(NamedTuple):
    """Contributions of whole parts of the rows, one part after another, to the estimates `columns`."""

    columns: list[int]
    rows: Ints
    values: Floats


def partition(pieces: Iterable[Piece], start: Ints, order: Ints) -> tuple[InfluenceBlock, ...]:
    """Return contributions as one block for each part of the rows.

    Parameters
    ----------
    pieces : Pieces, whose rows are positions in the order of parts and always cover whole parts
    start : shape (n_parts + 1,), where each part begins
    order : shape (n_rows,), the row that each position stands for
    """
    columns: list[list[int]] = [[] for _ in start[1:]]
    values: list[list[Floats]] = [[] for _ in start[1:]]
    for piece in pieces:
        done = 0
        while done < len(piece.rows):
            part = int(np.searchsorted(start, piece.rows[done], side="right")) - 1
            n = int(start[part + 1] - start[part])
            columns[part] += piece.columns
            values[part].append(piece.values[done : done + n])
            done += n
    blocks = []
    for part in range(len(start) - 1):
        if columns[part]:
            rows = order[start[part] : start[part + 1]]
            blocks.append(InfluenceBlock(rows, np.array(columns[part]), np.concatenate(values[part], axis=1)))
    return tuple(blocks)


# The overall group-time effect with whole clusters in other places, from sums by cluster and period.


class ExchangedCell(NamedTuple):
    """One cell after the start: its stratum, its period and base by position, and the strata it is compared with."""

    stratum: int
    period: int
    base: int
    compared: tuple[int, ...]


class ExchangedSums(NamedTuple):
    """What every number under some assignments of clusters to strata is made of.

    total, shape (n_assignments, n_strata, n_periods): weighted sums of the outcome of the clusters in each stratum;
    size, shape (n_assignments, n_strata): their weight.
    """

    total: Floats
    size: Floats


def exchanged_sums(total: Floats, weight: Floats, stratum: Codes) -> ExchangedSums:
    """Return sums by stratum under each assignment.

    Parameters
    ----------
    total : shape (n_clusters, n_periods)
        Weighted sums of the outcome.
    weight : shape (n_clusters,)
        Weights of the clusters' units, the same in each period.
    stratum : shape (n_assignments, n_clusters)
        The stratum each cluster takes; every stratum keeps its number of clusters.
    """
    both = np.column_stack([total, weight])
    n_strata = int(stratum.max()) + 1
    sums = np.stack([(stratum == s).astype(float) @ both for s in range(n_strata)], axis=1)
    return ExchangedSums(sums[:, :, :-1], sums[:, :, -1])


def exchanged_cells(sums: ExchangedSums, places: tuple[ExchangedCell, ...]) -> Floats:
    """Return every cell under each assignment, a difference of mean changes, shape (n_assignments, n_cells)."""
    cells = np.empty((len(sums.size), len(places)))
    for at, place in enumerate(places):
        others = list(place.compared)
        change = sums.total[:, :, place.period] - sums.total[:, :, place.base]
        other = change[:, others].sum(axis=1) / sums.size[:, others].sum(axis=1)
        cells[:, at] = change[:, place.stratum] / sums.size[:, place.stratum] - other
    return cells


def exchanged_effects(sums: ExchangedSums, places: tuple[ExchangedCell, ...]) -> Floats:
    """Return the overall effect under each assignment, Σ_c n_g(c) (cell c)/Σ_c n_g(c), shape (n_assignments,).

    n_g is the weight of the cell's cohort.
    """
    by_cohort = sums.size[:, [place.stratum for place in places]]
    effects: Floats = (by_cohort * exchanged_cells(sums, places)).sum(axis=1) / by_cohort.sum(axis=1)
    return effects
