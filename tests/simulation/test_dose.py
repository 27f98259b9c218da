"""Size, coverage and bias of the line by dose, of the line with those outside at 0, and of the effect at a threshold.

No dose does anything unless it is said. Where the dose follows need, slopes compared as they are would reject far too
often: dealt-out doses do not go with the level before, and their slopes are known more closely.
"""

import numpy as np
import pandas as pd
import pytest

from evalkit.design.project.areas import rest_of_england
from evalkit.design.project.set_rule import set_design
from evalkit.estimate.areas.sample import Changes
from evalkit.estimate.areas.set_effects import Placing
from evalkit.estimate.dose.listed import Listed, Threshold, area_shock, listed_effect_of, threshold_effect
from evalkit.estimate.dose.within import SlopeOptions, dose_slope

N_AREAS, N_EACH, N_LISTED = 45, 12, 8


def of_participants(random, need, effect=0.0):
    """Return change, dose, area and level before of 24 participants in two areas."""
    area = np.repeat([1, 2], 12)
    level = random.normal(size=24)
    dose = np.clip(np.round(6 - need * level + 2 * random.normal(size=24)), 0, None)
    return effect * dose - 0.4 * level + area + random.normal(size=24), dose, area, level[:, None]


def lines(n, need, effect, n_draws):
    random = np.random.default_rng([n, int(10 * need)])
    for at in range(n):
        yield dose_slope(*of_participants(random, need, effect), SlopeOptions(seed=at, n_draws=n_draws))


@pytest.mark.parametrize("need", [0.0, 5.0])
def test_the_line_rejects_and_covers_as_it_says(need):
    found = [*lines(500, need, 0.3, 199)]
    covers = [one.interval.lower <= 0.3 <= one.interval.upper for one in found]
    # three Monte Carlo errors of 0.95 at 500 draws: 0.029
    assert abs(np.mean(covers) - 0.95) < 0.03
    errors = np.array([one.estimate - 0.3 for one in found])
    assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(500)


@pytest.mark.slow
@pytest.mark.parametrize("need", [0.0, 1.0, 5.0])
def test_the_line_rejects_as_it_says_over_many_draws(need):
    p = np.array([one.p_value for one in lines(4000, need, 0.0, 999)])
    assert abs((p <= 0.05).mean() - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 4000)


def outside(random, *, dose_effect=0.0, at_threshold=0.0):
    """Return eight listed units of one area and all of 44 others, and the doses of the listed."""
    area = np.repeat(np.arange(1, N_AREAS + 1), N_EACH)
    is_listed = (area == 1) & (np.arange(len(area)) % N_EACH < N_LISTED)
    level = pd.Series(random.normal(size=len(area)))
    shock = random.normal(size=N_AREAS) * 0.4
    change = shock[area - 1] - 0.4 * level.to_numpy() + random.normal(size=len(area))
    dose = pd.Series(np.clip(np.round(5 - 3 * level[is_listed] + random.normal(size=N_LISTED)), 0, None))
    change[is_listed] += dose_effect * dose + at_threshold * (dose >= 5)
    group = np.where(is_listed, 0, area)
    keep = is_listed | (area != 1)
    units = pd.Index(np.arange(len(area)))
    comparison = rest_of_england([0, *range(2, N_AREAS + 1)], {0: (1,)}, ())
    sets = set_design(level, pd.Series(area), units, units[is_listed], range(2, N_AREAS + 1))
    changes = Changes(units[keep], group[keep], change[keep], np.ones(int(keep.sum())))
    placing = Placing(seed=1, n_sets=44 * 40, rule="simple")
    return Listed(changes=changes, sets=sets, comparison=comparison, placing=placing), dose


def at_zero(n, seed):
    random = np.random.default_rng(seed)
    for _ in range(n):
        listed, dose = outside(random)
        yield area_shock(listed, dose, holds_before=True), area_shock(listed, dose)


def test_the_line_with_those_outside_holds_where_each_stood_before():
    found = [*at_zero(60, 3)]
    held, bare = (np.array([one[at].estimate for one in found]) for at in (0, 1))
    assert abs(held.mean()) < 3 * held.std() / np.sqrt(60)
    # low units that had more rise by themselves: Σd(0.4 · need)/Σd² is 0.4 · 3/(25 + 9 + 1) or so, 0.03 a unit
    assert (bare - held).mean() == pytest.approx(0.034, abs=0.01)


@pytest.mark.slow
def test_the_line_with_those_outside_and_the_threshold_reject_as_they_say():
    found = [one[0].p_value <= 0.05 for one in at_zero(2000, 4)]
    # 2 of 45 areas is 4.4%; three Monte Carlo errors at 2,000 draws are 1.4%
    assert abs(np.mean(found) - 2 / 45) < 0.02
    random, covers, values = np.random.default_rng(6), [], []
    for _ in range(1000):
        listed, dose = outside(random, at_threshold=1.5)
        whole = listed_effect_of(listed)
        made = threshold_effect(listed, dose, Threshold(5.0, "none"), whole)
        if isinstance(made.estimate, float):
            values.append(made.estimate)
            covers.append(1.5 in made.values)
    assert np.mean(covers) > 0.93
    assert abs(np.median(values) - 1.5) < 0.15
