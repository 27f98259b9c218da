"""Published text as typed Parquet columns, and back again to the letter: numbers beside what was published."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute as pc

from evalkit.data.published.codes import MEANINGS

Kind = Literal["blank", "whole", "number", "text"]
_KINDS: Final[tuple[Kind, ...]] = ("blank", "whole", "number", "text")
"""What a column holds, each wider than the one before: codes and blanks alone, whole numbers, numbers, any text."""
TEXT: Final = ":text"
"""Ends the name of the column that holds what was published where the number beside it does not say it."""
_DIGITS: Final = r"^-?(0|[1-9][0-9]{0,14}|[1-9][0-9]{0,2}(,[0-9]{3}){1,4})"
_NUMBER: Final = rf"{_DIGITS}(\.[0-9]{{1,15}})?%?$"
_WHOLE: Final = rf"{_DIGITS}%?$"
CODES: Final = tuple(dict.fromkeys(["", " ", "-", *MEANINGS, *(code.lower() for code in MEANINGS)]))
"""Cells that may stand in a column of numbers without being one."""
_ROWS_IN_GROUP: Final = 250_000
_NOTHING: Final = pa.scalar(None, pa.string())
Blocks = Callable[[], Iterator[pa.Table]]


def write_typed(blocks: Blocks, columns: Sequence[str], path: Path) -> int:
    """Write blocks of text as a Parquet file with typed columns and return the number of rows.

    A column is one of numbers where each of its cells is a number, a known code or blank. The kinds of columns are
    taken from the first block; where a later one has another kind of cell, the file is begun again.
    """
    kinds: dict[str, Kind] = {}
    while True:
        n_rows, needed, is_whole = _written(blocks(), columns, path, kinds)
        if is_whole:
            return n_rows
        kinds = needed


def _written(
    blocks: Iterator[pa.Table], columns: Sequence[str], path: Path, given: dict[str, Kind]
) -> tuple[int, dict[str, Kind], bool]:
    """Write as long as the kinds of columns hold; return the rows seen, the kinds that they need, and if they held."""
    from pyarrow import parquet

    n_rows, kinds, needed, writer = 0, given, given, None
    try:
        for block in blocks:
            cells = _Distinct.of(block, [name for name in columns if needed.get(name) != "text"])
            found = {name: _wider(needed.get(name, "blank"), cells.kind(name, columns)) for name in cells.columns}
            needed = {name: found.get(name, "text") for name in columns}
            kinds = kinds or needed
            n_rows += block.num_rows
            if needed == kinds:
                table = _typed(block, columns, cells, kinds)
                writer = writer or parquet.ParquetWriter(path, table.schema, compression="zstd")
                writer.write_table(table, row_group_size=_ROWS_IN_GROUP)
        if writer is None:
            empty = pa.table({name: pa.array([], pa.string()) for name in columns})
            writer = parquet.ParquetWriter(path, empty.schema)
    finally:
        if writer is not None:
            writer.close()
    return n_rows, needed, needed == kinds


def _wider(one: Kind, other: Kind) -> Kind:
    return max(one, other, key=_KINDS.index)


@dataclass(frozen=True, slots=True)
class _Distinct:
    """The distinct cells of all columns of a block, one after another, and what each of them is.

    They are looked at together: a table of 300 columns has few rows, and each look costs more than the cells.
    """

    columns: dict[str, pa.DictionaryArray]
    places: dict[str, slice]
    cells: pa.Array
    is_number: NDArray[np.bool_]
    is_whole: NDArray[np.bool_]
    is_code: NDArray[np.bool_]

    @classmethod
    def of(cls, block: pa.Table, names: Sequence[str]) -> _Distinct:
        """Return the distinct cells of some columns of a block."""
        columns = {name: block.column(name).combine_chunks().dictionary_encode() for name in names}
        ends = np.cumsum([0, *(len(column.dictionary) for column in columns.values())]).tolist()
        cells = pa.concat_arrays([pa.array([], pa.string()), *(column.dictionary for column in columns.values())])
        is_number, is_whole, is_code = (
            np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)
            for found in (
                pc.match_substring_regex(cells, _NUMBER),
                pc.match_substring_regex(cells, _WHOLE),
                pc.is_in(cells, value_set=pa.array(CODES)),
            )
        )
        places = {name: slice(ends[at], ends[at + 1]) for at, name in enumerate(columns)}
        return cls(columns, places, cells, is_number, is_whole, is_code)

    def kind(self, name: str, columns: Sequence[str]) -> Kind:
        """Return what a column holds; one beside which no column for its text can stand is kept as text."""
        place = self.places[name]
        is_number = self.is_number[place]
        if f"{name}{TEXT}" in columns or not (is_number | self.is_code[place]).all():
            return "text"
        if not is_number.any():
            return "blank"
        return "whole" if (self.is_whole[place] == is_number).all() else "number"

    def numbers(self, kinds: dict[str, Kind]) -> dict[str, tuple[pa.Array, ...]]:
        """Return each column of numbers, with what was published where the number does not say it."""
        plain = pc.replace_substring(pc.utf8_rtrim(self.cells, "%"), ",", "")
        digits = pc.if_else(pa.array(self.is_number), plain, _NOTHING)
        values = {
            "whole": pc.if_else(pa.array(self.is_whole), digits, _NOTHING).cast(pa.int64()),
            "number": digits.cast(pa.float64()),
        }
        texts = {
            kind: pc.if_else(pc.fill_null(pc.equal(found.cast(pa.string()), self.cells), False), _NOTHING, self.cells)
            for kind, found in values.items()
        }
        return {
            name: tuple(cells[kinds[name]][self.places[name]].take(column.indices) for cells in (values, texts))
            for name, column in self.columns.items()
            if kinds[name] in values
        }


def _typed(block: pa.Table, columns: Sequence[str], cells: _Distinct, kinds: dict[str, Kind]) -> pa.Table:
    """Return a block with columns of numbers, each with what was published where they do not say it."""
    numbers, found = cells.numbers(kinds), dict[str, Any]()
    for name in columns:
        if name in numbers:
            found[name], found[f"{name}{TEXT}"] = numbers[name]
        else:
            found[name] = block.column(name)
    return pa.table(found)


def published_text(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    """Return columns of a stored table as they were published; a cell is null where its row ended before it."""
    found = {}
    for name in columns:
        column = table.column(name)
        if f"{name}{TEXT}" in table.column_names and not pa.types.is_string(column.type):
            column = pc.coalesce(table.column(f"{name}{TEXT}"), column.cast(pa.string()))
        found[name] = column
    return pa.table(found)
