"""Effects after matching: arithmetic by hand, what does not change them, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError, DesignError
from evalkit.core.quantities import Estimand, Unavailable
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching.match import match
from evalkit.design.matching.options import (
    EntropyBalancing,
    ExactMatching,
    FullMatching,
    NearestNeighbour,
    ProfileMatching,
    Subclassification,
)
from evalkit.estimate.matched.contrast_arrays import ArmRows, arm_fit, two_way_variance
from evalkit.estimate.matched.matched_effect import matched_effect
from evalkit.estimate.matched.task import EffectOptions
from evalkit.estimate.matched.weighted_effect import weighted_effect
from tests.unit.estimate.matched_designs import baseline, paired, stratified

# --------------------------------------------------------------------------- by hand


def test_pairs_by_hand():
    # Differences 5 − 4, 7 − 4, 9 − 9: 1, 3, 0, mean 4/3. Each pair's score is (d − 4/3)/3; their squares sum to
    # (1/9 + 25/9 + 16/9)/9 = 42/81. HC1 by pair: × 3/2 × 5/4.
    units = baseline([1, 1, 1, 0, 0, 0])
    found = matched_effect(paired(units, [0, 1, 2], [3, 4, 5]), np.array([5.0, 7, 9, 4, 4, 9]))
    assert found.estimate.value == pytest.approx(4 / 3, abs=1e-14)
    assert found.estimate.std_error == pytest.approx(np.sqrt(42 / 81 * 1.5 * 1.25), rel=1e-13)
    assert found.estimate.df == 2
    assert found.inference == "cluster-robust by matched pair (HC1 correction), Student's t with 2 degrees of freedom"
    assert (found.estimand, found.n_treated, found.n_comparison, found.n_clusters) == (Estimand.ATT, 3, 3, 3)
    assert found.effective_comparison == 3
    assert found.interval.lower == pytest.approx(4 / 3 - 4.302652729749462 * found.estimate.std_error)  # t, df 2


def shared():
    """Two treated (10, 6); the comparison unit 4 serves both, 8 the second only."""
    units = baseline([1, 1, 0, 0], x=[0.0, 1, 2, 3])
    return paired(units, [0, 1, 1], [2, 2, 3], replacement=True), np.array([10.0, 6, 4, 8])


def test_abadie_imbens_by_hand():
    # Matched differences 10 − 4 = 6 and 6 − (4 + 8)/2 = 0, mean 3; (6 − 3)² + (0 − 3)² = 18. The unit 4 serves with
    # K = 1 + ½, K² − (1 + ¼) = 1; the unit 8 with K = ½, ¼ − ¼ = 0.
    # σ² = ½ (1·(6 − 3)² + ½ (2 − 3)² + ½ (−2 − 3)²)/2 = 5.5. V = (18 + 1 · 5.5)/4.
    design, outcome = shared()
    found = matched_effect(design, outcome, EffectOptions(errors="abadie-imbens"))
    assert found.estimate.value == pytest.approx(3)
    assert found.estimate.std_error == pytest.approx(np.sqrt(23.5 / 4), rel=1e-13)
    assert found.estimate.df is None


def test_two_ways_by_hand():
    # Rows: (10, 4) and (6, 4, 8 at half weight), means 8 and (4 + 2 + 4)/2 = 5. Scores, treated (y − 8)/2 and
    # comparison −w(y − 5)/2: 1, ½ | −1, ¼, −¾. By set: 1 + ½ = 1.5 and −1 + ¼ − ¾ = −1.5, squares 4.5.
    # By unit: 1, −1, ½ + ¼, −¾: 1 + 1 + 9/16 + 9/16 = 3.125. By both: 1 + ¼ + 1 + 1/16 + 9/16 = 2.875.
    # Factors: sets 2/1, units 4/3, rows 5/4; all × (5 − 1)/(5 − 2).
    design, outcome = shared()
    found = matched_effect(design, outcome)
    expected = (4.5 * 2 + 3.125 * 4 / 3 - 2.875 * 5 / 4) * 4 / 3
    assert found.estimate.value == pytest.approx(3)
    assert found.estimate.std_error == pytest.approx(np.sqrt(expected), rel=1e-13)
    assert found.inference.startswith("two-way cluster-robust by matched set and unit")
    assert found.estimate.df == 1


@pytest.mark.parametrize(("target", "expected"), [("ATT", 1 + 4.0), ("ATC", 1 + 1.0), ("ATE", 1 + 2.0)])
def test_g_computation_averages_over_the_target_group(target, expected):
    # As comparison 2x, as treated 1 + 3x: the effect on a unit is 1 + x. Treated x: 3 and 5, comparison x: 0, 0, 1, 3.
    # Means of x: 4, 1, and over all six 12/6 = 2.
    x = np.array([3.0, 5, 0, 0, 1, 3])
    treated = [1, 1, 0, 0, 0, 0]
    units = baseline(treated, x=x)
    design = stratified(units, [0] * 6, target=target)
    outcome = np.where(np.array(treated) == 1, 1 + 3 * x, 2 * x)
    found = matched_effect(design, outcome, EffectOptions(adjust=("x",), errors="HC1"))
    assert found.estimate.value == pytest.approx(expected, rel=1e-12)
    assert isinstance(found.estimate.std_error, Unavailable)  # every outcome is fitted exactly
    assert found.estimand == target
    assert found.adjusted_for == ("x",)


def test_the_bias_correction_by_hand():
    # Treated x = 2; partners at x = 1 and 0 with outcomes 3 and 1, and another treated x = 0 whose partner is the one
    # at 0. Partners' slope: (3 − 1)/(1 − 0) = 2 with a third partner (2, 5) on the same line. First: 9 − (3 + 2·1) = 4;
    # second: 4 − 1 = 3; third, x = 3: 10 − (5 + 2·1) = 3. Mean 10/3, uncorrected (6 + 3 + 5)/3.
    units = baseline([1, 1, 1, 0, 0, 0], x=[2.0, 0, 3, 1, 0, 2])
    design = paired(units, [0, 1, 2], [3, 4, 5], replacement=True)
    outcome = np.array([9.0, 4, 10, 3, 1, 5])
    corrected = matched_effect(design, outcome, EffectOptions(adjust=("x",), adjustment="bias-corrected"))
    assert corrected.estimate.value == pytest.approx(10 / 3)
    assert matched_effect(design, outcome).estimate.value == pytest.approx(14 / 3)


def test_clusters_that_hold_whole_pairs_replace_them():
    # Two ways, pairs inside clusters: V = V_pair + V_cluster − V_pair, so that the pairs cancel.
    design, outcome = simulated()
    area = np.empty(len(outcome), dtype=int)
    area[design.pairs.treated] = area[design.pairs.comparison] = np.arange(len(design.pairs.treated)) % 7
    area[~design.is_used] = 0
    both = matched_effect(design, outcome, EffectOptions(cluster=area, errors="two-way"))
    one = matched_effect(design, outcome, EffectOptions(cluster=area, errors="cluster"))
    assert both.estimate.std_error == pytest.approx(one.estimate.std_error, rel=1e-12)
    assert (both.estimate.df, one.estimate.df) == (6, 6)
    assert "matched pair and the clusters given" in both.inference
    assert "bias-reduced" in both.notes[0]
    few = matched_effect(design, outcome, EffectOptions(cluster=area))
    assert few.estimate == matched_effect(design, outcome, EffectOptions(cluster=area, errors="CR2")).estimate
    assert "CR2" in few.inference


def test_units_of_one_cluster_are_not_more_degrees_of_freedom():
    # Three clusters of 40 treated and ten of comparison: Σh² is 1/3 and 1/10, so that Satterthwaite's degrees of
    # freedom are those of two means of 3 and 10 clusters, (1/3 + 1/10)²/((1/3)²/2 + (1/10)²/9). Taking the 240 units
    # to be independent gives more, with which 8% of samples without an effect are "found" (four clusters: 11%).
    is_treated = np.repeat([1, 0], 120)
    area = np.concatenate([np.repeat([0, 1, 2], 40), np.repeat(np.arange(3, 13), 12)])
    design = paired(baseline(is_treated), list(range(120)), list(range(120, 240)))
    found = matched_effect(design, np.random.default_rng(4).normal(size=240), EffectOptions(cluster=area))
    assert found.estimate.df == pytest.approx((1 / 3 + 1 / 10) ** 2 / ((1 / 3) ** 2 / 2 + (1 / 10) ** 2 / 9))
    assert "CR2" in found.inference


def test_many_clusters_keep_the_errors_of_the_design():
    design, outcome = simulated(n=600)
    area = np.arange(len(outcome)) // 2
    found = matched_effect(design, outcome, EffectOptions(cluster=area))
    assert "matched pair and the clusters given" in found.inference


def test_a_two_way_variance_of_nothing_gives_way_to_the_larger_one():
    # Outcomes 1, 0 | 0, 1 in a 2 × 2 of codes: sums over each way are zero, so that V₁ + V₂ − V₁₂ < 0.
    rows = ArmRows(np.array([1.0, 0, 1, 0]), np.ones(4), np.array([1, 1, 0, 0]) == 1, np.zeros((4, 0)))
    fit = arm_fit(rows)
    first, second = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    variance, is_replaced = two_way_variance(fit, first, second)
    assert is_replaced
    assert variance >= 0


# --------------------------------------------------------------------------- properties


def simulated(seed=3, n=120, shuffled=None, rename=str):
    """A design with pairs, over units named U000, U001, …, and outcomes by unit."""
    random = np.random.default_rng(seed)
    x, z = random.normal(size=n), random.integers(0, 3, n)
    treated = (random.random(n) < 0.25 + 0.1 * (x > 0)).astype(int)
    frame = pd.DataFrame({"id": [rename(f"U{at:03d}") for at in range(n)], "x": x, "kind": np.array(list("abc"))[z]})
    frame["treated"], frame["y"] = treated, 2 * treated + x + z + random.normal(size=n)
    if shuffled is not None:
        frame = frame.sample(frac=1, random_state=shuffled)
    units = Baseline.from_frame(frame, BaselineRoles(treated="treated", covariates=("x", "kind"), unit="id"))
    outcome = frame.set_index("id")["y"]
    return match(units, NearestNeighbour()), outcome if shuffled is not None else outcome.to_numpy()


ADJUSTED = EffectOptions(adjust=("x", "kind"))


@pytest.mark.parametrize("asked", [EffectOptions(), ADJUSTED, EffectOptions(errors="bootstrap", n_draws=99)])
def test_rows_in_another_order_and_other_names_change_nothing(asked):
    one = matched_effect(*simulated(), asked).estimate
    assert matched_effect(*simulated(shuffled=5), asked).estimate == one
    renamed = matched_effect(*simulated(rename=lambda name: name.replace("U", "school ")), asked).estimate
    assert renamed == one


@pytest.mark.parametrize("errors", ["default", "HC1", "HC3", "CR2"])
def test_units_of_measurement_carry_over(errors):
    design, outcome = simulated()
    asked = EffectOptions(adjust=("x", "kind"), errors=errors)
    one, other = matched_effect(design, outcome, asked), matched_effect(design, 7 - 1000 * outcome, asked)
    assert other.estimate.value == pytest.approx(-1000 * one.estimate.value, rel=1e-10)
    assert other.estimate.std_error == pytest.approx(1000 * one.estimate.std_error, rel=1e-10)
    columns = pd.DataFrame({"x2": 1e6 + 50 * design.baseline.covariates["x"]})
    moved = EffectOptions(adjust=("x2", "kind"), columns=columns, errors=errors)
    assert matched_effect(design, outcome, moved).estimate.value == pytest.approx(one.estimate.value, rel=1e-8)


def test_what_was_given_stays_as_it_was():
    design, outcome = simulated(shuffled=2)
    frames = design.baseline.covariates.copy(), outcome.copy(), design.weights.copy()
    matched_effect(design, outcome, ADJUSTED)
    pd.testing.assert_frame_equal(design.baseline.covariates, frames[0])
    pd.testing.assert_series_equal(outcome, frames[1])
    np.testing.assert_array_equal(design.weights, frames[2])


def test_outcomes_of_units_not_used_do_not_matter():
    design, outcome = simulated()
    assert not design.is_used.all()
    changed = np.where(design.is_used, outcome, np.nan)
    for asked in (EffectOptions(), ADJUSTED, EffectOptions(errors="bootstrap", n_draws=99)):
        assert matched_effect(design, changed, asked) == matched_effect(design, outcome, asked)


# --------------------------------------------------------------------------- which errors


@pytest.mark.parametrize(
    ("n_strata", "words"),
    [(6, "robust with independent units (HC3)"), (25, "cluster-robust by stratum (HC1 correction)")],
)
def test_few_strata_are_no_clusters(n_strata, words):
    random = np.random.default_rng(1)
    strata = np.repeat(np.arange(n_strata), 8)
    units = baseline(np.tile([1, 0, 0, 0], 2 * n_strata), x=random.normal(size=8 * n_strata))
    found = matched_effect(stratified(units, strata), random.normal(size=8 * n_strata))
    assert found.inference.startswith(words)


def test_profile_matching_has_no_sets():
    design, outcome = simulated()
    design = match(design.baseline, ProfileMatching(tolerance=0.1))
    assert "independent units (HC3)" in matched_effect(design, outcome).inference
    with pytest.raises(DesignError, match="no pairs or strata"):
        matched_effect(design, outcome, EffectOptions(errors="cluster"))


def test_weights_have_m_estimation():
    design, outcome = simulated()
    design = match(design.baseline, EntropyBalancing())
    found = matched_effect(design, outcome)
    assert found.inference == "M-estimation (the weights' own estimation is part of the error), normal"
    robust = matched_effect(design, outcome, EffectOptions(errors="HC1"))
    assert robust.estimate.value == pytest.approx(found.estimate.value, rel=1e-10)
    assert robust.estimate.std_error > found.estimate.std_error  # weights that balance x take its share out


# --------------------------------------------------------------------------- the bootstrap


def test_the_bootstrap_of_pairs_is_near_the_clustered_error():
    # The standard deviation of 1,000 draws has a Monte Carlo error of 1/√2000 = 2.2%.
    design, outcome = simulated(n=400)
    drawn = matched_effect(design, outcome, EffectOptions(errors="bootstrap", n_draws=1000))
    plain = matched_effect(design, outcome)
    assert drawn.estimate.value == pytest.approx(plain.estimate.value, rel=1e-12)
    assert drawn.estimate.std_error == pytest.approx(plain.estimate.std_error, rel=0.08)
    again = matched_effect(design, outcome, EffectOptions(errors="bootstrap", n_draws=1000))
    assert again.estimate == drawn.estimate
    other = matched_effect(design, outcome, EffectOptions(errors="bootstrap", n_draws=1000, seed=2))
    assert other.estimate.std_error != drawn.estimate.std_error


def test_the_bootstrap_of_weights_estimates_them_anew():
    design, outcome = simulated(n=300)
    design = match(design.baseline, EntropyBalancing())
    drawn = matched_effect(design, outcome, EffectOptions(errors="bootstrap", n_draws=400))
    # Drawing the treated again moves the means that weights balance to: M-estimation with these means sampled. 400
    # draws give a standard error to 3.5%.
    sampled = weighted_effect(design, outcome, target_means="sampled")
    assert drawn.estimate.std_error == pytest.approx(sampled.std_error, rel=0.12)
    assert "weights estimated anew" in drawn.inference


def test_the_bootstrap_of_strata_keeps_them():
    random = np.random.default_rng(4)
    units = baseline(np.tile([1, 0, 0], 100), kind=list("abc") * 100)
    design = stratified(units, np.repeat(np.arange(4), 75), ExactMatching())
    drawn = matched_effect(design, random.normal(size=300), EffectOptions(errors="bootstrap", n_draws=400))
    # Treated variance 1/100, comparison variance 1/200.
    assert drawn.estimate.std_error == pytest.approx(np.sqrt(1 / 100 + 1 / 200), rel=0.2)


# --------------------------------------------------------------------------- refusals


def sets():
    design, outcome = simulated()
    return design, outcome


def subclasses():
    design, outcome = simulated()
    return match(design.baseline, Subclassification(n_subclasses=3)), outcome


def reused():
    design, outcome = simulated()
    return match(design.baseline, NearestNeighbour(replacement=True)), outcome


def weighted():
    design, outcome = simulated()
    return match(design.baseline, EntropyBalancing()), outcome


@pytest.mark.parametrize(
    ("make", "asked", "said"),
    [
        (reused, {"errors": "bootstrap"}, "Abadie and Imbens, 2008"),
        (subclasses, {"errors": "bootstrap"}, "not known"),
        (sets, {"errors": "bootstrap", "cluster": np.arange(120) % 9}, "not clusters above"),
        (reused, {"errors": "cluster"}, "share units"),
        (sets, {"errors": "two-way"}, "needs matching with replacement"),
        (sets, {"errors": "abadie-imbens"}, "any number of times"),
        (sets, {"adjust": ("x",), "adjustment": "bias-corrected"}, "any number of times"),
        (reused, {"errors": "abadie-imbens", "adjust": ("x",)}, "plain or the bias-corrected"),
        (reused, {"errors": "HC1", "adjust": ("x",), "adjustment": "bias-corrected"}, "has Abadie–Imbens errors"),
        (sets, {"errors": "m-estimation"}, "matched one"),
        (weighted, {"adjust": ("x",), "adjustment": "additive"}, "g-computation or none"),
        (sets, {"errors": "HC1", "cluster": np.arange(120) % 9}, "independent"),
        (sets, {"cluster": np.zeros(120)}, "in one cluster"),
        (sets, {"adjust": ("x", "nothing")}, "no column 'nothing'"),
        (sets, {"adjust": ("x", "x")}, "named twice"),
        (sets, {"adjust": ("x",), "adjustment": "none"}, "no adjustment asked for"),
        (sets, {"adjustment": "additive"}, "needs columns"),
        (sets, {"errors": "HC2"}, "no choice of errors"),
        (sets, {"level": 1.5}, "between 0 and 1"),
        (sets, {"n_draws": 10}, "10 draws are too few; at least 99"),
    ],
)
def test_what_does_not_exist_is_refused(make, asked, said):
    design, outcome = make()
    with pytest.raises(DesignError, match=said):
        matched_effect(design, outcome, EffectOptions(**asked))


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (lambda x: 2 * x + 1, "is a sum of the other columns"),
        (lambda x: 0 * x + 5, "the same for all matched units"),
        (lambda x: x.where(x.index != x.index[0]), "is missing for 1 matched unit"),
    ],
)
def test_columns_that_cannot_be_adjusted_for_are_refused(column, said):
    design, outcome = simulated()
    used = design.baseline.covariates["x"][design.is_used]
    columns = pd.DataFrame({"more": column(used)})
    with pytest.raises((DesignError, DataError), match=said):
        matched_effect(design, outcome, EffectOptions(adjust=("x", "more"), columns=columns))


def test_more_columns_than_units_and_columns_that_only_one_arm_has_are_refused():
    units = baseline([1, 1, 0, 0], a=[1.0, 2, 3, 5], b=[1.0, 4, 2, 2], c=[2.0, 1, 1, 7])
    design = paired(units, [0, 1], [2, 3])
    with pytest.raises(DesignError, match="4 matched units cannot be adjusted for 3 columns"):
        matched_effect(design, np.arange(4.0), EffectOptions(adjust=("a", "b", "c")))
    units = baseline([1] * 6 + [0] * 6, a=[1.0] * 6 + [0.0] * 6)
    with pytest.raises(DesignError, match="nothing in common"):
        matched_effect(paired(units, range(6), range(6, 12)), np.arange(12.0), EffectOptions(adjust=("a",)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda y: y[:-1].to_numpy(), "one value for each of the 120 units"),
        (lambda y: y * np.nan, "missing or not finite"),
        (lambda y: y.set_axis(np.arange(len(y))), "Make both texts or both numbers"),
        (lambda y: pd.concat([y, y.iloc[:1]]), "stands twice"),
        (lambda y: y.iloc[:0], "holds no unit"),
        (lambda y: y * 1e300, "missing or not finite"),
    ],
)
def test_outcomes_that_cannot_be_used_are_refused(change, said):
    design, outcome = simulated(shuffled=1)
    with pytest.raises(DataError, match=said):
        matched_effect(design, change(outcome))


@pytest.mark.parametrize("errors", ["HC1", "HC3", "CR2", "cluster", "bootstrap"])
def test_one_unit_in_an_arm_has_an_estimate_and_no_error(errors):
    design = stratified(baseline([1, 0, 0, 0]), [0, 0, 0, 0], FullMatching())
    found = matched_effect(design, np.array([5.0, 1, 2, 3]), EffectOptions(errors=errors))
    assert found.estimate.value == pytest.approx(3)
    assert found.estimate.std_error.reason.startswith("Only one treated unit")
    assert isinstance(found.interval, Unavailable)


def test_one_treated_cluster_has_an_estimate_and_no_error():
    design, outcome = simulated()
    area = np.where(design.baseline.is_treated, 0, 1 + np.arange(len(outcome)) % 5)
    found = matched_effect(design, outcome, EffectOptions(cluster=area))
    assert "Only one cluster is treated" in found.estimate.std_error.reason


def test_outcomes_that_are_all_alike_have_no_error():
    design, _ = simulated()
    found = matched_effect(design, np.full(120, 4.0))
    assert found.estimate.value == pytest.approx(0, abs=1e-12)
    assert "do not vary" in found.estimate.std_error.reason
