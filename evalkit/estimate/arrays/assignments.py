"""Assignments of treatment to clusters that keep a design's numbers, all of them or drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.intp]

ENUMERATED = 20_000
"""All assignments are gone through, and none drawn, where there are at most so many."""


def n_assignments(cohort: Codes, stratum: Codes) -> int:
    """Return how many distinct assignments keep the number of clusters of each cohort in each stratum."""
    total = 1
    for each in np.unique(stratum):
        sizes = np.bincount(cohort[stratum == each])
        total *= math.factorial(int(sizes.sum())) // math.prod(math.factorial(int(size)) for size in sizes)
    return total


def assignments(cohort: Codes, stratum: Codes, n_draws: int, random: np.random.Generator) -> Codes:
    """Return which cluster takes each treated place, shape (n_assignments, n_places); all where they are few.

    `cohort` holds each cluster's cohort, 0 standing for never treated, `stratum` its stratum; a place is a treated
    cluster's, in the order of `places`. Drawn assignments come after the actual one.
    """
    if n_assignments(cohort, stratum) <= ENUMERATED:
        return np.array(list(_all(cohort, stratum)), dtype=np.intp).reshape(-1, int((cohort > 0).sum()))
    own = places(cohort, stratum)
    drawn = np.empty((n_draws + 1, len(own)), dtype=np.intp)
    drawn[0] = own
    begin = 0
    for each in np.unique(stratum):
        members = np.flatnonzero(stratum == each)
        count = int((cohort[members] > 0).sum())
        for row in drawn[1:]:
            row[begin : begin + count] = random.choice(members, count, replace=False)
        begin += count
    return drawn


def places(cohort: Codes, stratum: Codes) -> Codes:
    """Return the treated clusters by stratum, then cohort: the actual assignment."""
    order = np.lexsort([np.arange(len(cohort)), cohort, stratum])
    return np.asarray(order[cohort[order] > 0])


def _all(cohort: Codes, stratum: Codes) -> Iterator[tuple[int, ...]]:
    """Yield every assignment once, stratum by stratum."""
    strata = [np.flatnonzero(stratum == each) for each in np.unique(stratum)]

    def fill(at: int) -> Iterator[tuple[int, ...]]:
        if at == len(strata):
            yield ()
            return
        members = strata[at]
        counts = [int(count) for count in np.bincount(cohort[members])[1:]]
        for first in _split(tuple(members.tolist()), counts):
            for rest in fill(at + 1):
                yield first + rest

    return fill(0)


def _split(members: tuple[int, ...], counts: list[int]) -> Iterator[tuple[int, ...]]:
    """Yield every way of giving `counts[0]` of the members to the first cohort, and so on."""
    if not counts:
        yield ()
        return
    for chosen in combinations(members, counts[0]):
        left = tuple(member for member in members if member not in chosen)
        for rest in _split(left, counts[1:]):
            yield chosen + rest
