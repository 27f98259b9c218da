"""Weighted least squares with the effects nested in clusters taken out exactly, in the form covariances need."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_COLLINEAR = 1e-9
"""A column keeps less than this share of its length once the others are taken out: it adds nothing."""


class CollinearError(DesignError):
    """A regressor is a sum of the others; `column` is its position."""

    def __init__(self, column: int) -> None:
        super().__init__(f"Regressor {column} is a sum of the others, so its coefficient does not exist. Leave it out.")
        self.column = column


@dataclass(frozen=True, eq=False)
class Fit:
    """A least-squares fit as an orthonormal basis.

    With Z the basis, w the weights (mean 1) and y the outcome, Z'diag(w)Z = I and β = loadings · Z'diag(w)y.
    The hat matrix is H = P + Z Z'diag(w), P being the weighted means over the nested effects, so that any
    block of H is found from the rows of its cluster alone (Frisch and Waugh, 1933; Lovell, 1963).

    Attributes
    ----------
    coefficients : shape (p,)
    loadings : shape (p, r)
    basis : shape (n, r)
    residuals, weight : shape (n,)
    cluster, nested : shape (n,)
        Codes 0, 1, …; `nested` is None where no effect was taken out. Rows are ordered by cluster.
    size : float
        Largest |outcome|, against which a residual is or is not rounding.
    """

    coefficients: Floats
    loadings: Floats
    basis: Floats
    residuals: Floats
    weight: Floats
    cluster: Codes
    nested: Codes | None
    size: float

    @cached_property
    def n_clusters(self) -> int:
        """Return the number of clusters."""
        return int(self.cluster[-1]) + 1

    @property
    def n_nested(self) -> int:
        """Return the number of nested effects taken out."""
        return 0 if self.nested is None else int(self.nested.max()) + 1

    @cached_property
    def is_weighted(self) -> bool:
        """Return whether weights differ between rows."""
        return bool(np.ptp(self.weight) > 1e-12)

    @cached_property
    def squares(self) -> Floats:
        """Return Z'diag(w²)Z, shape (r, r): the identity where weights are alike."""
        if not self.is_weighted:
            return np.eye(self.basis.shape[1])
        return np.asarray((self.basis * (self.weight**2)[:, None]).T @ self.basis)

    @cached_property
    def starts(self) -> Codes:
        """Return where each cluster's rows begin, shape (n_clusters,)."""
        return np.flatnonzero(np.diff(self.cluster, prepend=-1))

    def by_cluster(self, rows: Floats) -> Floats:
        """Return sums over each cluster's rows, shape (n_clusters, …)."""
        return np.asarray(np.add.reduceat(rows, self.starts, axis=0))

    def direction(self, at: int) -> Floats:
        """Return a regressor less its projection on all others, over its own sum of squares, shape (n,).

        Its weighted product with the outcome is the coefficient.
        """
        return np.asarray(self.basis @ self.loadings[at])


def least_squares(
    outcome: Floats, regressors: Floats, others: Floats, weight: Floats, cluster: Codes, nested: Codes | None = None
) -> Fit:
    """Return the fit of `outcome` (n,) on `regressors` (n, p), with `others` (n, q) and nested effects beside them.

    `others` may be collinear (only their span matters); a collinear regressor raises `CollinearError`.
    `cluster` holds sorted codes 0, 1, …; every nested effect lies within one cluster. Rows are taken as they come.
    """
    weight = weight / weight.mean()
    root = np.sqrt(weight)[:, None]
    y = _scaled(without_means(outcome[:, None], weight, nested), root)
    span = orthonormal(_scaled(without_means(others, weight, nested), root), _lengths(others, weight))
    own, length = _scaled(without_means(regressors, weight, nested), root), _lengths(regressors, weight)
    for _ in range(2):  # twice, so that rounding leaves nothing of the others
        own = own - span @ (span.T @ own)
    q, r = np.linalg.qr(own)
    small = np.abs(np.diag(r)) <= _COLLINEAR * np.where(length > 0, length, 1.0)
    if small.any():
        raise CollinearError(int(np.argmax(small)))
    basis = np.column_stack([span, q])
    loadings = np.column_stack([np.zeros((len(r), span.shape[1])), np.linalg.inv(r)])
    products = basis.T @ y[:, 0]
    residuals = (y[:, 0] - basis @ products) / root[:, 0]
    size = float(np.abs(outcome).max(initial=0.0))
    return Fit(loadings @ products, loadings, _scaled(basis, 1 / root), residuals, weight, cluster, nested, size)


def _scaled(columns: Floats, factor: Floats) -> Floats:
    """Return columns (n, k) times a factor (n, 1), without a copy where it is 1 throughout."""
    return columns if (factor == 1).all() else columns * factor


def _lengths(columns: Floats, weight: Floats) -> Floats:
    """Return the weighted length of each column, shape (k,)."""
    return np.asarray(np.sqrt(np.einsum("i,ij,ij->j", weight, columns, columns)))


def without_means(columns: Floats, weight: Floats, groups: Codes | None) -> Floats:
    """Return columns (n, k) less their weighted mean in each group; as they are where there are no groups."""
    if groups is None or columns.shape[1] == 0:
        return columns
    means = group_sums(weight[:, None] * columns, groups) / group_sums(weight[:, None], groups)
    return np.asarray(columns - means[groups])


def group_sums(columns: Floats, groups: Codes) -> Floats:
    """Return the sum of columns (n, k) over each group, shape (n_groups, k); groups have codes 0, 1, …"""
    if (groups[1:] >= groups[:-1]).all():
        starts = np.flatnonzero(np.diff(groups, prepend=-1))
        size = len(groups) // len(starts)
        if (starts == np.arange(len(starts)) * size).all() and len(starts) * size == len(groups):
            return np.asarray(columns.reshape(len(starts), size, -1).sum(axis=1))
        return np.asarray(np.add.reduceat(columns, starts, axis=0))
    return np.column_stack([np.bincount(groups, column) for column in columns.T])


def orthonormal(columns: Floats, length: Floats) -> Floats:
    """Return an orthonormal basis (n, r) of the span of columns (n, k); those near 0 against `length` count as 0."""
    left = np.sqrt((columns**2).sum(axis=0))
    kept = left > _COLLINEAR * np.where(length > 0, length, 1.0)
    if not kept.any():
        return np.zeros((len(columns), 0))
    basis = columns[:, kept] / left[kept]
    for _ in range(2):  # the second time mends what rounding did to the first
        values, vectors = np.linalg.eigh(basis.T @ basis)
        kept = values > 1e-10 * values[-1]
        basis = basis @ (vectors[:, kept] / np.sqrt(values[kept]))
    return np.asarray(basis)


def period_columns(period: Codes) -> Floats:
    """Return an indicator column for each period but the first, shape (n, n_periods − 1)."""
    return np.asarray(period[:, None] == np.arange(1, period.max() + 1), dtype=float)
