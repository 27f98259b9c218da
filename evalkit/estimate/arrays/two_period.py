"""Effects from changes between two periods: outcome regression, inverse probability, doubly robust."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.design.arrays.dependence import dependence
from evalkit.design.arrays.products import by_rows, crossed, summed
from evalkit.design.arrays.propensity import Logit, fit_logit, is_collinear, standardised

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Method = Literal["dr", "ipw", "reg"]

LARGEST_COMPARISON_SCORE = 0.995
"""Comparison units with a higher score weigh nothing: their odds would swamp all others."""
ALL_TRIMMED = (
    f"every comparison unit has a propensity score of {LARGEST_COMPARISON_SCORE} or more, so that none is left"
)


class TwoPeriod(NamedTuple):
    """Effects of c changes (c,), what n units contribute to their errors (n, c), and why there is none, or "".

    Where covariates are why, `dependent` holds their positions (one that does not vary, or several of which the last
    follows from the others), and `failure` among whom.
    """

    effect: Floats
    contribution: Floats
    failure: str
    n_trimmed: int = 0
    dependent: tuple[int, ...] = ()


def failed(reason: str, dependent: tuple[int, ...] = ()) -> TwoPeriod:
    """Return that there is no effect, and why."""
    return TwoPeriod(np.empty(0), np.empty((0, 0)), reason, dependent=dependent)


def dependent_among(covariates: Floats, weight: Floats) -> tuple[int, ...]:
    """Return which covariates, shape (n, k), are collinear or do not vary, those that make it up first."""
    found = dependence(standardised(covariates, weight)[:, 1:])
    return tuple(range(covariates.shape[1])) if found is None else (*found.made_of, found.column)


def mean_differences(change: Floats, treated: Bools, weight: Floats) -> TwoPeriod:
    """Compare weighted mean changes of treated and comparison units.

    Parameters
    ----------
    change : shape (n, c)
    treated : shape (n,)
    weight : shape (n,)

    Returns
    -------
    TwoPeriod
        effect = m₁ − m₀; unit i contributes ± w_i (change_i − m) / Σw of its arm.
    """
    arms, effect = [], np.zeros(change.shape[1])
    contribution = np.empty_like(change)
    for is_arm, sign in ((treated, 1.0), (~treated, -1.0)):
        share = weight[is_arm] / weight[is_arm].sum()
        mean = summed(share, change[is_arm])
        arms.append(mean)
        contribution[is_arm] = sign * share[:, None] * (change[is_arm] - mean)
        effect += sign * mean
    return TwoPeriod(effect, contribution, "")


def two_period_effects(change: Floats, treated: Bools, covariates: Floats, weight: Floats, method: Method) -> TwoPeriod:
    """Return the average effect on the treated given covariates, for several changes of the same units.

    Parameters
    ----------
    change : shape (n, c)
        Outcome in a period less outcome in the base period; one column for each comparison.
    treated : shape (n,)
    covariates : shape (n, k), without a constant; k may be 0
    weight : shape (n,)
    method : "reg" (outcome regression; Heckman, Ichimura and Todd, 1997), "ipw" (inverse probability with
        normalised weights; Abadie, 2005; Hájek), "dr" (doubly robust; Sant'Anna and Zhao, 2020, logit by
        maximum likelihood and weighted least squares)

    Returns
    -------
    TwoPeriod
        With r = change − x'β (β from comparison units; 0 for "ipw"), w₁ = w·D and w₀ = w·(1 − D)·p/(1 − p)
        (0 for "reg"): effect = Σw₁r/Σw₁ − Σw₀r/Σw₀. Contributions carry the estimation of β and p.
    """
    if covariates.shape[1] == 0:
        return mean_differences(change, treated, weight)
    x = standardised(covariates, weight)
    own, other = weight * treated, weight * ~treated
    product = crossed(x, x * other[:, None])
    if (~treated).sum() <= x.shape[1]:
        return failed(f"{(~treated).sum()} comparison units are too few for {x.shape[1]} coefficients")
    if is_collinear(product):
        return failed("among the comparison units", dependent_among(covariates[~treated], weight[~treated]))
    logit = fit_logit(x, treated, weight) if method != "reg" else None
    if logit is not None and logit.failure:
        return failed(logit.failure)
    odds, n_trimmed = _odds(logit, other)
    if odds is not None and not odds.any():
        return failed(ALL_TRIMMED)
    beta = np.linalg.solve(product, crossed(x * other[:, None], change)) if method != "ipw" else None
    residual = change if beta is None else change - by_rows(x, beta)
    return _combined(x, residual, own, other, _Fits(product if beta is not None else None, logit, odds, n_trimmed))


class _Fits(NamedTuple):
    """What was estimated on the way: X'WX of the outcome regression, the logit, weights by the odds."""

    product: Floats | None
    logit: Logit | None
    odds: Floats | None
    n_trimmed: int


def _odds(logit: Logit | None, other: Floats) -> tuple[Floats | None, int]:
    if logit is None:
        return None, 0
    trimmed = (other > 0) & (logit.score >= LARGEST_COMPARISON_SCORE)
    odds: Floats = np.where(trimmed, 0.0, other * logit.score / (1 - logit.score))
    return odds, int(trimmed.sum())


def _combined(x: Floats, residual: Floats, own: Floats, other: Floats, fits: _Fits) -> TwoPeriod:
    """Return effects and contributions from residuals (n, c) and the weights of both arms (n,)."""
    own_mean = summed(own, residual) / own.sum()
    effect, contribution = own_mean, (own / own.sum())[:, None] * (residual - own_mean)
    target = summed(own, x) / own.sum()
    if fits.logit is not None and fits.odds is not None:
        total = fits.odds.sum()
        odds_mean = summed(fits.odds, residual) / total
        spread = (fits.odds / total)[:, None] * (residual - odds_mean)
        effect = effect - odds_mean
        contribution -= spread
        slope = fits.logit.inverse_information @ crossed(x, spread)  # by the score's coefficients
        surprise = own * (1 - fits.logit.score) - other * fits.logit.score
        contribution -= by_rows(surprise[:, None] * x, slope)
        target = target - summed(fits.odds, x) / total
    if fits.product is not None:
        contribution -= (other * (x @ np.linalg.solve(fits.product, target)))[:, None] * residual
    return TwoPeriod(effect, contribution, "", fits.n_trimmed)
