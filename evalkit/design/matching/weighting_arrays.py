"""Weights that meet moment conditions: entropy balancing, and a logit fitted for balance, both by damped Newton."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats
from evalkit.design.algebra_arrays import applied, crossed, summed

BALANCED = 1e-9
"""Means that differ by less than this many SDs are equal."""

_STEPS, _HALVINGS = 200, 40
_SETTLED = 1e-14
_NOISE = 1e-13
"""A rise of the objective by less than this share is rounding."""
_SINGULAR = 1e-13
_FURTHEST = 500.0
"""Log odds beyond this are weights of no unit: the fit is running away."""


class Balance(NamedTuple):
    """Weights (n,), which sum to 1; λ, their coefficients (k,); and by how much each mean still misses zero (k,)."""

    weights: Floats
    coefficients: Floats
    imbalance: Floats


def entropy_balance(columns: Floats, slack: float = 0.0) -> Balance:
    """Return the weights nearest to equal ones, in relative entropy, whose means are zero.

    Weights are exp(x'λ)/Σ exp(x'λ), and λ minimises the convex log Σ exp(x'λ), whose gradient is the weighted
    mean (Hainmueller, 2012, section 3.2). Where zero lies outside the points' convex hull there is no minimum, and
    `imbalance` says what is left when the iteration stops.

    Parameters
    ----------
    columns : shape (n, k), less the target, of like scale
    slack : float
        Above 0 means may miss by slack × λ: then there always is a minimum, near the nearest means in reach.
    """
    coefficients = np.zeros(columns.shape[1])
    state = _dual(columns, coefficients, slack)
    for _ in range(_STEPS):
        missed = float(np.abs(state.gradient).max(initial=0))
        if missed <= _SETTLED:
            break
        mean = state.gradient - slack * coefficients
        # the Hessian of log Σ exp is the weighted covariance (Hainmueller, 2012, section 3.2)
        spread = crossed(columns * state.weights[:, None], columns) - np.outer(mean, mean)
        step = newton_step(spread + slack * np.eye(len(mean)), -state.gradient)
        improved = _fallen(columns, coefficients, step, state, slack)
        # balanced already, and a further step only moves rounding about
        if improved is None or (missed <= BALANCED and np.abs(improved[1].gradient).max() >= missed):
            break
        coefficients, state = improved
    return Balance(state.weights, coefficients, state.gradient - slack * coefficients)


class _Dual(NamedTuple):
    """The dual's objective, the weights (n,) and its gradient (k,)."""

    objective: float
    weights: Floats
    gradient: Floats


def _dual(columns: Floats, coefficients: Floats, slack: float) -> _Dual:
    exponent = applied(columns, coefficients)
    largest = float(exponent.max())
    # less the largest, which cancels in the shares: nothing overflows
    weights = np.exp(exponent - largest)
    total = float(weights.sum())
    weights /= total
    objective = largest + float(np.log(total)) + slack / 2 * float(coefficients @ coefficients)
    return _Dual(objective, weights, summed(weights, columns) + slack * coefficients)


def _fallen(
    columns: Floats, coefficients: Floats, step: Floats, state: _Dual, slack: float
) -> tuple[Floats, _Dual] | None:
    """Return the coefficients after the step, halved until the objective falls, or None where it never does."""
    if not step.any():
        return None
    for _ in range(_HALVINGS):
        trial = _dual(columns, coefficients + step, slack)
        if trial.objective <= state.objective + _NOISE * max(1.0, abs(state.objective)):
            return coefficients + step, trial
        step = step / 2
    return None


def newton_step(slope: Floats, gradient: Floats) -> Floats:
    """Return slope⁻¹ gradient; directions in which a symmetric slope is zero are not moved along."""
    size = np.sqrt(np.maximum(np.diagonal(slope), 0))
    inverse = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    values, vectors = np.linalg.eigh(slope * np.outer(inverse, inverse))
    varies = values > _SINGULAR * max(float(values.max(initial=0)), np.finfo(float).tiny)
    basis = vectors[:, varies]
    step: Floats = inverse * (basis @ ((basis.T @ (inverse * gradient)) / values[varies]))
    return step


def balanced_log_odds(covariates: Floats, treated: Bools) -> Floats | None:
    """Return log odds x'β such that Σ x D/p = Σ x (1 − D)/(1 − p), p the logistic of x'β, or None where there are none.

    The condition is the gradient of the concave Σ D(η − e^−η) − (1 − D)(η + e^η) (Imai and Ratkovic, 2014, for the
    condition; Zhao, 2019, for the objective), which is maximised.

    Parameters
    ----------
    covariates : shape (n, k), with a constant, of like scale
    treated : shape (n,)
    """
    sign = np.where(treated, 1.0, -1.0)
    coefficients = np.zeros(covariates.shape[1])
    coefficients[0] = np.log(treated.mean() / (1 - treated.mean()))
    objective, inverse, log_odds = _tailored(covariates, sign, coefficients)
    for _ in range(_STEPS):
        gradient = summed(sign * (1 + inverse), covariates) / len(sign)
        if np.abs(gradient).max() <= _SETTLED:
            break
        step = newton_step(crossed(covariates * inverse[:, None], covariates) / len(sign), gradient)
        improved = _risen(lambda beta: _tailored(covariates, sign, beta), coefficients, step, objective)
        if improved is None:
            break
        coefficients, (objective, inverse, log_odds) = improved
        if np.abs(log_odds).max() > _FURTHEST:
            return None
    gradient = summed(sign * (1 + inverse), covariates) / float(1 + inverse.mean()) / len(sign)
    return log_odds if np.abs(gradient).max() <= BALANCED else None


_State = tuple[float, Floats, Floats]


def _tailored(covariates: Floats, sign: Floats, coefficients: Floats) -> _State:
    """Return the mean objective, e^(−sign x'β) and x'β."""
    log_odds = applied(covariates, coefficients)
    with np.errstate(over="ignore"):  # a step too long gives −∞, and is halved
        inverse = np.exp(-sign * log_odds)
    return float((sign * log_odds - inverse).mean()), inverse, log_odds


def _risen(
    at: Callable[[Floats], _State], coefficients: Floats, step: Floats, objective: float
) -> tuple[Floats, _State] | None:
    """Return the coefficients after the step, halved until the objective rises, or None where it never does."""
    if np.abs(step).max() <= np.finfo(float).eps * np.abs(coefficients).max():
        return None
    for _ in range(_HALVINGS):
        state = at(coefficients + step)
        if state[0] >= objective - _NOISE * max(1.0, abs(objective)):
            return coefficients + step, state
        step = step / 2
    return None
