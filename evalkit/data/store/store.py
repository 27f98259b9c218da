"""A store opened for reading: its entries, each stored table as published text, and questions in SQL."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pyarrow as pa

from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.core.words import did_you_mean
from evalkit.data.files.members import STORE_MARK, Member
from evalkit.data.files.raw_table import N_PEEKED, Peek, RawTable
from evalkit.data.store.manifest import StoreEntry, read_manifest
from evalkit.data.store.typed_columns import TEXT, published_text

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

MEMORY: Final = "1GB"
"""What DuckDB may hold; what does not fit goes to the disk."""
SPILL: Final = ".spill-"
"""Begins the name of a folder in a store for what does not fit; what a killed process left goes at the next import."""
_ROWS_AT_A_TIME: Final = 65_536


def is_store(folder: Path) -> bool:
    """Return whether a folder is a store of imported files."""
    return (folder / STORE_MARK).is_file()


def open_store(folder: Path | str) -> Store:
    """Return a store for reading; raise `DataError` where there is none, or it is damaged.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from evalkit import import_folder, open_store
    >>> with TemporaryDirectory() as place:
    ...     raw, store = Path(place, "raw"), Path(place, "store")
    ...     raw.mkdir()
    ...     header = "time_period,time_identifier,geographic_level,country_name,pupils\\n"
    ...     _ = (raw / "pupils.csv").write_text(header + "202324,Academic year,National,England,z\\n")
    ...     made = import_folder(raw, store)
    ...     open_store(store).read("pupils.csv", ["time_period", "pupils"]).to_dict("records")
    [{'time_period': '202324', 'pupils': 'z'}]
    """
    place = Path(folder)
    source, entries, _ = read_manifest(place)
    return Store(place, source, entries)


@dataclass(frozen=True, repr=False)
class Store(Shown):
    """A store as it was when it was opened; `source` is the folder that was imported."""

    folder: Path
    source: Path
    entries: tuple[StoreEntry, ...]

    def of(self, layout: str) -> tuple[StoreEntry, ...]:
        """Return the files used that are of a layout, by its name."""
        return tuple(entry for entry in self.entries if entry.is_used and entry.layout == layout)

    @cached_property
    def sha256(self) -> str:
        """Return a digest of every file's name and SHA-256, and of which are used."""
        lines = (f"{one.name}\0{one.sha256}\0{one.reason}\n" for one in self.entries)
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()

    def entry(self, name: str) -> StoreEntry:
        """Return one entry by its name; raise `DataError` where there is none."""
        found = next((entry for entry in self.entries if entry.name == name), None)
        if found is None:
            hint = did_you_mean(name, [entry.name for entry in self.entries])
            raise DataError(f"{self.folder}: the store has no file '{name}'.{hint} Import the folder it lies in.")
        return found

    def table(self, name: str) -> RawTable:
        """Return a stored file as a table of published text, whose name and beginning are those of the raw file."""
        entry = self.entry(name)
        if not entry.copy:
            raise DataError(f"{name}: the store keeps no copy of it, as it is not used: {entry.reason or entry.fault}.")
        return stored_table(self.folder, self.source, entry)

    def read(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a stored file as published text, of the columns named or of all."""
        return self.table(name).read(columns)

    def query(self, sql: str, memory: str = MEMORY) -> pd.DataFrame:
        """Return the answer of DuckDB to a question in SQL; it holds no more than `memory`.

        A table is an entry's name in double quotes, or a layout's in double quotes for all its files used, with a
        column `file`. A column `X` holds numbers where its cells are numbers, codes and blanks; `X:text` beside it what
        was published where the number does not say it.
        """
        with self.asked(memory) as asked:
            for view, select in self._views(sql):
                asked.execute(f"CREATE VIEW {quoted(view)} AS {select}")
            return asked.execute(sql).df()

    @contextmanager
    def asked(self, memory: str = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open DuckDB for the block; what it cannot answer is a `DataError`."""
        import duckdb

        # of its own: two processes that put blocks into one folder would read each other's
        spill = self.folder / f"{SPILL}{os.getpid()}-{uuid4().hex[:8]}"
        try:
            with duckdb.connect(config={"memory_limit": memory, "temp_directory": str(spill)}) as asked:
                yield asked
        except duckdb.OutOfMemoryException:
            raise DataError(
                f"The store cannot answer within {memory}. Allow more (memory='4GB'), or ask for less at once, such as "
                "a year; of pupils `evalkit.school_years` makes school-years a year at a time."
            ) from None
        except duckdb.Error as problem:
            raise DataError(f"The store cannot answer: {str(problem).splitlines()[0]}") from None
        finally:
            shutil.rmtree(spill, ignore_errors=True)

    def _views(self, sql: str) -> Iterator[tuple[str, str]]:
        """Yield the tables that a question names."""
        for entry in self.entries:
            if entry.copy and quoted(entry.name) in sql and entry.form != "geojson":
                yield entry.name, f"SELECT * FROM {self.parquet(entry)}"
        for layout in dict.fromkeys(entry.layout for entry in self.entries if entry.layout):
            used = [entry for entry in self.of(layout) if entry.copy and entry.form != "geojson"]
            if used and quoted(layout) in sql:
                parts = (f"SELECT {sql_text(entry.name)} AS file, * FROM {self.parquet(entry)}" for entry in used)
                yield layout, " UNION ALL BY NAME ".join(parts)

    def parquet(self, entry: StoreEntry) -> str:
        """Return the copy of a file as a table in SQL."""
        return f"read_parquet({sql_text(str(self.folder / entry.copy))})"


def quoted(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def sql_text(text: str) -> str:
    """Return a text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def stored_table(folder: Path, source: Path, entry: StoreEntry) -> RawTable:
    """Return the copy in a store as a table of published text; outlines are kept as they were published.

    Its `member` is the raw file, for readers that need more of it than its cells.
    """
    place = folder / entry.copy
    if entry.form == "geojson":
        return RawTable(Member(entry.name, place))
    raw = Member(entry.name, source / entry.on_disk, entry.inner, entry.nested)
    return _StoredTable(place, raw, entry.columns, entry.form, entry.encoding, entry.sheet)


def stored_copy(place: Path, table: RawTable) -> RawTable:
    """Return the copy of a table as a table of the same text."""
    raw = table.peek
    if raw.form == "geojson":
        outlines = RawTable(Member(raw.name, place))
        outlines.__dict__["json"] = table.json  # it is known, and need not be parsed again
        return outlines
    copy = _StoredTable(place, table.member, raw.columns, raw.form, raw.encoding, raw.sheet)
    copy.__dict__["peek"] = raw  # it is known, and need not be read again
    return copy


class _StoredTable(RawTable):
    """A stored copy that passes for the raw file: its name, form and beginning are those of the file imported."""

    def __init__(
        self, place: Path, raw: Member, columns: tuple[str, ...], form: str, encoding: str, sheet: str
    ) -> None:
        super().__init__(raw, sheet)
        self._place, self._columns, self._form, self._encoding = place, columns, form, encoding

    @cached_property
    def form(self) -> Any:
        """Return the form of the raw file."""
        return self._form

    @cached_property
    def peek(self) -> Peek:
        """Return the beginning of the raw file."""
        first = next(self._stored_blocks(self._columns, N_PEEKED), pa.table({}))
        cells = zip(*(column.fill_null("").to_pylist() for column in first.columns), strict=True)
        return Peek(
            name=self.name, form=self.form, columns=self._columns, rows=tuple(cells), encoding=self._encoding,
            sheets=(self.sheet,) if self.sheet else (), sheet=self.sheet,
        )  # fmt: skip

    def sheets(self) -> tuple[RawTable, ...]:
        """Return the table itself: of a workbook one sheet is stored."""
        return (self,)

    def _text_blocks(self, columns: Sequence[str] | None) -> Iterator[pa.Table]:
        return self._stored_blocks(self._columns if columns is None else columns, _ROWS_AT_A_TIME)

    def _stored_blocks(self, columns: Sequence[str], n_rows: int) -> Iterator[pa.Table]:
        from pyarrow import parquet

        names = list(columns)
        try:
            with parquet.ParquetFile(self._place) as file:
                stored = set(file.schema_arrow.names)
                wanted = [name for one in names for name in (one, f"{one}{TEXT}") if name in stored]
                for batch in file.iter_batches(n_rows, columns=wanted):
                    yield published_text(pa.Table.from_batches([batch]), names)
        except (OSError, pa.ArrowException):
            raise DataError(
                f"{self.name}: its copy in the store ({self._place}) is missing or damaged. Delete the store's "
                "folder and import the files again."
            ) from None
