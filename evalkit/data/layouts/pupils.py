"""Pupil-level extracts of the National Pupil Database: one row for each pupil and year."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.data.files.layout import Contents, Field, Layout
from evalkit.data.files.raw_table import Peek, RawTable
from evalkit.data.layouts.ees import value_columns
from evalkit.data.layouts.field_table import require_ids
from evalkit.data.layouts.opening import open_as
from evalkit.data.layouts.published_table import (
    PublishedTable,
    published_table,
    refuse_repeated,
    require_measures,
    stripped,
)
from evalkit.data.own_tables.year_labels import read_year_label
from evalkit.data.published.codes import coded_notes

FIELDS: Final = (
    Field(name="PupilMatchingRefAnonymous", meaning="A pupil's number, the same in every extract of one request."),
    Field(name="ACADYR", meaning="School year, 2018/2019 or 2019.", form="period", also=("AcademicYear", "ACADYEAR")),
    Field(name="URN", meaning="Unique reference number of the school.", form="urn", is_required=False),
    Field(name="LAESTAB", meaning="Authority and establishment, seven digits.", form="laestab", is_required=False),
    Field(name="LA", meaning="Local authority, three digits.", form="area", is_required=False, also=("LEA",)),
    Field(name="READSCORE", meaning="Scaled score in reading, key stage 2.", form="number", is_required=False),
    Field(name="MATSCORE", meaning="Scaled score in mathematics, key stage 2.", form="number", is_required=False),
    Field(name="GPSSCORE", meaning="Scaled score in grammar, key stage 2.", form="number", is_required=False),
    Field(name="KS1AVERAGE", meaning="Mean points of key stage 1.", form="number", is_required=False),
    Field(name="ATT8", meaning="Attainment 8 of the pupil.", form="number", is_required=False),
    Field(name="P8SCORE", meaning="Progress 8 of the pupil.", form="number", is_required=False),
    Field(
        name="FSM6", meaning="Eligible for free school meals in six years, 0 or 1.", form="number", is_required=False
    ),
    Field(name="EVERFSM_6", meaning="The same, as the census calls it.", form="number", is_required=False),
    Field(name="GENDER", meaning="F or M.", form="code", is_required=False),
)
_PREFIX: Final = re.compile(r"^(?:ks[1-5]|eyfsp|fsp|phonics|absence|ab|exclusions|census|spring|summer|autumn)_", re.I)
_LONG_YEAR: Final = re.compile(r"(\d{4})/(\d{2})(\d{2})")
_NOTE: Final = "These are pupils: nothing that rests on fewer than 10 of them leaves the place where they are kept."


def read_pupils(path: Path, measures: Sequence[str] | None = None) -> PublishedTable:
    r"""Return a row for each pupil and year, with `pupil`, `year`, `URN` and `LAESTAB` among the keys.

    Columns carry the prefix of their table (`KS2_READSCORE`), or none. `measures` are the columns wanted as numbers, or
    all that hold nothing but numbers and codes where none are named.

    Raises
    ------
    DataError
        If the file is damaged or of another kind, a cell is none of what its column holds, or a pupil has two rows in a
        year.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_pupils
    >>> header = "KS2_PupilMatchingRefAnonymous,KS2_ACADYR,KS2_URN,KS2_READSCORE\n"
    >>> _ = Path("ks2.csv").write_text(header + "A01,2018/2019,100001,104\nA02,2018/2019,100001,\n")
    >>> pupils = read_pupils(Path("ks2.csv"))
    >>> pupils.keys["pupil"].tolist(), pupils.keys["year"].tolist(), pupils.values["KS2_READSCORE"].tolist()
    (['A01', 'A02'], [2019, 2019], [104.0, nan])
    """
    table, _ = open_as(path, LAYOUTS)
    frame = table.read()
    by_field = pupil_columns(tuple(str(column) for column in frame.columns))
    ids = frame[[by_field[name] for name in _KEYS if name in by_field]].apply(stripped)
    ids.columns = pd.Index([{"PupilMatchingRefAnonymous": "pupil"}.get(n, n) for n in _KEYS if n in by_field])
    keys = ids.assign(year=summers(ids["ACADYR"], table.name)).drop(columns="ACADYR")
    if keys["pupil"].eq("").any():
        line = int(keys.index[keys["pupil"].eq("")][0]) + 2
        raise DataError(f"{table.name}: line {line}: a row is of no pupil. Leave such rows out.")
    require_ids(keys, [field for field in FIELDS if field.name in keys], table.name)
    refuse_repeated(keys[["pupil", "year"]], table.name, "a pupil and year")
    rest = frame.drop(columns=[by_field[name] for name in _KEYS if name in by_field])
    wanted = list(measures) if measures is not None else value_columns(rest)
    require_measures(wanted, rest, table.name)
    others = rest.drop(columns=wanted)
    read = published_table(rest, table.name, measures=wanted, keys=pd.concat([keys, others], axis=1))
    return replace(read, notes=(_NOTE, *coded_notes(read.codes, fewest=_FEWEST)))


_KEYS: Final = ("PupilMatchingRefAnonymous", "ACADYR", "URN", "LAESTAB", "LA")
_FEWEST: Final = 10
"""Counts of pupils below this are not told."""


def pupil_columns(columns: Sequence[str]) -> dict[str, str]:
    """Return for each field the column it stands in, with or without the prefix of a table."""
    plain = {_PREFIX.sub("", column.strip()).casefold(): column for column in reversed(columns)}
    found = {}
    for field in FIELDS:
        at = next((name for name in (field.name, *field.also) if name.casefold() in plain), None)
        if at is not None:
            found[field.name] = plain[at.casefold()]
    return found


def summers(labels: pd.Series, name: str, *, are_rows: bool = True) -> pd.Series:
    """Return the summer of each school year; `are_rows` where the labels are those of the file's rows, one by one."""
    years, labels = {}, labels.fillna("")
    for label in labels.unique():
        at = int(labels.index[labels == label][0]) + 2
        short = _LONG_YEAR.sub(r"\1/\3", str(label))
        years[label] = read_year_label(short, f"{name}: line {at}" if are_rows else name).year
    return labels.map(years).astype(int)


def _fits(peek: Peek) -> bool:
    found = pupil_columns(peek.columns)
    return all(field.name in found for field in FIELDS if field.is_required)


def _contents(table: RawTable) -> Contents:
    columns = pupil_columns(table.peek.columns)
    # of 30 million rows no more is held than their years and schools
    frame = table.counts([columns[name] for name in ("ACADYR", "LAESTAB", "LA") if name in columns])
    years = tuple(sorted(set(summers(stripped(frame[columns["ACADYR"]]), table.name, are_rows=False))))
    areas: tuple[str, ...] = ()
    for key in ("LA", "LAESTAB"):
        if key in columns and not areas:
            codes = stripped(frame[columns[key]]).str[:3].unique().tolist()
            areas = tuple(sorted(code for code in codes if str(code).isdigit()))
    beginning = pd.DataFrame(table.peek.rows, columns=list(table.peek.columns))
    measures = tuple(
        column for column in value_columns(beginning) if column not in columns.values() or _is_measure(column)
    )
    return Contents(rows=int(frame["n"].sum()), years=years, areas=areas, measures=measures, levels=("pupil",))


def _is_measure(column: str) -> bool:
    plain = _PREFIX.sub("", column.strip()).casefold()
    return any(plain == field.name.casefold() and field.form == "number" for field in FIELDS)


LAYOUTS: Final = (
    Layout(
        name="pupils", title="National Pupil Database, extract with a row for each pupil and year", publisher="DfE",
        fields=FIELDS, fits=_fits, contents=_contents, reader="read_pupils",
    ),
)  # fmt: skip
