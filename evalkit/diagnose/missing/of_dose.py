"""What the kind `dose` gives of missing outcomes: the line through participants, of any table of results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.project import AIMED_AT, OWN_GROUP
from evalkit.core.quantities import Unavailable
from evalkit.data.measures import measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords
from evalkit.design.kinds.dose import DoseOutcome, DosePlan, arrays_of
from evalkit.diagnose.kinds.dose import slope_of_change
from evalkit.diagnose.missing.sample import Judged, MissingSample, Outcomes, Words, common_years, outcomes_of, words_of
from evalkit.estimate.dose.slope_arrays import residuals, slope

NO_BOUNDS: Final = (
    "Lee's bounds cut the one of two arms whose results are published more often. Participants by dose are no two "
    "arms: there is a share published for each amount, and nothing says which of them to cut, or to what share."
)
NOTE: Final = (
    "Higher-dose participants are those that had more than areas and covariates say of them. The dose is in no "
    "imputation, which draws imputed results towards no line."
)


def dose_samples(plan: DosePlan, intake: ProjectData) -> Iterator[MissingSample]:
    """Yield what can be said of missing results for every outcome that the programme aimed at."""
    roles = {one.code: one.role for one in plan.project.outcomes}
    for outcome in plan.outcomes.values():
        if roles[outcome.code] not in AIMED_AT or outcome.too_few:
            continue
        work = _Work(plan=plan, outcome=outcome, records=intake.records[outcome.stage])
        outcomes = _outcomes(work, intake)
        is_whole = ~outcomes.missing.any(axis=1)
        arms = [int((is_whole & (outcomes.arm == arm).to_numpy()).sum()) for arm in ("treated", "comparison")]
        yield MissingSample(
            outcome=outcome.code,
            outcomes=outcomes,
            counts=(arms[0], arms[1]),
            judge=work.judged,
            no_bounds=NO_BOUNDS,
            is_rigid=False,
            words=work.words,
            note=NOTE,
        )


def _outcomes(work: _Work, intake: ProjectData) -> Outcomes:
    """Return the outcomes of participants, who had more and who less, and of other units, which tell of gaps."""
    project, outcome, records = work.plan.project, work.outcome, work.records
    exposure = project.exposure
    others = outcome.groups.index.difference(outcome.dose.index)
    groups = [*project.pool.minor_groups, OWN_GROUP]
    others = others[records.schools["minor_group"].reindex(others).isin(groups).to_numpy()]
    units = outcome.dose.index.append(others)
    arm = pd.Series("elsewhere", units, dtype=object)
    arm[outcome.dose.index] = np.where(work.has_more, "treated", "comparison")
    return outcomes_of(
        records,
        records.values[outcome.code],
        outcome.code,
        arm,
        common_years(exposure.pre, exposure.partial, exposure.post, len(units)),
        fsm=intake.fsm_share,
        unmatched=intake.treated.without_outcome.get(outcome.stage),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Work:
    """One outcome by dose."""

    plan: DosePlan
    outcome: DoseOutcome
    records: SchoolRecords

    @property
    def has_more(self) -> np.ndarray:
        """Return which participants had more than areas and covariates say of them: known before outcomes."""
        dose, area, held = arrays_of(self.outcome, self.outcome.dose.index)
        return np.asarray(residuals(dose, np.zeros(len(dose)), area, held) > 0)

    @property
    def words(self) -> Words:
        """Return what participants are called."""
        unit = measure_of(self.plan.project, self.outcome.code).unit
        return replace(
            words_of(self.plan.project, self.outcome.code),
            one="participant",
            many="participants",
            treated="higher-dose",
            comparison="lower-dose",
            everyone="participants and other schools",
            unit=f"{unit} per {self.plan.options.per}",
            result_unit=unit,
        )

    def change(self, values: pd.DataFrame) -> pd.Series:
        """Return the change of each participant that has every result before and after."""
        exposure = self.plan.project.exposure
        own = values.reindex(self.outcome.dose.index)
        after, before = own[list(exposure.post)], own[list(exposure.pre)]
        return (after.mean(axis=1, skipna=False) - before.mean(axis=1, skipna=False)).dropna()

    def judged(self, values: pd.DataFrame, is_number_alone: bool = False) -> Judged:
        """Return the line through a table of results, judged by doses dealt out anew."""
        change, outcome = self.change(values), self.outcome
        if is_number_alone:
            dose, area, held = arrays_of(outcome, change.index)
            line = slope(change.to_numpy(dtype=float), dose[None, :], area, held)
            none = Judged.none("Within their areas all participants had the same dose.")
            return none if line is None else replace(none, estimate=line.estimate)
        found = slope_of_change(self.plan, outcome, change)
        has_more = pd.Series(self.has_more, outcome.dose.index).reindex(change.index)
        return Judged(
            estimate=found.estimate,
            interval=found.interval,
            p_value=found.p_value,
            std_error=Unavailable("Doses are dealt out anew, without an error."),
            df=None,
            n_treated=int(has_more.sum()),
            n_comparison=int((~has_more.astype(bool)).sum()),
        )
