"""Greedy matching along a line: each unit in turn takes the nearest partner that is left."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalkit.design.arrays.line import Line, Permissions

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(slots=True, eq=False)
class Takings:
    """What has been taken so far: partners of each focal unit in order, and how often each partner may still serve.

    Attributes
    ----------
    partners : one list for each focal unit
    left : how many more times each partner may serve, one number for each
    """

    partners: list[list[int]]
    left: list[int]

    @classmethod
    def none(cls, n_focal: int, n_partners: int, times: int) -> Takings:
        """Return takings in which nothing is taken and each partner may serve `times` times."""
        return cls([[] for _ in range(n_focal)], [times] * n_partners)


@dataclass(frozen=True, slots=True, eq=False)
class LineRules:
    """What decides along a line.

    Attributes
    ----------
    own, other : scores of all focal units and of all partners
    reach : the most by which partners differ in the score
    permissions : what else forbids a pair, None where nothing does
    """

    own: Floats
    other: Floats
    reach: float = np.inf
    permissions: Permissions | None = None

    def line(self, pool: Ints, takings: Takings) -> Line:
        """Return the partners of a pool that may still be taken, along the line."""
        free = pool[[takings.left[at] > 0 for at in pool.tolist()]]
        return Line(self.other, free, self.reach, self.permissions)


def take_along_line(takings: Takings, turns: tuple[Ints, Ints], rules: LineRules, pool: Ints) -> None:
    """Let each focal unit take its nearest free partners, one a round, until it has what it wants.

    Parameters
    ----------
    takings : changed in place
    turns : focal units in order of their turn, and how many partners each wants in all; shape (m,) each
    rules : who may be paired, and where units stand
    pool : positions of the partners that may be taken, in the order that settles equal scores

    Every unit has its first turn before any has its second; which partner is the nearest is the rule of `Line`.
    """
    line = rules.line(pool, takings)
    own = rules.own[turns[0]]
    waiting = list(zip(turns[0].tolist(), turns[1].tolist(), own.tolist(), line.start(own), strict=True))
    for round_ in range(1, int(turns[1].max(initial=0)) + 1):
        still = []
        for turn in waiting:
            unit, wanted, score, start = turn
            taken = takings.partners[unit]
            if wanted < round_:
                continue
            if len(taken) < round_:
                found = line.nearest(unit, score, start, taken)
                if found < 0:
                    continue
                _take(takings, line, unit, found)
            still.append(turn)
        waiting = still


def _take(takings: Takings, line: Line, unit: int, place: int) -> None:
    partner = line.places[place]
    takings.partners[unit].append(partner)
    takings.left[partner] -= 1
    if takings.left[partner] == 0:
        line.remove(place)


def take_closest_first(takings: Takings, turns: tuple[Ints, Ints], rules: LineRules, pool: Ints) -> None:
    """Take the closest pair of all that are left, again and again; parameters as in `take_along_line`.

    Of pairs as close as each other the focal unit earlier in `turns` comes first. A unit gets its second partner
    only when every other has its first or can have none.
    """
    line = rules.line(pool, takings)
    own = rules.own[turns[0]]
    starts = line.start(own)
    units, wanted, scores = turns[0].tolist(), turns[1].tolist(), own.tolist()

    def offer(at: int) -> tuple[int, float, int, int] | None:
        taken = takings.partners[units[at]]
        if len(taken) >= wanted[at]:
            return None
        found = line.nearest(units[at], scores[at], starts[at], taken)
        return None if found < 0 else (len(taken), abs(line.values[found] - scores[at]), at, found)

    offers = [one for at in range(len(units)) if (one := offer(at)) is not None]
    heapq.heapify(offers)
    while offers:
        _, _, at, found = heapq.heappop(offers)
        if takings.left[line.places[found]] > 0:
            _take(takings, line, units[at], found)
        following = offer(at)
        if following is not None:
            heapq.heappush(offers, following)


def one_each_on_line(own: Floats, other: Floats, reach: float = np.inf) -> Ints:
    """Return the partner that each focal unit takes in its turn, no partner twice, −1 where none is left.

    Parameters
    ----------
    own : shape (m,), scores of the focal units in order of their turn
    other : shape (n,), scores of the partners in the order that settles equal scores
    reach : the most by which the two may differ

    Notes
    -----
    The rule of `Line` for one partner each and nothing else forbidden, written out: it is the usual case, and a
    call for each step would cost it twice the time.
    """
    order = np.argsort(other, kind="stable")
    values, n = other[order].tolist(), len(other)
    below, above = list(range(n + 1)), list(range(n + 1))
    found = []
    for low, score in zip(np.searchsorted(other[order], own, side="left").tolist(), own.tolist(), strict=True):
        high = low
        while below[low] != low:
            below[low] = below[below[low]]
            low = below[low]
        while above[high] != high:
            above[high] = above[above[high]]
            high = above[high]
        if low > 0 and (high == n or score - values[low - 1] <= values[high] - score):
            high = low - 1
        if high == n or abs(values[high] - score) > reach:
            found.append(-1)
            continue
        found.append(high)
        below[high + 1], above[high] = high, high + 1
    return np.append(order, -1)[found].astype(np.int64)


def nearest_on_line(own: Floats, other: Floats, n_each: int) -> tuple[Ints, Floats]:
    """Return the `n_each` nearest partners of each focal unit, which may serve any number of times.

    Parameters
    ----------
    own : shape (m,), scores of the focal units
    other : shape (n,), scores of the partners in the order that settles equal scores; n ≥ n_each

    Returns
    -------
    partners, distances : shape (m, n_each), nearest first, by the rule of `take_along_line`
    """
    order = np.argsort(other, kind="stable")
    ranked = other[order]
    start = np.searchsorted(ranked, own, side="left")
    steps = np.concatenate([-np.arange(1, n_each + 1), np.arange(n_each)])
    places = start[:, None] + steps
    inside = (places >= 0) & (places < len(other))
    distance = np.where(inside, np.abs(ranked[np.clip(places, 0, len(other) - 1)] - own[:, None]), np.inf)
    first = np.lexsort((np.broadcast_to(np.arange(len(steps)), places.shape), distance), axis=1)[:, :n_each]
    chosen = np.take_along_axis(places, first, 1)
    return order[chosen].astype(np.int64), np.take_along_axis(distance, first, 1)
