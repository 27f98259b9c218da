"""The score process has the variation it is calibrated to, and nothing else."""

import time

import numpy as np
import pytest

from evalkit.core.draws import stream
from evalkit.data.synthetic import ScoreParameters, school_areas, score_process
from evalkit.data.synthetic.world import cohort_noise, draw_primaries

N_DRAWS = 20
# Rows: reading, writing, maths; columns as the covariances: outcome, then year. 2019 less the mean of 2016 and 2017.
CHANGE = np.kron(np.eye(3), np.array([[-0.5, -0.5, 0.0, 1.0]]))


@pytest.fixture(scope="module")
def areas():
    return school_areas(seed=1)


@pytest.fixture(scope="module")
def components(areas):
    """Mean over 20 draws of the moment estimates (within, between), each 12 by 12, and of the total correlation."""
    sizes = np.bincount(areas)
    n_areas, n = len(sizes), len(areas)
    effective = (n - (sizes**2).sum() / n) / (n_areas - 1)
    within, between, correlation = [], [], []
    for draw in range(N_DRAWS):
        flat = score_process(stream(draw, "test"), areas).transpose(0, 2, 1).reshape(n, 12)
        means = np.stack([np.bincount(areas, column) for column in flat.T], axis=1) / sizes[:, None]
        rest = flat - means[areas]
        within.append(rest.T @ rest / (n - n_areas))
        deviation = means - flat.mean(axis=0)
        between.append(((deviation.T * sizes) @ deviation / (n_areas - 1) - within[-1]) / effective)
        correlation.append(np.corrcoef(flat.T))
    return np.mean(within, axis=0), np.mean(between, axis=0), np.mean(correlation, axis=0)


def test_a_stream_depends_on_its_seed_and_its_name_only():
    assert stream(1, "a").random() == stream(1, "a").random()
    assert stream(1, "a").random() != stream(1, "b").random()
    assert stream(1, "a").random() != stream(2, "a").random()


def test_covariances_are_ones_that_can_be_drawn_from():
    given = ScoreParameters()
    for matrix in (given.within_areas, given.between_areas, cohort_noise(given)):
        np.testing.assert_array_equal(matrix, matrix.T)
    # Schools must keep variance after the cohorts' sampling noise is taken out; rounding to 3 dp allows -0.001 between.
    assert np.linalg.eigvalsh(given.within_areas - cohort_noise(given)).min() > 0.3
    assert np.linalg.eigvalsh(given.between_areas).min() > -0.001


def test_school_level_sds_and_correlations_are_those_of_the_published_panel(components):
    within, between, correlation = components
    # Published panel: SD of READPROG 2.65, 2.52, 2.32, 2.36. One draw of 14,400 schools has a Monte Carlo error of
    # 2.65 / sqrt(2 * 14,400) = 0.016, and areas add about as much; over 20 draws under 0.01, so 0.03 is generous.
    np.testing.assert_allclose(np.sqrt(np.diag(within + between))[:4], [2.65, 2.52, 2.32, 2.36], atol=0.03)
    # Published: reading with itself .53 (2016-17), .33 (2016-19), .52 (2018-19); reading with maths .67, .71, .75, .74.
    pairs = [correlation[0, 1], correlation[0, 3], correlation[2, 3], *(correlation[k, k + 8] for k in range(4))]
    np.testing.assert_allclose(pairs, [0.53, 0.33, 0.52, 0.67, 0.71, 0.75, 0.74], atol=0.02)


def test_area_shock_in_the_change_has_its_size_and_its_share(components):
    within, between, _ = components
    shock = CHANGE @ between @ CHANGE.T
    school = CHANGE @ within @ CHANGE.T
    # SD 0.43; from 150 areas one draw's error is 0.43 * sqrt(2 / 149) / 2 = 0.025 and more for sampling: 0.007 over 20.
    assert np.sqrt(shock[0, 0]) == pytest.approx(0.43, abs=0.025)
    # 0.43^2 / (0.43^2 + 2.44^2) = 0.185 / 6.14 = 0.030.
    assert shock[0, 0] / (shock[0, 0] + school[0, 0]) == pytest.approx(0.030, abs=0.004)
    assert shock[0, 2] / np.sqrt(shock[0, 0] * shock[2, 2]) == pytest.approx(0.86, abs=0.04)


def test_no_year_has_an_effect_of_its_own(areas):
    drawn = np.mean([score_process(stream(s, "null"), areas).mean(axis=0) for s in range(N_DRAWS)], axis=0)
    expected = ScoreParameters().means.reshape(3, 4).T
    # A mean over areas of unlike size has an error of about 0.8 / sqrt(80) = 0.09 in one draw, 0.02 in twenty.
    np.testing.assert_allclose(drawn, expected, atol=0.1)


def test_small_schools_vary_more_when_the_noise_scale_says_so(areas):
    scale = np.where(np.arange(len(areas)) % 2 == 0, 2.0, 0.5)
    scores = score_process(stream(3, "scale"), areas, noise_scale=scale)[:, :, 0]
    # Sampling noise of reading has variance 6.2^2 * 0.0367 = 1.41, so the two halves differ by (4 - 0.25) * 1.41 = 5.3.
    difference = scores[::2].var(axis=0) - scores[1::2].var(axis=0)
    np.testing.assert_allclose(difference, 5.3, atol=0.7)


def test_a_country_is_drawn_in_well_under_a_second(areas):
    started = time.perf_counter()
    score_process(stream(1, "speed"), areas)
    assert time.perf_counter() - started < 0.5  # about 0.01 s on an idle machine


def test_areas_are_of_the_size_asked_for():
    areas = school_areas(seed=4, n_schools=1000, n_areas=30)
    sizes = np.bincount(areas)
    assert (len(areas), len(sizes), sizes.min() >= 1) == (1000, 30, True)
    assert sizes.max() > 3 * np.median(sizes)


def test_the_treated_area_was_a_low_scorer_and_would_have_risen_without_a_programme():
    low, untreated_change = [], []
    for seed in range(30):
        schools = draw_primaries(seed, scale=0.5)
        effect = np.array([0.0, 0.0, 0.45, 0.9])  # reading: half in 2018, whole in 2019
        reading = schools.scores[:, :, 0] - schools.is_treated[:, None] * effect
        gap = reading[schools.is_treated].mean(axis=0) - reading[~schools.is_treated & ~schools.special].mean(axis=0)
        low.append(gap[:2].mean())
        untreated_change.append(gap[3] - gap[:2].mean())
    # Over 300 seeds the area stands 1.33 points below the others (SD .47) and rises back by .53 (SD .5) without a
    # programme, so that means of 30 have errors of .09; the third decimal differs between processors.
    assert np.mean(low) == pytest.approx(-1.33, abs=0.3)
    assert np.mean(untreated_change) == pytest.approx(0.53, abs=0.3)
