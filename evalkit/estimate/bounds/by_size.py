"""Intervals of an effect by size of the violations: the ends for a size, and whether they leave out 0."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.draws import stream
from evalkit.core.quantities import Unavailable
from evalkit.core.scipy_parts import brentq, special
from evalkit.estimate.bounds.coefficients import Coefficients
from evalkit.estimate.bounds.conditional_arrays import (
    Moments,
    first_stage,
    moments_of,
    outermost,
)
from evalkit.estimate.bounds.fixed_length_arrays import Path, bias_path, fixed_length
from evalkit.estimate.bounds.least_favourable_arrays import NormalDraws, least_favourable
from evalkit.estimate.bounds.restrictions_arrays import Systems, relative_systems, smooth_systems

FIRST_STAGE: Final = 0.1
"""Share of the test's size that a hybrid gives to its first stage."""

SINGULAR: Final = 1e-10
"""Least eigenvalue of the correlations below which they are singular."""

BoundsMethod = Literal["hybrid", "fixed-length"]


class Bound:
    """Intervals under one kind of bound: `ends` of several sizes at once, and `leaves_out_zero` of one."""

    method: BoundsMethod = "hybrid"

    def ends(self, values: Floats) -> tuple[Floats, Floats]:
        """Return lower and upper ends for each size; crossed where nothing holds, infinite where nothing bounds."""
        raise NotImplementedError

    def leaves_out_zero(self, value: float) -> bool:
        """Return whether the interval for one size leaves out 0."""
        low, high = self.ends(np.array([value]))
        return bool(low[0] > 0 or high[0] < 0)

    def breakdown(self, low: float, high: float) -> float:
        """Return the largest size whose interval leaves out 0, which that of `low` does and that of `high` does not."""
        for _ in range(40):
            middle = (low + high) / 2
            if high - low <= 1e-6 * high:
                break
            low, high = (middle, high) if self.leaves_out_zero(middle) else (low, middle)
        return low


class _Hybrid(Bound):
    """Intervals that invert the hybrid test in every system of a bound, and hold what any of them holds."""

    def __init__(self, study: Coefficients, shape: Floats, level: float, seed: int) -> None:
        self.study, self.shape = study, shape
        self.draws = NormalDraws.of(len(study.beta), stream(seed, "violation bounds: first stage"))
        self.first = FIRST_STAGE * (1 - level)
        self.rest = (1 - level - self.first) / (1 - self.first)

    def systems(self, values: Floats) -> Systems:
        """Return the systems of some sizes, as many for each, one size after the other."""
        raise NotImplementedError

    def moments(self, values: Floats) -> Moments:
        """Return them as lines in the effect."""
        return moments_of(self.systems(values), self.study.covariance, self.study.weights)

    def critical(self, moments: Moments) -> Floats:
        """Return the critical value of each system's first stage."""
        return least_favourable(moments.rows, self.study.covariance, self.draws, self.first)

    def ends(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the outermost effects that any system holds possible."""
        found = np.array([self._ends(value) for value in values]).reshape(-1, 2)
        return found[:, 0], found[:, 1]

    def _ends(self, value: float) -> tuple[float, float]:
        moments, beta = self.moments(np.array([value])), self.study.beta
        critical = self.critical(moments)
        low, high = outermost(moments, beta, first_stage(moments, beta, critical), critical, self.rest)
        return float(low.min()), float(high.max())

    def leaves_out_zero(self, value: float) -> bool:
        """Return whether no effect on the far side of 0 is possible; systems that are far from it are not worked out.

        A first stage at Bonferroni's critical value, which is above the exact one, settles most systems.
        """
        moments, beta = self.moments(np.array([value])), self.study.beta
        deviation = np.sqrt(np.diagonal(moments.covariance, axis1=1, axis2=2))
        loose = deviation.max(axis=1) * -special.ndtri(self.first / deviation.shape[1])
        low, high = first_stage(moments, beta, loose)
        is_above = self.study.estimate > 0
        near = np.flatnonzero((low <= high) & ((low <= 0) if is_above else (high >= 0)))
        if not near.size:
            return True
        some = moments.taken(near)
        critical = self.critical(some)
        low, high = first_stage(some, beta, critical)
        far = (low, np.minimum(high, 0.0)) if is_above else (np.maximum(low, 0.0), high)
        return not np.isfinite(outermost(some, beta, far, critical, self.rest)[0]).any()


class RelativeBound(_Hybrid):
    """Steps after the start, relative to the largest one before it."""

    def systems(self, values: Floats) -> Systems:
        return relative_systems(values, self.study.p, len(self.study.weights), self.shape)


class SmoothBound(_Hybrid):
    """Changes of slope, where violations have a shape."""

    def systems(self, values: Floats) -> Systems:
        return smooth_systems(values, self.study.p, len(self.study.weights), self.shape)


class FixedLengthBound(Bound):
    """Changes of slope, by the shortest interval of fixed length."""

    method: BoundsMethod = "fixed-length"

    def __init__(self, study: Coefficients, level: float, path: Path) -> None:
        self.study, self.level, self.path = study, level, path

    def ends(self, values: Floats) -> tuple[Floats, Floats]:
        centre, half = fixed_length(self.path, self.study.beta, self.study.covariance, values, self.level)
        return centre - half, centre + half

    def breakdown(self, low: float, high: float) -> float:
        """Return where centre and half-length are of one size, by Brent's method."""

        def reach(value: float) -> float:
            lower, upper = self.ends(np.array([value]))
            return float(max(lower[0], -upper[0]))

        return brentq(reach, low, high, xtol=1e-9 * high)


def both_bounds(
    study: Coefficients, shape: Floats, level: float, seed: int
) -> tuple[Bound | Unavailable, Bound | Unavailable]:
    """Return the intervals under relative magnitudes and under smoothness, or why there can be none."""
    size = np.sqrt(np.diagonal(study.covariance))
    if np.linalg.eigvalsh(study.covariance / np.outer(size, size))[0] < SINGULAR:
        none = Unavailable(
            "The covariance is singular: some weighted sum of the coefficients has no variance, as where there are "
            "fewer clusters than coefficients."
        )
        return none, none
    return RelativeBound(study, shape, level, seed), smooth_bound(study, shape, level, seed)


def smooth_bound(study: Coefficients, shape: Floats, level: float, seed: int) -> Bound:
    """Return the intervals under smoothness: of fixed length, or by the hybrid where violations have a shape."""
    if len(shape):
        return SmoothBound(study, shape, level, seed)
    return FixedLengthBound(study, level, bias_path(study.covariance, study.p, study.weights))
