"""Nearest-neighbour matching: each unit in turn takes the nearest partner that is left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.words import counted
from evalkit.data.baseline import Baseline
from evalkit.design.arrays.greedy_line import (
    Takings,
    nearest_on_line,
    one_each_on_line,
    take_along_line,
    take_closest_first,
)
from evalkit.design.arrays.greedy_space import SPARE, take_in_space
from evalkit.design.arrays.pair_problem import PairProblem
from evalkit.design.matched import MatchedDesign, Pairs, matched_sets, paired_weights
from evalkit.design.matching_options import NearestNeighbour, Order, Target
from evalkit.design.pair_distance import PairSpace, pair_space, shared_codes
from evalkit.design.scores import SCORE_DISTANCES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ANY_NUMBER = 2**62
"""How often a partner may serve with replacement."""


def nearest_neighbour(baseline: Baseline, option: NearestNeighbour, target: Target) -> MatchedDesign:
    """Return each unit of the target group with its nearest partners.

    Units take turns (those with the fewest counterparts first: by descending score for the ATT, ascending for the
    ATC, or as `order` says; of equal scores the earlier id first), and every unit
    has its first partner before any has its second. Of partners as near as each other the one with the lower score
    is taken, of those with equal scores the one met first on the way (above the earlier id, below the later one);
    over coordinates the earlier id. Units whose turn
    comes when nobody permitted is left stay without a partner.

    Raises
    ------
    DesignError
        Where the target is the ATE, options exclude each other, or no pair is possible.
    """
    if target == "ATE":
        raise DesignError(
            "Nearest-neighbour matching gives the effect on the treated (ATT) or on the comparison units (ATC). For "
            "the ATE use full matching, subclassification or weighting."
        )
    _require_whole(option)
    space = pair_space(baseline, option)
    is_focal = baseline.is_treated if target == "ATT" else ~baseline.is_treated
    focal = np.flatnonzero(is_focal & ~space.discarded)
    pool = np.flatnonzero(~is_focal & ~space.discarded)
    pairs = _pairs(baseline, option, space, (focal, pool), target)
    if target == "ATC":
        pairs = Pairs(pairs.comparison, pairs.treated, pairs.distance)
    shares = option.replacement or option.reuse_limit is not None
    return MatchedDesign(
        baseline=baseline,
        option=option,
        target=target,
        weights=paired_weights(baseline.is_treated, pairs, target),
        pairs=pairs,
        strata=None if shares else matched_sets(len(is_focal), pairs, target),
        score=space.score,
        discarded=space.discarded,
        notes=_notes(option, focal, pairs.treated if target == "ATT" else pairs.comparison, space),
    )


def _require_whole(option: NearestNeighbour) -> None:
    """Raise `DesignError` where options exclude each other."""
    if option.ratio < 1 or (option.reuse_limit is not None and option.reuse_limit < 1):
        raise DesignError("The ratio and the reuse limit are whole numbers from 1 on.")
    if option.replacement and option.reuse_limit is not None:
        raise DesignError("With replacement partners serve any number of times; leave the reuse limit out, or it.")
    if (option.fewest is None) != (option.most is None):
        raise DesignError("A variable ratio needs both ends: give `fewest` and `most`, with `ratio` as its mean.")
    if option.fewest is not None and option.most is not None and not 1 <= option.fewest <= option.ratio <= option.most:
        raise DesignError(
            f"A variable ratio from {option.fewest} to {option.most} cannot have the mean {option.ratio}. Give "
            "1 ≤ fewest ≤ ratio ≤ most."
        )
    if option.order not in (None, "id") and option.distance not in SCORE_DISTANCES:
        raise DesignError(
            f"The order '{option.order}' needs a score, which the distance '{option.distance}' has not. Use 'id'."
        )
    if option.order == "closest" and option.mahalanobis_on:
        raise DesignError("The order 'closest' is for differences of a score; inside a caliper use another order.")


def _pairs(
    baseline: Baseline, option: NearestNeighbour, space: PairSpace, arms: tuple[Ints, Ints], target: Target
) -> Pairs:
    """Return pairs of focal units (as `treated`) and partners, by focal unit and then as they were taken."""
    focal, pool = arms
    if option.replacement and _is_line(option) and not _is_limited(option) and len(pool) >= option.ratio:
        partner, distance = nearest_on_line(space.coordinates[focal, 0], space.coordinates[pool, 0], option.ratio)
        return Pairs(np.repeat(focal, option.ratio), pool[partner].ravel(), distance.ravel())
    turns = _turns(option, space, focal, target)
    if _is_line(option) and not _is_limited(option) and _is_plain(option):
        own, other = space.coordinates[focal, 0], space.coordinates[pool, 0]
        found = one_each_on_line(own[turns[0]], other)
        at = np.full(len(focal), -1, dtype=np.int64)
        at[turns[0]] = found
        has = np.flatnonzero(at >= 0)
        return Pairs(focal[has], pool[at[has]], np.abs(own[has] - other[at[has]]))
    times = _ANY_NUMBER if option.replacement else option.reuse_limit or 1
    takings = Takings.none(len(focal), len(pool), times)
    for strata in _passes(baseline, option, space):
        _take(takings, turns, (option, space), strata, arms)
    sizes = [len(partners) for partners in takings.partners]
    first = np.repeat(np.arange(len(focal)), sizes)
    second = np.array([partner for partners in takings.partners for partner in partners], dtype=np.int64)
    distance = space.problem(focal, pool).distance(first, second)
    return Pairs(focal[first], pool[second], distance)


def _is_line(option: NearestNeighbour) -> bool:
    """Return whether units stand on a line that has a lower and an upper end, which a lone coordinate has not."""
    return option.distance in SCORE_DISTANCES and not option.mahalanobis_on


def _is_limited(option: NearestNeighbour) -> bool:
    rules = (option.exact, option.anti_exact, option.calipers, option.caliper, option.within_first, option.fewest)
    return any(bool(rule) for rule in rules)


def _is_plain(option: NearestNeighbour) -> bool:
    """Return whether each unit takes one partner in its turn and nobody serves twice."""
    return (
        option.ratio == 1 and not option.replacement and option.reuse_limit in (None, 1) and option.order != "closest"
    )


def _passes(baseline: Baseline, option: NearestNeighbour, space: PairSpace) -> list[Ints]:
    """Return the strata of each pass: where some partners come first, those are a pass of their own."""
    if option.within_first is None:
        return [space.strata]
    return [shared_codes(baseline, (*option.exact, option.within_first)), space.strata]


def _usual_order(option: NearestNeighbour, target: Target) -> Order:
    """Return the order in which those who have the fewest counterparts come first."""
    if option.distance not in SCORE_DISTANCES:
        return "id"
    return "largest" if target == "ATT" else "smallest"


def _turns(option: NearestNeighbour, space: PairSpace, focal: Ints, target: Target) -> tuple[Ints, Ints]:
    """Return positions in `focal` in order of their turn, and how many partners each wants."""
    order = option.order or _usual_order(option, target)
    at = np.arange(len(focal))
    if order in ("largest", "smallest"):
        assert space.score is not None
        score = space.score[focal]
        at = np.argsort(-score if order == "largest" else score, kind="stable")
    return at, _wanted(option, space, focal)[at]


def _wanted(option: NearestNeighbour, space: PairSpace, focal: Ints) -> Ints:
    """Return how many partners each focal unit wants.

    With a variable ratio units with low scores, who have many counterparts, get the most and those with high ones
    the fewest, with one in between so that the mean is kept (Ming and Rosenbaum, 2000).
    """
    wanted = np.full(len(focal), option.ratio, dtype=np.int64)
    if option.fewest is None or option.most is None or option.most == option.fewest:
        return wanted
    if space.score is None:
        raise DesignError("A variable ratio goes by the score, and this distance has none. Use a score distance.")
    spread = option.most - option.fewest
    n_most, rest = divmod((option.ratio - option.fewest) * len(focal), spread)
    by_score = np.argsort(space.score[focal], kind="stable")
    wanted[:] = option.fewest
    wanted[by_score[:n_most]] = option.most
    if rest:
        wanted[by_score[n_most]] = option.fewest + rest
    return wanted


def _take(
    takings: Takings,
    turns: tuple[Ints, Ints],
    rules: tuple[NearestNeighbour, PairSpace],
    strata: Ints,
    arms: tuple[Ints, Ints],
) -> None:
    """Let units take partners within each stratum."""
    option, space = rules
    focal, pool = arms
    whole = space.problem(focal, pool)
    own, other = strata[focal], strata[pool]
    for code in np.unique(own):
        mine, theirs = np.flatnonzero(own == code), np.flatnonzero(other == code)
        here = own[turns[0]] == code
        turn = turns[0][here], turns[1][here]
        if not len(theirs):
            continue
        if _is_line(option):
            scores = space.coordinates[focal, 0], space.coordinates[pool, 0]
            take = take_closest_first if option.order == "closest" else take_along_line
            take(takings, turn, scores, theirs, _permits(whole))
        else:
            spare = 1 if option.replacement else SPARE
            take_in_space(takings, turn, whole.take(mine, theirs), (mine, theirs), spare)


def _permits(problem: PairProblem):  # type: ignore[no-untyped-def]
    """Return whether a focal unit and a partner may be paired, or None where all may."""
    if not problem.is_limited:
        return None
    windows = [
        (own.tolist(), other.tolist(), width)
        for own, other, width in zip(
            problem.focal.windows.T, problem.partners.windows.T, problem.widths.tolist(), strict=True
        )
    ]
    codes = [
        (own.tolist(), other.tolist())
        for own, other in zip(problem.focal.codes.T, problem.partners.codes.T, strict=True)
    ]

    def permits(unit: int, partner: int) -> bool:
        return all(abs(own[unit] - other[partner]) <= width for own, other, width in windows) and all(
            own[unit] != other[partner] for own, other in codes
        )

    return permits


def _notes(option: NearestNeighbour, focal: Ints, matched: Ints, space: PairSpace) -> tuple[str, ...]:
    notes = []
    n_discarded, n_lost = int(space.discarded.sum()), len(focal) - len(np.unique(matched))
    if n_discarded:
        notes.append(
            f"{counted(n_discarded, 'unit')} outside the range of the other group's scores "
            f"{'was' if n_discarded == 1 else 'were'} left out before matching."
        )
    if n_lost:
        notes.append(
            f"{counted(n_lost, 'unit')} of the target group found no partner: none that is permitted was left when "
            f"{'its' if n_lost == 1 else 'their'} turn came. The effect is one on the units that were matched."
        )
    short = np.bincount(matched)[matched].min(initial=option.ratio) if len(matched) else option.ratio
    if option.fewest is None and short < option.ratio:
        notes.append(f"Some units have fewer than {option.ratio} partners, because no more were permitted or left.")
    return tuple(notes)
