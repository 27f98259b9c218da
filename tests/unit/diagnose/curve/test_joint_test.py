"""The joint test of a specification curve, by hand."""

import numpy as np
import pytest

from evalkit.diagnose.curve.joint_test_arrays import contribution, first_alike, joint_test, own_ranks

# Three specifications of the treated and of four areas.
OBSERVED = np.array([1.0, 2.0, 3.0])
OTHERS = np.array(
    [
        [0.5, -0.5, 0.2],  # median 0.2
        [-2.5, -2.0, -1.0],  # median −2.0: as far from zero as the treated's 2.0
        [3.0, 4.0, 2.5],  # median 3.0
        [0.0, 5.0, 0.1],  # median 0.1, whatever its largest
    ]
)


def test_the_median_of_the_treated_is_placed_among_the_medians():
    # |2.0| is reached by two of four areas: p = (1 + 2) / (1 + 4)
    found = joint_test(OBSERVED, OTHERS, np.ones(4))
    assert found.median == 2.0
    assert found.p_value == pytest.approx(3 / 5)


def test_sets_count_as_much_as_their_area():
    # two sets of one area weigh a half each: the second area's set reaches it, and one of the first area's two
    weights = np.array([0.5, 0.5, 1.0, 1.0])
    # medians 0.2, 2.0, 3.0, 0.1: weights reached .5 + 1; p = (1 + 1.5) / (1 + 3)
    assert joint_test(OBSERVED, OTHERS, weights).p_value == pytest.approx(2.5 / 4)


def test_the_ranks_of_single_specifications():
    # 1.0: reached by 2.5, 3.0 of four; 2.0: by 2.0, 4.0, 5.0; 3.0: by none (2.5 is less)
    assert own_ranks(OBSERVED, OTHERS, np.ones(4)) == pytest.approx([3 / 5, 4 / 5, 1 / 5])


def test_without_others_p_is_one():
    assert joint_test(OBSERVED, np.empty((0, 3)), np.empty(0)) == (2.0, 1.0)


def test_what_an_option_contributes():
    # z 1, 2 with the first option (mean 1.5), 3, 6 with the second (4.5); mean of all 3
    statistic, option = np.array([1.0, 2.0, 3.0, 6.0]), np.array([0, 0, 1, 1])
    found = contribution(statistic, option, 2)
    assert found.moves == pytest.approx([-1.5, 1.5])
    # between: 2·1.5² + 2·1.5² = 9; whole: 4 + 1 + 0 + 9 = 14
    assert found.share == pytest.approx(9 / 14)
    assert found.n.tolist() == [2, 2]


def test_a_choice_that_is_not_of_all_specifications_is_measured_on_its_own():
    found = contribution(np.array([1.0, 3.0, 100.0]), np.array([0, 1, -1]), 3)
    assert found.moves[:2] == pytest.approx([-1.0, 1.0])
    assert np.isnan(found.moves[2])
    assert found.n.tolist() == [1, 1, 0]


def test_columns_that_hold_the_same_are_told_of_the_first():
    columns = np.array([[1.0, 1.0 + 1e-13, 1.1], [2.0, 2.0, 2.0]])
    assert first_alike(columns).tolist() == [0, 0, 2]
