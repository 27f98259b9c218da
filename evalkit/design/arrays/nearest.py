"""Nearest neighbours with replacement, ties by position."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def nearest(treated: Floats, pool: Floats, ratio: int, spare: int = 20) -> tuple[Ints, Floats]:
    """Return the `ratio` nearest rows of `pool` for each treated row, and their distances.

    Parameters
    ----------
    treated : shape (n1, k)
    pool : shape (n0, k)
    ratio : int
    spare : int
        Further rows looked at for ties; a longer run of ties is resolved over the whole pool.

    Returns
    -------
    columns, distances : shape (n1, ratio)
        Nearest first, distances rounded at 1e-9; of equal ones the earlier row of `pool` wins. Where
        the pool is smaller than `ratio`, rows end in −1 and NaN.
    """
    n0, kept = len(pool), min(ratio, len(pool))
    columns = np.full((len(treated), ratio), -1, dtype=np.int64)
    distances = np.full(columns.shape, np.nan)
    if kept == 0:
        return columns, distances
    k = min(n0, ratio + spare)
    far, near = cKDTree(pool).query(treated, k=np.arange(1, k + 1))
    columns[:, :kept], distances[:, :kept] = _first(np.round(far, 9), near, kept)
    crowded = (np.round(far[:, -1], 9) == distances[:, kept - 1]) & (k < n0)
    if crowded.any():
        found = np.round(far[crowded], 9), near[crowded]
        tied = np.round(cdist(treated[crowded], pool), 9) == distances[crowded, kept - 1][:, None]
        columns[crowded, :kept], distances[crowded, :kept] = _with_ties(*found, tied, kept)
    return columns, distances


def _with_ties(distance: Floats, column: Ints, tied: NDArray[np.bool_], kept: int) -> tuple[Ints, Floats]:
    """Return the `kept` nearest where the last of them is as far as others that were not looked at.

    All that are nearer were found, in `distance` and `column`; `tied`, shape (rows, pool), says which columns of the
    pool are as far as the last, of which the earliest are wanted.
    """
    last = distance[:, kept - 1 : kept]
    earliest = np.argsort(~tied, axis=1, kind="stable")[:, :kept]
    is_tied = np.take_along_axis(tied, earliest, 1)
    known = np.where(distance < last, distance, np.inf)
    return _first(np.hstack([known, np.where(is_tied, last, np.inf)]), np.hstack([column, earliest]), kept)


def _first(distance: Floats, column: Ints, kept: int) -> tuple[Ints, Floats]:
    """Return the `kept` smallest of each row by distance, then by column."""
    order = np.lexsort((column, distance), axis=1)[:, :kept]
    return np.take_along_axis(column, order, 1), np.take_along_axis(distance, order, 1)
