"""Results of an analysis by dose: the line among participants, and what stands against those outside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats
from evalkit.core.project import Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.data.flow import LeftOut
from evalkit.data.measures import measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords, exclusion_reasons
from evalkit.design.kinds.dose import THIRDS, DoseGroup, DoseOptions, DoseOutcome, DosePlan, arrays_of, third_of
from evalkit.design.power.mdes import POWER, averaging_factor, multiplier
from evalkit.diagnose.evaluation import ByOutcome
from evalkit.estimate.areas.sample import Changes
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.estimate.dose.dealt import DealtSlope
from evalkit.estimate.dose.listed import (
    AgainstComparison,
    Listed,
    Threshold,
    ThresholdEffect,
    area_shock,
    listed_effect_of,
    placing_of_list,
    threshold_effect,
)
from evalkit.estimate.dose.slope_arrays import residuals, slope
from evalkit.estimate.dose.within import DoseSlope, SlopeOptions, dose_slope

BY_DEALING: Final = "permutation of doses within areas"
BY_DEALING_ALL: Final = "permutation of doses"


def why_dealt(options: DoseOptions) -> str:
    """Return why doses are dealt out anew, in a sentence."""
    within = ", within each area, so that what moved an area moves no line" if options.area_effects else ""
    return (
        f"What each participant had is dealt out anew among participants{within}: the line is set beside those that "
        "chance alone draws."
    )


NOT_AGAINST: Final = Unavailable("The project sets the participants against nobody.")
NO_THRESHOLD: Final = Unavailable("The project names no threshold.")
ONE_YEAR: Final = Unavailable("Only one year was observed before the programme, so that no change before it is known.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdChange:
    """One third of the participants by dose: as planned, with the mean change of those that are analysed."""

    group: DoseGroup
    n: int
    mean_change: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutOne:
    """The slope without one participant, by its name."""

    left_out: str
    estimate: Quantity


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DosePoints:
    """Change and dose of each participant that may be drawn, in the order of ids, and how many may not.

    `held` is the change less what areas and covariates say of it, about the mean: what the line goes through.
    """

    dose: Floats
    change: Floats
    held: Floats
    n_hidden: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class DoseOutcomeResults(Shown):
    """What was found for one outcome.

    Attributes
    ----------
    code, label, unit, role : the outcome, in words for readers
    plan : how much each participant had, and whom they are set against
    slope : the line among participants; `plain` the same with area effects alone
    before : the same line through the change before the programme, or why there is none
    thirds : participants by dose, and how each third changed
    shock : the line with those outside at a dose of 0
    whole : the effect on all listed
    threshold : the effect on those that met the threshold
    without : the slope without each participant
    points : what may be drawn
    left_out : participants not on the line, with the reason
    least : the least slope that the change before the programme would have shown, None where it cannot be told
    """

    code: str
    label: str
    unit: str
    role: str
    plan: DoseOutcome
    slope: DoseSlope
    plain: DoseSlope
    before: DoseSlope | Unavailable
    thirds: tuple[ThirdChange, ...]
    shock: AgainstComparison | Unavailable
    whole: AgainstComparison | Unavailable
    threshold: ThresholdEffect | Unavailable
    without: tuple[WithoutOne, ...]
    points: DosePoints
    left_out: tuple[LeftOut, ...]
    least: Quantity


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class DoseFindings(ByOutcome[DoseOutcomeResults]):
    """The results of an analysis by dose, outcome by outcome, and the plan they follow."""

    plan: DosePlan


def dose_outcomes(plan: DosePlan, intake: ProjectData) -> DoseFindings:
    """Estimate every outcome of a plan."""
    made = [_outcome(plan, intake, one) for one in plan.outcomes.values()]
    return DoseFindings(plan=plan, outcomes=tuple(made))


# One outcome.


def _outcome(plan: DosePlan, intake: ProjectData, outcome: DoseOutcome) -> DoseOutcomeResults:
    project, records = plan.project, intake.records[outcome.stage]
    known = measure_of(project, outcome.code)
    changes = changes_of(project, records, outcome)
    own = changes.reindex(outcome.dose.index).dropna()
    before = lead_slope(plan, outcome, records)
    slope = _slope(plan, outcome, own, outcome.covariates)
    against = _against(plan, records, outcome, changes)
    return DoseOutcomeResults(
        code=outcome.code,
        label=known.label,
        unit=known.unit,
        role=next(one.role for one in project.outcomes if one.code == outcome.code),
        plan=outcome,
        slope=slope,
        plain=_slope(plan, outcome, own, outcome.covariates.iloc[:, :0]),
        before=before,
        thirds=tuple(_thirds(outcome, own)),
        shock=against[0],
        whole=against[1],
        threshold=against[2],
        without=tuple(_without(plan, outcome, own, records)),
        points=_points(project, records, outcome, own, slope),
        left_out=(*outcome.left_out, *_lost(project, records, outcome, own.index)),
        least=least_slope(before, project, project.inference.level),
    )


def placed_dose(plan: DosePlan, code: str, intake: ProjectData) -> PlacedStatistic | Unavailable:
    """Return the slope among participants as what can be found of the same dealings as others; or why it is not."""
    outcome = plan.outcomes[code]
    if outcome.too_few:
        return Unavailable(f"Not estimated: {outcome.too_few}.")
    change = changes_of(plan.project, intake.records[outcome.stage], outcome).reindex(outcome.dose.index).dropna()
    found = _slope(plan, outcome, change, outcome.covariates)
    if isinstance(found.estimate, Unavailable):
        return found.estimate
    dose, area, held = arrays_of(outcome, change.index)
    return PlacedStatistic(
        dealt=DealtSlope(
            ids=tuple(map(str, change.index)),
            change=change.to_numpy(dtype=float),
            dose=dose,
            area=area,
            covariates=held,
            part=outcome.stage,
        )
    )


def changes_of(project: Project, records: SchoolRecords, outcome: DoseOutcome) -> pd.Series:
    """Return the change of each unit that has a result in every year named, in the order of ids."""
    reasons = exclusion_reasons(records, outcome.code, project.exposure.years, project.pool.minor_groups)
    wide = records.values[outcome.code].loc[reasons.index[reasons == ""]].sort_index()
    after, before = wide[list(project.exposure.post)], wide[list(project.exposure.pre)]
    return after.mean(axis=1) - before.mean(axis=1)


def _lost(project: Project, records: SchoolRecords, outcome: DoseOutcome, kept: pd.Index) -> Iterator[LeftOut]:
    """Yield participants that were to be on the line and lack a later result, by reason."""
    reasons = exclusion_reasons(records, outcome.code, project.exposure.years, project.pool.minor_groups)
    own = reasons.reindex(outcome.dose.index.difference(kept))
    for reason in sorted(set(own)):
        units = tuple(map(str, own.index[own == reason]))
        yield LeftOut(reason, units, len(units))


# The line among participants.


def slope_of_change(plan: DosePlan, outcome: DoseOutcome, change: pd.Series) -> DoseSlope:
    """Return the line by which the analysis is quoted through changes of participants, in the order of ids."""
    return _slope(plan, outcome, change, outcome.covariates)


def _slope(plan: DosePlan, outcome: DoseOutcome, change: pd.Series, covariates: pd.DataFrame) -> DoseSlope:
    """Return the slope of a change by unit on the dose, with the same dealings for every change of the same units."""
    if outcome.too_few:
        return DoseSlope.unavailable(f"Not estimated: {outcome.too_few}.", len(change), outcome.n_areas)
    dose, area, held = arrays_of(replace(outcome, covariates=covariates), change.index)
    options = SlopeOptions(level=plan.project.inference.level, seed=plan.project.seed)
    return dose_slope(change.to_numpy(dtype=float), dose, area, held, options)


def lead_slope(plan: DosePlan, outcome: DoseOutcome, records: SchoolRecords) -> DoseSlope | Unavailable:
    """Return the slope of the change from the first to the last year before the programme, or why there is none."""
    pre = plan.project.exposure.pre
    if len(pre) < 2:
        return ONE_YEAR
    wide = records.values[outcome.code].reindex(outcome.dose.index)
    return _slope(plan, outcome, (wide[max(pre)] - wide[min(pre)]).dropna(), outcome.covariates)


def least_slope(before: DoseSlope | Unavailable, project: Project, level: float, power: float = POWER) -> Quantity:
    """Return the least slope that the design detects: M times how far dealt-out doses move the change before.

    That is a change between two single years; means over several move less.
    """
    if isinstance(before, Unavailable) or isinstance(before.spread, Unavailable):
        return before if isinstance(before, Unavailable) else before.spread
    exposure = project.exposure
    factor = averaging_factor(len(exposure.pre), max(len(exposure.post), 1))
    return multiplier(None, level, power) * before.spread * factor


def _thirds(outcome: DoseOutcome, change: pd.Series) -> Iterator[ThirdChange]:
    third = pd.Series(third_of(outcome.dose), outcome.dose.index).reindex(change.index).to_numpy()
    for group in outcome.thirds:
        own = change[third == THIRDS.index(group.name)]
        mean = float(own.mean()) if len(own) else Unavailable("None of them has a later result.")
        yield ThirdChange(group=group, n=len(own), mean_change=mean)


_MOST_TOLD: Final = 200
"""Participants beyond which leaving out one at a time is not told: none then weighs much."""


def _without(plan: DosePlan, outcome: DoseOutcome, change: pd.Series, records: SchoolRecords) -> Iterator[WithoutOne]:
    """Yield the slope without each participant."""
    if outcome.too_few or len(change) > _MOST_TOLD:
        return
    for unit in change.index:
        kept = change.drop(unit)
        dose, area, held = arrays_of(outcome, kept.index)
        found = slope(kept.to_numpy(dtype=float), dose[None, :], area, held)
        name = str(records.schools.loc[unit, "name"]) or str(unit)
        none = Unavailable("Without it no line can be drawn.")
        yield WithoutOne(left_out=name, estimate=none if found is None or found.df < 1 else found.estimate)


def _points(
    project: Project, records: SchoolRecords, outcome: DoseOutcome, change: pd.Series, found: DoseSlope
) -> DosePoints:
    """Return the points of participants none of whose years rests on fewer pupils than may be told."""
    pupils = records.pupils.reindex(change.index)
    is_told = ~(pupils < project.disclosure.threshold).any(axis=1).to_numpy()
    dose, area, held = arrays_of(outcome, change.index)
    y = change.to_numpy(dtype=float)
    shown = y.copy()
    if isinstance(found.estimate, float):
        shown = y.mean() + found.estimate * (dose - dose.mean()) + residuals(y, dose, area, held)
    return DosePoints(dose=dose[is_told], change=y[is_told], held=shown[is_told], n_hidden=int((~is_told).sum()))


# Against those outside the programme.


def _against(
    plan: DosePlan, records: SchoolRecords, outcome: DoseOutcome, change: pd.Series
) -> tuple[AgainstComparison | Unavailable, AgainstComparison | Unavailable, ThresholdEffect | Unavailable]:
    """Return the line with those outside at 0, the effect on all listed, and that at the threshold."""
    options = plan.options
    if outcome.comparison is None or outcome.sets is None:
        return NOT_AGAINST, NOT_AGAINST, NO_THRESHOLD if options.threshold is None else NOT_AGAINST
    if outcome.too_few:
        none = Unavailable(f"Not estimated: {outcome.too_few}.")
        return none, none, none
    listed = _listed(plan.project, records, outcome, change)
    if listed is None:
        none = Unavailable("No participating school has a result in every year.")
        return none, none, none
    level, dose = plan.project.inference.level, outcome.every_dose
    whole = listed_effect_of(listed, level)
    at_threshold: ThresholdEffect | Unavailable = NO_THRESHOLD
    if options.threshold is not None:
        met = Threshold(options.threshold, options.comparison_take_up, outcome.take_up)
        at_threshold = threshold_effect(listed, dose, met, whole, level)
    holds = "pre_mean" in options.covariates
    return area_shock(listed, dose.dropna(), holds_before=holds, level=level), whole, at_threshold


def _listed(project: Project, records: SchoolRecords, outcome: DoseOutcome, change: pd.Series) -> Listed | None:
    assert outcome.comparison is not None
    assert outcome.sets is not None
    units = outcome.groups.index.intersection(change.index, sort=False).sort_values()
    # the others of treated areas are in no group: sets are drawn of them nowhere, and nobody is compared with them
    group = outcome.groups.reindex(units).to_numpy(dtype=np.int64)
    if not (group == 0).any():
        return None
    weight = np.ones(len(units))
    changes = Changes(units, group, change.reindex(units).to_numpy(dtype=float), weight)
    if project.estimation.weights == "pupils":
        changes = changes.scaled(records.pupils[list(project.exposure.pre)].mean(axis=1))
    return Listed(
        changes=changes,
        sets=outcome.sets,
        comparison=outcome.comparison,
        placing=placing_of_list(project),
        has_many=outcome.has_many_areas,
    )
