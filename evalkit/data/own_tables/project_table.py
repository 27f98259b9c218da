"""A table of a project's own as records beside the published ones: its units, their outcomes, what was known before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.errors import DataError
from evalkit.core.project import OwnTable
from evalkit.core.words import counted, did_you_mean, listed, slip_of
from evalkit.data.flow import CountedCase
from evalkit.data.ids import refuse_lookalikes
from evalkit.data.own_tables.area_units import area_code, described_areas, unknown_units, with_area_names
from evalkit.data.own_tables.columns import Columns, header_of, read_columns
from evalkit.data.own_tables.ees_periods import IDENTIFIER, PERIOD, ees_periods
from evalkit.data.own_tables.row_filter import rows_where, told_apart, wanted
from evalkit.data.own_tables.unit_table import number_columns
from evalkit.data.published.codes import CODE_REASONS, MEANINGS, NO_ROW, holds_texts, read_cells, refuse_odd
from evalkit.data.published.known_schools import KnownSchools
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.records import SchoolRecords

_BLANK: Final = CODE_REASONS[""]
_MOST: Final = 0.5
"""Share of a table's ids that must be those of schools, or of areas, for its units to be schools, or areas."""
_FIRST_OWN_AREA: Final = 1001
"""Where the numbering of areas begins that only the table names; DfE's codes have three digits."""
_YEARS: Final = (1900, 2100)


@dataclass(frozen=True, slots=True, eq=False)
class Directory:
    """What published files say of schools and areas, by which the units of a table are known; nothing without files."""

    known: KnownSchools
    areas: NeighbourTable
    spine: pd.DataFrame | None = None

    @property
    def groups(self) -> dict[str, str]:
        """Return the group of each school: that of its results, else that of the school list."""
        listed_groups = {} if self.spine is None else dict(self.spine["minor_group"])
        found = {self.known.school_of(str(urn)): str(group) for urn, group in listed_groups.items()}
        return found | {
            str(school): str(group)
            for r in self.known.records.values()
            for school, group in r.schools["minor_group"].items()
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProjectTable:
    """A table whose units and periods have been read, and not one outcome yet.

    `rows` are those of the file that count, by their position in it; `ids` and `units` have the id of each of them, and
    the unit it means; `periods` its year (None: one row a unit, or person). `schools` describes the units, as
    `SchoolRecords.schools` does. `people` numbers the person of each row where rows are people, who share units.
    """

    path: Path
    name: str
    table: OwnTable
    rows: NDArray[np.intp]
    ids: pd.Series
    units: pd.Series
    periods: NDArray[np.int64] | None
    schools: pd.DataFrame
    urns: dict[str, str]
    cases: tuple[CountedCase, ...]
    columns: Columns = field(repr=False)
    people: NDArray[np.int64] | None = None

    @property
    def years(self) -> tuple[int, ...]:
        """Return every period of the table, earliest first; none where it has one row a unit."""
        return () if self.periods is None else tuple(int(year) for year in np.unique(self.periods))

    def place(self, row: int) -> str:
        """Return where one of the rows that count stands in the file."""
        return self.columns.place(int(self.rows[row]))

    def require_years(self, years: Collection[int]) -> None:
        """Raise `DataError` where the table has no row of a year that `exposure` names."""
        absent = [str(year) for year in sorted(set(years) - set(self.years))]
        if absent:
            raise DataError(
                f"{self.path.name}: the table '{self.name}' has no row of {listed(absent)}, which `exposure` names; "
                f"its column '{self.table.period}' holds {listed([str(year) for year in self.years], 20)}. Change "
                "`exposure`, or supply those years."
            )


def open_project_table(path: Path, name: str, table: OwnTable, directory: Directory) -> ProjectTable:
    """Read the units and periods of a table of a project's own, and no outcome.

    A unit is a school where most ids are URNs or LAESTABs that the published files know, an area where most are codes
    or names of local authorities, and otherwise what the table says it is: then its area and name are those of the
    table's columns `area` and `name`, where the project file names such.

    Raises
    ------
    DataError
        Where the file cannot be read, an id or a period is missing, periods are no years, or a unit (where rows are
        people, a person) has two rows of one period, or a unit two areas or two names.
    """
    is_ees = table.period == PERIOD and IDENTIFIER in header_of(path)
    texts = [table.unit, *(column for column in (table.area, table.name, table.person) if column), *table.where]
    texts += [PERIOD, IDENTIFIER] if is_ees else []
    periods = (table.period,) if table.period and not is_ees else ()
    columns = read_columns(path, list(dict.fromkeys(texts)), (), periods=periods)
    rows = np.flatnonzero(rows_where(pd.DataFrame(columns.texts), table.where, columns.name))
    columns.require_ids(table.unit, rows=rows)
    ids: pd.Series = columns.texts[table.unit].iloc[rows].str.strip()
    refuse_lookalikes(pd.Index(ids.unique()))
    people = None
    if table.person:  # millions of rows share some thousand units: codes of them are held, not one text a row
        columns.require_ids(table.person, "person", rows)
        people = pd.factorize(columns.texts[table.person].iloc[rows].str.strip())[0].astype(np.int64)
        ids = ids.astype("category")
    years = _ees_years(columns, rows) if is_ees else _years(columns, table.period, rows) if table.period else None
    units_by_id, frame, cases = _described(ids, columns, table, directory)
    units = ids.map(units_by_id) if people is None else ids.map(units_by_id).astype("category")
    opened = ProjectTable(
        path=path,
        name=name,
        table=table,
        rows=rows,
        ids=ids,
        units=units,
        periods=years,
        schools=frame,
        urns=_other_ids(frame, directory) | units_by_id | {unit: unit for unit in frame.index},
        cases=(*_chosen(name, table, rows), CountedCase(f"{name}: units of the table", len(frame)), *cases),
        columns=columns,
        people=people,
    )
    _refuse_second_rows(opened)
    return opened


def _chosen(name: str, table: OwnTable, rows: NDArray[np.intp]) -> list[CountedCase]:
    """Return how many rows a project chose by `where`; nothing where it takes all."""
    parts = [f"{column} {listed(list(wanted(values)))}" for column, values in table.where.items()]
    return [CountedCase(f"{name}: rows with {listed(parts)}", len(rows))] if parts else []


def _years(columns: Columns, name: str, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    numbers = columns.numbers[name][rows]
    if columns.scale.kind not in ("number", "school year"):
        raise DataError(
            f"{columns.name}: the column '{name}' holds {columns.scale.kind}s, and a project counts in years. Give one "
            "row for each unit and year; school years such as 2018/19 stand under their summer."
        )
    is_odd = ~((numbers >= _YEARS[0]) & (numbers <= _YEARS[1]) & (numbers == np.floor(numbers)))
    if is_odd.any():
        at = int(np.argmax(is_odd))
        what = "nothing" if np.isnan(numbers[at]) else f"{numbers[at]:.12g}"
        raise DataError(
            f"{columns.name}: {columns.place(int(rows[at]))}: the column '{name}' holds {what}, which is no year "
            f"({counted(int(is_odd.sum()), 'such row')}). Write years as 2019, or school years as 2018/19."
        )
    return numbers.astype(np.int64)


def _ees_years(columns: Columns, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return the year of each row of a file of Explore Education Statistics, which says what kind of period it has."""
    labels, kinds = (columns.texts[name].iloc[rows].fillna("") for name in (PERIOD, IDENTIFIER))
    return np.array([period.year for period in ees_periods(labels, kinds, columns.name)], dtype=np.int64)


def _refuse_second_rows(opened: ProjectTable) -> None:
    if opened.people is not None:
        _refuse_second_people(opened)
        return
    keys = pd.DataFrame({"unit": opened.units, "period": 0 if opened.periods is None else opened.periods})
    twice = keys.duplicated().to_numpy()
    if not twice.any():
        return
    at = int(np.argmax(twice))
    when = "" if opened.periods is None else f" in {opened.periods[at]}"
    hint = " Name the column of its periods as `period` in the project file." if opened.periods is None else ""
    if hint == "" and (apart := _told_apart(opened, (keys == keys.iloc[at]).all(axis=1).to_numpy())):
        hint = f" Or choose rows by `where` in the project file, one value of each of these: {apart}."
    raise DataError(
        f"{opened.path.name}: {opened.place(at)}: '{opened.ids.iloc[at]}' has a second row{when} "
        f"({counted(int(twice.sum()), 'such row')}). Keep one.{hint}"
    )


def _refuse_second_people(opened: ProjectTable) -> None:
    """Raise `DataError` where a person has two rows in a period; the message names nobody."""
    assert opened.people is not None
    period = np.zeros(len(opened.people), dtype=np.int64) if opened.periods is None else opened.periods
    twice = pd.Series(opened.people * (_YEARS[1] + 1) + period).duplicated().to_numpy()
    if twice.any():
        at = int(np.argmax(twice))
        when = "" if opened.periods is None else f" in {opened.periods[at]}"
        hint = " Name the column of its periods as `period` in the project file." if opened.periods is None else ""
        raise DataError(
            f"{opened.path.name}: {opened.place(at)}: a person ('{opened.table.person}') has a second row{when} "
            f"({counted(int(twice.sum()), 'such row')}). Keep one, or choose rows by `where` in the project file.{hint}"
        )


def _told_apart(opened: ProjectTable, same: NDArray[np.bool_]) -> str:
    """Return the columns of texts by which rows of one unit and period differ; numbers, outcomes among them, unseen."""
    known = {opened.table.unit, opened.table.period, opened.table.area, opened.table.name, opened.table.pupils}
    names = [name for name in dict.fromkeys(header_of(opened.path)) if name not in known]
    names = [name for name in names if name not in number_columns(opened.path, names)]
    texts = pd.DataFrame(read_columns(opened.path, names, ()).texts).iloc[opened.rows] if names else pd.DataFrame()
    return told_apart(texts[[name for name in names if holds_texts(read_cells(texts[name]))]][same])


# What the units of a table are.


def _described(
    ids: pd.Series, columns: Columns, table: OwnTable, directory: Directory
) -> tuple[dict[str, str], pd.DataFrame, list[CountedCase]]:
    """Return the unit that each id means, a description of each unit, and how many of them are known."""
    distinct = sorted(ids.unique().tolist())
    schools = {one: school for one in distinct if (school := _school(one, directory.known))}
    areas = {one: code for one in distinct if (code := area_code(one, directory.areas)) is not None}
    if len(schools) >= _MOST * len(distinct):
        units = {one: schools.get(one, one) for one in distinct}
        frame = _of_schools(units, directory)
        cases = [CountedCase("of these, schools that the published files know", int(frame["is_known"].sum()))]
    elif len(areas) >= _MOST * len(distinct):
        units = {one: str(areas.get(one, one)) for one in distinct}
        frame = described_areas(units, directory.areas)
        cases = [CountedCase("of these, local authorities of the neighbour list", int(frame["is_known"].sum()))]
    else:
        units = {one: one for one in distinct}
        frame, cases = unknown_units(distinct), []
    own_ids = {unit: one for one, unit in units.items()}
    for key, column in (("area", table.area), ("name", table.name)):
        if column:
            said = _said(ids.map(units), columns, column)
            frame = _filled(frame, key, said, directory.areas if key == "area" else None, columns.name)
    frame["name"] = frame["name"].where(frame["name"] != "", pd.Series(own_ids).reindex(frame.index))
    return units, frame.drop(columns="is_known"), cases


def _school(text: str, known: KnownSchools) -> str:
    """Return the school_id of a URN or a LAESTAB, empty where no file knows it."""
    plain = text.replace("/", "")
    if plain.isdigit() and len(plain) == 6 and (school := known.school_of(plain)) in known.areas:
        return school
    at = list(known.at(plain)) if plain.isdigit() and len(plain) == 7 else []
    return at[0] if len(at) == 1 else ""


def _of_schools(units: Mapping[str, str], directory: Directory) -> pd.DataFrame:
    """Return what the published files say of schools, of those that they know."""
    frame, known = unknown_units(sorted(set(units.values()))), directory.known
    frame["is_known"] = [unit in known.areas for unit in frame.index]
    found = frame.index[frame["is_known"]]
    frame.loc[found, "name"] = [known.names[unit][0] for unit in found]
    frame["area"] = pd.array([known.areas.get(unit) for unit in frame.index], dtype="Int64")
    laestabs = {school: number for number, at in known.laestabs.items() for school in at}
    frame.loc[found, "laestab"] = [laestabs.get(unit, "") for unit in found]
    groups = directory.groups
    frame.loc[found, "minor_group"] = [groups.get(unit, "") for unit in found]
    converted = {school for r in known.records.values() for school in r.schools.index[_converted(r)]}
    frame["is_converted"] = frame.index.isin(converted)
    return with_area_names(frame, directory.areas)


def _converted(records: SchoolRecords) -> NDArray[np.bool_]:
    return records.schools["is_converted"].to_numpy(dtype=bool)


def _said(units: pd.Series, columns: Columns, column: str) -> pd.Series:
    """Return the one text that a column says of each unit, where it says any."""
    pairs = pd.DataFrame({"unit": units, "text": columns.texts[column].str.strip()}).dropna().drop_duplicates()
    pairs["unit"] = pairs["unit"].astype(object)
    twice = pairs[pairs["unit"].duplicated(keep=False)]
    if len(twice):
        unit = twice["unit"].iloc[0]
        both = listed([f"'{text}'" for text in twice.loc[twice["unit"] == unit, "text"].iloc[:2]])
        raise DataError(
            f"{columns.name}: the column '{column}' says {both} of one unit ('{unit}'). Write one of them in all rows "
            f"({counted(twice['unit'].nunique(), 'such unit')})."
        )
    return pairs.set_index("unit")["text"]


def _filled(frame: pd.DataFrame, key: str, said: pd.Series, areas: NeighbourTable | None, file: str) -> pd.DataFrame:
    """Return a description filled up by what the table says of units that the published files do not know."""
    told = said[said.index.isin(frame.index[~frame["is_known"]])]
    if areas is None:
        frame.loc[told.index, key] = told
        return frame
    codes, names = _area_numbers(told, areas, file)
    frame.loc[told.index, "area"] = told.map(codes).astype("Int64")
    return with_area_names(frame, replace(areas, names=names | areas.names))


def _area_numbers(told: pd.Series, areas: NeighbourTable, file: str) -> tuple[dict[str, int], dict[int, str]]:
    """Return a code for each area that a table names, DfE's where it is a local authority, and their names."""
    texts = sorted(told.unique().tolist())
    codes = {text: area_code(text, areas) for text in texts}
    plain = {text: int(text) for text in texts if text.isdigit() and len(text) == 3}
    if not areas.names and len(plain) == len(texts):
        return plain, {code: f"area {code}" for code in plain.values()}
    unknown = [text for text, code in codes.items() if code is None]
    # districts may share a few names with authorities; a slip, or one stranger among many, is a mistake
    slips = [text for text in unknown if slip_of(text, areas.names.values())]
    if 0 < len(unknown) < len(texts) and (slips or 2 * len(unknown) < len(texts)):
        wrong = (slips or unknown)[0]
        raise DataError(
            f"{file}: '{wrong}' is no local authority, as other areas of the table are."
            f"{did_you_mean(wrong, areas.names.values())} Write its code or name as the neighbour list has it."
        )
    if unknown:
        numbered = {text: number for number, text in enumerate(texts, start=_FIRST_OWN_AREA)}
        return numbered, {number: text for text, number in numbered.items()}
    known = {text: code for text, code in codes.items() if code is not None}
    return known, {code: areas.names[code] for code in known.values()}


def _other_ids(frame: pd.DataFrame, directory: Directory) -> dict[str, str]:
    """Return the names of areas that are units, by which participants may be listed as well."""
    names = directory.areas.names
    return {names[int(unit)]: unit for unit in frame.index if unit.isdigit() and len(unit) == 3 and int(unit) in names}


# What is measured of the units, of some periods and no other.


def read_own_records(
    opened: ProjectTable, outcomes: Mapping[str, str], years: Collection[int], single: int | None = None
) -> SchoolRecords:
    """Return the records of a table with the outcomes (code → column) of some years alone.

    Cells of other years are not looked at. A table with one row a unit holds what came of the programme: it stands
    under the year `single`, and with None not at all.
    """
    read = sorted(set(years) & set(opened.years)) if opened.periods is not None else [single] if single else []
    rows, period_of_row = _rows(opened, read)
    values, reasons = {}, {}
    for code, column in outcomes.items():
        numbers, why = _cells(opened, column, rows)
        values[code] = _wide(opened, numbers, rows, period_of_row, read, np.nan)
        reasons[code] = _wide(opened, why, rows, period_of_row, read, NO_ROW)
    pupils = np.full(len(rows), np.nan)
    if opened.table.pupils:
        pupils = _cells(opened, opened.table.pupils, rows)[0]
    counts = _wide(opened, pupils, rows, period_of_row, read, np.nan).astype(float)
    values = {code: frame.astype(float) for code, frame in values.items()}
    return SchoolRecords(
        opened.name, opened.schools, values, reasons, counts, tuple(read), dict(opened.urns), opened.cases
    )


def read_own_columns(opened: ProjectTable, names: Sequence[str], before: Collection[int]) -> pd.DataFrame:
    """Return columns of a table by unit, as `table.column`, for what units are compared on: numbers, or texts.

    Of a table with periods it is the last value known in the years `before` the programme; cells of other years are
    not looked at. A column of texts is one in whose cells of those years no number stands.
    """
    frame = pd.DataFrame(index=opened.schools.index)
    keep = np.ones(len(opened.ids), dtype=bool) if opened.periods is None else np.isin(opened.periods, list(before))
    rows = np.flatnonzero(keep)
    if opened.periods is not None:
        rows = rows[np.argsort(opened.periods[rows], kind="stable")]
    for name in names:
        found = _known_before(opened, name, rows)
        frame[f"{opened.name}.{name}"] = found.groupby(opened.units.iloc[rows].to_numpy()).last().reindex(frame.index)
    return frame


def _known_before(opened: ProjectTable, column: str, rows: NDArray[np.intp]) -> pd.Series:
    if number_columns(opened.path, [column]):
        return pd.Series(_cells(opened, column, rows)[0])
    texts = _texts(opened, column, rows)
    if holds_texts(read_cells(texts)):
        return texts.astype(object)
    return pd.Series(_cells(opened, column, rows)[0])


def _rows(opened: ProjectTable, read: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the rows of the periods that are read, and the period of each."""
    if opened.periods is None:
        rows = np.arange(len(opened.ids) if read else 0)
        return rows, np.full(len(rows), read[0] if read else 0)
    rows = np.flatnonzero(np.isin(opened.periods, read))
    return rows, opened.periods[rows]


def _cells(opened: ProjectTable, column: str, rows: NDArray[np.intp]) -> tuple[Floats, NDArray[np.object_]]:
    """Return the numbers of a column in some rows, and the reason of each that is missing."""
    if number_columns(opened.path, [column]):
        numbers = read_columns(opened.path, (), [column]).numbers[column][opened.rows[rows]]
        return numbers, np.where(np.isnan(numbers), _BLANK, "").astype(object)
    texts = _texts(opened, column, rows)
    cells, place = read_cells(texts), opened.place
    refuse_odd(cells, texts, column, lambda at: f"{opened.path.name}: {place(int(rows[at]))}")
    plain = texts.fillna("").astype("str").str.strip()
    why = plain.map(MEANINGS).fillna(_BLANK).to_numpy(dtype=object, copy=True)
    is_bad = np.isinf(cells.numbers)
    if is_bad.any():
        raise DataError(f"{opened.path.name}: {place(int(rows[np.argmax(is_bad)]))}: '{column}' is infinite.")
    why[~np.isnan(cells.numbers)] = ""
    return cells.numbers, why


def _texts(opened: ProjectTable, column: str, rows: NDArray[np.intp]) -> pd.Series:
    return read_columns(opened.path, [column], ()).texts[column].iloc[opened.rows[rows]].reset_index(drop=True)


def _wide(
    opened: ProjectTable,
    cells: NDArray[np.float64] | NDArray[np.object_],
    rows: NDArray[np.intp],
    periods: NDArray[np.int64],
    read: Sequence[int],
    empty: float | str,
) -> pd.DataFrame:
    """Return the cells of rows as a frame of unit by period."""
    wide = np.full((len(opened.schools), len(read)), empty, dtype=object)
    at = opened.schools.index.get_indexer(pd.Index(opened.units.iloc[rows]))
    wide[at, np.searchsorted(np.array(read), periods) if len(rows) else []] = cells
    return pd.DataFrame(wide, index=opened.schools.index, columns=list(read), dtype=object)
