"""The cells of a table as readers see them, whatever draws them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from evalkit.core.quantities import Unavailable
from evalkit.report.table import Cell, Column, Table, cell_text

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
    name = ShownCell(cell_text(row[0], columns[0].kind, columns[0].decimals), "name")
    return [name, *(_shared([pair for _, pair in run]) for _, run in groupby(enumerate(pairs[1:]), key=_run_key))]


def _run_key(item: tuple[int, tuple[Column, Cell]]) -> object:
    position, (_, cell) = item
    return cell if isinstance(cell, Unavailable) else position


def _shared(run: list[tuple[Column, Cell]]) -> ShownCell:
    column, cell = run[0]
    if isinstance(cell, Unavailable):
        return ShownCell(cell.reason, "reason", len(run))
    kind: CellKind = "number" if column.is_numeric else "quote" if column.kind == "quote" else "text"
    return ShownCell(cell_text(cell, column.kind, column.decimals), kind)
