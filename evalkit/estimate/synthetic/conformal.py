"""Conformal inference for treated areas: residuals moved in time, and effects that survive the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL, require_level
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.estimate.synthetic.result import EXACT, SyntheticControl, rounding_of, without_inference
from evalkit.estimate.synthetic.weights_arrays import root_mean_square

_CAN_FOLLOW: Final = (
    "Conformal inference fits the weights to all periods. Where more than a third of them lie after the start, "
    "as here, the weights can follow an effect themselves, and the test of all periods together has little power."
)
Test = Callable[[float], float | None]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Conformal(Shown):
    """`p_value` of no effect, and the `interval` of effects that are not rejected, from `n_periods` moves.

    `by_period` has the same for each period from the start on, from the periods before the start and that one alone, so
    that the effect need not be the same in each. `period` is that period, None for the effect in all of them.
    """

    p_value: Quantity
    interval: IntervalOrReason
    n_periods: int
    period: int | None = None
    by_period: tuple[Conformal, ...] = ()
    notes: tuple[str, ...] = ()


def conformal(result: SyntheticControl, level: float = LEVEL) -> Conformal:
    """Return Chernozhukov, Wüthrich and Zhu's (2021) inference by moving blocks.

    Under an effect θ that is the same in every period from the start on, Y − θ there is what would have been. The
    weights are fitted to all periods of that series, and Σ|residual| from the start on is compared with the same sum
    in every cyclic move of the residuals. No p-value is below one over the number of periods. The interval holds every
    θ whose p-value exceeds 1 − level. Valid if residuals are stationary and weakly dependent. With many periods after
    the start the weights can follow an effect themselves, and the interval is wide; `by_period` is then of more use.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (f"A{i:02}", t, 60 + i * 5 % 12 + t * (i % 4) / 10 + i * t % 7 / 10 + 3 * (i == 5 and t >= 2016))
    ...     for i in range(12) for t in range(2006, 2020)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["area", "year", "share"])
    >>> roles = evalkit.AreaRoles(unit="area", period="year", outcome="share")
    >>> series = evalkit.AreaSeries.from_frame(table, roles)
    >>> design = evalkit.area_design(series, ["A05"], 2016)
    >>> found = evalkit.conformal(evalkit.synthetic_control(design))
    >>> round(found.p_value, 3), found.n_periods
    (0.071, 14)
    """
    require_level(level)
    n_pre, n_periods = result.design.n_pre, len(result.design.periods)
    if reason := without_inference(result):
        return Conformal(p_value=reason, interval=reason, n_periods=n_periods)
    everything = np.arange(n_periods)
    whole = _tested(result, everything, level)
    single = tuple(
        _tested(result, np.append(everything[:n_pre], at), level, result.design.periods[at])
        for at in range(n_pre, n_periods)
    )
    notes = (_CAN_FOLLOW,) if 2 * result.design.n_post > n_pre and isinstance(whole.p_value, float) else ()
    return Conformal(p_value=whole.p_value, interval=whole.interval, n_periods=n_periods, by_period=single, notes=notes)


def _tested(result: SyntheticControl, kept: NDArray[np.int64], level: float, period: int | None = None) -> Conformal:
    """Return the inference from some of the periods, those before the start among them."""
    n_periods, test = len(kept), _test(result, kept)
    none = test(0.0)
    if none is None:
        reason = Unavailable(
            f"The {len(result.design.donors)} donors follow all {n_periods} periods exactly even if there was no "
            "effect, so that no residual is left to judge by."
        )
        return Conformal(p_value=reason, interval=reason, n_periods=n_periods, period=period)
    after = result.fit.gap[kept[result.design.n_pre :]]
    step = max(root_mean_square(after - after.mean()), result.pre_rmse, 1e-6 * result.pre_fit.spread)
    interval = _interval(test, (float(after.mean()), step), n_periods, level)
    return Conformal(p_value=none, interval=interval, n_periods=n_periods, period=period)


def _test(result: SyntheticControl, kept: NDArray[np.int64]) -> Test:
    """Return the p-value of an effect, None where donors follow the series under it exactly."""
    design = result.design
    n_features, n_post = len(design.features), len(kept) - design.n_pre
    rows = np.append(np.arange(n_features), kept + n_features)
    series, donors = (values[rows] for values in design.rows)
    scale = max(result.pre_fit.spread, root_mean_square(series[n_features:] - series[n_features:].mean()))
    least = max(EXACT * scale, rounding_of(design))

    def p_value(effect: float) -> float | None:
        treated = series.copy()
        treated[n_features + design.n_pre :] -= effect
        residuals = result.method.residuals(treated, donors)
        return None if root_mean_square(residuals) <= least else moved_block_p(residuals, n_post)

    return p_value


def _interval(test: Test, around: tuple[float, float], n_periods: int, level: float) -> IntervalOrReason:
    needed = ceil(1 / (1 - level) - 1e-9)
    if n_periods < needed:
        return Unavailable(
            f"With {n_periods} periods no p-value is below 1/{n_periods}, so that no effect of any size can be ruled "
            f"out at this level; {needed} periods are needed."
        )

    def is_kept(effect: float) -> bool:
        p = test(effect)
        return p is None or p > 1 - level + 1e-12

    centre, step = around
    ends = [outermost_kept(is_kept, centre, side * step) for side in (-1, 1)]
    if any(np.isnan(end) for end in ends):
        return Unavailable("No constant effect agrees with the data at this level: the gap changes too much over time.")
    if any(np.isinf(end) for end in ends):
        return Unavailable("Effects are not ruled out however large they are: donors follow the series too freely.")
    return Interval(float(ends[0]), float(ends[1]), level)


# Moving-block permutations of residuals, and the ends of what a test keeps.


_RUNGS, _GROWTH, _HALVINGS = 45, 1.25, 25


def moved_block_p(residuals: Floats, n_post: int) -> float:
    """Return the share of cyclic moves whose last `n_post` residuals have at least as large a sum of sizes.

    The move by nothing is among them, so that the least p-value is one over the number of periods.
    """
    size = np.abs(residuals)
    sums = np.convolve(np.concatenate([size, size[: n_post - 1]]), np.ones(n_post), mode="valid")
    actual = sums[len(size) - n_post]
    # Sums that differ in rounding alone are as large.
    return float((sums >= actual * (1 - 1e-10)).mean())


def outermost_kept(is_kept: Callable[[float], bool], centre: float, step: float) -> float:
    """Return the farthest value on one side of `centre` that a test keeps; infinite where none is rejected far out.

    Values are tried in growing steps, as what a test keeps need not be connected; the end is then found between the
    last one kept and the next. NaN where none is kept.
    """
    tried = centre + step * 0.2 * np.concatenate([[0.0], _GROWTH ** np.arange(_RUNGS)])
    inside_at = [at for at, value in enumerate(tried) if is_kept(float(value))]
    if not inside_at:
        return float("nan")
    if inside_at[-1] == len(tried) - 1:
        return float(np.copysign(np.inf, step))
    inside, outside = float(tried[inside_at[-1]]), float(tried[inside_at[-1] + 1])
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if is_kept(middle):
            inside = middle
        else:
            outside = middle
    return inside
