"""Partners along a line: the nearest one to a score that is free and permitted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalkit.design.arrays.pair_problem import PairProblem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PATIENCE = 32
"""Partners that are asked one by one; after that they are looked at in arrays."""
_WIDTH = 512
"""Places on either side that are looked at in the first array."""
_ROUNDING = 1e-9
"""By how much a slice is wider than its window, which is then looked at exactly."""


class Permissions:
    """Whether a focal unit and a partner may be paired, one pair at a time or many; what `PairProblem` says."""

    def __init__(self, problem: PairProblem) -> None:
        self.problem = problem
        columns = zip(problem.focal.windows.T, problem.partners.windows.T, problem.widths.tolist(), strict=True)
        self._windows = [(own.tolist(), other.tolist(), width) for own, other, width in columns]
        codes = zip(problem.focal.codes.T, problem.partners.codes.T, strict=True)
        self._codes = [(own.tolist(), other.tolist()) for own, other in codes]

    def allow(self, unit: int, partner: int) -> bool:
        """Return whether two may be paired."""
        for own, other, width in self._windows:
            if not abs(own[unit] - other[partner]) <= width:
                return False
        return all(mine[unit] != theirs[partner] for mine, theirs in self._codes)


class Line:
    """Partners in order of their scores, of equal ones the earlier first; those taken are skipped.

    Of the nearest on either side the nearer is found, the one on the left where both are as near; partners with
    the unit's own score count as on the right. Nobody further away than `reach` is found.
    """

    def __init__(self, scores: Floats, pool: Ints, reach: float, permissions: Permissions | None) -> None:
        order = np.argsort(scores[pool], kind="stable")
        self._ranked, self._scores = pool[order], scores[pool][order]
        self.places, self.values = self._ranked.tolist(), self._scores.tolist()
        self._n, self._reach, self._permissions = len(pool), reach, permissions
        self._below, self._above = list(range(self._n + 1)), list(range(self._n + 1))
        self._free = bytearray(b"\1" * self._n)
        self._sorted: dict[int, tuple[Ints, Floats]] = {}

    def start(self, scores: Floats) -> list[int]:
        """Return the first place at or above each score."""
        first: list[int] = np.searchsorted(self._scores, scores, side="left").tolist()
        return first

    def remove(self, place: int) -> None:
        """Take a place away."""
        self._below[place + 1], self._above[place] = place, place + 1
        self._free[place] = 0

    def nearest(self, unit: int, score: float, start: int, taken: list[int]) -> int:
        """Return the place that a unit takes, −1 where there is none; its partners so far do not serve it again."""
        values, n, reach = self.values, self._n, self._reach
        low, high = _root(self._below, start) - 1, _root(self._above, start)
        for _ in range(_PATIENCE):
            is_left = low >= 0 and (high == n or score - values[low] <= values[high] - score)
            place = low if is_left else high
            if place == n or abs(values[place] - score) > reach:
                return -1
            if self._fits(unit, place, taken):
                return place
            if is_left:
                low = _root(self._below, low) - 1
            else:
                high = _root(self._above, high + 1)
        return self._searched(unit, score, start, taken)

    def _fits(self, unit: int, place: int, taken: list[int]) -> bool:
        partner = self.places[place]
        return partner not in taken and (self._permissions is None or self._permissions.allow(unit, partner))

    def _searched(self, unit: int, score: float, start: int, taken: list[int]) -> int:
        """Look at more and more places on either side, or at all within the narrowest window where those are fewer."""
        margin = self._reach + _ROUNDING * (self._reach + abs(score))
        first = int(np.searchsorted(self._scores, score - margin, side="left"))
        last = int(np.searchsorted(self._scores, score + margin, side="right"))
        window = self._window(unit)
        width = _WIDTH
        while True:
            low, high = max(first, start - width), min(last, start + width)
            if window is not None and len(window) <= high - low:
                return self._first(unit, score, start, (window, taken))
            found = self._first(unit, score, start, (np.arange(low, high), taken))
            if (low == first and high == last) or (found >= 0 and self._is_inside(found, score, low, high)):
                return found
            width *= 4

    def _is_inside(self, place: int, score: float, low: int, high: int) -> bool:
        """Return whether a place is surely nearer than any outside a slice."""
        apart = abs(self.values[place] - score)
        return (low == 0 or apart < score - self.values[low - 1]) and (
            high == self._n or apart < self.values[high] - score
        )

    def _first(self, unit: int, score: float, start: int, among: tuple[Ints, list[int]]) -> int:
        """Return the nearest free and permitted one of some places, −1 where there is none."""
        places, taken = among
        places = places[np.frombuffer(self._free, dtype=np.uint8)[places] > 0]
        apart = np.abs(self._scores[places] - score)
        fits = apart <= self._reach
        if self._permissions is not None:
            fits &= self._permissions.problem.is_permitted(np.array(unit), self._ranked[places])
        for partner in taken:
            fits &= self._ranked[places] != partner
        places, apart = places[fits], apart[fits]
        if not len(places):
            return -1
        tied = places[apart == apart.min()]
        left = tied[tied < start]
        return int(left.max() if len(left) else tied.min())

    def _window(self, unit: int) -> Ints | None:
        """Return the places within the narrowest window of a unit, None where there is no window."""
        if self._permissions is None:
            return None
        problem, found = self._permissions.problem, None
        for column, width in enumerate(problem.widths.tolist()):
            if column not in self._sorted:
                values = problem.partners.windows[self._ranked, column]
                order = np.argsort(values, kind="stable")
                self._sorted[column] = order, values[order]
            order, values = self._sorted[column]
            own = problem.focal.windows[unit, column]
            margin = width + _ROUNDING * (width + abs(own))
            low, high = np.searchsorted(values, own - margin), np.searchsorted(values, own + margin, side="right")
            if found is None or high - low < len(found):
                found = order[low:high]
        return found


def _root(links: list[int], at: int) -> int:
    """Return where a chain of links ends, shortening it on the way (Tarjan, 1975)."""
    while links[at] != at:
        links[at] = links[links[at]]
        at = links[at]
    return at
