"""Which column of a table plays which part, and the checks that every table of observations passes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.words import counted, did_you_mean, listed

PARTS: Final = ("unit", "period", "outcome", "cohort", "cluster", "weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which column of a table plays which part; `cluster`, `weight` and `covariates` may be left out.

    `unit` holds ids, `period` whole numbers such as years, `outcome` what was measured, `cohort` the first treated
    period, missing where a unit is never treated. Errors are clustered by `cluster`, by unit where it is left out;
    `weight` is what a row counts, 1 where it is left out; `covariates` are what comparisons are adjusted for.
    """

    unit: str
    period: str
    outcome: str
    cohort: str
    cluster: str | None = None
    weight: str | None = None
    covariates: tuple[str, ...] = ()

    def columns(self) -> dict[str, str]:
        """Return the column of each part that is played, covariates under their own names."""
        parts = {part: getattr(self, part) for part in PARTS if getattr(self, part) is not None}
        return parts | {name: name for name in self.covariates}


LARGEST, SMALLEST = 1e100, 1e-100
"""Numbers beyond these cannot be squared and summed without loss; no outcome needs them."""
LAST_PERIOD = 1e9
FAR = 50
"""A cohort more than this many periods before the first or after the last (or more than there are between those, if
that is more) is no start but a code."""
_NO_NUMBERS: Final = ("datetime64", "datetime", "date", "timedelta64", "timedelta", "time", "period", "complex")


def require_columns(frame: pd.DataFrame, roles: Roles) -> None:
    """Raise `DataError` where a named column is missing, or a covariate is named twice or like a part."""
    missing = {column: part for part, column in roles.columns().items() if column not in frame}
    if missing:
        missing_parts = ", ".join(_as_part(column, part) for column, part in missing.items())
        hint = did_you_mean(next(iter(missing)), map(str, frame.columns))
        raise DataError(
            f"The table has no column {missing_parts}.{hint}\nIt has: {listed(list(map(str, frame.columns)), 20)}."
        )
    twice = [column for column in roles.columns().values() if list(frame.columns).count(column) > 1]
    if twice:
        raise DataError(
            f"The column '{twice[0]}' stands in the table twice, so it is not clear which to take. Keep one."
        )
    for name in roles.covariates:
        if name in PARTS and getattr(roles, name) != name:
            raise DataError(f"A covariate cannot be called '{name}': the kit uses that name. Rename the column.")
        if roles.covariates.count(name) > 1:
            raise DataError(f"The covariate '{name}' is named twice. Name it once.")
        if name in (roles.outcome, roles.cohort):
            raise DataError(f"'{name}' is the outcome or the cohort; it cannot be a covariate as well.")


def require_each_once(frame: pd.DataFrame, names: Iterable[str]) -> None:
    """Raise `DataError` where a named column is missing, or stands in the table twice."""
    columns = list(map(str, frame.columns))
    for name in names:
        if name not in frame:
            raise DataError(
                f"The table has no column '{name}'.{did_you_mean(name, columns)}\nIt has: {listed(columns, 20)}."
            )
        if columns.count(name) > 1:
            raise DataError(f"The column '{name}' stands in the table twice. Keep one.")


def _as_part(column: str, part: str) -> str:
    return f"'{column}' (as {'covariate' if part == column and part not in PARTS else part})"


def named(value: object) -> str:
    """Return an id or number as a reader knows it: `'a'`, `8001`, `2018.5`."""
    return repr(value.item() if isinstance(value, np.generic) else value)


def as_numbers(values: pd.Series) -> NDArray[np.float64]:
    """Return a copy of a column as numbers, NaN where a value is none; raise `DataError` for dates and the like."""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iuf":
        return values.to_numpy(dtype=float, copy=True)
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind in _NO_NUMBERS:
        # As numbers they would count nanoseconds, and a year would be a period of its own length.
        raise DataError(
            f"The column '{values.name}' holds {kind} values, not numbers. Make it a number (years as 2019)."
        )
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan, copy=True)


def whole_numbers(values: pd.Series, part: str) -> NDArray[np.int64]:
    """Return periods as whole numbers; raise `DataError` where one is none, or far from all others."""
    if values.dtype == np.int64:
        return _require_near(values.to_numpy(copy=True), part)
    numbers = as_numbers(values)
    is_not_whole = ~np.isfinite(numbers) | (numbers != np.floor(numbers))
    if is_not_whole.any():
        raise DataError(
            f"The {part} {named(values.iloc[int(np.argmax(is_not_whole))])} is not a whole number. Give years or other "
            "counts."
        )
    large = np.abs(numbers) > LAST_PERIOD
    if large.any():
        raise DataError(f"The {part} {named(values.iloc[int(np.argmax(large))])} is too large. Use another unit of it.")
    return _require_near(numbers.astype(np.int64), part)


def _require_near(numbers: NDArray[np.int64], part: str) -> NDArray[np.int64]:
    """Return periods; raise `DataError` where the first or the last is a slip: further away than all others span."""
    if not len(numbers) or numbers.max() - numbers.min() <= FAR:
        return numbers
    periods = np.unique(numbers)
    for end, other_periods in ((periods[0], periods[1:]), (periods[-1], periods[:-1])):
        distance = int(np.abs(other_periods - end).min())
        if len(other_periods) > 1 and distance > max(FAR, 10 * int(other_periods[-1] - other_periods[0])):
            n_rows = counted(int((numbers == end).sum()), "row has", "rows have")
            raise DataError(
                f"{n_rows} the {part} {end}, far from all others ({other_periods[0]} to {other_periods[-1]}). Correct "
                "it, or leave such rows out."
            )
    return numbers


def cohorts(values: pd.Series, periods: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return first treated periods, NaN for never; raise `DataError` for one that cannot be a period."""
    numbers = as_numbers(values)
    with np.errstate(invalid="ignore"):
        is_whole = np.floor(numbers) == numbers
    is_no_period = (values.notna().to_numpy() & ~is_whole) | np.isinf(numbers)
    if is_no_period.any():
        raise DataError(
            f"The cohort {named(values[is_no_period].iloc[0])} is not a period. A cohort is the first treated period; "
            "leave it empty for units that are never treated."
        )
    _require_no_code(numbers, periods)
    return numbers


def _require_no_code(cohort: NDArray[np.float64], periods: NDArray[np.int64]) -> None:
    """Raise `DataError` for cohorts that look like codes for never treated: 0 and less, or far from every period.

    Taken at its word, −1 or 1900 is a programme begun before the first period, and the comparison units that it
    stands for are left out; 9999 is one that has yet to begin.
    """
    known = cohort[np.isfinite(cohort)]
    if not len(periods) or not len(known):
        return
    first, last = int(periods.min()), int(periods.max())
    far = max(FAR, last - first)
    is_code = (known < first - far) | (known > last + far)
    is_code |= (known <= 0) & (known < first) & (first >= 0)
    if is_code.any():
        code = known[int(np.argmax(is_code))]
        n_rows = int((known == code).sum())
        early = f" If it is a start from before the table, write {first}: either way all periods are treated."
        raise DataError(
            f"{counted(n_rows, 'row has', 'rows have')} the cohort {code:.0f}, which is no period of the table "
            f"({first} to {last}). If it stands for never treated, leave the cohort empty there."
            + (early if code < first else "")
        )


def finite(values: pd.Series, part: str, place: Any) -> NDArray[np.float64]:
    """Return a column as numbers; raise `DataError` with the place of the first that is missing or not finite."""
    numbers = as_numbers(values)
    is_not_finite = ~np.isfinite(numbers)
    if is_not_finite.any():
        raise DataError(
            f"The {part} of {place(int(np.argmax(is_not_finite)))} is missing or not finite. "
            "Leave such rows out, so that the loss is counted, and try again."
        )
    size = max(numbers.max(), -numbers.min()) if len(numbers) else 0.0
    if size > LARGEST or 0 < size < SMALLEST:
        most = place(int(np.argmax(np.abs(numbers))))
        raise DataError(
            f"The {part} of {most} is {size:.3g}, the largest there is: too {'large' if size > 1 else 'small'} to be "
            "squared and summed without loss. Use another unit of it."
        )
    return numbers


def positive(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights; raise `DataError` where one is not positive."""
    if (weight <= 0).any():
        raise DataError(
            "A weight is zero or negative; weights must be positive. Leave rows of weight zero out, so that the loss "
            "is counted."
        )
    return weight


def require_known(columns: list[pd.Series]) -> None:
    """Raise `DataError` where a row lacks its unit, period or cluster."""
    if any(column.isna().any() for column in columns):
        raise DataError(
            "A row of the table has no unit, period or cluster. Fill it in or leave the row out, and try again."
        )


def codes_of(values: pd.Series, part: str) -> tuple[NDArray[np.int64], pd.Index]:
    """Return the position of each value among the sorted distinct ones, and those."""
    try:
        codes, distinct = pd.factorize(values, sort=True)
    except TypeError:
        raise DataError(
            f"The column for {part} mixes texts and numbers. Make all of them texts, and try again."
        ) from None
    return codes.astype(np.int64, copy=False), pd.Index(distinct, name=part)


def checked_table(
    rows: dict[str, pd.Series],
    period: NDArray[np.int64],
    cluster: object,
    covariates: tuple[str, ...],
    what: str,
) -> pd.DataFrame:
    """Return rows as the columns of a table of observations, each column checked.

    `what` names a row in an error, before its unit and period. Raise `DataError` for the first value that cannot
    be used.
    """

    def place(row: int) -> str:
        return f"{what} {named(rows['unit'].iloc[row])} in period {period[row]}"

    columns: dict[str, object] = {
        "unit": rows["unit"].array,
        "period": period,
        "outcome": finite(rows["outcome"], "outcome", place),
        "cohort": cohorts(rows["cohort"], period),
        "cluster": cluster,
        "weight": positive(finite(rows["weight"], "weight", place)) if "weight" in rows else np.ones(len(period)),
    }
    for name in covariates:
        columns.setdefault(name, finite(rows[name], f"covariate '{name}'", place))
    return pd.DataFrame(columns, copy=False)
