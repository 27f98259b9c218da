"""A document as the record from which the pages of a PDF are set: every word is data, none is markup."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any, Final

from evalkit.core.safe_text import cleaned
from evalkit.report.cells import ShownCell, printed, shown_row
from evalkit.report.document import CLOSING, Document
from evalkit.report.figure import Figure
from evalkit.report.glyphs import printable
from evalkit.report.layout import PADDING, Layout, breakable, table_layout
from evalkit.report.parts import Heading, Part, Text
from evalkit.report.prose import Prose
from evalkit.report.table import Column, Table
from evalkit.report.unbroken import WHOLE
from evalkit.report.written import Run, written_blocks

Record = dict[str, Any]

UPRIGHT: Final = 482.0
TURNED: Final = 729.0
"""Lengths of the lines of an A4 page in points, upright and turned."""
_MARK: Final = "SYNTHETIC DATA"


def paper_inputs(document: Document, **how: object) -> dict[str, str]:
    """Return what the template reads: the record of a document as JSON, and each figure as SVG by its number.

    `how` overrides what the record says of the look: sizes of type and margins in points.
    """
    figures = [part for part in document.parts if isinstance(part, Figure)]
    sources = {f"figure-{i}": figure.svg.decode("utf-8") for i, figure in enumerate(figures)}
    names = iter(sources)
    parts = _held_to_next([record for part in document.parts for record in _part(part, names)])
    record = {**_top(document), "parts": parts, **how}
    return {"document": json.dumps(_printable(record), ensure_ascii=False), "whole": WHOLE, **sources}


def _top(document: Document) -> Record:
    return {
        "title": document.title,
        "running": document.title,
        "question": document.question,
        "banner": document.banner,
        "mark": _MARK if document.banner else "",
        "face": list(document.face),
        "closing": CLOSING.format(slug=document.slug),
        "has_contents": True,
        "is_summary": False,
        "size": 10.5,
        "title_size": 22,
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
        yield from map(_table, printed(part.table))


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
        else:
            shown = "quote" if kind == "quote" else "paragraph"
            for block in run:
                yield {"kind": shown, "is_sticky": False, "runs": [asdict(r) for r in block.runs]}


def _prose(prose: Prose) -> Record:
    if prose.kind == "headline":
        return {"kind": "headline", "text": prose.text}
    if prose.is_list:
        return {"kind": "list", "marker": "bullet", "items": [[asdict(Run(said))] for said in prose.sentences]}
    return {"kind": "paragraph", "is_sticky": False, "runs": [asdict(Run(prose.text))]}


def _table(table: Table) -> Record:
    layout = table_layout(table, UPRIGHT, TURNED)
    rows = [_row(shown_row(table.columns, row), layout) for row in table.rows]
    heads = zip(table.columns, layout.widths, strict=True)
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
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return printable(cleaned(value)) if isinstance(value, str) else value
