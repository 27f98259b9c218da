"""How a CSV file begins: its encoding, what separates its cells, its header and first rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from evalkit.core.errors import DataError
from evalkit.data.files.members import Member, told
from evalkit.data.own_tables.csv_records import MOST_IN_CELL, opened

MOST_COLUMNS: Final = 5_000
BOM: Final = b"\xef\xbb\xbf"
_PEEKED_BYTES: Final = 1 << 20
_LETTERS: Final = re.compile(rb"[\x80-\xff]+")
_IN_UTF8: Final = re.compile(rb"(?<![\x80-\xff])(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2})+(?![\x80-\xff])")
_SEPARATORS: Final = ",;\t|"


@dataclass(frozen=True, slots=True)
class CsvStart:
    """How a CSV file begins; `encoding` as far as the beginning tells; `is_mac` where lines end in returns alone."""

    encoding: str
    separator: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_mac: bool = False


def csv_start(member: Member, n_rows: int) -> CsvStart:
    """Return the beginning of a CSV file; raise `DataError` where it is empty or no text."""
    with told(member.name), opened(member) as stream:
        start = stream.read(_PEEKED_BYTES)
    if not start.removeprefix(BOM).strip():
        raise DataError(f"{member.name}: the file is empty. Download it again.")
    is_whole = len(start) < _PEEKED_BYTES
    text, encoding = _decoded_start(member.name, start if is_whole else start[: start.rfind(b"\n") + 1] or start)
    is_mac = "\n" not in text and "\r" in text
    text = text.replace("\r", "\n") if is_mac else text
    separator = _separator(text)
    rows = _first_rows(member.name, text, separator, n_rows + 2)
    if not is_whole and len(rows) < n_rows + 2 and (text.count('"') % 2 or not text.endswith("\n")):
        rows = rows[:-1]  # the last one goes on
    if not rows:
        raise DataError(f"{member.name}: line 1 has no end: it is no header of a table. Download the file again.")
    if len(rows[0]) > MOST_COLUMNS:
        raise DataError(f"{member.name}: line 1 has {len(rows[0]):,} cells, more than a table has columns.")
    n = len(rows[0])
    found = tuple((*row[:n], *[""] * (n - len(row))) for row in rows[1 : n_rows + 1])
    return CsvStart(encoding, separator, unique_names(rows[0]), found, is_mac)


def _decoded_start(name: str, start: bytes) -> tuple[str, str]:
    if start.startswith(BOM):
        return decoded(name, start.removeprefix(BOM), "utf-8", 1), "utf-8-sig"
    try:
        return start.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        require_not_mixed(name, start, 1)
        return decoded(name, start, "cp1252", 1), "cp1252"


def require_not_mixed(name: str, data: bytes, first_line: int) -> None:
    """Raise `DataError` where bytes that are not UTF-8 throughout are so for the most part.

    Read as Windows-1252 each of those letters would be two others.
    """
    if 2 * len(_IN_UTF8.findall(data)) > len(_LETTERS.findall(data)):
        decoded(name, data, "utf-8", first_line)


def decoded(name: str, data: bytes, encoding: str, first_line: int) -> str:
    """Return bytes as text; raise `DataError` with the line where they are not in an encoding."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as problem:
        line = first_line + data.count(b"\n", 0, problem.start)
        raise DataError(
            f"{name}: line {line:,}: the file is neither UTF-8 nor Windows-1252 throughout, so that names would be "
            "misread. Use the untouched download, or save it as UTF-8 (in a spreadsheet program: 'CSV UTF-8')."
        ) from None


def _separator(text: str) -> str:
    """Return which sign divides the first line into the most cells outside quotation marks."""
    first = text.lstrip("\r\n").partition("\n")[0]
    bare = "".join(first.split('"')[::2])
    return max(_SEPARATORS, key=lambda sign: (bare.count(sign), -_SEPARATORS.index(sign)))


def _first_rows(name: str, text: str, separator: str, n: int) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return list(islice(filter(None, reader), n))
    except csv.Error as problem:
        if "field larger" in str(problem):
            raise too_long(name, reader.line_num) from None
        raise DataError(
            f"{name}: line {reader.line_num}: the file cannot be read as CSV ({problem}). Download it again."
        ) from None


def too_long(name: str, line: int) -> DataError:
    """Return what is said of a cell that is no value."""
    return DataError(
        f"{name}: line {line:,}: a cell has more than {MOST_IN_CELL:,} characters. It is no value: download the file "
        "again."
    )


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return column names, a blank one as `Unnamed: 3` and a repeated one as `SNP.1`, so that each can be asked for."""
    n_before: dict[str, int] = {}
    found: list[str] = []
    for at, cell in enumerate(names):
        first = name = cell.strip() or f"Unnamed: {at}"
        while name in found:
            n_before[first] = n_before.get(first, 0) + 1
            name = f"{first}.{n_before[first]}"
        found.append(name)
    return tuple(found)
