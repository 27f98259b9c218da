"""Ranks of falsification tests on twenty made-up areas, by hand, and how often they are wrong by chance."""

import numpy as np
import pytest

from evalkit.core.quantities import Unavailable
from evalkit.diagnose.finding import CheckPower, Verdict
from evalkit.diagnose.project.falsification import (
    Falsification,
    joint_of,
    joint_statistic,
    rank_p_values,
    share_at_least,
)
from evalkit.estimate.areas.changes_arrays import group_effects, largest_influence

AREAS = np.arange(1, 21)
STEPS = np.arange(1, 21) / 10  # 0.1, 0.2 … 2.0
ODD = np.where(AREAS % 2, STEPS, -STEPS)
STRONG = CheckPower(violation=1.0, at_half=0.2, at_one=0.5, at_twice=1.0)
WEAK = CheckPower(violation=1.0, at_half=0.1, at_one=0.49, at_twice=1.0)


def made(statistic=ODD, treated=19, **changes):
    values = {"name": "a", "areas": AREAS, "statistic": np.asarray(statistic, float), "treated": treated}
    return Falsification(**(values | {"per_point": 1.0} | changes))


@pytest.mark.parametrize(
    ("treated", "p", "verdict"),
    [
        (19, 0.05, Verdict.SERIOUS),  # 2.0 is the largest in size: 1/20
        (18, 0.10, Verdict.CAUTION),  # 1.9: itself and 2.0, 2/20
        (16, 0.20, Verdict.CAUTION),  # 1.7: itself and 1.8, 1.9, 2.0, 4/20
        (15, 0.25, Verdict.REASSURING),  # 1.6: 5/20
        (0, 1.00, Verdict.REASSURING),  # 0.1: all twenty
    ],
)
def test_ranks_by_hand(treated, p, verdict):
    test = made(treated=treated)
    assert test.p_value == pytest.approx(p)
    assert test.n_as_large == round(20 * p)
    assert test.verdict(STRONG) is verdict


def test_a_test_that_was_passed_says_something_only_with_power():
    passed = made(treated=0)
    assert passed.verdict(STRONG) is Verdict.REASSURING  # power of one half is enough
    assert passed.verdict(WEAK) is Verdict.UNINFORMATIVE
    assert passed.verdict(Unavailable("One year.")) is Verdict.UNINFORMATIVE
    assert made(treated=18).verdict(WEAK) is Verdict.CAUTION  # power excuses nothing that was not passed
    assert made(treated=19).verdict(WEAK) is Verdict.SERIOUS
    assert made(treated=19, can_be_serious=False).verdict(STRONG) is Verdict.CAUTION


def test_equal_statistics_share_the_larger_p():
    # 3, 3 and −3 of five: each has three at least as large, 3/5; 1 and 0 have four and five.
    assert rank_p_values(np.array([3.0, 1.0, -3.0, 3.0 + 1e-15, 0.0])) == pytest.approx([0.6, 0.8, 0.6, 0.6, 1.0])


def test_power_by_hand():
    # The 19 others are ±0.1 … ±1.9, odd tenths up and even ones down. Found means larger than all of them:
    # (1 + 0)/20 = 0.05. With a flaw of one point upwards 1.1, 1.3 … 1.9 become 2.1 … 2.9 and are found; 0.9 becomes
    # 1.9, which ties with 1.9 and is not; the even tenths shrink: 5 of 19. Downwards −1.0, −1.2 … −1.8 become −2.0 …
    # −2.8: 5 of 19 again.
    assert made().detected(1.0) == pytest.approx(5 / 19)
    assert made().detected(0.0) == 0.0  # the largest other ties with itself
    assert made().detected(10.0) == 1.0
    assert made(per_point=0.5).detected(2.0) == pytest.approx(5 / 19)  # half a point of statistic for one of effect
    # The treated area's own statistic is in no power: it is known before outcomes.
    assert made(statistic=np.append(ODD[:-1], 99.0)).detected(1.0) == pytest.approx(5 / 19)
    found = made().power(1.0)
    assert (found.violation, found.at_one) == (1.0, pytest.approx(5 / 19))
    assert made().power(Unavailable("One year.")) == Unavailable("One year.")


def test_a_flaw_in_the_largest_part_replaces_it():
    # Statistics are largest parts 0.1 … 1.9; a part of 1.95 is the largest everywhere and above all: always found.
    test = made(statistic=STEPS, is_largest=True)
    assert test.detected(1.95) == 1.0
    assert test.detected(1.85) == 0.0  # 1.9 is larger still
    assert test.points == pytest.approx(2.0)


def test_the_joint_statistic_by_hand():
    # Three areas, two checks: p = (1/3, 2/3, 1) and (2/3, 1/3, 1). Q = −log(2/9), −log(2/9), 0: the first two tie.
    joint = joint_statistic(np.array([[1 / 3, 2 / 3, 1], [2 / 3, 1 / 3, 1]]))
    assert joint == pytest.approx([1.504077, 1.504077, 0.0], abs=1e-6)
    assert rank_p_values(joint) == pytest.approx([2 / 3, 2 / 3, 1])


def test_two_cautions_can_be_serious_together():
    # The treated area is second in both of two checks: p = 0.1 each, Q = −2 log 0.1 = 4.605. The others stand the other
    # way round in the second: the first of one is last of the other, Q = −log 0.05 − log 1 = 2.996; none has more.
    first = np.append(1.95, STEPS[1:])
    second = np.append(1.95, STEPS[1:][::-1])
    tests = [made(first, treated=0), made(second, treated=0, name="b")]
    assert [test.p_value for test in tests] == pytest.approx([0.1, 0.1])
    joint = joint_of(tests)
    assert joint.statistic[0] == pytest.approx(-2 * np.log(0.1))
    assert joint.p_value == pytest.approx(1 / 20)
    assert joint.names == ("a", "b")


def test_the_joint_test_is_of_areas_that_have_every_check():
    fewer = Falsification(name="b", areas=AREAS[1:], statistic=ODD[1:], treated=18, per_point=1.0)
    reason = joint_of([made(), fewer])
    assert isinstance(reason, Unavailable)
    assert "19 areas" in reason.reason  # and twenty are needed
    assert isinstance(joint_of([]), Unavailable)


def test_leaving_out_one_school_against_doing_so():
    draw = np.random.default_rng(7)
    group = np.repeat([0, 1, 2, 3], [5, 7, 3, 6])
    change, weight = draw.normal(size=21), draw.uniform(1, 4, 21)
    compared = np.array([[0, 1, 1, 0], [1, 0, 0, 1], [1, 1, 0, 1], [0, 1, 0, 0]], dtype=bool)
    whole = group_effects(change, weight, group, compared).effect
    moved = np.zeros(4)
    for out in range(21):
        kept = np.arange(21) != out
        without = group_effects(change[kept], weight[kept], group[kept], compared).effect
        moved = np.maximum(moved, np.abs(without - whole))
    assert largest_influence(change, weight, group, compared) == pytest.approx(moved, abs=1e-12)
    shifted = change + np.where(group == 1, 9.0, 0.0)  # what is added to a whole area moves nothing in its own row
    assert largest_influence(shifted, weight, group, compared)[1] == pytest.approx(moved[1], abs=1e-12)


def test_false_alarms_where_nothing_happened():
    # 149 areas, each in turn the treated one: 7/149 = 4.7% serious and 29/149 = 19.5% at least cautions, by
    # construction; of three independent checks at least one is serious in 1 − (1 − 7/149)³ = 13.4%.
    draw = np.random.default_rng(3)
    alone, any_serious, together = [], [], []
    for _ in range(200):
        p = np.array([rank_p_values(draw.standard_t(4, 149)) for _ in range(3)])
        alone.append((p <= 0.05).mean())
        assert (p <= 0.20).mean() == pytest.approx(29 / 149)
        any_serious.append((p <= 0.05).any(axis=0).mean())
        together.append((rank_p_values(joint_statistic(p)) <= 0.05).mean())
    assert np.mean(alone) == pytest.approx(7 / 149)
    assert np.mean(together) == pytest.approx(7 / 149, abs=1e-3)
    assert np.mean(any_serious) == pytest.approx(1 - (1 - 7 / 149) ** 3, abs=0.002)
    assert share_at_least(np.zeros(148), draw.normal(size=148), 0.05) == 0.0
