"""Numerical kernels of the design room: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


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


def whitened(covariates: Floats, covariance: Floats) -> Floats:
    """Return covariates, shape (n, k), in which Euclidean distance is the Mahalanobis distance of `covariance`."""
    white: Floats = solve_triangular(np.linalg.cholesky(covariance), covariates.T, lower=True).T
    return np.ascontiguousarray(white)


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
        every = np.round(cdist(treated[crowded], pool), 9)
        index = np.broadcast_to(np.arange(n0), every.shape)
        columns[crowded, :kept], distances[crowded, :kept] = _first(every, index, kept)
    return columns, distances


def _first(distance: Floats, column: Ints, kept: int) -> tuple[Ints, Floats]:
    """Return the `kept` smallest of each row by distance, then by column."""
    order = np.lexsort((column, distance), axis=1)[:, :kept]
    return np.take_along_axis(column, order, 1), np.take_along_axis(distance, order, 1)


def effective_n(weights: Floats) -> float:
    """Return (Σw)² / Σw², the number of equally weighted units that would be as informative (Kish, 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())
