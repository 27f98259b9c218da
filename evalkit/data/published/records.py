"""Schools and their results over time: every cell a number or a reason; which schools can be analysed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.project import OWN_GROUP, Exposure
from evalkit.data.areas.regions import region_of
from evalkit.data.flow import CountedCase
from evalkit.data.published.codes import NO_ROW, SYMBOLS, parse_cells
from evalkit.data.published.neighbours import NeighbourTable

# One row per school and summer as the sources list them, before any school is left out.

NOT_LISTED: Final = "\1"
"""Stands for the cell of a school that a long table has no row of for a measure; no file holds it."""
IDENTITY: Final = ("school_id", "urn", "year", "area", "laestab", "name", "minor_group")
"""Columns every listing has, whichever source it came from; `area` is missing where the source gives none."""


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """Schools as listed: one row per school and year, scores still as published text.

    `identity` has the columns of `IDENTITY` for every year listed. `scores` has `school_id`,
    `year`, the pupils counted (`pupils`) and one column per measure, for the years that were read
    and no other. `blank` is the reason of an empty cell by year, where the source has lost its
    codes. `cases` counts what identity over time had to resolve. `part_years` are years listed of single authorities
    and not of England, `area_names` the authorities' names as their tables give them; `symbol_years` are years whose
    cells hold the symbols of open data (`z`, `x`, `c`).
    """

    identity: pd.DataFrame
    scores: pd.DataFrame
    blank: dict[int, str]
    cases: tuple[CountedCase, ...]
    source: str
    part_years: frozenset[int] = frozenset()
    area_names: Mapping[int, str] = field(default_factory=dict)
    symbol_years: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for frame in (self.identity, self.scores):
            if frame.duplicated(["school_id", "year"]).any():
                raise DataError(
                    f"{self.source}: a school has two rows in one year; identity over time was not resolved."
                )

    def symbols_of(self, year: int) -> Mapping[str, str]:
        """Return the further codes that a year's cells may hold, with their meaning."""
        return {**SYMBOLS, NOT_LISTED: NO_ROW} if year in self.symbol_years else {}


@dataclass(frozen=True, slots=True, eq=False)
class OneRowAYear:
    """Rows with one of each school and year: how many further ones were dropped, and how many of these had results."""

    kept: pd.DataFrame
    n_dropped: int
    n_with_results: int


def one_row_a_year(rows: pd.DataFrame, measures: Sequence[str]) -> OneRowAYear:
    """Keep, of a school's rows in one year, the one with most results; then that of more pupils, then the older URN.

    In a year of conversion the closed school and the new one are both listed. The rule is the same whichever files
    list them: `rows` have `school_id`, `year`, `urn`, `pupils` and the measures, as text.
    """
    has_result = (pd.to_numeric(rows[code].str.removesuffix("%"), errors="coerce").notna() for code in measures)
    results = sum(each.astype(int) for each in has_result)
    pupils = pd.to_numeric(rows["pupils"], errors="coerce").fillna(-1)
    order = pd.DataFrame({"results": results, "pupils": pupils, "urn": rows["urn"]}).sort_values(
        ["results", "pupils", "urn"], ascending=[False, False, True]
    )
    ordered = rows.loc[order.index]
    same = ["school_id", "year"]
    # counted before the second rows go: how often both the closed and the new school had results
    both = ordered[ordered.duplicated(same, keep=False) & (order["results"] > 0)].duplicated(same)
    kept = ordered[~ordered.duplicated(same)].sort_values(same)
    return OneRowAYear(kept, len(ordered) - len(kept), int(both.sum()))


def whole_numbers(cells: pd.Series, where: str) -> pd.Series:
    """Return cells as whole numbers; raise `DataError` at the first that is not one."""
    numbers = pd.to_numeric(cells, errors="coerce")
    not_whole = cells[numbers.isna() | (numbers % 1 != 0)]
    if not not_whole.empty:
        raise DataError(
            f"{where}: {not_whole.iloc[0]!r} (row {not_whole.index[0] + 2} of the file) is not a whole number."
        )
    return numbers.astype(int)


def area_codes(cells: pd.Series) -> pd.Series:
    """Return the local authority of each row as a nullable whole number, missing where the source gives none.

    The sources write a blank, a dash or 0 where a row has no authority.
    """
    numbers = pd.to_numeric(cells, errors="coerce")
    return numbers.where(numbers > 0).astype("Int64")


# Schools and their results over time: every cell a number or a reason.

NO_AREA: Final = "no local authority given"
"""What stands for an area's name where the sources give a school none."""
OUTSIDE_ENGLAND_LIST: Final = "not in the 2017/18 school list"


@dataclass(frozen=True, slots=True, eq=False)
class SchoolRecords:
    """All schools of one key stage and what was published about them, or the units of a table of the project's own.

    `schools` is indexed by school_id (sorted): name, area (its code, missing where no list gives one), area_name,
    region, laestab, minor_group, is_converted (its URN changed between the last summer before the programme and the
    end). `values[measure]` and `reasons[measure]` are school × year frames: a value is missing
    exactly where there is a reason. `pupils` counts those of the year group, school × year. `years` are the summers
    whose scores were read. `urns` maps every URN a school was listed under, and its school_id, to its school_id.
    """

    key_stage: str
    schools: pd.DataFrame
    values: dict[str, pd.DataFrame]
    reasons: dict[str, pd.DataFrame]
    pupils: pd.DataFrame
    years: tuple[int, ...]
    urns: dict[str, str]
    cases: tuple[CountedCase, ...]


def make_records(
    listing: Listing, key_stage: str, measures: Sequence[str], exposure: Exposure, areas: NeighbourTable
) -> SchoolRecords:
    """Turn a listing into records: one row per school, one column per year read, a reason in every gap."""
    years = sorted(int(year) for year in listing.scores["year"].unique())
    identity = listing.identity.sort_values(["school_id", "year"], kind="stable")
    last = identity.drop_duplicates("school_id", keep="last").set_index("school_id").sort_index()
    schools = last[["name", "area", "laestab", "minor_group"]].copy()
    unnamed = ("area " + schools["area"].astype("string")).fillna(NO_AREA)
    names, regions = {**listing.area_names, **areas.names}, areas.regions or _regions_of(schools["area"])
    schools["area_name"] = schools["area"].map(names).astype(object).fillna(unnamed).astype(object)
    schools["region"] = schools["area"].map(regions).astype(object).fillna("")
    schools["is_converted"] = _changed_urn(identity, exposure).reindex(schools.index, fill_value=False)
    values, reasons = {}, {}
    for code in measures:
        values[code], reasons[code] = _by_year(listing, code, schools.index, years)
    pupils, _ = _by_year(listing, "pupils", schools.index, years)
    pairs = (identity[key].to_numpy(dtype=object) for key in ("urn", "school_id"))
    urns = {school: school for school in schools.index} | dict(zip(*pairs, strict=True))
    return SchoolRecords(key_stage, schools, values, reasons, pupils, tuple(years), urns, listing.cases)


def _regions_of(areas: pd.Series) -> dict[int, str]:
    """Return the region of each authority, where no list of neighbours says it."""
    return {int(code): region_of((int(code),)) for code in areas.dropna().unique()}


def _changed_urn(identity: pd.DataFrame, exposure: Exposure) -> pd.Series:
    """Return whether a school's URN at the end differs from that of the last summer before the programme."""
    until = identity[identity["year"] <= max(exposure.years)]
    # a school that is first listed later has no URN before, and has not changed it
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
        value, reason = parse_cells(
            rows[column], where, listing.blank.get(int(str(year)), ""), listing.symbols_of(int(str(year)))
        )
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


# Which listed schools can be analysed, and the reason of each that cannot.

_GROUPS = {"": OUTSIDE_ENGLAND_LIST}


def exclusion_reasons(
    records: SchoolRecords, measure: str, years: Sequence[int], minor_groups: Sequence[str]
) -> pd.Series:
    """Return, for each school, why it cannot be analysed; an empty text where it can.

    A school is left out for the first of these that holds: it is not of the mainstream
    state-funded groups; in one of `years` (earliest first) no result was published.
    """
    reason = pd.Series("", index=records.schools.index, dtype=object)
    group = records.schools["minor_group"]
    outside = ~group.isin([*minor_groups, OWN_GROUP])
    reason[outside] = group[outside].map(
        lambda name: _GROUPS.get(name, f"not mainstream state-funded ({name.lower()})")
    )
    for year in sorted(years):
        missing = (reason == "") & records.values[measure][year].isna()
        reason[missing] = f"{year}: " + records.reasons[measure].loc[missing, year]
    return reason


def has_any_before_and_all_after(
    records: SchoolRecords, measure: str, pre: Sequence[int], post: Sequence[int], minor_groups: Sequence[str]
) -> pd.Series:
    """Return which mainstream schools have at least one result before and every result after."""
    values = records.values[measure]
    some = values[list(pre)].notna().any(axis=1) & values[list(post)].notna().all(axis=1)
    return some & records.schools["minor_group"].isin([*minor_groups, OWN_GROUP])
