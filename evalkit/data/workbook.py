"""The rows of one sheet of a workbook, within limits: a damaged, padded or swollen file ends in one sentence."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import openpyxl

from evalkit.core.errors import DataError

MOST_BYTES: Final = 20_000_000
"""Bytes of one part of a workbook, once unpacked; a published neighbour list has 160,000."""
MOST_PARTS: Final = 2_000
MOST_ROWS: Final = 10_000
"""Rows of a sheet that hold something."""
_LAST_ROW: Final = 1_048_576
Row = tuple[Any, ...]


def sheet_rows(path: Path, sheet: str, n_columns: int) -> list[Row]:
    """Return the rows of a sheet that hold anything in its first columns, each with `n_columns` cells.

    Raise `DataError` where the file is missing, no workbook, damaged, larger than any list of areas, or lacks the
    sheet.
    """
    try:
        with path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that are of no account here
            _require_small(path, stream)
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            if sheet not in book.sheetnames:
                raise DataError(f"{path.name}: the workbook has no sheet '{sheet}', so it is not a neighbour list.")
            return list(_filled(path, book[sheet], n_columns))
    except FileNotFoundError:
        raise DataError(
            f"{path.name}: there is no such file in {path.parent.name}/. Put it there and try again."
        ) from None
    except (DataError, MemoryError):
        raise
    except Exception as problem:  # a damaged archive can fail in any of its readers
        if isinstance(problem, OSError) and problem.errno is not None:
            raise
        raise DataError(f"{path.name}: the file is not an Excel workbook, or is damaged. Download it again.") from None


def _require_small(path: Path, stream: Any) -> None:
    """Raise `DataError` where a part of a workbook would unpack to more than is read."""
    parts = zipfile.ZipFile(stream).infolist()
    stream.seek(0)
    if len(parts) > MOST_PARTS or any(part.file_size > MOST_BYTES for part in parts):
        raise DataError(
            f"{path.name}: a part of the workbook holds more than {MOST_BYTES // 1_000_000} MB once unpacked, or it "
            f"has more than {MOST_PARTS:,} parts. {_REMEDY}"
        )


def _filled(path: Path, sheet: Any, n_columns: int) -> Iterator[Row]:
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
