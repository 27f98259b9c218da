"""What Hedges' (2007) formulas promise: the variance of d_W and d_T, bias of g, coverage, over ρ, sizes and effects.

School means and the sum of squares within schools are drawn from their exact distributions. Monte Carlo error of a
simulated variance over R draws is √(2/R) of it: 1% with 20,000, 0.5% with 80,000; of a coverage of 95%: 0.15 and 0.08
points.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from evalkit.core.draws import stream
from evalkit.estimate.effect_sizes import ClusterSizes, correction_factor

SHORT, LONG = 20_000, 80_000
EQUAL = {
    "4 + 4 of 30": ClusterSizes.equal(4, 4, 30),
    "10 + 10 of 5": ClusterSizes.equal(10, 10, 5),
    "10 + 10 of 30": ClusterSizes.equal(10, 10, 30),
    "29 + 29 of 30": ClusterSizes.equal(29, 29, 30),
    "29 + 145 of 30": ClusterSizes.equal(29, 145, 30),
}
UNEQUAL = {
    "10 + 20, 15 to 60": ClusterSizes(*((15, 20, 25, 30, 30, 30, 35, 40, 45, 60) * n for n in (1, 2))),
    "5 + 5, 5 to 120": ClusterSizes((5, 10, 20, 60, 120), (5, 10, 20, 60, 120)),
}
SIZES = EQUAL | UNEQUAL


@dataclass(frozen=True)
class Draws:
    """Difference of means; spread pooled over all pupils, within schools, and as a sum of components."""

    difference: np.ndarray
    pooled: np.ndarray
    within: np.ndarray
    components: np.ndarray


def draws(sizes: ClusterSizes, icc: float, delta: float, n: int) -> Draws:
    """Draw n trials with σ_T = 1 and a true d_T of `delta`."""
    rng = stream(2007, f"{sizes}{icc}{delta}")
    arms = [np.array(arm, dtype=float) for arm in (sizes.treated, sizes.comparison)]
    means, squares = [], 0.0
    for arm in arms:
        mean = rng.normal(size=(n, len(arm))) * np.sqrt(icc + (1 - icc) / arm)
        centre = mean @ arm / arm.sum()
        squares = squares + ((mean - centre[:, None]) ** 2) @ arm
        means.append(centre)
    inside = (1 - icc) * rng.chisquare(sizes.n - sizes.n_clusters, n)
    within = inside / (sizes.n - sizes.n_clusters)
    balanced = (sizes.n - sum((arm**2).sum() / arm.sum() for arm in arms)) / (sizes.n_clusters - 2)
    between = np.maximum((squares / (sizes.n_clusters - 2) - within) / balanced, 0)
    pooled = np.sqrt((inside + squares) / (sizes.n - 2))
    return Draws(means[0] - means[1] + delta, pooled, np.sqrt(within), np.sqrt(within + between))


def total_ratio(sizes: ClusterSizes, icc: float, delta: float, n: int) -> float:
    """Return the mean of Var(d_T) as estimated over the variance that d_T has."""
    found = draws(sizes, icc, delta, n)
    d = found.difference / found.pooled * math.sqrt(sizes.total_factor(icc))
    slope = sizes.total_variance(icc, 1.0) - sizes.mean_variance(icc)
    return float((sizes.mean_variance(icc) + slope * (d**2).mean()) / d.var())


def within_ratio(sizes: ClusterSizes, icc: float, delta: float, n: int) -> float:
    found = draws(sizes, icc, delta, n)
    d = found.difference / found.within
    df = sizes.n - sizes.n_clusters
    return float((sizes.mean_variance(icc) / (1 - icc) + (d**2).mean() / (2 * df)) / d.var())


def coverage(sizes: ClusterSizes, icc: float, delta: float, n: int) -> float:
    found = draws(sizes, icc, delta, n)
    d = found.difference / found.pooled * math.sqrt(sizes.total_factor(icc))
    factor = correction_factor(sizes.total_df(icc))
    slope = sizes.total_variance(icc, 1.0) - sizes.mean_variance(icc)
    error = factor * np.sqrt(sizes.mean_variance(icc) + slope * d**2)
    return float((np.abs(factor * d - delta) <= 1.959964 * error).mean())


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize(("icc", "delta"), [(0.05, 0.5), (0.2, 0.0), (0.2, 1.0)])
def test_the_variance_of_d_total_is_right_with_usual_icc(name, icc, delta):
    # formula within 3% of the truth and 3 Monte Carlo errors of 1%
    assert total_ratio(SIZES[name], icc, delta, SHORT) == pytest.approx(1, abs=0.03 + 0.03)


def test_the_variance_of_d_total_falls_short_with_very_few_schools_and_much_clustering():
    # 4 + 4 schools at ρ = 0.4: about 4% too small (the spread of all pupils then hangs on six degrees of freedom)
    assert 0.90 < total_ratio(SIZES["4 + 4 of 30"], 0.4, 0.0, SHORT) < 0.995


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize(("icc", "delta"), [(0.05, 0.5), (0.4, 1.0)])
def test_the_variance_of_d_within_is_right(name, icc, delta):
    assert within_ratio(SIZES[name], icc, delta, SHORT) == pytest.approx(1, abs=0.03 + 0.03)


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("icc", [0.05, 0.2])
def test_g_total_is_nearly_unbiased_and_its_interval_covers(name, icc):
    sizes = SIZES[name]
    found = draws(sizes, icc, 1.0, SHORT)
    factor = correction_factor(sizes.total_df(icc)) * math.sqrt(sizes.total_factor(icc))
    g = factor * found.difference / found.pooled
    assert g.mean() == pytest.approx(1.0, abs=0.002 + 3 * g.std() / math.sqrt(SHORT))
    assert 0.93 <= coverage(sizes, icc, 1.0, SHORT) <= 0.97


def test_the_factor_on_a_sum_of_components_shrinks_too_much():
    # The pooled spread needs the factor; σ_B² + σ_W² does not: with it d is 2.5% too small at 4 + 4 schools, ρ = 0.2.
    sizes = SIZES["4 + 4 of 30"]
    found = draws(sizes, 0.2, 1.0, LONG)
    d, factor = found.difference / found.components, math.sqrt(sizes.total_factor(0.2))
    error = 3 * d.std() / math.sqrt(LONG)
    j = correction_factor(sizes.total_df(0.2))
    assert (j * d).mean() == pytest.approx(1.0, abs=0.004 + error)
    assert (j * factor * d).mean() < 1.0 - 0.015


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("icc", [0.05, 0.2, 0.4])
@pytest.mark.parametrize("delta", [0.0, 0.5, 1.0])
def test_the_variances_over_the_whole_grid(name, icc, delta):
    few = name in ("4 + 4 of 30", "10 + 10 of 5")
    assert total_ratio(SIZES[name], icc, delta, LONG) == pytest.approx(1, abs=(0.05 if few else 0.02) + 0.015)
    assert within_ratio(SIZES[name], icc, delta, LONG) == pytest.approx(1, abs=(0.03 if few else 0.02) + 0.015)
    assert 0.94 <= coverage(SIZES[name], icc, delta, LONG) <= 0.96
