"""Numerical kernels of sensitivity to hidden bias in matched pairs: arrays in, numbers out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Floats = NDArray[np.float64]

MOST_EXACT = 100
"""With more pairs than this the exact distribution differs from the normal by less than anyone reads."""


def signed_ranks(differences: Floats) -> tuple[float, Floats]:
    """Return Wilcoxon's sum of the ranks of positive differences and all ranks, shape (n_not_zero,).

    Zeros are left out; equal sizes share their mean rank.
    """
    moved = differences[differences != 0]
    ranks = np.asarray(stats.rankdata(np.abs(moved)), dtype=float)
    return float(ranks[moved > 0].sum()), ranks


def upper_tail_normal(total: float, ranks: Floats, chance: float) -> float:
    """Return P(T ≥ total) for T a sum of ranks, each in it with `chance`, by the normal approximation.

    Mean and variance are chance·Σr and chance(1 − chance)·Σr² (Rosenbaum, 2002, section 4.3), which hold with ties.
    """
    spread = np.sqrt(chance * (1 - chance) * (ranks**2).sum())
    return float(special.ndtr(-(total - chance * ranks.sum()) / spread))


def upper_tail_exact(total: float, ranks: Floats, chance: float) -> float:
    """Return P(T ≥ total) for T a sum of ranks, each in it with `chance`, exactly; up to `MOST_EXACT` ranks.

    Mean ranks are halves at finest, so that sums of twice the ranks are whole numbers.
    """
    steps = np.rint(2 * ranks).astype(int)
    mass = np.zeros(int(steps.sum()) + 1)
    mass[0], reached = 1.0, 0
    for step in steps:
        with_it = mass[: reached + 1] * chance
        mass[: reached + 1] *= 1 - chance
        reached += int(step)
        mass[step : reached + 1] += with_it
    return float(min(mass[round(2 * total) :].sum(), 1.0))


def shift_at(differences: Floats, chance: float) -> float:
    """Return the shift of all differences at which the signed-rank sum equals its mean under `chance`.

    That sum, ranks taken after the shift, is the number of averages of two differences (a difference with itself
    among them) above the shift. The answer is the middle of the shifts that fit (Hodges and Lehmann, 1963;
    Rosenbaum, 1993). Averages are never stored: O(n log n) for each of some 60 halvings.
    """
    ordered = np.sort(differences)
    n_above = chance * len(ordered) * (len(ordered) + 1) / 2
    whole = round(n_above)
    if abs(n_above - whole) > 1e-9 * max(n_above, 1.0):
        return _average_above(ordered, int(np.floor(n_above)))
    return (_average_above(ordered, whole) + _average_above(ordered, whole - 1)) / 2


def _average_above(ordered: Floats, n_above: int) -> float:
    """Return the smallest shift with at most `n_above` averages of two differences above it."""
    low, high = float(ordered[0]), float(ordered[-1])
    if _n_averages_above(ordered, low) <= n_above:
        return low
    span = high - low
    while high - low > 1e-13 * span and low < (middle := (low + high) / 2) < high:
        if _n_averages_above(ordered, middle) <= n_above:
            high = middle
        else:
            low = middle
    return high


def _n_averages_above(ordered: Floats, shift: float) -> int:
    pairs = int((len(ordered) - np.searchsorted(ordered, 2 * shift - ordered, side="right")).sum())
    return (pairs + int((ordered > shift).sum())) // 2
