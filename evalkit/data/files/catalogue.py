"""What every file below a folder is, what it gives, and which are used: nothing is passed over in silence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from evalkit.core.errors import DataError
from evalkit.data.files.layout import STAGES, Contents, Layout
from evalkit.data.files.members import Member, members
from evalkit.data.files.raw_table import RawTable


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """One file: what it is (`layout`, None where that is not known), what it gives, and why where it is not used."""

    member: Member
    layout: Layout | None
    contents: Contents
    reason: str = ""

    @property
    def is_used(self) -> bool:
        """Return whether the file is used."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every file below a folder, in the order of its name."""

    folder: Path
    entries: tuple[CatalogueEntry, ...]

    def of(self, layout: str) -> tuple[CatalogueEntry, ...]:
        """Return the files used that are of a layout, by its name."""
        return tuple(entry for entry in self.entries if entry.is_used and entry.layout and entry.layout.name == layout)


def catalogue(folder: Path, layouts: Iterable[Layout]) -> Catalogue:
    """Return what every file below a folder is, by its content alone."""
    known = tuple(layouts)
    return Catalogue(folder, _resolved([_entry(member, known) for member in members(folder)]))


def _entry(member: Member, layouts: tuple[Layout, ...]) -> CatalogueEntry:
    table = RawTable(member)
    layout = None
    try:
        layout = next((layout for layout in layouts if layout.fits(table.peek)), None)
        if layout is None:
            return CatalogueEntry(
                member=member, layout=None, contents=Contents(rows=0), reason="no known layout has these columns"
            )
        return CatalogueEntry(
            member=member, layout=layout, contents=layout.contents(table), reason=layout.unused_reason
        )
    except DataError as problem:
        return CatalogueEntry(member=member, layout=layout, contents=Contents(rows=0), reason=str(problem))


def _resolved(entries: list[CatalogueEntry]) -> tuple[CatalogueEntry, ...]:
    """Leave out, of files for one thing, all but that of the latest stage."""
    resolved = []
    for entry in entries:
        rivals = [
            other
            for other in entries
            if other.is_used and entry.is_used and entry.contents.subject and other is not entry
            and other.contents.subject == entry.contents.subject
        ]  # fmt: skip
        later = [other for other in rivals if _rank(other) > _rank(entry)]
        reason = f"{later[0].member.name} is the later stage of the same table" if later else entry.reason
        resolved.append(replace(entry, reason=reason))
    return tuple(resolved)


def _rank(entry: CatalogueEntry) -> int:
    return STAGES.index(entry.contents.stage)
