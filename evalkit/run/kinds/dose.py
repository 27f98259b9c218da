"""The kind `dose`: whether participants that had more of the programme changed more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from evalkit.core.project import Analysis, Project
from evalkit.core.quantities import Unavailable
from evalkit.core.words import did_you_mean, listed
from evalkit.data.published.contrasts import add_contrasts, with_contrasts
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.kinds.dose import COVARIATES, DoseOptions, DosePlan, dose_plan
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.dose import BY_DEALING, BY_DEALING_ALL, dose_outcomes, placed_dose, why_dealt
from evalkit.diagnose.kinds.dose_checks import effects_of, estimand_of, findings_of
from evalkit.diagnose.power.analyses import dose_power
from evalkit.diagnose.power.report import AnalysisPower
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.run.kinds.registry import EstimateRequest, Kind, PlacedRequest, PlanRequest, PowerRequest
from evalkit.run.project.plain_yaml import Complaint

if TYPE_CHECKING:
    from evalkit.diagnose.missing.sample import MissingSample

_INHERITED: Final = ("pool", "estimation", "exposure")


def _options(analysis: Analysis) -> DoseOptions:
    return analysis.options if isinstance(analysis.options, DoseOptions) else DoseOptions()


def _complaints(project: Project, analysis: Analysis) -> Iterator[Complaint]:
    """Yield what can be said against the choices from the project file alone, all of it at once."""
    for key, text in _faults(project, _options(analysis)):
        yield Complaint((key,), text)


def _faults(project: Project, options: DoseOptions) -> Iterator[tuple[str, str]]:
    if options.column is None and project.participants.areas:
        who = "schools are listed by a rule" if project.participants.is_listed else "whole areas take part"
        yield (
            "column",
            f"{who}, and nothing says what each of their schools had. Name a column of an own table with a row for "
            "each school, as table.column",
        )
    if options.column is None and project.participants.draw is not None:
        yield "column", "schools drawn for an example have no doses. Name a column of an own table as table.column"
    if options.column is not None:
        yield from (("column", text) for text in _column_faults(project, options.column))
    for name in options.covariates:
        if "." in name:
            yield from (("covariates", text) for text in _column_faults(project, name))
        elif name not in COVARIATES:
            near = did_you_mean(name, COVARIATES)
            yield (
                "covariates",
                f"'{name}' is not among {listed([*COVARIATES])}, nor a column of an own table (table.column).{near}",
            )
    if options.threshold is not None and not options.threshold > 0:
        yield "threshold", f"a dose above 0, not {options.threshold:g}: without any a school has met nothing"
    if options.threshold is not None and options.against == "none":
        yield "threshold", "the effect at a threshold is one against schools outside; `against: none` leaves these out"
    if options.comparison_take_up != "unknown" and options.threshold is None:
        yield "comparison_take_up", "it is told of a threshold. Name one, or leave it out"
    if options.comparison_take_up == "observed" and options.column is None:
        yield (
            "comparison_take_up",
            "take-up outside the programme is observed where a column of an own table has a value for schools there "
            "too. Name it as `column: table.column`",
        )
    if not options.per:
        yield "per", "the text is empty; it says what one unit of the dose is"


def _column_faults(project: Project, name: str) -> Iterator[str]:
    table, dot, column = name.partition(".")
    if not dot or not column or table not in project.data.tables:
        yield f"'{name}' is no column of an own table. Name it as table.column, the table under `data.tables`"
    elif project.data.tables[table].period is not None:
        yield f"the table '{table}' has a row for each period; a dose, or what is held, has one for each school"


def _plan(request: PlanRequest) -> AnalysisPlan:
    options = _options(request.analysis)
    own = {name: value for name in _INHERITED if (value := getattr(options, name)) is not None}
    project = with_contrasts(request.project.of_analysis(request.analysis, **own))
    plan = dose_plan(project, options, add_contrasts(project, request.intake))
    return AnalysisPlan(
        analysis=request.analysis,
        project=project,
        label=DOSE.label,
        details=plan,
        record=plan.record(),
        shown_by=DOSE.shown_by,
    )


def _estimate(request: EstimateRequest) -> AnalysisResults:
    plan = details_of(request.plan, DosePlan)
    project = request.plan.project
    found = dose_outcomes(plan, add_contrasts(project, request.intake))
    return AnalysisResults(
        plan=request.plan,
        estimand=estimand_of(project, plan.options),
        recommended=BY_DEALING if plan.options.area_effects else BY_DEALING_ALL,
        reason=why_dealt(plan.options),
        effects=tuple(effect for one in found.outcomes for effect in effects_of(one, plan.options)),
        findings=findings_of(found, project),
        details=found,
    )


def _power(request: PowerRequest) -> Iterator[AnalysisPower]:
    plan = details_of(request.plan, DosePlan)
    intake = add_contrasts(plan.project, request.intake)
    return dose_power(plan, request.plan.analysis.name, intake, request.options)


def _missing(request: EstimateRequest) -> Iterator[MissingSample]:
    from evalkit.diagnose.missing.of_dose import dose_samples

    plan = details_of(request.plan, DosePlan)
    return dose_samples(plan, add_contrasts(plan.project, request.intake))


def _placed(request: PlacedRequest) -> PlacedStatistic | Unavailable:
    plan = details_of(request.plan, DosePlan)
    return placed_dose(plan, request.outcome, add_contrasts(plan.project, request.intake))


DOSE: Final = Kind(
    name="dose",
    label="participants that had more compared with participants that had less",
    options=DoseOptions,
    plan=_plan,
    estimate=_estimate,
    placed=_placed,
    power=_power,
    missing=_missing,
    against="doses",
    complaints=_complaints,
    inherits=_INHERITED,
    shown_by="evalkit.report.kinds.dose",
)
