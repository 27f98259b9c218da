"""Anderson–Rubin sets of every shape, against the test that they invert."""

import math

import numpy as np
import pytest

from evalkit.estimate.dose.take_up_arrays import AndersonRubinSet, placed_p, placed_set, quadratic_set


def test_without_take_up_outside_the_set_is_the_interval_over_the_share():
    # T = 2 with sets at 1, 1.5, … 3.4: at 95% of 40 the reach is that of the second largest, 1 + 1 of 40 being 5%
    sizes = np.linspace(0.1, 3.9, 39)
    found = placed_set((2.0, 0.5), (sizes, np.zeros(39)), np.ones(39), 0.95)
    # counts at distance x: 1 + number of sizes ≥ x > 2 needs 2 sizes ≥ x, so x ≤ the second largest, 3.8
    assert found.shape == "interval"
    np.testing.assert_allclose(found.parts[0], ((2 - 3.8) / 0.5, (2 + 3.8) / 0.5), atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("share", "spread"), [(0.9, 0.1), (0.3, 0.3), (0.05, 0.4)])
def test_the_set_is_what_the_test_does_not_reject(seed, share, spread):
    rng = np.random.default_rng(seed)
    others = rng.normal(size=60), spread * rng.normal(size=60)
    weights = rng.uniform(0.5, 1.5, size=60)
    own = (1.5, share)
    found = placed_set(own, others, weights, 0.9)
    for value in np.concatenate([np.linspace(-40, 40, 801), 1e6 * np.array([-1, 1])]):
        ends = [end for part in found.parts for end in part if math.isfinite(end)]
        if min((abs(value - end) for end in ends), default=1.0) < 1e-6:
            continue
        assert (placed_p(float(value), own, others, weights) > 0.1) == (value in found), value


def test_the_shapes_of_a_quadratic_set():
    # (g − τπ)² ≤ c V: with V = (1, 0, 0) an interval about g/π = 2 of half-width √4/1 = 2
    assert quadratic_set((2.0, 1.0), (1.0, 0.0, 0.0), 4.0, 0.95).parts == ((0.0, 4.0),)
    # π² < c V_ππ: with g = 3, π = 1, V = (1, 0, 1), c = 4: −3τ² − 6τ + 5 ≤ 0 outside −1 ± √(8/3)
    rays = quadratic_set((3.0, 1.0), (1.0, 0.0, 1.0), 4.0, 0.95)
    assert rays.shape == "two rays"
    assert rays.parts[0] == (-math.inf, pytest.approx(-1 - math.sqrt(8 / 3)))
    assert rays.parts[1] == (pytest.approx(-1 + math.sqrt(8 / 3)), math.inf)
    assert 0.0 not in rays
    assert 5.0 in rays
    assert quadratic_set((0.5, 0.1), (1.0, 0.0, 1.0), 4.0, 0.95).shape == "whole line"
    assert AndersonRubinSet((), 0.95).shape == "empty"
    assert AndersonRubinSet(((0.0, 1.0), (2.0, 3.0)), 0.95).shape == "pieces"
    assert AndersonRubinSet(((0.0, math.inf),), 0.95).shape == "ray"
    assert quadratic_set((2.0, 2.0), (1.0, 0.0, 1.0), 4.0, 0.95).shape == "ray"  # 0τ² − 8τ + 0 ≤ 0
