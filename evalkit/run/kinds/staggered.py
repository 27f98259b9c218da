"""The kind `staggered`: participants that start in different years, compared before and after their own start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.draws import SERIAL
from evalkit.core.plain import plain_or_reason
from evalkit.core.project import Analysis, Project
from evalkit.core.quantities import Unavailable
from evalkit.data.published.contrasts import add_contrasts, with_contrasts
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.kinds.staggered import StaggeredChoices, StaggeredPlan, staggered_plan
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.staggered import (
    StaggeredFindings,
    StaggeredOutcomeResults,
    placed_staggered,
    staggered_outcomes,
)
from evalkit.diagnose.kinds.staggered_checks import findings_of
from evalkit.diagnose.kinds.staggered_effects import effects_of_outcome, estimand_of
from evalkit.diagnose.power.analyses import staggered_power
from evalkit.diagnose.power.report import AnalysisPower
from evalkit.diagnose.project.flows import participants_flow
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.run.kinds.registry import EstimateRequest, Kind, PlacedRequest, PlanRequest, PowerRequest
from evalkit.run.project.plain_yaml import Complaint
from evalkit.run.tables.bounds import bounds_record
from evalkit.run.tables.did_json import (
    ONE_NUMBER,
    pre_test_record,
    side_by_side_record,
    staggered_record,
)

if TYPE_CHECKING:
    from evalkit.diagnose.missing.sample import MissingSample

_UNUSED: Final[dict[str, tuple[str, ...]]] = {
    "imputation": ("method", "comparison", "base_period"),
    "sun-abraham": ("method", "comparison", "base_period"),
    "extended": ("method", "base_period"),
    "two-stage": ("method", "comparison", "base_period"),
    "twfe": (
        "method",
        "comparison",
        "anticipation",
        "base_period",
        "unbalanced",
        "bootstrap",
        "draw",
        "balanced_until",
    ),
}
"""Options that an estimator has no use for; given all the same they are refused, as by `evalkit did`."""
_FEWEST_DRAWS, _MOST_DRAWS = 99, 100_000


def _choices(analysis: Analysis) -> StaggeredChoices:
    return analysis.options if isinstance(analysis.options, StaggeredChoices) else StaggeredChoices()


def _complaints(project: Project, analysis: Analysis) -> Iterator[Complaint]:
    """Yield what can be said against the choices from the project file alone, all of it at once."""
    for key, text in _faults(_choices(analysis)):
        yield Complaint((key,), text)


def _faults(choices: StaggeredChoices) -> Iterable[tuple[str, str]]:
    for name in _UNUSED.get(choices.estimator, ()):
        if getattr(choices, name) is not None:
            yield name, f"the estimator `{choices.estimator}` has no use for `{name}`. Leave it out"
    if choices.unbalanced == "levels" and choices.estimator not in ("group-time", "twfe"):
        yield (
            "unbalanced",
            (
                f"the estimator `{choices.estimator}` follows units over time, so `levels` has no meaning for it. Use "
                "`pairs` or `complete`"
            ),
        )
    for name in ("anticipation", "balanced_until"):
        if (getattr(choices, name) or 0) < 0:
            yield name, f"a whole number from 0 on, not {getattr(choices, name)}"
    if choices.bootstrap is not None and not _FEWEST_DRAWS <= choices.bootstrap <= _MOST_DRAWS:
        yield "bootstrap", f"from {_FEWEST_DRAWS} to {_MOST_DRAWS:,} draws, not {choices.bootstrap}; 999 for a report"
    if choices.draw is not None and not choices.bootstrap:
        yield "draw", "it says what a bootstrap draws. Give the number of draws as well: `bootstrap: 999`"
    yield from _with_matching(choices)
    if choices.draw == "clusters" and choices.balanced_until is not None:
        yield "balanced_until", "there are no errors of it from clusters drawn again. Leave it or `draw: clusters` out"


def _with_matching(choices: StaggeredChoices) -> Iterable[tuple[str, str]]:
    """Yield what does not go together with a matching that comes first."""
    if choices.pool is None or choices.pool.match is None:
        return
    if choices.covariates:
        yield (
            "covariates",
            "who is compared is matched first, on `pool.match.covariates`. Name them there, or leave one",
        )
    if choices.unbalanced == "levels":
        yield "unbalanced", "units that are matched are followed over time. Use `pairs` or `complete`"
    given = choices.pool.match
    if given.estimate is not None or given.exposure is not None or given.estimand != "ATT":
        yield (
            "pool",
            "`match` takes neither `estimate`, `exposure` nor another `estimand`: the years are those of each start",
        )


def _plan(request: PlanRequest) -> AnalysisPlan:
    project = with_contrasts(request.project.of_analysis(request.analysis))
    plan = staggered_plan(project, _choices(request.analysis), add_contrasts(project, request.intake))
    return AnalysisPlan(
        analysis=request.analysis,
        project=project,
        label=STAGGERED.label,
        details=plan,
        record=plan.record(),
        shown_by=STAGGERED.shown_by,
        participants=participants_flow(project, request.intake, {}, _minor_groups(plan.choices)),
    )


def _minor_groups(choices: StaggeredChoices) -> tuple[str, ...] | None:
    return None if choices.pool is None else choices.pool.minor_groups


def _estimate(request: EstimateRequest) -> AnalysisResults:
    plan = details_of(request.plan, StaggeredPlan)
    project = request.plan.project
    intake = add_contrasts(project, request.intake)
    found = staggered_outcomes(project, plan, intake, request.executor or SERIAL)
    return AnalysisResults(
        plan=request.plan,
        estimand=estimand_of(project, found),
        recommended=found.primary.recommended.inference,
        reason=plan.reason if found.primary.overall is not None else found.primary.recommended.reason,
        effects=tuple(effect for one in found.outcomes for effect in effects_of_outcome(one, plan.choices)),
        findings=findings_of(found),
        details=found,
        extra=_extra(found),
    )


def _missing(request: EstimateRequest) -> Iterator[MissingSample]:
    from evalkit.diagnose.missing.of_staggered import staggered_samples

    plan = details_of(request.plan, StaggeredPlan)
    return staggered_samples(request.plan.project, plan, request.intake, request.executor or SERIAL)


def _extra(found: StaggeredFindings) -> dict[str, Any]:
    """Return the numbers of the primary outcome as `evalkit did --json` writes them, and those of each other one."""
    others = {one.code: _numbers(one, found) for one in found.outcomes if one is not found.primary}
    return _numbers(found.primary, found) | ({"outcomes": others} if others else {})


def _numbers(one: StaggeredOutcomeResults, found: StaggeredFindings) -> dict[str, Any]:
    record = staggered_record(one.results)
    if found.plan.choices.estimator == "twfe":
        record |= dict.fromkeys(("group_time", "by_cohort", "event_study", "calendar"), plain_or_reason(ONE_NUMBER))
    return {
        **record,
        "pre_test": pre_test_record(one.results.pre_test),
        "bounds": bounds_record(one.bounds),
        "pre_trends": plain_or_reason(one.pre_trends),
        "side_by_side": side_by_side_record(one.checks),
        "periods": list(one.periods),
        "cohorts": list(one.cohorts),
    }


def _power(request: PowerRequest) -> Iterator[AnalysisPower]:
    plan = details_of(request.plan, StaggeredPlan)
    name = request.plan.analysis.name
    project = request.plan.project
    return staggered_power(project, plan, name, add_contrasts(project, request.intake), request.options)


def _placed(request: PlacedRequest) -> PlacedStatistic | Unavailable:
    stage = details_of(request.plan, StaggeredPlan)
    return placed_staggered(request.plan.project, stage, request.outcome, request.intake)


STAGGERED: Final = Kind(
    name="staggered",
    label="participants that start in different years, compared with units that have not started",
    options=StaggeredChoices,
    plan=_plan,
    estimate=_estimate,
    placed=_placed,
    power=_power,
    missing=_missing,
    complaints=_complaints,
    uses_exposure=False,
    shown_by="evalkit.report.kinds.staggered",
)
