"""Released tables as accessible HTML and as CSV, cell by cell."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from html import escape
from itertools import groupby
from typing import Final, Literal

from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import cleaned, csv_safe
from evalkit.report.border.table import Cell, Column, Table, shown_text

# The cells of a table as readers see them, whatever draws them.

CellKind = Literal["name", "text", "quote", "number", "reason"]


@dataclass(frozen=True, slots=True)
class ShownCell:
    """A cell's words, how they are set, and how many columns they take."""

    text: str
    kind: CellKind
    span: int = 1


def printed(table: Table) -> list[Table]:
    """Return a table as paper shows it: nothing folds, and what is said before and after its parts is said once."""
    parts = [part for _, part in table.groups()]
    last = len(parts) - 1
    return [
        replace(part, above=part.above if i == 0 else (), notes=part.notes if i == last else ())
        for i, part in enumerate(parts)
    ]


def shown_row(columns: tuple[Column, ...], row: tuple[Cell, ...]) -> list[ShownCell]:
    """Return one row: the first cell names it, neighbouring cells that lack for one reason share a cell."""
    pairs = list(zip(columns, row, strict=True))
    name = ShownCell(shown_text(row[0], columns[0]), "name")
    return [name, *(_shared([pair for _, pair in run]) for _, run in groupby(enumerate(pairs[1:]), key=_run_key))]


def _run_key(item: tuple[int, tuple[Column, Cell]]) -> object:
    position, (_, cell) = item
    return cell if isinstance(cell, Unavailable) else position


def _shared(run: list[tuple[Column, Cell]]) -> ShownCell:
    column, cell = run[0]
    if isinstance(cell, Unavailable):
        return ShownCell(cell.reason, "reason", len(run))
    kind: CellKind = "number" if column.is_numeric else "quote" if column.kind == "quote" else "text"
    return ShownCell(shown_text(cell, column), kind)


# Released tables as accessible HTML and as CSV.

_LONG: Final = 60
"""Characters from which a cell of text is given more room."""
_MANY: Final = 5
"""Columns from which a table is wider than a small screen."""
_SHORT: Final = 4
"""Characters up to which the name of a row needs no room beside it."""


def table_html(table: Table, number: int | None = None) -> str:
    """Return a table with its notes; where it folds, the first part is shown and each other opens on demand.

    `number` is that of the first part among the tables of a report, None where tables have none.
    """
    (_, first), *others = table.groups()
    folded = "".join(
        f"<details><summary>The same table: {escape(name)}</summary>{_scrolled(part, number and number + i)}</details>"
        for i, (name, part) in enumerate(others, start=1)
    )
    shown = f"{notes_html(table.above)}{_scrolled(first, number)}{notes_html(table.notes)}{folded}"
    return cleaned(f'<div class="evalkit evalkit-table">{shown}</div>')


def numbered(kind: str, number: int | None) -> str:
    """Return what stands before a caption: `Table 3. `, or nothing without a number."""
    return f'<span class="number">{kind} {number}.</span> ' if number else ""


def _scrolled(table: Table, number: int | None) -> str:
    """Return a table with caption and scoped headers, in a region the keyboard can scroll.

    On a small screen a table with long texts is a list of cards; its roles are written out, as browsers forget what
    a table is where its parts are blocks.
    """
    head = "".join(
        f'<th scope="col" role="columnheader"{_align(column)}>{escape(column.header)}</th>' for column in table.columns
    )
    body = "".join(f'<tr role="row">{_row(table.columns, row)}</tr>' for row in table.rows)
    unit = f' <span class="unit">({escape(table.unit)})</span>' if table.unit else ""
    is_pair = len(table.columns) == 2
    kind = " pair" if is_pair else " cards" if _is_long(table) else " many" if len(table.columns) >= _MANY else ""
    return (
        f'<div class="scroll{kind}" role="group" tabindex="0" aria-label="{escape(table.caption)}"><table role="table">'
        f"<caption><span>{numbered('Table', number)}{escape(table.caption)}{unit}</span></caption>"
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">{body}</tbody></table></div>'
    )


def _is_long(table: Table) -> bool:
    """Return whether a table holds texts for which a column of a small screen is too narrow."""
    return any(len(cell.text) > _LONG for row in table.rows for cell in shown_row(table.columns, row)[1:])


def notes_html(notes: tuple[str, ...]) -> str:
    """Return the notes above or under a table."""
    return "".join(f'<p class="note">{escape(note)}</p>' for note in notes)


def table_csv(table: Table) -> str:
    """Return a table as CSV: keys for headers, two columns for an interval, numbers in full."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([key for column in table.columns for key in _csv_keys(column)])
    for row in table.rows:
        pairs = zip(table.columns, row, strict=True)
        writer.writerow([value for column, cell in pairs for value in _csv_cells(column, cell)])
    return out.getvalue()


def _align(column: Column) -> str:
    return ' class="num"' if column.is_numeric else ""


def _row(columns: tuple[Column, ...], row: tuple[Cell, ...]) -> str:
    """Return one row: the first cell names it, neighbouring cells that lack for one reason share a cell."""
    name, *rest = shown_row(columns, row)
    kind = ' class="short"' if len(name.text) <= _SHORT else ""
    made, at = [f'<th scope="row" role="rowheader"{kind}>{escape(name.text)}</th>'], 1
    for cell in rest:
        made.append(_cell(cell, ", ".join(column.header for column in columns[at : at + cell.span])))
        at += cell.span
    return "".join(made)


def _cell(cell: ShownCell, header: str) -> str:
    text, role = escape(cell.text), f' role="cell" data-label="{escape(header)}"'
    if cell.kind == "reason":
        span = f' colspan="{cell.span}"' if cell.span > 1 else ""
        return f'<td{span}{role} class="reason">{text}</td>'
    number = ' class="num"' if cell.kind == "number" else ""
    kind = ' class="long"' if len(text) > _LONG else number
    return f"<td{role}{kind}>{f'<q>{text}</q>' if cell.kind == 'quote' else text}</td>"


def _csv_keys(column: Column) -> list[str]:
    key = csv_safe(column.key)
    return [f"{key}_lower", f"{key}_upper"] if column.kind == "interval" else [key]


def _csv_cells(column: Column, cell: Cell) -> list[str]:
    if isinstance(cell, Interval):
        return [f"{cell.lower:.10g}", f"{cell.upper:.10g}"]
    return [_csv_text(cell)] * len(_csv_keys(column))


def _csv_text(cell: Cell) -> str:
    """Return a cell for CSV; a text that a spreadsheet would run as a formula stands behind an apostrophe."""
    if isinstance(cell, float):
        return f"{cell:.10g}"
    return csv_safe(cell.reason if isinstance(cell, Unavailable) else str(cell))
