"""The columns of a user's own CSV or Parquet file: texts exactly as they stand, numbers strictly numbers."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, TypeVar, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute as pc

from evalkit.core.errors import DataError
from evalkit.core.words import counted, did_you_mean, listed

Floats = NDArray[np.float64]
T = TypeVar("T")

MISSING: Final = ("", "NA", "NaN", "nan", ".")
"""What a cell holds where a number is missing."""
_SUFFIXES: Final = "A table for this command is a .csv, .csv.gz or .parquet file."


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The columns read: texts as in the file, numbers with NaN where they are missing, and where a row stands."""

    name: str
    texts: dict[str, pd.Series]
    numbers: dict[str, Floats]
    place: Callable[[int], str]

    @property
    def n_rows(self) -> int:
        """Return the number of rows of the file."""
        return len(next(iter((self.texts | self.numbers).values())))


def read_columns(path: Path, texts: Sequence[str], numbers: Sequence[str]) -> Columns:
    """Return the named columns of a CSV (also .csv.gz) or Parquet file.

    Raise `DataError` where the file is missing, empty, damaged, of another kind or encoding, lacks a column, has one
    of them twice, or has a text that is no number in a column of `numbers`.
    """
    kind = path.name.lower()
    if kind.endswith((".csv", ".csv.gz")):
        return guarded(path, lambda: _read_csv(path, texts, numbers))
    if kind.endswith((".parquet", ".pq")):
        from evalkit.data.long_parquet import read_parquet_columns

        return guarded(path, lambda: read_parquet_columns(path, texts, numbers))
    if path.is_dir():
        raise DataError(f"{path.name or path}: this is a folder, not a table. {_SUFFIXES}")
    raise DataError(f"{path.name}: what kind of file this is cannot be told from its name. {_SUFFIXES}")


def require_header(path: Path, header: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise `DataError` where a column is missing or stands in the file twice."""
    missing = [name for name in dict.fromkeys(wanted) if name not in header]
    if missing:
        hint = did_you_mean(missing[0], header)
        if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
            hint = " Its cells seem not to be separated by commas; save it with commas."
        raise DataError(
            f"{path.name}: the file has no column {listed([repr(name) for name in missing])}.{hint}\n"
            f"It has: {listed(list(header), 20)}."
        )
    twice = [name for name in dict.fromkeys(wanted) if list(header).count(name) > 1]
    if twice:
        raise DataError(f"{path.name}: the column {twice[0]!r} stands there twice, so it is not clear which to read.")


def numbers_of(name: str, column: str, values: pa.ChunkedArray, place: Callable[[int], str]) -> NDArray[np.float64]:
    """Return texts as numbers, NaN where missing; raise `DataError` with the place of the first that is no number."""
    texts = pd.Series(values.to_pandas(), dtype=object).str.strip()
    known = ~(texts.isna() | texts.isin(MISSING)).to_numpy()
    bad = known & pd.to_numeric(texts, errors="coerce").isna().to_numpy()
    if bad.any():
        at, cells = int(np.argmax(bad)), counted(int(bad.sum()), "such cell")
        raise DataError(
            f"{name}: {place(at)}: {_shown(texts.iloc[at])} in the column {column!r} is not a number.\n"
            f"Correct it, or leave the cell empty if the value is missing ({cells} in this column)."
        )
    numbers = np.full(len(texts), np.nan)
    numbers[known] = texts[known].astype(float)  # as Python reads them, to the last digit
    return numbers


def _shown(text: object) -> str:
    shown = str(text)
    return repr(shown if len(shown) <= 40 else shown[:37] + "...")


def _read_csv(path: Path, texts: Sequence[str], numbers: Sequence[str]) -> Columns:
    header = _header(path)
    require_header(path, header, [*texts, *numbers])
    if next(islice(csv_rows(path), 1, None), None) is None:
        raise DataError(f"{path.name}: the file has a header but no rows.")
    source = pa.BufferReader(gzip.decompress(path.read_bytes())) if _is_gzip(path) else pa.memory_map(str(path))

    def place(row: int) -> str:
        return f"line {_line(path, row)}"

    try:
        table = _arrow(source, texts, dict.fromkeys(numbers, pa.float64()))
        found = {name: _as_floats(table.column(name)) for name in numbers}
    except pa.ArrowInvalid as problem:
        if "CSV conversion error to double" not in str(problem):
            raise
        # Which cell it is, and whether blanks around it are all that is wrong, is found out at leisure.
        source.seek(0)
        table = _arrow(source, texts, dict.fromkeys(numbers, pa.string()))
        found = {name: numbers_of(path.name, name, table.column(name), place) for name in numbers}
    return Columns(path.name, {name: as_texts(table.column(name)) for name in texts}, found, place)


def _arrow(source: Any, texts: Sequence[str], numbers: dict[str, pa.DataType]) -> pa.Table:
    from pyarrow import csv as arrow_csv

    types = numbers | dict.fromkeys(texts, pa.string())
    return arrow_csv.read_csv(
        source,
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=list(types), column_types=types, null_values=list(MISSING), strings_can_be_null=False
        ),
    )


def _as_floats(values: pa.ChunkedArray) -> Floats:
    numbers: Floats = values.to_numpy().astype(float, copy=False)
    return numbers


def as_texts(values: pa.ChunkedArray) -> pd.Series:
    """Return a column of texts, missing where a text says so (an id 'NA' would put all that lack one together)."""
    said = pc.if_else(pc.is_in(values, pa.array(MISSING, values.type)), pa.scalar(None, values.type), values)
    return pd.Series(pd.array(said, dtype="str"))


def _is_gzip(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def _opened(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if _is_gzip(path) else path.open("rb")


def csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each row of cells with the number of the line it starts on; empty lines are passed over."""
    with _opened(path) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        reader, line = csv.reader(text), 1
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1


def _header(path: Path) -> list[str]:
    try:
        first = next(csv_rows(path), None)
    except csv.Error as problem:
        raise DataError(f"{path.name}: the header cannot be read ({problem}). Save the table as CSV again.") from None
    if first is None:
        raise DataError(f"{path.name}: the file is empty.")
    return first[1]


def _line(path: Path, row: int) -> int:
    """Return the line of a row, counted from 0 after the header."""
    return next((line for at, (line, _) in enumerate(csv_rows(path)) if at == row + 1), row + 2)


def guarded(path: Path, action: Callable[[], T]) -> T:
    """Run a reading action; turn what can go wrong with a file into one sentence."""
    try:
        return action()
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file. Check the name and the folder.") from None
    except IsADirectoryError:
        raise DataError(f"{path.name or path}: this is a folder, not a table. {_SUFFIXES}") from None
    except UnicodeError:
        raise DataError(f"{path.name}: {_ENCODING}") from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise DataError(f"{path.name}: the compressed file is damaged or cut short. Make or fetch it again.") from None
    except OSError as problem:
        if problem.errno is not None:
            raise
        raise DataError(f"{path.name}: {_said(path, str(problem))}") from None
    except pa.ArrowException as problem:
        raise DataError(f"{path.name}: {_said(path, str(problem))}") from None


_ENCODING: Final = (
    "the file is not in UTF-8, so that names could be misread. Save it as UTF-8 "
    "(in a spreadsheet program: 'CSV UTF-8')."
)


def _said(path: Path, problem: str) -> str:
    """Return in a sentence what stopped the reading of a file."""
    if "UTF8" in problem:
        return _ENCODING
    if path.name.lower().endswith((".parquet", ".pq")):
        return "this is not a whole Parquet file: it is damaged, cut short, or of another kind."
    try:
        rows = csv_rows(path)
        n = len(next(rows)[1])
        uneven = next(((line, len(cells)) for line, cells in rows if len(cells) != n), None)
    except (csv.Error, UnicodeError, StopIteration):
        uneven = None
    if uneven is None:
        return f"the file cannot be read as CSV ({problem.splitlines()[0][:120]}). Save the table as CSV again."
    return (
        f"line {uneven[0]} has {counted(uneven[1], 'cell')} where the header has {n}. The file may be cut short there, "
        "or a text may hold a comma without quotation marks. Correct the line, or make or fetch the file again."
    )
