"""Pools judged by areas without a programme: by hand, and what must not matter."""

import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from evalkit.core.errors import InputError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.estimate.areas import pooling_arrays as stand_ins
from evalkit.estimate.areas.placebo_pool import ALIKE, AreaTable, entries_of, placebo_pool, strata_of
from evalkit.estimate.areas.random_effects import random_effects


def table(own, estimate=0.5, n=90, seed=3, slope=-0.4, gap=0.0):
    """Return `n` areas without a programme whose effects fall with their gap before, and a project's own."""
    generator = np.random.default_rng(seed)
    levels, gaps = generator.normal(0, 1, n), generator.normal(0, 0.7, n)
    effects = slope * gaps + generator.normal(0, 0.5, n)
    return AreaTable(
        own=own,
        areas=(own, *range(1000, 1000 + n)),
        effects=(estimate, *effects.tolist()),
        gaps=(gap, *gaps.tolist()),
        levels=(float(own % 3 - 1), *levels.tolist()),
        sizes=(20 + 10 * (own % 3), *generator.integers(10, 60, n).tolist()),
    )


def tables(*estimates):
    return [table(own, estimate) for own, estimate in enumerate(estimates, start=1)]


def test_what_the_line_leaves_by_hand():
    # areas without a programme: gaps −1, 0, 1 with effects 3, 1, −1, so the line is 1 − 2 × gap; the project at −2
    # would have 5 by itself: of its 6 there is 1 left
    left = stand_ins.left_of_line(
        np.array([3.0, 1.0, -1.0, 6.0]), np.array([-1.0, 0.0, 1.0, -2.0]), np.array([True, True, True, False])
    )
    assert left.tolist() == pytest.approx([0.0, 0.0, 0.0, 1.0])


def test_where_all_stood_alike_the_mean_is_taken_off():
    left = stand_ins.left_of_line(np.array([1.0, 3.0, 6.0]), np.full(3, 0.1), np.array([True, True, False]))
    assert left.tolist() == [-1.0, 1.0, 4.0]


def test_classes_are_by_rank_and_equal_values_stay_in_order():
    assert stand_ins.rank_classes(np.array([5.0, 1.0, 3.0, 1.0, 9.0, 7.0]), 3).tolist() == [1, 0, 1, 0, 2, 2]


def test_errors_are_those_of_the_size_by_hand():
    # small: √((9 + 16)/2); large: 1; the project's own 7 is not among them
    found = stand_ins.mean_squares(
        np.array([3.0, -4.0, 1.0, 7.0]), np.array([0, 0, 1, 1]), np.array([True, True, True, False])
    )
    assert found.tolist() == [12.5, 12.5, 1.0, 1.0]


def test_the_rank_of_a_deviation_by_hand():
    # of −1, 0.5, 2 and −3 two are as large as 1.5 either way: (1 + 2) / (1 + 4)
    assert stand_ins.rank_p(np.array([-1.0, 0.5, 2.0, -3.0]), 1.5) == 0.6
    assert stand_ins.rank_p(np.array([-1.0, 0.5, 2.0, -3.0]), -2.0) == 0.6  # one as large counts


@pytest.mark.parametrize(("n", "place"), [(19, 1), (39, 2), (9_999, 500)])
def test_the_reach_is_the_largest_deviation_that_is_not_rejected(n, place):
    deviations = np.arange(1, n + 1, dtype=float)
    reach = stand_ins.reach_of(deviations, 0.05)
    assert reach == n + 1 - place
    assert stand_ins.rank_p(deviations, reach) > 0.05
    assert stand_ins.rank_p(deviations, reach + 0.5) <= 0.05


def test_the_factor_by_hand():
    # two projects of equal weight, six areas: a set varies by 1/2 − 1/6, the projects about its mean by 1/2 + 1/6
    assert stand_ins.spread_factor(np.array([0.5, 0.5]), [7, 7], {7: 6}) == pytest.approx(math.sqrt(2))
    # each in a stratum of its own of six: (1/2 + 2/24) / (1/2 − 2/24), and with 1/12 for the line 8/12 to 5/12
    apart = (np.array([0.5, 0.5]), [0, 1], {0: 6, 1: 6})
    assert stand_ins.spread_factor(*apart) == pytest.approx(math.sqrt(7 / 5))
    assert stand_ins.spread_factor(*apart, 1 / 12) == pytest.approx(math.sqrt(8 / 5))


def test_sets_hold_no_area_twice_and_each_comes_from_its_stratum():
    stratum_of = np.array([0, 0, 0, 1, 1, 1, 1, 2])
    wanted = (1, 0, 1)
    sets = stand_ins.drawn_sets(np.random.default_rng(1), stratum_of, wanted, 6_000)
    assert all(len(set(row)) == 3 for row in sets.tolist())
    assert (stratum_of[sets] == np.array(wanted)).all()
    # 4 × 3 ordered pairs of the one and 3 of the other: each set in one draw of 36
    _, number = np.unique(sets, axis=0, return_counts=True)
    assert len(number) == 36
    assert number.min() > 6_000 / 36 - 5 * math.sqrt(6_000 / 36)


def test_strata_are_a_partition_by_tenth_and_third():
    # 360 areas: a tenth of the level has 36, of which twelve lie in each third by schools
    levels = np.arange(360.0)
    sizes = np.tile([1.0, 2.0, 3.0], 120) + np.arange(360) / 1000
    found = strata_of(np.append(levels, [359.5, 0.5, 150.2, 200.2]), np.append(sizes, [1.5, 2.2, 3.2, 1.6]), 360)
    assert found.alike == ALIKE[0][2]
    assert len(found.of_areas) == 360
    counts = np.unique(found.of_areas, return_counts=True)[1]
    assert counts.sum() == 360
    assert len(counts) == 30
    assert found.n_alike == sum(int((found.of_areas == one).sum()) for one in set(found.of_projects))


def test_thin_strata_are_widened_by_the_first_rule_that_is_enough():
    generator = np.random.default_rng(2)
    levels, sizes = generator.normal(size=100), generator.normal(size=100)
    low = np.append(levels, [-5.0, -5.1, -5.2, -5.3, -5.4, -5.5])  # six in the lowest tenth, which has five others
    found = strata_of(low, np.append(sizes, np.zeros(6)), 100)
    assert found.alike == ALIKE[5][2]  # thirds hold thirty others, fewer than forty
    assert found.available == {0: 47}


def test_too_few_areas_for_each_project_are_withheld():
    levels = np.arange(45.0)
    found = strata_of(levels, levels, 39)
    assert "39 areas without a programme can be compared for 6 projects, and 7 for each" in found.reason
    few = strata_of(np.append(np.arange(50.0), [-1.0, -2.0]), np.append(np.arange(50.0), [1.0, 2.0]), 50)
    assert "even by halves" in few.reason


@pytest.mark.parametrize("k", [2, 3, 8])
def test_many_means_are_those_of_one_pool_each(k):
    generator = np.random.default_rng(k)
    variances = generator.uniform(0.05, 0.6, (60, k))
    estimates = generator.normal(0, np.sqrt(variances + generator.choice([0, 0.5, 4], (60, 1))))
    found = stand_ins.random_effects_means(estimates, variances)
    wanted = [random_effects(y, np.sqrt(v)).estimate for y, v in zip(estimates, variances, strict=True)]
    assert found == pytest.approx(wanted, abs=1e-9)


def test_a_project_enters_given_the_baseline_and_as_it_is():
    one = table(1, 0.9, gap=-0.65)
    [entry] = entries_of([one], ())
    gaps, effects = np.array(one.gaps[1:]), np.array(one.effects[1:])
    slope, start = np.polyfit(gaps, effects, 1)
    assert (entry.raw, entry.own) == (0.9, 1)
    assert entry.estimate == pytest.approx(0.9 - start + 0.65 * slope)
    assert entry.estimate < entry.raw  # areas that stood low gained by themselves


def test_the_pool_is_the_random_effects_of_its_entries_about_the_draws():
    pool = placebo_pool(tables(0.9, 0.2, 0.5), ())
    expected = random_effects([one.estimate for one in pool.entries], [one.std_error for one in pool.entries])
    assert pool.mean == expected
    test = pool.test
    assert test.estimate == pool.mean.estimate - test.centre
    assert test.n_draws == 9_999
    reach = (test.interval.upper - test.interval.lower) / 2
    assert test.estimate == pytest.approx((test.interval.upper + test.interval.lower) / 2)
    assert (test.p_value <= 0.05) == (abs(test.estimate) > reach)
    assert isinstance(pool.prediction, Interval)


def test_neither_order_nor_repetition_matters():
    made = tables(0.9, 0.2, 0.5)
    first = placebo_pool(made, (), name="a")
    for order in permutations(range(3)):
        found = placebo_pool([made[at] for at in order], (), name="a")
        assert (found.mean, found.raw, found.test) == (first.mean, first.raw, first.test)
        assert [one.own for one in found.entries] == [at + 1 for at in order]
        assert found.weights == tuple(first.weights[at] for at in order)


def test_projects_far_from_their_neighbours_are_judged_by_more_scatter():
    near = [table(own, 0.5, gap=0.0) for own in (1, 2, 3)]
    far = [table(own, 0.5 + 0.4 * 2.0, gap=-2.0) for own in (1, 2, 3)]
    first, second = (placebo_pool(one, (), name="a").test for one in (near, far))
    assert second.factor > first.factor  # the line is less sure there
    wild = [  # and where areas far below scatter three times as much, so may these projects
        replace(one, effects=tuple(3 * e if g < -0.5 else e for e, g in zip(one.effects, one.gaps, strict=True)))
        for one in far
    ]
    assert placebo_pool(wild, (), name="a").test.factor > 1.2 * second.factor


def test_what_all_areas_gain_is_nobodys_effect():
    made = tables(0.9, 0.2, 0.5)
    moved = [replace(one, effects=tuple(effect + 3.0 for effect in one.effects)) for one in made]
    first, second = (placebo_pool(one, (), name="a").test for one in (made, moved))
    assert second.estimate == pytest.approx(first.estimate)
    assert second.p_value == first.p_value


def test_a_treated_area_stands_in_for_nobody():
    made = tables(0.9, 0.2, 0.5)
    wild = [replace(one, effects=(*one.effects[:-1], 1e6)) for one in made]
    last = made[0].areas[-1]
    assert placebo_pool(wild, (last,)) == placebo_pool(made, (last,))


def test_with_fewer_than_forty_areas_there_is_no_interval_and_below_twenty_nothing():
    few = [table(own, 0.5, n=30) for own in (1, 2, 3)]
    found = placebo_pool(few, ()).test
    assert isinstance(found.interval, Unavailable)
    none = placebo_pool([table(own, 0.5, n=19) for own in (1, 2, 3)], ())
    assert "19 areas without a programme" in none.reason


def test_areas_that_all_moved_alike_give_no_errors():
    alike = [replace(one, effects=(0.5, *(0.0,) * 90)) for one in tables(0.5, 0.5, 0.5)]
    assert "moved alike" in placebo_pool(alike, ()).reason


def test_two_projects_of_one_area_are_refused():
    with pytest.raises(InputError, match="one area"):
        placebo_pool([table(1), table(1)], ())
    with pytest.raises(InputError, match="two or more"):
        placebo_pool([table(1)], ())
    with pytest.raises(InputError, match="own area once"):
        replace(table(1), own=7)
