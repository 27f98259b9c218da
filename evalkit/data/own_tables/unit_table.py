"""A user's own table with one row for each unit, for a `Baseline` or for `Profiles`; later columns are kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.core.words import counted, shown_cell
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.data.ids import id_order
from evalkit.data.own_tables.columns import Columns, guarded, read_columns, require_header
from evalkit.data.profiles import ProfileRoles, Profiles
from evalkit.data.published.codes import DECIMAL_COMMA, Cells, Coded, coded_notes, holds_texts, read_cells

# A user's own table with one row for each unit, ready for a `Baseline`; later columns are kept apart from it.

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
    r"""Return the columns of a CSV (also .csv.gz) or Parquet file that play a part.

    Ids, labels and categories are texts exactly as in the file; who took part is written 1 and 0, or True and False.
    Raise `DataError` where the file cannot be read,
    a column plays parts that exclude each other, a cell is not what its part says, an id stands twice, or (unless
    `missing` makes it a category of its own) a covariate is missing.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import UnitColumns, read_unit_table
    >>> path = Path("schools.csv")
    >>> rows = "A,1,primary,10.5,12.0\nB,0,infant,11.0,SUPP\n"
    >>> _ = path.write_text("school,took_part,phase,before,after\n" + rows)
    >>> columns = UnitColumns(unit="school", treated="took_part", covariates=("phase", "before"), outcome="after")
    >>> table = read_unit_table(path, columns)
    >>> table.baseline.covariates
            phase  before
    unit
    A     primary    10.5
    B      infant    11.0
    >>> table.later["after"].tolist()
    [12.0, nan]
    """
    _require_parts(columns)
    texts = _texts_among(path, columns)
    numbers = [name for name in (*columns.covariates, *columns.later) if name not in (*texts, columns.treated)]
    flags = [columns.treated] if columns.treated not in texts else []
    columns_read = read_columns(path, texts, list(dict.fromkeys(numbers)), flags=flags)
    if columns.unit:
        columns_read.require_ids(columns.unit)
    _refuse_odd(columns_read, columns)
    _refuse_copies(columns_read, columns)
    frame = pd.DataFrame(columns_read.texts | columns_read.numbers, copy=False)
    roles = BaselineRoles(
        treated=columns.treated,
        covariates=columns.covariates,
        unit=columns.unit,
        labels=tuple(name for name in columns.labels if name not in columns.covariates),
    )
    try:
        baseline = Baseline.from_frame(frame, roles, missing)
    except DataError as problem:
        raise DataError("\n".join([str(problem), *coded_notes(columns_read.codes)])) from None
    return UnitTable(baseline, _later(frame, columns, baseline), len(frame), columns_read.codes, columns_read.notes)


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


def _refuse_odd(columns_read: Columns, columns: UnitColumns) -> None:
    treated = columns_read.numbers.get(columns.treated)
    if treated is None:
        return
    is_no_flag = ~np.isin(treated, (0.0, 1.0))
    if is_no_flag.any():
        at = int(np.argmax(is_no_flag))
        shown = "nothing" if np.isnan(treated[at]) else f"{treated[at]:.12g}"
        raise DataError(
            f"{columns_read.name}: {columns_read.place(at)}: '{columns.treated}' says who took part, with 0 and 1; "
            f"it holds {shown} ({counted(int(is_no_flag.sum()), 'such row')}). Write 1 for units that took part and "
            "0 for the others."
        )
    infinite = [name for name, values in columns_read.numbers.items() if np.isinf(values).any()]
    if infinite:
        at = int(np.argmax(np.isinf(columns_read.numbers[infinite[0]])))
        raise DataError(
            f"{columns_read.name}: {columns_read.place(at)}: the column '{infinite[0]}' is infinite. Correct it."
        )


def _refuse_copies(columns_read: Columns, columns: UnitColumns) -> None:
    """Raise `DataError` where a covariate holds the outcome's own numbers under another name."""
    outcome = columns_read.numbers.get(columns.outcome or "")
    if outcome is None or columns.outcome == columns.treated:
        return
    known = ~np.isnan(outcome)
    if len(np.unique(outcome[known])) < _COPIED:
        return
    for name in columns.covariates:
        if np.array_equal(columns_read.numbers.get(name, np.zeros(0)), outcome, equal_nan=True):
            raise DataError(
                f"{columns_read.name}: '{name}' holds the same numbers as the outcome '{columns.outcome}' in every "
                "row; matching must not see it. Name a column measured before the programme."
            )


def _later(frame: pd.DataFrame, columns: UnitColumns, baseline: Baseline) -> pd.DataFrame:
    names = list(columns.later)
    ids = pd.Index(frame[columns.unit]) if columns.unit else pd.RangeIndex(1, len(frame) + 1)
    order = id_order(ids)
    rows = frame[names] if order is None else frame[names].iloc[order]
    return rows.set_axis(baseline.units.index)


def read_profiles(path: Path, roles: ProfileRoles, categories: tuple[str, ...] = ()) -> Profiles:
    """Return the units of a CSV (also .csv.gz) or Parquet file with one row for each.

    Ids, labels and names are texts as in the file. A characteristic is a number where its column holds numbers (with
    percent signs, and codes such as SUPP for those that are missing), and a category where all its cells are texts or
    it is named in `categories`. Raise `DataError` where the file cannot be read, a
    column is missing, a characteristic holds numbers and texts, or an id stands twice.
    """
    unknown = [name for name in categories if name not in roles.characteristics]
    if unknown:
        raise DataError(f"'{unknown[0]}' is named as a category but is not among the characteristics.")
    as_texts = (*categories, *roles.labels, *roles.shown)
    open_ones = [name for name in roles.characteristics if name not in as_texts]
    named = [roles.unit, *roles.labels, *roles.shown, *categories, *([roles.name] if roles.name else [])]
    texts = list(dict.fromkeys([*named, *text_columns(path, open_ones, "characteristic")]))
    numbers = [name for name in roles.characteristics if name not in texts]
    columns_read = read_columns(path, texts, numbers)
    columns_read.require_ids(roles.unit)
    profiles = Profiles.from_frame(pd.DataFrame(columns_read.texts | columns_read.numbers, copy=False), roles)
    return replace(profiles, codes=columns_read.codes, notes=columns_read.notes)


# Whether a column of a user's file holds numbers or texts.


def text_columns(path: Path, names: Sequence[str], part: str) -> list[str]:
    """Return those of the named columns that hold texts, each judged by all its cells.

    Raise `DataError` where the file cannot be read or lacks a column, or a column holds numbers and other texts, which
    are likelier codes for missing numbers than categories; `part` is what a column is called then.
    """
    if not names:
        return []
    is_parquet = path.name.lower().endswith((".parquet", ".pq"))
    texts = guarded(path, lambda: _of_parquet(path, names)) if is_parquet else list(names)
    if not texts:
        return []
    columns = read_columns(path, texts, ())
    return [name for name in texts if _holds_texts(columns, name, part)]


def number_columns(path: Path, names: Sequence[str]) -> list[str]:
    """Return those of the named columns whose file says that they hold numbers; of a CSV file none is said of."""
    if not path.name.lower().endswith((".parquet", ".pq")):
        return []
    texts = guarded(path, lambda: _of_parquet(path, names))
    return [name for name in names if name not in texts]


def _holds_texts(columns: Columns, name: str, part: str) -> bool:
    codes, distinct = pd.factorize(columns.texts[name])
    texts = pd.Series(distinct, dtype="str")
    cells = read_cells(texts)
    if cells.has_numbers and cells.is_odd.any():
        _refuse_mixed(columns, name, part, cells, texts, codes)
    return holds_texts(cells)


def _refuse_mixed(
    columns: Columns, name: str, part: str, cells: Cells, texts: pd.Series, codes: NDArray[np.intp]
) -> None:
    is_odd = cells.is_odd & pd.isna(cells.numbers)
    if not is_odd.any():
        return  # a mixture of cells with percent signs and without is told where they are read as numbers
    rows = is_odd[codes] & (codes >= 0)
    at = int(rows.argmax())
    remedy = f"Leave cells empty where the value is missing, or name '{name}' as a category (--categories)"
    if DECIMAL_COMMA.fullmatch(str(texts[codes[at]]).strip()):
        remedy = "Write decimals with a point, in all rows"
    raise DataError(
        f"{columns.name}: {columns.place(at)}: the {part} '{name}' holds numbers and texts "
        f"({shown_cell(texts[codes[at]])} there; {counted(int(rows.sum()), 'such cell')}). {remedy}."
    )


def _of_parquet(path: Path, names: Sequence[str]) -> list[str]:
    import pyarrow as pa
    from pyarrow import parquet, types

    with parquet.ParquetFile(path) as file:
        schema = file.schema_arrow
    require_header(path, schema.names, names)

    def plain(kind: pa.DataType) -> pa.DataType:
        return kind.value_type if types.is_dictionary(kind) else kind

    def is_text(kind: pa.DataType) -> bool:
        return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))

    return [name for name in names if is_text(plain(schema.field(name).type))]
