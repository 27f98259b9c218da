"""From a request and its table to everything that is told: results, counts, what was left out, which inference fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.draws import Executor
from evalkit.core.errors import DesignError, InputError
from evalkit.core.quantities import Unavailable
from evalkit.core.words import counted, listed
from evalkit.data.flow import LeftOut
from evalkit.data.own_tables.long_table import LongTable, read_long_table
from evalkit.data.panel import CrossSections, Panel
from evalkit.data.published.codes import coded_notes
from evalkit.data.roles import Roles
from evalkit.design.clusters import ClusterCounts, Recommendation, independence_by
from evalkit.design.panel.staggered import (
    BasePeriod,
    ComparisonGroup,
    StaggeredDesign,
    StaggeredOptions,
    Unbalanced,
    staggered_design,
    without_idle,
)
from evalkit.estimate.cluster_model import cluster_counts
from evalkit.estimate.effect import Inference
from evalkit.estimate.staggered.bands import Uncertainty
from evalkit.estimate.staggered.cells import GroupTimeEffects
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.group_time_arrays import Method
from evalkit.estimate.staggered.overall_inference import overall_inference, recommendation
from evalkit.estimate.staggered.results import StaggeredResults, staggered_results
from evalkit.estimate.two_way.recommended import InferenceOptions
from evalkit.run.console import Progress
from evalkit.run.processes.executors import executor_at
from evalkit.run.tables.did_options import DidRequest

if TYPE_CHECKING:
    from evalkit.diagnose.cross_checks import CrossChecks
    from evalkit.estimate.two_way.bacon import BaconDecomposition
    from evalkit.estimate.two_way.two_way import TwoWayEffect, TwoWayEventStudy


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoWayAnswer:
    """The classic two-way effect, what it is an average of, and its event study."""

    effect: TwoWayEffect
    bacon: BaconDecomposition | Unavailable
    event_study: TwoWayEventStudy | Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class DidAnswer:
    """Everything one run of `evalkit did` tells.

    Attributes
    ----------
    results : StaggeredResults, or TwoWayAnswer for `--estimator twfe`
    left_out : rows of the table without an outcome, covariate or weight
    dropped : units left out by the design, with the reason
    inference : the recommended inference on the overall effect, carried out
    clustered_by : what errors are clustered by, in a word
    assumes : what the errors take as independent
    names_units : whether ids are those of units or groups, and may be listed
    reading : how periods were numbered, and which codes stood in the place of numbers
    """

    request: DidRequest
    results: StaggeredResults | TwoWayAnswer
    checks: CrossChecks | None
    left_out: tuple[LeftOut, ...]
    dropped: tuple[LeftOut, ...]
    periods: tuple[int, ...]
    cohorts: tuple[int, ...]
    n_rows: int
    clustered_by: str
    clusters: ClusterCounts
    recommendation: Recommendation
    inference: Inference
    assumes: str
    names_units: bool
    reading: tuple[str, ...] = ()


def did_answer(request: DidRequest, progress: Progress) -> DidAnswer:
    """Read the table and estimate what was asked; raise `InputError` where that cannot be done."""
    roles = Roles(**cast(dict[str, str], request.parts), covariates=request.covariates)
    with progress.step(f"reading {request.file.name}"):
        table = read_long_table(request.file, roles)
        kind = CrossSections if request.is_cross_section else Panel
        observations = kind.from_frame(table.frame, roles)
    with executor_at(request.where) as executor:
        estimate = _two_way_answer if request.estimator == "twfe" else _staggered_answer
        try:
            answer = estimate(request, observations, table.left_out, progress, executor)
        except DesignError as problem:
            raise DesignError(_lost_group(table, request.are_people) or str(problem)) from None
    return replace(answer, reading=_reading(table, request.are_people))


def _lost_group(table: LongTable, are_people: bool) -> str:
    """Return what to say of a design that fails as all units of a group were left out, an empty text where none was."""
    lost = next(iter(table.lost_groups), None)
    if lost is None:
        return ""
    is_few = are_people and lost.n_rows < FEWEST_PEOPLE
    n = "" if is_few else f"{lost.n_units:,} "
    rows = "" if is_few else f" ({counted(lost.n_rows, 'row')})"
    remedy = {"covariate": "Fill it in, or leave the covariate out", "weight": "Fill it in, or leave the weights out"}
    words = lost.reasons[0].reason.split()
    fill = "Give them a weight above zero" if "zero" in words else remedy.get(words[1], "Fill it in")
    return (
        f"All {n}{lost.group} units{rows} were left out, as {listed([one.reason for one in lost.reasons])} there; so "
        f"no {'comparison group' if lost.group == 'never-treated' else 'treated unit'} is left. {fill}."
    )


def _reading(table: LongTable, are_people: bool) -> tuple[str, ...]:
    """Return what a reader must know of how the file was read; small counts of people are not told."""
    return (*table.notes, *coded_notes(table.codes, FEWEST_PEOPLE if are_people else 0))


def _staggered_answer(
    request: DidRequest,
    observations: Panel | CrossSections,
    left_out: tuple[LeftOut, ...],
    progress: Progress,
    executor: Executor,
) -> DidAnswer:
    with progress.step(f"estimating ({request.estimator})"):
        design = staggered_design(observations, _options(request))
        _require_balance(request, design)
        effects = _effects(request, design)
        uncertainty = Uncertainty(level=request.level, n_draws=request.n_draws, seed=request.seed, executor=executor)
        results = _results(request, design, effects, uncertainty)
        if request.estimator == "imputation":
            from evalkit.estimate.staggered.imputation_leads import with_leads

            results = with_leads(results, effects.design)
    checks = None
    if request.estimator == "all":
        from evalkit.diagnose.cross_checks import cross_checks

        with progress.step("estimating with every other estimator"):
            checks = cross_checks(effects, uncertainty)
    advice = recommendation(effects)
    clustered_by = _clustered_by(request, observations)
    return DidAnswer(
        request=request,
        results=results,
        checks=checks,
        left_out=left_out,
        dropped=results.dropped,
        periods=design.observations.periods,
        cohorts=effects.design.cohorts,
        n_rows=len(effects.design.observations.frame),
        clustered_by=clustered_by,
        clusters=cluster_counts(effects.design),
        recommendation=advice,
        inference=overall_inference(effects, advice, InferenceOptions(level=request.level, seed=request.seed)),
        assumes=independence_by(observations.clustered_by),
        names_units=_are_units(observations) and not request.are_units_people,
    )


def _results(
    request: DidRequest, design: StaggeredDesign, effects: GroupTimeEffects, uncertainty: Uncertainty
) -> StaggeredResults:
    if not request.are_clusters_drawn:
        return staggered_results(effects, uncertainty, request.balanced_until)
    from evalkit.estimate.cluster_bootstrap import cluster_bootstrap

    return cluster_bootstrap(design, partial(_effects, request), uncertainty)


def _options(request: DidRequest) -> StaggeredOptions:
    """Return the design's options; estimators that compare with everyone untreated need no never-treated units."""
    has_choice = request.estimator in ("group-time", "extended", "all")
    return StaggeredOptions(
        comparison=cast(ComparisonGroup, request.comparison if has_choice else "not-yet"),
        anticipation=request.anticipation,
        base_period=cast(BasePeriod, request.base_period),
        unbalanced=cast(Unbalanced, request.unbalanced),
    )


def _require_balance(request: DidRequest, design: StaggeredDesign) -> None:
    """Raise `InputError` where no cohort is seen for as long as the event study was asked to be."""
    until, last = request.balanced_until, design.observations.periods[-1]
    if until is not None and last - design.cohorts[0] < until:
        raise InputError(
            f"--balanced-until {until}: no cohort is seen for {until} periods after its start; the first, "
            f"{design.cohorts[0]}, is seen until {last}. Give at most {max(last - design.cohorts[0], 0)}."
        )


def _effects(request: DidRequest, design: StaggeredDesign) -> GroupTimeEffects:
    effects = _effects_by(request, design)
    if not request.are_units_people:
        return effects
    cells = (replace(cell, fewest_people=min(cell.n_treated, cell.n_comparison)) for cell in effects.cells)
    return replace(effects, cells=tuple(cells))


def _effects_by(request: DidRequest, design: StaggeredDesign) -> GroupTimeEffects:
    if request.estimator in ("group-time", "all"):
        return group_time_effects(design, cast(Method, request.method))
    from evalkit.diagnose.cross_checks import effects_by

    return effects_by(request.estimator, design)


def _clustered_by(request: DidRequest, observations: Panel | CrossSections) -> str:
    names = {"cluster": request.parts["cluster"], "unit": request.parts["unit"], "row": "row"}
    if isinstance(observations, CrossSections):
        return str(names[observations.clustered_by])
    return str(names["cluster"] or names["unit"])


def _are_units(observations: Panel | CrossSections) -> bool:
    """Return whether ids are those of units or groups, not of single people."""
    if isinstance(observations, Panel) or observations.clustered_by == "unit":
        return True
    if observations.clustered_by == "row":
        return False
    return bool(observations.frame.duplicated(["unit", "period"]).any())


def _two_way_answer(
    request: DidRequest,
    panel: Panel | CrossSections,
    left_out: tuple[LeftOut, ...],
    progress: Progress,
    executor: Executor,
) -> DidAnswer:
    from evalkit.estimate.two_way.two_way import two_way_effect

    assert isinstance(panel, Panel)

    with progress.step("estimating (twfe)"):
        panel, dropped = without_idle(panel)
        options = InferenceOptions(level=request.level, seed=request.seed, executor=executor)
        effect = two_way_effect(panel, options)
        results = TwoWayAnswer(effect=effect, bacon=_bacon(panel), event_study=_event_study(panel))
    cohort = panel.by_unit()["cohort"].to_numpy()
    return DidAnswer(
        request=request,
        results=results,
        checks=None,
        left_out=left_out,
        dropped=dropped,
        periods=panel.periods,
        cohorts=tuple(int(start) for start in np.unique(cohort[cohort <= panel.periods[-1]])),
        n_rows=len(panel.frame),
        clustered_by=_clustered_by(request, panel),
        clusters=effect.clusters,
        recommendation=effect.recommendation,
        inference=effect.inference,
        assumes=independence_by(panel.clustered_by),
        names_units=True,
    )


def _bacon(panel: Panel) -> BaconDecomposition | Unavailable:
    from evalkit.estimate.two_way.bacon import bacon_decomposition

    try:
        return bacon_decomposition(panel)
    except InputError as problem:
        return Unavailable(str(problem))


def _event_study(panel: Panel) -> TwoWayEventStudy | Unavailable:
    from evalkit.estimate.two_way.two_way import two_way_event_study

    try:
        return two_way_event_study(panel)
    except InputError as problem:
        return Unavailable(str(problem))
