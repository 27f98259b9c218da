"""Tests by a reference distribution that is linear in the value tested, and intervals by inverting them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable

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

    @classmethod
    def unscaled(cls, estimate: float, scale: float, first: Floats, slope: Floats) -> Reference:
        """Return the reference of draws that are compared as they are; `scale` is only the unit of the search."""
        none = np.zeros(len(first))
        return cls(estimate, scale, first, slope, np.full(len(first), scale**2), none, none)

    def p_value(self, value: float = 0.0) -> float:
        """Return the share of draws whose |statistic| is at least as large as the estimate's, were `value` true."""
        squared = np.maximum(self.square - 2 * value * self.cross + value**2 * self.bend, 0.0)
        reach = abs(self.estimate - value) / self.scale * (1 - TIE)
        size = np.abs(self.first - value * self.slope)
        # Multiplied out, so that a draw without spread counts as infinitely large and 0/0 as equal.
        return float((size + TIE * size.max() >= reach * np.sqrt(squared)).mean())

    def interval(self, level: float) -> IntervalOrReason:
        """Return the hull of the values not rejected at 1 − level, or why it has no end."""
        find = self._exact_end if self._is_unscaled() else self._end
        ends = [find(sign, 1 - level + 1e-12) for sign in (-1.0, 1.0)]  # a p-value of 1 − level rejects
        if any(end is None for end in ends):
            return Unavailable(
                f"The test rejects no value far from the estimate at the {level:.0%} level: with so few clusters or "
                f"assignments its smallest p-value is too large, so the interval has no end."
            )
        return Interval(float(ends[0] or 0.0), float(ends[1] or 0.0), level)

    def _is_unscaled(self) -> bool:
        return not self.cross.any() and not self.bend.any() and bool((self.square == self.scale**2).all())

    def _exact_end(self, sign: float, size: float) -> float | None:
        """Return the outermost value on one side whose p-value exceeds `size`, of draws compared as they are.

        With the distance d ≥ 0 from the estimate T, b = T + sign·d, draw i counts where |f_i − s_i T − sign·s_i d| ≥ d,
        g_i = sign (f_i − s_i T): from 0 to |g_i|/(1 + s_i) or |g_i|/(1 − s_i) (by the sign of g_i), and where |s_i| > 1
        from another distance on for ever. So the share that counts at d follows from sorted ends.
        """
        offset = sign * (self.first - self.slope * self.estimate)
        tie = TIE * max(float(np.abs(self.first).max()), abs(self.estimate))
        gap, lean = np.abs(offset), np.where(offset < 0, -self.slope, self.slope)
        near, far = 1 + lean, 1 - lean  # |g − s d| ≥ d: d ≤ g/(1 + s) while g ≥ s d, or d (s − 1) ≥ g
        with np.errstate(divide="ignore"):
            stops = np.where(near > TIE, (gap + tie) / np.maximum(near, TIE), np.inf)
            returns = np.where(-far > TIE, (gap - tie) / np.maximum(-far, TIE), np.inf)
        is_always = ((np.abs(far) <= TIE) & (gap <= tie)) | (returns <= stops)  # moves as the estimate does, or faster
        stops, returns = np.where(is_always, np.inf, stops), np.where(is_always, np.inf, returns)
        return self._hull(sign, size, stops, returns)

    def _hull(self, sign: float, size: float, stops: Floats, returns: Floats) -> float | None:
        """Return the outermost value where more than `size` of the draws count: up to `stops` and from `returns` on."""
        n, order = len(stops), np.sort(stops)
        if (np.isinf(stops) | np.isfinite(returns)).mean() > size:
            return None
        ends = order[np.isfinite(order)][::-1]
        counting = n - np.searchsorted(order, ends, "left") + np.searchsorted(np.sort(returns), ends, "right")
        kept = ends[counting / n > size]
        furthest = float(kept[0]) if len(kept) else 0.0
        return None if furthest > _FAR * self.scale else float(self.estimate + sign * furthest)

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
