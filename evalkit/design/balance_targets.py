"""Columns that weights must balance, the means they must reach, and what is said where they cannot."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.words import listed
from evalkit.data.baseline import Baseline
from evalkit.design.arrays.balancing import BALANCED, entropy_balance
from evalkit.design.arrays.dependence import dependence
from evalkit.design.arrays.products import summed
from evalkit.design.arrays.propensity import standardised
from evalkit.design.features import require_variation, score_columns
from evalkit.design.matching_options import Target

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_AT_THE_EDGE = 1e-12
_SLACK = 1e-4


class Columns(NamedTuple):
    """Covariates at mean 0 and SD 1 and their powers (n_units, k), and a name for each."""

    values: Floats
    names: tuple[str, ...]


def columns_to_balance(baseline: Baseline, moments: int = 1) -> Columns:
    """Return covariates, and powers of numbers up to `moments`, at mean 0 and SD 1 over all units.

    A covariate of m different values has no more than m − 1 powers that say something new.

    Raises
    ------
    DesignError
        Where an arm is empty, a covariate does not vary, or covariates are collinear.
    """
    if moments not in (1, 2, 3):
        raise DesignError(f"Means of powers up to the first, second or third are balanced, not {moments}.")
    _require_arms(baseline.is_treated)
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
    return Columns(values, tuple(labels))


def in_target(is_treated: Bools, target: Target) -> Bools:
    """Return which units belong to the group whose average effect is wanted."""
    return {"ATT": is_treated, "ATC": ~is_treated, "ATE": np.ones(len(is_treated), dtype=bool)}[target]


def weighted_arms(is_treated: Bools, target: Target) -> list[tuple[Bools, str]]:
    """Return the arms that are weighted towards the target group, with their names."""
    arms = [(is_treated, "treated"), (~is_treated, "comparison")]
    return {"ATT": arms[1:], "ATC": arms[:1], "ATE": arms}[target]


class Reached(NamedTuple):
    """Weights (n_units,), and for each arm that is weighted the coefficients of its log weights (k,)."""

    weights: Floats
    coefficients: tuple[Floats, ...]


def towards_target(columns: Columns, is_treated: Bools, target: Target) -> Reached:
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
        kept = _on_the_edge(distance)
        balance = entropy_balance(distance[kept])
        if np.abs(balance.imbalance).max() > BALANCED:
            raise DesignError(_unreachable(distance[kept], columns.names, name))
        weights[rows] = 0.0
        weights[rows[kept]] = balance.weights
        weights[rows] *= np.count_nonzero(weights[rows])
        coefficients.append(balance.coefficients)
    return Reached(weights, tuple(coefficients))


def _on_the_edge(distance: Floats) -> Bools:
    """Return the units that may have a weight: a mean at the arm's extreme value leaves those of that value alone."""
    kept = np.ones(len(distance), dtype=bool)
    for _ in range(distance.shape[1]):
        before = np.count_nonzero(kept)
        for column in distance.T:
            if column[kept].min() > -_AT_THE_EDGE or column[kept].max() < _AT_THE_EDGE:
                kept &= np.abs(column) <= _AT_THE_EDGE
                if not kept.any():
                    return np.ones(len(distance), dtype=bool)
        if np.count_nonzero(kept) == before:
            break
    return kept


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


def _require_arms(is_treated: Bools) -> None:
    if is_treated.all() or not is_treated.any():
        arm = "comparison" if is_treated.all() else "treated"
        raise DesignError(f"No {arm} unit is in the data, so there is nothing to compare. Check the treated column.")


def _require_rank(values: Floats, names: list[str]) -> None:
    found = dependence(values)
    if found is None:
        return
    others = listed([f"'{names[k]}'" for k in found.made_of])
    raise DesignError(
        f"The covariate '{names[found.column]}' is determined by {others}, "
        "so that weights cannot balance it by itself. Leave one of them out."
    )
