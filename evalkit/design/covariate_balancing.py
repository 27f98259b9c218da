"""The covariate-balancing propensity score: a logit whose coefficients are those that balance the means."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from evalkit.core.errors import DesignError
from evalkit.data.baseline import Baseline
from evalkit.design.arrays.balancing import balanced_log_odds
from evalkit.design.arrays.products import applied
from evalkit.design.balance_targets import Columns, Reached, columns_to_balance, towards_target
from evalkit.design.matched import MatchedDesign
from evalkit.design.matching_options import CovariateBalancing, Target
from evalkit.design.score_weights import score_weights
from evalkit.design.scores import propensity_score
from evalkit.design.weight_notes import weight_notes

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_HOW = {
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
        notes=weight_notes(is_treated, weights, target, _HOW[target]),
    )


def _score_for_all(baseline: Baseline, columns: Columns) -> Floats:
    constant = np.ones(len(columns.values))
    log_odds = balanced_log_odds(np.column_stack([constant, columns.values]), baseline.is_treated)
    if log_odds is not None:
        score: Floats = expit(log_odds)
        return score
    propensity_score(baseline, "logit")  # names what separates the arms, where that is why
    raise DesignError(
        "No coefficients of a logit balance every covariate between the arms. Leave out covariates or units without "
        "counterparts, or weight by entropy balancing, which names the covariate that fails."
    )


def _score_of(reached: Reached, columns: Columns, is_treated: Bools, target: Target) -> Floats:
    """Return the logit score whose odds the weights are; 0 or 1 for units that weigh nothing."""
    away = ~is_treated if target == "ATT" else is_treated
    log_odds = applied(columns.values, reached.coefficients[0])
    heaviest = int(np.argmax(np.where(away, reached.weights, 0.0)))
    odds = reached.weights[heaviest] * np.count_nonzero(~away) / reached.weights[away].sum()
    log_odds += np.log(odds) - log_odds[heaviest]
    log_odds[away & (reached.weights == 0)] = -np.inf
    return np.asarray(expit(log_odds if target == "ATT" else -log_odds), dtype=np.float64)
