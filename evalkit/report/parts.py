"""The pieces of a report, and their way through a notebook and back."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from evalkit.core.errors import EvalkitError
from evalkit.report.bundle import PART_MIME
from evalkit.report.disclosure import ReleasedTable
from evalkit.report.figure import Figure
from evalkit.report.prose import Prose
from evalkit.report.table_record import table_from_record

__all__ = ["PART_MIME", "Heading", "Part", "Shown", "Text", "part_bundle", "part_from_json"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: `level` 1 begins a chapter of the report."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """What a notebook's author wrote between headings, as Markdown."""

    markdown: str


Shown = Prose | ReleasedTable | Figure
"""A noun that a cell shows."""
Part = Heading | Text | Shown


def part_bundle(part: Shown) -> dict[str, object]:
    """Return what a notebook keeps of a part: HTML, plain text and the record it is read back from."""
    return part._repr_mimebundle_()


def part_from_json(record: Mapping[str, Any]) -> Shown:
    """Return the part of a record; a table passes disclosure control again.

    Raises
    ------
    EvalkitError
        If the record is of no part of this kit, or holds a table that may not leave.
    """
    try:
        return _READERS[record["part"]](record)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise EvalkitError(
            "A notebook holds a part that this version of evalkit cannot read. Run the project again."
        ) from None


def _prose(record: Mapping[str, Any]) -> Prose:
    return Prose(tuple(map(str, record["sentences"])), record["kind"])


def _table(record: Mapping[str, Any]) -> ReleasedTable:
    return ReleasedTable(table_from_record(record["table"]), int(record["threshold"]))


def _figure(record: Mapping[str, Any]) -> Figure:
    return Figure(
        name=str(record["name"]),
        png=b64decode(record["png"]),
        svg=b64decode(record["svg"]),
        alt=record["alt"],
        caption=record["caption"],
        data=_table(record["data"]),
    )


_READERS: Final[dict[str, Callable[[Mapping[str, Any]], Shown]]] = {
    "prose": _prose,
    "table": _table,
    "figure": _figure,
}
