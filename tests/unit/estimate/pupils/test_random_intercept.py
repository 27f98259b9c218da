"""The random-intercept kernel against hand arithmetic, a dense likelihood, and dummy coding."""

import math

import numpy as np
import pytest
from scipy import optimize

from evalkit.estimate.pupils.random_intercept_arrays import deviance, fit, fit_at, group_sums, icc_limits


def example(seed=3, groups=12, rows=9, slope=0.6, between=0.5):
    rng = np.random.default_rng(seed)
    size = rng.integers(2, rows, groups)
    group = np.repeat(np.arange(groups), size)
    design = np.column_stack([(np.arange(groups) % 2)[group].astype(float), rng.normal(size=len(group))])
    outcome = 3 + design @ [0.4, slope] + math.sqrt(between) * rng.normal(size=groups)[group]
    return outcome + rng.normal(size=len(group)), design, group


def dense(outcome, design, group, ratio, is_restricted):
    """−2ℓ with the whole covariance matrix written out."""
    x = np.column_stack([np.ones(len(outcome)), design])
    v = np.eye(len(outcome)) + ratio * (group[:, None] == group[None, :])
    inverse = np.linalg.inv(v)
    beta = np.linalg.solve(x.T @ inverse @ x, x.T @ inverse @ outcome)
    squares = (outcome - x @ beta) @ inverse @ (outcome - x @ beta)
    rows = len(outcome) - x.shape[1] if is_restricted else len(outcome)
    value = rows * (1 + math.log(2 * math.pi * squares / rows)) + np.linalg.slogdet(v)[1]
    return value + (np.linalg.slogdet(x.T @ inverse @ x)[1] if is_restricted else 0.0), beta


def test_two_schools_of_two_by_hand():
    # Schools (1, 3) and (5, 9): means 2 and 7, within SS 2 + 8 = 10 on 2 df, so σ² = 5; between MS = 2·(2.5² + 2.5²)
    # = 25 on 1 df; balanced REML equals the analysis of variance: τ² = (25 − 5)/2 = 10, λ = 2, icc = 2/3; mean 4.5
    # with variance 25/4 = 6.25.
    found = fit(group_sums(np.array([1.0, 3.0, 5.0, 9.0]), np.empty((4, 0)), np.array([0, 0, 1, 1])))
    assert found.within == pytest.approx(5, rel=1e-9)
    assert found.between == pytest.approx(10, rel=1e-9)
    assert found.ratio == pytest.approx(2, rel=1e-9)
    assert found.beta == pytest.approx([4.5])
    assert found.covariance == pytest.approx(np.array([[6.25]]), rel=1e-9)


@pytest.mark.parametrize("is_restricted", [True, False])
@pytest.mark.parametrize("ratio", [0.0, 0.3, 4.0])
def test_the_likelihood_is_that_of_the_whole_covariance_matrix(ratio, is_restricted):
    outcome, design, group = example()
    value, beta = dense(outcome, design, group, ratio, is_restricted)
    sums = group_sums(outcome, design, group)
    assert deviance(sums, ratio, is_restricted) == pytest.approx(value, rel=1e-12)
    assert fit_at(sums, ratio, is_restricted).beta == pytest.approx(beta, rel=1e-10)


@pytest.mark.parametrize("is_restricted", [True, False])
def test_no_other_ratio_is_likelier(is_restricted):
    outcome, design, group = example(seed=5, groups=20, between=1.0)
    sums = group_sums(outcome, design, group)
    found = fit(sums, is_restricted)
    slow = optimize.minimize_scalar(
        lambda log: dense(outcome, design, group, math.exp(log), is_restricted)[0], bounds=(-6, 4), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    assert math.log(found.ratio) == pytest.approx(slow.x, abs=1e-6)
    assert found.deviance <= slow.fun + 1e-10


def test_no_variance_between_groups_is_the_boundary():
    # every school has the same three outcomes: means do not vary at all
    outcome, group = np.tile([1.0, 2.0, 4.0], 5), np.repeat(np.arange(5), 3)
    found = fit(group_sums(outcome, np.empty((15, 0)), group))
    assert found.between == 0.0
    assert found.within == pytest.approx(outcome.var(ddof=1))
    assert icc_limits(group_sums(outcome, np.empty((15, 0)), group), 0.95)[0] == 0.0


def test_the_ends_of_the_interval_are_where_the_test_turns():
    outcome, design, group = example(seed=8, groups=30, rows=20)
    sums = group_sums(outcome, design, group)
    best = fit(sums)
    for end in icc_limits(sums, 0.95):
        drop = deviance(sums, end / (1 - end)) - best.deviance
        assert drop == pytest.approx(3.841458820694124, rel=1e-6)  # χ²(1) at 95%
    lower, upper = icc_limits(sums, 0.8)
    assert icc_limits(sums, 0.95)[0] < lower < best.ratio / (1 + best.ratio) < upper < icc_limits(sums, 0.95)[1]


@pytest.mark.parametrize("is_restricted", [True, False])
def test_absorbed_constants_equal_dummies(is_restricted):
    rng = np.random.default_rng(11)
    block = np.arange(24) // 4  # 6 schools of 4 years
    group = rng.permutation(np.repeat(np.arange(24), rng.integers(2, 7, 24)))
    design = np.column_stack([rng.normal(size=len(group)), (group % 4 == 1) * 1.0])
    outcome = design @ [0.3, 1.0] + rng.normal(size=6)[block[group]] + 0.6 * rng.normal(size=24)[group]
    outcome += rng.normal(size=len(group))
    dummies = (block[group][:, None] == np.arange(1, 6)).astype(float)
    long = fit(group_sums(outcome, np.column_stack([design, dummies]), group), is_restricted)
    short = fit(group_sums(outcome, design, group, absorbed=block), is_restricted)
    assert short.beta == pytest.approx(long.beta[1:3], rel=1e-8)
    assert short.covariance == pytest.approx(long.covariance[1:3, 1:3], rel=1e-7)
    assert (short.between, short.within) == pytest.approx((long.between, long.within), rel=1e-7)
    # dummies with one constant less the first block's, or a constant for each: the determinant of the change is 1
    assert short.deviance == pytest.approx(long.deviance, rel=1e-10)


def test_a_large_offset_costs_no_digits():
    outcome, design, group = example(seed=2)
    near = fit(group_sums(outcome, design, group))
    far = fit(group_sums(outcome + 1e7, design + 1e5, group))
    assert far.beta[1:] == pytest.approx(near.beta[1:], rel=1e-6)
    assert far.between == pytest.approx(near.between, rel=1e-6)
