"""A rehearsal where nothing happened: ranks and means by hand, and what lists of low results do."""

import numpy as np
import pytest

from evalkit.core.quantities import Unavailable
from evalkit.diagnose.power.rehearsal import Judgement, OwnChange, PseudoProgrammes, not_rehearsed, rehearse_outcome
from evalkit.diagnose.power.rehearsal_arrays import over_areas, rank_p_values

NONE = OwnChange(listed=Unavailable("-"), others=Unavailable("-"))


def test_each_pseudo_programme_is_ranked_among_the_other_areas():
    # three areas with one set each, T = 1, −2, 3: as large as 1 are 1, −2 and 3; as 2 two; as 3 one
    statistic, area = np.array([1.0, -2.0, 3.0]), np.array([0, 1, 2])
    assert rank_p_values(statistic, area, statistic, area, 0.0) == pytest.approx([3 / 3, 2 / 3, 1 / 3])


def test_sets_of_an_area_share_its_weight_and_its_own_are_left_out():
    statistic, area = np.array([2.0]), np.array([0])
    others, place = np.array([9.0, 9.0, 1.0, 3.0, 1.0]), np.array([0, 0, 1, 1, 2])
    # its own area's sets are left out; of area 1 one in two is as large, of area 2 none: (1 + .5 + 0) / 3
    assert rank_p_values(statistic, area, others, place, 0.0) == pytest.approx([1.5 / 3])


def test_what_sets_gain_is_taken_off_both():
    statistic, area = np.array([5.0, 1.0, 3.0]), np.array([0, 1, 2])
    # less 3: 2, −2, 0: as large as 2 are two of three
    assert rank_p_values(statistic, area, statistic, area, 3.0) == pytest.approx([2 / 3, 2 / 3, 3 / 3])


def test_means_are_of_areas_not_of_sets():
    # area 0: 0 and 2, mean 1; area 1: 4. Mean 2.5, standard error of 1 and 4: 2.121 / √2 = 1.5
    assert over_areas(np.array([0.0, 2.0, 4.0]), np.array([0, 0, 1])) == pytest.approx((2.5, 1.5))


def made(seed=1, n_areas=100, n_schools=40, n_listed=8):
    """Lists of the lowest and random lists of every area, with noise in the year they are chosen by."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=(n_areas, n_schools))
    before, after = ability + rng.normal(size=ability.shape), ability + rng.normal(size=ability.shape)
    change = after - before - (after - before).mean(axis=1, keepdims=True) + 0.2 * rng.normal(size=(n_areas, 1))
    lowest = np.take_along_axis(change, before.argsort(axis=1)[:, :n_listed], axis=1).mean(axis=1)
    at_random = change[:, :n_listed].mean(axis=1)
    area = np.arange(n_areas)
    return PseudoProgrammes(statistic=lowest, area=area), PseudoProgrammes(statistic=at_random, area=area)


def test_a_list_of_low_schools_gains_where_nothing_happened_and_random_sets_call_it_an_effect():
    lowest, at_random = made()
    by_rule = Judgement(judged_by="rule", among=lowest, is_centred=True)
    found = rehearse_outcome(
        ("Y", "points"), lowest, (by_rule, Judgement(judged_by="random", among=at_random, is_centred=False)), NONE
    )
    assert found.bias > 0.8  # half of the spread in the year of choice is chance
    assert found.left == pytest.approx(0, abs=1e-12)
    assert found.rejections[0].share == pytest.approx(5 / 100)
    # the gain of 0.9 is some two standard deviations of a random list of eight: far more than one in twenty
    assert found.rejections[1].share > 0.2
    assert found.coverage == pytest.approx(0.95)


def test_larger_effects_are_found_more_often():
    lowest, _ = made()
    found = rehearse_outcome(("Y", "points"), lowest, (Judgement(judged_by="r", among=lowest, is_centred=True),), NONE)
    shares = [one.share for one in found.planted]
    assert shares == sorted(shares)
    # 2.8 standard deviations are found four times in five, as far as 100 areas can tell
    assert shares[1] == pytest.approx(0.8, abs=0.12)


def test_few_areas_say_nothing_of_false_alarms():
    lowest, _ = made(n_areas=12)
    found = rehearse_outcome(("Y", "points"), lowest, (Judgement(judged_by="r", among=lowest, is_centred=True),), NONE)
    assert "Fewer than 20 areas" in found.rejections[0].share.reason
    assert isinstance(found.bias, float)


def test_what_cannot_be_rehearsed_says_why():
    assert not_rehearsed(("Y", "points"), "Nobody.").bias.reason == "Nobody."
