"""Importing a folder: only what changed is read, and the store is what it was until all of it is there."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evalkit.core.errors import DataError
from evalkit.data.files.conflicts import reasons
from evalkit.data.files.layout import Layout
from evalkit.data.files.members import GZIP, STORE_MARK, Member, disk_files, require_folder, sha256_of, told, unpacked
from evalkit.data.locks import LOOK_SECONDS, Busy, holder_of, only_one, part_of
from evalkit.data.store.manifest import TABLES, StoreEntry, facts_of, read_manifest, write_manifest
from evalkit.data.store.store import SPILL, Store

if TYPE_CHECKING:
    from evalkit.data.files.raw_table import RawTable

LOCK: Final = ".evalkit-import.lock"
PATIENCE_SECONDS: Final = 3600.0
"""How long an import waits for another one into the same store."""
_SPILL_SECONDS: Final = 86_400
"""After so long no question to the store is still under way."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: the entries of the store now, how many files were read for it, and how many are gone."""

    folder: Path
    source: Path
    entries: tuple[StoreEntry, ...]
    n_read: int
    n_gone: int


def import_folder(
    folder: Path | str, store: Path | str, layouts: Sequence[Layout] | None = None, *, say: Say = lambda text: None
) -> Store:
    """Read what changed below a folder into a store and return the store, opened.

    Parameters
    ----------
    folder : Path or str
        Files as they were downloaded, in any folders, archives and forms.
    store : Path or str
        Where the store is, or is to be.
    layouts : sequence of Layout, optional
        What a file can be told by; as a rule every layout that the kit knows.
    say : callable, optional
        Is given a sentence now and then on what goes on.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from evalkit import import_folder
    >>> with TemporaryDirectory() as place:
    ...     raw = Path(place, "raw")
    ...     raw.mkdir()
    ...     _ = (raw / "notes.md").write_text("what I did")
    ...     [(one.name, one.reason) for one in import_folder(raw, Path(place, "store")).entries]
    [('notes.md', 'it is no table')]
    """
    from evalkit.data.store.store import open_store

    return open_store(imported(Path(folder), Path(store), layouts, say=say).folder)


def imported(
    folder: Path, store: Path, layouts: Sequence[Layout] | None = None, *, say: Say = lambda text: None
) -> Imported:
    """Read what changed below a folder into a store and return what was done; the store is not opened.

    Raise `DataError` where there is no such folder, or `store` is a folder of something else.
    """
    require_folder(folder)
    _require_store_place(folder, store)
    (store / TABLES).mkdir(parents=True, exist_ok=True)
    with _alone(store, say):
        source, before = _before(store)
        if source not in (None, folder.resolve()):
            say(f"the store held the files of {source}; from now on it holds those of {folder}")
        work = _Import(folder, store, layouts, say, is_elsewhere=source != folder.resolve())
        entries = _resolved(work.entries(before))
        if entries != before or source != folder.resolve():
            write_manifest(store, folder.resolve(), entries)
        n_gone = len({entry.name for entry in before} - {entry.name for entry in entries})
    return Imported(store, folder, entries, work.n_read, n_gone)


def unchanged(folder: Path, store: Path) -> tuple[StoreEntry, ...] | None:
    """Return what a store holds of a folder, None where it holds another one's files or any of them has changed."""
    try:
        source, entries, is_same_code = read_manifest(store)
    except DataError:
        return None
    if source != folder.resolve() or not is_same_code:
        return None
    known = {entry.on_disk: entry.facts for entry in entries}
    now = {member.name: facts_of(member.path) for member in disk_files(folder)}
    is_settled = all(entry.is_settled() for entry in entries)
    return entries if now == known and is_settled else None


def _require_store_place(folder: Path, store: Path) -> None:
    """Raise `DataError` where a store cannot be in a place without mixing with what is there."""
    if store.resolve() == folder.resolve():
        raise DataError(f"{store}: the store cannot be the folder of the raw files itself. Give another with --store.")
    if store.exists() and not store.is_dir():
        raise DataError(f"{store}: this is a file, not a folder. Give a folder for the store with --store.")
    if folder.resolve().is_relative_to(store.resolve() / TABLES):
        raise DataError(f"{folder}: this folder lies in the store {store} itself. Name the folder of raw files.")


@contextmanager
def _alone(store: Path, say: Say) -> Iterator[None]:
    """Hold the store for the block; wait where another import holds it."""
    deadline, is_told = time.monotonic() + PATIENCE_SECONDS, False
    with ExitStack() as held:
        while True:
            try:
                refusal = f"{store}: another import holds the store. Wait until it has ended."
                held.enter_context(only_one(store / LOCK, refusal))
                break
            except Busy:
                if time.monotonic() > deadline:
                    raise
                if not is_told:
                    say(f"another import holds the store ({holder_of(store / LOCK)}): waiting until it has ended")
                is_told = True
                time.sleep(LOOK_SECONDS)
        yield  # outside of what waits: a block that is itself refused something as busy says so


def _before(store: Path) -> tuple[Path | None, tuple[StoreEntry, ...]]:
    """Return the folder that a store was made from and what it holds, as far as this code can build on it.

    What no manifest names any more is removed; what the one in place names stays until the next change of the store,
    for those who have opened it.
    """
    source: Path | None = None
    entries: tuple[StoreEntry, ...] = ()
    is_same_code = False
    with suppress(DataError):
        source, entries, is_same_code = read_manifest(store)
    names = {entry.copy for entry in entries}
    for path in (store / TABLES).iterdir():
        if f"{TABLES}/{path.name}" not in names:
            path.unlink(missing_ok=True)
    for path in store.glob(f".{STORE_MARK}.*.part"):
        path.unlink(missing_ok=True)
    for path in store.glob(f"{SPILL}*"):
        if path.stat().st_mtime < time.time() - _SPILL_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
    return source, entries if is_same_code else ()


def _resolved(entries: list[StoreEntry]) -> tuple[StoreEntry, ...]:
    found = reasons(entries, lambda at: entries[at].content_sha256)
    return tuple(replace(entry, reason=reason) for entry, reason in zip(entries, found, strict=True))


_CHANGED: Final = "it changed while it was read. Import it again when it is whole"


@dataclass(slots=True)
class _Import:
    """One import: goes through the folder, and keeps what has not changed."""

    folder: Path
    store: Path
    layouts: Sequence[Layout] | None
    say: Say
    is_elsewhere: bool
    n_read: int = 0

    def entries(self, before: Sequence[StoreEntry]) -> list[StoreEntry]:
        """Return an entry for every file below the folder, those from before where a file has not changed."""
        by_disk: dict[str, list[StoreEntry]] = {}
        for entry in before:
            by_disk.setdefault(entry.on_disk, []).append(entry)
        return [entry for member in disk_files(self.folder) for entry in self._of(member, by_disk.get(member.name, []))]

    def _of(self, member: Member, known: list[StoreEntry]) -> list[StoreEntry]:
        facts = facts_of(member.path)
        if known and (kept := self._kept(known, member, facts)) is not None:
            return kept
        found, digests = [], _Digests()
        for one in unpacked(member):
            self.say(f"reading {one.name}")
            found.append(self._read(one, member.name, facts, digests))
            self.n_read += 1
        return found

    def _kept(self, known: list[StoreEntry], member: Member, facts: tuple[int, int, int]) -> list[StoreEntry] | None:
        """Return the entries of a file that has not changed, None where it has or its copies are gone."""
        first = known[0]
        if not all((self.store / entry.copy).exists() for entry in known):
            return None
        if first.facts == facts and not self.is_elsewhere and first.is_settled():
            return known
        digest, now = first.archive_sha256 or first.sha256, time.time_ns()
        with suppress(DataError):
            if digest and not member.problem and sha256_of(member) == digest:
                size, changed, moved = facts
                return [replace(entry, size=size, mtime_ns=changed, ctime_ns=moved, read_ns=now) for entry in known]
        return None

    def _read(self, member: Member, on_disk: str, facts: tuple[int, int, int], digests: _Digests) -> StoreEntry:
        """Return the entry of a file that is read now."""
        from evalkit.data.files.catalogue import entry_of
        from evalkit.data.files.raw_table import RawTable

        keeper, now = _Keeper(self.store, digests), time.time_ns()
        found = entry_of(RawTable(member), self._known_layouts(), keeper.keep)
        is_changed = facts != facts_of(member.path)
        fault = _CHANGED if is_changed else found.fault
        return StoreEntry(
            name=found.name,
            kind=found.kind,
            title=found.title,
            publisher=found.publisher,
            contents=found.contents,
            columns=keeper.columns,
            encoding=keeper.encoding,
            form=keeper.form,
            sheet=keeper.sheet,
            sha256="" if is_changed else digests.of(member),
            archive_sha256=digests.of(Member(on_disk, member.path)) if member.inner and not is_changed else "",
            content_sha256=digests.of(member, is_unpacked=True) if not fault else "",
            copy=keeper.copy if not fault else "",
            fault=fault,
            note=found.note,
            on_disk=on_disk,
            inner=member.inner,
            nested=member.nested,
            size=facts[0],
            mtime_ns=facts[1],
            ctime_ns=facts[2],
            read_ns=now,
        )

    def _known_layouts(self) -> Sequence[Layout]:
        if self.layouts is None:
            from evalkit.data.layouts.registry import layouts

            self.layouts = layouts()
        return self.layouts


@dataclass(slots=True)
class _Digests:
    """SHA-256 of one file on the disk and of what is in it, each made once; empty where it cannot be read."""

    _known: dict[tuple[Member, bool], str] = field(default_factory=dict)

    def of(self, member: Member, *, is_unpacked: bool = False) -> str:
        """Return the digest of a file as it lies there, or unpacked."""
        is_packed = is_unpacked and _is_packed(member)
        key = (member, is_packed)
        if key not in self._known:
            self._known[key] = ""
            with suppress(DataError):
                self._known[key] = "" if member.problem else sha256_of(member, is_unpacked=is_packed)
        return self._known[key]


def _is_packed(member: Member) -> bool:
    with suppress(DataError), told(member.name), member.open_packed() as stream:
        return stream.read(len(GZIP)) == GZIP
    return False


@dataclass(slots=True)
class _Keeper:
    """Keeps a file that a layout fits: its table as Parquet, outlines as they are."""

    store: Path
    digests: _Digests
    copy: str = ""
    columns: tuple[str, ...] = ()
    encoding: str = ""
    form: str = ""
    sheet: str = ""

    def keep(self, table: RawTable, kind: str) -> RawTable:
        """Put a copy of a table into the store, and return it as a table of the same text."""
        from evalkit.data.store.store import stored_copy

        peek = table.peek
        self.columns, self.encoding, self.form, self.sheet = peek.columns, peek.encoding, peek.form, peek.sheet
        key = hashlib.sha256(
            "\0".join((self.digests.of(table.member), table.name, kind, peek.sheet)).encode("utf-8", "replace")
        )
        ending = "json.gz" if self.form == "geojson" else "parquet"
        self.copy = f"{TABLES}/{key.hexdigest()[:40]}.{ending}"
        place = self.store / self.copy
        part = part_of(place)
        try:
            self._write(table, part)
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)
        return stored_copy(place, table)

    def _write(self, table: RawTable, part: Path) -> None:
        if self.form == "geojson":
            with told(table.name), table.member.open() as raw, gzip.open(part, "wb") as packed:
                shutil.copyfileobj(raw, packed)
            return
        from evalkit.data.store.typed_columns import write_typed

        write_typed(table.blocks, self.columns, part)
