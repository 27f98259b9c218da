"""Where nothing was done, the median of a curve is rejected as often as its level says, and no more."""

import numpy as np
import pytest

from evalkit.diagnose.curve.joint_test_arrays import joint_test

ALPHA = 0.05
J = 149


def share_rejected(n_draws, n_specifications=24, seed=5):
    """Return how often the joint test rejects, and how often any specification by its own rank does.

    Specifications share a common shock of the area (as those of one data set do) and have errors of their own.
    """
    rng = np.random.default_rng(seed)
    joint, any_one = 0, 0
    for _ in range(n_draws):
        effects = rng.normal(size=(J, 1)) + 0.7 * rng.normal(size=(J, n_specifications)) * np.linspace(0.5, 2, 24)
        z = effects / effects.std(axis=0)
        joint += joint_test(z[0], z[1:], np.ones(J - 1)).p_value <= ALPHA
        any_one += bool(((np.abs(z) >= np.abs(z[0])).mean(axis=0) <= ALPHA).any())
    return joint / n_draws, any_one / n_draws


def error(n_draws):
    """Return three Monte Carlo errors of a share of 5%."""
    return 3 * np.sqrt(ALPHA * (1 - ALPHA) / n_draws)


def test_the_joint_test_keeps_its_level_and_the_best_looking_choice_does_not():
    joint, any_one = share_rejected(600)
    # ⌊.05 · 149⌋ / 149 = 4.7% is the size of a rank among 149 areas
    assert abs(joint - 7 / J) <= error(600)
    assert any_one > 0.2


@pytest.mark.slow
def test_it_keeps_its_level_closely():
    joint, _ = share_rejected(10_000, seed=11)
    assert abs(joint - 7 / J) <= error(10_000)
