"""The Mahalanobis distance: its matrix, and coordinates in which it is Euclidean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

Floats = NDArray[np.float64]


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


def whitened_generally(covariates: Floats, covariance: Floats) -> Floats:
    """Return coordinates, shape (n, r), in which Euclidean distance is the Mahalanobis distance.

    The covariance, shape (k, k), may be singular, of rank r: its generalised inverse is used, so that directions
    without variance (the sum of the levels of a category) count nothing.
    """
    size = np.sqrt(np.diag(covariance))
    size = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(covariance / np.outer(size, size))
    kept = values > 1e-9 * max(values[-1], np.finfo(float).tiny)
    return np.ascontiguousarray((covariates / size) @ (vectors[:, kept] / np.sqrt(values[kept])))
