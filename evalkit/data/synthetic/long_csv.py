"""Tables of many rows, written by the column and block by block, the bytes the same each time."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.csv as pc

BOM: Final = b"\xef\xbb\xbf"
_COMMA, _MARK = b"\x01", b"\x02"  # stand for a comma and a quotation mark while a table is written
_ENOUGH: Final = 20_000  # rows that are written at once
Block = Mapping[str, Any]
"""Some rows of a table: each column an array of text, what `cells` made of one, or one text that all its rows have."""


def write_columns(
    path: Path,
    columns: Block,
    *,
    bom: bool = False,
    crlf: bool = False,
    quoted: bool = False,
    encoding: str = "utf-8",
) -> None:
    """Write a table of one block; see `write_blocks`."""
    write_blocks(path, [columns], bom=bom, crlf=crlf, quoted=quoted, encoding=encoding)


def write_blocks(
    path: Path,
    blocks: Iterable[Block],
    *,
    bom: bool = False,
    crlf: bool = False,
    quoted: bool = False,
    encoding: str = "utf-8",
) -> None:
    """Write a table of blocks with the same columns; `quoted` quotes all text, else only what has a comma.

    `.gz` is packed. In a quoted table a missing cell stands for a nought without quotation marks, as numbers are.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    end, buffer = "\r\n" if crlf else "\n", io.BytesIO()
    for block in _merged(blocks):
        if not buffer.tell():
            names = [f'"{name}"' if quoted or "," in name else name for name in block]
            buffer.write((",".join(names) + end).encode("utf-8"))
        _write_block(buffer, block, end, quoted=quoted)
    content = buffer.getvalue() if quoted else buffer.getvalue().replace(_COMMA, b",").replace(_MARK, b'"')
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


def cells(text: Any) -> pa.Array:
    """Return a column as Arrow has it, cells with a comma marked as quoted: Arrow itself quotes all text or none.

    What many blocks share is made once with this.
    """
    array = pa.array(text, type=pa.string())
    comma = compute.match_substring(array, ",")
    if not compute.any(comma).as_py():
        return array
    mark = _MARK.decode()
    hidden = compute.replace_substring(array, ",", _COMMA.decode())
    return compute.if_else(comma, compute.binary_join_element_wise(mark, hidden, mark, ""), array)


def noughts(count: int) -> pa.Array:
    """Return a column of noughts that stand without quotation marks in a quoted table."""
    return pa.nulls(count, pa.string())


def _merged(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield the blocks, small ones joined: it is columns that take time, not rows."""
    waiting: list[Block] = []
    for block in blocks:
        if any(isinstance(column, pa.Array) for column in block.values()):
            yield from _joined(waiting)
            waiting = []
            yield block
            continue
        waiting.append(block)
        if sum(map(_rows, waiting)) >= _ENOUGH:
            yield from _joined(waiting)
            waiting = []
    yield from _joined(waiting)


def _joined(blocks: list[Block]) -> Iterator[Block]:
    if blocks:
        yield {name: np.concatenate([_full(block[name], _rows(block)) for block in blocks]) for name in blocks[0]}


def _full(column: Any, count: int) -> Any:
    return np.full(count, column, dtype=object) if isinstance(column, str) else column


def _rows(block: Block) -> int:
    return next(len(column) for column in block.values() if not isinstance(column, str))


def _write_block(buffer: io.BytesIO, block: Block, end: str, *, quoted: bool) -> None:
    count = _rows(block)
    # Two columns may have one name in a published file, so the names stay out of the table.
    columns = [_array(column, count, quoted=quoted) for column in block.values()]
    table = pa.table(columns, names=[str(at) for at in range(len(columns))])
    style = "all_valid" if quoted else "none"
    options = pc.WriteOptions(include_header=False, quoting_style=style, eol=end, null_string="0")
    pc.write_csv(table, buffer, options)


def _array(column: Any, count: int, *, quoted: bool) -> pa.Array:
    if isinstance(column, str):
        return pa.repeat(
            pa.scalar(column, pa.string()) if quoted else cells(np.array([column], dtype=object))[0], count
        )
    if isinstance(column, pa.Array):
        return column
    return pa.array(column, type=pa.string()) if quoted else cells(column)
