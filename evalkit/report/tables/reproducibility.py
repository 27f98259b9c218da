"""Tables of the appendix: the choices as read, the files with their hashes, the versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from evalkit.core.manifest import Provenance
from evalkit.report.disclosure import ReleasedTable, release
from evalkit.report.table import Column, Table

_LEFT_OUT = ("description", "known_participants")
_SAID_ELSEWHERE = "Given in words in the report."


def parameters(provenance: Provenance) -> ReleasedTable:
    """Return every choice of the project file as it was read, defaults filled in."""
    columns = (Column("parameter", "Key in project.yml"), Column("value", "As read"))
    rows = tuple(_flat(provenance.parameters))
    notes = ("A key that the file leaves out stands here with its default. Lists are numbered from 1.",)
    caption = "Every parameter of this evaluation, as read and checked"
    return release(Table(caption=caption, columns=columns, rows=rows, notes=notes), provenance.threshold)


def _flat(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted keys with their values as text; a list of plain values stands in one line."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, Sequence) and any(isinstance(item, Mapping) for item in value):
        for number, item in enumerate(value, 1):
            yield from _flat(item, f"{key}.{number}")
    else:
        yield key, _SAID_ELSEWHERE if key.rpartition(".")[2] in _LEFT_OUT and value else _text(value)


def _text(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "not given" if value is None or value == "" else str(value)


def inputs(provenance: Provenance) -> ReleasedTable:
    """Return every file that was read, with the SHA-256 of its content."""
    columns = (Column("file", "File"), Column("sha256", "SHA-256"))
    rows = tuple((entry.path, entry.sha256) for entry in provenance.inputs)
    notes = (
        "Paths are below the project's folder or the folder of data. A file is the same where its SHA-256 is the same.",
    )
    table = Table(caption="Files read, with their SHA-256", columns=columns, rows=rows, notes=notes)
    return release(table, provenance.threshold)


def versions(provenance: Provenance) -> ReleasedTable:
    """Return the commit of the kit, and the versions of everything the numbers rest on."""
    columns = (Column("name", "What"), Column("version", "Version"))
    rows = (
        ("Commit of the kit", provenance.commit),
        ("Linear algebra and machine", provenance.numerics),
        *((name, version) for name, version in provenance.versions.items()),
    )
    table = Table(caption="Commit and versions", columns=columns, rows=rows)
    return release(table, provenance.threshold)
