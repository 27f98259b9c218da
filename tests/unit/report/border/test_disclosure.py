"""Small counts of pupils do not leave, nor what would give them away."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.core.errors import EvalkitError
from evalkit.core.quantities import Unavailable
from evalkit.report.border.disclosure import ReleasedTable, release, release_record
from evalkit.report.border.table import Column, Table


def table(rows: tuple[tuple[int, ...], ...], *, total_row: bool = False, total_column: bool = True) -> Table:
    n = len(rows[0])
    columns = [Column("name", "Name"), *(Column(f"n{i}", f"n{i}", "pupil_count") for i in range(n))]
    if total_column:
        columns[-1] = Column(f"n{n - 1}", "All", "pupil_count", is_total=True)
    cells = tuple((f"row {i}", *row) for i, row in enumerate(rows))
    return Table(caption="Pupils", columns=tuple(columns), rows=cells, has_total_row=total_row)


def hidden(released: ReleasedTable) -> list[list[bool]]:
    return [[isinstance(cell, Unavailable) for cell in row[1:]] for row in released.table.rows]


def test_a_count_under_the_threshold_is_suppressed_and_the_threshold_itself_is_not() -> None:
    assert hidden(release(table(((5, 6, 40),), total_column=False), 6)) == [[True, False, False]]


def test_the_smallest_other_part_is_suppressed_where_the_total_would_tell() -> None:
    # 5 = 45 - 30 - 10 would be told; hiding 10 leaves 15 = 5 + 10 known, which is not small.
    assert hidden(release(table(((5, 10, 30, 45),)), 6)) == [[True, True, False, False]]


def test_two_small_counts_with_a_small_sum_need_a_third() -> None:
    # 1 + 2 = 33 - 30 = 3 pupils would be known together.
    assert hidden(release(table(((1, 2, 30, 33),)), 6)) == [[True, True, True, False]]


def test_a_total_row_and_a_total_column_are_both_guarded() -> None:
    rows = ((5, 10, 15), (20, 30, 50), (40, 60, 100), (65, 100, 165))
    shown = hidden(release(table(rows, total_row=True), 6))
    assert shown[0][0]
    for line in (*shown, *zip(*shown, strict=True)):
        assert sum(line) != 1


def test_counts_of_schools_are_exempt() -> None:
    columns = (Column("arm", "Arm"), Column("n", "Schools", "school_count"))
    released = release(Table(caption="Schools", columns=columns, rows=(("treated", 1),)), 6)
    assert released.table.rows == (("treated", 1),)


def test_a_percentage_goes_with_its_count() -> None:
    columns = (Column("a", "A"), Column("n", "n", "pupil_count"), Column("p", "%", "percentage", derived_from="n"))
    row = release(Table(caption="Pupils", columns=columns, rows=(("x", 3, 10.0),)), 6).table.rows[0]
    assert isinstance(row[2], Unavailable)


def test_a_released_table_cannot_be_made_around_the_check() -> None:
    with pytest.raises(EvalkitError, match="Pass it through `release`"):
        ReleasedTable(table(((5, 10, 15),)), 6)
    by_hand = table(((5, 10, 15),))
    told = Unavailable("Suppressed (a count of fewer than 6 pupils, or one that would reveal it).")
    rows = ((by_hand.rows[0][0], told, 10, 15),)
    with pytest.raises(EvalkitError, match="worked out"):
        ReleasedTable(Table(caption="Pupils", columns=by_hand.columns, rows=rows), 6)


def test_an_unreleased_table_cannot_show_itself() -> None:
    assert not hasattr(table(((5, 10, 15),)), "_repr_html_")


def test_records_are_released_at_any_depth() -> None:
    record = release_record({"flow": [{"n_pupils": 20, "n_pupils_girls": 3, "n_pupils_boys": 17, "n": 2}]}, 6)
    inner = record["flow"][0]  # type: ignore[index]
    assert inner["n"] == 2
    assert "unavailable" in inner["n_pupils_girls"]
    assert sum("unavailable" in value for value in map(str, inner.values())) >= 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=2, max_size=4))
def test_no_small_count_can_be_solved_for(cells: list[list[int]]) -> None:
    """Property: small counts are hidden, and `ReleasedTable` (which solves the sums exactly) accepts the result."""
    rows = [[*row, sum(row)] for row in cells]
    rows.append([sum(column) for column in zip(*rows, strict=True)])
    released = release(table(tuple(map(tuple, rows)), total_row=True), 6)
    shown = hidden(released)
    small = {(i, j) for i, row in enumerate(rows) for j, n in enumerate(row) if n < 6}
    assert all(shown[i][j] for i, j in small)
    for i, line in enumerate(shown):
        assert not (sum(line) == 1 and (i, line.index(True)) in small)
    for j, line in enumerate(zip(*shown, strict=True)):
        assert not (sum(line) == 1 and (line.index(True), j) in small)


@pytest.mark.parametrize("three", [3, np.int64(3), np.int32(3), 3.0, np.float64(3), Decimal(3)])
def test_a_small_count_of_any_numeric_type_is_suppressed(three: object) -> None:
    released = release(table(((three, 10, 40),), total_column=False), 6)  # type: ignore[arg-type]
    assert hidden(released) == [[True, False, False]]
    record = release_record({"n_pupils_girls": three, "n_pupils_boys": np.float64(40)}, 6)
    assert "unavailable" in str(record["n_pupils_girls"])
    assert record["n_pupils_boys"] == 40
    with pytest.raises(EvalkitError, match="Pass it through `release`"):
        ReleasedTable(table(((three, 10, 40),), total_column=False), 6)  # type: ignore[arg-type]


@pytest.mark.parametrize("odd", [True, np.bool_(True), "3", 2.5, float("nan")])
def test_what_cannot_be_typed_is_refused(odd: object) -> None:
    with pytest.raises(EvalkitError, match="no whole number"):
        release(table(((odd, 10, 40),), total_column=False), 6)  # type: ignore[arg-type]
    with pytest.raises(EvalkitError, match="no whole number"):
        release_record({"n_pupils": odd}, 6)


def test_a_record_of_several_counts_is_withheld_with_a_small_one() -> None:
    assert "unavailable" in str(release_record({"n_pupils_by_year": [np.int64(3), 40]}, 6)["n_pupils_by_year"])
    assert release_record({"n_pupils_by_year": [30, 40]}, 6)["n_pupils_by_year"] == [30, 40]


def test_hidden_parts_that_a_line_tells_do_not_tell_others() -> None:
    # 17 is hidden beside 0 and 0; its row tells it (34 less 17), and then 17 less 17 would tell that both others are 0
    rows = ((17, 17, 34), (22, 0, 22), (9, 0, 9), (48, 17, 65))
    shown = hidden(release(table(rows, total_row=True), 6))
    assert not (shown[0][1] and not shown[0][0] and not shown[0][2] and not shown[3][1])
