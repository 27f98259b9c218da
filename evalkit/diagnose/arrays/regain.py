"""What units with a low score regain by themselves: the arithmetic of regression to the mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between two independent means, with its standard error and Welch's degrees of freedom."""

    value: float
    std_error: float
    df: float

    @property
    def p_value(self) -> float:
        """Return the two-sided p-value of no difference: 1 where nothing varies and nothing differs."""
        from scipy.special import stdtr

        if self.std_error == 0:
            return 0.0 if self.value else 1.0
        return float(2 * stdtr(self.df, -abs(self.value) / self.std_error))


@dataclass(frozen=True, slots=True)
class Line:
    """A least-squares line with the standard error of its slope."""

    slope: float
    slope_error: float


def difference(treated: Floats, pool: Floats) -> Difference:
    """Return mean(treated) − mean(pool) with √(s1²/n1 + s0²/n0), for two or more units in each (Welch, 1947)."""
    parts = [float(values.var(ddof=1)) / len(values) for values in (treated, pool)]
    total = sum(parts)
    spread = sum(part**2 / (len(values) - 1) for part, values in zip(parts, (treated, pool), strict=True))
    df = total**2 / spread if spread > 0 else float(len(treated) + len(pool) - 2)
    return Difference(float(treated.mean() - pool.mean()), math.sqrt(total), df)


def line(first: Floats, later: Floats) -> Line | None:
    """Return the least-squares line of `later` on `first`, shape (n,) each; None where it cannot be drawn."""
    if len(first) < 3:
        return None
    centred = first - first.mean()
    squares = float(centred @ centred)
    if squares <= 1e-12 * max(float(np.abs(first).max()), 1e-300) ** 2 * len(first):
        return None
    slope = float(centred @ later) / squares
    rest = later - later.mean() - slope * centred
    return Line(slope, math.sqrt(float(rest @ rest) / (len(first) - 2) / squares))
