"""A table as a JSON record, and the table of a record: every cell comes back as it was."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from evalkit.core.quantities import Interval, Unavailable
from evalkit.report.table import Cell, Column, Table


def table_record(table: Table) -> dict[str, object]:
    """Return a table as values JSON has."""
    kept = {field.name: getattr(table, field.name) for field in fields(table)}
    return kept | {
        "columns": [asdict(column) for column in table.columns],
        "rows": [[_cell_record(cell) for cell in row] for row in table.rows],
        "notes": list(table.notes),
        "above": list(table.above),
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
