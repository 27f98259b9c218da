"""The line with those outside at a dose of 0: least squares on the stacked areas, for the list and for any set."""

from dataclasses import replace

import numpy as np
import pytest

from evalkit.estimate.areas.set_draws import Sets
from evalkit.estimate.dose.against_comparison import DoseGaps, doses_by_place

AREA = np.repeat([1, 2, 3, 4], 5)
"""Units 0–1 of area 1 and 5–7 of area 2 are listed; areas 3 and 4 are compared with."""
LISTED = np.isin(np.arange(20), (0, 1, 5, 6, 7))
DOSE = np.where(LISTED, np.arange(20) % 5 + 1.0, 0.0)
CHANGE = np.random.default_rng(2).normal(size=20) + 0.4 * DOSE


def gaps(change=CHANGE, rank=None):
    means = np.array([change[15:].mean(), change[10:15].mean(), change[15:].mean(), change[10:15].mean()])
    return DoseGaps(
        change=change,
        dose=DOSE,
        rank=np.arange(20) if rank is None else rank,
        codes=np.array([1, 2, 3, 4]),
        compared=means,  # area 1 with 4, 2 with 3, 3 with 4, 4 with 3
        n_compared=np.full(4, 5.0),
        by_place=doses_by_place(DOSE, AREA, LISTED.tolist(), (1, 2)),
        listed=(1, 2),
        seed=5,
    )


OWN = Sets(members=np.array([[0, 1, 5, 6, 7]]), place=np.array([0, 0, 1, 1, 1]), areas=np.array([[1, 2]]))


def stacked(change):
    rows = [*[(0, at) for at in (0, 1, *range(15, 20))], *[(1, at) for at in (5, 6, 7, *range(10, 15))]]
    block, unit = (np.array(column) for column in zip(*rows, strict=True))
    columns = np.column_stack([block == 0, block == 1, DOSE[unit]]).astype(float)
    return float(np.linalg.lstsq(columns, change[unit], rcond=None)[0][-1])


def test_it_is_least_squares_over_each_area_with_what_it_is_set_against():
    assert gaps()(OWN)[0, 0] == pytest.approx(stacked(CHANGE), rel=1e-12)


def test_a_set_elsewhere_gets_the_doses_of_the_list_whatever_the_order_of_members_and_rows():
    elsewhere = Sets(
        members=np.array([[10, 12, 15, 17, 18], [12, 10, 18, 15, 17], [10, 13, 15, 17, 18]]),
        place=OWN.place,
        areas=np.array([[3, 4]] * 3),
    )
    found = gaps()(elsewhere)[:, 0]
    assert found[0] == pytest.approx(found[1], rel=1e-12)
    assert found[0] != pytest.approx(found[2], rel=1e-3)
    alike = gaps(change=np.where(np.arange(20) < 10, CHANGE, 1.0))(elsewhere)[:, 0]
    np.testing.assert_allclose(alike, 0.0, atol=1e-12)  # members change as those compared do: no slope
    # a change that is 2 for each unit of the dose that the set was dealt gives 2, whoever got which
    doses = gaps()._doses(elsewhere.members[:1, :2], 0, np.array([3]))
    assert sorted(doses[0].tolist()) == [1.0, 2.0]
    again = gaps()._doses(elsewhere.members[:1, 2:], 1, np.array([4]))
    assert sorted(again[0].tolist()) == [1.0, 2.0, 3.0]


def test_a_place_of_other_size_takes_doses_from_all_over_the_list():
    wide = gaps()._doses(np.array([[10, 11, 12, 13, 14, -1]]), 1, np.array([3]))
    assert sorted(wide[0].tolist()) == [0.0, 1.0, 1.0, 2.0, 3.0, 3.0]
    one = gaps()._doses(np.array([[10, -1, -1]]), 1, np.array([3]))
    assert one[0].tolist() == [2.0, 0.0, 0.0]  # the middle one


def test_the_dealing_is_even():
    rng = np.random.default_rng(0)
    members = np.argsort(rng.random((4000, 100)), axis=1)[:, :3]
    many = replace(gaps(), change=np.zeros(100), dose=np.zeros(100), rank=np.arange(100))
    doses = many._doses(members, 1, np.full(4000, 3))
    for dose in (1.0, 2.0, 3.0):  # each column holds each dose in a third of the sets: three Monte Carlo errors
        assert np.abs((doses == dose).mean(axis=0) - 1 / 3).max() < 3 * np.sqrt(2 / 9 / 4000)
    means = np.array([doses[members == unit].mean() for unit in range(100)])
    # 120 or so sets hold each unit, in which it has 1, 2 or 3: means of 2 with a spread of √(2/3) / √120 = 0.075
    assert means.std() == pytest.approx(np.sqrt(2 / 3 / 120), rel=0.25)
