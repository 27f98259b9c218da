"""Every table of results as it will be filled: the report's own tables, their results left blank."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.table import Cell, Column, Table

BLANK: Final = "…"
"""What stands where a result will."""
LABELS: Final = frozenset(
    {
        "analysis",
        "arm",
        "assumption",
        "choice",
        "cohort",
        "design",
        "estimator",
        "event_time",
        "family",
        "inference",
        "item",
        "method",
        "outcome",
        "part",
        "period",
        "role",
        "scale",
        "step",
        "subgroup",
        "test",
        "when",
        "year",
        "years",
    }
)
"""Columns that say what a row is of, known before outcomes; every other column is left blank."""
_ONE_ROW: Final = ("left_out",)
"""Columns that name what a result picks out, such as the school that moves it most: how many rows there will be is not
known."""


def shells(tables: Mapping[str, ReleasedTable], known: Iterable[object]) -> dict[str, ReleasedTable]:
    """Return tables of results with every result left blank, by the names of their files.

    `tables` are the report's, of made-up results: they have the rows and columns of those to come, being made by what
    makes those. `known` are parts whose content is known before outcomes and that the plan shows as they are; a table
    of words alone has no result to leave blank.
    """
    shown = list(known)
    made = {name: table for name, table in tables.items() if table not in shown}
    return {name: shell_of(table) for name, table in made.items() if any(c.is_numeric for c in table.table.columns)}


def shell_of(table: ReleasedTable) -> ReleasedTable:
    """Return one table of results as a shell."""
    whole = table.table
    rows = whole.rows
    if any(column.key in _ONE_ROW for column in whole.columns):
        rows = rows[:1]
    columns = tuple(_column(column) for column in whole.columns)
    cells = tuple(tuple(_cells(whole, row)) for row in rows)
    made = Table(caption=whole.caption, columns=columns, rows=cells, unit=whole.unit, panel_by=_panel(whole))
    return release(made, table.threshold)


def _panel(table: Table) -> str:
    return table.panel_by if table.panel_by in LABELS else ""


def _is_label(column: Column) -> bool:
    return column.key in LABELS and not column.is_numeric


def _column(column: Column) -> Column:
    return column if _is_label(column) else Column(column.key, column.header)


def _cells(table: Table, row: tuple[Cell, ...]) -> Iterator[Cell]:
    for column, cell in zip(table.columns, row, strict=True):
        yield cell if _is_label(column) else BLANK
