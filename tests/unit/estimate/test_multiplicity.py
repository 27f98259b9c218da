"""Holm's adjustment by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.errors import DesignError
from evalkit.estimate.effect import holm_adjusted


def test_three_p_values_by_hand():
    # sorted .01 .03 .04: 3 × .01 = .03; 2 × .03 = .06; 1 × .04 = .04, raised to .06
    assert holm_adjusted([0.04, 0.01, 0.03]) == pytest.approx((0.06, 0.03, 0.06))


def test_one_p_value_is_itself_and_none_are_none():
    assert holm_adjusted([0.2]) == (0.2,)
    assert holm_adjusted([]) == ()


def test_none_goes_beyond_one():
    # 2 × .7 = 1.4, held at 1; then .9 raised to 1
    assert holm_adjusted([0.7, 0.9]) == (1.0, 1.0)


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_refused(bad):
    with pytest.raises(DesignError, match="between 0 and 1"):
        holm_adjusted([0.5, bad])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_adjusted_values_keep_the_order_and_are_no_smaller(p_values):
    adjusted = holm_adjusted(p_values)
    assert all(q >= p for p, q in zip(p_values, adjusted, strict=True))
    pairs = sorted(zip(p_values, adjusted, strict=True))
    assert [q for _, q in pairs] == sorted(adjusted)
