"""Numbers as the Department prints them, and rows as it writes them."""

import gzip
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Bools, Floats

Text = NDArray[np.object_]
_PERCENTS: Text = np.array([f"{i}%" for i in range(101)], dtype=object)


def half_up(values: NDArray[np.floating[Any]], decimals: int) -> NDArray[np.int64]:
    """Return values rounded half up, in units of the last decimal printed."""
    return np.asarray(np.floor(np.asarray(values) * 10**decimals + 0.5), dtype=np.int64)


def decimal_text(values: Floats, decimals: int, *, keep_zeros: bool = False) -> Text:
    """Return '1.2', '-0.5', '3' (or '3.0' with `keep_zeros`): rounded half up to `decimals`."""
    units = half_up(values, decimals)
    low, high = (int(units.min()), int(units.max())) if units.size else (0, 0)
    printed = [f"{unit / 10**decimals:.{decimals}f}" for unit in range(low, high + 1)]
    if not keep_zeros:
        printed = [text.rstrip("0").rstrip(".") if "." in text else text for text in printed]
    return np.array(printed, dtype=object)[units - low]


def whole_text(values: NDArray[np.int64]) -> Text:
    """Return whole numbers as text."""
    return np.array([str(value) for value in np.asarray(values).tolist()], dtype=object)


def percent_text(share: NDArray[np.floating[Any]]) -> Text:
    """Return shares in [0, 1] as whole per cent with the sign in the cell, '94%'."""
    return _PERCENTS[np.clip(half_up(share, 2), 0, 100)]


def constant(text: str, count: int) -> Text:
    """Return one text, `count` times."""
    return np.full(count, text, dtype=object)


def pick(condition: Bools, text: str | Text, otherwise: Text) -> Text:
    """Return `text` where the condition holds, else what stood there."""
    return np.asarray(np.where(condition, text, otherwise), dtype=object)


def quoted(cell: str) -> str:
    """Return the cell as CSV wants it: quoted if it holds a comma."""
    return f'"{cell}"' if "," in cell else cell


def csv_lines(columns: Mapping[str, Text], lengths: NDArray[np.int64] | None = None) -> Iterable[str]:
    """Yield the header and then every row, each row cut to its length where `lengths` is given."""
    yield ",".join(columns)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    if lengths is None:
        yield from (",".join(row) for row in rows)
    else:
        yield from (",".join(row[:length]) for row, length in zip(rows, lengths.tolist(), strict=True))


def write_performance_table(path: Path, lines: Iterable[str]) -> None:
    """Write a performance table: UTF-8 with a byte-order mark, CRLF between lines and none after the last."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode("utf-8"))


def write_plain(path: Path, lines: Iterable[str], *, encoding: str = "utf-8", end: str = "\n") -> None:
    """Write lines in the encoding and with the line ends asked for, ending with one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((end.join(lines) + end).encode(encoding))


def write_gzip(path: Path, lines: Iterable[str]) -> None:
    """Write gzipped lines whose bytes do not depend on the clock or the file name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0, compresslevel=6) as packed:
        packed.write(("\n".join(lines) + "\n").encode("utf-8"))
    path.write_bytes(buffer.getvalue())
