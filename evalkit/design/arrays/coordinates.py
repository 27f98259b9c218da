"""Coordinates in which Euclidean distance is a distance over covariates.

Sums run column by column, so that units with equal covariates get coordinates that are equal to the last bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from evalkit.design.arrays.distances import pooled_within_covariance

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_SINGULAR = 1e-10
"""Directions whose variance is below this share of the largest are determined by the others."""

_PIECE = 16_384
"""Rows at a time, which stay in the processor's cache."""


def mahalanobis(covariates: Floats, is_treated: Bools) -> Floats:
    """Return coordinates of the Mahalanobis distance by the pooled covariance within arms (Rubin, 1980).

    Parameters
    ----------
    covariates : shape (n, k)
    is_treated : shape (n,)

    Returns
    -------
    shape (n, rank): a generalised inverse serves where columns determine one another, as all levels of a category do.
    """
    covariance = pooled_within_covariance(covariates[is_treated], covariates[~is_treated])
    return weighed(covariates, *_inverse_root(covariance))


def robust_mahalanobis(covariates: Floats, is_treated: Bools) -> Floats:
    """Return coordinates of the rank-based Mahalanobis distance (Rosenbaum, 2010, section 8.3).

    Covariates are replaced by their ranks (ties share the mean rank), so that outliers do not inflate a variance,
    and variances by that of untied ranks, so that ties and rare categories do not count for more than others.
    """
    ranks = rankdata(covariates, axis=0)
    covariance = np.atleast_2d(pooled_within_covariance(ranks[is_treated], ranks[~is_treated]))
    spread = np.sqrt(np.diagonal(covariance))
    untied = np.sqrt(len(ranks) * (len(ranks) + 1) / 12)
    scale = np.divide(untied, spread, out=np.zeros_like(spread), where=spread > 0)
    return weighed(ranks, *_inverse_root(covariance * np.outer(scale, scale)))


def scaled_euclidean(covariates: Floats, is_treated: Bools) -> Floats:
    """Return covariates over their pooled SD within arms; those that do not vary there are left out."""
    covariance = pooled_within_covariance(covariates[is_treated], covariates[~is_treated])
    spread = np.sqrt(np.diagonal(covariance))
    varies = spread > 1e-12 * np.abs(covariates).max(axis=0)
    return np.ascontiguousarray(covariates[:, varies] / spread[varies])


def _inverse_root(covariance: Floats) -> tuple[Floats, Floats]:
    """Return what columns are divided by, shape (k,), and directions over their SD, shape (k, rank)."""
    spread = np.sqrt(np.diagonal(covariance))
    scale = np.where(spread > 0, spread, 1.0)
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    kept = values > _SINGULAR * max(values[-1], np.finfo(float).tiny)
    return scale, vectors[:, kept] / np.sqrt(values[kept])


def weighed(columns: Floats, scale: Floats, directions: Floats) -> Floats:
    """Return ((columns − mean) / scale) directions, shape (n, rank), the same for equal rows wherever they stand."""
    mean = columns.mean(axis=0)
    found = np.zeros((len(columns), directions.shape[1]))
    for first in range(0, len(columns), _PIECE):
        at = slice(first, first + _PIECE)
        for column, (one, share) in enumerate(zip(scale, directions, strict=True)):
            found[at] += ((columns[at, column] - mean[column]) / one)[:, None] * share
    return found
