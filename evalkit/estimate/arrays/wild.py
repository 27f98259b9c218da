"""Wild cluster bootstrap of one least-squares coefficient, from the scores of clusters."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.estimate.arrays.inversion import Reference
from evalkit.estimate.arrays.least_squares import Fit

Floats = NDArray[np.float64]
WildWeights = Literal["rademacher", "webb"]

ENUMERATED = 2**14
"""All vectors of weights are gone through, and none drawn, where there are at most so many: up to 14 clusters with
Rademacher weights, up to 5 with Webb's."""

_VALUES = {
    "rademacher": np.array([-1.0, 1.0]),
    "webb": np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)]),
}


def wild_weights(n_clusters: int, kind: WildWeights, n_draws: int, random: np.random.Generator) -> Floats:
    """Return weights, shape (n_clusters, n_vectors), all enumerated where they are few.

    Rademacher: −1 or 1. Webb (2014): ±√½, ±1, ±√1½. Drawn vectors come after the one of ones, which is the data.
    """
    values = _VALUES[kind]
    total = len(values) ** n_clusters if n_clusters < 20 else np.inf
    if total <= ENUMERATED:
        digits = np.arange(int(total)) // len(values) ** np.arange(n_clusters)[:, None] % len(values)
        return np.asarray(values[digits])
    drawn = values[random.integers(0, len(values), (n_clusters, n_draws))]
    return np.column_stack([np.ones(n_clusters), drawn])


def wild_reference(fit: Fit, at: int, weights: Floats, is_restricted: bool = True) -> Reference:
    """Return the bootstrap distribution of the t statistic of coefficient `at`, as a function of the value tested.

    `weights` has shape (n_clusters, n_vectors). With the null b imposed (Cameron, Gelbach and Miller, 2008) the
    residuals are those of y − b·x on all other columns; otherwise those of the fit. For cluster g and weights v the
    bootstrap score is v_g s_g − Σ_h j_g'k_h v_h, s_g = d_g'W u_g, j_g = Z_g'W d_g, k_h = Z_h'W u_h, d the regressor's
    direction, so that no bootstrap sample is ever made (Roodman, MacKinnon, Nielsen and Webb, 2019). Small-sample
    factors cancel between t* and t.
    """
    if len(weights) != fit.n_clusters:
        raise DesignError(f"{len(weights)} bootstrap weights were given for {fit.n_clusters} clusters.")
    direction = fit.direction(at)
    own = direction / float((fit.weight * direction**2).sum())  # the regressor less the others: β changes u by −b·own
    estimate = float(fit.coefficients[at])
    scale = float(np.sqrt((fit.by_cluster(fit.weight * direction * fit.residuals) ** 2).sum()))
    if not is_restricted:
        top, scores = _scores(fit, direction, fit.residuals, weights)
        zero = np.zeros(top.shape)
        return Reference(estimate, scale, top, zero, _squared(scores, scores), zero, zero)
    top, scores = _scores(fit, direction, fit.residuals + estimate * own, weights)
    slope, bends = _scores(fit, direction, own, weights)
    return Reference(
        estimate, scale, top, slope, _squared(scores, scores), _squared(scores, bends), _squared(bends, bends)
    )


def _scores(fit: Fit, direction: Floats, residuals: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return each vector's coefficient (n_vectors,) and the clusters' bootstrap scores (n_clusters, n_vectors)."""
    s = fit.by_cluster(fit.weight * direction * residuals)
    j = fit.by_cluster(fit.basis * (fit.weight * direction)[:, None])
    k = fit.by_cluster(fit.basis * (fit.weight * residuals)[:, None])
    return s @ weights, s[:, None] * weights - j @ (k.T @ weights)


def _squared(left: Floats, right: Floats) -> Floats:
    return np.asarray((left * right).sum(axis=0))
