"""Optimal matching: partners for every unit at the least sum of distances there is, with its proof."""

from __future__ import annotations

from typing import Final

import numpy as np

from evalkit.core.arrays import Ints
from evalkit.core.errors import DesignError
from evalkit.core.sentence import Derived, Sentence, count
from evalkit.core.words import counted
from evalkit.data.baseline import Baseline
from evalkit.design.matching.matched import MatchedDesign, Pairs, matched_sets, paired_weights
from evalkit.design.matching.optimal_arrays import NOBODY, Assignment, least_assignment, line_assignment, line_gap
from evalkit.design.matching.options import OptimalMatching, Target
from evalkit.design.matching.pairs import PairSpace, pair_space
from evalkit.design.matching.pairs_arrays import PairProblem

_PROVEN: Final = 1e-9
"""A sum proven to be within this share of the least one is the least one, but for rounding."""


def optimal_matching(baseline: Baseline, option: OptimalMatching, target: Target) -> MatchedDesign:
    """Return `ratio` partners for each unit of the target group, none twice, with the least sum of distances.

    Where rules leave too few, as many units as possible get a partner, as many pairs as possible are made, and of
    all choices that do so the one with the least sum is taken. Every result is proven by prices (the dual of the
    assignment problem); one that is not is never returned.

    Raises
    ------
    DesignError
        Where the target is the ATE, there are fewer partners than `ratio` for each unit, or no pair is possible.
    """
    if target == "ATE":
        raise DesignError(
            "Optimal pairs give the effect on the treated (ATT) or on the comparison units (ATC). For the ATE use full "
            "matching, subclassification or weighting."
        )
    if option.ratio < 1:
        raise DesignError(f"The ratio is a whole number from 1 on, not {option.ratio}.")
    space = pair_space(baseline, option)
    is_focal = baseline.is_treated if target == "ATT" else ~baseline.is_treated
    focal = np.flatnonzero(is_focal & ~space.discarded)
    pool = np.flatnonzero(~is_focal & ~space.discarded)
    _require_room(len(focal), len(pool), option.ratio, target)
    assignment = optimal_pairs(space, option.ratio, focal, pool)
    pairs = Pairs(assignment.focal, assignment.partner, assignment.distance)
    if target == "ATC":
        pairs = Pairs(assignment.partner, assignment.focal, assignment.distance)
    return MatchedDesign(
        baseline=baseline,
        option=option,
        target=target,
        weights=paired_weights(baseline.is_treated, pairs, target),
        pairs=pairs,
        strata=matched_sets(len(is_focal), pairs, target),
        score=space.score,
        discarded=space.discarded,
        notes=_notes(assignment, option, focal, space),
    )


def _require_room(n_focal: int, n_partners: int, ratio: int, target: Target) -> None:
    if n_focal * ratio <= n_partners:
        return
    arms = ("treated", "comparison") if target == "ATT" else ("comparison", "treated")
    raise DesignError(
        Sentence(
            "{focal} with {ratio} each need {needed}, and there are {partners}. Lower the ratio, take the effect on "
            "the other group, or use nearest neighbours with replacement or full matching.",
            focal=count(n_focal, "units", f"{arms[0]} unit"),
            ratio=counted(ratio, "partner"),
            needed=Derived(
                counted(n_focal * ratio, f"{arms[1]} unit"),
                count(n_focal),
                f"as many {arms[1]} units for each",
            ),
            partners=count(n_partners),
        )
    )


def optimal_pairs(space: PairSpace, ratio: int, focal: Ints, pool: Ints) -> Assignment:
    """Return the best pairs of each stratum of units that must share labels, as positions in the baseline."""
    parts = [NOBODY]
    for code in np.unique(space.strata[focal]):
        focal_at, pool_at = focal[space.strata[focal] == code], pool[space.strata[pool] == code]
        part = _least(space, space.problem(focal_at, pool_at), ratio)
        parts.append(Assignment(focal_at[part.focal], pool_at[part.partner], part.distance, part.gap))
    focal_at = np.concatenate([part.focal for part in parts])
    pool_at = np.concatenate([part.partner for part in parts])
    distance = np.concatenate([part.distance for part in parts])
    order = np.lexsort((pool_at, focal_at))
    return Assignment(focal_at[order], pool_at[order], distance[order], sum(part.gap for part in parts))


def _least(space: PairSpace, problem: PairProblem, ratio: int) -> Assignment:
    n, n_partners = len(problem.focal), len(problem.partners)
    if space.is_line and not problem.is_limited and n * ratio <= n_partners:
        # a unit that wants several partners is as many units in the same place
        copies, partners = np.repeat(np.arange(n), ratio), problem.partners.coordinates[:, 0]
        places = problem.focal.coordinates[copies, 0]
        columns = line_assignment(places, partners)
        gap = line_gap(places, partners, columns)
        distance = np.abs(places - partners[columns])
        if gap <= _PROVEN * max(float(distance.sum()), np.finfo(float).tiny):
            return Assignment(copies, columns, distance, gap)
    return least_assignment(problem, ratio)


def _notes(assignment: Assignment, option: OptimalMatching, focal: Ints, space: PairSpace) -> tuple[str, ...]:
    notes: list[str] = [
        "No other choice of pairs that keeps the rules has a smaller sum of distances; prices of partners prove it."
    ]
    n_discarded, n_lost = int(space.discarded.sum()), len(focal) - len(np.unique(assignment.focal))
    if n_discarded:
        notes.append(
            Sentence(
                "{n} outside the range of the other group's scores were left out.",
                n=count(n_discarded, "units", "unit", among=len(space.discarded)),
            )
        )
    if n_lost:
        notes.append(
            Sentence(
                "{n} of the target group could not be given a permitted partner, whatever the choice of the others. "
                "The effect is one on the units that were matched.",
                n=count(n_lost, "units", "unit", among=len(focal)),
            )
        )
    if len(assignment.focal) < option.ratio * (len(focal) - n_lost):
        notes.append(
            Sentence(
                "Some units have fewer than {ratio} partners, because no more were permitted.", ratio=str(option.ratio)
            )
        )
    return tuple(notes)
