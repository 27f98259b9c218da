"""What a store holds, in one file that is written last: every file imported, with what it gives and its SHA-256."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from evalkit.core.errors import DataError
from evalkit.data.files.layout import Contents
from evalkit.data.files.members import STORE_MARK
from evalkit.data.locks import write_whole

SCHEMA_VERSION: Final = 1
TABLES: Final = "tables"
FRESH_NS: Final = 2_000_000_000
"""A file that was changed so shortly before it was read could change again without its time telling."""
_READ_BY: Final = (
    "files", "layouts", "store", "areas", "own_tables", "measures.py",
    *(f"published/{name}.py" for name in ("codes", "neighbours", "tables")),
)  # fmt: skip
"""What decides how a file is told and kept: where it changes, everything is imported anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreEntry:
    """One imported file: what it is, what it gives, why where it is not used, and where its copy in the store is.

    `sha256` is that of the raw file as it lay in its folder; of an archive's member that of the member unpacked, and
    `archive_sha256` that of the archive; `inner` and `nested` are its names in the archive and in one inside that.
    `fault` is why by itself it is not used, `reason` also why another is used in its place. `size`, `mtime_ns` and
    `ctime_ns` are those of the file on the disk (the last cannot be set back by who changes a file), `read_ns` the time
    when it was read.
    """

    name: str
    kind: str
    title: str
    publisher: str
    contents: Contents
    columns: tuple[str, ...]
    encoding: str
    form: str
    sheet: str
    sha256: str
    archive_sha256: str
    content_sha256: str
    copy: str
    fault: str
    note: str
    on_disk: str
    inner: str
    nested: str
    size: int
    mtime_ns: int
    read_ns: int
    ctime_ns: int = 0
    reason: str = ""

    @property
    def is_used(self) -> bool:
        """Return whether the file is used."""
        return not self.reason

    @property
    def facts(self) -> tuple[int, int, int]:
        """Return what tells on the disk that the file is the one that was read."""
        return self.size, self.mtime_ns, self.ctime_ns

    def is_settled(self) -> bool:
        """Return whether the file had lain there for a while when it was read, so that its time tells a change."""
        return self.mtime_ns < self.read_ns - FRESH_NS

    @property
    def layout(self) -> str:
        """Return the name of its layout, empty where none is known."""
        return "" if self.kind == "unknown" else self.kind


def write_manifest(folder: Path, source: Path, entries: tuple[StoreEntry, ...]) -> None:
    """Put a store's manifest in its place, whole or not at all."""
    content = {
        "kind": "evalkit store",
        "schema_version": SCHEMA_VERSION,
        "code": code_key(),
        "source": str(source),
        "files": [asdict(entry) for entry in entries],
    }
    text = json.dumps(content, ensure_ascii=False, indent=1)
    write_whole(folder / STORE_MARK, text.encode("utf-8", "surrogatepass"))


def read_manifest(folder: Path) -> tuple[Path, tuple[StoreEntry, ...], bool]:
    """Return the folder that was imported, the entries of a store, and whether this very code made it.

    Raise `DataError` where there is no store, or its manifest is damaged or of another version.
    """
    path = folder / STORE_MARK
    try:
        content = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
        if content["schema_version"] != SCHEMA_VERSION:
            raise DataError(
                f"{path}: the store was made by another version of evalkit. Make it again: evalkit import DIR."
            )
        return Path(content["source"]), tuple(map(_entry, content["files"])), content["code"] == code_key()
    except FileNotFoundError:
        raise DataError(f"{folder}: there is no store. `evalkit import DIR --store {folder}` makes one.") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise DataError(f"{path}: the file is damaged. Delete the folder and type: evalkit import DIR.") from None


def _entry(record: dict[str, Any]) -> StoreEntry:
    given = record["contents"]
    lists = {name: tuple(given[name]) for name in ("years", "areas", "measures", "levels")}
    return StoreEntry(**{**record, "contents": Contents(**{**given, **lists}), "columns": tuple(record["columns"])})


def facts_of(path: Path) -> tuple[int, int, int]:
    """Return size and times of a file on the disk, as `StoreEntry.facts`; negative ones where there is none."""
    with suppress(OSError):
        facts = path.lstat()
        return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns
    return -1, -1, -1


@cache
def code_key() -> str:
    """Return a digest of the code that decides how a file is told and kept."""
    data = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for place in _READ_BY:
        paths = [data / place] if place.endswith(".py") else sorted((data / place).glob("*"))
        for path in (path for path in paths if path.is_file()):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
