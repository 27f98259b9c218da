"""How far an effect's interval widens when trends are not parallel, by Rambachan and Roth (2023)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEAST_INVERTED, LEVEL, SEED, require_level, require_seed
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable, critical_value
from evalkit.core.shown import Shown
from evalkit.estimate.bounds.by_size import Bound, BoundsMethod, both_bounds
from evalkit.estimate.bounds.coefficients import Given, coefficients_of, times_of
from evalkit.estimate.bounds.restrictions_arrays import Monotone, Sign, shape_rows

RELATIVE: Final = (0.5, 1.0, 1.5, 2.0)
"""M̄ where none is named: from half the largest step before the start to twice it."""
SMOOTH_SHARES: Final = (0.0, 0.25, 0.5, 1.0)
"""M where none is named, in standard errors of the effect."""
_MOST: Final = 1024.0
"""Times the unit of M, beyond which no breakdown value is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundedInterval:
    """The interval of an effect under violations of size `m`, by which method; or why there is none."""

    m: float
    interval: IntervalOrReason
    method: BoundsMethod


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ViolationBounds(Shown):
    """Intervals of one effect of an event study under bounded violations of parallel trends.

    Attributes
    ----------
    times : event times whose mean is the effect: one of them, or several
    n_before, n_after : coefficients before the start, and from it on
    estimate, std_error : the effect with parallel trends, in units of the outcome
    original : its interval with parallel trends, from the normal distribution
    relative : by M̄, where no step of the violation after the start exceeds M̄ times the largest one before it
    smoothness : by M, where its slope changes by at most M from one period to the next; M in units of the outcome
    breakdown_relative, breakdown_smoothness : the largest M̄ and M whose interval leaves out 0, or why there is none
    sign : "+" where the violations from the start on are taken to be 0 or above, "-" for 0 or below
    monotone : "up" where they are taken never to fall, "down" never to rise
    level : of every interval
    notes : what else a reader must know
    """

    times: tuple[int, ...]
    n_before: int
    n_after: int
    estimate: float
    std_error: float
    original: Interval
    relative: tuple[BoundedInterval, ...]
    smoothness: tuple[BoundedInterval, ...]
    breakdown_relative: Quantity
    breakdown_smoothness: Quantity
    sign: Sign | None = None
    monotone: Monotone | None = None
    level: float = LEVEL
    notes: tuple[str, ...] = ()


def violation_bounds(
    estimates: Sequence[float] | Floats,
    covariance: Sequence[Sequence[float]] | Floats,
    *,
    event_times: Sequence[int],
    relative: Sequence[float] = RELATIVE,
    smoothness: Sequence[float] | None = None,
    event_time: int | None = None,
    average: Sequence[int] | None = None,
    sign: Sign | None = None,
    monotone: Monotone | None = None,
    level: float = LEVEL,
    seed: int = SEED,
) -> ViolationBounds:
    """Return intervals of an effect that hold though trends are not parallel, if violations are bounded.

    Coefficients of an event study estimate τ + δ: the effects τ, 0 before the start, and the violations δ of parallel
    trends. Two bounds tie δ after the start to what is seen before it (Rambachan and Roth, 2023): no step from period
    to period exceeds M̄ times the largest step before the start; or the slope of δ changes by at most M a period, so
    that M = 0 carries a linear trend on. Intervals under the first bound invert the hybrid test of Andrews, Roth and
    Pakes (2023), least-favourable critical values first; under the second they have fixed length and are centred where
    they are shortest, but with `sign` or `monotone`, where they invert the hybrid test too.

    Parameters
    ----------
    estimates : shape (n,), in units of the outcome, all measured from the one period before the start
    covariance : shape (n, n), of the estimates, in their order
    event_times : shape (n,), periods since the start, in any order: p, …, −2 and 0, …, q without a gap; −1 is left out
    relative : M̄, each from 0 on
    smoothness : M, each from 0 on, in units of the outcome a period; None for 0, .25, .5 and 1 standard errors of the
        effect
    event_time, average : the one time, or the times whose mean is the effect; 0 where neither is named
    sign : "+" where violations after the start are 0 or above, "-" where they are 0 or below
    monotone : "up" where violations never fall, "down" where they never rise
    level : of the intervals
    seed : of the draws behind the hybrid test's first stage

    Raises
    ------
    InputError
        Where times have a gap or hold −1, a number is missing, or the matrix is no covariance.
    DesignError
        Where options exclude each other or lie outside their range.

    Examples
    --------
    Two coefficients on each side, errors of 0.1 that are independent, and an effect of 1 at the start:

    >>> import evalkit
    >>> import numpy as np
    >>> bounds = evalkit.violation_bounds(
    ...     [0.1, 0.0, 1.0, 1.2], 0.01 * np.eye(4), event_times=[-3, -2, 0, 1], relative=[1], smoothness=[0.1]
    ... )
    >>> [round(end, 2) for end in (bounds.original.lower, bounds.original.upper)]
    [0.8, 1.2]
    >>> [round(end, 1) for end in (bounds.relative[0].interval.lower, bounds.relative[0].interval.upper)]
    [0.5, 1.5]
    >>> bounds.breakdown_relative > 1
    True
    """
    _refuse_options(relative, smoothness, level, seed)
    if sign is not None and monotone is not None:
        raise DesignError(
            "A sign and a direction of the violations say the same or contradict each other: what only rises from 0 is "
            "positive. Name one of them."
        )
    times = times_of(event_times, event_time, average)
    study = coefficients_of(Given(estimates, covariance, event_times), times)
    shape = shape_rows(study.p, len(study.weights), sign, monotone)
    smooth = default_smoothness(study.error) if smoothness is None else tuple(map(float, smoothness))
    reach = critical_value(level) * study.error
    original = Interval(study.estimate - reach, study.estimate + reach, level)
    by_step, by_slope = both_bounds(study, shape, level, seed)
    return ViolationBounds(
        times=times,
        n_before=study.p,
        n_after=len(study.weights),
        estimate=study.estimate,
        std_error=study.error,
        original=original,
        relative=_bounded(by_step, tuple(map(float, relative)), level),
        smoothness=_bounded(by_slope, smooth, level),
        breakdown_relative=_breakdown(by_step, original, 1.0),
        breakdown_smoothness=_breakdown(by_slope, original, study.error),
        sign=sign,
        monotone=monotone,
        level=level,
    )


def default_smoothness(std_error: float) -> tuple[float, ...]:
    """Return M from 0 to one standard error of the effect, to two digits.

    >>> default_smoothness(0.0123)
    (0.0, 0.0031, 0.0062, 0.012)
    """
    return tuple(float(f"{share * std_error:.2g}") for share in SMOOTH_SHARES)


def _refuse_options(relative: Sequence[float], smoothness: Sequence[float] | None, level: float, seed: int) -> None:
    require_level(level, LEAST_INVERTED)
    require_seed(seed)
    for name, values in (("M̄ (relative)", relative), ("M (smoothness)", smoothness or ())):
        for value in values:
            if not (math.isfinite(value) and value >= 0):
                raise DesignError(f"{name} is a number from 0 on, not {value:g}.")


def _bounded(bound: Bound | Unavailable, values: Sequence[float], level: float) -> tuple[BoundedInterval, ...]:
    if isinstance(bound, Unavailable):
        return tuple(BoundedInterval(m=m, interval=bound, method="fixed-length") for m in values)
    low, high = bound.ends(np.array(values))
    return tuple(
        BoundedInterval(m=m, interval=_interval(float(a), float(b), level), method=bound.method)
        for m, a, b in zip(values, low, high, strict=True)
    )


def _interval(low: float, high: float, level: float) -> IntervalOrReason:
    if low > high:
        return Unavailable(
            "No effect is possible at this size: what is seen contradicts the violations that were assumed."
        )
    if not (math.isfinite(low) and math.isfinite(high)):
        return Unavailable("Nothing bounds the effect on one side.")
    return Interval(low, high, level)


def _breakdown(bound: Bound | Unavailable, original: Interval, unit: float) -> Quantity:
    """Return the largest size of violations whose interval leaves out 0, or why there is none."""
    if 0.0 in original:
        return Unavailable("The interval with parallel trends includes 0 already.")
    if isinstance(bound, Unavailable):
        return bound
    if not bound.leaves_out_zero(0.0):
        return Unavailable("The interval includes 0 already at the value 0.")
    low, high = 0.0, unit
    while bound.leaves_out_zero(high):
        if high > _MOST * unit:
            return Unavailable(f"The interval leaves out 0 at every value up to {high:.4g}.")
        low, high = high, 2 * high
    return bound.breakdown(low, high)
