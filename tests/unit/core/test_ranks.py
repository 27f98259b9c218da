"""Mean ranks are those of scipy to the last bit."""

import numpy as np
import pytest
from scipy.stats import rankdata

from evalkit.core.scipy_parts import mean_ranks


def test_equal_values_share_the_mean_of_their_ranks():
    # 1, 1 have ranks 1 and 2; 4, 4, 4 have ranks 4 to 6
    assert mean_ranks(np.array([4.0, 1.0, 4.0, 3.0, 1.0, 4.0])).tolist() == [5.0, 1.5, 5.0, 3.0, 1.5, 5.0]


@pytest.mark.parametrize("seed", range(5))
def test_ranks_are_those_of_scipy(seed):
    random = np.random.default_rng(seed)
    for values in (random.integers(0, 40, 300).astype(float), random.normal(size=301), np.array([]), np.zeros(4)):
        assert np.array_equal(mean_ranks(values), rankdata(values))


def test_a_missing_value_has_no_rank():
    with pytest.raises(ValueError, match="missing"):
        mean_ranks(np.array([1.0, np.nan]))
