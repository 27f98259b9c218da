"""The columns of a user's own CSV or Parquet file: texts exactly as they stand, numbers strictly numbers."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute as pc

from evalkit.core.arrays import Floats
from evalkit.core.errors import DataError
from evalkit.core.words import counted, did_you_mean, listed, shown_cell
from evalkit.data.own_tables.csv_records import Watched, count_exactly, opened, require_all
from evalkit.data.own_tables.year_labels import PeriodScale, period_scale
from evalkit.data.published.codes import BLANKS, MEANINGS, Coded, read_cells, refuse_odd

T = TypeVar("T")

MISSING: Final = ("", "NA", "NaN", "nan", ".")
"""What a cell holds where an id, a category, a period or a cohort is missing."""
_SHORT_ROWS: Final = "RECTYPE"
"""A column of the published performance tables, whose rows of schools without results end early."""
_SUFFIXES: Final = "A table for this command is a .csv, .csv.gz or .parquet file."


@dataclass(frozen=True, slots=True)
class ColumnRequest:
    """The columns to be read: `texts` as they stand, `numbers`, `flags` (who took part), and `periods`, numbered."""

    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return each column once."""
        return tuple(dict.fromkeys([*self.texts, *self.measured]))

    @property
    def measured(self) -> tuple[str, ...]:
        """Return the columns that become numbers, each once."""
        return tuple(dict.fromkeys([*self.periods, *self.flags, *self.numbers]))


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The columns read: texts as in the file, numbers with NaN where they are missing, and where a row stands.

    `codes` counts the cells that hold a code in the place of a number; `scale` says how periods are numbered, and
    `notes` what else a reader must know of the file.
    """

    name: str
    texts: dict[str, pd.Series]
    numbers: dict[str, Floats]
    place: Callable[[int], str]
    codes: tuple[Coded, ...] = ()
    scale: PeriodScale = field(default_factory=PeriodScale)
    notes: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """Return the number of rows of the file."""
        return len(next(iter((self.texts | self.numbers).values())))

    def require_ids(self, name: str, part: str = "unit", rows: NDArray[np.intp] | None = None) -> None:
        """Raise `DataError` with the place of the first row, of those that count, whose id of a unit is missing."""
        is_missing = self.texts[name].isna().to_numpy()
        if rows is not None:
            is_missing = is_missing & np.isin(np.arange(len(is_missing)), rows)
        if is_missing.any():
            other_rows = "" if is_missing.sum() == 1 else f" ({is_missing.sum():,} such rows)"
            raise DataError(
                f"{self.name}: {self.place(int(np.argmax(is_missing)))}: column {name!r}: the {part} is missing. Fill "
                f"it in, or leave such rows out: a total, a region or a country is no unit{other_rows}."
            )


def read_columns(
    path: Path,
    texts: Sequence[str],
    numbers: Sequence[str],
    *,
    flags: Sequence[str] = (),
    periods: Sequence[str] = (),
) -> Columns:
    """Return the named columns of a CSV (also .csv.gz) or Parquet file.

    In `numbers` percent signs and thousands separators are read and codes such as SUPP are missing, counted; `flags`
    hold 1 and 0, or True and False; `periods` whole numbers, or years, quarters or months as labels. Raise `DataError`
    where the file is missing, empty, damaged, too large, of another kind or encoding, lacks a column or has one of them
    twice, where rows would be lost, or where a cell is none of what its column holds.
    """
    kind, request = path.name.lower(), ColumnRequest(tuple(texts), tuple(numbers), tuple(flags), tuple(periods))
    if kind.endswith((".csv", ".csv.gz")):
        return guarded(path, lambda: _read_csv(path, request))
    if kind.endswith((".parquet", ".pq")):
        from evalkit.data.own_tables.parquet import read_parquet_columns

        return guarded(path, lambda: read_parquet_columns(path, request))
    if path.is_dir():
        raise DataError(f"{path.name or path}: this is a folder, not a table. {_SUFFIXES}")
    if not path.exists():
        raise DataError(f"{path}: there is no such file. Check the name and the folder.")
    raise DataError(f"{path.name}: {_of_another_kind(path)}")


_KINDS: Final = {
    (".xlsx", ".xls", ".xlsm", ".ods"): "this is a workbook. Save its sheet as 'CSV UTF-8' and name that file.",
    (".dta",): "this is a Stata file. Write it as CSV there (export delimited) and name that file.",
    (".sav", ".zsav", ".por"): "this is an SPSS file. Save it there as CSV in UTF-8 and name that file.",
    (".rds", ".rdata", ".rda"): "this is a file of R. Write it as CSV there (write.csv) and name that file.",
    (".sas7bdat", ".xpt"): "this is a file of SAS. Write it as CSV there (proc export) and name that file.",
    (".zip", ".7z"): "this is an archive. Take the table out of it and name that file.",
    (".tsv", ".tab"): "this seems to be a table of texts with other separators. Save it as 'CSV UTF-8', with "
    "commas, and name that file.",
}


def _of_another_kind(path: Path) -> str:
    for suffixes, remedy in _KINDS.items():
        if path.name.lower().endswith(suffixes):
            return f"{remedy} {_SUFFIXES}"
    return f"what kind of file this is cannot be told from its name. {_SUFFIXES}"


def header_of(path: Path) -> list[str]:
    """Return the names of the columns of a table, none where its name says that it is none; raise as reading does."""
    kind = path.name.lower()
    if kind.endswith((".csv", ".csv.gz")):
        return guarded(path, lambda: _header(path))
    if kind.endswith((".parquet", ".pq")):
        from pyarrow import parquet

        return guarded(path, lambda: list(parquet.read_schema(path).names))
    return []


def require_header(path: Path, header: Sequence[str], names: Sequence[str]) -> None:
    """Raise `DataError` where a column is missing or stands in the file twice."""
    missing = [name for name in dict.fromkeys(names) if name not in header]
    if missing:
        hint = did_you_mean(missing[0], header)
        if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
            hint = " Its cells seem not to be separated by commas; save it with commas."
        raise DataError(
            f"{path.name}: the file has no column {listed([repr(name) for name in missing])}.{hint}\n"
            f"It has: {listed(list(header), 20)}."
        )
    twice = [name for name in dict.fromkeys(names) if list(header).count(name) > 1]
    if twice:
        raise DataError(f"{path.name}: the column {twice[0]!r} stands there twice, so it is not clear which to read.")


def numbers_of(
    name: str, column: str, values: pa.ChunkedArray, place: Callable[[int], str]
) -> tuple[Floats, tuple[Coded, ...]]:
    """Return texts as numbers, NaN where missing, and the codes among them.

    Raise `DataError` with the place of the first that is neither.
    """
    missing = pc.is_in(values, pa.array([*BLANKS, *MEANINGS], values.type))
    try:
        numbers = pc.cast(pc.if_else(missing, pa.scalar(None, values.type), values), pa.float64())
    except pa.ArrowInvalid:
        texts = pd.Series(values.to_pandas(), dtype=object)
        cells = read_cells(texts)
        refuse_odd(cells, texts, column, lambda at: f"{name}: {place(at)}")
        return cells.numbers, tuple(Coded(column, code, n) for code, n in cells.codes.items())
    coded_cells = pc.value_counts(pc.filter(values, missing)).to_pylist()
    counts = [Coded(column, code["values"], code["counts"]) for code in coded_cells if code["values"] in MEANINGS]
    return _as_floats(numbers), tuple(sorted(counts, key=lambda code: (-code.n_cells, code.code)))


def flags_of(name: str, column: str, values: pa.ChunkedArray, place: Callable[[int], str]) -> Floats:
    """Return texts that say who took part as 1 and 0, NaN where missing; True and False, as R writes them, will do."""
    texts = pd.Series(values.to_pandas(), dtype=object).fillna("").str.strip()
    plain = texts.str.lower().replace({"true": "1", "false": "0"})
    numbers = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=float, copy=True)
    is_no_flag = np.isnan(numbers) & ~plain.isin([text.lower() for text in MISSING]).to_numpy()
    if is_no_flag.any():
        at, cells = int(np.argmax(is_no_flag)), counted(int(is_no_flag.sum()), "such cell")
        raise DataError(
            f"{name}: {place(at)}: {shown_cell(texts.iloc[at])} in the column {column!r} does not say who took part. "
            f"Write 1 for units that took part and 0 for the others ({cells})."
        )
    return numbers


def periods_of(
    name: str, columns: dict[str, pa.ChunkedArray | Floats], place: Callable[[int], str]
) -> tuple[dict[str, Floats], PeriodScale]:
    """Return columns of periods as whole numbers, NaN where missing, and how they are numbered.

    Raise `DataError` with the place of the first cell that is no period, or not of the kind of the others.
    """
    if all(isinstance(values, np.ndarray) and not _could_be_codes(values) for values in columns.values()):
        return dict(columns), PeriodScale()
    labels = {column: _labels(values) for column, values in columns.items()}

    def where(column: str, label: str) -> str:
        codes, distinct = labels[column]
        at = int(np.argmax(codes == list(distinct).index(label)))
        return f"{name}: {place(at)}: {shown_cell(label)} in the column {column!r}"

    scale = period_scale({column: list(distinct) for column, (_, distinct) in labels.items()}, where)
    numbers_by_column = {}
    for column, (codes, distinct) in labels.items():
        numbers = [scale.number(label, where(column, label)) for label in distinct]
        of_label = np.array([*numbers, np.nan], dtype=float)  # code −1, for a missing one, takes the last
        numbers_by_column[column] = of_label[codes]
    return numbers_by_column, scale


def _could_be_codes(numbers: Floats) -> bool:
    """Return whether a column of numbers could hold codes of years with quarters, months or days (20191, 201819)."""
    if not len(numbers) or not np.fmax.reduce(numbers) >= 19_000:
        return False
    known = numbers[~np.isnan(numbers)]
    return bool((np.isfinite(known) & (known == np.floor(known)) & (np.abs(known) < 1e9)).all())


def _labels(values: pa.ChunkedArray | Floats) -> tuple[NDArray[np.intp], pd.Index]:
    """Return for each row the position of its label among the distinct ones, −1 where it is missing."""
    if isinstance(values, np.ndarray):
        places, numbers = pd.factorize(values)
        return places, pd.Index([f"{number:.12g}" for number in numbers], dtype=object)
    texts = pd.Series(values.to_pandas(), dtype=object).str.strip()
    codes, distinct = pd.factorize(texts.mask(texts.isin(MISSING)))
    return codes, pd.Index(distinct, dtype=object)


def _read_csv(path: Path, request: ColumnRequest) -> Columns:
    header = _header(path)
    require_header(path, header, request.names)

    def place(row: int) -> str:
        return f"line {_line(path, row)}"

    try:
        table = _arrow(path, request, pa.float64(), header)
        notes: tuple[str, ...] = ()
    except pa.ArrowInvalid as problem:
        if "Empty CSV" in str(problem):
            raise _without_rows(path) from None
        # Which cells are no numbers, and whether codes or blanks around them are all that is wrong, is found out at
        # leisure; so is whether short rows are the source's own.
        table, notes = _as_strings(path, request, header, str(problem))
    if not table.num_rows:
        raise _without_rows(path)
    # where one column was read as numbers no row can repeat the header
    if all(is_text(kind) for kind in table.schema.types):
        _refuse_second_header(path, table, place)
    texts = {name: as_texts(table.column(name)) for name in request.texts}
    return measured(Columns(path.name, texts, {}, place, notes=notes), table, request)


def _without_rows(path: Path) -> DataError:
    return DataError(f"{path.name}: the file has a header but no rows.")


def measured(columns: Columns, table: pa.Table, request: ColumnRequest) -> Columns:
    """Return columns with those of a table beside them that are to be numbers: texts, or numbers already."""
    name, place = columns.name, columns.place
    numbers: dict[str, Floats] = {}
    codes: list[Coded] = []
    arrow_columns = {column: table.column(column) for column in request.measured}
    ready = {column: _as_floats(values) for column, values in arrow_columns.items() if not is_text(values.type)}
    if request.periods:
        period_numbers, scale = periods_of(name, _periods(arrow_columns, ready, request.periods), place)
        numbers |= period_numbers
    else:
        scale = PeriodScale()
    for column in request.measured:
        if column in numbers:
            continue
        if column in ready:
            numbers[column] = ready[column]
        elif column in request.flags:
            numbers[column] = flags_of(name, column, arrow_columns[column], place)
        else:
            numbers[column], counts = numbers_of(name, column, arrow_columns[column], place)
            codes += counts
    return Columns(name, columns.texts, numbers, place, tuple(codes), scale, columns.notes)


def _periods(
    arrow_columns: dict[str, pa.ChunkedArray], ready: dict[str, Floats], names: Sequence[str]
) -> dict[str, pa.ChunkedArray | Floats]:
    """Return the columns of periods as numbers where they are numbers, else as texts."""
    by_column: dict[str, pa.ChunkedArray | Floats] = {}
    for name in names:
        by_column[name] = ready[name] if name in ready else arrow_columns[name]
        if name not in ready:
            texts = pc.utf8_trim_whitespace(arrow_columns[name])
            known = pc.if_else(pc.is_in(texts, pa.array(MISSING, texts.type)), pa.scalar(None, texts.type), texts)
            try:
                by_column[name] = _as_floats(pc.cast(known, pa.float64()))
            except pa.ArrowInvalid:
                continue
    return by_column


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column of Arrow holds texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _as_strings(
    path: Path, request: ColumnRequest, header: list[str], problem: str
) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the wanted columns as texts, rows that the source ends early filled up with blanks, and what to say."""
    if "conversion error to double" in problem:
        try:
            return _arrow(path, request, pa.string(), header), ()
        except pa.ArrowInvalid as later:
            problem = str(later)
    if not (_SHORT_ROWS in header and "Expected" in problem and "columns, got" in problem):
        raise pa.ArrowInvalid(problem)
    return _filled_up(path, request, header)


def _arrow(path: Path, request: ColumnRequest, kind: pa.DataType, header: list[str]) -> pa.Table:
    """Return the wanted columns, those that are to be numbers as `kind`; every record of the file is there."""
    from pyarrow import csv as arrow_csv

    types = dict.fromkeys(request.measured, kind) | dict.fromkeys(request.texts, pa.string())
    convert = arrow_csv.ConvertOptions(
        include_columns=list(types), column_types=types, null_values=list(BLANKS), strings_can_be_null=False
    )
    with closing(Watched(path)) as watched:
        parse = arrow_csv.ParseOptions(newlines_in_values=True)
        table = arrow_csv.read_csv(pa.PythonFile(watched, mode="r"), parse_options=parse, convert_options=convert)
    require_all(path, watched.count, table.num_rows, len(header))
    return table


def _filled_up(path: Path, request: ColumnRequest, header: list[str]) -> tuple[pa.Table, tuple[str, ...]]:
    """Return columns of a published table whose rows may end early, the cells they lack as blanks."""
    at = {name: header.index(name) for name in request.names}
    cells_of_row: dict[str, list[str]] = {name: [] for name in at}
    fewest, n_short = len(header), 0
    for line, cells in islice(csv_rows(path), 1, None):
        if len(cells) > len(header):
            raise DataError(f"{path.name}: {_uneven(line, len(cells), len(header))}")
        n_short, fewest = n_short + (len(cells) < len(header)), min(fewest, len(cells))
        for name, place in at.items():
            cells_of_row[name].append(cells[place] if place < len(cells) else "")
    n = len(cells_of_row[request.names[0]])
    if (n_there := count_exactly(path, len(header)) - 1) != n or _is_cut(path, header):
        raise DataError(f"{path.name}: the file is cut short ({n:,} whole rows of {n_there:,}). Download it again.")
    rows = counted(n_short, "row ends", "rows end")
    note = f"{rows} before the last of {len(header)} columns, the shortest after {fewest}: what it lacks is missing."
    return pa.table({name: pa.array(cells, pa.string()) for name, cells in cells_of_row.items()}), (note,)


def _is_cut(path: Path, header: list[str]) -> bool:
    """Return whether the last row of a file has neither an end nor all its cells."""
    tail, cells = b"", 0
    with opened(path) as stream:
        while block := stream.read(1 << 20):
            tail = block[-1:]
    for _, row in csv_rows(path):
        cells = len(row)
    return tail not in (b"\n", b"\r") and cells < len(header)


def _refuse_second_header(path: Path, table: pa.Table, place: Callable[[int], str]) -> None:
    """Raise `DataError` where a row repeats the names of the columns: a second table begins there."""
    same = None
    for name in table.column_names:
        here = pc.equal(table.column(name), name)
        same = here if same is None else pc.and_(same, here)
    if same is not None and pc.any(same).as_py():
        at = pc.index(same, True).as_py()
        raise DataError(
            f"{path.name}: {place(at)}: the header stands there a second time, so that a second table seems to begin. "
            "Keep each table in a file of its own, or delete the line."
        )


def _as_floats(values: pa.ChunkedArray) -> Floats:
    numbers: Floats = values.to_numpy().astype(float, copy=False)
    return numbers


def as_texts(values: pa.ChunkedArray) -> pd.Series:
    """Return a column of texts, missing where one is blank or says so (an id 'NA' would join all that lack one)."""
    plain = pc.utf8_trim_whitespace(values)
    texts = pc.if_else(pc.is_in(plain, pa.array(MISSING, values.type)), pa.scalar(None, values.type), values)
    return pd.Series(pd.array(texts, dtype="str"))


def csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each row of cells with the number of the line it starts on; empty lines are passed over."""
    with opened(path) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
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
    except csv.Error as problem:
        raise DataError(f"{path.name}: {_said(path, str(problem))}") from None
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
        count_exactly(path, n)  # a quotation mark that swallows rows is likelier the cause than the row it spoils
        uneven = next(((line, len(cells)) for line, cells in rows if len(cells) != n), None)
    except (csv.Error, UnicodeError, StopIteration):
        uneven = None
    if uneven is None:
        return f"the file cannot be read as CSV ({problem.splitlines()[0][:120]}). Save the table as CSV again."
    return _uneven(*uneven, n)


def _uneven(line: int, n_cells: int, n_columns: int) -> str:
    return (
        f"line {line} has {counted(n_cells, 'cell')} where the header has {n_columns}. The file may be cut short "
        "there, a second table may begin, or a text may hold a comma without quotation marks. Correct the line, or "
        "make or fetch the file again."
    )
