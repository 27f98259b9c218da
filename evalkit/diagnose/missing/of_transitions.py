"""What the kind `transitions` gives of missing categories: the share that improved, of any table, at worst and best."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.project import AIMED_AT
from evalkit.core.quantities import Unavailable
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords, exclusion_reasons
from evalkit.design.kinds.transitions import TransitionsOutcome, TransitionsPlan
from evalkit.diagnose.kinds.transitions import POINTS, improved_of, listed_of
from evalkit.diagnose.missing.extremes import Extremes
from evalkit.diagnose.missing.listed_bounds import bounds_of_listed
from evalkit.diagnose.missing.sample import Judged, MissingSample, Outcomes, Words, common_years, outcomes_of
from evalkit.estimate.areas.sample import Changes
from evalkit.estimate.dose.listed import listed_effect_of, number_of_list, placing_of_list
from evalkit.estimate.missing.area_bounds import JudgedBounds

NOTE: Final = (
    "A missing category counts by the share of its completed tables in which the school improved; a shift is in "
    "percentage points of that share."
)
_END: Final = (
    "At worst and at best: every missing category is the worst one there is for the listed schools and the best one "
    "for all others, and the reverse. Nothing beyond that is possible."
)


def transitions_samples(plan: TransitionsPlan, intake: ProjectData) -> Iterator[MissingSample]:
    """Yield what can be said of missing categories for every outcome that the programme aimed at."""
    roles = {one.code: one.role for one in plan.project.outcomes}
    for outcome in plan.outcomes.values():
        if roles[outcome.code] not in AIMED_AT or outcome.too_few:
            continue
        work = _Work(plan=plan, outcome=outcome, records=intake.records[outcome.stage])
        outcomes = _outcomes(work, intake)
        yield MissingSample(
            outcome=outcome.code,
            outcomes=outcomes,
            judge=work.judged,
            measured=work.measured,
            bounds=partial(work.bounds, outcomes),
            extremes=Extremes(of=work.ends, covers_all=True, row="of all categories", note=_END),
            limits=(0.0, 100.0),
            words=Words(treated="listed", unit=POINTS),
            note=NOTE,
        )


def _outcomes(work: _Work, intake: ProjectData) -> Outcomes:
    """Return the positions of units with a category in the last year before and a group; other years tell of gaps."""
    plan, outcome, records = work.plan, work.outcome, work.records
    first, last = plan.years
    reasons = exclusion_reasons(records, outcome.code, (first,), plan.project.pool.minor_groups)
    group = outcome.against.groups.reindex(reasons.index[reasons == ""]).dropna()
    place = {number: float(at) for at, number in enumerate(plan.options.numbers)}
    wide = records.values[outcome.code].reindex(group.index)
    values = wide.apply(lambda column: column.map(place)).astype(float)
    known = [year for year in plan.project.exposure.years if year in values.columns and values[year].notna().any()]
    others = tuple(year for year in known if year not in (first, last))
    compared = {code for codes in outcome.against.comparison.own.values() for code in codes}
    arm = pd.Series("elsewhere", group.index, dtype=object)
    arm[group.isin(list(compared))] = "comparison"
    arm[group.eq(0)] = "treated"
    return outcomes_of(
        records,
        values,
        outcome.code,
        arm,
        common_years((first,), others, (last,), len(group)),
        unmatched=intake.treated.without_outcome.get(outcome.stage),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Work:
    """One outcome of ordered categories."""

    plan: TransitionsPlan
    outcome: TransitionsOutcome
    records: SchoolRecords

    def measured(self, values: pd.DataFrame) -> pd.DataFrame:
        """Return whether each unit improved, 0 or 100, from positions by year: NaN where one is missing."""
        first, last = self.plan.years
        known = values[[first, last]].notna().all(axis=1)
        improved = improved_of(values[first].to_numpy(dtype=float), values[last].to_numpy(dtype=float))
        return pd.DataFrame({last: np.where(known, improved, np.nan)}, index=values.index)

    def changes(self, improved: pd.DataFrame) -> Changes:
        """Return the one column as changes of units, in groups."""
        group = self.outcome.against.groups.reindex(improved.index).to_numpy(dtype=np.int64)
        return Changes(improved.index, group, improved.iloc[:, 0].to_numpy(dtype=float), np.ones(len(group)))

    def judged(self, values: pd.DataFrame, is_number_alone: bool = False) -> Judged:
        """Return the difference in the share that improved."""
        known, project = values.iloc[:, 0].dropna(), self.plan.project
        listed = listed_of(project, self.outcome, known.index, known.to_numpy(dtype=float))
        if isinstance(listed, Unavailable):
            return Judged.none(listed.reason)
        if is_number_alone:
            return replace(Judged.none("Only the number is asked for."), estimate=number_of_list(listed))
        found = listed_effect_of(listed, project.inference.level)
        if isinstance(found, Unavailable):
            return Judged.none(found.reason)
        return Judged(
            estimate=found.estimate,
            interval=found.interval,
            p_value=found.p_value,
            std_error=found.std_error,
            df=found.df,
            n_treated=found.n_listed,
            n_comparison=found.n_compared,
        )

    def ends(self, outcomes: Outcomes, at: int) -> tuple[float, float]:
        """Return the positions of the worst and of the best category."""
        return float(len(self.plan.options.categories) - 1), 0.0

    def bounds(self, outcomes: Outcomes) -> JudgedBounds:
        """Return Lee's bounds of the difference in the share that improved."""
        against = self.outcome.against
        placing = placing_of_list(self.plan.project)
        return bounds_of_listed(self.changes(self.measured(outcomes.values)), against.sets, against.comparison, placing)
