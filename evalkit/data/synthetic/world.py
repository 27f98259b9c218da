"""The synthetic primaries themselves: how scores vary, cohorts, deprivation, and what became of each school."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import stream
from evalkit.data.synthetic.geography import REORGANISED, Areas, draw_areas

# How scores vary in the synthetic England: between areas, between schools, and from cohort to cohort.

SCORE_YEARS = (2016, 2017, 2018, 2019)
OUTCOMES = ("READPROG", "WRITPROG", "MATPROG")

# Covariances below are ordered by outcome, then year: READPROG 2016-2019, WRITPROG 2016-2019, MATPROG 2016-2019.
# They are moment estimates from the published England panel of summers 2016-2019 (14,038 mainstream schools with all
# three outcomes in all four years, 151 authorities): within authorities, and between them (weighted by schools).
_WITHIN_AREAS = (
    (6.555, 3.144, 2.116, 1.751, 2.669, 1.760, 1.215, 0.819, 4.216, 2.565, 1.697, 1.253),
    (3.144, 5.950, 2.637, 2.201, 1.646, 2.682, 1.657, 1.186, 2.592, 4.401, 2.303, 1.668),
    (2.116, 2.637, 5.068, 2.541, 1.010, 1.511, 2.458, 1.576, 1.789, 2.499, 3.940, 2.165),
    (1.751, 2.201, 2.541, 5.227, 0.635, 1.081, 1.443, 2.386, 1.425, 1.961, 2.408, 3.768),
    (2.669, 1.646, 1.010, 0.635, 7.305, 2.587, 1.509, 0.987, 2.939, 2.063, 1.314, 0.865),
    (1.760, 2.682, 1.511, 1.081, 2.587, 5.352, 2.175, 1.394, 1.989, 3.102, 1.848, 1.292),
    (1.215, 1.657, 2.458, 1.443, 1.509, 2.175, 4.278, 1.958, 1.385, 2.003, 2.720, 1.621),
    (0.819, 1.186, 1.576, 2.386, 0.987, 1.394, 1.958, 4.055, 0.901, 1.432, 1.822, 2.533),
    (4.216, 2.592, 1.789, 1.425, 2.939, 1.989, 1.385, 0.901, 5.790, 3.261, 2.232, 1.683),
    (2.565, 4.401, 2.499, 1.961, 2.063, 3.102, 2.003, 1.432, 3.261, 6.256, 3.212, 2.296),
    (1.697, 2.303, 3.940, 2.408, 1.314, 1.848, 2.720, 1.822, 2.232, 3.212, 5.509, 2.896),
    (1.253, 1.668, 2.165, 3.768, 0.865, 1.292, 1.621, 2.533, 1.683, 2.296, 2.896, 5.004),
)
# Between areas, the estimate was moved by at most 0.012 so that reading and maths changes (2019 less the mean of 2016
# and 2017) correlate .86 across areas, as in a mixed model on the same panel, and not the .79 of this estimator.
_BETWEEN_AREAS = (
    (0.458, 0.409, 0.319, 0.282, 0.223, 0.222, 0.173, 0.138, 0.340, 0.338, 0.272, 0.182),
    (0.409, 0.404, 0.320, 0.289, 0.195, 0.230, 0.186, 0.149, 0.342, 0.374, 0.309, 0.219),
    (0.319, 0.320, 0.310, 0.298, 0.239, 0.234, 0.212, 0.203, 0.374, 0.395, 0.362, 0.306),
    (0.282, 0.289, 0.298, 0.336, 0.161, 0.173, 0.182, 0.186, 0.335, 0.370, 0.355, 0.339),
    (0.223, 0.195, 0.239, 0.161, 1.210, 0.745, 0.511, 0.437, 0.612, 0.567, 0.506, 0.402),
    (0.222, 0.230, 0.234, 0.173, 0.745, 0.564, 0.421, 0.355, 0.487, 0.487, 0.420, 0.329),
    (0.173, 0.186, 0.212, 0.182, 0.511, 0.421, 0.373, 0.338, 0.408, 0.418, 0.373, 0.318),
    (0.138, 0.149, 0.203, 0.186, 0.437, 0.355, 0.338, 0.326, 0.377, 0.381, 0.358, 0.322),
    (0.340, 0.342, 0.374, 0.335, 0.612, 0.487, 0.408, 0.377, 0.714, 0.720, 0.641, 0.566),
    (0.338, 0.374, 0.395, 0.370, 0.567, 0.487, 0.418, 0.381, 0.720, 0.765, 0.681, 0.603),
    (0.272, 0.309, 0.362, 0.355, 0.506, 0.420, 0.373, 0.358, 0.641, 0.681, 0.633, 0.576),
    (0.182, 0.219, 0.306, 0.339, 0.402, 0.329, 0.318, 0.322, 0.566, 0.603, 0.576, 0.571),
)
_MEANS = (0.16, 0.20, 0.21, 0.20, 0.01, 0.10, 0.13, 0.12, 0.01, 0.06, 0.08, 0.07)  # same panel, same order

PUPIL_SD = {"READPROG": 6.2, "WRITPROG": 5.7, "MATPROG": 5.4}  # from published 95% limits, one county, 2017-2019
MEAN_INVERSE_COHORT = 0.0367  # mean of 1/TELIG over published scores of mainstream schools, 2016-2018
_COHORT_NOISE_CORRELATION = 0.6  # between subjects, within one cohort's sampling noise; assumed


@dataclass(frozen=True, eq=False)
class ScoreParameters:
    """What the score process is drawn from; covariances are 12 by 12, ordered by outcome, then year."""

    within_areas: Floats = field(default_factory=lambda: np.array(_WITHIN_AREAS))
    between_areas: Floats = field(default_factory=lambda: np.array(_BETWEEN_AREAS))
    means: Floats = field(default_factory=lambda: np.array(_MEANS))
    inverse_cohort: float = MEAN_INVERSE_COHORT


def cohort_noise(parameters: ScoreParameters) -> Floats:
    """Return the part of the within-area covariance that is one cohort's sampling noise (independent across years)."""
    sds = np.array([PUPIL_SD[name] for name in OUTCOMES])
    subjects = np.full((3, 3), _COHORT_NOISE_CORRELATION)
    np.fill_diagonal(subjects, 1.0)
    per_year = np.outer(sds, sds) * subjects * parameters.inverse_cohort
    return np.asarray(np.kron(per_year, np.eye(len(SCORE_YEARS))))


def square_root(covariance: Floats) -> Floats:
    """Return R with R R' = covariance, reading rounding's slightly negative eigenvalues as zero."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.clip(values, 0.0, None)))


def score_process(
    rng: np.random.Generator,
    area_of_school: NDArray[np.int64],
    parameters: ScoreParameters | None = None,
    noise_scale: Floats | None = None,
) -> Floats:
    """Return unrounded scores of shape (schools, 4 years, 3 outcomes) with no programme and no selection.

    score[i, t, k] = mean[t, k] + area[a(i), t, k] + school[i, t, k] + scale[i] * cohort[i, t, k], all Gaussian.
    Areas are 0 to J - 1. `noise_scale` (schools,) has mean square near 1: sqrt(mean cohort size / own, roughly).
    """
    given = parameters or ScoreParameters()
    noise = cohort_noise(given)
    n_areas = int(area_of_school.max()) + 1
    areas = rng.standard_normal((n_areas, 12)) @ square_root(given.between_areas).T
    schools = rng.standard_normal((len(area_of_school), 12)) @ square_root(given.within_areas - noise).T
    cohorts = rng.standard_normal((len(area_of_school), 12)) @ square_root(noise).T
    scale = 1.0 if noise_scale is None else noise_scale[:, None]
    flat = given.means + areas[area_of_school] + schools + scale * cohorts
    return np.ascontiguousarray(flat.reshape(-1, 3, 4).transpose(0, 2, 1))


# The synthetic primaries themselves: scores, cohorts, deprivation, and what became of each school.

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
