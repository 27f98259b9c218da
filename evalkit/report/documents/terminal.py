"""A document as lines on a terminal: headings, sentences, and aligned tables with the reasons below them, numbered."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from evalkit.core.quantities import Unavailable
from evalkit.core.words import cleaned
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Document, Figure, Heading, Part, Prose, Text
from evalkit.report.border.table import Cell, Column, Table, shown_text

WIDTH: Final = 100
"""Characters of a line; only a table with more columns than fit has longer ones."""
_GAP: Final = 2
_SHORT: Final = 12
"""Characters up to which a reason stands in its cell."""
_NARROWEST: Final = 14
"""Characters that a column of texts keeps."""


def terminal_text(document: Document) -> str:
    """Return a document as plain text; nothing in it commands the terminal.

    A table's caption is left out where the heading before it says the same. A figure becomes its words.
    """
    return cleaned("\n".join(_lines(document)))


def _lines(document: Document) -> Iterator[str]:
    for line in (document.banner, document.title, document.question):
        yield from wrapped(line)
    bullet = "  - " if len(document.face) > 1 else "  "
    for line in document.face:
        yield from wrapped(line, bullet)
    before: Part | None = None
    for part in document.parts:
        yield from _part(part, before.text if isinstance(before, Heading) else "")
        before = part


def _part(part: Part, heading: str) -> Iterator[str]:
    """Yield the lines of a part; `heading` is that just before it, empty where there is none."""
    if isinstance(part, Heading):
        yield ""
        yield from wrapped(part.text)
    elif isinstance(part, Text):
        yield from _written(part.markdown)
    elif isinstance(part, Prose):
        yield from _prose(part)
    elif isinstance(part, Figure):
        yield ""
        yield from wrapped(f"{part.caption}. {part.alt}", "  ")
    else:
        yield from _tables(part, heading)


def _prose(prose: Prose) -> Iterator[str]:
    if prose.is_list:
        for sentence in prose.sentences:
            yield from wrapped(sentence, "  - ")
    else:
        yield from wrapped(" ".join(prose.sentences), "  ")


def _written(markdown: str) -> Iterator[str]:
    from evalkit.report.documents.markdown import written_blocks

    for block in written_blocks(markdown):
        yield from wrapped(block.text, "  - " if block.kind in ("bullet", "number") else "  ")


def _tables(released: ReleasedTable, heading: str) -> Iterator[str]:
    table = released.table
    if table.caption != heading:
        unit = f" ({table.unit})" if table.unit else ""
        yield ""
        yield from wrapped(f"{table.caption}{unit}")
    yield from table_lines(table)


def table_lines(table: Table) -> Iterator[str]:
    """Yield a table without its caption: its rows, then the reasons that its cells refer to, then its notes."""
    reasons: list[str] = []
    columns, panels = table.shown_columns, list[tuple[str, list[list[str]]]]()
    for name, inside in table.panels():
        panels.append((name, [[_cell(*pair, reasons) for pair in zip(row, columns, strict=True)] for row in inside]))
    for sentence in table.above:
        yield from wrapped(sentence, "  ")
    yield from _grid(columns, panels)
    for at, reason in enumerate(reasons, start=1):
        yield from wrapped(reason, f"  [{at}] ")
    for note in table.notes:
        yield from wrapped(note, "  ")


def _cell(cell: Cell, column: Column, reasons: list[str]) -> str:
    """Return what stands in a cell: a long reason stands below the table, and its number here."""
    if not isinstance(cell, Unavailable) or len(cell.reason) <= _SHORT:
        return " ".join(shown_text(cell, column).split())
    if cell.reason not in reasons:
        reasons.append(cell.reason)
    return f"[{reasons.index(cell.reason) + 1}]"


def _grid(columns: Sequence[Column], panels: Sequence[tuple[str, Sequence[Sequence[str]]]]) -> Iterator[str]:
    """Yield headers and rows: texts flush left and parted into lines where they are long, numbers flush right.

    The heading of a panel stands over its rows.
    """
    widths = _widths(columns, [row for _, rows in panels for row in rows])
    heads = [_parted(column.header, width) for column, width in zip(columns, widths, strict=True)]
    tallest = max(map(len, heads))
    yield from _row(columns, widths, [[""] * (tallest - len(head)) + head for head in heads])
    for name, rows in panels:
        yield from wrapped(name, "  ") if name else ()
        for row in rows:
            yield from _row(columns, widths, [_parted(text, width) for text, width in zip(row, widths, strict=True)])


def _row(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[Sequence[str]]) -> Iterator[str]:
    for line in zip_longest(*cells, fillvalue=""):
        placed = (
            text.rjust(width) if column.is_numeric and at else text.ljust(width)
            for at, (text, width, column) in enumerate(zip(line, widths, columns, strict=True))
        )
        yield (" " * _GAP + (" " * _GAP).join(placed)).rstrip()


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the widths of columns: as wide as they want to be, or headers and then texts parted until all fit."""
    bodies = [max((len(row[at]) for row in rows), default=0) for at in range(len(columns))]
    natural = [max(len(column.header), body) for column, body in zip(columns, bodies, strict=True)]
    room = WIDTH - _GAP * len(columns)
    if sum(natural) <= room:
        return natural
    words = [max(map(len, column.header.split()), default=0) for column in columns]
    widths = [max(word, body) for word, body in zip(words, bodies, strict=True)]
    least = [
        width if column.is_numeric else min(width, max(word, _NARROWEST))
        for column, word, width in zip(columns, words, widths, strict=True)
    ]
    while sum(widths) > room and widths != least:
        widest = max(range(len(columns)), key=lambda at: (widths[at] > least[at], widths[at]))
        widths[widest] -= 1
    return _filled(widths, natural, room)


def _filled(widths: list[int], natural: Sequence[int], room: int) -> list[int]:
    """Return widths with what is left of a line given to the narrowest columns that want more."""
    filled = list(widths)
    while sum(filled) < room and (hungry := [at for at in range(len(filled)) if filled[at] < natural[at]]):
        filled[min(hungry, key=lambda at: filled[at])] += 1
    return filled


def _parted(text: str, width: int) -> list[str]:
    return [text] if len(text) <= width else textwrap.wrap(text, width)


def wrapped(text: str, first: str = "") -> Iterator[str]:
    """Yield the lines of a text, the first behind `first`, the others as far in."""
    indent = " " * len(first)
    for at, paragraph in enumerate(text.splitlines()):
        yield from textwrap.wrap(paragraph, WIDTH, initial_indent=indent if at else first, subsequent_indent=indent)
