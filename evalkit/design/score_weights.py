"""Weights from a score, scaled so that each arm sums to its number of units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.data.baseline import Baseline
from evalkit.design.balance_targets import weighted_arms
from evalkit.design.matching_options import Target

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def score_weights(baseline: Baseline, score: Floats, kept: Bools, target: Target) -> Floats:
    """Return odds of the score (ATT, ATC) or its inverse (ATE) for units kept, scaled by arm. Shape (n_units,).

    Raises
    ------
    DesignError
        Where a unit's score is 0 or 1 to the last digit, so that it has no counterpart and no finite weight.
    """
    is_treated = baseline.is_treated
    chance = np.where(is_treated, score, 1 - score)
    weights = kept.astype(float)
    for arm, name in weighted_arms(is_treated, target):
        rows = np.flatnonzero(arm & kept)
        if not len(rows):
            raise DesignError(
                f"No {name} unit has a score within the bounds, so there is nothing to compare. Trim less, or match."
            )
        odd = chance[rows] < np.finfo(float).eps
        if odd.any():
            unit = baseline.units.index[rows[int(np.argmax(odd))]]
            raise DesignError(
                f"The score of the {name} unit '{unit}' is {score[rows[int(np.argmax(odd))]]:.0f}: no unit of the "
                "other arm is like it, and its weight would be infinite. Trim, or leave out what sets it apart."
            )
        weights[rows] = 1 / chance[rows] - (target != "ATE")
        weights[rows] *= np.count_nonzero(weights[rows]) / weights[rows].sum()
    return weights
