"""From codes of strata to a design: whole strata kept, units weighted, and what was left out said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.sentence import Sentence, count
from evalkit.data.baseline import Baseline
from evalkit.design.matched import MatchedDesign, stratum_weights
from evalkit.design.matching_options import MatchingOption, Target

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def categories(values: pd.Series) -> Ints:
    """Return a code for each value, equal where values are, shape (n_units,)."""
    return pd.factorize(values)[0].astype(np.int64)


def whole_strata(columns: Sequence[Ints], is_treated: Bools) -> Ints:
    """Return strata of units that are equal in every column of codes, −1 where a stratum lacks an arm.

    Strata are numbered by their first unit. Shape (n_units,).
    """
    codes = np.zeros(len(is_treated), dtype=np.int64)
    for column in columns:
        codes = pd.factorize(codes * (int(column.max(initial=0)) + 1) + column)[0].astype(np.int64)
    treated, comparison = (np.bincount(codes[arm], minlength=codes.max(initial=-1) + 1) for arm in _arms(is_treated))
    inside = ((treated > 0) & (comparison > 0))[codes]
    strata = np.full(len(codes), -1, dtype=np.int64)
    strata[inside] = pd.factorize(codes[inside])[0]
    return strata


def stratified(baseline: Baseline, option: MatchingOption, target: Target, strata: Ints) -> MatchedDesign:
    """Return the design of whole strata, weighted by the target group, with a note on units that lie in none."""
    is_treated = baseline.is_treated
    return MatchedDesign(
        baseline=baseline,
        option=option,
        target=target,
        weights=stratum_weights(is_treated, strata, target),
        strata=strata,
        discarded=np.zeros(len(strata), dtype=bool),
        notes=(left_out_note(strata, is_treated),),
    )


def left_out_note(strata: Ints, is_treated: Bools) -> str:
    """Return a sentence on how many strata there are and who lies in none."""
    n_strata = int(strata.max(initial=-1)) + 1
    said = Sentence("{n} both arms", n=count(n_strata, "units", "stratum holds", "strata hold"))
    lost = strata < 0
    treated, comparison = (int((lost & arm).sum()) for arm in _arms(is_treated))
    if treated + comparison == 0:
        return Sentence("{said}; no unit is left out.", said=said)
    n_treated = int(is_treated.sum())
    return Sentence(
        "{said}; {treated} treated and {comparison} in strata without the other arm are left out.",
        said=said,
        treated=count(treated, among=n_treated),
        comparison=count(comparison, "units", "comparison unit", among=len(is_treated) - n_treated),
    )


def _arms(is_treated: Bools) -> tuple[Bools, Bools]:
    return is_treated, ~is_treated
