"""Where the published files of a run come from and how to get them, since they do not travel with a pack."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evalkit.core.errors import EvalkitError
from evalkit.core.words import counted
from evalkit.run.review.finished import FinishedRun
from evalkit.run.review.materials import Materials, lay_out_files

if TYPE_CHECKING:
    from evalkit.data.files.catalogue import CatalogueEntry
    from evalkit.run.fetch.register import Record

DERIVED: Final = "Assembled from published files by the evaluators: ask them, at the address in the report."
OWN: Final = "A table of the project's own: ask the evaluators, at the address in the report."
MADE_UP: Final = "Made-up schools: evalkit makes the file by itself, and `evalkit synthetic` writes it."
UNKNOWN: Final = "Not recognised here: ask the evaluators, at the address in the report."
PUBLIC: Final = "Public; published under the Open Government Licence unless its publisher says otherwise."
_SOURCES: Final = {
    "performance-table-ks2": ("performance-tables", "ks2"),
    "performance-table-ks4": ("performance-tables", "ks4"),
    "ees-school-ks2": ("ees", "ks2-schools"),
    "ees-school-ks4": ("ees", "ks4-schools"),
    "gias": ("gias", ""),
    "gias-links": ("gias-links", ""),
    "boundaries": ("boundaries", ""),
}
"""By layout, the source from which `evalkit fetch` gets such files, and what of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A file that a run read and that does not travel: what it is, and how to get it.

    `fetch` is the command that gets it, empty without one; what is published may have changed since, which its
    SHA-256 tells. `url` and `fetched` are the address and the day it was fetched from, where that was recorded.
    """

    path: str
    sha256: str
    title: str
    publisher: str = ""
    years: tuple[int, ...] = ()
    access: str = ""
    fetch: str = ""
    url: str = ""
    fetched: str = ""
    size: int | None = None


def data_files(run: FinishedRun, found: Materials, stays: Sequence[str], scratch: Path) -> tuple[DataFile, ...]:
    """Return every file that a run read and that does not travel; `stays` are those of the project's folder."""
    own = (DataFile(path=path, sha256=run.inputs[path], title="Table of the project", access=OWN) for path in stays)
    entries, fetched = _entries(found, scratch), _fetched(found)
    published = (
        _published(run, f"data/{name}", digest, entries.get(name), fetched.get(digest))
        for name, digest in run.data_inputs.items()
    )
    sizes = {one.path: one.place.stat().st_size for one in found.files if one.place is not None and one.is_same}
    return tuple(replace(one, size=sizes.get(one.path)) for one in (*own, *published))


def _entries(found: Materials, scratch: Path) -> dict[str, CatalogueEntry]:
    """Return what each published file is by its content, by its path; nothing where none is at hand."""
    from evalkit.data.files.catalogue import catalogue
    from evalkit.data.layouts.registry import layouts

    place = scratch / "catalogued"
    place.mkdir()
    lay_out_files([one for one in found.data if one.is_same], place)
    return {one.name: one for one in catalogue(place, layouts()).entries}


def _fetched(found: Materials) -> dict[str, Record]:
    """Return what registers of fetched files beside the published ones say, by SHA-256."""
    from evalkit.run.fetch.register import read_register

    records: dict[str, Record] = {}
    folders = {parent for one in found.data if one.place is not None for parent in list(one.place.parents)[:3]}
    for folder in sorted(folders):
        with suppress(EvalkitError, OSError):
            records |= {one.sha256: one for one in read_register(folder).values()}
    return records


def _published(
    run: FinishedRun, path: str, digest: str, entry: CatalogueEntry | None, record: Record | None
) -> DataFile:
    url, fetched = (record.url, record.fetched[:10]) if record else ("", "")
    if run.is_synthetic:
        return DataFile(path=path, sha256=digest, title="Synthetic England", access=MADE_UP)
    if entry is None or entry.layout is None:
        return DataFile(
            path=path, sha256=digest, title=path.rpartition("/")[2], access=UNKNOWN, url=url, fetched=fetched
        )
    is_derived = entry.layout.publisher == "derived"
    return DataFile(
        path=path,
        sha256=digest,
        title=entry.title,
        publisher="" if is_derived else entry.layout.publisher,
        years=entry.contents.years,
        access=DERIVED if is_derived else PUBLIC,
        fetch=_fetch_line(entry),
        url=url,
        fetched=fetched,
    )


def _fetch_line(entry: CatalogueEntry) -> str:
    """Return the command that fetches a file like this one, empty where the kit knows no address."""
    assert entry.layout is not None
    source, only = _SOURCES.get(entry.layout.name, ("", ""))
    if not source:
        return ""
    words = ["evalkit", "fetch", source]
    if source == "performance-tables":
        words += ["--years", ",".join(map(str, entry.contents.years))]
        words += ["--la", entry.contents.areas[0]] if len(entry.contents.areas) == 1 else []
    return shlex.join([*words, *(["--only", only] if only else [])])


def fetch_lines(files: Sequence[DataFile]) -> tuple[str, ...]:
    """Return the commands that fetch what can be fetched, each once, in order."""
    return tuple(dict.fromkeys(one.fetch for one in files if one.fetch))


def told(file: DataFile) -> Iterator[str]:
    """Yield the lines that say of a file what it is and how to get it."""
    years = f", summer of {', '.join(map(str, file.years))}" if file.years else ""
    by = f", {file.publisher}" if file.publisher else ""
    size = f"; {counted(file.size, 'byte')}" if file.size is not None else ""
    yield f"- `{file.path}`: {file.title}{by}{years}. {file.access}"
    yield f"  SHA-256 `{file.sha256}`{size}."
    if file.url:
        yield f"  Fetched {file.fetched} from <{file.url}>."
    if file.fetch:
        yield f"  `{file.fetch}`"
