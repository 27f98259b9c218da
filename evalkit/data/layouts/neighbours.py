"""DfE's statistical neighbours of every authority, as a workbook or as CSV; which list a file is, by its content."""

from __future__ import annotations

from typing import Final

from evalkit.core.errors import DataError
from evalkit.data.files.layout import Contents, Field, Layout
from evalkit.data.files.raw_table import Peek, RawTable
from evalkit.data.published.neighbours import SHEET, csv_records, name_of_list, neighbours_of

_FIELDS: Final = (
    Field(name="LA num", meaning="Local authority, three digits.", form="area", also=("old_la_code",)),
    Field(name="LA Name", meaning="Name of the authority.", also=("la_name",)),
    Field(name="GOReg", meaning="Its region.", is_required=False, also=("region_name",)),
    Field(name="SN1", meaning="Its nearest neighbour; SN2 to SN10 follow.", form="area", also=("SN_1",)),
    Field(name="SNP", meaning="How close DfE calls the neighbour before it.", is_required=False, also=("SN_1P",)),
)


def _fits(peek: Peek) -> bool:
    if peek.form == "workbook":
        return peek.sheet == SHEET
    columns = {column.strip().casefold() for column in peek.columns}
    return peek.form == "csv" and any(names <= columns for names in ({"la num", "sn1"}, {"old_la_code", "sn_1"}))


def _contents(table: RawTable) -> Contents:
    """Return what a list gives; its name is that of its one measure."""
    found = neighbours_of(table.member)
    name = name_of_list(found)
    if not name:
        raise DataError(
            f"{table.name}: the list has neighbours neither of North Northamptonshire nor of Cumberland, so it is "
            "older than that of April 2021 and none that the kit knows. Use the list of April 2021 or May 2025."
        )
    rows = len(csv_records(table.member)) - 1 if table.peek.form == "csv" else len(found.neighbours)
    areas = tuple(str(code) for code in sorted(found.neighbours))
    return Contents(rows=rows, areas=areas, measures=(name,), levels=("local authority",))


LAYOUTS: Final = (
    Layout(
        name="neighbours", title="Statistical neighbours of local authorities", publisher="DfE", fields=_FIELDS,
        fits=_fits, contents=_contents, reader="read_neighbours",
        seen="the workbooks of April 2021 and May 2025, and both as CSV",
    ),
)  # fmt: skip
