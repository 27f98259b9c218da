"""Columns fit the page: by hand, and whatever the table holds."""

import pytest
from document_fixture import long_table, small_table, wide_table
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.core.quantities import Unavailable
from evalkit.report.border.table import Column, Table
from evalkit.report.documents.layout import PADDING, SIZES, SMALLEST, breakable, table_layout, text_width, words

UPRIGHT, TURNED = 482.0, 729.0


def test_widths_are_those_of_helvetica():
    # H 722 + i 222 + space 278 + 1 556 = 1778 thousandths of 9 points
    assert text_width("Hi 1", 9) == pytest.approx(1.778 * 9)
    # bold adds 56 to each of 4 letters: 1778 + 224
    assert text_width("Hi 1", 9, is_bold=True) == pytest.approx(2.002 * 9)


def test_lines_break_at_spaces_dashes_and_strokes():
    assert words("well-known 2016–x and/or  −0.5") == ["well-", "known", "2016–", "x", "and/", "or", "−0.5"]


def test_lines_do_not_break_inside_intervals_p_values_and_ranges_of_years():
    assert words("p, two-sided 2016–17") == ["p,", "two-sided", "2016–17"]
    assert words("it is 2 (−2 to 5), p = 0.248") == ["it", "is", "2 (−2 to 5)", ",", "p = 0.248"]


def test_a_small_table_takes_what_it_needs():
    layout = table_layout(small_table(), UPRIGHT, TURNED)
    assert layout.size == SIZES[0]
    assert not layout.is_wide
    assert layout.lines[0] == 1
    # "Statistical neighbours" is the longest name: the column is as wide as that and no wider
    assert layout.widths[0] == pytest.approx(text_width("Statistical neighbours", 9) + PADDING)
    assert sum(layout.widths) < UPRIGHT
    assert layout.is_short


def test_a_long_table_is_not_kept_on_one_page_but_its_rows_are():
    layout = table_layout(long_table(), UPRIGHT, TURNED)
    assert not layout.is_short
    assert all(layout.is_whole(i) for i in range(90))


def test_a_wide_table_turns_the_page_and_a_wider_one_is_squeezed():
    # 16 headers "Measurement": (M 833 + e a u e n 5 × 556 + s 500 + r 333 + e 556 + m 833 + t 278 …) about 62 points
    # in 9 point bold; 16 of them take 1,000 > 729, so the page is turned and the rest is squeezed.
    layout = table_layout(wide_table(9), UPRIGHT, TURNED)
    assert layout.is_wide
    assert sum(layout.widths) <= TURNED + 0.01
    squeezed = table_layout(wide_table(40), UPRIGHT, TURNED)
    assert squeezed.is_wide
    assert squeezed.size == SMALLEST[-1]
    assert sum(squeezed.widths) == pytest.approx(TURNED)


def test_a_row_taller_than_a_page_may_break():
    table = Table(
        caption="Tall", columns=(Column("a", "A"), Column("b", "B")), rows=(("x", "word " * 3000), ("y", "z"))
    )
    layout = table_layout(table, UPRIGHT, TURNED)
    assert not layout.is_whole(0)
    assert layout.is_whole(1)


def test_the_widest_columns_pay_for_what_does_not_fit():
    # 3 columns of one word each, of 10, 100 and 1000 times "x" (4.5 points in 9 point type): on a line too short for
    # the widest, the first keeps its own width.
    rows = (("x" * 10, "x" * 30, "x" * 1000),)
    table = Table(caption="Long", columns=tuple(Column(c, c) for c in "abc"), rows=rows)
    layout = table_layout(table, UPRIGHT, TURNED)
    assert layout.is_wide
    assert layout.widths[0] == pytest.approx(10 * 0.5 * layout.size + PADDING)
    assert layout.widths[1] == pytest.approx(30 * 0.5 * layout.size + PADDING)
    assert sum(layout.widths) == pytest.approx(TURNED)


def test_only_words_wider_than_their_column_may_be_broken():
    assert breakable("xx yyyyyyyy", 20, 9) == "xx " + "\u200b".join("y" * 8)
    # at 9 points "www.gov." is 41 points wide and "uk/ab" 22: an address ends a line after its signs alone
    assert breakable("www.gov.uk/ab", 45, 9) == "www.\u200bgov.\u200buk/\u200bab"
    assert breakable("xx yy", 20, 9) == "xx yy"


def test_a_table_without_rows_has_a_layout():
    empty = Table(caption="Empty", columns=(Column("a", "A"),), rows=())
    assert table_layout(empty, UPRIGHT, TURNED).lines == ()


cells = st.one_of(st.text(max_size=80), st.just(Unavailable("No number can be given for a reason that is long.")))


@settings(deadline=None)
@given(st.integers(1, 12).flatmap(lambda n: st.lists(st.tuples(*[cells] * n), max_size=6)), st.floats(200, 700))
def test_every_table_fits_its_page(rows, upright):
    n = len(rows[0]) if rows else 3
    columns = tuple(Column(f"c{i}", f"Header {i}") for i in range(n))
    layout = table_layout(Table(caption="Any", columns=columns, rows=tuple(rows)), upright, upright + 200)
    assert len(layout.widths) == n
    assert all(width > 0 for width in layout.widths)
    assert sum(layout.widths) <= upright + 200 * layout.is_wide + 0.1
