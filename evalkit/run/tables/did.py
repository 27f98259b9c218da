"""From what `evalkit did` is asked and its table to an answer, and from the answer to all that is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.draws import Executor
from evalkit.core.errors import DesignError, InputError
from evalkit.core.formats import as_sentence
from evalkit.core.quantities import Unavailable
from evalkit.core.questions import DidQuestion
from evalkit.core.words import counted, listed
from evalkit.data.flow import LeftOut
from evalkit.data.own_tables.long_table import LongTable, read_long_table
from evalkit.data.panel import CrossSections, Panel
from evalkit.data.published.codes import coded_notes
from evalkit.data.roles import Roles
from evalkit.design.clusters import independence_by
from evalkit.design.panel.staggered import (
    BasePeriod,
    ComparisonGroup,
    StaggeredDesign,
    StaggeredOptions,
    Unbalanced,
    staggered_design,
    with_universal_base,
    without_idle,
)
from evalkit.estimate.bounds.of_effects import event_study_bounds
from evalkit.estimate.bounds.violation_bounds import ViolationBounds
from evalkit.estimate.cluster_model import cluster_counts
from evalkit.estimate.staggered.bands import Uncertainty
from evalkit.estimate.staggered.cells import GroupTimeEffects
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.group_time_arrays import Method
from evalkit.estimate.staggered.overall_inference import overall_inference, recommendation
from evalkit.estimate.staggered.results import StaggeredResults, staggered_results
from evalkit.estimate.two_way.recommended import InferenceOptions
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Document, Figure, Heading, Part, Prose, sentences
from evalkit.report.border.table import Column
from evalkit.report.tables import staggered, two_way
from evalkit.report.tables.data import plain, without_note
from evalkit.report.words import did as words
from evalkit.report.words.bounds import bounds_parts
from evalkit.report.words.did import DidAnswer, TwoWayAnswer, told_answer
from evalkit.run.console import Progress
from evalkit.run.processes.executors import executor_at
from evalkit.run.tables.written import CommandAnswer, TableRequest

if TYPE_CHECKING:
    from evalkit.estimate.two_way.bacon import BaconDecomposition
    from evalkit.estimate.two_way.two_way import TwoWayEventStudy


def did_answer(request: TableRequest[DidQuestion], progress: Progress) -> DidAnswer:
    """Read the table and estimate what was asked; raise `InputError` where that cannot be done."""
    question = request.question
    roles = Roles(**cast(dict[str, str], question.parts), covariates=question.covariates)
    with progress.step(f"reading {question.file.name}"):
        table = read_long_table(question.file, roles)
        kind = CrossSections if question.is_cross_section else Panel
        observations = kind.from_frame(table.frame, roles)
    with executor_at(request.where) as executor:
        estimate = _two_way_answer if question.estimator == "twfe" else _staggered_answer
        try:
            answer = estimate(question, observations, table.left_out, progress, executor)
        except DesignError as problem:
            raise DesignError(_lost_group(table, question.are_people) or str(problem)) from None
    return replace(answer, reading=_reading(table, question.are_people))


def did_told(answer: DidAnswer) -> CommandAnswer:
    """Return everything that may be told of an answer, as a document, as CSV and as plain data."""
    told = told_answer(answer)
    return CommandAnswer(
        document=partial(_document, told),
        csv=lambda: _main_table(told).to_csv(),
        record=partial(_record, told),
        fewest=answer.question.fewest,
    )


def _record(answer: DidAnswer) -> dict[str, Any]:
    from evalkit.run.tables.did_json import did_record

    return did_record(answer)


def _document(answer: DidAnswer, has_figures: bool) -> Document:
    section = (
        Heading(1, "Who is compared with whom"),
        words.who_is_compared(answer),
        Heading(1, "Left out"),
        words.left_out(answer),
        *_effects_told(answer, has_figures),
        Heading(1, "Standard errors"),
        words.standard_errors(answer),
    )
    parts = (*section, *_notes(answer, section))
    return Document(title=words.title(answer), face=words.face(answer), sections=(parts,))


def _effects_told(answer: DidAnswer, has_figures: bool) -> Iterator[Part]:
    """Yield the effects, drawn and as tables; what errors take as independent is said once, with the errors."""
    yield Heading(1, "The effects")
    if has_figures:
        yield from _figure(answer)
    for part in _effect_tables(answer, has_figures):
        yield without_note(part, answer.assumes) if isinstance(part, ReleasedTable) else part


def _effect_tables(answer: DidAnswer, has_figures: bool) -> Iterator[Part]:
    """Yield the effects by time, cohort and period, or those of the two-way regression."""
    found = answer.results
    if isinstance(found, TwoWayAnswer):
        yield two_way.two_way_effect(found.effect)
        yield from _or_reason("The two-way event study", found.event_study, partial(_event_table, answer))
        yield from _or_reason("What the one number is an average of", found.bacon, two_way.bacon)
    else:
        yield staggered.by_event_time(found)
        yield staggered.by_cohort(found)
        yield staggered.by_period(found)
        yield staggered.by_cohort_and_period(found)
        if answer.checks:
            yield staggered.estimators(answer.checks)
        yield Heading(1, "Before the start")
        yield staggered.before_the_start(found)
    if answer.bounds is not None:
        yield Heading(1, "If trends are not parallel")
        yield from bounds_parts(answer.bounds, _drawn_bounds(answer) if has_figures else None)


def _or_reason(heading: str, found: Any, table: Callable[[Any], ReleasedTable]) -> Iterator[Part]:
    """Yield the table of what was found, or why there is none under a heading."""
    if isinstance(found, Unavailable):
        yield Heading(2, heading)
        yield sentences(as_sentence(found.reason))
    else:
        yield table(found)


def _event_table(answer: DidAnswer, study: TwoWayEventStudy) -> ReleasedTable:
    return two_way.two_way_event_study(study, answer.question.level)


def _figure(answer: DidAnswer) -> Iterator[Part]:
    """Yield the event study drawn, nothing where there is none."""
    from evalkit.report.figures.staggered import staggered_plot, two_way_plot

    found, outcome = answer.results, str(answer.question.parts["outcome"])
    if isinstance(found, StaggeredResults):
        yield staggered_plot(found, outcome)
    elif not isinstance(found.event_study, Unavailable):
        yield two_way_plot(found.event_study, outcome, answer.question.level)


def _drawn_bounds(answer: DidAnswer) -> Callable[[ViolationBounds], Figure]:
    from evalkit.report.figures.bounds import bounds_plot

    return partial(bounds_plot, outcome=str(answer.question.parts["outcome"]))


def _notes(answer: DidAnswer, section: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return what a reader must know that no table before it says already."""
    said = {note for part in section if isinstance(part, ReleasedTable) for note in part.table.notes}
    notes = tuple(as_sentence(note) for note in words.notes(answer) if not {note, as_sentence(note)} & said)
    return (Heading(1, "Notes"), Prose(notes, "list")) if notes else ()


def _main_table(answer: DidAnswer) -> ReleasedTable:
    """Return the effect by time since the start; one row says why where there is none."""
    found = answer.results
    if isinstance(found, StaggeredResults):
        return staggered.by_event_time(found)
    study = found.event_study
    if isinstance(study, Unavailable):
        columns = (Column("time", "Periods since the start"), Column("effect", "Effect"))
        return plain("The two-way event study", columns, [("None", study)])
    return _event_table(answer, study)


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
    question: DidQuestion,
    observations: Panel | CrossSections,
    left_out: tuple[LeftOut, ...],
    progress: Progress,
    executor: Executor,
) -> DidAnswer:
    with progress.step(f"estimating ({question.estimator})"):
        design = staggered_design(observations, _options(question))
        _require_balance(question, design)
        effects = _effects(question, design)
        uncertainty = Uncertainty(level=question.level, n_draws=question.n_draws, seed=question.seed, executor=executor)
        results = _results(question, design, effects, uncertainty)
        if question.estimator == "imputation":
            from evalkit.estimate.staggered.imputation_leads import with_leads

            results = with_leads(results, effects.design)
    checks = None
    if question.estimator == "all":
        from evalkit.diagnose.cross_checks import cross_checks

        with progress.step("estimating with every other estimator"):
            checks = cross_checks(effects, uncertainty)
    advice = recommendation(effects)
    clustered_by = _clustered_by(question, observations)
    return DidAnswer(
        question=question,
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
        inference=overall_inference(effects, advice, InferenceOptions(level=question.level, seed=question.seed)),
        assumes=independence_by(observations.clustered_by),
        names_units=_are_units(observations) and not question.are_units_people,
        bounds=_bounds(question, design) if question.has_bounds else None,
    )


def _bounds(question: DidQuestion, design: StaggeredDesign) -> ViolationBounds | Unavailable:
    """Return the mean effect under violations of parallel trends; effects are made anew where their base varies."""
    effects = _effects(question, with_universal_base(design))
    return event_study_bounds(effects, level=question.level, seed=question.seed)


def _results(
    question: DidQuestion, design: StaggeredDesign, effects: GroupTimeEffects, uncertainty: Uncertainty
) -> StaggeredResults:
    if not question.are_clusters_drawn:
        return staggered_results(effects, uncertainty, question.balanced_until)
    from evalkit.estimate.cluster_bootstrap import cluster_bootstrap

    return cluster_bootstrap(design, partial(_effects, question), uncertainty)


def _options(question: DidQuestion) -> StaggeredOptions:
    """Return the design's options; estimators that compare with everyone untreated need no never-treated units."""
    has_choice = question.estimator in ("group-time", "extended", "all")
    return StaggeredOptions(
        comparison=cast(ComparisonGroup, question.comparison if has_choice else "not-yet"),
        anticipation=question.anticipation,
        base_period=cast(BasePeriod, question.base_period),
        unbalanced=cast(Unbalanced, question.unbalanced),
    )


def _require_balance(question: DidQuestion, design: StaggeredDesign) -> None:
    """Raise `InputError` where no cohort is seen for as long as the event study was asked to be."""
    until, last = question.balanced_until, design.observations.periods[-1]
    if until is not None and last - design.cohorts[0] < until:
        raise InputError(
            f"--balanced-until {until}: no cohort is seen for {until} periods after its start; the first, "
            f"{design.cohorts[0]}, is seen until {last}. Give at most {max(last - design.cohorts[0], 0)}."
        )


def _effects(question: DidQuestion, design: StaggeredDesign) -> GroupTimeEffects:
    effects = _effects_by(question, design)
    if not question.are_units_people:
        return effects
    cells = (replace(cell, fewest_people=min(cell.n_treated, cell.n_comparison)) for cell in effects.cells)
    return replace(effects, cells=tuple(cells))


def _effects_by(question: DidQuestion, design: StaggeredDesign) -> GroupTimeEffects:
    if question.estimator in ("group-time", "all"):
        return group_time_effects(design, cast(Method, question.method))
    from evalkit.diagnose.cross_checks import effects_by

    return effects_by(question.estimator, design)


def _clustered_by(question: DidQuestion, observations: Panel | CrossSections) -> str:
    names = {"cluster": question.parts["cluster"], "unit": question.parts["unit"], "row": "row"}
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
    question: DidQuestion,
    panel: Panel | CrossSections,
    left_out: tuple[LeftOut, ...],
    progress: Progress,
    executor: Executor,
) -> DidAnswer:
    from evalkit.estimate.two_way.two_way import two_way_effect

    assert isinstance(panel, Panel)

    with progress.step("estimating (twfe)"):
        panel, dropped = without_idle(panel)
        options = InferenceOptions(level=question.level, seed=question.seed, executor=executor)
        effect = two_way_effect(panel, options)
        results = TwoWayAnswer(effect=effect, bacon=_bacon(panel), event_study=_event_study(panel))
    cohort = panel.by_unit()["cohort"].to_numpy()
    return DidAnswer(
        question=question,
        results=results,
        checks=None,
        left_out=left_out,
        dropped=dropped,
        periods=panel.periods,
        cohorts=tuple(int(start) for start in np.unique(cohort[cohort <= panel.periods[-1]])),
        n_rows=len(panel.frame),
        clustered_by=_clustered_by(question, panel),
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
