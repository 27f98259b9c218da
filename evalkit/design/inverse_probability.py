"""Inverse probability weighting: weights from the propensity score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.sentence import Sentence, count
from evalkit.data.baseline import Baseline
from evalkit.design.matched import MatchedDesign
from evalkit.design.matching_options import InverseProbability, Target
from evalkit.design.score_weights import score_weights
from evalkit.design.scores import propensity_score
from evalkit.design.weight_notes import weight_notes

Floats = NDArray[np.float64]

_HOW = {
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
    notes = weight_notes(baseline.is_treated[~discarded], weights[~discarded], target, _HOW[target])
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
