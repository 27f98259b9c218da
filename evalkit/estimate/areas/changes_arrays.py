"""Numerical kernels of the estimate room: arrays in, arrays out."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints

TIE = 1e-12
"""Statistics closer than this count as equal, so that rounding in the last place cannot move a p-value."""


class GroupEffects(NamedTuple):
    """One entry per group: its effect, school-sampling standard error, and counts. NaN where it has none."""

    effect: Floats
    std_error: Floats
    n: Ints
    n_comparison: Ints


def group_effects(change: Floats, weight: Floats, group: Ints, compared: Bools) -> GroupEffects:
    """Compare each group's mean change with that of the groups it is compared with.

    Parameters
    ----------
    change, weight : shape (n,)
        Change and positive weight of each unit.
    group : shape (n,)
        Position of each unit's group, 0 … G − 1.
    compared : shape (G, G)
        Whether the row's group is compared with the column's.

    Returns
    -------
    GroupEffects, each of shape (G,)
        effect = m_g − m_C with weighted means m; the variance of a weighted mean is
        Σw²(c − m)² / (Σw)² / (1 − Σw²/(Σw)²), which is s²/n for equal weights. Units are taken
        as independent: shocks common to a group are not in it.
    """
    size = len(compared)
    powers = [np.ones_like(change), weight, weight * change, weight**2, weight**2 * change, weight**2 * change**2]
    sums = np.array([np.bincount(group, power, size) for power in powers])
    of_group, of_compared = sums, sums @ compared.T.astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        effect = of_group[2] / of_group[1] - of_compared[2] / of_compared[1]
        std_error = np.sqrt(_mean_variance(of_group) + _mean_variance(of_compared))
    return GroupEffects(effect, std_error, of_group[0].astype(np.int64), of_compared[0].astype(np.int64))


def largest_influence(change: Floats, weight: Floats, group: Ints, compared: Bools) -> Floats:
    """Return by how much the effect of each group moves, at most, when one unit is left out, shape (G,).

    Arguments as in `group_effects`. Without unit i a weighted mean m moves by w_i(c_i − m) / (Σw − w_i), whether the
    unit is one of the group's own or of those compared with it. A number added to all changes of a group alters
    nothing. A mean of one unit cannot do without it and counts as not moved.
    """
    size = len(compared)
    largest = np.zeros(size)
    for row in range(size):
        for arm in (group == row, compared[row][group]):
            w, c = weight[arm], change[arm]
            if len(c) > 1:
                moved = w * np.abs(c - np.average(c, weights=w)) / (w.sum() - w)
                largest[row] = max(largest[row], float(moved.max()))
    return largest


def _mean_variance(sums: Floats) -> Floats:
    """Variance of a weighted mean from Σ1, Σw, Σwc, Σw², Σw²c, Σw²c² along the first axis."""
    n, w, wc, w2, w2c, w2c2 = sums
    mean = wc / w
    # From sums of powers, which rounding can take below zero where nothing varies.
    squares = np.maximum(w2c2 - 2 * mean * w2c + mean**2 * w2, 0.0)
    variance: Floats = np.where(n > 1, squares / w**2 / (1 - w2 / w**2), np.nan)
    return variance


def matched_gaps(change: Floats, partners: Ints, rows: Ints | None = None) -> tuple[Floats, Bools]:
    """Return each unit's change less the mean change of its partners, and which partners counted.

    Parameters
    ----------
    change : shape (n,)
        Change of each unit, NaN where it is not observed.
    partners : shape (n, ratio)
        Positions of partners, −1 where there is none.
    rows : shape (m,)
        Positions of the units that the rows of `partners` belong to, all of them in order by default.

    Returns
    -------
    gap : shape (n,), NaN where the unit or all its partners are not observed
    counted : shape (n, ratio)
    """
    of_partner = np.where(partners >= 0, np.append(change, np.nan)[partners], np.nan)
    own = change if rows is None else change[rows]
    counted = np.isfinite(of_partner) & np.isfinite(own)[:, None]
    number = counted.sum(axis=1)
    total = np.where(counted, of_partner, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = own - total / number
    return gap, counted


def comparison_weights(weight: Floats, partners: Ints, counted: Bools) -> Floats:
    """Return the weight of every unit as a partner of the given rows, shape (n_units,): Σ_i w_i / k_i over rows it
    serves.

    `weight`, `partners`, `counted` hold the treated rows; the result sums to Σw.
    """
    share = weight / np.maximum(counted.sum(axis=1), 1)
    served = np.where(counted, partners, 0)
    values = np.where(counted, share[:, None], 0.0)
    used: Floats = np.bincount(served.ravel(), values.ravel(), minlength=int(partners.max(initial=0)) + 1).astype(float)
    return used


def weighted_mean_error(change: Floats, weight: Floats) -> float:
    """Return the standard error of a weighted mean, units independent; NaN for a single unit."""
    powers = [np.ones_like(change), weight, weight * change, weight**2, weight**2 * change, weight**2 * change**2]
    sums = np.array([[power.sum()] for power in powers])
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.sqrt(_mean_variance(sums))[0])


def residuals_without(outcome: Floats, predictor: Floats, left_out: int) -> Floats:
    """Return what a straight line fitted to all units but one leaves of every unit's outcome, shape (n,)."""
    others = np.arange(len(outcome)) != left_out
    centre = predictor[others].mean()
    spread = predictor - centre
    slope = (spread[others] @ outcome[others]) / (spread[others] @ spread[others])
    residual: Floats = outcome - outcome[others].mean() - slope * spread
    return residual


class PermutationTest(NamedTuple):
    """p-values of one unit among J exchangeable ones, and the reach of its interval (infinite below 1/level units)."""

    p_value: float
    p_value_one_sided: float
    rank: int
    n: int
    n_as_large: int
    reach: float


def permutation_test(statistic: Floats, treated: int, alpha: float = 0.05) -> PermutationTest:
    """Place the treated unit's statistic among those of all units analysed the same way.

    Parameters
    ----------
    statistic : shape (J,)
        One statistic per unit, the treated one's included.
    treated : int
        Position of the treated unit.
    alpha : float
        One less the level of the interval.

    Returns
    -------
    PermutationTest
        p = #{|t_j| ≥ |t_k|} / J, J and the count including k (Fisher's randomisation test; Abadie,
        Diamond and Hainmueller, 2010, for one treated unit). `reach` is the largest |d| such that a
        statistic d would not be rejected at `alpha`: the interval is t_k ± reach.
    """
    size, number = np.abs(statistic), len(statistic)
    treated_size = size[treated]
    # The treated unit is among them, so that p is 1/J at the least.
    as_large = int((size >= treated_size - TIE).sum())
    one_sided = int((statistic >= statistic[treated] - TIE).sum())
    others = np.sort(np.delete(size, treated))[::-1]
    needed = _needed(alpha, number)
    reach = float(others[needed - 1]) if needed >= 1 else math.inf
    rank = 1 + int((size > treated_size + TIE).sum())
    return PermutationTest(as_large / number, one_sided / number, rank, number, as_large, reach)


def _needed(alpha: float, number: int) -> int:
    """Return how many others must be at least as large for p > alpha: the least m with (m + 1) / J > alpha."""
    m = max(math.floor(alpha * number) - 1, 0)
    while (m + 1) / number <= alpha + TIE:
        m += 1
    return m
