"""Whatever a method does, a result that breaks a rule is caught: designs made by hand, each with one thing wrong."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import EvalkitError
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching import nearest_neighbour
from evalkit.design.matching.match import match, require_rules_kept
from evalkit.design.matching.matched import MatchedDesign, Pairs
from evalkit.design.matching.options import (
    CovariateCaliper,
    EntropyBalancing,
    FullMatching,
    NearestNeighbour,
    OptimalMatching,
    Subclassification,
)

# 1 and 2 are treated; place and kind of 3 are those of 1, of 4 those of 2
FRAME = pd.DataFrame(
    {
        "treated": [1, 1, 0, 0, 0],
        "score": [10.0, 20.0, 11.0, 19.0, 40.0],
        "age": [30.0, 40.0, 31.0, 44.0, 50.0],
        "place": ["a", "b", "a", "b", "b"],
    }
)
ROLES = BaselineRoles(treated="treated", covariates=("score", "age"), labels=("place",))
BASELINE = Baseline.from_frame(FRAME, ROLES)
SCORE = BASELINE.covariates["score"].to_numpy()


def pairs(*both: tuple[int, int]) -> Pairs:
    """Pairs by positions from 0 on."""
    treated, comparison = (np.array(column, dtype=np.int64) for column in zip(*both, strict=True))
    return Pairs(treated, comparison, np.abs(SCORE[treated] - SCORE[comparison]))


def design(option, both: Pairs | None = None, **changes) -> MatchedDesign:
    """Units 1 and 3 in a pair, 2 and 4 in another, unless something is changed."""
    made = MatchedDesign(
        baseline=BASELINE,
        option=option,
        target="ATT",
        weights=np.array([1.0, 1, 1, 1, 0]),
        pairs=pairs((0, 2), (1, 3)) if both is None else both,
        strata=np.array([0, 1, 0, 1, -1]),
        score=SCORE,
        discarded=np.zeros(5, dtype=bool),
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    "option",
    [
        NearestNeighbour(),
        NearestNeighbour(exact=("place",), calipers={"age": CovariateCaliper(width=4, in_units=True)}),
        NearestNeighbour(caliper=0.084),  # the SD of the scores is 12.06, and each pair is 1 apart
        OptimalMatching(),
        FullMatching(),
        Subclassification(),
    ],
)
def test_a_result_that_keeps_its_rules_passes(option):
    require_rules_kept(design(option))


BROKEN = {
    "partners differ in 'place'": design(NearestNeighbour(exact=("place",)), pairs((0, 2), (1, 2)), strata=None),
    "partners share 'place'": design(OptimalMatching(anti_exact=("place",))),
    "further apart in the score than its caliper": design(NearestNeighbour(caliper=0.0828)),
    "further apart in 'age' than its caliper": design(
        FullMatching(calipers={"age": CovariateCaliper(width=3.9, in_units=True)})
    ),
    # the SD of the ages is 8.54: 0.46 of it is 3.93
    "are further apart in 'age'": design(OptimalMatching(calipers={"age": CovariateCaliper(width=0.46)})),
    "a unit has 2 partners where 1 were asked for": design(
        NearestNeighbour(), pairs((0, 2), (0, 4), (1, 3)), weights=np.ones(5), strata=np.array([0, 1, 0, 1, 0])
    ),
    "a unit has 3 partners where 2 were": design(
        NearestNeighbour(ratio=2), pairs((0, 2), (0, 3), (0, 4), (1, 3)), weights=np.ones(5), strata=None
    ),
    "a partner serves 2 times where it may 1 times": design(
        OptimalMatching(),
        pairs((0, 2), (1, 2)),
        weights=np.array([1.0, 1, 1, 0, 0]),
        strata=np.array([0, 0, 0, -1, -1]),
    ),
    "a partner serves 2 times where it may 1": design(
        NearestNeighbour(), pairs((0, 2), (1, 2)), weights=np.array([1.0, 1, 1, 0, 0]), strata=None
    ),
    "a pair stands twice": design(NearestNeighbour(ratio=2), pairs((0, 2), (0, 2), (1, 3))),
    "a unit that was left out before matching carries weight": design(
        NearestNeighbour(), discarded=np.array([True, False, False, False, False])
    ),
    "the weights of comparison units do not sum to their number": design(
        EntropyBalancing(), weights=np.array([1, 1, 1.5, 1, 0])
    ),
    "the weights of treated units do not sum to their number": design(
        FullMatching(), weights=np.array([0.5, 1, 1, 1, 0])
    ),
    "a weight is negative or not finite": design(EntropyBalancing(), weights=np.array([1, 1, -0.5, 1.5, 0.5])),
    "is negative or not finite": design(EntropyBalancing(), weights=np.array([1, 1, np.nan, 1.0, 1.0])),
    "a set or stratum lacks an arm": design(Subclassification(), pairs=None, strata=np.array([0, 1, 0, 0, -1])),
    "stratum lacks an arm": design(Subclassification(), pairs=None, strata=np.array([0, 1, 0, -1, -1])),
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_each_broken_rule_is_caught(sentence):
    with pytest.raises(EvalkitError, match=f"A rule of this matching is broken in its result: .*{sentence}"):
        require_rules_kept(BROKEN[sentence])


def test_for_the_comparison_group_units_and_partners_change_places():
    """Unit 3 has partners 1 and 2: for the ATC that is two partners, for the ATT a partner that serves twice."""
    both, weights, strata = pairs((0, 2), (1, 2)), np.array([1.0, 1, 1, 0, 0]), np.array([0, 0, 0, -1, -1])
    found = design(OptimalMatching(ratio=2), both, weights=weights, strata=strata, target="ATC")
    require_rules_kept(found)
    with pytest.raises(EvalkitError, match="a partner serves 2 times"):
        require_rules_kept(replace(found, target="ATT"))


def test_replacement_and_variable_ratios_have_limits_of_their_own():
    twice = {"both": pairs((0, 2), (1, 2)), "weights": np.array([1.0, 1, 1, 0, 0]), "strata": None}
    require_rules_kept(design(NearestNeighbour(replacement=True), **twice))
    require_rules_kept(design(NearestNeighbour(reuse_limit=2), **twice))
    many = {"both": pairs((0, 2), (0, 4), (1, 3)), "weights": np.ones(5), "strata": None}
    require_rules_kept(design(NearestNeighbour(ratio=2, fewest=1, most=2), **many))


def test_the_verb_looks_at_every_result(monkeypatch):
    """A method that forgets the strata is stopped by `match`, whatever it returns."""
    option = NearestNeighbour(distance="own", own_score="score", exact=("place",), order="smallest")
    assert match(BASELINE, option).pair_table()["comparison"].tolist() == [3, 4]
    space = nearest_neighbour.pair_space

    def forgetful(baseline, rules):
        return replace(space(baseline, rules), strata=np.zeros(5, dtype=np.int64), coordinates=-SCORE[::-1, None])

    monkeypatch.setattr(nearest_neighbour, "pair_space", forgetful)
    with pytest.raises(EvalkitError, match="partners differ in 'place'"):
        match(BASELINE, option)
