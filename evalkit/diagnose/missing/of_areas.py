"""What the kind `areas` gives of missing outcomes: its main comparison on any table of results, and bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from evalkit.core.project import AIMED_AT, OWN_GROUP, Project
from evalkit.core.quantities import Unavailable
from evalkit.data.measures import measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords
from evalkit.design.project.areas import AreaComparisons
from evalkit.design.project.labels import NEIGHBOURS
from evalkit.design.project.plan import LockedDesign, OutcomeDesign
from evalkit.design.project.set_rule import P_NEEDS
from evalkit.diagnose.missing.listed_bounds import bounds_of_listed
from evalkit.diagnose.missing.sample import Judged, MissingSample, Outcomes, common_years, outcomes_of, words_of
from evalkit.estimate.areas.clusters import supported_inference
from evalkit.estimate.areas.outcome_effects import main_effects, mean_pupils, placing_of
from evalkit.estimate.areas.sample import Changes
from evalkit.estimate.effect import surest_effect
from evalkit.estimate.missing.area_bounds import JudgedBounds, bounds_by_permutation
from evalkit.estimate.missing.lee_arrays import LeeBounds, lee_bounds


def areas_samples(project: Project, intake: ProjectData, locked: LockedDesign) -> Iterator[MissingSample]:
    """Yield what can be said of missing results for every outcome that the programme aimed at."""
    for outcome in project.outcomes:
        design = locked.outcomes[outcome.code]
        if outcome.role in AIMED_AT and not design.too_few:
            records = intake.records[measure_of(project, outcome.code).key_stage]
            work = _Work(project=project, records=records, design=design, role=outcome.role)
            outcomes = _outcomes(work, intake)
            yield MissingSample(
                outcome=outcome.code,
                outcomes=outcomes,
                judge=work.judged,
                bounds=partial(work.bounds, outcomes),
                words=words_of(project, outcome.code),
            )


def _outcomes(work: _Work, intake: ProjectData) -> Outcomes:
    """Return the outcomes of the mainstream schools of every group, and of those of treated areas that take no part."""
    project, records, design = work.project, work.records, work.design
    exposure = project.exposure
    others = design.sets.others if design.sets is not None else design.groups.index[:0]
    units = design.groups.index.union(others)
    is_kept = records.schools["minor_group"].reindex(units).isin([*project.pool.minor_groups, OWN_GROUP])
    units = units[is_kept.to_numpy()]
    group = design.groups.reindex(units)
    arm = pd.Series("elsewhere", units, dtype=object)
    arm[group.isin(design.comparisons[NEIGHBOURS].of(design.treated_group)).to_numpy()] = "comparison"
    arm[(group == design.treated_group).to_numpy()] = "treated"
    years = common_years(exposure.pre, exposure.partial, exposure.post, len(units))
    return outcomes_of(
        records,
        records.values[design.outcome],
        design.outcome,
        arm,
        years,
        fsm=intake.fsm_share,
        unmatched=intake.treated.without_outcome.get(records.key_stage),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Work:
    """The main comparison of one outcome."""

    project: Project
    records: SchoolRecords
    design: OutcomeDesign
    role: str

    def changes(self, values: pd.DataFrame) -> Changes:
        """Return the change of each school of a group that has every year before, NaN where one after is missing."""
        exposure = self.project.exposure
        values = values[values.index.isin(self.design.groups.index)]
        before = values[list(exposure.pre)]
        kept = values[before.notna().all(axis=1)]
        after = kept[list(exposure.post)].mean(axis=1, skipna=False)
        change = (after - kept[list(exposure.pre)].mean(axis=1)).to_numpy(dtype=float)
        group = self.design.groups.reindex(kept.index).to_numpy(dtype=np.int64)
        found = Changes(kept.index, group, change, np.ones(len(kept)))
        by_pupils = self.project.estimation.weights == "pupils"
        return found.scaled(mean_pupils(self.project, self.records)) if by_pupils else found

    def judged(self, values: pd.DataFrame, is_number_alone: bool = False) -> Judged:
        """Return the main comparison of a table of results, by the inference that leads."""
        changes = self.changes(values)
        known = changes.keep(changes.units[np.isfinite(changes.change)])
        area = self.records.schools["area"]
        effects = main_effects(self.project, self.design, self.role, known, area, is_number_alone)
        found = surest_effect(effects, self.design.outcome)
        assert found is not None
        if found.inference != "cluster":
            return replace(Judged.of(found), std_error=Unavailable("Areas or sets are ranked, without an error."))
        weight = pd.Series(known.weight, known.units)
        return Judged.of(found, supported_inference(self.design, area, weight).df)

    def bounds(self, outcomes: Outcomes) -> JudgedBounds:
        """Return Lee's bounds, every placebo area or set having its own."""
        changes = self.changes(outcomes.values)
        design = self.design
        if design.is_whole_area or design.sets is None:
            return self._by_permutation(changes)
        return bounds_of_listed(changes, design.sets, design.comparisons[NEIGHBOURS], placing_of(self.project))

    def _by_permutation(self, changes: Changes) -> JudgedBounds:
        comparison, pool = self.design.comparisons[NEIGHBOURS], self.project.pool
        own = self.design.treated_group
        rows, places = [], []
        for group in comparison.groups:
            n = int((np.isfinite(changes.change) & (changes.group == group)).sum())
            may_stand = n >= pool.minimum_area_schools and group not in pool.exclude_areas
            if group == own or may_stand:
                rows.append(_bounds_of(changes, comparison, group))
                places.append(group)
        bounds = LeeBounds(*(np.concatenate(columns) for columns in zip(*rows, strict=True)))
        kept = np.isfinite(bounds.lower) | (np.array(places) == own)
        bounds = LeeBounds(*(column[kept] for column in bounds))
        at = int(np.flatnonzero(np.array(places)[kept] == own)[0])
        few = f"{len(bounds.lower)} areas could be analysed the same way, and {P_NEEDS} are needed."
        level = self.project.inference.level
        return bounds_by_permutation(bounds, at, level, few if len(bounds.lower) < P_NEEDS else "")


def _bounds_of(changes: Changes, comparison: AreaComparisons, group: int) -> LeeBounds:
    """Return the bounds of one area against those that it is compared with, shape (1,)."""
    own, others = changes.group == group, np.isin(changes.group, comparison.of(group))
    arms = [(changes.change[arm][None, :], changes.weight[arm][None, :]) for arm in (own, others)]
    return lee_bounds(*arms[0], *arms[1])
