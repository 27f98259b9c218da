"""Logistic regression by Newton's method, and the checks that keep a bad fit from becoming a number."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from evalkit.design.arrays.products import applied, summed

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_PIECE = 8192
"""Rows at a time, which stay in the processor's cache."""

LARGEST_SCORE = 0.999
"""A score above this says that some treated units have next to no counterpart."""
_STEPS, _COLLINEAR = 50, 1e-10
_SETTLED = 1e-20
"""The iteration ends where a step would gain less than this a unit of weight: β then moves by some 1e-10."""
_LONG = 2.0
"""A step that moves some unit's log odds by more than this is checked, and halved where it overshoots."""
_MANY = 100_000


class Logit(NamedTuple):
    """A fitted logit: scores (n,), the inverse of the information Σ w p(1−p) x x' (k, k), and why it failed, or ""."""

    score: Floats
    inverse_information: Floats
    failure: str


def standardised(covariates: Floats, weight: Floats) -> Floats:
    """Return a constant and the covariates at mean 0 and SD 1, shape (n, k + 1).

    The fits that use them do not change, and conditioning no longer depends on units of measurement.
    A covariate that does not vary becomes a column of zeros, which `is_collinear` finds.
    """
    mean = summed(weight, covariates) / weight.sum()
    centred = covariates - mean
    spread = np.sqrt(summed(weight, centred**2) / weight.sum())
    floor = 1e-12 * np.abs(mean)
    scaled = np.where(spread > floor, centred / np.where(spread > floor, spread, 1.0), 0.0)
    return np.column_stack([np.ones(len(covariates)), scaled])


def is_collinear(product: Floats) -> bool:
    """Return whether a matrix X'WX is singular for practical purposes, whatever the scale of its columns."""
    size = np.sqrt(np.diagonal(product))
    if not (np.isfinite(product).all() and (size > 0).all()):
        return True
    values = np.linalg.eigvalsh(product / np.outer(size, size))
    return bool(values[0] < _COLLINEAR * values[-1])


def fit_logit(covariates: Floats, treated: Bools, weight: Floats) -> Logit:
    """Fit the probability of treatment given covariates by weighted maximum likelihood.

    Parameters
    ----------
    covariates : shape (n, k), with a constant
    treated : shape (n,)
    weight : shape (n,)

    Returns
    -------
    Logit
        `failure` is a reason in words where the covariates are collinear, the treated are separated from
        the comparison units, or the iteration does not settle; the other fields are then meaningless.
    """
    n, k = covariates.shape
    none = np.full(n, np.nan), np.full((k, k), np.nan)
    beta = _start(covariates, treated, weight)
    for _ in range(_STEPS):
        score, information, step, gain = _newton(covariates, treated, weight, beta)
        if step is None:
            return Logit(*none, _why_singular(covariates, weight))
        if gain <= _SETTLED * weight.sum():
            break
        beta = beta + step
    else:
        return Logit(*none, "the propensity score could not be fitted: treated and comparison units may be separable")
    if score.max() >= LARGEST_SCORE:
        return Logit(*none, _NO_OVERLAP)
    return Logit(score, np.asarray(np.linalg.inv(information), dtype=np.float64), "")


def _newton(
    covariates: Floats, treated: Bools, weight: Floats, beta: Floats
) -> tuple[Floats, Floats, Floats | None, float]:
    """Return scores, information, the step to take (None where it is singular) and twice the gain it promises."""
    score, k = np.empty(len(covariates)), covariates.shape[1]
    gradient, information = np.zeros(k), np.zeros((k, k))
    for first in range(0, len(covariates), _PIECE):
        at = slice(first, first + _PIECE)
        x = covariates[at]
        score[at] = p = expit(x @ beta)
        spread = weight[at] * p
        gradient += (weight[at] * treated[at] - spread) @ x
        spread *= 1 - p
        information += x.T @ (x * spread[:, None])
    if is_collinear(information):
        return score, information, None, np.inf
    step = np.asarray(np.linalg.solve(information, gradient), dtype=np.float64)
    if np.abs(applied(covariates, step)).max() > _LONG:
        step = _damped(covariates, treated, weight, beta, step)
    return score, information, step, float(gradient @ step)


def _damped(covariates: Floats, treated: Bools, weight: Floats, beta: Floats, step: Floats) -> Floats:
    """Return the step, halved until the likelihood does not fall: far from its end a full step can run away."""

    def likelihood(coefficients: Floats) -> float:
        predictor = covariates @ coefficients
        return float(weight @ (treated * predictor - np.logaddexp(0, predictor)))

    before = likelihood(beta)
    for _ in range(_STEPS):
        if likelihood(beta + step) >= before:
            break
        step = step / 2
    return step


def _start(covariates: Floats, treated: Bools, weight: Floats) -> Floats:
    """Return where the iteration starts: a fit to every sixteenth unit of many, or the fit without covariates.

    The iteration ends at the same place; a start nearby saves passes over the data.
    """
    start = np.zeros(covariates.shape[1])
    share = float(weight[treated].sum() / weight.sum())
    start[0] = np.log(share / (1 - share))
    if len(covariates) < _MANY:
        return start
    some = slice(None, None, 16)
    beta = start
    for _ in range(_STEPS):
        _, _, step, gain = _newton(covariates[some], treated[some], weight[some], beta)
        if step is None:
            return start
        beta = beta + step
        if gain <= 1e-6 * weight[some].sum():
            return beta
    return start


_NO_OVERLAP = (
    f"some units have a propensity score above {LARGEST_SCORE}: the covariates tell treated from comparison units, so "
    "that nobody is comparable with them"
)


def _why_singular(covariates: Floats, weight: Floats) -> str:
    if is_collinear(covariates.T @ (covariates * weight[:, None])):
        return "the covariates are collinear, or one does not vary, among these units"
    return _NO_OVERLAP
