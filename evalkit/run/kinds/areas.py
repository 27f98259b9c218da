"""The kind `areas`: whole authorities, or listed schools, set beside the areas that are statistically like theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

from evalkit.core.draws import SERIAL
from evalkit.core.formats import mean_of
from evalkit.core.project import (
    Contamination,
    EffectSizes,
    Estimation,
    Exposure,
    InferenceChoices,
    Matching,
    Pool,
    Project,
    TripleDifference,
)
from evalkit.core.quantities import Unavailable
from evalkit.data.measures import measure_of
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.project.inference import project_inference
from evalkit.design.project.plan import DesignStage, LockedDesign, make_design
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.power.analyses import areas_power
from evalkit.diagnose.power.power import project_power
from evalkit.diagnose.power.report import AnalysisPower
from evalkit.diagnose.project.describe import describe_design
from evalkit.diagnose.project.evaluate import evaluate
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.estimate.areas.outcome_effects import estimate_outcome, placed_outcome
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.estimate.areas.varied import AXES, placed_variations
from evalkit.estimate.effect import Effect, surest_effect
from evalkit.run.kinds.registry import EstimateRequest, Kind, PlacedRequest, PlanRequest, PowerRequest, VariedRequest

if TYPE_CHECKING:
    from evalkit.diagnose.missing.sample import MissingSample

_INHERITED: Final = ("pool", "matching", "estimation", "inference", "effect_sizes", "exposure")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreasOptions:
    """What an analysis of the kind `areas` may say for itself; what it does not say is the project's."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "use_attribute_docstrings": True}
    exposure: Exposure | None = None
    """Which years are before, partial and after."""
    pool: Pool | None = None
    """Which schools may be compared."""
    matching: Matching | None = None
    """How schools are matched in the comparisons beside the main one."""
    estimation: Estimation | None = None
    """How the effect is measured."""
    inference: InferenceChoices | None = None
    """How uncertain it is."""
    effect_sizes: EffectSizes | None = None
    """How effects are standardised."""
    contrasts: tuple[TripleDifference, ...] | None = None
    """Triple differences."""
    contamination: tuple[Contamination, ...] | None = None
    """Other programmes in comparison areas, as far as known."""


@dataclass(frozen=True, slots=True, eq=False)
class AreasPlan:
    """The locked design of every outcome, and the same as a reader may see it."""

    locked: LockedDesign
    stage: DesignStage


def areas_project(request: PlanRequest) -> Project:
    """Return the project as an analysis of this kind sees it."""
    options: AreasOptions = request.analysis.options or AreasOptions()
    names = (*_INHERITED, "contrasts", "contamination")
    own = {name: value for name in names if (value := getattr(options, name)) is not None}
    if "contrasts" in own:  # for a subgroup the outcomes are others
        codes = {one.code for one in request.project.outcomes_of(request.analysis)}
        own["contrasts"] = tuple(one for one in own["contrasts"] if {one.measure, one.minus} <= codes)
    return request.project.of_analysis(request.analysis, **own)


def _plan(request: PlanRequest) -> AnalysisPlan:
    project = areas_project(request)
    locked = make_design(project, request.intake)
    return AnalysisPlan(
        analysis=request.analysis,
        project=project,
        label=AREAS.label,
        details=AreasPlan(locked, describe_design(project, request.intake, locked)),
        record={"outcomes": json.loads(locked.to_json())["outcomes"]},
        shown_by=AREAS.shown_by,
    )


def _estimate(request: EstimateRequest) -> AnalysisResults:
    plan = details_of(request.plan, AreasPlan)
    project = request.plan.project
    if request.is_brief:
        return _brief(request, plan.locked)
    found = evaluate(project, request.intake, plan.locked, plan.stage, request.claims, request.executor or SERIAL)
    found = replace(found, effects=tuple(_marked(found.effects)))
    design = plan.locked.outcomes[project.primary.code]
    records = request.intake.records[measure_of(project, project.primary.code).key_stage]
    inference = project_inference(design, records.schools["area"])
    return AnalysisResults(
        plan=request.plan,
        estimand=_estimand(found),
        recommended=inference.method,
        reason=inference.reason,
        effects=found.effects,
        findings=found.findings,
        details=found,
        judgements=found.judgements,
    )


def _brief(request: EstimateRequest, locked: LockedDesign) -> AnalysisResults:
    """Return the results with the main comparison of every outcome and nothing else."""
    project, executor = request.plan.project, request.executor or SERIAL
    found = (
        estimate_outcome(project, request.intake, locked.outcomes[one.code], one.role, executor, is_brief=True)
        for one in project.outcomes
    )
    effects = tuple(_marked([effect for one in found for effect in one.effects]))
    return AnalysisResults(
        plan=request.plan, estimand="", recommended="", reason="", effects=effects, findings=(), details=None
    )


def _missing(request: EstimateRequest) -> Iterator[MissingSample]:
    from evalkit.diagnose.missing.of_areas import areas_samples

    plan = details_of(request.plan, AreasPlan)
    return areas_samples(request.plan.project, request.intake, plan.locked)


def _marked(effects: Sequence[Effect]) -> Iterator[Effect]:
    """Yield every effect, that of the main comparison with its surest inference marked for each outcome."""
    main = {code: surest_effect(effects, code) for code in {one.outcome for one in effects}}
    for one in effects:
        yield replace(one, is_main=True) if one is main[one.outcome] else one


def _estimand(found: AreasResults) -> str:
    project = found.project
    who = f"the schools of {project.programme.place}" if not project.participants.is_listed else "the listed schools"
    return (
        f"The average effect of {project.programme.name} on {who}: the mean change to {mean_of(project.exposure.post)} "
        f"from {mean_of(project.exposure.pre)}, less what it would have been without the programme."
    )


def _power(request: PowerRequest) -> Iterator[AnalysisPower]:
    plan = details_of(request.plan, AreasPlan)
    found = project_power(request.plan.project, request.intake, plan.locked, request.limits, request.options)
    return areas_power(found.outcomes, request.plan.analysis.name)


def _placed(request: PlacedRequest) -> PlacedStatistic | Unavailable:
    plan = details_of(request.plan, AreasPlan)
    return placed_outcome(request.plan.project, request.intake, plan.locked.outcomes[request.outcome])


def _varied(request: VariedRequest) -> Iterator[PlacedStatistic | Unavailable]:
    asked = [
        (areas_project(PlanRequest(project=one.project, analysis=one.analysis, intake=request.intake)), one.axes)
        for one in request.variations
    ]
    return placed_variations(asked, request.outcome, request.intake)


AREAS: Final = Kind(
    name="areas",
    label="areas compared with their statistical neighbours",
    options=AreasOptions,
    plan=_plan,
    estimate=_estimate,
    placed=_placed,
    axes=AXES,
    varied=_varied,
    power=_power,
    missing=_missing,
    inherits=_INHERITED,
    shown_by="evalkit.report.kinds.areas",
)
