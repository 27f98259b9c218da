"""Tables of many rows, written by the column: a hundred thousand rows a second, the bytes the same each time."""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.csv as pc

BOM: Final = b"\xef\xbb\xbf"
_COMMA, _MARK = b"\x01", b"\x02"  # stand for a comma and a quotation mark while a table is written


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
    end, every = "\r\n" if crlf else "\n", quoting == "all_valid"
    names = [f'"{name}"' if every or "," in name else name for name in columns]
    buffer = io.BytesIO()
    buffer.write((",".join(names) + end).encode("utf-8"))
    cells = [_array(column, as_it_is=every) for column in columns.values()]
    # Two columns may have one name in a published file, so the names stay out of the table.
    table = pa.table(cells, names=[str(at) for at in range(len(cells))])
    options = pc.WriteOptions(include_header=False, quoting_style="all_valid" if every else "none", eol=end)
    pc.write_csv(table, buffer, options)
    return buffer.getvalue() if every else buffer.getvalue().replace(_COMMA, b",").replace(_MARK, b'"')


def _array(column: Any, *, as_it_is: bool) -> pa.Array:
    """Return a column as Arrow has it, cells with a comma marked as quoted: Arrow itself quotes all text or none."""
    if getattr(column, "dtype", None) is not None and column.dtype.kind in "iu":
        return pa.array(column)
    text = pa.array(column, type=pa.string())
    comma = compute.match_substring(text, ",")
    if as_it_is or not compute.any(comma).as_py():
        return text
    mark = _MARK.decode()
    hidden = compute.replace_substring(text, ",", _COMMA.decode())
    return compute.if_else(comma, compute.binary_join_element_wise(mark, hidden, mark, ""), text)
