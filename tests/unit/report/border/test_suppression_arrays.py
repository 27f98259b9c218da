"""What an attacker can deduce of hidden cells, and what is hidden beside them, on tables worked out by hand."""

import numpy as np
import pytest

from evalkit.report.border import suppression_arrays
from evalkit.report.border.suppression_arrays import (
    SumsDoNotHold,
    counts,
    deduced,
    suppressed,
    unsafe,
)
from tests.margins import with_margins

HIDDEN = np.nan


def hidden_by(inner, fewest, shown=None):
    """Return which cells are hidden of a table with margins in which counts under `fewest` are."""
    cells, sums = with_margins(np.array(inner))
    values = np.where(cells < fewest, HIDDEN, cells)
    return suppressed(counts(sums, values.ravel()), fewest).hidden.reshape(cells.shape).tolist()


def test_in_a_row_with_its_total_a_hidden_count_is_known_and_two_are_known_in_sum():
    # 3 + 40 = 43, first the 3 hidden, then both: 43 = x + y leaves each anything from 0 to 43.
    alone, both = (counts([[-1, 1, 1]], [43, HIDDEN, second]) for second in (40, HIDDEN))
    assert [ends.tolist() for ends in deduced(alone)] == [[43, 3, 40], [43, 3, 40]]
    assert [ends.tolist() for ends in deduced(both)] == [[43, 0, 0], [43, 43, 43]]
    assert unsafe(alone, 6).tolist() == [False, True, False]
    assert not unsafe(both, 6).any()


def test_two_hidden_counts_whose_known_sum_is_small_are_not_safe():
    assert unsafe(counts([[-1, 1, 1, 1]], [33, HIDDEN, HIDDEN, 30]), 6).tolist() == [False, True, True, False]


def test_a_range_that_reaches_the_limit_but_is_narrower_than_it_is_not_safe():
    # x + y = 40 and y is at least 36: x is 0 to 4; and y, 36 to 40, is known to within fewer than 6.
    system = counts([[-1, 1, 1, 0], [0, 0, -1, 1]], [40, HIDDEN, HIDDEN, 36])
    tight = counts([[-1, 1, 1, 0, 0], [0, 0, -1, 1, 1]], [40, HIDDEN, HIDDEN, 36, HIDDEN])
    assert [ends[2] for ends in deduced(tight)] == [36, 40]
    assert unsafe(tight, 6)[2]
    assert unsafe(system, 6)[1]


def test_of_a_2_by_2_table_all_four_inner_cells_are_hidden_or_a_margin_is():
    # Inside, 3 moves only if all four do; hiding the margins of its row and column instead takes three more cells too.
    assert hidden_by([[3, 40], [50, 60]], 6) in (
        [[True, True, False], [True, True, False], [False, False, False]],
        [[True, True, False], [False, False, False], [True, True, False]],
        [[True, False, True], [True, False, True], [False, False, False]],
        [[True, False, True], [False, False, False], [True, False, True]],
    )


def test_of_a_3_by_3_table_a_circle_of_four_cells_is_hidden_those_of_least_weight():
    # The circles through 3 use one more of its row, one more of its column and where these meet: 20, 10 and 30 weigh
    # 60; 40, 10, 20 weigh 70; 20, 50, 30 and 40, 50, 60 more; every circle over a margin at least 63.
    assert hidden_by([[3, 40, 20], [50, 60, 30], [10, 20, 30]], 6) == [
        [True, False, True, False],
        [False, False, False, False],
        [True, False, True, False],
        [False, False, False, False],
    ]


def test_the_search_one_cell_after_another_hides_no_more_here(monkeypatch):
    exact = hidden_by([[3, 40, 20], [50, 60, 30], [10, 20, 30]], 6)
    monkeypatch.setattr(suppression_arrays, "MOST_EXACT", 0)
    assert hidden_by([[3, 40, 20], [50, 60, 30], [10, 20, 30]], 6) == exact


@pytest.mark.parametrize("most_exact", [16, 0])
def test_a_partner_that_is_too_small_to_hide_behind_is_not_taken_alone(monkeypatch, most_exact):
    # 2 + 7 + 30 = 39: behind 7 the hidden 2 is 0 to 9, and 7 as well: each reaches 6 and is as wide.
    monkeypatch.setattr(suppression_arrays, "MOST_EXACT", most_exact)
    found = suppressed(counts([[-1, 1, 1, 1]], [39, HIDDEN, 7, 30]), 6)
    assert found.hidden.tolist() == [False, True, True, False]
    # at 10 it would be 0 to 9: 30 is hidden in place of 7, or with it
    wide = suppressed(counts([[-1, 1, 1, 1]], [39, HIDDEN, 7, 30]), 10)
    assert wide.hidden.tolist() == [False, True, False, True]


def test_cells_that_no_sum_links_to_a_hidden_one_stay():
    sums = [[-1, 1, 1, 0, 0, 0], [0, 0, 0, -1, 1, 1]]
    assert suppressed(counts(sums, [43, HIDDEN, 40, 70, 30, 40]), 6).hidden.tolist() == [
        False,
        True,
        True,
        *[False] * 3,
    ]


@pytest.mark.parametrize("most_exact", [16, 0])
def test_what_was_told_before_protects_nothing_and_is_reported(monkeypatch, most_exact):
    monkeypatch.setattr(suppression_arrays, "MOST_EXACT", most_exact)
    system = counts([[-1, 1, 1]], [43, HIDDEN, 40])
    system.is_fixed[:] = [True, False, True]
    found = suppressed(system, 6)
    assert found.is_lost.tolist() == [False, True, False]
    assert found.hidden.tolist() == [False, True, False]


def test_sums_that_cannot_hold_are_told():
    with pytest.raises(SumsDoNotHold, match="do not hold"):
        suppressed(counts([[-1, 1, 1]], [30, HIDDEN, 40]), 6)
