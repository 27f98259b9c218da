"""Released tables as accessible HTML, as CSV and as frames, and what a notebook keeps of a noun it shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal

from evalkit.core.formats import MINUS
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import cleaned, csv_safe
from evalkit.report.border.table import Cell, Column, Table, shown_text

if TYPE_CHECKING:
    import pandas as pd

# The cells of a table as readers see them, whatever draws them.

CellKind = Literal["name", "text", "quote", "number", "reason", "panel"]


@dataclass(frozen=True, slots=True)
class ShownCell:
    """A cell's words, how they are set, and how many columns they take."""

    text: str
    kind: CellKind
    span: int = 1


def shown_rows(table: Table) -> list[list[ShownCell]]:
    """Return the rows of a table as readers see them, the heading of each panel a row of one cell."""
    columns, rows = table.shown_columns, list[list[ShownCell]]()
    for name, inside in table.panels():
        rows += [[ShownCell(name, "panel", len(columns))]] if name else []
        rows += [shown_row(columns, row) for row in inside]
    return rows


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


# Released tables as accessible HTML, as CSV and as frames.

_LONG: Final = 60
"""Characters from which a cell of text is given more room."""
_MANY: Final = 5
"""Columns from which a table is wider than a small screen."""
_DENSE: Final = 8
"""Columns from which a table is set smaller, so that a screen holds it."""
_SHORT: Final = 4
"""Characters up to which the name of a row needs no room beside it."""


def table_html(table: Table, number: int | None = None) -> str:
    """Return a table with its notes; `number` is its own among the tables of a report, None where tables have none."""
    shown = f"{notes_html(table.above)}{_scrolled(table, number)}{notes_html(table.notes)}"
    return cleaned(f'<div class="evalkit evalkit-table">{shown}</div>')


def numbered(kind: str, number: int | None) -> str:
    """Return what stands before a caption: `Table 3. `, or nothing without a number."""
    return f'<span class="number">{kind} {number}.</span> ' if number else ""


def _scrolled(table: Table, number: int | None) -> str:
    """Return a table with caption and scoped headers, in a region the keyboard can scroll.

    On a small screen a table with long texts is a list of cards; its roles are written out, as browsers forget what
    a table is where its parts are blocks.
    """
    columns = table.shown_columns
    head = "".join(
        f'<th scope="col" role="columnheader"{_align(column)}>{escape(column.header)}</th>' for column in columns
    )
    body = "".join(_panel(columns, name, rows) for name, rows in table.panels())
    unit = f' <span class="unit">({escape(table.unit)})</span>' if table.unit else ""
    is_pair = len(columns) == 2
    kind = " pair" if is_pair else " cards" if _is_long(table) else " many" if len(columns) >= _MANY else ""
    kind += " dense" if len(columns) >= _DENSE else ""
    return (
        f'<div class="scroll{kind}" role="group" tabindex="0" aria-label="{escape(table.caption)}"><table role="table">'
        f"<caption><span>{numbered('Table', number)}{escape(table.caption)}{unit}</span></caption>"
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>{body}</table></div>'
    )


def _panel(columns: tuple[Column, ...], name: str, rows: tuple[tuple[Cell, ...], ...]) -> str:
    """Return the rows of a panel, under its heading where it has one."""
    across = f' colspan="{len(columns)}"' if len(columns) > 1 else ""
    head = f'<tr role="row" class="panel"><th scope="rowgroup" role="rowheader"{across}>{escape(name)}</th></tr>'
    body = "".join(f'<tr role="row">{_row(columns, row)}</tr>' for row in rows)
    return f'<tbody role="rowgroup">{head if name else ""}{body}</tbody>'


def _is_long(table: Table) -> bool:
    """Return whether a table holds texts for which a column of a small screen is too narrow."""
    return any(len(cell.text) > _LONG for row in shown_rows(table) for cell in row[1:])


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


_WHOLE: Final = ("count", "school_count", "pupil_count")
REASON: Final = "reason"
"""The column of a frame that says why numbers of its row are missing; `reason_missing` where a table has a `reason`."""


def table_frame(table: Table) -> pd.DataFrame:
    """Return a table as a frame: keys for columns, two for an interval, numbers in full.

    What is not given is missing, and the last column says why (`Standard error: Only one school …`); it is empty where
    a row lacks nothing. `attrs` hold the caption, the notes and each column's header.
    """
    import pandas as pd  # a page and a CSV need none

    made: dict[str, pd.Series] = {}
    for at, column in enumerate(table.columns):
        cells = [row[at] for row in table.rows]
        if column.kind == "interval":
            for end in ("lower", "upper"):
                ends = [getattr(cell, end) if isinstance(cell, Interval) else None for cell in cells]
                made[f"{column.key}_{end}"] = pd.Series(ends, dtype="float64")
        else:
            made[column.key] = _frame_column(column, cells)
    made[f"{REASON}_missing" if REASON in made else REASON] = pd.Series(
        [_reasons(table, row) for row in table.rows], dtype="str"
    )
    frame = pd.DataFrame(made)
    headers = {column.key: column.header for column in table.columns}
    frame.attrs = {"caption": table.caption, "notes": list(table.notes), "headers": headers}
    return frame


def _frame_column(column: Column, cells: list[Cell]) -> pd.Series:
    import pandas as pd

    lacks = [_why_missing(column, cell) for cell in cells]
    known = [None if why else cell for cell, why in zip(cells, lacks, strict=True)]
    if not column.is_numeric:
        return pd.Series([None if cell is None else _plain_sign(str(cell)) for cell in known], dtype="str")
    return pd.Series(known, dtype="Int64" if column.kind in _WHOLE else "float64")


def _why_missing(column: Column, cell: Cell) -> str:
    """Return why a cell holds no value of its column: its reason, or the words that stand where a number would."""
    if isinstance(cell, Unavailable):
        return cell.reason
    return cell if column.is_numeric and isinstance(cell, str) else ""


def _plain_sign(text: str) -> str:
    """Return an event time before the start as a program reads it; other words as they are."""
    return text.replace(MINUS, "-") if text.lstrip(MINUS).isdigit() else text


def _reasons(table: Table, row: tuple[Cell, ...]) -> str:
    """Return why each column of a row is missing, those that lack for one reason together."""
    columns: dict[str, list[str]] = {}
    for column, cell in zip(table.columns, row, strict=True):
        if why := _why_missing(column, cell):
            columns.setdefault(why, []).append(column.header)
    return " ".join(f"{', '.join(headers)}: {reason}" for reason, headers in columns.items())


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


# What a notebook keeps of a noun it shows: HTML in its colours, plain text, and the record it is read back from.

STYLE: Final = """<style>
.evalkit-shown.evalkit-shown { color: var(--jp-ui-font-color1, inherit); max-width: 76rem; }
.evalkit-shown.evalkit-shown p { margin: 0.35em 0; max-width: 60rem; }
.evalkit-shown.evalkit-shown li { max-width: 58rem; }
.evalkit-shown.evalkit-shown p.note { color: var(--jp-ui-font-color2, inherit); font-size: 0.92em; }
.evalkit-shown .evalkit-headline p { font-size: 1.12em; }
.evalkit-shown .evalkit-banner p { font-weight: 600; }
.evalkit-shown .scroll { overflow: auto; max-height: 36rem; }
.evalkit-shown.evalkit-shown table { border-collapse: collapse; margin: 0.6em 0 0.3em; color: inherit;
  font-variant-numeric: tabular-nums; }
.evalkit-shown.evalkit-shown caption { caption-side: top; text-align: left; font-weight: 600; padding: 0.2em 0;
  color: inherit; }
.evalkit-shown.evalkit-shown th, .evalkit-shown.evalkit-shown td { text-align: left; vertical-align: top;
  padding: 0.3em 1.1em 0.3em 0; border: 0; white-space: normal; background: none; min-width: 3rem; max-width: 34rem; }
.evalkit-shown.evalkit-shown tr { background: none; }
.evalkit-shown.evalkit-shown thead th { border-bottom: 1px solid currentColor; vertical-align: bottom; }
.evalkit-shown.evalkit-shown tbody tr { border-bottom: 1px solid var(--jp-border-color2, #8886); }
.evalkit-shown.evalkit-shown tbody th { font-weight: 400; }
.evalkit-shown.evalkit-shown .num { text-align: right; }
.evalkit-shown.evalkit-shown td.num { white-space: nowrap; }
.evalkit-shown.evalkit-shown td.reason { font-style: italic; max-width: 24rem; }
.evalkit-shown.evalkit-shown td.long { min-width: 18rem; }
.evalkit-shown figure { margin: 0.5em 0; }
.evalkit-shown img { max-width: 100%; background: white; }
</style>"""


def in_notebook(html: str) -> str:
    """Return parts of a report with what a notebook needs to show them as the report does."""
    return f'<div class="evalkit-shown">{STYLE}{html}</div>'


PART_MIME: Final = "application/vnd.evalkit.part+json"
"""Type of the record. It serves the documents made beside a notebook and is left out where a notebook is released."""


def bundle(html: str, text: str, record: Mapping[str, object]) -> dict[str, object]:
    """Return what `_repr_mimebundle_` of a noun answers."""
    return {"text/html": in_notebook(html), "text/plain": text, PART_MIME: dict(record)}
