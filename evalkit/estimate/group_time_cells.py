"""Group-time effects: the effect on each cohort in each period, from which every summary is a weighted sum."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.sentence import Sentence, count
from evalkit.core.shown import Shown
from evalkit.core.words import listed
from evalkit.design.staggered import CellPlan, StaggeredDesign
from evalkit.estimate.arrays.influence import Influence
from evalkit.estimate.arrays.two_period import LARGEST_COMPARISON_SCORE, TwoPeriod, failed
from evalkit.estimate.inference import without_rounding

Floats = NDArray[np.float64]
Shares = Literal["estimated", "fixed"]

METHODS = {"dr": "doubly robust", "ipw": "inverse probability weighting", "reg": "outcome regression"}
"""The words for the ways of adjusting for covariates."""
REFERENCE = "The base period, in which the effect is zero by definition."


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTimeCell:
    """ATT(g, t): the effect on cohort `cohort` in period `period`, measured from `base`.

    `n_treated` and `n_comparison` count the units (observations) compared, `n_treated_clusters` and
    `n_comparison_clusters` the clusters that hold them (of repeated cross-sections in the period that has fewer).
    `fewest_people` is the number of observations in the smallest of the four parts compared (both arms, both periods)
    where these are people, None where they are units. `note` says what a reader must know of this cell, or is empty.
    """

    cohort: int
    period: int
    base: int | None
    value: Quantity
    n_treated: int
    n_comparison: int
    n_treated_clusters: int
    n_comparison_clusters: int
    note: str = ""
    fewest_people: int | None = None

    @property
    def event_time(self) -> int:
        """Return periods since the cohort started; negative before."""
        return self.period - self.cohort

    @property
    def is_reference(self) -> bool:
        """Return whether the period is the base itself."""
        return self.period == self.base

    @property
    def is_of_few(self) -> bool:
        """Return whether it rests on so few people that it may not be told."""
        return not self.is_reference and 0 < (self.fewest_people or 0) < FEWEST_PEOPLE


Arm = tuple[int, int]
"""How many units (observations) of an arm are compared, and the clusters that hold them."""


def not_compared(plan: CellPlan) -> TwoPeriod:
    """Return that nothing came out of a cell: it is the base itself, or no unit is untreated in it."""
    return failed("" if plan.is_reference else "no unit is untreated then that it could be compared with")


def _why_none(found: TwoPeriod, covariates: tuple[str, ...]) -> str:
    """Return why a comparison gave nothing, with the names of the covariates where they are why."""
    named = [f"'{covariates[k]}'" for k in found.dependent]
    if not named:
        return found.failure
    if len(named) == 1:
        return f"the covariate {named[0]} does not vary {found.failure}"
    return f"the covariates {listed(named)} are collinear {found.failure}"


def cell_of(
    plan: CellPlan, found: TwoPeriod, position: int, arms: tuple[Arm, Arm], *, noun: str, covariates: tuple[str, ...]
) -> GroupTimeCell:
    """Return a cell with its counts, and its estimate (at `position` among those found) or why there is none."""
    value: Quantity = 0.0
    if found.failure:
        value = Unavailable(f"Cohort {plan.cohort} in {plan.period}: {_why_none(found, covariates)}.")
    elif not plan.is_reference:
        value = float(found.effect[position])
    trimmed = f"with a propensity score of {LARGEST_COMPARISON_SCORE} or more weigh nothing."
    (n_treated, n_treated_clusters), (n_comparison, n_comparison_clusters) = arms
    return GroupTimeCell(
        cohort=plan.cohort,
        period=plan.period,
        base=plan.base,
        value=value,
        n_treated=n_treated,
        n_comparison=n_comparison,
        n_treated_clusters=n_treated_clusters,
        n_comparison_clusters=n_comparison_clusters,
        note=Sentence("{n} {trimmed}", n=count(found.n_trimmed, "units", noun), trimmed=trimmed)
        if found.n_trimmed
        else "",
    )


def _without_rounding(cell: GroupTimeCell, scale: float) -> GroupTimeCell:
    """Return a cell whose value is 0 where it is nothing beside the largest outcome but what arithmetic left."""
    if isinstance(cell.value, Unavailable) or without_rounding(cell.value, scale) == cell.value:
        return cell
    return replace(cell, value=0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GroupTimeEffects(Shown):
    """Every ATT(g, t) of one outcome with what each unit contributes to its error.

    Attributes
    ----------
    method : str, the estimator in words
    design : StaggeredDesign
    cells : tuple of GroupTimeCell, by cohort, then period
    influence : Influence, a column for each cell, then one for each cohort's share of the units
    cohort_weight : shape (n_cohorts,), the weight of each cohort's units: cohorts are averaged by it
    df : degrees of freedom of intervals, None for the normal distribution
    shares : "estimated" where errors carry that the cohorts' shares are those of a sample, "fixed" otherwise
    cell_weight : shape (n_cells,), the weight of each cell within all treated observations, None where
        cells weigh as their cohorts do
    notes : what a reader must know of how the cells were made
    factor : small-sample factor of the covariance, 1 for influence functions
    covariance : shape (n_cells + n_cohorts,) squared, of the cells and the cohorts' shares
    scale : largest absolute outcome: an error is zero if it is nothing beside it
    """

    method: str
    design: StaggeredDesign
    cells: tuple[GroupTimeCell, ...]
    influence: Influence
    cohort_weight: Floats
    df: float | None = None
    shares: Shares = "estimated"
    cell_weight: Floats | None = None
    factor: float = 1.0
    notes: tuple[str, ...] = ()
    covariance: Floats = field(init=False)
    scale: float = field(init=False)
    values: Floats = field(init=False)
    is_available: NDArray[np.bool_] = field(init=False)
    is_reference: NDArray[np.bool_] = field(init=False)
    cohorts_of_cells: NDArray[np.int64] = field(init=False)
    periods_of_cells: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        n_columns = len(self.cells) + len(self.cohort_weight)
        if self.influence.n_columns != n_columns:
            raise DesignError(f"{n_columns} columns of contributions are needed, not {self.influence.n_columns}.")
        object.__setattr__(self, "covariance", self.factor * self.influence.covariance())
        outcome = self.design.observations.frame["outcome"].to_numpy(dtype=float)
        object.__setattr__(self, "scale", float(max(outcome.max(), -outcome.min())))
        object.__setattr__(self, "cells", tuple(_without_rounding(cell, self.scale) for cell in self.cells))
        given = [None if isinstance(cell.value, Unavailable) else cell.value for cell in self.cells]
        object.__setattr__(self, "values", np.array([value or 0.0 for value in given]))
        object.__setattr__(self, "is_available", np.array([value is not None for value in given], dtype=bool))
        object.__setattr__(self, "is_reference", np.array([cell.is_reference for cell in self.cells], dtype=bool))
        object.__setattr__(self, "cohorts_of_cells", np.array([cell.cohort for cell in self.cells], dtype=np.int64))
        object.__setattr__(self, "periods_of_cells", np.array([cell.period for cell in self.cells], dtype=np.int64))
