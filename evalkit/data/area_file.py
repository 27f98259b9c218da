"""A user's own table with a row for each area and period."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.words import counted
from evalkit.data.area_series import AreaRoles, AreaSeries
from evalkit.data.codes import coded_notes
from evalkit.data.long_files import Columns, read_columns


def read_area_file(path: Path, roles: AreaRoles) -> AreaSeries:
    """Return the areas over periods of a CSV (also .csv.gz) or Parquet file, areas by their text as it stands there.

    Periods are whole numbers, or all of them school years, quarters or months, which the series' `scale` numbers. In
    the outcome percent signs and thousands separators are read, and an empty cell and the codes of published tables
    are missing: an area whose outcome is missing lacks that period. Raise `DataError` where the file cannot be read, a
    unit or period is missing, a cell is not what its column holds, or an area has two rows in a period.
    """
    columns = read_columns(path, [roles.unit], [roles.outcome], periods=[roles.period])
    columns.require_ids(roles.unit)
    period, outcome = columns.numbers[roles.period], columns.numbers[roles.outcome]
    _refuse(columns, np.isnan(period), roles.period, "the period is missing. Fill it in, or leave such rows out")
    with np.errstate(invalid="ignore"):
        odd = np.isinf(period) | (period != np.floor(period))
    _refuse(columns, odd, roles.period, "a period is a whole number, such as a year. Correct it")
    _refuse(columns, np.isinf(outcome), roles.outcome, "an infinite number cannot be used. Correct it")
    series = AreaSeries.from_frame(pd.DataFrame(columns.texts | columns.numbers, copy=False), roles)
    lacking = int(np.isnan(outcome).sum())
    rows = counted(lacking, "row has no outcome", "rows have no outcome")
    notes = [f"{rows}; such an area lacks that period."] if lacking else []
    told = (*notes, *columns.notes, *coded_notes(columns.codes), *filter(None, [columns.scale.note]))
    return replace(series, notes=told, scale=columns.scale)


def _refuse(columns: Columns, bad: NDArray[np.bool_], name: str, why: str) -> None:
    if bad.any():
        others = "" if bad.sum() == 1 else f" ({bad.sum():,} such rows)"
        raise DataError(f"{columns.name}: {columns.place(int(np.argmax(bad)))}: column {name!r}: {why}{others}.")
