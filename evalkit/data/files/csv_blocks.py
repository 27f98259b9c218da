"""The records of a CSV file in blocks of text columns: every cell as published, in memory of a block at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute as pc

from evalkit.core.errors import DataError
from evalkit.core.words import counted
from evalkit.data.files.csv_start import BOM, CsvStart, decoded, require_not_mixed, too_long
from evalkit.data.files.members import Member, told
from evalkit.data.own_tables.csv_records import MOST_IN_CELL, count_exactly, opened

MOST_IN_RECORD: Final = 16_000_000
"""Bytes of one record; one of a national table of 500 columns has some 5,000."""
BLOCK_BYTES: Final = 8_000_000
_ROWS_AT_A_TIME: Final = 20_000
_NO_LIMIT: Final = 10**12
_ENDED_EARLY: Final = b"\x1f\x1e"
"""Stands for a cell that its row ends before while a block is parsed; no published table has such letters."""
_NEWLINE, _RETURN, _QUOTE = b"\n"[0], b"\r"[0], b'"'[0]
Places = NDArray[np.intp]


def csv_blocks(member: Member, start: CsvStart, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Yield all records under the header, in blocks of text columns; a cell is null where its row ends before it.

    Raise `DataError` with the line where a row has more cells than the header, a quotation mark swallows rows, a line
    is no value's, the encoding changes, or the file breaks off.
    """
    with told(member.name), opened(member) as stream:
        yield from _Pass(member, start, tuple(start.columns if columns is None else columns)).blocks(stream)


@dataclass(frozen=True, slots=True)
class _Records:
    """Where the records of some bytes start and end, how many cells each has, and whether one goes over lines."""

    starts: Places
    ends: Places
    n_cells: Places
    has_lines_within: bool


def _records(data: bytes, separator: int) -> _Records | None:
    """Return the records of some bytes; None where quotation marks stand where none can be told to open or close."""
    letters = np.frombuffer(data, np.uint8)
    newlines, signs = np.flatnonzero(letters == _NEWLINE), np.flatnonzero(letters == separator)
    n_lines = len(newlines)
    if b'"' in data:
        quotes = np.flatnonzero(letters == _QUOTE)
        if not _is_regular(letters, quotes, separator):
            return None
        newlines = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
        signs = signs[np.searchsorted(quotes, signs) % 2 == 0]
    ends = newlines if data.endswith(b"\n") else np.append(newlines, len(data))
    starts = np.concatenate([[0], ends[:-1] + 1])
    n_cells = np.diff(np.searchsorted(signs, ends), prepend=0) + 1
    return _Records(starts, ends, n_cells, len(newlines) < n_lines)


def _is_regular(letters: NDArray[np.uint8], quotes: Places, separator: int) -> bool:
    """Return whether each quotation mark opens at the start of a cell, closes at its end, or is one of a pair."""
    before = np.concatenate([[_NEWLINE], letters])[quotes[::2]]
    after = np.concatenate([letters[1:], [_NEWLINE]])[quotes[1::2]]
    can_open = np.isin(before, (separator, _NEWLINE, _QUOTE))
    can_close = np.isin(after, (separator, _NEWLINE, _RETURN, _QUOTE))
    return len(quotes) % 2 == 0 and bool(can_open.all() and can_close.all())


def _end_of_records(data: bytes) -> int:
    """Return where the last record ends that is whole, 0 where none is."""
    if b'"' not in data:
        return data.rfind(b"\n") + 1
    letters = np.frombuffer(data, np.uint8)
    quotes, newlines = np.flatnonzero(letters == _QUOTE), np.flatnonzero(letters == _NEWLINE)
    outside = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    return int(outside[-1]) + 1 if len(outside) else 0


@dataclass(slots=True)
class _Pass:
    """One way through a file; `line` is that of the next record."""

    member: Member
    start: CsvStart
    wanted: tuple[str, ...]
    line: int = 1
    encoding: str = "utf-8"
    is_header_over: bool = False
    is_ragged: bool = False
    has_letters: bool = False
    is_counted: bool = False

    def blocks(self, stream: IO[bytes]) -> Iterator[pa.Table]:
        """Yield the file's records; those from the first that is not plain are gone through one by one."""
        self.encoding = "cp1252" if self.start.encoding == "cp1252" else "utf-8"
        pending, is_last, is_first = b"", False, True
        while not is_last:
            block = stream.read(BLOCK_BYTES)
            is_last = not block
            if self.start.is_mac:
                block = block.replace(b"\r", b"\n")
            data = pending + (block.removeprefix(BOM) if is_first else block)
            is_first = False
            cut = len(data) if is_last else _end_of_records(data)
            if cut == 0 and len(data) > MOST_IN_RECORD and b'"' not in data:
                raise too_long(self.member.name, self.line)
            is_hopeless = cut == 0 and len(data) > MOST_IN_RECORD
            if cut and not self.is_header_over:
                begin = self._end_of_header(data[:cut])
                data, cut = data[begin:], cut - begin
            tables = [] if cut == 0 else self._tables(data[:cut], is_last)
            if is_hopeless or tables is None:
                yield from self._one_by_one(data, stream)
                return
            yield from tables
            pending = data[cut:]

    def _end_of_header(self, data: bytes) -> int:
        """Return where the header ends, 0 where it is to be found when records are gone through one by one."""
        found = _records(data, self.start.separator.encode()[0])
        if found is None:
            return 0
        for start, end in zip(found.starts.tolist(), found.ends.tolist(), strict=True):
            self.line += data.count(b"\n", start, end + 1)
            if data[start:end].strip(b"\r"):
                self.is_header_over = True
                return int(min(end + 1, len(data)))
        return len(data)

    def _tables(self, data: bytes, is_last: bool) -> list[pa.Table] | None:
        """Return whole records as a table, none where they are the header alone; None where they are not plain."""
        found = _records(data, self.start.separator.encode()[0])
        if found is None or (found.ends - found.starts).max() > MOST_IN_CELL:
            return None
        if found.has_lines_within:
            self._require_none_swallowed()
        text = self._as_utf8(data)
        n, widths = len(self.start.columns), found.ends - found.starts
        is_plain = bool((found.n_cells == n).all()) and widths.min() > 1
        is_cut = is_last and not data.endswith(b"\n")
        n_rows, ready = (len(widths), text) if is_plain else self._evened(data, found, is_cut=is_cut)
        table = _parsed(ready, self.start, self.wanted, found.has_lines_within) if n_rows else None
        if table is not None and table.num_rows != n_rows:
            return None
        self.line += data.count(b"\n")
        return [] if table is None else [_without_padding(table)]

    def _evened(self, data: bytes, found: _Records, *, is_cut: bool) -> tuple[int, bytes]:
        """Return how many rows there are, and the rows with as many cells each as the header."""
        n, separator = len(self.start.columns), self.start.separator.encode()
        rows: list[bytes] = []
        line, last = self.line, len(found.ends) - 1
        for at, (begin, end) in enumerate(zip(found.starts.tolist(), found.ends.tolist(), strict=True)):
            row, n_cells = data[begin:end].removesuffix(b"\r"), int(found.n_cells[at])
            if row:
                if n_cells > n:
                    row = self._shortened(row, line)
                elif n_cells < n:
                    if at == last and is_cut and not self.is_ragged:
                        raise DataError(_cut_short(self.member.name, line))
                    row, self.is_ragged = row + (separator + _ENDED_EARLY) * (n - n_cells), True
                rows.append(row)
            line += 1 + row.count(b"\n")
        return len(rows), self._as_utf8(b"\n".join(rows))

    def _shortened(self, row: bytes, line: int) -> bytes:
        text = decoded(self.member.name, row, self.encoding, line)
        cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=self.start.separator))
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=self.start.separator, lineterminator="").writerow(self._fitted(cells, line))
        return out.getvalue().encode(self.encoding)

    def _fitted(self, cells: list[str], line: int) -> list[str]:
        """Return a row without blank cells past the header; raise `DataError` where one there is not blank."""
        n = len(self.start.columns)
        if any(cell.strip() for cell in cells[n:]):
            raise DataError(
                f"{self.member.name}: line {line:,} has {counted(len(cells), 'cell')} where the header has {n}. A text "
                "may hold the separator without quotation marks, or a second table may begin. Download the file again."
            )
        return cells[:n]

    def _as_utf8(self, data: bytes) -> bytes:
        """Return bytes as UTF-8; a file that is not in UTF-8 is in Windows-1252, the whole of it."""
        if data.isascii():
            return data
        if self.encoding == "utf-8":
            try:
                data.decode("utf-8")
            except UnicodeDecodeError:
                if self.has_letters or self.start.encoding == "utf-8-sig":
                    decoded(self.member.name, data, "utf-8", self.line)
                require_not_mixed(self.member.name, data, self.line)
                self.encoding = "cp1252"
        self.has_letters = True
        if self.encoding == "utf-8":
            return data
        return decoded(self.member.name, data, self.encoding, self.line).encode()

    def _require_none_swallowed(self) -> None:
        """Raise `DataError` where a quotation mark makes one cell of several rows."""
        if not self.is_counted and self.start.separator == ",":
            count_exactly(self.member, len(self.start.columns), _NO_LIMIT)
        self.is_counted = True

    def _one_by_one(self, data: bytes, stream: IO[bytes]) -> Iterator[pa.Table]:
        """Yield the records from some bytes on, each looked at by itself."""
        self._require_none_swallowed()
        strict = self.start.separator != ","  # what `count_exactly` finds where cells are separated by commas
        first, rows = self.line, csv.reader(self._lines(data, stream), delimiter=self.start.separator, strict=strict)
        batch: list[list[str]] = []
        try:
            for cells in rows:
                if cells and self.is_header_over:
                    batch.append(self._fitted(cells, first + rows.line_num - 1))
                self.is_header_over |= bool(cells)
                if len(batch) == _ROWS_AT_A_TIME:
                    yield self._of_rows(batch)
                    batch = []
        except csv.Error as problem:
            line = first + rows.line_num - 1
            if "field larger" in str(problem):
                raise too_long(self.member.name, line) from None
            raise DataError(
                f"{self.member.name}: line {line:,}: a quotation mark opens a cell there that does not end as a cell "
                f"does ({problem}). Download the file again."
            ) from None
        if batch:
            yield self._of_rows(batch)

    def _lines(self, data: bytes, stream: IO[bytes]) -> Iterator[str]:
        line = self.line
        for source in (io.BytesIO(data), stream):
            while text := source.readline(MOST_IN_RECORD):
                if len(text) >= MOST_IN_RECORD:
                    raise too_long(self.member.name, line)
                while source is not stream and not text.endswith(b"\n") and (more := stream.readline(MOST_IN_RECORD)):
                    text += more
                self.line = line
                yield self._as_utf8(text.replace(b"\r", b"\n") if self.start.is_mac else text).decode()
                line += 1

    def _of_rows(self, rows: list[list[str]]) -> pa.Table:
        places = [self.start.columns.index(name) for name in self.wanted]
        cells = [[row[at] if at < len(row) else None for row in rows] for at in places]
        return pa.table([pa.array(column, pa.string()) for column in cells], names=list(self.wanted))


def _parsed(data: bytes, start: CsvStart, wanted: Sequence[str], has_lines_within: bool) -> pa.Table | None:
    from pyarrow import csv as arrow_csv

    try:
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(column_names=list(start.columns), block_size=len(data) + 1),
            parse_options=arrow_csv.ParseOptions(delimiter=start.separator, newlines_in_values=has_lines_within),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(start.columns, pa.string()),
                include_columns=list(wanted),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:  # what it stumbles over is told when the records are gone through one by one
        return pa.table({})


def _without_padding(table: pa.Table) -> pa.Table:
    """Return a table with the cells missing that stand for ends of rows."""
    columns = []
    for column in table.columns:
        is_padding = pc.equal(column, pa.scalar(_ENDED_EARLY.decode()))
        columns.append(pc.if_else(is_padding, pa.scalar(None, pa.string()), column) if pc.any(is_padding).as_py()
                       else column)  # fmt: skip
    return pa.table(columns, names=table.column_names)


def _cut_short(name: str, line: int) -> str:
    return f"{name}: line {line:,}: the file is cut short: its last line breaks off. Download it again."
