"""Effects from two periods with other people in each: outcome regression, inverse probability, doubly robust."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.design.arrays.products import applied, crossed, summed
from evalkit.design.arrays.propensity import Logit, fit_logit, is_collinear, standardised
from evalkit.estimate.arrays.two_period import (
    ALL_TRIMMED,
    LARGEST_COMPARISON_SCORE,
    Method,
    TwoPeriod,
    dependent_among,
    failed,
)

Floats = NDArray[np.float64]


Arm = tuple[bool, bool]
"""Treated or not, after or before."""

ARMS: Final[tuple[Arm, ...]] = ((True, False), (True, True), (False, False), (False, True))


class Sections(NamedTuple):
    """Observations of two periods, arm after arm in the order of `ARMS`, each arm of the size in `sizes`.

    Outcome and weight have shape (n,), covariates (n, k) without a constant.
    """

    outcome: Floats
    covariates: Floats
    weight: Floats
    sizes: tuple[int, int, int, int]

    def arm(self, arm: Arm) -> slice:
        """Return where an arm stands."""
        at = ARMS.index(arm)
        return slice(sum(self.sizes[:at]), sum(self.sizes[: at + 1]))

    @property
    def treated(self) -> slice:
        """Return where the treated of both periods stand: before all others."""
        return slice(0, self.sizes[0] + self.sizes[1])


def _sign(arm: Arm) -> float:
    """Return + for the treated after and the others before, − for the rest: the sign in a difference in differences."""
    return 1.0 if arm[0] == arm[1] else -1.0


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
    if not all(sections.sizes):
        return failed("an arm has no observation in one of the two periods")
    if sections.covariates.shape[1] == 0:
        return _of_means(sections)
    x = standardised(sections.covariates, sections.weight)
    arms = [arm for arm in ARMS if method == "dr" or (method == "reg" and not arm[0])]
    fits = {arm: _least_squares(x, sections, arm) for arm in arms}
    without = next((arm for arm, fit in fits.items() if fit is None), None)
    if without is not None:
        return _not_fitted(sections, without)
    logit = None
    if method != "reg":
        logit = fit_logit(x, np.arange(len(x)) < sections.treated.stop, sections.weight)
        if logit.failure:
            return failed(logit.failure)
        if any(logit.score[sections.arm(arm)].min() >= LARGEST_COMPARISON_SCORE for arm in ARMS[2:]):
            return failed(ALL_TRIMMED)
    return _adjusted(_Adjustment(sections, x, {arm: fit for arm, fit in fits.items() if fit}, logit))


def _of_means(sections: Sections) -> TwoPeriod:
    """Return the difference in differences of four weighted means."""
    effect, contribution = 0.0, np.empty(len(sections.outcome))
    for arm in ARMS:
        at = sections.arm(arm)
        mean, spread = _mean(sections.outcome[at], sections.weight[at])
        effect += _sign(arm) * mean
        contribution[at] = _sign(arm) * spread
    return TwoPeriod(np.array([effect]), contribution[:, None], "")


def _mean(values: Floats, weight: Floats) -> tuple[float, Floats]:
    """Return a weighted mean and what each value contributes to its error."""
    share = weight / weight.sum()
    mean = float((share * values).sum())
    return mean, share * (values - mean)


class _Fit(NamedTuple):
    """Weighted least squares of one arm in one period: β (k,) and (X'WX)⁻¹."""

    beta: Floats
    inverse: Floats


def _least_squares(x: Floats, sections: Sections, arm: Arm) -> _Fit | None:
    at = sections.arm(arm)
    weighted = x[at] * sections.weight[at][:, None]
    product = crossed(x[at], weighted)
    if len(weighted) <= x.shape[1] or is_collinear(product):
        return None
    inverse = np.asarray(np.linalg.inv(product), dtype=np.float64)
    return _Fit(inverse @ summed(sections.outcome[at], weighted), inverse)


def _not_fitted(sections: Sections, arm: Arm) -> TwoPeriod:
    """Return why the regression of an arm does not exist: too few observations, or covariates that are collinear."""
    at, (is_treated, is_before) = sections.arm(arm), arm
    whom = f"{'treated' if is_treated else 'comparison'} observations of {'the base' if is_before else 'that'} period"
    n, k = sections.covariates[at].shape
    if n <= k + 1:
        return failed(f"the {whom} are too few for {k + 1} coefficients")  # without their number: they may be people
    return failed(f"among the {whom}", dependent_among(sections.covariates[at], sections.weight[at]))


class _Adjustment(NamedTuple):
    """What an adjusted effect is made of; `fits` and `logit` hold what the method uses."""

    sections: Sections
    x: Floats
    fits: dict[Arm, _Fit]
    logit: Logit | None


def _adjusted(given: _Adjustment) -> TwoPeriod:
    """Return effect and contributions, part by part: treated, comparison weighted by the odds, regressions."""
    sections, x = given.sections, given.x
    effect, contribution = _treated_part(given)
    own = sections.weight[sections.treated]
    treated_mean = summed(own, x[sections.treated]) / own.sum()
    aims = dict.fromkeys(ARMS, treated_mean)  # where each regression is averaged
    n_trimmed = 0
    if given.logit is not None:
        weighted, spread, n_trimmed, odds_means = _odds_part(given, given.logit)
        effect -= weighted
        contribution -= spread
        aims |= {arm: treated_mean - mean for arm, mean in odds_means.items()}
    for arm, fit in given.fits.items():
        at = sections.arm(arm)
        residual = sections.outcome[at] - applied(x[at], fit.beta)
        contribution[at] += _sign(arm) * sections.weight[at] * residual * applied(x[at], fit.inverse @ aims[arm])
    return TwoPeriod(np.array([effect]), contribution[:, None], "", n_trimmed)


def _treated_part(given: _Adjustment) -> tuple[float, Floats]:
    """Return the change of the treated less what regressions predict for them, and its contributions."""
    sections = given.sections
    effect, contribution = 0.0, np.zeros(len(sections.outcome))
    for arm in ARMS[:2]:
        if arm not in given.fits:  # the treated are then represented by their means
            at = sections.arm(arm)
            mean, spread = _mean(sections.outcome[at], sections.weight[at])
            effect += _sign(arm) * mean
            contribution[at] += _sign(arm) * spread
    if given.fits:
        slope = np.sum([_sign(arm) * fit.beta for arm, fit in given.fits.items()], axis=0)
        predicted, spread = _mean(applied(given.x[sections.treated], slope), sections.weight[sections.treated])
        effect += predicted
        contribution[sections.treated] += spread
    return effect, contribution


def _odds_part(given: _Adjustment, logit: Logit) -> tuple[float, Floats, int, dict[Arm, Floats]]:
    """Return the change of the comparison arm weighted by the odds, contributions, trimmed rows, mean covariates."""
    sections, x = given.sections, given.x
    total, contribution, means, n_trimmed = 0.0, np.zeros(len(x)), dict[Arm, Floats](), 0
    for arm in ARMS[2:]:
        at = sections.arm(arm)
        score, fit = logit.score[at], given.fits.get(arm)
        trimmed = score >= LARGEST_COMPARISON_SCORE
        odds = np.where(trimmed, 0.0, sections.weight[at] * score / (1 - score))
        residual = sections.outcome[at] - (applied(x[at], fit.beta) if fit else 0.0)
        mean, spread = _mean(residual, odds)
        total -= _sign(arm) * mean
        contribution[at] = -_sign(arm) * spread
        means[arm] = summed(odds, x[at]) / odds.sum()
        n_trimmed += int(trimmed.sum())
    slope = logit.inverse_information @ summed(contribution, x)
    surprise = -sections.weight * logit.score
    surprise[sections.treated] += sections.weight[sections.treated]
    return total, contribution + surprise * applied(x, slope), n_trimmed, means
