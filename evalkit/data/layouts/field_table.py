"""Tables of schools whose columns are those of a layout's fields: read into keys, numbers and reasons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.words import shown_cell
from evalkit.data.files.layout import Contents, Field, Layout, fitting
from evalkit.data.files.raw_table import RawTable
from evalkit.data.layouts.file_names import stage_by_name, summer_by_name
from evalkit.data.layouts.opening import open_as
from evalkit.data.layouts.published_table import PublishedTable, published_table, refuse_repeated, stripped

MEASURED: Final = ("number", "percent")
"""Forms of fields that become numbers."""
NATION: Final = "NAT"
"""What stands in the place of an authority in rows of all England."""


def read_schools(
    path: Path, layout: Layout, *, one_of: Sequence[str], year: int | None, notes: Iterable[str] = ()
) -> PublishedTable:
    """Return the rows of a file of a layout as `read_fields` does; its name says the year where none is given."""
    table, _ = open_as(path, (layout,))
    summer = year if year is not None else summer_by_name(table.name)
    return read_fields(table, layout.fields, one_of=one_of, year=summer, notes=notes)


def named_as_fields(table: RawTable, fields: Sequence[Field]) -> pd.DataFrame:
    """Return a table with its columns under the names of the fields they are of; other columns keep their own."""
    frame = table.read()
    known = {name.casefold(): field.name for field in reversed(fields) for name in (field.name, *field.also)}
    frame = frame.rename(
        columns={column: known.get(str(column).strip().casefold(), column) for column in frame.columns}
    )
    if not len(frame):
        raise DataError(f"{table.name}: the file has a header but no rows. Download it again.")
    return frame.loc[:, ~frame.columns.duplicated()]


def read_fields(
    table: RawTable,
    fields: Sequence[Field],
    *,
    one_of: Sequence[str],
    year: int | None = None,
    notes: Iterable[str] = (),
    reasons: dict[str, str] | None = None,
) -> PublishedTable:
    """Return the columns of a table that are fields of its layout: numbers as such, the others as keys.

    `one_of` are the keys that a row stands alone in; `year` goes into the keys where it is known.
    """
    frame = named_as_fields(table, fields)
    present = [field for field in fields if field.name in frame.columns]
    measures = [field.name for field in present if field.form in MEASURED]
    keys = frame[[field.name for field in present if field.form not in MEASURED]].apply(stripped)
    require_ids(keys, present, table.name)
    refuse_repeated(keys[[name for name in one_of if name in keys]], table.name, "a row")
    if year is not None:
        keys["year"] = year
    return published_table(frame, table.name, measures=measures, keys=keys, notes=notes, reasons=reasons)


def require_ids(keys: pd.DataFrame, fields: Sequence[Field], name: str) -> None:
    """Raise `DataError` with the line of a URN or LAESTAB that is none; rows without one are of areas or England."""
    for field in fields:
        digits = {"urn": r"\d{5,7}", "laestab": r"\d{3}/?\d{4}"}.get(field.form)
        if digits is None:
            continue
        cells = keys[field.name]
        is_school = cells.ne("") & cells.str.contains(r"\d")
        wrong = cells[is_school & ~cells.str.fullmatch(digits)]
        if len(wrong):
            raise DataError(
                f"{name}: line {int(wrong.index[0]) + 2}: {shown_cell(wrong.iloc[0])} in the column "
                f"'{field.name}' is none ({len(wrong):,} such cells). Use the untouched download."
            )


def contents_of_schools(
    fields: Sequence[Field], what: str, *, area: str, school: str
) -> Callable[[RawTable], Contents]:
    """Return what says what a table of schools gives: `area` and `school` are fields with the authority and an id."""

    def contents(table: RawTable) -> Contents:
        frame = named_as_fields(table, fields)
        codes = stripped(frame[area]) if area in frame else pd.Series("", index=frame.index)
        ids = stripped(frame[school])
        is_school = ids.str.fullmatch(r"[\d/]+").to_numpy()
        areas = tuple(sorted(code for code in codes[is_school].unique() if re.fullmatch(r"\d{3}", str(code))))
        is_nation = codes.eq(NATION).to_numpy() | ids.eq(NATION).to_numpy()
        levels = [
            level
            for level, rows in (
                ("national", is_nation), ("school", is_school), ("other", ~is_school & ~is_nation),
            )
            if rows.any()
        ]  # fmt: skip
        summer = summer_by_name(table.name)
        scope = "England" if len(areas) > 1 else f"authority {areas[0]}" if areas else "no area"
        measures = tuple(one.name for one in fields if one.form in MEASURED and one.name in frame.columns)
        return Contents(
            rows=len(frame), years=(summer,) if summer else (), areas=areas, measures=measures, levels=tuple(levels),
            stage=stage_by_name(table.name), subject=f"{what} {summer} {scope}" if summer else "",
        )  # fmt: skip

    return contents


def layout_of_schools(fields: tuple[Field, ...], contents: Callable[[RawTable], Contents], **said: str) -> Layout:
    """Return a layout told by its required columns."""
    return Layout(fields=fields, fits=fitting(fields), contents=contents, **said)
