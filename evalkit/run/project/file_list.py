"""Every file below a folder in words and as JSON: what it is, what it gives, or why it is not used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from evalkit.core.words import counted, listed
from evalkit.data.files.layout import Contents

if TYPE_CHECKING:
    from pathlib import Path

_SHOWN: Final = 4
"""Areas and measures that are named of a file before the rest are counted."""


class Listed(Protocol):
    """A file as a catalogue or a store has it."""

    @property
    def name(self) -> str:
        """Its path below the folder."""

    @property
    def kind(self) -> str:
        """The name of its layout, `unknown` where there is none."""

    @property
    def title(self) -> str:
        """What a reader calls it."""

    @property
    def publisher(self) -> str:
        """Who publishes it."""

    @property
    def contents(self) -> Contents:
        """What it gives."""

    @property
    def reason(self) -> str:
        """Why it is not used, empty where it is."""

    @property
    def note(self) -> str:
        """What else a reader should know."""


def files_of(folder: Path) -> Sequence[Listed]:
    """Return every file below a folder; from the store where that has this folder's files as they are now."""
    from evalkit.data.store.importing import unchanged
    from evalkit.run.project.workspace import default_store

    kept = unchanged(folder, default_store())
    if kept is not None:
        return kept
    from evalkit.data.files.catalogue import catalogue
    from evalkit.data.layouts.registry import layouts

    return catalogue(folder, layouts()).entries


def files_record(files: Sequence[Listed]) -> list[dict[str, Any]]:
    """Return every file as plain data, as `evalkit import --json` has it."""
    return [
        {
            "file": one.name,
            "kind": one.kind,
            "publisher": one.publisher,
            "years": list(one.contents.years),
            "rows": one.contents.rows,
            "used": not one.reason,
            "reason": one.reason,
        }
        for one in files
    ]


def whole_record(files: Sequence[Listed]) -> list[dict[str, Any]]:
    """Return every file as plain data with its areas, measures, levels and stage, as `evalkit check --json` has it."""
    return [
        {
            **record,
            "title": one.title,
            "areas": list(one.contents.areas),
            "measures": list(one.contents.measures),
            "levels": list(one.contents.levels),
            "stage": one.contents.stage,
            "note": one.note,
        }
        for record, one in zip(files_record(files), files, strict=True)
    ]


def files_lines(files: Sequence[Listed]) -> Iterator[str]:
    """Yield every file in lines a person reads, those used first."""
    used, rest = [one for one in files if not one.reason], [one for one in files if one.reason]
    yield f"\nFiles that can be used ({len(used)})"
    for one in used:
        yield f"  {one.name}: {one.title}"
        yield f"    {'; '.join(_gives(one.contents, one.publisher))}"
        if one.note:
            yield f"    {one.note}"
    yield f"\nFiles that are not used ({len(rest)})"
    yield from (f"  {one.name}: {one.title + ': ' if one.title else ''}{one.reason}" for one in rest)


def _gives(contents: Contents, publisher: str) -> Iterator[str]:
    if publisher:
        yield publisher
    yield counted(contents.rows, "row")
    if contents.years:
        yield f"years {_years(contents.years)}"
    if contents.levels:
        yield f"levels {listed(contents.levels, 6)}"
    if contents.areas:
        yield f"{counted(len(contents.areas), 'area')} ({_some(contents.areas)})"
    if contents.measures:
        yield f"{counted(len(contents.measures), 'measure')} ({_some(contents.measures)})"
    if contents.stage:
        yield contents.stage


def _years(years: Sequence[int]) -> str:
    """Return years as `2016 to 2019`, each by itself where there are gaps."""
    first, last = min(years), max(years)
    is_run = len(set(years)) == last - first + 1 and first < last
    return f"{first} to {last}" if is_run else listed([str(year) for year in years], 30)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
