"""Kernels of pooling against areas without a programme: classes by rank, lines, draws of areas, many means at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evalkit.estimate.arrays.area_changes import TIE
from evalkit.estimate.arrays.random_effects import Floats

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_GRID = np.concatenate([[0.0], np.geomspace(1e-4, 1.0, 24)])
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


def drawn_sets(generator: np.random.Generator, stratum_of: Ints, wanted: Sequence[int], n_draws: int) -> Ints:
    """Return sets of areas: position of a stand-in for each wanted stratum, none twice in a set; shape (n_draws, k).

    `stratum_of` is that of each area that may be drawn. Within a stratum every choice in every order is equally likely.
    """
    sets = np.empty((n_draws, len(wanted)), dtype=np.int64)
    for stratum in sorted(set(wanted)):
        columns = [at for at, one in enumerate(wanted) if one == stratum]
        places = np.flatnonzero(stratum_of == stratum)
        order = np.argsort(generator.random((n_draws, len(places))), axis=1, kind="stable")
        sets[:, columns] = places[order[:, : len(columns)]]
    return sets


def spread_factor(weights: Floats, wanted: Sequence[int], available: Mapping[int, int], line: float = 0.0) -> float:
    """Return by how much deviations of drawn sets are widened.

    A stratum's k_s projects weigh W_s together and its N_s areas are drawn without replacement. About the mean of all
    draws a set varies by Σw² − ΣW_s²/N_s areas' variances, the projects by Σw² + ΣW_s²/N_s, the error of that mean
    among it: the factor is the root of their ratio, √((N + k)/(N − k)) for one stratum and equal weights. `line` is
    what the projects vary by besides, because the line that was taken off them is an estimate.
    """
    squares = float(weights @ weights)
    shared = 0.0
    for stratum in set(wanted):
        own = sum(float(weight) for weight, one in zip(weights, wanted, strict=True) if one == stratum)
        shared += own**2 / available[stratum]
    return float(np.sqrt((squares + shared + max(line, 0.0)) / (squares - shared)))


def rank_p(deviations: Floats, own: float) -> float:
    """Return (1 + draws whose deviation is as large) / (1 + draws)."""
    return float(1 + (np.abs(deviations) >= abs(own) - TIE).sum()) / (1 + len(deviations))


def reach_of(deviations: Floats, alpha: float) -> float:
    """Return the largest deviation that is not rejected at `alpha` by its rank among the draws."""
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
    best = np.stack([_likelihood(estimate, variance, share * largest) for share in _GRID]).argmax(axis=0)
    rising = _score(estimate, variance, _GRID[best] * largest) > 0
    low = _GRID[np.where(rising, best, np.maximum(best - 1, 0))] * largest
    high = _GRID[np.where(rising, np.minimum(best + 1, len(_GRID) - 1), best)] * largest
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
