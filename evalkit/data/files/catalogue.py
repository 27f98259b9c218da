"""What every file below a folder is, what it gives, and which are used: nothing is passed over in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from evalkit.core.errors import DataError
from evalkit.data.files.conflicts import reasons
from evalkit.data.files.layout import Contents, Layout
from evalkit.data.files.members import Member, members, require_folder, sha256_of
from evalkit.data.files.raw_table import RawTable
from evalkit.data.files.recognition import Recognised, contents_of, recognised, unknown_reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """One file: what it is (`layout`, None where that is not known), what it gives, and why where it is not used.

    `fault` is why by itself it is not used, `reason` also why another file is used in its place. `note` says what else
    a reader of the list should know; `sheet` is the one read of a workbook.
    """

    member: Member
    layout: Layout | None
    contents: Contents
    reason: str = ""
    fault: str = ""
    note: str = ""
    sheet: str = ""

    @property
    def is_used(self) -> bool:
        """Return whether the file is used."""
        return not self.reason

    @property
    def name(self) -> str:
        """Return the file's path below the folder, with that of its archive."""
        return self.member.name

    @property
    def kind(self) -> str:
        """Return the name of its layout, `unknown` where there is none."""
        return self.layout.name if self.layout else "unknown"

    @property
    def title(self) -> str:
        """Return what a reader of the list calls it."""
        return self.layout.title if self.layout else ""

    @property
    def publisher(self) -> str:
        """Return who publishes it, empty where that is not known."""
        return self.layout.publisher if self.layout else ""

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the file as it lies there; of an archive's member, unpacked from it."""
        return sha256_of(self.member)

    def table(self) -> RawTable:
        """Return the file as a table of text."""
        return RawTable(self.member, self.sheet)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every file below a folder, in the order of its name."""

    folder: Path
    entries: tuple[CatalogueEntry, ...]

    def of(self, layout: str) -> tuple[CatalogueEntry, ...]:
        """Return the files used that are of a layout, by its name."""
        return tuple(entry for entry in self.entries if entry.is_used and entry.kind == layout)


def catalogue(folder: Path, layouts: Iterable[Layout]) -> Catalogue:
    """Return what every file below a folder is, by its content alone; raise `DataError` where there is no folder."""
    require_folder(folder)
    known = tuple(layouts)
    entries = [entry_of(RawTable(member), known) for member in members(folder)]
    told = reasons(entries, lambda at: sha256_of(entries[at].member, is_unpacked=True))
    return Catalogue(folder, tuple(replace(one, reason=reason) for one, reason in zip(entries, told, strict=True)))


Keep = Callable[[RawTable, str], RawTable]


def entry_of(table: RawTable, layouts: Sequence[Layout], keep: Keep | None = None) -> CatalogueEntry:
    """Return what one file is and gives; `fault` says why it cannot be used, whatever else is there.

    `keep` is given the table and the name of its layout where the file may be used, and returns the table that is read
    from then on: a copy of it, say.
    """
    found = Recognised(table, None)
    try:
        found = recognised(table, layouts)
        if keep is not None and found.layout is not None and not found.layout.unused_reason:
            found = replace(found, table=keep(found.table, found.layout.name))
        contents, fault = contents_of(found)
    except DataError as problem:
        contents, fault = _damaged(found, _without_name(str(problem), table.name))
    if found.layout is None and not fault:
        fault = unknown_reason(table, layouts)
    return CatalogueEntry(
        member=table.member,
        layout=found.layout,
        contents=contents,
        fault=fault,
        note=found.note,
        sheet=found.table.sheet,
    )


def _damaged(found: Recognised, problem: str) -> tuple[Contents, str]:
    """Return how many rows of a file can be counted at all, and what is wrong with it."""
    with suppress(DataError):
        if found.layout is None and len(found.table.peek.columns) == 1 and found.table.form == "csv":
            return Contents(rows=0), "it is a text, not a table"
        return Contents(rows=found.table.n_rows()), problem
    return Contents(rows=0), problem


def _without_name(text: str, name: str) -> str:
    return text.removeprefix(f"{name}: ").removesuffix(".")
