"""How far an effect's interval widens when trends are not parallel, by Rambachan and Roth (2023)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEAST_INVERTED, LEVEL, SEED, require_level, require_seed
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable, critical_value
from evalkit.core.shown import Shown
from evalkit.estimate.bounds.by_size import Bound, BoundsMethod, both_bounds
from evalkit.estimate.bounds.coefficients import Coefficients, Given, coefficients_of, times_of
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


class _Asked(NamedTuple):
    """Which sizes of violations, of what shape, at which level."""

    relative: Sequence[float]
    smoothness: Sequence[float] | None
    sign: Sign | None
    monotone: Monotone | None
    level: float
    seed: int


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

    Two bounds tie violations after the start to those before it (Rambachan and Roth, 2023): no step exceeds M̄ times the
    largest step before the start (hybrid test of Andrews, Roth and Pakes, 2023); or their slope changes by at most M a
    period (intervals of fixed length, or with `sign` or `monotone` the hybrid test).

    Parameters
    ----------
    estimates, covariance : shape (n,) and (n, n), all measured from the period before the start
    event_times : shape (n,), in any order: p, …, −2 and 0, …, q without a gap; −1 is left out
    relative : M̄, each from 0 on
    smoothness : M, in units of the outcome a period; None for 0, .25, .5 and 1 standard errors of the effect
    event_time, average : the one time, or the times whose mean is the effect; 0 where neither is named
    sign, monotone : "+" or "-" where violations after it have one sign; "up" or "down" where they never fall or rise
    level, seed : of the intervals; of the draws behind the hybrid test's first stage

    Raises `InputError` where times have a gap or hold −1, a number is missing, or the matrix is no covariance, and
    `DesignError` where options exclude each other or lie outside their range.

    >>> import evalkit
    >>> import numpy as np
    >>> times, errors = [-3, -2, 0, 1], 0.01 * np.eye(4)
    >>> bounds = evalkit.violation_bounds([0.1, 0.0, 1.0, 1.2], errors, event_times=times, relative=[1])
    >>> [round(end, 1) for end in (bounds.relative[0].interval.lower, bounds.relative[0].interval.upper)]
    [0.6, 1.4]
    """
    asked = _Asked(relative, smoothness, sign, monotone, level, seed)
    _refuse_options(asked)
    times = times_of(event_times, event_time, average)
    return _bounds_of(coefficients_of(Given(estimates, covariance, event_times), times), times, asked)


def _bounds_of(study: Coefficients, times: tuple[int, ...], asked: _Asked) -> ViolationBounds:
    level, shape = asked.level, shape_rows(study.p, len(study.weights), asked.sign, asked.monotone)
    sizes = default_smoothness(study.error) if asked.smoothness is None else tuple(map(float, asked.smoothness))
    reach = critical_value(level) * study.error
    original = Interval(study.estimate - reach, study.estimate + reach, level)
    by_step, by_slope = both_bounds(study, shape, level, asked.seed)
    return ViolationBounds(
        times=times,
        n_before=study.p,
        n_after=len(study.weights),
        estimate=study.estimate,
        std_error=study.error,
        original=original,
        relative=_bounded(by_step, tuple(map(float, asked.relative)), level),
        smoothness=_bounded(by_slope, sizes, level),
        breakdown_relative=_breakdown(by_step, original, 1.0),
        breakdown_smoothness=_breakdown(by_slope, original, study.error),
        sign=asked.sign,
        monotone=asked.monotone,
        level=level,
    )


def default_smoothness(std_error: float) -> tuple[float, ...]:
    """Return M from 0 to one standard error of the effect, to two digits.

    >>> default_smoothness(0.0123)
    (0.0, 0.0031, 0.0062, 0.012)
    """
    return tuple(float(f"{share * std_error:.2g}") for share in SMOOTH_SHARES)


def _refuse_options(asked: _Asked) -> None:
    """Raise `DesignError` where options exclude each other or lie outside their range."""
    require_level(asked.level, LEAST_INVERTED)
    require_seed(asked.seed)
    if asked.sign is not None and asked.monotone is not None:
        raise DesignError(
            "A sign and a direction of the violations say the same or contradict each other: what only rises from 0 is "
            "positive. Name one of them."
        )
    for name, values in (("M̄ (relative)", asked.relative), ("M (smoothness)", asked.smoothness or ())):
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
