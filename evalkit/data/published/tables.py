"""Reading a published table or workbook exactly as it stands, and saying when it is not what it claims."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import openpyxl
import pandas as pd

from evalkit.core.errors import DataError, MissingData
from evalkit.core.words import did_you_mean, listed
from evalkit.data.files.layout import spelled
from evalkit.data.files.members import Member, member_of
from evalkit.data.store.in_use import stored_instead

if TYPE_CHECKING:
    from evalkit.data.files.raw_table import RawTable

# Reading a published table exactly as it stands, and saying clearly when it is not the table it claims to be.

T = TypeVar("T")


def read_table(
    path: Path | Member,
    columns: Sequence[str],
    *,
    optional: Sequence[str] = (),
    encoding: str = "utf-8-sig",
    skip_rows: Callable[[int], bool] | None = None,
    ragged: bool = False,
) -> pd.DataFrame:
    """Read the named columns of a CSV file as text, each cell as published.

    Parameters
    ----------
    path : Path or Member
        A `.csv` or `.csv.gz` file, or one in an archive.
    columns, optional : sequence of str
        Columns that must be there, and columns that are read where they are; the file may spell them in any case of
        letters.
    encoding : str
        Encoding the source publishes in. A byte-order mark is accepted anywhere.
    skip_rows : callable, optional
        Given a line number (0 is the header) says whether the row must not be read at all.
    ragged : bool
        Whether the source itself ends rows early, so that a short last line says nothing.

    Returns
    -------
    DataFrame of str; a cell is missing only where its row ends before the column.

    Raises
    ------
    DataError
        If the file is missing, empty, truncated, in another encoding, or lacks a column.
    """
    file = path if isinstance(path, Member) else member_of(path)
    if skip_rows is None and (stored := stored_instead(file, encoding)) is not None:
        return _of_store(file, *stored, columns, optional, ragged)
    header = _header(file, encoding)
    published = _published(file, header, columns, optional)
    if not ragged:
        _refuse_truncated(file, header, encoding)
    names = list(published.values())
    options: dict[str, Any] = {
        "usecols": names,
        "index_col": False,
        "dtype": str,
        # NA and the like are codes with a meaning here, and never a gap
        "keep_default_na": False,
        "na_filter": True,
        "na_values": [],
        "encoding": _encoding(file, encoding),
        "skiprows": skip_rows,
    }
    frame = _guarded(file, encoding, lambda: _read_csv(file, options))
    cells: pd.DataFrame = (
        frame[names] if not ragged else _without_padding(file, frame[names], header, encoding, skip_rows)
    )
    return cells.set_axis(list(published), axis=1)


def _without_padding(
    file: Member, frame: pd.DataFrame, header: list[str], encoding: str, skip_rows: Callable[[int], bool] | None
) -> pd.DataFrame:
    """Return columns with a cell missing where its row ends before it."""
    lengths = np.array(_guarded(file, encoding, lambda: _row_lengths(file, encoding, skip_rows)))
    kept: pd.DataFrame = frame.apply(lambda cells: cells.where(lengths > header.index(str(cells.name))))
    return kept


def _of_store(
    file: Member, names: Sequence[str], stored: RawTable, columns: Sequence[str], optional: Sequence[str], ragged: bool
) -> pd.DataFrame:
    """Return the same from the file's copy in a store, where a row that ends early lacks its last cells."""
    frame = stored.read(list(_published(file, _once_each(file, names), columns, optional)))
    return frame if ragged else frame.fillna("")


def has_columns(path: Path | Member, columns: Sequence[str], encoding: str = "utf-8-sig") -> bool:
    """Return whether a table has all the columns named; raise `DataError` where it cannot be read."""
    file = path if isinstance(path, Member) else member_of(path)
    header = _header(file, encoding)
    return all(spelled(name, header, file.name) is not None for name in columns)


def _read_csv(file: Member, options: Mapping[str, Any]) -> pd.DataFrame:
    with file.open() as stream:
        frame: pd.DataFrame = pd.read_csv(stream, **options)
        return frame


def _row_lengths(file: Member, encoding: str, skip_rows: Callable[[int], bool] | None) -> list[int]:
    """Return the number of cells of each row read; pandas fills a short row with blanks that are not in the file."""
    with file.open() as stream, io.TextIOWrapper(stream, encoding=_encoding(file, encoding), newline="") as text:
        rows = enumerate(_cells_of_rows(list(text)))
        return [cells for line, cells in rows if cells and line and not (skip_rows is not None and skip_rows(line))]


def _cells_of_rows(lines: list[str]) -> list[int]:
    """Return the number of cells of each row; commas are counted, and parsed only where a quotation mark stands."""
    if any(line.count('"') % 2 for line in lines):  # a cell may go on in the next line
        return [len(row) for row in csv.reader(lines)]
    return [
        len(next(csv.reader([line]))) if '"' in line else line.count(",") + 1 if line.strip("\r\n") else 0
        for line in lines
    ]


def _guarded(file: Member, encoding: str, action: Callable[[], T]) -> T:
    """Run a reading action; turn what can go wrong with a file into one sentence."""
    try:
        return action()
    except FileNotFoundError:
        raise MissingData(
            f"{file.name}: there is no such file in {file.path.parent.name}/. Put it there and try again."
        ) from None
    except IsADirectoryError:
        raise DataError(f"{file.name}: this is a folder, not a table.") from None
    except UnicodeError:
        raise DataError(
            f"{file.name}: the file is not in the encoding of its source ({encoding.removesuffix('-sig')}).\n"
            "Use the untouched download; opening and saving it in a spreadsheet program changes it."
        ) from None
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error):
        raise DataError(f"{file.name}: the compressed file is damaged or cut short. Download it again.") from None
    except pd.errors.EmptyDataError:
        raise DataError(f"{file.name}: the file is empty. Download it again.") from None
    except pd.errors.ParserError as error:
        raise DataError(
            f"{file.name}: the file is damaged or cut short ({_first_line(error)}). Download it again."
        ) from None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].removeprefix("Error tokenizing data. C error: ")


def _encoding(file: Member, encoding: str) -> str:
    """Return UTF-8 where the file says so itself with a byte-order mark."""
    with file.open() as stream:
        return "utf-8-sig" if stream.read(3) == b"\xef\xbb\xbf" else encoding


def _header(file: Member, encoding: str) -> list[str]:
    def read() -> list[str]:
        options: dict[str, Any] = {"dtype": str, "keep_default_na": False, "header": None, "nrows": 1}
        frame = _read_csv(file, options | {"encoding": _encoding(file, encoding)})
        return [str(name) for name in frame.iloc[0]]

    return _once_each(file, _guarded(file, encoding, read))


def _once_each(file: Member, header: Sequence[str]) -> list[str]:
    """Return the names of a header; raise `DataError` where one stands there twice."""
    names = list(header)
    repeated = [name for name in dict.fromkeys(names) if name and names.count(name) > 1]
    if repeated:
        raise DataError(f"{file.name}: the column {repeated[0]} stands there twice, so it is not clear which to read.")
    return names


def _published(file: Member, header: list[str], columns: Sequence[str], optional: Sequence[str]) -> dict[str, str]:
    """Return the columns that are read, each as the file spells it; raise `DataError` where a required one lacks."""
    by_name = {name: spelled(name, header, file.name) for name in [*columns, *optional]}
    missing = [name for name in columns if by_name[name] is None]
    if missing:
        hint = did_you_mean(missing[0], header)
        raise DataError(
            f"{file.name}: the file has no column {listed(missing)}.{hint}\n"
            f"It has {len(header)} columns, starting {listed(header, 5)}. Check that it is the table its name says."
        )
    return {name: published for name, published in by_name.items() if published is not None}


def _refuse_truncated(file: Member, header: list[str], encoding: str) -> None:
    """Refuse a file whose last line has neither an end nor all its cells."""

    def last_bytes() -> bytes:
        tail = b""
        with file.open() as stream:
            while block := stream.read(1 << 20):
                tail = (tail + block)[-(1 << 20) :]
        return tail

    tail = _guarded(file, encoding, last_bytes)
    if not tail.endswith((b"\n", b"\r")) and tail.splitlines()[-1].count(b",") < len(header) - 1:
        raise DataError(f"{file.name}: the file is cut short: its last line breaks off. Download it again.")


# The rows of one sheet of a workbook, within limits: a damaged, padded or swollen file ends in one sentence.

MOST_BYTES: Final = 20_000_000
"""Bytes of one part of a workbook, once unpacked; a published neighbour list has 160,000."""
MOST_PARTS: Final = 2_000
MOST_ROWS: Final = 10_000
"""Rows of a sheet that hold something."""
_LAST_ROW: Final = 1_048_576
Row = tuple[Any, ...]


def sheet_rows(path: Path | Member, sheet: str, n_columns: int) -> list[Row]:
    """Return the rows of a sheet that hold anything in its first columns, each with `n_columns` cells.

    Raise `DataError` where the file is missing, no workbook, damaged, larger than any list of areas, or lacks the
    sheet.
    """
    try:
        with path.open("rb") if isinstance(path, Path) else path.open() as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that are of no account here
            _require_small(path, stream)
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            if sheet not in book.sheetnames:
                raise DataError(f"{path.name}: the workbook has no sheet '{sheet}', so it is not a neighbour list.")
            return list(_filled(path, book[sheet], n_columns))
    except FileNotFoundError:
        raise MissingData(
            f"{path.name}: there is no such file in {_folder(path)}/. Put it there and try again."
        ) from None
    except (DataError, MemoryError):
        raise
    except Exception as problem:  # a damaged archive can fail in any of its readers
        if isinstance(problem, OSError) and problem.errno is not None:
            raise
        raise DataError(f"{path.name}: the file is not an Excel workbook, or is damaged. Download it again.") from None


def _folder(path: Path | Member) -> str:
    return (path if isinstance(path, Path) else path.path).parent.name


def _require_small(path: Path | Member, stream: Any) -> None:
    """Raise `DataError` where a part of a workbook would unpack to more than is read."""
    parts = zipfile.ZipFile(stream).infolist()
    stream.seek(0)
    if len(parts) > MOST_PARTS or any(part.file_size > MOST_BYTES for part in parts):
        raise DataError(
            f"{path.name}: a part of the workbook holds more than {MOST_BYTES // 1_000_000} MB once unpacked, or it "
            f"has more than {MOST_PARTS:,} parts. {_REMEDY}"
        )


def _filled(path: Path | Member, sheet: Any, n_columns: int) -> Iterator[Row]:
    """Yield the rows that hold anything; rows and cells that are only formatted are passed over."""
    sheet.reset_dimensions()  # what the file says of its own size may be wrong
    n = 0
    for row in islice(sheet.iter_rows(max_col=n_columns, values_only=True), _LAST_ROW):
        if all(cell is None or cell == "" for cell in row):
            continue
        n += 1
        if n > MOST_ROWS:
            raise DataError(f"{path.name}: the sheet '{sheet.title}' has more than {MOST_ROWS:,} rows. {_REMEDY}")
        yield (*row, *(None,) * (n_columns - len(row)))


_REMEDY: Final = "That is no list of areas: download it again, without opening it in a spreadsheet program."
