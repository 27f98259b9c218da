"""Everything one project reads, checked once: records by key stage, areas, participants."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import pandas as pd

from evalkit.core.errors import DataError, DesignError
from evalkit.core.manifest import DataKind
from evalkit.core.project import Exposure, Project
from evalkit.core.words import did_you_mean, listed
from evalkit.data.areas.boundaries import Boundaries, read_boundaries
from evalkit.data.measures import PUPILS_OF_STAGE, measure, require_years
from evalkit.data.published.assembled import read_assembled
from evalkit.data.published.codes import parse_cells
from evalkit.data.published.neighbours import NeighbourTable, read_neighbours
from evalkit.data.published.participants import TreatedSchools, read_participants, refuse_another_place, whole_areas
from evalkit.data.published.performance import (
    NationalShares,
    PublishedLimits,
    national_shares,
    published_shares,
    read_limits,
    read_performance,
)
from evalkit.data.published.records import Listing, SchoolRecords, make_records
from evalkit.data.published.school_lists import (
    Links,
    conversions_of,
    read_links,
    read_roll,
    read_spine,
    with_conversions,
    with_minor_group,
)
from evalkit.data.published.sources import Sources
from evalkit.data.published.tables import read_table


@dataclass(frozen=True, slots=True, eq=False)
class ProjectData:
    """What was read for a project. `years` are the summers whose scores are in memory.

    `limits` has the published confidence limits of the last summer read, by measure, where at hand; `shares` the
    shares of England's pupils, in the last summer before the programme, that a measure's standard deviation rests on;
    `fsm_share` the share of pupils eligible for free school meals in 2022/23, a proxy measured
    after the programme, by school_id, where the project asks for it; `roll` the pupils on roll in that
    year, by school_id, where the project states a cost and every year has been read.
    """

    kind: DataKind
    years: tuple[int, ...]
    records: dict[str, SchoolRecords]
    neighbours: dict[str, NeighbourTable]
    treated: TreatedSchools
    limits: dict[str, PublishedLimits]
    fsm_share: pd.Series | None
    boundaries: Boundaries | None = None
    roll: pd.Series | None = None
    shares: Mapping[str, NationalShares] = field(default_factory=dict)
    columns: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequest:
    """What a project asks of the published files. Tables are read from this alone, so that projects can share them."""

    measures: tuple[str, ...]
    exposure: Exposure
    neighbours: str
    years: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """What was read of the published files, whichever schools a project is about."""

    records: dict[str, SchoolRecords]
    neighbours: dict[str, NeighbourTable]
    limits: dict[str, PublishedLimits]
    shares: dict[str, NationalShares]
    links: Links | None
    spine: pd.DataFrame | None


T = TypeVar("T")
Keep = Callable[[DataRequest, Callable[[], Tables]], Tables]
"""Returns tables that were read before for the same wants, or reads and keeps them."""


def read_anew(request: DataRequest, read_tables: Callable[[], Tables]) -> Tables:
    """Read the tables and keep nothing."""
    return read_tables()


def read_baseline(project: Project, project_folder: Path, sources: Sources, keep: Keep = read_anew) -> ProjectData:
    """Read a project's data with the scores of the years before the programme and no others."""
    return _read(project, project_folder, sources, project.exposure.pre, keep)


def read_records(project: Project, project_folder: Path, sources: Sources, keep: Keep = read_anew) -> ProjectData:
    """Read a project's data with the scores of every year it names."""
    return _read(project, project_folder, sources, project.exposure.years, keep)


def _read(project: Project, project_folder: Path, sources: Sources, years: Sequence[int], keep: Keep) -> ProjectData:
    request = DataRequest(
        measures=tuple(outcome.code for outcome in project.outcomes if not outcome.is_own),
        exposure=project.exposure,
        neighbours=project.pool.neighbours,
        years=tuple(years),
    )
    tables = keep(request, lambda: _tables(request, sources))
    treated = _treated(project, project_folder, tables)
    areas = tables.neighbours[request.neighbours]
    fsm, outlines = _fsm(project, sources), _outlines(project, sources, areas)
    roll = read_roll(sources.covariates) if project.cost and max(project.exposure.post) in years else None
    found = (tables.records, tables.neighbours, treated, tables.limits)
    return ProjectData(sources.kind, request.years, *found, fsm, outlines, roll, tables.shares)


def _tables(request: DataRequest, sources: Sources) -> Tables:
    for code in request.measures:
        require_years(code, request.exposure.years)
    neighbours = {name: _read_once(read_neighbours, path) for name, path in sources.neighbours.items()}
    _require_identity_files(sources)
    links = _read_once(read_links, sources.links) if sources.links else None
    spine = _read_once(read_spine, sources.spine) if sources.spine else None
    conversions = conversions_of(links, spine)
    areas = neighbours[request.neighbours]
    records: dict[str, SchoolRecords] = {}
    shares: dict[str, NationalShares] = {}
    for stage, measures in _by_stage(request).items():
        listing = _listing(sources, stage, measures, request.years, links, spine)
        shares |= _shares(sources, listing, measures, request.exposure)
        made = make_records(listing, stage, measures, request.exposure, areas)
        _require_whole_england(listing.source, made, areas)
        records[stage] = with_conversions(made, conversions, request.exposure)
        _require_years_read(sources, records[stage], request.years)
        _require_results(listing.source, records[stage])
    limits = _limits(request, sources, areas)
    return Tables(records=records, neighbours=neighbours, limits=limits, shares=shares, links=links, spine=spine)


def _read_once(read: Callable[[Path], T], path: Path) -> T:
    """Return what a file without results holds, read again only where it has changed; each caller has its own copy."""
    if not path.is_file():
        return read(path)  # says what is wrong
    stat = path.stat()
    found: T = pickle.loads(_packed(read, path, stat.st_size, stat.st_mtime_ns))
    return found


@lru_cache(maxsize=8)
def _packed(read: Callable[[Path], object], path: Path, size: int, changed: int) -> bytes:
    return pickle.dumps(read(path))


def _outlines(project: Project, sources: Sources, areas: NeighbourTable) -> Boundaries | None:
    """Return the outlines for the map where they are supplied; a whole area that takes part must have one."""
    needed = list(area_codes_of(project, areas))
    return read_boundaries(sources.boundaries, areas.names, needed) if sources.boundaries else None


_FEWEST_AREAS = 0.8
"""Share of a neighbour list's areas that England's results must cover; the published files cover 96%."""


def _require_whole_england(source: str, records: SchoolRecords, areas: NeighbourTable) -> None:
    """Raise where many areas of the neighbour list have no school, as in a file cut short at the end of a line."""
    present = set(records.schools["area"]) & set(areas.names)
    if len(areas.names) >= 20 and len(present) < _FEWEST_AREAS * len(areas.names):
        raise DataError(
            f"{source}: the file has schools in only {len(present)} of the {len(areas.names)} areas of the neighbour "
            "list, so it is cut short or is not of England. Download it again."
        )


def _require_identity_files(sources: Sources) -> None:
    """Raise where a file is missing that says who a school is and when it changed."""
    named = {"gias/links_….csv": sources.links, "gias/england_spine_….csv": sources.spine}
    missing = [name for name, path in named.items() if path is None]
    if missing:
        raise DataError(
            f"{sources.folder}: {listed(missing)} is not there. It dates conversions and tells which schools "
            "are mainstream; "
            "data/README.md says where it comes from."
        )


def _require_years_read(sources: Sources, records: SchoolRecords, years: Sequence[int]) -> None:
    missing = [str(year) for year in sorted(set(years) - set(records.years))]
    if missing:
        raise DataError(
            f"{sources.folder}: no {records.key_stage} table gives the results of {listed(missing)}, "
            "which the project file names.\nPut the table of that summer there, or change `exposure`; "
            "data/README.md describes the layout."
        )


def _require_results(source: str, records: SchoolRecords) -> None:
    """Raise where no school at all has a result in a measure and summer: the file has the column and nothing in it."""
    for code, values in records.values.items():
        empty = [str(year) for year in values.columns if values[year].isna().all()]
        if len(values) and empty:
            raise DataError(
                f"{source}: no school has a result in {code} for {listed(empty)}, which the project file names.\n"
                "Put a table of that summer there that has them, or change `exposure` or the outcome."
            )


def _by_stage(request: DataRequest) -> dict[str, list[str]]:
    stages: dict[str, list[str]] = {}
    for code in request.measures:
        stages.setdefault(measure(code).key_stage, []).append(code)
    return stages


def _listing(
    sources: Sources,
    stage: str,
    measures: Sequence[str],
    years: Sequence[int],
    links: Links | None,
    spine: pd.DataFrame | None,
) -> Listing:
    beside = sorted({name for code in measures for name in measure(code).sd.columns} - set(measures))
    if stage in sources.panels:
        return read_assembled(sources.panels[stage], measures, PUPILS_OF_STAGE[stage], years, beside)
    if not sources.tables[stage]:
        raise DataError(
            f"{sources.folder}: the project has a {stage} outcome, and there is no {stage} table of England."
        )
    if links is None or spine is None:
        raise DataError(
            f"{sources.folder}: gias/links_….csv and gias/england_spine_….csv are needed with the wide tables."
        )
    listing = read_performance(sources.tables[stage], links, measures, stage, years, beside)
    return Listing(
        with_minor_group(listing.identity, spine), listing.scores, listing.blank, listing.cases, listing.source
    )


def _limits(request: DataRequest, sources: Sources, areas: NeighbourTable) -> dict[str, PublishedLimits]:
    last = max(request.exposure.post)
    if last not in request.years:
        return {}
    limits_by_measure = {code: read_limits(sources, measure(code), last, areas.names) for code in request.measures}
    return {code: limits for code, limits in limits_by_measure.items() if limits is not None}


def _shares(
    sources: Sources, listing: Listing, measures: Sequence[str], exposure: Exposure
) -> dict[str, NationalShares]:
    """Return the shares of England's pupils by measure, of the last summer before the programme: no effect is in them.

    Schools' own shares are exact to a pupil or so; where they lack, what DfE prints for England, in whole per cent.
    """
    year = max(exposure.pre)
    found = {}
    for code in measures:
        known = measure(code)
        shares = national_shares(listing, known.sd.columns, year) or published_shares(sources, known, year)
        if shares is not None:
            found[code] = shares
    return found


def _treated(project: Project, folder: Path, tables: Tables) -> TreatedSchools:
    areas = area_codes_of(project, tables.neighbours[project.pool.neighbours])
    if areas:
        if len(areas) == 1:
            refuse_another_place(project.programme.place, areas[0], tables.records)
        return whole_areas(areas, tables.records)
    return read_participants(folder / str(project.participants.file), tables.records, tables.spine, tables.links)


def area_codes_of(project: Project, known: NeighbourTable) -> tuple[int, ...]:
    """Return the codes of the whole areas that take part; raise `DesignError` for a name that no area has."""
    return tuple(_area_code(area, known) for area in project.participants.areas)


def _area_code(area: int | str, known: NeighbourTable) -> int:
    if isinstance(area, int) or area.strip().isdigit():
        return int(area)
    called = {name.casefold(): code for code, name in known.names.items()}
    if area.strip().casefold() not in called:
        near = did_you_mean(area.strip(), known.names.values())
        raise DesignError(f"`participants.areas` names '{area}', and no local authority is called that.{near}")
    return called[area.strip().casefold()]


def _fsm(project: Project, sources: Sources) -> pd.Series | None:
    if "fsm_share_2223" not in project.matching.covariates:
        return None
    if "KS2" not in sources.covariates:
        raise DataError("The project matches on fsm_share_2223, and panel/ks2_school_covariates.csv.gz is not there.")
    path = sources.covariates["KS2"]
    frame = read_table(path, ["SCHOOL_ID", "FSM6_PCT_2223"])
    shares = parse_cells(frame["FSM6_PCT_2223"], f"{path.name}, FSM6_PCT_2223")[0]
    return pd.Series(shares, index=frame["SCHOOL_ID"])
