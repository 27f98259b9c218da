"""The register of the synthetic England in 2025: every establishment, its links, and the trusts that it belongs to."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from evalkit.core.arrays import Bools, Ints
from evalkit.core.draws import stream
from evalkit.data.synthetic.cells import Text, constant, pick, whole_text
from evalkit.data.synthetic.geography import area_name
from evalkit.data.synthetic.later import Later
from evalkit.data.synthetic.later_ks4 import LaterSecondaries
from evalkit.data.synthetic.long_csv import write_columns
from evalkit.data.synthetic.public_codes import gss_codes, region_of

CUT: Final = 20251103
"""The day of the extract."""
_TYPES: Final = {  # code of the type, its name, the group's code and name
    "CY": ("1", "Community school", "4", "Local authority maintained schools"),
    "VA": ("2", "Voluntary aided school", "4", "Local authority maintained schools"),
    "VC": ("3", "Voluntary controlled school", "4", "Local authority maintained schools"),
    "FD": ("5", "Foundation school", "4", "Local authority maintained schools"),
    "CYS": ("7", "Community special school", "5", "Special schools"),
    "IND": ("11", "Other independent school", "3", "Independent schools"),
    "AC": ("28", "Academy sponsor led", "10", "Academies"),
    "ACC": ("34", "Academy converter", "10", "Academies"),
    "F": ("35", "Free schools", "11", "Free Schools"),
    "ACCS": ("44", "Academy special converter", "10", "Academies"),
}
_REGION_LETTERS: Final = {
    "North East": "A", "North West": "B", "Yorkshire and The Humber": "D", "East Midlands": "E", "West Midlands": "F",
    "East of England": "G", "Inner London": "H", "Outer London": "H", "South East": "J", "South West": "K",
}  # fmt: skip
COLUMNS: Final = (
    "URN", "LA (code)", "LA (name)", "EstablishmentNumber", "EstablishmentName", "TypeOfEstablishment (code)",
    "TypeOfEstablishment (name)", "EstablishmentTypeGroup (code)", "EstablishmentTypeGroup (name)",
    "EstablishmentStatus (code)", "EstablishmentStatus (name)", "ReasonEstablishmentOpened (code)",
    "ReasonEstablishmentOpened (name)", "OpenDate", "ReasonEstablishmentClosed (code)",
    "ReasonEstablishmentClosed (name)", "CloseDate", "PhaseOfEducation (code)", "PhaseOfEducation (name)",
    "StatutoryLowAge", "StatutoryHighAge", "Gender (code)", "Gender (name)", "ReligiousCharacter (code)",
    "ReligiousCharacter (name)", "AdmissionsPolicy (code)", "AdmissionsPolicy (name)", "SchoolCapacity", "CensusDate",
    "NumberOfPupils", "NumberOfBoys", "NumberOfGirls", "PercentageFSM", "TrustSchoolFlag (code)",
    "TrustSchoolFlag (name)", "Trusts (code)", "Trusts (name)", "UKPRN", "LastChangedDate", "Street", "Locality",
    "Address3", "Town", "County (name)", "Postcode", "TelephoneNum", "GOR (code)", "GOR (name)",
    "DistrictAdministrative (code)", "DistrictAdministrative (name)", "UrbanRural (code)", "UrbanRural (name)",
    "GSSLACode (name)", "Easting", "Northing", "MSOA (name)", "LSOA (name)", "PreviousLA (code)", "PreviousLA (name)",
    "PreviousEstablishmentNumber", "MSOA (code)", "LSOA (code)", "FSM",
)  # fmt: skip
"""Columns of `edubasealldata` that the kit knows of, in the order of its field list; the rest are left out."""
_TRUST_SIZE: Final = 12  # schools, about


@dataclass(frozen=True, eq=False)
class Establishments:
    """One entry a URN: which school it is of, primary or secondary, and when it was open (yyyymmdd; 0: not known)."""

    urn: Ints
    school: Ints
    is_primary: Bools
    code: Ints
    estab: Ints
    previous_code: Ints
    kind: Text
    name: Text
    opened: Ints
    closed: Ints
    reason_opened: Text
    reason_closed: Text
    pupils: Ints
    fsm: Text
    trust: Ints  # 0 where none

    def __len__(self) -> int:
        """Return the number of establishments."""
        return len(self.urn)


def list_establishments(seed: int, later: Later, secondaries: LaterSecondaries) -> Establishments:
    """Return every URN that a school of the synthetic England has had since before 2016, in order of URN."""
    parts = [*_primary_parts(later), *_secondary_parts(secondaries)]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(joined["urn"], kind="stable")
    columns = {name: values[order] for name, values in joined.items()}
    academy = np.isin(columns["kind"], ["ACC", "AC", "F", "ACCS"]) & (columns["closed"] == 0)
    rng = stream(seed, "trusts")
    n_trusts = max(2, int(academy.sum()) // _TRUST_SIZE)
    trust = np.where(academy & (rng.random(len(order)) < 0.9), 10_001 + rng.integers(0, n_trusts, len(order)), 0)
    return Establishments(trust=trust, **columns)


def _part(later: Later | LaterSecondaries, at: Ints, **own: Ints | Text) -> dict[str, Ints | Text]:
    """Return the columns of some establishments; `own` says what differs between those of one school."""
    count = len(at)
    code, was = _code_at(later, at, own.get("closed")), later.code(2018)[at]
    blank = constant("", count)
    fixed = {
        "school": at, "is_primary": np.full(count, later.sort == "primary"), "code": code, "name": later.name[at],
        "previous_code": np.where(was != code, was, 0), "pupils": np.maximum(later.roll[at], 8), "reason_opened": blank,
        "reason_closed": blank, "opened": np.zeros(count, dtype=np.int64), "closed": np.zeros(count, dtype=np.int64),
        "fsm": np.array([f"{x:.1f}" for x in later.fsm[at].tolist()], dtype=object),
    }  # fmt: skip
    return {**fixed, **own}


def _code_at(later: Later | LaterSecondaries, at: Ints, closed: Ints | Text | None) -> Ints:
    """Return the authority of each establishment: today's, of one that closed that of the year in which it did."""
    code = later.code(2025)[at]
    if closed is not None:
        ended = np.clip(np.asarray(closed, dtype=np.int64) // 10_000, 2016, 2025)
        for year in range(2016, 2025):
            code = np.where((closed > 0) & (ended == year), later.code(year)[at], code)
    return np.asarray(code)


def _primary_parts(later: Later) -> list[dict[str, Ints | Text]]:
    """Return the establishments of primaries: an ancestor, the school, the academy it became, what came after 2019."""
    ids, schools = later.identities, later.schools
    every, blank = np.arange(len(later)), constant("", len(later))
    first_end = np.where(ids.switch > 0, _before(ids.opened), np.where(later.switch > 0, _before(later.opened), 0))
    ended = (later.end != "") & (later.switch == 0)
    closed = np.where(ended, 10_000 * later.last + 831, 0)
    why = np.where(later.end == "closed", "Closure", "Result of Amalgamation/Merger").astype(object)
    turned = first_end > 0
    began = np.where(schools.first > 2016, (schools.first - 1) * 10_000 + 901, 0)
    began = np.where(ids.ancestor > 0, _ancestor_end(ids.ancestor), began)
    base = _part(
        later, every, urn=ids.urn, estab=ids.estab, kind=ids.kind, opened=began,
        reason_opened=pick(ids.ancestor > 0, "Academy Converter", pick(began > 0, "New Provision", blank)),
        closed=np.where(turned, first_end, closed),
        reason_closed=pick(turned, "Academy Converter", pick(ended, why, blank)),
    )  # fmt: skip
    old = np.flatnonzero(ids.ancestor > 0)
    ancestor = _part(
        later, old, urn=ids.ancestor[old], estab=ids.estab[old], kind=constant("CY", len(old)),
        closed=_before(_ancestor_end(ids.ancestor)[old]), reason_closed=constant("Academy Converter", len(old)),
    )  # fmt: skip
    at = np.flatnonzero(ids.switch > 0)
    second_end = np.where(later.switch > 0, _before(later.opened), closed)[at]
    second = _part(
        later, at, urn=ids.new_urn[at], estab=ids.new_estab[at], kind=ids.new_kind[at], opened=ids.opened[at],
        closed=second_end, reason_opened=constant("Academy Converter", len(at)),
        reason_closed=pick(second_end > 0, why[at], constant("", len(at))),
    )  # fmt: skip
    last = np.flatnonzero(later.switch > 0)
    third = _part(
        later, last, urn=later.later_urn[last], estab=later.later_estab[last], kind=later.later_kind[last],
        opened=later.opened[last], reason_opened=constant("Academy Converter", len(last)),
    )  # fmt: skip
    return [ancestor, base, second, third]


def _ancestor_end(ancestor: Ints) -> Ints:
    """Return the day on which the academy that follows an ancestor opened, as its link says it."""
    at = np.arange(len(ancestor))
    return np.asarray((2011 + at % 5) * 10_000 + np.where(at % 2 == 1, 901, 401))


def _before(day: Ints) -> Ints:
    """Return the last day of the month before a first of a month; nought stays."""
    year, month = day // 10_000, day // 100 % 100
    earlier = np.where(month == 1, 12, month - 1)
    year = np.where(month == 1, year - 1, year)
    ends = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    return np.where(day > 0, year * 10_000 + earlier * 100 + ends[earlier], 0)


def _secondary_parts(later: LaterSecondaries) -> list[dict[str, Ints | Text]]:
    schools, every = later.schools, np.arange(len(later))
    early = np.where(schools.switch > 0, schools.switch * 10_000 + 201, 0)
    late = np.where(later.switch > 0, later.opened, 0)
    closed = np.where(later.last < 2025, later.last * 10_000 + 831, 0)
    kinds = {"mainstream": "CY", "special": "CYS", "independent": "IND"}
    kind = np.array([kinds[sort] for sort in schools.sort.tolist()], dtype=object)
    end = np.where(early > 0, _before(early), np.where(late > 0, _before(late), closed))
    reason = np.where((early > 0) | (late > 0), "Academy Converter", np.where(closed > 0, "Closure", "")).astype(object)
    base = _part(later, every, urn=schools.urn, estab=schools.estab, kind=kind, closed=end, reason_closed=reason)
    parts = [base]
    for day, urn in ((early, schools.new_urn), (late, later.later_urn)):
        at = np.flatnonzero(day > 0)
        academy = constant("ACC", len(at))
        opened = constant("Academy Converter", len(at))
        parts.append(
            _part(later, at, urn=urn[at], estab=schools.estab[at], kind=academy, opened=day[at], reason_opened=opened)
        )
    return parts


def write_gias_extract(folder: Path, every: Establishments, later: Later, secondaries: LaterSecondaries) -> None:
    """Write the extract, the links and the group links of one day, as Get Information about Schools gives them."""
    columns = _extract(every)
    write_columns(
        folder / "gias" / f"edubasealldata{CUT}.csv", {name: columns.get(name, "") for name in COLUMNS},
        crlf=True, encoding="cp1252",
    )  # fmt: skip
    _write_links(folder, later, secondaries)
    _write_group_links(folder, every)


def _date(day: Ints) -> Text:
    """Return days as dd-mm-yyyy, blank where not known."""
    return np.array(
        [f"{d % 100:02d}-{d // 100 % 100:02d}-{d // 10_000}" if d else "" for d in day.tolist()], dtype=object
    )


def _by_code(code: Ints) -> dict[str, Text]:
    distinct, place = np.unique(code, return_inverse=True)
    codes = distinct.tolist()
    regions = [region_of(one)[1] for one in codes]
    named = {
        "LA (name)": [area_name(one) for one in codes],
        "GOR (code)": [_REGION_LETTERS[name] for name in regions],
        "GOR (name)": ["London" if name.endswith("London") else name for name in regions],
        "DistrictAdministrative (code)": [gss_codes()[one] for one in codes],
        "GSSLACode (name)": [gss_codes()[one] for one in codes],
    }
    found = {name: np.array(cells, dtype=object)[place] for name, cells in named.items()}
    return found | {"DistrictAdministrative (name)": found["LA (name)"]}


def lsoa_codes(every: Establishments) -> Text:
    """Return the neighbourhood that each establishment lies in: made up, several schools to one."""
    place = every.code * 100 + every.school % 40
    return np.array([f"E01{number:06d}" for number in place.tolist()], dtype=object)


def _extract(every: Establishments) -> dict[str, Any]:
    """Return the columns that are not blank."""
    count, kinds = len(every), every.kind.tolist()
    is_open = every.closed == 0
    types = {name: np.array([_TYPES[kind][at] for kind in kinds], dtype=object) for at, name in enumerate(COLUMNS[5:9])}
    boys = every.pupils * 51 // 100
    pupils = {"NumberOfPupils": every.pupils, "NumberOfBoys": boys, "NumberOfGirls": every.pupils - boys}
    numbers = {name: pick(is_open, whole_text(values), constant("", count)) for name, values in pupils.items()}
    number = every.school % 97 + 1
    trust = every.trust > 0
    named = np.array(
        [f"Synthetic Learning Trust {one - 10_000}" if one else "" for one in every.trust.tolist()], dtype=object
    )
    lsoa = lsoa_codes(every)
    was, no = every.previous_code > 0, constant("Does not apply", count)
    return types | numbers | _by_code(every.code) | {
        "URN": whole_text(every.urn),
        "LA (code)": whole_text(every.code),
        "EstablishmentNumber": whole_text(every.estab),
        "EstablishmentName": every.name,
        "EstablishmentStatus (code)": np.where(is_open, "1", "2").astype(object),
        "EstablishmentStatus (name)": np.where(is_open, "Open", "Closed").astype(object),
        "ReasonEstablishmentOpened (name)": every.reason_opened,
        "OpenDate": _date(every.opened),
        "ReasonEstablishmentClosed (name)": every.reason_closed,
        "CloseDate": _date(every.closed),
        "PhaseOfEducation (code)": np.where(every.is_primary, "2", "4").astype(object),
        "PhaseOfEducation (name)": np.where(every.is_primary, "Primary", "Secondary").astype(object),
        "StatutoryLowAge": np.where(every.is_primary, "4", "11").astype(object),
        "StatutoryHighAge": np.where(every.is_primary, "11", "16").astype(object),
        "Gender (code)": "3",
        "Gender (name)": "Mixed",
        "ReligiousCharacter (name)": pick(every.school % 3 == 0, "Church of England", no),
        "SchoolCapacity": whole_text(every.pupils + 20),
        "CensusDate": "16-01-2025",
        "PercentageFSM": pick(is_open, every.fsm, constant("", count)),
        "TrustSchoolFlag (code)": np.where(trust, "3", "0").astype(object),
        "TrustSchoolFlag (name)": pick(trust, "Supported by a multi-academy trust", no),
        "Trusts (code)": pick(trust, whole_text(every.trust), constant("", count)),
        "Trusts (name)": named,
        "LastChangedDate": "01-10-2025",
        "Street": np.array([f"{one} Sample Street" for one in number.tolist()], dtype=object),
        "Town": "Madeville",
        "Postcode": np.array([f"ZZ{i % 99 + 1} {i % 9}ZZ" for i in every.school.tolist()], dtype=object),
        "TelephoneNum": "01632960000",
        "UrbanRural (name)": "Urban major conurbation",
        "Easting": whole_text(300_000 + every.code * 311 % 250_000),
        "Northing": whole_text(200_000 + every.school * 17 % 300_000),
        "LSOA (name)": np.array([f"Synthetic Neighbourhood {one[3:]}" for one in lsoa.tolist()], dtype=object),
        "LSOA (code)": lsoa,
        "PreviousLA (code)": pick(was, whole_text(every.previous_code), constant("999", count)),
        "PreviousLA (name)": pick(was, "Synthetic Borough (before)", constant("", count)),
        "PreviousEstablishmentNumber": pick(was, whole_text(every.estab), constant("", count)),
    }  # fmt: skip


_LINKS: Final = ("URN", "LinkURN", "LinkName", "LinkType", "LinkEstablishedDate")
_HOW: Final = {
    "merged": ("Successor - merged", "Predecessor - merged"),
    "amalgamated": ("Successor - amalgamated", "Predecessor - amalgamated"),
}


def _write_links(folder: Path, later: Later, secondaries: LaterSecondaries) -> None:
    """Write the links of that day: those of the file to 2019, and what happened since, quoted, in Windows-1252."""
    before = (folder / "gias" / "links_edubasealldata_2022.csv").read_text(encoding="cp1252").splitlines()
    rows = [tuple(row) for row in csv.reader(before[1:])]
    rows += _later_links(later)
    rows += _secondary_links(secondaries)
    rows.sort(key=lambda row: (int(row[0]), int(row[1]), row[3]))
    columns = {name: np.array(cells, dtype=object) for name, cells in zip(_LINKS, zip(*rows, strict=True), strict=True)}
    path = folder / "gias" / f"links_edubasealldata{CUT}.csv"
    write_columns(path, columns, crlf=True, quoted=True, encoding="cp1252")


def _link(old: int, new: int, names: tuple[str, str], day: str, kinds: tuple[str, str]) -> list[tuple[str, ...]]:
    """Return both directions of a link; each names the other establishment."""
    return [(str(old), str(new), names[1], kinds[0], day), (str(new), str(old), names[0], kinds[1], day)]


def _later_links(later: Later) -> list[tuple[str, ...]]:
    """Return conversions (one to one), mergers and amalgamations (two to one) after 2019."""
    rows: list[tuple[str, ...]] = []
    before, names = later.identities.urn_in(2019), later.identities.name.tolist()
    days = _date(later.opened).tolist()
    joined = set(later.partner[later.end == "amalgamated"].tolist())
    for school in np.flatnonzero(later.switch > 0).tolist():
        kinds = _HOW["amalgamated"] if school in joined else ("Successor", "Predecessor")
        both = (names[school], names[school])
        rows += _link(before[school], later.later_urn[school], both, days[school], kinds)
    for school in np.flatnonzero(later.partner >= 0).tolist():
        other, how = int(later.partner[school]), str(later.end[school])
        year = int(later.last[school])
        taker = later.later_urn[other] if how == "amalgamated" else later.urn(year)[other]
        day = f"01-09-{year}" if how == "amalgamated" else f"31-08-{year}"
        rows += _link(before[school], taker, (names[school], names[other]), day, _HOW[how])
    return rows


def _secondary_links(later: LaterSecondaries) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for school in np.flatnonzero(later.switch > 0).tolist():
        name = str(later.schools.name[school])
        day = f"01-09-{later.switch[school]}"
        urns = (int(later.schools.urn[school]), int(later.later_urn[school]))
        rows += _link(*urns, (name, name), day, ("Successor", "Predecessor"))
    return rows


def _write_group_links(folder: Path, every: Establishments) -> None:
    """Write which trust each academy joined and when; the first column has no name, as in the published file."""
    at = np.flatnonzero(every.trust > 0)
    trust, opened = every.trust[at], every.opened[at]
    joined = np.where(opened > 0, opened, 20130401)
    day = np.array([f"{d // 10_000}-{d // 100 % 100:02d}-{d % 100:02d}" for d in joined.tolist()], dtype=object)
    kinds = every.kind[at].tolist()
    columns = {
        "": whole_text(np.arange(len(at))),
        "URN": whole_text(every.urn[at]),
        "Group UID": whole_text(trust),
        "Group ID": np.array([f"TR{one:05d}" for one in trust.tolist()], dtype=object),
        "Group Name": np.array([f"Synthetic Learning Trust {one - 10_000}" for one in trust.tolist()], dtype=object),
        "Companies House Number": "",
        "Group Type (code)": "6",
        "Group Type": "Multi-academy trust",
        "Closed Date": "",
        "Open date": "2011-04-01",
        "Incorporated on (open date)": "2011-04-01",
        "Group Status (code)": "OPEN",
        "Group Status": "Open",
        "Joined date": day,
        "EstablishmentName": every.name[at],
        "TypeOfEstablishment (code)": np.array([_TYPES[kind][0] for kind in kinds], dtype=object),
        "TypeOfEstablishment (name)": np.array([_TYPES[kind][1] for kind in kinds], dtype=object),
        "PhaseOfEducation (code)": np.where(every.is_primary[at], "2", "4").astype(object),
        "PhaseOfEducation (name)": np.where(every.is_primary[at], "Primary", "Secondary").astype(object),
        "LA (code)": whole_text(every.code[at]),
        "LA (name)": np.array([area_name(one) for one in every.code[at].tolist()], dtype=object),
    }
    write_columns(folder / "gias" / f"group_links{CUT}.csv", columns)
