"""Nearest-neighbour matching: each unit in turn takes the nearest partner that is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from evalkit.core.arrays import Ints
from evalkit.core.errors import DesignError
from evalkit.core.sentence import Sentence, count
from evalkit.data.baseline import Baseline
from evalkit.design.matching.greedy_arrays import (
    SPARE,
    LineRules,
    PartnersTaken,
    Permissions,
    nearest_on_line,
    one_each_on_line,
    take_along_line,
    take_closest_first,
    take_in_space,
)
from evalkit.design.matching.matched import MatchedDesign, Pairs, matched_sets, paired_weights
from evalkit.design.matching.options import NearestNeighbour, Order, Target
from evalkit.design.matching.pairs import PairSpace, pair_space, shared_codes
from evalkit.design.matching.scores import SCORE_DISTANCES

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
    require_options_agree(option)
    space = pair_space(baseline, option)
    is_focal = baseline.is_treated if target == "ATT" else ~baseline.is_treated
    focal = np.flatnonzero(is_focal & ~space.discarded)
    pool = np.flatnonzero(~is_focal & ~space.discarded)
    first = None
    if option.within_first is not None:
        first = shared_codes(baseline, (*option.exact, option.within_first))
    pairs = nearest_pairs(option, space, (focal, pool), target, first)
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


def require_options_agree(option: NearestNeighbour) -> None:
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


def nearest_pairs(
    option: NearestNeighbour, space: PairSpace, arms: tuple[Ints, Ints], target: Target, first: Ints | None
) -> Pairs:
    """Return pairs of focal units (as `treated`) and partners, by focal unit and then as they were taken.

    `arms` are the positions of focal units and of those who may be their partners, ascending; `first` codes, shape
    (n_units,), that a partner shares where there is one that does.
    """
    focal, pool = arms
    if option.replacement and _is_line(option) and not _is_limited(option) and len(pool) >= option.ratio:
        partner, distance = nearest_on_line(space.coordinates[focal, 0], space.coordinates[pool, 0], option.ratio)
        return Pairs(np.repeat(focal, option.ratio), pool[partner].ravel(), distance.ravel())
    turns = _turns(option, space, focal, target)
    if _is_plain(option):
        return _one_each(space, turns[0], arms)
    times = _ANY_NUMBER if option.replacement else option.reuse_limit or 1
    partners_taken = PartnersTaken.none(len(focal), len(pool), times)
    take = _taker(option, space, arms)
    for strata in (space.strata,) if first is None else (first, space.strata):
        for turn, pool_at in _by_stratum(strata[focal[turns[0]]], strata[pool]):
            take(partners_taken, (turns[0][turn], turns[1][turn]), pool_at)
    sizes = [len(partners) for partners in partners_taken.partners]
    focal_at = np.repeat(np.arange(len(focal)), sizes)
    partner_at = np.array([partner for partners in partners_taken.partners for partner in partners], dtype=np.int64)
    distance = space.problem(focal, pool).distance(focal_at, partner_at)
    return Pairs(focal[focal_at], pool[partner_at], distance)


def _one_each(space: PairSpace, turns: Ints, arms: tuple[Ints, Ints]) -> Pairs:
    """Return pairs of one partner each along the score, within strata and the score's caliper."""
    focal, pool = arms
    focal_scores, partner_scores = space.coordinates[focal, 0], space.coordinates[pool, 0]
    partner_of = np.full(len(focal), -1, dtype=np.int64)
    for turn, pool_at in _by_stratum(space.strata[focal[turns]], space.strata[pool]):
        focal_at = turns[turn]
        partner = one_each_on_line(focal_scores[focal_at], partner_scores[pool_at], space.caliper)
        partner_of[focal_at[partner >= 0]] = pool_at[partner[partner >= 0]]
    has = np.flatnonzero(partner_of >= 0)
    return Pairs(focal[has], pool[partner_of[has]], np.abs(focal_scores[has] - partner_scores[partner_of[has]]))


def _by_stratum(focal_strata: Ints, pool_strata: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield positions of focal units and of partners for each stratum that has both, in their order."""
    focal_order, pool_order = np.argsort(focal_strata, kind="stable"), np.argsort(pool_strata, kind="stable")
    codes = np.intersect1d(focal_strata, pool_strata)
    bounds = [
        np.searchsorted(values, codes, side=side).tolist()
        for values in (focal_strata[focal_order], pool_strata[pool_order])
        for side in ("left", "right")
    ]
    for low, high, first, last in zip(*bounds, strict=True):
        yield focal_order[low:high], pool_order[first:last]


def _is_line(option: NearestNeighbour) -> bool:
    """Return whether units stand on a line that has a lower and an upper end, which a lone coordinate has not."""
    return option.distance in SCORE_DISTANCES and not option.mahalanobis_on


def _is_limited(option: NearestNeighbour) -> bool:
    rules = (option.exact, option.anti_exact, option.calipers, option.within_first, option.fewest)
    return option.caliper is not None or any(bool(rule) for rule in rules)


def _is_plain(option: NearestNeighbour) -> bool:
    """Return whether each unit takes one partner along the score in its turn, within strata and the score's caliper."""
    is_once = option.ratio == 1 and not option.replacement and option.reuse_limit in (None, 1)
    rules = (option.anti_exact, option.calipers, option.within_first, option.fewest)
    return _is_line(option) and is_once and option.order != "closest" and not any(bool(rule) for rule in rules)


def _usual_order(option: NearestNeighbour, target: Target) -> Order:
    """Return the order in which those who have the fewest counterparts come first."""
    if option.distance not in SCORE_DISTANCES:
        return "id"
    return "largest" if target == "ATT" else "smallest"


def _turns(option: NearestNeighbour, space: PairSpace, focal: Ints, target: Target) -> tuple[Ints, Ints]:
    """Return positions in `focal` in order of their turn, and how many partners each wants."""
    order = option.order or _usual_order(option, target)
    positions = np.arange(len(focal))
    if order in ("largest", "smallest"):
        assert space.score is not None
        score = space.score[focal]
        positions = np.argsort(-score if order == "largest" else score, kind="stable")
    return positions, _wanted(option, space, focal)[positions]


def _wanted(option: NearestNeighbour, space: PairSpace, focal: Ints) -> Ints:
    """Return how many partners each focal unit wants.

    With a variable ratio units with low scores, who have many counterparts, get the most and those with high ones
    the fewest, with one in between so that the mean is kept (Ming and Rosenbaum, 2000).
    """
    n_partners = np.full(len(focal), option.ratio, dtype=np.int64)
    if option.fewest is None or option.most is None or option.most == option.fewest:
        return n_partners
    if space.score is None:
        raise DesignError("A variable ratio goes by the score, and this distance has none. Use a score distance.")
    spread = option.most - option.fewest
    n_most, rest = divmod((option.ratio - option.fewest) * len(focal), spread)
    by_score = np.argsort(space.score[focal], kind="stable")
    n_partners[:] = option.fewest
    n_partners[by_score[:n_most]] = option.most
    if rest:
        n_partners[by_score[n_most]] = option.fewest + rest
    return n_partners


def _taker(
    option: NearestNeighbour, space: PairSpace, arms: tuple[Ints, Ints]
) -> Callable[[PartnersTaken, tuple[Ints, Ints], Ints], None]:
    """Return what lets units take partners: takings, turns and the positions of the partners that may be taken."""
    if not _is_line(option):
        problem, spare = space.problem(*arms), 1 if option.replacement else SPARE

        def take(partners_taken: PartnersTaken, turns: tuple[Ints, Ints], pool_at: Ints) -> None:
            focal_at = np.sort(turns[0])
            take_in_space(partners_taken, turns, problem.take(focal_at, pool_at), (focal_at, pool_at), spare)

        return take
    rules = _line_rules(space, arms)
    along = take_closest_first if option.order == "closest" else take_along_line
    return lambda partners_taken, turns, pool_at: along(partners_taken, turns, rules, pool_at)


def _line_rules(space: PairSpace, arms: tuple[Ints, Ints]) -> LineRules:
    """Return the rules along the score: its caliper ends the search, other limits forbid single pairs."""
    focal, pool = arms
    other_limits = space.problem(focal, pool, with_caliper=False)
    scores = space.coordinates[:, 0]
    permissions = Permissions(other_limits) if other_limits.is_limited else None
    return LineRules(scores[focal], scores[pool], space.caliper, permissions)


_OUTSIDE: Final = "outside the range of the other group's scores"


def _notes(option: NearestNeighbour, focal: Ints, matched: Ints, space: PairSpace) -> tuple[str, ...]:
    notes: list[str] = []
    n_units = len(space.discarded)
    n_discarded, n_lost = int(space.discarded.sum()), len(focal) - len(np.unique(matched))
    if n_discarded:
        notes.append(
            Sentence(
                "{n} left out before matching.",
                n=count(n_discarded, "units", f"unit {_OUTSIDE} was", f"units {_OUTSIDE} were", n_units),
            )
        )
    if n_lost:
        notes.append(
            Sentence(
                "{n} of the target group found no partner: none that is permitted was left when {their} turn came. The "
                "effect is one on the units that were matched.",
                n=count(n_lost, "units", "unit", among=len(focal)),
                their="its" if n_lost == 1 else "their",
            )
        )
    fewest_partners = np.bincount(matched)[matched].min(initial=option.ratio) if len(matched) else option.ratio
    if option.fewest is None and fewest_partners < option.ratio:
        notes.append(
            Sentence(
                "Some units have fewer than {ratio} partners, because no more were permitted or left.",
                ratio=str(option.ratio),
            )
        )
    return tuple(notes)
