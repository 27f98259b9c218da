"""What the kind `matched` gives of missing outcomes: its estimate on any table of results, and bounds of the change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.draws import SERIAL, Executor
from evalkit.core.project import AIMED_AT
from evalkit.core.quantities import Unavailable
from evalkit.data.measures import measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords
from evalkit.design.kinds.matched import MatchedPlan, OutcomeMatch
from evalkit.diagnose.kinds.matched import judged_values, set_pool, sets_beside
from evalkit.diagnose.missing.sample import Judged, MissingSample, Outcomes, common_years, outcomes_of, words_of
from evalkit.estimate.areas.set_draws import SetOptions
from evalkit.estimate.areas.sets import SLOW_CHUNK, set_statistics
from evalkit.estimate.missing.area_bounds import JudgedBounds, bounds_by_permutation, bounds_by_sets
from evalkit.estimate.missing.matched_bounds import MatchedBounds, bounds_of_weights

NOTE: Final = "Beside the answer a quarter of its sets is drawn, each matched again. Bounds are of the change."


def matched_samples(plan: MatchedPlan, intake: ProjectData, executor: Executor = SERIAL) -> Iterator[MissingSample]:
    """Yield what can be said of missing results for every matched outcome that the programme aimed at."""
    roles = {one.code: one.role for one in plan.project.outcomes}
    for found in plan.outcomes:
        if found.design is not None and roles[found.outcome] in AIMED_AT:
            records = intake.records[measure_of(plan.project, found.outcome).key_stage]
            work = _Work(plan=plan, found=found, records=records, executor=executor)
            yield MissingSample(
                outcome=found.outcome,
                outcomes=_outcomes(work, intake),
                judge=work.judged,
                bounds=work.bounds,
                words=words_of(plan.project, found.outcome),
                note=NOTE if found.is_by_sets else "",
            )


def _outcomes(work: _Work, intake: ProjectData) -> Outcomes:
    """Return the outcomes of every school of the plan; those that are matched are in an arm."""
    found, exposure, records = work.found, work.plan.project.exposure, work.records
    assert found.design is not None
    units = found.everyone.units.index
    used = pd.Series(found.design.is_used, found.design.baseline.units.index).reindex(units, fill_value=False)
    is_used, is_treated = used.to_numpy(dtype=bool), np.asarray(found.everyone.is_treated)
    arm = pd.Series("elsewhere", units, dtype=object)
    arm[is_used & ~is_treated] = "comparison"
    arm[is_used & is_treated] = "treated"
    alone = {"no match": int((is_treated & ~is_used).sum())}
    years = common_years(found.pre, exposure.partial, exposure.post, len(units))
    values = records.values[found.outcome].reindex(columns=list(years.years))
    without = intake.treated.without_outcome.get(records.key_stage, {})
    return outcomes_of(records, values, found.outcome, arm, years, fsm=intake.fsm_share, unmatched={**without, **alone})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Work:
    """One matched outcome."""

    plan: MatchedPlan
    found: OutcomeMatch
    records: SchoolRecords
    executor: Executor

    def judged(self, values: pd.DataFrame, is_number_alone: bool = False) -> Judged:
        """Return the estimate asked for on a table of results."""
        return judged_values(self.plan, self.found, values, self.executor, is_number_alone)

    def bounds(self) -> JudgedBounds:
        """Return Lee's bounds of the change after matching; with an interval where sets judge."""
        design = self.found.design
        assert design is not None
        statistic, pool = set_pool(self.plan, self.found, self.records.values[self.found.outcome])
        made = MatchedBounds(statistic=statistic)
        change = pd.Series(made.change, self.found.everyone.units.index).reindex(design.baseline.units.index)
        used = design.is_used
        arms = np.asarray(design.baseline.is_treated)[used], np.asarray(design.weights, dtype=np.float64)[used]
        own = bounds_of_weights(np.asarray(change, dtype=np.float64)[used], *arms)
        level = self.plan.project.inference.level
        if not self.found.is_by_sets or self.plan.options.estimand != "ATT":
            none = "No placebos stand beside this estimate, so that its bounds have no interval."
            return replace(bounds_by_permutation(own, 0, level, none), interval=Unavailable(none))
        assert self.found.sets is not None
        options = SetOptions(
            rule=self.found.sets.rule,
            n_sets=sets_beside(self.found),
            seed=self.plan.project.seed,
            level=level,
            draws_more=False,
        )
        return bounds_by_sets(set_statistics(made, pool, options, self.executor, SLOW_CHUNK), own, level)
