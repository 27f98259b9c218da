"""The Mahalanobis distance: its matrix, and coordinates in which it is Euclidean."""

from __future__ import annotations

from dataclasses import dataclass

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

    def pooled(self, own: int, treated: int) -> Floats:
        """Return the covariance within the group `own` and within all others but `treated`, pooled.

        Shape (k, k); the same as `pooled_within_covariance` of the two sets of rows but for rounding.
        """
        mine = self.groups == own
        parts = (mine, ~mine & (self.groups != treated))
        within = [self._scatter(part) for part in parts]
        covariance: Floats = (within[0] + within[1]) / (sum(self.n[part].sum() for part in parts) - 2)
        return covariance

    def _scatter(self, part: NDArray[np.bool_]) -> Floats:
        total, n = self.sums[part].sum(axis=0), self.n[part].sum()
        scatter: Floats = self.products[part].sum(axis=0) - np.outer(total, total) / max(n, 1.0)
        return scatter


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
