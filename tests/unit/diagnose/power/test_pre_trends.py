"""Power before the start: by hand with one lead, against closed forms with more, and as often as it says."""

import numpy as np
import pandas as pd
import pytest

import evalkit
from evalkit.core.errors import InputError
from evalkit.core.quantities import Unavailable
from evalkit.core.scipy_parts import special
from evalkit.diagnose.power import pre_trends_arrays as kernel
from evalkit.diagnose.power.pre_trends import StandIns, rank_trend_power
from evalkit.estimate.staggered.pre_test import pre_test
from evalkit.estimate.staggered.row_inference import Rows

NORMAL = float(special.ndtri(0.975))


def test_one_lead_by_hand():
    # One lead at −2, error .2, critical 1.96 of it: .392. Found in half where the line reaches .392, one period away
    # (the other tail, 3.9 errors off, adds 4e-5). With lags at 0 and 1 the bias is 1.5 slopes. Passing cuts the normal
    # lead off at ±.392: with a line of .392 downwards it is nearly a half normal, .2 · .798 above its mean; a
    # covariance of .03 with the effect (.04 with itself, .02 with the second lag) carries .025/.04 of that over.
    sigma = [[0.04, 0.03, 0.02], [0.03, 0.09, 0.0], [0.02, 0.0, 0.09]]
    found = evalkit.pre_trend_power([0.1, 0.4, 0.2], sigma, [-2, 0, 1])
    [test] = found.tests  # the joint test of one lead is the same
    half = test.found[0]
    assert test.n_leads == 1
    assert test.size == pytest.approx(0.05)
    assert half.slope == pytest.approx(0.2 * NORMAL, abs=4e-5)
    assert half.bias == pytest.approx(1.5 * half.slope)
    assert half.bias_if_passed == pytest.approx(half.bias + 0.025 / 0.04 * 0.2 * np.sqrt(2 / np.pi), abs=2e-4)
    assert half.bayes_factor == pytest.approx(0.5 / 0.95, abs=1e-9)
    # log of the ratio: (.1² − (.1 + slope)²) / (2 · .04), the line being at −slope.
    assert half.likelihood_ratio == pytest.approx(np.exp((0.01 - (0.1 + half.slope) ** 2) / 0.08))


def test_one_period_before_says_so():
    found = evalkit.pre_trend_power([0.4], [[0.04]], [0])
    assert isinstance(found, Unavailable)
    assert "nothing here speaks for parallel trends" in found.reason


@pytest.mark.parametrize(("q", "within"), [(2, 1e-12), (4, 1e-12), (6, 1e-10), (9, 1e-5)])
@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_boxes_of_alike_leads_against_one_integral(q, within, shift):
    # With a common correlation of .5 leads are independent given one normal x: an integral over x alone. Nine leads
    # take the lattice, held to 1e-5.
    x = np.linspace(-9, 9, 40_001)
    edges = [(sign * 1.96 - shift - np.sqrt(0.5) * x) / np.sqrt(0.5) for sign in (1, -1)]
    inside = (special.ndtr(edges[0]) - special.ndtr(edges[1])) ** q
    expected = float(np.trapezoid(inside * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), x))
    covariance = np.full((q, q), 0.5) + 0.5 * np.eye(q)
    reach = np.full(q, 1.96)
    assert kernel.box_probability(-reach, reach, np.full(q, shift), covariance) == pytest.approx(expected, abs=within)


def test_means_of_what_passes_against_draws():
    # 400,000 draws, of which some 60% pass: errors of .001 and .002.
    covariance = np.array([[1.0, 0.6, 0.3], [0.6, 1.5, 0.5], [0.3, 0.5, 0.8]])
    mean, root = np.array([-1.0, -0.6, 0.4]), np.linalg.cholesky(covariance)
    drawn = mean + np.random.default_rng(8).normal(size=(400_000, 3)) @ root.T
    single = kernel.single_test(covariance, np.full(3, 1.96))
    inside = (np.abs(drawn) <= single.reach).all(axis=1)
    assert single.passed(mean) == pytest.approx(inside.mean(), abs=0.003)
    assert single.mean_passed(mean) == pytest.approx(drawn[inside].mean(axis=0), abs=0.008)
    joint = kernel.joint_test(covariance, 0.05)
    small = np.einsum("ij,jk,ik->i", drawn, np.linalg.inv(covariance), drawn) <= joint.critical
    assert joint.passed(mean) == pytest.approx(small.mean(), abs=0.003)
    assert joint.mean_passed(mean) == pytest.approx(drawn[small].mean(axis=0), abs=0.008)


def test_hotellings_power_and_mean_against_draws():
    # V from η = 12 draws (a Wishart matrix over 12), q = 2: F = 11/(2 · 12) d'V⁻¹d on 2 and 11. 40,000 draws.
    draw, eta, mean = np.random.default_rng(9), 12, np.array([1.6, -0.8])
    test = kernel.joint_test(np.eye(2), 0.05, eta - 1.0)
    d = mean + draw.normal(size=(40_000, 2))
    z = draw.normal(size=(40_000, eta, 2))
    v = np.einsum("nki,nkj->nij", z, z) / eta
    statistic = 11 / 24 * np.einsum("ni,ni->n", d, np.linalg.solve(v, d[..., None])[..., 0])
    passed = statistic <= special.fdtri(2, 11, 0.95)
    assert test.passed(mean) == pytest.approx(passed.mean(), abs=0.01)
    assert test.mean_passed(mean) == pytest.approx(d[passed].mean(axis=0), abs=0.03)
    assert test.passed(np.zeros(2)) == pytest.approx(0.95)


def example(**more):
    sigma = np.array(
        [[0.09, 0.04, 0.02, 0.01], [0.04, 0.06, 0.03, 0.02], [0.02, 0.03, 0.05, 0.02], [0.01, 0.02, 0.02, 0.08]]
    )
    values, times = np.array([0.2, -0.1, 0.4, 0.5]), np.array([-3, -2, 0, 1])
    return values, sigma, times, evalkit.PreTrendOptions(**more)


def test_order_and_scale():
    values, sigma, times, options = example(violation=0.5)
    found = evalkit.pre_trend_power(values, sigma, times, options)
    order = np.array([2, 0, 3, 1])
    again = evalkit.pre_trend_power(values[order], sigma[np.ix_(order, order)], times[order], options)
    assert again == found
    larger = evalkit.pre_trend_power(3 * values, 9 * sigma, times, example(violation=1.5)[3])
    for one, three in zip(found.tests, larger.tests, strict=True):
        assert three.size == pytest.approx(one.size)
        assert three.found[0].slope == pytest.approx(3 * one.found[0].slope)
        assert three.at_violation.power == pytest.approx(one.at_violation.power)
    later = evalkit.pre_trend_power(values, sigma, times + 7, example(violation=0.5, reference=6)[3])
    assert later.tests == found.tests
    assert values.tolist() == example()[0].tolist()


def test_power_rises_with_the_slope_and_is_what_was_asked_for():
    values, sigma, times, options = example(powers=(0.3, 0.6, 0.9), violation=0.7)
    for test in evalkit.pre_trend_power(values, sigma, times, options).tests:
        assert [one.power for one in test.found] == pytest.approx([0.3, 0.6, 0.9])
        assert list(test.powers_at) == sorted(test.powers_at)
        assert test.powers_at[1] == pytest.approx(test.at_violation.power)
        assert all(one.bias_if_passed > one.bias for one in test.found)  # leads and lags go together


def test_a_test_that_rejects_as_often_without_a_trend_has_no_slope():
    values, sigma, times, options = example(critical=0.1)
    single = evalkit.pre_trend_power(values, sigma, times, options).tests[1]
    assert isinstance(single.found[0], Unavailable)


def test_an_estimated_covariance_tells_no_more_power_than_there_is():
    # V from η = 10 draws, q = 3, df = 8. Over many such V the slope told for half of cases, planted, is found in half:
    # the one V is random, so that its mean slope is planted. 100 V (the mean slope errs by 2%) and 10,000 samples.
    draw, eta, times = np.random.default_rng(5), 10, np.array([-3.0, -2.0, -1.0])
    z = draw.normal(size=(100, eta, 3))
    slopes = [
        evalkit.pre_trend_power(np.zeros(3), v, [-4, -3, -2], evalkit.PreTrendOptions(df=8.0)).tests[0].found[0].slope
        for v in np.einsum("nki,nkj->nij", z, z) / eta
    ]
    z = draw.normal(size=(10_000, eta, 3))
    v, d = np.einsum("nki,nkj->nij", z, z) / eta, np.mean(slopes) * times + draw.normal(size=(10_000, 3))
    statistic = 8 / 30 * np.einsum("ni,ni->n", d, np.linalg.solve(v, d[..., None])[..., 0])
    assert (statistic > special.fdtri(3, 8, 0.95)).mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("times", "sigma", "message"),
    [
        ([-2, -1], np.eye(2), "the reference -1 not at all"),
        ([-2, -2], np.eye(2), "stands once"),
        ([-2, 0], np.ones((2, 2)), "no inverse"),
        ([-2, 0], np.array([[1.0, 0.5], [0.2, 1.0]]), "symmetric"),
        ([-2, 0], np.eye(3), "as many estimates"),
        ([-2, 0], np.array([[-1.0, 0.0], [0.0, 1.0]]), "no inverse"),
    ],
)
def test_what_is_refused(times, sigma, message):
    with pytest.raises(InputError, match=message):
        evalkit.pre_trend_power([0.1, 0.2], sigma, times)


# By rank among areas.


def areas_by_hand():
    # Nineteen others moved −.9, −.8 … .9; twenty areas: the critical size at 5% is the largest other, .9.
    moved = np.arange(-9, 10) / 10
    return StandIns(
        moved=moved[:, None],
        effects=2 * moved,
        weights=np.ones(19),
        rise=np.array([2.0]),
        effect_rise=5.0,
        n_areas=20,
    )


def test_ranks_by_hand():
    # A slope of .25 moves all by .5: those from .5 on exceed .9, 5 of 19. Half (10 of 19) is reached when that of 0
    # does, at .9 / 2 = .45. At .25 the fourteen that pass, −.9 … .4, have a mean of −.25, effects of −.5 on average in
    # place of 0: the bias of 5 · .25 = 1.25 is .75 among them.
    up, down = rank_trend_power(areas_by_hand(), 1.25, 2016).tests
    assert up.critical == pytest.approx(0.9)
    assert up.size == 0.0
    assert up.found[0].slope == pytest.approx(0.45)
    assert up.at_violation.slope == pytest.approx(0.25)
    assert up.at_violation.power == pytest.approx(5 / 19)
    assert up.at_violation.bias_if_passed == pytest.approx(1.25 - 0.5)
    assert up.at_violation.bayes_factor == pytest.approx(14 / 19)
    assert down.found[0].slope == pytest.approx(-0.45)
    assert isinstance(up.found[0].likelihood_ratio, Unavailable)


def test_ranks_of_few_areas_find_nothing():
    few = areas_by_hand()
    few = StandIns(
        moved=few.moved[:9], effects=few.effects[:9], weights=np.ones(9), rise=few.rise, effect_rise=5.0, n_areas=10
    )
    assert "Among 10 areas" in rank_trend_power(few, 1.0, 2016).reason


def test_a_trend_or_anticipation_is_found_as_often_as_told_and_else_at_the_nominal_rate():
    # 149 areas, moved by .4 a year. The trend told for four of five is planted in a treated area: 150 draws, an error
    # of 3.3 points. A gain of the same size in the last year before, by anticipation, is the same movement. Without any
    # 7/149 = 4.7% are found.
    draw, found, quiet = np.random.default_rng(12), [], []
    for _ in range(150):
        moved = 0.4 * draw.normal(size=149)
        others = StandIns(
            moved=moved[1:, None],
            effects=draw.normal(size=148),
            weights=np.ones(148),
            rise=np.ones(1),
            effect_rise=2.5,
            n_areas=149,
        )
        slope = rank_trend_power(others, 1.0, 2016).tests[0].found[1].slope
        for planted, hits in ((slope, found), (0.0, quiet)):
            as_large = (np.abs(moved[1:]) >= abs(moved[0] + planted)).sum()
            hits.append((1 + as_large) / 149 <= 0.05)
    assert np.mean(found) == pytest.approx(0.8, abs=3 * 0.033)
    assert np.mean(quiet) == pytest.approx(7 / 149, abs=3 * 0.0175)


# Staggered starts.


def panel(draw, n, n_treated, slope, periods=6):
    start = np.full(n, np.nan)
    start[: n_treated // 2], start[n_treated // 2 : n_treated] = 3, 4
    values = draw.normal(size=(n, 1)) + draw.normal(size=(n, periods))
    values += slope * np.arange(periods) * np.isfinite(start)[:, None]
    table = pd.DataFrame(
        {
            "school": np.repeat(np.arange(n), periods),
            "year": np.tile(np.arange(periods), n),
            "score": values.ravel(),
            "start": np.repeat(start, periods),
        }
    )
    roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    return evalkit.group_time_effects(evalkit.staggered_design(evalkit.Panel.from_frame(table, roles)))


@pytest.mark.parametrize(("n", "n_treated", "n_first"), [(160, 60, 1), (60, 8, 20)])
def test_the_power_told_of_staggered_starts_is_the_power_there_is(n, n_treated, n_first):
    # The slope found in half of cases is planted in 80 more samples: an error of 5.6 points. The effect among those
    # that pass is as far off as told, within three errors of their mean. With eight treated the slope told rests on a
    # covariance from eight and varies from sample to sample by a quarter: its mean over twenty is planted.
    draw = np.random.default_rng(2)
    first = [evalkit.staggered_pre_trends(panel(draw, n, n_treated, 0.0)).tests[0].found[0] for _ in range(n_first)]
    slope, bias, if_passed = (np.mean([getattr(one, k) for one in first]) for k in ("slope", "bias", "bias_if_passed"))
    passed, effects = [], []
    for _ in range(80):
        made = panel(draw, n, n_treated, slope)
        passed.append(pre_test(made, Rows.of(made, 1)).p_value > 0.05)
        effects.append(evalkit.overall_effect(made).estimate.value)
    kept = np.array(effects)[np.array(passed)]
    assert np.mean(passed) == pytest.approx(0.5, abs=3 * 0.056)
    assert np.mean(effects) == pytest.approx(bias, abs=3 * np.std(effects) / np.sqrt(80))
    assert kept.mean() == pytest.approx(if_passed, abs=3 * kept.std() / np.sqrt(len(kept)))


def test_one_period_before_every_start_says_so():
    table = pd.DataFrame(
        [(i, t, i % 5 + 0.3 * t, 1 if i < 20 else None) for i in range(60) for t in (0, 1)],
        columns=["school", "year", "score", "start"],
    )
    table["score"] += np.random.default_rng(1).normal(size=len(table))
    roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    made = evalkit.group_time_effects(evalkit.staggered_design(evalkit.Panel.from_frame(table, roles)))
    assert "nothing here speaks for parallel trends" in evalkit.staggered_pre_trends(made).reason
