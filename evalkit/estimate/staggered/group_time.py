"""Group-time effects (Callaway and Sant'Anna, 2021): of panels and of repeated cross-sections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.sentence import Sentence, count
from evalkit.core.words import listed
from evalkit.data.panel import Panel
from evalkit.design.algebra_arrays import by_rows
from evalkit.design.panel.staggered import CellPlan, StaggeredDesign
from evalkit.estimate.staggered.cells import GroupTimeCell, GroupTimeEffects
from evalkit.estimate.staggered.group_time_arrays import (
    LARGEST_COMPARISON_SCORE,
    Method,
    Sections,
    TwoPeriod,
    failed,
    section_effect,
    two_period_effects,
)
from evalkit.estimate.staggered.influence_arrays import Influence, Piece, partition


def group_time_effects(design: StaggeredDesign, method: Method = "dr") -> GroupTimeEffects:
    """Return the effect on every cohort in every period (Callaway and Sant'Anna, 2021).

    Parameters
    ----------
    design : StaggeredDesign
        Its panel's covariates are those adjusted for, at their values in the base period.
    method : "dr" (doubly robust), "ipw" (inverse probability, normalised) or "reg" (outcome regression)

    Returns
    -------
    GroupTimeEffects
        A comparison that cannot be made has its reason in place of a number. Errors carry the estimation of
        regressions, propensity scores and cohort shares, and are clustered as the observations say.

    Raises
    ------
    DesignError
        Where no comparison at all can be made.

    Examples
    --------
    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 6 and t >= 3), 3 if i < 6 else None)
    ...     for i in range(18) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> design = evalkit.staggered_design(panel)
    >>> effects = evalkit.group_time_effects(design)
    >>> [(cell.period, round(cell.value, 2)) for cell in effects.cells]
    [(1, -0.02), (2, -0.03), (3, 1.02), (4, 0.99)]
    """
    if method not in ("dr", "ipw", "reg"):
        raise DesignError(f"The method '{method}' is not known. It is dr, ipw or reg.")
    as_levels = design.is_panel and design.options.unbalanced == "levels" and not design.panel.is_balanced
    effects = panel_effects(design, method) if design.is_panel and not as_levels else section_effects(design, method)
    reasons = [cell.value.reason for cell in effects.cells if isinstance(cell.value, Unavailable)]
    if all(isinstance(cell.value, Unavailable) or cell.is_reference for cell in effects.cells):
        raise DesignError(f"No effect can be estimated. {reasons[0]}")
    return effects


# Group-time effects where the same units are followed over time (Callaway and Sant'Anna, 2021).


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
        # Numpy sorts 16 bits by radix, in linear time; there are never as many cohorts.
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


class _ComparedCells(NamedTuple):
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
            cells[at] = _cell(
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
    cohort_rows = [strata.rows_of((s,)) for s in range(len(design.cohorts))]
    pieces += [Piece([len(plans) + s], rows, share[rows][:, None]) for s, rows in enumerate(cohort_rows)]
    n_columns = len(plans) + len(design.cohorts)
    blocks = partition(pieces, strata.start, strata.order)
    return GroupTimeEffects(
        method=method,
        design=design,
        cells=tuple(cell for cell in cells if cell is not None),
        influence=Influence(n_columns, blocks, design.cluster, design.n_clusters),
        cohort_weight=np.array([share[rows].sum() for rows in cohort_rows]),
        df=None if design.cluster is None else design.n_clusters - 1,
        notes=_panel_notes(design, strata),
    )


def _panel_notes(design: StaggeredDesign, strata: Strata) -> tuple[str, ...]:
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
) -> Iterator[_ComparedCells]:
    """Yield the cells, those together that share units, covariates and weights."""
    periods = {period: at for at, period in enumerate(design.panel.periods)}
    complete = design.panel.is_balanced
    follows_base = strata.covariates.shape[1] > 1 or strata.weight.shape[1] > 1

    # Comparisons of one cohort share regression and score unless the base period changes covariates or weights; in an
    # incomplete panel each has units of its own.
    def together(at: int) -> tuple[object, ...]:
        plan = plans[at]
        alone = () if complete else (at,)
        return (plan.cohort, plan.compared, plan.is_reference, plan.base if follows_base else 0, *alone)

    for _, group in groupby(sorted(range(len(plans)), key=lambda at: repr(together(at))), key=together):
        chosen = sorted(group)
        plan = plans[chosen[0]]
        cohort = design.cohorts.index(plan.cohort)
        if plan.is_reference or not plan.compared:
            rows = strata.rows_of((cohort,))
            yield _ComparedCells(chosen, rows, (strata.counts(rows), (0, 0)), _not_compared(plan))
            continue
        rows = strata.rows_of((cohort, *plan.compared))
        treated = np.arange(len(rows)) < strata.start[cohort + 1] - strata.start[cohort]
        change = _changes(strata, rows, [(periods[plans[at].period], periods[plans[at].base]) for at in chosen])
        yield _compared_cells(
            strata, chosen, rows, treated=treated, change=change, base=periods[plan.base], method=method
        )


def _changes(strata: Strata, rows: Ints, pairs: list[tuple[int, int]]) -> Floats:
    """Return outcome in a period less outcome in its base, shape (n_rows, n_pairs)."""
    later, base = (np.array(side) for side in zip(*pairs, strict=True))
    if len(pairs) == 1:  # of an incomplete panel, whose other periods may be missing
        alone: Floats = (strata.outcome[rows, later[0]] - strata.outcome[rows, base[0]])[:, None]
        return alone
    # Differences of columns as one matrix product, +1 in the later period and −1 in the base.
    difference = np.zeros((strata.outcome.shape[1], len(pairs)))
    difference[later, np.arange(len(pairs))] += 1
    difference[base, np.arange(len(pairs))] -= 1
    change: Floats = by_rows(strata.outcome[rows], difference)
    return change


def _compared_cells(
    strata: Strata, at: list[int], rows: Ints, *, treated: Bools, change: Floats, base: int, method: Method
) -> _ComparedCells:
    """Compare the treated rows with the others; of an incomplete panel those that have both periods."""
    is_seen = ~np.isnan(change[:, 0])  # all of them in a complete panel; an incomplete one compares one pair at a time
    covariates = strata.covariates[rows, min(base, strata.covariates.shape[1] - 1)]
    weight = strata.weight[rows, min(base, strata.weight.shape[1] - 1)]
    counts = strata.counts(rows[treated & is_seen]), strata.counts(rows[~treated & is_seen])
    if not (treated & is_seen).any() or not (~treated & is_seen).any():
        return _ComparedCells(at, rows, counts, failed("an arm has no unit with both periods"))
    if is_seen.all():
        return _ComparedCells(at, rows, counts, two_period_effects(change, treated, covariates, weight, method))
    found = two_period_effects(change[is_seen], treated[is_seen], covariates[is_seen], weight[is_seen], method)
    if found.failure:
        return _ComparedCells(at, rows, counts, found)
    contribution = np.zeros_like(change)
    contribution[is_seen] = found.contribution
    return _ComparedCells(at, rows, counts, found._replace(contribution=contribution))


# Group-time effects from repeated cross-sections, and from panels whose rows are taken as such.


class _SectionRows(NamedTuple):
    """Observations in order of stratum and, within, period; `order` and `start` give the row and the begin of each."""

    outcome: Floats
    covariates: Floats
    weight: Floats
    share: Floats
    cluster: Ints | None
    n_clusters: int
    order: Ints
    start: Ints
    n_periods: int

    def of(self, stratum: int, period: int) -> Ints:
        """Return the positions of a stratum in a period."""
        part = stratum * self.n_periods + period
        return np.arange(self.start[part], self.start[part + 1])

    def of_stratum(self, stratum: int) -> Ints:
        """Return the positions of a stratum in all periods."""
        return np.arange(self.start[stratum * self.n_periods], self.start[(stratum + 1) * self.n_periods])

    def n_clusters_of(self, both: tuple[Ints, Ints]) -> int:
        """Return how many clusters hold the positions of a period, of the one of two that has fewer."""
        if self.cluster is None:
            return min(len(rows) for rows in both)
        return min(int(np.bincount(self.cluster[rows]).astype(bool).sum()) for rows in both)


def section_effects(design: StaggeredDesign, method: Method) -> GroupTimeEffects:
    """Return the group-time effects of repeated cross-sections; see `group_time_effects`.

    A panel is taken row by row; its units are then clusters, so that what a unit's rows share is in the errors.
    """
    rows, plans = _section_rows(design), design.cells()
    periods = {period: at for at, period in enumerate(design.observations.periods)}
    cells, pieces = [], []
    for at, plan in enumerate(plans):
        used = _compared_rows(design, rows, plan, periods)
        found = _compared_sections(rows, used, plan, method)
        arms, names = _arms(rows, used), design.observations.covariates
        cell = _cell(plan, found, 0, arms, noun="observation", covariates=names)
        fewest = None if design.is_panel else min(len(part) for arm in used for part in arm)
        cells.append(replace(cell, fewest_people=fewest))
        if len(found.effect):
            pieces.append(Piece([at], np.concatenate([*used.treated, *used.comparison]), found.contribution))
    cohort_rows = [rows.of_stratum(s) for s in range(len(design.cohorts))]
    pieces += [Piece([len(plans) + s], at, rows.share[at][:, None]) for s, at in enumerate(cohort_rows)]
    cluster = None if rows.cluster is None else rows.cluster[np.argsort(rows.order)]
    blocks = partition(pieces, rows.start, rows.order)
    return GroupTimeEffects(
        method=method,
        design=design,
        cells=tuple(cells),
        influence=Influence(len(plans) + len(design.cohorts), blocks, cluster, rows.n_clusters),
        cohort_weight=np.array([rows.share[at].sum() for at in cohort_rows]),
        df=None if design.cluster is None else rows.n_clusters - 1,
        notes=_section_notes(design),
    )


def _section_notes(design: StaggeredDesign) -> tuple[str, ...]:
    """Return what is taken as independent of what."""
    if design.is_panel:
        return ("Rows of the panel are taken as repeated cross-sections; errors are clustered by unit or above.",)
    by = getattr(design.observations, "clustered_by", "cluster")
    words = {
        "row": (
            "Each row is taken as independent: no unit holds two rows of one period, and no cluster was named. Where "
            "people share a school, name that or its area, or the errors are too small."
        ),
        "unit": "Units hold several rows of one period, so errors are clustered by unit.",
        "cluster": "Errors are clustered by the column named.",
    }
    return (words[by],)


def _section_rows(design: StaggeredDesign) -> _SectionRows:
    frame, observations = design.observations.frame, design.observations
    stratum, cluster = design.stratum, design.cluster
    weight = frame["weight"].to_numpy(dtype=float)
    share = weight / len(weight)
    if design.is_panel:  # a unit counts once, with the mean weight of its rows
        codes = design.panel.unit_codes
        stratum, cluster = stratum[codes], codes if cluster is None else cluster[codes]
        share = weight / np.bincount(codes)[codes] / len(design.panel.units)
    part = stratum * len(observations.periods) + observations.period_codes
    n_parts = (len(design.cohorts) + 1) * len(observations.periods)
    order = np.argsort(part.astype(np.int16 if n_parts < 2**15 else np.int64), kind="stable")
    return _SectionRows(
        outcome=frame["outcome"].to_numpy(dtype=float)[order],
        covariates=frame[list(observations.covariates)].to_numpy(dtype=float)[order],
        weight=weight[order],
        share=share[order],
        cluster=None if cluster is None else cluster[order],
        n_clusters=design.n_clusters,
        order=order,
        start=np.searchsorted(part[order], np.arange(n_parts + 1)),
        n_periods=len(observations.periods),
    )


class _ComparedRows(NamedTuple):
    """Rows of one comparison, base period first: of the cohort, and of those compared."""

    treated: tuple[Ints, Ints]
    comparison: tuple[Ints, Ints]


def _compared_rows(
    design: StaggeredDesign, rows: _SectionRows, plan: CellPlan, periods: dict[int, int]
) -> _ComparedRows:
    stratum, both = design.cohorts.index(plan.cohort), (periods[plan.base], periods[plan.period])
    empty = np.empty(0, dtype=np.int64)
    treated = tuple(rows.of(stratum, period) for period in both)
    comparison = tuple(np.concatenate([empty, *(rows.of(s, period) for s in plan.compared)]) for period in both)
    return _ComparedRows((treated[0], treated[1]), (comparison[0], comparison[1]))


def _compared_sections(rows: _SectionRows, used: _ComparedRows, plan: CellPlan, method: Method) -> TwoPeriod:
    """Compare the observations of one cell; contributions stand in the order of `_ComparedRows`."""
    if plan.is_reference or not plan.compared:
        return _not_compared(plan)
    every = np.concatenate([*used.treated, *used.comparison])
    sizes = (len(used.treated[0]), len(used.treated[1]), len(used.comparison[0]), len(used.comparison[1]))
    sections = Sections(rows.outcome[every], rows.covariates[every], rows.weight[every], sizes)
    return section_effect(sections, method)


def _arms(rows: _SectionRows, used: _ComparedRows) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the observations of each arm in both periods, and the clusters that hold them."""
    n_treated, n_comparison = (sum(len(part) for part in arm) for arm in used)
    return (n_treated, rows.n_clusters_of(used.treated)), (n_comparison, rows.n_clusters_of(used.comparison))


# What comes out of a comparison, as a cell.


_CountedArm = tuple[int, int]
"""How many units (observations) of an arm are compared, and the clusters that hold them."""


def _not_compared(plan: CellPlan) -> TwoPeriod:
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


def _cell(
    plan: CellPlan,
    found: TwoPeriod,
    position: int,
    arms: tuple[_CountedArm, _CountedArm],
    *,
    noun: str,
    covariates: tuple[str, ...],
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
