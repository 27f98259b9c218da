"""Randomisation over sets for staggered starts: every number again where other units have the starts of those listed.

Where listed units lie in one area or a few, no error within them tells an area's own shock from the programme. Sets of
units of other areas then take the places of the listed ones, with their starts, and the estimator is rerun.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import SERIAL, Executor
from evalkit.core.errors import DesignError, InputError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.data.panel import Panel
from evalkit.design.matching.rerun import MatchingRerun
from evalkit.design.panel.staggered import StaggeredDesign, staggered_design
from evalkit.estimate.areas.set_draws import FEWER_SETS, SetOptions, SetPool, Sets, TreatedSet, one_at_a_time
from evalkit.estimate.areas.sets import SLOW_CHUNK, SetStatistics, set_statistics
from evalkit.estimate.staggered.cells import GroupTimeEffects
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.group_time_arrays import Method
from evalkit.estimate.staggered.relabelled_arrays import (
    Estimator,
    PlannedCell,
    RelabelledCells,
    RelabelledPanel,
    Relabellings,
    averaged,
    averaged_by_cohort,
    mean_of_known,
    relabelled_cells,
    relabelled_overall,
)
from evalkit.estimate.staggered.summaries import (
    Summary,
    effects_by_cohort,
    effects_by_period,
    event_study,
    overall_effect,
    single_cell,
)

N_RERUNS: Final = 499
"""Sets for which an estimator with covariates is rerun; without covariates there are as many as elsewhere."""


Kind = Literal["overall", "time", "times", "cohort", "cohorts", "period", "periods", "cell"]
"""A number is the overall effect, a part of a summary (by event time, cohort or period), its mean, or a cell."""


class Numbered(NamedTuple):
    """One number of a staggered estimator: the overall effect, a part of a summary or its mean, or a single cell.

    `label` is the event time, cohort or period of a part, the cohort of a cell; `period` that of a cell.
    """

    of: Kind
    label: int | None = None
    period: int | None = None


OVERALL: Final = Numbered("overall")


def numbers_of(effects: GroupTimeEffects, balanced_until: int | None = None) -> dict[Numbered, Summary]:
    """Return every number of some effects: overall, by event time, cohort and period with their means, and the cells.

    A cell without an estimate, or that is zero by definition, is no number.
    """
    study, cohorts = event_study(effects, balanced_until), effects_by_cohort(effects)
    periods = effects_by_period(effects)
    found = {OVERALL: overall_effect(effects), Numbered("times"): study.overall}
    found |= {Numbered("time", part.label): part for part in study.parts}
    found |= {Numbered("cohorts"): cohorts.overall, Numbered("periods"): periods.overall}
    found |= {Numbered("cohort", part.label): part for part in cohorts.parts}
    found |= {Numbered("period", part.label): part for part in periods.parts}
    for at, cell in enumerate(effects.cells):
        if not cell.is_reference and not isinstance(cell.value, Unavailable):
            found[Numbered("cell", cell.cohort, cell.period)] = single_cell(effects, at)
    return found


_CHUNK: Final = 5_000
"""Sets in a piece of work: what is summed over units is made anew for each piece, and takes longer than the sets."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MatchedFirst:
    """A matching that is made again for each set before the estimate.

    Attributes
    ----------
    rerun : the matching
    unit : shape (n_baseline,), position in the design's panel of each unit of the matching's baseline, −1 where it has
        no results: such a unit is left out after matching
    area : shape (n_baseline,), code of each unit's area
    may_compare : shape (n_baseline,), who may be matched with anybody
    """

    rerun: MatchingRerun
    unit: Ints
    area: Ints
    may_compare: Bools

    def weights(self, sets: Sets, n_units: int) -> tuple[Floats, Floats]:
        """Return what members of sets, and units compared with them, weigh: shapes of `members`, and (k, n_units).

        A set without a match weighs nothing, and so has no numbers.
        """
        place = np.full(n_units + 1, -1, dtype=np.int64)
        place[self.unit[self.unit >= 0]] = np.flatnonzero(self.unit >= 0)
        members = place[sets.members]
        in_pool = self.may_compare & ~np.stack([np.isin(self.area, areas) for areas in sets.areas])
        own, compared = np.zeros(sets.members.shape), np.zeros((len(sets), n_units))
        for row, found in enumerate(self.rerun.matched(members, in_pool, self.unit < 0)):
            if found is None:
                continue
            weight = np.zeros(n_units + 1)
            weight[self.unit[found.unit]] = found.weight
            own[row] = weight[sets.members[row]]
            is_other = ~found.is_treated
            compared[row, self.unit[found.unit[is_other]]] = found.weight[is_other]
        return own, compared


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StaggeredStatistic:
    """The numbers of one estimator as a function of who is treated: called with `Sets`.

    Units of the design stand in its panel's order. Whoever is listed, nobody is compared that lies in an area of a
    listed unit, or of a unit of the set.

    Attributes
    ----------
    design : StaggeredDesign of a panel, with the actual labels
    area : shape (n_units,), code of each unit's area
    estimator : by its name on the command line
    method : how the group-time estimator adjusts for covariates
    numbers : what the columns are, the overall effect first
    balanced_until : of the event study, as in `event_study`
    matching : made again for each set; None where everybody who may be compared is
    beside : other estimators, whose overall effects are the last columns
    """

    design: StaggeredDesign
    area: Ints
    estimator: Estimator = "group-time"
    method: Method = "dr"
    numbers: tuple[Numbered, ...] = (OVERALL,)
    balanced_until: int | None = None
    matching: MatchedFirst | None = None
    beside: tuple[Estimator, ...] = ()

    def __post_init__(self) -> None:
        is_listed = self.design.stratum < len(self.design.cohorts)
        if np.isin(self.area[~is_listed], self.area[is_listed]).any():
            raise DesignError(
                "Some units to be compared lie in an area of a treated unit. Leave them out of the panel first: what "
                "happens to an area happens to them as well."
            )

    @property
    def is_from_sums(self) -> bool:
        """Return whether sets are worked through by sums over cohorts; else the estimator is rerun for each."""
        design = self.design
        return not design.panel.covariates and (design.panel.is_balanced or design.options.unbalanced != "levels")

    def __call__(self, sets: Sets) -> Floats:
        """Return the numbers of each set, shape (k, n_numbers + n_beside); NaN where it has none."""
        if not self.is_from_sums:
            return one_at_a_time(self.rerun, sets)
        return self._values(_relabelled_panel(self), sets)

    def _values(self, panel: RelabelledPanel, sets: Sets) -> Floats:
        own, compared = (None, None) if self.matching is None else self.matching.weights(sets, len(panel.area))
        relabellings = Relabellings(sets.members, self._cohort(sets.start), sets.areas, own, compared)
        if self.estimator == "twfe":
            found = relabelled_overall(panel, relabellings, "twfe")[:, None]
        else:
            found = self._columns(panel, relabelled_cells(panel, relabellings, self.estimator))
        everyone = replace(panel, is_open=True)  # as the table of six estimators compares
        return np.column_stack([found, *(relabelled_overall(everyone, relabellings, name) for name in self.beside)])

    def _columns(self, panel: RelabelledPanel, cells: RelabelledCells) -> Floats:
        cohort, period = panel.cohorts[cells.cohort], panel.periods[cells.period]
        since = period - cohort
        inside = _is_balanced(panel, cells, self.balanced_until)
        belongs = {"time": (since, inside), "cohort": (cohort, since >= 0), "period": (period, since >= 0)}
        found: dict[Numbered, Floats] = {}
        for number in self.numbers:
            if number.of == "cell":
                found[number] = cells.value[:, (cohort == number.label) & (period == number.period)][:, 0]
            elif number.of in belongs:
                labels, among = belongs[number.of]
                found[number] = averaged(cells, among & (labels == number.label))
        parts = {
            of: [found[number] for number in found if number.of == of and (number.label or 0) >= 0] for of in belongs
        }
        for number in self.numbers:
            if number.of == "overall":
                found[number] = averaged(cells, since >= 0)
            elif number.of == "cohorts":
                found[number] = averaged_by_cohort(cells, since >= 0)
            elif number.of in ("times", "periods"):
                found[number] = mean_of_known(np.column_stack(parts[number.of.removesuffix("s")]))
        return np.column_stack([found[number] for number in self.numbers])

    def of_trend(self, sets: Sets) -> Floats:
        """Return what the numbers would be if outcomes of treated units did nothing but rise by 1 a period.

        Every estimator is linear in outcomes, so that a trend of any slope adds so many times this.
        """
        panel = _relabelled_panel(self)
        is_treated = self.design.stratum < len(self.design.cohorts)
        rise = is_treated[:, None] * (panel.periods - panel.periods[0]).astype(float)
        return self._values(replace(panel, outcome=np.where(np.isnan(panel.outcome), np.nan, rise)), sets)

    def rerun(self, one: TreatedSet) -> Floats:
        """Return the numbers of one set by rerunning design and estimator."""
        try:
            design = relabelled_design(self, one)
            if self.estimator == "twfe":
                return np.array([_two_way(design)])
            found = numbers_of(effects_of(design, self.estimator, self.method), self.balanced_until)
        except InputError:
            return np.full(len(self.numbers), np.nan)
        estimates = [found[number].estimate if number in found else None for number in self.numbers]
        return np.array([each.value if isinstance(each, Estimate) else np.nan for each in estimates])

    @property
    def is_pool(self) -> Bools:
        """Return which units may be compared: those never treated, none of which shares an area with a treated one."""
        return np.asarray(self.design.stratum == len(self.design.cohorts))

    def _cohort(self, start: Floats | None) -> Ints:
        assert start is not None  # `staggered_pool` gives every listed unit its own
        return np.searchsorted(self.design.cohorts, start).astype(np.int64)


def _is_balanced(panel: RelabelledPanel, cells: RelabelledCells, until: int | None) -> Bools:
    """Return which cells an event study is made of, as in `event_study` with `balanced_until`."""
    if until is None:
        return np.ones(len(cells.cohort), dtype=bool)
    last, cohort = panel.periods[-1], panel.cohorts[cells.cohort]
    since, is_long = panel.periods[cells.period] - cohort, last - cohort >= until
    n_long = int((last - panel.cohorts >= until).sum())
    n_seen = np.array([(is_long & (since == each)).sum() for each in since])
    lowest = until - (last - panel.periods[0])
    return np.asarray(is_long & (since >= lowest) & (since <= until) & ((since < 0) | (n_seen == n_long)))


def staggered_statistic(
    design: StaggeredDesign,
    area: Ints,
    estimator: Estimator = "group-time",
    method: Method = "dr",
    balanced_until: int | None = None,
) -> StaggeredStatistic:
    """Return every number of an estimator (of "twfe" the one it has) as a function of who is treated.

    `area`, shape (n_units,), holds the code of each unit's area in the order of `design.panel.units`.
    """
    if estimator == "twfe":
        return StaggeredStatistic(design=design, area=area, estimator=estimator)
    found = numbers_of(effects_of(design, estimator, method), balanced_until)
    return StaggeredStatistic(
        design=design,
        area=area,
        estimator=estimator,
        method=method,
        numbers=tuple(found),
        balanced_until=balanced_until,
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UnlistedUnits:
    """Units of treated areas that were not listed: nobody's comparison, but part of what the areas are.

    ids, and shape (n,) each: code of the area, mean outcome before the first start (NaN where there is none).
    """

    ids: tuple[str, ...] = ()
    area: Ints
    level: Floats


NO_UNLISTED: Final = UnlistedUnits(area=np.empty(0, dtype=np.int64), level=np.empty(0))


def staggered_pool(
    design: StaggeredDesign, area: Ints, unlisted: UnlistedUnits = NO_UNLISTED, level: Floats | None = None
) -> SetPool:
    """Return who was listed and who could have been: the design's units, then those unlisted of treated areas.

    `level`, shape (n_units,), is each unit's mean outcome before any start; None for that of the panel.
    """
    panel = design.panel
    is_listed = design.stratum < len(design.cohorts)
    start = np.append(np.asarray(design.cohorts, dtype=float), np.nan)[design.stratum]
    none = np.full(len(unlisted.ids), np.nan)
    return SetPool(
        ids=[*map(str, panel.units), *unlisted.ids],
        area=np.concatenate([area, unlisted.area]),
        is_listed=np.concatenate([is_listed, np.zeros(len(unlisted.ids), dtype=bool)]),
        stand_ins=tuple(np.unique(area[~is_listed]).tolist()),
        level=np.concatenate([levels_before(design) if level is None else level, unlisted.level]),
        start=np.concatenate([start, none]),
        is_whole=not len(unlisted.ids),
    )


def levels_before(design: StaggeredDesign) -> Floats:
    """Return each unit's mean outcome in the periods before any start, NaN where it was not observed then."""
    is_before = np.asarray(design.panel.periods) < min(design.cohorts) - design.anticipation
    seen = design.panel.grid("outcome")[:, is_before]
    n = (~np.isnan(seen)).sum(axis=1)
    return np.where(n > 0, np.nansum(seen, axis=1) / np.maximum(n, 1), np.nan)


def staggered_sets(
    statistic: StaggeredStatistic, pool: SetPool, options: SetOptions, executor: Executor = SERIAL
) -> SetStatistics:
    """Return the numbers of the listed units and of sets drawn in their place, columns as `statistic.numbers`.

    Without covariates by sums over cohorts, which give what a rerun gives; with covariates the estimator is rerun, for
    `N_RERUNS` sets where `options` names no number; `FEWER_SETS` where a matching is made again for each.

    Raises
    ------
    DesignError
        Where no listed unit is left.
    """
    if statistic.matching is not None:
        fewer = replace(options, n_sets=options.n_sets or FEWER_SETS, draws_more=False)
        return set_statistics(statistic, pool, fewer, executor, SLOW_CHUNK)
    if statistic.is_from_sums:
        return set_statistics(statistic, pool, options, executor, _CHUNK)
    fewer = replace(options, n_sets=options.n_sets or N_RERUNS, draws_more=False)
    return set_statistics(statistic, pool, fewer, executor, SLOW_CHUNK)


def effects_of(design: StaggeredDesign, estimator: str, method: Method = "dr") -> GroupTimeEffects:
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


def relabelled_design(statistic: StaggeredStatistic, one: TreatedSet) -> StaggeredDesign:
    """Return the design of the panel in which a set is treated; raise `DesignError` where there is none."""
    design, panel = statistic.design, statistic.design.panel
    start = np.full(len(panel.units), np.nan)
    start[one.units] = one.start
    is_kept = ~np.isnan(start) | (statistic.is_pool & ~np.isin(statistic.area, one.areas))
    rows = is_kept[panel.unit_codes]
    frame = panel.frame.assign(cohort=pd.Series(start[panel.unit_codes], panel.frame.index))
    relabelled = replace(panel, frame=frame)
    return staggered_design(relabelled.restricted(rows), design.options)


def _relabelled_panel(statistic: StaggeredStatistic) -> RelabelledPanel:
    """Return the panel as the kernel takes it."""
    return relabelled_panel(statistic.design, statistic.design.panel, statistic.area, statistic.is_pool)


def relabelled_panel(design: StaggeredDesign, panel: Panel, area: Ints, is_pool: Bools) -> RelabelledPanel:
    """Return a panel as the kernel takes it, with the comparisons of a design: units may be more than the design's."""
    at = {period: position for position, period in enumerate(panel.periods)}
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


def _two_way(design: StaggeredDesign) -> float:
    from evalkit.estimate.two_way.panel_rows import PanelRows, require_contrast

    rows = PanelRows.of(design.panel)
    require_contrast(rows)
    return float(rows.fit_of_treatment().coefficients[0])
