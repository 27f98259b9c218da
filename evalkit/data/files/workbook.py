"""The sheets of a workbook (.xlsx, .xls, .ods) as text, within limits."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Iterator
from typing import IO, Any, Final

from evalkit.core.errors import DataError
from evalkit.data.files.members import Member, told

MOST_BYTES: Final = 400_000_000
"""Bytes of a workbook, and of each of its parts once unpacked; a national table as a workbook has some 150 million."""
MOST_PARTS: Final = 2_000
MOST_CELLS: Final = 30_000_000
"""Cells of a sheet from its first to its last, the empty ones counted: so much is held while it is read."""
_CELL: Final = re.compile(rb'<(?:\w+:)?c [^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_REPEATED: Final = re.compile(rb'number-(?:columns|rows)-repeated="(\d+)"')
_MOST_REPEATED: Final = 20_000
_BLOCK: Final = 1 << 22
Row = tuple[str, ...]


def sheet_names(member: Member) -> tuple[str, ...]:
    """Return the names of a workbook's sheets; raise `DataError` where it is none, damaged, locked or swollen."""
    return tuple(_book(member).sheet_names)


def sheet_rows(member: Member, sheet: str, n: int | None = None) -> list[Row]:
    """Return the rows of a sheet that hold anything, or the first `n`, each cell as text."""
    book = _book(member)
    with _damage_told(member):
        cells = book.get_sheet_by_name(sheet)
        if cells.total_height * cells.total_width > MOST_CELLS:
            raise _too_large(member)
        rows: Iterator[list[Any]] = cells.iter_rows()
        found = (tuple(map(_text, row)) for row in rows)
        filled = (row for row in found if any(row))
        return [row for _, row in zip(range(n), filled, strict=False)] if n is not None else list(filled)


class _damage_told:
    """Tells any failure of a reader of workbooks as a damaged file: what fails first depends on where it is damaged."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, problem: BaseException | None, trace: Any) -> None:
        if problem is None or isinstance(problem, DataError | MemoryError | KeyboardInterrupt):
            return
        if type(problem).__name__ == "PasswordError":
            raise DataError(f"{self._member.name}: the workbook is locked with a password. Save it without.") from None
        raise DataError(f"{self._member.name}: the workbook is damaged or no workbook. Download it again.") from None


def _book(member: Member) -> Any:
    from python_calamine import CalamineWorkbook

    with told(member.name), member.open() as stream:
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _too_large(member)
    with _damage_told(member):
        if content.startswith(b"PK"):
            _require_small(member, io.BytesIO(content))
        return CalamineWorkbook.from_filelike(io.BytesIO(content))


def _require_small(member: Member, stream: IO[bytes]) -> None:
    """Raise `DataError` where a part would unpack to more than is read, or a sheet's last cell lies too far out."""
    with zipfile.ZipFile(stream) as archive:
        parts = archive.infolist()
        if len(parts) > MOST_PARTS or any(part.file_size > MOST_BYTES for part in parts):
            raise _too_large(member)
        for part in parts:
            if "worksheets/" in part.filename or part.filename == "content.xml":
                with archive.open(part) as xml:
                    _require_no_far_cell(member, xml)


def _require_no_far_cell(member: Member, xml: IO[bytes]) -> None:
    row = column = 0
    tail = b""
    while block := xml.read(_BLOCK):
        text = tail + block
        if found := _CELL.findall(text):
            letters, numbers = zip(*found, strict=True)
            row, column = max(row, *map(int, set(numbers))), max(column, *map(_column, set(letters)))
        repeated = [int(n) for n in _REPEATED.findall(text)]
        if row * column > MOST_CELLS or sum(n for n in repeated if n < _MOST_REPEATED) > MOST_CELLS:
            raise _too_large(member)
        tail = text[-200:]


def _column(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place


def _text(cell: Any) -> str:
    """Return a cell as text: a whole number without its point, a date as 2019-07-31, truth as TRUE."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, datetime.date | datetime.time) else str(cell)


def _too_large(member: Member) -> DataError:
    return DataError(
        f"{member.name}: the workbook is larger than is read: {MOST_BYTES // 1_000_000} MB a part once unpacked, "
        f"{MOST_CELLS:,} cells a sheet from its first to its last. Save the sheet that is needed as CSV."
    )
