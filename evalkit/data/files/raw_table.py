"""A table as it was published: its columns, its first rows and all its cells as text, whatever form the file has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.data.files.members import Member

TableForm = Literal["csv", "parquet", "workbook", "geojson", "other"]
N_PEEKED: Final = 200
"""Rows that a layout may be told by."""
_FORMS: Final[dict[str, TableForm]] = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".xlsx": "workbook",
    ".xls": "workbook",
    ".ods": "workbook",
    ".geojson": "geojson",
    ".json": "geojson",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Peek:
    """The beginning of a file: enough to tell what it is.

    `columns` are the cells of its first row as they stand (of a workbook, those of the sheet named `sheet`, its first;
    of GeoJSON, the properties of its first feature); `rows` the next ones as text, at most `N_PEEKED`.
    """

    name: str
    form: TableForm
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    encoding: str = ""
    sheets: tuple[str, ...] = ()

    def cells(self, column: str) -> tuple[str, ...]:
        """Return the first cells of a column, by its name in any case of letters; empty where there is none."""
        at = [name.casefold() for name in self.columns]
        if column.casefold() not in at:
            return ()
        place = at.index(column.casefold())
        return tuple(row[place] for row in self.rows if place < len(row))


class RawTable:
    """A file as a table of text. Nothing is read until it is asked for; a cell is missing where its row ends early."""

    def __init__(self, member: Member) -> None:
        self.member = member

    @property
    def name(self) -> str:
        """Return the file's name, with that of its archive."""
        return self.member.name

    @cached_property
    def peek(self) -> Peek:
        """Return the beginning of the file; raise `DataError` where it cannot be read."""
        form = _FORMS.get(self.member.suffix, "other")
        if form == "other":
            return Peek(name=self.name, form=form, columns=(), rows=())
        frame = self._frame(nrows=N_PEEKED)
        rows = tuple(tuple(str(cell) for cell in row) for row in frame.fillna("").to_numpy().tolist())
        return Peek(name=self.name, form=form, columns=tuple(frame.columns), rows=rows, encoding=self._encoding)

    def read(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return all rows, of the columns named (in any case of letters) or of all, each cell as published.

        Raise `DataError` where the file lacks a column, is damaged or cut short.
        """
        return self._frame(columns=columns)

    @cached_property
    def _encoding(self) -> str:
        with self.member.open() as stream:
            start = stream.read(1 << 20)
        if start.startswith(b"\xef\xbb\xbf"):
            return "utf-8-sig"
        try:
            start[: len(start) - 4].decode("utf-8")
        except UnicodeDecodeError:
            return "cp1252"
        return "utf-8"

    def _frame(self, columns: Sequence[str] | None = None, nrows: int | None = None) -> pd.DataFrame:
        if self.member.suffix == ".parquet":
            with self.member.open() as stream:
                whole = pd.read_parquet(stream).astype("str")
            return whole.head(nrows) if nrows else whole
        options: dict[str, Any] = {"dtype": str, "keep_default_na": False, "index_col": False, "nrows": nrows}
        if columns is not None:
            names = {name.casefold() for name in columns}
            options["usecols"] = lambda name: str(name).casefold() in names
        try:
            with self.member.open() as stream:
                frame: pd.DataFrame = pd.read_csv(stream, encoding=self._encoding, **options)
                return frame
        except (pd.errors.ParserError, pd.errors.EmptyDataError, EOFError, OSError, UnicodeError) as problem:
            raise DataError(f"{self.name}: the file cannot be read ({problem}). Download it again.") from None
