"""Exclusions by authority, 2006/07 to 2016/17, in the layouts of DfE's statistical releases of the time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from evalkit.data.files.layout import Contents, Field, Layout, fitting
from evalkit.data.files.raw_table import Peek, RawTable
from evalkit.data.own_tables.year_labels import read_year_label
from evalkit.data.published.codes import read_cells

_KEYS: Final = (
    Field(name="year", meaning="School year in six digits, 201617.", form="period"),
    Field(name="la_name", meaning="Name of the local authority; England or blank in other rows."),
    Field(name="school_type", meaning="Total, Primary, Secondary or Special (as the file calls them)."),
)
_LEVEL: Final = Field(name="level", meaning="National, Regional or Local authority.")
_RATES: Final = (
    *_KEYS,
    _LEVEL,
    Field(name="headcount", meaning="Pupils.", form="number"),
    Field(name="perm_excl", meaning="Permanent exclusions.", form="number"),
    Field(name="perm_excl_rate", meaning="Permanent exclusions per 100 pupils.", form="number"),
    Field(name="fixed_excl", meaning="Fixed-period exclusions.", form="number"),
    Field(name="fixed_excl_rate", meaning="Fixed-period exclusions per 100 pupils.", form="number"),
    Field(name="one_plus_fixed", meaning="Pupils with one or more.", form="number"),
    Field(name="one_or_more_fixed_excl_rate", meaning="Pupils with one or more, per 100.", form="number"),
)
_REASONS: Final = (
    *_KEYS,
    Field(name="perm_persistent_disruptive", meaning="Permanent exclusions for persistent disruption.", form="number"),
    Field(name="fixed_persistent_disruptive", meaning="Fixed-period exclusions for the same.", form="number"),
    Field(name="level", meaning=_LEVEL.meaning, is_required=False),
    Field(name="old_la_code", meaning="Local authority, three digits.", form="area", is_required=False),
)
_TEXTS: Final = ("level", "year", "country_code", "country_name", "region_code", "region_name", "old_la_code")
_OTHER_TEXTS: Final = ("new_la_code", "la_name", "school_type")


def _contents(what: str) -> Callable[[RawTable], Contents]:
    def contents(table: RawTable) -> Contents:
        there = [column for column in ("level", "old_la_code") if column in table.peek.columns]
        frame = table.read(["year", *there])
        years = {read_year_label(str(label), table.name).year for label in frame["year"].unique()}
        levels = sorted({str(level).casefold() for level in frame["level"].unique()}) if "level" in there else []
        areas = frame["old_la_code"].unique().tolist() if "old_la_code" in there else []
        return Contents(
            rows=len(frame), years=tuple(sorted(years)), levels=tuple(levels) or ("local authority", "national"),
            areas=tuple(sorted(area for area in areas if str(area).isdigit())), measures=_measures(table.peek),
            subject=f"{what}, {min(years)} to {max(years)}, {len(frame)} rows" if years else "",
        )  # fmt: skip

    return contents


def _measures(peek: Peek) -> tuple[str, ...]:
    import pandas as pd

    texts = (*_TEXTS, *_OTHER_TEXTS)
    named = [column for column in peek.columns if column not in texts]
    return tuple(column for column in named if not read_cells(pd.Series(peek.cells(column))).is_odd.any())


LAYOUTS: Final = (
    Layout(
        name="exclusions", title="Exclusions by local authority, counts and rates", publisher="DfE", fields=_RATES,
        fits=fitting(_RATES), contents=_contents("exclusions"), reader="read_exclusions", seen="2006/07 to 2016/17",
    ),
    Layout(
        name="exclusions-by-reason", title="Exclusions by local authority and reason", publisher="DfE",
        fields=_REASONS, fits=fitting(_REASONS), contents=_contents("exclusions by reason"), reader="read_exclusions",
        seen="2006/07 to 2016/17",
    ),
)  # fmt: skip
