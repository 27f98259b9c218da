"""Schools and their results over time: every cell a number or a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.project import Exposure
from evalkit.data.codes import NO_ROW, parse_cells
from evalkit.data.flow import CountedCase
from evalkit.data.listing import Listing
from evalkit.data.neighbours import NeighbourTable

OUTSIDE_ENGLAND_LIST: Final = "not in the 2017/18 school list"


@dataclass(frozen=True, slots=True, eq=False)
class SchoolRecords:
    """All schools of one key stage and what was published about them.

    `schools` is indexed by school_id (sorted): name, area, area_name, region, laestab, minor_group,
    is_converted (its URN changed between the last summer before the
    programme and the end). `values[measure]` and `reasons[measure]` are school × year frames: a value is missing
    exactly where there is a reason. `cohort` counts pupils, school × year. `years` are the summers
    whose scores were read. `urns` maps every URN a school was listed under, and its school_id, to its school_id.
    """

    key_stage: str
    schools: pd.DataFrame
    values: dict[str, pd.DataFrame]
    reasons: dict[str, pd.DataFrame]
    cohort: pd.DataFrame
    years: tuple[int, ...]
    urns: dict[str, str]
    cases: tuple[CountedCase, ...]


def make_records(
    listing: Listing, key_stage: str, measures: Sequence[str], exposure: Exposure, areas: NeighbourTable
) -> SchoolRecords:
    """Turn a listing into records: one row per school, one column per year read, a reason in every gap."""
    years = [year for year in exposure.years if (listing.scores["year"] == year).any()]
    identity = listing.identity.sort_values(["school_id", "year"], kind="stable")
    last = identity.drop_duplicates("school_id", keep="last").set_index("school_id").sort_index()
    schools = last[["name", "area", "laestab", "minor_group"]].copy()
    schools["area_name"] = schools["area"].map(areas.names).fillna("area " + schools["area"].astype(str))
    schools["region"] = schools["area"].map(areas.regions).fillna("")
    schools["is_converted"] = _changed_urn(identity, exposure).reindex(schools.index, fill_value=False)
    values, reasons = {}, {}
    for code in measures:
        values[code], reasons[code] = _by_year(listing, code, schools.index, years)
    cohort, _ = _by_year(listing, "cohort", schools.index, years)
    pairs = (identity[key].to_numpy(dtype=object) for key in ("urn", "school_id"))
    urns = {school: school for school in schools.index} | dict(zip(*pairs, strict=True))
    return SchoolRecords(key_stage, schools, values, reasons, cohort, tuple(years), urns, listing.cases)


def _changed_urn(identity: pd.DataFrame, exposure: Exposure) -> pd.Series:
    """Return whether a school's URN at the end differs from that of the last summer before the programme."""
    until = identity[identity["year"] <= max(exposure.years)]
    before = until[until["year"] <= max(exposure.pre)].groupby("school_id")["urn"].last()
    after = until.groupby("school_id")["urn"].last()
    return before.reindex(after.index).fillna(after) != after


def _by_year(
    listing: Listing, column: str, schools: pd.Index, years: Sequence[int]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    numbers = np.full((len(schools), len(years)), np.nan)
    reasons = np.full(numbers.shape, NO_ROW, dtype=object)
    for year, rows in listing.scores.groupby("year"):
        where = f"{listing.source}, {column}, {year}"
        value, reason = parse_cells(rows[column], where, listing.blank.get(int(str(year)), ""))
        place, column_of_year = schools.get_indexer(pd.Index(rows["school_id"])), list(years).index(int(str(year)))
        if (place < 0).any():
            raise DataError(
                f"{where}: a score belongs to a school that the file does not describe; please report this."
            )
        numbers[place, column_of_year], reasons[place, column_of_year] = value, reason
    return (
        pd.DataFrame(numbers, index=schools, columns=list(years)),
        pd.DataFrame(reasons, index=schools, columns=list(years), dtype=object),
    )
