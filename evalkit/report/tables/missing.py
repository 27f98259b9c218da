"""Tables of missing outcomes: who was lost in each arm and why, and what the estimate would be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from evalkit.core.formats import number, visible
from evalkit.core.quantities import Unavailable
from evalkit.core.words import counted
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.finding import DIFFERENTIAL
from evalkit.diagnose.missing.results import MissingResults
from evalkit.diagnose.missing.sample import Words
from evalkit.diagnose.missing.what_if import LOSS_REASONS, Assumption, LossReason, MissingOutcome, WhatIf
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Heading, Part, Prose
from evalkit.report.border.table import Cell, Column, Kind, Table, sums_by
from evalkit.report.words.names import measure_label, measure_unit

HEADING: Final = "What if the missing results were …?"


def assumption_words(assumption: Assumption, words: Words) -> str:
    """Return what is assumed of missing results, as it goes on after "If the missing results were".

    >>> assumption_words("imputed", Words(many="areas"))
    'as those of similar areas'
    """
    end = f", {words.end}" if words.end else ""
    return {
        "published": "left out, as in the answer",
        "imputed": f"as those of similar {words.many}",
        "worst": f"at worst{end}",
        "best": f"at best{end}",
        "bounds": f"those of {words.many} that one arm alone would publish (bounds)",
    }[assumption]


_LOSSES: Final[dict[LossReason, str]] = {
    "closed": "Closed: no row in a later table",
    "suppressed": "Suppressed: too few pupils",
    "low_coverage": "Fewer than half of the pupils covered",
    "not_published": "Not published for another reason",
}


def missing_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return what stands in the annexes of an analysis of missing results, or why nothing does."""
    found = results.missing
    if isinstance(found, Unavailable):
        return Heading(3, HEADING), Prose((found.reason,))
    return Heading(3, HEADING), losses(found), what_if(found)


def missing_tables(results: AnalysisResults) -> dict[str, ReleasedTable]:
    """Return the tables by the names of their files, none where missing results were not looked at."""
    found = results.missing
    return {} if isinstance(found, Unavailable) else {"missing": what_if(found), "missing_schools": losses(found)}


def losses(found: MissingResults) -> ReleasedTable:
    """Return the schools with a result before, by arm, and what became of them."""
    words = _words(found)
    columns = (Column("outcome", "Outcome"), Column("step", words.many.capitalize()), *_counts(words))
    rows = tuple(row for one in found.outcomes for row in _loss_rows(found, one))
    table = Table(
        caption=f"{words.many.capitalize()} with a result before the programme, and what became of them",
        columns=columns,
        rows=rows,
        unit=words.many,
        panel_by="outcome",
        row_sums=sums_by([str(row[0]) for row in rows]),
        notes=tuple(_loss_notes(found)),
    )
    return release(table, found.project.disclosure.threshold)


def _words(found: MissingResults) -> Words:
    """Return who can lack a result: the same for every outcome of an analysis, or units where they differ."""
    first = found.outcomes[0].words
    is_one = all(one.words.many == first.many for one in found.outcomes)
    return first if is_one else replace(first, one="unit", many="units")


def _counts(words: Words) -> tuple[Column, Column]:
    """Return the columns that count units of each arm."""
    kind: Kind = "pupil_count" if words.is_people else "school_count"
    treated, comparison = words.treated.capitalize(), words.comparison.capitalize()
    return Column("treated", treated, kind), Column("comparison", comparison, kind)


def _loss_rows(found: MissingResults, one: MissingOutcome) -> Iterator[tuple[Cell, ...]]:
    treated, comparison = one.losses
    label = measure_label(found.project, one.outcome)
    yield label, "With a result in some year before", treated.n_schools, comparison.n_schools
    if one.words.is_people:  # one year before, and nothing that tells why a pupil has no later result
        yield label, "Without a result afterwards", treated.lost["not_published"], comparison.lost["not_published"]
    else:
        yield label, "Lacking one in another year before", treated.lacking_before, comparison.lacking_before
        for reason in LOSS_REASONS:
            step = "No row in a later table" if (reason, one.words.one) == ("closed", "area") else _LOSSES[reason]
            yield label, step, treated.lost[reason], comparison.lost[reason]
    yield label, "With every result before and after", treated.with_result, comparison.with_result


def _loss_notes(found: MissingResults) -> Iterator[str]:
    words = _words(found)
    followed = "A school that converted is followed and not lost. " if words.one == "school" else ""
    yield (
        f"{followed}{_article(words.one)} {words.one} that lacks several results afterwards counts under the reason of "
        "the first."
    )
    for one in found.outcomes:
        shares = [loss.share_lost for loss in one.losses]
        if isinstance(one.differential, float):
            treated, comparison = (number(100 * share, 1) for share in shares if isinstance(share, float))
            yield (
                f"{measure_label(found.project, one.outcome)}: of those with every result before, {treated}% of the "
                f"{words.treated} and {comparison}% of the {words.comparison} {words.many} lack one afterwards."
            )
    caution, serious = (number(100 * bound, 0) for bound in DIFFERENTIAL)
    yield (
        f"Arms that differ by more than {caution} percentage points are a caution, by more than {serious} serious: "
        "near the bounds of the What Works Clearinghouse at low attrition, as the kit understands them."
    )
    never = sum(one.losses[0].never_matched for one in found.outcomes[:1])
    if never:
        who = counted(never, "listed participant")
        yield f"Beside these, {who} could not be matched: no record, or nobody like them."


def what_if(found: MissingResults) -> ReleasedTable:
    """Return the estimate of each outcome under each assumption about missing results."""
    columns = (
        Column("outcome", "Outcome"),
        Column("assumption", "If the missing results were …"),
        Column("lower", "Lowest estimate", "estimate"),
        Column("upper", "Highest estimate", "estimate"),
        Column("interval", "Interval", "interval"),
        Column("p_value", "p", "p"),
        *(replace(one, key=f"n_{one.key}") for one in _counts(replace(_words(found), is_people=False))),
    )
    rows = tuple(
        (f"{measure_label(found.project, one.outcome)}, {_unit(found, one)}", *_row(row, one.words))
        for one in found.outcomes
        for row in one.rows
    )
    table = Table(caption=HEADING, columns=columns, rows=rows, panel_by="outcome", notes=tuple(_notes(found)))
    return release(table, found.project.disclosure.threshold)


def _unit(found: MissingResults, one: MissingOutcome) -> str:
    return one.words.unit or measure_unit(found.project, one.outcome)


def _article(word: str) -> str:
    return "An" if word[0] in "aeiou" else "A"


def _row(row: WhatIf, words: Words) -> tuple[Cell, ...]:
    return (
        assumption_words(row.assumption, words),
        row.lower,
        row.upper,
        row.interval,
        row.p_value,
        row.n_treated,
        row.n_comparison,
    )


def _notes(found: MissingResults) -> Iterator[str]:
    """Yield what each assumption is, and for each outcome what was filled in, cut, and would tip the answer."""
    words = _words(found)
    assumptions = {row.assumption for one in found.outcomes for row in one.rows}
    known = ", size, type and area" if words.one == "school" else " and what else is known of them"
    said: dict[Assumption, str] = {
        "published": "The answer is that of the results that were published; the other rows stand beside it, and need "
        "no result of a year in which the programme ran for part of the year.",
        "imputed": f"Imputed: each gap is filled with the result of one of the five {words.many} whose results are "
        f"predicted most alike, from their other years{known}. It rests on gaps being as these predict.",
        "worst": words.end_note,
        "bounds": "Bounds: the arm whose results are published more often is cut until both arms have the same share, "
        "of its highest changes for one bound and its lowest for the other (Lee, 2009). They hold for "
        f"{words.many} whose results would be published in either arm, if the programme moved publication one way "
        "only.",
    }
    given = {row.assumption for one in found.outcomes for row in one.rows if not isinstance(row.lower, Unavailable)}
    assumptions &= given
    yield from (text for key, text in said.items() if key in assumptions and text)
    for one in found.outcomes:
        if text := _note_of(found, one):
            yield f"{measure_label(found.project, one.outcome)}: {text}"


def _note_of(found: MissingResults, one: MissingOutcome) -> str:
    unit, words, parts = _unit(found, one), one.words, []
    if not isinstance(one.imputation, Unavailable):
        share = one.imputation.percent_incomplete
        gaps = (
            ""
            if isinstance(share, Unavailable)
            else f"{number(share, 0)}% of the {words.everyone or words.many} have a gap. "
        )
        parts.append(f"{gaps}{one.imputation.draws} completed tables were made.")
    if isinstance(one.bounds.trimmed_share, float):
        parts.append(f"{number(100 * one.bounds.trimmed_share, 1)}% of one arm was cut for the bounds.")
    if isinstance(one.tipping.shift, float):
        way = "worse" if (one.tipping.shift < 0) != words.is_lower_better else "better"
        parts.append(
            f"Tipping point: the interval of imputed results reaches zero if the missing results of the "
            f"{words.treated} {words.many} are {visible(abs(one.tipping.shift))} {words.result_unit or unit} {way} "
            "than imputed."
        )
    elif found.choices.tipping and not isinstance(one.imputation, Unavailable):
        parts.append(f"Tipping point: {one.tipping.shift.reason}")
    return " ".join((*parts, *((one.note,) if one.note else ())))
