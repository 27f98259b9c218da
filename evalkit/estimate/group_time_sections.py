"""Group-time effects from repeated cross-sections, and from panels whose rows are taken as such."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.design.staggered import CellPlan, StaggeredDesign
from evalkit.estimate.arrays.influence import Influence, Piece, partition
from evalkit.estimate.arrays.two_period import Method, TwoPeriod
from evalkit.estimate.arrays.two_period_sections import Sections, section_effect
from evalkit.estimate.group_time_cells import GroupTimeEffects, cell_of, not_compared

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class _Rows(NamedTuple):
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
    rows, plans = _rows(design), design.cells()
    periods = {period: at for at, period in enumerate(design.observations.periods)}
    cells, pieces = [], []
    for at, plan in enumerate(plans):
        used = _used(design, rows, plan, periods)
        found = _found(rows, used, plan, method)
        arms, names = _arms(rows, used), design.observations.covariates
        cell = cell_of(plan, found, 0, arms, noun="observation", covariates=names)
        fewest = None if design.is_panel else min(len(part) for arm in used for part in arm)
        cells.append(replace(cell, fewest_people=fewest))
        if len(found.effect):
            pieces.append(Piece([at], np.concatenate([*used.own, *used.other]), found.contribution))
    own = [rows.of_stratum(s) for s in range(len(design.cohorts))]
    pieces += [Piece([len(plans) + s], at, rows.share[at][:, None]) for s, at in enumerate(own)]
    cluster = None if rows.cluster is None else rows.cluster[np.argsort(rows.order)]
    blocks = partition(pieces, rows.start, rows.order)
    return GroupTimeEffects(
        method=method,
        design=design,
        cells=tuple(cells),
        influence=Influence(len(plans) + len(design.cohorts), blocks, cluster, rows.n_clusters),
        cohort_weight=np.array([rows.share[at].sum() for at in own]),
        df=None if design.cluster is None else rows.n_clusters - 1,
        notes=_notes(design),
    )


def _notes(design: StaggeredDesign) -> tuple[str, ...]:
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


def _rows(design: StaggeredDesign) -> _Rows:
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
    return _Rows(
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


class _Used(NamedTuple):
    """Rows of one comparison, base period first: of the cohort, and of those compared."""

    own: tuple[Ints, Ints]
    other: tuple[Ints, Ints]


def _used(design: StaggeredDesign, rows: _Rows, plan: CellPlan, periods: dict[int, int]) -> _Used:
    stratum, both = design.cohorts.index(plan.cohort), (periods[plan.base], periods[plan.period])
    empty = np.empty(0, dtype=np.int64)
    own = tuple(rows.of(stratum, period) for period in both)
    other = tuple(np.concatenate([empty, *(rows.of(s, period) for s in plan.compared)]) for period in both)
    return _Used((own[0], own[1]), (other[0], other[1]))


def _found(rows: _Rows, used: _Used, plan: CellPlan, method: Method) -> TwoPeriod:
    """Compare the observations of one cell; contributions stand in the order of `_Used`."""
    if plan.is_reference or not plan.compared:
        return not_compared(plan)
    every = np.concatenate([*used.own, *used.other])
    sizes = (len(used.own[0]), len(used.own[1]), len(used.other[0]), len(used.other[1]))
    sections = Sections(rows.outcome[every], rows.covariates[every], rows.weight[every], sizes)
    return section_effect(sections, method)


def _arms(rows: _Rows, used: _Used) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the observations of each arm in both periods, and the clusters that hold them."""
    own, other = (sum(len(part) for part in arm) for arm in used)
    return (own, rows.n_clusters_of(used.own)), (other, rows.n_clusters_of(used.other))
