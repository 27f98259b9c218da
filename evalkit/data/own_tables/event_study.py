"""Coefficients of an event study and their covariance, from two files that any program can write."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.errors import DataError
from evalkit.core.words import shown_cell
from evalkit.data.own_tables.columns import guarded, read_columns
from evalkit.data.own_tables.csv_records import opened

_MOST_BYTES: Final = 4_000_000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EventStudyFile:
    """Event times, estimates, shape (n,), and their covariance, shape (n, n), in the order of the rows."""

    event_times: tuple[int, ...]
    estimates: Floats
    covariance: Floats


def read_event_study(file: Path, covariance: Path) -> EventStudyFile:
    """Return what two files hold: a table with columns `event_time` and `estimate`, and a matrix without a header.

    Raises `DataError` where a file cannot be read, a time is no whole number, a cell holds no number, or the matrix has
    another number of rows and columns than the table has rows.
    """
    columns = read_columns(file, [], ["event_time", "estimate"])
    for name in ("event_time", "estimate"):
        is_lacking = ~np.isfinite(columns.numbers[name])
        if is_lacking.any():
            where = columns.place(int(is_lacking.argmax()))
            raise DataError(f"{file.name}: {where}: column '{name}' holds no number. Every row needs one.")
    times = columns.numbers["event_time"]
    is_odd = times != np.round(times)
    if is_odd.any():
        at = int(is_odd.argmax())
        raise DataError(
            f"{file.name}: {columns.place(at)}: the event time {times[at]:g} is no whole number of periods."
        )
    matrix = guarded(covariance, lambda: _matrix(covariance, len(times)))
    return EventStudyFile(
        event_times=tuple(map(int, times)),
        estimates=np.asarray(columns.numbers["estimate"], dtype=float),
        covariance=matrix,
    )


def _matrix(path: Path, n: int) -> Floats:
    """Return a square matrix of n rows of numbers with commas between, without a header."""
    with opened(path) as stream:
        data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise DataError(f"{path.name}: the file is too large to be the covariance of {n} estimates.")
    rows = [(at, row) for at, row in enumerate(csv.reader(io.StringIO(_text(path, data))), start=1) if any(row)]
    numbers = [[_number(path, at, cell) for cell in row] for at, row in rows]
    if len(numbers) != n or any(len(row) != n for row in numbers):
        widths = sorted({len(row) for row in numbers})
        raise DataError(
            f"{path.name}: the covariance of {n} estimates has {n} rows of {n} numbers, in the order of the estimates' "
            f"rows, without a header. Found: {len(numbers)} rows of {', '.join(map(str, widths)) or 'no'} numbers."
        )
    return np.array(numbers)


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path.name}: the file is no text in UTF-8. Save it as 'CSV UTF-8'.") from None


def _number(path: Path, line: int, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        hint = " The matrix stands without names of columns or rows." if line == 1 or cell.strip() else ""
        raise DataError(f"{path.name}: line {line}: {shown_cell(cell)} is no number.{hint}") from None
