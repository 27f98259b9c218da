"""Statistics of whole areas found of the same areas: in turn, or several drawn at a time; by hand and by an oracle."""

from itertools import combinations

import numpy as np
import pytest

from evalkit.core.quantities import Unavailable
from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.places import OTHER_AREAS, OTHER_STARTS, AreaStatistic
from evalkit.estimate.areas.set_draws import SetPool
from evalkit.estimate.areas.sets import ChangeGaps
from evalkit.estimate.areas.together import NOT_ALIKE, PlacedStatistic, TogetherOptions, place_together

OPTIONS = TogetherOptions(seed=3)


def of_means(means, treated, starts=(), n_draws=400, lost=()):
    """Return the mean over the areas of a row, `means` by area id, as a placed statistic."""

    def statistic(rows):
        return np.array([np.mean([means[area] for area in row]) for row in rows])

    others = tuple(area for area in means if area not in (*treated, *lost))
    return PlacedStatistic(
        places=AreaStatistic(
            treated=tuple(treated), stand_ins=others, statistic=statistic, starts=starts, n_draws=n_draws
        )
    )


def numbers(seed, n=45):
    rng = np.random.default_rng(seed)
    return {str(301 + at): float(value) for at, value in enumerate(rng.normal(size=n))}


def by_definition(observed, values):
    """Return p-values of max-|t| step-down by going through its definition one draw at a time."""
    rows = np.vstack([observed, values])
    spread = rows.std(axis=0)
    t, draws = np.abs(observed / spread), np.abs(values / spread)
    left, adjusted, last = list(range(len(t))), {}, 0.0
    while left:
        k = max(left, key=lambda at: t[at])
        count = sum(max(row[at] for at in left) >= t[k] - 1e-12 for row in draws)
        last = max(last, (1 + count) / (1 + len(draws)))
        adjusted[k] = last
        left.remove(k)
    return [adjusted[k] for k in range(len(t))]


def test_areas_in_turn_are_those_that_all_have_and_step_down_is_its_definition():
    tables = [numbers(seed) for seed in range(4)]
    placed = [of_means(table, ["301"], lost=[str(320 + at)]) for at, table in enumerate(tables)]
    found = place_together(placed, OPTIONS)
    common = [area for area in tables[0] if area not in ("301", "320", "321", "322", "323")]
    assert found.n_areas == 1 + len(common) == 41
    values = np.array([[table[area] for table in tables] for area in common])
    observed = np.array([table["301"] for table in tables])
    assert found.values == pytest.approx(values)
    assert found.adjusted() == pytest.approx(by_definition(observed, values))
    assert (found.over, found.n_sets) == ("areas", 0)


def test_several_areas_are_drawn_once_for_all():
    first, second = numbers(1), numbers(2)
    treated = ("301", "302", "303")
    found = place_together([of_means(one, treated) for one in (first, second)], OPTIONS)
    assert (found.over, found.n_sets, found.n_areas) == ("draws of areas", 400, 45)
    every = {
        tuple(np.round([np.mean([table[area] for area in row]) for table in (first, second)], 9)): row
        for row in combinations([area for area in first if area not in treated], 3)
    }
    # every row of both is that of one set of three areas, none of them treated
    assert all(tuple(np.round(row, 9)) in every for row in found.values)
    again = place_together([of_means(one, treated) for one in (second, first)], OPTIONS)
    assert again.values[:, ::-1] == pytest.approx(found.values)


def test_a_kind_that_has_every_effect_and_one_that_draws_whole_areas_are_judged_on_those_in_common():
    # Areas 1 … 30 of four schools; the effect of an area by one kind is the mean of its schools by the other.
    rng = np.random.default_rng(5)
    area = np.repeat(np.arange(1, 31), 4)
    change = rng.normal(size=len(area)) + area % 3
    codes = np.arange(1, 31)
    pool = SetPool(
        ids=[f"{at:03d}" for at in range(len(area))],
        area=area,
        is_listed=area == 1,
        stand_ins=tuple(range(2, 31)),
        is_whole=True,
    )
    gaps = ChangeGaps(values=change[:, None], weight=np.ones(len(area)), codes=codes, compared=np.zeros((30, 1)))
    of_sets = PlacedStatistic(pool=pool, statistic=gaps)
    means = np.array([change[area == code].mean() for code in codes])[:28]
    ones = np.ones(28, dtype=int)
    of_areas = PlacedStatistic.of_areas(AreaEffects(codes[:28], means, ones * 1.0, ones, ones), 1)
    for order in ([of_sets, of_areas], [of_areas, of_sets]):
        found = place_together(order, OPTIONS)
        assert found.n_areas == 28
        assert found.values[:, 0] == pytest.approx(found.values[:, 1])
        assert found.difference(0, 1).p_value == 1.0
    part = PlacedStatistic(
        pool=SetPool(ids=pool.ids, area=area, is_listed=np.arange(len(area)) < 2, stand_ins=pool.stand_ins),
        statistic=gaps,
    )
    assert place_together([part, of_areas], OPTIONS) is NOT_ALIKE


def test_other_treated_areas_other_starts_and_few_areas_are_refused():
    table = numbers(6)
    one, other = of_means(table, ["301"]), of_means(table, ["302"])
    assert place_together([one, other], OPTIONS) is OTHER_AREAS
    early, late = (of_means(table, ["301", "302"], starts=years) for years in ((2014, 2015), (2015, 2014)))
    assert place_together([early, late], OPTIONS) is OTHER_STARTS
    few = place_together([of_means(numbers(7, n=19), ["301"])] * 2, OPTIONS)
    assert isinstance(few, Unavailable)
    assert "20 are needed" in few.reason
    several = place_together([of_means(numbers(7, n=23), ["301", "302", "303"])] * 2, OPTIONS)
    assert isinstance(several, Unavailable)
    assert "at least 7 for each are needed" in several.reason


def test_an_interval_of_a_difference_needs_as_many_areas_as_the_kinds_own():
    found = [place_together([of_means(numbers(n, n=n), ["301"])] * 2, OPTIONS).difference(0, 1) for n in (39, 40)]
    assert isinstance(found[0].interval, Unavailable)
    assert not isinstance(found[1].interval, Unavailable)
