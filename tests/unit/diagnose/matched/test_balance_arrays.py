"""Weighted means and variances, by hand."""

import math

import numpy as np
import pytest

from evalkit.diagnose.matched.balance_arrays import weighted_mean, weighted_variance


def test_weighted_mean_by_hand():
    # (1·2 + 3·4) / (1 + 3) = 14 / 4
    assert weighted_mean(np.array([2.0, 4.0]), np.array([1.0, 3.0])) == pytest.approx(3.5, abs=1e-15)


def test_equal_weights_give_the_sample_variance():
    # Mean of 1, 2, 6 is 3; squares 4 + 1 + 9 = 14; over n − 1 = 2: 7.
    assert weighted_variance(np.array([1.0, 2.0, 6.0]), np.full(3, 5.0)) == pytest.approx(7.0, abs=1e-12)


def test_unequal_weights_by_hand():
    # Shares 1/4 and 3/4, mean 3.5: Σwx² = 2.25/4 + 0.25·3/4 = 0.75; 1 − Σw² = 1 − 10/16 = 3/8; 0.75 / 0.375 = 2.
    assert weighted_variance(np.array([2.0, 4.0]), np.array([1.0, 3.0])) == pytest.approx(2.0, abs=1e-12)


def test_one_unit_has_no_variance():
    assert math.isnan(weighted_variance(np.array([2.0]), np.array([1.0])))
