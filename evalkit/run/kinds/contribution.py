"""The kind `contribution`: a theory of change, and what the evidence allows to be said of each of its links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalkit.core.project import Analysis, Project
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.kinds.contribution import ContributionOptions, ContributionPlan, theory_faults
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.contribution import contribution_findings, findings_of
from evalkit.run.kinds.registry import EstimateRequest, Kind, PlanRequest
from evalkit.run.project.plain_yaml import Complaint


def _options(analysis: Analysis) -> ContributionOptions:
    return analysis.options if isinstance(analysis.options, ContributionOptions) else ContributionOptions()


def _complaints(project: Project, analysis: Analysis) -> Iterator[Complaint]:
    for place, text in theory_faults(_options(analysis)):
        yield Complaint(place, text)


def _plan(request: PlanRequest) -> AnalysisPlan:
    plan = ContributionPlan(options=_options(request.analysis))
    return AnalysisPlan(
        analysis=request.analysis,
        project=request.project.of_analysis(request.analysis),
        label=CONTRIBUTION.label,
        details=plan,
        record=plan.record(),
        shown_by=CONTRIBUTION.shown_by,
    )


def _estimate(request: EstimateRequest) -> AnalysisResults:
    found = contribution_findings(details_of(request.plan, ContributionPlan).options)
    return AnalysisResults(
        plan=request.plan,
        estimand="What the evidence allows to be said of each link of the theory of change.",
        recommended="none",
        reason="Verdicts follow from the evidence by fixed rules; no error is estimated.",
        effects=(),
        findings=findings_of(found),
        details=found,
        extra={"contribution": found.record()},
    )


CONTRIBUTION: Final = Kind(
    name="contribution",
    label="a theory of change and the evidence for its links",
    options=ContributionOptions,
    plan=_plan,
    estimate=_estimate,
    complaints=_complaints,
    describes=True,
    shown_by="evalkit.report.kinds.contribution",
)
