"""Ofsted's inspections: histories of ratings, management information, and report cards; the grade of each framework."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.words import counted, shown_cell
from evalkit.data.areas.ofsted_shares import RATINGS
from evalkit.data.files.layout import Contents, Field, Layout, fitting
from evalkit.data.files.raw_table import RawTable
from evalkit.data.layouts.field_table import named_as_fields, read_fields, require_ids
from evalkit.data.layouts.opening import open_as
from evalkit.data.layouts.published_table import PublishedTable, published_table, refuse_repeated, stripped

NO_OVERALL_GRADE: Final = "20240902"
"""First day from which state-funded schools get no overall grade."""
REPORT_CARDS: Final = "20251110"
"""First day of inspections that end in a report card."""
FRAMEWORKS: Final = ("overall grade", "no overall grade", "report card")
_GRADES: Final = {"Outstanding": 1, "Good": 2, "Requires Improvement": 3, "Satisfactory": 3, "Inadequate": 4}
"""The grades as management information numbers them; `Satisfactory` was the third to August 2012."""
_CARD: Final = {
    "exceptional": "5", "strong standard": "4", "expected standard": "3", "needs attention": "2",
    "urgent improvement": "1",
}  # fmt: skip
"""Points of a report card, best highest, as they are numbered here: Ofsted gives words alone."""
_REASONS: Final = {
    "NULL": "not given (NULL in the source)",
    "Not judged": "not judged",
    "9": "not judged",
    "0": "not judged",
    "Not applicable": "not applicable",
    "NA": "not applicable",
}
_URN: Final = Field(name="URN", meaning="Unique reference number of the school.", form="urn")
_HISTORY: Final = (
    _URN,
    Field(name="Rating", meaning="Outstanding, Good, Requires Improvement (to 2012 Satisfactory) or Inadequate."),
    Field(name="Inspection Date", meaning="Day of the inspection, YYYYMMDD.", form="date"),
)


def _grade(name: str, of: str, is_required: bool = False) -> Field:
    return Field(name=name, meaning=f"{of}, 1 (outstanding) to 4.", form="number", is_required=is_required)


def _area(name: str) -> Field:
    meaning = f"{name}, on the five points of a report card, here 1 (urgent improvement) to 5 (exceptional)."
    return Field(name=name, meaning=meaning, form="number", is_required=False)


_COMMON: Final = (
    _URN,
    Field(name="LAESTAB", meaning="Authority and establishment.", form="laestab", is_required=False),
    Field(name="School name", meaning="Name of the school.", is_required=False),
    Field(name="Ofsted phase", meaning="Phase as Ofsted has it.", is_required=False),
    Field(name="Local authority", meaning="Name of the local authority.", is_required=False),
)
_MANAGEMENT: Final = (
    *_COMMON,
    Field(name="Inspection start date", meaning="First day of the latest graded inspection, dd/mm/yyyy.", form="date"),
    _grade("Overall effectiveness", "Overall effectiveness; not judged since September 2024", is_required=True),
    _grade("Quality of education", "Quality of education"),
    _grade("Behaviour and attitudes", "Behaviour and attitudes"),
    _grade("Personal development", "Personal development"),
    _grade("Effectiveness of leadership and management", "Leadership and management"),
)
_CARDS: Final = (
    *_COMMON,
    Field(
        name="Inspection start date", meaning="First day of the inspection with a report card, dd/mm/yyyy.",
        form="date",
    ),
    _area("Inclusion"),
    _area("Curriculum and teaching"),
    Field(name="Achievement", meaning="Achievement, as the other areas of a report card.", form="number"),
    _area("Attendance and behaviour"),
    _area("Personal development and wellbeing"),
    _area("Leadership and governance"),
    Field(
        name="Inspection start date of latest OEIF graded inspection", form="date", is_required=False,
        meaning="First day of the latest graded inspection under the framework before, dd/mm/yyyy.",
    ),
    _grade("Latest OEIF overall effectiveness", "Overall effectiveness under the framework before", is_required=True),
    _grade("Latest OEIF quality of education", "Quality of education under the framework before"),
)  # fmt: skip
_BREAKS: Final = (
    "No overall grade is given since September 2024, and report cards since 10 November 2025 are on another scale: a "
    "series of good or better ends there.",
    "'Satisfactory' became 'Requires Improvement' in September 2012, when inspection changed.",
)


def read_ofsted_inspections(path: Path) -> PublishedTable:
    r"""Return the inspections of a history of ratings or the latest ones of Ofsted's management information.

    Keys have the `day` (YYYYMMDD, empty where there was no inspection) and the `framework` of it: `overall grade`,
    `no overall grade` (September 2024 to November 2025) or `report card`. Grades are 1 (outstanding) to 4, as Ofsted
    numbers them; areas of report cards 1 (urgent improvement) to 5 (exceptional). What was not judged has its reason.

    Raises
    ------
    DataError
        If the file is damaged or of another kind, or holds a grade or a day that is none.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_ofsted_inspections
    >>> rows = "100000,Outstanding,20130418\n100001,Requires Improvement,20190320\n"
    >>> _ = Path("ratings.csv").write_text("URN,Rating,Inspection Date\n" + rows)
    >>> inspections = read_ofsted_inspections(Path("ratings.csv"))
    >>> inspections.values["Overall effectiveness"].tolist(), inspections.keys["framework"].tolist()
    ([1.0, 3.0], ['overall grade', 'overall grade'])
    """
    table, layout = open_as(path, LAYOUTS)
    if layout.name == "ofsted-history":
        return _history(table)
    fields = layout.fields
    words = _CARD | {grade.lower(): str(n) for grade, n in _GRADES.items()}
    frame = named_as_fields(table, fields)
    measures = [field.name for field in fields if field.form == "number" and field.name in frame]
    graded = frame.assign(**{name: _numbered(frame[name], words) for name in measures})
    keys = frame[[field.name for field in fields if field.form != "number" and field.name in frame]]
    keys = keys.apply(stripped)
    require_ids(keys, [field for field in fields if field.name in keys], table.name)
    refuse_repeated(keys[["URN"]], table.name, "a school")
    day = _days(frame["Inspection start date"], table.name)
    keys = keys.assign(day=day, framework=day.map(_framework))
    read = published_table(graded, table.name, measures=measures, keys=keys, notes=_BREAKS[:1], reasons=_REASONS)
    _require_scale(read)
    return read


def _history(table: RawTable) -> PublishedTable:
    read = read_fields(table, _HISTORY, one_of=(), notes=_BREAKS[1:])
    again = read.keys.duplicated()
    kept = read.keys[~again]
    if again.any():
        note = f"{counted(int(again.sum()), 'row stands', 'rows stand')} there twice and count once."
        read = replace(read, keys=kept, notes=(*read.notes, note))
    rating = read.keys["Rating"]
    unknown = sorted(set(rating.fillna("")) - set(RATINGS))
    if unknown:
        line = int(kept.index[kept["Rating"] == unknown[0]][0]) + 2
        raise DataError(f"{table.name}: line {line}: {shown_cell(unknown[0])} is not a rating. Use the untouched file.")
    day = _days(read.keys["Inspection Date"], table.name)
    grades = pd.DataFrame({"Overall effectiveness": rating.map(_GRADES).astype(float)})
    no_reasons = pd.DataFrame("", index=grades.index, columns=grades.columns, dtype=object)
    return replace(
        read, keys=read.keys.assign(day=day, framework=day.map(_framework)), values=grades, reasons=no_reasons
    )


def _numbered(cells: pd.Series, words: dict[str, str]) -> pd.Series:
    """Return grades that are words as their numbers."""
    plain = stripped(cells)
    numbered: pd.Series = plain.str.lower().map(words).fillna(plain)
    return numbered


def _days(cells: pd.Series, name: str) -> pd.Series:
    """Return days as YYYYMMDD, empty where there is none; raise `DataError` with the line of one that is no day."""
    plain = stripped(cells).replace("NULL", "")
    found = pd.Series(pd.NaT, index=cells.index, dtype="datetime64[ns]")
    for form in ("%Y%m%d", "%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y"):
        found = found.fillna(pd.to_datetime(plain, format=form, errors="coerce"))
    wrong = plain[plain.ne("") & found.isna()]
    if len(wrong):
        raise DataError(
            f"{name}: line {int(wrong.index[0]) + 2}: {shown_cell(wrong.iloc[0])} is not a day as dd/mm/yyyy "
            f"or YYYYMMDD ({len(wrong):,} such cells). Use the untouched file."
        )
    texts: pd.Series = found.dt.strftime("%Y%m%d").fillna("")
    return texts


def _framework(day: str) -> str:
    if not day:
        return ""
    return FRAMEWORKS[(day >= NO_OVERALL_GRADE) + (day >= REPORT_CARDS)]


def _require_scale(read: PublishedTable) -> None:
    """Raise `DataError` where a grade lies outside its scale."""
    for name in read.values.columns:
        grades = read.values[name]
        wrong = grades[grades.notna() & ~grades.isin([1, 2, 3, 4, 5] if name in _areas() else [1, 2, 3, 4])]
        if len(wrong):
            raise DataError(
                f"{read.name}: line {int(wrong.index[0]) + 2}: {wrong.iloc[0]:g} in the column '{name}' is no grade. "
                "Use the untouched file."
            )


def _areas() -> tuple[str, ...]:
    return tuple(field.name for field in _CARDS if "report card" in field.meaning and field.form == "number")


def _contents(table: RawTable) -> Contents:
    fields = next(layout.fields for layout in LAYOUTS if layout.fits(table.peek))
    frame = named_as_fields(table, fields)
    date = next(field.name for field in fields if field.form == "date")
    years = sorted({int(day[:4]) + (day[4:6] >= "09") for day in _days(frame[date], table.name) if day})
    measures = tuple(field.name for field in fields if field.form == "number" and field.name in frame)
    if fields is _HISTORY:
        measures = ("Overall effectiveness",)
    return Contents(rows=len(frame), years=tuple(years), measures=measures, levels=("school",))


LAYOUTS: Final = (
    Layout(
        name="ofsted-history", title="Ofsted, history of ratings", publisher="Ofsted (collected from its pages)",
        fields=_HISTORY, fits=fitting(_HISTORY), contents=_contents, reader="read_ofsted_inspections",
        seen="2005 to 2020",
    ),
    Layout(
        name="ofsted-report-cards", title="Ofsted, management information with report cards", publisher="Ofsted",
        fields=_CARDS, fits=fitting(_CARDS), contents=_contents, reader="read_ofsted_inspections",
    ),
    Layout(
        name="ofsted-management-information", title="Ofsted, management information: latest inspections",
        publisher="Ofsted", fields=_MANAGEMENT, fits=fitting(_MANAGEMENT), contents=_contents,
        reader="read_ofsted_inspections",
    ),
)  # fmt: skip
