"""A published cell is a number or a reason, and what is neither is refused."""

import math

import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.data.published.codes import CODE_REASONS, LOST, ROW_ENDS, parse_cells


def one(cell, blank=""):
    numbers, reasons = parse_cells(pd.Series([cell], dtype=str), "table.csv, READPROG", blank)
    return numbers[0], reasons[0]


@pytest.mark.parametrize("code", ["SUPP", "NE", "NA", "NP", "NEW", "LOWCOV", "SP", "RE", "", " "])
def test_every_code_stays_a_reason(code):
    number, reason = one(code)
    assert math.isnan(number)
    assert reason == CODE_REASONS[code]


def test_no_two_codes_share_their_words():
    assert len(set(CODE_REASONS.values())) == len(CODE_REASONS) == 10


@pytest.mark.parametrize(
    ("cell", "number"), [("94%", 94.0), ("-2.5", -2.5), ("0", 0.0), ("103", 103.0), ("1.75%", 1.75)]
)
def test_numbers_and_percentages_are_read(cell, number):
    assert one(cell) == (number, "")


def test_a_row_that_ended_early_is_told_from_a_blank_cell():
    assert one(None)[1] == ROW_ENDS
    assert one("")[1] == "blank in source"


def test_a_blank_has_the_reason_of_a_source_that_lost_its_codes_and_other_codes_keep_theirs():
    assert one("", blank=LOST)[1] == "not published (the source does not say why)"
    assert one("LOWCOV", blank=LOST)[1] == CODE_REASONS["LOWCOV"]
    assert one(None, blank=LOST)[1] == ROW_ENDS


@pytest.mark.parametrize("cell", ["n/a", "supp", "1,234", "inf", "nan", "%", "x", "12 pupils", "SUPP "])
def test_text_that_is_neither_is_refused_with_its_place(cell):
    with pytest.raises(DataError, match=r"table\.csv, READPROG") as refused:
        one(cell)
    assert repr(cell) in str(refused.value)


def test_a_reason_stands_exactly_where_there_is_no_number():
    cells = pd.Series(["1", "SUPP", "", "3%", None, " "], dtype=str)
    numbers, reasons = parse_cells(cells, "t")
    assert [math.isnan(n) for n in numbers] == [bool(r) for r in reasons] == [False, True, True, False, True, True]


def test_the_cells_given_are_left_alone():
    cells = pd.Series(["1", "SUPP", None], dtype=str)
    before = cells.copy()
    parse_cells(cells, "t")
    pd.testing.assert_series_equal(cells, before)
