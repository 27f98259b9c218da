"""Sensitivity to what was not measured: cases worked by hand, properties, and what is refused."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Interval, Unavailable
from evalkit.diagnose.finding import Verdict
from evalkit.diagnose.matched.oster import oster_delta
from evalkit.diagnose.matched.regression_arrays import robustness, slopes_for
from evalkit.diagnose.matched.robustness_value import Benchmark, NoBenchmark, RegressionRows, robustness_value
from evalkit.diagnose.matched.rosenbaum import (
    rosenbaum_bounds,
    shift_at,
    signed_ranks,
    upper_tail_exact,
    upper_tail_normal,
)
from evalkit.diagnose.matched.sensitivity import e_value_of_difference, e_value_of_ratio


def test_five_pairs_all_higher():
    # All five positive: T = 15 is the largest sum, so P(T ≥ 15) = chance⁵.
    # Gamma 1: 1/32 = 0.03125; gamma 2: upper (2/3)⁵ = 32/243, lower (1/3)⁵ = 1/243.
    bounds = rosenbaum_bounds(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), gammas=(1, 2), level=0.9)
    assert bounds.tail == "exact"
    assert bounds.rows[0].p_upper == pytest.approx(1 / 32, rel=1e-14)
    assert bounds.rows[1].p_upper == pytest.approx(32 / 243, rel=1e-14)
    assert bounds.rows[1].p_lower == pytest.approx(1 / 243, rel=1e-14)
    # Significance at 90%, one-sided 0.05: p⁵ = 0.05 at p = 0.05^(1/5), gamma = p/(1 − p).
    p = 0.05**0.2
    assert bounds.gamma_lost == pytest.approx(p / (1 - p), rel=1e-9)
    # Hodges–Lehmann at gamma 1: the middle of the 15 averages of 1…5, which is 3.
    assert bounds.rows[0].effect_lower == pytest.approx(3.0, abs=1e-9)


def test_the_exact_distribution_counts_every_sign():
    differences = np.array([0.5, -1.0, 2.0, 2.0, -3.0, 4.0, 0.0])  # a tie in size, and a zero that is left out
    total, ranks = signed_ranks(differences)
    assert total == 1 + 3.5 + 3.5 + 6  # sizes .5 1 2 2 3 4 have ranks 1 2 3.5 3.5 5 6
    for chance in (0.3, 0.5, 0.75):
        wanted = sum(
            np.prod([chance if s else 1 - chance for s in signs])
            for signs in product((0, 1), repeat=6)
            if np.dot(signs, ranks) >= total
        )
        assert upper_tail_exact(total, ranks, chance) == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize("n", [0, 1, 7, 400])
def test_ranks_are_those_of_scipy_with_ties_and_without_zeros(n):
    differences = np.random.default_rng(n).integers(-20, 21, n) / 10
    moved = differences[differences != 0]
    total, ranks = signed_ranks(differences)
    np.testing.assert_array_equal(ranks, rankdata(np.abs(moved)))
    assert total == rankdata(np.abs(moved))[moved > 0].sum()


def test_the_normal_tail_nears_the_exact_one():
    differences = np.random.default_rng(1).normal(0.3, 1, 90)
    total, ranks = signed_ranks(differences)
    for chance in (0.5, 0.6):
        assert upper_tail_normal(total, ranks, chance) == pytest.approx(
            upper_tail_exact(total, ranks, chance), abs=0.002
        )


def test_the_shift_is_the_quantile_of_averages():
    differences = np.random.default_rng(2).normal(size=41)
    i, j = np.triu_indices(41)
    averages = np.sort((differences[i] + differences[j]) / 2)
    assert shift_at(differences, 0.5) == pytest.approx(np.median(averages), abs=1e-10)
    # At chance ¾ the sum is expected at 0.75·861 = 645.75 averages above: the 216th from below (861 − 645 = 216).
    assert shift_at(differences, 0.75) == pytest.approx(averages[215], abs=1e-10)
    shifted = rankdata(np.abs(differences - shift_at(differences, 0.75) - 1e-9))
    assert shifted[differences > shift_at(differences, 0.75) + 1e-9].sum() == 645


def test_bounds_meet_at_one_and_part_from_there():
    bounds = rosenbaum_bounds(np.random.default_rng(3).normal(0.5, 1, 60), gammas=(1, 1.5, 2, 4))
    first, *later = bounds.rows
    assert first.p_lower == first.p_upper
    assert first.effect_lower == first.effect_upper
    for before, after in zip(bounds.rows, later, strict=False):
        assert after.p_upper > before.p_upper
        assert after.p_lower < before.p_lower
        assert after.effect_lower < before.effect_lower
        assert after.effect_upper > before.effect_upper


def test_at_the_gamma_where_it_is_lost_p_is_the_limit():
    differences = np.random.default_rng(4).normal(0.8, 1, 70)
    for tail in ("exact", "normal"):
        lost = rosenbaum_bounds(differences, tail=tail).gamma_lost
        assert rosenbaum_bounds(differences, gammas=(lost,), tail=tail).rows[0].p_upper == pytest.approx(
            0.025, rel=1e-6
        )


def test_lower_treated_units_are_tested_downwards_and_units_of_measurement_do_not_matter():
    differences = np.random.default_rng(5).normal(0.8, 1, 70)
    up, down = rosenbaum_bounds(differences), rosenbaum_bounds(-3 * differences)
    assert up.is_higher
    assert not down.is_higher
    assert down.gamma_lost == pytest.approx(up.gamma_lost, rel=1e-9)
    assert down.rows[-1].effect_upper == pytest.approx(-3 * up.rows[-1].effect_lower, abs=1e-9)
    mixed = np.random.default_rng(0).permutation(differences)
    assert rosenbaum_bounds(mixed).gamma_lost == pytest.approx(up.gamma_lost, rel=1e-9)


def test_a_sentence_and_a_finding_say_how_strong_the_bias_must_be():
    bounds = rosenbaum_bounds(np.array([1.0, 2, 3, 4, 5, 6, 7, 8]))
    # (gamma/(1 + gamma))⁸ = 0.025 at gamma = 1.707
    assert "by a factor of 1.71" in bounds.sentence
    assert bounds.finding.verdict is Verdict.NO_VERDICT  # it would rise with the effect, whatever was left out
    none = rosenbaum_bounds(np.array([1.0, -2, 3, -4]))
    assert isinstance(none.gamma_lost, Unavailable)
    assert none.finding.verdict is Verdict.NOT_ASSESSABLE
    assert "chance alone" in none.sentence


@pytest.mark.parametrize(
    ("differences", "options", "said"),
    [
        ([0.0, 0.0], {}, "no pair whose partners differ"),
        ([], {}, "no pair whose partners differ"),
        ([1.0, np.nan], {}, "missing"),
        ([1.0, 2.0], {"gammas": (0.5,)}, "from 1"),
        ([1.0, 2.0], {"level": 1.0}, "between 0 and 1"),
        (np.arange(1.0, 200.0), {"tail": "exact"}, "up to 100 pairs"),
    ],
)
def test_what_cannot_be_bounded_is_refused(differences, options, said):
    with pytest.raises(DesignError, match=said):
        rosenbaum_bounds(np.asarray(differences), **options)


def test_the_e_value_of_a_doubled_risk():
    # 2 + √(2·1) = 3.414; the limit 1.5 + √(1.5·0.5) = 2.366. A halved risk is the same upside down.
    double = e_value_of_ratio(2.0, Interval(1.5, 3.0))
    assert double.point == pytest.approx(2 + np.sqrt(2), rel=1e-14)
    assert double.limit == pytest.approx(1.5 + np.sqrt(0.75), rel=1e-14)
    half = e_value_of_ratio(0.5, Interval(1 / 3, 1 / 1.5))
    assert half.point == pytest.approx(double.point, rel=1e-14)
    assert half.limit == pytest.approx(double.limit, rel=1e-14)
    assert e_value_of_ratio(1.0, Interval(0.9, 1.1)).point == 1
    assert "3.41 times as likely" in double.sentence
    assert "low outcome" in half.sentence


def test_the_e_value_of_a_difference():
    # d = 0.5: ratio exp(0.455); limits at d ± 1.78/0.91 errors.
    found = e_value_of_difference(Estimate(5.0, 1.0), sd=10.0)
    assert found.ratio == pytest.approx(np.exp(0.455), rel=1e-14)
    assert found.interval.lower == pytest.approx(np.exp(0.455 - 0.178), rel=1e-14)
    assert found.sd_used == 10
    scaled = e_value_of_difference(Estimate(50.0, 10.0), sd=100.0)
    assert scaled.point == pytest.approx(found.point, rel=1e-14)
    assert isinstance(e_value_of_difference(Estimate(5.0, Unavailable("None.")), 10.0).limit, Unavailable)
    with pytest.raises(DesignError, match="does not vary"):
        e_value_of_difference(Estimate(5.0, 1.0), sd=0.0)
    with pytest.raises(DesignError, match="positive"):
        e_value_of_ratio(-1.0, Interval(-2.0, 1.0))


def rows(n=400, seed=7, effect=0.5):
    draw = np.random.default_rng(seed)
    x, z = draw.normal(size=(2, n))
    treated = (0.4 * x + draw.normal(size=n) > 0).astype(float)
    outcome = effect * treated + 0.4 * x + 0.3 * z + draw.normal(size=n)
    return RegressionRows(outcome, treated, {"x": x[:, None], "z": z[:, None]}, np.ones(n))


def test_robustness_values_by_hand():
    # f = 1: ½(√(1 + 4) − 1) = 0.618; f at what significance needs: nothing is left.
    assert robustness(1.0, 0.0) == pytest.approx((np.sqrt(5) - 1) / 2, rel=1e-14)
    assert robustness(0.1, 0.2) == 0
    # f = 2, needed 0.6 (2 > 1/0.6): (4 − 0.36)/5.
    assert robustness(2.0, 0.6) == pytest.approx(3.64 / 5, rel=1e-14)


def test_something_of_the_robustness_value_leaves_nothing():
    found = robustness_value(rows())
    r2 = found.value
    bias = found.std_error * np.sqrt(found.df * r2 * r2 / (1 - r2))
    assert bias == pytest.approx(abs(found.estimate), rel=1e-12)
    r2 = found.value_significance
    left = abs(found.estimate) - found.std_error * np.sqrt(found.df * r2 * r2 / (1 - r2))
    error = found.std_error * np.sqrt(found.df / (found.df - 1))
    from scipy.stats import t

    assert left / error == pytest.approx(t.ppf(0.975, found.df - 1), rel=1e-10)


def test_a_benchmark_is_what_leaving_out_its_like_would_do():
    # A copy of x in its own right, orthogonal to it given everything, with equal strength: adding it to the
    # regression must move the estimate by the benchmark's bias. Built exactly, by projections.
    base = rows()
    draw = np.random.default_rng(11)
    n = len(base.outcome)
    design = np.column_stack([np.ones(n), base.blocks["x"], base.blocks["z"]])
    found = robustness_value(base, ("x",), (1.0,)).benchmarks[0]
    resid = lambda v, m: v - m @ np.linalg.lstsq(m, v, rcond=None)[0]  # noqa: E731
    d = resid(base.is_treated, design)
    y = resid(base.outcome, np.column_stack([design, base.is_treated]))
    noise = resid(draw.normal(size=n), np.column_stack([design, base.is_treated, base.outcome]))
    unit = [v / np.linalg.norm(v) for v in (d, y, noise)]
    a = np.sqrt(found.treated_r2)
    b = np.sqrt(found.outcome_r2 * (1 - found.treated_r2))
    z = a * unit[0] + b * unit[1] + np.sqrt(1 - a**2 - b**2) * unit[2]
    more = RegressionRows(base.outcome, base.is_treated, {**base.blocks, "u": z[:, None]}, base.weight)
    long = robustness_value(more)
    assert long.estimate == pytest.approx(found.estimate, rel=1e-10)
    assert long.std_error == pytest.approx(found.std_error, rel=1e-10)


def test_row_order_units_and_collinear_copies_change_nothing():
    base = rows()
    main = robustness_value(base, ("x",), (2.0,))
    order = np.random.default_rng(0).permutation(len(base.outcome))
    x = base.blocks["x"]
    other = RegressionRows(
        100 * base.outcome[order],
        base.is_treated[order],
        {"x": 1000 * x[order] + 5, "z": np.column_stack([base.blocks["z"], 2 * base.blocks["z"]])[order]},
        np.full(len(order), 3.0),
    )
    again = robustness_value(other, ("x",), (2.0,))
    assert again.value == pytest.approx(main.value, rel=1e-9)
    assert again.benchmarks[0].t == pytest.approx(main.benchmarks[0].t, rel=1e-9)
    assert again.estimate == pytest.approx(100 * main.estimate, rel=1e-9)
    assert oster_delta(other).delta == pytest.approx(oster_delta(base).delta, rel=1e-8)


def test_what_nothing_can_be_as_strong_as_is_said():
    found = robustness_value(rows(), ("x",), (1.0, 50.0))
    assert isinstance(found.benchmarks[0], Benchmark)
    assert isinstance(found.benchmarks[1], NoBenchmark)
    assert "more than all that is left" in found.benchmarks[1].sentence
    assert "as strong as x would leave an effect of" in found.benchmarks[0].sentence


def test_an_effect_turned_round_is_explained():
    base = rows(2000, effect=0.3)
    found = robustness_value(base, ("x", "z"), (1.0, 3.0))
    least, round_ = found.benchmarks[2], found.benchmarks[1]  # as strong as z; three times as strong as x
    assert not least.is_explained
    assert "does not contain zero" in least.sentence
    assert round_.estimate < 0
    assert round_.is_explained
    assert "of the other sign" in round_.sentence
    assert found.benchmark_sentence == found.benchmarks[0].sentence


def exact_world(delta, effect=2.0, seed=3):
    """Return rows in which selection on the hidden index is exactly `delta` times that on the seen one, and R²most."""
    draw = np.random.default_rng(seed)
    n = 300
    raw = draw.normal(size=(n, 4))
    q, _ = np.linalg.qr(np.column_stack([np.ones(n), raw]))
    seen, hidden, own, noise = (q[:, 1:] * np.sqrt(n)).T  # exactly uncorrelated, variance 1
    w1, w2 = 1.5 * seen, 0.8 * hidden
    # cov(w1, d)/var(w1) = 0.4/1.5; cov(w2, d)/var(w2) = k/0.8 with k = delta·0.8·0.4/1.5
    k = delta * 0.8 * 0.4 / 1.5
    treated = 0.4 * seen + k * hidden + own
    outcome = effect * treated + w1 + w2 + 0.7 * noise
    r2_most = 1 - 0.49 * n / ((outcome - outcome.mean()) ** 2).sum()
    return RegressionRows(outcome, treated, {"seen": seen[:, None]}, np.ones(n)), r2_most


@pytest.mark.parametrize("delta", [0.5, 1.0, 1.7])
def test_a_world_with_known_selection_is_found(delta):
    world, r2_most = exact_world(delta)
    found = oster_delta(world, r2_most)
    slopes = slopes_for(found.movement, delta, r2_most)
    assert min(abs(slope - 2.0) for slope in slopes) < 1e-8
    assert slopes == sorted(slopes, key=lambda slope: abs(slope - found.movement.adjusted))
    if delta == 1.0:
        assert found.adjusted == pytest.approx(2.0, abs=1e-8)


def test_without_an_effect_delta_is_the_selection_there_is():
    world, r2_most = exact_world(1.3, effect=0.0)
    assert oster_delta(world, r2_most).delta == pytest.approx(1.3, rel=1e-9)


def test_oster_by_hand():
    # Four points: treated 0 0 1 1, x 0 1 0 1 (uncorrelated), y 0 1 1 3. Plain and adjusted slope 1.5: no movement.
    # Then delta's denominator has D = 0: v = 1.5, s² = t² = ¼, (D + v)s² − vt² = 0: no delta.
    flat = RegressionRows(
        np.array([0.0, 1, 1, 3, 0, 1, 1, 3]),
        np.array([0.0, 0, 1, 1, 0, 0, 1, 1]),
        {"x": np.array([0.0, 1, 0, 1, 0, 1, 0, 1])[:, None]},
        np.ones(8),
    )
    found = oster_delta(flat)
    assert found.movement.plain == pytest.approx(1.5)
    assert found.movement.adjusted == pytest.approx(1.5)
    assert isinstance(found.delta, Unavailable)
    # y has mean 1.25, variance 1.1875; treatment explains 1.5²·¼ = 0.5625; x as much: R² 9/19 and 18/19.
    assert found.movement.r2_plain == pytest.approx(9 / 19)
    assert found.movement.r2_adjusted == pytest.approx(18 / 19)
    assert found.r2_most == 1


def test_what_a_regression_cannot_do_is_refused():
    base = rows(60)
    with pytest.raises(DesignError, match="say exactly who took part"):
        robustness_value(RegressionRows(base.outcome, base.is_treated, {"t": base.is_treated[:, None]}, base.weight))
    with pytest.raises(DesignError, match="entirely"):
        robustness_value(RegressionRows(base.blocks["x"][:, 0], base.is_treated, {"x": base.blocks["x"]}, base.weight))
    four = {name: block[:4] for name, block in base.blocks.items()}
    with pytest.raises(DesignError, match="too few"):
        robustness_value(RegressionRows(base.outcome[:4], np.array([0.0, 1, 0, 1]), four, np.ones(4)))
    with pytest.raises(DesignError, match=r"cannot be 0\.1"):
        oster_delta(base, 0.1)
    alone = RegressionRows(base.outcome, base.is_treated, {}, base.weight)
    assert isinstance(oster_delta(alone).delta, Unavailable)
    assert pd.notna(robustness_value(alone).value)
