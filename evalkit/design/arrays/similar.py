"""The nearest units to each unit within its group: arrays in, positions and distances out."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SAME: Final = 10
"""Distances that agree to so many decimals are equal; the unit whose id comes first then wins."""
_BUDGET: Final = 4_000_000
"""Numbers that may be held at once for the units of one chunk."""


def distances_to(columns: Floats, row: int, others: Ints) -> Floats:
    """Return the Euclidean distance of a row to others, shape (n_others,), rounded so that ties are ties."""
    return np.asarray(np.round(np.sqrt(((columns[others] - columns[row]) ** 2).sum(axis=1)), _SAME))


def nearest_to(columns: Floats, row: int, candidates: Ints, n: int) -> tuple[Ints, Floats]:
    """Return the `n` nearest of the candidates to a row, nearest first, ties by position; fewer where there are fewer.

    Shapes (n,), (n,).
    """
    far = distances_to(columns, row, candidates)
    if len(far) > n:
        edge = np.partition(far, n - 1)[n - 1]
        candidates, far = candidates[far <= edge], far[far <= edge]
    order = np.lexsort((candidates, far))[:n]
    return candidates[order], far[order]


def nearest_to_all(columns: Floats, group: Ints, barred: Ints | None, n: int) -> tuple[Ints, Floats]:
    """Return for each row the `n` nearest rows of its group, ties by position; −1 and 0 where there are fewer.

    Parameters
    ----------
    columns : shape (n_units, k)
    group : shape (n_units,), codes
    barred : shape (n_units, j), or None
        Codes of labels of which no two that are listed together may share one.
    n : length of the lists

    Returns
    -------
    positions, distances : shape (n_units, n)
        By a k-d tree for each group, in chunks; never n_units × n_units.
    """
    positions = np.full((len(columns), n), -1, dtype=np.int64)
    far = np.zeros((len(columns), n))
    order = np.argsort(group, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        tree = cKDTree(columns[members])
        width = n + 9  # itself, and some more to see whether the last place is tied
        for rows in np.array_split(members, max(1, -(-len(members) * width * columns.shape[1] // _BUDGET))):
            _fill(columns, tree, members, rows, (barred, width, positions, far))
    return positions, far


def _fill(
    columns: Floats, tree: cKDTree, members: Ints, rows: Ints, wanted: tuple[Ints | None, int, Ints, Floats]
) -> None:
    """Write the lists of some rows: wider searches for those whose last place is tied or barred."""
    barred, width, positions, far = wanted
    n = positions.shape[1]
    while len(rows):
        k = min(width, len(members))
        found = members[tree.query(columns[rows], k=np.arange(1, k + 1))[1]]
        gaps = np.round(np.sqrt(((columns[found] - columns[rows][:, None, :]) ** 2).sum(axis=2)), _SAME)
        is_open = found != rows[:, None]
        if barred is not None:
            is_open &= (barred[found] != barred[rows][:, None, :]).all(axis=2)
        keys = np.where(is_open, gaps, np.inf)
        order = np.lexsort((found, keys), axis=1)[:, :n]
        taken, reach = np.take_along_axis(found, order, 1), np.take_along_axis(keys, order, 1)
        is_known = np.isfinite(reach)
        is_done = (is_known.sum(axis=1) >= n) & (reach[:, -1] < gaps.max(axis=1)) if k < len(members) else None
        done = slice(None) if is_done is None else is_done
        size = reach.shape[1]
        positions[rows[done], :size] = np.where(is_known, taken, -1)[done]
        far[rows[done], :size] = np.where(is_known, reach, 0.0)[done]
        rows = rows[:0] if is_done is None else rows[~is_done]
        width = 4 * width
        if len(rows) * min(width, len(members)) * columns.shape[1] > _BUDGET:
            for row in rows:
                _fill_one(columns, members, int(row), wanted)
            return


def _fill_one(columns: Floats, members: Ints, row: int, wanted: tuple[Ints | None, int, Ints, Floats]) -> None:
    barred, _, positions, far = wanted
    is_open = members != row
    if barred is not None:
        is_open &= (barred[members] != barred[row]).all(axis=1)
    found, gaps = nearest_to(columns, row, members[is_open], positions.shape[1])
    positions[row, : len(found)], far[row, : len(found)] = found, gaps
