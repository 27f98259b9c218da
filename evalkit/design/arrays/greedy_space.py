"""Greedy matching over several coordinates, by the nearest few partners of each unit and more where they run out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from evalkit.design.arrays.candidates import nearest_permitted
from evalkit.design.arrays.greedy_line import Takings
from evalkit.design.arrays.pair_problem import PairProblem

Ints = NDArray[np.int64]

SPARE = 8
"""Partners looked up for a unit beyond those it wants where others may have taken them."""
_BESIDE = 1e-9
"""Distances within this share of each other are ties: a k-d tree gives no more."""


class Neighbours:
    """Partners of each focal unit by distance, then by position, looked up as far as they are needed."""

    def __init__(self, problem: PairProblem, rows: Ints, n_each: int) -> None:
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
    takings: Takings, turns: tuple[Ints, Ints], problem: PairProblem, reach: tuple[Ints, Ints], spare: int = SPARE
) -> None:
    """Let each focal unit take its nearest free partners, one a round, until it has what it wants.

    Parameters
    ----------
    takings : of all focal units and partners; changed in place
    turns : focal units of `takings` in order of their turn, and how many partners each wants in all
    problem : the focal units and partners at hand
    reach : positions in `takings` of the problem's focal units and of its partners
    spare : partners looked up for a unit beyond those it wants, before more are
    """
    focal_at, pool = reach
    within = {unit: at for at, unit in enumerate(focal_at.tolist())}
    rows = np.array([within[unit] for unit in turns[0].tolist()], dtype=np.int64)
    wanted = dict(zip(turns[0].tolist(), turns[1].tolist(), strict=True))
    if not len(rows) or not len(pool):
        return
    places = pool.tolist()
    neighbours = Neighbours(problem, rows, min(len(pool), int(turns[1].max()) + spare))
    progress = dict.fromkeys(within, 0)
    waiting = turns[0].tolist()
    for round_ in range(1, int(turns[1].max()) + 1):
        waiting = [unit for unit in waiting if wanted[unit] >= round_]
        for unit in waiting:
            taken = takings.partners[unit]
            if len(taken) < round_:
                partner = _next(neighbours, within[unit], takings, places, progress, unit)
                if partner >= 0:
                    taken.append(partner)
                    takings.left[partner] -= 1


def _next(
    neighbours: Neighbours, row: int, takings: Takings, places: list[int], progress: dict[int, int], unit: int
) -> int:
    """Return the nearest partner that is free and not yet the unit's own, −1 where there is none."""
    while True:
        known = neighbours.of(row)
        while progress[unit] < len(known):
            partner = places[known[progress[unit]]]
            if takings.left[partner] > 0 and partner not in takings.partners[unit]:
                return partner
            progress[unit] += 1
        if not neighbours.more(row):
            return -1
