"""Statistics of the same areas or sets: their differences by hand, what is drawn once for all, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.set_draws import SetOptions, SetPool, draw_sets
from evalkit.estimate.areas.sets import ChangeGaps, sets_inference
from evalkit.estimate.areas.together import NOT_ALIKE, PlacedStatistic, TogetherOptions, place_together

OPTIONS = TogetherOptions()


def of_areas(effects, groups=None, group=101):
    groups = np.arange(101, 101 + len(effects)) if groups is None else np.array(groups)
    ones = np.ones(len(effects), dtype=int)
    return PlacedStatistic.of_areas(AreaEffects(groups, np.array(effects, float), ones * 1.0, ones, ones), group)


def test_a_difference_is_ranked_among_the_same_difference_in_every_area():
    # The treated: 3 − 1 = 2. Others, twenty areas: one 2.5 − 0 = 2.5, one −1 − 1 = −2, eighteen 0.5 − 0.5 = 0.
    # Two are as large: p = (1 + 2)/21.
    first = [3.0, 2.5, -1.0, *[0.5] * 18]
    second = [1.0, 0.0, 1.0, *[0.5] * 18]
    found = place_together([of_areas(first), of_areas(second)], OPTIONS).difference(0, 1)
    assert (found.estimate, found.n_areas, found.n_sets) == (2.0, 21, 0)
    assert found.p_value == pytest.approx(3 / 21)
    # Not rejected at 5%: at least 1.05 of 21, so two, the treated and the largest: the reach is 2.5.
    assert found.interval == Interval(-0.5, 4.5, 0.95)


def test_areas_that_lack_one_take_no_part_and_their_order_plays_no_role():
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=25), rng.normal(size=25)
    whole = place_together([of_areas(first[:24]), of_areas(second[:24])], OPTIONS)
    order = rng.permutation(25)
    shuffled = of_areas(second[order], np.arange(101, 126)[order])
    again = place_together([of_areas(first[:24]), shuffled], OPTIONS)
    assert again.n_areas == whole.n_areas == 24
    assert again.values == pytest.approx(whole.values)
    assert again.adjusted() == pytest.approx(whole.adjusted())


def test_a_rescaled_outcome_changes_no_adjusted_p():
    rng = np.random.default_rng(4)
    columns = rng.normal(size=(3, 30))
    plain = place_together([of_areas(one) for one in columns], OPTIONS).adjusted()
    scaled = place_together([of_areas(one * by) for one, by in zip(columns, (1, 7, -0.1), strict=True)], OPTIONS)
    assert scaled.adjusted() == pytest.approx(plain)


def test_t_is_over_the_spread_of_all_areas_the_treated_counted():
    # Effects 3, and twenty-four of 1 and −1 in turn: mean 3/25 = .12, mean of squares (9 + 24)/25 = 1.32, variance
    # 1.32 − .0144 = 1.3056. t = 3/1.3056^½. Were the treated left out, t would be 3 and false alarms too many.
    effects = [3.0, *[1.0, -1.0] * 12]
    found = place_together([of_areas(effects)], OPTIONS)
    assert found.standardised()[0] == pytest.approx(3 / 1.3056**0.5)


def test_few_areas_another_treated_one_or_another_placing_give_a_reason():
    few = place_together([of_areas(np.arange(19.0)), of_areas(np.ones(19))], OPTIONS)
    assert isinstance(few, Unavailable)
    assert "20 are needed" in few.reason
    other = of_areas(np.arange(25.0), group=102)
    assert isinstance(place_together([of_areas(np.arange(25.0)), other], OPTIONS), Unavailable)
    pool, gaps = schools(2)
    placed = PlacedStatistic(pool=pool, statistic=gaps)
    assert place_together([of_areas(np.arange(25.0)), placed], OPTIONS) is NOT_ALIKE


def test_what_is_the_same_everywhere_is_not_standardised():
    flat = place_together([of_areas([1.0] * 25), of_areas(np.arange(25.0))], OPTIONS)
    assert isinstance(flat.adjusted(), Unavailable)


# Sets.


def schools(seed, n_areas=30, lost=(), which=None):
    """Return a pool of 12 schools in each area, five listed in area 1, and the gap of one outcome to zero."""
    rng = np.random.default_rng(seed)
    area = np.repeat(np.arange(1, n_areas + 1), 12)
    change = rng.normal(size=len(area)) + rng.normal(size=n_areas)[area - 1]
    at_all = np.ones(len(area), dtype=bool)
    at_all[list(lost)] = False
    if which is not None:
        at_all &= np.arange(len(area)) % 3 == which
    ids = np.array([f"{at:05d}" for at in range(len(area))])
    listed = (area == 1) & (np.arange(len(area)) < 6)
    codes = np.arange(1, n_areas + 1)
    pool = SetPool(
        ids=ids[at_all].tolist(),
        area=area[at_all],
        is_listed=listed[at_all],
        stand_ins=tuple(range(2, n_areas + 1)),
    )
    gaps = ChangeGaps(
        values=change[at_all][:, None],
        weight=np.ones(int(at_all.sum())),
        codes=codes,
        compared=np.zeros((n_areas, 1)),
    )
    return pool, gaps


def test_of_one_statistic_it_is_what_its_own_sets_say():
    pool, gaps = schools(5)
    own = sets_inference(gaps, pool, SetOptions(n_sets=2_000, draws_more=False, seed=9))
    placed = PlacedStatistic(pool=pool, statistic=gaps, n_sets=2_000)
    together = place_together([placed], TogetherOptions(seed=9))
    assert together.p_values()[0] == pytest.approx(own.p_value)
    assert together.observed[0] == pytest.approx(own.estimate)
    assert together.n_areas == own.n_areas == 30


def test_two_outcomes_are_found_of_the_same_sets_each_of_the_schools_that_have_it():
    first, second = schools(6, lost=(3, 40, 41)), schools(7, lost=(100, 200))
    placed = [PlacedStatistic(pool=pool, statistic=gaps, n_sets=600) for pool, gaps in (first, second)]
    together = place_together(placed, OPTIONS)
    for at, (pool, gaps) in enumerate((first, second)):
        own = gaps(draw_sets(pool, SetOptions(n_sets=50)).listed)[0, 0]
        assert together.observed[at] == pytest.approx(own)
    assert together.values.shape[1] == 2
    backwards = place_together(placed[::-1], OPTIONS)
    assert backwards.values[:, ::-1] == pytest.approx(together.values)
    assert backwards.difference(1, 0).p_value == pytest.approx(together.difference(0, 1).p_value)


def test_rows_of_a_pool_may_stand_in_any_order():
    pool, gaps = schools(8)
    order = np.random.default_rng(1).permutation(len(pool.ids))
    mixed = replace(
        pool,
        ids=[pool.ids[at] for at in order],
        area=pool.area[order],
        is_listed=pool.is_listed[order],
    )
    moved = replace(gaps, values=gaps.values[order])
    found = [
        place_together([PlacedStatistic(pool=p, statistic=g, n_sets=500)] * 2, OPTIONS)
        for p, g in ((pool, gaps), (mixed, moved))
    ]
    assert found[0].values == pytest.approx(found[1].values)


def test_schools_of_two_types_are_drawn_as_many_of_each_as_are_listed():
    seen = []

    class Counting(ChangeGaps):
        def __call__(self, sets):
            seen.append((sets.members >= 0).sum(axis=1))
            return super().__call__(sets)

    placed = []
    for which in (0, 1):
        pool, gaps = schools(10, which=which)
        counting = Counting(values=gaps.values, weight=gaps.weight, codes=gaps.codes, compared=gaps.compared)
        placed.append(PlacedStatistic(pool=pool, statistic=counting, n_sets=300))
    place_together(placed, TogetherOptions(is_apart=True))
    # of schools 0 to 5, two are of either type: every set holds two and two
    assert {int(n) for part in seen for n in part} == {2}


def test_sets_of_few_areas_say_nothing():
    pool, gaps = schools(11, n_areas=15)
    found = place_together([PlacedStatistic(pool=pool, statistic=gaps)] * 2, OPTIONS)
    assert isinstance(found, Unavailable)
    assert "20 are needed" in found.reason


def test_starts_that_one_statistic_has_reach_every_set():
    pool, gaps = schools(12)
    started = replace(pool, start=np.where(pool.is_listed, 2016.0, np.nan))
    seen = []

    class Starting(ChangeGaps):
        def __call__(self, sets):
            seen.append(sets.start)
            return super().__call__(sets)

    starting = Starting(values=gaps.values, weight=gaps.weight, codes=gaps.codes, compared=gaps.compared)
    placed = [PlacedStatistic(pool=started, statistic=starting, n_sets=200)]
    placed.append(PlacedStatistic(pool=pool, statistic=gaps, n_sets=200))
    found = place_together(placed, OPTIONS)
    assert found.values[:, 0] == pytest.approx(found.values[:, 1])
    assert all((start == 2016.0).all() for start in seen)
