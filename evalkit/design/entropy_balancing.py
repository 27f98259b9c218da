"""Entropy balancing: weights under which the means of the covariates are equal."""

from __future__ import annotations

import numpy as np

from evalkit.data.baseline import Baseline
from evalkit.design.balance_targets import columns_to_balance, towards_target
from evalkit.design.matched import MatchedDesign
from evalkit.design.matching_options import EntropyBalancing, Target
from evalkit.design.weight_notes import weight_notes


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
