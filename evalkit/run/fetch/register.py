"""`evalkit-fetched.json`: where each file of a folder was fetched from, when, and what it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from evalkit.core.errors import DataError, InputError
from evalkit.data.files.members import FETCHED
from evalkit.data.locks import write_whole
from evalkit.run.fetch.addresses import required_name

NAME: Final = FETCHED
SCHEMA_VERSION: Final = 1
_MOST_BYTES: Final = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One file that was fetched; `data_set_version` is that of Explore Education Statistics, empty for any other."""

    key: str
    file: str
    source: str
    url: str
    fetched: str
    bytes: int
    sha256: str
    etag: str = ""
    last_modified: str = ""
    data_set_version: str = ""
    earlier: tuple[str, ...] = ()


def read_register(folder: Path) -> dict[str, Record]:
    """Return what was fetched into a folder, by key; raise `DataError` where the register is damaged."""
    path = folder / NAME
    if not path.exists():
        return {}
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError
        data = json.loads(path.read_text(encoding="utf-8"))
        return {one["key"]: _record(one) for one in data["files"]}
    except (ValueError, TypeError, KeyError, RecursionError, InputError):
        raise DataError(
            f"{path}: the register of fetched files is damaged. Move it away and type the same command again: files "
            "that are still what the server has stay as they are."
        ) from None


def _record(said: Mapping[str, Any]) -> Record:
    values = {one.name: said[one.name] for one in fields(Record) if one.name in said}
    made = Record(**values | {"earlier": tuple(said.get("earlier", ()))})
    texts = (made.key, made.source, made.url, made.fetched, made.sha256, made.etag, made.last_modified)
    if not all(isinstance(text, str) for text in (*texts, made.data_set_version)) or not isinstance(made.bytes, int):
        raise ValueError
    required_name(made.file, NAME)
    return made


def write_register(folder: Path, records: Mapping[str, Record]) -> None:
    """Write what was fetched into a folder, in the order of the files' names."""
    files = [asdict(one) for one in sorted(records.values(), key=lambda one: one.file)]
    said = {"schema_version": SCHEMA_VERSION, "made_by": "evalkit fetch", "files": files}
    write_whole(folder / NAME, (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode())


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
