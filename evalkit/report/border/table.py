"""A table before it is released: values with their kinds, not yet fit to be shown, and its record in JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

from evalkit.core.errors import EvalkitError
from evalkit.core.formats import MINUS, Precision, count, interval_text, number, p_text, pounds, visible
from evalkit.core.quantities import Interval, Unavailable

# A table before it is released: values with their kinds, not yet fit to be shown.

Kind = Literal[
    "text",
    "quote",
    "label",
    "estimate",
    "number",
    "interval",
    "p",
    "count",
    "school_count",
    "pupil_count",
    "percentage",
    "money",
]
Cell = str | int | float | Interval | Unavailable
"""A value, or the reason why there is none."""

_FORMATS: Final[dict[Kind, Callable[[Any], str]]] = {
    "text": str,
    "quote": str,
    "label": lambda value: str(value).replace("-", MINUS),
    "estimate": visible,
    "number": number,
    "interval": interval_text,
    "p": p_text,
    "count": count,
    "school_count": count,
    "pupil_count": count,
    "percentage": lambda value: number(value, 0) + "%",
    "money": pounds,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `key` names it in CSV, `header` on the page.

    A column of pupils may be the `is_total` of the other columns of pupils in its row; a column
    `derived_from` a column of pupils (a percentage, say) is suppressed where that one is. `decimals`
    are those of its estimates, numbers and intervals, None for what the kind has; where it `is_in_powers` they have
    three significant digits instead, in powers of ten.
    """

    key: str
    header: str
    kind: Kind = "text"
    is_total: bool = False
    derived_from: str = ""
    decimals: int | None = None
    is_in_powers: bool = False

    @property
    def is_numeric(self) -> bool:
        """Return whether the column's values are aligned as numbers."""
        return self.kind not in ("text", "quote", "label")


def measured(key: str, header: str, kind: Kind, made: Precision) -> Column:
    """Return a column of numbers written as finely as they were measured."""
    return Column(key, header, kind, decimals=made.decimals, is_in_powers=made.decimals is None)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Table:
    """Rows of cells under typed columns; the first column names the row.

    `has_total_row` says that the last row sums the rows above it. `panel_by` is the key of a column whose
    values are shown as headings of panels, each over the rows that have that value. Each of `row_sums` are places of
    rows, the first of which sums the others, and each of `column_sums` keys of columns likewise; rows of a table that
    `is_nested` count groups that lie within each other, so that what two of them differ by is a count as well.
    `people` is what its counts of pupils count, in words, where these are other people.
    Rows that are `dominated` have a number, a mean or a sum, of which one or two units make up most: it may not leave
    where units are people. `above` is said before the table, `notes` after it. A `Table` has no way to show itself:
    `release` makes the `ReleasedTable` that can.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    unit: str = ""
    notes: tuple[str, ...] = ()
    has_total_row: bool = False
    panel_by: str = ""
    above: tuple[str, ...] = ()
    row_sums: tuple[tuple[int, ...], ...] = ()
    column_sums: tuple[tuple[str, ...], ...] = ()
    is_nested: bool = False
    dominated: tuple[int, ...] = ()
    people: str = "pupils"

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise EvalkitError(f"The table '{self.caption}' has a row that does not fit its columns.")
        if len({column.key for column in self.columns}) != len(self.columns):
            raise EvalkitError(f"The table '{self.caption}' has two columns with one key.")

    def __repr__(self) -> str:
        return f"<Table not yet released: {self.caption}>"

    def column(self, key: str) -> tuple[Cell, ...]:
        """Return the cells of one column."""
        position = self._position(key)
        return tuple(row[position] for row in self.rows)

    def panels(self) -> tuple[tuple[str, tuple[tuple[Cell, ...], ...]], ...]:
        """Return the rows of each panel with its heading and without that column; all of them under "" without panels.

        Rows stand in the order of the table, those of one panel together.
        """
        if not self.panel_by:
            return (("", self.rows),)
        at = self._position(self.panel_by)
        rows = [(str(row[at]), (*row[:at], *row[at + 1 :])) for row in self.rows]
        names = dict.fromkeys(name for name, _ in rows)
        return tuple((name, tuple(row for of, row in rows if of == name)) for name in names)

    @property
    def shown_columns(self) -> tuple[Column, ...]:
        """Return the columns that are shown as such: all but the one whose values head the panels."""
        return tuple(column for column in self.columns if column.key != self.panel_by)

    def _position(self, key: str) -> int:
        return [column.key for column in self.columns].index(key)


def shown_text(cell: Cell, column: Column) -> str:
    """Return a cell of a column as readers see it."""
    is_measured = column.kind in ("estimate", "number", "interval") and not isinstance(cell, str | Unavailable)
    if is_measured and column.is_in_powers:
        made = Precision(None)
        return made.interval(cell) if isinstance(cell, Interval) else made.number(float(cell))  # type: ignore[arg-type]
    return cell_text(cell, column.kind, column.decimals)


def cell_text(cell: Cell, kind: Kind, decimals: int | None = None) -> str:
    """Return a cell as readers see it, with `decimals` where they are given and the kind has any."""
    if isinstance(cell, Unavailable):
        return cell.reason
    if isinstance(cell, str):
        return cell
    if decimals is not None and isinstance(cell, Interval):
        return Precision(decimals).interval(cell)
    if decimals is not None and kind in ("estimate", "number") and not isinstance(cell, Interval):
        return Precision(decimals).number(cell)
    return _FORMATS[kind](cell)


# A table as a JSON record, and the table of a record: every cell comes back as it was.


def table_record(table: Table) -> dict[str, object]:
    """Return a table as values JSON has."""
    record = {field.name: getattr(table, field.name) for field in fields(table)}
    if table.people == "pupils":
        del record["people"]
    return record | {
        "columns": [asdict(column) for column in table.columns],
        "rows": [[_cell_record(cell) for cell in row] for row in table.rows],
        "notes": list(table.notes),
        "above": list(table.above),
        "row_sums": [list(places) for places in table.row_sums],
        "column_sums": [list(keys) for keys in table.column_sums],
        "dominated": list(table.dominated),
    }


def table_from_record(record: Mapping[str, Any]) -> Table:
    """Return the table of a record; a record that does not fit raises `KeyError`, `TypeError` or `ValueError`."""
    return Table(
        **{
            **record,
            "columns": tuple(Column(**column) for column in record["columns"]),
            "rows": tuple(tuple(_cell(cell) for cell in row) for row in record["rows"]),
            "notes": tuple(record["notes"]),
            "above": tuple(record["above"]),
            "row_sums": tuple(tuple(places) for places in record.get("row_sums", ())),
            "column_sums": tuple(tuple(keys) for keys in record.get("column_sums", ())),
            "dominated": tuple(record.get("dominated", ())),
        }
    )


def _cell_record(cell: Cell) -> object:
    if isinstance(cell, Unavailable):
        return {"unavailable": cell.reason}
    if isinstance(cell, Interval):
        return {"interval": [float(cell.lower), float(cell.upper), float(cell.level)]}
    if isinstance(cell, float):
        return float(cell) if math.isfinite(cell) else {"number": repr(float(cell))}
    return cell if isinstance(cell, str) else int(cell)


def _cell(record: Any) -> Cell:
    if not isinstance(record, Mapping):
        return record  # type: ignore[no-any-return]  # a text or a number is itself
    if "unavailable" in record:
        return Unavailable(record["unavailable"])
    if "number" in record:
        return float(record["number"])
    return Interval(*record["interval"])


def sums_by(names: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Return the places of the rows of each outcome or arm: the first, of those listed, sums the others."""
    return tuple(tuple(at for at, name in enumerate(names) if name == one) for one in dict.fromkeys(names))
