"""Which schools took part: an area, or a file of schools matched to what was published."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from evalkit.core.errors import DataError, DesignError, UnknownParticipants
from evalkit.core.words import counted, listed, nearest
from evalkit.data.flow import CountedCase
from evalkit.data.links import Links
from evalkit.data.records import SchoolRecords
from evalkit.data.tables import read_table

_HINT: Final = "Write one school a row: a column URN, or the columns LAESTAB and name."


@dataclass(frozen=True, slots=True, eq=False)
class TreatedSchools:
    """The programme's schools by key stage, and how they were found.

    `schools[key_stage]` are school_ids; `without_outcome[key_stage]` counts listed participants that
    have no results at that key stage, by reason; `cases` says how participants were matched;
    `is_whole_area` whether every school of one area counts as treated.
    """

    schools: dict[str, tuple[str, ...]]
    without_outcome: dict[str, dict[str, int]]
    cases: tuple[CountedCase, ...]
    is_whole_area: bool


def whole_area(area: int, records: Mapping[str, SchoolRecords]) -> TreatedSchools:
    """Count every school of an area as treated; raise `DesignError` where no file has the area."""
    schools = {stage: tuple(r.schools.index[r.schools["area"] == area]) for stage, r in records.items()}
    if not any(schools.values()):
        known = sorted({str(code) for r in records.values() for code in r.schools["area"]})
        near = nearest(str(area), known, 3)
        raise DesignError(
            f"No school lies in local authority {area}, so nobody was treated. Change `participants.local_authority` "
            f"in the project file{'; near codes: ' + listed(near) if near else ''}."
        )
    cases = tuple(
        CountedCase(f"{stage}: schools of local authority {area}, all counted as treated", len(ids))
        for stage, ids in schools.items()
    )
    return TreatedSchools(schools, {stage: {} for stage in records}, cases, True)


def read_participants(
    path: Path, records: Mapping[str, SchoolRecords], spine: pd.DataFrame | None, links: Links | None
) -> TreatedSchools:
    """Match a file of participants to schools, by URN or by LAESTAB with the name as a check.

    Raises
    ------
    DataError
        If a row matches no school any file knows (all such rows are named, each with the nearest),
        or a school is listed twice.
    """
    rows = _rows(path)
    urns = [_urn_of(row, records, spine) for row in rows]
    _refuse_unknown(path, rows, urns, records, spine, links)
    schools: dict[str, tuple[str, ...]] = {}
    without: dict[str, dict[str, int]] = {}
    oldest = [links.oldest(urn) if links else urn for urn in urns]
    _refuse_twice(path, urns, [_school_id(u, o, records) for u, o in zip(urns, oldest, strict=True)])
    for stage, r in records.items():
        found = [r.urns.get(u) or r.urns.get(o) for u, o in zip(urns, oldest, strict=True)]
        schools[stage] = tuple(sorted(school for school in found if school))
        lost = [_no_outcome(u, stage, records, spine) for u, school in zip(urns, found, strict=True) if not school]
        without[stage] = {reason: lost.count(reason) for reason in sorted(set(lost))}
    by_urn = sum("URN" in row for row in rows)
    cases = (
        CountedCase("participants listed in the file", len(rows)),
        CountedCase("of these, matched by URN", by_urn),
        CountedCase("of these, matched by LAESTAB and name", len(rows) - by_urn),
        *(CountedCase(f"participants with {stage} results", len(ids)) for stage, ids in schools.items()),
    )
    return TreatedSchools(schools, without, cases, False)


def _rows(path: Path) -> list[dict[str, str]]:
    frame = read_table(path, [], optional=["URN", "LAESTAB", "name"])
    if "URN" not in frame and not {"LAESTAB", "name"} <= set(frame):
        raise DataError(f"{path.name}: the file has neither a column URN nor the columns LAESTAB and name. {_HINT}")
    cells = frame.fillna("").apply(lambda column: column.str.strip())
    rows = [{str(key): str(value) for key, value in row.items() if value} for row in cells.to_dict("records")]
    numbered = [(number, row) for number, row in enumerate(rows, start=2) if row]
    if not numbered:
        raise DataError(f"{path.name}: the file lists no school. {_HINT}")
    for number, row in numbered:
        if not re.fullmatch(r"\d{6}", row.get("URN", "000000")):
            raise DataError(f"{path.name}, row {number}: '{row['URN']}' is not a URN (six digits).")
        if "URN" not in row and not {"LAESTAB", "name"} <= set(row):
            raise DataError(f"{path.name}, row {number}: neither a URN nor a LAESTAB with a name. {_HINT}")
    return [row for _, row in numbered]


def _urn_of(row: dict[str, str], records: Mapping[str, SchoolRecords], spine: pd.DataFrame | None) -> str:
    """Return the URN a row means; empty where its LAESTAB is unknown or the name there is quite another."""
    if "URN" in row:
        return row["URN"]
    laestab = row["LAESTAB"].replace("/", "")
    frames = [r.schools for r in records.values()] + ([] if spine is None else [spine])
    for frame in frames:
        at = frame[frame["laestab"] == laestab]
        for urn, name in at["name"].items():
            if _alike(row["name"], name):
                return str(urn)
    return ""


def _alike(one: str, other: str) -> bool:
    """Return whether the distinguishing words of one name all stand in the other."""
    words = [
        set(re.findall(r"[a-z]{2,}", text.lower().replace("\u2019s", "").replace("'s", ""))) for text in (one, other)
    ]
    telling = [found - _GENERIC for found in words]
    if not all(telling):
        return words[0] == words[1]
    return telling[0] <= telling[1] or telling[1] <= telling[0]


_GENERIC: Final = frozenset(
    {"school", "primary", "secondary", "high", "junior", "infant", "infants", "nursery", "community", "academy"}
    | {"college", "voluntary", "aided", "controlled", "catholic", "roman", "rc", "ce", "cofe", "church", "of"}
    | {"england", "the", "and", "st", "saint", "sts", "for", "with", "trust", "free", "foundation"}
)


def _school_id(urn: str, oldest: str, records: Mapping[str, SchoolRecords]) -> str:
    return next((r.urns[u] for r in records.values() for u in (urn, oldest) if u in r.urns), oldest)


def _no_outcome(urn: str, stage: str, records: Mapping[str, SchoolRecords], spine: pd.DataFrame | None) -> str:
    other = {"KS2": "KS4", "KS4": "KS2"}[stage]
    in_other = other in records and urn in records[other].urns
    phase = (
        ""
        if spine is None or urn not in spine.index
        else ("secondary" if spine.loc[urn, "is_secondary"] else "primary")
    )
    if in_other or (stage, phase) in {("KS2", "secondary"), ("KS4", "primary")}:
        return f"no {stage} outcome (a {'secondary' if stage == 'KS2' else 'primary'} school)"
    return f"no {stage} outcome (in the school list, without {stage} results)"


def _refuse_unknown(
    path: Path,
    rows: list[dict[str, str]],
    urns: list[str],
    records: Mapping[str, SchoolRecords],
    spine: pd.DataFrame | None,
    links: Links | None,
) -> None:
    known = {urn for r in records.values() for urn in r.urns} | (set() if spine is None else set(spine.index))
    lost = [
        row
        for row, urn in zip(rows, urns, strict=True)
        if urn not in known and (links is None or links.oldest(urn) not in known)
    ]
    if not lost:
        return
    said = [_unknown(row, known) for row in lost]
    raise UnknownParticipants(
        f"{path.name}: {counted(len(lost), 'participant')} no file knows: {'; '.join(said[:20])}"
        f"{f'; and {len(said) - 20} more' if len(said) > 20 else ''}.\n"
        "Correct the rows, or remove them and say so in the report."
    )


def _unknown(row: dict[str, str], known: set[str]) -> str:
    if "URN" not in row:
        return f"LAESTAB {row['LAESTAB']} with the name '{row['name']}'"
    number = int(row["URN"])
    alike = nearest(row["URN"], (u for u in known if abs(int(u) - number) < 1000 or u[:3] == row["URN"][:3]))
    near = alike or sorted(known, key=lambda u: (abs(int(u) - number), u))[:1]
    return f"URN {row['URN']}" + (f" (nearest known: {near[0]})" if near else "")


def _refuse_twice(path: Path, urns: list[str], ids: list[str]) -> None:
    twice = sorted({school for school in ids if ids.count(school) > 1})
    if twice:
        same = [urn for urn, school in zip(urns, ids, strict=True) if school == twice[0]]
        raise DataError(
            f"{path.name}: the same school is listed twice: URN {listed(same)}. Keep one row for each school."
        )
