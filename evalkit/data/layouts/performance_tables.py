"""DfE's wide performance tables of key stages 2 and 4, of England or of one authority, in the layout of any year."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from evalkit.data.files.layout import Contents, Field, Layout, Stage, has_fields
from evalkit.data.files.raw_table import Peek, RawTable

_KEYS: Final = (
    Field(name="RECTYPE", meaning="Type of record: a school, an authority or England.", form="code"),
    Field(name="LEA", meaning="Local authority, three digits.", form="area", also=("LA",)),
    Field(name="ESTAB", meaning="Number of the establishment within its authority.", form="code"),
    Field(name="URN", meaning="Unique reference number of the school.", form="urn"),
    Field(name="SCHNAME", meaning="Name of the school."),
)
_KS2: Final = (*_KEYS, Field(name="TELIG", meaning="Pupils at the end of key stage 2.", form="number"))
_KS4: Final = (*_KEYS, Field(name="TPUP", meaning="Pupils at the end of key stage 4.", form="number"))
_PRIOR: Final = re.compile(r"_(\d{2})")
_FEWEST: Final = 2
"""Columns that carry a prior year's suffix before it is believed: one alone can be of another kind."""
_GRADES: Final = 90
"""`PTL2BASICS_94` and `_95` are of grades 4 and 5."""


def summer_by_columns(columns: tuple[str, ...]) -> int | None:
    """Return the summer of a wide table: the one after the last that its prior-year columns are of."""
    found = [match[1] for name in columns if (match := _PRIOR.search(name[-3:])) is not None]
    repeated = [int(suffix) for suffix in set(found) if found.count(suffix) >= _FEWEST and int(suffix) < _GRADES]
    return 2000 + max(repeated) + 1 if repeated else None


def _contents(stage: str) -> Callable[..., Any]:
    def contents(table: RawTable) -> Contents:
        frame = table.read(["RECTYPE", "LEA", "URN"])
        schools = frame[frame["RECTYPE"].isin(["1", "2"])]
        areas = tuple(sorted(schools["LEA"].dropna().unique()))
        year = summer_by_columns(table.peek.columns)
        scope = "England" if len(areas) > 1 else f"authority {areas[0]}" if areas else "no area"
        years = (year,) if year else ()
        return Contents(
            rows=len(frame), years=years, areas=areas, levels=("school",), stage=stage_by_name(table.name),
            subject=f"{stage} {year} {scope}",
        )  # fmt: skip

    return contents


def stage_by_name(name: str) -> Stage:
    """Return whether a file calls itself provisional, revised or final; empty where it does not say."""
    found = [stage for stage in ("provisional", "revised", "final") if stage in name.lower()]
    return found[-1] if found else ""  # type: ignore[return-value]  # one of the stages


def _fits(fields: tuple[Field, ...]) -> Callable[..., Any]:
    def fits(peek: Peek) -> bool:
        return peek.form == "csv" and has_fields(peek, fields)

    return fits


LAYOUTS: Final = (
    Layout(
        name="performance-table-ks2", title="Performance table, key stage 2", publisher="DfE", fields=_KS2,
        fits=_fits(_KS2), contents=_contents("KS2"), seen="Hampshire and Surrey, 2016/17 to 2018/19",
    ),
    Layout(
        name="performance-table-ks4", title="Performance table, key stage 4", publisher="DfE", fields=_KS4,
        fits=_fits(_KS4), contents=_contents("KS4"), seen="Hampshire and Surrey, 2016/17 to 2018/19",
    ),
)  # fmt: skip
