"""Numbers as readers see them."""

import pytest

from evalkit.core.formats import (
    interval_text,
    lower_first,
    mean_of,
    number,
    p_equals,
    p_text,
    pounds,
    span_text,
    visible,
    years_text,
)
from evalkit.core.quantities import Interval


@pytest.mark.parametrize(
    ("value", "shown"),
    # 0.125 and 2.675 are halves on the page: half away from zero gives 0.13 and 2.68, half to even would give 0.12.
    [(0.125, "0.13"), (2.675, "2.68"), (-0.125, "−0.13"), (-0.001, "0.00"), (1234.5, "1,234.50"), (0.0, "0.00")],
)
def test_numbers_round_half_away_from_zero_with_a_true_minus(value: float, shown: str) -> None:
    assert number(value) == shown


def test_an_end_that_is_not_zero_is_not_shown_as_zero() -> None:
    assert visible(-0.004) == "−0.004"
    assert interval_text(Interval(0.0004, 1.86)) == "0.0004 to 1.86"
    assert interval_text(Interval(-0.02, 1.0)) == "−0.02 to 1.00"


def test_p_values_have_three_decimals_and_a_floor() -> None:
    assert p_text(7 / 149) == "0.047"
    assert p_equals(0.2) == "p = 0.200"
    assert p_equals(0.00049) == "p < 0.001"
    assert p_text(0.0005) == "0.001"


def test_years_and_pounds() -> None:
    assert years_text((2016, 2017)) == "2016 and 2017"
    assert years_text((2016, 2017, 2018)) == "2016 to 2018"
    assert mean_of((2016, 2017)) == "the 2016 and 2017 average"
    assert mean_of((2019,)) == span_text((2019,)) == "2019"
    assert span_text((2017, 2016)) == "2016 to 2017"
    assert years_text((2019,)) == "2019"
    assert years_text((2016, 2018)) == "2016, 2018"
    assert pounds(744103 / 29) == "£25,659"


def test_names_in_capitals_keep_them() -> None:
    assert lower_first("Reading progress") == "reading progress"
    assert lower_first("GCSE points") == "GCSE points"
    assert lower_first("Progress 8") == "Progress 8"
    assert lower_first("Attainment 8 less progress") == "Attainment 8 less progress"
    assert lower_first("Only 8 areas") == "only 8 areas"
