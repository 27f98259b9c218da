"""The kinds of analysis that a project may name: the one list of them, and what each says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from evalkit.core.draws import Executor
    from evalkit.core.project import Analysis, Claim, Project
    from evalkit.data.published.performance import PublishedLimits
    from evalkit.data.published.project_data import ProjectData
    from evalkit.design.analysis_plan import AnalysisPlan, ProjectDesign
    from evalkit.diagnose.evaluation import AnalysisResults, Evaluation
    from evalkit.diagnose.power.report import AnalysisPower, PowerOptions
    from evalkit.run.project.plain_yaml import Complaint


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanRequest:
    """What a kind makes its plan of: `intake` holds no result of a year after the programme began."""

    project: Project
    analysis: Analysis
    intake: ProjectData


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EstimateRequest:
    """What a kind makes its results of: its plan, and every year that the project names."""

    plan: AnalysisPlan
    intake: ProjectData
    claims: tuple[Claim, ...] = ()
    executor: Executor | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PowerRequest:
    """What a kind says its power of: its plan, and the years before the programme alone.

    `limits` are published confidence limits of the last year before, by measure, where at hand.
    """

    plan: AnalysisPlan
    intake: ProjectData
    options: PowerOptions
    limits: Mapping[str, PublishedLimits]


def _none_of(project: Project, analysis: Analysis) -> Iterable[Complaint]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of analysis.

    Attributes
    ----------
    name : what stands under `kind` in a project file; its notebook is `2_<name>.ipynb`
    label : the kind in words for readers
    options : a frozen dataclass of what a project file may say of an analysis of this kind
    plan, estimate : the two verbs, before and after outcomes are read
    complaints : what can be said against an analysis from the project file alone; places are relative to it
    inherits : keys of the project file that are the defaults of the options of the same name, key by key
    uses_exposure : whether the years before and after are those of `exposure`, so that it must be there
    shown_by : the module of `evalkit.report` with the parts of documents that show it
    notebook : its notebook, where that is not notebooks/2_<name>.ipynb
    power : what `evalkit power` answers for it, from years before alone (None: it says that there is no answer)
    """

    name: str
    label: str
    options: type
    plan: Callable[[PlanRequest], AnalysisPlan]
    estimate: Callable[[EstimateRequest], AnalysisResults]
    complaints: Callable[[Project, Analysis], Iterable[Complaint]] = _none_of
    inherits: tuple[str, ...] = ()
    uses_exposure: bool = True
    shown_by: str = ""
    power: Callable[[PowerRequest], Iterable[AnalysisPower]] | None = None
    notebook: Path | None = None


KINDS: Final[dict[str, str]] = {
    "areas": "evalkit.run.kinds.areas:AREAS",
    "dose": "evalkit.run.kinds.dose:DOSE",
    "matched": "evalkit.run.kinds.matched:MATCHED",
    "pupils": "evalkit.run.kinds.pupils:PUPILS",
    "series": "evalkit.run.kinds.series:SERIES",
    "staggered": "evalkit.run.kinds.staggered:STAGGERED",
    "synthetic": "evalkit.run.kinds.synthetic:SYNTHETIC",
    "transitions": "evalkit.run.kinds.transitions:TRANSITIONS",
}
"""Every kind by name, as the module and the attribute that hold it: loaded when a project asks for it."""

RESERVED: Final[tuple[tuple[str, ...], ...]] = (
    ("by",),
    ("plan",),
    ("families",),
    ("choices",),
    ("participants", "rule"),
    ("analyses", "by"),
    ("analyses", "plan"),
    ("analyses", "families"),
    ("analyses", "choices"),
)
"""Keys that later versions will read, by their place in a project file; until then they are refused."""


def kind_of(name: str) -> Kind:
    """Return a kind by its name, which must be one of `KINDS`."""
    module, attribute = KINDS[name].split(":")
    found: Kind = getattr(import_module(module), attribute)
    return found


def design_project(project: Project, baseline: ProjectData) -> ProjectDesign:
    """Return the plans of all analyses, each made by its kind from what was known before the programme."""
    from evalkit.design.analysis_plan import ProjectDesign

    plans = tuple(plan_of(project, analysis, baseline) for analysis in project.analyses)
    return ProjectDesign(project=project, data_kind=baseline.kind, plans=plans)


def plan_of(project: Project, analysis: Analysis, baseline: ProjectData) -> AnalysisPlan:
    """Return the plan of one analysis, made by its kind from what was known before the programme."""
    intake = before_of(project, analysis, baseline)
    return kind_of(analysis.kind).plan(PlanRequest(project=project, analysis=analysis, intake=intake))


def before_of(project: Project, analysis: Analysis, baseline: ProjectData) -> ProjectData:
    """Return the baseline of one analysis: what was before for another one may hold its outcomes."""
    from evalkit.core.project import summer_of

    if analysis.uses_exposure:
        return baseline.of_years(project.exposure_of(analysis).pre)
    starts = baseline.treated.facts["start"].dropna()
    first = summer_of(starts.min().date() if len(starts) else project.programme.start)
    return baseline.of_years(year for year in baseline.years if year < first)


def evaluate_project(
    design: ProjectDesign, intake: ProjectData, claims: tuple[Claim, ...] = (), executor: Executor | None = None
) -> Evaluation:
    """Return the results of all analyses of a design; arguments as of `EstimateRequest`."""
    from evalkit.diagnose.evaluation import Evaluation

    results = tuple(
        kind_of(plan.analysis.kind).estimate(
            EstimateRequest(plan=plan, intake=intake, claims=claims, executor=executor)
        )
        for plan in design.plans
    )
    return Evaluation(project=design.project, design=design, analyses=results)
