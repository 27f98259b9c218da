"""Power by simulation: counting by hand, and draws under the design's constraints."""

import math

import numpy as np
import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.design.power.simulation import placebo_sets, simulated_power


def test_power_is_a_share_counted_by_hand():
    # placebo effects −2 … 2, each needing more than 1.5: found without an effect: −2, 2; with 1: 1 → 2, 2 → 3 and
    # −2 → −1 not: 2 of 5; with 2: 0, 1, 2 → 2, 3, 4 of 5.
    found = simulated_power(np.arange(-2.0, 3.0), np.full(5, 1.5), [0.0, 1.0, 2.0])
    assert [point.power for point in found.curve] == [0.4, 0.4, 0.6]
    # two more of either kind: (2 + 2)/(5 + 4) = 4/9, error √(4/9 · 5/9 / 9) = √(20/729)
    assert found.curve[0].monte_carlo_error == pytest.approx(math.sqrt(20 / 729))
    assert isinstance(found.effect, Unavailable)
    assert "Only 5 placebo sets" in found.effect.reason


def test_the_effect_found_with_the_power_asked_for():
    # critical − placebo = 1, 2, …, 100: 80 of 100 are found just above 80
    found = simulated_power(np.zeros(100), np.arange(1.0, 101.0), [80.0, 80.001], 0.8)
    assert found.effect == 80
    assert [point.power for point in found.curve] == [0.79, 0.80]  # `more than` is needed
    # 80 ± 1.96·√(100·0.8·0.2) = 72.16 to 87.84: the 72nd and the 88th
    assert found.effect_interval == Interval(72, 88, 0.95)


def test_a_test_that_can_never_reject_has_no_such_effect():
    found = simulated_power(np.zeros(30), np.full(30, np.inf), [1.0])
    assert found.curve[0].power == 0
    assert "cannot reject" in found.effect.reason


@pytest.mark.parametrize(
    ("placebo", "critical", "power"),
    [
        (np.zeros(0), np.zeros(0), 0.8),
        (np.zeros(3), np.zeros(2), 0.8),
        (np.array([np.nan]), np.zeros(1), 0.8),
        (np.zeros(3), np.zeros(3), 1.0),
    ],
)
def test_impossible_questions_are_refused(placebo, critical, power):
    with pytest.raises(DesignError):
        simulated_power(placebo, critical, [0.0], power)


GROUP = np.repeat([10, 20, 30, 40], [2, 5, 6, 9])


def test_sets_have_the_areas_and_schools_of_the_programme():
    sets = placebo_sets(GROUP, [4, 3], [10, 20, 30, 40], 200, seed=1)
    for rows in sets:
        assert len(set(rows.tolist())) == 7
        areas, counts = np.unique(GROUP[rows], return_counts=True)
        assert 10 not in areas  # two schools: room for neither
        assert sorted(counts.tolist()) == [3, 4]
    assert {area for rows in sets for area in GROUP[rows].tolist()} == {20, 30, 40}


def test_only_usable_areas_are_drawn():
    sets = placebo_sets(GROUP, [2], [10, 40], 50, seed=1)
    assert {area for rows in sets for area in GROUP[rows].tolist()} == {10, 40}


def test_the_seed_fixes_the_sets():
    one, again, other = (placebo_sets(GROUP, [3, 2], [20, 30, 40], 20, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("treated", [[10], [6, 6, 6], [], [5, 5, 5, 5]])
def test_sets_that_cannot_exist_are_refused(treated):
    with pytest.raises(DesignError, match="no placebo set can be drawn"):
        placebo_sets(GROUP, treated, [10, 20, 30, 40], 5, seed=1)
