"""A table of a project's own whose rows are people: their numbers in arrays, and the records of their schools."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.errors import DataError
from evalkit.data.own_tables.columns import numbers_of, read_columns
from evalkit.data.own_tables.unit_table import number_columns
from evalkit.data.published.codes import NO_ROW
from evalkit.data.published.records import SchoolRecords

if TYPE_CHECKING:
    from evalkit.data.own_tables.project_table import ProjectTable

NO_RESULT: Final = "no pupil of it has a result"
FEW: Final = f"fewer than {FEWEST_PEOPLE} pupils have a result"
"""Why a school's mean is not among the records of schools: from these any kind may show it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeopleRows:
    """The rows of a table of people in the years that were read, as arrays of one length.

    Attributes
    ----------
    units : ids of all units of the table, sorted
    unit : position of each row's unit among them
    person : number of each row's person, the same in every year
    period : summer of each row
    values : numbers by column, NaN where missing
    """

    units: pd.Index
    unit: Ints
    person: Ints
    period: Ints
    values: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.unit)

    def of_years(self, kept: Collection[int]) -> PeopleRows:
        """Return the rows of some years alone."""
        return self.chosen(np.isin(self.period, list(kept)))

    def chosen(self, keep: Bools) -> PeopleRows:
        """Return some of the rows, shape (n,)."""
        if keep.all():
            return self
        values = {name: column[keep] for name, column in self.values.items()}
        return replace(self, unit=self.unit[keep], person=self.person[keep], period=self.period[keep], values=values)


def read_people(
    opened: ProjectTable, outcomes: Iterable[str], others: Iterable[str], years: Collection[int], single: int | None
) -> PeopleRows:
    """Return the rows of some years with their outcomes and what else is named of them; other cells are not looked at.

    A table without periods has one row a person: its outcomes came of the programme, stand under the year `single`,
    and are not read with None, while its other columns are from before.
    """
    assert opened.people is not None
    if opened.periods is None:
        rows, names = np.arange(len(opened.people)), [*others, *(outcomes if single else ())]
        period = np.full(len(rows), single or 0, dtype=np.int64)
    else:
        rows, names = np.flatnonzero(np.isin(opened.periods, list(years))), [*outcomes, *others]
        period = opened.periods[rows]
    units = pd.Index(opened.schools.index)
    position = units.get_indexer(pd.Index(opened.units.cat.categories))
    return PeopleRows(
        units=units,
        unit=position[opened.units.cat.codes.to_numpy()[rows]].astype(np.int64),
        person=opened.people[rows],
        period=period,
        values=_numbers(opened, list(dict.fromkeys(names)), rows),
    )


def _numbers(opened: ProjectTable, names: Sequence[str], rows: Ints) -> dict[str, Floats]:
    """Return columns as numbers in some of the rows that count; the file is read once for all of them."""
    if not names:
        return {}
    plain = number_columns(opened.path, names)
    texts = [name for name in names if name not in plain]
    read, at = read_columns(opened.path, texts, plain), opened.rows[rows]
    found = {name: read.numbers[name][at] for name in plain}
    for name in texts:
        cells = pa.chunked_array([pa.array(read.texts[name].iloc[at])])
        found[name], _ = numbers_of(opened.path.name, name, cells, lambda row: opened.place(int(rows[row])))
    for name, values in found.items():
        if np.isinf(values).any():
            where = opened.place(int(rows[int(np.argmax(np.isinf(values)))]))
            raise DataError(f"{opened.path.name}: {where}: '{name}' is infinite.")
    return found


def people_records(opened: ProjectTable, rows: PeopleRows, outcomes: Mapping[str, str]) -> SchoolRecords:
    """Return the mean of each outcome (code → column) by unit and year, and how many people each has.

    A mean of fewer than ten people is withheld already here, as kinds of analysis may show what they read of schools.
    """
    if opened.periods is None and not any(column in rows.values for column in outcomes.values()):
        rows = rows.chosen(np.zeros(len(rows), dtype=bool))  # before the programme there is no outcome, of any year
    years = np.unique(rows.period).tolist()
    cell = rows.unit * len(years) + np.searchsorted(years, rows.period)
    shape = (len(rows.units), len(years))
    values, reasons = {}, {}
    people = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    for code, column in outcomes.items():
        mean, n = _means(cell, rows.values.get(column, np.full(len(rows), np.nan)), shape)
        why = np.where(people == 0, NO_ROW, np.where(n == 0, NO_RESULT, np.where(n < FEWEST_PEOPLE, FEW, "")))
        values[code] = pd.DataFrame(np.where(why == "", mean, np.nan), rows.units, years)
        reasons[code] = pd.DataFrame(why.astype(object), rows.units, years, dtype=object)
    counts = pd.DataFrame(np.where(people > 0, people, np.nan), rows.units, years)
    return SchoolRecords(
        opened.name, opened.schools, values, reasons, counts, tuple(years), dict(opened.urns), opened.cases
    )


def people_columns(opened: ProjectTable, rows: PeopleRows, names: Sequence[str]) -> pd.DataFrame:
    """Return the mean of columns over the people of each unit, as `table.column`, for what units are compared on."""
    frame = pd.DataFrame(index=rows.units)
    for name in names:
        mean, n = _means(rows.unit, rows.values[name], (len(rows.units), 1))
        frame[f"{opened.name}.{name}"] = np.where(n >= FEWEST_PEOPLE, mean, np.nan)[:, 0]
    return frame


def _means(cell: Ints, values: Floats, shape: tuple[int, int]) -> tuple[Floats, Ints]:
    """Return the mean by cell of the values that are known, and their number, each of a shape."""
    known = np.isfinite(values)
    size = shape[0] * shape[1]
    n = np.bincount(cell[known], minlength=size)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(cell[known], values[known], minlength=size) / n
    return mean.reshape(shape), n.reshape(shape)
