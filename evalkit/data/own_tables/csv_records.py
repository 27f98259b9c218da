"""The records of CSV text: opened within limits, and counted apart from whatever reads them, so that none is lost."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Protocol, cast

import numpy as np

from evalkit.core.errors import DataError

MOST_BYTES: Final = 8_000_000_000
"""Bytes of text that are read from one file, as they are once unpacked."""
MOST_ROWS: Final = 20_000_000
"""Rows that are read from one table: with four columns of numbers these take some 4 GB."""
MOST_IN_CELL: Final = 131_072
"""Characters of one cell; more is a fault of the file, not a value."""
_MOST_IN_LINE: Final = 64_000_000
_WINDOW: Final = MOST_IN_CELL // 2
_NEWLINE, _COMMA, _QUOTE = b"\n"[0], b","[0], b'"'[0]


def is_packed(path: Path) -> bool:
    """Return whether a file is read through gzip."""
    return path.name.lower().endswith(".gz")


class Unpacking(Protocol):
    """What can be opened by itself, such as a file in an archive."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def most_bytes(self) -> int:
        """How many bytes it may unpack to."""

    def open(self) -> IO[bytes]:
        """Open it, unpacked."""


def opened(file: Path | Unpacking) -> IO[bytes]:
    """Open a file, a path unpacked where it ends in `.gz`; reading past `MOST_BYTES` raises `DataError`."""
    if isinstance(file, Path):
        stream = cast(IO[bytes], gzip.open(file, "rb") if is_packed(file) else file.open("rb"))  # noqa: SIM115
        return cast(IO[bytes], io.BufferedReader(_Limited(stream, file.name), 1 << 20))
    limited = _Limited(file.open(), file.name, min(MOST_BYTES, file.most_bytes))
    return cast(IO[bytes], io.BufferedReader(limited, 1 << 20))


class _Limited(io.RawIOBase):
    """A stream that ends in `DataError` where it holds more than a table may."""

    def __init__(self, stream: IO[bytes], name: str, most: int = MOST_BYTES) -> None:
        self._stream, self._name, self._most, self._n, self._n_lines = stream, name, most, 0, 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer and return the number of bytes."""
        block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        self._n += len(block)
        if (at := block.find(b"\0")) >= 0:
            line = self._n_lines + block.count(b"\n", 0, at) + 1
            raise DataError(
                f"{self._name}: line {line}: the file holds bytes of zero, which no text has: it is damaged, or saved "
                "as UTF-16. Save it as UTF-8 (in a spreadsheet program: 'CSV UTF-8')."
            )
        self._n_lines += block.count(b"\n")
        if self._n > self._most < MOST_BYTES:
            raise DataError(
                f"{self._name}: the file unpacks to more than {self._most / 1e6:,.0f} MB, far more than a table of its "
                "size does. It is damaged or no table: download it again."
            )
        if self._n > MOST_BYTES:
            raise DataError(
                f"{self._name}: the file holds more than {MOST_BYTES / 1e9:g} GB of text, more than this kit reads. "
                "Keep the columns and rows that are needed, or save the table as .parquet."
            )
        return len(block)

    def close(self) -> None:
        """Close the stream beneath as well."""
        self._stream.close()
        super().close()


@dataclass(slots=True)
class RecordCount:
    """Counts records as the bytes of a file go by; `n` is known after `end`, unless something `is_odd`.

    Only what a whole block of bytes can tell is looked at: line ends outside quotation marks. A quotation mark where
    none can open or close, a line break inside a cell and a very long line are left to `count_exactly`.
    """

    n: int = 0
    n_blank: int = 0
    is_odd: bool = False
    _is_quoted: bool = False
    _last: int = _NEWLINE
    _held: bytes = b""
    _since_newline: int = field(default=0)

    def see(self, block: bytes) -> None:
        """Take the next bytes."""
        data = self._held + block
        cut = len(data.rstrip(b'\r"'))  # what follows these decides what they mean
        self._held = data[cut:]
        if cut:
            self._count(data[:cut])

    def end(self) -> None:
        """Take note that the file is over."""
        if self._held:
            self._count(self._held)
            self._held = b""
        self.is_odd |= self._is_quoted
        self.n += self._last != _NEWLINE

    def _count(self, data: bytes) -> None:
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._look_for_long_lines(data)
        is_plain = not self._is_quoted and b'"' not in data
        starts_empty = self._last == _NEWLINE and data.startswith(b"\n")
        if is_plain and not starts_empty and b"\n\n" not in data:
            self.n += data.count(b"\n")
        else:
            self._count_lines(np.frombuffer(data, dtype=np.uint8))
        self._last = data[-1]

    def _look_for_long_lines(self, data: bytes) -> None:
        for at in range(0, len(data), _WINDOW):
            window = data[at : at + _WINDOW]
            first, last = window.find(b"\n"), window.rfind(b"\n")
            self.is_odd |= self._since_newline + (len(window) if first < 0 else first) > MOST_IN_CELL
            self._since_newline = self._since_newline + len(window) if first < 0 else len(window) - last - 1

    def _count_lines(self, data: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        newlines, quotes = np.flatnonzero(data == _NEWLINE), np.flatnonzero(data == _QUOTE)
        before = np.concatenate([[self._last], data[:-1]])
        if len(quotes) or self._is_quoted:
            inside = (np.searchsorted(quotes, newlines) + self._is_quoted) % 2 == 1
            self.is_odd |= bool(inside.any()) or not self._is_regular(data, before, quotes)
            newlines = newlines[~inside]
            self._is_quoted = bool((len(quotes) + self._is_quoted) % 2)
        n_blank = int((before[newlines] == _NEWLINE).sum())
        self.n_blank += n_blank
        self.n += len(newlines) - n_blank

    def _is_regular(self, data: Any, before: Any, quotes: Any) -> bool:
        """Return whether each quotation mark opens at the start of a cell, closes at its end, or is one of a pair."""
        is_closing = (np.arange(len(quotes)) + self._is_quoted) % 2 == 1
        opening, closing = quotes[~is_closing], quotes[is_closing]
        after = np.concatenate([data[1:], [_NEWLINE]])
        can_open = np.isin(before[opening], (_COMMA, _NEWLINE, _QUOTE))
        can_close = np.isin(after[closing], (_COMMA, _NEWLINE, _QUOTE))
        return bool(can_open.all() and can_close.all())


class Watched:
    """A file that is counted as another reader goes through it."""

    closed = False

    def __init__(self, path: Path) -> None:
        self._name, self._stream, self.count = path.name, opened(path), RecordCount()

    def read(self, n: int = -1) -> bytes:
        """Return the next bytes, counted."""
        block = self._stream.read(n)
        self.count.see(block)
        if max(self.count.n - 1, self.count.n_blank) > MOST_ROWS:
            raise too_many_rows(self._name)
        return block

    def close(self) -> None:
        """Close the file."""
        self.closed = True
        self._stream.close()

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def writable(self) -> bool:
        """Return that it cannot be written."""
        return False

    def seekable(self) -> bool:
        """Return that it is read from start to end."""
        return False


def require_all(path: Path, count: RecordCount, n_rows: int, n_columns: int) -> None:
    """Raise `DataError` where a reader got other rows than the file has records under its header."""
    count.end()
    n = count_exactly(path, n_columns) if count.is_odd else count.n
    if n - 1 != n_rows:
        raise DataError(
            f"{path.name}: {n_rows:,} rows were read where the file has {n - 1:,} under its header. A quotation mark "
            "may stand where none belongs. Look for it, or save the table as CSV again."
        )


def count_records(path: Path, n_columns: int) -> int:
    """Return the number of records of a CSV file, its header among them; raise `DataError` as `count_exactly` does."""
    with opened(path) as stream:
        count = RecordCount()
        while block := stream.read(1 << 20):
            count.see(block)
    count.end()
    return count_exactly(path, n_columns) if count.is_odd else count.n


_OPENS: Final = re.compile(r'(?:^|,)"')


@dataclass(slots=True)
class _Cell:
    """A quoted cell that is open: where it opened, how long it is by now, how many of its lines could be rows."""

    line: int
    length: int
    n_whole: int


def count_exactly(path: Path | Unpacking, n_columns: int, most: int = MOST_ROWS) -> int:
    """Return the number of records, line by line.

    Raise `DataError` with the line where a quotation mark opens a cell that swallows rows (it never closes, closes
    before other text in a later line, or spans lines that are whole rows of their own), and where a cell is too long
    or the file has too many rows.
    """
    n, cell = 0, None
    for line, text in _lines(path):
        if cell is None and not text:
            continue
        n += cell is None
        if len(text) > MOST_IN_CELL or '"' in text or cell is not None:
            cell = _after_line(path.name, line, text, cell, n_columns > 2 and text.count(",") == n_columns - 1)
        if n > most + 1:
            raise too_many_rows(path.name)
    if cell is not None:
        _swallows(path.name, cell.line, "never closes")
    return n


def too_many_rows(name: str) -> DataError:
    """Return what is said of a table with more rows than are read."""
    return DataError(
        f"{name}: the table has more than {MOST_ROWS:,} rows, more than this kit reads. "
        "Sum it up first (by school and year, say, with the number of pupils as weight), or keep the rows needed."
    )


def _swallows(name: str, line: int, how: str) -> None:
    raise DataError(
        f"{name}: line {line}: a quotation mark opens a cell there that {how}, so that later rows would be lost in it. "
        "Delete the mark, or close the cell; inside a quoted cell write each mark twice."
    )


def _lines(path: Path | Unpacking) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line, its bytes as letters one to one."""
    with opened(path) as stream, io.TextIOWrapper(stream, encoding="latin-1", newline=None) as lines:
        number = 0
        while text := lines.readline(_MOST_IN_LINE):
            number += 1
            if len(text) >= _MOST_IN_LINE:
                _too_long(path.name, number)
            yield number, text.removesuffix("\n").removeprefix("\xef\xbb\xbf" if number == 1 else "")


def _too_long(name: str, line: int) -> None:
    raise DataError(
        f"{name}: line {line}: a cell has more than {MOST_IN_CELL:,} characters. It is no value: correct it, or make "
        "the file again."
    )


def _after_line(name: str, line: int, text: str, cell: _Cell | None, is_whole: bool) -> _Cell | None:
    """Return the quoted cell that is still open at the end of a line, None where none is."""
    at = start = 0
    if cell is not None:
        cell.n_whole += is_whole
    while True:
        if cell is None:
            mark = _OPENS.search(text, at)
            if max(map(len, text[at : mark.end() if mark else None].split(","))) > MOST_IN_CELL:
                _too_long(name, line)
            if mark is None:
                return None
            cell, at = _Cell(line, 0, int(is_whole)), mark.end()
            start = at
        end = _closing(text, at)
        cell.length += (len(text) if end < 0 else end) - start + 1
        if cell.length > MOST_IN_CELL:
            _too_long(name, cell.line)
        if end < 0:
            return cell
        _require_closed(name, cell, line, text[end + 1 : end + 2])
        cell, at = None, end + 1


def _require_closed(name: str, cell: _Cell, line: int, after: str) -> None:
    """Raise `DataError` where a cell over several lines is likelier rows that a stray mark has swallowed."""
    if cell.line == line:
        return
    if after not in ("", ","):
        _swallows(name, cell.line, f"closes before other text in line {line}")
    if cell.n_whole == line - cell.line + 1:
        _swallows(name, cell.line, f"spans lines that are rows of their own, to line {line}")


def _closing(text: str, at: int) -> int:
    """Return where a quoted cell closes, -1 where it goes on; a mark written twice is one inside it."""
    while (end := text.find('"', at)) >= 0 and text[end + 1 : end + 2] == '"':
        at = end + 2
    return end
