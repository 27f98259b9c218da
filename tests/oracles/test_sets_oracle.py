"""Randomisation over sets against an obvious slow one: every set of every area, p and interval by trying values.

The oracle loops over areas and `itertools.combinations`, keeps changes in dictionaries, and finds the interval by
asking of each candidate value whether the test rejects it. It shares no code with the kit.
"""

from itertools import combinations

import numpy as np
import pytest

from evalkit.core.quantities import Interval
from evalkit.estimate.areas.set_draws import SetOptions, SetPool
from evalkit.estimate.areas.sets import ChangeGaps, set_statistics
from evalkit.estimate.areas.sets_arrays import compared_means

ALPHA = 0.05


def made(seed, n_areas=46, treated=(3,), n_listed=2):
    """Return areas of three to six schools, each with changes in two years, a weight and a level; and neighbours."""
    random = np.random.default_rng(seed)
    sizes = random.integers(3, 7, n_areas)
    area = np.repeat(np.arange(n_areas), sizes)
    change = random.normal(size=(len(area), 2)) + random.normal(size=(n_areas, 2))[area]
    listed = np.zeros(len(area), dtype=bool)
    for one in treated:
        listed[np.flatnonzero(area == one)[:n_listed]] = True
    compared = np.zeros((n_areas, n_areas), dtype=bool)
    for one in range(n_areas):
        others = [other for other in range(n_areas) if other != one and other not in treated]
        compared[one, random.choice(others, 5, replace=False)] = True
    weight, level = random.uniform(1, 3, len(area)), random.normal(size=len(area))
    return {"area": area, "change": change, "listed": listed, "compared": compared, "weight": weight, "level": level}


def pool_of(data):
    ids = [f"{100000 + at}" for at in range(len(data["area"]))]
    every = tuple(range(len(data["compared"])))
    return SetPool(ids=ids, area=data["area"], is_listed=data["listed"], stand_ins=every, level=data["level"])


def gaps_of(data):
    codes = np.arange(len(data["compared"]))
    means = compared_means(data["change"], data["weight"], data["area"], data["compared"])
    return ChangeGaps(values=data["change"], weight=data["weight"], codes=codes, compared=means)


def mean_of(data, units, year):
    total = sum(data["weight"][i] for i in units)
    return sum(data["weight"][i] * data["change"][i, year] for i in units) / total


def slow_statistic(data, units, area, year):
    near = [i for i in range(len(data["area"])) if data["compared"][area, data["area"][i]]]
    return mean_of(data, units, year) - mean_of(data, near, year)


def slow_sets(data, wanted):
    """Return each area's statistics of all its sets with as many of each class as `wanted`, by area and year."""
    own = set(data["area"][data["listed"]].tolist())
    found = {}
    for area in sorted(set(data["area"].tolist()) - own):
        units = [i for i in range(len(data["area"])) if data["area"][i] == area]
        every = [s for s in combinations(units, sum(wanted.values())) if counts(data, s) == wanted]
        if every:
            found[area] = [[slow_statistic(data, s, area, year) for year in (0, 1)] for s in every]
    return found


def counts(data, units):
    found = {}
    for i in units:
        found[data["class"][i]] = found.get(data["class"][i], 0) + 1
    return found


def p_of(by_area, value, year, centre=0.0):
    shares = [
        sum(abs(t[year] - centre) >= abs(value) - 1e-12 for t in every) / len(every) for every in by_area.values()
    ]
    return (1 + sum(shares)) / (len(by_area) + 1)


def half_of(by_area, year, centre=0.0):
    """Return the largest size of a set that, as a distance, is not rejected."""
    sizes = sorted({abs(t[year] - centre) for every in by_area.values() for t in every})
    return max(size for size in sizes if p_of(by_area, size, year, centre) > ALPHA + 1e-11)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_area_with_every_set_listed_by_hand(seed):
    data = made(seed)
    data["class"] = np.zeros(len(data["area"]), dtype=int)
    by_area = slow_sets(data, {0: 2})
    fast = set_statistics(gaps_of(data), pool_of(data), SetOptions())
    listed = np.flatnonzero(data["listed"]).tolist()
    for year in (0, 1):
        found = fast.inference(year)
        observed = slow_statistic(data, listed, 3, year)
        assert found.estimate == pytest.approx(observed, abs=1e-12)
        assert found.p_value == pytest.approx(p_of(by_area, observed, year), abs=1e-12)
        assert found.interval.upper - found.estimate == pytest.approx(half_of(by_area, year), abs=1e-12)
        assert found.n_areas == len(by_area) + 1
        assert found.monte_carlo_error == 0  # nothing was left to chance


@pytest.mark.parametrize("seed", [4, 5])
def test_sets_like_the_list_are_those_with_as_many_of_each_tenth(seed):
    data = made(seed, n_areas=700)
    order = np.argsort(data["level"])
    data["class"] = np.empty(len(order), dtype=int)
    data["class"][order] = 10 * np.arange(len(order)) // len(order)
    listed = np.flatnonzero(data["listed"]).tolist()
    by_area = slow_sets(data, counts(data, listed))
    found = set_statistics(gaps_of(data), pool_of(data), SetOptions(rule="like")).inference(0)
    expected = np.mean([np.mean([t[0] for t in every]) for every in by_area.values()])
    assert found.n_areas == len(by_area) + 1
    assert found.expected == pytest.approx(expected, abs=1e-12)
    assert found.adjusted == pytest.approx(found.estimate - expected, abs=1e-12)
    assert len(by_area) + 1 >= 20
    assert found.p_value == pytest.approx(p_of(by_area, found.adjusted, 0, expected), abs=1e-12)


def test_the_band_is_the_stretch_of_the_largest_year():
    data = made(6)
    data["class"] = np.zeros(len(data["area"]), dtype=int)
    by_area = slow_sets(data, {0: 2})
    halves = [half_of(by_area, year) for year in (0, 1)]
    largest = {a: [[max(abs(t[0]) / halves[0], abs(t[1]) / halves[1])] for t in s] for a, s in by_area.items()}
    factor = max(half_of(largest, 0), 1.0)
    band = set_statistics(gaps_of(data), pool_of(data), SetOptions()).band([0, 1])
    for one, half in zip(band, halves, strict=True):
        assert (one.upper - one.lower) / 2 == pytest.approx(factor * half, abs=1e-12)
    assert factor > 1


def test_several_areas_each_against_its_own_and_weighed_by_its_listed_schools():
    data = made(7, treated=(3, 8, 20))
    data["listed"][np.flatnonzero(data["area"] == 20)[1]] = False  # two, two, and one school
    fast = set_statistics(gaps_of(data), pool_of(data), SetOptions(n_sets=400, draws_more=False))
    found, draws = fast.inference(0), fast.draws
    sizes = {area: int(data["listed"][data["area"] == area].sum()) for area in (3, 8, 20)}

    def slow(parts):
        whole = sum(data["weight"][i] for units, _ in parts for i in units)
        shares = [(sum(data["weight"][i] for i in units) / whole, units, area) for units, area in parts]
        return sum(share * slow_statistic(data, units, area, 0) for share, units, area in shares)

    own = [([i for i in np.flatnonzero(data["area"] == area) if data["listed"][i]], area) for area in (3, 8, 20)]
    assert found.estimate == pytest.approx(slow(own), abs=1e-12)
    values = []
    for row in range(len(draws)):
        one = draws.chunks(1)[row].one(0)
        assert len(set(one.areas.tolist())) == 3
        assert not {3, 8, 20} & set(one.areas.tolist())
        assert [int((one.place == at).sum()) for at in range(3)] == [sizes[3], sizes[8], sizes[20]]
        parts = [(one.units[one.place == at].tolist(), int(one.areas[at])) for at in range(3)]
        for units, area in parts:
            assert len(set(units)) == len(units)
            assert set(data["area"][units].tolist()) == {area}
        values.append(slow(parts))
        if row == 60:
            break
    assert fast.values[: len(values), 0] == pytest.approx(values, abs=1e-12)
    size = np.abs(fast.values[:, 0])
    assert found.p_value == (1 + (size >= abs(found.estimate) - 1e-12).sum()) / 401
    kept = [s for s in size if (1 + (size >= s).sum()) / 401 > ALPHA + 1e-11]
    assert isinstance(found.interval, Interval)
    assert found.interval.upper - found.estimate == pytest.approx(max(kept), abs=1e-12)
