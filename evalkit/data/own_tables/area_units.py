"""Units of a table that are authorities, or of which nothing is known: described as schools are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from evalkit.core.project import OWN_GROUP
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.records import NO_AREA

_LAESTAB: Final = 7
"""Digits of a LAESTAB: three of the area and four of the establishment."""


def area_code(text: str, areas: NeighbourTable) -> int | None:
    """Return the code of an authority that a text is, its code or its name; None for what is none."""
    if text.isdigit() and int(text) in areas.names:
        return int(text)
    return {name.casefold(): code for code, name in areas.names.items()}.get(text.casefold())


def unknown_units(units: Sequence[str]) -> pd.DataFrame:
    """Return the description of units of which nothing is known but their ids."""
    index = pd.Index(sorted(units), name="school_id", dtype=object)
    frame = pd.DataFrame(index=index)
    frame["name"] = pd.Series("", index=index, dtype=object)
    frame["area"] = pd.Series(pd.NA, index=index, dtype="Int64")
    plain = [unit.replace("/", "") for unit in index]
    laestabs = [number if len(number) == _LAESTAB and number.isdigit() else "" for number in plain]
    frame["laestab"] = pd.Series(laestabs, index=index, dtype=object)
    frame["minor_group"] = pd.Series(OWN_GROUP, index=index, dtype=object)
    frame["area_name"] = pd.Series(NO_AREA, index=index, dtype=object)
    frame["region"] = pd.Series("", index=index, dtype=object)
    frame["is_converted"] = False
    frame["is_known"] = False
    return frame


def described_areas(units: Mapping[str, str], areas: NeighbourTable) -> pd.DataFrame:
    """Return the description of units of which most are authorities, by the unit that each id means."""
    frame = unknown_units(sorted(set(units.values())))
    codes = [area_code(unit, areas) for unit in frame.index]
    frame["is_known"] = [code is not None for code in codes]
    frame["area"] = pd.array(codes, dtype="Int64")
    frame["name"] = [areas.names.get(code, "") if code is not None else "" for code in codes]
    return with_area_names(frame, areas)


def with_area_names(frame: pd.DataFrame, areas: NeighbourTable) -> pd.DataFrame:
    """Give areas their names and regions."""
    codes = [None if pd.isna(code) else int(code) for code in frame["area"]]
    names = [NO_AREA if code is None else areas.names.get(code, f"area {code}") for code in codes]
    regions = ["" if code is None else areas.regions.get(code, "") for code in codes]
    return frame.assign(
        area_name=pd.Series(names, index=frame.index, dtype=object),
        region=pd.Series(regions, index=frame.index, dtype=object),
    )
