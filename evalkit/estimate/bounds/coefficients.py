"""Coefficients of an event study as bounds need them: in order, without a gap, with a covariance that can be one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.errors import DesignError, InputError
from evalkit.core.words import listed

MOST_TIMES: Final = 40


class Given(NamedTuple):
    """Coefficients as they come: estimates, their covariance and event times, in any order."""

    estimates: Sequence[float] | Floats
    covariance: Sequence[Sequence[float]] | Floats
    event_times: Sequence[int]


class Coefficients(NamedTuple):
    """Coefficients in the order of their times, the first p before the start, and the weights of the effect's."""

    beta: Floats
    covariance: Floats
    p: int
    weights: Floats

    @property
    def estimate(self) -> float:
        """Return the effect."""
        return float(self.weights @ self.beta[self.p :])

    @property
    def error(self) -> float:
        """Return its standard error."""
        return math.sqrt(float(self.weights @ self.covariance[self.p :, self.p :] @ self.weights))


def times_of(event_times: Sequence[int], event_time: int | None, average: Sequence[int] | None) -> tuple[int, ...]:
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


def coefficients_of(given: Given, times: tuple[int, ...]) -> Coefficients:
    """Return coefficients and the weights of the effect; raise `InputError` where they cannot be what they should."""
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
    study = Coefficients(beta[order], matrix[np.ix_(order, order)], n - len(after), weights)
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
    return np.asarray(matrix)
