"""Random-effects pooling of the effects of several projects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL, require_level
from evalkit.core.errors import InputError
from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable, critical_value
from evalkit.core.shown import ShownModel
from evalkit.estimate.areas.pooling_arrays import (
    PooledMean,
    pooled_mean,
    profile_root,
    restricted_tau2,
    typical_variance,
)

ErrorKind = Literal["Hartung–Knapp", "fixed-effect"]
NO_PREDICTION: Final = (
    "A prediction interval needs three estimates: its t distribution has two degrees of freedom fewer than there are."
)
NO_TAU2_INTERVAL: Final = (
    "The estimates differ by less than their errors alone would make them, so no variance between projects is in the "
    "interval, not even zero."
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RandomEffects(ShownModel):
    """The mean of effects that differ between projects, with everything needed to judge it.

    Attributes
    ----------
    estimate, std_error, df, interval, p_value
        The mean effect; `df` = k − 1 is that of Student's t. `std_error` is the larger of `hartung_knapp` and
        `fixed_std_error`, and `error_kind` says which it is.
    prediction, prediction_df
        Where the effect of one more project like these would lie, with `prediction_df` = k − 2.
    tau2, tau2_interval, i2, q, q_df, q_p
        Variance between projects by REML with its Q-profile interval; share of the total variance that it makes up;
        Cochran's Q with its degrees of freedom and p-value.
    weights : shape (k,)
        Share of each estimate in the mean, in the order given.
    fixed, fixed_std_error
        The inverse-variance mean that takes all effects as one, and its standard error.
    """

    estimate: float
    std_error: float
    df: int
    interval: Interval
    p_value: float
    error_kind: ErrorKind
    hartung_knapp: float
    prediction: IntervalOrReason
    prediction_df: int
    tau2: float
    tau2_interval: IntervalOrReason
    i2: float
    q: float
    q_df: int
    q_p: float
    weights: tuple[float, ...]
    fixed: float
    fixed_std_error: float
    level: float

    @property
    def n(self) -> int:
        """Return the number of estimates."""
        return len(self.weights)

    @property
    def tau(self) -> float:
        """Return the standard deviation of effects between projects."""
        return math.sqrt(self.tau2)


def random_effects(estimates: Sequence[float], std_errors: Sequence[float], level: float = LEVEL) -> RandomEffects:
    """Return the random-effects mean of estimates with independent, known errors.

    Parameters
    ----------
    estimates, std_errors : at least two finite numbers each, in one unit; errors are positive
    level : level of every interval

    Variance between projects by REML (Viechtbauer, 2005); standard error of Hartung and Knapp (2001) and Sidik and
    Jonkman (2002), √(Σw(y − μ)²/((k − 1)Σw)), but never less than the fixed-effect one (Wiksten, Rücker and Schwarzer,
    2016); prediction interval of Higgins, Thompson and Spiegelhalter (2009); Q-profile interval of Viechtbauer (2007).

    Raises
    ------
    InputError
        If there are fewer than two estimates, or a number cannot be one.

    Examples
    --------
    >>> import evalkit
    >>> mean = evalkit.random_effects([0.9, 0.1, 0.6], [0.2, 0.2, 0.3])
    >>> round(mean.estimate, 2), round(mean.std_error, 2), round(mean.i2, 2)
    (0.53, 0.24, 0.72)
    """
    estimate, variance = _checked(estimates, std_errors, level)
    fixed = pooled_mean(estimate, variance, 0.0)
    tau2 = restricted_tau2(estimate, variance)
    pooled = pooled_mean(estimate, variance, tau2)
    return _result(estimate, variance, fixed, pooled, tau2, level)


def _checked(estimates: Sequence[float], std_errors: Sequence[float], level: float) -> tuple[Floats, Floats]:
    estimate, error = np.asarray(estimates, dtype=float), np.asarray(std_errors, dtype=float)
    if estimate.ndim != 1 or estimate.shape != error.shape or len(estimate) < 2:
        raise InputError("Pooling needs at least two estimates, each with its standard error.")
    if not (np.isfinite(estimate).all() and np.isfinite(error).all() and (error > 0).all()):
        raise InputError("Every estimate must be a finite number and every standard error a positive one.")
    require_level(level)
    return estimate, error**2


def _result(
    estimate: Floats, variance: Floats, fixed: PooledMean, pooled: PooledMean, tau2: float, level: float
) -> RandomEffects:
    from evalkit.core.scipy_parts import special

    df = len(estimate) - 1
    knapp, plain = math.sqrt(pooled.dispersion / df * pooled.variance), math.sqrt(fixed.variance)
    # Estimates that happen to agree make Hartung and Knapp's error absurdly small; it is never below the fixed one.
    error = max(knapp, plain)
    reach = critical_value(level, df) * error
    return RandomEffects(
        estimate=pooled.mean,
        std_error=error,
        df=df,
        interval=Interval(pooled.mean - reach, pooled.mean + reach, level),
        p_value=float(2 * special.stdtr(df, -abs(pooled.mean) / error)),
        error_kind="Hartung–Knapp" if knapp >= plain else "fixed-effect",
        hartung_knapp=knapp,
        prediction=_prediction(pooled.mean, tau2, error, df - 1, level),
        prediction_df=df - 1,
        tau2=tau2,
        tau2_interval=_tau2_interval(estimate, variance, level),
        i2=tau2 / (tau2 + typical_variance(variance)),
        q=fixed.dispersion,
        q_df=df,
        q_p=float(special.chdtrc(df, fixed.dispersion)),
        weights=tuple(float(weight) for weight in pooled.weights),
        fixed=fixed.mean,
        fixed_std_error=plain,
        level=level,
    )


def _prediction(mean: float, tau2: float, error: float, df: int, level: float) -> IntervalOrReason:
    if df < 1:
        return Unavailable(NO_PREDICTION)
    reach = critical_value(level, df) * math.hypot(math.sqrt(tau2), error)
    return Interval(mean - reach, mean + reach, level)


def _tau2_interval(estimate: Floats, variance: Floats, level: float) -> IntervalOrReason:
    """Return every tau² that the test of Q(τ²) against χ² with k − 1 degrees of freedom does not reject."""
    from evalkit.core.scipy_parts import special

    df, tail = len(estimate) - 1, (1 - level) / 2
    upper = profile_root(estimate, variance, float(special.chdtri(df, 1 - tail)))
    lower = profile_root(estimate, variance, float(special.chdtri(df, tail)))
    return Unavailable(NO_TAU2_INTERVAL) if upper is None else Interval(lower or 0.0, upper, level)
