"""Kernels of pooling: random effects, and many means at once of areas that stand in for those of projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.scipy_parts import brentq
from evalkit.estimate.areas.changes_arrays import TIE

# Kernels of random-effects pooling: arrays of estimates and variances in, numbers out.

_VARIANCE_GRID = np.concatenate([[0.0], np.geomspace(1e-9, 1.0, 721)])
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
    grid = largest * _VARIANCE_GRID
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
    return float(brentq(score, grid[low], grid[high], xtol=1e-16 * grid[-1], rtol=8.9e-16, maxiter=500))


def profile_root(estimate: Floats, variance: Floats, target: float) -> float | None:
    """Return the tau² at which Q(τ²) = Σ w (y − μ)² falls to `target`, None where it is below that from zero on.

    Q falls with tau²; Q ≤ Σ (y − ȳ)²/τ² says where to stop looking.
    """

    def beyond(tau2: float) -> float:
        return pooled_mean(estimate, variance, tau2).dispersion - target

    if beyond(0.0) <= 0:
        return None
    most = float(((estimate - estimate.mean()) ** 2).sum()) / target
    return float(brentq(beyond, 0.0, most, xtol=1e-16 * most, rtol=8.9e-16, maxiter=500))


def typical_variance(variance: Floats) -> float:
    """Return the typical sampling variance of Higgins and Thompson (2002): (k − 1) Σw / ((Σw)² − Σw²), w = 1/v."""
    weight = 1 / variance
    total = float(weight.sum())
    return (len(variance) - 1) * total / (total**2 - float((weight**2).sum()))


# Kernels of pooling against areas without a programme: classes by rank, lines, draws of areas, many means at once.

_COARSE_GRID = np.concatenate([[0.0], np.geomspace(1e-4, 1.0, 24)])
"""Where each restricted likelihood is looked at first, as shares of the largest variance it can choose."""
_HALVINGS = 45
_AT_ONCE = 2_000


def rank_classes(values: Floats, n_classes: int) -> Ints:
    """Return 0 … n_classes − 1 by rank, ⌊n_classes · rank / n⌋, equal values in the order given; shape (n,)."""
    rank = np.empty(len(values), dtype=np.int64)
    rank[np.argsort(values, kind="stable")] = np.arange(len(values))
    classes: Ints = n_classes * rank // max(len(values), 1)
    return classes


def left_of_line(outcome: Floats, predictor: Floats, fitted: Bools) -> Floats:
    """Return what the least-squares line of `outcome` on `predictor` over the `fitted` leaves of all, shape (n,).

    Where the predictor does not vary among the fitted, what is left is the outcome less their mean.
    """
    spread = predictor - predictor[fitted].mean()
    squares = float(spread[fitted] @ spread[fitted])
    scale = float(np.abs(predictor[fitted]).max()) ** 2 * int(fitted.sum())
    slope = float(spread[fitted] @ outcome[fitted]) / squares if squares > 1e-12 * scale else 0.0
    left: Floats = outcome - outcome[fitted].mean() - slope * spread
    return left


def mean_squares(values: Floats, classes: Ints, used: Bools) -> Floats:
    """Return, for the class of each entry, the mean square of the `used` values of that class; NaN where it has none.

    All arrays have shape (n,).
    """
    size = int(classes.max(initial=0)) + 1
    number = np.bincount(classes[used], minlength=size)
    total = np.bincount(classes[used], values[used] ** 2, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = (total / number)[classes]
    return found


def drawn_sets(generator: np.random.Generator, stratum_of: Ints, strata: Sequence[int], n_draws: int) -> Ints:
    """Return sets of areas: position of a stand-in for each wanted stratum, none twice in a set; shape (n_draws, k).

    `stratum_of` is that of each area that may be drawn. Within a stratum every choice in every order is equally likely.
    """
    sets = np.empty((n_draws, len(strata)), dtype=np.int64)
    for stratum in sorted(set(strata)):
        columns = [at for at, one in enumerate(strata) if one == stratum]
        places = np.flatnonzero(stratum_of == stratum)
        order = np.argsort(generator.random((n_draws, len(places))), axis=1, kind="stable")
        sets[:, columns] = places[order[:, : len(columns)]]
    return sets


def spread_factor(weights: Floats, strata: Sequence[int], available: Mapping[int, int], line: float = 0.0) -> float:
    """Return by how much deviations of drawn sets are widened.

    A stratum's k_s projects weigh W_s together and its N_s areas are drawn without replacement. About the mean of all
    draws a set varies by Σw² − ΣW_s²/N_s areas' variances, the projects by Σw² + ΣW_s²/N_s, the error of that mean
    among it: the factor is the root of their ratio, √((N + k)/(N − k)) for one stratum and equal weights. `line` is
    what the projects vary by besides, because the line that was taken off them is an estimate.
    """
    squares = float(weights @ weights)
    shared = 0.0
    for stratum in set(strata):
        together = sum(float(weight) for weight, one in zip(weights, strata, strict=True) if one == stratum)
        shared += together**2 / available[stratum]
    return float(np.sqrt((squares + shared + max(line, 0.0)) / (squares - shared)))


def rank_p(deviations: Floats, observed: float) -> float:
    """Return (1 + draws whose deviation is as large) / (1 + draws)."""
    return float(1 + (np.abs(deviations) >= abs(observed) - TIE).sum()) / (1 + len(deviations))


def reach_of(deviations: Floats, alpha: float) -> float:
    """Return the largest deviation that is not rejected at `alpha` by its rank among the draws."""
    # 1e-9, because (1 − 0.9) · 10,000 is 999.9999999999998 in floating point.
    needed = int(np.floor(alpha * (1 + len(deviations)) + 1e-9))
    return float(np.sort(np.abs(deviations))[::-1][max(needed, 1) - 1])


def random_effects_means(estimates: Floats, variances: Floats) -> Floats:
    """Return the random-effects mean of each row of `estimates`, tau² by REML; shapes (d, k), (d, k) and (d,)."""
    parts = [slice(at, at + _AT_ONCE) for at in range(0, len(estimates), _AT_ONCE)]
    means = [_means(np.ascontiguousarray(estimates[at].T), np.ascontiguousarray(variances[at].T)) for at in parts]
    return np.concatenate(means) if means else np.empty(0)


def _means(estimate: Floats, variance: Floats) -> Floats:
    """Return the mean of each column; arrays of shape (k, d), as sums over rows are the fast ones."""
    weight = 1 / (variance + _restricted_tau2(estimate, variance))
    mean: Floats = (weight * estimate).sum(axis=0) / weight.sum(axis=0)
    return mean


def _restricted_tau2(estimate: Floats, variance: Floats) -> Floats:
    """Return tau² for each column: the best of a grid, then the root of the score beside it; shape (d,)."""
    number = len(estimate)
    half = number * np.ptp(estimate, axis=0) ** 2 / (2 * (number - 1))
    largest = half + np.sqrt(half**2 + 2 * half * variance.max(axis=0))
    best = np.stack([_likelihood(estimate, variance, share * largest) for share in _COARSE_GRID]).argmax(axis=0)
    rising = _score(estimate, variance, _COARSE_GRID[best] * largest) > 0
    low = _COARSE_GRID[np.where(rising, best, np.maximum(best - 1, 0))] * largest
    high = _COARSE_GRID[np.where(rising, np.minimum(best + 1, len(_COARSE_GRID) - 1), best)] * largest
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        rising = _score(estimate, variance, middle) > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    tau2: Floats = (low + high) / 2
    return tau2


def _likelihood(estimate: Floats, variance: Floats, tau2: Floats) -> Floats:
    spread = variance + tau2
    weight = 1 / spread
    total = weight.sum(axis=0)
    mean = (weight * estimate).sum(axis=0) / total
    dispersion = (weight * (estimate - mean) ** 2).sum(axis=0)
    value: Floats = -0.5 * (np.log(spread).sum(axis=0) + np.log(total) + dispersion)
    return value


def _score(estimate: Floats, variance: Floats, tau2: Floats) -> Floats:
    weight = 1 / (variance + tau2)
    total, squared = weight.sum(axis=0), weight**2
    residual = estimate - (weight * estimate).sum(axis=0) / total
    value: Floats = -0.5 * (total - squared.sum(axis=0) / total) + 0.5 * (squared * residual**2).sum(axis=0)
    return value
