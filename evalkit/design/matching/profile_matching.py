"""Profile matching: the largest group whose means are those of the target group."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from evalkit.core.arrays import Bools, Floats
from evalkit.core.errors import DesignError
from evalkit.core.sentence import Sentence, count
from evalkit.data.baseline import Baseline
from evalkit.design.matching.features import balance_columns, require_arms
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import ProfileMatching, Target
from evalkit.design.matching.pairs import shared_codes

_PROVEN: Final = 0
"""What the solver's status says where the group found is proven to be the largest."""
_SLACK: Final = 1e-9
"""What rounding may add to a tolerance, as a share of it."""


def profile_matching(baseline: Baseline, option: ProfileMatching, target: Target) -> MatchedDesign:
    """Return the largest group of units whose mean in every covariate is within a tolerance of the target's.

    For the ATT comparison units are chosen to the means of all treated units, for the ATC the reverse, for the ATE
    both arms to the means of all units (Cohn and Zubizarreta, 2022). The tolerance is in SDs of the target group
    (of both arms for the ATE, the root of the mean of their variances). Labels in `exact` keep the proportions that
    they have in the target group, to the same tolerance (fine balance). Units chosen weigh one; there are no pairs.

    Raises
    ------
    DesignError
        Where no group fulfils the tolerance, or none is proven to be the largest within `seconds`.
    """
    if not 0 <= option.tolerance < np.inf or not option.seconds > 0:
        raise DesignError("The tolerance is a number from 0 on, in SDs, and the seconds are more than none.")
    columns, names = _columns(baseline, option)
    is_treated = baseline.is_treated
    require_arms(is_treated)
    profile, spread = _profile(columns, is_treated, target)
    weights = np.zeros(len(is_treated))
    arms = {"ATT": (~is_treated,), "ATC": (is_treated,), "ATE": (is_treated, ~is_treated)}[target]
    for arm in arms:
        rows = np.flatnonzero(arm)
        weights[rows] = _largest(columns[rows] - profile, spread * option.tolerance, option, names)
    if target != "ATE":
        weights[is_treated if target == "ATT" else ~is_treated] = 1.0
    return MatchedDesign(
        baseline=baseline,
        option=option,
        target=target,
        weights=weights,
        discarded=np.zeros(len(is_treated), dtype=bool),
        notes=_notes(weights, is_treated, option, target),
    )


def _columns(baseline: Baseline, option: ProfileMatching) -> tuple[Floats, tuple[str, ...]]:
    columns, names = balance_columns(baseline)
    if not option.exact:
        return columns, names
    codes = shared_codes(baseline, option.exact)
    levels = [(codes == code).astype(float) for code in range(int(codes.max()) + 1)]
    together = " and ".join(option.exact)
    return np.column_stack([columns, *levels]), (*names, *(f"{together} ({k + 1})" for k in range(len(levels))))


def _profile(columns: Floats, is_treated: Bools, target: Target) -> tuple[Floats, Floats]:
    """Return the means to be met and the SDs that tolerances are in."""
    arms = [columns[is_treated], columns[~is_treated]]
    is_binary = np.array([np.isin(column, (0.0, 1.0)).all() for column in columns.T])
    variances = [
        np.where(is_binary, arm.var(axis=0), arm.var(axis=0) * len(arm) / max(len(arm) - 1, 1)) for arm in arms
    ]
    target_variance = {"ATT": variances[0], "ATC": variances[1], "ATE": (variances[0] + variances[1]) / 2}[target]
    mean = {"ATT": arms[0].mean(axis=0), "ATC": arms[1].mean(axis=0), "ATE": columns.mean(axis=0)}[target]
    return mean, np.sqrt(target_variance)


def _largest(gaps: Floats, allowed: Floats, option: ProfileMatching, names: tuple[str, ...]) -> Floats:
    """Return 1 for each row of the largest group with |Σ gaps| ≤ allowed × size in every column, else 0.

    `gaps` are rows less the profile, shape (n, k). An integer program, proven by branch and bound (HiGHS).
    """
    # columns of one size: what the solver lets pass as rounding is absolute
    scale = np.maximum(np.abs(gaps).max(axis=0), allowed)
    scale = np.where(scale > 0, scale, 1.0)  # a column that is met by everyone constrains nobody
    upper, lower = (gaps - allowed * (1 + _SLACK)) / scale, (-gaps - allowed * (1 + _SLACK)) / scale
    # |Σ gaps| ≤ allowed × size is linear as Σ(±gaps − allowed) ≤ 0, one row for each side
    sides = np.vstack([upper.T, lower.T])
    n = len(gaps)
    solution = milp(
        -np.ones(n),
        constraints=LinearConstraint(sides, -np.inf, 0.0),
        bounds=Bounds(0, 1),
        integrality=np.ones(n),
        options={"time_limit": option.seconds, "mip_rel_gap": 0.0},
    )
    if solution.status != _PROVEN or solution.x is None:
        raise DesignError(
            f"No group was proven to be the largest within {option.seconds:g} seconds. Allow more time or a larger "
            "tolerance, match on fewer covariates, or use entropy balancing, which meets the same means by weights."
        )
    chosen: Floats = np.round(solution.x)
    if not chosen.any():
        raise DesignError(_infeasible(gaps, allowed, names))
    return chosen


def _infeasible(gaps: Floats, allowed: Floats, names: tuple[str, ...]) -> str:
    beyond = np.maximum(gaps.min(axis=0), -gaps.max(axis=0)) - allowed
    size = np.abs(gaps).max(axis=0)
    worst = int(np.argmax(np.divide(beyond, size, out=np.zeros_like(size), where=size > 0)))
    outside = (
        f" Every unit lies on one side of the mean of '{names[worst]}' that is to be met." if beyond[worst] > 0 else ""
    )
    return (
        f"No group of units has means within the tolerance in every covariate.{outside} Allow a larger tolerance, or "
        "leave covariates out."
    )


def _notes(weights: Floats, is_treated: Bools, option: ProfileMatching, target: Target) -> tuple[str, ...]:
    arm = is_treated if target == "ATC" else ~is_treated
    chosen = int((weights[arm] > 0).sum())
    every = int(arm.sum())
    return (
        Sentence(
            "The {chosen} chosen of {every} are proven to be the most that meet the means of the target group within "
            "{tolerance} standard deviations in every covariate. Which units these are need not be unique.",
            chosen=count(chosen, "units", "unit", among=every),
            every=count(every),
            tolerance=f"{option.tolerance:g}",
        ),
    )
