"""Slopes on the dose found of the same dealings: differences by hand, and against every dealing gone through."""

from itertools import permutations, product

import numpy as np
import pytest

from evalkit.estimate.areas.together import NOT_DEALT, PlacedStatistic, TogetherOptions, place_together
from evalkit.estimate.dose.dealt import OTHER_DOSES, DealtSlope, deal_together
from evalkit.estimate.dose.within import dose_slope
from tests.unit.estimate.areas.test_places import by_definition, numbers, of_means

OPTIONS = TogetherOptions()


def of_slope(change, dose, *, ids=None, area=None, part="", held=None):
    n = len(change)
    return PlacedStatistic(
        dealt=DealtSlope(
            ids=tuple(ids if ids is not None else (f"s{at}" for at in range(n))),
            change=np.array(change, dtype=float),
            dose=np.array(dose, dtype=float),
            area=np.ones(n, dtype=np.int64) if area is None else np.array(area),
            covariates=np.empty((n, 0)) if held is None else held,
            part=part,
        )
    )


def test_a_difference_is_ranked_among_the_same_difference_in_every_dealing():
    # Doses 0, 0, 1, 1: a slope is the mean change of those with 1 less that of those with 0. First 4 − 0 = 4, second
    # (1 + 3)/2 − (0 + 2)/2 = 1, difference 3. The changes differ by 0, −2, 3, 1, sum 2: those with 1 whose sum is s
    # give s − 1. The six pairs give −3, 2, 0, 0, −2, 3. Within a group of two that differ by 2g each residual is g from
    # 0: the error is a half root of the sum of g², with 1 and 1 as it was, and no other pairing has less (0 with 3 and
    # −2 with 1 have 1.5 and 1.5). So two are as large as 3, p = 2/6.
    dose = [0, 0, 1, 1]
    found = place_together([of_slope([0, 0, 4, 4], dose), of_slope([0, 2, 1, 3], dose)], OPTIONS)
    difference = found.difference(0, 1)
    assert difference.estimate == pytest.approx(3.0)
    assert difference.p_value == pytest.approx(2 / 6)
    assert (difference.over, difference.n_sets, difference.n_areas) == ("dealings", 6, 1)


def test_step_down_over_all_dealings_is_its_definition():
    rng = np.random.default_rng(3)
    dose = np.array([0.0, 1, 2, 4, 7, 9])
    changes = [rng.normal(size=6) + 0.3 * dose, rng.normal(size=6), 5 * rng.normal(size=6)]
    found = place_together([of_slope(one, dose) for one in changes], OPTIONS)
    slopes = np.array([[np.polyfit(order, one, 1)[0] for one in changes] for order in permutations(dose)])
    assert found.n_sets == 720
    assert found.observed == pytest.approx(slopes[0])
    assert found.adjusted() == pytest.approx(by_definition(slopes[0], slopes[1:]))
    assert found.p_values() == pytest.approx((np.abs(slopes) >= np.abs(slopes[0]) - 1e-12).mean(axis=0))


def test_of_one_outcome_it_is_what_its_own_dealings_say():
    rng = np.random.default_rng(4)
    n = 30
    dose, area, level = rng.integers(0, 9, n).astype(float), np.repeat([301, 302, 303], 10), rng.normal(size=(n, 1))
    change = rng.normal(size=n) + 0.2 * dose
    ids = [f"s{at:02d}" for at in range(n)]
    own = dose_slope(change, dose, area, level)
    found = place_together([of_slope(change, dose, ids=ids, area=area, held=level)], OPTIONS)
    assert found.observed[0] == pytest.approx(own.estimate)
    assert found.p_values()[0] == pytest.approx(own.p_value)
    assert found.n_areas == 3


def test_participants_without_an_outcome_are_dealt_a_dose_as_the_others_are():
    rng = np.random.default_rng(5)
    dose = np.array([0.0, 1, 2, 4, 7])
    first, second = rng.normal(size=5), rng.normal(size=4)
    ids = list("abcde")
    found = place_together([of_slope(first, dose, ids=ids), of_slope(second, dose[:4], ids=ids[:4])], OPTIONS)
    every = np.array([[np.polyfit(o, first, 1)[0], _scaled(o[:4], second, dose[:4])] for o in permutations(dose)])
    assert found.n_sets == 120
    assert found.adjusted() == pytest.approx(by_definition(every[0], every[1:]))
    # the order of participants plays no role
    back = of_slope(first[::-1], dose[::-1], ids=ids[::-1])
    again = place_together([back, of_slope(second, dose[:4], ids=ids[:4])], OPTIONS)
    assert again.adjusted() == pytest.approx(found.adjusted())


def _scaled(order, change, dose):
    """Return the slope on dealt doses, over the length that these and the doses as they were have."""
    own, first = np.array(order) - np.mean(order), dose - dose.mean()
    return own @ change / np.sqrt((own @ own) * (first @ first))


def by_regression(change, dose):
    """Return slope, and d_i e_i / d'd of each participant, from least squares with a constant."""
    columns = np.column_stack([np.ones(len(dose)), dose])
    fitted = np.linalg.lstsq(columns, change, rcond=None)[0]
    d = dose - dose.mean()
    return fitted[1], d * (change - columns @ fitted) / (d @ d)


def test_subgroups_of_participants_are_dealt_their_own_doses_and_compared_over_their_own_error():
    rng = np.random.default_rng(8)
    doses = [np.array([0.0, 1, 3, 4]), np.array([0.0, 2, 5])]
    changes = [3 * one + rng.normal(size=len(one)) for one in doses]
    found = place_together(
        [of_slope(changes[0], doses[0], ids="abcd"), of_slope(changes[1], doses[1], ids="efg")],
        TogetherOptions(is_apart=True),
    )
    assert found.n_sets == 24 * 6
    t = []
    for orders in product(permutations(doses[0]), permutations(doses[1])):
        (a, own_a), (b, own_b) = (by_regression(y, np.array(o)) for y, o in zip(changes, orders, strict=True))
        t.append((a - b) / np.sqrt((own_a**2).sum() + (own_b**2).sum()))
    made = found.difference(0, 1)
    assert made.estimate == pytest.approx(
        by_regression(changes[0], doses[0])[0] - by_regression(changes[1], doses[1])[0]
    )
    assert made.p_value == pytest.approx((np.abs(t) >= abs(t[0]) - 1e-9).mean())


def test_two_outcomes_of_the_same_participants_differ_as_their_difference_does():
    # what two outcomes share is in neither the difference nor its error, however large the slope that both have
    rng = np.random.default_rng(9)
    dose, shared = np.array([0.0, 1, 2, 4, 7, 9]), 20 * rng.normal(size=6)
    first, second = shared + 8 * np.arange(6) + rng.normal(size=6), shared + 8 * np.arange(6) + rng.normal(size=6)
    made = place_together([of_slope(first, dose), of_slope(second, dose)], OPTIONS).difference(0, 1)
    t = []
    for order in permutations(dose):
        slope, own = by_regression(first - second, np.array(order))
        t.append(slope / np.sqrt((own**2).sum()))
    assert made.p_value == pytest.approx((np.abs(t) >= abs(t[0]) - 1e-9).mean())


def test_slopes_without_an_error_are_compared_without_one():
    # changes of exactly 5 a dose in both: their difference, 0, is nowhere smaller
    dose = [0, 1, 2]
    both = [of_slope([0, 5, 10], dose, ids=ids) for ids in ("abc", "def")]
    made = place_together(both, TogetherOptions(is_apart=True)).difference(0, 1)
    assert made.estimate == pytest.approx(0.0, abs=1e-12)
    assert made.p_value == 1.0
    # 5 a dose and 7: four of 36 dealings leave no error, as they were, and one or both turned round: p = 4/36
    apart = [of_slope([0, 5, 10], dose, ids="abc"), of_slope([0, 7, 14], dose, ids="def")]
    made = place_together(apart, TogetherOptions(is_apart=True)).difference(0, 1)
    assert made.estimate == pytest.approx(-2.0)
    assert made.p_value == pytest.approx(4 / 36)


def test_other_doses_other_areas_and_what_is_not_dealt_are_refused():
    dose = [0, 1, 2, 3]
    one = of_slope([1, 2, 3, 5], dose)
    assert place_together([one, of_slope([1, 2, 3, 5], [0, 1, 2, 4])], OPTIONS) is OTHER_DOSES
    assert place_together([one, of_slope([1, 2, 3, 5], dose, area=[1, 1, 2, 2])], OPTIONS) is OTHER_DOSES
    assert place_together([one, of_means(numbers(1), ["301"])], OPTIONS) is NOT_DEALT
    assert deal_together([of_slope([1, 2, 3, 5], [1, 1, 1, 1]).dealt], seed=1).reason.startswith("Within their areas")
