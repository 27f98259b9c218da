"""Tests by a reference distribution that is linear in the value tested, and intervals by inverting them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable

Floats = NDArray[np.float64]

TIE = 1e-10
"""A draw counts as at least as large as the estimate when |t*| ≥ |t| (1 − TIE), or when it falls short by less than
TIE times the largest draw's size: equal up to rounding is equal."""

_STEP, _NEAR, _FAR = 0.05, 20.0, 1e4
"""Values are tried in steps of 0.05 scales up to 20, then in steps that grow by a twentieth up to 10,000 scales."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A statistic for every draw, as a function of the value b under test.

    Draw i has the statistic (first_i − b·slope_i) / √(square_i − 2b·cross_i + b²·bend_i); the estimate itself has
    (estimate − b) / scale. Where draws are compared unscaled, square is scale² and cross and bend are 0.
    The draw that is the data themselves is among them, so that no p-value is 0.

    Attributes
    ----------
    estimate, scale : float
    first, slope, square, cross, bend : shape (n_draws,)
    """

    estimate: float
    scale: float
    first: Floats
    slope: Floats
    square: Floats
    cross: Floats
    bend: Floats

    def p_value(self, value: float = 0.0) -> float:
        """Return the share of draws whose |statistic| is at least as large as the estimate's, were `value` true."""
        squared = np.maximum(self.square - 2 * value * self.cross + value**2 * self.bend, 0.0)
        reach = abs(self.estimate - value) / self.scale * (1 - TIE)
        size = np.abs(self.first - value * self.slope)
        # Multiplied out, so that a draw without spread counts as infinitely large and 0/0 as equal.
        return float((size + TIE * size.max() >= reach * np.sqrt(squared)).mean())

    def interval(self, level: float) -> IntervalOrReason:
        """Return the hull of the values not rejected at 1 − level, or why it has no end."""
        ends = [self._end(sign, 1 - level + 1e-12) for sign in (-1.0, 1.0)]  # a p-value of 1 − level rejects
        if any(end is None for end in ends):
            return Unavailable(
                f"The test rejects no value far from the estimate at the {level:.0%} level: with so few clusters or "
                f"assignments its smallest p-value is too large, so the interval has no end."
            )
        return Interval(float(ends[0] or 0.0), float(ends[1] or 0.0), level)

    def _end(self, sign: float, size: float) -> float | None:
        """Return the outermost value on one side whose p-value exceeds `size`, found between two tried values.

        All tried values are looked at, because the p-value may rise again on its way out.
        """
        tried = _distances()
        kept = np.array([self.p_value(self.estimate + sign * step * self.scale) > size for step in tried])
        last = int(np.flatnonzero(kept)[-1]) if kept.any() else 0
        if last == len(tried) - 1:
            return None
        inside, outside = tried[last], tried[last + 1]
        for _ in range(60):
            middle = (inside + outside) / 2
            is_kept = self.p_value(self.estimate + sign * middle * self.scale) > size
            inside, outside = (middle, outside) if is_kept else (inside, middle)
        return float(self.estimate + sign * (inside + outside) / 2 * self.scale)


def _distances() -> Floats:
    near = np.arange(0, _NEAR, _STEP)
    far = np.exp(np.arange(np.log(_NEAR), np.log(_FAR), 0.05))
    return np.concatenate([near, far])
