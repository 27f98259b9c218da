"""Greedy matching along a line: each unit in turn takes the nearest partner that is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Permits = Callable[[int, int], bool]


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


def take_along_line(
    takings: Takings,
    turns: tuple[Ints, Ints],
    scores: tuple[Floats, Floats],
    pool: Ints,
    permits: Permits | None = None,
) -> None:
    """Let each focal unit take its nearest free partners, one a round, until it has what it wants.

    Parameters
    ----------
    takings : changed in place
    turns : focal units in order of their turn, and how many partners each wants in all; shape (m,) each
    scores : those of all focal units and of all partners
    pool : positions of the partners that may be taken, in the order that settles equal scores
    permits : whether a focal unit and a partner may be paired; None where all may

    Every unit has its first turn before any has its second. Partners are in order of their scores; of the nearest
    on either side the nearer is taken, the one on the left where both are as near, and partners with the unit's
    own score count as on the right.
    """
    own, other = scores
    ranked = pool[np.argsort(other[pool], kind="stable")]
    line = _Line([takings.left[at] > 0 for at in ranked.tolist()])
    start = np.searchsorted(other[ranked], own[turns[0]], side="left").tolist()
    places, values = ranked.tolist(), other[ranked].tolist()
    wanted, mine = turns[1].tolist(), own[turns[0]].tolist()
    waiting = [at for at, unit in enumerate(turns[0].tolist()) if len(takings.partners[unit]) < wanted[at]]
    units = turns[0].tolist()
    for round_ in range(1, max(wanted, default=0) + 1):
        still = []
        for at in waiting:
            unit = units[at]
            taken = takings.partners[unit]
            if len(taken) >= round_:
                still.append(at)
                continue
            found = _nearest(line, start[at], mine[at], values, _filter(unit, taken, places, permits))
            if found < 0:
                continue
            partner = places[found]
            taken.append(partner)
            takings.left[partner] -= 1
            if takings.left[partner] == 0:
                line.remove(found)
            still.append(at)
        waiting = [at for at in still if len(takings.partners[units[at]]) < wanted[at]]
        if not waiting:
            return


def _filter(unit: int, taken: list[int], places: list[int], permits: Permits | None) -> Callable[[int], bool] | None:
    """Return what a place must fulfil beyond being free, None where nothing."""
    if permits is None and not taken:
        return None
    if permits is None:
        return lambda place: places[place] not in taken
    return lambda place: places[place] not in taken and permits(unit, places[place])


def _nearest(line: _Line, start: int, score: float, values: list[float], fits: Callable[[int], bool] | None) -> int:
    """Return the nearest free place that fits, −1 where there is none."""
    low, high = line.before(start - 1), line.from_(start)
    while low >= 0 or high < line.n:
        if high >= line.n or (low >= 0 and score - values[low] <= values[high] - score):
            if fits is None or fits(low):
                return low
            low = line.before(low - 1)
        else:
            if fits is None or fits(high):
                return high
            high = line.from_(high + 1)
    return -1


class _Line:
    """Places 0 … n − 1, of which the nearest free one below or above any is found by skipping those taken."""

    def __init__(self, is_free: list[bool]) -> None:
        self.n = len(is_free)
        self._below = list(range(self.n + 1))
        self._above = list(range(self.n + 1))
        for place, free in enumerate(is_free):
            if not free:
                self.remove(place)

    def remove(self, place: int) -> None:
        """Take a place away."""
        self._below[place + 1] = place
        self._above[place] = place + 1

    def before(self, place: int) -> int:
        """Return the nearest free place at or below `place`, −1 where there is none."""
        return _root(self._below, place + 1) - 1

    def from_(self, place: int) -> int:
        """Return the nearest free place at or above `place`, n where there is none."""
        return _root(self._above, place)


def _root(links: list[int], at: int) -> int:
    """Return where a chain of links ends, shortening it on the way (Tarjan, 1975)."""
    while links[at] != at:
        links[at] = links[links[at]]
        at = links[at]
    return at


def take_closest_first(
    takings: Takings,
    turns: tuple[Ints, Ints],
    scores: tuple[Floats, Floats],
    pool: Ints,
    permits: Permits | None = None,
) -> None:
    """Take the closest pair of all that are left, again and again; parameters as in `take_along_line`.

    Of pairs as close as each other the focal unit earlier in `turns` comes first. A unit gets its second partner
    only when every other has its first or can have none.
    """
    import heapq

    own, other = scores
    ranked = pool[np.argsort(other[pool], kind="stable")]
    line = _Line([takings.left[at] > 0 for at in ranked.tolist()])
    start = np.searchsorted(other[ranked], own[turns[0]], side="left").tolist()
    places, values = ranked.tolist(), other[ranked].tolist()
    units, wanted = turns[0].tolist(), turns[1].tolist()

    def offer(at: int) -> tuple[int, float, int, int] | None:
        unit = units[at]
        taken = takings.partners[unit]
        if len(taken) >= wanted[at]:
            return None
        found = _nearest(line, start[at], float(own[unit]), values, _filter(unit, taken, places, permits))
        return None if found < 0 else (len(taken), abs(values[found] - float(own[unit])), at, found)

    offers = [one for at in range(len(units)) if (one := offer(at)) is not None]
    heapq.heapify(offers)
    while offers:
        _, _, at, found = heapq.heappop(offers)
        partner = places[found]
        if takings.left[partner] > 0:
            takings.partners[units[at]].append(partner)
            takings.left[partner] -= 1
            if takings.left[partner] == 0:
                line.remove(found)
        following = offer(at)
        if following is not None:
            heapq.heappush(offers, following)


def one_each_on_line(own: Floats, other: Floats) -> Ints:
    """Return the partner that each focal unit takes in its turn, no partner twice, −1 where none is left.

    Parameters
    ----------
    own : shape (m,), scores of the focal units in order of their turn
    other : shape (n,), scores of the partners in the order that settles equal scores

    Notes
    -----
    The rule of `take_along_line` for one partner each and nothing forbidden, written out: it is the usual case, and
    a call for each step would cost it twice the time.
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
        if high == n:
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
