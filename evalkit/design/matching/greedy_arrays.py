"""Greedy matching, along a line and over several coordinates: each unit in turn takes the nearest partner left."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.design.matching.pairs_arrays import PairProblem, nearest_permitted

# Partners along a line: the nearest one to a score that is free and permitted.

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
        self._windows = [
            (focal_column.tolist(), partner_column.tolist(), width) for focal_column, partner_column, width in columns
        ]
        codes = zip(problem.focal.codes.T, problem.partners.codes.T, strict=True)
        self._codes = [(focal_column.tolist(), partner_column.tolist()) for focal_column, partner_column in codes]

    def allow(self, unit: int, partner: int) -> bool:
        """Return whether two may be paired."""
        for focal_values, partner_values, width in self._windows:
            if not abs(focal_values[unit] - partner_values[partner]) <= width:
                return False
        return all(focal_codes[unit] != partner_codes[partner] for focal_codes, partner_codes in self._codes)


class ScoreLine:
    """Partners in order of their scores, of equal ones the earlier first; those taken are skipped.

    Of the nearest on either side the nearer is found, the one on the left where both are as near; partners with
    the unit's own score count as on the right. Nobody further away than `caliper` is found.
    """

    def __init__(self, scores: Floats, pool: Ints, caliper: float, permissions: Permissions | None) -> None:
        order = np.argsort(scores[pool], kind="stable")
        self._ranked, self._scores = pool[order], scores[pool][order]
        self.places, self.values = self._ranked.tolist(), self._scores.tolist()
        self._n, self._caliper, self._permissions = len(pool), caliper, permissions
        # each place that is taken links to the next that may be free: a search takes all but constant time
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
        values, n, caliper = self.values, self._n, self._caliper
        low, high = _root(self._below, start) - 1, _root(self._above, start)
        for _ in range(_PATIENCE):
            # as near on both sides: the lower score, so that the order of rows in a file decides nothing
            is_left = low >= 0 and (high == n or score - values[low] <= values[high] - score)
            place = low if is_left else high
            if place == n or abs(values[place] - score) > caliper:
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
        margin = self._caliper + _ROUNDING * (self._caliper + abs(score))
        first = int(np.searchsorted(self._scores, score - margin, side="left"))
        last = int(np.searchsorted(self._scores, score + margin, side="right"))
        window = self._window(unit)
        width = _WIDTH
        while True:
            low, high = max(first, start - width), min(last, start + width)
            if window is not None and len(window) <= high - low:
                return self._first(unit, score, start, (window, taken))
            nearest_place = self._first(unit, score, start, (np.arange(low, high), taken))
            if (low == first and high == last) or (
                nearest_place >= 0 and self._is_inside(nearest_place, score, low, high)
            ):
                return nearest_place
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
        fits = apart <= self._caliper
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
        problem, narrowest = self._permissions.problem, None
        for column, width in enumerate(problem.widths.tolist()):
            if column not in self._sorted:
                values = problem.partners.windows[self._ranked, column]
                order = np.argsort(values, kind="stable")
                self._sorted[column] = order, values[order]
            order, values = self._sorted[column]
            unit_value = problem.focal.windows[unit, column]
            margin = width + _ROUNDING * (width + abs(unit_value))
            low, high = (
                np.searchsorted(values, unit_value - margin),
                np.searchsorted(values, unit_value + margin, side="right"),
            )
            if narrowest is None or high - low < len(narrowest):
                narrowest = order[low:high]
        return narrowest


def _root(links: list[int], at: int) -> int:
    """Return where a chain of links ends, shortening it on the way (Tarjan, 1975)."""
    while links[at] != at:
        links[at] = links[links[at]]
        at = links[at]
    return at


# Greedy matching along a line: each unit in turn takes the nearest partner that is left.


@dataclass(slots=True, eq=False)
class PartnersTaken:
    """What has been taken so far: partners of each focal unit in order, and how often each partner may still serve.

    Attributes
    ----------
    partners : one list for each focal unit
    left : how many more times each partner may serve, one number for each
    """

    partners: list[list[int]]
    left: list[int]

    @classmethod
    def none(cls, n_focal: int, n_partners: int, times: int) -> PartnersTaken:
        """Return takings in which nothing is taken and each partner may serve `times` times."""
        return cls([[] for _ in range(n_focal)], [times] * n_partners)


@dataclass(frozen=True, slots=True, eq=False)
class LineRules:
    """What decides along a line.

    Attributes
    ----------
    own, other : scores of all focal units and of all partners
    caliper : the most by which partners differ in the score
    permissions : what else forbids a pair, None where nothing does
    """

    own: Floats
    other: Floats
    caliper: float = np.inf
    permissions: Permissions | None = None

    def line(self, pool: Ints, partners_taken: PartnersTaken) -> ScoreLine:
        """Return the partners of a pool that may still be taken, along the line."""
        free = pool[[partners_taken.left[at] > 0 for at in pool.tolist()]]
        return ScoreLine(self.other, free, self.caliper, self.permissions)


def take_along_line(partners_taken: PartnersTaken, turns: tuple[Ints, Ints], rules: LineRules, pool: Ints) -> None:
    """Let each focal unit take its nearest free partners, one a round, until it has what it wants.

    Parameters
    ----------
    partners_taken : changed in place
    turns : focal units in order of their turn, and how many partners each wants in all; shape (m,) each
    rules : who may be paired, and where units stand
    pool : positions of the partners that may be taken, in the order that settles equal scores

    Every unit has its first turn before any has its second; which partner is the nearest is the rule of `ScoreLine`.
    """
    line = rules.line(pool, partners_taken)
    scores = rules.own[turns[0]]
    waiting = list(zip(turns[0].tolist(), turns[1].tolist(), scores.tolist(), line.start(scores), strict=True))
    for round_ in range(1, int(turns[1].max(initial=0)) + 1):
        still = []
        for turn in waiting:
            unit, wanted, score, start = turn
            taken = partners_taken.partners[unit]
            if wanted < round_:
                continue
            if len(taken) < round_:
                place = line.nearest(unit, score, start, taken)
                if place < 0:
                    continue
                _take(partners_taken, line, unit, place)
            still.append(turn)
        waiting = still


def _take(partners_taken: PartnersTaken, line: ScoreLine, unit: int, place: int) -> None:
    partner = line.places[place]
    partners_taken.partners[unit].append(partner)
    partners_taken.left[partner] -= 1
    if partners_taken.left[partner] == 0:
        line.remove(place)


def take_closest_first(partners_taken: PartnersTaken, turns: tuple[Ints, Ints], rules: LineRules, pool: Ints) -> None:
    """Take the closest pair of all that are left, again and again; parameters as in `take_along_line`.

    Of pairs as close as each other the focal unit earlier in `turns` comes first. A unit gets its second partner
    only when every other has its first or can have none.
    """
    line = rules.line(pool, partners_taken)
    focal_scores = rules.own[turns[0]]
    starts = line.start(focal_scores)
    units, wanted, scores = turns[0].tolist(), turns[1].tolist(), focal_scores.tolist()

    def offer(at: int) -> tuple[int, float, int, int] | None:
        taken = partners_taken.partners[units[at]]
        if len(taken) >= wanted[at]:
            return None
        place = line.nearest(units[at], scores[at], starts[at], taken)
        return None if place < 0 else (len(taken), abs(line.values[place] - scores[at]), at, place)

    offers = [pair_offered for at in range(len(units)) if (pair_offered := offer(at)) is not None]
    heapq.heapify(offers)
    while offers:
        _, _, at, place = heapq.heappop(offers)
        # an offer can be stale: somebody nearer has taken the partner since, and the unit then offers anew
        if partners_taken.left[line.places[place]] > 0:
            _take(partners_taken, line, units[at], place)
        following = offer(at)
        if following is not None:
            heapq.heappush(offers, following)


def one_each_on_line(focal_scores: Floats, partner_scores: Floats, caliper: float = np.inf) -> Ints:
    """Return the partner that each focal unit takes in its turn, no partner twice, −1 where none is left.

    Parameters
    ----------
    focal_scores : shape (m,), scores of the focal units in order of their turn
    partner_scores : shape (n,), scores of the partners in the order that settles equal scores
    caliper : the most by which the two may differ

    Notes
    -----
    The rule of `ScoreLine` for one partner each and nothing else forbidden, written out: it is the usual case, and a
    call for each step would cost it twice the time.
    """
    order = np.argsort(partner_scores, kind="stable")
    values, n = partner_scores[order].tolist(), len(partner_scores)
    below, above = list(range(n + 1)), list(range(n + 1))
    places = []
    for low, score in zip(
        np.searchsorted(partner_scores[order], focal_scores, side="left").tolist(), focal_scores.tolist(), strict=True
    ):
        high = low
        while below[low] != low:
            below[low] = below[below[low]]
            low = below[low]
        while above[high] != high:
            above[high] = above[above[high]]
            high = above[high]
        if low > 0 and (high == n or score - values[low - 1] <= values[high] - score):
            high = low - 1
        if high == n or abs(values[high] - score) > caliper:
            places.append(-1)
            continue
        places.append(high)
        below[high + 1], above[high] = high, high + 1
    # place −1, nobody, picks the −1 at the end
    return np.append(order, -1)[places].astype(np.int64)


def nearest_on_line(focal_scores: Floats, partner_scores: Floats, n_each: int) -> tuple[Ints, Floats]:
    """Return the `n_each` nearest partners of each focal unit, which may serve any number of times.

    Parameters
    ----------
    focal_scores : shape (m,), scores of the focal units
    partner_scores : shape (n,), scores of the partners in the order that settles equal scores; n ≥ n_each

    Returns
    -------
    partners, distances : shape (m, n_each), nearest first, by the rule of `take_along_line`
    """
    order = np.argsort(partner_scores, kind="stable")
    ranked = partner_scores[order]
    start = np.searchsorted(ranked, focal_scores, side="left")
    # places to the left come first, so that of two as near the stable sort takes the lower score
    steps = np.concatenate([-np.arange(1, n_each + 1), np.arange(n_each)])
    places = start[:, None] + steps
    inside = (places >= 0) & (places < len(partner_scores))
    distance = np.where(
        inside, np.abs(ranked[np.clip(places, 0, len(partner_scores) - 1)] - focal_scores[:, None]), np.inf
    )
    first = np.lexsort((np.broadcast_to(np.arange(len(steps)), places.shape), distance), axis=1)[:, :n_each]
    chosen = np.take_along_axis(places, first, 1)
    return order[chosen].astype(np.int64), np.take_along_axis(distance, first, 1)


def near_on_line(focal_scores: Floats, partner_scores: Floats, n_near: int) -> Ints:
    """Return the positions of partners among the `n_near` on either side of some focal unit, ascending.

    Where all focal units together take no more than `n_near` partners, none comes to any other; those as far away as
    the last one are among them.
    """
    ranked, n = np.sort(partner_scores), len(partner_scores)
    start = np.searchsorted(ranked, np.sort(focal_scores), side="left")
    lower, upper = ranked[np.maximum(start - n_near, 0)], ranked[np.minimum(start + n_near - 1, n - 1)]
    is_near = np.zeros(n, dtype=bool)
    # sorted focal units have sorted ends, so that stretches which meet are one
    apart = np.flatnonzero(lower[1:] > upper[:-1])
    for low, high in zip(np.r_[0, apart + 1], np.r_[apart, len(start) - 1], strict=True):
        is_near |= (partner_scores >= lower[low]) & (partner_scores <= upper[high])
    return np.flatnonzero(is_near)


# Greedy matching over several coordinates, by the nearest few partners of each unit and more where they run out.

SPARE = 8
"""Partners looked up for a unit beyond those it wants where others may have taken them."""
_BESIDE = 1e-9
"""Distances within this share of each other are ties: a k-d tree gives no more."""


class NearbyPartners:
    """Partners of each focal unit by distance, then by position, looked up as far as they are needed."""

    def __init__(self, problem: PairProblem, rows: Ints, n_each: int) -> None:
        from scipy.spatial import cKDTree

        self._problem = problem
        self._tree = cKDTree(problem.partners.coordinates) if len(problem.partners) > n_each else None
        self._asked = dict.fromkeys(rows.tolist(), n_each)
        self._found: dict[int, list[int]] = {}
        self._look_up(rows, n_each)

    def of(self, unit: int) -> list[int]:
        """Return the partners known so far, nearest first."""
        return self._found[unit]

    def more(self, unit: int) -> bool:
        """Look further for one unit; return whether that can give more partners."""
        if self._asked[unit] >= len(self._problem.partners):
            return False
        self._asked[unit] *= 4
        self._look_up(np.array([unit]), self._asked[unit])
        return True

    def _look_up(self, rows: Ints, n_each: int) -> None:
        """Keep what lies surely nearer than anything left out, so that a tie beyond the edge is never missed."""
        graph = nearest_permitted(self._problem, rows, n_each, self._tree)
        # the same distance comes out of two k-d trees with other last digits: ties are those to nine decimals
        row, far = graph.focal, np.round(graph.distance, 9)
        left_out = np.isfinite(graph.beyond)
        edge = np.full(len(rows), np.inf)
        edge[left_out] = graph.beyond[left_out] - _BESIDE * np.maximum(1.0, graph.beyond[left_out])
        order = np.lexsort((graph.partner, far, row))
        order = order[far[order] < edge[row[order]]]
        ends = np.searchsorted(row[order], np.arange(len(rows) + 1)).tolist()
        partners = graph.partner[order].tolist()
        for at, unit in enumerate(rows.tolist()):
            self._found[unit] = partners[ends[at] : ends[at + 1]]


def take_in_space(
    partners_taken: PartnersTaken,
    turns: tuple[Ints, Ints],
    problem: PairProblem,
    positions: tuple[Ints, Ints],
    spare: int = SPARE,
) -> None:
    """Let each focal unit take its nearest free partners, one a round, until it has what it wants.

    Parameters
    ----------
    partners_taken : of all focal units and partners; changed in place
    turns : focal units of `partners_taken` in order of their turn, and how many partners each wants in all
    problem : the focal units and partners at hand
    positions : where `partners_taken` has of the problem's focal units and of its partners
    spare : partners looked up for a unit beyond those it wants, before more are
    """
    focal_at, pool = positions
    within = {unit: at for at, unit in enumerate(focal_at.tolist())}
    rows = np.array([within[unit] for unit in turns[0].tolist()], dtype=np.int64)
    wanted = dict(zip(turns[0].tolist(), turns[1].tolist(), strict=True))
    if not len(rows) or not len(pool):
        return
    places = pool.tolist()
    neighbours = NearbyPartners(problem, rows, min(len(pool), int(turns[1].max()) + spare))
    progress = dict.fromkeys(within, 0)
    waiting = turns[0].tolist()
    for round_ in range(1, int(turns[1].max()) + 1):
        waiting = [unit for unit in waiting if wanted[unit] >= round_]
        for unit in waiting:
            taken = partners_taken.partners[unit]
            if len(taken) < round_:
                partner = _next(neighbours, within[unit], partners_taken, places, progress, unit)
                if partner >= 0:
                    taken.append(partner)
                    partners_taken.left[partner] -= 1


def _next(
    neighbours: NearbyPartners,
    row: int,
    partners_taken: PartnersTaken,
    places: list[int],
    progress: dict[int, int],
    unit: int,
) -> int:
    """Return the nearest partner that is free and not yet the unit's own, −1 where there is none."""
    while True:
        known = neighbours.of(row)
        while progress[unit] < len(known):
            partner = places[known[progress[unit]]]
            if partners_taken.left[partner] > 0 and partner not in partners_taken.partners[unit]:
                return partner
            progress[unit] += 1
        if not neighbours.more(row):
            return -1
