"""The table every design starts from: one row per unit and period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from evalkit.core.errors import DataError, DesignError
from evalkit.core.words import did_you_mean, listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which column of a table plays which part; `cluster` and `weight` may be left out."""

    unit: str
    period: str
    outcome: str
    cohort: str
    cluster: str | None = None
    weight: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Units over periods, with the columns unit, period, outcome, cohort, cluster, weight.

    `cohort` is the first treated period, missing for units never treated; `cluster` is the unit
    itself where no column plays that part, `weight` is 1. Rows are sorted by unit and period; a unit
    need not have every period. Build one with `Panel.from_frame`; a `Panel` that exists has
    passed every check.
    """

    frame: pd.DataFrame

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, roles: Roles) -> Panel:
        """Copy, rename and check a table; raise `DataError` where a check fails."""
        columns = {f.name: getattr(roles, f.name) for f in fields(roles) if getattr(roles, f.name) is not None}
        _require_columns(frame, columns)
        table = pd.DataFrame({role: frame[column] for role, column in columns.items()})
        table["cluster"] = table.get("cluster", table["unit"])
        table["weight"] = table.get("weight", 1.0)
        table = table.sort_values(["unit", "period"], ignore_index=True, kind="stable")
        _require_one_row(table)
        _require_fixed(table, "cohort", "a cohort is the first treated period")
        _require_fixed(table, "cluster", "a unit belongs to one cluster")
        _require_finite(table)
        return cls(table)

    @property
    def periods(self) -> tuple[int, ...]:
        """Return the periods observed, earliest first."""
        return tuple(int(period) for period in sorted(self.frame["period"].unique()))

    def wide(self) -> pd.DataFrame:
        """Return outcomes as unit × period, missing where a unit lacks a period."""
        return self.frame.pivot(index="unit", columns="period", values="outcome")

    def by_unit(self) -> pd.DataFrame:
        """Return cohort, cluster and mean weight of each unit."""
        return self.frame.groupby("unit").agg({"cohort": "first", "cluster": "first", "weight": "mean"})


def _require_columns(frame: pd.DataFrame, columns: dict[str, str]) -> None:
    missing = {column: role for role, column in columns.items() if column not in frame}
    if missing:
        wanted = ", ".join(f"'{column}' (as {role})" for column, role in missing.items())
        hint = did_you_mean(next(iter(missing)), map(str, frame.columns))
        raise DataError(
            f"The table has no column {wanted}.{hint}\nIt has: {listed(list(map(str, frame.columns)), 20)}."
        )


def _require_one_row(table: pd.DataFrame) -> None:
    twice = table[table.duplicated(["unit", "period"])]
    if not twice.empty:
        unit, period = twice.iloc[0][["unit", "period"]]
        raise DataError(f"Unit {unit!r} has two rows in period {period}. Keep one row for each unit and period.")


def _require_fixed(table: pd.DataFrame, column: str, meaning: str) -> None:
    changing = table.groupby("unit")[column].nunique(dropna=False)
    changing = changing[changing > 1]
    if not changing.empty:
        raise DataError(f"Unit {changing.index[0]!r} changes {column} over time; {meaning}.")


def _require_finite(table: pd.DataFrame) -> None:
    if table[["unit", "period", "cluster"]].isna().any(axis=None):
        raise DataError(
            "A row of the table has no unit, period or cluster. Fill it in or leave the row out, and try again."
        )
    for column in ("outcome", "weight"):
        odd = table[~np.isfinite(pd.to_numeric(table[column], errors="coerce").astype(float))]
        if not odd.empty:
            raise DataError(
                f"The {column} of unit {odd['unit'].iloc[0]!r} in period {odd['period'].iloc[0]} is missing or not "
                "finite. Leave such rows out, so that the loss is counted, and try again."
            )
    if (table["weight"] <= 0).any():
        raise DataError("A weight is zero or negative; weights must be positive.")


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """What was known before the programme: all that matching ever sees.

    `units` is indexed by unit (sorted) with `group` (the area, or the treated group), `region`,
    `is_treated`; `covariates` has one column per matching covariate, complete and finite.
    `years` are the periods the covariates came from; a follow-up period is refused.
    """

    units: pd.DataFrame
    covariates: pd.DataFrame
    years: tuple[int, ...]
    first_treated: int

    def __post_init__(self) -> None:
        late = [year for year in self.years if year >= self.first_treated]
        if late:
            raise DesignError(f"A baseline may not hold the follow-up year {late[0]}: matching must not see outcomes.")
        if not self.units.index.equals(self.covariates.index) or not self.units.index.is_monotonic_increasing:
            raise DesignError("The units of a baseline and their covariates must be the same and sorted.")
        if not np.isfinite(self.covariates.to_numpy(dtype=float)).all():
            raise DesignError("A matching covariate is missing for some unit; leave the unit out and count it.")

    @classmethod
    def of(cls, units: pd.DataFrame, covariates: pd.DataFrame, years: Sequence[int], first_treated: int) -> Baseline:
        """Copy and sort what is given; keep units whose covariates are all known."""
        known = covariates.notna().all(axis=1)
        order = units.index[known.reindex(units.index, fill_value=False)].sort_values()
        return cls(units.loc[order].copy(), covariates.loc[order].copy(), tuple(years), first_treated)
