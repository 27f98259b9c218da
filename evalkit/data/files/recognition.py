"""Which layout a file has, by its content; of one that has none, which it comes nearest to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from evalkit.core.words import listed
from evalkit.data.files.layout import Contents, Layout, lacking
from evalkit.data.files.raw_table import Peek, RawTable

_NEAR: Final = 0.5
"""Share of a layout's required columns that a table must have for the layout to be called the nearest."""
_FEWEST: Final = 2
"""Columns that must be there for that: one alone, such as URN, is in half of all tables."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file as the table it is: of a workbook the sheet that a layout fits. `layout` is None where none is known."""

    table: RawTable
    layout: Layout | None
    note: str = ""


def recognised(table: RawTable, layouts: Sequence[Layout]) -> Recognised:
    """Return a file's layout, the first that fits; raise `DataError` where the file cannot be read."""
    fitting = [
        Recognised(sheet, layout) for sheet in table.sheets() if (layout := layout_of(sheet.peek, layouts)) is not None
    ]
    if not fitting:
        return Recognised(table, None)
    rest = [f"'{one.table.peek.sheet}'" for one in fitting[1:]]
    note = f"sheet '{fitting[0].table.peek.sheet}' is read; {listed(rest, 5)} would be one as well" if rest else ""
    return Recognised(fitting[0].table, fitting[0].layout, note)


def layout_of(peek: Peek, layouts: Sequence[Layout]) -> Layout | None:
    """Return the first layout that the beginning of a file has, None where it has none of them."""
    return next((layout for layout in layouts if layout.fits(peek)), None)


def contents_of(found: Recognised) -> tuple[Contents, str]:
    """Return what a file gives, and why it cannot be used (empty where it can); damage is a reason, not an error."""
    layout, table = found.layout, found.table
    if layout is None:
        return Contents(rows=table.n_rows()), ""
    contents = layout.contents(table)
    if not contents.rows and not layout.unused_reason:
        return contents, "the file has a header but no rows. Download it again"
    return contents, layout.unused_reason


def unknown_reason(table: RawTable, layouts: Sequence[Layout]) -> str:
    """Return what to say of a file that no layout fits: the nearest one, and which of its columns are missing."""
    if table.form == "other":
        return "it is no table"
    peeks = [sheet.peek for sheet in table.sheets()]
    useful = [layout for layout in layouts if not layout.unused_reason]
    near = [(layout, *_nearness(peek, layout)) for peek in peeks for layout in useful]
    likely = [one for one in near if one[1] >= max(_FEWEST, _NEAR * (one[1] + len(one[2])))]
    if not likely:
        start = listed(peeks[0].columns, 5) if peeks[0].columns else "none"
        return f"no known layout has these columns ({start})"
    layout, _, missing = max(likely, key=lambda one: (one[1], -len(one[2])))
    if not missing:
        return f"it has the columns of '{layout.title}', but not its contents"
    return f"no known layout has these columns. The nearest is '{layout.title}', which also has {listed(missing, 5)}"


def _nearness(peek: Peek, layout: Layout) -> tuple[int, list[str]]:
    """Return how many of a layout's required columns a table has, and those that it lacks."""
    missing = lacking(peek.columns, layout.fields)
    return sum(field.is_required for field in layout.fields) - len(missing), missing
