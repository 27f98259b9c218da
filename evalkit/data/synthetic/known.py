"""Effects planted for kinds that no published form serves: series of areas, doses, grades, gaps, and an audit tool."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import stream
from evalkit.core.errors import InputError
from evalkit.data.synthetic.cells import constant, decimal_text, half_up, whole_text
from evalkit.data.synthetic.geography import REORGANISED, TINY, TREATED_CODE, Areas, area_name
from evalkit.data.synthetic.later import LAST_SUMMER, Later
from evalkit.data.synthetic.long_csv import Block, write_blocks, write_columns
from evalkit.data.synthetic.public_codes import SPLIT
from evalkit.data.synthetic.survey import SurveyTruth, write_audit

KNOWN_FOLDER: Final = "known-effects"
SERIES_START: Final = 2018
"""First summer of the one authority whose suspensions are moved."""
WAVES: Final = (2014, 2016, 2018)
"""First summers of the authorities whose share of good schools is moved."""
SUPPORT_START: Final = 2024
"""First summer of the schools that had days of support."""
COMMON_SHOCK: Final = -1.0
"""What moves all pupils of the supported schools' authorities from then on, disadvantaged or not: no programme's."""
AUDIT_WAVES: Final = (2023, 2025)
"""Summers in which people of the supported schools filled in the audit tool: one before the support, and the last."""
_SERIES_YEARS: Final = range(1998, LAST_SUMMER + 1)
_SCHOOL_YEARS: Final = (2022, 2023, 2024, 2025)
_LISTED_IN: Final = 2018
_SUPPORT_AREAS: Final = 4
_GRADES: Final = (0.15, 0.50, 0.27, 0.08)
_BETTER, _WORSE = 0.20, 0.12  # of grades between two inspections, where nothing is done


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEffects:
    """How large each planted effect is; 0 plants none.

    Raises `InputError` where one is no number, or `better_grade` no share.
    """

    suspensions: float = -2.0
    """Suspensions per 100 pupils of one authority, every year from 2017/18 on."""
    good_schools: float = 6.0
    """Percentage points of good schools in three authorities, from 2014, 2016 and 2018 on."""
    per_day: float = 0.25
    """Points of reading for each day of support, in 2024 and 2025."""
    disadvantaged: float = 1.5
    """Points of disadvantaged pupils of supported schools, in 2024 and 2025; nothing of the others."""
    better_grade: float = 0.25
    """Share of the supported schools, of those that did not improve by themselves, lifted one grade."""
    audit: float = 0.3
    """Points of an audit tool by which the supported schools stand higher in 2025 than in 2023; no cause is planted."""

    def __post_init__(self) -> None:
        """Refuse what cannot be planted."""
        for name, size in asdict(self).items():
            if not math.isfinite(size):
                raise InputError(f"The effect '{name}' is a number, not {size}.")
        if not 0 <= self.better_grade <= 1:
            raise InputError(f"The effect 'better_grade' is a share from 0 to 1, not {self.better_grade:g}.")


EFFECT_NAMES: Final = tuple(one.name for one in fields(KnownEffects))


def write_known_effects(folder: Path, seed: int, later: Later, effects: KnownEffects) -> dict[str, object]:
    """Write `known-effects/` and return what is true in it, for the card of the synthetic England.

    Draws have streams of their own and do not depend on the effects: two folders of one seed differ by them alone.
    """
    places = _places(seed, later.schools.areas)
    _write_series(folder / KNOWN_FOLDER, seed, later.schools.areas, places, effects)
    lifted, urns = _write_schools(folder / KNOWN_FOLDER, seed, later, places, effects)
    supported, truth = len(urns), SurveyTruth(change=effects.audit)
    write_audit(folder / KNOWN_FOLDER, urns, AUDIT_WAVES, seed, truth)
    return {
        "folder": KNOWN_FOLDER,
        "effects": asdict(effects),
        "suspensions": {"participants": "one_authority.csv", "first_summer": SERIES_START},
        "good_schools": {"participants": "three_authorities.csv", "first_summers": list(WAVES)},
        "schools": {"participants": "supported_schools.csv", "schools": supported, "first_summer": SUPPORT_START},
        "shock_of_the_supported_authorities": COMMON_SHOCK,
        "audit": {
            "participants": "supported_schools.csv",
            "waves": list(AUDIT_WAVES),
            "icc_before_rounding": truth.icc,
        },
        "schools_lifted_a_grade": lifted,
        "percentage_points_better": 100.0 * lifted / max(supported, 1),
    }


def _places(seed: int, areas: Areas) -> Ints:
    """Return the positions of eight authorities drawn by lot: one, three with waves, four with supported schools."""
    changing = [TREATED_CODE, *TINY, *SPLIT, *REORGANISED, *REORGANISED.values()]
    free = np.flatnonzero(~np.isin(areas.code, changing) & (np.abs(_deprived(areas)) < 1.0))
    return stream(seed, "known-places").choice(free, size=1 + len(WAVES) + _SUPPORT_AREAS, replace=False)


def _deprived(areas: Areas) -> Floats:
    return np.asarray((areas.fsm - areas.fsm.mean()) / areas.fsm.std())


# Series of authorities: a level, two shocks that each feels in its own way, and noise.


def _write_series(folder: Path, seed: int, areas: Areas, places: Ints, effects: KnownEffects) -> None:
    """Write `areas.csv`, an authority and year a row, and the lists of those that were reached."""
    one, waves = int(places[0]), places[1 : 1 + len(WAVES)].tolist()
    values = {
        "suspensions": _series(seed, "suspensions", areas, (14.0, 0.10, 1.2, 0.4)),
        "good_schools": _series(seed, "good-schools", areas, (70.0, 0.50, -3.0, 1.2)),
        "attendance": _series(seed, "attendance", areas, (93.5, 0.0, -0.5, 0.3)),
    }
    year = np.array(_SERIES_YEARS)
    values["suspensions"][one] += effects.suspensions * (year >= SERIES_START)
    for place, first in zip(waves, WAVES, strict=True):
        values["good_schools"][place] += effects.good_schools * (year >= first)
    code = np.repeat(areas.code, len(year))
    names = np.array([area_name(one) for one in areas.code.tolist()], dtype=object)
    who = {"la_code": whole_text(code), "la_name": np.repeat(names, len(year))}
    when = {"year": whole_text(np.tile(year, len(areas.code)))}
    numbers = {name: decimal_text(of.ravel(), 3) for name, of in values.items()}
    write_columns(folder / "areas.csv", who | when | numbers)
    _write_starts(folder / "one_authority.csv", areas.code[[one]], (SERIES_START,))
    _write_starts(folder / "three_authorities.csv", areas.code[waves], WAVES)


def _series(seed: int, name: str, areas: Areas, shape: tuple[float, float, float, float]) -> Floats:
    """Return values (authorities, years) of a level, a year's trend, what deprivation adds, and the noise's spread."""
    level, trend, slope, noise = shape
    rng, n_areas, n_years = stream(seed, f"known-series-{name}"), len(areas.code), len(_SERIES_YEARS)
    own = level + slope * _deprived(areas) + noise * rng.standard_normal(n_areas)
    shocks = 0.5 * noise * np.cumsum(rng.standard_normal((2, n_years)), axis=1)
    felt = rng.uniform(0.0, 1.0, (n_areas, 2)) @ shocks
    drawn = noise * rng.standard_normal((n_areas, n_years))
    return np.asarray(own[:, None] + trend * np.arange(n_years) + felt + drawn)


def _write_starts(path: Path, codes: Ints, first: tuple[int, ...]) -> None:
    starts = np.array([f"{year - 1}-09-01" for year in first], dtype=object)
    write_columns(path, {"la_code": whole_text(codes), "start": starts})


# Schools that had days of support: by how many, what became of two groups of pupils, and grades before and after.


def _write_schools(folder: Path, seed: int, later: Later, places: Ints, effects: KnownEffects) -> tuple[int, Ints]:
    """Write `schools.csv` and the list of supported schools; return how many rose a grade by it, and their URNs."""
    at = np.flatnonzero(later.is_open(LAST_SUMMER) & ~later.is_special & (later.schools.first == 2016))
    area, level = later.schools.area[at], stream(seed, "known-levels").normal(104.0, 2.0, len(at))
    in_places = np.isin(area, places[-_SUPPORT_AREAS:])
    days = _days(seed, area, places[-_SUPPORT_AREAS:])
    grades, lifted = _grades(stream(seed, "known-grades"), days > 0, effects.better_grade)
    # by the URN of 2018, which the list of mainstream schools has; authorities are those of the last summer
    who = {"urn": whole_text(later.urn(_LISTED_IN)[at]), "la": whole_text(later.code(LAST_SUMMER)[at])}
    who["pupils"] = whole_text(np.maximum(later.schools.cohort[at].max(axis=1), 11))
    blocks: list[Block] = []
    for year in _SCHOOL_YEARS:
        scores = _scores(stream(seed, f"known-scores-{year}"), level, area)
        if year >= SUPPORT_START:
            scores["reading"] += effects.per_day * days
            scores["disadvantaged"] += effects.disadvantaged * (days > 0) + COMMON_SHOCK * in_places
            scores["others"] += COMMON_SHOCK * in_places
        when = {"year": constant(str(year), len(at)), "grade": whole_text(grades[year])}
        blocks.append(who | when | {name: decimal_text(values, 3) for name, values in scores.items()})
    write_blocks(folder / "schools.csv", blocks)
    chosen = np.flatnonzero(days)
    write_columns(folder / "supported_schools.csv", {"urn": who["urn"][chosen], "dose": whole_text(days[chosen])})
    return lifted, later.urn(_LISTED_IN)[at][chosen]


def _days(seed: int, area: Ints, places: Ints) -> Ints:
    """Return days of support, 1 to 12 by lot for every second school of four authorities, 0 for all others."""
    rng, supported = stream(seed, "known-support"), np.zeros(len(area), dtype=bool)
    for place in places.tolist():
        own = np.flatnonzero(area == place)
        supported[rng.choice(own, size=(len(own) + 1) // 2, replace=False)] = True
    return np.where(supported, rng.integers(1, 13, len(area)), 0)


def _scores(rng: np.random.Generator, level: Floats, area: Ints) -> dict[str, Floats]:
    """Return one summer's scores: each school's level, a shock of its authority, and its own noise."""
    shock = rng.normal(0.0, 0.3, int(area.max()) + 1)[area]
    own = {name: rng.normal(0.0, 1.2, len(level)) for name in ("reading", "maths", "disadvantaged", "others")}
    below = {"disadvantaged": -3.0}
    return {name: level + below.get(name, 0.0) + shock + noise for name, noise in own.items()}


def _grades(rng: np.random.Generator, supported: Bools, share: float) -> tuple[dict[int, Ints], int]:
    """Return each summer's grades (1 the best), and how many supported schools are one better by the programme.

    Those lifted are drawn by lot among the supported that would not have improved from the last summer before and
    could: so many that the share that improved is larger by `share` of all supported, or by all who could.
    """
    first = rng.choice(np.arange(1, 5), size=len(supported), p=_GRADES)
    before = _moved(rng, first)
    after = _moved(rng, before)
    could = rng.permutation(np.flatnonzero(supported & (after >= before) & (before > 1)))
    chosen = could[: int(half_up(np.array([share * supported.sum()]), 0)[0])]
    after[chosen] = before[chosen] - 1
    return dict(zip(_SCHOOL_YEARS, (first, before, after, after), strict=True)), len(chosen)


def _moved(rng: np.random.Generator, grade: Ints) -> Ints:
    """Return the grades that follow where nothing is done."""
    luck = rng.random(len(grade))
    return np.asarray(np.clip(grade - (luck < _BETTER) + (luck > 1.0 - _WORSE), 1, 4))
