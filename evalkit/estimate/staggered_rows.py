"""The rows of a staggered design's panel as arrays, and the cells that are estimated from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Unavailable
from evalkit.core.words import listed
from evalkit.design.staggered import StaggeredDesign
from evalkit.estimate.arrays.influence import Influence
from evalkit.estimate.group_time import GroupTimeCell

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


LOST = "Rows left out because nothing links their unit to untreated observations of the period: {n}."


class CellAt(NamedTuple):
    """A cohort in a period, measured from `base`; None where it is measured from all untreated observations."""

    cohort: int
    period: int
    base: int | None


class Found(NamedTuple):
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

    def cells(self, cells: tuple[CellAt, ...], found: Found) -> tuple[GroupTimeCell, ...]:
        """Return the cells with their counts."""
        at = self.cells_of(cells)
        treated = np.flatnonzero((at >= 0) & found.is_used)
        compared = np.flatnonzero(found.is_compared)
        n_lost = np.bincount(at[(at >= 0) & ~found.is_used], minlength=len(cells))
        own = self._counts(at[treated], treated, len(cells))
        other = self._counts(self.period[compared], compared, self.n_periods)
        periods = self.design.panel.periods
        return tuple(
            GroupTimeCell(
                cohort=cell.cohort,
                period=cell.period,
                base=cell.base,
                value=Unavailable(reason) if reason else float(value),
                n_treated=int(own[0][k]),
                n_comparison=int(other[0][periods.index(cell.period)]),
                n_treated_clusters=int(own[1][k]),
                n_comparison_clusters=int(other[1][periods.index(cell.period)]),
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
