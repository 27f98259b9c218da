"""What counts as few people, and when one or two of them make up most of a sum."""

import numpy as np
import pytest

from evalkit.core.disclosure import FEWEST_PEOPLE, FEWEST_PUBLISHED, is_dominated, is_few


@pytest.mark.parametrize(("n", "answer"), [(0, False), (1, True), (FEWEST_PEOPLE - 1, True), (FEWEST_PEOPLE, False)])
def test_some_but_too_few_are_few_and_nobody_is_not(n, answer):
    assert is_few(n) is answer


def test_published_tables_have_a_threshold_of_their_own():
    assert is_few(5, FEWEST_PUBLISHED)
    assert not is_few(6, FEWEST_PUBLISHED)


@pytest.mark.parametrize(
    ("amounts", "is_so"),
    [
        ([10, 10, 10, 10], False),
        ([60, 35, 2, 3], True),  # the two largest have 95 of 100
        ([100, 40, 5, 4], True),  # 140 of 149 are more than nine tenths
        ([100, 9, 4, 5], True),  # the second largest knows that the largest is within 9 of 100
        ([100, 9, 6, 5, 20], False),
        ([0, 0, 0], False),
    ],
)
def test_an_amount_that_one_or_two_dominate(amounts, is_so):
    assert is_dominated(amounts := np.array(amounts, dtype=float)) is is_so
    assert is_dominated(-amounts) is is_so


def test_whether_a_sum_is_dominated_leaves_the_parts_as_they_are():
    amounts = np.array([3.0, -1.0, 2.0])
    assert is_dominated(amounts[:1])
    is_dominated(amounts)
    assert amounts.tolist() == [3.0, -1.0, 2.0]
