"""The kind `synthetic`: one area or few, compared with a weighted average of others that was like them before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.draws import SERIAL
from evalkit.core.plain import plain, plain_or_reason
from evalkit.core.project import Analysis, Project
from evalkit.core.quantities import Unavailable
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.kinds.synthetic import SyntheticChoices, SyntheticPlan, synthetic_plan
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.synthetic import (
    BY_PLACEBOS,
    PooledStudy,
    SyntheticOutcomeResults,
    placed_synthetic,
    synthetic_outcomes,
    weights_before,
)
from evalkit.diagnose.kinds.synthetic_checks import METHOD_NAMES, effects_of_outcome, estimand_of, findings_of
from evalkit.diagnose.power.analyses import synthetic_power
from evalkit.diagnose.power.report import AnalysisPower
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.run.kinds.registry import EstimateRequest, Kind, PlacedRequest, PlanRequest, PowerRequest
from evalkit.run.project.plain_yaml import Complaint
from evalkit.run.tables.synth import study_record

if TYPE_CHECKING:
    from evalkit.diagnose.missing.sample import MissingSample

_FEWEST_DRAWS, _MOST_DRAWS = 99, 100_000
_PLACED: Final = "placebo areas"


def _choices(analysis: Analysis) -> SyntheticChoices:
    return analysis.options if isinstance(analysis.options, SyntheticChoices) else SyntheticChoices()


def _complaints(project: Project, analysis: Analysis) -> Iterator[Complaint]:
    """Yield what can be said against the choices from the project file alone, all of it at once."""
    choices = _choices(analysis)
    if choices.covariates and choices.method != "sc":
        yield Complaint(
            ("covariates",),
            f"only `sc` follows covariates, not `{choices.method}`. Leave them out, or say `method: sc`",
        )
    if choices.nu is not None and not 0 <= choices.nu <= 1:
        yield Complaint(("nu",), f"from 0 (each area by itself) to 1 (their mean alone), not {choices.nu:g}")
    if choices.nu is not None and choices.several == "together":
        yield Complaint(("nu",), "areas taken together have one series, and nothing to pool. Leave it out")
    if choices.draws is not None and not _FEWEST_DRAWS <= choices.draws <= _MOST_DRAWS:
        yield Complaint(("draws",), f"from {_FEWEST_DRAWS} to {_MOST_DRAWS:,}, not {choices.draws}; 999 for a report")
    if choices.since is not None and choices.until is not None and choices.since > choices.until:
        yield Complaint(("until",), f"the series would end in {choices.until}, before it begins in {choices.since}")


def _plan(request: PlanRequest) -> AnalysisPlan:
    project, choices = request.project.of_analysis(request.analysis), _choices(request.analysis)
    plan = synthetic_plan(project, choices, request.intake)
    outcomes = {code: replace(one, weights=weights_before(choices, one)) for code, one in plan.outcomes.items()}
    plan = replace(plan, outcomes=outcomes)
    return AnalysisPlan(
        analysis=request.analysis,
        project=project,
        label=f"one area or few, compared with a weighted average of others ({METHOD_NAMES[choices.method]})",
        details=plan,
        record=plan.record(),
        shown_by=SYNTHETIC.shown_by,
    )


def _estimate(request: EstimateRequest) -> AnalysisResults:
    plan = details_of(request.plan, SyntheticPlan)
    project = request.plan.project
    found = synthetic_outcomes(project, plan, request.intake, request.executor or SERIAL)
    primary = found.primary
    is_judged = not isinstance(primary.quoted.p_value, Unavailable)
    return AnalysisResults(
        plan=request.plan,
        estimand=estimand_of(project, found),
        recommended=_PLACED if is_judged else "none",
        reason=BY_PLACEBOS[primary.plan.how] if is_judged else _why_none(primary),
        effects=tuple(effect for one in found.outcomes for effect in effects_of_outcome(one, plan.choices.method)),
        findings=findings_of(found),
        details=found,
        extra={"synthetic": {one.code: _record(one) for one in found.outcomes}},
    )


def _why_none(found: SyntheticOutcomeResults) -> str:
    p = found.quoted.p_value
    return p.reason if isinstance(p, Unavailable) else ""


def _record(found: SyntheticOutcomeResults) -> dict[str, Any]:
    """Return the numbers of an outcome, those of one start as `evalkit synth --json` writes them."""
    quoted = {"interval": plain_or_reason(found.quoted.interval), "n_ranked": found.quoted.n_ranked}
    if found.pooled is not None:
        return _pooled_record(found.pooled) | quoted
    if isinstance(found.study, Unavailable):
        return {"estimate": plain_or_reason(found.study), "years_before": found.plan.n_before}
    record = study_record(found.study, {"interval": quoted["interval"]}) | {"n_ranked": found.quoted.n_ranked}
    if isinstance(found.conformal, Unavailable):
        record["conformal"] = plain_or_reason(found.conformal)
    return record


def _pooled_record(found: PooledStudy) -> dict[str, Any]:
    control, fit = found.control, found.control.fit
    return {
        "estimate": plain_or_reason(control.estimate),
        "over_all_area_years": plain_or_reason(control.over_all),
        "nu": fit.nu,
        "q_pooled": fit.q_pooled,
        "q_separate": fit.q_separate,
        "pre_ratio": control.pre_ratio,
        "alone_ratio": control.alone_ratio,
        "mean_ratio": control.mean_ratio,
        "n_lags": fit.n_lags,
        "n_leads": fit.n_leads,
        "placebo_p": plain_or_reason(found.placebos.p_value),
        "ratio": plain_or_reason(found.placebos.ratio),
        "n_placebos": len(found.placebos.ratios),
        "by_area": plain(control.by_area),
        "by_event_time": plain(control.by_event_time),
        "without_area": {str(area): value for area, value in found.without_area.items()},
        "notes": list(control.notes),
    }


def _power(request: PowerRequest) -> Iterator[AnalysisPower]:
    plan = details_of(request.plan, SyntheticPlan)
    return synthetic_power(request.plan.project, plan, request.plan.analysis.name, request.intake, request.options)


def _missing(request: EstimateRequest) -> Iterator[MissingSample]:
    from evalkit.diagnose.missing.of_area_series import synthetic_samples

    plan = details_of(request.plan, SyntheticPlan)
    return synthetic_samples(request.plan.project, plan, request.intake, request.executor or SERIAL)


def _placed(request: PlacedRequest) -> PlacedStatistic | Unavailable:
    plan = details_of(request.plan, SyntheticPlan)
    return placed_synthetic(request.plan.project, plan, request.outcome, request.intake)


SYNTHETIC: Final = Kind(
    name="synthetic",
    label="one area or few, compared with a weighted average of others (synthetic control)",
    options=SyntheticChoices,
    plan=_plan,
    estimate=_estimate,
    placed=_placed,
    power=_power,
    missing=_missing,
    complaints=_complaints,
    takes_areas=True,
    uses_exposure=False,
    rows="areas",
    shown_by="evalkit.report.kinds.synthetic",
)
