"""Files without records of their own: descriptions of columns, lists of codes, notes, tables derived from others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evalkit.data.files.layout import Contents, Field, Layout, fitting
from evalkit.data.files.raw_table import Peek, RawTable

_DESCRIBES: Final = "it describes columns and holds no records"
_CODES: Final = "it lists codes and names, and holds no records"
_NOTES: Final = "it holds notes in words, and no records"
_DERIVED: Final = "it was made from published files by somebody else: the published files themselves are read"


def _contents(table: RawTable) -> Contents:
    return Contents(rows=len(table.read()))


def _fields(*names: str, meaning: str = "See the title.") -> tuple[Field, ...]:
    return tuple(Field(name=name, meaning=meaning) for name in names)


def _layout(name: str, title: str, publisher: str, names: Sequence[str], **said: str) -> Layout:
    fields = _fields(*names)
    return Layout(
        name=name, title=title, publisher=publisher, fields=fields, fits=fitting(fields), contents=_contents,
        unused_reason=said["why"], seen=said.get("seen", ""),
    )  # fmt: skip


def _is_abbreviations(peek: Peek) -> bool:
    return peek.form == "workbook" and any("abbreviations" in sheet.casefold() for sheet in peek.sheets)


def _is_notes(peek: Peek) -> bool:
    """Return whether a text file holds prose: one heading of several words, and hardly a second cell in any row."""
    named = [column for column in peek.columns if column.strip() and not column.startswith("Unnamed")]
    if peek.form != "csv" or len(named) != 1 or len(named[0].split()) < _WORDS or not peek.rows:
        return False
    return all(sum(bool(cell.strip()) for cell in row) <= _MOST_CELLS for row in peek.rows)


_WORDS: Final = 3
_MOST_CELLS: Final = 2


def _is_merged(peek: Peek) -> bool:
    """Return whether columns carry the marks of a join, `.x` and `.y`, which no published file has."""
    marked = [column for column in peek.columns if column.endswith((".x", ".y"))]
    return peek.form == "csv" and len(marked) >= _WORDS and "URN" in peek.columns


LAYOUTS: Final = (
    _layout(
        "meta-ees", "Explore Education Statistics, description of columns", "DfE",
        ("col_name", "col_type", "label"), why=_DESCRIBES, seen="exclusions by school",
    ),
    _layout(
        "meta-variables", "Description of columns (absence, destinations)", "DfE",
        ("Variable", "Label", "Type", "Description"), why=_DESCRIBES, seen="2022/23",
    ),
    _layout(
        "meta-census", "Description of columns (school census)", "DfE",
        ("Field Number", "Field Reference", "Field Name", "Values"), why=_DESCRIBES, seen="2022/23",
    ),
    _layout(
        "meta-information", "Description of columns (school information)", "DfE",
        ("Column", "Field Name", "Description"), why=_DESCRIBES, seen="2018/19, 2022/23",
    ),
    _layout(
        "meta-ks2", "Description of columns (key stage 2)", "DfE", ("Column", "Field Name", "Label/Description"),
        why=_DESCRIBES, seen="2017/18, 2018/19",
    ),
    _layout(
        "meta-ks2-2017", "Description of columns (key stage 2, to 2016/17)", "DfE",
        ("Column", "FieldName", "Label/Description"), why=_DESCRIBES, seen="2016/17",
    ),
    _layout(
        "meta-ks4", "Description of columns (key stage 4)", "DfE",
        ("Column", "Metafile heading", "Metafile description"), why=_DESCRIBES, seen="2016/17 to 2018/19",
    ),
    _layout(
        "meta-lait", "Local Authority Interactive Tool, description of measures", "DfE",
        ("Measure_code", "Topic", "Measure", "Measure_short"), why=_DESCRIBES, seen="2025",
    ),
    _layout(
        "codes-areas-regions", "Codes of authorities and regions", "DfE", ("LEA", "LA Name", "REGION", "REGION NAME"),
        why=_CODES, seen="2016/17 to 2022/23",
    ),
    _layout(
        "codes-areas-lait", "Local Authority Interactive Tool, list of authorities", "DfE",
        ("LA Number", "LA Name", "Region", "Type"), why=_CODES, seen="2025",
    ),
    Layout(
        name="abbreviations", title="Abbreviations of the performance tables", publisher="DfE", fields=(),
        fits=_is_abbreviations, contents=_contents, unused_reason=_CODES, seen="2016/17 to 2022/23",
    ),
    _layout(
        "derived-kpi-check", "Targets of a strategy beside published values", "derived",
        ("indicator", "lait_code", "target_2019"), why=_DERIVED, seen="one strategy",
    ),
    _layout(
        "derived-panel", "Results of schools assembled over years", "derived",
        ("SCHOOL_ID", "URN", "YEAR", "LAESTAB", "SCHNAME"), why=_DERIVED, seen="England, 2016 to 2019",
    ),
    _layout(
        "derived-covariates", "What was known of schools, assembled", "derived", ("SCHOOL_ID", "LA", "FSM6_PCT_2223"),
        why=_DERIVED, seen="England",
    ),
    Layout(
        name="derived-merged", title="Published tables joined by somebody else (columns marked .x and .y)",
        publisher="derived", fields=(), fits=_is_merged, contents=_contents,
        unused_reason=_DERIVED, seen="England, 2022/23",
    ),
    Layout(
        name="notes", title="Notes in words", publisher="DfE", fields=(), fits=_is_notes, contents=_contents,
        unused_reason=_NOTES, seen="methodology of key stage 4, 2016/17, 2018/19",
    ),
)  # fmt: skip
