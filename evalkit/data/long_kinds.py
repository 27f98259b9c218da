"""Whether a column of a user's file holds numbers or texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evalkit.data.long_files import MISSING, csv_rows, guarded, require_header


def text_columns(path: Path, names: Sequence[str]) -> list[str]:
    """Return those of the named columns whose first cell that is not missing is a text.

    Raise `DataError` where the file cannot be read or lacks a column.
    """
    if not names:
        return []
    if path.name.lower().endswith((".parquet", ".pq")):
        return guarded(path, lambda: _of_parquet(path, names))
    return guarded(path, lambda: _of_csv(path, names))


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


def _of_csv(path: Path, names: Sequence[str]) -> list[str]:
    rows = csv_rows(path)
    header = next(rows, (0, [""]))[1]
    require_header(path, header, names)
    at = {name: header.index(name) for name in names}
    found: dict[str, bool] = {}
    for _, cells in rows:
        for name, place in at.items():
            cell = cells[place].strip() if place < len(cells) else ""
            if name not in found and cell not in MISSING:
                found[name] = not _is_number(cell)
        if len(found) == len(at):
            break
    return [name for name in names if found.get(name, False)]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
