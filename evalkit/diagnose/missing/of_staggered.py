"""What the kind `staggered` gives of missing outcomes: its overall effect on any table of results, and its bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Ints
from evalkit.core.draws import SERIAL, Executor
from evalkit.core.project import AIMED_AT, Project
from evalkit.data.published.project_data import ProjectData
from evalkit.design.kinds.staggered import StaggeredOutcome, StaggeredPlan, values_of
from evalkit.diagnose.kinds.staggered import OutcomeWork, panel_years
from evalkit.diagnose.kinds.staggered_judged import JudgeOptions, judged_values, work_of
from evalkit.diagnose.missing.listed_bounds import DRAWS_OF_SEVERAL
from evalkit.diagnose.missing.sample import Judged, MissingSample, Outcomes, YearsOf, outcomes_of, words_of
from evalkit.estimate.areas.set_draws import FEWER_SETS, N_SETS, SetOptions, SetPool, Sets
from evalkit.estimate.areas.sets import FAST_CHUNK, SLOW_CHUNK, set_statistics
from evalkit.estimate.missing.area_bounds import JudgedBounds, bounds_by_jackknife, bounds_by_sets, bounds_without
from evalkit.estimate.missing.staggered_bounds import StaggeredBounds
from evalkit.estimate.staggered.relabelled import relabelled_panel

NO_CELLS: Final = (
    "Bounds trim the changes that each cohort's effect in a year is made of. The estimator `{estimator}` gives the "
    "effects by a regression over all years, in which no arm's share could be cut; `group-time` has bounds."
)
NO_COVARIATES: Final = (
    "Each cohort's effect in a year is adjusted for covariates, and a cut by change alone would not be of what is "
    "adjusted: bounds are given without covariates, or where schools are matched first."
)
NOT_PAIRS: Final = (
    "Bounds are of schools that have the year before their start and may lack a later one. With `unbalanced: {choice}` "
    "the estimate is not of these; with `pairs` it is."
)
NOTE: Final = (
    "Bounds are made for each cohort in each year after its start, and averaged as the effects are; the share that was "
    "cut is averaged alike."
)
_NOT_BY_AREA: Final = "Errors are clustered by {cluster}, and only with areas as clusters do bounds have an interval."
_FEW_SETS: Final = FEWER_SETS // 4
"""Sets where each has a comparison of its own to put in order."""


def staggered_samples(
    project: Project, plan: StaggeredPlan, intake: ProjectData, executor: Executor = SERIAL
) -> Iterator[MissingSample]:
    """Yield what can be said of missing results for every outcome that the programme aimed at."""
    roles = {one.code: one.role for one in project.outcomes}
    for outcome in plan.outcomes.values():
        if roles[outcome.code] not in AIMED_AT:
            continue
        values = values_of(intake.records[outcome.stage], outcome.code)
        years, _ = panel_years(project, outcome, values)
        work = _Work(project=project, plan=plan, outcome=outcome, executor=executor)
        yield MissingSample(
            outcome=outcome.code,
            outcomes=_outcomes(work, intake, values[list(years)]),
            judge=work.judged,
            bounds=None if work.no_bounds else partial(work.bounds, values[list(years)]),
            no_bounds=work.no_bounds,
            words=words_of(project, outcome.code),
            note="" if work.no_bounds else NOTE,
        )


def _outcomes(work: _Work, intake: ProjectData, values: pd.DataFrame) -> Outcomes:
    """Return the outcomes of participants and of everybody compared; those not treated are before until the first."""
    outcome, records = work.outcome, intake.records[work.outcome.stage]
    units = outcome.cohort.index.append(outcome.pool)
    arm = pd.Series("comparison", units, dtype=object)
    arm[outcome.cohort.index] = "treated"
    years = np.array([int(year) for year in values.columns])
    ahead = work.plan.choices.anticipation or 0
    first = int(outcome.cohort.min())
    start = outcome.cohort.reindex(units).fillna(first).to_numpy(dtype=float)
    after = years[None, :] >= start[:, None]
    before = np.tile(years < first - ahead, (len(units), 1))
    without = intake.treated.without_outcome.get(outcome.stage, {})
    of_years = YearsOf(years=tuple(years.tolist()), before=before, after=after)
    return outcomes_of(records, values, outcome.code, arm, of_years, fsm=intake.fsm_share, unmatched=without)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Work:
    """One outcome of staggered starts."""

    project: Project
    plan: StaggeredPlan
    outcome: StaggeredOutcome
    executor: Executor

    def judged(self, values: pd.DataFrame, is_number_alone: bool = False) -> Judged:
        """Return the overall effect on a table of results."""
        options = JudgeOptions(executor=self.executor, is_number_alone=is_number_alone)
        return judged_values(self.project, self.plan, self.outcome, values, options)

    @property
    def no_bounds(self) -> str:
        """Return why there are no bounds, empty where there are."""
        choices = self.plan.choices
        if choices.estimator != "group-time":
            return NO_CELLS.format(estimator=choices.estimator)
        if len(self.outcome.covariates.columns):
            return NO_COVARIATES
        return "" if choices.unbalanced in (None, "pairs") else NOT_PAIRS.format(choice=choices.unbalanced)

    def bounds(self, values: pd.DataFrame) -> JudgedBounds:
        """Return Lee's bounds of the overall effect: every set having its own, or without one area at a time."""
        work = work_of(self.project, self.plan, self.outcome, values, self.executor)
        if isinstance(work, str):
            return bounds_without(work)
        statistic, pool = self._statistic(work, values)
        level = self.project.inference.level
        areas = np.unique(pool.area[pool.is_listed])
        own = _listed_once(pool, areas)
        if self.outcome.sets is None:
            return self._by_areas(statistic, pool, own, values)
        usual = DRAWS_OF_SEVERAL if len(areas) > 1 else N_SETS // 4
        usual = _FEW_SETS if statistic.is_row_by_row else usual
        options = SetOptions(
            rule=self.outcome.sets.rule, seed=self.project.seed, level=level, draws_more=False, n_sets=usual
        )
        chunk = SLOW_CHUNK if statistic.is_row_by_row else FAST_CHUNK
        found = set_statistics(statistic, pool, options, self.executor, chunk)
        return bounds_by_sets(found, statistic.bounds(own), level)

    def _by_areas(self, statistic: StaggeredBounds, pool: SetPool, own: Sets, values: pd.DataFrame) -> JudgedBounds:
        """Return bounds whose error is from leaving out one area at a time, treated or compared."""
        level, cluster = self.project.inference.level, self.plan.choices.cluster
        found = statistic.bounds(own)
        if cluster != "area" or statistic.matching is not None:
            what = cluster if cluster != "area" else "area after a matching"
            return bounds_by_jackknife(found, np.empty((0, 2)), level, None, _NOT_BY_AREA.format(cluster=what))
        areas = np.unique(statistic.panel.area)
        members = np.where(pool.area[own.members] == areas[:, None], -1, own.members)
        taken = np.column_stack([np.repeat(own.areas, len(areas), axis=0), areas])
        rest = Sets(members=members, place=own.place, areas=taken, start=own.start)
        df = self.judged(values).df
        return bounds_by_jackknife(found, statistic.bounds(rest).ends, level, df)

    def _statistic(self, work: OutcomeWork, values: pd.DataFrame) -> tuple[StaggeredBounds, SetPool]:
        """Return bounds as a function of sets, and who could be in one: units without a later result as well."""
        outcome, design = self.outcome, work.whole
        panel = outcome.panel(values)
        cohort = panel.frame["cohort"]
        panel = panel.restricted((cohort.isna() | cohort.isin(list(design.cohorts))).to_numpy(dtype=bool))
        units = panel.units
        start = outcome.cohort.reindex(units).to_numpy(dtype=float)
        area = outcome.area.reindex(units).to_numpy(dtype=np.int64)
        is_pool = np.isnan(start)
        matching = work.matching()
        if matching is not None:
            assert outcome.match is not None
            ids = outcome.match.everyone.units.index
            matching = replace(matching, unit=units.get_indexer(ids).astype(np.int64))
        others = outcome.others
        pool = SetPool(
            ids=[*map(str, units), *map(str, others)],
            area=np.concatenate([area, outcome.area.reindex(others).to_numpy(dtype=np.int64)]),
            is_listed=np.concatenate([~is_pool, np.zeros(len(others), dtype=bool)]),
            stand_ins=tuple(np.unique(area[is_pool]).tolist()),
            level=outcome.level.reindex(units.append(others)).to_numpy(dtype=float),
            start=np.concatenate([start, np.full(len(others), np.nan)]),
            is_whole=not len(others),
        )
        return StaggeredBounds(panel=relabelled_panel(design, panel, area, is_pool), matching=matching), pool


def _listed_once(pool: SetPool, areas: Ints) -> Sets:
    """Return those listed as the one set."""
    members = np.flatnonzero(pool.is_listed)
    assert pool.start is not None
    return Sets(
        members=members[None, :],
        place=np.searchsorted(areas, pool.area[members]).astype(np.int64),
        areas=areas[None, :],
        start=pool.start[members],
    )
