"""What in a file would tell on which machine, and in whose folders, it was made; documents are looked into."""

from __future__ import annotations

import io
import re
import socket
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_SHORTEST: Final = 5
_STREAM: Final = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_TEXT_CHUNKS: Final = (b"tEXt", b"iTXt", b"zTXt", b"eXIf")
_ZIP: Final = b"PK\x03\x04"
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def machine_marks(*folders: Path) -> tuple[str, ...]:
    """Return the texts that tell where files were made: these folders, home, Python's, the temporary one, the name."""
    paths = (*folders, Path.home(), Path(sys.prefix), Path(tempfile.gettempdir()), Path.cwd())
    named = [str(form) for path in paths for form in (path.absolute(), path.resolve())]
    host = socket.gethostname()
    marks = dict.fromkeys([*named, *([host] if host != "localhost" else [])])
    return tuple(mark for mark in marks if len(mark) >= _SHORTEST)


def marks_in(content: bytes, marks: Iterable[str]) -> list[str]:
    """Return which of some texts stand in a file: in its bytes, the members of an archive, what describes a picture."""
    texts = list(_texts(content))
    return [mark for mark in marks if any(_stands_in(mark, text) for text in texts)]


def _stands_in(mark: str, text: bytes) -> bool:
    forms = {mark, mark.replace("\\", "\\\\"), mark.replace("/", "\\/")}
    return any(
        re.search(rb"(?<![A-Za-z0-9_-])" + re.escape(form.encode()) + rb"(?![A-Za-z0-9_-])", text) for form in forms
    )


def _texts(content: bytes) -> Iterator[bytes]:
    if content.startswith(_PNG):
        yield from _described(content)
    elif content.startswith(_ZIP):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield member.encode()
                yield from _texts(archive.read(member))
    elif content.startswith(b"%PDF"):
        yield content
        yield from _inflated(content)
    else:
        yield content


def _inflated(pdf: bytes) -> Iterator[bytes]:
    for found in _STREAM.finditer(pdf):
        try:
            yield zlib.decompress(found.group(1))
        except zlib.error:  # of another kind: a font or a picture
            continue


def _described(png: bytes) -> Iterator[bytes]:
    """Yield what a picture says of itself; its dots say nothing."""
    at = len(_PNG)
    while at + 8 <= len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, inside = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        if kind in _TEXT_CHUNKS:
            yield inside
        if kind == b"zTXt":
            yield zlib.decompress(inside.partition(b"\0")[2][1:])
        at += 12 + length
