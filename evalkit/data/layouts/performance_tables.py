"""DfE's wide performance tables of key stages 2 and 4, of England or of one authority, in the layout of any year."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.core.words import listed, shown_cell
from evalkit.data.files.layout import Contents, Field, Layout, Stage, fitting, has_fields
from evalkit.data.files.members import Member, member_of
from evalkit.data.files.raw_table import N_PEEKED, Peek, RawTable
from evalkit.data.layouts.file_names import stage_by_name, summer_by_name
from evalkit.data.published.codes import parse_cells
from evalkit.data.published.tables import read_table

_KEYS: Final = (
    Field(name="RECTYPE", meaning="Type of record: a school, an authority or England.", form="code"),
    Field(name="LEA", meaning="Local authority, three digits.", form="area", also=("LA",)),
    Field(name="ESTAB", meaning="Number of the establishment within its authority.", form="code"),
    Field(name="URN", meaning="Unique reference number of the school.", form="urn"),
    Field(name="SCHNAME", meaning="Name of the school."),
    Field(name="NFTYPE", meaning="Type of establishment, as ACC (converter).", form="code", is_required=False),
)  # fmt: skip
PUPILS_OF_STAGE: Final = {"KS2": "TELIG", "KS4": "TPUP"}
"""The column that counts the pupils of the year group, by key stage."""
SCHOOL_ROWS: Final = ("1", "2")
ENGLAND_ROWS: Final = {"KS2": ("4", "5"), "KS4": ("5", "7")}
"""Record types of the rows for England, the last of a file: without them it is cut short."""
_AGE: Final = {"KS2": "key stage 2", "KS4": "key stage 4"}


# Of which key stage, summer and authority a file is: by its content, and by its name where content cannot tell.


@dataclass(frozen=True, slots=True, kw_only=True)
class TableIdentity:
    """What a wide table is of: key stage, summer, and the authority whose schools it lists (None: several, England)."""

    key_stage: str
    summer: int
    area: int | None
    stage: Stage

    @property
    def subject(self) -> str:
        """Return what there should be one file of."""
        scope = "England" if self.area is None else f"authority {self.area}"
        return f"{self.key_stage} {self.summer} {scope}"


_PRIOR: Final = re.compile(r"_(\d{2})$")
_FEWEST: Final = 2
"""Columns that carry a prior year's suffix before it is believed: one alone can be of another kind."""
_GRADES: Final = 90
"""`PTL2BASICS_94` and `_95` are of grades 4 and 5."""
_NO_TABLES: Final = (2020, 2021)
"""Summers without performance tables: a table whose last prior year is 2019 is of a summer that its name says."""
_AFTER_A_BREAK: Final = {("KS2", 2016): 2015, ("KS2", 2022): 2020, ("KS2", 2023): 2020, ("KS4", 2022): 2020}
"""Summers whose tables may carry no later prior year than others do, as no results before them compare."""
_NAMED: Final = re.compile(r"(?:(?<![a-z0-9])(?P<area>\d{3}|england)[-_ ])?ks(?P<stage>[24])(?!\d)")


def summer_by_columns(columns: Sequence[str]) -> int | None:
    """Return the summer of a wide table: the one after the last that its prior-year columns are of.

    >>> summer_by_columns(["READPROG", "READPROG_17", "READPROG_18", "MATPROG_18", "PTL2BASICS_94", "PTL2BASICS_95"])
    2019
    """
    found = [match[1] for name in columns if (match := _PRIOR.search(name)) is not None]
    repeated = [int(suffix) for suffix in set(found) if found.count(suffix) >= _FEWEST and int(suffix) < _GRADES]
    return 2000 + max(repeated) + 1 if repeated else None


def key_stage_of(peek: Peek) -> str | None:
    """Return the key stage whose wide performance table a file is, None where it is none."""
    fits = (stage for stage, fields in _FIELDS.items() if peek.form == "csv" and has_fields(peek, fields))
    return next(fits, None)


def identity_of(table: RawTable) -> TableIdentity:
    """Return what a wide table is of; raise `DataError` where its name says another thing than its content."""
    peek = table.peek
    key_stage = key_stage_of(peek)
    if key_stage is None:
        raise DataError(f"{peek.name}: this is no wide performance table: it lacks its columns. {_SHAPE}")
    areas = _areas_of_schools(table)
    if not areas:
        raise DataError(f"{peek.name}: the table lists no school. Download it again.")
    _require_named_as_it_is(peek.name, key_stage, areas)
    area = int(areas[0]) if len(areas) == 1 and areas[0].isdigit() else None
    summer = _summer(peek, key_stage)
    return TableIdentity(key_stage=key_stage, summer=summer, area=area, stage=stage_by_name(peek.name))


def _areas_of_schools(table: RawTable) -> list[str]:
    """Return the authorities of a table's schools: those of its first rows where these tell, else of all rows.

    A table of England may begin with hundreds of schools of one authority.
    """
    column = "LEA" if table.peek.cells("LEA") else "LA"
    rows = zip(table.peek.cells("RECTYPE"), table.peek.cells(column), strict=False)
    first = {area for kind, area in rows if kind in SCHOOL_ROWS and area.strip()}
    if len(first) < 2 and len(table.peek.rows) == N_PEEKED:
        counts = table.counts(["RECTYPE", column])
        first = {area for area in counts.loc[counts["RECTYPE"].isin(SCHOOL_ROWS), column].dropna() if area.strip()}
    return sorted(first)


_SHAPE: Final = "It should have RECTYPE, LEA, ESTAB, URN, SCHNAME, and TELIG (key stage 2) or TPUP (key stage 4)."


def _summer(peek: Peek, key_stage: str) -> int:
    told, named = summer_by_columns(peek.columns), summer_by_name(peek.name)
    if named is not None and (told in (None, named) or told == _AFTER_A_BREAK.get((key_stage, named))):
        return named
    if named is not None:
        raise DataError(
            f"{peek.name}: the name says the school year {_year(named)}, and the prior-year columns are those of "
            f"{_year(int(told or 0))}: another year's table stands under this name. Rename it, or download that of "
            f"{_year(named)}."
        )
    if told is None or told in _NO_TABLES:
        raise DataError(
            f"{peek.name}: neither the columns nor the name say of which school year the table is. Put the school year "
            "in the file's name, as in 2015-2016_england_ks2final.csv."
        )
    return told


def _year(summer: int) -> str:
    return f"{summer - 1}/{summer % 100:02d}"


def _require_named_as_it_is(name: str, key_stage: str, areas: Sequence[str]) -> None:
    """Raise where the file's own name says another key stage or authority than its content."""
    said = _NAMED.search(re.split(r"[/\\]", name)[-1].lower())
    if said is None:
        return
    if f"KS{said['stage']}" != key_stage:
        raise DataError(
            f"{name}: the name says key stage {said['stage']}, and the columns are those of {_AGE[key_stage]}. "
            "Rename it, or download the table that its name says."
        )
    if said["area"] and said["area"].isdigit() and list(areas) != [said["area"]]:
        raise DataError(
            f"{name}: the name says authority {said['area']}, and its schools are of {listed(list(areas), 4)}. "
            "Rename it, or download the table that its name says."
        )


# Reading one.


def read_wide(
    path: Path | Member, columns: Sequence[str], key_stage: str, optional: Sequence[str] = ()
) -> pd.DataFrame:
    """Return the school rows of one wide table: identity columns and those named, as published text.

    Rows of local authorities and of England carry other record types in the key stages; they are used only to see that
    the file is whole, then left out.

    Raises
    ------
    DataError
        If the file is not a performance table of this key stage, or its last rows are missing.
    """
    frame = read_rows(path, columns, key_stage, optional)
    return frame[frame["RECTYPE"].isin(SCHOOL_ROWS)]


def read_rows(
    path: Path | Member, columns: Sequence[str], key_stage: str, optional: Sequence[str] = ()
) -> pd.DataFrame:
    """Return all rows of one wide table, of authorities and of England too, as `read_wide` does."""
    file = path if isinstance(path, Member) else member_of(path)
    required = [field.name for field in _KEYS if field.is_required]
    frame = read_table(file, [*required, *columns], optional=optional, encoding=_encoding(file), ragged=True)
    _require_england(file.name, key_stage, set(frame["RECTYPE"].unique()))
    return frame


def _require_england(name: str, key_stage: str, present: set[str]) -> None:
    """Raise where a file lacks the rows for England, which are its last."""
    absent = [code for code in ENGLAND_ROWS[key_stage] if code not in present]
    if absent:
        raise DataError(
            f"{name}: the rows for England (RECTYPE {' and '.join(absent)}) are missing, so the file is cut "
            f"short or is not a {key_stage} performance table. Download it again."
        )


def _encoding(file: Member) -> str:
    """Return the encoding of a table: that of today's downloads, unless the file is of the older one."""
    try:
        return "cp1252" if RawTable(file).peek.encoding == "cp1252" else "utf-8-sig"
    except (DataError, OSError):
        return "utf-8-sig"  # reading says what is wrong


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class PerformanceTable(Shown):
    """The schools of one wide table: who they are, their values, and a reason wherever a value is missing.

    `schools` has, by URN: name, laestab, area, is_special, type (NFTYPE, empty where the table has none). `values` are
    numbers (percentages out of 100), schools × columns, missing exactly where `reasons` has a text.
    """

    key_stage: str
    summer: int
    stage: Stage
    schools: pd.DataFrame
    values: pd.DataFrame
    reasons: pd.DataFrame


def read_performance_table(path: Path | str, columns: Sequence[str] = (), *, inner: str = "") -> PerformanceTable:
    """Return the schools of a wide performance table of any year, with values and reasons.

    Parameters
    ----------
    path : path of a `.csv` or `.csv.gz` file, or of an archive
    columns : columns to read; where none are named, every measure of the kit that the table has, and its pupils
    inner : the file's name in the archive

    Raises
    ------
    DataError
        If the file is no such table, is cut short, is of another year, key stage or authority than its name says, lists
        a school twice, or holds a cell that is neither a number nor a published code.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_performance_table
    >>> header = "RECTYPE,LEA,ESTAB,URN,SCHNAME,TELIG,PTRWM_EXP"
    >>> schools = ["1,340,2001,104400,Plover Primary,30,63%", "1,340,2002,104401,Lapwing Primary,4,SUPP"]
    >>> england = ["4,,,,,640000,65%", "5,,,,,600000,65%"]
    >>> path = Path("2018-2019_340_ks2final.csv")
    >>> _ = path.write_text("\\n".join([header, *schools, *england]), encoding="utf-8")
    >>> table = read_performance_table(path)
    >>> table.key_stage, table.summer, table.values["PTRWM_EXP"].tolist(), table.reasons["PTRWM_EXP"].tolist()
    ('KS2', 2019, [63.0, nan], ['', 'suppressed (too few pupils)'])
    """
    file = member_of(Path(path), inner)
    raw = RawTable(file)
    identity = identity_of(raw)
    named = list(columns) or _known_columns(raw.peek.columns, identity.key_stage)
    frame = read_wide(file, named, identity.key_stage, optional=["NFTYPE"])
    _require_one_row(file.name, frame)
    schools = pd.DataFrame(
        {
            "name": frame["SCHNAME"],
            "laestab": frame["LEA"] + frame["ESTAB"],
            "area": pd.to_numeric(frame["LEA"], errors="coerce").astype("Int64"),
            "is_special": frame["RECTYPE"] == SCHOOL_ROWS[1],
            "type": frame.get("NFTYPE", ""),
        }
    ).set_index(pd.Index(frame["URN"], name="urn"))
    parsed = {name: parse_cells(frame[name], f"{file.name}, {name}") for name in named}
    values = pd.DataFrame({name: numbers for name, (numbers, _) in parsed.items()}, index=schools.index)
    reasons = pd.DataFrame({name: texts for name, (_, texts) in parsed.items()}, index=schools.index)
    return PerformanceTable(
        key_stage=identity.key_stage, summer=identity.summer, stage=identity.stage, schools=schools, values=values,
        reasons=reasons,
    )  # fmt: skip


def _known_columns(columns: Sequence[str], key_stage: str) -> list[str]:
    from evalkit.data.measures import MEASURES  # only who names no column needs the registry

    present = {column.casefold() for column in columns}
    known = [code for code, one in MEASURES.items() if one.key_stage == key_stage and code.casefold() in present]
    return list(dict.fromkeys([PUPILS_OF_STAGE[key_stage], *known]))


def _require_one_row(name: str, frame: pd.DataFrame) -> None:
    again = frame.loc[frame["URN"].duplicated(keep=False), ["URN", "SCHNAME"]]
    if not again.empty:
        urn, school = again.iloc[0]
        raise DataError(
            f"{name}: URN {urn} ({shown_cell(school)}) stands twice, so it is not clear which row is the school's."
        )


# The layouts.


def _contents(table: RawTable) -> Contents:
    """Return what a table gives: `rows` with those of authorities and England, `areas` and `levels` of its schools."""
    identity = identity_of(table)
    area = "LEA" if table.peek.cells("LEA") else "LA"
    counts = table.counts(["RECTYPE", area])
    _require_england(table.name, identity.key_stage, set(counts["RECTYPE"]))
    return Contents(
        rows=int(counts["n"].sum()),
        years=(identity.summer,),
        areas=tuple(sorted(counts.loc[counts["RECTYPE"].isin(SCHOOL_ROWS), area].dropna().unique())),
        measures=tuple(_known_columns(table.peek.columns, identity.key_stage)),
        levels=("school", "local authority", "national"),
        stage=identity.stage,
        subject=identity.subject,
    )


def _fields(key_stage: str) -> tuple[Field, ...]:
    pupils = Field(name=PUPILS_OF_STAGE[key_stage], meaning=f"Pupils at the end of {_AGE[key_stage]}.", form="number")
    return (*_KEYS, pupils)


_FIELDS: Final = {stage: _fields(stage) for stage in ("KS2", "KS4")}


def _layout(key_stage: str, seen: str) -> Layout:
    return Layout(
        name=f"performance-table-{key_stage.lower()}", title=f"Performance table, {_AGE[key_stage]}", publisher="DfE",
        fields=_FIELDS[key_stage], fits=fitting(_FIELDS[key_stage], "csv"), contents=_contents, seen=seen,
        reader="read_performance_table",
    )  # fmt: skip


def _workbook(key_stage: str) -> Layout:
    return Layout(
        name=f"performance-workbook-{key_stage.lower()}",
        title=f"Performance table, {_AGE[key_stage]}, as a workbook or Parquet file",
        publisher="DfE", fields=_FIELDS[key_stage], fits=fitting(_FIELDS[key_stage], "workbook", "parquet"),
        contents=lambda table: Contents(rows=0),
        unused_reason="such a file keeps 63% as 0.63, so that its unit is lost: download the table as CSV",
    )  # fmt: skip


LAYOUTS: Final = (
    _layout("KS2", "Hampshire and Surrey, 2016/17 to 2018/19"),
    _layout("KS4", "Hampshire and Surrey, 2016/17 to 2018/19"),
    *(_workbook(stage) for stage in _FIELDS),
)
