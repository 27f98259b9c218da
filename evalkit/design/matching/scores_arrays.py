"""The propensity score's regressions, and the checks that keep a bad fit from becoming a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.scipy_parts import special
from evalkit.design.algebra_arrays import SMALL, applied, crossed, is_collinear, summed

# Logit and probit by Fisher scoring, with separation and collinearity told apart.

_PIECE = 8192
"""Rows at a time, which stay in the processor's cache."""

_MANY = 100_000
"""With so many units a fit to every sixteenth of them gives the start, and saves passes over all."""
_FISHER_STEPS = 60
_CONVERGED = 1e-8
"""The iteration ends where the deviance changes by less than this share: the usual rule of programs for such models.

Ending where they do, from their start, gives their scores to some 1e-14; the likelihood's very maximum is some 1e-9
away.
"""
_RESTLESS, _AT_REST = 1e-3, 1e-6
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
    deviance, last, converged = np.inf, beta, None
    for _ in range(_FISHER_STEPS):
        state = _state(covariates, sign, beta, derivatives)
        # the step went too far: halfway back, as programs for generalised linear models do
        if state.deviance > deviance * (1 + 1e-12) and converged is None:
            beta = (beta + last) / 2
            continue
        if state.step is None:
            return BinaryFit(beta, state.predictor, "separated")
        if converged is None and abs(deviance - state.deviance) < _CONVERGED * (state.deviance + 0.1):
            converged = BinaryFit(beta, state.predictor, "")
        if converged is not None and _is_settled(covariates, state.step, converged, beta):
            return converged
        deviance, last, beta = state.deviance, beta, beta + state.step
    return BinaryFit(beta, state.predictor, "separated")


def _is_settled(covariates: Floats, step: Floats, converged: BinaryFit, beta: Floats) -> bool:
    """Return whether what was found is a maximum: under separation every further step is as long as the last."""
    most = float(np.abs(applied(covariates, step)).max())
    return most <= (_RESTLESS if beta is converged.coefficients else _AT_REST)


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
    share = special.expit(towards)
    return sign * (1 - share), share * (1 - share), np.log(np.maximum(share, np.finfo(float).tiny))


def _probit(towards: Floats, sign: Floats) -> tuple[Floats, Floats, Floats]:
    logs = special.log_ndtr(towards)
    density = -0.5 * towards**2 - _LOG_ROOT
    return sign * np.exp(density - logs), np.exp(2 * density - logs - special.log_ndtr(-towards)), logs


def _first_response(quantile: float, slope: float) -> float:
    """Return the working response of a treated unit at the usual start, a share of 3/4: F⁻¹(3/4) + (1/4) / f."""
    return quantile + 0.25 / slope


_LINKS: dict[str, tuple[_Derivatives, float]] = {
    "logit": (_logit, _first_response(float(np.log(3)), 3 / 16)),
    "probit": (
        _probit,
        _first_response(
            float(special.ndtri(0.75)), float(np.exp(-0.5 * special.ndtri(0.75) ** 2) / np.sqrt(2 * np.pi))
        ),
    ),
}


# Logistic regression by Newton's method, and the checks that keep a bad fit from becoming a number.

LARGEST_SCORE = 0.999
"""A score above this says that some treated units have next to no counterpart."""
_NEWTON_STEPS = 50
_LEAST_GAIN = 1e-20
"""The iteration ends where a step would gain less than this a unit of weight: β then moves by some 1e-10."""
_LONG = 2.0
"""A step that moves some unit's log odds by more than this is checked, and halved where it overshoots."""


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
    for _ in range(_NEWTON_STEPS):
        score, information, step, gain = _newton(covariates, treated, weight, beta)
        if step is None:
            return Logit(*none, _why_singular(covariates, weight))
        if gain <= _LEAST_GAIN * weight.sum():
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
        score[at] = p = special.expit(x @ beta)
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
    for _ in range(_NEWTON_STEPS):
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
    for _ in range(_NEWTON_STEPS):
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


# Logits of many sets of treated units at once, each against its own pool.

_BATCH_STEPS = 25
_SETTLED = 1e-6
"""A last step that moves no predictor by more than this leaves an error of its square."""
_LONGEST = 20.0
"""A step that moves some predictor by more than this is no Newton step near the maximum."""


def fit_logits(covariates: Floats, members: Ints, in_pool: Bools) -> Floats:
    """Return the predictors x'β of logits of many sets of treated units, shape (n_sets, n).

    Parameters
    ----------
    covariates : shape (n, k), a constant and columns at mean 0 and SD 1 (see `standardised`)
    members : shape (n_sets, m), positions of each set's treated units, −1 where it has fewer
    in_pool : shape (n_sets, n), the comparison units of each set

    Notes
    -----
    Newton's method from the coefficients of the linear discriminant, which are near where few are treated; all sets
    take a step at a time. It ends at the maximum itself, some 1e-9 from where `fit_binary` ends. A set for which it
    does not settle (or none exists) has NaN: `fit_binary` says what is the matter with it.
    """
    k = covariates.shape[1]
    crossed_columns = np.triu_indices(k)
    products = np.ascontiguousarray(covariates[:, crossed_columns[0]] * covariates[:, crossed_columns[1]])
    is_there, at = members >= 0, np.maximum(members, 0)
    treated = np.where(is_there[:, :, None], covariates[at], 0.0)
    among = in_pool.T.astype(float)
    for set_, (units, there) in enumerate(zip(at, is_there, strict=True)):
        among[units[there], set_] = 1.0
    beta, is_open = _discriminant(covariates, products, treated, in_pool)
    answer, furthest = np.full((len(members), k), np.nan), np.abs(covariates).max(axis=0)
    for _ in range(_BATCH_STEPS):
        rows = np.flatnonzero(is_open)
        if not len(rows):
            break
        there = among if len(rows) == len(beta) else among[:, rows]
        step = _logit_steps(covariates, products, treated[rows].sum(axis=1), there, beta[rows])
        longest = np.abs(step) @ furthest  # no predictor moves by more
        is_wild = ~np.isfinite(longest) | (longest > 100 * _LONGEST)
        step *= np.where(longest > _LONGEST, _LONGEST / np.where(longest > 0, longest, 1.0), 1.0)[:, None]
        beta[rows] += step
        is_done = longest <= _SETTLED
        answer[rows[is_done]] = beta[rows[is_done]]
        is_open[rows[is_done | is_wild]] = False
    return np.array([applied(covariates, coefficients) for coefficients in answer])


def _discriminant(covariates: Floats, products: Floats, treated: Floats, in_pool: Bools) -> tuple[Floats, Bools]:
    """Return Σ⁻¹(x̄₁ − x̄₀) with its constant for each set, shape (n_sets, k), and for which there is one."""
    k = covariates.shape[1]
    beta, exists = np.zeros((len(treated), k)), np.zeros(len(treated), dtype=bool)
    pool = in_pool.astype(float)
    sums, squares = crossed(pool.T, covariates), _symmetric(crossed(pool.T, products), k)
    for at in range(len(treated)):
        n_treated, n_pool = treated[at, :, 0].sum(), sums[at, 0]
        if n_treated == 0 or n_pool <= k:
            continue
        mean, mean_treated = sums[at, 1:] / n_pool, treated[at, :, 1:].sum(axis=0) / n_treated
        spread = squares[at, 1:, 1:] / n_pool - np.outer(mean, mean)
        if is_collinear(squares[at]):
            continue
        inverse = np.linalg.inv(spread)
        slopes = inverse @ (mean_treated - mean)
        beta[at, 1:] = slopes
        beta[at, 0] = np.log(n_treated / n_pool) - 0.5 * (mean_treated + mean) @ slopes
        exists[at] = True
    return beta, exists


def _logit_steps(covariates: Floats, products: Floats, treated: Floats, among: Floats, beta: Floats) -> Floats:
    """Return Newton's step of each set, shape (n_sets, k), NaN where there is none."""
    k = covariates.shape[1]
    gradient, information = treated.copy(), np.zeros((len(beta), products.shape[1]))
    n_rows = max(1, min(_ROWS, SMALL // (products.shape[1] * len(beta))))
    for first in range(0, len(covariates), n_rows):
        at = slice(first, first + n_rows)
        x = covariates[at]
        share = x @ -beta.T
        np.minimum(share, _FAR, out=share)
        np.exp(share, out=share)
        share += 1.0
        np.divide(among[at], share, out=share)  # the share of those there are, 0 of the others
        gradient -= share.T @ x
        share -= share**2
        information += share.T @ products[at]
    step = np.full(beta.shape, np.nan)
    for row, matrix in enumerate(_symmetric(information, k)):
        if np.isfinite(matrix).all() and not is_collinear(matrix):
            step[row] = np.linalg.solve(matrix, gradient[row])
    return step


_ROWS = 1024
"""Rows of some tens of sets at a time, which stay in the processor's cache."""
_FAR = 700.0


def _symmetric(upper: Floats, k: int) -> Floats:
    """Return symmetric matrices, shape (n, k, k), from the rows of their upper triangles."""
    row, column = np.triu_indices(k)
    full = np.empty((len(upper), k, k))
    full[:, row, column] = upper
    full[:, column, row] = upper
    return full
