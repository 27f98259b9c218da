"""The Local Authority Interactive Tool's long table, and its measures one by one."""

from __future__ import annotations

from typing import Final

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.data.areas.lait import FIRST_REGION, MEASURE, NAME, NUMBER, VALUE, YEAR
from evalkit.data.files.layout import Contents, Field, Layout, fitting
from evalkit.data.files.raw_table import RawTable
from evalkit.data.own_tables.year_labels import read_year_label

_FIELDS: Final = (
    Field(name=MEASURE, meaning="Short name of the measure, by which it is asked for."),
    Field(name=YEAR, meaning="Year: 2019, 2018/19, 2018-19 (OT), 2018 (Rev), 2025 (prov), 2014-16.", form="period"),
    Field(name=NAME, meaning="Name of the authority or region."),
    Field(name=VALUE, meaning="The value; - where there is none.", form="number"),
    Field(name=NUMBER, meaning="DfE's number: authorities below 970, 970 England, 980 to 990 regions.", form="area"),
    Field(name="Data item", meaning="The measure in words, in its first year alone.", is_required=False),
    Field(name="Region", meaning="Region of the authority.", is_required=False),
)
_ENGLAND: Final = 970


def _contents(table: RawTable) -> Contents:
    frame = table.read([MEASURE, YEAR, NUMBER])
    numbers = pd.to_numeric(frame[NUMBER], errors="coerce")
    areas = sorted({int(number) for number in numbers.dropna() if number < FIRST_REGION})
    levels = [
        ("local authority", numbers < FIRST_REGION),
        ("national", numbers == _ENGLAND),
        ("regional", numbers > 979),
    ]
    return Contents(
        rows=len(frame),
        years=tuple(sorted({year for label in frame[YEAR].unique() if (year := _year(str(label)))})),
        areas=tuple(str(area) for area in areas),
        measures=tuple(str(measure) for measure in frame[MEASURE].dropna().unique()),
        levels=tuple(level for level, rows in levels if rows.any()),
        subject="Local Authority Interactive Tool",
    )


def _year(label: str) -> int | None:
    """Return the year of a label, None for an average over years or what is no year: asking for a measure says so."""
    try:
        return read_year_label(label, "").year
    except DataError:
        return None


LAYOUTS: Final = (
    Layout(
        name="lait", title="Local Authority Interactive Tool, long table", publisher="DfE", fields=_FIELDS,
        fits=fitting(_FIELDS), contents=_contents, reader="read_lait", seen="the whole table, 2014 to 2026",
    ),
)  # fmt: skip
