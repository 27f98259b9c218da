"""What CR2 needs of a regression with unit effects whose clusters vary alike, independently from period to period."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evalkit.estimate.arrays.absorbed import Absorbed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FITTED = 1e-8
"""A cluster whose residuals keep less than this share of what it adds to a variance is fitted, not observed."""
_UNSEEN = 0.01
"""Where fitted clusters hold more than this share of a variance, no error tells it."""


class AlikeClusters(NamedTuple):
    """Of k numbers: what squares of contributions are divided by (n_clusters, k), degrees of freedom (k,)."""

    deflator: Floats
    df: Floats


def alike_clusters(absorbed: Absorbed, combination: Floats, cluster: Ints, n_clusters: int) -> AlikeClusters:
    """Return how far contributions of clusters to combinations (m, k) of coefficients understate their variance.

    All units of a cluster are taken to share one shock each period, of variance 1 and independent of all others. With
    z̃ the regressors less their unit means, P_g (m, n_codes) cluster g's sums of w z̃ by period, S_g those of w z̃z̃',
    λ = S⁻L and v_g = S_g λ, cluster g adds p_g = |P_g'λ|² to the variance of L'θ, and contributions have the covariance
    A_gh = 1[g = h] p_g − λ'P_g P_g'S⁻v_h − λ'P_h P_h'S⁻v_g + v_g'S⁻(Σ P P')S⁻v_h: the deflator is A_gg/p_g, which
    is 1 − 2h + Σh² for a weighted mean. Degrees of freedom are (Σ p)²/Σ A_gh² of what is deflated (Satterthwaite); 0
    where a cluster is fitted whose variance counts.
    """
    given, inverse = absorbed.given, absorbed.inverse
    regressors = _without_unit_means(absorbed)
    place = sparse.csr_array(
        (given.weight, (cluster * given.n_codes + given.code, np.arange(len(cluster)))),
        shape=(n_clusters * given.n_codes, len(cluster)),
    )
    shocks = np.asarray(place @ regressors).reshape(n_clusters, given.n_codes, -1)
    squares = np.einsum("gtm,gtn->mn", shocks, shocks)
    own = sparse.csr_array((given.weight, (cluster, np.arange(len(cluster)))), shape=(n_clusters, len(cluster)))
    deflator, df = np.ones((n_clusters, combination.shape[1])), np.zeros(combination.shape[1])
    for k, loading in enumerate((inverse @ combination).T):
        moved = np.asarray(own @ (regressors * (regressors @ loading)[:, None])) @ inverse
        by_period = shocks @ loading
        met = np.einsum("gtm,gt->gm", shocks, by_period)
        deflator[:, k], df[k] = _satterthwaite((by_period**2).sum(axis=1), met, moved, squares)
    return AlikeClusters(deflator, df)


def _without_unit_means(absorbed: Absorbed) -> Floats:
    """Return the regressors by row less their unit means, shape (n_rows, m), codes without slopes."""
    given = absorbed.given
    coded = sparse.csr_array(
        (np.ones(len(given.code)), (np.arange(len(given.code)), given.code)), shape=(len(given.code), given.n_codes)
    )
    means = np.hstack([absorbed.coded_means.toarray(), absorbed.common_means])
    regressors: Floats = np.hstack([coded.toarray(), given.common]) - means[given.unit]
    return regressors


def _satterthwaite(added: Floats, met: Floats, moved: Floats, squares: Floats) -> tuple[Floats, float]:
    """Return deflators and degrees of freedom from p (G,), P P'λ (G, m), S⁻v (G, m) and Σ P P' (m, m)."""
    m = len(squares)
    sides = np.hstack([met, moved])  # A = diag(p) + sides · middle · sides'
    middle = np.block([[np.zeros((m, m)), -np.eye(m)], [-np.eye(m), squares]])
    shared = np.einsum("gi,ij,gj->g", sides, middle, sides)
    is_held = added > 0
    ratio = np.where(is_held, (added + shared) / np.where(is_held, added, 1.0), 1.0)
    is_fitted = ratio <= _FITTED
    deflator = np.where(is_fitted, 1.0, ratio)
    if added.sum() <= 0 or added[is_fitted].sum() > _UNSEEN * added.sum():
        return deflator, 0.0
    d = np.where(is_fitted, 0.0, 1 / deflator)
    product = middle @ (sides.T @ (d[:, None] * sides))
    squared = float(((d * added) ** 2).sum() + 2 * (d**2 * added * shared).sum() + np.trace(product @ product))
    return deflator, float((d * (added + shared)).sum() ** 2 / squared)
