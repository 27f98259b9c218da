"""A staggered estimator as a function of who is treated: its overall effect and event study under other labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import SERIAL, Executor, in_pieces
from evalkit.core.errors import InputError
from evalkit.core.quantities import Unavailable
from evalkit.design.panel.staggered import StaggeredDesign, staggered_design
from evalkit.estimate.staggered.cells import GroupTimeEffects
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.group_time_arrays import Method
from evalkit.estimate.staggered.relabelled_arrays import (
    Estimator,
    PlannedCell,
    RelabelledPanel,
    Relabellings,
    averaged,
    relabelled_cells,
    relabelled_overall,
)
from evalkit.estimate.staggered.summaries import event_study, overall_effect

_CHUNK: Final = 2_000
"""Relabellings worked through at once: what they hold stays within some tens of megabytes."""
_RERUNS: Final = 10
"""Relabellings of a chunk of reruns."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StaggeredStatistic:
    """The numbers of one estimator under any relabelling of a design's units.

    Attributes
    ----------
    design : StaggeredDesign, of a panel, with the actual labels and without the treated areas' other units
    area : shape (n_units,), code of each unit's area, in the order of `design.panel.units`
    estimator : as `evalkit did` names it
    method : how the group-time estimator adjusts for covariates
    executor : who works through relabellings
    """

    design: StaggeredDesign
    area: Ints
    estimator: Estimator = "group-time"
    method: Method = "dr"
    executor: Executor = SERIAL

    @property
    def is_from_sums(self) -> bool:
        """Return whether relabellings come from sums by cohort; else the estimator is rerun for each."""
        panel, options = self.design.panel, self.design.options
        is_even = panel.is_balanced or options.unbalanced != "levels"
        # In an incomplete panel the extended regression and imputation part, and sums give either.
        return not panel.covariates and is_even

    @property
    def times(self) -> tuple[int, ...]:
        """Return the event times of `values`, in their order after the overall effect; none for one regression."""
        if self.estimator == "twfe":
            return ()
        return tuple(part.label for part in event_study(self.effects()).parts if part.label is not None)

    def effects(self) -> GroupTimeEffects:
        """Return the effects under the actual labels."""
        return effects_of(self.design, self.estimator, self.method)

    @property
    def treated(self) -> Ints:
        """Return the positions of the units treated, by area, then unit."""
        units = np.flatnonzero(self.design.stratum < len(self.design.cohorts))
        return units[np.argsort(self.area[units], kind="stable")]

    @property
    def cohort(self) -> Ints:
        """Return the position of the cohort of each of the `treated`."""
        return np.asarray(self.design.stratum[self.treated])

    @property
    def is_pool(self) -> Bools:
        """Return which units may be compared: never treated, and of no area that holds a treated unit."""
        is_never = self.design.stratum == len(self.design.cohorts)
        return np.asarray(is_never & ~np.isin(self.area, self.area[self.treated]))

    def kept(self, taken: Ints) -> Bools:
        """Return which units may be compared where some areas are taken, shape (n_units,)."""
        return np.asarray(self.is_pool & ~np.isin(self.area, taken))

    def values(self, chosen: Ints, taken: Ints) -> Floats:
        """Return the overall effect and the event study under relabellings, shape (n, 1 + n_times).

        Parameters
        ----------
        chosen : shape (n, n_treated), positions of the units that take the places of `treated`
        taken : shape (n, n_areas), codes of the areas whose other units are then nobody's comparison

        NaN where a relabelling has no such number.
        """
        together = np.hstack([chosen, taken])
        work = partial(_from_sums if self.is_from_sums else _rerun, self.prepared(), chosen.shape[1])
        size = _CHUNK if self.is_from_sums else _RERUNS
        rows = in_pieces(self.executor, work, together, size)
        return np.array(rows).reshape(len(chosen), -1)

    def prepared(self) -> _Prepared:
        """Return what every chunk of relabellings needs; small enough to travel to a worker."""
        return _Prepared(
            replace(self, executor=SERIAL), relabelled_panel(self.design, self.area, self.is_pool), self.times
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    statistic: StaggeredStatistic
    panel: RelabelledPanel
    times: tuple[int, ...]


def effects_of(design: StaggeredDesign, estimator: str, method: Method) -> GroupTimeEffects:
    """Return the effects of a design by an estimator that gives them by cohort and period."""
    from evalkit.estimate.staggered.extended import extended_effects
    from evalkit.estimate.staggered.imputation import imputation_effects, two_stage_effects
    from evalkit.estimate.staggered.sun_abraham import sun_abraham_effects

    match estimator:
        case "imputation":
            return imputation_effects(design)
        case "two-stage":
            return two_stage_effects(design)
        case "sun-abraham":
            return sun_abraham_effects(design)
        case "extended":
            return extended_effects(design)
    return group_time_effects(design, method)


def relabelled_panel(design: StaggeredDesign, area: Ints, is_pool: Bools) -> RelabelledPanel:
    """Return a design's panel as the kernel takes it."""
    panel, at = design.panel, {period: position for position, period in enumerate(design.panel.periods)}
    cells = tuple(
        PlannedCell(design.cohorts.index(plan.cohort), at[plan.period], at[plan.base], plan.compared)
        for plan in design.cells()
    )
    return RelabelledPanel(
        outcome=panel.grid("outcome"),
        weight=panel.grid("weight"),
        periods=np.asarray(panel.periods),
        cohorts=np.asarray(design.cohorts),
        cells=cells,
        anticipation=design.anticipation,
        is_open=design.comparison == "not-yet",
        area=area,
        is_pool=is_pool,
    )


def _from_sums(prepared: _Prepared, n_treated: int, together: Ints) -> list[Floats]:
    statistic, panel = prepared.statistic, prepared.panel
    relabellings = Relabellings(together[:, :n_treated], statistic.cohort, together[:, n_treated:])
    if statistic.estimator == "twfe":
        return list(relabelled_overall(panel, relabellings, "twfe")[:, None])
    cells = relabelled_cells(panel, relabellings, statistic.estimator)
    since = panel.periods[cells.period] - panel.cohorts[cells.cohort]
    rows = [averaged(cells, since >= 0), *(averaged(cells, since == time) for time in prepared.times)]
    return list(np.column_stack(rows))


def _rerun(prepared: _Prepared, n_treated: int, together: Ints) -> list[Floats]:
    """Return the numbers of a rerun of everything for each relabelling."""
    return [_rerun_once(prepared, row[:n_treated], row[n_treated:]) for row in together]


def _rerun_once(prepared: _Prepared, chosen: Ints, taken: Ints) -> Floats:
    statistic = prepared.statistic
    none = np.full(1 + len(prepared.times), np.nan)
    try:
        design = relabelled_design(statistic.design, (chosen, statistic.cohort), statistic.kept(taken))
        if statistic.estimator == "twfe":
            return np.array([_two_way(design)])
        effects = effects_of(design, statistic.estimator, statistic.method)
    except InputError:
        return none
    parts = {part.label: part.estimate for part in event_study(effects).parts}
    found = [overall_effect(effects).estimate, *(parts.get(time) for time in prepared.times)]
    return np.array([np.nan if one is None or isinstance(one, Unavailable) else one.value for one in found])


def relabelled_design(design: StaggeredDesign, labels: tuple[Ints, Ints], kept: Bools) -> StaggeredDesign:
    """Return the design of a panel in which other units are treated: `labels` are their positions and cohorts.

    `kept`, shape (n_units,), says who may be compared. Raise `DesignError` where such a design cannot be.
    """
    chosen, cohort = labels
    start = np.full(len(design.panel.units), np.nan)
    start[chosen] = np.asarray(design.cohorts, dtype=float)[cohort]
    is_kept = kept | ~np.isnan(start)
    panel = design.panel
    frame = panel.frame.assign(cohort=pd.Series(start[panel.unit_codes], panel.frame.index))
    return staggered_design(replace(panel, frame=frame).restricted(is_kept[panel.unit_codes]), design.options)


def _two_way(design: StaggeredDesign) -> float:
    from evalkit.estimate.two_way.panel_rows import PanelRows, require_contrast

    rows = PanelRows.of(design.panel)
    require_contrast(rows)
    return float(rows.fit_of_treatment().coefficients[0])
