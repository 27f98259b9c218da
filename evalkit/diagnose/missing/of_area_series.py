"""What the kinds `series` and `synthetic` give of missing area-years: their effect, of any table of areas or schools.

Where schools stand beneath an area, a gap is a school's; elsewhere it is the area's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.draws import SERIAL, Executor
from evalkit.core.errors import DesignError
from evalkit.core.project import AIMED_AT, Project
from evalkit.core.quantities import Unavailable
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords
from evalkit.design.kinds.area_series import AreaOutcome, area_outcome, units_by_area
from evalkit.design.kinds.series import SeriesChoices, SeriesOutcome, SeriesPlan
from evalkit.design.kinds.staggered import usable_years
from evalkit.design.kinds.synthetic import SyntheticChoices, SyntheticOutcome, SyntheticPlan, later_years
from evalkit.diagnose.kinds.series import overall_of
from evalkit.diagnose.kinds.synthetic import Quoted, number_of, quoted_of
from evalkit.diagnose.missing.extremes import SMALL_SCHOOLS, any_of
from evalkit.diagnose.missing.sample import Judged, MissingSample, Outcomes, YearsOf, outcomes_of, words_of
from evalkit.estimate.areas.gap_series import Ranked

FEW_BEHIND: Final = "suppressed (it rests on fewer pupils than may be told)"
NO_BOUNDS: Final = {
    "series": "Lee's bounds cut a share of an arm's units. A regression over years compares areas, of which one or few "
    "are treated: there is no share of them to cut, and no one change of a school beneath.",
    "synthetic": "Lee's bounds cut a share of an arm's units. A synthetic control compares areas, of which one or few "
    "are treated, with weights for the others: there is no share of them to cut.",
}
NO_IMPUTATION: Final = (
    "The values are of whole areas, with no schools beneath by whose results a missing one could be predicted. What it "
    "could be at worst and at best says how much hangs on it."
)
BENT: Final = (
    "Synthetic difference-in-differences weighs years by outcomes after the start, so that its estimate is no straight "
    "line in them and completed tables have no mean to rank."
)
NOTES: Final = {
    "series": "A year that a treated area lacks is in no published estimate; where it is filled in, it is compared. "
    "Areas that lack a year are left out of the answer, and come back where their gap is filled in.",
    "synthetic": "Years before the start stay as they were published, as weights are fixed by them. Donors that lack a "
    "later year are in no published estimate; where their gaps are filled in, weights are made with them.",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Areas:
    """One outcome by area and year: who takes part from when, who is compared, and which years count."""

    project: Project
    intake: ProjectData
    code: str
    stage: str
    starts: Mapping[str, int]
    compared: frozenset[str]
    everyone: frozenset[str]
    before: tuple[int, ...]
    after: tuple[int, ...]
    keeps_before: bool

    @property
    def records(self) -> SchoolRecords:
        """Return the records that hold the outcome."""
        return self.intake.records[self.stage]

    @property
    def area_of(self) -> pd.Series:
        """Return the area of each unit of the plan's areas."""
        area = units_by_area(self.project, self.records)
        return area[area.isin(self.everyone)]

    @property
    def has_schools(self) -> bool:
        """Return whether schools stand beneath areas."""
        return not units_by_area(self.project, self.records).is_unique

    def outcomes(self) -> Outcomes:
        """Return the outcomes of every unit of an area of the plan."""
        area, years = self.area_of, (*self.before, *self.after)
        values = self.records.values[self.code].reindex(index=area.index, columns=list(years))
        hidden = self._hidden().reindex(index=area.index, columns=list(years), fill_value=False)
        arm = pd.Series("elsewhere", area.index, dtype=object)
        arm[area.isin(self.compared).to_numpy()] = "comparison"
        arm[area.isin(list(self.starts)).to_numpy()] = "treated"
        first = min(self.starts.values())
        start = area.map(dict(self.starts)).astype(float).fillna(first).to_numpy()
        at = np.array(years)
        of_years = YearsOf(
            years=years,
            before=np.tile(np.isin(at, self.before), (len(area), 1)),
            after=(at[None, :] >= start[:, None]) & np.isin(at, self.after),
        )
        made = outcomes_of(self.records, values.mask(hidden), self.code, arm, of_years, fsm=self.intake.fsm_share)
        return replace(made, reasons=made.reasons.mask(hidden.reindex(made.values.index), FEW_BEHIND))

    def _hidden(self) -> pd.DataFrame:
        """Return which values of whole areas rest on few pupils, and are in no series."""
        few = self.records.pupils < self.project.disclosure.threshold
        return few & False if self.has_schools else few

    def with_values(self, values: pd.DataFrame, is_after: pd.DataFrame) -> AreaOutcome:
        """Return the outcome by area and year with other results in the place of those published."""
        records = self.records
        whole = records.values[self.code].astype(float)
        changed = values.where(is_after | values.isna(), whole.reindex_like(values)) if self.keeps_before else values
        whole.loc[changed.index, changed.columns] = changed
        pupils = records.pupils.mask(self._hidden())
        made = replace(records, values={**records.values, self.code: whole}, pupils=pupils)
        return area_outcome(
            self.project, replace(self.intake, records={**self.intake.records, self.stage: made}), self.code
        )

    def sample(self, kind: str, judged: Callable[[AreaOutcome, bool], Judged], no_imputation: str) -> MissingSample:
        """Return what can be said of the outcome's gaps, by how the kind judges areas by year."""
        outcomes = self.outcomes()
        is_after = pd.DataFrame(outcomes.after, outcomes.values.index, outcomes.values.columns)

        def judge(values: pd.DataFrame, is_number_alone: bool = False) -> Judged:
            try:
                return judged(self.with_values(values, is_after), is_number_alone)
            except DesignError as problem:
                return Judged.none(str(problem))

        words = words_of(self.project, self.code)
        return MissingSample(
            outcome=self.code,
            outcomes=outcomes,
            judge=judge,
            no_bounds=NO_BOUNDS[kind],
            extremes=SMALL_SCHOOLS if self.has_schools else any_of("area", "areas"),
            no_imputation=no_imputation if self.has_schools else NO_IMPUTATION,
            words=words if self.has_schools else replace(words, one="area", many="areas"),
            note=NOTES[kind],
        )


# A comparative interrupted time series.


def series_samples(project: Project, plan: SeriesPlan, intake: ProjectData) -> Iterator[MissingSample]:
    """Yield what can be said of missing results for every outcome that the programme aimed at."""
    roles = {one.code: one.role for one in project.outcomes}
    for outcome in plan.outcomes.values():
        if roles[outcome.code] in AIMED_AT:
            yield _series_sample(project, plan.choices, outcome, intake)


def _series_sample(
    project: Project, choices: SeriesChoices, outcome: SeriesOutcome, intake: ProjectData
) -> MissingSample:
    first = outcome.first_start
    there = area_outcome(project, intake, outcome.code).series.periods
    asked = tuple(year for year in there if year not in choices.without_years)
    after = tuple(year for year in usable_years(asked, outcome.breaks, first) if year >= first)
    areas = _Areas(
        project=project,
        intake=intake,
        code=outcome.code,
        stage=outcome.stage,
        starts=outcome.starts,
        compared=frozenset(one for area in outcome.starts for one in outcome.compared[area]),
        everyone=frozenset(outcome.compared),
        before=outcome.before,
        after=after,
        keeps_before=False,
    )

    def judged(made: AreaOutcome, is_number_alone: bool) -> Judged:
        found, n_compared = overall_of(project, choices, outcome, made, is_number_alone=is_number_alone)
        return _ranked(found, len(outcome.starts), n_compared)

    return areas.sample("series", judged, "")


# A synthetic control.


def synthetic_samples(
    project: Project, plan: SyntheticPlan, intake: ProjectData, executor: Executor = SERIAL
) -> Iterator[MissingSample]:
    """Yield what can be said of missing results for every outcome that the programme aimed at."""
    roles = {one.code: one.role for one in project.outcomes}
    for outcome in plan.outcomes.values():
        if roles[outcome.code] in AIMED_AT and not outcome.refused:
            yield _synthetic_sample(project, plan.choices, outcome, intake, executor)


def _synthetic_sample(
    project: Project, choices: SyntheticChoices, outcome: SyntheticOutcome, intake: ProjectData, executor: Executor
) -> MissingSample:
    there = area_outcome(project, intake, outcome.code).series.periods
    areas = _Areas(
        project=project,
        intake=intake,
        code=outcome.code,
        stage=outcome.before.stage,
        starts=outcome.starts,
        compared=frozenset(outcome.donors),
        everyone=frozenset(outcome.before.areas),
        before=outcome.before.series.periods,
        after=later_years(outcome, choices, there),
        keeps_before=True,
    )

    def judged(made: AreaOutcome, is_number_alone: bool) -> Judged:
        if is_number_alone:
            none = Judged.none("Only the number is asked for.")
            return replace(none, estimate=number_of(choices, outcome, made))
        found, n_donors = quoted_of(project, choices, outcome, made, executor)
        return _ranked(found, len(outcome.starts), n_donors)

    return areas.sample("synthetic", judged, BENT if choices.method == "sdid" else "")


def _ranked(found: Ranked | Quoted, n_treated: int, n_compared: int) -> Judged:
    """Return what areas in the treated ones' places say of an estimate."""
    return Judged(
        estimate=found.estimate,
        interval=found.interval,
        p_value=found.p_value,
        std_error=Unavailable("Areas are ranked, without an error."),
        df=None,
        n_treated=n_treated,
        n_comparison=n_compared,
    )
