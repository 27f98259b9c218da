"""One file into the folder: under its name only once it is whole, and what was there before never lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from evalkit.core.errors import DataError, InputError
from evalkit.run.fetch.contents import settled_name
from evalkit.run.fetch.part import Origin, Part
from evalkit.run.fetch.register import Record, sha256_of
from evalkit.run.fetch.transfer import Held, NotThere, Tools, download
from evalkit.run.fetch.versions import Pinned, pinned
from evalkit.run.fetch.wanted import Place, Wanted

State = Literal["fetched", "unchanged", "changed"]
EARLIER: Final = ".evalkit-earlier"
"""The folder beside the files with those that others took the place of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What became of one file; `kept` is the name that the one before it has now."""

    record: Record
    state: State
    kept: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The folder that files go to, what is registered in it, and the moment of this fetch."""

    path: Path
    records: Mapping[str, Record]
    moment: datetime

    def at_hand(self, key: str) -> Record | None:
        """Return the record of a file that is there as it was fetched, None where it is gone or was changed here."""
        record = self.records.get(key)
        if record is None or not (self.path / record.file).is_file():
            return None
        return record if sha256_of(self.path / record.file) == record.sha256 else None


def fetch_file(wanted: Wanted, folder: Folder, tools: Tools) -> Fetched:
    """Fetch one file, unless it is there and unchanged; raise as `download` does, and `DataError` for a damaged one."""
    at_hand = folder.at_hand(wanted.key)
    for i, place in enumerate(wanted.places):
        try:
            fetched = _from(place, wanted, at_hand, folder, tools)
        except NotThere as problem:
            if i + 1 == len(wanted.places):
                today = f"{folder.moment:%d %B %Y}"
                days = f" Nor has it one of the {i} days before (today is {today} by this machine)." if i else ""
                raise NotThere(
                    f"{problem}{days} Is the address still right? `evalkit fetch --list` shows it."
                ) from None
            continue
        for other in wanted.places:
            Part(folder.path / other.name).discard()
        return fetched
    raise AssertionError("a file has at least one place")


def _from(place: Place, wanted: Wanted, at_hand: Record | None, folder: Folder, tools: Tools) -> Fetched:
    pin = pinned(place.url, tools)
    is_same_place = at_hand is not None and at_hand.url == pin.url
    if at_hand and is_same_place and pin.version and at_hand.data_set_version == pin.version:
        return Fetched(record=at_hand, state="unchanged")  # a published version is never changed
    held = Held(etag=at_hand.etag, last_modified=at_hand.last_modified) if at_hand and is_same_place else Held()
    part = Part(folder.path / place.name)
    origin = download(pin.url, part, held, tools)
    if origin is None:
        assert at_hand is not None
        return Fetched(record=at_hand, state="unchanged")
    try:
        name = settled_name(part.path, place.name)
    except DataError:
        part.discard()
        raise
    record = _record(wanted, name, pin, origin, part, folder)
    if at_hand and at_hand.sha256 == record.sha256:
        part.discard()
        return Fetched(record=replace(record, file=at_hand.file, earlier=at_hand.earlier), state="unchanged")
    return _placed(record, part, folder)


def _record(wanted: Wanted, name: str, pin: Pinned, origin: Origin, part: Part, folder: Folder) -> Record:
    return Record(
        key=wanted.key,
        file=name,
        source=wanted.source,
        url=pin.url,
        fetched=f"{folder.moment:%Y-%m-%dT%H:%M:%SZ}",
        bytes=part.size(),
        sha256=sha256_of(part.path),
        etag=origin.etag,
        last_modified=origin.last_modified,
        data_set_version=pin.version,
    )


def _placed(record: Record, part: Part, folder: Folder) -> Fetched:
    """Put a whole file under its name, after the one that it takes the place of has got another."""
    final = folder.path / record.file
    before = folder.records.get(record.key)
    earlier = before.earlier if before else ()
    if final.is_file() and sha256_of(final) == record.sha256:  # brought here, or stopped before it was registered
        part.discard()
        return Fetched(record=replace(record, earlier=earlier), state="unchanged")
    try:
        _require_free(final, record, folder)
    except InputError:
        part.discard()
        raise
    old = folder.path / before.file if before else final
    occupied = [path for path in dict.fromkeys((old, final)) if path.is_file()]
    kept = [_set_aside(path, folder.moment) for path in occupied]
    part.become(final)
    for path in occupied:
        if path != final:
            path.unlink()
    state: State = "changed" if kept else "fetched"
    record = replace(record, earlier=tuple(dict.fromkeys([*earlier, *kept])))
    return Fetched(record=record, state=state, kept=", ".join(kept))


def _require_free(final: Path, record: Record, folder: Folder) -> None:
    """Raise `InputError` where another file has the name: one that evalkit did not fetch, or of another address."""
    registered = {one.file: one.key for one in folder.records.values()}
    remedy = "Move it away, or give another folder with --out."
    if final.exists() and record.file not in registered:
        raise InputError(f"{final} is there and was not fetched by evalkit, so it is not replaced. {remedy}")
    if final.exists() and registered[record.file] != record.key:
        raise InputError(
            f"{final} is there, fetched as {registered[record.file]}, so it is not replaced by {record.key}. {remedy}"
        )


def _set_aside(path: Path, moment: datetime) -> str:
    """Give a file a second name in a hidden folder, which no reader looks into; return that name.

    It begins with the day on which another took its place, and the beginning of its SHA-256.
    """
    aside = path.parent / EARLIER / f"{moment:%Y-%m-%d}-{sha256_of(path)[:8]}-{path.name}"
    aside.parent.mkdir(exist_ok=True)
    if not aside.exists():
        with suppress(OSError):  # a file system without links
            os.link(path, aside)
    if not aside.exists():
        half = aside.with_name(f"{aside.name}.part")
        shutil.copy2(path, half)
        half.replace(aside)
    return f"{EARLIER}/{aside.name}"
