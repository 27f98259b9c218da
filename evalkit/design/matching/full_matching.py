"""Full matching: everyone in a set with one treated or one comparison unit, at the least sum of distances."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Ints
from evalkit.core.errors import DesignError
from evalkit.core.sentence import Sentence, count
from evalkit.data.baseline import Baseline
from evalkit.design.matching.full_arrays import Cover, bounded_cover, least_cover, star_codes
from evalkit.design.matching.matched import MatchedDesign, Pairs, stratum_weights
from evalkit.design.matching.options import FullMatching, Target
from evalkit.design.matching.pairs import PairSpace, pair_space
from evalkit.design.matching.pairs_arrays import PairProblem

Bounds = tuple[tuple[int, float], tuple[int, float]]


def full_matching(baseline: Baseline, option: FullMatching, target: Target) -> MatchedDesign:
    """Return sets of one treated and any number of comparison units, or the reverse (Rosenbaum, 1991; Hansen, 2004).

    The sum of distances within sets, from each unit to the single one, is the least there is. Weights make each
    arm of a set count as much as the target group has units there. Units without a permitted partner are left out.

    Raises
    ------
    DesignError
        Where bounds on set sizes exclude each other or cannot be kept, or more pairs would have to be weighed than
        the stated budget.
    """
    bounds = size_bounds(option)
    space = pair_space(baseline, option)
    is_eligible = ~space.discarded
    treated, comparison = (
        np.flatnonzero(baseline.is_treated & is_eligible),
        np.flatnonzero(~baseline.is_treated & is_eligible),
    )
    strata, pairs = full_sets(space, bounds, treated, comparison)
    return MatchedDesign(
        baseline=baseline,
        option=option,
        target=target,
        weights=stratum_weights(baseline.is_treated, strata, target),
        pairs=pairs,
        strata=strata,
        score=space.score,
        discarded=space.discarded,
        notes=_notes(strata, space, int(strata.max(initial=-1)) + 1),
    )


def full_sets(space: PairSpace, bounds: Bounds | None, treated: Ints, comparison: Ints) -> tuple[Ints, Pairs]:
    """Return each unit's set, −1 for none, shape (n_units,), and the pairs; arms are positions in the baseline."""
    strata = np.full(len(space.strata), -1, dtype=np.int64)
    pairs, n_sets = [], 0
    for code in np.unique(space.strata[treated]):
        treated_at, comparison_at = treated[space.strata[treated] == code], comparison[space.strata[comparison] == code]
        if not len(comparison_at):
            continue
        cover = _cover(space.problem(treated_at, comparison_at), bounds)
        codes = star_codes(cover, (len(treated_at), len(comparison_at)))
        for rows, numbers in ((treated_at, codes[0]), (comparison_at, codes[1])):
            strata[rows] = np.where(numbers >= 0, numbers + n_sets, -1)
        n_sets = int(strata.max()) + 1
        pairs.append((treated_at[cover.treated], comparison_at[cover.comparison], cover.distance))
    return strata, _in_order(pairs)


def size_bounds(option: FullMatching) -> Bounds | None:
    """Return fewest and most partners of a treated and of a comparison unit, None where nothing is bounded."""
    fewest, most = option.fewest, option.most
    if fewest is None and most is None:
        return None
    low, high = 0.0 if fewest is None else fewest, math.inf if most is None else most
    if not 0 <= low <= high or high <= 0:
        raise DesignError(
            f"From {low:g} to {high:g} comparison units for each treated unit is no range. Give fewest ≤ most."
        )
    of_treated = (
        max(1, math.ceil(low - 1e-9)),
        1.0 if high < 1 else math.floor(high + 1e-9) if high < math.inf else math.inf,
    )
    of_comparison = (
        max(1, math.ceil(1 / high - 1e-9)) if high < 1 else 1,
        math.inf if low == 0 else max(1.0, math.floor(1 / low + 1e-9)),
    )
    return of_treated, of_comparison


def _cover(problem: PairProblem, bounds: Bounds | None) -> Cover:
    if bounds is None:
        return least_cover(problem)
    if not problem.is_limited:
        return bounded_cover(problem, *bounds)
    # units that nothing permits are left out before bounds are set, so that these can be kept
    free = least_cover(problem)
    treated_at, comparison_at = np.unique(free.treated), np.unique(free.comparison)
    part = bounded_cover(problem.take(treated_at, comparison_at), *bounds)
    return Cover(treated_at[part.treated], comparison_at[part.comparison], part.distance)


def _in_order(parts: list[tuple[Ints, Ints, NDArray[np.float64]]]) -> Pairs:
    if not parts:
        none = np.empty(0, dtype=np.int64)
        return Pairs(none, none, np.empty(0))
    treated, comparison, distance = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((comparison, treated))
    return Pairs(treated[order], comparison[order], distance[order])


def _notes(strata: Ints, space: PairSpace, n_sets: int) -> tuple[str, ...]:
    notes = [
        Sentence(
            "There are {n}; no other choice of sets has a smaller sum of distances.",
            n=count(n_sets, "units", "matched set"),
        )
    ]
    if space.discarded.any():
        n_outside = count(int(space.discarded.sum()), "units", "unit", among=len(strata))
        notes.append(Sentence("{n} outside common support were left out.", n=n_outside))
    n_lost = int((strata[~space.discarded] < 0).sum())
    if n_lost:
        lost_count = count(n_lost, "units", "unit", among=len(strata))
        notes.append(Sentence("{n} had no permitted partner and were left out.", n=lost_count))
    return tuple(notes)
