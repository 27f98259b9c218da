"""One covariate in two weighted arms, and in pairs: the numbers that every statistic of balance is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints

# Two weighted arms of one covariate: what differences are made of, in reports of projects and of tables alike.


def ratio(difference: float, spread: float) -> float:
    """Return a difference (or a variance) over a spread (or another variance), NaN where that is none."""
    return difference / spread if spread > 0 else math.nan


# Summed as numpy's average does and not as `contrast` does: they part in the last digit, and results.json of a
# project keeps its digits.
def weighted_mean(values: Floats, weight: Floats) -> float:
    """Return Σwx / Σw."""
    return float(np.average(values, weights=weight))


def weighted_variance(values: Floats, weight: Floats) -> float:
    """Return Σw(x − m)² / (1 − Σw²) with weights summing to one: s² for equal weights. NaN for one unit."""
    share = weight / weight.sum()
    centred = values - share @ values
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(share @ centred**2 / (1 - share @ share))


# How much two weighted distributions have in common.

Bandwidth = float

_CELLS_PER_BANDWIDTH: Final = 16
_REACH: Final = 4.0
"""Bandwidths beyond the data to which densities are drawn."""
_MOST_CELLS: Final = 1 << 16
"""Cells of the grid at most (half a megabyte); where more would be needed the bandwidth grows."""


def reference_bandwidth(values: Floats) -> Bandwidth:
    """Return 1.06 min(s, IQR / 1.34) n^(−1/5), the normal reference rule (Scott, 1992); 0 where nothing varies."""
    if len(values) < 2:
        return 0.0
    deviation = float(values.std(ddof=1))
    upper, lower = np.percentile(values, [75, 25])
    spread = min(deviation, float(upper - lower) / 1.34) or deviation
    return float(1.06 * spread * len(values) ** -0.2)


def overlap_coefficient(ordered: Floats, below: tuple[Floats, Floats], bandwidth: Bandwidth) -> float:
    """Return ∫ min(f1, f0), the area that two kernel densities share; NaN without a bandwidth.

    Parameters
    ----------
    ordered : shape (n,), values from the least to the largest
    below : two arrays of shape (n,)
        The share of each arm up to and including each of them.
    bandwidth : SD of the Gaussian kernel, the same for both arms
    """
    if not bandwidth > 0 or not len(ordered):
        return math.nan
    reach = float(ordered[-1] - ordered[0]) + 2 * _REACH * bandwidth
    n_cells = min(math.ceil(reach * _CELLS_PER_BANDWIDTH / bandwidth), _MOST_CELLS)
    step = reach / n_cells
    edges = ordered[0] - _REACH * bandwidth + step * np.arange(1, n_cells + 1)
    place = np.searchsorted(ordered, edges, side="right")
    last = np.maximum(place - 1, 0)
    kernel = _kernel(max(bandwidth, 2 * step) / step)
    densities = [_smoothed(np.diff(np.where(place > 0, arm[last], 0.0), prepend=0.0), kernel) for arm in below]
    return min(float(np.minimum(*densities).sum()), 1.0)


def _kernel(width: float) -> Floats:
    half = math.ceil(_REACH * width)
    bell = np.exp(-0.5 * (np.arange(-half, half + 1) / width) ** 2)
    shares: Floats = bell / bell.sum()
    return shares


def _smoothed(shares: Floats, kernel: Floats) -> Floats:
    size = 1 << (len(shares) + len(kernel) - 2).bit_length()
    smooth: Floats = np.fft.irfft(np.fft.rfft(shares, size) * np.fft.rfft(kernel, size), size)
    return np.maximum(smooth[: len(shares) + len(kernel) - 1], 0.0)


# One covariate in two weighted arms: the numbers that every statistic of balance is made of.

RELATIVE_ZERO: Final = 1e-12
"""A spread below this share of a covariate's largest size is rounding, not spread."""


@dataclass(frozen=True, slots=True, eq=False)
class SortedColumn:
    """A covariate and, unless it has two values or one, the order that sorts it.

    Attributes
    ----------
    values : shape (n_units,)
    order, ordered : shape (n_units,), or None for a covariate of two values or one
        The positions that sort it, and the sorted values.
    ends : shape (n_values,), or None
        Where in sorted order each different value stands last; None too where no value stands twice.
    low, high : the least and the largest value
    """

    values: Floats
    order: Ints | None
    ordered: Floats | None
    ends: Ints | None
    low: float
    high: float

    @property
    def is_binary(self) -> bool:
        """Return whether the covariate has at most two values."""
        return self.order is None


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """The units of one arm that count, as positions, and the share each has in it; shapes (n_used,)."""

    rows: Ints
    share: Floats
    is_even: bool

    @property
    def n(self) -> int:
        """Return the number of units that count."""
        return len(self.rows)

    @property
    def effective_n(self) -> float:
        """Return 1 / Σ share², the number of equally weighted units that would be as informative."""
        return float(self.n) if self.is_even else float(1 / _dot(self.share, self.share))


@dataclass(frozen=True, slots=True, eq=False)
class ArmContrast:
    """A covariate in the treated and the comparison arm, in this order wherever there are two numbers.

    Attributes
    ----------
    mean, variance, n, effective_n : for each arm; variances as in `moments`, NaN for one unit
    spread : what differences in means are divided by, 0 where there is none
    ecdf_gap, gap_length : shape (m,)
        |F1 − F0|, the distance of the weighted distribution functions, and over how many of the covariate's
        different values each holds. For two values the one distance |p1 − p0|.
    overlap : share of the two densities that they have in common, NaN where none can be drawn
    pair_difference : mean |difference| over pairs, NaN where there are none
    """

    mean: tuple[float, float]
    variance: tuple[float, float]
    n: tuple[int, int]
    effective_n: tuple[float, float]
    low: float
    high: float
    is_binary: bool
    spread: float
    ecdf_gap: Floats
    gap_length: Floats
    overlap: float
    pair_difference: float


def sorted_column(values: Floats) -> SortedColumn:
    """Return a covariate with its order, the one sort that all its statistics share."""
    values = np.ascontiguousarray(values, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    if bool(((values == low) | (values == high)).all()):
        return SortedColumn(values, None, None, None, low, high)
    order = np.argsort(values)
    ordered = values[order]
    ends = np.flatnonzero(ordered[1:] != ordered[:-1])
    is_tied = len(ends) < len(values) - 1
    return SortedColumn(values, order, ordered, np.append(ends, len(values) - 1) if is_tied else None, low, high)


def arms_of(weights: Floats, is_treated: Bools) -> tuple[Arm, Arm]:
    """Return the treated and the comparison arm under weights, shape (n_units,), that are 0 for units left out."""
    used = weights > 0
    treated, comparison = (_arm(weights, np.flatnonzero(used & flag)) for flag in (is_treated, ~is_treated))
    return treated, comparison


def _arm(weights: Floats, rows: Ints) -> Arm:
    used = weights[rows]
    return Arm(rows, used / used.sum(), bool((used == used[:1]).all()))


def contrast(
    column: SortedColumn, arms: tuple[Arm, Arm], spread: float, bandwidth: Bandwidth, pair_difference: float = math.nan
) -> ArmContrast:
    """Return everything that statistics of balance are made of, for one covariate and one set of weights."""
    (mean1, variance1), (mean0, variance0) = (_moments(column.values[arm.rows], arm.share) for arm in arms)
    if column.is_binary:
        width = column.high - column.low
        gap = np.array([abs(mean1 - mean0) / width if width > 0 else 0.0])
        length, overlap = np.ones(1), 1 - float(gap[0])
    else:
        gap, length, overlap = _distributions(column, arms, bandwidth)
    return ArmContrast(
        mean=(mean1, mean0),
        variance=(variance1, variance0),
        n=(arms[0].n, arms[1].n),
        effective_n=(arms[0].effective_n, arms[1].effective_n),
        low=column.low,
        high=column.high,
        is_binary=column.is_binary,
        spread=spread,
        ecdf_gap=gap,
        gap_length=length,
        overlap=overlap,
        pair_difference=pair_difference,
    )


def denominators(column: SortedColumn, arms: tuple[Arm, Arm]) -> tuple[float, float]:
    """Return the SD of each arm as differences are divided by it: √(p(1 − p)) for two values; 0 where none."""
    found = []
    for arm in arms:
        values = column.values[arm.rows]
        if column.is_binary:
            share = float((values == column.high).mean())
            found.append(math.sqrt(share * (1 - share)) * (column.high - column.low))
        else:
            found.append(float(values.std(ddof=1)) if len(values) > 1 else 0.0)
    least = RELATIVE_ZERO * max(abs(column.low), abs(column.high))
    return (found[0] if found[0] > least else 0.0, found[1] if found[1] > least else 0.0)


def _moments(values: Floats, share: Floats) -> tuple[float, float]:
    """Return Σwx and Σw(x − m)² / (1 − Σw²) for weights that sum to one."""
    mean = _dot(share, values)
    rest = 1 - _dot(share, share)
    centred = values - mean
    return mean, _dot(share, centred * centred) / rest if rest > RELATIVE_ZERO else math.nan


def _dot(one: Floats, other: Floats) -> float:
    """Return Σab without waking the threads of a linear algebra library, which cost long arrays more than they save."""
    return float(np.einsum("i,i->", one, other))


def _distributions(column: SortedColumn, arms: tuple[Arm, Arm], bandwidth: Bandwidth) -> tuple[Floats, Floats, float]:
    """Return the distances of the distribution functions, how long each holds, and the densities' overlap."""
    assert column.order is not None
    assert column.ordered is not None
    if arms[0].is_even and arms[1].is_even and arms[0].n + arms[1].n == len(column.values):
        below = _counted(column.order, arms)
        gap = (
            np.abs(below[0] - below[1])
            if column.ends is None
            else np.abs(below[0][column.ends] - below[1][column.ends])
        )
        return gap, np.ones(len(gap)), overlap_coefficient(column.ordered, below, bandwidth)
    used, below = _added(column.order, arms)
    overlap = overlap_coefficient(column.ordered[used], below, bandwidth)
    last = used if column.ends is None else np.searchsorted(column.ends, used)  # the value each unit has, by its rank
    final = np.flatnonzero(np.append(last[1:] != last[:-1], True))
    n_values = len(column.values) if column.ends is None else len(column.ends)
    length = np.diff(last[final], append=n_values).astype(float)
    gap = np.abs(below[0][final] - below[1][final])
    # Below every unit that counts both functions are 0.
    return np.append(gap, 0.0), np.append(length, float(last[0])), overlap


def _counted(order: Ints, arms: tuple[Arm, Arm]) -> tuple[Floats, Floats]:
    """Return the share of each arm up to each unit in order, where every unit counts the same."""
    flag = np.zeros(len(order), dtype=np.int8)
    flag[arms[0].rows] = 1
    n_treated = np.cumsum(flag[order], dtype=np.int64)
    return n_treated / arms[0].n, (np.arange(1, len(order) + 1) - n_treated) / arms[1].n


def _added(order: Ints, arms: tuple[Arm, Arm]) -> tuple[Ints, tuple[Floats, Floats]]:
    """Return which units in order count, and the share of each arm up to each of those."""
    share = np.zeros(len(order))
    share[arms[0].rows] = arms[0].share
    share[arms[1].rows] = -arms[1].share
    signed = share[order]
    used = np.flatnonzero(signed)
    if len(used) < len(signed):
        signed = signed[used]
    treated = np.cumsum(np.maximum(signed, 0.0))
    return used, (treated, treated - np.cumsum(signed))


# How far apart units that were put together are in a covariate.


def pair_difference(values: Floats, treated: Ints, comparison: Ints) -> float:
    """Return the mean |difference| over pairs given as positions, shape (n_pairs,) each; NaN where there are none."""
    return float(np.abs(values[treated] - values[comparison]).mean()) if len(treated) else math.nan


def stratum_difference(values: Floats, is_treated: Bools, strata: Ints, order: Ints | None) -> float:
    """Return the mean |difference| over all pairs of a treated and a comparison unit of one stratum.

    No pair is ever made: with units sorted, Σ|xᵢ − xⱼ| = Σ x × (units of the other arm below − above).

    Parameters
    ----------
    values, is_treated : shape (n_units,)
    strata : shape (n_units,), −1 for units in none
    order : shape (n_units,), the order that sorts `values`, or None to sort here

    Returns
    -------
    The mean, NaN where no stratum has both arms.
    """
    order = np.argsort(values) if order is None else order
    in_order = strata[order]
    if in_order.max(initial=-1) < np.iinfo(np.int16).max:
        in_order = in_order.astype(np.int16)  # numpy sorts 16 bits by their digits, in linear time
    order = order[np.argsort(in_order, kind="stable")][np.count_nonzero(in_order < 0) :]
    if not len(order):
        return math.nan
    stratum, flag = strata[order], is_treated[order]
    starts = np.flatnonzero(np.append(True, stratum[1:] != stratum[:-1]))
    sizes = np.diff(starts, append=len(order))
    n_treated = np.add.reduceat(flag.astype(np.int64), starts)
    n_pairs = int((n_treated * (sizes - n_treated)).sum())
    if n_pairs == 0:
        return math.nan
    ordered = values[order] - values.mean()
    return float(ordered @ _below_less_above(flag, starts, sizes, n_treated)) / n_pairs


def _below_less_above(flag: Bools, starts: Ints, sizes: Ints, n_treated: Ints) -> Ints:
    """Return for each sorted unit how many units of the other arm of its stratum stand below it, less those above."""
    treated_below: Ints = np.cumsum(flag) - np.repeat(np.cumsum(n_treated) - n_treated, sizes)
    comparison_below = np.arange(1, len(flag) + 1) - np.repeat(starts, sizes) - treated_below
    all_treated = np.repeat(n_treated, sizes)
    all_comparison = np.repeat(sizes, sizes) - all_treated
    less: Ints = np.where(flag, 2 * comparison_below - all_comparison, 2 * treated_below - all_treated)
    return less
