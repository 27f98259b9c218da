"""The kind `survey`: items and scales of a questionnaire or an audit tool, one or two waves, by school."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from evalkit.core.plain import plain_or_reason
from evalkit.core.project import Analysis, Project
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.kinds.survey import SurveyOptions, SurveyPlan, survey_faults, survey_plan
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.survey import ScaleResults, SurveyFindings, findings_of, survey_findings
from evalkit.run.kinds.registry import EstimateRequest, Kind, PlanRequest
from evalkit.run.project.plain_yaml import Complaint


def _options(analysis: Analysis) -> SurveyOptions:
    return analysis.options if isinstance(analysis.options, SurveyOptions) else SurveyOptions()


def _complaints(project: Project, analysis: Analysis) -> Iterator[Complaint]:
    for key, text in survey_faults(project, _options(analysis)):
        yield Complaint((key,), text)


def _plan(request: PlanRequest) -> AnalysisPlan:
    project = request.project.of_analysis(request.analysis)
    plan = survey_plan(project, _options(request.analysis), request.intake)
    return AnalysisPlan(
        analysis=request.analysis,
        project=project,
        label=SURVEY.label,
        details=plan,
        record=plan.record(),
        shown_by=SURVEY.shown_by,
    )


def _estimate(request: EstimateRequest) -> AnalysisResults:
    found = survey_findings(details_of(request.plan, SurveyPlan), request.intake)
    return AnalysisResults(
        plan=request.plan,
        estimand="What people in schools answered in each wave, and the mean change of their schools between waves.",
        recommended="schools",
        reason="Answers of one school are alike, so that intervals are by schools.",
        effects=(),
        findings=findings_of(found),
        details=found,
        extra={"survey": {one.scale.name: _numbers(found, one) for one in found.scales}},
    )


def _numbers(found: SurveyFindings, one: ScaleResults) -> dict[str, Any]:
    """Return what is said of a scale; no number of people stands in it."""
    waves = {
        str(found.plan.waves[wave.wave]): {
            "alpha": plain_or_reason(wave.reliability.alpha),
            "omega": plain_or_reason(wave.reliability.omega),
            "icc": plain_or_reason(wave.icc.icc),
        }
        for wave in one.waves
        if wave.n >= found.plan.project.disclosure.threshold
    }
    changes = {
        group: {
            name: plain_or_reason(getattr(changed.change, name, changed.change))
            for name in ("estimate", "std_error", "interval", "design_effect", "n_schools", "n_all")
        }
        | {"bounds": plain_or_reason(changed.only.bounds)}
        for group, changed in one.changes.items()
    }
    return {"waves": waves, "changes": changes}


SURVEY: Final = Kind(
    name="survey",
    label="what people in schools answered, and how reliable that is",
    options=SurveyOptions,
    plan=_plan,
    estimate=_estimate,
    complaints=_complaints,
    describes=True,
    shown_by="evalkit.report.kinds.survey",
)
