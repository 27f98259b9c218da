"""The synthetic primaries after 2019: what became of each school and its codes up to 2025, and its later summers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import stream
from evalkit.data.synthetic.cells import Text
from evalkit.data.synthetic.ks2 import standards_reached
from evalkit.data.synthetic.public_codes import SPLIT
from evalkit.data.synthetic.register import Identities
from evalkit.data.synthetic.world import OUTCOMES, PUPIL_SD, TRUE_EFFECTS, Primaries

LATER_SUMMERS: Final = (2022, 2023, 2024, 2025)
"""Summers with tests after 2019; those of 2020 and 2021 were cancelled."""
LAST_SUMMER: Final = 2025
SUPPORT_EFFECTS: Final = {
    "READ_AVERAGE": {2024: 0.6, 2025: 1.2},
    "MAT_AVERAGE": {2024: 0.4, 2025: 0.8},
    "GPS_AVERAGE": {2024: 0.0, 2025: 0.0},
}
"""What the programme of September 2023 to July 2025 adds to its schools' average scaled scores."""
SUPPORT_STARTS: Final = 20230901
_SUPPORTED: Final = 240  # schools of that programme at full scale
_SMALLEST: Final = 15  # pupils a year of a school in it
_CONVERSIONS, _CLOSURES, _AMALGAMATIONS = 300, 50, 15  # a year at full scale
_CHANGES: Final = (2020, 2021, 2022, 2023, 2024)  # the last summer under the former URN
_KEPT: Final = 0.85  # of a school's lasting level, from before 2020 to after
_SCHOOL_SD, _AREA_SD, _YEAR_SD = 1.0, 0.3, 0.5
_CENTRE: Final = {2022: 104.2, 2023: 104.4, 2024: 104.5, 2025: 104.7}  # near a school of average intake, reading
_ADVANTAGE: Final = {"READ_AVERAGE": 0.5, "GPS_AVERAGE": 0.6, "MAT_AVERAGE": -0.2}
_ACADEMIES: Final = ("ACC", "AC", "F", "ACCS")
_MERGED, _AMALGAMATED, _CLOSED = "merged", "amalgamated", "closed"


@dataclass(frozen=True, eq=False)
class Later:
    """One entry a school as in `schools`; a school that closed has the last summer in which it was open."""

    schools: Primaries
    identities: Identities
    last: Ints
    end: Text  # how it ended: merged, amalgamated, closed, empty where it is open
    partner: Ints  # the school that took it over, -1 where none
    switch: Ints  # last summer under the URN of 2019, 0 where it stays
    opened: Ints  # yyyymmdd on which the later URN opened
    later_urn: Ints
    later_estab: Ints
    later_kind: Text
    is_supported: Bools

    def __len__(self) -> int:
        """Return the number of schools."""
        return len(self.last)

    @property
    def sort(self) -> str:
        """Which schools these are, as names of streams and phases have it."""
        return "primary"

    @property
    def name(self) -> Text:
        """The name of each school."""
        return self.identities.name

    @property
    def fsm(self) -> Floats:
        """Per cent of pupils eligible for free meals."""
        return self.schools.fsm

    @property
    def is_special(self) -> Bools:
        """Special schools."""
        return self.schools.special

    @property
    def is_state_funded(self) -> Bools:
        """State-funded schools: all of these."""
        return np.ones(len(self), dtype=bool)

    @property
    def roll(self) -> Ints:
        """Pupils of all ages, about."""
        return np.asarray(7 * self.schools.cohort.max(axis=1))

    def code(self, year: int) -> Ints:
        """Return each school's authority code in a summer."""
        found = self.schools.code(year)
        half = np.arange(len(found)) % 2
        for old, (first, new) in SPLIT.items():
            if year >= first:
                found = np.where(found == old, np.array(new)[half], found)
        return np.asarray(found)

    def urn(self, year: int) -> Ints:
        """Return the URN that holds each school's results of a summer."""
        return np.where(self._switched(year), self.later_urn, self.identities.urn_in(year))

    def estab(self, year: int) -> Ints:
        """Return the establishment number beside it."""
        return np.where(self._switched(year), self.later_estab, self.identities.estab_in(year))

    def kind(self, year: int) -> Text:
        """Return the type code beside it."""
        return np.asarray(np.where(self._switched(year), self.later_kind, self.identities.kind_in(year)), dtype=object)

    def is_open(self, year: int) -> Bools:
        """Return whether each school is open in a summer."""
        return np.asarray((self.schools.first <= year) & (year <= self.last))

    def _switched(self, year: int) -> Bools:
        return np.asarray((self.switch > 0) & (year > self.switch))


@dataclass(frozen=True, eq=False)
class LaterSummer:
    """One summer's numbers before anything is suppressed, one entry a school."""

    year: int
    pupils: Ints  # 0 where the school is closed
    prior: Ints
    boys: Ints
    disadvantaged: Ints
    key_stage_1: Floats
    progress: Floats  # (n, 3) as OUTCOMES
    averages: dict[str, Floats]
    shares: dict[str, Floats]


def draw_later(seed: int, schools: Primaries, identities: Identities, scale: float) -> Later:
    """Return what became of every school after 2019, drawn from streams of its own."""
    count = len(schools)
    last = np.where(schools.last == 2019, LAST_SUMMER, schools.last)
    end = np.where(schools.last < 2019, _CLOSED, "").astype(object)
    partner, switch, opened = np.full(count, -1), np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    rng = stream(seed, "later-register")
    may_change = ~schools.special & (schools.last == 2019) & (schools.old_code == 0)
    order = rng.permutation(np.flatnonzero(may_change & ~schools.is_treated)).tolist()
    area, is_academy = schools.area.tolist(), np.isin(identities.kind_in(2019), _ACADEMIES).tolist()
    for year in _CHANGES:
        for closing, taking, how in _endings(order, area, scale):
            last[closing], end[closing], partner[closing] = year, how, taking
            if how == _AMALGAMATED:
                switch[taking], opened[taking] = year, year * 10_000 + 901
        for school in _taken(order, round(_CONVERSIONS * scale)):
            if not is_academy[school]:
                month = int(rng.integers(0, 12))
                switch[school], opened[school] = year, _first_of_month(year, month)
    changed = switch > 0
    estab = identities.estab_in(2019)
    amalgamating = _amalgamating(partner, end, count)
    keeps = (rng.random(count) < 0.75) & ~amalgamating
    return Later(
        schools=schools, identities=identities, last=last, end=end, partner=partner, switch=switch, opened=opened,
        later_urn=np.where(changed, 800_000 + np.cumsum(changed), 0),
        later_estab=np.where(keeps, estab, estab % 1000 + 5200),
        later_kind=np.where(amalgamating, "CY", np.where(keeps, "ACC", "AC")).astype(object),
        is_supported=_supported(seed, schools, last, scale),
    )  # fmt: skip


def _taken(order: list[int], count: int) -> Iterator[int]:
    """Yield the next schools of a list and take them from it."""
    for _ in range(min(max(1, count), len(order))):
        yield order.pop()


def _endings(order: list[int], area: list[int], scale: float) -> Iterator[tuple[int, int, str]]:
    """Yield schools that end in a year, the one that takes each over, and how; every third only closes."""
    for position, closing in enumerate(list(_taken(order, round(_CLOSURES * scale)))):
        near = next((other for other in order if area[other] == area[closing]), -1)
        if position % 3 == 2 or near < 0:
            yield closing, -1, _CLOSED
            continue
        order.remove(near)
        is_new = position < max(1, round(_AMALGAMATIONS * scale))
        yield closing, near, _AMALGAMATED if is_new else _MERGED


def _first_of_month(year: int, month: int) -> int:
    """Return a date in the year after a summer's tests: September of that year to August of the next."""
    number = (8 + month) % 12 + 1
    return (year + (number < 9)) * 10_000 + number * 100 + 1


def _amalgamating(partner: Ints, end: Text, count: int) -> Bools:
    """Return which schools go on, under a new URN, as the amalgamation of two."""
    found = np.zeros(count, dtype=bool)
    found[partner[end == _AMALGAMATED]] = True
    return found


def _supported(seed: int, schools: Primaries, last: Ints, scale: float) -> Bools:
    """Return the schools of the later programme: drawn by lot outside the first's area."""
    may_be = ~schools.special & (schools.area != schools.areas.treated) & (last == LAST_SUMMER) & (schools.last == 2019)
    may_be &= (schools.first == 2016) & (schools.cohort.min(axis=1) >= _SMALLEST)
    free = np.flatnonzero(may_be)
    chosen = np.zeros(len(last), dtype=bool)
    count = min(max(20, round(_SUPPORTED * scale)), len(free) // 2)
    chosen[stream(seed, "later-programme").choice(free, size=count, replace=False)] = True
    return chosen


def lasting(schools: Primaries) -> Floats:
    """Return each school's lasting level in the three subjects: its mean score, the first programme taken off."""
    exposure = np.array([0.0, 0.0, 0.5, 1.0])[:, None] * np.array([TRUE_EFFECTS[name] for name in OUTCOMES])
    without = schools.scores - schools.is_treated[:, None, None] * exposure
    return np.asarray(without.mean(axis=1))


def draw_later_summers(seed: int, later: Later) -> dict[int, LaterSummer]:
    """Return the summers of 2022 to 2025: lasting levels, both programmes' effects, and each cohort's own."""
    schools, rng = later.schools, stream(seed, "later-scores")
    count = len(schools)
    areas = rng.normal(0.0, _AREA_SD, (len(schools.areas.code), 3))[schools.area]
    kept = _KEPT * lasting(schools) + areas + rng.normal(0.0, _SCHOOL_SD, (count, 3))
    first = schools.is_treated[:, None] * np.array([TRUE_EFFECTS[name] for name in OUTCOMES])
    intake = 16.1 - 0.05 * (schools.fsm - 26.0) + 0.5 * rng.standard_normal(count) - 9.0 * schools.special
    size = np.maximum(schools.cohort.max(axis=1), 2)
    return {
        year: _summer(stream(seed, f"later-summer-{year}"), later, year, kept + first, intake, size)
        for year in LATER_SUMMERS
    }


def _summer(
    rng: np.random.Generator, later: Later, year: int, level: Floats, intake: Floats, size: Ints
) -> LaterSummer:
    """Return one summer's cohort and results."""
    schools, count = later.schools, len(later)
    drawn = np.maximum(1, np.rint(size * rng.uniform(0.88, 1.03, count))).astype(np.int64)
    pupils = drawn * later.is_open(year)
    sampling = rng.standard_normal((count, 3)) @ np.linalg.cholesky(np.full((3, 3), 0.6) + 0.4 * np.eye(3)).T
    sampling = sampling * np.array([PUPIL_SD[name] for name in OUTCOMES]) / np.sqrt(drawn)[:, None]
    progress = level + _YEAR_SD * rng.standard_normal((count, 3)) + sampling
    key_stage_1 = np.clip(intake + 0.35 * rng.standard_normal(count), 1.0, 21.0)
    base = _CENTRE[year] + 1.1 * (key_stage_1 - 16.1)
    of_subject = {
        "READ_AVERAGE": 0.9 * progress[:, 0],
        "GPS_AVERAGE": 0.5 * (progress[:, 0] + progress[:, 1]),
        "MAT_AVERAGE": 0.9 * progress[:, 2],
    }
    averages = {
        name: base + _ADVANTAGE[name] + values + later.is_supported * SUPPORT_EFFECTS[name].get(year, 0.0)
        for name, values in of_subject.items()
    }
    return LaterSummer(
        year=year,
        pupils=pupils,
        prior=rng.binomial(pupils, 0.96),
        boys=rng.binomial(pupils, 0.51),
        disadvantaged=rng.binomial(pupils, np.clip(schools.fsm * 1.1 / 100.0, 0.0, 0.98)),
        key_stage_1=key_stage_1,
        progress=progress,
        averages=averages,
        shares=standards_reached(averages, progress[:, 1], pupils),
    )
