"""A user's own table with a row for each unit and period, ready for a `Panel`: what is left out is counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.data.flow import LeftOut
from evalkit.data.own_tables.columns import Columns, read_columns
from evalkit.data.published.codes import Coded
from evalkit.data.roles import LARGEST, LAST_PERIOD, SMALLEST, Roles

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LostGroup:
    """A whole group of units (`never-treated`, `treated`) of which no row can be used, and why."""

    group: str
    n_units: int
    n_rows: int
    reasons: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LongTable(Shown):
    """The rows that can be used, under the file's own names: ids as texts, all else as numbers.

    Attributes
    ----------
    frame : DataFrame of the columns that play a part
    left_out : tuple of LeftOut, each row under the first reason that holds; its units lose at least one row by it
    n_rows : rows of the file
    codes : codes that stand in a column in the place of a number, such as SUPP, and how often
    notes : how periods are numbered, and what else a reader must know of the file
    lost_groups : all never-treated or all treated units, where the file has some and not one row of theirs is left
    """

    frame: pd.DataFrame
    left_out: tuple[LeftOut, ...]
    n_rows: int
    codes: tuple[Coded, ...] = ()
    notes: tuple[str, ...] = ()
    lost_groups: tuple[LostGroup, ...] = ()


def read_long_table(path: Path, roles: Roles) -> LongTable:
    r"""Return the columns of a CSV (also .csv.gz) or Parquet file that play a part.

    Ids (unit, cluster) are texts exactly as in the file. Periods and cohorts are whole numbers, or all of them school
    years (`201819`, `2018/19`: 2019, the year of the summer), quarters or months, numbered one after another. In the
    other columns percent signs and thousands separators are read, an empty cell and the codes of published tables
    (SUPP, NA, c, z …) are missing and counted, and any other text is refused. Rows of a missing outcome or covariate
    and of weight zero are left out.

    Raises
    ------
    DataError
        Where the file cannot be read, a column plays two parts, or a cell cannot be what its part says: the
        sentence names the column, the line and the text.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import Panel, Roles, read_long_table
    >>> path = Path("schools.csv")
    >>> rows = "A,2018,10.5,2019\nA,2019,SUPP,2019\nB,2018,11.0,\nB,2019,11.5,\n"
    >>> _ = path.write_text("school,year,score,first_year\n" + rows)
    >>> roles = Roles(unit="school", period="year", outcome="score", cohort="first_year")
    >>> table = read_long_table(path, roles)
    >>> table.left_out
    (LeftOut(reason="the outcome 'score' is missing", units=('A',), n_rows=1),)
    >>> [(coded.code, coded.n_cells, coded.meaning) for coded in table.codes]
    [('SUPP', 1, 'suppressed: too few pupils')]
    >>> Panel.from_frame(table.frame, roles).wide()
    period  2018  2019
    unit
    A       10.5   NaN
    B       11.0  11.5
    """
    _require_parts(roles)
    ids = [roles.unit] if roles.cluster in (None, roles.unit) else [roles.unit, str(roles.cluster)]
    other_columns = [roles.outcome, *([roles.weight] if roles.weight else []), *roles.covariates]
    columns = read_columns(path, ids, other_columns, periods=(roles.period, roles.cohort))
    _check(columns, roles, ids)
    columns_read = columns.texts | columns.numbers
    order = dict.fromkeys([*ids, roles.period, roles.outcome, roles.cohort, *other_columns])
    frame = pd.DataFrame({name: columns_read[name] for name in order}, copy=False)
    keep, left_out = _left_out(columns, roles)
    if not keep.any():
        raise DataError(
            f"{path.name}: no row can be used. The first reason: {left_out[0].reason}. Fill it in, or name another "
            "column."
        )
    return LongTable(
        frame if keep.all() else frame.loc[keep].reset_index(drop=True),
        left_out,
        len(frame),
        columns.codes,
        tuple(note for note in (columns.scale.note, *columns.notes) if note),
        tuple(_lost_groups(columns, roles, keep)),
    )


def _require_parts(roles: Roles) -> None:
    """Raise `DataError` where a column plays two parts that exclude each other."""
    parts: dict[str, str] = {}
    for part in ("unit", "period", "outcome", "cohort", "weight"):
        column = getattr(roles, part)
        if column in parts:
            raise DataError(f"The column '{column}' is named as {parts[column]} and as {part}. Name one for each.")
        if column is not None:
            parts[column] = part
    if roles.cluster is not None and roles.cluster in parts and roles.cluster != roles.unit:
        raise DataError(f"The column '{roles.cluster}' is named as {parts[roles.cluster]} and as cluster.")
    for name in roles.covariates:
        if name in (roles.unit, roles.cluster):
            raise DataError(f"'{name}' is an id (unit or cluster); it cannot be a covariate as well.")


def _check(columns: Columns, roles: Roles, ids: Sequence[str]) -> None:
    """Raise `DataError` for the first cell that cannot be what its part says."""
    for name in ids:
        columns.require_ids(name, "unit" if name == roles.unit else "cluster")
    period = columns.numbers[roles.period]
    _refuse(columns, np.isnan(period), roles.period, "the period is missing. Fill it in, or leave such rows out")
    _refuse_infinite(columns, roles)
    _refuse(columns, period != np.floor(period), roles.period, "a period is a whole number, such as a year. Correct it")
    cohort = columns.numbers[roles.cohort]
    _refuse(
        columns,
        ~np.isnan(cohort) & (cohort != np.floor(cohort)),
        roles.cohort,
        "a cohort is the first treated period, a whole number. Correct it",
    )
    if period.min() > 0:
        _refuse(columns, cohort == 0, roles.cohort, f"0 is no period of the table. {_NEVER}")
    if roles.weight:
        _refuse(columns, columns.numbers[roles.weight] < 0, roles.weight, "a weight is not negative. Correct it")


_NEVER = "If it stands for never treated, leave the cohort empty there"


def _refuse_infinite(columns: Columns, roles: Roles) -> None:
    for name, values in columns.numbers.items():
        why = "an infinite number cannot be used. Correct it"
        _refuse(columns, np.isinf(values), name, f"infinity is no period. {_NEVER}" if name == roles.cohort else why)
        size = np.abs(values)
        most = LAST_PERIOD if name in (roles.period, roles.cohort) else LARGEST
        _refuse(columns, size > most, name, "the number is too large. Use another unit of it")
        if 0 < np.fmax.reduce(size) < SMALLEST:
            _refuse(columns, size > 0, name, "the numbers are too small. Use another unit of them")


def _refuse(columns: Columns, bad: Flags, name: str, why: str) -> None:
    if not bad.any():
        return
    at = int(np.argmax(bad))
    value = columns.numbers[name][at] if name in columns.numbers else np.nan
    shown = "" if np.isnan(value) else f" {value:.12g}"
    other_rows = "" if bad.sum() == 1 else f" ({bad.sum():,} such rows)"
    raise DataError(f"{columns.name}: {columns.place(at)}: column {name!r}{shown}: {why}{other_rows}.")


def _left_out(columns: Columns, roles: Roles) -> tuple[Flags, tuple[LeftOut, ...]]:
    """Return which rows can be used, and the others by reason."""
    lost_to = list(_lost_to(columns, roles, np.ones(columns.n_rows, dtype=bool)))
    keep = np.ones(columns.n_rows, dtype=bool)
    for _, is_lost in lost_to:
        keep &= ~is_lost
    return keep, tuple(_counted(columns, roles, reason, is_lost) for reason, is_lost in lost_to)


def _lost_to(columns: Columns, roles: Roles, among: Flags) -> Iterator[tuple[str, Flags]]:
    """Yield each reason for which rows cannot be used, with those of them to which no earlier one applies."""
    reasons = [(f"the outcome '{roles.outcome}' is missing", np.isnan(columns.numbers[roles.outcome]))]
    reasons += [(f"the covariate '{name}' is missing", np.isnan(columns.numbers[name])) for name in roles.covariates]
    if roles.weight:
        weight = columns.numbers[roles.weight]
        reasons += [(f"the weight '{roles.weight}' is missing", np.isnan(weight)), ("the weight is zero", weight == 0)]
    for reason, holds in reasons:
        is_lost = among & holds
        if is_lost.any():
            yield reason, is_lost
            among = among & ~is_lost


def _counted(columns: Columns, roles: Roles, reason: str, is_lost: Flags) -> LeftOut:
    units = columns.texts[roles.unit][is_lost].drop_duplicates()
    return LeftOut(reason, tuple(units.tolist()), int(is_lost.sum()))


def _lost_groups(columns: Columns, roles: Roles, keep: Flags) -> Iterator[LostGroup]:
    """Yield each group that the file has and of which not one row can be used."""
    is_never = np.isnan(columns.numbers[roles.cohort])
    for group, among in (("never-treated", is_never), ("treated", ~is_never)):
        if among.any() and not (among & keep).any():
            reasons = tuple(_counted(columns, roles, *one) for one in _lost_to(columns, roles, among))
            yield LostGroup(group, columns.texts[roles.unit][among].nunique(), int(among.sum()), reasons)
