"""The kind `transitions`: ordered categories before and after, such as inspectors' grades, by arm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from evalkit.core.project import Analysis, Project
from evalkit.core.quantities import Unavailable
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.clusters import CR2, OVER_SETS
from evalkit.design.kinds.transitions import TransitionsOptions, TransitionsPlan, transitions_plan
from evalkit.design.project.inference import PERMUTATION, WHOLE_SETS
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.transitions import effects_of, findings_of, placed_transitions, transitions_outcomes
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.run.kinds.registry import EstimateRequest, Kind, PlacedRequest, PlanRequest
from evalkit.run.project.plain_yaml import Complaint

if TYPE_CHECKING:
    from evalkit.diagnose.missing.sample import MissingSample

_INHERITED: Final = ("pool", "exposure")
_FEWEST: Final = 2
_BY_SETS: Final = (
    "Sets of schools of other areas take the places of the listed, so that what moved an area is in every placebo."
)
_BY_ONE_AREA: Final = (
    "All schools of one area took part, so that its shock cannot be told from the programme within it: its schools are "
    "placed among those of every other area, each against its own comparison."
)
_BY_WHOLE_AREAS: Final = (
    "All schools of the treated areas took part: these are placed among draws of as many other areas, each against its "
    "own comparison."
)
_BY_AREAS: Final = "Participants lie in more than 20 areas, enough for errors clustered by area."


def _options(analysis: Analysis) -> TransitionsOptions:
    return analysis.options if isinstance(analysis.options, TransitionsOptions) else TransitionsOptions()


def _complaints(project: Project, analysis: Analysis) -> Iterator[Complaint]:
    for key, text in _faults(_options(analysis)):
        yield Complaint((key,), text)


def _faults(options: TransitionsOptions) -> Iterator[tuple[str, str]]:
    if len(options.categories) < _FEWEST:
        yield (
            "categories",
            "name every category, the best first, from the number in the table to what it means: "
            "{1: Outstanding, 2: Good, …}",
        )
    odd = [one for one in options.categories if not _is_number(one)]
    if odd:
        yield "categories", f"'{odd[0]}' is no number; a table holds its categories as numbers, here named with words"


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def _plan(request: PlanRequest) -> AnalysisPlan:
    options = _options(request.analysis)
    own = {name: value for name in _INHERITED if (value := getattr(options, name)) is not None}
    project = request.project.of_analysis(request.analysis, **own)
    plan = transitions_plan(project, options, request.intake)
    return AnalysisPlan(
        analysis=request.analysis,
        project=project,
        label=TRANSITIONS.label,
        details=plan,
        record=plan.record(),
        shown_by=TRANSITIONS.shown_by,
    )


def _estimate(request: EstimateRequest) -> AnalysisResults:
    plan = details_of(request.plan, TransitionsPlan)
    found = transitions_outcomes(plan, request.intake)
    first, last = plan.years
    recommended, reason = _inference(plan)
    who = "schools of the treated areas" if plan.primary.against.sets.is_whole else "listed schools"
    return AnalysisResults(
        plan=request.plan,
        estimand=(
            f"The average effect of {request.plan.project.programme.name} on the share of the {who} in a better "
            f"category in {last} than in {first}."
        ),
        recommended=recommended,
        reason=reason,
        effects=tuple(effect for one in found.outcomes for effect in effects_of(one)),
        findings=findings_of(found),
        details=found,
    )


def _missing(request: EstimateRequest) -> Iterator[MissingSample]:
    from evalkit.diagnose.missing.of_transitions import transitions_samples

    plan = details_of(request.plan, TransitionsPlan)
    return transitions_samples(plan, request.intake)


def _inference(plan: TransitionsPlan) -> tuple[str, str]:
    """Return the inference by name, and why it is that one."""
    against = plan.primary.against
    if against.has_many_areas:
        return CR2, _BY_AREAS
    if not against.sets.is_whole:
        return OVER_SETS, _BY_SETS
    return (PERMUTATION, _BY_ONE_AREA) if len(against.sets.treated) == 1 else (WHOLE_SETS, _BY_WHOLE_AREAS)


def _placed(request: PlacedRequest) -> PlacedStatistic | Unavailable:
    plan = details_of(request.plan, TransitionsPlan)
    return placed_transitions(plan, request.outcome, request.intake)


TRANSITIONS: Final = Kind(
    name="transitions",
    label="categories before and after, of the schools that took part and of schools like theirs",
    options=TransitionsOptions,
    plan=_plan,
    estimate=_estimate,
    placed=_placed,
    complaints=_complaints,
    missing=_missing,
    inherits=_INHERITED,
    shown_by="evalkit.report.kinds.transitions",
)
