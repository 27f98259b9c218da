"""Everything one project reads, checked once: records by key stage and own table, areas, participants."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar

import pandas as pd

from evalkit.core.errors import DataError, DesignError, EvalkitError, MissingData, ProjectError
from evalkit.core.manifest import DataKind
from evalkit.core.project import Exposure, Project, summer_of
from evalkit.core.words import listed
from evalkit.data.areas.borders import Bordering, borders_of
from evalkit.data.areas.boundaries import Boundaries, outlines_or_reason
from evalkit.data.described import read_described
from evalkit.data.files.members import Member
from evalkit.data.lock_file import require_lock
from evalkit.data.measures import MEASURES, STAGES, Measure, beside, is_of_areas, measure, own_measure, require_years
from evalkit.data.own_tables.people_table import PeopleRows, people_columns, people_records, read_people
from evalkit.data.own_tables.project_table import (
    Directory,
    ProjectTable,
    open_project_table,
    read_own_columns,
    read_own_records,
)
from evalkit.data.published.area_records import AreaData, AreaSource, area_records, area_years, followed_years
from evalkit.data.published.codes import parse_cells
from evalkit.data.published.known_schools import KnownSchools
from evalkit.data.published.listings import (
    SchoolLists,
    coverage_case,
    read_listing,
    require_identity_files,
    require_years_read,
    summers_at_hand,
)
from evalkit.data.published.neighbours import NeighbourTable, area_code, area_codes, name_of_list, read_neighbours
from evalkit.data.published.participants import (
    TreatedSchools,
    beside_rule,
    drawn_schools,
    read_participants,
    refuse_another_place,
    ruled_schools,
    whole_areas,
    with_common_start,
)
from evalkit.data.published.performance import (
    NationalShares,
    PublishedLimits,
    national_shares,
    published_shares,
    read_limits,
)
from evalkit.data.published.records import Listing, SchoolRecords, make_records
from evalkit.data.published.school_lists import (
    Links,
    conversions_of,
    read_links,
    read_registers,
    read_roll,
    read_spine,
    with_conversions,
)
from evalkit.data.published.sources import Sources, require_results
from evalkit.data.published.tables import read_table
from evalkit.data.published.trust_members import listed_participants
from evalkit.data.subgroups import breakdowns_read, telling_who_asks
from evalkit.data.years import Years, years_of


@dataclass(frozen=True, slots=True, eq=False)
class ProjectData:
    """What was read for a project. `years` are the summers whose scores are in memory.

    `records` are by key stage, and by the name of each table of the project's own. `limits` has the published
    confidence limits of the last summer read, by measure, where at hand; `shares` the
    shares of England's pupils, in the last summer before the programme, that a measure's standard deviation rests on;
    `fsm_share` the share of pupils eligible for free school meals in 2022/23, a proxy measured
    after the programme, by school_id, where the project asks for it; `roll` the pupils on roll in that
    year, by school_id, where the project states a cost and every year has been read. `columns` has the columns of own
    tables on which an analysis compares units, by unit, each as it was known before the programme; `borders` the areas
    that border each other, where an analysis asks for them; `people` the rows of own tables whose rows are people, by
    table; `area_sources` where each measure of authorities was read from, by its code; `later` the summers of each of
    `records` that are read after the programme alone, and were not read here; `described` what each analysis that
    describes has read for itself, by its name.
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
    borders: Bordering = field(default_factory=dict)
    people: Mapping[str, PeopleRows] = field(default_factory=dict)
    area_sources: Mapping[str, AreaSource] = field(default_factory=dict)
    later: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    described: Mapping[str, object] = field(default_factory=dict)

    def of_years(self, years: Iterable[int]) -> ProjectData:
        """Return the same without the scores of any other year."""
        kept = set(years)
        records = {stage: _of_years(r, kept) for stage, r in self.records.items()}
        people = {name: rows.of_years(kept | {0}) for name, rows in self.people.items()}
        years = tuple(year for year in self.years if year in kept)
        return replace(self, years=years, records=records, people=people)


def _of_years(records: SchoolRecords, kept: set[int]) -> SchoolRecords:
    years = [year for year in records.years if year in kept]
    frames = [{code: frame[years] for code, frame in held.items()} for held in (records.values, records.reasons)]
    return replace(
        records, values=frames[0], reasons=frames[1], pupils=records.pupils.reindex(columns=years), years=tuple(years)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequest:
    """What a project asks of the published files. Tables are read from this alone, so that projects can share them.

    `measures` are its outcomes; `compared_on` those that schools are compared on beside them, read of the years before
    alone. `needed` are the summers of a measure in which some school must have a result; of one that is not among them,
    every summer read. `breakdowns` are those of subgroups, read of the same years as the measures. `beside` are those
    that a project defines itself: of two that give one code another meaning neither may have the tables of the other.
    """

    measures: tuple[str, ...]
    exposure: Exposure
    neighbours: str
    years: tuple[int, ...]
    compared_on: tuple[str, ...] = ()
    needed: tuple[tuple[str, tuple[int, ...]], ...] = ()
    breakdowns: tuple[str, ...] = ()
    beside: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """What was read of the published files, whichever schools a project is about."""

    records: dict[str, SchoolRecords]
    neighbours: dict[str, NeighbourTable]
    limits: dict[str, PublishedLimits]
    shares: dict[str, NationalShares]
    links: Links | None
    spine: pd.DataFrame | None
    register: pd.DataFrame | None = None

    @property
    def school_lists(self) -> tuple[pd.DataFrame, ...]:
        """Return the lists of schools that are there: that of the performance tables, then the register."""
        return tuple(one for one in (self.spine, self.register) if one is not None)


T = TypeVar("T")
Keep = Callable[[DataRequest, Callable[[], Tables]], Tables]
"""Returns tables that were read before for the same wants, or reads and keeps them."""


def read_anew(request: DataRequest, read_tables: Callable[[], Tables]) -> Tables:
    """Read the tables and keep nothing."""
    return read_tables()


def read_baseline(project: Project, project_folder: Path, sources: Sources, keep: Keep = read_anew) -> ProjectData:
    """Read a project's data with the scores of the years before the programme and no others."""
    return _Reading(project, project_folder, sources, keep).data(is_baseline=True)


def read_records(project: Project, project_folder: Path, sources: Sources, keep: Keep = read_anew) -> ProjectData:
    """Read a project's data with the scores of every year it names.

    Raise `PlanNotLocked` where the project wants its plan locked before (`evalkit.data.lock_file`).
    """
    return _Reading(project, project_folder, sources, keep).data(is_baseline=False)


def read_all_or_problems(
    project: Project, project_folder: Path, sources: Sources, keep: Keep = read_anew
) -> ProjectData | tuple[EvalkitError, ...]:
    """Read as `read_records` does, and where that fails return everything that is wrong, not the first of it.

    Published tables, each table of the project's own and the participants are looked at by themselves.
    """
    reading = _Reading(project, project_folder, sources, keep)
    try:
        return reading.data(is_baseline=False)
    except (DataError, DesignError, ProjectError) as first:
        return (*dict.fromkeys(reading.problems(), None),) or (first,)


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """A project that is being read: its published tables, its own ones, and who of them took part."""

    project: Project
    folder: Path
    sources: Sources
    keep: Keep

    def problems(self) -> Iterator[EvalkitError]:
        """Yield what is wrong with each part of the data; participants are matched where all tables can be read."""
        require_lock(self.project, self.folder)
        start = _first_start(self.project, self.folder)
        request = _request(
            self.project, years_of(self.project, published_years(self.project, self.sources), start), False
        )
        try:
            tables = self.keep(request, lambda: _tables(request, self.sources))
        except (DataError, DesignError, ProjectError) as problem:
            yield problem
            return
        own, areas = {}, tables.neighbours.get(request.neighbours, _NO_AREAS)
        wrong = []
        for name in own_tables_of(self.project):
            try:
                table = self._opened(name, tables, areas)
                years = years_of(self.project, _followed(self.project, table, start), start)
                people = self._people(table, years, is_baseline=False)
                own[name] = self._own(table, years, False, people)
                self._columns(table, people, table.years)
            except (DataError, DesignError, ProjectError) as problem:
                wrong.append(problem)
        try:
            own |= self._areas(areas, start, False)[0]
        except (DataError, DesignError, ProjectError) as problem:
            wrong.append(problem)
        yield from wrong
        if not wrong:
            try:
                _treated(self.project, self.folder, replace(tables, records=tables.records | own), request.exposure.pre)
            except (DataError, DesignError, ProjectError) as problem:
                yield problem

    def data(self, *, is_baseline: bool) -> ProjectData:
        """Return the data of the years before, or of every year; the latter only behind a lock that is asked for."""
        if not is_baseline:  # the one place where outcomes are read
            require_lock(self.project, self.folder)
        project, sources, start = self.project, self.sources, _first_start(self.project, self.folder)
        years = years_of(project, published_years(project, sources), start)
        request = _request(project, years, is_baseline)
        tables = self.keep(request, lambda: _tables(request, sources))
        areas = tables.neighbours.get(request.neighbours, _NO_AREAS)
        opened = {name: self._opened(name, tables, areas) for name in own_tables_of(project)}
        years_by_table = {
            name: years_of(project, _followed(project, table, start), start) for name, table in opened.items()
        }
        people = {
            name: found
            for name, table in opened.items()
            if (found := self._people(table, years_by_table[name], is_baseline)) is not None
        }
        own = {
            name: self._own(table, years_by_table[name], is_baseline, people.get(name))
            for name, table in opened.items()
            if project.own_outcomes(name) or name in people
        }
        of_areas, area_sources, area_later = self._areas(areas, start, is_baseline)
        records = tables.records | own | of_areas
        treated = _treated(project, self.folder, replace(tables, records=records), years.before)
        records, treated = beside_rule(project, records, treated)
        columns = [
            self._columns(table, people.get(name), years_by_table[name].before) for name, table in opened.items()
        ]
        fsm, outlines = _fsm(project, sources), _outlines(project, sources, areas)
        is_last_read = bool(project.exposure.post) and max(project.exposure.post) in request.years
        return ProjectData(
            _kind(project, sources),
            _in_memory(request, records),
            records,
            tables.neighbours
            or dict.fromkeys((project.pool.neighbours, project.pool.alternative_neighbours), _NO_AREAS),
            treated,
            tables.limits,
            fsm,
            outlines,
            read_roll(sources.covariates) if project.cost and is_last_read else None,
            tables.shares,
            pd.concat(columns, axis=1).sort_index() if columns else pd.DataFrame(),
            borders_of(self.folder, project.data.borders, sources.boundaries, areas.names)
            if project.needs_borders
            else {},
            people,
            area_sources,
            {**self._later(tables, opened, years, years_by_table), **area_later} if is_baseline else {},
            read_described(project, self.folder, sources, areas, start, is_baseline),
        )

    def _later(
        self, tables: Tables, opened: Mapping[str, ProjectTable], years: Years, by_table: Mapping[str, Years]
    ) -> dict[str, tuple[int, ...]]:
        """Return the summers of each stage and own table that are read after the programme alone."""
        of_tables = {
            name: tuple(year for year in by_table[name].every if year not in by_table[name].before)
            if table.periods is not None
            else (self._last(),)
            for name, table in opened.items()
        }
        return {stage: tuple(y for y in years.every if y not in years.before) for stage in tables.records} | of_tables

    def _areas(
        self, areas: NeighbourTable, start: date | None, is_baseline: bool
    ) -> tuple[dict[str, SchoolRecords], Mapping[str, AreaSource], dict[str, tuple[int, ...]]]:
        """Return the records of measures of authorities, where each was read, and the years that are read later."""
        codes = [one.code for one in self.project.outcomes if not one.is_own and is_of_areas(one.code)]
        if not codes:
            return {}, {}, {}
        first = summer_of(start or self.project.programme.start)
        plans = [area_years(self.sources, measure(code), first) for code in codes]
        years = years_of(self.project, {year for plan in plans for year in plan.years}, start)
        found: AreaData = area_records(self.sources, plans, years.before if is_baseline else years.every, areas)
        stage, later = found.records.key_stage, tuple(year for year in years.every if year not in years.before)
        return {stage: found.records}, found.sources, {stage: later}

    def _opened(self, name: str, tables: Tables, areas: NeighbourTable) -> ProjectTable:
        known = KnownSchools.of(tables.records, tables.school_lists, tables.links)
        return open_project_table(
            self.folder / self.project.data.tables[name].file,
            name,
            self.project.data.tables[name],
            Directory(known, areas, tables.spine),
        )

    def _own(
        self, table: ProjectTable, years: Years, is_baseline: bool, people: PeopleRows | None = None
    ) -> SchoolRecords:
        outcomes = {one.code: str(one.column) for one in self.project.own_outcomes(table.name)}
        named = [self.project.exposure_of(one) for one in self.project.analyses if one.uses_exposure]
        if table.periods is not None:
            table.require_years([year for exposure in named for year in exposure.years])
        if people is not None:
            return people_records(table, people, outcomes)
        read = years.before if is_baseline else years.every
        return read_own_records(table, outcomes, read, None if is_baseline else self._last())

    def _last(self) -> int:
        """Return the year under which a table without periods stands: the last after the programme."""
        named = [self.project.exposure_of(one) for one in self.project.analyses if one.uses_exposure]
        return max((year for exposure in named for year in exposure.post), default=self.project.programme.end.year)

    def _columns(self, table: ProjectTable, people: PeopleRows | None, before: Collection[int]) -> pd.DataFrame:
        """Return what units are compared on of a table; of one of people the means over those of each unit."""
        names = self.project.columns_of(table.name)
        if people is None:
            return read_own_columns(table, names, before)
        return people_columns(table, people if table.periods is None else people.of_years(before), names)

    def _people(self, table: ProjectTable, years: Years, is_baseline: bool) -> PeopleRows | None:
        """Return the rows of a table of people in the years that are read, None of another table."""
        if table.people is None:
            return None
        outcomes = [str(one.column) for one in self.project.own_outcomes(table.name)]
        read = years.before if is_baseline else years.every
        columns = self.project.columns_of(table.name)
        return read_people(table, outcomes, columns, read, None if is_baseline else self._last())


_NO_AREAS: Final = NeighbourTable({}, {}, {}, 0)


def _followed(project: Project, table: ProjectTable, start: date | None) -> list[int]:
    """Return the years of a table that can be compared with the last one before the first start, `start` or the
    programme's: no break of level of any of its outcomes lies between.
    """
    breaks = [found for one in project.own_outcomes(table.name) for found in own_measure(one).breaks]
    return [*followed_years(table.years, breaks, summer_of(start or project.programme.start))]


def own_tables_of(project: Project) -> list[str]:
    """Return the names of the own tables that an outcome or an analysis's columns are of, in the order of the file."""
    return [name for name in project.data.tables if project.own_outcomes(name) or project.columns_of(name)]


def _kind(project: Project, sources: Sources) -> DataKind:
    """Return that data are synthetic where any of them are."""
    published = sources.kind if project.outcomes or project.reads_published else "none"
    return "synthetic" if "synthetic" in (published, project.data.kind) else "real"


def _in_memory(request: DataRequest, records: Mapping[str, SchoolRecords]) -> tuple[int, ...]:
    own = {year for stage, r in records.items() if stage not in STAGES for year in r.years}
    published = request.years if request.measures else ()
    return published if own <= set(published) else tuple(sorted(own | set(published)))


def _first_start(project: Project, folder: Path) -> date | None:
    """Return the first start that the file of participants gives, None where it gives none."""
    if not project.uses_all_years or project.participants.file is None:
        return None
    has_tables = any(outcome.is_own or is_of_areas(outcome.code) for outcome in project.outcomes)
    return listed_participants(folder, project.participants, has_tables).first_start


def published_years(project: Project, sources: Sources) -> set[int]:
    """Return the summers that a published outcome has after its last level break, as far as they are at hand."""
    published = [measure(code) for code in _of_schools(project)]
    at_hand = {stage: summers_at_hand(sources, stage) for stage in {one.key_stage for one in published}}
    return {year for one in published for year in one.unbroken_years if year in at_hand[one.key_stage]}


def _of_schools(project: Project) -> tuple[str, ...]:
    """Return the outcomes that are published of schools, by their codes."""
    return tuple(one.code for one in project.outcomes if not one.is_own and not is_of_areas(one.code))


def _request(project: Project, years: Years, is_baseline: bool) -> DataRequest:
    """Return what is asked of the published files; where no years are named, those before the first start."""
    later = tuple(year for year in years.every if year not in years.before)
    exposure = project.exposure if project.exposure.pre else Exposure(pre=years.before, post=later)
    outcomes = _of_schools(project)
    breakdowns = {code: years for code, years in breakdowns_read(project).items() if code not in outcomes}
    return DataRequest(
        measures=outcomes,
        exposure=exposure,
        neighbours=project.pool.neighbours,
        years=years.before if is_baseline else years.every,
        compared_on=tuple(code for code in _compared_on(project) if code not in outcomes) if is_baseline else (),
        needed=(*((code, _needed(project, code)) for code in outcomes), *breakdowns.items()),
        breakdowns=tuple(breakdowns),
        beside=beside(),
    )


def _needed(project: Project, code: str) -> tuple[int, ...]:
    """Return the summers that an `exposure` names for an outcome: an analysis without one takes those at hand."""
    by_exposure = [one for one in project.analyses if one.uses_exposure and code in (one.outcomes or (code,))]
    return tuple(sorted({year for one in by_exposure for year in project.exposure_of(one).years}))


def _compared_on(project: Project) -> Iterator[str]:
    """Yield the published measures that analyses compare schools on, by their codes or with a year."""
    for analysis in project.analyses:
        for name in getattr(analysis.options, "codes", ()):
            code = name if name in MEASURES else name.rpartition("_")[0]
            if code in MEASURES and not is_of_areas(code):
                yield code


def _tables(request: DataRequest, sources: Sources) -> Tables:
    for code in request.measures:
        require_years(code, request.exposure.years)
    for code in request.compared_on:
        require_years(code, request.years)
    neighbours = {name: _neighbour_list(name, path) for name, path in sources.neighbours.items()}
    if request.measures:
        require_results(sources)
        require_identity_files(sources)
    lists = SchoolLists(
        _read_once(read_links, sources.links) if sources.links else None,
        _read_once(read_spine, sources.spine) if sources.spine else None,
        read_registers([*([sources.establishments] if sources.establishments else []), *sources.cuts], _read_once),
    )
    conversions = conversions_of(lists.links, lists.spine)
    areas = neighbours.get(request.neighbours, _NO_AREAS)
    records: dict[str, SchoolRecords] = {}
    shares: dict[str, NationalShares] = {}
    for stage, measures in _by_stage(request).items():
        with telling_who_asks(request.breakdowns):
            listing = read_listing(sources, stage, measures, request.years, lists, followed=request.exposure.years)
        shares |= _shares(sources, listing, measures, request.exposure)
        made = make_records(listing, stage, measures, request.exposure, areas)
        covered = coverage_case(sources, listing, made, areas)
        made = replace(made, cases=(*made.cases, *([covered] if covered else [])))
        records[stage] = with_conversions(made, conversions, request.exposure)
        require_years_read(sources, records[stage], request.years)
        _require_results(listing.source, records[stage], dict(request.needed))
    limits = _limits(request, sources, areas)
    return Tables(
        records=records, neighbours=neighbours, limits=limits, shares=shares, links=lists.links, spine=lists.spine,
        register=lists.register,
    )  # fmt: skip


def _neighbour_list(name: str, path: Path) -> NeighbourTable:
    """Return a list of statistical neighbours; raise `DataError` where its content is that of another list."""
    found = _read_once(read_neighbours, path)
    told = name_of_list(found)
    if told and told != name:
        raise DataError(
            f"{path.name}: the name says the list {name}, and the authorities on it are those of {told}: another list "
            "stands under this name. Rename it, or download the list that its name says."
        )
    return found


def _read_once(read: Callable[[Any], T], file: Path | Member) -> T:
    """Return what a file without results holds, read again only where it has changed; each caller has its own copy."""
    path = file.path if isinstance(file, Member) else file
    if not path.is_file():
        return read(file)  # says what is wrong
    stat = path.stat()
    found: T = pickle.loads(_packed(read, file, stat.st_size, stat.st_mtime_ns))
    return found


@lru_cache(maxsize=8)
def _packed(read: Callable[[Any], object], file: Path | Member, size: int, changed: int) -> bytes:
    return pickle.dumps(read(file))


def _outlines(project: Project, sources: Sources, areas: NeighbourTable) -> Boundaries | None:
    """Return the outlines for the map where they are supplied, or why none can be drawn: a map stops no evaluation."""
    needed = list(area_codes(project.participants.areas, areas))
    return outlines_or_reason(sources.boundaries, areas.names, needed) if sources.boundaries else None


def _require_results(source: str, records: SchoolRecords, needed: Mapping[str, tuple[int, ...]]) -> None:
    """Raise `MissingData` where no school has a result in a measure, in a summer needed of it or in any at all."""
    for code, values in records.values.items():
        empty = [str(year) for year in values.columns if values[year].isna().all()]
        asked = [year for year in empty if code not in needed or int(year) in needed[code]]
        if len(values) and (asked or (empty and len(empty) == len(values.columns))):
            why = {measure(code).why_absent(int(year), "not_here") for year in asked or empty} - {""}
            raise MissingData(
                f"{source}: no school has a result in {code} for {listed(asked or empty)}, which the project file "
                f"names{''.join(f' ({reason})' for reason in sorted(why))}.\n"
                "Put a table of that summer there that has them, or change `exposure` or the outcome."
            )


def _by_stage(request: DataRequest) -> dict[str, list[str]]:
    stages: dict[str, list[str]] = {}
    for code in dict.fromkeys((*request.measures, *request.breakdowns, *request.compared_on)):
        stages.setdefault(measure(code).key_stage, []).append(code)
    return stages


def _limits(request: DataRequest, sources: Sources, areas: NeighbourTable) -> dict[str, PublishedLimits]:
    last = max(request.exposure.post, default=0)
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
    year = max(exposure.pre, default=0)
    found = {}
    for code in measures:
        known = measure(code)
        shares = national_shares(listing, known.sd.columns, year) or published_shares(sources, known, year)
        if shares is not None:
            found[code] = shares
    return found


def _treated(project: Project, folder: Path, tables: Tables, pre: Sequence[int]) -> TreatedSchools:
    known, chosen = tables.neighbours.get(project.pool.neighbours, _NO_AREAS), project.participants
    if not project.outcomes:  # nobody is compared, and no results say who is there
        return TreatedSchools({}, {}, (), area_codes(project.participants.areas, known))
    if chosen.draw is not None:
        return drawn_schools(project, area_code(chosen.draw.of, known), tables.records, project.exposure.pre or pre)
    areas = area_codes(project.participants.areas, known)
    if areas and chosen.rule is not None:
        return ruled_schools(project, areas, tables.records)
    if areas:
        if len(areas) == 1:
            refuse_another_place(project.programme.place, areas[0], tables.records)
        return with_common_start(whole_areas(areas, tables.records), project)
    return read_participants(folder / str(chosen.file), tables.records, tables.school_lists, tables.links, project)


def _fsm(project: Project, sources: Sources) -> pd.Series | None:
    if "fsm_share_2223" not in project.matching.covariates:
        return None
    if "KS2" not in sources.covariates:
        raise MissingData("The project matches on fsm_share_2223, and panel/ks2_school_covariates.csv.gz is not there.")
    path = sources.covariates["KS2"]
    frame = read_table(path, ["SCHOOL_ID", "FSM6_PCT_2223"])
    shares = parse_cells(frame["FSM6_PCT_2223"], f"{path.name}, FSM6_PCT_2223")[0]
    return pd.Series(shares, index=frame["SCHOOL_ID"])
