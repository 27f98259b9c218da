"""Repeated cross-sections: other people in each period, for example the pupils of the same schools."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.data.ids import refuse_lookalikes
from evalkit.data.roles import (
    Roles,
    checked_table,
    codes_of,
    named,
    require_columns,
    require_known,
    whole_numbers,
)


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
        given = {part: frame[column] for part, column in roles.columns().items()}
        require_known([given[part] for part in ("unit", "period", "cluster") if part in given])
        for part in ("unit", "cluster"):
            if part in given:
                refuse_lookalikes(pd.Index(given[part].unique()), part)
        period = whole_numbers(given["period"], "period")
        codes, periods = codes_of(pd.Series(period), "period")
        order = np.argsort(codes.astype(np.int32), kind="stable")
        codes, period = codes[order], period[order]
        given = {part: column.iloc[order] for part, column in given.items()}
        cluster, clustered_by = _cluster(given, codes)
        table = checked_table(given, period, cluster, roles.covariates, "an observation of")
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
    cohort = table["cohort"].fillna(-np.inf).to_numpy()
    last = np.empty(len(units))
    last[codes] = cohort
    differs = last[codes] != cohort
    if differs.any():
        raise DataError(
            f"Unit {named(units[codes[int(np.argmax(differs))]])} holds rows of different cohorts; a cohort is the "
            "first treated period of the unit."
        )
