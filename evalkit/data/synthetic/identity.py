"""URNs, establishment numbers, types and names of the synthetic primaries, and how conversions change them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalkit.core.seeds import stream
from evalkit.data.synthetic.cells import Bools, Text
from evalkit.data.synthetic.world import Ints, Primaries

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
