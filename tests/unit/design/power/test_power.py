"""The least detectable effect, by hand."""

import math

import pytest

from evalkit.core.quantities import Unavailable
from evalkit.design.power.mdes import averaging_factor, detectable_at_design, detectable_effect


@pytest.mark.parametrize(
    ("n_pre", "n_post", "factor"),
    [(1, 1, 1.0), (2, 1, math.sqrt(0.75)), (2, 2, math.sqrt(0.5)), (4, 1, math.sqrt(0.625))],
)
def test_averaging_years_narrows_a_change(n_pre, n_post, factor):
    # √((1/post + 1/pre) / 2): with one year each the variance is 2v, the yardstick; with two before 1.5v.
    assert averaging_factor(n_pre, n_post) == pytest.approx(factor, abs=1e-15)


def test_the_least_detectable_effect():
    assert detectable_effect(0.5, 2, 1) == pytest.approx(2.8 * 0.5 * math.sqrt(0.75))


def test_the_spread_of_the_placebos_is_their_sample_standard_deviation():
    # ten of −1 and ten of +1: Σd² = 20, over 19.
    changes = [-1.0, 1.0] * 10
    assert detectable_at_design(changes, 1, 1) == pytest.approx(2.8 * math.sqrt(20 / 19))


def test_too_few_placebos_give_no_number():
    found = detectable_at_design([0.1] * 19, 2, 1)
    assert isinstance(found, Unavailable)
    assert "Only 19 areas" in found.reason
