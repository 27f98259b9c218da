"""Group-time effects where the same units are followed over time (Callaway and Sant'Anna, 2021)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.core.sentence import Sentence, count
from evalkit.data.panel import Panel
from evalkit.design.arrays.products import by_rows
from evalkit.design.staggered import CellPlan, StaggeredDesign
from evalkit.estimate.arrays.influence import Influence, Piece, partition
from evalkit.estimate.arrays.two_period import Method, TwoPeriod, failed, two_period_effects
from evalkit.estimate.group_time_cells import GroupTimeCell, GroupTimeEffects, cell_of, not_compared

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """A panel as arrays, its units in order of stratum, so that a comparison is a few slices of rows.

    Attributes
    ----------
    order : shape (n_units,), position in the panel of each row
    start : shape (n_strata + 1,), where each stratum begins
    outcome : shape (n_units, n_periods), NaN where a unit lacks a period
    covariates : shape (n_units, n_periods or 1, k); 1 where no covariate varies within a unit
    weight : shape (n_units, n_periods or 1)
    first_weight : shape (n_units,), the weight in the first period a unit has
    n_changing : number of units whose covariates vary over time
    cluster : shape (n_units,), or None where each unit is one
    """

    order: Ints
    start: Ints
    outcome: Floats
    covariates: Floats
    weight: Floats
    first_weight: Floats
    n_changing: int
    cluster: Ints | None

    @classmethod
    def of(cls, design: StaggeredDesign) -> Strata:
        """Return the arrays of a design's panel."""
        panel, n_strata = design.panel, len(design.cohorts) + 1
        order = np.argsort(design.stratum.astype(np.int16), kind="stable")
        start = np.searchsorted(design.stratum[order], np.arange(n_strata + 1))
        grids = [_over_time(panel, name) for name in panel.covariates]
        n_changing = int(np.any([changes for _, changes in grids], axis=0).sum()) if grids else 0
        width = len(panel.periods) if n_changing else 1
        covariates = np.empty((len(order), width, len(grids)))
        for k, (grid, _) in enumerate(grids):
            covariates[:, :, k] = (grid if n_changing else grid[:, :1])[order]
        weight, changes = _over_time(panel, "weight")
        first = panel.frame["weight"].to_numpy()[panel.first_rows][order]
        kept = weight[order] if changes.any() else first[:, None]
        cluster = None if design.cluster is None else design.cluster[order]
        return cls(order, start, panel.grid("outcome")[order], covariates, kept, first, n_changing, cluster)

    def counts(self, rows: Ints) -> tuple[int, int]:
        """Return the number of units among rows, and of the clusters that hold them."""
        return len(rows), len(rows) if self.cluster is None else len(np.unique(self.cluster[rows]))

    def rows_of(self, strata: tuple[int, ...]) -> Ints:
        """Return the rows of some strata, one stratum after another."""
        return np.concatenate([np.arange(self.start[s], self.start[s + 1]) for s in strata])


def _over_time(panel: Panel, name: str) -> tuple[Floats, Bools]:
    """Return a column as unit × period, gaps filled with the unit's first value, and which units change over time."""
    grid = panel.grid(name)
    first = panel.frame[name].to_numpy(dtype=float)[panel.first_rows]
    if not panel.is_balanced:
        grid = np.where(np.isnan(grid), first[:, None], grid)
    return grid, (grid != first[:, None]).any(axis=1)


class _Estimated(NamedTuple):
    """Cells compared in one go: their positions, rows of `Strata`, and what came out."""

    at: list[int]
    rows: Ints
    counts: tuple[tuple[int, int], tuple[int, int]]
    found: TwoPeriod


def panel_effects(design: StaggeredDesign, method: Method) -> GroupTimeEffects:
    """Return the group-time effects of a panel; see `group_time_effects`."""
    strata, plans = Strata.of(design), design.cells()
    cells: list[GroupTimeCell | None] = [None] * len(plans)
    pieces = []
    for estimated in _estimates(design, strata, plans, method):
        for position, at in enumerate(estimated.at):
            cells[at] = cell_of(
                plans[at],
                estimated.found,
                position,
                estimated.counts,
                noun="comparison unit",
                covariates=design.panel.covariates,
            )
        if len(estimated.found.effect):
            pieces.append(Piece(estimated.at, estimated.rows, estimated.found.contribution))
    share = strata.first_weight / len(strata.order)
    own = [strata.rows_of((s,)) for s in range(len(design.cohorts))]
    pieces += [Piece([len(plans) + s], rows, share[rows][:, None]) for s, rows in enumerate(own)]
    n_columns = len(plans) + len(design.cohorts)
    blocks = partition(pieces, strata.start, strata.order)
    return GroupTimeEffects(
        method=method,
        design=design,
        cells=tuple(cell for cell in cells if cell is not None),
        influence=Influence(n_columns, blocks, design.cluster, design.n_clusters),
        cohort_weight=np.array([share[rows].sum() for rows in own]),
        df=None if design.cluster is None else design.n_clusters - 1,
        notes=_notes(design, strata),
    )


def _notes(design: StaggeredDesign, strata: Strata) -> tuple[str, ...]:
    """Return what a reader must know of covariates and weights that vary, and of units that lack periods."""
    notes: list[str] = []
    if strata.n_changing:
        vary = "Covariates of {n} vary over time; they are held at their value in the base period."
        notes.append(Sentence(vary, n=count(strata.n_changing, "units", "unit")))
    if strata.weight.shape[1] > 1:
        notes.append("Weights vary over time; each comparison uses those of its base period.")
    if not design.panel.is_balanced:
        lacking = count(int(np.isnan(strata.outcome).any(axis=1).sum()), "units", "unit")
        serves = "{n} without every period: each serves the comparisons for which it has both periods."
        notes.append(Sentence(serves, n=lacking))
    return tuple(notes)


def _estimates(
    design: StaggeredDesign, strata: Strata, plans: tuple[CellPlan, ...], method: Method
) -> Iterator[_Estimated]:
    """Yield the cells, those together that share units, covariates and weights."""
    periods = {period: at for at, period in enumerate(design.panel.periods)}
    complete = design.panel.is_balanced
    follows_base = strata.covariates.shape[1] > 1 or strata.weight.shape[1] > 1

    def together(at: int) -> tuple[object, ...]:
        plan = plans[at]
        alone = () if complete else (at,)
        return (plan.cohort, plan.compared, plan.is_reference, plan.base if follows_base else 0, *alone)

    for _, group in groupby(sorted(range(len(plans)), key=lambda at: repr(together(at))), key=together):
        chosen = sorted(group)
        plan = plans[chosen[0]]
        own = design.cohorts.index(plan.cohort)
        if plan.is_reference or not plan.compared:
            rows = strata.rows_of((own,))
            yield _Estimated(chosen, rows, (strata.counts(rows), (0, 0)), not_compared(plan))
            continue
        rows = strata.rows_of((own, *plan.compared))
        treated = np.arange(len(rows)) < strata.start[own + 1] - strata.start[own]
        change = _changes(strata, rows, [(periods[plans[at].period], periods[plans[at].base]) for at in chosen])
        yield _estimated(chosen, rows, treated, change, _Given(strata, periods[plan.base], method, complete))


class _Given(NamedTuple):
    strata: Strata
    base: int
    method: Method
    complete: bool


def _changes(strata: Strata, rows: Ints, pairs: list[tuple[int, int]]) -> Floats:
    """Return outcome in a period less outcome in its base, shape (n_rows, n_pairs)."""
    later, base = (np.array(side) for side in zip(*pairs, strict=True))
    if len(pairs) == 1:  # of an incomplete panel, whose other periods may be missing
        alone: Floats = (strata.outcome[rows, later[0]] - strata.outcome[rows, base[0]])[:, None]
        return alone
    difference = np.zeros((strata.outcome.shape[1], len(pairs)))
    difference[later, np.arange(len(pairs))] += 1
    difference[base, np.arange(len(pairs))] -= 1
    change: Floats = by_rows(strata.outcome[rows], difference)
    return change


def _estimated(at: list[int], rows: Ints, treated: Bools, change: Floats, given: _Given) -> _Estimated:
    """Compare the treated rows with the others; of an incomplete panel those that have both periods."""
    strata = given.strata
    covariates = strata.covariates[rows, min(given.base, strata.covariates.shape[1] - 1)]
    weight = strata.weight[rows, min(given.base, strata.weight.shape[1] - 1)]
    seen = np.ones(len(rows), dtype=bool) if given.complete else ~np.isnan(change[:, 0])
    counts = strata.counts(rows[treated & seen]), strata.counts(rows[~treated & seen])
    if given.complete:
        return _Estimated(at, rows, counts, two_period_effects(change, treated, covariates, weight, given.method))
    if not (treated & seen).any() or not (~treated & seen).any():
        return _Estimated(at, rows, counts, failed("an arm has no unit with both periods"))
    found = two_period_effects(change[seen], treated[seen], covariates[seen], weight[seen], given.method)
    if found.failure:
        return _Estimated(at, rows, counts, found)
    spread = np.zeros_like(change)
    spread[seen] = found.contribution
    return _Estimated(at, rows, counts, found._replace(contribution=spread))
