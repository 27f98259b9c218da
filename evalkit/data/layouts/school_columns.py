"""Columns of the lists of schools as typed values: every gap keeps its reason, and a cell that cannot be is refused."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.errors import DataError
from evalkit.data.files.layout import Field
from evalkit.data.files.members import Member, member_of
from evalkit.data.published.codes import parse_cells
from evalkit.data.published.tables import read_table

BLANK: Final = "blank in the source"
ABSENT: Final = "not a column of this cut"
UNKNOWN_DAY: Final = "not known (1 January 1900 stands for it)"
NO_AUTHORITY: Final = "no local authority of England (000)"
_NO_DAY: Final = pd.Timestamp(1900, 1, 1)
_DAYS: Final = ("%d-%m-%Y", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y")
"""How the lists write a day: as GIAS publishes it, as programs keep it, and as spreadsheets do."""
_BLOCK: Final = 1 << 20
_MOST_BYTES: Final = 500_000_000
"""Bytes of a list once unpacked; the whole of GIAS has some 60 million."""


def read_school_table(path: Path | Member, fields: Sequence[Field], encoding: str = "") -> pd.DataFrame:
    """Return the columns of a list of schools as text, under the first of their names; those not required where there.

    The lists are Windows-1252 as published, UTF-8 where a program has written them: a file that is UTF-8 is read so
    (`encoding` where it is known). Raise `DataError` where the file is missing, damaged, cut short, lacks a column, or
    has none of its rows.
    """
    required = [field.name for field in fields if field.is_required]
    optional = [field.name for field in fields if not field.is_required]
    frame = read_table(path, required, optional=optional, encoding=encoding or encoding_of(path))
    if frame.empty:
        raise DataError(f"{path.name}: the file has headings and no row. Download it again.")
    return frame.fillna("")


def encoding_of(path: Path | Member) -> str:
    """Return UTF-8 where all of a file is, else Windows-1252.

    Raise `DataError` where it holds NULs, which no text has, or is larger than any list of schools. What else is wrong
    with it is said when its table is read.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoding, size = "utf-8", 0
    try:
        with (path if isinstance(path, Member) else member_of(path)).open() as stream:
            while block := stream.read(_BLOCK):
                size += len(block)
                _refuse_no_list(path, block, size)
                encoding = encoding if encoding != "utf-8" or _decodes(decoder, block) else "cp1252"
    except (OSError, EOFError, zlib.error):
        return "utf-8"
    return encoding


def _refuse_no_list(path: Path | Member, block: bytes, size: int) -> None:
    if b"\0" in block:
        raise DataError(
            f"{path.name}: the file holds NULs, so it is not text in Windows-1252 or UTF-8. Download it again, without "
            "opening it in a spreadsheet program."
        )
    if size > _MOST_BYTES:
        raise DataError(
            f"{path.name}: the file is larger than {_MOST_BYTES // 1_000_000} MB once unpacked; no list of schools is."
        )


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes) -> bool:
    try:
        decoder.decode(block)
    except UnicodeDecodeError:
        return False
    return True


def urns(cells: pd.Series, name: str) -> pd.Series:
    """Return a column of URNs; raise `DataError` at the first that is none."""
    plain = cells.str.strip()
    wrong = plain[~plain.str.fullmatch(r"\d{5,6}")]  # those of children's centres have five digits
    if not wrong.empty:
        raise DataError(
            f"{name}, row {_row(wrong)}: {wrong.iloc[0]!r} in the column '{cells.name}' is no URN (six digits, or "
            "five). Use the untouched download."
        )
    return plain


def refuse_repeated(cells: pd.Series, name: str) -> None:
    """Raise `DataError` where a school has two rows."""
    again = cells[cells.duplicated()]
    if not again.empty:
        raise DataError(
            f"{name}, row {_row(again)}: URN {again.iloc[0]} has a row already; the list has one for each school. "
            "Download it again."
        )


def _row(cells: pd.Series) -> int:
    """Return the row of the file in which the first of some cells stands; the heading is the first."""
    return int(cells.index[0]) + 2


def typed(cells: pd.Series, field: Field, name: str) -> tuple[pd.Series, pd.Series]:
    """Return a column as its field's form says, and the reason of each gap; raise `DataError` for what cannot be.

    Areas are whole numbers, numbers and percentages floats, dates days, all else text.
    """
    if field.form in ("number", "percent"):
        numbers, reasons = parse_cells(cells.str.strip(), f"{name}, {field.name}", BLANK)
        return pd.Series(numbers, index=cells.index), pd.Series(reasons, index=cells.index)
    if field.form == "date":
        return days(cells, f"{name}, {field.name}")
    plain = cells.str.strip()
    reasons_of_text = pd.Series(np.where(plain == "", BLANK, ""), index=cells.index, dtype=object)
    if field.form == "area":
        areas = _areas(plain, f"{name}, {field.name}")
        return areas, reasons_of_text.mask((plain != "") & areas.isna(), NO_AUTHORITY)
    return plain.astype(object), reasons_of_text


def _areas(cells: pd.Series, where: str) -> pd.Series:
    wrong = cells[(cells != "") & ~cells.str.fullmatch(r"\d{3}")]
    if not wrong.empty:
        raise DataError(
            f"{where}, row {_row(wrong)}: {wrong.iloc[0]!r} is no local authority's code (three digits). "
            "Use the untouched download."
        )
    numbers = pd.to_numeric(cells, errors="coerce").astype("Int64")
    return numbers.mask(numbers == 0)  # 000 stands for establishments outside England's authorities


def days(cells: pd.Series, where: str) -> tuple[pd.Series, pd.Series]:
    """Return cells as days, and the reason of each gap; all are written in one way, which is told from all of them."""
    plain = cells.str.strip()
    filled = plain[plain != ""]
    read = [pd.to_datetime(filled, format=form, errors="coerce") for form in _DAYS]
    best = max(read, key=lambda column: int(column.notna().sum()))
    wrong = filled[best.isna()]
    if not wrong.empty:
        raise DataError(
            f"{where}, row {_row(wrong)}: {wrong.iloc[0]!r} is no day such as 31-08-2021. Use the untouched download."
        )
    found = best.reindex(cells.index)
    is_unknown = found == _NO_DAY
    reasons = np.where(plain == "", BLANK, np.where(is_unknown, UNKNOWN_DAY, ""))
    return found.mask(is_unknown), pd.Series(reasons, index=cells.index, dtype=object)


def absent(field: Field, index: pd.Index) -> tuple[pd.Series, pd.Series]:
    """Return a column that a cut has not, missing throughout, and the reason."""
    why = pd.Series(ABSENT, index=index, dtype=object)
    if field.form in ("number", "percent"):
        return pd.Series(float("nan"), index=index), why
    if field.form == "date":
        return pd.Series(pd.NaT, index=index, dtype="datetime64[ns]"), why
    if field.form == "area":
        return pd.Series(pd.NA, index=index, dtype="Int64"), why
    return pd.Series("", index=index, dtype=object), why


def latest_day(*columns: pd.Series) -> str:
    """Return the latest day of some columns of text as yyyy-mm-dd; empty where none tells one."""
    texts = pd.Series([text.strip() for cells in columns for text in cells.unique() if text.strip()], dtype=object)
    found = [pd.to_datetime(texts, format=form, errors="coerce").max() for form in _DAYS]
    known = [day for day in found if pd.notna(day)]
    return f"{max(known):%Y-%m-%d}" if known else ""
