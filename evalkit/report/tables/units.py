"""How many units there are, by arm, cohort or reason: the table does not know whether they are people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.quantities import Unavailable
from evalkit.core.words import listed
from evalkit.report.disclosure import ReleasedTable, release
from evalkit.report.prose import Prose
from evalkit.report.table import Cell, Column, Table

UNKNOWN: Final = (
    f"Nothing says whether these units are people, so counts below {FEWEST_PEOPLE}, and what would tell them, are "
    "withheld."
)


def counts(caption: str, names: tuple[str, ...], rows: Sequence[tuple[str, *tuple[int, ...]]]) -> ReleasedTable:
    """Return counts under the headers `names` (the first names the rows), the last row their sum.

    A row of nothing but zeros is left out: that nobody is there is not told as a small count.
    """
    columns = (
        Column("row", names[0]),
        *(Column(f"n_{at}", name, "pupil_count") for at, name in enumerate(names[1:], start=1)),
    )
    cells: tuple[tuple[Cell, ...], ...] = tuple((name, *map(int, values)) for name, *values in rows if any(values))
    table = Table(caption=caption, columns=columns, rows=cells, has_total_row=True)
    released = release(table, FEWEST_PEOPLE)
    return released if released.table.rows == cells else noted(released, UNKNOWN)


def noted(table: ReleasedTable, note: str) -> ReleasedTable:
    """Return a table with a note more."""
    return ReleasedTable(replace(table.table, notes=(*table.table.notes, note)), table.threshold)


def plain(
    caption: str, columns: tuple[Column, ...], rows: Sequence[tuple[Cell, ...]], notes: Sequence[str] = ()
) -> ReleasedTable:
    """Return a table that holds no count of people; one row says so where there is none."""
    none = Unavailable("There is nothing to show.")
    filled = tuple(rows) or (("None", *(none,) * (len(columns) - 1)),)
    kept = tuple(dict.fromkeys(note for note in notes if note))
    return release(Table(caption=caption, columns=columns, rows=filled, notes=kept), FEWEST_PEOPLE)


def sentences(*said: str) -> Prose:
    """Return sentences as a paragraph, empty ones left out."""
    return Prose(tuple(sentence for sentence in said if sentence))


def named(label: str, names: Sequence[object], most: int = 12) -> str:
    """Return `label: a, b and c.`, or an empty text where there are none."""
    return f"{label}: {listed([str(name) for name in names], most)}." if len(names) else ""
