"""Areas over periods: one outcome, a row for each area, a column for each period; from a frame or a user's own file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.core.words import counted, did_you_mean, listed
from evalkit.data.areas.authorities import follow_areas
from evalkit.data.ids import id_order, refuse_lookalikes
from evalkit.data.measures import Break
from evalkit.data.own_tables.columns import Columns, read_columns
from evalkit.data.own_tables.year_labels import PeriodScale
from evalkit.data.published.codes import coded_notes
from evalkit.data.roles import LARGEST, as_numbers, named, whole_numbers

# Areas over periods: one outcome, a row for each area, a column for each period.


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaRoles:
    """Which column of a long table is the area, which the period, which the outcome."""

    unit: str
    period: str
    outcome: str

    def __post_init__(self) -> None:
        parts = {"unit": self.unit, "period": self.period, "outcome": self.outcome}
        for part, column in parts.items():
            other = next(
                (name for name, taken_column in parts.items() if taken_column == column and name != part), None
            )
            if other:
                raise DataError(f"The column '{column}' is named as {part} and as {other}. Name one for each.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AreaSeries(Shown):
    """One outcome of areas over periods, NaN where an area lacks a period; a series that exists has passed every check.

    Attributes
    ----------
    outcome : what was measured, in words
    areas : Index, shape (n_areas,), in the order of ids (numbers by size; texts by length, then by letter)
    periods : tuple of int, sorted; each has a value of some area
    values : shape (n_areas, n_periods)
    names : the name of an area, where it differs from its id
    breaks : changes in how the outcome is made
    notes : what a reader of the source must know
    scale : how the labels of the source became `periods`; a start in the source's words is `scale.number(…)`

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import AreaRoles, AreaSeries
    >>> frame = pd.DataFrame({"area": ["N", "N", "S"], "year": [2018, 2019, 2018], "rate": [4.1, 4.6, 3.0]})
    >>> series = AreaSeries.from_frame(frame, AreaRoles(unit="area", period="year", outcome="rate"))
    >>> series.values
    array([[4.1, 4.6],
           [3. , nan]])
    >>> series.within(2018, 2018).periods
    (2018,)
    """

    outcome: str
    areas: pd.Index
    periods: tuple[int, ...]
    values: Floats
    names: Mapping[object, str] = field(default_factory=dict)
    breaks: tuple[Break, ...] = ()
    notes: tuple[str, ...] = ()
    scale: PeriodScale = field(default_factory=PeriodScale)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, roles: AreaRoles) -> AreaSeries:
        """Copy a long table with a row for each area and period; raise `DataError` where a check fails.

        A row whose outcome is missing counts as a period that the area lacks.
        """
        _require_columns(frame, roles)
        if not len(frame):
            raise DataError("The table has no rows. Check how it was read or filtered.")
        unit, period = frame[roles.unit], frame[roles.period]
        if unit.isna().any() or period.isna().any():
            raise DataError("A row of the table has no unit or period. Fill it in or leave the row out.")
        numbers = as_numbers(frame[roles.outcome])
        _require_numbers(frame[roles.outcome], numbers)
        codes, areas = _ordered(unit)
        years, at = np.unique(whole_numbers(period, "period"), return_inverse=True)
        _require_one_row(codes, at, areas, years)
        values = np.full((len(areas), len(years)), np.nan)
        values[codes, at] = numbers
        has_any = ~np.isnan(values).all(axis=0)
        if not has_any.any():
            raise DataError(f"The outcome '{roles.outcome}' is missing in every row, so there is nothing to compare.")
        periods = tuple(int(year) for year in years[has_any])
        return cls(outcome=roles.outcome, areas=areas, periods=periods, values=values[:, has_any])

    def within(self, first: int, last: int) -> AreaSeries:
        """Return the periods from `first` to `last`; raise `DataError` where none lies there."""
        keep = [at for at, period in enumerate(self.periods) if first <= period <= last]
        if not keep:
            raise DataError(
                f"No period lies between {first} and {last}. The series has {listed([str(t) for t in self.periods])}."
            )
        return replace(self, periods=tuple(self.periods[at] for at in keep), values=self.values[:, keep])

    def name(self, area: object) -> str:
        """Return what a reader calls an area."""
        return self.names.get(area, str(area))

    def position(self, area: object) -> int:
        """Return where an area stands; raise `DataError` with the nearest known one where it is not there."""
        positions = np.flatnonzero(self.areas == area)
        if not len(positions):
            known = [str(area_id) for area_id in self.areas]
            by_name = next((str(area_id) for area_id, name in self.names.items() if name == area), "")
            hint = f" Its id is '{by_name}'." if by_name else did_you_mean(str(area), known)
            raise DataError(f"There is no area '{area}' in the table.{hint} It has {listed(known, 6)}.")
        return int(positions[0])


def _require_columns(frame: pd.DataFrame, roles: AreaRoles) -> None:
    header = [str(name) for name in frame.columns]
    for column in (roles.unit, roles.period, roles.outcome):
        if header.count(column) != 1:
            hint = did_you_mean(column, header)
            what = "stands in the table twice" if column in header else f"is not in the table.{hint} It has"
            raise DataError(f"The column '{column}' {what}: {listed(header, 20)}.")


def _require_numbers(outcome: pd.Series, numbers: Floats) -> None:
    is_no_number = np.isnan(numbers) & outcome.notna().to_numpy()
    if is_no_number.any():
        raise DataError(
            f"The outcome {named(outcome[is_no_number].iloc[0])} is not a number. Correct it, or leave it empty."
        )
    if (np.abs(numbers) > LARGEST).any():
        raise DataError("An outcome is infinite or too large to be squared. Use another unit of it.")


def _ordered(unit: pd.Series) -> tuple[NDArray[np.int64], pd.Index]:
    """Return the position of each row's area, and the areas in the order of their ids."""
    codes, distinct = pd.factorize(unit)
    areas = pd.Index(distinct, name=None)
    refuse_lookalikes(areas, "area")
    order = id_order(areas)
    if order is None:
        return codes.astype(np.int64), areas
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[codes], areas[order]


def _require_one_row(
    codes: NDArray[np.int64], at: NDArray[np.int64], areas: pd.Index, years: NDArray[np.int64]
) -> None:
    cells, counts = np.unique(codes * len(years) + at, return_counts=True)
    if (counts > 1).any():
        cell = int(cells[np.argmax(counts > 1)])
        raise DataError(
            f"Area {named(areas[cell // len(years)])} has two rows in period {years[cell % len(years)]}. "
            "Keep one row for each area and period."
        )


def read_area_file(path: Path, roles: AreaRoles) -> AreaSeries:
    r"""Return the areas over periods of a CSV (also .csv.gz) or Parquet file, areas by their text as it stands there.

    Periods are whole numbers, or all of them school years, quarters or months, which the series' `scale` numbers. In
    the outcome percent signs and thousands separators are read, and an empty cell and the codes of published tables
    are missing: an area whose outcome is missing lacks that period. Raise `DataError` where the file cannot be read, a
    unit or period is missing, a cell is not what its column holds, or an area has two rows in a period.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import AreaRoles, read_area_file
    >>> path = Path("areas.csv")
    >>> rows = "North,2017/18,4.1%\nNorth,2018/19,4.6%\nSouth,2017/18,3.0%\nSouth,2018/19,c\n"
    >>> _ = path.write_text("area,year,rate\n" + rows)
    >>> series = read_area_file(path, AreaRoles(unit="area", period="year", outcome="rate"))
    >>> series.areas.tolist(), series.periods
    (['North', 'South'], (2018, 2019))
    >>> series.values
    array([[4.1, 4.6],
           [3. , nan]])
    >>> series.notes[1]
    "In 'rate' count as missing: 1 cell c (confidential)."
    """
    columns = read_columns(path, [roles.unit], [roles.outcome], periods=[roles.period])
    columns.require_ids(roles.unit)
    period, outcome = columns.numbers[roles.period], columns.numbers[roles.outcome]
    _refuse(columns, np.isnan(period), roles.period, "the period is missing. Fill it in, or leave such rows out")
    with np.errstate(invalid="ignore"):
        is_no_period = np.isinf(period) | (period != np.floor(period))
    _refuse(columns, is_no_period, roles.period, "a period is a whole number, such as a year. Correct it")
    _refuse(columns, np.isinf(outcome), roles.outcome, "an infinite number cannot be used. Correct it")
    series = AreaSeries.from_frame(pd.DataFrame(columns.texts | columns.numbers, copy=False), roles)
    lacking = int(np.isnan(outcome).sum())
    rows = counted(lacking, "row has no outcome", "rows have no outcome")
    notes = [f"{rows}; such an area lacks that period."] if lacking else []
    all_notes = (*notes, *columns.notes, *coded_notes(columns.codes), *filter(None, [columns.scale.note]))
    return replace(series, notes=all_notes, scale=columns.scale)


def _refuse(columns: Columns, bad: NDArray[np.bool_], name: str, why: str) -> None:
    if bad.any():
        other_rows = "" if bad.sum() == 1 else f" ({bad.sum():,} such rows)"
        raise DataError(f"{columns.name}: {columns.place(int(np.argmax(bad)))}: column {name!r}: {why}{other_rows}.")


def unjoined(series: AreaSeries, names: Mapping[Any, str], years: Iterable[int]) -> str:
    """Return in a sentence which areas were made from others within the years of a series; empty where none was.

    `years` are the later ones of school years. An area that has a value throughout is not told of: the source itself
    gives it those of the areas before it.
    """
    asked = sorted(years)
    lacks = {area: bool(np.isnan(row).any()) for area, row in zip(series.areas.tolist(), series.values, strict=True)}
    history = follow_areas(date(asked[0] - 1, 9, 1), date(asked[-1], 8, 31))
    made = [one.code for one in history.decisions if one.decision == "began" and lacks.get(one.code, False)]
    if not made:
        return ""
    told = listed([f"{names[code]} ({code})" for code in made])
    return f"Areas made from others within these years are not joined up with them: {told}."
