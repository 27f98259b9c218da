"""Strata and weights, against hand arithmetic, and what each refuses."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching.match import match
from evalkit.design.matching.options import (
    CoarsenedExact,
    CovariateBalancing,
    EntropyBalancing,
    ExactMatching,
    InverseProbability,
    Subclassification,
)
from evalkit.estimate.matched.weighted_effect import weighted_effect, weighted_influence

WEIGHTINGS = [EntropyBalancing(), InverseProbability(), CovariateBalancing()]


def baseline(treated, **covariates):
    frame = pd.DataFrame(covariates | {"t": treated})
    return Baseline.from_frame(frame, BaselineRoles(treated="t", covariates=tuple(covariates)))


# x = 1: treated 3, comparison 1; x = 0: treated 1, comparison 4.
TREATED = [1, 1, 1, 1, 0, 0, 0, 0, 0]
X = [1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]


def test_exact_weights_by_hand():
    """ATT: comparison 3/1 at x = 1 and 1/4 at x = 0, sum 3 + 4/4 = 4, scaled to 5 units by 5/4: 3.75 and 0.3125."""
    design = match(baseline(TREATED, x=X), ExactMatching())
    np.testing.assert_allclose(design.weights, [1, 1, 1, 1, 3.75, 0.3125, 0.3125, 0.3125, 0.3125])
    assert design.effective_comparison == pytest.approx(25 / (3.75**2 + 4 * 0.3125**2))


@pytest.mark.parametrize("option", WEIGHTINGS)
def test_weights_that_balance_one_covariate_of_two_values_are_those_of_its_strata(option):
    """The share at x = 1 is 3/4 among the treated: any weights that reach it are 3.75 and 0.3125 as above."""
    design = match(baseline(TREATED, x=X), option)
    np.testing.assert_allclose(design.weights, [1, 1, 1, 1, 3.75, 0.3125, 0.3125, 0.3125, 0.3125], rtol=1e-8)


@pytest.mark.parametrize("option", WEIGHTINGS)
def test_for_all_units_both_arms_are_weighted(option):
    """All: x = 1 four times, x = 0 five. Treated 4/3 and 5/1, scaled by 4/9; comparison 4/1 and 5/4, scaled by 5/9."""
    design = match(baseline(TREATED, x=X), option, "ATE")
    treated, comparison = np.array([4 / 3, 4 / 3, 4 / 3, 5.0]) * 4 / 9, np.array([4.0, 1.25, 1.25, 1.25, 1.25]) * 5 / 9
    if isinstance(option, CovariateBalancing):  # balances the arms with each other, at a share of its own
        x, w = np.array(X), design.weights
        assert np.average(x[:4], weights=w[:4]) == pytest.approx(np.average(x[4:], weights=w[4:]), abs=1e-8)
        return
    np.testing.assert_allclose(design.weights, [*treated, *comparison], rtol=1e-8)


def test_the_effect_of_weights_by_hand_and_its_influence():
    """Treated mean of 2, 2, 2, 6: 3. Comparison 1 at x = 1, and 0, 0, 4, 4 (mean 2) at x = 0: (3·1 + 1·2)/4 = 1.25."""
    outcome = np.array([2.0, 2, 2, 6, 1, 0, 0, 4, 4])
    design = match(baseline(TREATED, x=X), EntropyBalancing())
    assert weighted_effect(design, outcome).value == pytest.approx(1.75)
    found = weighted_influence(design, outcome)
    assert found.value == pytest.approx(1.75)
    assert found.influence.sum() == pytest.approx(0, abs=1e-12)


def test_clusters_of_single_units_give_the_plain_error_with_its_factor():
    random = np.random.default_rng(3)
    x, outcome = random.normal(size=200), random.normal(size=200)
    treated = (x + random.normal(0, 2, size=200) > 0).astype(int)
    design = match(baseline(treated, x=x), EntropyBalancing())
    plain, clustered = weighted_effect(design, outcome), weighted_effect(design, outcome, cluster=np.arange(200))
    assert clustered.std_error == pytest.approx(plain.std_error * np.sqrt(200 / 199))
    assert clustered.df == 199


def test_bins_are_of_one_width_and_a_cutpoint_belongs_below():
    """Cut at 2 and 4: 1, 2 | 3, 4 | 5. Strata {1, 2}, {3, 4}, {5}; the last has no treated unit."""
    design = match(baseline([1, 0, 1, 0, 0], x=[1.0, 2.0, 3.0, 4.0, 5.0]), CoarsenedExact(cutpoints={"x": (2.0, 4.0)}))
    np.testing.assert_array_equal(design.weights, [1, 1, 1, 1, 0])
    # Two bins of 1 … 5 are cut at 3: {1, 2, 3} and {4, 5}, and the second has no treated unit.
    halves = match(baseline([1, 0, 1, 0, 0], x=[1.0, 2.0, 3.0, 4.0, 5.0]), CoarsenedExact(cutpoints={"x": 2}))
    np.testing.assert_array_equal(halves.weights, [1, 1, 1, 0, 0])


def test_entropy_balancing_balances_higher_moments():
    random = np.random.default_rng(4)
    x = random.normal(size=400)
    treated = (x + random.normal(0, 2, size=400) > 1.5).astype(int)
    held = baseline(treated, x=x)
    one, three = (match(held, EntropyBalancing(moments=moments)) for moments in (1, 3))
    own, other = x[treated == 1], x[treated == 0]
    for power in (1, 2, 3):
        gap = np.average(other**power, weights=three.weights[treated == 0]) - (own**power).mean()
        assert abs(gap) < 1e-8
    assert abs(np.average(other**2, weights=one.weights[treated == 0]) - (own**2).mean()) > 1e-3


def test_trimming_is_stated_and_changes_the_estimand():
    random = np.random.default_rng(5)
    x = random.normal(size=300)
    treated = (2 * x + random.normal(size=300) > 0).astype(int)
    design = match(baseline(treated, x=x), InverseProbability(trim=0.1))
    assert design.estimand == "ATT_AMONG_MATCHED"
    assert ((design.score < 0.1) | (design.score > 0.9)).tolist() == design.discarded.tolist()
    assert any("0.1" in note and "left out" in note for note in design.notes)


@pytest.mark.parametrize(
    ("option", "columns", "said"),
    [
        (ExactMatching(), {"x": [1.0, 2.0, 3.0, 4.0]}, "nothing to compare"),
        (EntropyBalancing(), {"x": [5.0, 6.0, 1.0, 2.0]}, "reach the mean of 'x'"),
        (InverseProbability(), {"x": [5.0, 6.0, 1.0, 2.0]}, "separates"),
        (CovariateBalancing(), {"x": [5.0, 6.0, 1.0, 2.0]}, "reach the mean of 'x'"),
        (EntropyBalancing(), {"x": [1.0, 1.0, 1.0, 1.0]}, "same value for every unit"),
        (Subclassification(n_subclasses=5), {"x": [1.0, 3.0, 2.0, 4.0]}, "Ask for fewer subclasses"),
        (Subclassification(distance="mahalanobis"), {"x": [1.0, 3.0, 2.0, 4.0]}, "a distance between two units"),
        (CoarsenedExact(cutpoints={"y": 3}), {"x": [1.0, 3.0, 2.0, 4.0]}, "no covariate 'y'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(option, columns, said):
    with pytest.raises(DesignError, match=said):
        match(baseline([1, 1, 0, 0], **columns), option)
