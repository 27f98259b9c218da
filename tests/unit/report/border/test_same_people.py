"""Counts of one size, and of nearly one size, are of the same people unless it is known that they are not."""

import pytest

from evalkit.report.border.same_people import Counted, arm_named, too_near


def at(table, arm="", is_part=False):
    return Counted(table, arm, is_part)


@pytest.mark.parametrize(
    ("names", "arm"),
    [
        (("n_treated", "reading"), "treated"),
        (("n_comparison",), "compared"),
        (("n", "Treated schools"), "treated"),
        (("n_treated", "Comparison"), ""),
        (("n_untreated",), ""),
    ],
)
def test_an_arm_is_told_by_the_words_of_a_row_and_a_column(names, arm):
    assert arm_named(*names) == arm


def test_of_two_sizes_that_differ_by_few_the_one_told_in_more_places_stays():
    sizes = {1618: [at("flow")], 1615: [at("effects"), at("outcomes")], 1500: [at("effects")]}
    assert too_near(sizes, (), 10) == {1618}
    assert too_near(sizes, (1618,), 10) == {1615}
    assert not too_near(sizes, (), 3)


def test_arms_and_parts_of_different_wholes_and_counts_of_one_table_are_told_beside_each_other():
    assert not too_near({200: [at("a", "treated")], 203: [at("b", "compared")]}, (), 10)
    assert too_near({200: [at("a", "treated")], 203: [at("b")]}, (), 10) == {200}
    assert not too_near({20: [at("a", is_part=True)], 22: [at("b", is_part=True)]}, (), 10)
    assert not too_near({20: [at("a")], 22: [at("a")]}, (), 10)


def test_small_sizes_are_left_to_the_limit_itself():
    assert not too_near({3: [at("a")], 11: [at("b")]}, (), 10)
