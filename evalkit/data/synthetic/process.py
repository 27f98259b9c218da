"""How scores vary in the synthetic England: between areas, between schools, and from cohort to cohort."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

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
