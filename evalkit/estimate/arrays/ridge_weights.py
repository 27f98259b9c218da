"""Weights of a synthetic control moved by ridge regression, and how strongly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalkit.estimate.arrays.simplex import simplex_fit

Floats = NDArray[np.float64]

RIDGE_STEPS = 25
"""Penalties tried: from ten times the largest eigenvalue of XX' down to a millionth of it, in equal ratios, and ∞."""


def ridge_adjusted(treated: Floats, donors: Floats, weights: Floats, ridge: float) -> Floats:
    """Return w + X'(XX' + ρI)⁻¹ (x − Xw), with each period's mean over donors taken off; w itself where ρ is infinite.

    treated : shape (n_pre,); donors : shape (n_pre, n_donors); weights : shape (n_donors,)
    """
    moved: Floats = _adjusted(treated, donors, weights, np.array([ridge]))[0]
    return moved


def _adjusted(treated: Floats, donors: Floats, weights: Floats, ridges: Floats) -> Floats:
    """Return the weights for several penalties, shape (n_ridges, n_donors)."""
    # The treated series off first, so that nothing of the level of the outcome is left in the rounding: weights must
    # sum to one to as many digits as the outcome has.
    away = donors - treated[:, None]
    centred = away - away.mean(axis=1, keepdims=True)
    left, singular, right = np.linalg.svd(centred, full_matrices=False)
    kept = singular > 1e-12 * max(float(singular[0]), np.finfo(float).tiny)
    miss = left.T @ (-away @ weights)
    factor = np.zeros((len(ridges), len(singular)))
    factor[:, kept] = singular[kept] / (singular[kept] ** 2 + ridges[:, None])
    adjusted: Floats = weights + (factor * miss) @ right
    return adjusted


def chosen_ridge(treated: Floats, donors: Floats) -> float:
    """Return the largest penalty whose error, each period left out in turn, is within one standard error of the least.

    Infinity, which is the synthetic control itself, is among them. The error of a penalty is the mean over periods
    before the start of (Y_1t − Σ_j w_j Y_jt)², w fitted without period t (Ben-Michael, Feller
    and Rothstein, 2021, section 5.3).
    """
    ridges = _grid(donors - treated[:, None])
    errors = np.array([_errors_without(at, treated, donors, ridges) for at in range(len(treated))])
    mean = errors.mean(axis=0)
    best = int(np.argmin(mean))
    reach = errors[:, best].std(ddof=1) / np.sqrt(len(errors)) if len(errors) > 1 else 0.0
    return float(ridges[np.flatnonzero(mean <= mean[best] + reach)[0]])


def _grid(donors: Floats) -> Floats:
    largest = float(np.linalg.norm(donors - donors.mean(axis=1, keepdims=True), 2)) ** 2
    return np.append(np.inf, 10 * largest * np.logspace(0, -7, RIDGE_STEPS)) if largest > 0 else np.array([np.inf])


def _errors_without(at: int, treated: Floats, donors: Floats, ridges: Floats) -> Floats:
    """Return the squared error in one period for each penalty, that period left out of the fit."""
    kept = np.arange(len(treated)) != at
    weights = simplex_fit(donors[kept], treated[kept]).weights
    moved = _adjusted(treated[kept], donors[kept], weights, ridges)
    errors: Floats = (moved @ (donors[at] - treated[at])) ** 2
    return errors
