"""Explore Education Statistics: DfE's long files, with a row for each period, place and breakdown."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.words import listed
from evalkit.data.areas.series import AreaRoles, AreaSeries, unjoined
from evalkit.data.files.layout import STAGES, Contents, Field, Layout, Stage, fitting
from evalkit.data.files.raw_table import RawTable
from evalkit.data.layouts.file_names import stage_by_name
from evalkit.data.layouts.opening import open_as
from evalkit.data.layouts.published_table import (
    PublishedTable,
    coded_cells,
    published_table,
    refuse_repeated,
    require_measures,
    stripped,
)
from evalkit.data.own_tables.ees_periods import IDENTIFIER, PERIOD, EesPeriod, ees_period, ees_periods, period_numbers
from evalkit.data.own_tables.row_filter import Where, rows_where, told_apart
from evalkit.data.published.codes import coded_notes

LEVEL: Final = "geographic_level"
AREA_LEVEL: Final = "Local authority"
SCHOOL_LEVEL: Final = "School"
FIELDS: Final = (
    Field(name=PERIOD, meaning="Years of the row: 201819 for a school or financial year, else 2019.", form="period"),
    Field(name=IDENTIFIER, meaning="What kind of period: Academic year, Autumn term, Week 12, Reporting year."),
    Field(name=LEVEL, meaning="National, Regional, Local authority, School and others."),
    Field(name="country_code", meaning="GSS code of the country.", form="code", is_required=False),
    Field(name="country_name", meaning="Name of the country.", is_required=False),
    Field(name="region_code", meaning="GSS code of the region.", form="code", is_required=False),
    Field(name="region_name", meaning="Name of the region.", is_required=False),
    Field(name="old_la_code", meaning="Local authority, three digits.", form="area", is_required=False),
    Field(name="new_la_code", meaning="Local authority, GSS code.", form="code", is_required=False),
    Field(name="la_name", meaning="Name of the local authority.", is_required=False),
    Field(name="school_urn", meaning="URN of the school.", form="urn", is_required=False, also=("urn",)),
    Field(
        name="school_laestab", meaning="LAESTAB of the school.", form="laestab", is_required=False, also=("laestab",)
    ),
    Field(name="school_name", meaning="Name of the school.", is_required=False, also=("estab_name",)),
    Field(name="version", meaning="Provisional, Revised or Final.", is_required=False),
)
OWN_CODES: Final = {"R": "R in the source, which this kit knows no meaning of"}
"""A code of some files; in a column of admission years it is the reception class, so that it alone makes no number."""
_NAMES: Final = {name.casefold(): field.name for field in FIELDS for name in (field.name, *field.also)}
_IDS: Final = ("_code", "_name", "_id", "_urn", "_laestab", "_ukprn")
"""Endings of columns that are of places and ids, though they may hold numbers."""
_ID_NAMES: Final = ("estab", "urn", "laestab", "ukprn", "postcode", "telnum", "version", "la_number")
_PLACES: Final = {
    AREA_LEVEL: ("old_la_code", "new_la_code", "la_name"),
    "Regional": ("region_code", "region_name"),
    "National": ("country_code", "country_name"),
    SCHOOL_LEVEL: ("school_urn", "school_laestab", "school_name"),
}


def read_ees(
    path: Path, *, level: str | None = None, where: Where | None = None, measures: Sequence[str] | None = None
) -> PublishedTable:
    r"""Return the rows of a long file of Explore Education Statistics, with the reason of each number that is missing.

    Keys have `year` (the later year of a school year) and `summer` (missing where a period is of no school year) beside
    the published columns; `school_urn` and `school_laestab` stand under these names, whatever the file calls them.

    Parameters
    ----------
    path : Path
        A CSV, also .csv.gz or in a .zip (with one such file, or named as `a.zip/b.csv`).
    level : str, optional
        A geographic level as the file calls it: `National`, `Regional`, `Local authority`, `School`.
    where : mapping, optional
        From columns of breakdowns, filters or periods to the value, or values, wanted.
    measures : sequence of str, optional
        The columns wanted as numbers; otherwise all that hold nothing but numbers and symbols.

    Raises
    ------
    DataError
        If the file is damaged or of another kind, lacks a column or value that is asked for, holds a period that is
        none or in a measure what is neither a number nor a symbol, or has a row twice.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_ees
    >>> header = "time_period,time_identifier,geographic_level,school_urn,subject,score\n"
    >>> rows = "202324,Academic year,School,100000,Reading,103.2\n202324,Academic year,School,100001,Reading,z\n"
    >>> _ = Path("ks2.csv").write_text(header + rows)
    >>> table = read_ees(Path("ks2.csv"), level="School", where={"subject": "Reading"})
    >>> table.keys["year"].tolist(), table.values["score"].tolist(), table.reasons["score"].tolist()
    ([2024, 2024], [103.2, nan], ['', 'not applicable'])
    """
    table, _ = open_as(path, LAYOUTS)
    frame = _chosen(table, level, where or {})
    wanted = list(measures) if measures is not None else value_columns(frame)
    require_measures(wanted, frame, table.name)
    texts = frame[[column for column in frame.columns if column not in wanted]]
    told_by_numbers = _refuse_repeated_rows(frame, table.name)
    periods = ees_periods(frame[PERIOD], frame[IDENTIFIER], table.name)
    keys = texts.assign(
        year=[period.year for period in periods],
        summer=pd.array([period.summer for period in periods], dtype="Int64"),
    )
    read = published_table(frame, table.name, measures=wanted, keys=keys, reasons=OWN_CODES)
    notes = coded_notes(code for code in read.codes if code.code not in OWN_CODES)
    return replace(read, notes=(*told_by_numbers, *notes))


def read_ees_areas(
    path: Path,
    measure: str,
    *,
    level: str = AREA_LEVEL,
    where: Where | None = None,
    years: Collection[int] | None = None,
) -> AreaSeries:
    r"""Return one measure of every authority (or region) over the periods of an Explore Education Statistics file.

    Authorities are known by their three digits where all rows have them, else by their GSS code; years are the later
    ones of school years, and weeks and months are numbered one after another.

    Parameters
    ----------
    path : Path
        As `read_ees` reads it.
    measure : str
        The column that holds it.
    level : str
        `Local authority`, `Regional` or `National`.
    where : mapping, optional
        The value of each column by which an area has several rows in a period.
    years : collection of int, optional
        The years wanted, each the later one of a school year; values of others are not looked at.

    Raises
    ------
    DataError
        As `read_ees`, and where an area has several rows in a period: the columns that tell them apart are named.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_ees_areas
    >>> header = "time_period,time_identifier,geographic_level,old_la_code,new_la_code,la_name,group,rate\n"
    >>> rows = [
    ...     f"{year},Academic year,Local authority,340,E08000011,Knowsley,{group},{rate}\n"
    ...     for year, group, rate in [(201819, "CIN", 9.1), (201819, "All", 5.0), (201920, "CIN", "c")]
    ... ]
    >>> _ = Path("absence.csv").write_text(header + "".join(rows) + rows[0].replace("340", "341").replace("11,", "12,"))
    >>> series = read_ees_areas(Path("absence.csv"), "rate", where={"group": "CIN"})
    >>> series.areas.tolist(), series.periods, series.name(340), series.values.tolist()
    ([340, 341], (2019,), 'Knowsley', [[9.1], [9.1]])
    """
    if level not in _PLACES or level == SCHOOL_LEVEL:
        raise DataError(f"'{level}' is no level of areas. Known are {listed(list(_PLACES)[:3])}.")
    table, _ = open_as(path, LAYOUTS)
    frame = _chosen(table, level, where or {})
    require_measures([measure], frame, table.name)
    periods = ees_periods(frame[PERIOD], frame[IDENTIFIER], table.name)
    if years is not None:
        frame = frame[[period.year in years for period in periods]]
        periods = [period for period in periods if period.year in years]
    area, names = _areas(frame, level, table.name)
    _require_one_row(frame, area, periods, table.name, measure)
    return _area_series(frame, table.name, measure, periods, (area, names))


def _area_series(
    frame: pd.DataFrame,
    file: str,
    measure: str,
    periods: Sequence[EesPeriod],
    of_areas: tuple[pd.Series, Mapping[object, str]],
) -> AreaSeries:
    """Return the series of the rows of one measure, their areas and the names of these."""
    area, names = of_areas
    numbers, note = period_numbers(periods, file)
    read = published_table(frame, file, measures=[measure], reasons=OWN_CODES)
    rows = pd.DataFrame(
        {"area": area.to_numpy(), "period": [numbers[one] for one in periods], measure: read.values[measure].to_numpy()}
    )
    series = AreaSeries.from_frame(rows, AreaRoles(unit="area", period="period", outcome=measure))
    told = [*coded_notes(code for code in read.codes if code.code not in OWN_CODES)]
    empty = sorted(one.label for one, number in numbers.items() if number not in series.periods)
    told += [f"No area has a value in {listed(empty)}."] if empty else []
    told += [note, unjoined(series, names, (one.year for one in numbers if numbers[one] in series.periods))]
    return replace(series, names=names, notes=tuple(filter(None, told)))


def value_columns(frame: pd.DataFrame) -> list[str]:
    """Return the columns that hold numbers: nothing but numbers and symbols, and no ids or names of places."""
    return [str(column) for column in frame.columns if not _is_id(str(column)) and _holds_numbers(frame[column])]


def _is_id(column: str) -> bool:
    plain = column.casefold()
    return plain in _NAMES or plain in _ID_NAMES or plain.endswith(_IDS) or plain in ("year", "summer")


def _holds_numbers(texts: pd.Series) -> bool:
    distinct = pd.Series(texts.dropna().unique())
    if distinct.astype("str").str.fullmatch(r"0\d+").any():  # a number does not begin so; an id may
        return False
    cells, _ = coded_cells(distinct)
    return not cells.is_odd.any() and bool(cells.has_numbers or cells.codes)


def _chosen(table: RawTable, level: str | None, where: Where) -> pd.DataFrame:
    """Return the rows asked for, known columns under their present names; the index says where a row stood."""
    frame = table.read()
    frame.columns = pd.Index(_present_names([str(column) for column in frame.columns], table.name))
    known = [column for column in frame.columns if column in _NAMES.values()]
    frame[known] = frame[known].fillna("")
    if not len(frame):
        raise DataError(f"{table.name}: the file has a header but no rows. Download it again.")
    asked: dict[str, str | int | Sequence[str | int]] = {
        _NAMES.get(column.casefold(), column): of for column, of in where.items()
    }
    return frame[rows_where(frame, ({LEVEL: level} if level else {}) | asked, table.name)]


def _refuse_repeated_rows(frame: pd.DataFrame, name: str) -> list[str]:
    """Raise `DataError` where two rows are of one period, place and breakdown; return what to say of the others.

    A breakdown may be a number, such as a year group: whole numbers of few values tell rows apart too, which is said.
    """
    numeric = value_columns(frame)
    texts = [str(column) for column in frame.columns if column not in numeric]
    if not frame[texts].duplicated().any():
        return []
    classes = [column for column in numeric if _is_class(frame[column])]
    refuse_repeated(frame[[*texts, *classes]], name, "a row of one period, place and breakdown")
    return [f"Rows of one place and period are told apart by numbers alone: {listed(classes)}."]


def _is_class(texts: pd.Series) -> bool:
    return texts.nunique() <= _MOST_CLASSES and bool(texts.str.strip().str.fullmatch(r"\d{1,2}").all())


_MOST_CLASSES: Final = 30


def _present_names(published: Sequence[str], name: str) -> list[str]:
    """Return the columns of a file under their present names; raise `DataError` where one stands there twice.

    Reading gives the second a number: `rate.1`.
    """
    columns = [_NAMES.get(column.strip().casefold(), column.strip()) for column in published]
    again = [column for column in columns if columns.count(column.removesuffix(".1")) > (not column.endswith(".1"))]
    if again:
        twice = again[0].removesuffix(".1")
        raise DataError(f"{name}: the column '{twice}' stands there twice, so it is not clear which to read.")
    return columns


def _areas(frame: pd.DataFrame, level: str, name: str) -> tuple[pd.Series, Mapping[object, str]]:
    """Return the id of the area of each row, and what areas are called."""
    present = [column for column in _PLACES[level] if column in frame]
    filled = [column for column in present if frame[column].str.strip().ne("").all()]
    if not filled:
        raise DataError(f"{name}: a row of level '{level}' has no {listed(list(_PLACES[level]))}. Download it again.")
    ids: pd.Series = frame[filled[0]].str.strip()
    if filled[0] == "old_la_code" and ids.str.fullmatch(r"\d{3}").all():
        ids = ids.astype(int)
    named = pd.Series(frame[filled[-1]].str.strip().to_numpy(), index=ids.to_numpy())
    names = named[~named.index.duplicated(keep="last")]
    return ids, {area: str(text) for area, text in names.items() if str(text) != str(area)}


def _require_one_row(
    frame: pd.DataFrame, area: pd.Series, periods: Sequence[EesPeriod], name: str, measure: str
) -> None:
    """Raise `DataError` with the columns that tell them apart where an area has several rows in a period."""
    year = pd.Series([period.year * 100 + (period.step or 0) for period in periods], index=frame.index)
    twice = pd.concat([area.rename("area"), year.rename("year")], axis=1).duplicated(keep=False)
    if not twice.any():
        return
    rows = frame[twice]
    first = rows[(area[twice] == area[twice].iloc[0]) & (year[twice] == year[twice].iloc[0])]
    filters = [c for c in frame.columns if c not in _PLACES[AREA_LEVEL] and c not in value_columns(first)]
    apart = told_apart(first[filters])
    where = f"{name}: '{first['la_name'].iloc[0] if 'la_name' in first else area[twice].iloc[0]}' has {len(first)} rows"
    period = periods[list(frame.index).index(first.index[0])]
    if not apart:
        raise DataError(
            f"{where} in {period.label} that no column of texts tells apart, so it is not clear which holds "
            f"'{measure}'. Where a column of numbers does, name its value in `where`; else the file has doubles."
        )
    raise DataError(f"{where} in {period.label}. Choose one value of each of these in `where`: {apart}.")


# What a file gives.


def _contents(table: RawTable) -> Contents:
    peek = table.peek
    _present_names(peek.columns, table.name)  # what its reader refuses is no file to use
    there = {str(column).strip().casefold(): str(column) for column in peek.columns}
    beginning = pd.DataFrame(peek.rows, columns=list(peek.columns))
    measures = tuple(value_columns(beginning.loc[:, ~beginning.columns.duplicated()]))
    filters = [str(column) for column in beginning if _is_filter(str(column), beginning[column], measures)]
    keys = [there[column] for column in ("old_la_code", "new_la_code", "version") if column in there]
    frame = table.counts([*(there[column] for column in (PERIOD, IDENTIFIER, LEVEL)), *keys, *filters])
    kinds = tuple(sorted({cell for column in filters for cell in stripped(frame[column]).unique()}))
    frame = frame.rename(columns=lambda column: str(column).strip().casefold())
    years = sorted({year for pair in _distinct(frame, [PERIOD, IDENTIFIER]) if (year := _year(*pair)) is not None})
    levels = tuple(sorted(stripped(frame[LEVEL]).str.casefold().unique().tolist()))
    areas = _codes(frame)
    stages = {text for text in stripped(frame.get("version", pd.Series(dtype=str))).str.lower() if text in STAGES}
    stage: Stage = stages.pop() if len(stages) == 1 else stage_by_name(table.name)
    what = hashlib.sha256("\n".join([*sorted(peek.columns), *areas, *kinds]).encode()).hexdigest()[:8]
    span = f"{years[0]} to {years[-1]}" if years else "no year"
    return Contents(
        rows=int(frame["n"].sum()), years=tuple(years), areas=areas, measures=measures, levels=levels, stage=stage,
        subject=f"Explore Education Statistics, {listed(list(levels))}, {span} [{what}]",
    )  # fmt: skip


def ees_filters(table: RawTable) -> tuple[str, ...]:
    """Return the columns that say which rows of a place and period are which, by the beginning of a file."""
    beginning = pd.DataFrame(table.peek.rows, columns=list(table.peek.columns))
    beginning = beginning.loc[:, ~beginning.columns.duplicated()]
    measures = value_columns(beginning)
    return tuple(str(column) for column in beginning if _is_filter(str(column), beginning[column], measures))


def _is_filter(column: str, texts: pd.Series, measures: Sequence[str]) -> bool:
    """Return whether a column says which rows of a place and period are which, by the beginning of a file."""
    return column not in measures and not _is_id(column) and texts.nunique() <= _MOST_CLASSES


def _distinct(frame: pd.DataFrame, columns: list[str]) -> list[tuple[str, str]]:
    return [(str(one), str(other)) for one, other in frame[columns].drop_duplicates().to_numpy().tolist()]


def _year(time_period: str, time_identifier: str) -> int | None:
    """Return the year of a period, None for one that is none: reading the rows says where it stands."""
    try:
        return ees_period(time_period, time_identifier).year
    except DataError:
        return None


def _codes(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the codes of authorities: of three digits where the file has them."""
    for column in ("old_la_code", "new_la_code"):
        if column in frame:
            codes = stripped(frame[column])
            known = codes[~codes.isin(["", *_symbols()])]
            if len(known):
                return tuple(sorted(known.unique().tolist()))
    return ()


def _symbols() -> tuple[str, ...]:
    return ("z", "x", "c", ":", ".", "..", "NULL")


LAYOUTS: Final = (
    Layout(
        name="ees",
        title="Explore Education Statistics, long file",
        publisher="DfE",
        fields=FIELDS,
        fits=fitting(FIELDS, "csv", "parquet"),
        contents=_contents,
        reader="read_ees",
        seen="key stage 2 and absence of children in need 2018/19 to 2024/25, early years profile 2012/13 to 2017/18, "
        "school places 2014/15 to 2021/22, exclusions by school 2006/07 to 2016/17, school information 2023/24",
    ),
)
