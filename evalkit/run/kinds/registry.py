"""What each kind of analysis says of itself, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evalkit.core.errors import EvalkitError
from evalkit.core.plain import plain_or_reason
from evalkit.run.kinds.names import KINDS

if TYPE_CHECKING:
    from evalkit.core.draws import Executor
    from evalkit.core.project import Analysis, Claim, Project
    from evalkit.core.quantities import Unavailable
    from evalkit.data.published.performance import PublishedLimits
    from evalkit.data.published.project_data import ProjectData
    from evalkit.design.analysis_plan import AnalysisPlan, ProjectDesign
    from evalkit.diagnose.appraisal.judgement import Against
    from evalkit.diagnose.evaluation import AnalysisResults, Evaluation
    from evalkit.diagnose.missing.sample import MissingSample
    from evalkit.diagnose.power.report import AnalysisPower, PowerOptions
    from evalkit.estimate.areas.together import PlacedStatistic
    from evalkit.run.kinds.subgroups import Rows
    from evalkit.run.project.plain_yaml import Complaint


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanRequest:
    """What a kind makes its plan of: `intake` holds no result of a year after the programme began."""

    project: Project
    analysis: Analysis
    intake: ProjectData


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EstimateRequest:
    """What a kind makes its results of: its plan, and every year that the project names.

    With `is_brief` no more is needed than the effect by which each outcome is quoted: a kind may leave out the rest.
    """

    plan: AnalysisPlan
    intake: ProjectData
    claims: tuple[Claim, ...] = ()
    executor: Executor | None = None
    is_brief: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PowerRequest:
    """What a kind says its power of: its plan, and the years before the programme alone.

    `limits` are published confidence limits of the last year before, by measure, where at hand.
    """

    plan: AnalysisPlan
    intake: ProjectData
    options: PowerOptions
    limits: Mapping[str, PublishedLimits]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedRequest:
    """What a kind says its statistic of one outcome of: its plan, and every year that the project names."""

    plan: AnalysisPlan
    outcome: str
    intake: ProjectData


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """One specification of a curve: the project and its one analysis that make its choices.

    `options` has the option taken of every declared choice, −1 where the choice is not one of this analysis; `axes`
    what is chosen of a kind's `axes`, which no key of a project file has. `is_locked` marks the choices of the file.
    """

    project: Project
    analysis: Analysis
    axes: Mapping[str, str]
    options: tuple[int, ...]
    is_locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VariedRequest:
    """What a kind says its statistic of one outcome of, under many choices: every year; its plans see those before."""

    variations: Sequence[Variation]
    outcome: str
    intake: ProjectData
    executor: Executor | None = None


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
    takes_areas : whether an outcome may be a measure that is published of authorities and of no school
    describes : whether it describes and gives no effect: it takes no outcomes, its results have no effects, and what
        is asked of effects (missing results, subgroups, families, curves, power) is not asked of it
    uses_exposure : whether the years before and after are those of `exposure`, so that it must be there
    rows : what its estimates are made of, and its effects count; a column of pupils parts these of `pupils` alone
    shown_by : the module of `evalkit.report` with the parts of documents that show it
    notebook : its notebook, where that is not notebooks/2_<name>.ipynb
    placed : the statistic of an outcome for the treated and for every area or set without a programme, so that others
        can be set beside it: what subgroups and families are judged by (None: they get no p-value, and the reason)
    against : whom its treated are compared with, by which published scales judge it: others without the programme,
        or participants that had less of it
    missing : what it gives of each outcome so that missing results can be looked at, after `estimate`; None where it
        cannot, and `no_missing` then says why
    axes : choices that a specification curve may vary and no key of a project file has, by name; of each the options,
        first the one that the kind takes by itself
    varied : as `placed`, of many specifications at once, where a kind need not make each plan anew; the others' are
    power : what `evalkit power` answers for it, from years before alone (None: it says that there is no answer)
    """

    name: str
    label: str
    options: type
    plan: Callable[[PlanRequest], AnalysisPlan]
    estimate: Callable[[EstimateRequest], AnalysisResults]
    complaints: Callable[[Project, Analysis], Iterable[Complaint]] = _none_of
    inherits: tuple[str, ...] = ()
    takes_areas: bool = False
    describes: bool = False
    uses_exposure: bool = True
    rows: Rows = "schools"
    shown_by: str = ""
    placed: Callable[[PlacedRequest], PlacedStatistic | Unavailable] | None = None
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    varied: Callable[[VariedRequest], Iterator[PlacedStatistic | Unavailable]] | None = None
    power: Callable[[PowerRequest], Iterable[AnalysisPower]] | None = None
    against: Against = "untreated"
    missing: Callable[[EstimateRequest], Iterable[MissingSample]] | None = None
    no_missing: str = "This kind of analysis does not say what missing results could do to it."
    notebook: Path | None = None


RESERVED: Final[tuple[tuple[str, ...], ...]] = (
    ("analyses", "plan"),
    ("analyses", "choices"),
)
"""Keys that later versions will read, by their place in a project file; until then they are refused."""


NO_EFFECT: Final = "This kind of analysis describes and gives no effect, so that {} has no meaning for it."
"""Why something that is asked of effects is not given by a kind that describes."""


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
    plan = _planned(project, analysis, intake)
    if not project.by_of(analysis):
        return plan
    from evalkit.run.kinds.subgroups import with_subgroups

    return with_subgroups(plan, project, intake, _planned, kind_of(analysis.kind).rows)


def _planned(project: Project, analysis: Analysis, intake: ProjectData) -> AnalysisPlan:
    kind = kind_of(analysis.kind)
    plan = kind.plan(PlanRequest(project=project, analysis=analysis, intake=intake))
    return (
        plan
        if kind.missing is None
        else replace(plan, record={**plan.record, "missing": plain_or_reason(project.missing)})
    )


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
    from evalkit.core.draws import SERIAL
    from evalkit.diagnose.evaluation import Evaluation
    from evalkit.run.kinds.families import with_families

    results = tuple(
        _with_subgroups(
            _estimated(EstimateRequest(plan=plan, intake=intake, claims=claims, executor=executor)),
            intake,
            executor,
        )
        for plan in design.plans
    )
    whole = judged_on_scales(Evaluation(project=design.project, design=design, analyses=results))
    judged = with_families(whole, intake, placed_of, executor or SERIAL)
    if design.project.choices is None:
        return judged
    from evalkit.run.kinds.curve import curve_of

    return replace(judged, curve=curve_of(design.project, intake, executor or SERIAL))


def judged_on_scales(evaluation: Evaluation) -> Evaluation:
    """Return an evaluation with each analysis judged on published scales, by what its kind rests on and the lock."""
    from evalkit.diagnose.appraisal.appraise import Basis, appraised

    kinds = {one.analysis.kind: kind_of(one.analysis.kind) for one in evaluation.analyses}
    return appraised(evaluation, {name: Basis(kind.against) for name, kind in kinds.items()})


def _with_subgroups(results: AnalysisResults, intake: ProjectData, executor: Executor | None) -> AnalysisResults:
    """Return results with the same analysis for subgroups, and for each year after the programme's end."""
    from evalkit.core.draws import SERIAL
    from evalkit.run.kinds.lasting import EVERY_YEAR, lasting_results
    from evalkit.run.kinds.subgroups import subgroup_results

    kind = kind_of(results.analysis.kind)
    if kind.describes:
        return results

    def estimated(plan: AnalysisPlan, held: ProjectData) -> AnalysisResults:
        return kind.estimate(EstimateRequest(plan=plan, intake=held, executor=executor, is_brief=True))

    verbs, own = (estimated, placed_of), executor or SERIAL
    lasting = lasting_results(results, intake, plan_of, verbs, own) if kind.uses_exposure else EVERY_YEAR
    found = subgroup_results(results.plan, intake, estimated, placed_of, own, kind.rows)
    return replace(results, subgroups=tuple(found), lasting=lasting)


def placed_of(plan: AnalysisPlan, outcome: str, intake: ProjectData) -> PlacedStatistic | Unavailable:
    """Return the statistic by which an analysis places an outcome, to be set beside others; or why it has none."""
    from evalkit.core.quantities import Unavailable

    kind = kind_of(plan.analysis.kind)
    if kind.describes:
        return Unavailable(NO_EFFECT.format("a place among areas or sets"))
    if kind.placed is None:
        return Unavailable(
            f"The kind `{kind.name}` does not place its estimate among areas or sets, so nothing is placed with it."
        )
    return kind.placed(PlacedRequest(plan=plan, outcome=outcome, intake=intake))


def _estimated(request: EstimateRequest) -> AnalysisResults:
    """Return the results of one analysis, with what missing results could do to it."""
    from evalkit.core.quantities import Unavailable
    from evalkit.diagnose.missing.results import missing_results, with_findings

    kind = kind_of(request.plan.analysis.kind)
    found = kind.estimate(request)
    if kind.describes:
        if found.effects:
            raise EvalkitError(
                f"The kind `{kind.name}` says that it describes and gives effects: a kind with `describes=True` gives "
                "`effects=()`. Leave them out, or leave out `describes`."
            )
        return replace(found, missing=Unavailable(NO_EFFECT.format("what missing results could do to an effect")))
    if kind.missing is None:
        return replace(found, missing=Unavailable(kind.no_missing))
    missing = missing_results(request.plan.project, kind.missing(request), found.effects)
    return replace(found, missing=missing, findings=with_findings(found.findings, missing))
