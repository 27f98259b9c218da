"""A user's own table with one row for each unit, ready for a `Baseline`; later columns are kept apart from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.core.words import counted
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.data.codes import Coded, coded_notes
from evalkit.data.ids import id_order
from evalkit.data.long_files import Columns, read_columns
from evalkit.data.long_kinds import text_columns

_COPIED: Final = 3
"""Two columns with at least so many values, and the same in every row, are one column under two names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitColumns:
    """Which column of a table with one row for each unit plays which part.

    `covariates` are numbers where their column holds numbers and categories where all its cells are texts;
    `categories` are covariates compared by category though the file holds numbers. `labels` restrict partners.
    `outcome` and the numbers in `beside` (what an estimate is adjusted for beyond the covariates, say) are kept from
    matching.
    """

    treated: str
    covariates: tuple[str, ...]
    unit: str | None = None
    labels: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    outcome: str | None = None
    beside: tuple[str, ...] = ()

    @property
    def later(self) -> tuple[str, ...]:
        """Return the columns that matching may not see."""
        return tuple(dict.fromkeys([*([self.outcome] if self.outcome else []), *self.beside]))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class UnitTable(Shown):
    """The rows of a file: `baseline` for matching, and `later` (numbers, NaN where missing) on the same index.

    `codes` counts the cells that hold a code such as SUPP in the place of a number.
    """

    baseline: Baseline
    later: pd.DataFrame
    n_rows: int
    codes: tuple[Coded, ...] = ()
    notes: tuple[str, ...] = ()


def read_unit_table(path: Path, columns: UnitColumns, missing: Literal["refuse", "category"] = "refuse") -> UnitTable:
    """Return the columns of a CSV (also .csv.gz) or Parquet file that play a part.

    Ids, labels and categories are texts exactly as in the file; who took part is written 1 and 0, or True and False.
    Raise `DataError` where the file cannot be read,
    a column plays parts that exclude each other, a cell is not what its part says, an id stands twice, or (unless
    `missing` makes it a category of its own) a covariate is missing.
    """
    _require_parts(columns)
    texts = _texts_among(path, columns)
    numbers = [name for name in (*columns.covariates, *columns.later) if name not in (*texts, columns.treated)]
    flags = [columns.treated] if columns.treated not in texts else []
    read = read_columns(path, texts, list(dict.fromkeys(numbers)), flags=flags)
    if columns.unit:
        read.require_ids(columns.unit)
    _refuse_odd(read, columns)
    _refuse_copies(read, columns)
    frame = pd.DataFrame(read.texts | read.numbers, copy=False)
    roles = BaselineRoles(
        treated=columns.treated,
        covariates=columns.covariates,
        unit=columns.unit,
        labels=tuple(name for name in columns.labels if name not in columns.covariates),
    )
    try:
        baseline = Baseline.from_frame(frame, roles, missing)
    except DataError as problem:
        raise DataError("\n".join([str(problem), *coded_notes(read.codes)])) from None
    return UnitTable(baseline, _later(frame, columns, baseline), len(frame), read.codes, read.notes)


def _require_parts(columns: UnitColumns) -> None:
    for name in (*columns.covariates, *columns.labels):
        if name == columns.outcome:
            raise DataError(f"'{name}' is the outcome; matching must not see it. Leave it out of what is matched on.")
    unknown = [name for name in columns.categories if name not in columns.covariates]
    if unknown:
        raise DataError(f"'{unknown[0]}' is named as a category but is not among the covariates.")
    if columns.unit is not None and columns.unit == columns.treated:
        raise DataError(f"The column '{columns.unit}' is named as id and as treated. Name one for each.")


def _texts_among(path: Path, columns: UnitColumns) -> list[str]:
    """Return the columns to be read as texts: ids, labels, and covariates that the file holds as texts."""
    named = [*([columns.unit] if columns.unit else []), *columns.categories]
    named += [name for name in columns.labels if name not in columns.covariates]
    open_ones = [name for name in columns.covariates if name not in named]
    return list(dict.fromkeys([*named, *text_columns(path, open_ones, "covariate")]))


def _refuse_odd(read: Columns, columns: UnitColumns) -> None:
    treated = read.numbers.get(columns.treated)
    if treated is None:
        return
    odd = ~np.isin(treated, (0.0, 1.0))
    if odd.any():
        at = int(np.argmax(odd))
        shown = "nothing" if np.isnan(treated[at]) else f"{treated[at]:.12g}"
        raise DataError(
            f"{read.name}: {read.place(at)}: '{columns.treated}' says who took part, with 0 and 1; it holds {shown} "
            f"({counted(int(odd.sum()), 'such row')}). Write 1 for units that took part and 0 for the others."
        )
    infinite = [name for name, values in read.numbers.items() if np.isinf(values).any()]
    if infinite:
        at = int(np.argmax(np.isinf(read.numbers[infinite[0]])))
        raise DataError(f"{read.name}: {read.place(at)}: the column '{infinite[0]}' is infinite. Correct it.")


def _refuse_copies(read: Columns, columns: UnitColumns) -> None:
    """Raise `DataError` where a covariate holds the outcome's own numbers under another name."""
    outcome = read.numbers.get(columns.outcome or "")
    if outcome is None or columns.outcome == columns.treated:
        return
    known = ~np.isnan(outcome)
    if len(np.unique(outcome[known])) < _COPIED:
        return
    for name in columns.covariates:
        if np.array_equal(read.numbers.get(name, np.zeros(0)), outcome, equal_nan=True):
            raise DataError(
                f"{read.name}: '{name}' holds the same numbers as the outcome '{columns.outcome}' in every row; "
                "matching must not see it. Name a column measured before the programme."
            )


def _later(frame: pd.DataFrame, columns: UnitColumns, baseline: Baseline) -> pd.DataFrame:
    names = list(columns.later)
    ids = pd.Index(frame[columns.unit]) if columns.unit else pd.RangeIndex(1, len(frame) + 1)
    order = id_order(ids)
    rows = frame[names] if order is None else frame[names].iloc[order]
    return rows.set_axis(baseline.units.index)
