"""Lee's bounds of staggered starts: cohort by cohort and year by year, averaged as the estimator averages its cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.estimate.missing.lee_arrays import LeeBounds, lee_bounds, lee_bounds_against
from evalkit.estimate.staggered.relabelled import MatchedFirst
from evalkit.estimate.staggered.relabelled_arrays import (
    PlannedCell,
    RelabelledPanel,
    Relabellings,
    averaged,
    relabelled_cells,
)

if TYPE_CHECKING:
    from evalkit.estimate.areas.set_draws import Sets

N_PARTS = 6


class _Pool(NamedTuple):
    """Units that may be compared in a cell and have its base: those with its year in order of change, then the lost.

    Areas are places among `codes`.
    """

    codes: Ints
    change: Floats
    weight: Floats
    area: Ints
    lost_weight: Floats
    lost_area: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StaggeredBounds:
    """The overall group-time effect of sets of units, and its bounds: a statistic for randomisation over sets.

    In each cell (cohort g in year t against its base b) the sample is of units with b; those without t are missing. The
    arm that has t more often is trimmed, and a bound is Σ_c w_c B_c / Σ_c w_c with the cells' own weights, which are
    sizes of cohorts: with nothing missing it is the effect itself.

    Attributes
    ----------
    panel : every unit with a result, those that no cell could use afterwards among them
    matching : made again for each set; None where everybody who may be compared is
    """

    panel: RelabelledPanel
    matching: MatchedFirst | None = None

    @property
    def is_row_by_row(self) -> bool:
        """Return whether every set has a comparison of its own to put in order."""
        never = len(self.panel.cohorts)
        return self.matching is not None or any(set(cell.compared) - {never} for cell in self.panel.cells)

    def __call__(self, sets: Sets) -> Floats:
        """Return effect, lower and upper bound of each set, shape (k, 3); NaN where it has none."""
        return self.parts(sets)[:, :3]

    def bounds(self, sets: Sets) -> LeeBounds:
        """Return bounds with what was trimmed and seen, averaged over cells as the bounds are; shapes (k,)."""
        found = self.parts(sets)
        return LeeBounds(found[:, 1], found[:, 2], found[:, 3], found[:, 5] > found[:, 4], found[:, 4], found[:, 5])

    def parts(self, sets: Sets) -> Floats:
        """Return effect, bounds, share trimmed and the arms' shares observed, shape (k, `N_PARTS`)."""
        panel = self.panel
        assert sets.start is not None
        cohort = np.searchsorted(panel.cohorts, sets.start).astype(np.int64)
        weights = (None, None) if self.matching is None else self.matching.weights(sets, len(panel.area))
        labels = Relabellings(sets.members, cohort, sets.areas, *weights)
        cells = relabelled_cells(panel, labels, "group-time")
        after = panel.periods[cells.period] >= panel.cohorts[cells.cohort]
        found = [np.where(np.isnan(cells.value), np.nan, 0.0) for _ in range(N_PARTS - 1)]
        for at in np.flatnonzero(after & ~cells.is_base).tolist():
            bounds = self._of_cell(panel.cells[at], labels)
            told = bounds.lower, bounds.upper, bounds.trimmed_share, bounds.observed_treated, bounds.observed_comparison
            for columns, one in zip(found, told, strict=True):
                columns[:, at] = np.where(np.isnan(cells.value[:, at]), np.nan, one)
        every = [cells, *(cells._replace(value=columns) for columns in found)]
        return np.column_stack([averaged(one, after) for one in every])

    def _of_cell(self, cell: PlannedCell, labels: Relabellings) -> LeeBounds:
        """Return the bounds of one cell in each relabelling, shape (k,) each."""
        panel = self.panel
        has_base = np.isfinite(panel.outcome[:, cell.base])
        change = panel.outcome[:, cell.period] - panel.outcome[:, cell.base]
        weight = np.where(has_base, panel.weight[:, cell.base], 0.0)
        own = _members(change, weight, labels, labels.cohort == cell.cohort)
        if self.is_row_by_row:
            later = self._later(change, weight, labels, cell)
            return _stacked([self._row(row, own, later, (change, weight), labels) for row in range(len(labels.chosen))])
        pool = _pool_of(change, weight, panel.area, panel.is_pool & has_base)
        taken, which = np.unique(labels.taken, axis=0, return_inverse=True)
        order = np.argsort(which.reshape(-1), kind="stable")
        ends = np.cumsum(np.bincount(which.reshape(-1), minlength=len(taken)))[:-1]
        found = np.full((len(labels.chosen), N_PARTS), np.nan)
        for here, areas in zip(np.split(order, ends), taken, strict=True):
            is_free = np.ones(len(pool.codes), dtype=bool)
            is_free[np.searchsorted(pool.codes, areas[np.isin(areas, pool.codes)])] = False
            weight, lost = pool.weight * is_free[pool.area], pool.lost_weight * is_free[pool.lost_area]
            bounds = lee_bounds_against(own[0][here], own[1][here], pool.change, weight, float(lost.sum()))
            found[here] = np.column_stack(bounds)
        return _of_columns(found)

    def _later(self, change: Floats, weight: Floats, labels: Relabellings, cell: PlannedCell) -> tuple[Floats, Floats]:
        """Return members that start later and are compared until then, as far as the estimator uses them."""
        parts = []
        for stratum in sorted(set(cell.compared) - {len(self.panel.cohorts)}):
            served = weight * self.panel.serves(stratum)
            parts.append(_members(change, served, labels, labels.cohort == stratum))
        none = np.empty((len(labels.chosen), 0))
        changes, weights = (np.hstack([none, *(part[side] for part in parts)]) for side in (0, 1))
        return changes, weights

    def _row(
        self,
        row: int,
        own: tuple[Floats, Floats],
        later: tuple[Floats, Floats],
        units: tuple[Floats, Floats],
        labels: Relabellings,
    ) -> LeeBounds:
        """Return the bounds of one relabelling against the pool, as it is matched, and cohorts that start later."""
        change, weight = units
        served = weight * self.panel.is_pool * ~np.isin(self.panel.area, labels.taken[row])
        if labels.compared is not None:
            served = weight * labels.compared[row]
        used = served > 0
        compared = np.concatenate([change[used], later[0][row]])[None, :]
        compared_weight = np.concatenate([served[used], later[1][row]])[None, :]
        return lee_bounds(own[0][row : row + 1], own[1][row : row + 1], compared, compared_weight)


def _members(change: Floats, weight: Floats, labels: Relabellings, stands_here: Bools) -> tuple[Floats, Floats]:
    """Return changes and weights of the members that stand in some columns, each (k, m)."""
    chosen = labels.chosen[:, stands_here]
    own = np.where(chosen >= 0, weight[chosen], 0.0)
    if labels.own is not None:
        own = own * labels.own[:, stands_here]
    return np.where(chosen >= 0, change[chosen], np.nan), own


def _pool_of(change: Floats, weight: Floats, area: Ints, is_pool: Bools) -> _Pool:
    seen, lost = (np.flatnonzero(is_pool & known) for known in (np.isfinite(change), ~np.isfinite(change)))
    seen = seen[np.argsort(change[seen], kind="stable")]
    codes, place = np.unique(area, return_inverse=True)
    return _Pool(codes, change[seen], weight[seen], place[seen], weight[lost], place[lost])


def _stacked(rows: list[LeeBounds]) -> LeeBounds:
    return _of_columns(np.vstack([np.column_stack(one) for one in rows]))


def _of_columns(columns: Floats) -> LeeBounds:
    lower, upper, trimmed, is_comparison, treated, comparison = columns.T
    return LeeBounds(lower, upper, trimmed, is_comparison > 0, treated, comparison)
