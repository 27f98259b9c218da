"""Which schools took part: an area, or a file of schools matched to what was published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from evalkit.core.errors import DataError, DesignError, UnknownParticipants
from evalkit.core.words import counted, listed, nearest
from evalkit.data.flow import CountedCase
from evalkit.data.published.known_schools import KnownSchools
from evalkit.data.published.participants_file import ListedSchool, read_listed_schools, shortened
from evalkit.data.published.records import SchoolRecords
from evalkit.data.published.school_lists import Links

_MOST_TOLD: Final = 60


@dataclass(frozen=True, slots=True)
class MatchedSchool:
    """A row of a file of participants and the school it means: its URN, and its name and area (None: not given)."""

    row: int
    urn: str
    name: str
    area: int | None
    area_name: str
    is_by_urn: bool


@dataclass(frozen=True, slots=True, eq=False)
class TreatedSchools:
    """The programme's schools by key stage, and how they were found.

    `schools[key_stage]` are school_ids; `without_outcome[key_stage]` counts listed participants that
    have no results at that key stage, by reason; `cases` says how participants were matched;
    `areas` are those of which every school counts as treated, none where schools are listed. Of a file, `matched` has
    each row's school and `unused` the headings of columns that say nothing of which schools they are.
    """

    schools: dict[str, tuple[str, ...]]
    without_outcome: dict[str, dict[str, int]]
    cases: tuple[CountedCase, ...]
    areas: tuple[int, ...] = ()
    matched: tuple[MatchedSchool, ...] = ()
    unused: tuple[str, ...] = ()

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
            f"No school lies in local authority {area}, so nobody was treated. Change `participants.areas` "
            f"in the project file{'; near codes: ' + listed(near) if near else ''}."
        )
    names = [name for r in records.values() for name in r.schools.loc[r.schools["area"] == area].get("area_name", [])]
    called = f"{names[0]} (local authority {area})" if names else f"local authority {area}"
    cases = tuple(
        CountedCase(f"{stage}: schools of {called}, all counted as treated", len(ids)) for stage, ids in schools.items()
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


def read_participants(
    path: Path, records: Mapping[str, SchoolRecords], spine: pd.DataFrame | None, links: Links | None
) -> TreatedSchools:
    """Match a file of participants to schools, by URN or LAESTAB with the name as a check.

    Raises
    ------
    DataError
        If rows cannot be read, match no school that any file knows, have another school's name, or list a school
        twice: all such rows are named, each with what it may mean.
    """
    file, known = read_listed_schools(path), KnownSchools.of(records, spine, links)
    urns = [_urn_of(row, known) for row in file.rows]
    _refuse(path, file.rows, urns, known)
    ids = [known.school_of(urn) for urn in urns]
    schools: dict[str, tuple[str, ...]] = {}
    without: dict[str, dict[str, int]] = {}
    for stage, r in records.items():
        ids_of_stage = [r.urns.get(u) or r.urns.get(known.oldest(u)) for u in urns]
        schools[stage] = tuple(sorted(school for school in ids_of_stage if school))
        reasons = [
            _no_outcome(u, stage, records, spine) for u, school in zip(urns, ids_of_stage, strict=True) if not school
        ]
        without[stage] = {reason: reasons.count(reason) for reason in sorted(set(reasons))}
    matched = tuple(_matched(row, urn, school, known) for row, urn, school in zip(file.rows, urns, ids, strict=True))
    return TreatedSchools(schools, without, tuple(_cases(matched, schools, file.unused)), (), matched, file.unused)


def _cases(
    matched: Sequence[MatchedSchool], schools: Mapping[str, tuple[str, ...]], unused: Sequence[str]
) -> list[CountedCase]:
    by_urn = sum(school.is_by_urn for school in matched)
    unused_headings = listed([f"'{shortened(text, 30)}'" if text else "one without a heading" for text in unused])
    return [
        CountedCase("participants listed in the file", len(matched)),
        CountedCase("of these, matched by URN", by_urn),
        CountedCase("of these, matched by LAESTAB", len(matched) - by_urn),
        *(CountedCase(f"participants with {stage} results", len(ids)) for stage, ids in schools.items()),
        *([CountedCase(f"columns of the file that are not used: {unused_headings}", len(unused))] if unused else []),
    ]


def _matched(row: ListedSchool, urn: str, school: str, known: KnownSchools) -> MatchedSchool:
    name = known.names[school][0] if known.names.get(school) else row.name
    return MatchedSchool(row.row, urn, name, known.areas.get(school), known.area_name(school), bool(row.urn))


def _urn_of(row: ListedSchool, known: KnownSchools) -> str:
    """Return the URN a row means, empty where it cannot be told."""
    if row.problem or row.urn:
        return "" if row.problem else row.urn
    urn_by_school = known.at(row.laestab)
    if row.name:
        urn_by_school = {school: urn for school, urn in urn_by_school.items() if known.is_called(school, row.name)}
    return next(iter(urn_by_school.values())) if len(urn_by_school) == 1 else ""


def _no_outcome(urn: str, stage: str, records: Mapping[str, SchoolRecords], spine: pd.DataFrame | None) -> str:
    other_stage = {"KS2": "KS4", "KS4": "KS2"}[stage]
    in_other = other_stage in records and urn in records[other_stage].urns
    phase = (
        ""
        if spine is None or urn not in spine.index
        else ("secondary" if spine.loc[urn, "is_secondary"] else "primary")
    )
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
    if row.urn:
        return _fault_of_urn(row, known, areas)
    if row.laestab:
        return _fault_of_laestab(row, known, areas)
    if not row.name:
        return _Fault(row, "neither a URN nor a LAESTAB")
    return _Fault(row, f"a name alone does not say which school it is{_may_be(row.name, known, areas)}")


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
