"""Sums of comparison clusters' residuals in treated places, counted by hand."""

import numpy as np
import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.estimate.two_way.inference_arrays import (
    PlaceboSums,
    placebo_products,
    placebo_sums,
    rescaled,
    size_test,
    variance_by_size,
)

HUNDRED = PlaceboSums(np.arange(1, 100) - 50.0, True)  # −49 to 49: 99 draws, the estimate is the hundredth


def test_products_by_hand():
    # Treatment (0, 1) less its mean is (−½, ½), squares sum to ½; residuals (−d/2, d/2) of a change d give d/2/½ = d.
    residuals = np.array([[0.5, -0.5], [0, 0], [-0.5, 0.5]])
    assert placebo_products(np.array([[-0.5, 0.5]]), residuals, 0.5).tolist() == [[-1, 0, 1]]


def test_p_values_count_the_estimate_itself():
    three = PlaceboSums(np.array([-1.0, 0, 1]), True)
    assert three.p_absolute(4) == 1 / 4
    assert three.p_equal_tailed(4) == 2 / 4
    assert three.p_absolute(1) == 3 / 4
    assert three.p_equal_tailed(-1) == 2 * 2 / 4
    assert three.p_equal_tailed(0) == 1


def test_intervals_hold_what_the_test_does_not_reject():
    # Equal-tailed: 2(1 + #)/100 > 0.05 needs # ≥ 2, so that errors from −48 to 48 are kept. Absolute:
    # (1 + #)/100 > 0.05 needs 5 draws as far out: ±49, ±48 and one of ±47.
    assert HUNDRED.interval(7, 0.95, False) == Interval(7 - 48, 7 + 48)
    assert HUNDRED.interval(7, 0.95, True) == Interval(7 - 47, 7 + 47)
    for is_absolute, p in ((False, HUNDRED.p_equal_tailed), (True, HUNDRED.p_absolute)):
        reach = HUNDRED.interval(0, 0.95, is_absolute).upper
        assert p(reach) > 0.05
        assert p(reach + 1e-6) <= 0.05


def test_too_few_draws_give_no_interval():
    few = PlaceboSums(np.arange(20.0), True)
    assert isinstance(few.interval(0, 0.95, True), Interval)
    assert "needs at least 39" in few.interval(0, 0.95, False).reason
    assert isinstance(PlaceboSums(np.arange(18.0), True).interval(0, 0.95, True), Unavailable)


def test_all_ways_are_gone_through_where_few_else_drawn():
    products = np.random.default_rng(0).normal(size=(2, 30))
    both = placebo_sums(products, 50, np.random.default_rng(0))
    assert both.is_enumerated
    np.testing.assert_allclose(np.sort(both.draws), np.sort(np.add.outer(*products).ravel()))
    many = placebo_sums(np.random.default_rng(0).normal(size=(4, 30)), 50, np.random.default_rng(0))
    assert (len(many.draws), many.is_enumerated) == (50, False)


def test_the_variance_by_size_is_read_off_exactly_and_never_negative():
    sizes = np.array([5.0, 10, 20, 40])
    assert variance_by_size(2 + 30 / sizes, sizes) == pytest.approx((2, 30))
    assert variance_by_size(np.array([1.0, 2, 3, 4]), sizes) == (2.5, 0.0)  # larger clusters vary more: no slope
    # Σ (v/M)/Σ 1/M² with v = 10/M − 0.1 is fitted without a constant.
    squares = 10 / sizes - 0.1
    constant, slope = variance_by_size(squares, sizes)
    assert constant == 0
    assert slope == pytest.approx((squares / sizes).sum() / (1 / sizes**2).sum())


def test_residuals_are_brought_to_the_treated_size():
    # v(M) = 4/M exactly: from size 16 to size 4 the variance grows fourfold, the residual twofold.
    sizes = np.array([16.0, 4.0])
    products = np.sqrt(4 / sizes)[None]
    assert rescaled(products, np.array([4.0]), sizes).tolist() == [[pytest.approx(1.0), pytest.approx(1.0)]]


def test_size_that_matters_is_found_and_size_that_does_not_is_not():
    random = np.random.default_rng(0)
    sizes = random.uniform(5, 100, 60)
    noise = random.normal(size=(1, 60))
    assert size_test(noise, sizes, 999, np.random.default_rng(1)) > 0.1
    assert size_test(noise / np.sqrt(sizes), sizes, 999, np.random.default_rng(1)) < 0.05
