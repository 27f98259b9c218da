"""Pairs on a line with the least sum of distances, exactly, in the time that sorting takes."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def line_assignment(focal: Floats, partners: Floats) -> Ints:
    """Return for each focal score the position of its partner, no partner twice, at the least sum of distances.

    Parameters
    ----------
    focal : shape (n,)
    partners : shape (m,), m ≥ n

    Returns
    -------
    shape (n,)
        From left to right the set of partners used is kept the best one so far: each arrival may take a partner on
        its left, or be taken by one that comes later, and every such step can be taken back at its price (successive
        shortest paths on a line, which two heaps find). Focal units and the partners used are then paired in order,
        which is the best for every convex cost as well. Of equal scores the earlier position wins.
    """
    own, other = np.argsort(focal, kind="stable"), np.argsort(partners, kind="stable")
    used = _used(focal[own], partners[other])
    columns = np.empty(len(focal), dtype=np.int64)
    columns[own] = other[used]
    return columns


def line_gap(focal: Floats, partners: Floats, columns: Ints) -> float:
    """Return by how much at most the sum of distances of some pairs on a line exceeds the least one.

    The proof is a price for every place, shape of linear programming's dual: it changes by no more than the
    distance from place to place, by exactly it along the way of a pair, and is not above zero at a partner that is
    not used. If it can then be held at zero or more where partners are used, no other choice costs less.
    """
    is_used = np.zeros(len(partners), dtype=bool)
    is_used[columns] = True
    in_order = float(np.abs(np.sort(focal) - np.sort(partners[columns])).sum())
    crossed = float(np.abs(focal - partners[columns]).sum()) - in_order
    if is_used.all():
        return crossed
    place = np.concatenate([focal, partners])
    order = np.argsort(place, kind="stable")
    mass = np.concatenate([np.ones(len(focal)), -is_used.astype(float)])[order]
    price = _highest_prices(place[order], mass, np.concatenate([np.zeros(len(focal), bool), ~is_used])[order])
    of_used = np.concatenate([np.zeros(len(focal), bool), is_used])[order]
    return crossed + float(np.maximum(-price[of_used], 0).sum())


def _used(focal: Floats, partners: Floats) -> Ints:
    """Return the positions of the partners in use, ascending; both arrays are sorted.

    A heap entry is the cost of a step beside its place, and the partner that is freed or used by it. As many
    partners as there are focal units stand further left than the whole line is long, so that none of them is used
    in the end.
    """
    n, m = len(focal), len(partners)
    left = min(focal[0], partners[0])
    far = left - (max(focal[-1], partners[-1]) - left) - 1.0
    kind = np.concatenate([np.zeros(m, dtype=bool), np.ones(n, dtype=bool)])
    order = np.argsort(np.concatenate([partners, focal]), kind="stable")
    places = np.concatenate([partners, focal])[order].tolist()
    free = [(-far, -1 - i) for i in range(n, 0, -1)]
    state = bytearray(m)
    taken: list[tuple[float, int]] = []
    for x, is_focal, index in zip(places, kind[order].tolist(), order.tolist(), strict=True):
        if is_focal:
            value, partner = heappop(free)
            if partner >= 0:
                state[partner] = 1
            heappush(taken, (-2 * x - value, partner))
        elif taken and taken[0][0] + x < 0:
            value, partner = heappop(taken)
            if partner >= 0:
                state[partner] = 0
            state[index] = 1
            heappush(free, (-2 * x - value, partner))
        else:
            heappush(free, (-x, index))
    return np.flatnonzero(np.frombuffer(state, dtype=np.uint8))


def _highest_prices(place: Floats, mass: Floats, is_spare: Bools) -> Floats:
    """Return the highest price of each place that is zero or less where a partner is spare; places ascend."""
    step, flow = np.diff(place), np.cumsum(mass)[:-1]
    rightwards = np.concatenate([[0.0], np.cumsum(np.where(flow > 0, -step, step))])
    leftwards = np.concatenate([[0.0], np.cumsum(np.where(flow < 0, -step, step))])
    from_left = rightwards + np.minimum.accumulate(np.where(is_spare, -rightwards, np.inf))
    from_right = np.minimum.accumulate(np.where(is_spare, leftwards, np.inf)[::-1])[::-1] - leftwards
    highest: Floats = np.minimum(from_left, from_right)
    return highest
