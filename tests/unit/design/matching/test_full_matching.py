"""Full matching by hand, and against every set of pairs there is."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from evalkit.core.errors import DesignError
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching import full_arrays as edge_cover
from evalkit.design.matching.full_arrays import Cover, bounded_cover, least_cover, star_codes
from evalkit.design.matching.match import match
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import CovariateCaliper, FullMatching
from evalkit.design.matching.pairs_arrays import PairProblem, Places

SCORE = {"distance": "own", "own_score": "score"}


def units(treated, score, **labels) -> Baseline:
    """Units 1, 2, … with a score of their own."""
    frame = pd.DataFrame({"treated": treated, "score": score, **labels})
    return Baseline.from_frame(frame, BaselineRoles(treated="treated", covariates=("score",), labels=tuple(labels)))


def within(width: float) -> dict[str, CovariateCaliper]:
    return {"score": CovariateCaliper(width=width, in_units=True)}


def sets_of(design: MatchedDesign) -> list[list[int]]:
    """The units of each set, in the order of their first units."""
    ids, strata = design.baseline.units.index, design.strata
    return sorted(ids[strata == code].tolist() for code in range(strata.max() + 1))


TWO_SETS = units([1, 1, 0, 0, 0, 0, 0], [1, 10, 0, 2, 9, 12, 30])


def test_everyone_joins_a_set():
    """1 with 0 and 2 (1 + 1), 10 with 9, 12 and 30 (1 + 2 + 20): 25 in all."""
    design = match(TWO_SETS, FullMatching(**SCORE))
    assert sets_of(design) == [[1, 3, 4], [2, 5, 6, 7]]
    assert design.total_distance == 25
    # a treated unit is shared by 2 and by 3: ½, ½, ⅓, ⅓, ⅓, whose sum is 2; times 5/2 it is the number of units
    assert design.weights == pytest.approx([1, 1, 5 / 4, 5 / 4, 5 / 6, 5 / 6, 5 / 6])
    assert design.notes[0].startswith("There are 2 matched sets; no other choice of sets has a smaller sum")


@pytest.mark.parametrize(
    ("target", "weights"),
    [
        # sets of 3 and 4: treated 3 and 4, times 2/7; comparison 3/2, 3/2, 4/3, 4/3, 4/3, whose sum is 7, times 5/7
        ("ATE", [6 / 7, 8 / 7, 15 / 14, 15 / 14, 20 / 21, 20 / 21, 20 / 21]),
        # treated units count for 2 and 3 comparison units, times 2/5
        ("ATC", [4 / 5, 6 / 5, 1, 1, 1, 1, 1]),
    ],
)
def test_weights_of_other_targets(target, weights):
    design = match(TWO_SETS, FullMatching(**SCORE), target)
    assert design.weights == pytest.approx(weights)
    assert design.estimand == target


def test_several_treated_may_share_a_comparison_unit():
    """5, 6 and 7 share 6 (1 + 0 + 1), 50 has 49 (1)."""
    design = match(units([1, 1, 1, 1, 0, 0], [5, 6, 7, 50, 6, 49]), FullMatching(**SCORE))
    assert sets_of(design) == [[1, 2, 3, 5], [4, 6]]
    assert design.total_distance == 3
    # 6 counts for 3 treated units, 49 for 1: times 2/4
    assert design.weights == pytest.approx([1, 1, 1, 1, 1.5, 0.5])


def test_labels_keep_sets_apart():
    """Within a: 1 with 30 (29); within b: 10 with 0, 2, 9 and 12 (10 + 8 + 1 + 2); c has no treated unit."""
    data = units([1, 1, 0, 0, 0, 0, 0, 0], [1, 10, 0, 2, 9, 12, 30, 1], place=["a", "b", *"bbbb", "a", "c"])
    design = match(data, FullMatching(**SCORE, exact=("place",)))
    assert sets_of(design) == [[1, 7], [2, 3, 4, 5, 6]]
    assert design.total_distance == 50
    assert design.strata[7] == -1
    assert design.notes[1] == "1 unit had no permitted partner and were left out."


def test_units_beyond_a_caliper_are_left_out():
    design = match(TWO_SETS, FullMatching(**SCORE, calipers=within(3)))
    assert sets_of(design) == [[1, 3, 4], [2, 5, 6]]
    assert design.weights[6] == 0
    lone = match(units([1, 1, 0], [1, 50, 2]), FullMatching(**SCORE, calipers=within(3)))
    assert lone.estimand == "ATT_AMONG_MATCHED"


def test_bounds_on_the_size_of_sets():
    """At most 3 for each treated unit: as without bounds. At most 2: one of five has nowhere to go."""
    assert match(TWO_SETS, FullMatching(**SCORE, most=3)).total_distance == 25
    with pytest.raises(DesignError, match="No sets keep the bounds on their sizes"):
        match(TWO_SETS, FullMatching(**SCORE, most=2))
    # two or three each for 1 and 10, with 0, 2, 3, 4, 5: 5 goes to 10 and one more must, 4 (6 and not 3)
    data = units([1, 1, 0, 0, 0, 0, 0], [1, 10, 0, 2, 3, 4, 5])
    assert match(data, FullMatching(**SCORE)).total_distance == 1 + 1 + 2 + 3 + 4 + 0 + 5 - 4
    design = match(data, FullMatching(**SCORE, fewest=2))
    assert sets_of(design) == [[1, 3, 4, 5], [2, 6, 7]]
    assert design.total_distance == 1 + 1 + 2 + 6 + 5


@pytest.mark.parametrize(("fewest", "most"), [(3, 2), (-1, 2), (0, 0), (None, 0)])
def test_bounds_that_are_no_range(fewest, most):
    with pytest.raises(DesignError, match="is no range"):
        match(TWO_SETS, FullMatching(**SCORE, fewest=fewest, most=most))


def test_nobody_left():
    with pytest.raises(DesignError, match="unit is left after matching"):
        match(units([1, 0], [1, 9]), FullMatching(**SCORE, calipers=within(3)))
    with pytest.raises(DesignError, match="unit is left after matching"):
        match(units([1, 0], [1, 9], place=["a", "b"]), FullMatching(**SCORE, exact=("place",)))
    with pytest.raises(DesignError, match="unit is left after matching"):
        match(units([1, 0], [1, 9]), FullMatching(**SCORE, common_support="both"))


def test_one_unit_in_an_arm():
    assert sets_of(match(units([1, 0, 0], [1, 9, 4]), FullMatching(**SCORE))) == [[1, 2, 3]]
    assert sets_of(match(units([1, 1, 0], [1, 9, 4]), FullMatching(**SCORE))) == [[1, 2, 3]]


def test_a_problem_beyond_the_budget_is_refused(monkeypatch):
    monkeypatch.setattr(edge_cover, "MOST_PAIRS", 9)
    with pytest.raises(DesignError, match=r"would have to weigh [0-9,]+ pairs, more than 9"):
        match(units([1] * 5 + [0] * 5, [0] * 5 + [7] * 5), FullMatching(**SCORE))
    with pytest.raises(DesignError, match="weigh every possible pair, here 10; up to 9 are"):
        match(TWO_SETS, FullMatching(**SCORE, most=3))


# Against every set of pairs


PLACES = st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(0, 2))
ARM = st.lists(PLACES, min_size=1, max_size=4)


def problem_of(own, other, limits) -> PairProblem:
    """Places on a plane; partners are within `width` in the second number and may have to differ in the third."""
    width, is_apart = limits

    def places(rows):
        rows = np.array(rows, dtype=float)
        codes = rows[:, 2:].astype(np.int64) if is_apart else np.empty((len(rows), 0), dtype=np.int64)
        return Places(np.ascontiguousarray(rows[:, :2]), rows[:, 1:2], codes)

    return PairProblem(places(own), places(other), np.array([width]))


def degrees(cover: Cover, problem: PairProblem) -> tuple[np.ndarray, np.ndarray]:
    own = np.bincount(cover.treated, minlength=len(problem.focal))
    return own, np.bincount(cover.comparison, minlength=len(problem.partners))


def require_stars(cover: Cover, problem: PairProblem) -> None:
    own, other = degrees(cover, problem)
    assert ((own[cover.treated] == 1) | (other[cover.comparison] == 1)).all()
    codes = np.concatenate(star_codes(cover, (len(own), len(other))))
    assert ((codes >= 0) == (np.concatenate([own, other]) > 0)).all()
    # a star of k pairs has k + 1 units
    assert len(cover.treated) + len(set(codes[codes >= 0].tolist())) == (codes >= 0).sum()


def all_sets(problem: PairProblem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums of distances, and how many partners each unit has, for every set of permitted pairs."""
    n, m = len(problem.focal), len(problem.partners)
    treated, comparison = (part.ravel() for part in np.indices((n, m)))
    kept = problem.is_permitted(treated, comparison)
    treated, comparison = treated[kept], comparison[kept]
    chosen = (np.arange(2 ** len(treated))[:, None] >> np.arange(len(treated))) & 1
    sums = chosen @ problem.distance(treated, comparison)
    return sums, chosen @ (treated[:, None] == np.arange(n)), chosen @ (comparison[:, None] == np.arange(m))


@given(own=ARM, other=ARM, width=st.sampled_from([0.0, 1.0, 9.0]), is_apart=st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_cover_as_the_best_of_all(own, other, width, is_apart):
    assume(len(own) * len(other) <= 12)
    problem = problem_of(own, other, (width, is_apart))
    cover = least_cover(problem)
    sums, of_own, of_other = all_sets(problem)
    # everyone who may be paired with anyone is
    covers = ((of_own > 0) | (of_own.max(axis=0) == 0)).all(axis=1)
    covers &= ((of_other > 0) | (of_other.max(axis=0) == 0)).all(axis=1)
    assert problem.is_permitted(cover.treated, cover.comparison).all()
    assert cover.distance.sum() == pytest.approx(sums[covers].min(), abs=1e-9)
    found = degrees(cover, problem)
    assert ((found[0] > 0) == (of_own.max(axis=0) > 0)).all()
    assert ((found[1] > 0) == (of_other.max(axis=0) > 0)).all()
    require_stars(cover, problem)


@given(
    own=ARM, other=ARM, bounds=st.sampled_from([((1, 2), (1, 2)), ((2, 3), (1, 1)), ((1, 1), (1, 3)), ((1, 3), (1, 1))])
)
@settings(max_examples=150, deadline=None)
def test_bounds_as_the_best_of_all_that_keep_them(own, other, bounds):
    assume(len(own) * len(other) <= 12)
    problem = problem_of(own, other, (9.0, False))
    sums, of_own, of_other = all_sets(problem)
    keeps = np.ones(len(sums), dtype=bool)
    for counts, (fewest, most) in ((of_own, bounds[0]), (of_other, bounds[1])):
        keeps &= ((counts >= fewest) & (counts <= most)).all(axis=1)
    if not keeps.any():
        with pytest.raises(DesignError, match="No sets keep the bounds"):
            bounded_cover(problem, *bounds)
        return
    cover = bounded_cover(problem, *bounds)
    assert cover.distance.sum() == pytest.approx(sums[keeps].min(), abs=1e-9)
    for counts, (fewest, most) in zip(degrees(cover, problem), bounds, strict=True):
        assert fewest <= counts.min() and counts.max() <= most  # noqa: PT018
    require_stars(cover, problem)


@pytest.mark.parametrize(("fewest", "most"), [(0.5, 4), (0.25, math.inf), (2, 6), (1, 5)])
def test_bounds_as_an_integer_program(fewest, most):
    """From `fewest` to `most` comparison units for each treated unit; below 1 it is 1 for up to 1/`fewest` treated."""
    random = np.random.default_rng(11)
    treated = np.repeat([1, 0], [8, 25])
    data = units(treated, random.integers(0, 40, 33) + 10 * treated)
    score = data.covariates["score"].to_numpy()
    apart = np.abs(score[:8, None] - score[8:]).ravel()
    row, column = (part.ravel() for part in np.indices((8, 25)))
    incidence = np.vstack([row == np.arange(8)[:, None], column == np.arange(25)[:, None]]).astype(float)
    low = np.concatenate([np.full(8, max(1, fewest)), np.ones(25)])
    high = np.concatenate([np.full(8, most), np.full(25, max(1, 1 / fewest))])
    limits = LinearConstraint(incidence, low, high)
    said = milp(apart, constraints=limits, bounds=Bounds(0, 1), integrality=np.ones(200))
    design = match(data, FullMatching(**SCORE, fewest=fewest, most=None if most == math.inf else most))
    assert design.total_distance == pytest.approx(said.fun, abs=1e-7)


@pytest.mark.parametrize("n_coordinates", [1, 2])
def test_many_units_as_a_linear_program(n_coordinates):
    random = np.random.default_rng(12)
    own, other = random.normal(size=(30, n_coordinates)), random.normal(size=(45, n_coordinates)) + 0.5
    problem = PairProblem.free(own, other)
    bounded = bounded_cover(problem, (1, math.inf), (1, math.inf))
    assert least_cover(problem).distance.sum() == pytest.approx(bounded.distance.sum(), rel=1e-12)
