"""What counts as few people."""

import pytest

from evalkit.core.disclosure import FEWEST_PEOPLE, FEWEST_PUBLISHED, is_few


@pytest.mark.parametrize(("n", "answer"), [(0, False), (1, True), (FEWEST_PEOPLE - 1, True), (FEWEST_PEOPLE, False)])
def test_some_but_too_few_are_few_and_nobody_is_not(n, answer):
    assert is_few(n) is answer


def test_published_tables_have_a_threshold_of_their_own():
    assert is_few(5, FEWEST_PUBLISHED)
    assert not is_few(6, FEWEST_PUBLISHED)
