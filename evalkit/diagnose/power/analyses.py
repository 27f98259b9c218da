"""What an analysis of any kind could detect, by its own estimator and inference on the years before the programme."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.errors import DesignError
from evalkit.core.project import Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.measures import measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.design.kinds.dose import DosePlan
from evalkit.design.kinds.matched import MatchedPlan
from evalkit.design.kinds.staggered import StaggeredOutcome, StaggeredPlan
from evalkit.design.power.mdes import averaging_factor, multiplier
from evalkit.diagnose.kinds.dose import BY_DEALING, lead_slope, least_slope, why_dealt
from evalkit.diagnose.kinds.matched import inference_of, power_sets
from evalkit.diagnose.kinds.staggered import StaggeredOutcomeResults, staggered_outcomes
from evalkit.diagnose.power.report import AnalysisPower, OutcomePower, PowerOptions

_ONE_YEAR: Final = Unavailable(
    "Only one year was observed before the programme, so that no change before it shows how far chance moves results."
)


def matched_power(
    plan: MatchedPlan, analysis: str, intake: ProjectData, options: PowerOptions
) -> Iterator[AnalysisPower]:
    """Yield what a matched analysis could detect: the matching's own estimate from the first to the last year before.

    The last year before stands in for the year after, the earlier ones for those before; by sets, with the matching
    made again for each, or by errors with areas as clusters. Raises `DesignError` where a later year is in memory.
    """
    exposure = plan.project.exposure
    _refuse(intake, exposure.pre)
    for found in plan.outcomes:
        least: Quantity = _ONE_YEAR
        leads, why = inference_of(found)
        method = "none"
        if found.design is None:
            least = Unavailable(f"Not estimated: {found.too_few.rstrip('.')}.")
        elif len(found.pre) > 1:
            spread = power_sets(plan, found, intake, options.executor)
            asked = plan.options.estimate or ("change" if found.pre else "difference")
            # means over several years before and after move less than single years do
            factor = averaging_factor(len(found.pre), len(exposure.post)) / averaging_factor(len(found.pre) - 1, 1)
            factor = factor if asked == "change" else 1.0
            least = _least(spread, factor, options)
            method = f"{asked} from the years before to {max(found.pre)}, the matching made again for every set"
        yield AnalysisPower(
            analysis=analysis,
            kind="matched",
            outcome=found.outcome,
            label=found.label,
            unit=found.unit,
            least=least,
            leads=leads,
            why=why,
            method=method if isinstance(least, float) else "none",
        )


def _refuse(intake: ProjectData, before: Iterable[int]) -> None:
    late = sorted(set(intake.years) - set(before))
    if late:
        raise DesignError(f"Power is computed before outcomes are read, and {late[0]} is in memory.")


def _least(spread: tuple[Quantity, float | None], factor: float, options: PowerOptions) -> Quantity:
    """Return M × a spread, with degrees of freedom where it is a standard error."""
    error, df = spread
    if isinstance(error, Unavailable):
        return error
    return multiplier(df, options.level, options.power) * error * factor


def staggered_power(
    project: Project, plan: StaggeredPlan, analysis: str, intake: ProjectData, options: PowerOptions
) -> Iterator[AnalysisPower]:
    """Yield what a staggered analysis could detect: its overall effect of starts put back into the years before.

    The last cohort is put back to the last year before, earlier ones as much earlier as the years allow.
    """
    for code, outcome in plan.outcomes.items():
        found = _put_back(project, plan, outcome, intake, options)
        least = found if isinstance(found, Unavailable) else _least(_spread_of(found), 1.0, options)
        yield AnalysisPower(
            analysis=analysis,
            kind="staggered",
            outcome=code,
            label=plan.labels[code],
            unit="" if isinstance(found, Unavailable) else found.unit,
            least=least,
            leads="none" if isinstance(found, Unavailable) else found.recommended.inference,
            why=plan.reason,
            method="the overall effect of starts put back into the years before"
            if isinstance(least, float)
            else "none",
        )


def _put_back(
    project: Project, plan: StaggeredPlan, outcome: StaggeredOutcome, intake: ProjectData, options: PowerOptions
) -> StaggeredOutcomeResults | Unavailable:
    """Return the results of starts put back, from the years before the first start alone."""
    first = int(outcome.cohort.min())
    _refuse(intake, [year for year in intake.years if year < first])
    years = sorted(int(year) for year in intake.years)
    if len(years) < 2:
        return _ONE_YEAR
    starts = np.maximum(outcome.cohort - (int(outcome.cohort.max()) - years[-1]), years[1])
    moved = replace(outcome, cohort=pd.Series(starts, outcome.cohort.index).astype(outcome.cohort.dtype))
    try:
        only = replace(plan, outcomes={outcome.code: moved})
        return staggered_outcomes(project, only, intake, options.executor).outcomes[0]
    except DesignError as problem:
        return Unavailable(str(problem))


def _spread_of(found: StaggeredOutcomeResults) -> tuple[Quantity, float | None]:
    if found.overall is not None:
        return found.overall.spread, None
    return found.inference.std_error, found.inference.df


def areas_power(found: Iterable[OutcomePower], analysis: str) -> Iterator[AnalysisPower]:
    """Yield what an analysis of the kind `areas` could detect, by simulation of its own test where that can be had."""
    for one in found:
        simulated = one.simulated if isinstance(one.simulated, Unavailable) else one.simulated.effect
        is_own = isinstance(simulated, float)
        yield AnalysisPower(
            analysis=analysis,
            kind="areas",
            outcome=one.outcome.code,
            label=one.label,
            unit=one.unit,
            least=simulated if is_own else one.panel,
            leads=one.leads,
            why=one.why,
            method=f"simulation of {one.simulated_test}" if is_own else one.panel_method,
        )


def dose_power(plan: DosePlan, analysis: str, intake: ProjectData, options: PowerOptions) -> Iterator[AnalysisPower]:
    """Yield the least slope that an analysis by dose detects: how far dealt-out doses move the change before.

    The change from the first to the last year before stands in for that to the years after. Raises `DesignError`
    where a later year is in memory.
    """
    project = plan.project
    _refuse(intake, project.exposure.pre)
    for code, outcome in plan.outcomes.items():
        lead = lead_slope(plan, outcome, intake.records[outcome.stage])
        least = least_slope(lead, project, options.level, options.power)
        yield AnalysisPower(
            analysis=analysis,
            kind="dose",
            outcome=code,
            label=plan.labels[code],
            unit=f"{measure_of(project, code).unit} per {plan.options.per}",
            least=least,
            leads=BY_DEALING,
            why=why_dealt(plan.options),
            method="the slope on the dose of the change before the programme, doses dealt out anew"
            if isinstance(least, float)
            else "none",
        )
