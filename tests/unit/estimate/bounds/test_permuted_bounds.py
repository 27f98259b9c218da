"""Bounds by permutation on a few areas by hand, and what must not move them."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import evalkit
from evalkit.core.errors import InputError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.estimate.bounds.permuted_bounds import Years, bounds_of
from evalkit.estimate.bounds.permuted_bounds_arrays import Placed, biases, hull, p_values, step_weights

# The treated: T° = 3, step 1. Three others: (1, 0), (−2, 1), (4, 2).
BY_HAND = Placed(np.array([3.0, 1.0]), np.array([[1.0, 0.0], [-2.0, 1.0], [4.0, 2.0]]), np.ones(3))


def test_ranks_by_hand():
    # c = 0: |3| against 1, 2, 4: itself and 4, 2/4. c = 1: W = 2 against 1, −3, 2: itself, −3 and 2, 3/4.
    # c = −1: W = 4 against 1, −1, 6: itself and 6, 2/4. c = 3: W = 0: all four.
    assert p_values(BY_HAND, np.array([0.0, 1.0, -1.0, 3.0]))[0] == pytest.approx([0.5, 0.75, 0.5, 1.0])


def test_weights_of_sets_by_hand():
    # Areas one (two sets, half each) and two (one set): c = 0: sizes 1, 2, 4 with weights ½, ½, 1; as large as 3: 1.
    # p = (1 + 1)/3. c = 1: 1, 3, 2 against 2: ½ + 1, (1 + 1.5)/3.
    sets = BY_HAND._replace(weights=np.array([0.5, 0.5, 1.0]))
    assert p_values(sets, np.array([0.0, 1.0]))[0] == pytest.approx([2 / 3, 2.5 / 3])


def test_the_hull_by_hand():
    # alpha = .5 of four: a distance d is rejected where 1 + #{|W_j| ≥ d} ≤ 2. c = 0: sizes 4, 2, 1: at d = 2 three
    # with oneself, so 2 is kept and what is larger not: 3 ± 2. c = 1: W = 2, sizes 1, 3, 2: again 2: 0 to 4. c = −1:
    # W = 4, sizes 1, 1, 6: 1: 3 to 5.
    assert hull(BY_HAND, np.array([0.0]), 0.5) == pytest.approx((1.0, 5.0))
    assert hull(BY_HAND, np.array([0.0, 1.0, -1.0]), 0.5) == pytest.approx((0.0, 5.0))
    assert hull(BY_HAND, np.array([0.0]), 0.2) == (-np.inf, np.inf)  # no rank among four is below one in four


def test_years_by_hand():
    # Before 2014, 2016, 2017; after 2019 and 2021. T° = (y19 + y21)/2 − y17; steps (y16 − y14)/2 and y17 − y16; b is
    # 2017, and the years after lie 2 and 4 later: m = 3.
    made = step_weights((2014, 2016, 2017, 2019, 2021), (2014, 2016, 2017), (2019, 2021))
    assert made.ahead == 3.0
    assert (np.array([1.0, 2.0, 5.0, 4.0, 8.0]) @ made.weights) == pytest.approx([1.0, 0.5, 3.0])
    assert len(biases(3.0, 0.0)) == 1
    grid = biases(3.0, 2.0)
    assert (len(grid), grid[0], grid[20], grid[-1]) == (41, -6.0, 0.0, 6.0)


def england(n=60, effect=6.0, step=0.1):
    draw = np.random.default_rng(4)
    gaps = pd.DataFrame(draw.normal(size=(n, 4)) * 0.4, index=[f"area {i}" for i in range(n)])
    gaps.columns = [2015, 2016, 2017, 2019]
    gaps.loc["area 0"] = [0.0, 0.0, step, step + effect]
    return gaps


def found_of(gaps, **more):
    return evalkit.permuted_bounds(gaps, "area 0", (2015, 2016, 2017), (2019,), **more)


def test_a_large_effect_after_a_quiet_time_bears_much():
    found = found_of(england())
    assert found.estimate == pytest.approx(6.0)
    assert [round(one.step, 6) for one in found.steps] == [0.0, 0.1]
    assert found.ahead == 2.0
    assert found.is_in_tail
    assert found.p_at_zero == pytest.approx(1 / 60)
    assert found.breakdown > 1
    # M* is the largest M of the grid up to which p(M) is within the level, and the next one is beyond it.
    placed = Placed(
        np.array([6.0, 0.0, 0.1]),
        england().drop("area 0").to_numpy()
        @ step_weights((2015, 2016, 2017, 2019), (2015, 2016, 2017), (2019,)).weights,
        np.ones(59),
    )
    assert p_values(placed, biases(2.0, found.breakdown)).max() <= 0.05
    assert p_values(placed, biases(2.0, found.breakdown + 0.05)).max() > 0.05


def test_no_effect_breaks_down_at_zero():
    found = found_of(england(effect=0.0))
    assert found.breakdown == 0.0
    assert not found.is_in_tail
    assert 0.0 in found.rows[0].interval


def test_what_a_smaller_violation_allows_a_larger_one_allows():
    rows = found_of(england(effect=1.0)).rows
    assert [row.m for row in rows] == sorted(row.m for row in rows)
    for smaller, larger in pairwise(rows):
        assert smaller.p_value <= larger.p_value
        assert larger.interval.lower <= smaller.interval.lower
        assert smaller.interval.upper <= larger.interval.upper
    assert isinstance(rows[0].interval, Interval)


def test_rows_years_and_scale_move_nothing_but_the_scale():
    gaps = england(effect=1.5)
    kept = gaps.copy()
    found = found_of(gaps)
    pd.testing.assert_frame_equal(gaps, kept)
    shuffled = found_of(gaps.sample(frac=1, random_state=1))
    assert shuffled == found
    named = gaps.rename(index={f"area {i}": f"area {i * 7 % 61}" for i in range(1, 60)})
    assert found_of(named) == found
    moved = gaps.set_axis([2005, 2006, 2007, 2009], axis=1)
    later = evalkit.permuted_bounds(moved, "area 0", (2005, 2006, 2007), (2009,))
    assert (later.rows, later.breakdown) == (found.rows, found.breakdown)
    scaled = found_of(gaps * 4.0)
    assert scaled.breakdown == found.breakdown
    assert scaled.rows[3].interval.upper == pytest.approx(4 * found.rows[3].interval.upper)
    mirrored = found_of(-gaps)
    assert mirrored.breakdown == found.breakdown
    assert mirrored.rows[3].interval.lower == pytest.approx(-found.rows[3].interval.upper)


def test_where_there_is_no_bound():
    one_year = evalkit.permuted_bounds(england(), "area 0", (2017,), (2019,))
    assert isinstance(one_year, Unavailable)
    assert "Only one year" in one_year.reason
    assert "19 areas" in found_of(england(n=19)).reason
    without = england()
    without.loc["area 0", 2016] = np.nan
    assert "lacks" in found_of(without).reason
    with pytest.raises(InputError, match="the year 2014"):
        evalkit.permuted_bounds(england(), "area 0", (2014, 2017), (2019,))
    with pytest.raises(InputError, match="one row of area 99"):
        evalkit.permuted_bounds(england(), "area 99", (2016, 2017), (2019,))
    with pytest.raises(InputError, match="years after all of those"):
        evalkit.permuted_bounds(england(), "area 0", (2016, 2019), (2017,))


def test_an_area_that_lacks_a_year_takes_no_part():
    gaps = england()
    gaps.loc["area 5", 2016] = np.nan
    assert found_of(gaps).n_areas == 59


def test_few_areas_of_sets_give_a_rank_and_no_set():
    draw = np.random.default_rng(1)
    placed = Placed(np.array([3.0, 0.1]), draw.normal(size=(500, 2)), np.full(500, 29 / 500))
    years = Years(before=(2016, 2017), after=(2019,))
    found = bounds_of(placed, years, n_areas=30, no_interval="Fewer than 40 areas could hold such a set.")
    assert found.rows[0].interval == Unavailable("Fewer than 40 areas could hold such a set.")
    assert found.n_areas == 30
    assert found.p_at_zero < 0.05
