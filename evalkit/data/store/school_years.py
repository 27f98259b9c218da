"""Pupils of a store made to school-years: how many there are and have a number, mean, median, and why others lack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute as pc

from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.core.words import counted, did_you_mean, listed, shown_cell
from evalkit.data.files.layout import spelled
from evalkit.data.flow import CountedCase
from evalkit.data.layouts.pupils import LAYOUTS, pupil_columns, summers
from evalkit.data.published.codes import read_cells, refuse_odd
from evalkit.data.store.store import Store, quoted, sql_text
from evalkit.data.store.typed_columns import CODES, TEXT

if TYPE_CHECKING:
    import duckdb

    from evalkit.data.store.manifest import StoreEntry

DISAGREE: Final = "rows disagree"
"""In the place of a code: the rows of a pupil in a school and year give several numbers, or several codes."""
MEMORY: Final = "600MB"
"""What DuckDB may hold; a process with it stays under 1 GB."""
MOST_CELLS: Final = 20_000_000
"""Cells that are taken at once; of a year that has more, some schools are taken after others."""
_CELLS_BESIDE: Final = 4
"""How much of a row there is beside its measures."""
ROWS: Final = ("school", "year", "measure", "n_pupils", "n", "mean", "median")
MISSING: Final = ("school", "year", "measure", "code", "n_pupils")
_DIGITS: Final = {"URN": r"\d{5,7}", "LAESTAB": r"\d{7}"}
_BLANKS: Final = sql_text(" \t")


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class SchoolYears(Shown):
    """School-years made of pupils. These are counts of people: they stay where the pupils are kept.

    Attributes
    ----------
    rows : DataFrame with a row for each school, year and measure: `n_pupils`, `n` (those with a number), `mean` and
        `median` of these (missing where `n` is 0)
    missing : DataFrame with a row for each school, year, measure and `code`: `n_pupils` without a number. A code is as
        published, empty for a blank cell, and `rows disagree` where a pupil's rows there do. `n` and these add up to
        `n_pupils` of `rows`
    files : names of the files they are made of
    cases : what was counted on the way: rows, rows that say again of a pupil what was said, rows of no school
    """

    rows: pd.DataFrame
    missing: pd.DataFrame
    files: tuple[str, ...]
    cases: tuple[CountedCase, ...]

    def __repr__(self) -> str:
        return f"SchoolYears({len(self.rows)} rows of {counted(len(self.files), 'file')})"


def school_years(
    store: Store, measures: Sequence[str], *, school: Literal["URN", "LAESTAB"] = "URN", memory: str = MEMORY
) -> SchoolYears:
    r"""Return counts, means and medians of pupils by school and year, of every file of pupils that has the measures.

    A pupil counts once in a school and year, however many rows say so, and in each of several schools. Of a pupil's
    rows there a measure is the number that they give; a code or a blank gives way to a number, a blank to a code. Where
    they give several numbers, or no number and several codes, the pupil has none: `rows disagree`.

    Parameters
    ----------
    store : Store
        With files of the layout `pupils`; those that have none of the measures are left out.
    measures : sequence of str
        Columns, in any case of letters.
    school : str
        What tells schools: `URN` or `LAESTAB`. Rows without one are counted and in no school-year.
    memory : str
        What DuckDB may hold. Each year is taken by itself, in several parts where it is large.

    Raises
    ------
    DataError
        If no file has the measures, or one has some of them alone; if a row is of no pupil, a year or school is none,
        or a cell of a measure is neither a number nor a known code.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from evalkit import import_folder, school_years
    >>> header = "KS2_PupilMatchingRefAnonymous,KS2_ACADYR,KS2_URN,KS2_READSCORE\n"
    >>> pupils = [("A1", 104), ("A1", 104), ("A2", 107), ("A3", "SUPP")]
    >>> with TemporaryDirectory() as place:
    ...     raw = Path(place, "raw")
    ...     raw.mkdir()
    ...     lines = [f"{pupil},2018/2019,100001,{score}\n" for pupil, score in pupils]
    ...     _ = (raw / "ks2.csv").write_text(header + "".join(lines))
    ...     made = school_years(import_folder(raw, Path(place, "store")), ["KS2_READSCORE"])
    >>> made.rows[["school", "year", "n_pupils", "n", "median"]].to_dict("records")
    [{'school': '100001', 'year': 2019, 'n_pupils': 3, 'n': 2, 'median': 105.5}]
    >>> made.missing[["code", "n_pupils"]].to_dict("records")
    [{'code': 'SUPP', 'n_pupils': 1}]
    """
    if not measures or isinstance(measures, str):
        raise DataError("Name the columns that are measured as a list, such as ['KS2_READSCORE'].")
    entries = _entries(store, measures)
    with store.asked(memory) as asked:
        files = [_File.of(asked, store, entry, measures, school) for entry in entries]
        made = [
            part
            for year in sorted({year for file in files for year in file.labels})
            for part in _of_year(asked, [file for file in files if year in file.labels], year, list(measures))
        ]
    if not made:
        raise DataError(
            f"{listed([file.name for file in files])}: no row of a pupil is in it. Import the extract again."
        )
    return _put_together(made, school, measures[0], tuple(file.name for file in files))


def _put_together(made: Sequence[_Part], school: str, measure: str, names: tuple[str, ...]) -> SchoolYears:
    """Return the parts as one, in order; raise `DataError` where a school is told by what is no number of one."""
    rows = pd.concat([one.rows for one in made], ignore_index=True)
    _require_schools(rows["school"], school, names)
    missing = pd.concat([one.missing for one in made], ignore_index=True)
    n_rows, n_no_school = (sum(getattr(one, name) for one in made) for name in ("n_rows", "n_no_school"))
    n_pupils = int(rows.loc[rows["measure"] == measure, "n_pupils"].sum())
    return SchoolYears(
        rows=rows.sort_values(["school", "year", "measure"], ignore_index=True),
        missing=missing.sort_values(["school", "year", "measure", "code"], ignore_index=True),
        files=names,
        cases=(
            CountedCase("rows of pupils read", n_rows),
            CountedCase("pupils, once in each of their schools and years", n_pupils),
            CountedCase("rows of a pupil that has another in the school and year", n_rows - n_pupils - n_no_school),
            CountedCase("rows without a school", n_no_school),
        ),
    )


# What the files hold.


def _entries(store: Store, measures: Sequence[str]) -> list[StoreEntry]:
    """Return the files of pupils that have the measures; raise `DataError` where there are none."""
    found, seen = [], list[str]()
    for entry in store.of(LAYOUTS[0].name):
        absent = [name for name in measures if spelled(name, entry.columns, entry.name) is None]
        if absent and len(absent) < len(measures):
            raise DataError(
                f"{entry.name}: the file has no column '{absent[0]}', and others that are asked for. Ask for the "
                "measures of each extract by themselves."
            )
        found += [] if absent else [entry]
        seen += entry.columns
    if not found:
        hint = did_you_mean(measures[0], list(dict.fromkeys(seen)))
        raise DataError(
            f"{store.folder}: no file of pupils in the store has a column {listed(list(measures))}.{hint} "
            "`evalkit import DIR` lists what each file gives."
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file of pupils: its years with the labels of each and their rows, and the parts of a row as SQL.

    `numbers` and `codes` have one part for each measure: its number, and the place in `_KNOWN` of what stands in the
    place of one.
    """

    name: str
    source: str
    label: str
    labels: dict[int, list[str]]
    n_rows: dict[int, int]
    school: str
    is_whole: bool
    pupil: str
    numbers: list[str]
    codes: list[str]

    @classmethod
    def of(
        cls, asked: duckdb.DuckDBPyConnection, store: Store, entry: StoreEntry, measures: Sequence[str], school: str
    ) -> _File:
        """Return a file; raise `DataError` where it lacks the school, or a label or cell is none."""
        source = store.parquet(entry)
        kinds = {name: kind for name, kind, *_ in asked.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        columns = pupil_columns(entry.columns)
        if school not in columns:
            raise DataError(
                f"{entry.name}: the file has no column {school}, so that its pupils are of no school. Name the other: "
                "school='URN' or school='LAESTAB'."
            )
        at = columns[school]
        texts = f"SELECT count({quoted(at + TEXT)}) FROM {source}"
        is_whole = kinds[at] == "BIGINT" and not _one(asked, texts)
        label = _text_of(columns["ACADYR"], kinds)
        labels, n_rows = _labels(asked, f"SELECT {label}, count(*) FROM {source} GROUP BY 1 ORDER BY 1", entry.name)
        published = [str(spelled(name, entry.columns, entry.name)) for name in measures]
        cells = [_measure(asked, source, column, kinds, entry.name) for column in published]
        for at_measure, (_, _, distinct) in enumerate(cells):
            if distinct is not None:
                source = _beside(asked, source, distinct, published[at_measure])
        return cls(
            name=entry.name, source=source, label=label, labels=labels, n_rows=n_rows,
            school=quoted(at) if is_whole else f"nullif(replace({_text_of(at, kinds)}, '/', ''), '')",
            is_whole=is_whole, pupil=_text_of(columns["PupilMatchingRefAnonymous"], kinds),
            numbers=[number for number, _, _ in cells], codes=[code for _, code, _ in cells],
        )  # fmt: skip

    def rows(self, year: int, *, is_whole: bool, condition: str) -> str:
        """Return the rows of a year as SQL, with schools as whole numbers or as texts, where a condition holds."""
        cells = "".join(
            f", CAST({number} AS DOUBLE) AS m{at}, CAST({code} AS UTINYINT) AS c{at}"
            for at, (number, code) in enumerate(zip(self.numbers, self.codes, strict=True))
        )
        of_year = f" WHERE {self.label} IN ({', '.join(map(sql_text, self.labels[year]))})" * (len(self.labels) > 1)
        school = self.school if is_whole else f"CAST({self.school} AS VARCHAR)"
        rows = f"SELECT {school} AS school, {self.pupil} AS pupil{cells} FROM {self.source}{of_year}"
        return f"SELECT * FROM ({rows}) WHERE {condition}"


def _one(asked: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(asked.execute(sql).fetchall()[0][0])


def _text_of(column: str, kinds: dict[str, str]) -> str:
    """Return a column as published, without blanks around it, as SQL; empty where its row ended before it."""
    name, text = quoted(column), quoted(column + TEXT)
    if kinds[column] == "VARCHAR":
        # most cells have no blanks, and looking for them is a third of the work of taking them off
        is_padded = " OR ".join(f"{name} LIKE {sql_text(like)}" for like in ("% ", " %", "%\t", "\t%"))
        return f"CASE WHEN {is_padded} THEN trim({name}, {_BLANKS}) ELSE coalesce({name}, '') END"
    whole = f"CAST(CAST({name} AS BIGINT) AS VARCHAR)"
    number = whole if kinds[column] == "BIGINT" else f"CASE WHEN {name} = floor({name}) THEN {whole} ELSE 'none' END"
    return f"trim(coalesce({text}, {number}, ''), {_BLANKS})"


def _labels(asked: duckdb.DuckDBPyConnection, sql: str, name: str) -> tuple[dict[int, list[str]], dict[int, int]]:
    """Return the labels of each year of a file, and its rows."""
    found = asked.execute(sql).fetchall()
    texts = pd.Series([text for text, _ in found], dtype="str")
    labels, n_rows = dict[int, list[str]](), dict[int, int]()
    for (text, n), year in zip(found, summers(texts, name, are_rows=False), strict=True):
        labels.setdefault(int(year), []).append(text)
        n_rows[int(year)] = n_rows.get(int(year), 0) + n
    return labels, n_rows


def _measure(
    asked: duckdb.DuckDBPyConnection, source: str, column: str, kinds: dict[str, str], name: str
) -> tuple[str, str, pd.DataFrame | None]:
    """Return the number and the code of a measure as SQL, and, where its column is of texts, what each of them is.

    Raise `DataError` where a cell is neither, or some have a percent sign and others none.
    """
    at, text = quoted(column), quoted(column + TEXT)
    if kinds[column] == "VARCHAR":
        found = asked.execute(f"SELECT coalesce({at}, '') AS cell FROM {source} GROUP BY 1 ORDER BY 1").df()
        cells = read_cells(found["cell"])
        refuse_odd(cells, found["cell"], column, lambda row: name)
        plain = found["cell"].str.strip()
        codes = [_KNOWN.index(cell) if cell in _KNOWN else 0 for cell in plain.where(np.isnan(cells.numbers), "")]
        beside = found.assign(number=cells.numbers, code=codes)
        return quoted(column + _NUMBER), quoted(column + _CODE), beside
    is_share = f"ends_with(coalesce({text}, ''), '%')"
    counts = f"count(*) FILTER ({is_share}), count(*) FILTER ({at} <> 0 AND NOT {is_share})"
    n_shares, n_others = asked.execute(f"SELECT {counts} FROM {source}").fetchall()[0]
    if n_shares and n_others:
        raise DataError(
            f"{name}: {counted(n_shares, 'cell')} of {column} have a percent sign and others none, so that these could "
            "be shares of 1 or of 100. Write all of them with the sign, or none."
        )
    place = f"list_position([{', '.join(map(sql_text, _KNOWN))}], trim({text}, {_BLANKS})) - 1"
    return at, f"CASE WHEN {at} IS NULL AND {text} IS NOT NULL THEN {place} ELSE 0 END", None


def _beside(asked: duckdb.DuckDBPyConnection, source: str, cells: pd.DataFrame, column: str) -> str:
    """Return a table with the number and the code of each text of a column beside it."""
    table = quoted(f"cells of {source} {column}")
    asked.register(table[1:-1].replace('""', '"'), cells)
    found = f"SELECT t.*, c.number AS {quoted(column + _NUMBER)}, c.code AS {quoted(column + _CODE)}"
    return f"({found} FROM {source} AS t LEFT JOIN {table} AS c ON coalesce(t.{quoted(column)}, '') = c.cell)"


_NUMBER: Final = ":number"
_CODE: Final = ":code"
_KNOWN: Final = ("", *(code for code in CODES if code.strip()))
"""What may stand in the place of a number; a blank first."""


# A year, in parts that memory suffices for.

_IS_NUMBER: Final = 255
_DISAGREE: Final = 254
"""What stands in the place of a code's place in `_KNOWN`."""
_MARKS: Final = np.uint64((1 << 24) - 1)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some schools of a year; `rows` and `missing` as in `SchoolYears`."""

    rows: pd.DataFrame
    missing: pd.DataFrame
    n_rows: int
    n_no_school: int


def _of_year(
    asked: duckdb.DuckDBPyConnection, files: Sequence[_File], year: int, measures: Sequence[str]
) -> Iterator[_Part]:
    """Yield the schools of a year, as many at once as memory suffices for."""
    n_parts = 1 + sum(file.n_rows[year] for file in files) * (_CELLS_BESIDE + len(measures)) // MOST_CELLS
    is_whole = all(file.is_whole for file in files)
    for part in range(n_parts):
        condition = f"hash(school) % {n_parts} = {part}" if n_parts > 1 else "true"
        rows = " UNION ALL ".join(file.rows(year, is_whole=is_whole, condition=condition) for file in files)
        yield _of_part(asked, rows, year, measures, listed([file.name for file in files], 3))


def _of_part(asked: duckdb.DuckDBPyConnection, rows: str, year: int, measures: Sequence[str], names: str) -> _Part:
    """Return some schools of a year from the rows of their pupils."""
    table = asked.sql(f"SELECT hash(pupil, school) AS key, * FROM ({rows})").to_arrow_table()
    n_nobody = int(pc.sum(pc.equal(table.column("pupil"), "")).as_py() or 0)
    if n_nobody:
        raise DataError(f"{names}: {counted(n_nobody, 'row')} of {year} without a pupil. Leave such rows out.")
    may_repeat = _may_repeat(table.column("key").to_numpy())
    asked.register("lone", table.filter(pa.array(~may_repeat)).drop_columns(["key", "pupil"]))
    asked.register("others", table.filter(pa.array(may_repeat)))
    found = [_of_measure(asked, at, name, year) for at, name in enumerate(measures)]
    return _Part(
        pd.concat([one for one, _ in found]),
        pd.concat([lacking for _, lacking in found]),
        table.num_rows,
        table.column("school").null_count,
    )


def _may_repeat(keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which rows may be of a pupil and school that others are of: all that are, and few that are not.

    Rows of one pupil and school have one key. Rows whose key no other has are pupils by themselves and need not be
    grouped by their texts, which is most of the work.
    """
    ordered = np.sort(keys)
    marks = np.zeros(int(_MARKS) + 1, dtype=bool)
    marks[ordered[1:][ordered[1:] == ordered[:-1]] & _MARKS] = True
    may_repeat: NDArray[np.bool_] = marks[keys & _MARKS]
    return may_repeat


def _of_measure(
    asked: duckdb.DuckDBPyConnection, at: int, measure: str, year: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of a measure, and how many pupils have no number by what stands in its place."""
    m, c = f"m{at}", f"c{at}"
    ends = f"min({m}) AS low, max({m}) AS high, min(nullif({c}, 0)) AS first, max({c}) AS last"
    status = (
        f"CASE WHEN low = high THEN {_IS_NUMBER} WHEN low IS NOT NULL OR first <> last THEN {_DISAGREE} ELSE last END"
    )
    once = f"SELECT school, {ends} FROM others GROUP BY school, pupil"
    found = asked.execute(
        "SELECT CAST(school AS VARCHAR) AS school, status, count(*) AS n, favg(number) AS mean, "
        "median(number) AS median FROM ("
        f"SELECT school, {m} AS number, CASE WHEN {m} IS NULL THEN {c} ELSE {_IS_NUMBER} END AS status FROM lone "
        f"UNION ALL SELECT school, CASE WHEN low = high THEN low END, {status} FROM ({once})"
        ") WHERE school IS NOT NULL GROUP BY ALL"
    ).df()
    numbers = found[found["status"] == _IS_NUMBER].set_index("school")[["n", "mean", "median"]]
    rows = found.groupby("school", sort=False)["n"].sum().rename("n_pupils").to_frame().join(numbers).reset_index()
    rows = rows.assign(year=year, measure=measure, n=rows["n"].fillna(0).astype(int))
    lacking = found[found["status"] != _IS_NUMBER].rename(columns={"n": "n_pupils"})
    texts = {**dict(enumerate(_KNOWN)), _DISAGREE: DISAGREE}
    missing = lacking.assign(year=year, measure=measure, code=lacking["status"].map(texts))
    return rows[list(ROWS)], missing[list(MISSING)]


def _require_schools(schools: pd.Series, school: str, names: Sequence[str]) -> None:
    """Raise `DataError` where a school is told by what is no number of one."""
    ids = schools.drop_duplicates()
    wrong = ids[~ids.str.fullmatch(_DIGITS[school])]
    if len(wrong):
        raise DataError(
            f"{listed(list(names))}: {shown_cell(wrong.iloc[0])} in the column {school} is none "
            f"({len(wrong):,} such). Use the untouched extract."
        )
