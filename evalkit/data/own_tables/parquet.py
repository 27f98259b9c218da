"""The columns of a Parquet file, integers of an id as their digits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import types

from evalkit.core.errors import DataError
from evalkit.data.own_tables.columns import ColumnRequest, Columns, as_texts, is_text, measured, require_header
from evalkit.data.own_tables.csv_records import MOST_ROWS, too_many_rows

_LARGEST_WHOLE: Final = 2**53
"""From here on neighbouring whole numbers are one floating-point number."""


def read_parquet_columns(path: Path, request: ColumnRequest) -> Columns:
    """Return the named columns of a Parquet file; raise `DataError` where one is of a kind that cannot serve."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        require_header(path, file.schema_arrow.names, request.names)
        notes = tuple(_of_categories(file.schema_arrow, request.numbers))
        if file.metadata.num_rows > MOST_ROWS:
            raise too_many_rows(path.name)
        table = file.read(columns=list(request.names))
    if not table.num_rows:
        raise DataError(f"{path.name}: the file has columns but no rows.")

    def place(row: int) -> str:
        return f"row {row + 1:,}"

    texts = {name: _texts(path.name, name, _plain(table.column(name)), place) for name in request.texts}
    number_columns = {name: _numbers(path.name, name, _plain(table.column(name)), request) for name in request.measured}
    return measured(Columns(path.name, texts, {}, place, notes=notes), pa.table(number_columns), request)


def _of_categories(schema: pa.Schema, names: Sequence[str]) -> Iterator[str]:
    """Yield what to say of columns that the file marks as categories and that are taken as numbers."""
    kept = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("columns", [])
    marked = {column.get("name") for column in kept if column.get("pandas_type") == "categorical"}
    for name in dict.fromkeys(names):
        kind = schema.field(name).type
        if (types.is_dictionary(kind) or name in marked) and not is_text(getattr(kind, "value_type", kind)):
            yield (
                f"The file marks '{name}' as a category; its values are numbers and are taken as numbers. In match and "
                f"similar, --categories {name} compares it by category."
            )


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without categories, its values in their place."""
    return values.cast(values.type.value_type) if types.is_dictionary(values.type) else values


def _texts(name: str, column: str, values: pa.ChunkedArray, place: Callable[[int], str]) -> pd.Series:
    kind = values.type
    if is_text(kind) or types.is_integer(kind) or types.is_null(kind):
        return as_texts(values.cast(pa.string()))
    if types.is_floating(kind):
        numbers = values.to_numpy().astype(float)
        is_odd = ~np.isnan(numbers) & (numbers != np.floor(numbers))
        if is_odd.any():
            at = int(np.argmax(is_odd))
            raise DataError(f"{name}: {place(at)}: {numbers[at]:g} in the column {column!r} is not an id. Use a text.")
        large = np.abs(np.nan_to_num(numbers)) > 2.0 ** (np.finfo(kind.to_pandas_dtype()).nmant + 1)
        if large.any():
            at = int(np.argmax(large))
            raise DataError(
                f"{name}: {place(at)}: {numbers[at]:.0f} in the column {column!r} is an id stored as {kind}, which "
                "cannot tell such numbers from their neighbours. Write ids as texts, from the source."
            )
        whole = pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values).cast(pa.int64())
        return as_texts(whole.cast(pa.string()))
    raise DataError(f"{name}: the column {column!r} holds {kind}, not ids. Make it a text or whole numbers.")


def _numbers(name: str, column: str, values: pa.ChunkedArray, request: ColumnRequest) -> pa.ChunkedArray:
    """Return a column that is to be numbers: as texts where it holds texts, else as numbers."""
    kind = values.type
    if is_text(kind):
        return values.cast(pa.string())
    if types.is_boolean(kind):
        if column not in request.flags:
            raise DataError(f"{name}: the column {column!r} holds true and false, not numbers. Write 1 and 0.")
        return values.cast(pa.uint8()).cast(pa.float64())
    if types.is_integer(kind) and len(values) > values.null_count:
        ends = pc.min_max(values).as_py()
        if max(abs(ends["min"]), abs(ends["max"])) > _LARGEST_WHOLE:
            raise DataError(
                f"{name}: the column {column!r} holds whole numbers past 2^53, which cannot be told from their "
                "neighbours. Is it an id? If it is a measure, use another unit of it."
            )
    if types.is_null(kind) or types.is_decimal(kind):
        return values.cast(pa.float64())
    if not (types.is_integer(kind) or types.is_floating(kind)):
        raise DataError(f"{name}: the column {column!r} holds {kind}, not numbers. Make it a number (years as 2019).")
    return values
