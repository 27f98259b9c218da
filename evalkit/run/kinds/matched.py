"""The kind `matched`: the treated matched with, or set beside weighted, schools like them before the programme."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from evalkit.core.draws import SERIAL
from evalkit.core.errors import DesignError
from evalkit.core.formats import mean_of
from evalkit.core.plain import plain_or_reason as given
from evalkit.core.project import Analysis, Project, first_summer
from evalkit.core.quantities import Unavailable
from evalkit.core.words import listed
from evalkit.data.published.contrasts import add_contrasts, with_contrasts
from evalkit.data.published.project_data import ProjectData
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.kinds.matched import HOW, MatchedOptions, MatchedPlan, matched_otherwise, plan_matched
from evalkit.design.matching.options import AfterName
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.matched import (
    MatchedOutcome,
    MatchedResults,
    MatchedStage,
    estimate_matched,
    matched_stage,
    placed_matched,
)
from evalkit.diagnose.power.analyses import matched_power
from evalkit.diagnose.power.report import AnalysisPower
from evalkit.diagnose.project.flows import participants_flow
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.estimate.matched.set_statistic import COLUMN, MatchedStatistic, MatchedStatistics
from evalkit.run.commands.match import OF_METHODS, USES
from evalkit.run.kinds.registry import (
    EstimateRequest,
    Kind,
    PlacedRequest,
    PlanRequest,
    PowerRequest,
    Variation,
    VariedRequest,
    plan_of,
)
from evalkit.run.project.plain_yaml import Complaint
from evalkit.run.tables.match import pairs_of, weights_of

if TYPE_CHECKING:
    from evalkit.diagnose.missing.sample import MissingSample


def _plan(request: PlanRequest) -> AnalysisPlan:
    options: MatchedOptions = request.analysis.options or MatchedOptions()
    own = {} if options.exposure is None else {"exposure": options.exposure}
    project = with_contrasts(request.project.of_analysis(request.analysis, **own))
    intake = add_contrasts(project, request.intake)
    plan = plan_matched(project, options, intake)
    return AnalysisPlan(
        analysis=request.analysis,
        project=project,
        label=MATCHED.label,
        details=matched_stage(plan),
        record=plan.record(),
        shown_by=MATCHED.shown_by,
        participants=participants_flow(
            project, intake, {one.outcome: one.pre for one in plan.outcomes}, options.pool.minor_groups
        ),
    )


def _intake(request: EstimateRequest | PowerRequest | PlacedRequest) -> ProjectData:
    """Return the data with triple differences beside the outcomes."""
    return add_contrasts(request.plan.project, request.intake)


def _estimate(request: EstimateRequest) -> AnalysisResults:
    stage = details_of(request.plan, MatchedStage)
    found = estimate_matched(stage.plan, _intake(request), request.executor or SERIAL)
    return AnalysisResults(
        plan=request.plan,
        estimand=_estimand(found),
        recommended=found.recommended,
        reason=found.reason,
        effects=found.effects,
        findings=found.findings,
        details=found,
        extra=_extra(found),
    )


def _missing(request: EstimateRequest) -> Iterator[MissingSample]:
    from evalkit.diagnose.missing.of_matched import matched_samples

    stage = details_of(request.plan, MatchedStage)
    return matched_samples(stage.plan, _intake(request), request.executor or SERIAL)


def _estimand(found: MatchedResults) -> str:
    """Return what is estimated, in a sentence."""
    project = found.project
    who = f"the schools of {project.programme.place}" if not project.participants.is_listed else "the listed schools"
    if found.outcomes and str(found.outcomes[0].design.estimand).endswith("AMONG_MATCHED"):
        who += " that could be matched"
    pre = found.plan.outcomes[0].pre
    asked = found.outcomes[0].estimates.asked if found.outcomes else "difference"
    after = mean_of(project.exposure.post)
    what = {
        "change": f"the mean change to {after} from {mean_of(pre) if pre else 'the years before'}",
        "ancova": f"the mean in {after}, given what was known before",
        "difference": f"the mean in {after}",
    }[asked]
    return (
        f"The average effect of {project.programme.name} on {who}: {what}, less that of schools like them before the "
        "programme."
    )


def _extra(found: MatchedResults) -> dict[str, object]:
    """Return pairs and weights of the first outcome as `evalkit match --json` gives them, and each outcome's match."""
    if not found.outcomes:
        return {}
    first = found.outcomes[0]
    return {
        "pairs": pairs_of(first.design),
        "weights": weights_of(first.design),
        "matches": [_match_record(one) for one in found.outcomes],
    }


def _match_record(one: MatchedOutcome) -> dict[str, object]:
    design, bracket = one.design, one.estimates.bracket
    return {
        "outcome": one.plan.outcome,
        "estimand": str(design.estimand),
        "n": {
            "treated": int(one.plan.everyone.is_treated.sum()),
            "treated_matched": design.n_treated,
            "comparison_matched": design.n_comparison,
            "effective_comparison": given(design.effective_comparison),
            "treated_without_outcome": one.n_lost[0],
            "comparison_without_outcome": one.n_lost[1],
        },
        "total_distance": given(design.total_distance),
        "bracket": given(bracket),
        "bounds": given(one.violations.bounds),
        "pre_trends": given(one.violations.pre_trends),
        "pairs": pairs_of(design),
        "weights": {unit: weight for unit, weight in weights_of(design).items() if weight > 0},
    }


# What can be said against an analysis from the project file alone.


def _complaints(project: Project, analysis: Analysis) -> Iterator[Complaint]:
    options: MatchedOptions | None = analysis.options
    if options is None:
        return
    at = project.analyses.index(analysis)
    for key, text in _faults(project, options):
        yield Complaint(("analyses", at, key), text)


def _faults(project: Project, options: MatchedOptions) -> Iterator[tuple[str, str]]:
    used = USES[options.method]
    for name in (one.name for one in fields(options) if one.name in OF_METHODS):
        if getattr(options, name) not in (None, ()) and name not in used:
            others = [method for method in USES if name in USES[method]]
            yield name, f"the method '{options.method}' has no use for it; it belongs to {listed(others)}. Leave it out"
    yield from _exclusions(options)
    yield from _outside(options)
    start = first_summer(project.programme.start)
    for name in options.covariates:
        year = name.rpartition("_")[2]
        if year.isdigit() and len(year) == 4 and int(year) >= start and "." not in name:
            yield (
                "covariates",
                f"'{name}' is of a year after the programme began; schools are matched on what was before",
            )
    if options.estimate == "change" and "pre_outcomes" not in options.covariates and not project.exposure.pre:
        yield "estimate", "a change needs a year before the programme, and the project names none. Use difference"
    if options.estimand != "ATT":
        yield from _not_for(options)


def _exclusions(options: MatchedOptions) -> Iterator[tuple[str, str]]:
    if options.mahalanobis_on is not None and options.caliper is None:
        yield "mahalanobis_on", "it is a distance inside a score caliper. Give `caliper` as well"
    if options.method in ("subclass", "ipw") and options.distance in ("mahalanobis", "robust-mahalanobis", "euclidean"):
        yield "distance", f"the method '{options.method}' needs a score: logit, linear-logit or probit"
    if options.method == "ipw" and options.distance == "linear-logit":
        yield "distance", "the method 'ipw' needs a probability: logit or probit"
    if options.reuse is not None and options.replace:
        yield "reuse", "`replace` lets partners serve any number of times and `reuse` limits it. Give one of them"
    if options.method == "nearest":
        for name in ("fewest", "most"):
            value = getattr(options, name)
            if value is not None and value != int(value):
                yield name, f"a whole number for nearest neighbours, not {value:g}"


def _outside(options: MatchedOptions) -> Iterator[tuple[str, str]]:
    for name, least in (("ratio", 1), ("reuse", 1), ("subclasses", 2)):
        value = getattr(options, name)
        if value is not None and value < least:
            yield name, f"a whole number from {least} on, not {value}"
    for name in ("caliper", "tolerance", "fewest", "most"):
        value = getattr(options, name)
        if value is not None and not 0 < value < float("inf"):
            yield name, f"a positive number, not {value:g}"
    if options.trim is not None and not 0 < options.trim < 0.5:
        yield "trim", f"it lies between 0 and 0.5, not at {options.trim:g}"


_NO_ATE: Final = {"nearest": ("ATE",), "optimal": ("ATE",)}


def _not_for(options: MatchedOptions) -> Iterator[tuple[str, str]]:
    if options.estimand in _NO_ATE.get(options.method, ()):
        yield "estimand", f"the method '{options.method}' gives the ATT or the ATC. Use full, subclass or a weighting"


def _power(request: PowerRequest) -> Iterator[AnalysisPower]:
    stage = details_of(request.plan, MatchedStage)
    return matched_power(stage.plan, request.plan.analysis.name, _intake(request), request.options)


def _placed(request: PlacedRequest) -> PlacedStatistic | Unavailable:
    stage = details_of(request.plan, MatchedStage)
    return placed_matched(stage.plan, request.outcome, _intake(request))


def _varied(request: VariedRequest) -> Iterator[PlacedStatistic | Unavailable]:
    """Yield the statistic of each specification.

    Those that differ in the estimate alone share one matching of every set; those that differ in how the same schools
    are matched share what is known of them and the scores. Groups of such go through the executor.
    """
    groups: dict[str, dict[str, Variation]] = {}
    which: list[tuple[str, str] | Unavailable] = []
    for one in request.variations:
        told = next(iter(_complaints(one.project, one.analysis)), None)
        if told is not None:
            which.append(Unavailable(f"These choices do not go together: {told.text}."))
            continue
        alike, bare = repr(_without(one, (*HOW, "estimate"))), _without(one, ("estimate",))
        how = repr(bare.analysis.options)
        groups.setdefault(alike, {}).setdefault(how, bare)
        which.append((alike, how))
    chunks = [[*group.values()] for group in groups.values()]
    made = (request.executor or SERIAL).map(partial(_placed_group, request.outcome, request.intake), chunks)
    placed = {
        alike: dict(zip(group, found, strict=True)) for (alike, group), found in zip(groups.items(), made, strict=True)
    }
    for one, at in zip(request.variations, which, strict=True):
        found = at if isinstance(at, Unavailable) else placed[at[0]][at[1]]
        asked: AfterName | None = None if one.analysis.options is None else one.analysis.options.estimate
        if isinstance(found, PlacedStatistic) and asked is not None:
            found = replace(found, column=found.column // len(COLUMN) * len(COLUMN) + COLUMN[asked])
        yield found


def _placed_group(outcome: str, intake: ProjectData, group: Sequence[Variation]) -> list[PlacedStatistic | Unavailable]:
    """Return the statistics of specifications that differ in how the same schools are matched."""
    base: MatchedPlan | None = None
    made: list[PlacedStatistic | Unavailable] = []
    for one in group:
        try:
            if base is None:
                plan = details_of(plan_of(one.project, one.analysis, intake), MatchedStage).plan
            else:
                plan = matched_otherwise(base, one.analysis.options or MatchedOptions())
            made.append(placed_matched(plan, outcome, add_contrasts(plan.project, intake)))
        except DesignError as problem:
            made.append(Unavailable(str(problem)))
            continue
        if base is None and all(found.design is not None for found in plan.outcomes):
            base = plan
    return _as_one(made)


def _as_one(made: Sequence[PlacedStatistic | Unavailable]) -> list[PlacedStatistic | Unavailable]:
    """Return statistics of the same schools as columns of one."""
    placed = [one for one in made if isinstance(one, PlacedStatistic)]
    own = [one.statistic for one in placed if isinstance(one.statistic, MatchedStatistic)]
    if not own:
        return [*made]
    joint = MatchedStatistics(common=own[0], reruns=tuple(one.rerun for one in own))
    at = {id(one): k for k, one in enumerate(placed)}
    return [
        one
        if isinstance(one, Unavailable)
        else replace(one, pool=placed[0].pool, statistic=joint, column=at[id(one)] * len(COLUMN) + one.column)
        for one in made
    ]


def _without(one: Variation, names: Sequence[str]) -> Variation:
    """Return a specification as one that says nothing of some options, by which those alike but for them are known."""
    usual = MatchedOptions()
    options = replace(one.analysis.options or usual, **{name: getattr(usual, name) for name in names})
    analysis = replace(one.analysis, options=options)
    return Variation(project=replace(one.project, analyses=(analysis,)), analysis=analysis, axes={}, options=())


MATCHED: Final = Kind(
    name="matched",
    label="schools matched with schools like them",
    options=MatchedOptions,
    plan=_plan,
    estimate=_estimate,
    placed=_placed,
    varied=_varied,
    power=_power,
    missing=_missing,
    complaints=_complaints,
    shown_by="evalkit.report.kinds.matched",
)
