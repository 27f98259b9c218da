"""Bounds on violations of parallel trends: by hand where that can be done, and what may not change them."""

import numpy as np
import pytest
from scipy.stats import norm

import evalkit
from evalkit.core.errors import DesignError, EvalkitError, InputError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.estimate.bounds.fixed_length_arrays import folded_quantile
from evalkit.estimate.bounds.violation_bounds import default_smoothness

TIMES = (-4, -3, -2, 0, 1, 2)


def study(seed=1, effect=1.0):
    """Six coefficients whose errors hang together, and their covariance."""
    random = np.random.default_rng(seed)
    root = random.normal(size=(6, 12))
    covariance = root @ root.T / 12 * 0.02
    return random.multivariate_normal([0, 0, 0, effect, effect, effect], covariance), covariance


def ends(found):
    return [
        (one.interval.lower, one.interval.upper) if isinstance(one.interval, Interval) else one.interval.reason
        for one in (*found.relative, *found.smoothness)
    ]


def test_one_coefficient_on_each_side_by_hand():
    """β = (1, 5), independent errors of 0.01.

    Relative, M̄ = 1: the step before is −1 for sure, so that the violation lies in −1 to 1. Either end is a line of
    standard error 0.01·√2 with the other far away; the second stage's size is (.05 − .005)/(1 − .005) = .045226. The
    two lines of the one system that matters, δ₀ − step and −δ₀ − step, are independent at M̄ = 1, so that the first
    stage ends at Φ(c)² = .995, c = 2.80703, and the quantile at 1 − Φ(q) = .045226 + .954774·(1 − Φ(c)) = .047611:
    q = 1.66842. Smoothness, M = 0.02: carrying the trend on, β₀ + β₋₂ = 6 has a standard error of 0.01·√2 and a bias of
    at most 0.02, √2 of it.
    """
    found = evalkit.violation_bounds([1.0, 5.0], 1e-4 * np.eye(2), event_times=[-2, 0], relative=[1], smoothness=[0.02])
    cut = np.sqrt(0.995)
    quantile = norm.isf(0.045 / 0.995 + (1 - 0.045 / 0.995) * (1 - cut))
    assert quantile == pytest.approx(1.66842, abs=1e-5)
    reach = quantile * 0.01 * np.sqrt(2)
    assert ends(found)[0] == pytest.approx((4 - reach, 6 + reach), abs=2e-6)
    half = 0.01 * np.sqrt(2) * float(folded_quantile(np.array(np.sqrt(2)), 0.95))
    assert norm.cdf(half / 0.01414213562 - np.sqrt(2)) - norm.cdf(-half / 0.01414213562 - np.sqrt(2)) == pytest.approx(
        0.95
    )
    assert ends(found)[1] == pytest.approx((6 - half, 6 + half), abs=1e-9)
    # 0 is reached where 5 − M̄ lies 1.6 or so errors of 0.01·√(1 + M̄²) above it.
    assert 4.9 < found.breakdown_relative < 4.93


def test_without_noise_an_interval_is_what_the_bound_identifies():
    """β before: −1 and −0.2 at −3 and −2, so steps of 0.8 and 0.2; errors of 1e-6.

    M̄ = 0.5: steps after of at most 0.4, so that δ₀ lies in ±0.4 and δ₁ in ±0.8. The mean effect of 2 and 3 is 2.5,
    its violation at most (0.4 + 0.8)/2 = 0.6. Rising violations alone: 0 to 0.6. M = 0: no smooth violation passes
    through −1, −0.2 and 0 but by error; the shortest interval carries on the slope that weighs them best.
    """
    beta, covariance = [-1.0, -0.2, 2.0, 3.0], 1e-12 * np.eye(4)
    times = [-3, -2, 0, 1]
    found = evalkit.violation_bounds(beta, covariance, event_times=times, average=[0, 1], relative=[0.5], smoothness=[])
    assert ends(found)[0] == pytest.approx((1.9, 3.1), abs=1e-5)
    rising = evalkit.violation_bounds(
        beta, covariance, event_times=times, average=[0, 1], relative=[0.5], smoothness=[], monotone="up"
    )
    assert ends(rising)[0] == pytest.approx((1.9, 2.5), abs=1e-5)
    first = evalkit.violation_bounds(beta, covariance, event_times=times, relative=[0.5], smoothness=[], sign="-")
    assert ends(first)[0] == pytest.approx((2.0, 2.4), abs=1e-5)


def test_breakdown_values_are_where_the_interval_reaches_zero():
    beta, covariance = study()
    found = evalkit.violation_bounds(beta, covariance, event_times=TIMES)
    for value, key in ((found.breakdown_relative, "relative"), (found.breakdown_smoothness, "smoothness")):
        around = evalkit.violation_bounds(
            beta, covariance, event_times=TIMES,
            **{"relative": [], "smoothness": [], key: [0.999 * value, 1.001 * value]},
        )  # fmt: skip
        below, above = getattr(around, key)
        assert below.interval.lower > 0 > above.interval.lower


def test_intervals_widen_with_the_violations_and_hold_the_one_without_noise():
    beta, covariance = study()
    found = evalkit.violation_bounds(
        beta, covariance, event_times=TIMES, relative=[0.2, 0.5, 1, 2], smoothness=[0, 1, 2]
    )
    for family in (found.relative, found.smoothness):
        widths = [one.interval.upper - one.interval.lower for one in family]
        assert widths == sorted(widths)


@pytest.mark.parametrize("kind", [{}, {"sign": "+"}, {"monotone": "down"}, {"average": [0, 2]}, {"event_time": 1}])
def test_results_follow_the_scale_and_do_not_depend_on_the_order(kind):
    beta, covariance = study()
    sizes = {"relative": [0.5, 1.0]}
    found = evalkit.violation_bounds(beta, covariance, event_times=TIMES, smoothness=[0.0, 0.05], **sizes, **kind)
    order = np.array([3, 0, 5, 2, 4, 1])
    given = beta[order].copy(), covariance[np.ix_(order, order)].copy()
    moved = evalkit.violation_bounds(
        *given, event_times=[TIMES[at] for at in order], smoothness=[0.0, 0.05], **sizes, **kind
    )
    assert ends(moved) == ends(found)
    assert moved.breakdown_relative == found.breakdown_relative
    assert np.array_equal(given[0], beta[order])
    assert np.array_equal(given[1], covariance[np.ix_(order, order)])
    larger = evalkit.violation_bounds(
        10 * beta, 100 * covariance, event_times=TIMES, smoothness=[0.0, 0.5], **sizes, **kind
    )
    for one, ten in zip(ends(found), ends(larger), strict=True):
        assert tuple(10 * end for end in one) == pytest.approx(ten, rel=1e-7, abs=1e-7)


def test_the_other_way_round_is_the_mirror_image():
    beta, covariance = study()
    found = evalkit.violation_bounds(beta, covariance, event_times=TIMES, sign="+")
    mirrored = evalkit.violation_bounds(-beta, covariance, event_times=TIMES, sign="-")
    for one, other in zip(ends(found), ends(mirrored), strict=True):
        # the draws of the first stage are the same and not their opposites
        assert one == pytest.approx((-other[1], -other[0]), abs=0.01 * found.std_error)


def test_another_seed_moves_an_end_by_next_to_nothing():
    beta, covariance = study()
    both = [evalkit.violation_bounds(beta, covariance, event_times=TIMES, sign="+", seed=seed) for seed in (1, 2)]
    for one, other in zip(ends(both[0]), ends(both[1]), strict=True):
        assert one == pytest.approx(other, abs=0.01 * both[0].std_error)


def test_without_an_effect_there_is_no_breakdown_value():
    beta, covariance = study(effect=0.0)
    found = evalkit.violation_bounds(beta, covariance, event_times=TIMES)
    assert 0.0 in found.original
    for value in (found.breakdown_relative, found.breakdown_smoothness):
        assert value == Unavailable("The interval with parallel trends includes 0 already.")


def test_a_trend_that_carries_to_zero_leaves_nothing_at_the_smallest_violation():
    """β follows a line through the reference, so that a trend carried on leaves no effect."""
    found = evalkit.violation_bounds(
        [-0.3, -0.2, -0.1, 0.1, 0.2, 0.3], 1e-4 * np.eye(6), event_times=TIMES, relative=[0]
    )
    assert 0.0 not in found.original
    assert found.breakdown_smoothness == Unavailable("The interval includes 0 already at the value 0.")


def test_violations_that_cannot_undo_the_effect_have_no_breakdown_value():
    beta, covariance = study()
    found = evalkit.violation_bounds(beta, covariance, event_times=TIMES, sign="-")
    assert "at every value up to" in found.breakdown_relative.reason
    assert all(one.method == "hybrid" for one in found.smoothness)


def test_a_singular_covariance_has_no_bounds_and_says_so():
    covariance = np.ones((4, 4)) * 0.01 + np.diag([0.01, 0.01, 0, 0])
    found = evalkit.violation_bounds([0.1, 0.0, 1.0, 1.0], covariance, event_times=[-3, -2, 0, 1], smoothness=[0.1])
    for one in (*found.relative, *found.smoothness):
        assert "singular" in one.interval.reason
    assert found.breakdown_relative == found.breakdown_smoothness == found.relative[0].interval


def test_the_usual_sizes_are_shares_of_the_standard_error():
    assert default_smoothness(0.04) == (0.0, 0.01, 0.02, 0.04)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ((-3, -2, -1, 0, 1, 2), "-1 is the reference"),
        ((-5, -3, -2, 0, 1, 2), "-4 is lacking"),
        ((-4, -3, -2, 0, 1, 3), "2 is lacking"),
        ((-4, -3, -3, 0, 1, 2), "-3 stands more than once"),
        ((0, 1, 2, 3, 4, 5), "at least one event time before"),
        ((-7, -6, -5, -4, -3, -2), "from the start on"),
        ((-4, -3, 0, 1, 2), "6 estimates and 5 event times"),
        ((-5, -4, -3, 0, 1, 2), "-2 is lacking"),
    ],
)
def test_times_that_bounds_cannot_be_made_of(times, words):
    beta, covariance = study()
    with pytest.raises(InputError, match=words):
        evalkit.violation_bounds(beta, covariance, event_times=times, event_time=None)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.eye(5), "6 rows and columns, not 5 by 5"),
        (np.full((6, 6), 2.0) - np.eye(6) * 1.5, "variance below 0"),
        (np.diag([1, 1, 0, 1, 1, 1.0]), "row 3 of the covariance is not above 0"),
        (np.eye(6) + np.triu(np.full((6, 6), 0.5), 1), "not symmetric"),
        (np.full((6, 6), np.nan), "missing or not finite"),
        ([[1, 2], [3]], "6 rows of 6 numbers"),
    ],
)
def test_a_matrix_that_is_no_covariance(matrix, words):
    beta, _ = study()
    with pytest.raises(InputError, match=words):
        evalkit.violation_bounds(beta, matrix, event_times=TIMES)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"relative": [-1]}, "from 0 on, not -1"),
        ({"smoothness": [float("nan")]}, "from 0 on"),
        ({"level": 1.5}, "between 0.5 and 1"),
        ({"event_time": 0, "average": [0, 1]}, "Name one of the two"),
        ({"event_time": 7}, "Event time 7 is not among"),
        ({"average": []}, "one or more event times"),
        ({"average": [0, 0]}, "each named once"),
        ({"sign": "+", "monotone": "up"}, "Name one of them"),
    ],
)
def test_options_that_cannot_be(options, words):
    beta, covariance = study()
    with pytest.raises(DesignError, match=words):
        evalkit.violation_bounds(beta, covariance, event_times=TIMES, **options)


def test_an_effect_without_variance_is_refused():
    covariance = np.eye(4)
    covariance[2:, 2:] = [[1, -1], [-1, 1]]
    with pytest.raises(EvalkitError, match="no variance"):
        evalkit.violation_bounds([0.0, 0, 1, 1], covariance, event_times=[-3, -2, 0, 1], average=[0, 1])
