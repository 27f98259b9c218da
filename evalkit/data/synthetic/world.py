"""The synthetic primaries themselves: scores, cohorts, deprivation, and what became of each school."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evalkit.core.seeds import stream
from evalkit.data.synthetic.geography import REORGANISED, Areas, draw_areas
from evalkit.data.synthetic.process import MEAN_INVERSE_COHORT, OUTCOMES, Floats, score_process

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MAINSTREAM = 16_000
SPECIAL_SHARE = 0.05
TRUE_EFFECTS = {"READPROG": 0.9, "WRITPROG": 0.4, "MATPROG": 0.0}  # on 2019 scores; half of each on 2018
_EXPOSURE = np.array([0.0, 0.0, 0.5, 1.0])
_REORGANISED_SCHOOLS = 12
_FORMS = ((12.5, 0.21), (31.0, 0.42), (45.0, 0.09), (60.0, 0.19), (90.0, 0.07), (120.0, 0.02))  # places, share


@dataclass(frozen=True, eq=False)
class Primaries:
    """One entry a school (not a URN), in the order of its authority; years are summers 2016 to 2019."""

    areas: Areas
    area: Ints
    special: Bools
    cohort: Ints  # (n, 4) pupils at the end of key stage 2; 0 where there were none
    prior: Ints  # (n, 4) of them with prior attainment
    scores: Floats  # (n, 4, 3) unrounded, programme included
    fsm: Floats
    first: Ints  # first year with results
    last: Ints  # last year with results
    old_code: Ints  # authority code before 2019 where it differs, else 0

    def __len__(self) -> int:
        """Return the number of schools."""
        return len(self.area)

    def code(self, year: int) -> Ints:
        """Return each school's authority code in the tables of `year`."""
        now = self.areas.code[self.area]
        return np.asarray(np.where((self.old_code > 0) & (year < 2019), self.old_code, now))

    @property
    def is_treated(self) -> Bools:
        """Mainstream schools of the treated area."""
        return np.asarray((self.area == self.areas.treated) & ~self.special)


def draw_primaries(seed: int, scale: float) -> Primaries:
    """Return the schools: drawn without a programme, then the treated area selected, then the programme added."""
    areas = draw_areas(seed, max(900, round(MAINSTREAM * scale)))
    area, special = _place(seed, areas)
    settled = np.isin(area, areas.pool)
    cohort = _cohorts(seed, special, settled)
    prior = _with_prior(seed, cohort, special)
    noise = np.sqrt((1.0 / np.maximum(cohort.mean(axis=1), 1.0)) / MEAN_INVERSE_COHORT)
    scores = score_process(stream(seed, "ks2-scores"), area, noise_scale=noise)
    scores[special] += stream(seed, "special").normal(-4.5, 2.0, (int(special.sum()), 1, 1))
    area = _select_treated(areas, area, special, scores)
    first, last = _lifetimes(seed, special, settled)
    years = np.arange(2016, 2020)
    present = (years >= first[:, None]) & (years <= last[:, None])
    drawn = Primaries(
        areas, area, special, cohort * present, prior * present, scores, _deprivation(seed, areas, area, scores),
        first, last, np.zeros(len(area), dtype=np.int64),
    )  # fmt: skip
    return _with_programme(_reorganise(seed, _sorted(drawn)))


def _place(seed: int, areas: Areas) -> tuple[Ints, Bools]:
    """Return each school's area and whether it is special."""
    rng = stream(seed, "place")
    n_special = rng.binomial(areas.n_primaries, SPECIAL_SHARE)
    n_special[areas.pool] = max(1, round(SPECIAL_SHARE * areas.n_primaries[areas.treated]))
    index = np.arange(len(areas.code))
    area = np.concatenate([np.repeat(index, areas.n_primaries), np.repeat(index, n_special)])
    return area, np.arange(len(area)) >= areas.n_primaries.sum()


def _cohorts(seed: int, special: Bools, settled: Bools) -> Ints:
    """Return pupils per year (n, 4): forms of entry, part-filled; settled areas have no tiny schools."""
    rng = stream(seed, "cohorts")
    places, shares = (np.array(column) for column in zip(*_FORMS, strict=True))
    form = rng.choice(places, size=len(special), p=shares)
    base = form * np.where(form < 20, rng.lognormal(0.0, 0.40, len(special)), 1.0)
    base = base * rng.uniform(0.82, 1.04, len(special))
    base = np.where(settled, np.maximum(base, 18.0), base)
    base = np.where(special, rng.uniform(3.0, 14.0, len(special)), base)
    spread = np.sqrt(base)[:, None] * 0.45 * rng.standard_normal((len(special), 4))
    growth = np.array([0.97, 0.99, 1.01, 1.04])
    return np.asarray(np.maximum(1, np.rint(base[:, None] * growth + spread)), dtype=np.int64)


def _with_prior(seed: int, cohort: Ints, special: Bools) -> Ints:
    """Return pupils with prior attainment: most, but in a few cohorts less than half of them."""
    rng = stream(seed, "prior-attainment")
    share = np.where(rng.random(cohort.shape) < 0.0007, 0.30, rng.beta(58.0, 2.0, cohort.shape))
    share = np.where(special[:, None] & (rng.random(cohort.shape) < 0.05), 0.0, share)
    return rng.binomial(cohort, share)


def _select_treated(areas: Areas, area: Ints, special: Bools, scores: Floats) -> Ints:
    """Give the treated area the schools of the lowest scorer of 2016-17 (reading) among the areas of its size."""
    before = scores[:, :2, 0].mean(axis=1)
    means = [before[(area == candidate) & ~special].mean() for candidate in areas.pool]
    lowest = areas.pool[int(np.argmin(means))]
    swapped = area.copy()
    swapped[area == lowest] = areas.treated
    swapped[area == areas.treated] = lowest
    return swapped


def _deprivation(seed: int, areas: Areas, area: Ints, scores: Floats) -> Floats:
    """Return per cent eligible for free meals: schools' own reading correlates about -.31 with it inside areas."""
    own = scores[:, :, 0].mean(axis=1)
    centred = own - np.bincount(area, own)[area] / np.bincount(area)[area]
    noise = stream(seed, "deprivation").standard_normal(len(area))
    return np.asarray(np.clip(areas.fsm[area] + 14.1 * (-0.31 * centred / 1.85 + 0.95 * noise), 0.5, 85.0))


def _lifetimes(seed: int, special: Bools, settled: Bools) -> tuple[Ints, Ints]:
    """Return the first and last year with results: nine schools in ten have all four, more in the settled areas."""
    count, rng = len(special), stream(seed, "lifetimes")
    first = rng.choice([2016, 2017, 2018, 2019], size=count, p=[0.955, 0.017, 0.015, 0.013])
    last = rng.choice([2019, 2018, 2017], size=count, p=[0.984, 0.008, 0.008])
    throughout = special | (settled & (rng.random(count) < 0.7))
    return np.where(throughout, 2016, first), np.where(throughout | (first > 2016), 2019, last)


def _sorted(schools: Primaries) -> Primaries:
    """Return the schools in authority order, mainstream before special."""
    order = np.lexsort((schools.special, schools.area))
    names = ("area", "special", "cohort", "prior", "scores", "fsm", "first", "last", "old_code")
    return replace(schools, **{name: getattr(schools, name)[order] for name in names})


def _reorganise(seed: int, schools: Primaries) -> Primaries:
    """Give a dozen schools of 838 and 839 the code they had before 2019."""
    rng = stream(seed, "reorganised")
    code = schools.code(2019)
    old_code = np.zeros(len(schools), dtype=np.int64)
    per_code = _REORGANISED_SCHOOLS // len(REORGANISED)
    for old, new in REORGANISED.items():
        free = np.flatnonzero((code == new) & (old_code == 0) & ~schools.special)
        old_code[rng.choice(free, size=min(per_code, len(free) // 3), replace=False)] = old
    return replace(schools, old_code=old_code)


def _with_programme(schools: Primaries) -> Primaries:
    """Add the known effect to the treated schools: half in 2018, whole in 2019."""
    effect = _EXPOSURE[:, None] * np.array([TRUE_EFFECTS[name] for name in OUTCOMES])
    return replace(schools, scores=schools.scores + schools.is_treated[:, None, None] * effect)
