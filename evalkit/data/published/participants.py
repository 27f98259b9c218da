"""Which schools took part: an area, a file of schools matched to what was published, or an example's made-up list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.draws import stream
from evalkit.core.errors import DataError, DesignError, UnknownParticipants
from evalkit.core.project import Draw, Participants, Project, summer_of
from evalkit.core.words import counted, listed, nearest
from evalkit.data.flow import CountedCase
from evalkit.data.measures import ABSENCE, AREAS, STAGES
from evalkit.data.published.known_schools import KnownSchools
from evalkit.data.published.list_rule import picked_schools, rule_words, with_picked
from evalkit.data.published.participants_file import (
    ListedSchool,
    ParticipantsFile,
    shortened,
)
from evalkit.data.published.records import SchoolRecords, exclusion_reasons
from evalkit.data.published.school_lists import Links, read_register
from evalkit.data.published.trust_members import known_members, listed_participants, no_member_known

_MOST_TOLD: Final = 60


@dataclass(frozen=True, slots=True)
class MatchedSchool:
    """A row of a file of participants and the school it means: its URN, name and area (None: not given), school_id."""

    row: int
    urn: str
    name: str
    area: int | None
    area_name: str
    is_by_urn: bool
    is_by_id: bool = False
    school: str = ""


FACTS: Final = ("start", "cohort", "dose", "group")
"""What is known of each participant beside which it is."""


def no_facts() -> pd.DataFrame:
    """Return facts of nobody."""
    return facts_of((), {}, None, is_partial=False)


def facts_of(
    units: Sequence[str], said: Mapping[str, ListedSchool], start: date | None, *, is_partial: bool
) -> pd.DataFrame:
    """Return `FACTS` of units, as a file says them (`said`), else with a start in common.

    `start` is a day, missing where the file has the column and leaves the cell empty; `cohort` the summer of its
    school year (of a partial first year the next one), as a number; `dose` a number; `group` a text.
    """
    starts = [said[unit].start if unit in said else start for unit in units]
    cohorts = [np.nan if day is None else summer_of(day) + is_partial for day in starts]
    frame = pd.DataFrame(
        {
            "start": pd.to_datetime(pd.Series(starts, index=list(units), dtype=object)),
            "cohort": pd.Series(cohorts, index=list(units), dtype=float),
            "dose": pd.Series(
                [said[unit].dose if unit in said else np.nan for unit in units], list(units), dtype=float
            ),
            "group": pd.Series([said[unit].group if unit in said else "" for unit in units], list(units), dtype=object),
        }
    )
    return frame.rename_axis("unit")


@dataclass(frozen=True, slots=True, eq=False)
class TreatedSchools:
    """The programme's schools by key stage, and how they were found.

    `schools[key_stage]` are school_ids; `without_outcome[key_stage]` counts listed participants that
    have no results at that key stage, by reason; `cases` says how participants were matched;
    `areas` are those of which every school counts as treated, none where schools are listed. Of a file, `matched` has
    each row's school and `unused` the headings of columns that say nothing of which schools they are. `facts` has the
    `FACTS` of every participant by school_id (see `facts_of`), `told` those of them that the file has a column for;
    `is_drawn` says that the list is made up, for an example.
    """

    schools: dict[str, tuple[str, ...]]
    without_outcome: dict[str, dict[str, int]]
    cases: tuple[CountedCase, ...]
    areas: tuple[int, ...] = ()
    matched: tuple[MatchedSchool, ...] = ()
    unused: tuple[str, ...] = ()
    facts: pd.DataFrame = field(default_factory=no_facts)
    told: tuple[str, ...] = ()
    is_drawn: bool = False

    @property
    def has_starts(self) -> bool:
        """Return whether the file of participants says when each began."""
        return "start" in self.told

    @property
    def is_whole_area(self) -> bool:
        """Return whether whole areas count as treated, rather than schools listed one by one."""
        return bool(self.areas)


def whole_areas(areas: Sequence[int], records: Mapping[str, SchoolRecords]) -> TreatedSchools:
    """Count every school of some areas as treated; raise `DesignError` where no file has one of them."""
    each = [whole_area(area, records) for area in areas]
    schools = {stage: tuple(sorted(school for one in each for school in one.schools[stage])) for stage in records}
    cases = tuple(case for one in each for case in one.cases)
    return TreatedSchools(schools, {stage: {} for stage in records}, cases, tuple(areas))


def whole_area(area: int, records: Mapping[str, SchoolRecords]) -> TreatedSchools:
    """Count every school of an area as treated; raise `DesignError` where no file has the area."""
    schools = {stage: tuple(r.schools.index[r.schools["area"] == area]) for stage, r in records.items()}
    if not any(schools.values()):
        known = sorted({str(code) for r in records.values() for code in r.schools["area"].dropna()})
        near = nearest(str(area), known, 3)
        raise DesignError(
            f"No school lies in local authority {area} and no series is of it, so nobody was treated. Change "
            f"`participants.areas` in the project file{'; near codes: ' + listed(near) if near else ''}."
        )
    names = [name for r in records.values() for name in r.schools.loc[r.schools["area"] == area].get("area_name", [])]
    called = f"{names[0]} (local authority {area})" if names else f"local authority {area}"
    cases = tuple(
        CountedCase(f"{stage}: schools of {called}, all counted as treated", len(ids))
        for stage, ids in schools.items()
        if stage != AREAS  # whose row is the area
    )
    return TreatedSchools(schools, {stage: {} for stage in records}, cases, (area,))


def refuse_another_place(place: str, area: int, records: Mapping[str, SchoolRecords]) -> None:
    """Raise `DesignError` where the programme's place is the name of another area than the one that is treated."""
    names = {
        int(code): str(name)
        for r in records.values()
        if "area_name" in r.schools
        for code, name in zip(r.schools["area"], r.schools["area_name"], strict=True)
        if pd.notna(code)
    }
    called = [code for code, name in names.items() if name.casefold() == place.strip().casefold()]
    if area in names and called and area not in called:
        raise DesignError(
            f"`programme.place` is {names[called[0]]}, which is local authority {called[0]}, and "
            f"`participants.areas` is {area}, {names[area]}. Correct the one that is wrong."
        )


def with_common_start(treated: TreatedSchools, project: Project) -> TreatedSchools:
    """Return participants of whom no file says when they began: all with the programme."""
    units = sorted({unit for ids in treated.schools.values() for unit in ids})
    is_partial = project.participants.first_year == "partial"
    return replace(treated, facts=facts_of(units, {}, project.programme.start, is_partial=is_partial))


def drawn_schools(
    project: Project, area: int, records: Mapping[str, SchoolRecords], pre: Sequence[int]
) -> TreatedSchools:
    """Draw an example's made-up list among an area's schools; raise `DesignError` where it has too few.

    They are drawn of the mainstream schools with a result of the primary outcome in every year of `pre`, so that the
    list is the same whichever later years have been read, and in the order of their ids, so that it is the same in
    whichever order the sources list them.
    """
    draw, code = project.participants.draw, project.primary.code
    assert isinstance(draw, Draw)
    of_outcome = next(r for r in records.values() if code in r.values)
    years = [year for year in pre if year in of_outcome.years]
    is_usable = exclusion_reasons(of_outcome, code, years, project.pool.minor_groups) == ""
    is_there = (of_outcome.schools["area"] == area).fillna(False).to_numpy(dtype=bool)
    eligible = sorted(of_outcome.schools.index[is_usable.to_numpy() & is_there])
    if draw.n > len(eligible):
        raise DesignError(
            f"`participants.draw` asks for {draw.n} schools of {draw.of}, which has {counted(len(eligible), 'school')} "
            f"with {code} in every year before the programme. Draw at most so many."
        )
    chosen = stream(project.seed, f"participants of {area}").choice(len(eligible), draw.n, replace=False)
    ids = {eligible[at] for at in chosen}
    schools = {stage: tuple(sorted(ids & set(r.schools.index))) for stage, r in records.items()}
    case = CountedCase(f"schools drawn at random for an example, of {len(eligible)} of local authority {area}", draw.n)
    without = {stage: without_outcome(draw.n - len(found), stage) for stage, found in schools.items()}
    return with_common_start(TreatedSchools(schools, without, (case,), is_drawn=True), project)


def ruled_schools(project: Project, areas: Sequence[int], records: Mapping[str, SchoolRecords]) -> TreatedSchools:
    """Return the schools that the rule lists in some areas as the participants; raise `DesignError` for none."""
    rule = project.participants.rule
    assert rule is not None
    picked = picked_schools(project, records)
    of_outcome = next(one for one in records.values() if rule.of in one.values)
    place = of_outcome.schools["area"].reindex(picked)
    ids = set(picked[place.isin(areas).to_numpy(dtype=bool, na_value=False)])
    if not ids:
        raise DesignError(
            f"`participants.rule` lists no school of {listed([str(area) for area in areas], 6)}: no "
            f"mainstream school there has {rule.of} in every year that it goes by."
        )
    schools = {stage: tuple(sorted(ids & set(one.schools.index))) for stage, one in records.items()}
    case = CountedCase(f"schools listed by the rule ({rule_words(rule)})", len(ids))
    without = {stage: without_outcome(len(ids) - len(found), stage) for stage, found in schools.items()}
    return with_common_start(TreatedSchools(schools, without, (case,)), project)


def beside_rule(
    project: Project, records: dict[str, SchoolRecords], treated: TreatedSchools
) -> tuple[dict[str, SchoolRecords], TreatedSchools]:
    """Return records that say whom the declared rule lists, and participants with how many of a file's it does."""
    if project.participants.rule is None:
        return records, treated
    picked = picked_schools(project, records)
    return with_picked(records, picked), _told_of_rule(treated, picked)


def _told_of_rule(treated: TreatedSchools, picked: pd.Index) -> TreatedSchools:
    ids = {unit for schools in treated.schools.values() for unit in schools}
    if not treated.matched:
        return treated
    told = CountedCase(
        f"of {counted(len(ids), 'listed school')}: schools that the declared rule lists", len(ids & {*picked})
    )
    return replace(treated, cases=(*treated.cases, told))


def without_outcome(n: int, stage: str) -> dict[str, int]:
    """Return how many participants have no results of a key stage, by the reason."""
    return {f"no {stage} outcome": n} if n else {}


def read_participants(
    path: Path,
    records: Mapping[str, SchoolRecords],
    lists: Sequence[pd.DataFrame],
    links: Links | None,
    project: Project | None = None,
) -> TreatedSchools:
    """Match a file of participants to schools, by URN or LAESTAB with the name as a check.

    `lists` are the lists of schools at hand; a file of participants that is itself a cut of the register is one more,
    so that its infant schools, say, are counted as without results and not refused. Units of a table of the project's
    own are matched by their id there. `project` says when the programme began, for those of whom the file does not, and
    of which trust the file's members are meant: they begin when they joined.

    Raises
    ------
    DataError
        If rows cannot be read, match no school that any file knows, have another school's name, or list a school
        twice: all such rows are named, each with what it may mean.
    """
    has_tables = any(stage not in STAGES for stage in records)
    chosen = Participants(file=path.name) if project is None else replace(project.participants, file=path.name)
    file = listed_participants(path.parent, chosen, has_tables)
    lists = (*lists, *_own_list(path, file))
    known = KnownSchools.of(records, lists, links)
    members: tuple[CountedCase, ...] = ()
    if chosen.trust is not None:
        n_members = len(file.rows)
        file, members = known_members(file, known.school_of, known.areas)
        if not file.rows:
            raise DataError(no_member_known(path, str(chosen.trust), n_members))
    urns = [_urn_of(row, known) for row in file.rows]
    _refuse(path, file.rows, urns, known)
    ids = [known.school_of(urn) for urn in urns]
    schools: dict[str, tuple[str, ...]] = {}
    without: dict[str, dict[str, int]] = {}
    ids_by_stage = {}
    for stage, r in records.items():
        ids_of_stage = [_in_stage(r, u, school, known) for u, school in zip(urns, ids, strict=True)]
        ids_by_stage[stage] = ids_of_stage
        schools[stage] = tuple(sorted(school for school in ids_of_stage if school))
        reasons = [
            _no_outcome(u, stage, records, lists) for u, school in zip(urns, ids_of_stage, strict=True) if not school
        ]
        without[stage] = {reason: reasons.count(reason) for reason in sorted(set(reasons))}
    matched = tuple(_matched(row, urn, school, known) for row, urn, school in zip(file.rows, urns, ids, strict=True))
    cases = (*members, *_cases(matched, schools, file.unused))
    facts = _facts(file, [ids, *ids_by_stage.values()], project)
    return TreatedSchools(schools, without, cases, (), matched, file.unused, facts, file.beside)


def _in_stage(records: SchoolRecords, urn: str, school: str, known: KnownSchools) -> str | None:
    """Return the id under which a school stands in some records, None where it does not."""
    return records.urns.get(urn) or records.urns.get(known.oldest(urn)) or records.urns.get(school)


def _facts(file: ParticipantsFile, ids: Sequence[Sequence[str | None]], project: Project | None) -> pd.DataFrame:
    """Return the facts of a file's schools under every id they have; a start in common where it tells none."""
    start = None if project is None else project.programme.start
    is_told = "start" in file.beside
    rows = [row if is_told else replace(row, start=start) for row in file.rows]
    said = {unit: row for of_stage in ids for unit, row in zip(of_stage, rows, strict=True) if unit}
    is_partial = project is not None and project.participants.first_year == "partial"
    return facts_of(sorted(said), said, start, is_partial=is_partial)


def _cases(
    matched: Sequence[MatchedSchool], schools: Mapping[str, tuple[str, ...]], unused: Sequence[str]
) -> list[CountedCase]:
    by_urn, by_id = (sum(getattr(school, key) for school in matched) for key in ("is_by_urn", "is_by_id"))
    unused_headings = listed([f"'{shortened(text, 30)}'" if text else "one without a heading" for text in unused])
    return [
        CountedCase("participants listed in the file", len(matched)),
        *(
            [CountedCase("of these, matched by their id in a table of the project's own", by_id)]
            if by_id
            else [
                CountedCase("of these, matched by URN", by_urn),
                CountedCase("of these, matched by LAESTAB", len(matched) - by_urn),
            ]
        ),
        *(CountedCase(f"participants with {_results(stage)}", len(ids)) for stage, ids in schools.items()),
        *([CountedCase(f"columns of the file that are not used: {unused_headings}", len(unused))] if unused else []),
    ]


def _results(stage: str) -> str:
    if stage == ABSENCE:
        return "a rate of absence"
    if stage == AREAS:
        return "a published series"
    return f"{stage} results" if stage in STAGES else f"rows in the table '{stage}'"


def _matched(row: ListedSchool, urn: str, school: str, known: KnownSchools) -> MatchedSchool:
    name = known.names[school][0] if known.names.get(school) else row.name
    how = (bool(row.urn), bool(row.unit))
    return MatchedSchool(row.row, urn, name, known.areas.get(school), known.area_name(school), *how, school)


def _urn_of(row: ListedSchool, known: KnownSchools) -> str:
    """Return the URN or the own id that a row means, empty where it cannot be told."""
    if row.unit:
        return "" if row.problem else known.own_id(row.unit)
    if row.problem or row.urn:
        return "" if row.problem else row.urn
    urn_by_school = known.at(row.laestab)
    if row.name:
        urn_by_school = {school: urn for school, urn in urn_by_school.items() if known.is_called(school, row.name)}
    return next(iter(urn_by_school.values())) if len(urn_by_school) == 1 else ""


_OF_REGISTER: Final = frozenset({"la (code)", "establishmentnumber"})
"""Columns that say nothing of a participant beside its URN and name, and that the list is a cut of the register."""


def _own_list(path: Path, file: ParticipantsFile) -> tuple[pd.DataFrame, ...]:
    """Return what a file of participants says of its schools where it is a cut of the register, nothing otherwise."""
    if not {text.casefold() for text in file.unused} >= _OF_REGISTER:
        return ()
    try:
        return (read_register(path),)
    except DataError:  # it was written anew, with other separators: then it is a list of schools like any other
        return ()


def _no_outcome(urn: str, stage: str, records: Mapping[str, SchoolRecords], lists: Sequence[pd.DataFrame]) -> str:
    if stage == AREAS:
        return "no authority of which the measure is published"
    if stage not in STAGES:
        return f"no row in the table '{stage}'"
    if stage == ABSENCE:
        return "no rate of absence (in the school list, without absence)"
    other_stage = {"KS2": "KS4", "KS4": "KS2"}[stage]
    in_other = other_stage in records and urn in records[other_stage].urns
    found = next((one for one in lists if urn in one.index), None)
    phases = [] if found is None else [phase for phase in ("secondary", "primary") if found.loc[urn, f"is_{phase}"]]
    phase = phases[0] if phases else ""
    if in_other or (stage, phase) in {("KS2", "secondary"), ("KS4", "primary")}:
        return f"no {stage} outcome (a {'secondary' if stage == 'KS2' else 'primary'} school)"
    return f"no {stage} outcome (in the school list, without {stage} results)"


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with a row; `is_unknown` where the files know no such school, or know it by another name."""

    row: ListedSchool
    text: str
    is_unknown: bool = False


def _refuse(path: Path, rows: Sequence[ListedSchool], urns: Sequence[str], known: KnownSchools) -> None:
    """Raise where a row means no school, another than its name says, or one that stands there already."""
    areas = {known.areas[school] for urn in urns if (school := known.school_of(urn)) in known.areas}
    faults = [fault for row in rows if (fault := _fault(row, known, areas))]
    bad = {fault.row.row for fault in faults}
    first: dict[str, ListedSchool] = {}
    for row, urn in zip(rows, urns, strict=True):
        if row.row not in bad and (before := first.setdefault(known.school_of(urn), row)) is not row:
            same = urn if before.urn == urn else f"{urn}, {before.urn or before.laestab} there"
            faults.append(_Fault(row, f"the same school is listed twice: it is that of {before.label} ({same})"))
    if not faults:
        return
    faults.sort(key=lambda fault: fault.row.row)
    kind = UnknownParticipants if all(fault.is_unknown for fault in faults) else DataError
    raise kind(f"{path.name}: {_told(faults, len(rows))}\nCorrect the rows, or remove them and say so in the report.")


def _told(faults: Sequence[_Fault], n_rows: int) -> str:
    """Return what is wrong, row by row."""
    rows = [f"{fault.row.label}: {fault.text}." for fault in faults[:_MOST_TOLD]]
    if len(faults) == 1:
        return rows[0]
    more = [f"and {len(faults) - _MOST_TOLD} more rows."] if len(faults) > _MOST_TOLD else []
    start = f"{len(faults):,} of {counted(n_rows, 'row')} cannot be used."
    return "\n  ".join([start, *rows, *more])


def _fault(row: ListedSchool, known: KnownSchools, areas: set[int | None]) -> _Fault | None:
    if row.problem:
        return _Fault(row, row.problem)
    if row.unit:
        return None if known.own_id(row.unit) else _Fault(row, _of_no_table(row.unit, known.own_ids.values()))
    if row.urn:
        return _fault_of_urn(row, known, areas)
    if row.laestab:
        return _fault_of_laestab(row, known, areas)
    if not row.name:
        return _Fault(row, "neither a URN nor a LAESTAB")
    return _Fault(row, f"a name alone does not say which school it is{_may_be(row.name, known, areas)}")


def _of_no_table(unit: str, ids: Iterable[str]) -> str:
    near = nearest(unit, ids, 3)
    return f"no table knows the unit '{shortened(unit)}'{'; near ids: ' + listed(near) if near else ''}"


def _fault_of_urn(row: ListedSchool, known: KnownSchools, areas: set[int | None]) -> _Fault | None:
    school = known.school_of(row.urn)
    if school not in known.areas:
        number = int(row.urn)
        close = nearest(row.urn, (u for u in known.urns if abs(int(u) - number) < 1000 or u[:3] == row.urn[:3]))
        near = close or sorted(known.urns, key=lambda u: (abs(int(u) - number), u))[:1]
        nearest_known = f" (nearest known: {near[0]})" if near else ""
        return _Fault(row, f"no file knows URN {row.urn}{nearest_known}{_may_be(row.name, known, areas)}", True)
    if row.name and not known.is_called(school, row.name):
        return _Fault(
            row,
            f"URN {row.urn} is {_quoted(known.names[school][0])}, and the row's name is {_quoted(row.name)}"
            f"{_may_be(row.name, known, areas)}; if both are one school, leave its name empty",
            True,
        )
    schools_at_laestab = known.at(row.laestab) if row.laestab else {}
    if schools_at_laestab and school not in schools_at_laestab:
        other_school = next(iter(schools_at_laestab))
        return _Fault(
            row,
            f"URN {row.urn} is {_quoted(known.names[school][0])}, and LAESTAB {row.laestab} is "
            f"{_quoted(known.names[other_school][0])}; keep the one that is meant",
        )
    return None


def _fault_of_laestab(row: ListedSchool, known: KnownSchools, areas: set[int | None]) -> _Fault | None:
    schools_at_laestab = known.at(row.laestab)
    named = [school for school in schools_at_laestab if not row.name or known.is_called(school, row.name)]
    if len(named) == 1:
        return None
    if not schools_at_laestab:
        return _Fault(row, f"no file knows LAESTAB {row.laestab}{_may_be(row.name, known, areas)}", True)
    schools = listed([known.said(school) for school in (named or schools_at_laestab)])
    if not named:
        return _Fault(
            row,
            f"LAESTAB {row.laestab} is {schools}, and the row's name is {_quoted(row.name)}"
            f"{_may_be(row.name, known, areas)}",
            True,
        )
    return _Fault(row, f"LAESTAB {row.laestab} has been that of more than one school: {schools}; give the URN")


def _may_be(name: str, known: KnownSchools, areas: set[int | None]) -> str:
    """Return which schools a name may mean, in words, or nothing."""
    candidates = known.candidates(name, areas) if name else []
    return f"; the name may mean {' or '.join(known.said(school) for school in candidates)}" if candidates else ""


def _quoted(name: str) -> str:
    return f"'{shortened(name)}'"
