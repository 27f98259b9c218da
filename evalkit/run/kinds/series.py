"""The kind `series`: areas followed over years before and from a start on, less the areas that are like them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.plain import plain
from evalkit.core.project import Analysis, Project
from evalkit.core.quantities import Unavailable
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.kinds.series import SeriesChoices, SeriesPlan, series_plan
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.series import SeriesOutcomeResults, placed_series, series_outcomes
from evalkit.diagnose.kinds.series_checks import effects_of_outcome, estimand_of, findings_of
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.run.kinds.registry import EstimateRequest, Kind, PlacedRequest, PlanRequest
from evalkit.run.project.plain_yaml import Complaint

if TYPE_CHECKING:
    from evalkit.diagnose.missing.sample import MissingSample


def _choices(analysis: Analysis) -> SeriesChoices:
    return analysis.options if isinstance(analysis.options, SeriesChoices) else SeriesChoices()


def _complaints(project: Project, analysis: Analysis) -> Iterator[Complaint]:
    """Yield what can be said against the choices from the project file alone."""
    choices = _choices(analysis)
    if choices.neighbours is not None and choices.comparison == "all":
        yield Complaint(("neighbours",), "all other areas are compared with, so no list is read. Leave one of them out")
    if len(set(choices.without_years)) < len(choices.without_years):
        yield Complaint(("without_years",), "a year stands there twice. Name it once")


def _plan(request: PlanRequest) -> AnalysisPlan:
    project = request.project.of_analysis(request.analysis)
    plan = series_plan(project, _choices(request.analysis), request.intake)
    return AnalysisPlan(
        analysis=request.analysis,
        project=project,
        label=SERIES.label,
        details=plan,
        record=plan.record(),
        shown_by=SERIES.shown_by,
    )


def _estimate(request: EstimateRequest) -> AnalysisResults:
    plan = details_of(request.plan, SeriesPlan)
    project = request.plan.project
    found = series_outcomes(project, plan, request.intake)
    first = found.primary
    return AnalysisResults(
        plan=request.plan,
        estimand=estimand_of(project, first),
        recommended=first.plan.recommended,
        reason=first.plan.reason,
        effects=tuple(effect for one in found.outcomes for effect in effects_of_outcome(one)),
        findings=findings_of(found),
        details=found,
        extra={"series": {one.code: _numbers(one) for one in found.outcomes}},
    )


def _numbers(one: SeriesOutcomeResults) -> dict[str, Any]:
    """Return the numbers of one outcome's series as plain data."""
    return {
        "years": list(one.years),
        "first_year": dict(one.plan.starts),
        "has_slope": one.has_slope,
        "n_areas": one.overall.n_areas,
        "lines": plain(one.lines),
        "by_time": plain(one.by_time),
        "points": plain(one.points),
        "given_before": plain(one.given),
        "trend_before": plain(one.trend),
        "placebo_start": plain(one.placebo_start),
    }


def _missing(request: EstimateRequest) -> Iterator[MissingSample]:
    from evalkit.diagnose.missing.of_area_series import series_samples

    plan = details_of(request.plan, SeriesPlan)
    return series_samples(request.plan.project, plan, request.intake)


def _placed(request: PlacedRequest) -> PlacedStatistic | Unavailable:
    plan = details_of(request.plan, SeriesPlan)
    return placed_series(request.plan.project, plan, request.outcome, request.intake)


SERIES: Final = Kind(
    name="series",
    label="an interrupted time series of areas, less the areas that are like them",
    options=SeriesChoices,
    plan=_plan,
    estimate=_estimate,
    missing=_missing,
    placed=_placed,
    complaints=_complaints,
    takes_areas=True,
    uses_exposure=False,
    rows="areas",
    shown_by="evalkit.report.kinds.series",
)
