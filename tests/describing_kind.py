"""A kind of analysis that describes and gives no effect: how many rows a text beside the project file has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from evalkit.data.described import DescribedRequest
from evalkit.design.analysis_plan import AnalysisPlan
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.finding import statement
from evalkit.run.kinds.registry import EstimateRequest, Kind, PlanRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class CountOptions:
    """What a project file may say of a count."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "use_attribute_docstrings": True}
    file: str = "meetings.csv"
    """CSV beside the project file with a year in each row."""
    target: int = 3
    """How many rows there were to be."""

    def read(self, wanted: DescribedRequest) -> tuple[int, ...]:
        """Return the years of the rows: of a plan those before the programme alone."""
        lines = (wanted.folder / self.file).read_text(encoding="utf-8").split()
        return tuple(year for year in map(int, lines) if wanted.last is None or year <= wanted.last)


def _plan(request: PlanRequest) -> AnalysisPlan:
    options, years = request.analysis.options, request.intake.described[request.analysis.name]
    return AnalysisPlan(
        analysis=request.analysis,
        project=request.project.of_analysis(request.analysis),
        label=COUNT.label,
        details=options,
        record={"target": options.target, "n_before": len(years)},
        shown_by=COUNT.shown_by,
    )


def _estimate(request: EstimateRequest) -> AnalysisResults:
    found = len(request.intake.described[request.plan.analysis.name])
    word = "met" if found >= request.plan.details.target else "missed"
    return AnalysisResults(
        plan=request.plan,
        estimand="How many meetings were held.",
        recommended="none",
        reason="A count has no error.",
        effects=(),
        findings=(statement("target", float(found), f"The target of {request.plan.details.target} was {word}."),),
        details=found,
        extra={"target": word},
    )


COUNT = Kind(
    name="count",
    label="a count of meetings",
    options=CountOptions,
    plan=_plan,
    estimate=_estimate,
    describes=True,
    shown_by="tests.describing_kind",
    notebook=Path(__file__).with_name("2_toy.ipynb"),
)


def answer(results: AnalysisResults):
    """Return the answer: what was counted, and whether the target was met."""
    from evalkit.report.border.parts import Prose

    return Prose((f"The target was {results.extra['target']}.",), "headline")
