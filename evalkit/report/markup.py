"""Released tables as accessible HTML and as CSV."""

from __future__ import annotations

import csv
import io
from html import escape
from typing import Final

from evalkit.core.quantities import Interval, Unavailable
from evalkit.report.cells import ShownCell, shown_row
from evalkit.report.table import Cell, Column, Table

_LONG: Final = 60
"""Characters from which a cell of text is given more room."""
_SHORT: Final = 4
"""Characters up to which the name of a row needs no room beside it."""


def table_html(table: Table) -> str:
    """Return a table with its notes; where it folds, the first part is shown and each other opens on demand."""
    (_, first), *others = table.groups()
    folded = "".join(
        f"<details><summary>The same table: {escape(name)}</summary>{_scrolled(part)}</details>"
        for name, part in others
    )
    shown = f"{notes_html(table.above)}{_scrolled(first)}{notes_html(table.notes)}{folded}"
    return f'<div class="evalkit evalkit-table">{shown}</div>'


def _scrolled(table: Table) -> str:
    """Return a table with caption and scoped headers, in a region the keyboard can scroll."""
    head = "".join(f'<th scope="col"{_align(column)}>{escape(column.header)}</th>' for column in table.columns)
    body = "".join(f"<tr>{_row(table.columns, row)}</tr>" for row in table.rows)
    unit = f' <span class="unit">({escape(table.unit)})</span>' if table.unit else ""
    return (
        f'<div class="scroll" role="group" tabindex="0" aria-label="{escape(table.caption)}">'
        f"<table><caption><span>{escape(table.caption)}{unit}</span></caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


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
    return f'<th scope="row"{kind}>{escape(name.text)}</th>' + "".join(map(_cell, rest))


def _cell(cell: ShownCell) -> str:
    if cell.kind == "reason":
        span = f' colspan="{cell.span}"' if cell.span > 1 else ""
        return f'<td{span} class="reason">{escape(cell.text)}</td>'
    text = escape(cell.text)
    number = ' class="num"' if cell.kind == "number" else ""
    kind = ' class="long"' if len(text) > _LONG else number
    return f"<td{kind}>{f'<q>{text}</q>' if cell.kind == 'quote' else text}</td>"


def _csv_keys(column: Column) -> list[str]:
    return [f"{column.key}_lower", f"{column.key}_upper"] if column.kind == "interval" else [column.key]


def _csv_cells(column: Column, cell: Cell) -> list[str]:
    if isinstance(cell, Interval):
        return [f"{cell.lower:.10g}", f"{cell.upper:.10g}"]
    return [_csv_text(cell)] * len(_csv_keys(column))


def _csv_text(cell: Cell) -> str:
    """Return a cell for CSV; text that a spreadsheet would run as a formula is quoted."""
    if isinstance(cell, float):
        return f"{cell:.10g}"
    text = cell.reason if isinstance(cell, Unavailable) else str(cell)
    return "'" + text if isinstance(cell, str) and text.startswith(("=", "+", "-", "@")) else text
