"""A table as it was published: its columns, its first rows and all its cells as text, whatever form the file has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from evalkit.core.errors import DataError
from evalkit.core.words import did_you_mean, listed
from evalkit.data.files.csv_blocks import csv_blocks
from evalkit.data.files.csv_start import CsvStart, csv_start, unique_names
from evalkit.data.files.json_table import json_content, json_table
from evalkit.data.files.layout import spelled
from evalkit.data.files.members import Member
from evalkit.data.files.signature import TableForm, form_of
from evalkit.data.files.workbook import sheet_names, sheet_rows
from evalkit.data.own_tables.csv_records import MOST_ROWS, too_many_rows

N_PEEKED: Final = 200
"""Rows that a layout may be told by."""
_ROWS_OF_PARQUET: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Peek:
    """The beginning of a file: enough to tell what it is.

    `columns` are the cells of its first row as they stand (of a workbook, those of the sheet named `sheet`; of
    GeoJSON, the properties of its features; one that is blank or repeated gets a name of its own); `rows` the next ones
    as text, at most `N_PEEKED`, a cell blank where its row ends early.
    """

    name: str
    form: TableForm
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    encoding: str = ""
    sheets: tuple[str, ...] = ()
    sheet: str = ""

    def cells(self, column: str) -> tuple[str, ...]:
        """Return the first cells of a column, by its name in any case of letters; empty where there is none."""
        published = spelled(column, self.columns, self.name)
        if published is None:
            return ()
        place = self.columns.index(published)
        return tuple(row[place] for row in self.rows if place < len(row))


class RawTable:
    """A file as a table of text. Nothing is read until it is asked for; a cell is missing where its row ends early.

    Of a workbook it is the sheet named, else the first.
    """

    def __init__(self, member: Member, sheet: str = "") -> None:
        self.member = member
        self.sheet = sheet

    @property
    def name(self) -> str:
        """Return the file's name, with that of its archive."""
        return self.member.name

    @cached_property
    def form(self) -> TableForm:
        """Return the form of the file, by its content; raise `DataError` where it is not what its name says."""
        if self.member.problem:
            raise DataError(f"{self.name}: {self.member.problem}.")
        return form_of(self.member)

    @cached_property
    def peek(self) -> Peek:
        """Return the beginning of the file; raise `DataError` where it cannot be read."""
        if self.form == "csv":
            start = self._start
            return Peek(name=self.name, form="csv", columns=start.columns, rows=start.rows, encoding=start.encoding)
        if self.form == "workbook":
            sheet = self.sheet or self._sheets[0]
            rows = sheet_rows(self.member, sheet, N_PEEKED + 1) or [()]
            return Peek(
                name=self.name, form="workbook", columns=unique_names(rows[0]), rows=tuple(rows[1:]),
                sheets=self._sheets, sheet=sheet,
            )  # fmt: skip
        if self.form == "other":
            return Peek(name=self.name, form="other", columns=(), rows=())
        first = next(self._text_blocks(None), pa.table({})).slice(0, N_PEEKED)
        cells = zip(*(column.fill_null("").to_pylist() for column in first.columns), strict=True)
        return Peek(name=self.name, form=self.form, columns=tuple(first.column_names), rows=tuple(cells))

    def sheets(self) -> tuple[RawTable, ...]:
        """Return the file as one table for each of its sheets; the file itself where it is no workbook."""
        if self.form != "workbook" or self.sheet:
            return (self,)
        found = tuple(RawTable(self.member, sheet) for sheet in self._sheets)
        for one in found:
            one.__dict__.update(form=self.form, _sheets=self._sheets)  # known, and not to be read again for each
        return found

    def read(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return all rows, of the columns named (in any case of letters) or of all, each cell as published.

        Raise `DataError` where the file lacks a column, is damaged or cut short, or has more rows than are held.
        """
        found, n = [], 0
        for block in self.blocks(columns):
            n += block.num_rows
            if n > MOST_ROWS:
                raise too_many_rows(self.name)
            found.append(block)
        names = self.peek.columns if columns is None else columns
        if not found:
            return pd.DataFrame({name: pd.Series([], dtype="str") for name in names})
        return as_frame(pa.concat_tables(found))

    def blocks(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Yield all rows in blocks of text columns, under the names asked for; for tables of any length."""
        if columns is None:
            yield from self._text_blocks(None)
            return
        names = self.published(columns)
        for block in self._text_blocks(list(dict.fromkeys(names))):
            yield pa.table([block.column(name) for name in names], names=list(columns))

    def published(self, columns: Sequence[str]) -> list[str]:
        """Return columns as the file spells them; raise `DataError` where it lacks one."""
        by_name = {name: spelled(name, self.peek.columns, self.name) for name in columns}
        missing = [name for name, published in by_name.items() if published is None]
        if missing:
            raise DataError(
                f"{self.name}: the file has no column {listed(missing)}.{did_you_mean(missing[0], self.peek.columns)} "
                f"It has {len(self.peek.columns)} columns, starting {listed(self.peek.columns, 5)}."
            )
        return [str(by_name[name]) for name in columns]

    def counts(self, columns: Sequence[str]) -> pd.DataFrame:
        """Return each combination of cells of some columns once, with a column `n` of its rows.

        For what a file gives: of 30 million rows with some hundred combinations no more than these are held.
        """
        whole = pa.table({**{name: pa.array([], pa.string()) for name in columns}, "n": pa.array([], pa.int64())})
        for block in self.blocks(columns):
            ones = block.append_column("n", pa.array(np.ones(block.num_rows, dtype=np.int64)))
            whole = pa.concat_tables([whole, ones]).group_by(list(columns)).aggregate([("n", "sum")])
            whole = whole.rename_columns([*columns, "n"])
        return as_frame(whole)

    def n_rows(self) -> int:
        """Return how many records the file has, its header left out."""
        if self.form == "other":
            return 0
        first = self.peek.columns[:1]
        return sum(block.num_rows for block in self._text_blocks(first or None))

    @cached_property
    def json(self) -> Any:
        """Return what a file of JSON holds, but for the coordinates of outlines."""
        return json_content(self.member)

    @cached_property
    def _start(self) -> CsvStart:
        return csv_start(self.member, N_PEEKED)

    @cached_property
    def _sheets(self) -> tuple[str, ...]:
        return sheet_names(self.member) or ("",)

    def _text_blocks(self, columns: Sequence[str] | None) -> Iterator[pa.Table]:
        """Yield the rows of columns as the file spells them, or of all."""
        if self.form == "csv":
            yield from csv_blocks(self.member, self._start, columns)
        elif self.form == "parquet":
            yield from _parquet_blocks(self.member, columns)
        elif self.form == "geojson":
            table = json_table(self.name, self.json)
            yield table if columns is None else table.select(list(columns))
        elif self.form == "workbook":
            yield _sheet_table(self.member, self.peek.sheet, columns)


def as_frame(table: pa.Table) -> pd.DataFrame:
    """Return text columns as a frame of texts, a null as a missing cell."""
    frame: pd.DataFrame = table.to_pandas(types_mapper={pa.string(): pd.StringDtype(na_value=np.nan)}.get)
    return frame


def _sheet_table(member: Member, sheet: str, columns: Sequence[str] | None) -> pa.Table:
    rows = sheet_rows(member, sheet)
    if not rows:
        return pa.table({})
    names = unique_names(rows[0])
    wanted = names if columns is None else columns
    cells = {name: [row[names.index(name)] for row in rows[1:]] for name in wanted}
    return pa.table({name: pa.array(column, pa.string()) for name, column in cells.items()})


def _parquet_blocks(member: Member, columns: Sequence[str] | None) -> Iterator[pa.Table]:
    from pyarrow import parquet

    try:
        with member.open() as stream:
            source = pa.BufferReader(stream.read()) if member.inner else pa.PythonFile(stream, mode="r")
            file = parquet.ParquetFile(source)
            names = file.schema_arrow.names if columns is None else list(columns)
            if file.metadata.num_rows == 0:
                yield pa.table({name: pa.array([], pa.string()) for name in names})
            for batch in file.iter_batches(_ROWS_OF_PARQUET, columns=names):
                texts = pa.table([_as_text(column) for column in batch.columns], names=batch.schema.names)
                texts.validate(full=True)  # Parquet may hold as text what is none
                yield texts
    except (pa.ArrowException, OSError, ValueError) as problem:
        raise DataError(
            f"{member.name}: this is not a whole Parquet file: it is damaged, cut short, or of another kind "
            f"({str(problem).splitlines()[0][:80]}). Download it again."
        ) from None


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.string())
    try:
        return column.cast(pa.string())
    except pa.ArrowException:  # lists and the like
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
