"""Optimal pairs by hand, against another solver, and against every possible choice under every mixture of rules."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from evalkit.core.errors import DesignError, EvalkitError
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching import optimal_arrays as assignment
from evalkit.design.matching import optimal_matching
from evalkit.design.matching.match import match
from evalkit.design.matching.optimal_arrays import NOT_MATCHED, least_assignment, line_assignment, line_gap, proof
from evalkit.design.matching.options import CovariateCaliper, NearestNeighbour, OptimalMatching
from evalkit.design.matching.pairs_arrays import PairProblem, Places, nearest_permitted, whole_costs

SCORE = {"distance": "own", "own_score": "score"}


def units(treated, score, **columns) -> Baseline:
    """Units 1, 2, … with a score of their own; columns of numbers are covariates, of texts labels."""
    frame = pd.DataFrame({"treated": treated, "score": score, **columns})
    labels = tuple(name for name, values in columns.items() if isinstance(values[0], str))
    covariates = tuple(name for name in ("score", *columns) if name not in labels)
    return Baseline.from_frame(frame, BaselineRoles(treated="treated", covariates=covariates, labels=labels))


def within(width: float) -> CovariateCaliper:
    return CovariateCaliper(width=width, in_units=True)


def pair_list(design) -> list[tuple[int, int]]:
    table = design.pair_table()
    return list(zip(table["treated"], table["comparison"], strict=True))


def test_the_sum_counts_and_not_whose_turn_it_is():
    """14–30, 5–6 and 2–(−22) are 16 + 1 + 24 = 41; greedily from the top 14–6, 5–30, 2–(−22) are 8 + 25 + 24 = 57."""
    data = units([1, 1, 1, 0, 0, 0], [14, 2, 5, 6, -22, 30])
    design = match(data, OptimalMatching(**SCORE))
    assert pair_list(design) == [(1, 6), (2, 5), (3, 4)]
    assert design.total_distance == 41
    assert match(data, NearestNeighbour(**SCORE)).total_distance == 57


def test_two_partners_each():
    """1 and 10 with 0, 2, 9 and 12: (1 + 1) + (1 + 2) = 5, and every unit weighs one."""
    design = match(units([1, 1, 0, 0, 0, 0, 0], [1, 10, 0, 2, 9, 12, 30]), OptimalMatching(**SCORE, ratio=2))
    assert pair_list(design) == [(1, 3), (1, 4), (2, 5), (2, 6)]
    assert design.total_distance == 5
    assert design.weights.tolist() == [1, 1, 1, 1, 1, 1, 0]
    assert design.strata.tolist() == [0, 1, 0, 0, 1, 1, -1]


def test_comparison_units_may_be_the_target():
    """4 and 6 find 5 and 7 (1 + 1); 20 is left over."""
    design = match(units([0, 1, 0, 1, 1], [4, 5, 6, 7, 20]), OptimalMatching(**SCORE), "ATC")
    assert pair_list(design) == [(2, 1), (4, 3)]
    assert design.estimand == "ATC"


def test_a_rule_may_cost_a_pair_or_a_sum():
    """5–5 and 7–1 (0 + 6), or 5–1 and 7–5 (4 + 2): places must differ in the first choice, be the same in the other."""
    data = units([1, 1, 0, 0], [5, 7, 5, 1], place=["a", "b", "b", "a"])
    assert pair_list(match(data, OptimalMatching(**SCORE, anti_exact=("place",)))) == [(1, 3), (2, 4)]
    design = match(data, OptimalMatching(**SCORE, exact=("place",)))
    assert (pair_list(design), design.total_distance) == ([(1, 4), (2, 3)], 6)


def test_as_many_as_possible_come_before_the_sum():
    """Scores 4 and 5 treated, 6 and 8 compared, at most 3 apart: 5–6 alone would cost 1, 4–6 and 5–8 are two pairs."""
    data = units([1, 1, 0, 0], [4, 5, 6, 8])
    design = match(data, OptimalMatching(**SCORE, calipers={"score": within(3)}))
    assert (pair_list(design), design.total_distance) == ([(1, 3), (2, 4)], 5)


def test_units_that_cannot_be_matched_are_counted():
    data = units([1, 1, 0, 0], [4, 50, 6, 8])
    design = match(data, OptimalMatching(**SCORE, calipers={"score": within(3)}))
    assert (pair_list(design), str(design.estimand)) == ([(1, 3)], "ATT_AMONG_MATCHED")
    assert design.notes[1].startswith("1 unit of the target group could not be given a permitted partner")


@pytest.mark.parametrize(
    ("treated", "options", "target", "sentence"),
    [
        ([1, 1, 0], {}, "ATT", "2 treated units with 1 partner each need 2 comparison units, and there are 1"),
        ([1, 0, 0], {"ratio": 3}, "ATT", "1 treated unit with 3 partners each need 3 comparison units"),
        ([1, 0, 0], {}, "ATC", "2 comparison units with 1 partner each need 2 treated units, and there are 1"),
        ([1, 0, 0], {"ratio": 0}, "ATT", "from 1 on, not 0"),
        ([1, 0, 0], {}, "ATE", "For the ATE use full matching"),
        ([1, 0, 0], {"calipers": {"score": within(0.5)}}, "ATT", "No treated unit is left"),
        ([1, 0, 0], {"common_support": "treated"}, "ATT", "No treated unit is left"),
        ([1, 0, 0], {"exact": ("score",)}, "ATT", "No treated unit is left"),
    ],
)
def test_what_has_no_answer_is_a_sentence(treated, options, target, sentence):
    with pytest.raises(DesignError, match=sentence):
        match(units(treated, [5, 8, 7]), OptimalMatching(**SCORE, **options), target)


@pytest.mark.parametrize("size", [(0, 5), (3, 2)])
def test_strata_without_partners_lose_their_units(size):
    """Of each place at most as many pairs are made as it has units of both arms."""
    n_a, n_b = size
    place = ["a", "b", *"a" * n_a, *"b" * n_b]
    data = units([1, 1] + [0] * (n_a + n_b), list(range(2 + n_a + n_b)), place=place)
    assert len(pair_list(match(data, OptimalMatching(**SCORE, exact=("place",))))) == (n_a > 0) + (n_b > 0)


# Against another solver


@given(
    own=st.lists(st.integers(-20, 20), min_size=1, max_size=12),
    other=st.lists(st.integers(-20, 20), min_size=1, max_size=20),
)
@settings(max_examples=300, deadline=None)
def test_on_the_line_as_the_hungarian_algorithm(own, other):
    own, other = np.array(own, dtype=float)[: len(other)], np.array(other, dtype=float)
    apart = np.abs(own[:, None] - other)
    columns = line_assignment(own, other)
    assert len(set(columns.tolist())) == len(own)
    assert apart[np.arange(len(own)), columns].sum() == apart[linear_sum_assignment(apart)].sum()
    assert line_gap(own, other, columns) == 0


@given(
    own=st.lists(st.integers(-6, 6), min_size=1, max_size=5),
    other=st.lists(st.integers(-6, 6), min_size=5, max_size=7),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=300, deadline=None)
def test_the_proof_on_the_line_is_never_below_what_a_choice_costs_too_much(own, other, seed):
    own, other = np.array(own, dtype=float), np.array(other, dtype=float)
    apart = np.abs(own[:, None] - other)
    columns = np.random.default_rng(seed).permutation(len(other))[: len(own)]
    above = apart[np.arange(len(own)), columns].sum() - apart[linear_sum_assignment(apart)].sum()
    assert line_gap(own, other, columns) >= above - 1e-12


@pytest.mark.parametrize("ratio", [1, 2, 3])
@pytest.mark.parametrize("n_coordinates", [1, 3])
def test_sparse_and_widened_as_the_hungarian_algorithm(monkeypatch, ratio, n_coordinates):
    """With few partners looked up at first, and treated units close together, they have to look further many times.

    The case of two partners and three coordinates went on for ever while costs were not whole numbers.
    """
    monkeypatch.setattr(assignment, "_AT_ONCE", 0)
    random = np.random.default_rng(8)
    own, other = random.normal(size=(40, n_coordinates)), 2 * random.normal(size=(150, n_coordinates)) + 1
    found = least_assignment(PairProblem.free(own, other), ratio)
    apart = np.repeat(np.sqrt(((own[:, None] - other) ** 2).sum(axis=2)), ratio, axis=0)
    assert np.bincount(found.focal).tolist() == [ratio] * 40
    assert len(set(found.partner.tolist())) == 40 * ratio
    assert found.distance.sum() == pytest.approx(apart[linear_sum_assignment(apart)].sum(), rel=1e-12)
    assert found.gap <= 1e-9 * found.distance.sum()


def test_whole_costs_keep_order_and_differences():
    cost = np.array([0.0, 1e-3, 0.5, 0.5, 2.0, 3.0])
    whole = whole_costs(cost)
    assert (whole == np.rint(whole)).all()
    assert whole[0] == 1
    assert (whole - 1) / (whole[-1] - 1) == pytest.approx(cost / 3, abs=2e-14)
    assert whole_costs(np.zeros(3)).tolist() == [1, 1, 1]
    assert whole_costs(np.empty(0)).tolist() == []
    tiny = whole_costs(cost * 1e-300)
    assert (tiny - 1) / (tiny[-1] - 1) == pytest.approx(cost / 3, abs=1e-13)


def test_distances_of_zero_are_no_gaps_in_the_matrix():
    same = np.zeros((6, 2))
    found = least_assignment(PairProblem.free(same, np.vstack([same, same + 1])))
    assert found.distance.tolist() == [0] * 6


# Against every choice there is


def limited(own, other, limits) -> PairProblem:
    """Places on a plane; partners are at most `limits[0]` apart in the second number and differ in the third."""
    width, is_apart = limits

    def places(rows):
        rows = np.array(rows, dtype=float)
        codes = rows[:, 2:].astype(np.int64) if is_apart else np.empty((len(rows), 0), dtype=np.int64)
        return Places(np.ascontiguousarray(rows[:, :2]), rows[:, 1:2], codes)

    return PairProblem(places(own), places(other), np.array([width]))


def best_of_all(problem: PairProblem, ratio: int) -> tuple[int, int, float]:
    """The most units with a partner, then the most pairs, then the least sum, over every choice there is."""
    n, m = len(problem.focal), len(problem.partners)
    rows, columns = np.arange(n)[:, None], np.arange(m)[None, :]
    may, apart = problem.is_permitted(rows, columns), problem.distance(rows, columns)
    best = (0, 0, -np.inf)

    def grow(column: int, counts: tuple[int, ...], total: float) -> None:
        nonlocal best
        if column == m:
            found = (sum(count > 0 for count in counts), sum(counts), -total)
            best = max(best, found)
            return
        grow(column + 1, counts, total)
        for row in range(n):
            if may[row, column] and counts[row] < ratio:
                more = (*counts[:row], counts[row] + 1, *counts[row + 1 :])
                grow(column + 1, more, total + apart[row, column])

    grow(0, (0,) * n, 0.0)
    return best[0], best[1], -best[2]


PLACES = st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2))


@given(
    own=st.lists(PLACES, min_size=1, max_size=4),
    other=st.lists(PLACES, min_size=1, max_size=5),
    width=st.sampled_from([0.0, 1.0, 2.0, 9.0]),
    is_apart=st.booleans(),
    ratio=st.integers(1, 2),
)
@settings(max_examples=200, deadline=None)
def test_under_rules_as_the_best_of_all_choices(own, other, width, is_apart, ratio):
    problem = limited(own, other, (width, is_apart))
    found = least_assignment(problem, ratio)
    assert problem.is_permitted(found.focal, found.partner).all()
    assert len(set(found.partner.tolist())) == len(found.partner)
    assert np.bincount(found.focal, minlength=1).max() <= ratio
    n_units, n_pairs, total = best_of_all(problem, ratio)
    assert (len(set(found.focal.tolist())), len(found.focal)) == (n_units, n_pairs)
    assert found.distance.sum() == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize("limits", [(0.6, False), (9.0, True), (0.6, True)])
def test_under_rules_with_few_partners_looked_up_at_first(monkeypatch, limits):
    monkeypatch.setattr(assignment, "_AT_ONCE", 0)
    random = np.random.default_rng(9)
    own = np.column_stack([random.normal(size=(30, 2)), random.integers(0, 3, 30)])
    other = np.column_stack([random.normal(size=(90, 2)) + 1, random.integers(0, 3, 90)])
    problem = limited(own, other, limits)
    found = least_assignment(problem)
    rows, columns = np.arange(30)[:, None], np.arange(90)[None, :]
    may = problem.is_permitted(rows, columns)
    cost = np.where(may, problem.distance(rows, columns), 1e6)
    chosen = linear_sum_assignment(cost)
    kept = may[chosen]
    assert len(found.focal) == kept.sum()
    assert found.distance.sum() == pytest.approx(cost[chosen][kept].sum(), rel=1e-12)


# The proof


def all_pairs(own, other):
    problem = PairProblem.free(np.array(own, dtype=float), np.array(other, dtype=float))
    return nearest_permitted(problem, np.arange(len(own)), len(other))


def test_prices_prove_the_best_pairs_and_no_others():
    """0 and 3 with 1 and 5: 0–1 and 3–5 cost 3, 0–5 and 3–1 cost 7, so that the second exceed the least by 4."""
    graph, penalty = all_pairs([0, 3], [1, 5]), np.full(2, 100.0)
    right = proof(graph, np.array([0, 1]), penalty, 2)
    assert right.gap == 0
    assert len(right.open_rows) == len(right.loose_rows) == 0
    wrong = proof(graph, np.array([1, 0]), penalty, 2)
    assert wrong.gap >= 4
    assert len(wrong.loose_rows)


def test_a_unit_left_alone_for_nothing_is_not_proven():
    graph = all_pairs([0, 3], [1, 5])
    assert proof(graph, np.array([0, NOT_MATCHED]), np.full(2, 100.0), 2).gap >= 98


def test_a_partner_left_out_of_the_graph_keeps_a_row_open():
    """Both rows see their nearest partner alone, 1 at 1: who gets the other's place cannot be judged."""
    problem = PairProblem.free(np.array([0.0, 0.5]), np.array([1.0, 5.0]))
    graph = nearest_permitted(problem, np.arange(2), 1)
    assert len(proof(graph, np.array([NOT_MATCHED, 0]), np.full(2, 100.0), 2).open_rows)


@pytest.mark.parametrize("n_partners", [4, 5, 6])
def test_every_choice_is_judged_rightly(n_partners):
    """The gap is zero for the best choices, and for all others at least what they cost too much."""
    random = np.random.default_rng(n_partners)
    own, other = random.integers(0, 12, 4).astype(float), random.integers(0, 12, n_partners).astype(float)
    graph, apart = all_pairs(own, other), np.abs(own[:, None] - other)
    least = apart[linear_sum_assignment(apart)].sum()
    for columns in itertools.permutations(range(n_partners), 4):
        above = apart[np.arange(4), list(columns)].sum() - least
        gap = proof(graph, np.array(columns), np.full(4, 1000.0), n_partners).gap
        assert gap >= above - 1e-12
        assert (gap <= 1e-12) == (above <= 1e-12)


def test_pairs_that_are_not_proven_are_given_to_nobody(monkeypatch):
    """A solver that returns the second best is caught, though every rule is kept."""

    def second_best(rows, penalty):
        return np.array([1, 0])

    monkeypatch.setattr(assignment, "_solved", second_best)
    with pytest.raises(EvalkitError, match=r"could not be proven: they may be .* above the least sum"):
        least_assignment(PairProblem.free(np.array([0.0, 3.0]), np.array([1.0, 5.0])))


def test_a_line_that_is_not_proven_is_solved_again(monkeypatch):
    monkeypatch.setattr(optimal_matching, "line_assignment", lambda own, other: np.array([1, 0]))
    design = match(units([1, 1, 0, 0], [0, 3, 1, 5]), OptimalMatching(**SCORE))
    assert pair_list(design) == [(1, 3), (2, 4)]


def test_a_problem_beyond_the_budget_is_refused(monkeypatch):
    monkeypatch.setattr(assignment, "_AT_ONCE", 0)
    monkeypatch.setattr(assignment, "MOST_PAIRS", 100)
    own, other = np.zeros((20, 2)), np.random.default_rng(1).normal(size=(200, 2))
    with pytest.raises(DesignError, match="more than 100 possible pairs to be weighed at once"):
        least_assignment(PairProblem.free(own, other))
