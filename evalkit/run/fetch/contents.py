"""Whether what came is the kind of file that was asked for, and whole: no page of words, no half of an archive."""

from __future__ import annotations

import gzip
import json
import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from evalkit.core.errors import DataError

_HEAD, _TAIL, _PIECE = 1 << 16, 1 << 20, 1 << 20
_MOST_UNPACKED: Final = 40_000_000_000
"""Bytes of a compressed file once unpacked; no published one has a tenth of that."""
_MOST_GEOJSON: Final = 400_000_000
_ZIPPED: Final = (".zip", ".xlsx", ".ods")
_TITLE: Final = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_CUT: Final = re.compile(r'"exceededTransferLimit"\s*:\s*true')


@dataclass(frozen=True, slots=True)
class _Text:
    """The beginning and the end of a text, unpacked, and its bytes in all."""

    head: bytes
    tail: bytes
    size: int
    has_nul: bool
    is_packed: bool


def settled_name(path: Path, name: str) -> str:
    """Return the name that a file which has come should have; raise `DataError` where it is not what it should be.

    The name that was meant ends otherwise where the file is compressed or an archive: `.csv.gz`, `.zip`.
    """
    with path.open("rb") as file:
        magic = file.read(8)
    if not magic:
        raise DataError(f"{name}: the server sent an empty file.")
    lower = name.lower()
    if magic.startswith(b"PK\x03\x04"):
        _require_whole_archive(path, name)
        return name if lower.endswith(_ZIPPED) else f"{_without_ending(name)}.zip"
    if magic.startswith(b"\x1f\x8b"):
        text = _unpacked(path, name)
        if text.head.startswith(b"\x1f\x8b"):
            raise DataError(f"{name}: the file is compressed twice. Download it by hand and unpack it once.")
        _require_text(text, name, path)
        return name if lower.endswith(".gz") else f"{name}.gz"
    if lower.endswith(".parquet"):
        _require_parquet(path, name)
        return name
    _require_text(_plain(path, name), name, path)
    if lower.endswith((*_ZIPPED, ".xls")):
        raise DataError(f"{name}: the server sent something else: it begins with {magic!r}.")
    return name[: -len(".gz")] if lower.endswith(".gz") else name


def _without_ending(name: str) -> str:
    return re.sub(r"(\.[A-Za-z]{2,7}){1,2}$", "", name) or name


# Archives and compressed files.


def _require_whole_archive(path: Path, name: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
            if sum(one.file_size for one in entries) > _MOST_UNPACKED:
                raise DataError(f"{name}: unpacked, the archive would be larger than any published one.")
            if any(one.flag_bits & 1 for one in entries):
                raise DataError(f"{name}: the archive asks for a password.")
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, ValueError, OSError):
        raise DataError(f"{name}: the archive is damaged or cut short.") from None
    if damaged is not None:
        raise DataError(f"{name}: the archive is damaged ({damaged[:100]}).")
    if not entries:
        raise DataError(f"{name}: the archive is empty.")


def _unpacked(path: Path, name: str) -> _Text:
    try:
        with gzip.open(path, "rb") as file:
            return _ends(cast(IO[bytes], file), name, is_packed=True)
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise DataError(f"{name}: the compressed file is damaged or cut short.") from None


def _plain(path: Path, name: str) -> _Text:
    with path.open("rb") as file:
        return _ends(file, name, is_packed=False)


def _ends(file: IO[bytes], name: str, *, is_packed: bool) -> _Text:
    head, tail, size, has_nul = b"", b"", 0, False
    while piece := file.read(_PIECE):
        head, has_nul = head or piece[:_HEAD], has_nul or b"\x00" in piece
        tail, size = (tail + piece)[-_TAIL:], size + len(piece)
        if size > _MOST_UNPACKED:
            raise DataError(f"{name}: unpacked, the file would be larger than any published one.")
    return _Text(head, tail, size, has_nul, is_packed)


def _require_parquet(path: Path, name: str) -> None:
    with path.open("rb") as file:
        begin = file.read(4)
        file.seek(-4, 2)
        if not begin == file.read(4) == b"PAR1":
            raise DataError(f"{name}: this is no whole Parquet file.")


# Texts.


def _require_text(text: _Text, name: str, path: Path) -> None:
    """Raise `DataError` for a page of words, an error in place of a table, and a text that breaks off."""
    start = text.head.removeprefix(b"\xef\xbb\xbf").lstrip()
    plain_name = name.lower().removesuffix(".gz")
    if not text.size or not start:
        raise DataError(f"{name}: the server sent an empty file.")
    if start.startswith(b"<"):
        title = _TITLE.search(text.head)
        words = " ".join(title[1].decode("utf-8", "replace").split())[:100] if title else ""
        called = f", '{words}'," if words else ""
        raise DataError(f"{name}: the server sent a web page{called} in place of the file.")
    if plain_name.endswith((".geojson", ".json")):
        _require_features(path, text, name)
    elif plain_name.endswith(".csv"):
        _require_table(start, text, name)


def _require_table(start: bytes, text: _Text, name: str) -> None:
    header = start.splitlines()[0]
    if start.startswith((b"{", b"[")) or not any(sign in header for sign in b",;\t"):
        shown = start[:80].decode("utf-8", "replace")
        raise DataError(f"{name}: the server sent no table: it begins with {shown!r}.")
    if text.has_nul:
        raise DataError(f"{name}: what the server sent is no text of a table: it has bytes that are zero.")
    lines = text.tail.splitlines()
    is_whole = text.tail.endswith((b"\n", b"\r")) or lines[-1].count(b",") >= header.count(b",")
    if not is_whole:
        raise DataError(f"{name}: the file is cut short: its last line breaks off.")


def _require_features(path: Path, text: _Text, name: str) -> None:
    if text.size > _MOST_GEOJSON:
        return  # more than a map needs; its reader says so
    try:
        with gzip.open(path, "rb") if text.is_packed else path.open("rb") as file:
            words = file.read().decode("utf-8-sig")
        data = json.loads(words)
    except (ValueError, RecursionError, OSError, EOFError):
        raise DataError(f"{name}: the file is no whole JSON, so it is damaged or cut short.") from None
    if not isinstance(data, dict) or "features" not in data:
        said = json.dumps(data.get("error", ""))[:200] if isinstance(data, dict) else ""
        raise DataError(f"{name}: the server sent no outlines{f' but {said}' if len(said) > 2 else ''}.")
    if not data["features"] or _CUT.search(words[:2000]) or _CUT.search(words[-2000:]):
        raise DataError(f"{name}: the server left outlines out. Download the layer by hand.")
