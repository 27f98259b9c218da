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
    source, entries = _held(_PLACES[0], mark.stat().st_mtime_ns)
    from evalkit.data.store.manifest import facts_of

    place = file.path.resolve()
    entry = entries.get((place, file.inner, file.nested))
    if entry is None or entry.facts != facts_of(place):
        return None
    if entry.form != "csv" or entry.encoding not in (encoding, encoding.removesuffix("-sig"), "utf-8-sig"):
        return None
    from evalkit.data.store.store import stored_table

    return entry.columns, stored_table(_PLACES[0], source, entry)


def kept_sha256(store: Path, file: Path) -> str:
    """Return the SHA-256 that a store keeps of a raw file, empty where it has none of this very file.

    The file is the one that was imported where its size and times are, and it had lain there for a while: who changes a
    file and sets its time back changes its status all the same.
    """
    mark = store / STORE_MARK
    if not mark.is_file():
        return ""
    from evalkit.data.store.manifest import facts_of

    place = file.resolve()
    entry = _on_disk(store, mark.stat().st_mtime_ns).get(place)
    if entry is None or not entry.is_settled() or entry.facts != facts_of(place):
        return ""
    return entry.archive_sha256 or ("" if entry.inner else entry.sha256)


@lru_cache(maxsize=2)
def _on_disk(store: Path, changed: int) -> dict[Path, StoreEntry]:
    """Return of each raw file that was imported one entry; none where the store is damaged, which others say."""
    from evalkit.data.store.manifest import read_manifest

    try:
        source, entries, _ = read_manifest(store)
    except DataError:
        return {}
    return {(source / entry.on_disk).resolve(): entry for entry in entries}


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
