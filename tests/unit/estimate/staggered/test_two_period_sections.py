"""Effects from two periods with other people in each: by hand, and what is refused."""

import numpy as np
import pytest

from evalkit.estimate.staggered.group_time_arrays import Sections, section_effect

METHODS = ("dr", "ipw", "reg")


def sections(arms, covariates=None, weight=None):
    """Return observations from outcomes of the treated before and after, the others before and after."""
    outcome = np.concatenate(arms).astype(float)
    x = np.empty((len(outcome), 0)) if covariates is None else np.concatenate(covariates).astype(float)[:, None]
    return Sections(outcome, x, np.ones(len(outcome)) if weight is None else weight, tuple(len(a) for a in arms))


def test_four_means_by_hand():
    """(8 − 2) − (4 − 3) = 5; contributions ±(outcome − mean)/n of its arm, + after − before for the treated."""
    found = section_effect(sections([[1, 3], [7, 8, 9], [3], [2, 6]]), "dr")
    assert found.effect.tolist() == [5.0]
    assert found.contribution.ravel() == pytest.approx([0.5, -0.5, -1 / 3, 0, 1 / 3, 0, 1, -1])


def test_weighted_means_by_hand():
    """Treated before (1 × 3 + 3 × 1)/4 = 1.5, after 8; others 3, 4: 6.5 − 1 = 5.5."""
    weight = np.array([3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    found = section_effect(sections([[1, 3], [7, 8, 9], [3], [2, 6]], weight=weight), "ipw")
    assert found.effect == pytest.approx([5.5])
    assert found.contribution.ravel()[:2] == pytest.approx([0.375, -0.375])  # −(3/4)(1 − 1.5), −(1/4)(3 − 1.5)


# Each arm has the same share of x = 1 in both periods: treated 2 of 3, others 1 of 4, so that all methods agree.
ARMS = [[2, 4, 1], [9, 11, 5], [3, 1, 2, 3], [5, 2, 3, 4]]
STRATA = [[1, 1, 0], [1, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0]]


@pytest.mark.parametrize("method", METHODS)
def test_a_binary_covariate_makes_every_method_a_comparison_within_strata(method):
    """Stratum 1: (10 − 3) − (5 − 3) = 5; stratum 0: (5 − 1) − (3 − 2) = 3; (2 × 5 + 3)/3 = 13/3."""
    copies = [np.tile(arm, 2) for arm in ARMS], [np.tile(arm, 2) for arm in STRATA]
    assert section_effect(sections(*copies), method).effect == pytest.approx([13 / 3])


def test_contributions_within_strata_by_hand():
    """Doubly robust, data twice: rows of the treated carry ±(y − mean of cell) π_s/n_s and (τ_s − τ)/12.

    π₁ = 2/3 and n₁ = 4 rows of a period, π₀ = 1/3 and n₀ = 2: π_s/n_s = 1/6 in both. τ₁ − τ = 2/3, τ₀ − τ = −4/3, and
    there are 12 rows of the treated. Other rows: π_s/n_s is (2/3)/2 in stratum 1 and (1/3)/6 in stratum 0.
    """
    copies = [np.tile(arm, 2) for arm in ARMS], [np.tile(arm, 2) for arm in STRATA]
    found = section_effect(sections(*copies), "dr").contribution.ravel()
    before = [-(2 - 3) / 6 + 1 / 18, -(4 - 3) / 6 + 1 / 18, -(1 - 1) / 6 - 1 / 9]
    after = [(9 - 10) / 6 + 1 / 18, (11 - 10) / 6 + 1 / 18, (5 - 5) / 6 - 1 / 9]
    other_before = [(3 - 3) / 3, (1 - 2) / 18, (2 - 2) / 18, (3 - 2) / 18]
    other_after = [-(5 - 5) / 3, -(2 - 3) / 18, -(3 - 3) / 18, -(4 - 3) / 18]
    expected = np.concatenate([np.tile(arm, 2) for arm in (before, after, other_before, other_after)])
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_contributions_add_up_to_nothing(method):
    random = np.random.default_rng(5)
    arms = [random.normal(size=n) for n in (20, 25, 30, 35)]
    found = section_effect(sections(arms, [random.normal(size=len(a)) for a in arms]), method)
    assert found.contribution.sum() == pytest.approx(0, abs=1e-11)


@pytest.mark.parametrize("method", METHODS)
def test_a_row_of_weight_two_is_two_rows_in_the_estimate(method):
    random = np.random.default_rng(6)
    arms, x = ([random.normal(size=n) for n in (12, 14, 16, 18)] for _ in range(2))
    weights = [np.where(np.arange(len(a)) % 4 == 0, 2, 1) for a in arms]
    weighted = section_effect(sections(arms, x, np.concatenate(weights).astype(float)), method)
    twice = [np.repeat(a, w) for a, w in zip(arms, weights, strict=True)]
    repeated = section_effect(sections(twice, [np.repeat(a, w) for a, w in zip(x, weights, strict=True)]), method)
    assert weighted.effect == pytest.approx(repeated.effect, abs=1e-10)


@pytest.mark.parametrize(
    ("arms", "x", "method", "said"),
    [
        ([[1], [], [2], [3]], None, "dr", "an arm has no observation in one of the two periods"),
        (ARMS, [[1, 1, 1], [1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]], "reg", "among the comparison observations"),
        (ARMS, STRATA, "dr", ""),
        ([[1, 2], *ARMS[1:]], [[1, 0], *STRATA[1:]], "dr", "treated observations of that period are too few"),
        ([[1, 2], *ARMS[1:]], [[1, 0], *STRATA[1:]], "reg", ""),
        (ARMS, [[9, 8, 7], [9, 8, 7], [1, 2, 3, 0], [1, 2, 3, 0]], "ipw", "propensity score"),
        (ARMS, [[1, 1, 1], [1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]], "ipw", "collinear, or one does not vary"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_refused_with_the_reason(arms, x, method, said):
    found = section_effect(sections([np.array(a, dtype=float) for a in arms], x), method)
    assert said in found.failure
    assert (found.failure == "") == (said == "")


def test_rows_with_a_score_from_0_995_weigh_nothing_and_are_counted():
    """299 of 300 rows at x = 1 are treated: score 0.9967; 5 of 20 at x = 0, which alone are compared."""
    x = [np.repeat([1, 0], [299, 5])] * 2 + [np.repeat([1, 0], [1, 15])] * 2
    arms = [np.zeros(304), np.full(304, 5.0), np.zeros(16), np.repeat([1000.0, 2.0], [1, 15])]
    found = section_effect(sections(arms, x), "ipw")
    assert found.n_trimmed == 2
    assert found.effect == pytest.approx([3.0])


def test_a_period_without_a_row_below_0_995_leaves_no_effect():
    random = np.random.default_rng(7)
    arms = [random.normal(size=n) for n in (997, 997, 3, 3)]
    found = section_effect(sections(arms, [random.normal(size=len(a)) for a in arms]), "ipw")
    assert "every comparison unit has a propensity score of 0.995 or more" in found.failure


def unlike_arms(seed=1, sizes=(140, 150, 230, 190)):
    """Rows whose treated have larger x, and the comparison rows before the start smaller than after."""
    random = np.random.default_rng(seed)
    x = [random.normal((0.8, 0.8, -0.4, 0.4)[at], 1.0, n) for at, n in enumerate(sizes)]
    outcome = [x[at] * (1 + at % 2) + 0.5 * x[at] ** 2 + random.normal(size=n) for at, n in enumerate(sizes)]
    return outcome, x


@pytest.mark.parametrize("method", METHODS)
def test_contributions_are_derivatives_by_each_rows_weight(method):
    """The effect is a function of weights: what a row contributes is its weight times the derivative by it."""
    outcome, x = unlike_arms()
    n, step = sum(map(len, outcome)), 1e-4
    found = section_effect(sections(outcome, x), method).contribution.ravel()
    for row in range(0, n, 37):
        moved = [
            float(
                section_effect(sections(outcome, x, np.ones(n) + sign * step * (np.arange(n) == row)), method).effect[0]
            )
            for sign in (1, -1)
        ]
        assert found[row] == pytest.approx((moved[0] - moved[1]) / (2 * step), rel=1e-4, abs=1e-8)


def test_the_error_differs_from_the_reference_programs_by_the_sign_of_one_term():
    """R's `drdid_rc` gives the comparison's regression before the start the weight d̄ − 2t̄ + ō, not d̄ − ō.

    d̄ are the means of x over all treated, t̄ over the treated before, ō over comparison rows before by their odds. The
    jackknife, which knows no formula, sides with the kit.
    """
    outcome, x = unlike_arms()
    kit = section_effect(sections(outcome, x), "dr")
    first = len(outcome[0]) + len(outcome[1])
    before = slice(first, first + len(outcome[2]))
    score = logit_scores(np.concatenate(x), first)[before]
    columns = np.column_stack([np.ones(len(outcome[2])), x[2]])
    inverse = np.linalg.inv(columns.T @ columns)
    residual = outcome[2] - columns @ inverse @ columns.T @ outcome[2]
    odds = score / (1 - score)
    gap = np.array([1.0, x[0].mean()]) - odds @ columns / odds.sum()
    theirs = kit.contribution.ravel().copy()
    theirs[before] -= 2 * residual * (columns @ inverse @ gap)
    jackknife = deleted(outcome, x)
    own, other = (float(np.sqrt((one**2).sum())) for one in (kit.contribution, theirs))
    assert own == pytest.approx(jackknife, rel=0.05)
    assert other < 0.87 * jackknife


def logit_scores(x, n_treated):
    columns, treated, gamma = np.column_stack([np.ones(len(x)), x]), np.arange(len(x)) < n_treated, np.zeros(2)
    for _ in range(30):
        score = 1 / (1 + np.exp(-columns @ gamma))
        information = columns.T @ (columns * (score * (1 - score))[:, None])
        gamma = gamma + np.linalg.solve(information, columns.T @ (treated - score))
    return score


def deleted(outcome, x):
    """Return the jackknife's standard error: every row left out once."""
    found = []
    for arm in range(4):
        for row in range(len(outcome[arm])):
            parts = [[np.delete(one, row) if at == arm else one for at, one in enumerate(of)] for of in (outcome, x)]
            found.append(float(section_effect(sections(*parts), "dr").effect[0]))
    found = np.array(found)
    return float(np.sqrt((len(found) - 1) / len(found) * ((found - found.mean()) ** 2).sum()))
