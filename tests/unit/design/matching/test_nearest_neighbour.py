"""Nearest neighbours by hand, and against a slow search through every partner under every mixture of rules."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evalkit.core.errors import DesignError
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching import greedy_arrays as line
from evalkit.design.matching.greedy_arrays import NearbyPartners
from evalkit.design.matching.match import match
from evalkit.design.matching.options import CovariateCaliper, NearestNeighbour
from evalkit.design.matching.pairs import pair_space
from evalkit.design.matching.pairs_arrays import PairProblem

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


@pytest.mark.parametrize(
    ("ratio", "expected"), [(1, {1: [2], 6: [3]}), (2, {1: [2, 4], 6: [3, 5]}), (3, {1: [2, 4, 7], 6: [3, 5]})]
)
@pytest.mark.parametrize("scale", [1, -1])
def test_over_covariates_the_earlier_id_wins(ratio, expected, scale):
    """Unit 1 is at 5, unit 6 at 9. Units 2 and 4 are at 4, 3 and 5 at 6, all one step from 1; 7 is at 1.

    First 1 takes 2, and 6 takes 3 (5 is as near). Then 1 takes 4 (5 is as near) and 6 takes 5; then 1 takes 7.
    """
    data = units([1, 0, 0, 0, 0, 1, 0], [0] * 7, x=[scale * one for one in (5, 4, 6, 4, 6, 9, 1)])
    option = NearestNeighbour(**SCORE, mahalanobis_on=("x",), ratio=ratio, order="id")
    assert partners(match(data, option)) == expected


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
    # unit 4 has its turn first and would take 3 (8 away, 2 is 9): unit 1, of the same place as 3, goes before it
    data = units([1, 0, 0, 1], [10, 20, 3, 11], place=["a", "b", "a", "c"])
    assert matched(data) == {1: [2], 4: [3]}
    assert matched(data, within_first="place") == {1: [3], 4: [2]}


def test_a_caliper_is_in_sds_of_the_score_over_all_units():
    """The SD of 1, …, 5 is √(10/4) = 1.581: 0.6 of it is 0.949, 0.7 of it 1.107, and the nearest partner is 1 away."""
    data = units([1, 0, 0, 0, 0], [5, 1, 2, 3, 4])
    assert matched(data, caliper=0.7) == {1: [5]}
    with pytest.raises(DesignError, match="No treated unit is left after matching"):
        matched(data, caliper=0.6)


@pytest.mark.parametrize("use", [{}, {"replacement": True}, {"ratio": 2}])
def test_a_caliper_of_nothing_leaves_equal_scores(use):
    """Scores 1 2 3 and 1 1 2.5: unit 1 has two partners with its own score, the others none."""
    data = units([1, 1, 1, 0, 0, 0], [1, 2, 3, 1, 1, 2.5])
    design = match(data, NearestNeighbour(**SCORE, caliper=0.0, **use))
    assert partners(design) == {1: [4, 5] if "ratio" in use else [4]}


@pytest.mark.parametrize("width", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("on", ["the score", "'score'"])
def test_a_caliper_is_a_number_from_nothing_on(width, on):
    rules = {"caliper": width} if on == "the score" else {"calipers": {"score": CovariateCaliper(width=width)}}
    with pytest.raises(DesignError, match=f"The caliper on {on} is negative or not a number"):
        match(units([1, 1, 0, 0], [1, 2, 2, 3]), NearestNeighbour(**SCORE, **rules))


def test_calipers_of_covariates():
    """Ages 30, 33, 36, 40 have the SD √(54.75/3) = 4.27: 0.7 of it is 2.99, 0.8 of it 3.42."""
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


@pytest.mark.parametrize(("side", "discarded"), [("none", []), ("treated", [3]), ("comparison", [4]), ("both", [3, 4])])
def test_common_support(side, discarded):
    """Treated scores are 3, 5, 9 and comparison scores 0, 4, 6: 9 is above all of these, 0 below all of those."""
    data = units([1, 1, 1, 0, 0, 0], [3, 5, 9, 0, 4, 6])
    design = match(data, NearestNeighbour(**SCORE, common_support=side))
    assert data.units.index[design.discarded].tolist() == discarded
    assert not set(discarded) & {*design.pair_table()["treated"], *design.pair_table()["comparison"]}
    assert any("outside the range" in note for note in design.notes) == bool(discarded)


def test_more_treated_than_comparison_units():
    design = match(units([1, 1, 1, 0, 0], [9, 5, 1, 8, 2]), NearestNeighbour(**SCORE))
    assert partners(design) == {1: [4], 2: [5]}
    assert str(design.estimand) == "ATT_AMONG_MATCHED"
    assert design.notes[0].startswith("1 unit of the target group found no partner: none that is permitted was left")


@pytest.mark.parametrize(("treated", "pairs"), [([1, 0, 0], {1: [3]}), ([1, 1, 0], {2: [3]})])
def test_one_unit_in_an_arm(treated, pairs):
    """5 and 7 are 2 apart, 5 and 8 are 3; 8 takes its turn first."""
    assert matched(units(treated, [5, 8, 7])) == pairs


def test_fewer_partners_than_asked_for_are_a_note():
    design = match(units([1, 0, 0], [5, 8, 7]), NearestNeighbour(**SCORE, ratio=3))
    assert partners(design) == {1: [3, 2]}
    assert design.notes == ("Some units have fewer than 3 partners, because no more were permitted or left.",)
    assert match(units([1, 0], [5, 8]), NearestNeighbour(**SCORE, ratio=2, replacement=True)).n_comparison == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"ratio": 0}, "whole numbers from 1 on"),
        ({"reuse_limit": 0}, "whole numbers from 1 on"),
        ({"replacement": True, "reuse_limit": 2}, "leave the reuse limit out"),
        ({"fewest": 1}, "needs both ends"),
        ({"fewest": 2, "most": 4}, "cannot have the mean 1"),
        ({"distance": "mahalanobis", "order": "largest"}, "needs a score, which the distance 'mahalanobis' has not"),
        ({"mahalanobis_on": ("score",), "order": "closest"}, "inside a caliper use another order"),
        ({"distance": "mahalanobis", "ratio": 2, "fewest": 1, "most": 3}, "goes by the score"),
        ({"calipers": {"place": CovariateCaliper(width=1)}}, "'place' is a category, so it has no caliper"),
    ],
)
def test_options_that_exclude_each_other(options, sentence):
    data = units([1, 1, 0, 0], [5, 4, 8, 7], place=["a", "b", "a", "b"])
    with pytest.raises(DesignError, match=sentence):
        match(data, NearestNeighbour(**{**SCORE, **options}))


def test_there_is_no_effect_on_everyone():
    with pytest.raises(DesignError, match="For the ATE use full matching"):
        matched(units([1, 0], [5, 8]), "ATE")


@pytest.mark.parametrize("distance", ["mahalanobis", "robust-mahalanobis", "euclidean"])
def test_distances_that_do_not_exist(distance):
    with pytest.raises(DesignError, match="The covariate 'x' has the same value for every unit"):
        match(units([1, 0, 0, 1], [5, 8, 4, 1], x=[2, 2, 2, 2]), NearestNeighbour(distance=distance))
    with pytest.raises(DesignError, match="unit is in the data, so there is nothing to compare"):
        match(units([0, 0, 0], [5, 8, 4]), NearestNeighbour(distance=distance))


@pytest.mark.parametrize("distance", ["mahalanobis", "robust-mahalanobis", "euclidean"])
def test_a_covariate_given_twice_adds_nothing_but_to_euclidean_distances(distance):
    random = np.random.default_rng(5)
    x, treated = random.normal(size=40), (random.random(40) < 0.3).astype(int)
    one = match(units(treated, random.permutation(40), x=x), NearestNeighbour(distance=distance))
    two = match(
        units(treated, one.baseline.covariates["score"].to_numpy(), x=x, y=x), NearestNeighbour(distance=distance)
    )
    assert (one.total_distance == pytest.approx(two.total_distance)) == (distance != "euclidean")


# A slow search through every partner


ROWS = st.lists(
    st.tuples(
        st.booleans(),  # treated
        st.integers(0, 6),  # score
        st.sampled_from("ab"),  # place
        st.sampled_from("xyz"),  # kind
        st.integers(0, 4),  # age
        st.integers(0, 3),  # size
    ),
    min_size=3,
    max_size=16,
)
OPTIONS = st.fixed_dictionaries(
    {
        "exact": st.sampled_from([(), ("place",)]),
        "anti_exact": st.sampled_from([(), (), ("kind",)]),
        "caliper": st.sampled_from([None, None, 0.5, 1.0]),
        "calipers": st.sampled_from(
            [{}, {}, {"age": CovariateCaliper(width=2, in_units=True)}, {"age": CovariateCaliper(width=0.6)}]
        ),
        "common_support": st.sampled_from(["none", "none", "treated", "both"]),
        "ratio": st.integers(1, 3),
        "within_first": st.sampled_from([None, None, "place", "kind"]),
    }
)
USE = st.sampled_from([{}, {"reuse_limit": 2}, {"replacement": True}])


def drawn(rows) -> Baseline:
    treated, score, place, kind, age, size = (list(column) for column in zip(*rows, strict=True))
    if not 0 < sum(treated) < len(treated):
        assume(False)
    return units([int(one) for one in treated], score, place=place, kind=kind, age=age, size=size)


def permitted(data: Baseline, option: NearestNeighbour) -> np.ndarray:
    """Return whether each two units may be paired, shape (n, n)."""
    fine = np.ones((len(data.units), len(data.units)), dtype=bool)
    for names, wanted in ((option.exact, True), (option.anti_exact, False)):
        for name in names:
            fine &= is_same(data, name) == wanted
    limits = [(name, one.width, one.in_units) for name, one in option.calipers.items()]
    limits += [("score", option.caliper, False)] if option.caliper is not None else []
    for name, width, in_units in limits:
        values = data.label(name)
        apart = np.abs(values.to_numpy()[:, None] - values.to_numpy())
        fine &= apart <= width * (1 if in_units else values.std())
    return fine


def is_same(data: Baseline, name: str) -> np.ndarray:
    values = data.label(name).to_numpy(dtype=object)
    return values[:, None] == values


def slow_pairs(data: Baseline, option: NearestNeighbour, target: str, key) -> dict[int, list[int]]:
    """Each unit in its turn looks at everyone; `key(unit, partner)` is the smallest for the partner it takes."""
    score, is_treated = data.covariates["score"].to_numpy(), data.is_treated
    lost = np.zeros(len(score), dtype=bool)
    for side, arm in (("treated", is_treated), ("comparison", ~is_treated)):
        if option.common_support in (side, "both"):
            lost |= arm & ((score < score[~arm].min()) | (score > score[~arm].max()))
    focal = np.flatnonzero((is_treated if target == "ATT" else ~is_treated) & ~lost).tolist()
    pool = np.flatnonzero((is_treated if target == "ATC" else ~is_treated) & ~lost).tolist()
    towards = {"largest": -1, "smallest": 1, "id": 0, "closest": 0}[
        option.order or ("largest" if target == "ATT" else "smallest")
    ]
    focal.sort(key=lambda unit: (towards * score[unit], unit))
    left = dict.fromkeys(pool, 10**6 if option.replacement else option.reuse_limit or 1)
    taken: dict[int, list[int]] = {unit: [] for unit in focal}
    fine = permitted(data, option)
    passes = [fine & is_same(data, option.within_first), fine] if option.within_first else [fine]
    for may in passes:

        def choices(unit, may=may):
            return [
                (key(unit, partner), partner)
                for partner in pool
                if left[partner] > 0 and partner not in taken[unit] and may[unit, partner]
            ]

        for round_ in range(1, option.ratio + 1):
            waiting = [unit for unit in focal if len(taken[unit]) < round_]
            while waiting:
                offers = [(min(found), at) for at, unit in enumerate(waiting) if (found := choices(unit))]
                if not offers:
                    break
                if option.order == "closest":
                    (_, partner), at = min(offers, key=lambda offer: (offer[0][0][0], offer[1]))
                else:
                    (_, partner), at = min(offers, key=lambda offer: offer[1])
                unit = waiting.pop(at)
                taken[unit].append(partner)
                left[partner] -= 1
    return {unit + 1: [one + 1 for one in some] for unit, some in sorted(taken.items()) if some}


def require_as_slow(data: Baseline, option: NearestNeighbour, target: str, key) -> None:
    expected = slow_pairs(data, option, target, key)
    if not expected:
        with pytest.raises(DesignError, match="unit is left after matching"):
            match(data, option, target)
        return
    assert partners(match(data, option, target)) == expected


@given(
    rows=ROWS,
    options=OPTIONS,
    use=USE,
    order=st.sampled_from([None, "largest", "smallest", "closest", "id"]),
    target=st.sampled_from(["ATT", "ATT", "ATC"]),
)
@settings(max_examples=300, deadline=None)
def test_along_the_line_as_a_slow_search(rows, options, use, order, target):
    """Scores are whole numbers, so that ties are many and exact."""
    data = drawn(rows)
    score = data.covariates["score"].to_numpy()

    def key(unit, partner):
        apart = score[partner] - score[unit]
        return (abs(apart), 0, -score[partner], -partner) if apart < 0 else (abs(apart), 1, score[partner], partner)

    require_as_slow(data, NearestNeighbour(**SCORE, **options, **use, order=order), target, key)


@pytest.mark.parametrize(("patience", "width"), [(0, 1), (2, 3)])
@pytest.mark.parametrize("use", [{}, {"replacement": True}, {"reuse_limit": 2}])
@pytest.mark.parametrize("order", [None, "closest"])
def test_partners_looked_at_in_arrays_are_those_asked_one_by_one(monkeypatch, patience, width, use, order):
    """Under tight rules partners are looked at many at a time: the pairs are those of the slow search."""
    monkeypatch.setattr(line, "_PATIENCE", patience)
    monkeypatch.setattr(line, "_WIDTH", width)
    random = np.random.default_rng(8)
    n = 90
    columns = (random.random(n) < 0.35, random.integers(0, 25, n), random.choice(list("ab"), n))
    kinds = random.choice(list("xyz"), n, p=[0.7, 0.2, 0.1])
    data = drawn(list(zip(*columns, kinds, random.integers(0, 30, n), random.integers(0, 3, n), strict=True)))
    score = data.covariates["score"].to_numpy()

    def key(unit, partner):
        apart = score[partner] - score[unit]
        return (abs(apart), 0, -score[partner], -partner) if apart < 0 else (abs(apart), 1, score[partner], partner)

    age = {"age": CovariateCaliper(width=4, in_units=True)}
    both = age | {"size": CovariateCaliper(width=1, in_units=True)}
    for rules in (
        {"calipers": age},
        {"calipers": both, "caliper": 0.5},
        {"anti_exact": ("kind",), "exact": ("place",)},
    ):
        option = NearestNeighbour(**SCORE, **rules, **use, order=order, ratio=2)
        require_as_slow(data, option, "ATT", key)


@pytest.mark.parametrize("caliper", [0.005, 0.05])
@pytest.mark.parametrize("exact", [(), ("place",)])
def test_one_partner_each_as_with_more_rules(caliper, exact):
    """The short way for one partner each within strata and a caliper gives the pairs of the general one."""
    random = np.random.default_rng(9)
    n = 400
    columns = (random.random(n) < 0.4, random.integers(0, 150, n), random.choice(list("abcd"), n))
    others = (random.choice(list("xyz"), n), random.integers(0, 5, n), random.integers(0, 4, n))
    data = drawn(list(zip(*columns, *others, strict=True)))
    no_limit = {"size": CovariateCaliper(width=100, in_units=True)}
    short = NearestNeighbour(**SCORE, caliper=caliper, exact=exact)
    long = NearestNeighbour(**SCORE, caliper=caliper, exact=exact, calipers=no_limit)
    assert partners(match(data, short)) == partners(match(data, long))
    assert 0 < len(partners(match(data, short))) < data.is_treated.sum()


@given(rows=ROWS, options=OPTIONS, use=USE, order=st.sampled_from([None, "id"]), target=st.sampled_from(["ATT", "ATC"]))
@settings(max_examples=200, deadline=None)
def test_over_covariates_as_a_slow_search(rows, options, use, order, target):
    data = drawn(rows)
    # each number varies within some arm: without that there is no distance
    assume(all(np.ptp(data.covariates[name]) > 0 for name in ("age", "size")))
    assume(all(data.covariates.groupby(data.is_treated)[name].nunique().max() > 1 for name in ("age", "size")))
    option = NearestNeighbour(**SCORE, **options, **use, order=order, mahalanobis_on=("age", "size"))
    at = pair_space(data, option).coordinates

    def key(unit, partner):
        return round(float(np.sqrt(((at[unit] - at[partner]) ** 2).sum())), 9), partner

    require_as_slow(data, option, target, key)


@pytest.mark.parametrize("limits", [{}, {"caliper": 0.3}, {"anti_exact": ("kind",)}])
@pytest.mark.parametrize("use", [{}, {"replacement": True}])
def test_many_units_that_compete_as_a_slow_search(limits, use):
    """All want the same partners, so that those looked up at first run out many times over."""
    random = np.random.default_rng(6)
    n = 120
    treated = np.arange(n) < 50
    rows = zip(
        treated,
        random.integers(0, 40, n),
        random.choice(list("ab"), n),
        random.choice(list("xyz"), n),
        np.where(treated, random.integers(4, 6, n), random.integers(0, 60, n)),
        random.integers(0, 3, n),
        strict=True,
    )
    data = drawn(list(rows))
    option = NearestNeighbour(**SCORE, **limits, **use, mahalanobis_on=("age", "size"))
    at = pair_space(data, option).coordinates
    apart = np.round(np.sqrt(((at[:, None] - at) ** 2).sum(axis=2)), 9)
    require_as_slow(data, option, "ATT", lambda unit, partner: (apart[unit, partner], partner))


def test_partners_looked_up_are_the_nearest_and_complete():
    """A tie beyond the edge of those looked up is never missed: what is known is a beginning of the whole order."""
    random = np.random.default_rng(7)
    own, other = random.integers(0, 4, (5, 2)).astype(float), random.integers(0, 4, (60, 2)).astype(float)
    neighbours = NearbyPartners(PairProblem.free(own, other), np.arange(5), 3)
    for unit in range(5):
        apart = np.round(np.sqrt(((own[unit] - other) ** 2).sum(axis=1)), 9)
        whole = np.lexsort((np.arange(60), apart)).tolist()
        assert neighbours.of(unit) == whole[: len(neighbours.of(unit))]
        while neighbours.more(unit):
            assert neighbours.of(unit) == whole[: len(neighbours.of(unit))]
        assert neighbours.of(unit) == whole
