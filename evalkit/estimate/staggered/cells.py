"""Effects on cohorts in periods, the noun of every estimator, and the panel's rows they are estimated from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.disclosure import is_few
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Quantity, Unavailable, without_rounding
from evalkit.core.shown import Shown
from evalkit.core.words import listed
from evalkit.design.panel.staggered import StaggeredDesign
from evalkit.estimate.staggered.influence_arrays import Influence

# Group-time effects: the effect on each cohort in each period, from which every summary is a weighted sum.

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
        return not self.is_reference and is_few(self.fewest_people or 0)


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


# The rows of a staggered design's panel as arrays, and the cells that are estimated from them.

LOST = "Rows left out because nothing links their unit to untreated observations of the period: {n}."


class CellAt(NamedTuple):
    """A cohort in a period, measured from `base`; None where it is measured from all untreated observations."""

    cohort: int
    period: int
    base: int | None


class CellEstimates(NamedTuple):
    """What an estimator found for each cell.

    value : shape (n_cells,)
    reason : why a cell has no estimate, an empty text where it has one
    contribution : shape (n_clusters, n_cells)
    is_used : shape (n_rows,), rows that count as treated
    is_compared : shape (n_rows,), rows that count as comparison in their period
    """

    value: Floats
    reason: tuple[str, ...]
    contribution: Floats
    is_used: Bools
    is_compared: Bools


@dataclass(frozen=True, slots=True, eq=False)
class StaggeredRows:
    """The rows of a design's panel, by unit and period.

    Attributes
    ----------
    design : StaggeredDesign
    outcome, weight : shape (n,)
    covariates : shape (n, p), each less its mean over all rows
    unit, period, stratum, cluster : shape (n,)
        Codes; stratum is the position of the cohort, the number of cohorts where the unit is never treated.
    is_exposed : shape (n,), whether the programme, or its anticipation, has begun
    """

    design: StaggeredDesign
    outcome: Floats
    weight: Floats
    covariates: Floats
    unit: Ints
    period: Ints
    stratum: Ints
    cluster: Ints
    is_exposed: Bools

    @classmethod
    def of(cls, design: StaggeredDesign) -> StaggeredRows:
        """Return the rows of a design; raise `DesignError` for repeated cross-sections."""
        panel = design.panel
        start = np.array([*(cohort - design.anticipation for cohort in design.cohorts), np.inf])
        covariates = panel.frame[list(panel.covariates)].to_numpy(dtype=float).reshape(len(panel.frame), -1)
        stratum = design.stratum[panel.unit_codes]
        return cls(
            design,
            panel.frame["outcome"].to_numpy(dtype=float),
            panel.frame["weight"].to_numpy(dtype=float),
            covariates - covariates.mean(axis=0),
            panel.unit_codes,
            panel.period_codes,
            stratum,
            panel.unit_codes if design.cluster is None else design.cluster[panel.unit_codes],
            np.asarray(panel.periods)[panel.period_codes] >= start[stratum],
        )

    @property
    def n_units(self) -> int:
        """Return the number of units."""
        return len(self.design.panel.units)

    @property
    def n_periods(self) -> int:
        """Return the number of periods."""
        return len(self.design.panel.periods)

    def cells_of(self, cells: tuple[CellAt, ...]) -> Ints:
        """Return the cell of each row, -1 where it is in none, shape (n,)."""
        position = np.full((len(self.design.cohorts) + 1, self.n_periods), -1, dtype=np.int64)
        for at, cell in enumerate(cells):
            position[self.design.cohorts.index(cell.cohort), self.design.panel.periods.index(cell.period)] = at
        return np.asarray(position[self.stratum, self.period])

    def cell_weight(self, cell: Ints, n_cells: int) -> Floats:
        """Return the weight of the rows of each cell, shape (n_cells,)."""
        inside = cell >= 0
        return np.bincount(cell[inside], self.weight[inside], n_cells).astype(float)

    def varies_within(self, group: Ints) -> Bools:
        """Return which covariates vary within some group of rows, shape (p,)."""
        first = np.zeros(int(group.max()) + 1, dtype=np.int64)
        first[group[::-1]] = np.arange(len(group))[::-1]
        return np.asarray((self.covariates != self.covariates[first[group]]).any(axis=0))

    def require_varying(self, group: Ints, within: str) -> None:
        """Raise `DesignError` for covariates that are constant within groups, whose effects take them out."""
        changes = self.varies_within(group)
        fixed = [f"'{name}'" for name, varies in zip(self.design.panel.covariates, changes, strict=True) if not varies]
        if fixed:
            raise DesignError(
                f"Covariates that stay the same within each {within} are taken out by its effect: {listed(fixed)}. "
                "Leave them out, or use the extended or the group-time estimator, which compare units alike in them."
            )

    def cells(self, cells: tuple[CellAt, ...], found: CellEstimates) -> tuple[GroupTimeCell, ...]:
        """Return the cells with their counts."""
        at = self.cells_of(cells)
        treated = np.flatnonzero((at >= 0) & found.is_used)
        compared = np.flatnonzero(found.is_compared)
        n_lost = np.bincount(at[(at >= 0) & ~found.is_used], minlength=len(cells))
        of_treated = self._counts(at[treated], treated, len(cells))
        of_compared = self._counts(self.period[compared], compared, self.n_periods)
        periods = self.design.panel.periods
        return tuple(
            GroupTimeCell(
                cohort=cell.cohort,
                period=cell.period,
                base=cell.base,
                value=Unavailable(reason) if reason else float(value),
                n_treated=int(of_treated[0][k]),
                n_comparison=int(of_compared[0][periods.index(cell.period)]),
                n_treated_clusters=int(of_treated[1][k]),
                n_comparison_clusters=int(of_compared[1][periods.index(cell.period)]),
                note=LOST.format(n=n_lost[k]) if n_lost[k] and not reason else "",
            )
            for k, (cell, reason, value) in enumerate(zip(cells, found.reason, found.value, strict=True))
        )

    def _counts(self, label: Ints, rows: Ints, n_labels: int) -> tuple[Ints, Ints]:
        """Return for each label the number of its rows, and of clusters among them."""
        n_rows = np.bincount(label, minlength=n_labels)
        if self.design.cluster is None:
            return n_rows, n_rows
        pairs = np.unique(label * self.design.n_clusters + self.cluster[rows])
        return n_rows, np.bincount(pairs // self.design.n_clusters, minlength=n_labels)

    def influence(self, contribution: Floats, of_shares: bool) -> Influence:
        """Return contributions of cells with those of the cohorts' shares, which are zero where shares are fixed."""
        shares = np.zeros((len(contribution), len(self.design.cohorts)))
        if of_shares:
            first = self.design.panel.first_rows
            inside = first[self.stratum[first] < shares.shape[1]]
            np.add.at(shares, (self.cluster[inside], self.stratum[inside]), self.weight[inside] / self.n_units)
        return Influence.of(np.hstack([contribution, shares]))

    def cohort_weight(self) -> Floats:
        """Return the weight of each cohort's units in their first period, over the number of units."""
        first = self.design.panel.first_rows
        total = np.bincount(self.stratum[first], self.weight[first], len(self.design.cohorts) + 1)
        return np.asarray(total[:-1] / self.n_units)
