"""Nearest neighbours by hand, and against a slow search through every partner under every mixture of rules."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evalkit.core.errors import DesignError
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.arrays.greedy_space import Neighbours
from evalkit.design.arrays.pair_problem import PairProblem
from evalkit.design.match import match
from evalkit.design.matching_options import CovariateCaliper, NearestNeighbour
from evalkit.design.pair_distance import pair_space

SCORE = {"distance": "own", "own_score": "score"}


def units(treated, score, **columns) -> Baseline:
    """Units 1, 2, … with a score of their own; columns of numbers are covariates, of texts labels."""
    frame = pd.DataFrame({"treated": treated, "score": score, **columns})
    labels = tuple(name for name, values in columns.items() if isinstance(values[0], str))
    covariates = tuple(name for name in ("score", *columns) if name not in labels)
    return Baseline.from_frame(frame, BaselineRoles(treated="treated", covariates=covariates, labels=labels))


def partners(design) -> dict[int, list[int]]:
    """The partners of each unit of the target group, in the order in which they were taken."""
    focal, partner = ("treated", "comparison") if design.target == "ATT" else ("comparison", "treated")
    table = design.pair_table()
    return {int(unit): table[partner][table[focal] == unit].tolist() for unit in table[focal].unique()}


def matched(baseline, target="ATT", **options) -> dict[int, list[int]]:
    return partners(match(baseline, NearestNeighbour(**SCORE, **options), target))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        # 14 takes 6 (8 away, 30 is 16); 5 takes 30 (25; −22 is 27 away); 2 is left with −22
        ("largest", {1: [5], 2: [4], 3: [6]}),
        (None, {1: [5], 2: [4], 3: [6]}),
        # 2 takes 6 (4); 5 takes 30 (25); 14 is left with −22
        ("smallest", {1: [4], 2: [5], 3: [6]}),
        # 2 takes 6 (4); 14 takes 30 (16); 5 is left with −22
        ("id", {1: [4], 2: [6], 3: [5]}),
        # 5 and 6 are 1 apart; then 14 and 30 (16); then 2 and −22
        ("closest", {1: [5], 2: [6], 3: [4]}),
    ],
)
def test_whose_turn_it_is(order, expected):
    assert matched(units([1, 1, 1, 0, 0, 0], [2, 14, 5, 6, -22, 30]), order=order) == expected


def test_comparison_units_take_turns_by_ascending_score():
    """1 takes 2 (1 away, 9 is 8); 4 is left with 9. By descending score 4 would take 2 (2) and 1 would get 9."""
    data = units([0, 0, 1, 1], [4, 1, 2, 9])
    assert matched(data, "ATC") == {1: [4], 2: [3]}
    assert matched(data, "ATC", order="largest") == {1: [3], 2: [4]}


def test_of_equal_turns_the_earlier_id_comes_first():
    assert matched(units([1, 1, 0, 0], [5, 5, 5, 1])) == {1: [3], 2: [4]}


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([5, 7, 3], 3),  # both 2 away: the lower score, though its id is later
        ([5, 7, 7], 2),  # equal scores above: the earlier id
        ([5, 5, 5], 2),  # the unit's own score counts as above
        ([5, 3, 3], 3),  # equal scores below are walked downwards, from the later id
        ([5, 5, 4], 2),
    ],
)
@pytest.mark.parametrize("rules", [{}, {"replacement": True}, {"order": "closest"}, {"caliper": 100.0}])
def test_of_partners_as_near_as_each_other(scores, expected, rules):
    assert matched(units([1, 0, 0], scores), **rules) == {1: [expected]}


def test_over_covariates_the_earlier_id_wins():
    """Units 2 to 5 are one step from unit 1 in x; 6 has no step to go and 7 is far."""
    data = units([1, 0, 0, 0, 0, 1, 0], [0] * 7, x=[5, 4, 6, 4, 6, 9, 1])
    option = NearestNeighbour(distance="own", own_score="score", mahalanobis_on=("x",), ratio=3, order="id")
    # unit 1 takes 2, then 3 and 4; unit 6 (at 9) takes 3, 5 (at 6, 3 away) and then what is left
    assert partners(match(data, option)) == {1: [2, 4], 6: [3, 5, 7]}


def test_everyone_has_a_first_partner_before_anyone_has_a_second():
    """100 takes 98, 90 takes 97; then 100 takes 50 and 90 takes 40. In one go 100 would take 98 and 97."""
    assert matched(units([1, 1, 0, 0, 0, 0], [100, 90, 98, 97, 50, 40]), ratio=2) == {1: [3, 5], 2: [4, 6]}


def test_a_variable_ratio_gives_most_to_low_scores():
    """Four units at a mean of 2 between 1 and 4: 4 beyond the first are shared, 3 to the lowest and 1 to the next."""
    data = units([1] * 4 + [0] * 8, [8, 1, 6, 3, *range(8)])
    found = matched(data, ratio=2, fewest=1, most=4)
    assert {unit: len(taken) for unit, taken in found.items()} == {1: 1, 2: 4, 3: 1, 4: 2}


def test_a_partner_serves_as_often_as_it_may():
    """12 and 11 take 10; 10 itself comes third and gets 0. With three uses all take 10."""
    data = units([1, 1, 1, 0, 0], [12, 11, 10, 10, 0])
    assert matched(data, reuse_limit=2) == {1: [4], 2: [4], 3: [5]}
    assert matched(data, reuse_limit=3) == {1: [4], 2: [4], 3: [4]} == matched(data, replacement=True)


def test_weights_share_a_focal_unit_among_its_partners():
    """Unit 1 has two partners (½ each), unit 2 one of them (1): 1½ and ½, whose sum is 2, the number of partners."""
    data = units([1, 1, 0, 0], [10, 4, 9, 12], place=["a", "b", "b", "a"])
    option = NearestNeighbour(
        **SCORE, ratio=2, replacement=True, calipers={"score": CovariateCaliper(width=5.5, in_units=True)}
    )
    design = match(data, option)
    assert partners(design) == {1: [3, 4], 2: [3]}
    assert design.weights.tolist() == [1, 1, 1.5, 0.5]
    assert design.strata is None


def test_partners_of_the_same_place_come_first():
    """Unit 2 has the same score, unit 3 is of the same place: 3 first, and 2 for a second partner."""
    data = units([1, 0, 0], [10, 10, 3], place=["a", "b", "a"])
    assert matched(data) == {1: [2]}
    assert matched(data, within_first="place") == {1: [3]}
    assert matched(data, within_first="place", ratio=2) == {1: [3, 2]}
    # unit 4, of b, has its turn first and would take 2 and 3 (9 and 2 away): it may have 3 only after 1 has had it
    assert matched(units([1, 0, 0, 1], [10, 20, 3, 11], place=["a", "b", "a", "c"]), within_first="place") == {
        1: [3],
        4: [2],
    }


def test_a_caliper_is_in_sds_of_the_score_over_all_units():
    """The SD of 1, …, 5 is √(10/4) = 1.581: 0.6 of it is 0.949, 0.7 of it 1.107, and the nearest partner is 1 away."""
    data = units([1, 0, 0, 0, 0], [5, 1, 2, 3, 4])
    assert matched(data, caliper=0.7) == {1: [5]}
    with pytest.raises(DesignError, match="No treated unit is left after matching"):
        matched(data, caliper=0.6)


def test_calipers_of_covariates():
    """Ages 30, 33, 36, 40 have the SD √(52.75/3) = 4.19: 0.7 of it is 2.94, 0.8 of it 3.35."""
    data = units([1, 0, 0, 0], [5, 9, 6, 5], age=[30, 33, 36, 40])
    assert matched(data) == {1: [4]}
    assert matched(data, calipers={"age": CovariateCaliper(width=6, in_units=True)}) == {1: [3]}
    assert matched(data, calipers={"age": CovariateCaliper(width=0.8)}) == {1: [2]}
    with pytest.raises(DesignError, match="No treated unit is left"):
        matched(data, calipers={"age": CovariateCaliper(width=0.7)})


def test_labels_that_partners_share_or_do_not_share():
    data = units([1, 1, 0, 0], [5, 7, 5, 1], place=["a", "b", "b", "a"])
    assert matched(data, exact=("place",)) == {1: [4], 2: [3]}
    assert matched(data, anti_exact=("place",)) == {1: [3], 2: [4]}
    with pytest.raises(DesignError, match="no column 'palce'"):
        matched(data, exact=("palce",))


@pytest.mark.parametrize(
    ("side", "discarded"), [("none", []), ("treated", [1, 3]), ("comparison", [4]), ("both", [1, 3, 4])]
)
def test_common_support(side, discarded):
    """Treated scores 1, 5 and 9, comparison scores 0, 4 and 6: 1 and 9 … only 9 is above 6, 1 lies within 0 to 6."""
    data = units([1, 1, 1, 0, 0, 0], [-1, 5, 9, -3, 4, 6] if side != "none" else [1, 5, 9, 0, 4, 6])
    assert match(data, NearestNeighbour(**SCORE, common_support=side)).discarded.sum() == 0 or discarded
