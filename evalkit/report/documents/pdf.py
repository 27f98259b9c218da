"""report.pdf and summary.pdf: tagged pages that pass PDF/UA-1, the same bytes on every machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from itertools import groupby
from typing import Any, Final

import typst

from evalkit.core.errors import EvalkitError
from evalkit.core.plan_lock import DIFFERS
from evalkit.core.words import cleaned
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.markup import ShownCell, shown_rows
from evalkit.report.border.parts import Document, Figure, Heading, Part, Prose, Text
from evalkit.report.border.table import Column, Table
from evalkit.report.documents.layout import PADDING, Layout, breakable, table_layout
from evalkit.report.documents.markdown import Run, written_blocks
from evalkit.report.documents.typography import FONTS, WHOLE, printable, shown
from evalkit.report.templates import packaged

# A document as the record from which the pages of a PDF are set: every word is data, none is markup.

Record = dict[str, Any]

UPRIGHT: Final = 482.0
TURNED: Final = 729.0
"""Lengths of the lines of an A4 page in points, upright and turned."""


SIZE: Final = 9.3
"""Size of type of a report in points; tables are set in proportion to it."""
_BREADTH: Final = 1.07
"""How wide DejaVu Sans is beside Arial, 1.2, once tables are set in proportion to `SIZE`."""


def paper_inputs(document: Document, **how: object) -> dict[str, str]:
    """Return what the template reads: the record of a document as JSON, and each figure as SVG by its number.

    `how` overrides what the record says of the look: sizes of type and margins in points.
    """
    figures = [part for part in document.parts if isinstance(part, Figure)]
    sources = {f"figure-{i}": figure.svg.decode("utf-8") for i, figure in enumerate(figures)}
    names = iter(sources)
    body = [record for section in document.sections for part in section for record in _part(part, names)]
    annexes = [record for section in document.annexes for part in section for record in _part(part, names)]
    parts = {"parts": _held_to_next(body), "annexes": _held_to_next(annexes)}
    record = {**_top(document), **parts, **how}
    return {"document": json.dumps(_printable(record), ensure_ascii=False), "whole": WHOLE, **sources}


def _top(document: Document) -> Record:
    return {
        "title": document.title,
        "running": document.title,
        "question": document.question,
        "banner": document.banner,
        "byline": list(document.byline),
        "mark": document.mark,
        "face": list(document.face),
        "closing": document.closing,
        "has_contents": document.is_report,
        "is_summary": False,
        "size": SIZE,
        "title_size": 20,
        "figure_width": 100,
        "margin": 56.5,
        "top": 62,
        "bottom": 62,
    }


def _part(part: Part, names: Iterator[str]) -> Iterator[Record]:
    if isinstance(part, Heading):
        yield {"kind": "heading", "level": part.level, "text": part.text}
    elif isinstance(part, Text):
        yield from _text(part)
    elif isinstance(part, Prose):
        yield _prose(part)
    elif isinstance(part, Figure):
        yield {"kind": "figure", "alt": part.alt, "caption": part.caption, "source": next(names)}
    else:
        yield _table(part.table)


def _held_to_next(records: list[Record]) -> list[Record]:
    """Return records in which a paragraph between a heading and what it announces stays with the latter."""
    for before, record, after in zip(records, records[1:], records[2:], strict=False):
        if (before["kind"], record["kind"]) == ("heading", "paragraph"):
            record["is_sticky"] = after["kind"] in ("table", "figure")
    return records


def _text(text: Text) -> Iterator[Record]:
    for kind, run in groupby(written_blocks(text.markdown), key=lambda block: block.kind):
        if kind in ("bullet", "number"):
            yield {"kind": "list", "marker": kind, "items": [[asdict(r) for r in block.runs] for block in run]}
        elif kind == "code":
            yield from ({"kind": "code", "text": block.text} for block in run)
        else:
            look = "quote" if kind == "quote" else "paragraph"
            for block in run:
                yield {"kind": look, "is_sticky": False, "runs": [asdict(r) for r in block.runs]}


def _prose(prose: Prose) -> Record:
    if prose.kind == "headline":
        return {"kind": "headline", "text": prose.text}
    if prose.is_list:
        return {"kind": "list", "marker": "bullet", "items": [[asdict(Run(sentence))] for sentence in prose.sentences]}
    return {"kind": "paragraph", "is_sticky": False, "runs": [asdict(Run(prose.text))]}


def _table(table: Table) -> Record:
    layout = table_layout(table, UPRIGHT, TURNED, _BREADTH)
    rows = [_row(row, layout) for row in shown_rows(table)]
    heads = zip(table.shown_columns, layout.widths, strict=True)
    return {
        "kind": "table",
        "caption": table.caption,
        "unit": table.unit,
        "above": list(table.above),
        "notes": list(table.notes),
        "headers": [_head(column, width - PADDING, layout.size) for column, width in heads],
        "rows": [{"cells": cells, "is_whole": layout.is_whole(i)} for i, cells in enumerate(rows)],
        "size": layout.size,
        "widths": list(layout.widths),
        "padding": PADDING - 1,
        "is_wide": layout.is_wide,
        "is_short": layout.is_short,
    }


def _head(column: Column, width: float, size: float) -> Record:
    return {"text": breakable(column.header, width, size, is_bold=True), "is_numeric": column.is_numeric}


def _row(cells: list[ShownCell], layout: Layout) -> list[Record]:
    at, made = 0, []
    for cell in cells:
        width = sum(layout.widths[at : at + cell.span]) - PADDING
        made.append(asdict(cell) | {"text": breakable(cell.text, width, layout.size)})
        at += cell.span
    return made


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("kind") == "code":  # its lines and blanks are what it says
            return {**value, "text": shown(cleaned(value["text"]))}
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return printable(cleaned(value)) if isinstance(value, str) else value


# report.pdf and summary.pdf: tagged pages that pass PDF/UA-1, the same bytes on every machine.

_STANDARDS: Final[list[typst.PDFStandard]] = ["ua-1"]
_FITS: Final = (
    (9.3, 100),
    (9.3, 85),
    (9.0, 80),
    (9.0, 65),
    (8.5, 65),
    (8.5, 55),
    (8.0, 55),
    (8.0, 45),
    (7.5, 45),
    (7.0, 45),
    (7.0, 36),
    (6.5, 36),
    (6.0, 33),
    (5.5, 33),
)
"""Sizes of type in points and widths of figures in per cent of the line, from ample to narrow, until a summary fits."""

_TOO_LONG: Final = "more than one page"
"""What the template says of a summary that takes a second page."""


class _NotSet(EvalkitError):
    """What the typesetter refused, in a sentence."""


def pdf_report(document: Document) -> bytes:
    """Return a document as PDF: A4, with bookmarks and page numbers, of a project with a table of contents."""
    return _pages(paper_inputs(document))


def summary_pdf(document: Document) -> bytes:
    """Return the first section of a report on exactly one page of A4, in the largest type with which it fits.

    How many fields differ from the locked plan is said there; the table of them has its place in the report.

    Raises
    ------
    EvalkitError
        If it does not fit in the smallest type.
    """
    sections = tuple(tuple(part for part in section if not _is_of_plan(part)) for section in document.sections[:1])
    first = replace(document, sections=sections, annexes=())
    best, low, high = None, 0, len(_FITS)
    while low < high:  # the fits grow narrower, so the first that holds is found by halving
        middle = (low + high) // 2
        made = _one_page(first, *_FITS[middle])
        best, low, high = (best, middle + 1, high) if made is None else (made, low, middle)
    if best is None:
        raise EvalkitError(
            f"The summary of {document.slug} does not fit on one page in {_FITS[-1][0]:g} point type. Shorten the "
            "title, `participants.why_whole_area` or the name of the place in project.yml."
        )
    return best


def _is_of_plan(part: Part) -> bool:
    return isinstance(part, ReleasedTable) and part.table.caption == DIFFERS


def _one_page(document: Document, size: float, width: int) -> bytes | None:
    inputs = paper_inputs(
        document,
        is_summary=True,
        has_contents=False,
        running="One-page summary; the whole report is report.pdf",
        size=size,
        title_size=1.7 * size,
        figure_width=width,
        margin=51,
        top=48,
        bottom=48,
    )
    try:
        return _pages(inputs)
    except _NotSet as problem:
        if _TOO_LONG in str(problem):
            return None
        raise


@cache
def _fonts() -> typst.Fonts:
    """Return fonts that are the same on every machine: those inside typst, and matplotlib's for what they lack."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(FONTS)])


def _pages(inputs: dict[str, str]) -> bytes:
    source = packaged("report.typ").encode("utf-8")
    try:
        return typst.compile(source, format="pdf", font_paths=_fonts(), sys_inputs=inputs, pdf_standards=_STANDARDS)
    except typst.TypstError as problem:
        raise _NotSet(f"The PDF could not be made: {problem.message}. Please report this.") from None
