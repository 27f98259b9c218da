"""Kernels of randomisation over sets: sets of units drawn in areas, shares of them as extreme, reach of an interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations, product
from typing import Final, NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.estimate.areas.changes_arrays import TIE

NOBODY = -1
"""Where a set has fewer members than there are places for them."""
_TRIES = 200
"""Rounds of drawing areas, each of as many draws as are asked for, before it is given up."""


# Sets of units within one area.


def sets_within(rng: np.random.Generator, classes: Ints, wanted: Ints, n_sets: int) -> Ints:
    """Return distinct kinds of sets of one area: all there are where they are no more than `n_sets`, else random ones.

    Parameters
    ----------
    rng : the area's own stream
    classes : shape (N,), class of each unit, 0 … K − 1, or −1 for a unit that no set may hold
    wanted : shape (K,), members from each class; no class has fewer units
    n_sets : most sets to return

    Returns
    -------
    shape (m, Σ wanted)
        Positions among the N units, without replacement within a set.
    """
    if n_possible(classes, wanted) > n_sets:
        return random_sets(rng, classes, wanted, n_sets)
    members = _by_class(classes, wanted)
    every = [list(combinations(of.tolist(), int(n))) for of, n in zip(members, wanted, strict=True)]
    return np.array([[at for part in one for at in part] for one in product(*every)], dtype=np.int64)


def random_sets(rng: np.random.Generator, classes: Ints, wanted: Ints, n_sets: int) -> Ints:
    """Return `n_sets` random sets, arguments as in `sets_within`; the first do not depend on how many are asked for."""
    order = rng.random((n_sets, len(classes)))
    pairs = zip(_by_class(classes, wanted), wanted, strict=True)
    return np.hstack([of[_smallest(order[:, of], int(n))] for of, n in pairs if n])


def _by_class(classes: Ints, wanted: Ints) -> list[Ints]:
    return [np.flatnonzero(classes == one) for one in range(len(wanted))]


def _smallest(keys: Floats, n: int) -> Ints:
    """Return the columns of the `n` smallest keys of each row: a set without replacement where keys are random."""
    if n == keys.shape[1]:
        return np.broadcast_to(np.arange(n), (len(keys), n)).astype(np.int64)
    found: Ints = np.argpartition(keys, n - 1, axis=1)[:, :n].astype(np.int64)
    return found


def n_possible(classes: Ints, wanted: Ints) -> int:
    """Return how many sets an area has: the product over classes of N choose n, 0 where one has too few."""
    return math.prod(math.comb(int((classes == one).sum()), int(n)) for one, n in enumerate(wanted))


# Which areas take the places of those that were treated.


def areas_in_turn(n_sets: Sequence[int]) -> Ints:
    """Return the area of each set where every area is drawn in turn, shape (Σ n_sets, 1)."""
    return np.repeat(np.arange(len(n_sets)), n_sets)[:, None].astype(np.int64)


def areas_together(rng: np.random.Generator, fits: Bools, n_draws: int) -> Ints:
    """Return distinct areas for several places at once, uniformly over all orders in which each area fits its place.

    Parameters
    ----------
    rng : stream of the draws
    fits : shape (A, J), whether an area can take a place
    n_draws : number of draws

    Returns
    -------
    shape (n_draws, A), or fewer rows where areas hardly ever fit
        A distinct areas in random order, drawn again until each fits its place.
    """
    n_places, n_areas = fits.shape
    places = np.arange(n_places)
    found: list[Ints] = []
    lacking = n_draws
    for _ in range(_TRIES):
        drawn = np.argsort(rng.random((n_draws, n_areas)), axis=1)[:, :n_places]
        kept = drawn[fits[places, drawn].all(axis=1)][:lacking]
        found.append(kept.astype(np.int64))
        lacking -= len(kept)
        if lacking == 0:
            break
    return np.concatenate(found)


# How extreme a statistic is among those of the sets.


def set_weights(area: Ints, n_areas: int) -> Floats:
    """Return the weight of each set where areas are drawn in turn: 1 over the sets of its area; shape (D,)."""
    weights: Floats = 1.0 / np.bincount(area, minlength=n_areas)[area]
    return weights


def share_as_large(size: Floats, weights: Floats, value: float) -> float:
    """Return p = [1 + Σ w · 1(size ≥ value)] / [1 + Σ w]: the data themselves count as one as large.

    With the weights of `set_weights` this is [1 + Σ_j s_j] / J, s_j the share of area j's sets as large and J the
    areas, the treated one among them; with weights of one it is (1 + number as large) / (D + 1).
    """
    return float((1.0 + weights[size >= value - TIE].sum()) / (1.0 + weights.sum()))


def reach(size: Floats, weights: Floats, alpha: float) -> float:
    """Return the largest distance from the estimate that is not rejected at `alpha`, infinite where none is rejected.

    A distance c is rejected where 1 + Σ w · 1(size ≥ c) ≤ alpha · (1 + Σ w); so the reach is the largest size at which
    the sum is still above that.
    """
    total = 1.0 + float(weights.sum())
    if alpha * total + 1e-9 < 1.0:
        return math.inf
    if len(size) > _FEW:  # the tail is as a rule in the largest few: sorting them alone is several times faster
        some = max(int(_TAIL * len(size)), _FEW)
        largest = np.argpartition(size, len(size) - some)[len(size) - some :]
        found = _crossing(size[largest], weights[largest], alpha * total)
        if found > float(size[largest].min()) + 2 * TIE:  # nothing left out is as large, or tied with it
            return found
    return _crossing(size, weights, alpha * total)


_FEW: Final = 2_000
_TAIL: Final = 0.15


def _crossing(size: Floats, weights: Floats, most: float) -> float:
    """Return the largest size at which 1 + Σ w · 1(size ≥ it) is above `most`, 0 where none is."""
    order = np.argsort(-size, kind="stable")
    ordered = size[order]
    running = 1.0 + np.cumsum(weights[order])
    # Sizes equal up to rounding count together, as they do in the p-value.
    last_of_tie = np.searchsorted(-ordered, -(ordered - TIE), side="right") - 1
    is_kept = running[last_of_tie] > most + 1e-9
    return float(ordered[is_kept].max(initial=0.0))


def error_of_p(area: Ints, as_large: Bools, is_drawn: Bools) -> float:
    """Return the Monte Carlo error of p where areas are drawn in turn: √(Σ_j s_j (1 − s_j) / M_j) / J.

    `area` and `as_large` have one entry for each set; `is_drawn` one for each of the J − 1 areas: those all of whose
    sets are in the sum have no error.
    """
    n_areas = len(is_drawn)
    n_sets = np.maximum(np.bincount(area, minlength=n_areas), 1)
    share = np.bincount(area, as_large.astype(float), minlength=n_areas) / n_sets
    return float(np.sqrt((share * (1 - share) / n_sets)[is_drawn].sum()) / (n_areas + 1))


class Stretched(NamedTuple):
    """The reach of each column's own interval, shape (T,), and the factor (at least 1) by which all hold together."""

    reaches: Floats
    factor: float


def stretched_sets(sizes: Floats, weights: Floats, alpha: float) -> Stretched:
    """Return what makes intervals of several columns hold together: M_d = max_t |T_dt| / c_t, its reach the factor.

    `sizes` has shape (D, T). A column that is zero in every set takes no part (Westfall and Young, 1993).
    """
    reaches = np.array([reach(column, weights, alpha) for column in sizes.T])
    moving = reaches > TIE
    if not moving.any() or not np.isfinite(reaches).all():
        return Stretched(reaches, 1.0)
    largest = (sizes[:, moving] / reaches[moving]).max(axis=1)
    return Stretched(reaches, max(reach(largest, weights, alpha), 1.0))


# The statistic of changes: mean of a set less the mean of what its area is compared with.


def set_means(values: Floats, weight: Floats, members: Ints) -> tuple[Floats, Floats]:
    """Return the weighted mean of each set and its total weight, shapes (k, T) and (k, 1); (k, T) of weights by column.

    `values` has shape (n, T), `weight` (n,) or (n, T); `members` (k, m) holds positions, −1 for nobody.
    """
    columns = weight[:, None] if weight.ndim == 1 else weight
    each = [np.append(column, 0.0)[members] for column in columns.T]
    totals = np.stack([w.sum(axis=1) for w in each], axis=1)
    sums = [
        (each[at if len(each) > 1 else 0] * np.append(column, 0.0)[members]).sum(axis=1)
        for at, column in enumerate(values.T)
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.stack(sums, axis=1) / totals
    return means, totals


def largest_moves(values: Floats, weight: Floats, members: Ints) -> Floats:
    """Return by how much each set's mean moves at most without one member: max w|c − m|/(W − w), shape (k,).

    `values` and `weight` have shape (n,). A set of one cannot do without it and counts as not moved.
    """
    w, c = np.append(weight, 0.0)[members], np.append(values, 0.0)[members]
    total = w.sum(axis=1, keepdims=True)
    mean = (w * c).sum(axis=1, keepdims=True) / total
    left = total - w
    moved = np.where(left > TIE * total, w * np.abs(c - mean) / np.where(left > TIE * total, left, 1.0), 0.0)
    found: Floats = moved.max(axis=1)
    return found


def compared_means(values: Floats, weight: Floats, area: Ints, compared: Bools) -> Floats:
    """Return the weighted mean over the units of the areas that each area is compared with, shape (G, T).

    `values` (n, T) and `weight` (n,) or (n, T) are of units whose `area` (n,) is a position among the G columns of
    `compared` (rows, G); NaN where there is nobody to compare with.
    """
    n_areas = compared.shape[1]
    weights = weight[:, None] if weight.ndim == 1 else weight
    of_area, sums = (
        np.stack([np.bincount(area, column, minlength=n_areas) for column in table.T], axis=1)
        for table in (weights, weights * values)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = (compared.astype(float) @ sums) / (compared.astype(float) @ of_area)
    return means


# The other units of the same areas.


def relabelled_gaps(
    change: Floats, weight: Floats, members: Ints, areas: Iterable[Ints], sizes: Sequence[int]
) -> Floats:
    """Return Σ_a (W_a / W)(mean of the set − mean of the area's others) for each row of `members`.

    Parameters
    ----------
    change, weight : shape (n,)
    members : shape (k, m), the sets of the areas side by side
    areas : positions of all units of each area
    sizes : members of each area, Σ sizes = m
    """
    gaps, totals = [], []
    starts = np.cumsum([0, *sizes])
    for at, units in enumerate(areas):
        own = members[:, starts[at] : starts[at + 1]]
        mean, total = (part.reshape(len(own)) for part in set_means(change[:, None], weight, own))
        all_weight, all_sum = float(weight[units].sum()), float(weight[units] @ change[units])
        gaps.append(mean - (all_sum - mean * total) / (all_weight - total))
        totals.append(total)
    share = np.array(totals) / np.array(totals).sum(axis=0)
    found: Floats = (share * np.array(gaps)).sum(axis=0)
    return found
