"""How far an effect's interval widens when trends are not parallel, by Rambachan and Roth (2023)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL, SEED, require_level, require_seed, stream
from evalkit.core.errors import DesignError, InputError
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable, critical_value
from evalkit.core.scipy_parts import brentq, special
from evalkit.core.shown import Shown
from evalkit.core.words import listed
from evalkit.estimate.bounds.conditional_arrays import (
    Moments,
    first_stage,
    least_favourable,
    moments_of,
    outermost,
)
from evalkit.estimate.bounds.fixed_length_arrays import Path, bias_path, fixed_length
from evalkit.estimate.bounds.restrictions_arrays import (
    Monotone,
    Sign,
    Systems,
    relative_systems,
    shape_rows,
    smooth_systems,
)

RELATIVE: Final = (0.5, 1.0, 1.5, 2.0)
"""M̄ where none is named: from half the largest step before the start to twice it."""
SMOOTH_SHARES: Final = (0.0, 0.1, 0.25, 0.5, 1.0)
"""M where none is named, in standard errors of the effect."""
N_DRAWS: Final = 20_000
"""Draws of the first stage's critical values; each counts with its opposite."""
FIRST_STAGE: Final = 0.1
"""Share of the test's size that a hybrid gives to its first stage."""
LEAST_LEVEL: Final = 0.5
MOST_TIMES: Final = 40
_MOST: Final = 1024.0
"""Times the unit of M, beyond which no breakdown value is looked for."""

BoundsMethod = Literal["hybrid", "fixed-length"]


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
    smoothness : M, each from 0 on, in units of the outcome a period; None for 0, .1, .25, .5 and 1 standard errors of
        the effect
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
    study = _study(_Given(estimates, covariance, event_times), _times(event_times, event_time, average), level, seed)
    study = study._replace(sign=sign, monotone=monotone)
    smooth = default_smoothness(study.error) if smoothness is None else tuple(map(float, smoothness))
    reach = critical_value(level) * study.error
    original = Interval(study.estimate - reach, study.estimate + reach, level)
    of_relative, of_smooth = _Relative(study), _smooth(study)
    return ViolationBounds(
        times=_times(event_times, event_time, average),
        n_before=study.p,
        n_after=len(study.weights),
        estimate=study.estimate,
        std_error=study.error,
        original=original,
        relative=_bounded(of_relative, tuple(map(float, relative)), level),
        smoothness=_bounded(of_smooth, smooth, level),
        breakdown_relative=_breakdown(of_relative, original, 1.0),
        breakdown_smoothness=_breakdown(of_smooth, original, study.error),
        sign=sign,
        monotone=monotone,
        level=level,
    )


def default_smoothness(std_error: float) -> tuple[float, ...]:
    """Return M from 0 to one standard error of the effect, to two digits.

    >>> default_smoothness(0.0123)
    (0.0, 0.0012, 0.0031, 0.0062, 0.012)
    """
    return tuple(float(f"{share * std_error:.2g}") for share in SMOOTH_SHARES)


# What is given, and what cannot be.


class _Given(NamedTuple):
    estimates: Sequence[float] | Floats
    covariance: Sequence[Sequence[float]] | Floats
    event_times: Sequence[int]


class _Study(NamedTuple):
    """Coefficients in the order of their times, the first p before the start, and the weights of the effect's."""

    beta: Floats
    covariance: Floats
    p: int
    weights: Floats
    level: float
    seed: int
    sign: Sign | None = None
    monotone: Monotone | None = None

    @property
    def estimate(self) -> float:
        return float(self.weights @ self.beta[self.p :])

    @property
    def error(self) -> float:
        return math.sqrt(float(self.weights @ self.covariance[self.p :, self.p :] @ self.weights))

    @property
    def shape(self) -> Floats:
        return shape_rows(self.p, len(self.weights), self.sign, self.monotone)

    def draws(self) -> Floats:
        """Return draws of the coefficients with expectation 0, shape (p + q, N_DRAWS)."""
        values, vectors = np.linalg.eigh(self.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
        normal = stream(self.seed, "violation bounds: first stage").standard_normal((len(self.beta), N_DRAWS))
        found: Floats = root @ normal
        return found


def _refuse_options(relative: Sequence[float], smoothness: Sequence[float] | None, level: float, seed: int) -> None:
    require_level(level, LEAST_LEVEL)
    require_seed(seed)
    for name, values in (("M̄ (relative)", relative), ("M (smoothness)", smoothness or ())):
        for value in values:
            if not (math.isfinite(value) and value >= 0):
                raise DesignError(f"{name} is a number from 0 on, not {value:g}.")


def _times(event_times: Sequence[int], event_time: int | None, average: Sequence[int] | None) -> tuple[int, ...]:
    """Return the times of the effect; raise `DesignError` where they are not among those after the start."""
    if event_time is not None and average is not None:
        raise DesignError("An effect is that of one event time or an average of several. Name one of the two.")
    times = tuple(average) if average is not None else (event_time or 0,)
    if not times or len(set(times)) < len(times):
        raise DesignError("An average is of one or more event times, each named once.")
    after = sorted(time for time in set(event_times) if time >= 0)
    for time in times:
        if time not in after:
            raise DesignError(
                f"Event time {time} is not among those from the start on, which are {listed(list(map(str, after)))}."
            )
    return times


def _study(given: _Given, times: tuple[int, ...], level: float, seed: int) -> _Study:
    beta = np.asarray(given.estimates, dtype=float)
    n = len(given.event_times)
    if beta.shape != (n,):
        raise InputError(f"There are {beta.size} estimates and {n} event times. Each estimate needs one.")
    if not np.isfinite(beta).all():
        raise InputError(f"The estimate at event time {given.event_times[int((~np.isfinite(beta)).argmax())]} is none.")
    require_times(given.event_times)
    matrix = require_covariance(given.covariance, n)
    order = np.argsort(given.event_times, kind="stable")
    after = [time for time in sorted(given.event_times) if time >= 0]
    weights = np.array([1.0 / len(times) if time in times else 0.0 for time in after])
    study = _Study(beta[order], matrix[np.ix_(order, order)], n - len(after), weights, level, seed)
    own = study.covariance[study.p :, study.p :]
    if weights @ own @ weights <= 1e-14 * np.diagonal(own).max():
        raise InputError("The effect has no variance by this covariance, so nothing can be said of its error.")
    return study


def require_times(event_times: Sequence[int]) -> None:
    """Raise `InputError` where times are not those before −1 and from 0 on, each once and without a gap."""
    times = sorted(event_times)
    if -1 in times:
        raise InputError(
            "Event time -1 is the reference, from which all others are measured, and has no estimate. Leave it out."
        )
    twice = sorted({time for time in times if times.count(time) > 1})
    if twice:
        raise InputError(f"Event time {twice[0]} stands more than once. Each has one estimate.")
    if not any(time < 0 for time in times) or not any(time >= 0 for time in times):
        raise InputError(
            "Bounds need at least one event time before the reference (-2 or earlier) and one from the start on (0 or "
            f"later). The times given are {listed(list(map(str, times))) or 'none'}."
        )
    if len(times) > MOST_TIMES:
        raise InputError(f"{len(times)} event times are too many; bounds are made of at most {MOST_TIMES}.")
    gaps = sorted(set(range(times[0], times[-1] + 1)) - {*times, -1})
    if gaps:
        raise InputError(
            f"Event time {gaps[0]} is lacking between {times[0]} and {times[-1]}. Steps from period to period are "
            "bounded, so that times need to follow each other without a gap."
        )


def require_covariance(covariance: Sequence[Sequence[float]] | Floats, n: int) -> Floats:
    """Return a matrix as the covariance of n estimates; raise `InputError` where it can be none."""
    try:
        matrix = np.asarray(covariance, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"The covariance is {n} rows of {n} numbers each, one for each estimate.") from None
    if matrix.shape != (n, n):
        found = " by ".join(map(str, matrix.shape))
        raise InputError(f"The covariance of {n} estimates has {n} rows and columns, not {found}.")
    if not np.isfinite(matrix).all():
        raise InputError("The covariance has a number that is missing or not finite.")
    size = np.diagonal(matrix)
    if (size <= 0).any():
        raise InputError(f"The variance in row {int((size <= 0).argmax()) + 1} of the covariance is not above 0.")
    scale = np.sqrt(np.outer(size, size))
    if (np.abs(matrix - matrix.T) > 1e-6 * scale).any():
        raise InputError("The covariance is not symmetric: rows and columns say different things of the same pair.")
    matrix = (matrix + matrix.T) / 2
    if np.linalg.eigvalsh(matrix / scale)[0] < -1e-8:
        raise InputError(
            "The matrix is no covariance: some weighted sum of the estimates would have a variance below 0. Were "
            "standard errors or correlations written in its place?"
        )
    return matrix


# Intervals by size of the violations.


class _Bound:
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


class _Hybrid(_Bound):
    """Intervals that invert the hybrid test in every system of a bound, and hold what any of them holds."""

    def __init__(self, study: _Study) -> None:
        self.study = study
        self.draws = study.draws()
        self.size = 1 - study.level
        self.first = FIRST_STAGE * self.size
        self.rest = (self.size - self.first) / (1 - self.first)

    def systems(self, values: Floats) -> Systems:
        """Return the systems of some sizes, as many for each, one size after the other."""
        raise NotImplementedError

    def moments(self, values: Floats) -> Moments:
        """Return them as lines in the effect."""
        return moments_of(self.systems(values), self.study.covariance, self.study.weights)

    def critical(self, moments: Moments) -> Floats:
        """Return the critical value of each system's first stage."""
        return np.array([least_favourable(rows, self.draws, self.first) for rows in moments.rows])

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


class _Relative(_Hybrid):
    def systems(self, values: Floats) -> Systems:
        return relative_systems(values, self.study.p, len(self.study.weights), self.study.shape)


class _Smooth(_Hybrid):
    def systems(self, values: Floats) -> Systems:
        return smooth_systems(values, self.study.p, len(self.study.weights), self.study.shape)


class _FixedLength(_Bound):
    method: BoundsMethod = "fixed-length"

    def __init__(self, study: _Study, path: Path) -> None:
        self.study, self.path = study, path

    def ends(self, values: Floats) -> tuple[Floats, Floats]:
        centre, half = fixed_length(self.path, self.study.beta, self.study.covariance, values, self.study.level)
        return centre - half, centre + half

    def breakdown(self, low: float, high: float) -> float:
        """Return where centre and half-length are of one size, by Brent's method."""

        def reach(value: float) -> float:
            lower, upper = self.ends(np.array([value]))
            return float(max(lower[0], -upper[0]))

        return brentq(reach, low, high, xtol=1e-9 * high)


def _smooth(study: _Study) -> _Bound | Unavailable:
    """Return the intervals under smoothness: of fixed length, or by the hybrid where violations have a shape."""
    if study.sign is not None or study.monotone is not None:
        return _Smooth(study)
    size = np.sqrt(np.diagonal(study.covariance))
    if np.linalg.eigvalsh(study.covariance / np.outer(size, size))[0] < 1e-10:
        return Unavailable(
            "The covariance is singular: some weighted sum of the coefficients has no variance, so that no interval of "
            "fixed length can be found."
        )
    return _FixedLength(study, bias_path(study.covariance, study.p, study.weights))


def _bounded(bound: _Bound | Unavailable, values: Sequence[float], level: float) -> tuple[BoundedInterval, ...]:
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


def _breakdown(bound: _Bound | Unavailable, original: Interval, unit: float) -> Quantity:
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


