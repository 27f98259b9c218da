"""What was known before a programme: the table that matching and weighting start from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools
from evalkit.core.errors import DataError, DesignError
from evalkit.core.shown import Shown
from evalkit.core.words import counted, did_you_mean, listed
from evalkit.data.ids import id_order, require_ids
from evalkit.data.roles import LARGEST, SMALLEST, as_numbers, named, require_each_once

UNKNOWN: Final = "missing"
"""The category of a covariate that is not known, where such a category is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineRoles:
    """Which column of a table with one row for each unit plays which part.

    `treated` holds 0 and 1; `covariates` are compared on, numbers as numbers and texts as categories; `labels`
    restrict partners (an area, a phase) and are compared on only where they are covariates too. Without `unit`
    units are named by the number of their row. `years` are the periods the covariates come from and
    `first_treated` the period the programme began, where they are known: a follow-up year is then refused.
    """

    treated: str
    covariates: tuple[str, ...]
    unit: str | None = None
    labels: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    first_treated: int | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Baseline(Shown):
    """What was known before the programme: all that matching ever sees.

    No column of it is an outcome, and none can be handed to a matching verb beside it.

    Attributes
    ----------
    units : DataFrame, one row per unit, in the order that ids fix (numbers by size, texts by length and letter)
        `is_treated`, and labels such as area, region or phase.
    covariates : DataFrame on the same index
        Columns of numbers, finite, and of texts (categories), known for every unit.
    years : tuple of int, the periods the covariates came from; may be empty
    first_treated : int or None, the period the programme began; `years` must lie before it

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles
    >>> frame = pd.DataFrame({"school": ["B", "A"], "took_part": [0, 1], "score": [11.0, 10.5], "area": ["x", "y"]})
    >>> roles = BaselineRoles(unit="school", treated="took_part", covariates=("score",), labels=("area",))
    >>> Baseline.from_frame(frame, roles).units
          is_treated area
    unit
    A           True    y
    B          False    x
    """

    units: pd.DataFrame
    covariates: pd.DataFrame
    years: tuple[int, ...] = ()
    first_treated: int | None = None

    def __post_init__(self) -> None:
        late = [year for year in self.years if self.first_treated is not None and year >= self.first_treated]
        if late:
            raise DesignError(f"A baseline may not hold the follow-up year {late[0]}: matching must not see outcomes.")
        if not self.units.index.equals(self.covariates.index) or id_order(self.units.index) is not None:
            raise DesignError("The units of a baseline and their covariates must be the same and sorted.")
        if not self.units.index.is_unique:
            raise DesignError("A unit stands in the baseline twice. Keep one row for each.")
        if not all(_is_known(self.covariates[name]) for name in self.covariates):
            raise DesignError("A matching covariate is missing for some unit; leave the unit out and count it.")

    @classmethod
    def of(
        cls, units: pd.DataFrame, covariates: pd.DataFrame, years: Sequence[int] = (), first_treated: int | None = None
    ) -> Baseline:
        """Copy and sort what is given; keep units whose covariates are all known."""
        known = covariates.notna().all(axis=1)
        complete_units = units.index[known.reindex(units.index, fill_value=False)]
        order = id_order(complete_units)
        complete_units = complete_units if order is None else complete_units[order]
        return cls(units.loc[complete_units].copy(), covariates.loc[complete_units].copy(), tuple(years), first_treated)

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, roles: BaselineRoles, missing: Literal["refuse", "category"] = "refuse"
    ) -> Baseline:
        """Copy and check a table with one row for each unit; raise `DataError` where a check fails.

        With `missing="category"` a text that is missing becomes the category 'missing', and a number the mean of
        the known ones beside a covariate of its own that says where it was missing.
        """
        _require_columns(frame, roles)
        ids = pd.Index(frame[roles.unit]) if roles.unit else pd.RangeIndex(1, len(frame) + 1)
        require_ids(ids)
        order = id_order(ids)
        table = frame if order is None else frame.iloc[order]
        index = pd.Index(ids if order is None else ids[order], name="unit")
        units: dict[str, object] = {"is_treated": treated_flags(table[roles.treated])}
        units |= {name: _label(table[name], index) for name in roles.labels}
        covariates: dict[str, object] = {}
        for name in roles.covariates:
            covariates |= _covariate(table[name], index, missing)
        return cls(
            pd.DataFrame(units, index=index),
            pd.DataFrame(covariates, index=index),
            roles.years,
            roles.first_treated,
        )

    @property
    def is_treated(self) -> Bools:
        """Return who took part, shape (n_units,)."""
        return self.units["is_treated"].to_numpy(dtype=bool)

    def label(self, name: str) -> pd.Series:
        """Return a label or covariate by name; raise `DesignError` where the baseline has none of that name."""
        for frame in (self.units, self.covariates):
            if name in frame and name != "is_treated":
                return frame[name]
        known = [*map(str, self.units.columns.drop("is_treated")), *map(str, self.covariates)]
        raise DesignError(
            f"The baseline has no column '{name}'.{did_you_mean(name, known)} It has: {listed(known, 20)}."
        )


def is_category(values: pd.Series) -> bool:
    """Return whether a covariate is compared by category (texts) rather than by size."""
    return not pd.api.types.is_numeric_dtype(values.dtype)


def treated_flags(values: pd.Series) -> Bools:
    """Return 0 and 1 (or no and yes as booleans) as flags; raise `DataError` for anything else."""
    if values.isna().any():
        raise DataError(f"'{values.name}' is missing for {counted(int(values.isna().sum()), 'row')}. It holds 0 and 1.")
    numbers = as_numbers(values)
    is_no_flag = ~np.isin(numbers, (0.0, 1.0))
    if is_no_flag.any():
        raise DataError(
            f"'{values.name}' says who took part, with 0 and 1; it holds "
            f"{named(values.iloc[int(np.argmax(is_no_flag))])}."
        )
    flags: Bools = numbers == 1
    return flags


def _is_known(values: pd.Series) -> bool:
    if is_category(values):
        return not values.isna().any()
    return bool(np.isfinite(values.to_numpy(dtype=float)).all())


def _require_columns(frame: pd.DataFrame, roles: BaselineRoles) -> None:
    columns_named = [roles.treated, *roles.covariates, *roles.labels, *([roles.unit] if roles.unit else [])]
    require_each_once(frame, columns_named)
    for part in (roles.treated, roles.unit):
        if part not in (*roles.covariates, *roles.labels):
            continue
        raise DataError(f"'{part}' says who took part or names the unit; it cannot be compared on as well.")
    twice = [name for name in roles.covariates if roles.covariates.count(name) > 1]
    if twice or not roles.covariates:
        raise DataError(f"The covariate '{twice[0]}' is named twice." if twice else "Name at least one covariate.")


def _label(values: pd.Series, index: pd.Index) -> object:
    is_missing = values.isna()
    if is_missing.any():
        raise DataError(
            f"'{values.name}' is missing for {counted(int(is_missing.sum()), 'unit')}, the first of them "
            f"{named(index[int(np.argmax(is_missing))])}. Fill it in, or leave them out."
        )
    return values.array


def _covariate(values: pd.Series, index: pd.Index, missing: Literal["refuse", "category"]) -> dict[str, object]:
    name = str(values.name)
    is_text = is_category(values) and not pd.api.types.is_bool_dtype(values.dtype)
    columns = values.astype("str") if is_text else pd.Series(as_numbers(values), index=values.index)
    is_missing = values.isna().to_numpy()
    if len(is_missing) and is_missing.all():
        raise DataError(f"The covariate '{name}' is missing for every unit, so it tells nothing apart. Leave it out.")
    if is_missing.any() and missing == "refuse":
        raise DataError(
            f"The covariate '{name}' is missing for {counted(int(is_missing.sum()), 'unit')}, the first of them "
            f"{named(index[int(np.argmax(is_missing))])}. Leave them out, or make missing a category of its "
            "own (--missing category)."
        )
    if not is_missing.any():
        return {name: _finite(columns, name, index).array}
    if is_text:
        return {name: columns.mask(values.isna(), UNKNOWN).array}
    known = _finite(columns[~is_missing], name, index[~is_missing])
    # the mean keeps the scale, and the flag beside it takes up whatever is different about the missing
    return {name: columns.mask(values.isna(), known.mean()).array, f"{name} is missing": is_missing.astype(float)}


def _finite(values: pd.Series, name: str, index: pd.Index) -> pd.Series:
    if is_category(values):
        return values
    size = np.abs(values.to_numpy(dtype=float))
    is_unusable = ~np.isfinite(size) | (size > LARGEST)
    if is_unusable.any():
        raise DataError(
            f"The covariate '{name}' of unit {named(index[int(np.argmax(is_unusable))])} is infinite or too large. "
            "Correct it."
        )
    if 0 < size.max() < SMALLEST:
        raise DataError(f"The numbers of the covariate '{name}' are too small. Use another unit of them.")
    return values
