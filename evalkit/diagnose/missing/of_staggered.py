"""What the kind `staggered` gives of missing outcomes: its overall effect on any table of results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.draws import SERIAL, Executor
from evalkit.core.project import AIMED_AT, Project
from evalkit.data.published.project_data import ProjectData
from evalkit.design.kinds.staggered import StaggeredOutcome, StaggeredPlan, values_of
from evalkit.diagnose.kinds.staggered import panel_years
from evalkit.diagnose.kinds.staggered_judged import JudgeOptions, judged_values
from evalkit.diagnose.missing.sample import Judged, MissingSample, Outcomes, YearsOf, outcomes_of, words_of

NO_BOUNDS: Final = (
    "Schools start in different years, so that no one change of a school could be trimmed: bounds are not given."
)


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
            no_bounds=NO_BOUNDS,
            words=words_of(project, outcome.code),
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
