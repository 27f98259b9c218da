"""What weights mean, and whether few units carry most of them, in sentences."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from evalkit.core.sentence import Derived, Sentence, count, joined
from evalkit.design.arrays.weights import effective_n
from evalkit.design.balance_targets import weighted_arms
from evalkit.design.matching_options import Target

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

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
