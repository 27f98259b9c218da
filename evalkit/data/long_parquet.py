"""The columns of a Parquet file, integers of an id as their digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute as pc
from pyarrow import types

from evalkit.core.errors import DataError
from evalkit.data.long_files import Columns, as_texts, numbers_of, require_header


def read_parquet_columns(path: Path, texts: Sequence[str], numbers: Sequence[str]) -> Columns:
    """Return the named columns of a Parquet file; raise `DataError` where one is of a kind that cannot serve."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        require_header(path, file.schema_arrow.names, [*texts, *numbers])
        table = file.read(columns=list(dict.fromkeys([*texts, *numbers])))
    if not table.num_rows:
        raise DataError(f"{path.name}: the file has columns but no rows.")

    def place(row: int) -> str:
        return f"row {row + 1:,}"

    return Columns(
        path.name,
        {name: _texts(path.name, name, _plain(table.column(name)), place) for name in texts},
        {name: _numbers(path.name, name, _plain(table.column(name)), place) for name in numbers},
        place,
    )


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without categories, its values in their place."""
    return values.cast(values.type.value_type) if types.is_dictionary(values.type) else values


def _is_text(kind: pa.DataType) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _texts(name: str, column: str, values: pa.ChunkedArray, place: Callable[[int], str]) -> pd.Series:
    kind = values.type
    if _is_text(kind) or types.is_integer(kind) or types.is_null(kind):
        return as_texts(values.cast(pa.string()))
    if types.is_floating(kind):
        numbers = values.to_numpy().astype(float)
        odd = ~np.isnan(numbers) & (numbers != np.floor(numbers))
        if odd.any():
            at = int(np.argmax(odd))
            raise DataError(f"{name}: {place(at)}: {numbers[at]:g} in the column {column!r} is not an id. Use a text.")
        whole = pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values).cast(pa.int64())
        return as_texts(whole.cast(pa.string()))
    raise DataError(f"{name}: the column {column!r} holds {kind}, not ids. Make it a text or whole numbers.")


def _numbers(name: str, column: str, values: pa.ChunkedArray, place: Callable[[int], str]) -> NDArray[np.float64]:
    kind = values.type
    if _is_text(kind):
        return numbers_of(name, column, values, place)
    if types.is_null(kind) or types.is_boolean(kind) or types.is_decimal(kind):
        values = values.cast(pa.float64())
    elif not (types.is_integer(kind) or types.is_floating(kind)):
        raise DataError(f"{name}: the column {column!r} holds {kind}, not numbers. Make it a number (years as 2019).")
    numbers: NDArray[np.float64] = values.to_numpy().astype(float, copy=False)
    return numbers
