"""Whether a column of a user's file holds numbers or texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.words import counted
from evalkit.data.codes import DECIMAL_COMMA, Cells, holds_texts, read_cells, shown_cell
from evalkit.data.long_files import Columns, guarded, read_columns, require_header


def text_columns(path: Path, names: Sequence[str], part: str) -> list[str]:
    """Return those of the named columns that hold texts, each judged by all its cells.

    Raise `DataError` where the file cannot be read or lacks a column, or a column holds numbers and other texts, which
    are likelier codes for missing numbers than categories; `part` is what a column is called then.
    """
    if not names:
        return []
    is_parquet = path.name.lower().endswith((".parquet", ".pq"))
    texts = guarded(path, lambda: _of_parquet(path, names)) if is_parquet else list(names)
    if not texts:
        return []
    read = read_columns(path, texts, ())
    return [name for name in texts if _holds_texts(read, name, part)]


def _holds_texts(read: Columns, name: str, part: str) -> bool:
    codes, distinct = pd.factorize(read.texts[name])
    texts = pd.Series(distinct, dtype="str")
    cells = read_cells(texts)
    if cells.has_numbers and cells.is_odd.any():
        _refuse_mixed(read, name, part, cells, texts, codes)
    return holds_texts(cells)


def _refuse_mixed(read: Columns, name: str, part: str, cells: Cells, texts: pd.Series, codes: NDArray[np.intp]) -> None:
    odd = cells.is_odd & pd.isna(cells.numbers)
    if not odd.any():
        return  # a mixture of cells with percent signs and without is told where they are read as numbers
    rows = odd[codes] & (codes >= 0)
    at = int(rows.argmax())
    remedy = f"Leave cells empty where the value is missing, or name '{name}' as a category (--categories)"
    if DECIMAL_COMMA.fullmatch(str(texts[codes[at]]).strip()):
        remedy = "Write decimals with a point, in all rows"
    raise DataError(
        f"{read.name}: {read.place(at)}: the {part} '{name}' holds numbers and texts ({shown_cell(texts[codes[at]])} "
        f"there; {counted(int(rows.sum()), 'such cell')}). {remedy}."
    )


def _of_parquet(path: Path, names: Sequence[str]) -> list[str]:
    import pyarrow as pa
    from pyarrow import parquet, types

    with parquet.ParquetFile(path) as file:
        schema = file.schema_arrow
    require_header(path, schema.names, names)

    def plain(kind: pa.DataType) -> pa.DataType:
        return kind.value_type if types.is_dictionary(kind) else kind

    def is_text(kind: pa.DataType) -> bool:
        return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))

    return [name for name in names if is_text(plain(schema.field(name).type))]
