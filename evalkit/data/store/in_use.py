"""Published files read from a store where it holds this very file: the same cells to the letter, sooner."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.core.errors import DataError
from evalkit.data.files.members import STORE_MARK, Member

if TYPE_CHECKING:
    from evalkit.data.files.raw_table import RawTable
    from evalkit.data.store.manifest import StoreEntry

_PLACES: list[Path] = []


def use_store(folder: Path | None) -> None:
    """Let published files be read from the store in a folder from now on, if one is there; None ends it."""
    _PLACES[:] = [] if folder is None else [folder]


def stored_instead(file: Member, encoding: str) -> tuple[tuple[str, ...], RawTable] | None:
    """Return the header and the stored copy of a published file, None where the raw file has to be read.

    It is read instead only where the store was made by this very code of that very file (its path, size and time of
    change), and where the file is in the encoding that its source publishes in, or in UTF-8 as it says itself.
    """
    mark = _PLACES[0] / STORE_MARK if _PLACES else None
    if mark is None or not mark.is_file() or not file.path.is_file():
        return None
    changed, facts = mark.stat().st_mtime_ns, file.path.stat()
    source, entries = _held(_PLACES[0], changed)
    entry = entries.get((file.path.resolve(), file.inner, file.nested))
    if entry is None or (entry.size, entry.mtime_ns) != (facts.st_size, facts.st_mtime_ns):
        return None
    if entry.form != "csv" or entry.encoding not in (encoding, encoding.removesuffix("-sig"), "utf-8-sig"):
        return None
    from evalkit.data.store.store import stored_table

    return entry.columns, stored_table(_PLACES[0], source, entry)


@lru_cache(maxsize=2)
def _held(folder: Path, changed: int) -> tuple[Path, dict[tuple[Path, str, str], StoreEntry]]:
    """Return the folder that was imported, and the files kept of it by where they lie; none that other code kept."""
    from evalkit.data.store.manifest import read_manifest

    try:
        source, entries, is_by_this_code = read_manifest(folder)
    except DataError:  # `evalkit import` says what is wrong with a store; a project reads the files themselves
        return folder, {}
    kept = [entry for entry in entries if entry.copy and entry.is_used] if is_by_this_code else []
    return source, {((source / one.on_disk).resolve(), one.inner, one.nested): one for one in kept}
