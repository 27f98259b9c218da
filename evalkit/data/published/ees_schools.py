"""Long tables of schools' results as one listing over the years, as wide performance tables are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.words import listed
from evalkit.data.files.layout import STAGES
from evalkit.data.files.members import Member
from evalkit.data.files.raw_table import RawTable
from evalkit.data.flow import CountedCase
from evalkit.data.layouts.ees_schools import SchoolRows, read_school_rows, summers_in, summers_of
from evalkit.data.layouts.file_names import stage_by_name
from evalkit.data.measures import EesCell, measure
from evalkit.data.published.records import NOT_LISTED, Listing, area_codes, one_row_a_year
from evalkit.data.published.school_lists import Links
from evalkit.data.published.tables import read_table

_TYPE: str = "establishment_type_group"
_PUPILS = {"KS4": ("pupil_count", "t_pupils")}
"""Columns that count the pupils of the year group in the results themselves, that of the latest release first."""


@dataclass(frozen=True, slots=True)
class LongTables:
    """Long tables of one key stage: results, and for key stage 2 the tables that count pupils."""

    results: tuple[Member, ...]
    pupils: tuple[Member, ...]

    def summers(self) -> dict[int, Member]:
        """Return the table that each summer is read from.

        Of two that have it: the later stage by its name; then that whose last summer is later, the newer release.

        Raises
        ------
        DataError
            If two tables are alike in both.
        """
        found: dict[int, list[tuple[tuple[int, int], Member]]] = {}
        for file in self.results:
            years = _summers(file, *_state(file))
            rank = (STAGES.index(stage_by_name(file.name)), max(years, default=0))
            for year in years:
                found.setdefault(year, []).append((rank, file))
        return {year: _latest(year, files) for year, files in sorted(found.items())}


def _latest(year: int, files: list[tuple[tuple[int, int], Member]]) -> Member:
    last = max(rank for rank, _ in files)
    latest = [file for rank, file in files if rank == last]
    if len(latest) > 1:
        names = " and ".join(one.name for one in latest)
        raise DataError(f"{names} both give schools' results of {year}. Keep the one this evaluation should read.")
    return latest[0]


def _state(file: Member) -> tuple[int, int]:
    stat = file.path.stat()
    return stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=64)
def _summers(file: Member, size: int, changed: int) -> tuple[int, ...]:
    """Return a table's summers, read again only where it has changed."""
    return summers_in(file)


def read_long_results(
    tables: LongTables, links: Links, measures: Sequence[str], *, key_stage: str, years: Collection[int],
    beside: Sequence[str] = (), but: Collection[int] = (),
) -> Listing:  # fmt: skip
    """Assemble long tables into one listing, following each school over changes of identity.

    Parameters
    ----------
    tables : LongTables
    links : Links
        One-to-one predecessors.
    measures, beside : sequence of str
        Measures that must be there, and measures that are read where they are.
    key_stage : str
    years : collection of int
        Summers whose scores may be read; other summers give identity only.
    but : collection of int
        Summers that are not read at all.
    """
    of_summer = {year: file for year, file in tables.summers().items() if year not in but}
    parts = []
    for file in dict.fromkeys(of_summer.values()):
        own = [year for year, one in of_summer.items() if one == file]
        parts.append(_one_table(file, own, [year for year in own if year in years], (*measures,), (*beside,)))
    rows = pd.concat(parts, ignore_index=True)
    if key_stage == "KS2":
        rows["pupils"] = _pupils(rows, tables.pupils, years)
    rows["school_id"] = rows["urn"].map(links.oldest)
    found = one_row_a_year(rows, measures)
    kept = found.kept
    cases = (
        CountedCase("second rows of a school in one year of the long tables, dropped", found.n_dropped),
        CountedCase("of these, second rows of the long tables that had results too", found.n_with_results),
    )
    identity = kept[["school_id", "urn", "year", "area", "laestab", "name", "type"]].assign(minor_group="")
    scores = kept.loc[kept["year"].isin(list(years)), ["school_id", "year", "pupils", *measures, *beside]]
    source = ", ".join(file.name.rpartition("/")[2] for file in dict.fromkeys(of_summer.values()))
    return Listing(
        identity.reset_index(drop=True), scores.reset_index(drop=True), {}, (*links.cases, *cases), source,
        symbol_years=frozenset(of_summer),
    )  # fmt: skip


def _one_table(
    file: Member, own: Sequence[int], years: Sequence[int], measures: tuple[str, ...], beside: tuple[str, ...]
) -> pd.DataFrame:
    """Return a row for each school and summer of one table, with cells in the summers asked for."""
    header = [name.casefold() for name in RawTable(file).peek.columns]
    cells = {code: cell for code in (*measures, *beside) if (cell := measure(code).ees) is not None}
    lacking = [code for code in measures if code not in cells or _column(cells[code], header) is None]
    if lacking and years:
        raise DataError(
            f"{file.name}: the table does not hold {listed(lacking)}. This kit reads it from the wide performance "
            "tables alone, or the file has no column of it."
        )
    columns = {code: name for code, cell in cells.items() if (name := _column(cell, header)) is not None}
    counted = next((name for name in _PUPILS.get(measure(measures[0]).key_stage, ()) if name in header), None)
    further = [name for name in (counted, _TYPE) if name is not None and name in header]
    table = read_school_rows(file, list(dict.fromkeys([*columns.values(), *further])), years)
    rows = _identity(table, own)
    key = pd.MultiIndex.from_frame(rows[["urn", "year"]])
    for code in (*measures, *beside):
        found = _cells(table, cells[code], columns[code]) if years and code in columns else None
        rows[code] = NOT_LISTED if found is None else found.reindex(key).fillna(NOT_LISTED).to_numpy(dtype=object)
    wanted = EesCell(columns=(), subject=cells[measures[0]].subject if measures[0] in cells else "")
    for name, column in (("pupils", counted), ("type", _TYPE if _TYPE in header else None)):
        found = _cells(table, wanted, column) if years and column else None
        rows[name] = "" if found is None else found.reindex(key).fillna("").to_numpy(dtype=object)
    return rows


def _column(cell: EesCell, header: Sequence[str]) -> str | None:
    return next((name for name in cell.columns if name.casefold() in header), None)


def _identity(table: SchoolRows, own: Sequence[int]) -> pd.DataFrame:
    keys = table.keys[table.keys["summer"].isin(list(own))].drop_duplicates(["school_urn", "summer"])
    areas = keys["old_la_code"] if "old_la_code" in keys else keys["school_laestab"].str[:3]
    return pd.DataFrame(
        {
            "urn": keys["school_urn"].str.strip(),
            "year": keys["summer"],
            "name": keys["school_name"],
            "laestab": keys["school_laestab"],
            "area": area_codes(areas),
        }
    ).reset_index(drop=True)


def _cells(table: SchoolRows, cell: EesCell, column: str) -> pd.Series:
    """Return the published cells of a measure by URN and summer."""
    where = ({"subject": cell.subject} if cell.subject else {}) | _pupil_filter(table, cell.breakdown)
    rows = table.select(where)
    return pd.Series(
        rows[column].to_numpy(dtype=object),
        index=pd.MultiIndex.from_arrays([rows["school_urn"].str.strip(), rows["summer"]]),
    )


def _pupil_filter(table: SchoolRows, breakdown: str) -> dict[str, str]:
    """Return the filters that pick a group of pupils: in one column where the table has it, and in that of its kind."""
    named = {
        name: breakdown
        for name in table.filters
        if name != "subject" and breakdown in set(table.keys[name].unique())
    }  # fmt: skip
    return named or {"breakdown": breakdown}


def _pupils(rows: pd.DataFrame, files: Sequence[Member], years: Collection[int]) -> pd.Series:
    """Return the pupils of each row from the tables that count them: its own summer's, or a later one's prior years."""
    found = pd.Series("", index=rows.index, dtype=object)
    for file in files:
        header = [name.casefold() for name in RawTable(file).peek.columns]
        columns = [name for name in header if name == "telig" or name.startswith("telig_")]
        frame = read_table(file, ["time_period", "school_urn", *columns]).drop_duplicates(["time_period", "school_urn"])
        frame["summer"] = summers_of(frame["time_period"], file.name)
        for year in sorted(set(rows["year"]) & set(years)):
            for column, of_rows in (
                ("telig", frame["summer"] == year),
                (f"telig_{year % 100}", frame["summer"] > year),
            ):
                if column in frame and of_rows.any():
                    counts = frame[of_rows].sort_values("summer").drop_duplicates("school_urn")
                    by_urn = counts.set_index(counts["school_urn"].str.strip())[column]
                    at = (rows["year"] == year) & (found == "")
                    found[at] = rows.loc[at, "urn"].map(by_urn).fillna("")
    return found
