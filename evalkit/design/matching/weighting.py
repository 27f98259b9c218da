"""Weighting: by the inverse of the score, for entropy balance, and by the score whose weights balance the means."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Bools, Floats
from evalkit.core.errors import DesignError
from evalkit.core.scipy_parts import special
from evalkit.core.sentence import Derived, Sentence, count, joined
from evalkit.core.words import listed
from evalkit.data.baseline import Baseline
from evalkit.design.algebra_arrays import applied, dependence, summed
from evalkit.design.matching.features import require_arms, require_variation, score_columns
from evalkit.design.matching.matched import MatchedDesign, in_target
from evalkit.design.matching.options import CovariateBalancing, EntropyBalancing, InverseProbability, Target
from evalkit.design.matching.scores import propensity_score
from evalkit.design.matching.scores_arrays import standardised
from evalkit.design.matching.weighting_arrays import BALANCED, balanced_log_odds, entropy_balance
from evalkit.design.weights_arrays import effective_n

# Inverse probability weighting: weights from the propensity score.

_ODDS_IN_WORDS = {
    "ATT": "each weighs by its odds of having been treated, given the covariates",
    "ATC": "each weighs by its odds of not having been treated, given the covariates",
    "ATE": "each weighs by the inverse of its chance of being in its arm, given the covariates",
}


def inverse_probability(baseline: Baseline, option: InverseProbability, target: Target) -> MatchedDesign:
    """Return weights from the odds or the inverse of the propensity score (Rosenbaum, 1987; Hirano and Imbens, 2001).

    The score is fitted once, to all units. With `trim` units with scores outside [trim, 1 − trim] are left out
    afterwards; the effect is then one on the units that stay, and a note says how many were left out.

    Raises
    ------
    DesignError
        Where the score cannot be fitted, `trim` is no share below a half, or trimming empties an arm.
    """
    trim = option.trim
    if trim is not None and not 0 <= trim < 0.5:
        raise DesignError(f"Scores are trimmed at a share of at least 0 and below 0.5, not at {trim}.")
    score = propensity_score(baseline, option.link)
    discarded = np.zeros(len(score), dtype=bool) if trim is None else (score < trim) | (score > 1 - trim)
    weights = score_weights(baseline, score, ~discarded, target)
    notes = weight_notes(baseline.is_treated[~discarded], weights[~discarded], target, _ODDS_IN_WORDS[target])
    return MatchedDesign(
        baseline=baseline,
        option=option,
        target=target,
        weights=weights,
        score=score,
        discarded=discarded,
        notes=(*notes, *_trimmed(baseline, discarded, trim)),
    )


def _trimmed(baseline: Baseline, discarded: NDArray[np.bool_], trim: float | None) -> tuple[str, ...]:
    if trim is None:
        return ()
    is_treated = baseline.is_treated
    treated, comparison = int((discarded & is_treated).sum()), int((discarded & ~is_treated).sum())
    n_treated = int(is_treated.sum())
    return (
        Sentence(
            "{treated} treated and {comparison} with a score below {low} or above {high} are left out; the score was "
            "fitted before, to all units.",
            treated=count(treated, among=n_treated),
            comparison=count(comparison, "units", "comparison unit", among=len(is_treated) - n_treated),
            low=f"{trim:g}",
            high=f"{1 - trim:g}",
        ),
    )


def score_weights(baseline: Baseline, score: Floats, is_kept: Bools, target: Target) -> Floats:
    """Return odds of the score (ATT, ATC) or its inverse (ATE) for units kept, scaled by arm. Shape (n_units,).

    Raises
    ------
    DesignError
        Where a unit's score is 0 or 1 to the last digit, so that it has no counterpart and no finite weight.
    """
    is_treated = baseline.is_treated
    chance = np.where(is_treated, score, 1 - score)
    weights = is_kept.astype(float)
    for arm, name in weighted_arms(is_treated, target):
        rows = np.flatnonzero(arm & is_kept)
        if not len(rows):
            raise DesignError(
                f"No {name} unit has a score within the bounds, so there is nothing to compare. Trim less, or match."
            )
        is_certain = chance[rows] < np.finfo(float).eps
        if is_certain.any():
            row = rows[int(np.argmax(is_certain))]
            raise DesignError(
                f"The score of the {name} unit '{baseline.units.index[row]}' is {score[row]:.0f}: no unit of the "
                "other arm is like it, and its weight would be infinite. Trim, or leave out what sets it apart."
            )
        # 1/p − 1 is (1 − p)/p, the odds of having been in the other arm; for the ATE the inverse itself
        weights[rows] = 1 / chance[rows] - (target != "ATE")
        weights[rows] *= np.count_nonzero(weights[rows]) / weights[rows].sum()
    return weights


# Entropy balancing: the weights nearest to equal ones under which means are equal.


def entropy_balancing(baseline: Baseline, option: EntropyBalancing, target: Target) -> MatchedDesign:
    """Return the weights nearest to equal ones whose means equal the target group's (Hainmueller, 2012).

    Means of numbers, and of their powers up to `moments`, and shares of categories are equal to 1e-9 SDs. The
    treated (ATT) or comparison units (ATC) count one each; for the ATE both arms are balanced to all units' means.

    Raises
    ------
    DesignError
        Where covariates do not vary or are collinear, or no weights reach the means; the covariate is named.
    """
    is_treated = baseline.is_treated
    weights = towards_target(columns_to_balance(baseline, option.moments), is_treated, target).weights
    powers = "" if option.moments == 1 else f" and of powers up to the {['second', 'third'][option.moments - 2]}"
    how = f"the means of every covariate{powers} are equal, by the weights nearest to equal ones"
    return MatchedDesign(
        baseline=baseline,
        option=option,
        target=target,
        weights=weights,
        discarded=np.zeros(len(weights), dtype=bool),
        notes=weight_notes(is_treated, weights, target, how),
    )


# The covariate-balancing propensity score: a logit whose coefficients are those that balance the means.

_BALANCING_ODDS_IN_WORDS = {
    "ATT": "each weighs by odds of having been treated that are fitted to make the means of every covariate equal",
    "ATC": "each weighs by odds of not having been treated that are fitted to make the means of every covariate equal",
    "ATE": "each weighs by the inverse of a chance of being in its arm that is fitted to make the means of every "
    "covariate equal between the arms",
}


def covariate_balancing(baseline: Baseline, option: CovariateBalancing, target: Target) -> MatchedDesign:
    """Return weights from a logit fitted by balance rather than likelihood (Imai and Ratkovic, 2014, just-identified).

    For the ATT and ATC the odds are exponential in the covariates and balance the means exactly, so that weights
    are those of entropy balancing. For the ATE the arms' weighted means are equal to each other; they need not be
    those of all units.

    Raises
    ------
    DesignError
        Where covariates do not vary or are collinear, or no coefficients balance them.
    """
    columns, is_treated = columns_to_balance(baseline), baseline.is_treated
    if target == "ATE":
        score = _score_for_all(baseline, columns)
        weights = score_weights(baseline, score, np.ones(len(score), dtype=bool), target)
    else:
        reached = towards_target(columns, is_treated, target)
        weights, score = reached.weights, _score_of(reached, columns, is_treated, target)
    return MatchedDesign(
        baseline=baseline,
        option=option,
        target=target,
        weights=weights,
        score=score,
        discarded=np.zeros(len(score), dtype=bool),
        notes=weight_notes(is_treated, weights, target, _BALANCING_ODDS_IN_WORDS[target]),
    )


def _score_for_all(baseline: Baseline, columns: BalanceColumns) -> Floats:
    constant = np.ones(len(columns.values))
    log_odds = balanced_log_odds(np.column_stack([constant, columns.values]), baseline.is_treated)
    if log_odds is not None:
        score: Floats = special.expit(log_odds)
        return score
    propensity_score(baseline, "logit")  # names what separates the arms, where that is why
    raise DesignError(
        "No coefficients of a logit balance every covariate between the arms. Leave out covariates or units without "
        "counterparts, or weight by entropy balancing, which names the covariate that fails."
    )


def _score_of(reached: Reached, columns: BalanceColumns, is_treated: Bools, target: Target) -> Floats:
    """Return the logit score whose odds the weights are; 0 or 1 for units that weigh nothing."""
    away = ~is_treated if target == "ATT" else is_treated
    log_odds = applied(columns.values, reached.coefficients[0])
    # weights fix log odds but for their constant, which the heaviest unit gives with the least rounding
    heaviest = int(np.argmax(np.where(away, reached.weights, 0.0)))
    odds = reached.weights[heaviest] * np.count_nonzero(~away) / reached.weights[away].sum()
    log_odds += np.log(odds) - log_odds[heaviest]
    log_odds[away & (reached.weights == 0)] = -np.inf
    return np.asarray(special.expit(log_odds if target == "ATT" else -log_odds), dtype=np.float64)


# Columns that weights must balance, the means they must reach, and what is said where they cannot.

_AT_THE_EDGE = 1e-12
_SLACK = 1e-4


class BalanceColumns(NamedTuple):
    """Covariates at mean 0 and SD 1 and their powers (n_units, k), and a name for each."""

    values: Floats
    names: tuple[str, ...]


def columns_to_balance(baseline: Baseline, moments: int = 1) -> BalanceColumns:
    """Return covariates, and powers of numbers up to `moments`, at mean 0 and SD 1 over all units.

    A covariate of m different values has no more than m − 1 powers that say something new.

    Raises
    ------
    DesignError
        Where an arm is empty, a covariate does not vary, or covariates are collinear.
    """
    if moments not in (1, 2, 3):
        raise DesignError(f"Means of powers up to the first, second or third are balanced, not {moments}.")
    require_arms(baseline.is_treated)
    require_variation(baseline)
    raw, names = score_columns(baseline)
    equal = np.ones(len(raw))
    first = standardised(raw, equal)[:, 1:]
    columns, labels = [first], list(names)
    for power in range(2, moments + 1):
        further = [k for k in range(len(names)) if len(np.unique(raw[:, k])) > power]
        columns.append(standardised(first[:, further] ** power, equal)[:, 1:])
        labels += [f"{names[k]} to the power {power}" for k in further]
    values = np.column_stack(columns) if moments > 1 else first
    _require_rank(values, labels)
    return BalanceColumns(values, tuple(labels))


def weighted_arms(is_treated: Bools, target: Target) -> list[tuple[Bools, str]]:
    """Return the arms that are weighted towards the target group, with their names."""
    arms = [(is_treated, "treated"), (~is_treated, "comparison")]
    return {"ATT": arms[1:], "ATC": arms[:1], "ATE": arms}[target]


class Reached(NamedTuple):
    """Weights (n_units,), and for each arm that is weighted the coefficients of its log weights (k,)."""

    weights: Floats
    coefficients: tuple[Floats, ...]


def towards_target(columns: BalanceColumns, is_treated: Bools, target: Target) -> Reached:
    """Return entropy-balancing weights: each arm's means are the target group's.

    Weights of an arm sum to its number of units of positive weight. Units that lie where no unit of the target group
    does, beyond its smallest or largest value where the arm can only reach that by leaving them out, weigh nothing.

    Raises
    ------
    DesignError
        Where no weights reach the target group's means: the covariate that misses most is named.
    """
    group = in_target(is_treated, target)
    goal = summed(group / np.count_nonzero(group), columns.values)
    weights, coefficients = group.astype(float), []
    for arm, name in weighted_arms(is_treated, target):
        rows = np.flatnonzero(arm)
        distance = columns.values[rows] - goal
        _require_within(distance, columns.names, name)
        may_weigh = _on_the_edge(distance)
        balance = entropy_balance(distance[may_weigh])
        if np.abs(balance.imbalance).max() > BALANCED:
            raise DesignError(_unreachable(distance[may_weigh], columns.names, name))
        weights[rows] = 0.0
        weights[rows[may_weigh]] = balance.weights
        weights[rows] *= np.count_nonzero(weights[rows])
        coefficients.append(balance.coefficients)
    return Reached(weights, tuple(coefficients))


def _on_the_edge(distance: Floats) -> Bools:
    """Return the units that may have a weight: a mean at the arm's extreme value leaves those of that value alone."""
    may_weigh = np.ones(len(distance), dtype=bool)
    for _ in range(distance.shape[1]):
        before = np.count_nonzero(may_weigh)
        for column in distance.T:
            if column[may_weigh].min() > -_AT_THE_EDGE or column[may_weigh].max() < _AT_THE_EDGE:
                may_weigh &= np.abs(column) <= _AT_THE_EDGE
                if not may_weigh.any():
                    return np.ones(len(distance), dtype=bool)
        if np.count_nonzero(may_weigh) == before:
            break
    return may_weigh


def _require_within(distance: Floats, names: tuple[str, ...], arm: str) -> None:
    """Raise `DesignError` where some mean lies beyond every value of the arm, naming the one furthest out."""
    beyond = np.maximum(distance.min(axis=0), -distance.max(axis=0))
    worst = int(np.argmax(beyond))
    if beyond[worst] > _AT_THE_EDGE:
        raise DesignError(
            f"No weights of the {arm} units reach the mean of '{names[worst]}' that is wanted: it lies beyond every "
            f"value that a {arm} unit has. {_REMEDY}"
        )


def _unreachable(distance: Floats, names: tuple[str, ...], arm: str) -> str:
    """Return a sentence that names the covariate furthest off where means come as near as they can."""
    missed = np.abs(entropy_balance(distance, slack=_SLACK).imbalance)
    worst = int(np.argmax(missed))
    return (
        f"No weights of the {arm} units reach all means that are wanted at once: where they come nearest, "
        f"'{names[worst]}' is {missed[worst]:.2g} SDs off. {_REMEDY}"
    )


_REMEDY = "Leave the covariate out, balance fewer moments, or leave out units that have no counterparts."


def _require_rank(values: Floats, names: list[str]) -> None:
    determined = dependence(values)
    if determined is None:
        return
    others = listed([f"'{names[k]}'" for k in determined.made_of])
    raise DesignError(
        f"The covariate '{names[determined.column]}' is determined by {others}, "
        "so that weights cannot balance it by itself. Leave one of them out."
    )


# What weights mean, and whether few units carry most of them, in sentences.

LARGE_SHARE: Final = 0.1
"""A unit with a tenth of its arm's weight is named as heavy."""
FEW_CARRY_HALF: Final = 10
"""So few units with half of the weight are named as few, where they are less than a quarter of their arm."""

_LIKE: Final = {
    "ATT": "comparison units are weighted to look like the treated units, each of which counts one",
    "ATC": "treated units are weighted to look like the comparison units, each of which counts one",
    "ATE": "both arms are weighted to look like all units together",
}


def weight_notes(is_treated: Bools, weights: Floats, target: Target, how: str) -> tuple[str, ...]:
    """Return what the weights mean, with what they are worth, and a warning for each arm that few units carry."""
    arms = weighted_arms(is_treated, target)
    worth = joined(*(_worth(weights[arm], name) for arm, name in arms))
    like = f"{_LIKE[target][0].upper()}{_LIKE[target][1:]}: {how}."
    meaning = Sentence("{like} {worth}", like=like, worth=worth)
    warnings = [_warning(weights[arm], name) for arm, name in arms]
    unused = [_unused(weights[arm], name) for arm, name in arms if (weights[arm] == 0).any()]
    return (meaning, *(w for w in warnings if w), *unused)


def _worth(weights: Floats, name: str) -> str:
    n = int(np.count_nonzero(weights))
    units = count(n, "units", f"{name} unit", among=len(weights))
    return Sentence(
        "Weights of the {units} sum to {total}; they are worth {worth} equally weighted ones.",
        units=units,
        total=Derived(f"{n:,}", units, "their number"),
        worth=Derived(f"{effective_n(weights):,.1f}", units),
    )


def _warning(weights: Floats, name: str) -> str:
    n, shares = int(np.count_nonzero(weights)), np.sort(weights)[::-1] / weights.sum()
    n_half = int(np.searchsorted(np.cumsum(shares), 0.5)) + 1
    is_heavy = shares[0] >= LARGE_SHARE and n >= 2 / LARGE_SHARE
    if not is_heavy and not (n_half < FEW_CARRY_HALF and n_half < n / 4):
        return ""
    return Sentence(
        "Few {name} units carry most of the weight: the heaviest has {share} of it, and {half} half of it. The result "
        "rests on them, and its error is too uncertain to rely on.",
        name=name,
        share=f"{shares[0]:.0%}",
        half=count(n_half, "units", "unit has", "units have"),
    )


def _unused(weights: Floats, name: str) -> str:
    n = int((weights == 0).sum())
    units = count(n, "units", f"{name} unit weighs", f"{name} units weigh", among=len(weights))
    return Sentence("{n} nothing: nobody in the target group has such values.", n=units)
