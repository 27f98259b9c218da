"""The register of the synthetic England: URNs, types, names, conversions, links, and the list of 2017/18."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Bools, Ints
from evalkit.core.draws import stream
from evalkit.data.synthetic.cells import Text, constant, csv_lines, pick, quoted, whole_text, write_plain
from evalkit.data.synthetic.ks4 import Secondaries
from evalkit.data.synthetic.world import Primaries

# URNs, establishment numbers, types and names of the synthetic primaries, and how conversions change them.

CONVERSIONS_PER_YEAR = 450
# The treated area's seven conversions follow the dates of the seven real ones there: date, last summer tested as the
# old school, whether that summer's table also lists the new academy.
TREATED_CONVERSIONS = (
    (20171001, 2018, True), (20171001, 2018, True), (20180201, 2018, True), (20180501, 2018, True),
    (20180901, 2018, False), (20190301, 2019, True), (20190901, 2019, False),
)  # fmt: skip
KEEPS_LAESTAB = 0.952  # of converters, 2017/18 school list; sponsor-led academies never do
_TYPES = ("CY", "VA", "VC", "FD", "ACC", "AC")
_TYPE_SHARES = (0.47, 0.20, 0.13, 0.04, 0.11, 0.05)
_HAD_PREDECESSOR = 0.93
_NAMES = (
    "Synthetic Primary School {}", "Example Community Primary School {}", "St Fictus CofE (VA) Primary School {}",
    "Our Lady of Samples Catholic Primary School, Madeville {}", "Imaginary Junior School {}",
    "École Synthétique Primary School {}", "Placeholder Church of England Primary School {}",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Identities:
    """One entry a school; `switch` is the last summer whose results stand under `urn`, 0 where it never changes."""

    urn: Ints
    new_urn: Ints
    ancestor: Ints  # URN before 2016, 0 where none
    estab: Ints
    new_estab: Ints
    kind: Text
    new_kind: Text
    switch: Ints
    opened: Ints  # yyyymmdd of the conversion
    listed_twice: Bools
    name: Text

    def urn_in(self, year: int) -> Ints:
        """Return the URN that holds each school's results of `year`."""
        return np.where(self._switched(year), self.new_urn, self.urn)

    def estab_in(self, year: int) -> Ints:
        """Return the establishment number of the same row."""
        return np.where(self._switched(year), self.new_estab, self.estab)

    def kind_in(self, year: int) -> Text:
        """Return the type code of the same row."""
        return np.asarray(np.where(self._switched(year), self.new_kind, self.kind), dtype=object)

    def oldest(self) -> Ints:
        """Return the URN at the start of each school's one-to-one chain."""
        return np.where(self.ancestor > 0, self.ancestor, self.urn)

    def _switched(self, year: int) -> Bools:
        return np.asarray((self.switch > 0) & (year > self.switch))


def draw_identities(seed: int, schools: Primaries, scale: float) -> Identities:
    """Return every school's identity, with about 450 conversions a year and seven in the treated area."""
    rng = stream(seed, "identity")
    count = len(schools)
    switch, opened, twice = _conversions(seed, schools, scale)
    sponsored = rng.random(count) < np.where(schools.is_treated, 0.15, 0.25)
    kind = _kinds(rng, schools)
    is_academy = np.isin(kind, ["ACC", "AC", "ACCS"])
    estab = np.where(schools.special, 7000, 2000) + _rank(schools.area, schools.special)
    keeps = ~sponsored & (rng.random(count) < KEEPS_LAESTAB)
    urn = 600_001 + np.arange(count)
    return Identities(
        urn=urn,
        new_urn=np.where(switch > 0, 700_000 + np.cumsum(switch > 0), 0),
        ancestor=np.where(is_academy & (rng.random(count) < _HAD_PREDECESSOR), urn - 100_000, 0),
        estab=estab,
        new_estab=np.where(keeps, estab, estab + 3200),
        kind=kind,
        new_kind=np.where(sponsored, "AC", "ACC").astype(object),
        switch=switch,
        opened=opened,
        listed_twice=twice,
        name=np.array([_NAMES[i % len(_NAMES)].format(i + 1) for i in range(count)], dtype=object),
    )


def _rank(area: Ints, special: Bools) -> Ints:
    """Return 1, 2, 3 … within each area and school sort (schools stand in that order)."""
    group = area * 2 + special
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    return np.arange(1, len(group) + 1) - np.repeat(starts, np.diff(np.r_[starts, len(group)]))


def _kinds(rng: np.random.Generator, schools: Primaries) -> NDArray[np.object_]:
    """Return the type code of each school before any conversion; schools that opened are free schools."""
    drawn = rng.choice(np.array(_TYPES, dtype=object), size=len(schools), p=_TYPE_SHARES)
    drawn[(schools.first > 2016)] = "F"
    special = rng.choice(np.array(["CYS", "ACCS"], dtype=object), size=len(schools), p=[0.72, 0.28])
    return np.asarray(np.where(schools.special, special, drawn), dtype=object)


def _conversions(seed: int, schools: Primaries, scale: float) -> tuple[Ints, Ints, Bools]:
    """Return the last summer under the old URN, the date of opening, and whether both rows stand in that table."""
    rng = stream(seed, "conversions")
    switch = np.zeros(len(schools), dtype=np.int64)
    opened, twice = switch.copy(), np.zeros(len(schools), dtype=bool)
    free = ~schools.special & (schools.first == 2016) & (schools.last == 2019) & ~schools.is_treated
    candidates = rng.permutation(np.flatnonzero(free & (schools.old_code == 0)))
    per_year = round(CONVERSIONS_PER_YEAR * scale)
    for position, year in enumerate((2017, 2018, 2019)):
        chosen = candidates[position * per_year : (position + 1) * per_year]
        switch[chosen] = year
        opened[chosen], twice[chosen] = _openings(rng, len(chosen), year)
    treated = np.flatnonzero(schools.is_treated & (schools.first == 2016) & (schools.last == 2019))
    for school, (date, year, both) in zip(treated[::6], TREATED_CONVERSIONS, strict=False):
        switch[school], opened[school], twice[school] = year, date, both
    return switch, opened, twice


def _openings(rng: np.random.Generator, count: int, year: int) -> tuple[Ints, Bools]:
    """Return first-of-month dates; those of the September after the tests are only announced in that year's table."""
    month = rng.choice([9, 10, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8], size=count, p=[0.24, *[0.07] * 10, 0.06])
    announced = month == 9
    calendar = np.where((month > 9), year - 1, year)
    return calendar * 10_000 + month * 100 + 1, ~announced


# The register of the synthetic England: links between schools, and the list of schools of 2017/18.

LINK_COLUMNS = ("URN", "LinkURN", "LinkName", "LinkType", "LinkEstablishedDate")
_SPINE = (
    "URN LA ESTAB LAESTAB SCHNAME OTHERSCHNAME STREET LOCALITY ADDRESS3 TOWN POSTCODE TELNUM ICLOSE OPENDATE CLOSEDATE "
    "ISNEW MINORGROUP NFTYPE OTHERNFTYPE ISPRIMARY ISSECONDARY ISPOST16 AGEL AGEH GENDER SIXFGENDER RELDENOM ADMPOL "
    "OTHERURN NEWACFLAG RE-BROKERED"
)
SPINE_COLUMNS = _SPINE.split()
_TYPE_NAMES = {
    "CY": "Community school", "VA": "Voluntary aided school", "VC": "Voluntary controlled school",
    "FD": "Foundation school", "ACC": "Academy - Converter mainstream", "AC": "Academy sponsor led mainstream",
    "F": "Free school - Mainstream", "CYS": "Community special school", "IND": "Other independent school",
    "ACCS": "Academy - Converter special school",
}  # fmt: skip
_ACADEMIES = ("ACC", "AC", "F")
# How a school that closes is linked to one that stays (or opens), and how the other is linked back. None may be
# chained: some say so in their type, the last only by having two predecessors.
_CLOSING = (
    ("Successor - merged", "Predecessor - merged"), ("Successor - amalgamated", "Predecessor - amalgamated"),
    ("Result of Amalgamation", "Predecessor - amalgamated"), ("Successor", "Predecessor"),
)  # fmt: skip
_OTHERS = (
    "Sixth Form Centre School", "Sixth Form Centre Link", "Other", "Expansion", "Closure",
    "Merged - change in age range", "Merged - expansion of school capacity",
)  # fmt: skip

Link = tuple[int, int, str, str, str]
_PLAIN = ("Successor", "Predecessor")


def write_gias(folder: Path, seed: int, schools: Primaries, identities: Identities, secondaries: Secondaries) -> None:
    """Write the links (Windows-1252, quoted) and the school list."""
    links = [*_one_to_one(identities), *_secondary_links(secondaries)]
    links = sorted([*links, *_many(seed, schools, identities), *_odd(secondaries)])
    lines = [",".join(f'"{name}"' for name in LINK_COLUMNS)]
    lines += [f'{urn},{other},"{name}","{kind}","{date}"' for urn, other, name, kind, date in links]
    write_plain(folder / "gias" / "links_edubasealldata_2022.csv", lines, encoding="cp1252", end="\r\n")
    spine = _primary_spine(schools, identities)
    both = {name: np.concatenate([spine[name], extra]) for name, extra in _secondary_spine(secondaries).items()}
    order = np.argsort(both["URN"].astype(np.int64), kind="stable")
    ordered = {name: both[name][order] for name in SPINE_COLUMNS}
    write_plain(folder / "gias" / "england_spine_2017-2018.csv", csv_lines(ordered))


def _pair(old: int, new: int, name: str, date: str, kinds: tuple[str, str] = _PLAIN) -> list[Link]:
    """Return both directions of one link."""
    return [(old, new, name, kinds[0], date), (new, old, name, kinds[1], date)]


def _day(date: int) -> str:
    return f"{date % 100:02d}-{date // 100 % 100:02d}-{date // 10_000}"


def _stamp(date: int) -> str:
    return f"{date // 10_000}-{date // 100 % 100:02d}-{date % 100:02d} 00:00:00"


def _one_to_one(identities: Identities) -> list[Link]:
    """Return the chains: a school before 2016, the school, the academy it became."""
    links: list[Link] = []
    for i in np.flatnonzero(identities.ancestor).tolist():
        opened = f"01-{9 if i % 2 else 4:02d}-{2011 + i % 5}"
        links += _pair(int(identities.ancestor[i]), int(identities.urn[i]), identities.name[i], opened)
    for i in np.flatnonzero(identities.switch).tolist():
        opened = _day(int(identities.opened[i]))
        links += _pair(int(identities.urn[i]), int(identities.new_urn[i]), identities.name[i], opened)
    return links


def _secondary_links(secondaries: Secondaries) -> list[Link]:
    links: list[Link] = []
    for i in np.flatnonzero(secondaries.switch).tolist():
        opened = f"01-02-{secondaries.switch[i]}"
        links += _pair(int(secondaries.urn[i]), int(secondaries.new_urn[i]), secondaries.name[i], opened)
    return links


def _many(seed: int, schools: Primaries, identities: Identities) -> list[Link]:
    """Return merges, amalgamations and splits: schools that close into one, one that opens out of another."""
    rng = stream(seed, "links")
    links: list[Link] = []
    closing = np.flatnonzero(schools.last < 2019)
    for two, kinds in zip(_twos(closing, schools.area), cycle(_CLOSING), strict=False):
        near = np.flatnonzero((schools.area == schools.area[two[0]]) & _staying(schools, identities))
        if len(near) == 0:
            continue
        n_kept = int(rng.choice(near))
        kinds = kinds if len(two) == 2 else _CLOSING[0]
        for school in two:
            date = f"31-08-{schools.last[school]}"
            links += _pair(
                int(identities.urn[school]), int(identities.urn[n_kept]), identities.name[n_kept], date, kinds
            )
    for opened in np.flatnonzero(schools.first > 2016)[::9].tolist():
        near = np.flatnonzero((schools.area == schools.area[opened]) & _staying(schools, identities))
        if len(near):
            old, date = int(near[0]), f"01-09-{schools.first[opened] - 1}"
            kinds = ("Successor - Split School", "Predecessor - Split School")
            links += _pair(int(identities.urn[old]), int(identities.urn[opened]), identities.name[opened], date, kinds)
    return links


def _staying(schools: Primaries, identities: Identities) -> Bools:
    """Schools there throughout, with no other link."""
    throughout = (schools.first == 2016) & (schools.last == 2019) & ~schools.special
    return np.asarray(throughout & (identities.switch == 0) & (identities.ancestor == 0))


def _twos(closing: Ints, area: Ints) -> Iterable[list[int]]:
    """Yield the closing schools of each area two by two; one left over goes alone."""
    for place in np.unique(area[closing]).tolist():
        here = closing[area[closing] == place].tolist()
        yield from (here[i : i + 2] for i in range(0, len(here), 2))


def _odd(secondaries: Secondaries) -> list[Link]:
    """Return the link types that are no predecessor at all."""
    links: list[Link] = []
    for i, kind in zip(range(0, len(secondaries.urn) - 1, 29), cycle(_OTHERS), strict=False):
        links.append((int(secondaries.urn[i]), int(secondaries.urn[i + 1]), secondaries.name[i + 1], kind, ""))
    return links


def _primary_spine(schools: Primaries, identities: Identities) -> dict[str, Text]:
    """Return the 2017/18 rows of primaries: where one converted that year, the old school and the new academy."""
    listed = np.flatnonzero((schools.first <= 2019) & (schools.last >= 2017))
    twice = listed[identities.switch[listed] >= 2018]
    at = np.concatenate([listed, twice])
    is_new = np.arange(len(at)) >= len(listed)
    converting = identities.switch[at] >= 2018
    urn = np.where(is_new, identities.new_urn[at], identities.urn_in(2018)[at])
    other = np.where(is_new, identities.urn[at], identities.new_urn[at])
    kind = np.where(is_new, identities.new_kind[at], identities.kind_in(2018)[at])
    other_kind = np.where(is_new, identities.kind[at], identities.new_kind[at])
    date = np.array([_stamp(day) for day in identities.opened[at].tolist()], dtype=object)
    blank = constant("", len(at))
    estab = np.where(is_new, identities.new_estab[at], identities.estab_in(2018)[at])
    return _spine(urn, schools.code(2018)[at], estab, identities.name[at], kind) | {
        "ICLOSE": pick(converting & ~is_new, "2", constant("1", len(at))),
        "OPENDATE": pick(is_new, date, blank),
        "CLOSEDATE": pick(converting & ~is_new, date, blank),
        "ISNEW": pick(is_new, "1", constant("0", len(at))),
        "OTHERNFTYPE": pick(converting, _type_names(other_kind), blank),
        "OTHERURN": pick(converting, whole_text(other), blank),
    }


def _secondary_spine(secondaries: Secondaries) -> dict[str, Text]:
    kinds = {"mainstream": "CY", "special": "CYS", "independent": "IND"}
    kind = np.array([kinds[sort] for sort in secondaries.sort.tolist()], dtype=object)
    kind = pick((secondaries.switch == 2017), "ACC", kind)
    code = secondaries.areas.code[secondaries.area]
    spine = _spine(secondaries.urn_in(2018), code, secondaries.estab, secondaries.name, kind)
    count = len(code)
    return spine | {
        "ISPRIMARY": constant("0", count), "ISSECONDARY": constant("1", count), "AGEL": constant("11", count),
        "AGEH": constant("16", count), "ADMPOL": constant("Non-selective", count),
    }  # fmt: skip


def _type_names(kind: Text) -> Text:
    return np.array([_TYPE_NAMES[code] for code in kind.tolist()], dtype=object)


def _groups(kind: Text) -> Text:
    """Return the minor group of each type; special academies are special schools."""
    groups = {code: "Academy" if code in _ACADEMIES else "Maintained School" for code in _TYPE_NAMES}
    groups |= {"CYS": "Special School", "ACCS": "Special School", "IND": "Independent School"}
    return np.array([groups[code] for code in kind.tolist()], dtype=object)


def _spine(urn: Ints, code: Ints, estab: Ints, name: Text, kind: Text) -> dict[str, Text]:
    """Return all the columns for schools with nothing happening to them."""
    count = len(urn)
    fixed = {
        "STREET": "1 Sample Street", "TOWN": "Madeville", "POSTCODE": "ZZ1 1ZZ", "TELNUM": "01632960000", "ICLOSE": "1",
        "ISNEW": "0", "ISPRIMARY": "1", "ISSECONDARY": "0", "ISPOST16": "0", "AGEL": "4", "AGEH": "11",
        "GENDER": "Mixed", "SIXFGENDER": "Mixed", "RELDENOM": "Does not apply", "ADMPOL": "Not recorded",
        "NEWACFLAG": "6", "RE-BROKERED": "0",
    }  # fmt: skip
    columns = {column: constant(fixed.get(column, ""), count) for column in SPINE_COLUMNS}
    return columns | {
        "URN": whole_text(urn),
        "LA": whole_text(code),
        "ESTAB": whole_text(estab),
        "LAESTAB": whole_text(code * 10_000 + estab),
        "SCHNAME": np.array([quoted(text) for text in name.tolist()], dtype=object),
        "MINORGROUP": _groups(kind),
        "NFTYPE": _type_names(kind),
    }
