"""Kernels of random-effects pooling: arrays of estimates and variances in, numbers out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Floats = NDArray[np.float64]

_GRID = np.concatenate([[0.0], np.geomspace(1e-9, 1.0, 721)])
"""Where the restricted likelihood is looked at first, as shares of the largest variance it can choose."""


class PooledMean(NamedTuple):
    """A weighted mean, its weights (they sum to one), its model variance 1/Σw and its dispersion Σw(y − μ)²."""

    mean: float
    weights: Floats
    variance: float
    dispersion: float


def pooled_mean(estimate: Floats, variance: Floats, tau2: float) -> PooledMean:
    """Return the mean of k estimates weighted by w = 1/(variance + tau2); arrays of shape (k,)."""
    weight = 1 / (variance + tau2)
    total = float(weight.sum())
    mean = float(weight @ estimate) / total
    return PooledMean(mean, weight / total, 1 / total, float(weight @ (estimate - mean) ** 2))


def restricted_likelihood(estimate: Floats, variance: Floats, tau2: Floats) -> Floats:
    """Return the restricted log-likelihood at each tau², up to a constant.

    −½ Σ log(v + τ²) − ½ log Σ w − ½ Σ w (y − μ)², w = 1/(v + τ²) (Harville, 1977; Viechtbauer, 2005). `estimate` and
    `variance` have shape (k,), `tau2` and the result shape (m,).
    """
    spread = variance + tau2[:, None]
    weight = 1 / spread
    total = weight.sum(axis=1)
    mean = (weight @ estimate) / total
    dispersion = (weight * (estimate - mean[:, None]) ** 2).sum(axis=1)
    value: Floats = -0.5 * (np.log(spread).sum(axis=1) + np.log(total) + dispersion)
    return value


def restricted_score(estimate: Floats, variance: Floats, tau2: float) -> float:
    """Return the derivative of the restricted log-likelihood: −½ (Σw − Σw²/Σw) + ½ Σ w² (y − μ)²."""
    weight = 1 / (variance + tau2)
    total = weight.sum()
    residual = estimate - weight @ estimate / total
    return float(-0.5 * (total - (weight**2).sum() / total) + 0.5 * (weight**2 @ residual**2))


def restricted_tau2(estimate: Floats, variance: Floats) -> float:
    """Return the tau² ≥ 0 at which the restricted likelihood is largest.

    The likelihood may have several peaks, so it is looked at over its whole range; the best of 722 values is then
    refined to the root of the score beside it. No tau² beyond `largest` has a positive score: with R the range of the
    estimates, Σw²(y − μ)² ≤ k R²/τ⁴ and Σw − Σw²/Σw ≥ (k − 1)/(max v + τ²).
    """
    number, reach = len(estimate), float(np.ptp(estimate)) ** 2
    if reach == 0:
        return 0.0
    half = number * reach / (2 * (number - 1))
    largest = half + float(np.sqrt(half**2 + 2 * half * variance.max()))
    grid = largest * _GRID
    best = int(np.argmax(restricted_likelihood(estimate, variance, grid)))
    return _root_beside(estimate, variance, grid, best)


def _root_beside(estimate: Floats, variance: Floats, grid: Floats, best: int) -> float:
    """Return where the score passes zero next to the best value of the grid, that value where it does not."""

    def score(tau2: float) -> float:
        return restricted_score(estimate, variance, tau2)

    slope = score(grid[best])
    low, high = (best, best + 1) if slope > 0 else (best - 1, best)
    if slope == 0 or low < 0 or high == len(grid) or score(grid[low]) <= 0 or score(grid[high]) >= 0:
        return float(grid[best])
    return float(optimize.brentq(score, grid[low], grid[high], xtol=1e-16 * grid[-1], rtol=8.9e-16, maxiter=500))


def profile_root(estimate: Floats, variance: Floats, wanted: float) -> float | None:
    """Return the tau² at which Q(τ²) = Σ w (y − μ)² falls to `wanted`, None where it is below that from zero on.

    Q falls with tau²; Q ≤ Σ (y − ȳ)²/τ² says where to stop looking.
    """

    def beyond(tau2: float) -> float:
        return pooled_mean(estimate, variance, tau2).dispersion - wanted

    if beyond(0.0) <= 0:
        return None
    most = float(((estimate - estimate.mean()) ** 2).sum()) / wanted
    return float(optimize.brentq(beyond, 0.0, most, xtol=1e-16 * most, rtol=8.9e-16, maxiter=500))


def typical_variance(variance: Floats) -> float:
    """Return the typical sampling variance of Higgins and Thompson (2002): (k − 1) Σw / ((Σw)² − Σw²), w = 1/v."""
    weight = 1 / variance
    total = float(weight.sum())
    return (len(variance) - 1) * total / (total**2 - float((weight**2).sum()))
