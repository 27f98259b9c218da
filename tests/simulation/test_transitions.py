"""False alarms of the difference in the share that moved to a better category, by sets, where nothing happened."""

import numpy as np
import pandas as pd
import pytest

from evalkit.design.project.areas import rest_of_england
from evalkit.design.project.set_rule import set_design
from evalkit.estimate.areas.sample import Changes
from evalkit.estimate.areas.set_effects import Placing
from evalkit.estimate.dose.listed import Listed, listed_effect_of

N_AREAS, N_EACH, N_LISTED = 45, 12, 8


def shares(n, seed, lift=0.0):
    """Yield the difference in the share that improved, areas having rates of their own."""
    random = np.random.default_rng(seed)
    area = np.repeat(np.arange(1, N_AREAS + 1), N_EACH)
    is_listed = (area == 1) & (np.arange(len(area)) % N_EACH < N_LISTED)
    keep, units = is_listed | (area != 1), pd.Index(np.arange(len(area)))
    comparison = rest_of_england([0, *range(2, N_AREAS + 1)], {0: (1,)}, ())
    for _ in range(n):
        rate = np.clip(0.3 + 0.1 * random.normal(size=N_AREAS), 0, 1)[area - 1] + lift * is_listed
        level = pd.Series(random.integers(0, 4, len(area)).astype(float))
        sets = set_design(level, pd.Series(area), units, units[is_listed], range(2, N_AREAS + 1))
        improved = 100.0 * (random.random(len(area)) < rate)
        changes = Changes(units[keep], np.where(is_listed, 0, area)[keep], improved[keep], np.ones(int(keep.sum())))
        placing = Placing(seed=1, n_sets=44 * 30, rule="simple")
        yield listed_effect_of(Listed(changes=changes, sets=sets, comparison=comparison, placing=placing))


def test_the_difference_is_what_was_planted():
    found = np.array([one.estimate for one in shares(40, 2, lift=0.2)])
    assert abs(found.mean() - 20) < 3 * found.std() / np.sqrt(40)


@pytest.mark.slow
def test_the_difference_rejects_no_more_often_than_it_says():
    p_values = np.array([one.p_value for one in shares(2000, 3)])
    # the share of eight schools moves in steps of an eighth, and ties count against an effect: less than the level
    for level in (0.05, 0.1, 0.2):
        error = np.sqrt(level * (1 - level) / 2000)
        assert level / 4 < np.mean(p_values <= level) < level + 3 * error
