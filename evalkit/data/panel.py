"""The tables every design starts from: the same units in several periods, or other people in each period."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.data.ids import refuse_lookalikes
from evalkit.data.roles import Roles, checked_table, codes_of, named, require_columns, require_known, whole_numbers

__all__ = ["Panel", "Roles"]


# The table every design starts from: one row per unit and period.

_SPARSE = 4
"""Up to this many places a row, rows are put in order by counting; beyond it by sorting."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Panel(Shown):
    """Units over periods, with the columns unit, period, outcome, cohort, cluster, weight, and the covariates.

    `cohort` is the first treated period, missing for units never treated; `cluster` is the unit
    itself where no column plays that part, `weight` is 1. Rows are sorted by unit and period; a unit
    need not have every period. Build one with `Panel.from_frame`; a `Panel` that exists has
    passed every check.

    Attributes
    ----------
    frame : DataFrame, one row per unit and period
    units : Index, shape (n_units,), sorted
    periods : tuple of int, sorted
    unit_codes, period_codes : shape (n_rows,)
        Position of each row's unit in `units` and of its period in `periods`.
    covariates : tuple of str
        Columns of `frame` that may be used to compare.
    clustered_by : "unit", "cluster" where a column that holds several units was named, or "matched set"
    first_rows : shape (n_units,), position of each unit's first row

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Panel, Roles
    >>> frame = pd.DataFrame({"school": list("AABB"), "year": [2018, 2019] * 2, "score": [10.0, 12.0, 11.0, 11.5]})
    >>> frame["first_year"] = frame["school"].map({"A": 2019})
    >>> panel = Panel.from_frame(frame, Roles(unit="school", period="year", outcome="score", cohort="first_year"))
    >>> panel.wide()
    period  2018  2019
    unit
    A       10.0  12.0
    B       11.0  11.5
    """

    frame: pd.DataFrame
    units: pd.Index
    periods: tuple[int, ...]
    unit_codes: NDArray[np.int64]
    period_codes: NDArray[np.int64]
    covariates: tuple[str, ...] = ()
    clustered_by: str = "unit"
    first_rows: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "first_rows", np.flatnonzero(np.diff(self.unit_codes, prepend=-1)))

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, roles: Roles) -> Panel:
        """Copy, rename and check a table; raise `DataError` where a check fails."""
        require_columns(frame, roles)
        by_part = {part: frame[column] for part, column in roles.columns().items()}
        require_known([by_part[part] for part in ("unit", "period", "cluster") if part in by_part])
        unit_codes, units = codes_of(by_part["unit"], "unit")
        refuse_lookalikes(units, "unit")
        period = whole_numbers(by_part["period"], "period")
        period_codes, periods = codes_of(pd.Series(period), "period")
        order = _order(unit_codes, period_codes, len(units), len(periods))
        if order is not None:
            unit_codes, period_codes, period = unit_codes[order], period_codes[order], period[order]
            by_part = {part: column.iloc[order] for part, column in by_part.items()}
        _require_one_row(unit_codes, period_codes, units, periods)
        cluster = by_part.get("cluster", by_part["unit"]).array
        table = checked_table(by_part, period, cluster, roles.covariates, "unit")
        _require_fixed(unit_codes, table["cohort"], units, "cohort", "a cohort is the first treated period")
        clustered_by = "unit"
        if "cluster" in by_part:
            clusters = pd.Index(by_part["cluster"].unique())
            clustered_by = "cluster" if len(clusters) < len(units) else "unit"
            refuse_lookalikes(clusters, "cluster")
            _require_fixed(unit_codes, table["cluster"], units, "cluster", "a unit belongs to one cluster")
        return cls(table, units, tuple(periods.tolist()), unit_codes, period_codes, roles.covariates, clustered_by)

    @property
    def is_balanced(self) -> bool:
        """Return whether every unit has every period."""
        return len(self.frame) == len(self.units) * len(self.periods)

    def wide(self) -> pd.DataFrame:
        """Return outcomes as unit × period, missing where a unit lacks a period."""
        columns = pd.Index(self.periods, name="period", dtype="int64")
        return pd.DataFrame(self.grid("outcome"), index=self.units, columns=columns)

    def grid(self, column: str) -> NDArray[np.float64]:
        """Return a numeric column as an array, shape (n_units, n_periods), NaN where a unit lacks a period."""
        values = self.frame[column].to_numpy(dtype=float)
        shape = (len(self.units), len(self.periods))
        if self.is_balanced:
            return values.reshape(shape)
        grid = np.full(shape, np.nan)
        grid[self.unit_codes, self.period_codes] = values
        return grid

    def restricted(self, keep: NDArray[np.bool_]) -> Panel:
        """Return the panel of the rows kept, shape (n_rows,); units and periods without a row are gone."""
        unit, unit_codes = np.unique(self.unit_codes[keep], return_inverse=True)
        period, period_codes = np.unique(self.period_codes[keep], return_inverse=True)
        frame = self.frame.loc[keep].reset_index(drop=True)
        periods = tuple(self.periods[at] for at in period)
        return Panel(frame, self.units[unit], periods, unit_codes, period_codes, self.covariates, self.clustered_by)

    def by_unit(self) -> pd.DataFrame:
        """Return cohort, cluster and mean weight of each unit."""
        first = self.frame.iloc[self.first_rows]
        weight = np.bincount(self.unit_codes, self.frame["weight"].to_numpy()) / np.bincount(self.unit_codes)
        columns = {"cohort": first["cohort"].array, "cluster": first["cluster"].array, "weight": weight}
        return pd.DataFrame(columns, index=self.units)


def _order(
    unit: NDArray[np.int64], period: NDArray[np.int64], n_units: int, n_periods: int
) -> NDArray[np.int64] | None:
    """Return the order of rows by unit, then period, None where they stand so; equal rows keep their order."""
    key = unit * n_periods + period
    if (key[1:] >= key[:-1]).all():
        return None
    places = n_units * n_periods
    if places <= _SPARSE * len(key):
        at = np.full(places, -1, dtype=np.int64)
        at[key] = np.arange(len(key))
        rows_in_order = at[at >= 0]
        if len(rows_in_order) == len(key):
            return rows_in_order
    return np.argsort(key, kind="stable")


def _require_one_row(unit: NDArray[np.int64], period: NDArray[np.int64], units: pd.Index, periods: pd.Index) -> None:
    twice = np.flatnonzero((unit[1:] == unit[:-1]) & (period[1:] == period[:-1]))
    if len(twice):
        at = int(twice[0])
        raise DataError(
            f"Unit {named(units[unit[at]])} has two rows in period {periods[period[at]]}. "
            "Keep one row for each unit and period."
        )


def _require_fixed(codes: NDArray[np.int64], values: pd.Series, units: pd.Index, column: str, meaning: str) -> None:
    numbers = values.to_numpy() if column == "cohort" else codes_of(values, column)[0]
    before, after = numbers[:-1], numbers[1:]
    # NaN is not itself: two missing cohorts are the same, never treated
    differs = (before != after) & ~((before != before) & (after != after)) & (codes[1:] == codes[:-1])
    if differs.any():
        unit = units[codes[int(np.argmax(differs))]]
        raise DataError(f"Unit {named(unit)} changes {column} over time; {meaning}.")


# Repeated cross-sections: other people in each period, for example the pupils of the same schools.


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CrossSections(Shown):
    """Observations of different people in each period, with the columns of a `Panel`.

    Every row is one observation. `unit` names the row, or the group that several rows of one period
    share (a school of pupils); `cluster` is what errors are clustered by: the column of that part where
    there is one, else the unit where units hold several rows of one period, else the row itself.

    Attributes
    ----------
    frame : DataFrame, one row per observation, sorted by period and otherwise as given
    periods : tuple of int, sorted
    period_codes : shape (n_rows,)
    covariates : tuple of str
    clustered_by : "cluster", "unit" or "row"

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import CrossSections, Roles
    >>> frame = pd.DataFrame({"school": list("AABBAB"), "year": [2018] * 4 + [2019] * 2, "score": range(6)})
    >>> frame["first_year"] = frame["school"].map({"A": 2019})
    >>> roles = Roles(unit="school", period="year", outcome="score", cohort="first_year")
    >>> pupils = CrossSections.from_frame(frame, roles)
    >>> pupils.periods, pupils.clustered_by
    ((2018, 2019), 'unit')
    """

    frame: pd.DataFrame
    periods: tuple[int, ...]
    period_codes: NDArray[np.int64]
    covariates: tuple[str, ...]
    clustered_by: str

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, roles: Roles) -> CrossSections:
        """Copy, rename and check a table; raise `DataError` where a check fails."""
        require_columns(frame, roles)
        by_part = {part: frame[column] for part, column in roles.columns().items()}
        require_known([by_part[part] for part in ("unit", "period", "cluster") if part in by_part])
        for part in ("unit", "cluster"):
            if part in by_part:
                refuse_lookalikes(pd.Index(by_part[part].unique()), part)
        period = whole_numbers(by_part["period"], "period")
        codes, periods = codes_of(pd.Series(period), "period")
        # rows of a period keep their order; half as many bytes are sorted faster
        order = np.argsort(codes.astype(np.int32), kind="stable")
        codes, period = codes[order], period[order]
        by_part = {part: column.iloc[order] for part, column in by_part.items()}
        cluster, clustered_by = _cluster(by_part, codes)
        table = checked_table(by_part, period, cluster, roles.covariates, "an observation of")
        _require_one_cohort(table, clustered_by)
        return cls(table, tuple(periods.tolist()), codes, roles.covariates, clustered_by)

    def restricted(self, keep: NDArray[np.bool_]) -> CrossSections:
        """Return the cross-sections of the rows kept, shape (n_rows,); periods without a row are gone."""
        period, codes = np.unique(self.period_codes[keep], return_inverse=True)
        frame = self.frame.loc[keep].reset_index(drop=True)
        return CrossSections(frame, tuple(self.periods[at] for at in period), codes, self.covariates, self.clustered_by)


def _cluster(rows: dict[str, pd.Series], codes: NDArray[np.int64]) -> tuple[object, str]:
    """Return what errors are clustered by: a named column, units of several rows in a period, or the row."""
    if "cluster" in rows:
        return rows["cluster"].array, "cluster"
    unit, units = codes_of(rows["unit"], "unit")
    place = unit * (int(codes.max(initial=0)) + 1) + codes
    if len(units) < len(place) and pd.Series(place).duplicated().any():
        return rows["unit"].array, "unit"
    return np.arange(len(place)), "row"


def _require_one_cohort(table: pd.DataFrame, clustered_by: str) -> None:
    """Raise `DataError` where the rows of one unit that is a group start in different periods."""
    if clustered_by != "unit":
        return
    codes, units = codes_of(table["unit"], "unit")
    # any number would do that is no period: never-treated must equal never-treated
    cohort = table["cohort"].fillna(-np.inf).to_numpy()
    last = np.empty(len(units))
    last[codes] = cohort
    differs = last[codes] != cohort
    if differs.any():
        raise DataError(
            f"Unit {named(units[codes[int(np.argmax(differs))]])} holds rows of different cohorts; a cohort is the "
            "first treated period of the unit."
        )
