"""Step-down p-values by hand, and what they keep whatever the numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evalkit.estimate.step_down_arrays import step_down

OBSERVED = np.array([2.0, -3.0, 1.0])
DRAWS = np.array([
    [0.5, 1.0, -1.5],
    [-2.5, 0.2, 0.3],
    [1.0, 3.5, 0.1],
    [0.9, -0.8, 0.7],
])  # fmt: skip


def test_three_statistics_by_hand():
    # In order of size: 3 (the second), 2 (the first), 1 (the third).
    # Largest of all three in each draw: 1.5, 2.5, 3.5, 0.9: one is 3 or more, (1 + 1)/5 = .4.
    # Largest of the first and third: 1.5, 2.5, 1.0, 0.9: one is 2 or more, .4; raised to .4 it stays.
    # The third alone: 1.5, 0.3, 0.1, 0.7: one is 1 or more, .4.
    assert step_down(OBSERVED, DRAWS) == pytest.approx([0.4, 0.4, 0.4])
    # With the third at 0.2: 1.5, 0.3, 0.1, 0.7: three are as large, (1 + 3)/5 = .8.
    assert step_down(np.array([2.0, -3.0, 0.2]), DRAWS) == pytest.approx([0.4, 0.4, 0.8])


def test_a_later_p_value_is_raised_to_the_one_before():
    # 3 first: draws' largest 4 and 1: (1 + 1)/3. Then 2.9 alone: 1 and 1, (1 + 0)/3, raised to 2/3.
    assert step_down(np.array([3.0, 2.9]), np.array([[4.0, 1.0], [1.0, 1.0]])) == pytest.approx([2 / 3, 2 / 3])


def test_weights_count_draws_as_areas_count_their_sets():
    # Two areas with two and one sets: weights ½, ½, 1, J = 3. Sets as large as 2: one of the first area, ½.
    sets = np.array([[2.5], [1.0], [0.5]])
    assert step_down(np.array([2.0]), sets, np.array([0.5, 0.5, 1.0])) == pytest.approx([1.5 / 3])


def test_a_draw_that_equals_the_statistic_counts():
    assert step_down(np.array([2.0]), np.array([[-2.0], [1.0]])) == pytest.approx([2 / 3])


@settings(max_examples=60, deadline=None)
@given(arrays(float, 4, elements=st.floats(-5, 5)), arrays(float, (9, 4), elements=st.floats(-5, 5)))
def test_never_below_the_single_p_nor_above_the_single_step_whatever_the_order(observed, draws):
    adjusted = step_down(observed, draws)
    single = (1 + (np.abs(draws) >= np.abs(observed) - 1e-12).sum(axis=0)) / 10
    largest = np.abs(draws).max(axis=1)
    step = (1 + (largest[:, None] >= np.abs(observed) - 1e-12).sum(axis=0)) / 10
    assert (adjusted >= single - 1e-9).all()
    assert (adjusted <= step.max() + 1e-9).all()
    order = [2, 0, 3, 1]
    if len(set(np.abs(observed))) == 4:
        assert step_down(observed[order], draws[:, order]) == pytest.approx(adjusted[order])
