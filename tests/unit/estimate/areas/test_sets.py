"""Sets of schools drawn in other areas: shares by hand, what a draw may not depend on, and when nothing is said."""

from dataclasses import replace
from functools import partial
from math import comb

import numpy as np
import pytest

from evalkit.core.draws import SERIAL
from evalkit.core.errors import DesignError, InputError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.design.project.set_rule import below_area
from evalkit.estimate.areas.changes_arrays import permutation_test
from evalkit.estimate.areas.set_draws import SetOptions, SetPool, draw_sets, one_at_a_time
from evalkit.estimate.areas.sets import (
    ChangeGaps,
    against_others,
    diluted,
    leading_rule,
    set_statistics,
    sets_inference,
)
from evalkit.estimate.areas.sets_arrays import reach
from evalkit.run.processes.executors import ProcessPool

LISTED = 500
"""The treated area's code; areas that may stand in count from 1, and area 900 is everybody's comparison."""


def ones(groups):
    """Return a pool and its statistic from the changes of each area's schools; of `LISTED` those with a mark."""
    area, change, listed = [], [], []
    for code, changes in groups.items():
        for value in changes:
            area.append(code)
            listed.append(isinstance(value, tuple))
            change.append(value[0] if isinstance(value, tuple) else value)
    area, change = np.array([*area, 900]), np.array([*change, 0.0])
    listed = np.array([*listed, False])
    stand_ins = tuple(code for code in groups if code != LISTED)
    pool = SetPool(ids=[f"{at:05d}" for at in range(len(area))], area=area, is_listed=listed, stand_ins=stand_ins)
    codes = np.unique(area)
    return pool, ChangeGaps(
        values=change[:, None], weight=np.ones(len(area)), codes=codes, compared=np.zeros((len(codes), 1))
    )


def test_an_area_weighs_the_same_however_many_sets_it_has():
    # 19 other areas and the treated one: J = 20. T = 3. Area 1 has {4} and {0}: s = 1/2; area 2 {3} and {−3}: s = 1;
    # the others none. p = (1 + 1/2 + 1)/20 = .125.
    groups = {LISTED: [(3.0,), 9.0], 1: [4.0, 0.0], 2: [3.0, -3.0], **{code: [0.0, 1.0] for code in range(3, 20)}}
    pool, statistic = ones(groups)
    found = sets_inference(statistic, pool)
    assert found.estimate == 3.0
    assert found.p_value == pytest.approx(0.125)
    assert found.p_value_one_sided == pytest.approx((1 + 0.5 + 0.5) / 20)
    assert (found.n_areas, found.n_sets, found.monte_carlo_error) == (20, 38, 0.0)
    # m: (2 + 0 + 17 · ½)/19
    assert found.expected == pytest.approx(10.5 / 19)
    assert found.adjusted == 3.0
    assert "Fewer than 40 areas" in found.interval.reason


def test_the_interval_reaches_to_the_last_size_that_is_not_rejected():
    # J = 40, αJ = 2. Areas 1: {5, 0}, 2: {4, 4}, 3: {3, 0}. Above 4 the sum 1 + Σs is 1.5, at 4 it is 2.5: c = 4.
    groups = {LISTED: [(1.0,), 0.0], 1: [5.0, 0.0], 2: [4.0, -4.0], 3: [3.0, 0.0]}
    pool, statistic = ones({**groups, **{code: [0.0, 0.5] for code in range(4, 40)}})
    found = sets_inference(statistic, pool)
    assert found.n_areas == 40
    assert found.interval == Interval(-3.0, 5.0)


def test_fewer_than_twenty_areas_give_no_p_value_but_the_estimate():
    pool, statistic = ones({LISTED: [(3.0,), 0.0], **{code: [0.0, 1.0] for code in range(1, 19)}})
    found = sets_inference(statistic, pool)
    assert (found.estimate, found.n_areas) == (3.0, 19)
    assert "19 areas could hold such a set" in found.p_value.reason


def test_the_error_of_p_is_that_of_the_drawn_shares():
    # Of one area half the sets are as large: √(s(1 − s)/M)/J, and none from areas all of whose sets are counted.
    random = np.random.default_rng(3)
    groups = {LISTED: [(0.9,), (0.9,)], **{code: random.normal(size=12).tolist() for code in range(1, 60)}}
    pool, statistic = ones(groups)
    found = set_statistics(statistic, pool, SetOptions(n_sets=59 * 20, draws_more=False))
    shares = [
        np.mean(np.abs(found.values[found.draws.area[:, 0] == at, 0]) >= 0.9) for at in range(len(found.draws.codes))
    ]
    error = np.sqrt(sum(s * (1 - s) / 20 for s in shares)) / 60
    assert found.inference().monte_carlo_error == pytest.approx(error)
    assert found.inference().p_value == pytest.approx((1 + sum(shares)) / 60)


def test_near_five_in_a_hundred_ten_times_as_many_are_drawn():
    random = np.random.default_rng(4)
    pool, statistic = ones({LISTED: [(0.0,)] * 3, **{c: random.normal(size=12).tolist() for c in range(1, 100)}})
    few = SetOptions(n_sets=990)
    usual = set_statistics(statistic, pool, replace(few, draws_more=False))
    critical = usual.inference().interval.upper
    statistic.values[pool.is_listed] = critical
    assert len(set_statistics(statistic, pool, replace(few, draws_more=False)).draws) == 990
    assert len(set_statistics(statistic, pool, few).draws) == 9900
    statistic.values[pool.is_listed] = 0.2 * critical
    assert len(set_statistics(statistic, pool, few).draws) == 990


def england(seed, n_areas=60, treated=(7,), n_listed=4):
    """Return areas of 5 to 14 schools without a programme, of some of which a few schools are listed."""
    random = np.random.default_rng(seed)
    sizes = random.integers(5, 15, n_areas)
    area = np.repeat(np.arange(1, n_areas + 1), sizes)
    level = random.normal(size=len(area)) + random.normal(size=n_areas)[area - 1]
    change = random.normal(size=len(area)) + 0.3 * random.normal(size=n_areas)[area - 1]
    listed = np.zeros(len(area), dtype=bool)
    for code in treated:
        listed[random.choice(np.flatnonzero(area == code), n_listed, replace=False)] = True
    ids = [f"{one:06d}" for one in random.permutation(len(area)) + 100000]
    codes = np.arange(1, n_areas + 1)
    pool = SetPool(ids=ids, area=area, is_listed=listed, stand_ins=tuple(codes.tolist()), level=level)
    means = random.normal(size=(n_areas, 1)) * 0.1
    return pool, ChangeGaps(values=change[:, None], weight=np.ones(len(area)), codes=codes, compared=means)


def in_another_order(pool, statistic, seed=0):
    order = np.random.default_rng(seed).permutation(len(pool.ids))
    moved = replace(
        pool,
        ids=[pool.ids[at] for at in order],
        area=pool.area[order],
        is_listed=pool.is_listed[order],
        level=pool.level[order],
    )
    return moved, replace(statistic, values=statistic.values[order], weight=statistic.weight[order])


@pytest.mark.parametrize("treated", [(7,), (7, 9, 30)], ids=["one area", "three"])
@pytest.mark.parametrize("rule", ["simple", "like"])
def test_the_order_of_rows_changes_nothing(treated, rule):
    options = SetOptions(rule=rule, n_sets=600)
    pool, statistic = england(5, treated=treated, n_areas=300, n_listed=2)
    one = sets_inference(statistic, pool, options)
    two = sets_inference(*reversed(in_another_order(pool, statistic)), options)
    assert two.p_value == one.p_value
    assert isinstance(one.p_value, float)
    assert (two.estimate, two.expected) == pytest.approx((one.estimate, one.expected))


@pytest.mark.parametrize("treated", [(7,), (7, 9, 30)], ids=["one area", "three"])
def test_two_processes_give_the_digits_of_one(treated):
    pool, statistic = england(6, treated=treated)
    slow = partial(one_at_a_time, partial(spread_of, statistic.values[:, 0]))
    options = SetOptions(n_sets=300, draws_more=False)
    for made in (statistic, slow):
        here = set_statistics(made, pool, options, SERIAL, 40)
        there = set_statistics(made, pool, options, ProcessPool(2), 40)
        assert np.array_equal(here.values, there.values)
        assert here.inference() == there.inference()


def spread_of(change, one):
    return float(change[one.units].std())


def test_twice_the_outcome_gives_twice_the_interval_and_the_same_p():
    pool, statistic = england(8)
    one = sets_inference(statistic, pool, SetOptions(n_sets=600))
    twice = replace(statistic, values=2 * statistic.values, compared=2 * statistic.compared)
    two = sets_inference(twice, pool, SetOptions(n_sets=600))
    assert two.p_value == one.p_value
    assert (two.interval.lower, two.interval.upper) == pytest.approx((2 * one.interval.lower, 2 * one.interval.upper))


def test_an_effect_on_the_list_moves_estimate_and_interval_alone():
    pool, statistic = england(9)
    one = sets_inference(statistic, pool, SetOptions(n_sets=600))
    moved = replace(statistic, values=statistic.values + 1.5 * pool.is_listed[:, None])
    two = sets_inference(moved, pool, SetOptions(n_sets=600, draws_more=False))
    assert two.estimate == pytest.approx(one.estimate + 1.5)
    assert two.interval.upper - two.estimate == pytest.approx(one.interval.upper - one.estimate)
    assert two.expected == one.expected


def test_a_set_holds_nobody_twice_and_nobody_of_a_treated_area():
    for treated in ((7,), (7, 9)):
        pool, _ = england(10, treated=treated)
        draws = draw_sets(pool, SetOptions(n_sets=500))
        [sets] = draws.chunks(10_000)
        for at in range(len(sets)):
            one = sets.one(at)
            assert len(set(one.units.tolist())) == len(one.units) == int(pool.is_listed.sum())
            assert not set(pool.area[one.units].tolist()) & set(treated)
            assert np.array_equal(pool.area[one.units], one.areas[one.place])


def test_every_area_gets_the_same_number_of_sets_or_all_it_has():
    pool, _ = england(11)
    draws = draw_sets(pool, SetOptions(n_sets=60 * 20))
    each = -(-1200 // len(draws.codes))
    for at, code in enumerate(draws.codes.tolist()):
        n = int((draws.area[:, 0] == at).sum())
        size = int((pool.area == code).sum())
        assert n == min(each, comb(size, 4))
        assert draws.is_drawn[at] == (comb(size, 4) > each)


def test_starts_travel_with_their_places():
    pool, _ = england(12, treated=(7, 9), n_listed=3)
    start = np.where(pool.is_listed, np.where(pool.area == 7, 2016.0, 2018.0), np.nan)
    draws = draw_sets(replace(pool, start=start), SetOptions(n_sets=50))
    one = draws.chunks(50)[0].one(3)
    assert one.start.tolist() == [2016.0] * 3 + [2018.0] * 3
    assert draws.listed.start.tolist() == one.start.tolist()


def test_whole_areas_drawn_in_turn_are_the_permutation_of_areas():
    pool, statistic = england(13)
    pool = replace(pool, is_listed=pool.area == 7, is_whole=True)
    found = sets_inference(statistic, pool)
    effects = [statistic.values[pool.area == code, 0].mean() - statistic.compared[code - 1, 0] for code in range(1, 61)]
    test = permutation_test(np.array(effects), 6)
    assert (found.p_value, found.n_areas) == (pytest.approx(test.p_value), 60)
    assert found.interval.upper - found.estimate == pytest.approx(test.reach)


def test_several_whole_areas_are_weighed_by_the_schools_of_those_drawn():
    pool, statistic = england(14, treated=(7, 9))
    pool = replace(pool, is_listed=np.isin(pool.area, (7, 9)), is_whole=True)
    found = set_statistics(statistic, pool, SetOptions(n_sets=300, draws_more=False))
    change, area = statistic.values[:, 0], pool.area
    for row in (0, 150, 299):
        drawn = found.draws.codes[found.draws.area[row]]
        means = [change[area == code].mean() - statistic.compared[code - 1, 0] for code in drawn]
        sizes = [(area == code).sum() for code in drawn]
        assert found.values[row, 0] == pytest.approx(np.average(means, weights=sizes))


def test_too_many_treated_areas_for_those_left_are_not_judged():
    pool, statistic = england(15, n_areas=23, treated=(1, 2, 3))
    found = sets_inference(statistic, pool)
    assert isinstance(found.estimate, float)
    assert "20 other areas could hold such sets, for 3 treated ones" in found.p_value.reason


def test_a_declared_rule_gives_one_set_an_area():
    pool, statistic = england(16)
    chosen = {code: np.flatnonzero(pool.area == code)[:3] for code in range(1, 61)}
    picked = np.isin(np.arange(len(pool.area)), np.concatenate([*chosen.values()]))
    found = set_statistics(statistic, replace(pool, picked=picked), SetOptions(rule="rule"))
    by_hand = [statistic.values[chosen[c], 0].mean() - statistic.compared[c - 1, 0] for c in range(1, 61) if c != 7]
    assert sorted(found.values[:, 0]) == pytest.approx(sorted(by_hand))
    result = found.inference()
    assert result.adjusted == pytest.approx(result.estimate - np.mean(by_hand))
    with pytest.raises(InputError, match="A declared rule needs"):
        set_statistics(statistic, pool, SetOptions(rule="rule"))


def test_low_lists_are_led_by_sets_like_them():
    pool, _ = england(17)
    own = np.flatnonzero(pool.area == 7)
    lowest = own[np.argsort(pool.level[own])[:4]]
    low = replace(pool, is_listed=np.isin(np.arange(len(pool.area)), lowest))
    assert below_area(low.level, low.area, low.is_listed) > 0.25
    assert leading_rule(low) == "like"
    highest = own[np.argsort(pool.level[own])[-4:]]
    high = replace(pool, is_listed=np.isin(np.arange(len(pool.area)), highest))
    assert leading_rule(high) == "simple"
    assert leading_rule(replace(low, level=None)) == "simple"


def low_list(seed, n_areas=80, n=60, n_listed=8):
    """Return a pool whose list is the lowest of one area by a noisy level, no programme anywhere, and the statistic."""
    random = np.random.default_rng(seed)
    area = np.repeat(np.arange(n_areas), n)
    ability = random.normal(size=n_areas * n)
    before, after = (ability + random.normal(size=len(area)) for _ in range(2))
    own = np.flatnonzero(area == 0)
    lowest = own[np.argsort(before[own])[:n_listed]]
    pool = SetPool(
        ids=[f"{at:05d}" for at in range(len(area))],
        area=area,
        is_listed=np.isin(np.arange(len(area)), lowest),
        stand_ins=tuple(range(n_areas)),
        level=before,
    )
    change = (after - before)[:, None]
    codes, weight = np.arange(n_areas), np.ones(len(area))
    return pool, ChangeGaps(values=change, weight=weight, codes=codes, compared=np.zeros((n_areas, 1)))


def test_lists_of_low_schools_gain_where_nothing_happened_and_sets_like_them_show_it():
    found = {"simple": [], "like": []}
    for seed in range(12):
        pool, statistic = low_list(seed)
        assert leading_rule(pool) == "like"
        for rule, results in found.items():
            results.append(sets_inference(statistic, pool, SetOptions(rule=rule, n_sets=1_000, draws_more=False)))
    simple, like = (np.array([one.adjusted for one in found[rule]]) for rule in ("simple", "like"))
    assert sum(one.p_value < 0.05 for one in found["simple"]) >= 6  # chance in the scores before, found as an effect
    assert sum(one.p_value < 0.05 for one in found["like"] if isinstance(one.p_value, float)) <= 3
    assert simple.mean() > 1.0
    assert abs(like.mean()) < 0.4 * simple.mean()  # reduced, and not removed


def test_the_others_of_the_area_are_compared_by_relabelling():
    # Listed 5 and 3, others 1 and 1: 4 − 1 = 3. Of the six ways to list two of four, the means differ by 3 once up
    # and once down: p = 2/6, and the draws count (1 + draws as large)/(D + 1).
    pool, statistic = ones({LISTED: [(5.0,), (3.0,), 1.0, 1.0], 1: [0.0]})
    found = against_others(statistic.values[:, 0], np.ones(len(pool.ids)), pool)
    assert found.estimate == 3.0
    assert found.p_value == pytest.approx(1 / 3, abs=0.02)
    assert (found.n_listed, found.n_others) == (2, 2)
    whole = replace(pool, is_listed=pool.area == LISTED)
    assert isinstance(against_others(statistic.values[:, 0], np.ones(len(pool.ids)), whole), Unavailable)


def test_dilution_divides_by_the_listed_share_and_what_reaches_the_others():
    found = diluted(0.6, Interval(-0.3, 1.5), 0.5)
    # .5, .5 + .25 · .5 = .625, .5 + .5 · .5 = .75
    assert [one.estimate for one in found] == pytest.approx([1.2, 0.96, 0.8])
    assert found[0].interval == Interval(-0.6, 3.0)


def test_a_pool_says_what_is_wrong_with_it():
    pool, _ = england(19)
    with pytest.raises(DesignError, match="No listed unit is left"):
        replace(pool, is_listed=np.zeros(len(pool.ids), dtype=bool))
    with pytest.raises(InputError, match="stands twice"):
        replace(pool, ids=["1"] * len(pool.ids))
    with pytest.raises(DesignError, match="level of every listed unit"):
        draw_sets(replace(pool, level=None), SetOptions(rule="like"))


def test_sets_without_a_statistic_are_counted_and_their_area_leaves():
    pool, statistic = england(20)
    statistic.compared[30] = np.nan  # area 31 has nobody to be compared with
    found = set_statistics(statistic, pool, SetOptions(n_sets=600, draws_more=False)).inference()
    whole = set_statistics(england(20)[1], pool, SetOptions(n_sets=600, draws_more=False)).inference()
    assert found.n_areas == whole.n_areas - 1
    assert found.n_lost > 0


def test_the_reach_of_many_sets_is_found_in_their_tail():
    # Weights of one heavy set low down, and ties all along, send it back to all of them.
    draw = np.random.default_rng(3)
    sizes = np.abs(draw.normal(size=5_000))
    for size, weights in (
        (sizes, np.full(5_000, 0.02)),
        (sizes, draw.uniform(0.0, 0.05, 5_000)),
        (np.round(sizes, 1), np.full(5_000, 0.02)),
        (sizes, np.where(sizes > 0.5, 1e-6, 0.1)),
    ):
        for alpha in (0.05, 0.2, 0.6):
            most = alpha * (1 + weights.sum())
            kept = [x for x in np.unique(size) if 1 + weights[size >= x - 1e-12].sum() > most + 1e-9]
            assert reach(size, weights, alpha) == max(kept, default=0.0)
