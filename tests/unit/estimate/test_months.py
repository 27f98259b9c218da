"""Months of progress at every boundary of both tables."""

import numpy as np
import pytest

from evalkit.estimate.effect_sizes import months_of_progress

LOWER = {1: 0.02, 2: 0.10, 3: 0.19, 4: 0.27, 5: 0.36, 6: 0.45, 7: 0.53, 8: 0.62, 9: 0.70, 10: 0.79, 11: 0.88, 12: 0.96}


@pytest.mark.parametrize(("months", "bound"), LOWER.items())
def test_each_month_of_the_toolkit_table_begins_at_its_bound(months, bound):
    assert months_of_progress(bound) == months
    assert months_of_progress(bound - 0.01) == months - 1
    assert months_of_progress(-bound) == -months
    assert months_of_progress(-(bound - 0.01)) == -(months - 1)


@pytest.mark.parametrize(("months", "bound"), (LOWER | {1: 0.05}).items())
def test_the_trial_table_differs_in_its_first_month_only(months, bound):
    assert months_of_progress(bound, "trial") == months
    assert months_of_progress(bound - 0.01, "trial") == months - 1


@pytest.mark.parametrize(
    ("size", "months"),
    [
        (0.015, 1),
        (0.0149999, 0),
        (0.095, 2),
        (0.0949, 1),
        (0.185, 3),
        (0.955, 12),
        (0.9549, 11),
        (-0.015, -1),
        (-0.0149, 0),
    ],
)
def test_sizes_are_rounded_half_up_to_two_places_first(size, months):
    # 0.185 is 0.18499… in binary; it is rounded as it is written, to 0.19.
    assert months_of_progress(size) == months


def test_nothing_and_more_than_the_table_holds():
    assert months_of_progress(0.0) == months_of_progress(-0.0) == 0
    assert months_of_progress(1.0) == months_of_progress(2.5) == 12
    assert months_of_progress(-3.0) == -12


def test_a_number_from_an_array_is_a_number():
    assert months_of_progress(np.float64(0.1)) == 2


def test_months_never_fall_as_the_effect_grows():
    months = [months_of_progress(size) for size in np.linspace(-1.2, 1.2, 481)]
    assert months == sorted(months)
