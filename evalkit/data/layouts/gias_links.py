"""Links between establishments in GIAS: which school followed, merged with or was split from which."""

from __future__ import annotations

from typing import Final

from evalkit.data.files.layout import Contents, Field, Layout, has_fields
from evalkit.data.files.raw_table import Peek, RawTable
from evalkit.data.layouts.school_columns import latest_day

_FIELDS: Final = (
    Field(name="URN", meaning="Unique reference number of the establishment.", form="urn"),
    Field(name="LinkURN", meaning="That of the establishment it is linked to.", form="urn"),
    Field(name="LinkName", meaning="Name of that establishment.", is_required=False),
    Field(name="LinkType", meaning="What the linked establishment is to it, such as Predecessor."),
    Field(name="LinkEstablishedDate", meaning="Day of the link; blank for a quarter of them.", form="date"),
)


def _fits(peek: Peek) -> bool:
    return peek.form == "csv" and has_fields(peek, _FIELDS)


def _contents(table: RawTable) -> Contents:
    """Return what a file of links gives: of two cuts the one that reaches the later day is used."""
    frame = table.read(["URN", "LinkType", "LinkEstablishedDate"]).fillna("")
    return Contents(
        rows=len(frame), levels=("school",), measures=tuple(sorted(frame["LinkType"].unique())), subject="GIAS links",
        as_of=latest_day(frame["LinkEstablishedDate"]),
    )  # fmt: skip


LAYOUTS: Final = (
    Layout(
        name="gias-links", title="Get Information about Schools, links between establishments", publisher="DfE",
        fields=_FIELDS, fits=_fits, contents=_contents, reader="read_links", seen="England, 2021 and 2022",
    ),
)  # fmt: skip
