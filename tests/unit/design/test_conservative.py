"""A test by rank, or with few degrees of freedom, says that it rejects too seldom, and how wide its interval is."""

from types import SimpleNamespace

import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.design.clusters import conservative_rows, conservative_sentence, is_conservative, rank_size

NARROW = Interval(-0.25, 1.75, 0.95)


@pytest.mark.parametrize(
    ("n", "size"), [(149, 7 / 149), (109, 5 / 109), (40, 2 / 40), (39, 1 / 39), (22, 1 / 22), (19, 0)]
)
def test_the_size_of_a_rank_test_is_that_of_the_formula(n, size):
    assert rank_size(n, 0.95) == pytest.approx(size)


@pytest.mark.parametrize(
    ("n", "is_so"), [(149, False), (40, False), (39, True), (34, True), (33, False), (20, False), (19, True)]
)
def test_under_three_per_cent_a_rank_is_conservative(n, is_so):
    assert is_conservative(0.95, n_ranked=n) is is_so


@pytest.mark.parametrize(("df", "is_so"), [(2.2, True), (2.99, True), (3.0, False), (None, False)])
def test_three_equal_clusters_are_conservative(df, is_so):
    assert is_conservative(0.95, df) is is_so


def test_the_sentence_gives_the_half_length():
    said = conservative_sentence(NARROW, 0.95, n_ranked=36)
    assert "conservative" in said
    assert "36 results to rank" in said
    assert said.endswith("The half-length of its 95% interval is 1.00.")
    assert "fewer than 3% of cases" in said
    assert conservative_sentence(NARROW, 0.95, n_ranked=149) == ""
    assert conservative_sentence(Unavailable("No end."), 0.95, n_ranked=12) == ""


def test_rows_are_counted_with_their_half_lengths():
    rows = [
        SimpleNamespace(interval=NARROW, df=2.2, n_ranked=None),
        SimpleNamespace(interval=Interval(0.0, 1.0, 0.95), df=2.4, n_ranked=None),
        SimpleNamespace(interval=NARROW, df=9.0, n_ranked=None),
        SimpleNamespace(interval=Unavailable("None."), df=2.2, n_ranked=None),
    ]
    assert conservative_rows(rows).startswith("2 of 3 intervals are conservative (half-lengths 0.50 to 1.00)")
    assert conservative_rows(rows[2:]) == ""
