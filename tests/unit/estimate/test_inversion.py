"""Intervals by inverting a reference distribution: exact ends against a search, and by hand."""

import numpy as np
import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.estimate.inversion_arrays import Reference


def reference(seed, reach):
    random = np.random.default_rng(seed)
    n, estimate = int(random.integers(15, 300)), float(random.normal() * 2)
    first, slope = random.normal(size=n), random.uniform(-reach, reach, n)
    first[0], slope[0] = estimate, 1.0
    if seed % 2:
        first[1], slope[1] = -estimate, -1.0
    return Reference.unscaled(estimate, float(first.std()), first, slope)


@pytest.mark.parametrize("reach", [0.9, 1.3])
@pytest.mark.parametrize("seed", range(12))
def test_exact_ends_are_those_of_the_search(seed, reach):
    found = reference(seed, reach)
    for sign in (-1.0, 1.0):
        for size in (0.05, 0.2):
            exact, searched = found._exact_end(sign, size), found._end(sign, size)
            assert (exact is None) == (searched is None)
            if exact is not None:
                assert exact == pytest.approx(searched, rel=1e-7, abs=1e-7)


def test_an_interval_by_hand():
    # T = 2 against the actual draw and 19 others that hold no effect (slope 0): 1, 2, …, 19. At b a draw counts where
    # |f| ≥ |2 − b|, as the actual one always does. More than 5% of 20 count while two do: |2 − b| ≤ 19.
    found = Reference.unscaled(2.0, 1.0, np.r_[2.0, np.arange(1.0, 20)], np.r_[1.0, np.zeros(19)])
    interval = found.interval(0.95)
    assert isinstance(interval, Interval)
    assert (interval.lower, interval.upper) == pytest.approx((-17, 21), rel=1e-8)
    assert found.p_value() == pytest.approx(19 / 20)  # all but the draw of 1


def test_a_test_that_cannot_reject_has_no_end():
    found = Reference.unscaled(2.0, 1.0, np.r_[2.0, np.arange(1.0, 11)], np.r_[1.0, np.zeros(10)])
    assert isinstance(found.interval(0.95), Unavailable)
