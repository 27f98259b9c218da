"""The schools and results of one key stage over every year at hand, whichever published files each year comes from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from evalkit.core.errors import DataError, MissingData
from evalkit.core.formats import years_text
from evalkit.core.words import listed
from evalkit.data.flow import CountedCase
from evalkit.data.layouts.performance_tables import PUPILS_OF_STAGE
from evalkit.data.measures import ABSENCE, MEASURES, measure, without_tables
from evalkit.data.published.absence import read_absence, require_lists
from evalkit.data.published.assembled import PANEL_YEARS, read_assembled
from evalkit.data.published.ees_schools import LongTables, read_long_results
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.performance import read_performance, summers_of_tables
from evalkit.data.published.records import Listing, SchoolRecords
from evalkit.data.published.school_lists import Links, with_minor_group
from evalkit.data.published.school_types import group_of_type
from evalkit.data.published.sources import Sources, TableFile


def summers_at_hand(sources: Sources, stage: str) -> set[int]:
    """Return the summers that a folder has results of; raise `DataError` where a table of them cannot be used.

    Wide tables give the summers of which they have prior-year columns too.
    """
    require_usable(sources, stage)
    if stage == ABSENCE:
        return set(sources.tables.get(stage, {}))
    years = set(PANEL_YEARS) if stage in sources.panels else set()
    return years | set(summers_of_tables(_later_tables(sources, stage), stage)) | set(_long(sources, stage).summers())


def require_usable(sources: Sources, stage: str) -> None:
    """Raise `DataError` with everything that is wrong with the tables of a key stage."""
    if reasons := sources.refused.get(stage, ()):
        raise DataError("\n".join(reasons))


@dataclass(frozen=True, slots=True, eq=False)
class SchoolLists:
    """What says who a school is: links between establishments, the list of 2017/18, and an extract of the register."""

    links: Links | None
    spine: pd.DataFrame | None
    register: pd.DataFrame | None = None


def read_listing(
    sources: Sources, stage: str, measures: Sequence[str], years: Sequence[int], lists: SchoolLists,
    *, followed: Sequence[int],
) -> Listing:  # fmt: skip
    """Return the listing of a key stage: each year from the first of these that has it.

    The assembled panel; a wide table of its own; a long table; the prior-year columns of the next wide table. Schools
    are those listed in the summers that are `followed`, from the first to the last: later files change nothing of an
    earlier evaluation.
    """
    require_usable(sources, stage)
    if stage == ABSENCE:
        return _absence(sources, measures, years, lists, followed)
    beside = sorted({name for code in measures for name in measure(code).sd.columns} - set(measures))
    parts = []
    if stage in sources.panels:
        wanted = [year for year in years if year in PANEL_YEARS]
        parts.append(read_assembled(sources.panels[stage], measures, PUPILS_OF_STAGE[stage], wanted, beside))
    sources = _within(sources, _window(followed))
    tables, long = _later_tables(sources, stage), _long(sources, stage)
    later = set(years) - set(PANEL_YEARS) if parts else set(years)
    if (tables or long.results) and (later or not parts):
        parts += _later_parts(sources, stage, measures, sorted(later), lists, beside=beside, window=_window(followed))
    if not parts:
        raise MissingData(
            f"{sources.folder}: the project has a {stage} outcome, and there is no {stage} table of England or of an "
            "authority."
        )
    combined = _combined(parts)
    return _grouped(combined, lists) if "type" in combined.identity else combined


def _absence(
    sources: Sources, measures: Sequence[str], years: Sequence[int], lists: SchoolLists, followed: Sequence[int]
) -> Listing:
    """Return the listing of absence: schools of the tables of the summers followed, from the first to the last."""
    first, last = min(followed, default=0), max(followed, default=9999)
    tables = {year: files for year, files in sources.tables.get(ABSENCE, {}).items() if first <= year <= last}
    if not tables:
        raise MissingData(
            f"{sources.folder}: the project has an outcome of absence, and there is no table of absence of its years."
        )
    known = [one for one in (lists.spine, lists.register) if one is not None]
    require_lists(str(sources.folder), any(one["minor_group"].notna().any() for one in known))
    if lists.links is None:
        raise MissingData(f"{sources.folder}: gias/links_….csv is needed with the tables of absence.")
    return _grouped(read_absence(tables, lists.links, known, measures, years), lists)


def _window(followed: Sequence[int]) -> tuple[int, int]:
    """Return the first and the last summer in which schools are listed; of one of the panel's, all of the panel's."""
    first, last = min(followed, default=min(PANEL_YEARS)), max(followed, default=max(PANEL_YEARS))
    if first > max(PANEL_YEARS):
        return first, last
    return min(first, min(PANEL_YEARS)), max(last, max(PANEL_YEARS))


def _within(sources: Sources, window: tuple[int, int]) -> Sources:
    """Return the sources with the wide tables of a window alone, and the one after it, which has its prior year."""
    first, last = window
    kept = {
        stage: {
            year: files for year, files in by_year.items()
            if first <= year <= last or (year == last + 1 and last in without_tables(stage))
        }
        for stage, by_year in sources.tables.items()
    }  # fmt: skip
    return replace(sources, tables=kept)


def _later_parts(
    sources: Sources, stage: str, measures: Sequence[str], years: Sequence[int], lists: SchoolLists,
    *, beside: Sequence[str], window: tuple[int, int],
) -> list[Listing]:  # fmt: skip
    tables, long = _later_tables(sources, stage), _long(sources, stage)
    if lists.links is None:
        raise MissingData(
            f"{sources.folder}: gias/links_….csv is needed with the performance tables; data/README.md says where it "
            "comes from."
        )
    known = [code for code in beside if code in MEASURES and MEASURES[code].ees is not None]
    parts = []
    if long.results:
        but = {*tables, *_outside(long.summers(), window), *(PANEL_YEARS if stage in sources.panels else ())}
        if set(long.summers()) - but:
            parts.append(
                read_long_results(long, lists.links, measures, key_stage=stage, years=years, beside=known, but=but)
            )
    if tables:
        wide = read_performance(tables, lists.links, measures, stage, years, beside)
        in_long = {int(year) for part in parts for year in part.identity["year"].unique()}
        parts.append(_without(wide, (in_long - set(tables)) | _outside(wide.identity["year"].unique(), window)))
    return [part for part in parts if len(part.identity)]


def _outside(years: Collection[int], window: tuple[int, int]) -> set[int]:
    return {year for year in years if not window[0] <= year <= window[1]}


def _later_tables(sources: Sources, stage: str) -> Mapping[int, tuple[TableFile, ...]]:
    """Return the wide tables that results are read from: where a panel is there, those of other summers."""
    tables = sources.tables.get(stage, {})
    return {year: files for year, files in tables.items() if stage not in sources.panels or year not in PANEL_YEARS}


def _long(sources: Sources, stage: str) -> LongTables:
    return LongTables(tuple(sources.ees.get(stage, ())), sources.ees_pupils)


def _without(listing: Listing, years: Collection[int]) -> Listing:
    kept = [frame[~frame["year"].isin(list(years))] for frame in (listing.identity, listing.scores)]
    return replace(listing, identity=kept[0], scores=kept[1])


def _combined(parts: Sequence[Listing]) -> Listing:
    """Return listings of different years as one."""
    if len(parts) == 1:
        return parts[0]
    # a count over the links stands in each part and is one; counts over rows are of different years and add up
    counts: dict[str, list[int]] = {}
    for case in (case for part in parts for case in part.cases):
        counts.setdefault(case.case, []).append(case.n)
    return Listing(
        identity=pd.concat([part.identity for part in parts], ignore_index=True),
        scores=pd.concat([part.scores for part in parts], ignore_index=True),
        blank={year: text for part in parts for year, text in part.blank.items()},
        cases=tuple(CountedCase(case, n[0] if _is_of_links(case) else sum(n)) for case, n in counts.items()),
        source=", ".join(part.source for part in parts),
        part_years=frozenset().union(*(part.part_years for part in parts)),
        area_names={code: name for part in parts for code, name in part.area_names.items()},
        symbol_years=frozenset().union(*(part.symbol_years for part in parts)),
    )


def _is_of_links(case: str) -> bool:
    return case.startswith(("links ", "of these, schools that", "predecessor links"))


# Which schools are mainstream and state-funded: by the list of 2017/18, by the register, by the tables themselves.


def _grouped(listing: Listing, lists: SchoolLists) -> Listing:
    """Give each school its group: that of the list of 2017/18, else of its type in the register, else in its tables."""
    identity = listing.identity
    for found in (lists.spine, lists.register):
        if found is not None:
            identity = _filled(identity, with_minor_group(identity, found)["minor_group"])
    on_list = identity["minor_group"] != ""
    own = group_of_type(identity["type"])
    for groups in (identity["minor_group"], own):
        of_school = groups.where(groups != "").groupby(identity["school_id"]).transform("last").fillna("")
        identity = _filled(identity, of_school)
    by_type = identity.loc[~on_list & (identity["minor_group"] != ""), "school_id"].nunique()
    case = CountedCase("schools on no school list, grouped by their type of establishment in the results", by_type)
    cases = (*listing.cases, *([case] if by_type else []))
    return replace(listing, identity=identity.drop(columns="type"), cases=cases)


def _filled(identity: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    return identity.assign(minor_group=identity["minor_group"].where(identity["minor_group"] != "", groups))


# What a folder's results cover, said or refused.

_FEWEST_AREAS: Final = 0.8
"""Share of a neighbour list's areas that a file of England must cover; the published files cover 96%."""
_WHOLE_LIST: Final = 20
"""Areas of a list from which on it is one of all England."""


def coverage_case(
    sources: Sources, listing: Listing, records: SchoolRecords, areas: NeighbourTable
) -> CountedCase | None:
    """Return how many areas the results cover where they are not of all England; None where they are.

    Raise `DataError` where they should be and many areas of the neighbour list have no school, as in a file cut short
    at the end of a line.
    """
    present = set(records.schools["area"].dropna())
    if listing.part_years and not sources.has_england(records.key_stage):
        names = listed(sorted(records.schools["area_name"].unique()))
        return CountedCase(
            f"local authorities with {records.key_stage} tables in this folder, which holds none of all England "
            f"({names}): comparisons lie within these", len(present),
        )  # fmt: skip
    on_list = present & set(areas.names)
    if len(areas.names) < _WHOLE_LIST or len(on_list) >= _FEWEST_AREAS * len(areas.names):
        return None
    if listing.symbol_years >= set(records.years):
        return CountedCase(
            f"local authorities with schools in the long tables, of {len(areas.names)} on the neighbour list: the "
            "tables are an extract, not of all England", len(on_list),
        )  # fmt: skip
    raise DataError(
        f"{listing.source}: the file has schools in only {len(on_list)} of the {len(areas.names)} areas of the "
        "neighbour list, so it is cut short or is not of England. Download it again."
    )


def require_years_read(sources: Sources, records: SchoolRecords, years: Sequence[int]) -> None:
    """Raise `MissingData` where no file gives a year that the project names, with why where the registry knows."""
    missing = sorted(set(years) - set(records.years))
    if missing:
        known = [measure(code) for code in records.values]
        reasons = {one.why_absent(year, "not_here") for one in known for year in missing} - {""}
        why = "".join(f" ({reason})" for reason in sorted(reasons))
        put = "C" if why else "Put the table of that summer there, or c"  # where none holds it, none can be put there
        raise MissingData(
            f"{sources.folder}: no {records.key_stage} table gives the results of {years_text(missing)}, "
            f"which the project file names{why}.\n{put}hange `exposure`; data/README.md says what is read."
        )


def require_identity_files(sources: Sources) -> None:
    """Raise where a file is missing that says who a school is and when it changed.

    The school list of 2017/18 dates conversions and tells mainstream schools; tables of single authorities, or of years
    after it, say the type of each school themselves.
    """
    needs_list = bool(sources.panels) or not (sources.establishments or _is_told_by_tables(sources))
    named = {"gias/links_….csv": sources.links, "gias/england_spine_….csv": sources.spine or not needs_list}
    missing = [name for name, found in named.items() if not found]
    if missing:
        raise MissingData(
            f"{sources.folder}: {listed(missing)} is not there. It dates conversions and tells which schools "
            "are mainstream; "
            "data/README.md says where it comes from."
        )


def _is_told_by_tables(sources: Sources) -> bool:
    """Return whether no table is of England up to 2019, for which the school list of 2017/18 is."""
    return not any(
        one.area is None and year in PANEL_YEARS
        for stage in ("KS2", "KS4")
        for year, files in sources.tables.get(stage, {}).items() for one in files
    )  # fmt: skip
