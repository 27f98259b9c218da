"""Logit and probit by Fisher scoring, with separation and collinearity told apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_ndtr, ndtri

from evalkit.design.arrays.products import applied, crossed, summed
from evalkit.design.arrays.propensity import is_collinear

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_PIECE = 8192
"""Rows at a time, which stay in the processor's cache."""

_STEPS, _MANY = 60, 100_000
_CONVERGED = 1e-8
"""The iteration ends where the deviance changes by less than this share: the usual rule of programs for such models.

Ending where they do, from their start, gives their scores to some 1e-14; the likelihood's very maximum is some 1e-9
away.
"""
_RESTLESS, _SETTLED = 1e-3, 1e-6
"""A last step that would move some unit's predictor by more than the first is followed until it is below the second."""
_LOG_ROOT = 0.5 * float(np.log(2 * np.pi))

_Derivatives = Callable[[Floats, Floats], tuple[Floats, Floats, Floats]]
"""From sign × predictor, and sign (1 treated, −1 comparison): residual, curvature and log-likelihood of each unit."""


class BinaryFit(NamedTuple):
    """A fitted model: coefficients (k,), the predictor x'β (n,), and why it failed, or "".

    After a failure for separation `coefficients` is the direction in which they run away.
    """

    coefficients: Floats
    predictor: Floats
    failure: Literal["", "collinear", "separated"]


class _State(NamedTuple):
    """The model at some coefficients: deviance, Fisher's step from there (None where singular) and the predictor."""

    deviance: float
    step: Floats | None
    predictor: Floats


def fit_binary(covariates: Floats, treated: Bools, link: Literal["logit", "probit"]) -> BinaryFit:
    """Fit P(treated) = F(x'β) by Fisher scoring (McCullagh and Nelder, 1989, section 2.5).

    Parameters
    ----------
    covariates : shape (n, k), with a constant, of like scale (see `standardised`)
    treated : shape (n,)
    link : F is the logistic or the normal distribution function

    Returns
    -------
    BinaryFit
        `failure` is "collinear" where the covariates do not determine coefficients, "separated" where the
        likelihood has no maximum because some direction tells treated from comparison units (Albert and
        Anderson, 1984): scores of separated units then run towards 0 and 1.
    """
    if is_collinear(crossed(covariates, covariates)):
        return BinaryFit(np.zeros(covariates.shape[1]), np.zeros(len(covariates)), "collinear")
    sign = np.where(treated, 1.0, -1.0)
    derivatives, z = _LINKS[link]
    beta: Floats = np.asarray(z * np.linalg.solve(crossed(covariates, covariates), summed(sign, covariates)))
    if len(covariates) >= _MANY:
        near = fit_binary(covariates[::16], treated[::16], link)
        beta = beta if near.failure else near.coefficients
    deviance, last, found = np.inf, beta, None
    for _ in range(_STEPS):
        state = _state(covariates, sign, beta, derivatives)
        if state.deviance > deviance * (1 + 1e-12) and found is None:
            beta = (beta + last) / 2
            continue
        if state.step is None:
            return BinaryFit(beta, state.predictor, "separated")
        if found is None and abs(deviance - state.deviance) < _CONVERGED * (state.deviance + 0.1):
            found = BinaryFit(beta, state.predictor, "")
        if found is not None and _is_settled(covariates, state.step, found, beta):
            return found
        deviance, last, beta = state.deviance, beta, beta + state.step
    return BinaryFit(beta, state.predictor, "separated")


def _is_settled(covariates: Floats, step: Floats, found: BinaryFit, beta: Floats) -> bool:
    """Return whether what was found is a maximum: under separation every further step is as long as the last."""
    most = float(np.abs(applied(covariates, step)).max())
    return most <= (_RESTLESS if beta is found.coefficients else _SETTLED)


def _state(covariates: Floats, sign: Floats, beta: Floats, derivatives: _Derivatives) -> _State:
    k = len(beta)
    gradient, information, likelihood = np.zeros(k), np.zeros((k, k)), 0.0
    predictor = np.empty(len(covariates))
    for first in range(0, len(covariates), _PIECE):
        at = slice(first, first + _PIECE)
        x, side = covariates[at], sign[at]
        predictor[at] = x @ beta
        residual, curvature, logs = derivatives(side * predictor[at], side)
        gradient += residual @ x
        information += x.T @ (x * curvature[:, None])
        likelihood += float(logs.sum())
    is_singular = is_collinear(information)
    step = None if is_singular else np.asarray(np.linalg.solve(information, gradient), dtype=np.float64)
    return _State(-2 * likelihood, step, predictor)


def _logit(towards: Floats, sign: Floats) -> tuple[Floats, Floats, Floats]:
    share = expit(towards)
    return sign * (1 - share), share * (1 - share), np.log(np.maximum(share, np.finfo(float).tiny))


def _probit(towards: Floats, sign: Floats) -> tuple[Floats, Floats, Floats]:
    logs = log_ndtr(towards)
    density = -0.5 * towards**2 - _LOG_ROOT
    return sign * np.exp(density - logs), np.exp(2 * density - logs - log_ndtr(-towards)), logs


def _first_response(quantile: float, slope: float) -> float:
    """Return the working response of a treated unit at the usual start, a share of 3/4: F⁻¹(3/4) + (1/4) / f."""
    return quantile + 0.25 / slope


_LINKS: dict[str, tuple[_Derivatives, float]] = {
    "logit": (_logit, _first_response(float(np.log(3)), 3 / 16)),
    "probit": (
        _probit,
        _first_response(float(ndtri(0.75)), float(np.exp(-0.5 * ndtri(0.75) ** 2) / np.sqrt(2 * np.pi))),
    ),
}
