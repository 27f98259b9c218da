"""The kind `pupils`: pupils in schools, other pupils each year or the same ones twice, in a two-level model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.plain import plain, plain_or_reason
from evalkit.core.project import Analysis, Project
from evalkit.core.quantities import Unavailable
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.clusters import OVER_SETS
from evalkit.design.kinds.pupils import PupilChoices, PupilPlan, pupil_plan
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.pupils import PupilFindings, PupilOutcomeResults, placed_pupils, pupil_outcomes
from evalkit.diagnose.kinds.pupils_checks import findings_of
from evalkit.diagnose.kinds.pupils_effects import effects_of_outcome, estimand_of
from evalkit.diagnose.power.pupils import pupils_power
from evalkit.diagnose.power.report import AnalysisPower
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.run.kinds.registry import EstimateRequest, Kind, PlacedRequest, PlanRequest, PowerRequest
from evalkit.run.project.plain_yaml import Complaint

if TYPE_CHECKING:
    from evalkit.diagnose.missing.sample import MissingSample


def _choices(analysis: Analysis) -> PupilChoices:
    return analysis.options if isinstance(analysis.options, PupilChoices) else PupilChoices()


def _complaints(project: Project, analysis: Analysis) -> Iterator[Complaint]:
    """Yield what can be said against the choices from the project file alone, all of it at once."""
    choices = _choices(analysis)
    for key, text in (*_of_tables(project, analysis, choices), *_of_model(project, analysis, choices)):
        yield Complaint((key,), text)


def _of_tables(project: Project, analysis: Analysis, choices: PupilChoices) -> Iterable[tuple[str, str]]:
    tables = project.data.tables
    for one in project.outcomes_of(analysis):
        if not one.is_own or (one.table in tables and tables[str(one.table)].person is None):
            what = f"{one.code} is of schools" if one.is_own else f"{one.code} is published of schools, not of pupils"
            yield (
                "outcomes",
                f"{what}. The kind `pupils` takes columns of a table with a row for each pupil: name the column of "
                "pupils as `person` under `data.tables`, and choose the outcomes by `outcomes`",
            )
    own = {one.table for one in project.outcomes_of(analysis)}
    if len(own) > 1:
        yield "outcomes", "an analysis of pupils takes outcomes of one table. Choose them by `outcomes`"
    codes = {one.code for one in project.outcomes}
    named = [("covariates", name) for name in choices.covariates]
    named += [("pre_score", choices.pre_score)] if choices.pre_score is not None else []
    for key, name in named:
        if name.partition(".")[0] not in own:
            yield key, f"'{name}' is no column of the pupils' table. Write it as table.column"
        elif name in codes:
            yield key, f"'{name}' is an outcome of the project; the model is not adjusted for what came after"
    if choices.pre_score in choices.covariates or len(set(choices.covariates)) < len(choices.covariates):
        yield "covariates", "name each column once, the earlier score as `pre_score` alone"


def _of_model(project: Project, analysis: Analysis, choices: PupilChoices) -> Iterable[tuple[str, str]]:
    if choices.model == "cross-sections":
        if choices.pre_score is not None:
            yield "pre_score", "it belongs to `model: waves`. With cross-sections name it among `covariates`"
        for one in project.outcomes_of(analysis):
            if one.is_own and one.table in project.data.tables and project.data.tables[str(one.table)].period is None:
                yield (
                    "model",
                    f"the table '{one.table}' has no `period`, so that there is no before. Use `model: waves` with a "
                    "`pre_score`",
                )
        return
    if choices.shock is not None:
        yield "shock", "with `waves` the random intercept stands for the school. Leave it out"
    if choices.pre_score is None and len(project.exposure_of(analysis).post) > 1:
        yield (
            "exposure",
            "pupils are found again in one year after. Name one in `post`, or a column as `pre_score`",
        )


def _plan(request: PlanRequest) -> AnalysisPlan:
    choices = _choices(request.analysis)
    own = {} if choices.exposure is None else {"exposure": choices.exposure}
    project = request.project.of_analysis(request.analysis, **own)
    plan = pupil_plan(project, choices, request.intake)
    return AnalysisPlan(
        analysis=request.analysis,
        project=project,
        label=PUPILS.label,
        details=plan,
        record=plan.record(),
        shown_by=PUPILS.shown_by,
    )


def _estimate(request: EstimateRequest) -> AnalysisResults:
    plan = details_of(request.plan, PupilPlan)
    project = request.plan.project
    found = pupil_outcomes(project, plan, request.intake)
    table, primary = project.effect_sizes.months_table, found.primary
    judged = OVER_SETS if primary.as_weighted is None else _named(primary)
    return AnalysisResults(
        plan=request.plan,
        estimand=estimand_of(project, plan),
        recommended=judged,
        reason=plan.reason,
        effects=tuple(effect for one in found.outcomes for effect in effects_of_outcome(one, plan, table)),
        findings=findings_of(found),
        details=found,
        extra=_extra(found),
    )


def _named(found: PupilOutcomeResults) -> str:
    assert found.as_weighted is not None
    assert found.as_weighted.inference is not None
    return found.as_weighted.inference.method


def _extra(found: PupilFindings) -> dict[str, Any]:
    """Return what the model says of every outcome: variances, ICC, the spread effects are divided by."""
    return {"pupils": {one.code: _numbers(one) for one in found.outcomes}}


def _numbers(one: PupilOutcomeResults) -> dict[str, Any]:
    model = one.model
    return {
        "model": {
            "grouping": model.grouping,
            "likelihood": model.likelihood,
            "conditional": plain(model.conditional),
            "n_schools": model.n_schools,
        },
        "empty": {"variance": plain(one.empty.unconditional), "total_sd": one.empty.unconditional.total**0.5},
        "pupils_difference": plain_or_reason(one.pupils),
    }


def _power(request: PowerRequest) -> Iterator[AnalysisPower]:
    plan = details_of(request.plan, PupilPlan)
    return pupils_power(request.plan.project, plan, request.plan.analysis.name, request.intake, request.options)


def _missing(request: EstimateRequest) -> Iterator[MissingSample]:
    from evalkit.diagnose.missing.of_pupils import pupils_samples

    plan = details_of(request.plan, PupilPlan)
    return pupils_samples(request.plan.project, plan, request.intake)


def _placed(request: PlacedRequest) -> PlacedStatistic | Unavailable:
    plan = details_of(request.plan, PupilPlan)
    return placed_pupils(request.plan.project, plan, request.outcome, request.intake)


PUPILS: Final = Kind(
    name="pupils",
    label="pupils in schools, in a two-level model",
    options=PupilChoices,
    plan=_plan,
    estimate=_estimate,
    placed=_placed,
    power=_power,
    missing=_missing,
    complaints=_complaints,
    rows="pupils",
    shown_by="evalkit.report.kinds.pupils",
)
