"""How published scales would rate the design of any analysis: each entry with the rule that gives it."""

from __future__ import annotations

from typing import Final

from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Heading, Part
from evalkit.report.border.table import Column, Table
from evalkit.report.words.names import capital

_ON_SCALES: Final = "How would published scales rate this design?"


def judgements(results: AnalysisResults) -> ReleasedTable:
    """Return the entries of published appraisal scales, in words, each with the rule that gives it."""
    columns = (
        Column("scale", "Scale"),
        Column("domain", "Domain"),
        Column("judgement", "Judgement"),
        Column("sentence", "Why"),
        Column("rule", "Rule"),
    )
    rows = tuple((j.scale, j.domain, capital(j.judgement), j.sentence, j.rule) for j in results.judgements)
    notes = (
        "Each judgement follows by its rule from the design, its checks and the lock of the plan; none rests on how "
        "the effect came out. It is the kit's own reading of the scales, for a reviewer to contest; nobody "
        "else has rated this evaluation.",
        "ROBINS-I rates the risk of bias in studies without random allocation; the Maryland scale the strength of a "
        "design, from 1 to 5; EEF is the Education Endowment Foundation; the What Works Clearinghouse is that of the "
        "United States; the Campbell Collaboration appraises how sound the studies in its reviews are.",
    )
    caption = "How published scales would rate this design"
    table = Table(caption=caption, columns=columns, rows=rows, notes=notes)
    return release(table, results.project.disclosure.threshold)


def judgement_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return what stands in the annexes of how published scales would rate an analysis; nothing where none does."""
    return (Heading(3, _ON_SCALES), judgements(results)) if results.judgements else ()


def judgement_tables(results: AnalysisResults) -> dict[str, ReleasedTable]:
    """Return the table by the name of its file, none where nothing is judged."""
    return {"judgements": judgements(results)} if results.judgements else {}
