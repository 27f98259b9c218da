"""Effects from two periods with other people in each: outcome regression, inverse probability, doubly robust."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.estimate.arrays.propensity import Logit, fit_logit, is_collinear, standardised
from evalkit.estimate.arrays.two_period import LARGEST_COMPARISON_SCORE, Method, TwoPeriod, failed

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Sections(NamedTuple):
    """Observations of two periods: outcome, covariates without a constant (n, k), treated, after, weight; else (n,)."""

    outcome: Floats
    covariates: Floats
    treated: Bools
    after: Bools
    weight: Floats


def section_effect(sections: Sections, method: Method) -> TwoPeriod:
    """Return the average effect on the treated from repeated cross-sections of two periods.

    Parameters
    ----------
    sections : Sections
        Every treated and comparison observation of the base period and of the later one.
    method : "reg", "ipw" (normalised), or "dr" (the locally efficient doubly robust estimator of Sant'Anna
        and Zhao, 2020, with regressions for treated and comparison observations of both periods)

    Returns
    -------
    TwoPeriod, with one effect
        The composition of each arm is taken to be the same in both periods (their assumption 1(b)).
        Contributions carry the estimation of every regression and of the propensity score.
    """
    means = [(arm, period) for arm in (True, False) for period in (True, False)]
    cells = {key: (sections.treated == key[0]) & (sections.after == key[1]) for key in means}
    if not all(cell.any() for cell in cells.values()):
        return failed("an arm has no observation in one of the two periods")
    if sections.covariates.shape[1] == 0:
        return _of_means(sections, cells)
    x = standardised(sections.covariates, sections.weight)
    arms = [key for key in means if method == "dr" or (method == "reg" and not key[0])]
    fits = {key: _least_squares(x, sections, cells[key]) for key in arms}
    if any(fit is None for fit in fits.values()):
        return failed(
            "an arm has too few observations for the covariates in one of the two periods, or they are collinear"
        )
    logit = fit_logit(x, sections.treated, sections.weight) if method != "reg" else None
    if logit is not None and logit.failure:
        return failed(logit.failure)
    return _adjusted(_Adjustment(sections, x, cells, {key: fit for key, fit in fits.items() if fit}, logit))


def _of_means(sections: Sections, cells: dict[tuple[bool, bool], Bools]) -> TwoPeriod:
    """Return the difference in differences of four weighted means."""
    effect, contribution = 0.0, np.zeros(len(sections.outcome))
    for (is_treated, is_after), cell in cells.items():
        mean, spread = _mean(sections.outcome[cell], sections.weight[cell])
        sign = 1.0 if is_treated == is_after else -1.0
        effect += sign * mean
        contribution[cell] += sign * spread
    return TwoPeriod(np.array([effect]), contribution[:, None], "")


def _mean(values: Floats, weight: Floats) -> tuple[float, Floats]:
    """Return a weighted mean and what each value contributes to its error."""
    share = weight / weight.sum()
    mean = float(share @ values)
    return mean, share * (values - mean)


class _Fit(NamedTuple):
    """Weighted least squares of one arm in one period: β (k,) and (X'WX)⁻¹."""

    beta: Floats
    inverse: Floats


def _least_squares(x: Floats, sections: Sections, cell: Bools) -> _Fit | None:
    weighted = x[cell] * sections.weight[cell][:, None]
    product = x[cell].T @ weighted
    if cell.sum() <= x.shape[1] or is_collinear(product):
        return None
    inverse = np.asarray(np.linalg.inv(product), dtype=np.float64)
    return _Fit(inverse @ (weighted.T @ sections.outcome[cell]), inverse)


class _Adjustment(NamedTuple):
    """What an adjusted effect is made of; `fits` and `logit` hold what the method uses."""

    sections: Sections
    x: Floats
    cells: dict[tuple[bool, bool], Bools]
    fits: dict[tuple[bool, bool], _Fit]
    logit: Logit | None


def _adjusted(given: _Adjustment) -> TwoPeriod:
    """Return effect and contributions, part by part: treated, regressions, comparison weighted by the odds."""
    effect, contribution = _treated_part(given)
    target = {True: _treated_mean(given), False: _treated_mean(given)}
    n_trimmed = 0
    if given.logit is not None:
        weighted, spread, n_trimmed, own = _odds_part(given, given.logit, target)
        effect -= weighted
        contribution -= spread
        target = own
    for (is_treated, is_after), fit in given.fits.items():
        cell = given.cells[is_treated, is_after]
        aim = _treated_mean(given) if is_treated else target[is_after]
        sign = 1.0 if is_treated == is_after else -1.0
        residual = given.sections.outcome[cell] - given.x[cell] @ fit.beta
        contribution[cell] += sign * given.sections.weight[cell] * residual * (given.x[cell] @ (fit.inverse @ aim))
    return TwoPeriod(np.array([effect]), contribution[:, None], "", n_trimmed)


def _treated_mean(given: _Adjustment) -> Floats:
    """Return the mean covariates of the treated of both periods, shape (k,): regressions are averaged there."""
    own = given.sections.weight * given.sections.treated
    mean: Floats = own @ given.x / own.sum()
    return mean


def _treated_part(given: _Adjustment) -> tuple[float, Floats]:
    """Return the change of the treated less what regressions predict for them, and its contributions."""
    sections, treated = given.sections, given.sections.treated
    contribution = np.zeros(len(treated))
    effect = 0.0
    if (True, True) not in given.fits:  # the treated are represented by their means
        for is_after, sign in ((True, 1.0), (False, -1.0)):
            cell = given.cells[True, is_after]
            mean, spread = _mean(sections.outcome[cell], sections.weight[cell])
            effect += sign * mean
            contribution[cell] += sign * spread
    if given.fits:
        slope = sum((1.0 if key[0] == key[1] else -1.0) * fit.beta for key, fit in given.fits.items())
        predicted, spread = _mean(given.x[treated] @ slope, sections.weight[treated])
        effect += predicted
        contribution[treated] += spread
    return effect, contribution


def _odds_part(
    given: _Adjustment, logit: Logit, target: dict[bool, Floats]
) -> tuple[float, Floats, int, dict[bool, Floats]]:
    """Return the change of the comparison arm weighted by the odds, contributions, trimmed units, regression aims."""
    sections, x = given.sections, given.x
    total, contribution, aims = 0.0, np.zeros(len(x)), dict[bool, Floats]()
    trimmed = ~sections.treated & (logit.score >= LARGEST_COMPARISON_SCORE)
    odds = np.where(trimmed, 0.0, sections.weight * logit.score / (1 - logit.score))
    for is_after, sign in ((True, 1.0), (False, -1.0)):
        cell = given.cells[False, is_after]
        fit = given.fits.get((False, is_after))
        residual = sections.outcome[cell] - (x[cell] @ fit.beta if fit else 0.0)
        mean, spread = _mean(residual, odds[cell])
        total += sign * mean
        contribution[cell] += sign * spread
        aims[is_after] = target[is_after] - odds[cell] @ x[cell] / odds[cell].sum()
    slope = logit.inverse_information @ (x.T @ contribution)
    surprise = sections.weight * (sections.treated - logit.score)
    return total, contribution + surprise * (x @ slope), int(trimmed.sum()), aims
