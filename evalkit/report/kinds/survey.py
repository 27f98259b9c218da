"""What documents show of a survey: who answered, what, how reliable its scales are, and what became otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import numpy as np

from evalkit.core.formats import level_text
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.words import counted, listed
from evalkit.data.own_tables.survey_answers import Scale
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.kinds.survey import SurveyPlan
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.survey import (
    ScaleResults,
    ScaleWave,
    SurveyFindings,
)
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Figure, Heading, Part, Parts, Prose, sentences
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.tables.matched import match_findings_table
from evalkit.report.words.survey import GROUPS, NO_CAUSE, survey_headline

PEOPLE: Final = "people"
_MOST_SCHOOLS: Final = 30
_NOT_ALL_TOLD: Final = Unavailable("Not given: with it answers of few people could be worked out.")


def survey_of(results: AnalysisResults) -> SurveyFindings:
    """Return what the kind's own pipeline found."""
    return details_of(results, SurveyFindings)


def plan_of(plan: AnalysisPlan) -> SurveyPlan:
    """Return the kind's own plan."""
    return details_of(plan, SurveyPlan)


def _fewest(plan: SurveyPlan) -> int:
    return plan.project.disclosure.threshold


def _released(found: SurveyFindings, table: Table) -> ReleasedTable:
    return release(table, _fewest(found.plan))


# What was asked: before any answer is read.


def design_parts(plan: AnalysisPlan) -> tuple[Part, ...]:
    """Return what was asked, when, and of which schools the change is to speak."""
    found = plan_of(plan)
    return (sentences(*_asked(found)), items_table(found))


def design_shown(plan: AnalysisPlan) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(design_parts(plan))


def _asked(plan: SurveyPlan) -> Iterator[str]:
    n_items = sum(len(scale.items) for scale in plan.scales)
    waves = listed([f"{label} ({year})" for label, year in zip(plan.labels, plan.waves, strict=True)])
    yield f"{counted(len(plan.scales), 'scale')} of {counted(n_items, 'item')} in all, asked in {waves}."
    if plan.has_two_waves:
        yield (
            "The same people were asked twice, and each is compared with himself."
            if plan.options.linked
            else "People of one school in the two waves are taken to be different ones; schools are compared with "
            "themselves."
        )
    yield (
        "A scale's score is the mean of the items answered, where at least half were; reversed items are turned round."
    )


def items_table(plan: SurveyPlan) -> ReleasedTable:
    """Return every item with its scale, whether it is reversed, and its points."""
    columns = (Column("scale", "Scale"), Column("item", "Item"), Column("reversed", "Reversed"))
    rows = tuple(
        (f"{scale.label}: {_points(scale)}", item.text, "yes" if item.reversed else "no")
        for scale in plan.scales
        for item in scale.items
    )
    return release(Table(caption="What was asked", columns=columns, rows=rows, panel_by="scale"), 0)


def _points(scale: Scale) -> str:
    return ", ".join(f"{number} {label}" for number, label in scale.points.items())


# The answer.


def answer(results: AnalysisResults) -> Prose:
    """Return what became otherwise, in a sentence or two that name no cause."""
    found = survey_of(results)
    return Prose(tuple(survey_headline(found)), "headline")


def answer_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the change of every scale, and the answers to every item as bars."""
    return tuple(_answer(survey_of(results)))


def answer_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(answer_parts(results))


def _answer(found: SurveyFindings) -> Iterator[Part]:
    yield sentences(*survey_headline(found))
    yield means_table(found)
    if found.plan.has_two_waves:
        yield change_table(found)
        yield beside_table(found)
    yield Heading(3, "What was answered, item by item?")
    for at in range(len(found.scales)):
        yield likert_figure(found, at)


def means_table(found: SurveyFindings) -> ReleasedTable:
    """Return the mean of every scale in each wave, with schools as clusters."""
    level = level_text(found.plan.project.inference.level)
    columns = (
        Column("scale", "Scale"),
        Column("wave", "Wave"),
        Column("n", "With a score", "pupil_count"),
        Column("mean", "Mean", "number", derived_from="n", decimals=2),
        Column("interval", f"{level} interval", "interval", derived_from="n", decimals=2),
        Column("sd", "SD", "number", derived_from="n", decimals=2),
        Column("deff", "Design effect", "number", decimals=2),
        Column("effective", "Worth so many independent answers", "number", derived_from="n", decimals=0),
        Column("lowest", "Lowest score there is", "pupil_count"),
        Column("highest", "Highest", "pupil_count"),
    )
    rows = tuple(
        (one.scale.label, found.label(wave.wave), *_mean_cells(wave)) for one in found.scales for wave in one.waves
    )
    notes = (
        "Every respondent counts one, the error is by schools; the design effect is its square beside that of as many "
        "independent answers.",
    )
    caption = "The scales in each wave, all respondents"
    return _released(found, Table(caption=caption, columns=columns, rows=rows, notes=notes, people=PEOPLE))


def _mean_cells(wave: ScaleWave) -> tuple[Cell, ...]:
    mean = wave.mean
    if isinstance(mean, Unavailable):
        return (wave.n, mean, mean, wave.sd, mean, mean, wave.n_lowest, wave.n_highest)
    return (
        wave.n, mean.mean, mean.interval, wave.sd, mean.design_effect, mean.n_effective, wave.n_lowest, wave.n_highest,
    )  # fmt: skip


def change_table(found: SurveyFindings) -> ReleasedTable:
    """Return the change of every scale by group of schools, and how far two groups lie apart."""
    level = level_text(found.plan.project.inference.level)
    columns = (
        Column("scale", "Scale"),
        Column("schools", "Schools"),
        Column("n_schools", "In both waves", "school_count"),
        Column("n_first", f"Respondents, {found.label(0)}", "pupil_count"),
        Column("n_second", f"Respondents, {found.label(1)}", "pupil_count"),
        Column("first", f"Mean, {found.label(0)}", "number", derived_from="n_first", decimals=2),
        Column("second", f"Mean, {found.label(1)}", "number", derived_from="n_second", decimals=2),
        Column("change", "Change", "estimate", derived_from="n_first", decimals=2),
        Column("interval", f"{level} interval", "interval", derived_from="n_second", decimals=2),
        Column("deff", "Design effect", "number", decimals=2),
    )
    rows = [row for one in found.scales for row in _change_rows(one)]
    return _released(
        found,
        Table(
            caption=f"Change from {found.label(0)} to {found.label(1)}, each school counting one",
            columns=columns,
            rows=tuple(rows),
            panel_by="scale",
            notes=tuple(_change_notes(found)),
            people=PEOPLE,
        ),
    )


def _change_rows(one: ScaleResults) -> Iterator[tuple[Cell, ...]]:
    for group, changed in one.changes.items():
        change = changed.change
        if isinstance(change, Unavailable):
            yield (one.scale.label, GROUPS[group], *(change,) * 8)
            continue
        yield (
            one.scale.label, GROUPS[group], change.n_schools, change.n_first, change.n_second, change.first,
            change.second, change.estimate, change.interval, change.design_effect,
        )  # fmt: skip
    if one.apart is not None:
        none = Unavailable("A difference of the two rows above.")
        yield (one.scale.label, "The first less the second", *(none,) * 5, one.apart.estimate, one.apart.interval, none)


def _change_notes(found: SurveyFindings) -> Iterator[str]:
    yield f"A change between waves. {NO_CAUSE}"
    if found.n_all is not None:
        yield (
            f"Intervals are about the {found.n_all} schools of the programme: where most of them were surveyed, little "
            "is left of how schools differ, and what is left is that other people might have answered."
        )
    else:
        yield "Intervals are about schools like these, of which there are many more."


def beside_table(found: SurveyFindings) -> ReleasedTable:
    """Return the change by respondents, schools in one wave only, and what these could do."""
    level = level_text(found.plan.project.inference.level)
    columns = (
        Column("scale", "Scale"),
        Column("by", "Change, each respondent counting one", "estimate", decimals=2),
        Column("interval", f"{level} interval", "interval", decimals=2),
        Column("first", f"Schools in {found.label(0)} alone", "school_count"),
        Column("apart_first", "Their mean less that of the rest", "estimate", decimals=2),
        Column("second", f"In {found.label(1)} alone", "school_count"),
        Column("apart_second", "Theirs less that of the rest", "estimate", decimals=2),
        Column("bounds", "Change of all, whatever these had answered", "interval", decimals=2),
    )
    rows = []
    for one in found.scales:
        changed = one.changes[found.main_group]
        change, only = changed.change, changed.only
        by: tuple[Cell, Cell] = (
            (change, change)
            if isinstance(change, Unavailable)
            else (change.by_respondents.value, change.by_respondents_interval)
        )
        cells = (only.first, only.apart_first, only.second, only.apart_second, only.bounds)
        rows.append((one.scale.label, *by, *cells))
    caption = f"Beside the change: {GROUPS[found.main_group].lower()}"
    return release(Table(caption=caption, columns=columns, rows=tuple(rows)), 0)


# Answers item by item.


def likert_figure(found: SurveyFindings, at: int) -> Figure:
    """Return the answers to the items of one scale in each wave as bars."""
    from evalkit.report.figures.likert import answers_table, likert_plot

    one = found.scales[at]
    caption = f"{one.scale.label}: answers to each item, as it was put"
    threshold = _fewest(found.plan)
    return likert_plot(
        answers_table(one, found.plan.labels, threshold)[0],
        f"answers_{one.scale.name}",
        caption,
        found.plan.project.data.kind,
    )


def statistics_table(found: SurveyFindings) -> ReleasedTable:
    """Return completeness, mean and spread of every item, and what it does to its scale."""
    columns = (
        Column("scale", "Scale"),
        Column("item", "Item"),
        Column("wave", "Wave"),
        Column("n", "Answered", "pupil_count"),
        Column("share", "Of respondents", "percentage", derived_from="n"),
        Column("mean", "Mean", "number", derived_from="n", decimals=2),
        Column("sd", "SD", "number", derived_from="n", decimals=2),
        Column("rest", "Correlation with the rest", "number", derived_from="n", decimals=2),
        Column("without", "Alpha without it", "number", derived_from="n", decimals=2),
    )
    rows = [row for at in range(len(found.scales)) for row in _statistics(found, at)]
    notes = ("Means, correlations and alpha are of items turned round where they are reversed.",)
    caption = "Items: completeness, and what each does to its scale"
    table = Table(caption=caption, columns=columns, rows=tuple(rows), panel_by="scale", notes=notes, people=PEOPLE)
    return _released(found, table)


def _statistics(found: SurveyFindings, at: int) -> Iterator[tuple[Cell, ...]]:
    from evalkit.report.figures.likert import answers_table

    one = found.scales[at]
    answers, by_point = answers_table(one, found.plan.labels, _fewest(found.plan))
    for place, item in enumerate(one.items):
        reliable = one.waves[item.wave].reliability
        column = one.scale.items.index(item.item)
        is_hidden = any(isinstance(cell, Unavailable) for cell in answers.table.rows[place])
        share: Cell = 100.0 * item.n / item.n_responded if item.n_responded else Unavailable("Nobody answered.")
        yield (
            one.scale.label,
            item.item.text,
            found.label(item.wave),
            item.n,
            share,
            _NOT_ALL_TOLD if is_hidden else item.mean,
            item.sd if by_point and not is_hidden else _NOT_ALL_TOLD,
            _known(reliable.item_rest[column], reliable.alpha),
            _known(reliable.alpha_without[column], reliable.alpha),
        )


def _known(value: float, alpha: Quantity) -> Cell:
    if np.isfinite(value):
        return float(value)
    return (
        alpha
        if isinstance(alpha, Unavailable)
        else Unavailable("Not for this item: it does not vary, or is one of two.")
    )


# What could be wrong with it.


def review_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return who answered, how reliable the scales are, how far raters agree, and the schools."""
    return tuple(_review(survey_of(results)))


def review_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(review_parts(results))


def _review(found: SurveyFindings) -> Iterator[Part]:
    yield Heading(3, "Who answered?")
    yield response_table(found)
    if found.plan.known:
        yield known_table(found)
    yield Heading(3, "How reliable are the scales?")
    yield reliability_table(found)
    yield statistics_table(found)
    if found.agreement:
        yield Heading(3, "How far do raters agree?")
        yield agreement_table(found)
        if any(one.kappas for one in found.agreement):
            yield kappa_table(found)
    if len(found.names) <= _MOST_SCHOOLS:
        yield Heading(3, "School by school")
        yield schools_table(found)


def response_table(found: SurveyFindings) -> ReleasedTable:
    """Return who was asked and who answered in each wave, by group of schools."""
    has_none = all((one.asked == one.responded).all() for one in found.response)
    asked = () if has_none else (Column("asked", "Asked", "pupil_count", is_total=True),)
    not_answered = () if has_none else (Column("not", "Did not answer", "pupil_count"),)
    share = () if has_none else (Column("share", "Answered", "percentage", derived_from="answered"),)
    columns = (
        Column("wave", "Wave"), Column("schools", "Schools"), Column("n_schools", "With answers", "school_count"),
        *asked, Column("answered", "Answered (people)", "pupil_count"), *not_answered, *share,
    )  # fmt: skip
    rows = []
    for at, one in enumerate(found.response):
        for group, own in found.groups.items():
            n_asked, n = int(one.asked[own].sum()), int(one.responded[own].sum())
            cells: tuple[Cell, ...] = (found.label(at), GROUPS[group], int((one.responded[own] > 0).sum()))
            rate: Cell = 100.0 * n / n_asked if n_asked else Unavailable("Nobody was asked.")
            rows.append((*cells, n) if has_none else (*cells, n_asked, n, n_asked - n, rate))
    table = Table(caption="Who was asked and who answered", columns=columns, rows=tuple(rows), people=PEOPLE)
    return _released(found, table)


def known_table(found: SurveyFindings) -> ReleasedTable:
    """Return what is known of those who answered and of those who did not."""
    columns = (
        Column("what", "Known of everyone"),
        Column("wave", "Wave"),
        Column("n_answered", "Answered", "pupil_count"),
        Column("answered", "Their mean", "number", derived_from="n_answered", decimals=2),
        Column("n_not", "Did not answer", "pupil_count"),
        Column("not", "Their mean, without an answer", "number", derived_from="n_not", decimals=2),
    )
    rows = tuple(
        (each.column, found.label(at), each.n_responded, each.responded, each.n_not_responded, each.not_responded)
        for at, one in enumerate(found.response)
        for each in one.known
    )
    caption = "Those who answered beside those who did not"
    return _released(found, Table(caption=caption, columns=columns, rows=rows, people=PEOPLE))


def reliability_table(found: SurveyFindings) -> ReleasedTable:
    """Return alpha, omega and the share of variance between schools of every scale in each wave."""
    level = level_text(found.plan.project.inference.level)
    columns = (
        Column("scale", "Scale"),
        Column("wave", "Wave"),
        Column("n", "Complete answers", "pupil_count"),
        Column("alpha", "Alpha", "number", derived_from="n", decimals=2),
        Column("feldt", f"{level} interval (Feldt)", "interval", derived_from="n", decimals=2),
        Column("alpha_schools", "By schools", "interval", derived_from="n", decimals=2),
        Column("omega", "Omega", "number", derived_from="n", decimals=2),
        Column("omega_schools", "Its interval, by schools", "interval", derived_from="n", decimals=2),
        Column("icc", "Share between schools (ICC)", "number", derived_from="n", decimals=3),
        Column("icc_interval", f"{level} interval", "interval", derived_from="n", decimals=3),
    )
    rows = tuple(
        (
            one.scale.label, found.label(wave.wave), wave.reliability.n, wave.reliability.alpha,
            wave.reliability.feldt, wave.over_schools.alpha, wave.reliability.omega, wave.over_schools.omega,
            wave.icc.icc, wave.icc.interval,
        )
        for one in found.scales
        for wave in one.waves
    )  # fmt: skip
    notes = (
        "Alpha: Cronbach's, of raw items; Feldt's interval takes respondents as independent, the one by schools draws "
        "whole schools again. Omega: total, of one factor by maximum likelihood.",
    )
    caption = "How reliable the scales are"
    return _released(found, Table(caption=caption, columns=columns, rows=rows, notes=notes, people=PEOPLE))


def agreement_table(found: SurveyFindings) -> ReleasedTable:
    """Return how far raters agree on every scale."""
    level = level_text(found.plan.project.inference.level)
    columns = (
        Column("scale", "Scale"),
        Column("wave", "Wave"),
        Column("schools", "Schools rated by all", "school_count"),
        Column("raters", "Raters", "count"),
        Column("agreement", "Agreement, ICC(2,1)", "number", decimals=2),
        Column("agreement_interval", f"{level} interval", "interval", decimals=2),
        Column("consistency", "Consistency, ICC(3,1)", "number", decimals=2),
        Column("consistency_interval", f"{level} interval of it", "interval", decimals=2),
    )
    rows: list[tuple[Cell, ...]] = []
    for one in found.agreement:
        start = (one.scale.label, found.label(one.wave))
        if one.crossed is not None:
            c = one.crossed
            cells: tuple[Cell, ...] = (
                c.n_targets, one.n_raters, c.agreement, c.agreement_interval, c.consistency, c.consistency_interval,
            )  # fmt: skip
        else:
            assert one.one_way is not None
            none = Unavailable("Raters differ from school to school; what stands beside is ICC(1,1).")
            cells = (one.one_way.n_groups, one.n_raters, one.one_way.icc, one.one_way.interval, none, none)
        rows.append((*start, *cells))
    notes = ("Agreement counts a rater who is milder throughout as disagreeing, consistency does not.",)
    return release(Table(caption="Raters of the same schools", columns=columns, rows=tuple(rows), notes=notes), 0)


def kappa_table(found: SurveyFindings) -> ReleasedTable:
    """Return the weighted kappa of two raters on every item."""
    level = level_text(found.plan.project.inference.level)
    columns = (
        Column("scale", "Scale"),
        Column("item", "Item"),
        Column("wave", "Wave"),
        Column("n", "Schools rated by both", "school_count"),
        Column("kappa", "Kappa, quadratic weights", "number", decimals=2),
        Column("interval", f"{level} interval", "interval", decimals=2),
    )
    rows = tuple(
        (one.scale.label, item.text, found.label(one.wave), kappa.n, kappa.kappa, kappa.interval)
        for one in found.agreement
        for item, kappa in one.kappas
    )
    return release(Table(caption="Two raters, item by item", columns=columns, rows=rows, panel_by="scale"), 0)


def schools_table(found: SurveyFindings) -> ReleasedTable:
    """Return respondents and mean of every school and scale in each wave; small counts and what tells them withheld."""
    waves = range(len(found.plan.waves))
    columns = (
        Column("scale", "Scale"),
        Column("school", "School"),
        *(Column(f"n_{at}", f"With a score, {found.label(at)}", "pupil_count") for at in waves),
        *(
            Column(f"mean_{at}", f"Mean, {found.label(at)}", "number", derived_from=f"n_{at}", decimals=2)
            for at in waves
        ),
    )
    rows, sums = list[tuple[Cell, ...]](), list[tuple[int, ...]]()
    for one in found.scales:
        first = len(rows)
        for at, name in enumerate(found.names):
            ns = [int(wave.school_n[at]) for wave in one.waves]
            rows.append((one.scale.label, name, *ns, *(_school_mean(wave, at) for wave in one.waves)))
        totals = [wave.n for wave in one.waves]
        rows.append((one.scale.label, "All", *totals, *(_overall(wave) for wave in one.waves)))
        sums.append((len(rows) - 1, *range(first, len(rows) - 1)))
    table = Table(
        caption="School by school",
        columns=columns,
        rows=tuple(rows),
        panel_by="scale",
        row_sums=tuple(sums),
        people=PEOPLE,
    )
    return _released(found, table)


def _school_mean(wave: ScaleWave, at: int) -> Cell:
    return float(wave.school_mean[at]) if wave.school_n[at] else Unavailable("Nobody answered.")


def _overall(wave: ScaleWave) -> Cell:
    return wave.mean if isinstance(wave.mean, Unavailable) else wave.mean.mean


# What stands around the answer.


def whom(plan: AnalysisPlan) -> str:
    """Return whom the survey is about, in a sentence."""
    found = plan_of(plan)
    waves = listed(list(found.labels))
    return f"About people in schools who were asked in {waves}: what they answered, and how that became otherwise."


def limits(results: AnalysisResults) -> Prose:
    """Return what a survey cannot do."""
    found = survey_of(results)
    texts = [
        "It says what people answered, which may not be what is so.",
        "Whoever did not answer may think otherwise.",
    ]
    if found.plan.has_two_waves:
        texts.append("A change between two waves has many causes; without a comparison none can be told from another.")
    return Prose(tuple(texts), "list")


def certainty(results: AnalysisResults) -> Prose:
    """Return how sure the change is, and why."""
    found = survey_of(results)
    texts = [str(one.sentence) for one in results.findings if one.name in ("survey_one_wave", "survey_reliability")]
    return Prose((*_change_notes(found), *texts) if found.plan.has_two_waves else tuple(texts), "list")


def summary_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the change of every scale, or its mean, in a small table."""
    found = survey_of(results)
    return (change_table(found) if found.plan.has_two_waves else means_table(found),)


# Files.


def tables(results: AnalysisResults) -> dict[str, ReleasedTable]:
    """Return every table of the analysis by the name of its file."""
    from evalkit.report.figures.likert import answers_table

    found = survey_of(results)
    made = {
        "items": items_table(found.plan),
        "response": response_table(found),
        "means": means_table(found),
        "reliability": reliability_table(found),
        "item_statistics": statistics_table(found),
        "schools": schools_table(found),
        **{
            f"answers_{one.scale.name}": answers_table(one, found.plan.labels, _fewest(found.plan))[0]
            for one in found.scales
        },
        "findings": match_findings_table(results.findings, "schools"),
    }
    if found.plan.has_two_waves:
        made |= {"change": change_table(found), "change_beside": beside_table(found)}
    if found.plan.known:
        made["known"] = known_table(found)
    if found.agreement:
        made |= {"agreement": agreement_table(found), "kappa": kappa_table(found)}
    return made


def figures(results: AnalysisResults) -> dict[str, Callable[[], Figure | None]]:
    """Return what draws each figure of the analysis, by the name of its files."""
    found = survey_of(results)
    return {f"answers_{one.scale.name}": partial(likert_figure, found, at) for at, one in enumerate(found.scales)}
