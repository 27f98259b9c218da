"""Sets of areas that border each other: grown at random, and how many of them have no area in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Ints

PACKINGS: Final = 200
"""Times at most that areas are packed into sets without one in common; the most sets found is what counts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConnectedSets:
    """Sets of areas that border each other, shape (n_sets, size), and how many without an area in common were found.

    No p-value from them is below 1/(n_disjoint + 1): sets that overlap are not other evidence. `n_areas` lie in a part
    of the map that is large enough for a set.
    """

    sets: Ints
    n_disjoint: int
    n_areas: int


def connected_sets(borders: Bools, size: int, n_draws: int, random: np.random.Generator) -> ConnectedSets:
    """Return sets grown at random: from any area, by one of those that border the set, each alike, until it is whole.

    borders : shape (n_areas, n_areas), symmetric; areas in parts of the map of fewer than `size` are in no set.
    """
    near = [np.flatnonzero(row) for row in borders]
    seeds = np.flatnonzero(_part_sizes(borders) >= size)
    if not len(seeds):
        return ConnectedSets(sets=np.empty((0, size), dtype=np.int64), n_disjoint=0, n_areas=0)
    sets = np.array([_grown(near, int(random.choice(seeds)), size, random) for _ in range(n_draws)], dtype=np.int64)
    return ConnectedSets(sets=sets, n_disjoint=_most_packed(borders, size, random), n_areas=len(seeds))


def _part_sizes(borders: Bools) -> Ints:
    """Return how many areas lie in the part of the map that each area hangs together with, itself counted."""
    from scipy.sparse.csgraph import connected_components

    _, part = connected_components(borders, directed=False)
    sizes: Ints = np.bincount(part)[part]
    return sizes


def _grown(near: list[Ints], seed: int, size: int, random: np.random.Generator) -> Ints:
    chosen, edge = {seed}, set(near[seed].tolist())
    while len(chosen) < size:
        at = sorted(edge)[int(random.integers(len(edge)))]
        chosen.add(at)
        edge = (edge | set(near[at].tolist())) - chosen
    return np.array(sorted(chosen), dtype=np.int64)


def _most_packed(borders: Bools, size: int, random: np.random.Generator) -> int:
    """Return the most sets that any packing finds, none tried once as many as could be are found."""
    parts = _part_sizes(borders)
    bound = round(float(((parts // size) / parts).sum()))  # of each part as many as its areas are times `size`
    best = 0
    for _ in range(PACKINGS):
        best = max(best, _packed(borders, size, random))
        if best == bound:
            break
    return best


def _packed(borders: Bools, size: int, random: np.random.Generator) -> int:
    """Return how many sets without an area in common one packing finds: each grown from a corner, corners first."""
    left, found = np.ones(len(borders), dtype=bool), 0
    while True:
        inside = borders & left[:, None] & left[None, :]
        sizes = np.where(left, _part_sizes(inside), 0)
        if not (sizes >= size).any():
            return found
        # what is left with few neighbours would be lost to later sets, so that it is taken first
        degree = inside.sum(axis=1) + random.random(len(borders))
        seed = int(np.argmin(np.where(sizes >= size, degree, np.inf)))
        chosen = np.zeros(len(borders), dtype=bool)
        chosen[seed] = True
        for _ in range(size - 1):
            edge = inside[chosen].any(axis=0) & ~chosen
            outside = (inside & ~chosen[None, :]).sum(axis=1) + random.random(len(borders))
            chosen[int(np.argmin(np.where(edge, outside, np.inf)))] = True
        left &= ~chosen
        found += 1
