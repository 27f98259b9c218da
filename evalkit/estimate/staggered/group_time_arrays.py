"""Effects from two periods, the same units or others: outcome regression, inverse probability, doubly robust."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats
from evalkit.design.algebra_arrays import applied, by_rows, crossed, dependence, is_collinear, summed
from evalkit.design.matching.scores_arrays import Logit, fit_logit, standardised

# Effects from changes between two periods: outcome regression, inverse probability, doubly robust.

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
    treated_weight, comparison_weight = weight * treated, weight * ~treated
    product = crossed(x, x * comparison_weight[:, None])
    if (~treated).sum() <= x.shape[1]:
        return failed(f"{(~treated).sum()} comparison units are too few for {x.shape[1]} coefficients")
    if is_collinear(product):
        return failed("among the comparison units", dependent_among(covariates[~treated], weight[~treated]))
    logit = fit_logit(x, treated, weight) if method != "reg" else None
    if logit is not None and logit.failure:
        return failed(logit.failure)
    odds, n_trimmed = _odds(logit, comparison_weight)
    if odds is not None and not odds.any():
        return failed(ALL_TRIMMED)
    beta = np.linalg.solve(product, crossed(x * comparison_weight[:, None], change)) if method != "ipw" else None
    residual = change if beta is None else change - by_rows(x, beta)
    fits = _Fits(product if beta is not None else None, logit, odds, n_trimmed)
    return _combined(x, residual, treated_weight, comparison_weight, fits)


class _Fits(NamedTuple):
    """What was estimated on the way: X'WX of the outcome regression, the logit, weights by the odds."""

    product: Floats | None
    logit: Logit | None
    odds: Floats | None
    n_trimmed: int


def _odds(logit: Logit | None, comparison_weight: Floats) -> tuple[Floats | None, int]:
    if logit is None:
        return None, 0
    trimmed = (comparison_weight > 0) & (logit.score >= LARGEST_COMPARISON_SCORE)
    odds: Floats = np.where(trimmed, 0.0, comparison_weight * logit.score / (1 - logit.score))
    return odds, int(trimmed.sum())


def _combined(x: Floats, residual: Floats, treated_weight: Floats, comparison_weight: Floats, fits: _Fits) -> TwoPeriod:
    """Return effects and contributions from residuals (n, c) and the weights of both arms (n,)."""
    treated_mean = summed(treated_weight, residual) / treated_weight.sum()
    effect, contribution = treated_mean, (treated_weight / treated_weight.sum())[:, None] * (residual - treated_mean)
    target = summed(treated_weight, x) / treated_weight.sum()
    if fits.logit is not None and fits.odds is not None:
        total = fits.odds.sum()
        odds_mean = summed(fits.odds, residual) / total
        spread = (fits.odds / total)[:, None] * (residual - odds_mean)
        effect = effect - odds_mean
        contribution -= spread
        slope = fits.logit.inverse_information @ crossed(x, spread)  # by the score's coefficients
        surprise = treated_weight * (1 - fits.logit.score) - comparison_weight * fits.logit.score
        contribution -= by_rows(surprise[:, None] * x, slope)
        target = target - summed(fits.odds, x) / total
    if fits.product is not None:
        contribution -= (comparison_weight * (x @ np.linalg.solve(fits.product, target)))[:, None] * residual
    return TwoPeriod(effect, contribution, "", fits.n_trimmed)


# Effects from two periods with other people in each: outcome regression, inverse probability, doubly robust.

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
