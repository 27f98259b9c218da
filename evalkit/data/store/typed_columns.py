"""Published text as typed Parquet columns, and back again to the letter: numbers beside what was published."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
from pyarrow import compute as pc

from evalkit.data.published.codes import MEANINGS

Kind = Literal["blank", "whole", "number", "text"]
_KINDS: Final[tuple[Kind, ...]] = ("blank", "whole", "number", "text")
"""What a column holds, each wider than the one before: codes and blanks alone, whole numbers, numbers, any text."""
TEXT: Final = ":text"
"""Ends the name of the column that holds what was published where the number beside it does not say it."""
_NUMBER: Final = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?%?$"
_WHOLE: Final = r"^-?(0|[1-9][0-9]{0,14})%?$"
_CODES: Final = pa.array(["", " ", "-", *MEANINGS, *(code.lower() for code in MEANINGS)])
_ROWS_IN_GROUP: Final = 250_000
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
            coded = {name: block.column(name).combine_chunks().dictionary_encode() for name in columns}
            needed = {name: _wider(needed.get(name, "blank"), _kind_of(coded[name], name, columns)) for name in columns}
            kinds = kinds or needed
            n_rows += block.num_rows
            if needed == kinds:
                table = _typed(coded, kinds)
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


def _kind_of(cells: pa.DictionaryArray, name: str, columns: Sequence[str]) -> Kind:
    distinct = cells.dictionary
    if f"{name}{TEXT}" in columns:
        return "text"
    is_number = pc.match_substring_regex(distinct, _NUMBER)
    rest = distinct.filter(pc.invert(is_number))
    if len(rest) and not pc.all(pc.is_in(rest, value_set=_CODES)).as_py():
        return "text"
    numbers = distinct.filter(is_number)
    if not len(numbers):
        return "blank"
    return "whole" if pc.all(pc.match_substring_regex(numbers, _WHOLE)).as_py() else "number"


def _typed(cells: dict[str, pa.DictionaryArray], kinds: dict[str, Kind]) -> pa.Table:
    found: dict[str, Any] = {}
    for name, column in cells.items():
        if kinds[name] in ("blank", "text"):
            found[name] = column.dictionary_decode()
        else:
            values, texts = _split(column.dictionary, pa.int64() if kinds[name] == "whole" else pa.float64())
            found[name] = pc.take(values, column.indices)
            found[f"{name}{TEXT}"] = pc.take(texts, column.indices)
    return pa.table(found)


def _split(distinct: pa.Array, kind: pa.DataType) -> tuple[pa.Array, pa.Array]:
    """Return cells as numbers, and as text where the number alone would not give back what was published."""
    is_number = pc.match_substring_regex(distinct, _NUMBER)
    digits = pc.if_else(is_number, pc.utf8_rtrim(distinct, "%"), pa.scalar(None, pa.string()))
    values = digits.cast(kind)
    is_same = pc.fill_null(pc.equal(values.cast(pa.string()), distinct), False)
    return values, pc.if_else(is_same, pa.scalar(None, pa.string()), distinct)


def published_text(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    """Return columns of a stored table as they were published; a cell is null where its row ended before it."""
    found = {}
    for name in columns:
        column = table.column(name)
        if f"{name}{TEXT}" in table.column_names and not pa.types.is_string(column.type):
            column = pc.coalesce(table.column(f"{name}{TEXT}"), column.cast(pa.string()))
        found[name] = column
    return pa.table(found)
