"""Strata as codes: values cut into bins, units moved so that every subclass holds both arms, nearest pairs inside."""

from __future__ import annotations

from typing import Literal

import numpy as np

from evalkit.core.arrays import Floats, Ints

_AT_THE_CUT = 1e-9
"""A value within this share of the range of a cutpoint lies at it: cutpoints that are computed carry rounding."""


def bins(values: Floats, cuts: Floats, closed: Literal["left", "right"]) -> Ints:
    """Return the bin of each value, shape (n,): values at a cutpoint lie above it (closed left) or below (right)."""
    slack = _AT_THE_CUT * float(np.ptp(values)) if len(values) else 0.0
    shifted = values + slack if closed == "left" else values - slack
    return np.searchsorted(np.sort(cuts), shifted, side="right" if closed == "left" else "left").astype(np.int64)


def equal_width_cuts(values: Floats, n_bins: int) -> Floats:
    """Return the n_bins − 1 cutpoints that divide the range of the values into bins of one width."""
    return np.linspace(values.min(), values.max(), n_bins + 1)[1:-1]


def sturges(n: int) -> int:
    """Return ⌈log₂ n + 1⌉, the number of bins of Sturges (1926)."""
    return int(np.ceil(np.log2(n) + 1))


def filled(subclass: Ints, score: Floats, n_subclasses: int) -> Ints:
    """Return the subclasses of one arm's units with as few moves as give each subclass one unit.

    An empty subclass takes the unit nearest by rank from the side on which fewer subclasses lie between it and one
    that can spare a unit, of two equally near ones the side with the nearer score; each subclass in between passes
    one unit on. Units keep their order by score, ties by position.

    Parameters
    ----------
    subclass : shape (n,), codes 0 to n_subclasses − 1 that do not fall with the score; n ≥ n_subclasses
    score : shape (n,)
    n_subclasses : int
    """
    order = np.lexsort((np.arange(len(score)), score))
    size = np.bincount(subclass, minlength=n_subclasses)
    ranked = score[order]
    while not size.all():
        empty = int(np.argmin(size))
        donor = _donor(size, empty, ranked)
        size[empty] += 1
        size[donor] -= 1
    result = np.empty_like(subclass)
    result[order] = np.repeat(np.arange(n_subclasses), size)
    return result


def _donor(size: Ints, empty: int, ranked: Floats) -> int:
    """Return the subclass that can spare a unit and is fewest steps away, then nearest in score."""
    spare = np.flatnonzero(size > 1)
    steps = np.abs(spare - empty)
    near = spare[steps == steps.min()]
    if len(near) == 1:
        return int(near[0])
    at = int(size[:empty].sum())
    # the subclass is empty between ranks at − 1 and at: its new unit would be one of these
    middle = (ranked[0] + ranked[-1]) / 2 if at in (0, len(ranked)) else (ranked[at - 1] + ranked[at]) / 2
    below, above = middle - ranked[at - 1], ranked[at] - middle
    return int(near[0] if below <= above else near[1])


def nearest_pairs(left: Floats, right: Floats) -> tuple[Ints, Ints, Floats]:
    """Return one-to-one pairs of two sets of points, the nearest of all first, until one set is used up.

    Of equally near pairs (distances rounded at 1e-9) the one with the earlier left point comes first, then the one
    with the earlier right point. Shapes (n1, k) and (n0, k); positions and distances of shape (min(n1, n0),).
    """
    squares = np.zeros((len(left), len(right)))
    for a, b in zip(left.T, right.T, strict=True):
        squares += (a[:, None] - b) ** 2
    distance = np.sqrt(squares)
    n = min(distance.shape)
    order = np.argsort(np.round(distance, 9), axis=None, kind="stable")
    rows, columns = np.unravel_index(order, distance.shape)
    is_free = np.ones(len(left), dtype=bool), np.ones(len(right), dtype=bool)
    pairs: list[tuple[int, int]] = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if is_free[0][row] and is_free[1][column]:
            is_free[0][row] = is_free[1][column] = False
            pairs.append((row, column))
            if len(pairs) == n:
                break
    chosen = np.array(pairs, dtype=np.int64).reshape(n, 2)
    return chosen[:, 0], chosen[:, 1], distance[chosen[:, 0], chosen[:, 1]]
