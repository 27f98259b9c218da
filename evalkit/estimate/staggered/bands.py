"""Standard errors, intervals and simultaneous bands of summaries: analytic, or by the multiplier bootstrap."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL, SEED, SERIAL, Executor, require_draws, require_level, require_seed, stream
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Interval, IntervalOrReason, Unavailable, critical_value
from evalkit.design.algebra_arrays import by_rows
from evalkit.estimate.staggered.cells import GroupTimeEffects
from evalkit.estimate.staggered.summaries import Summary

_NORMAL_DRAWS = 10_000
_QUARTILES = 1.3489795003921634
"""Difference of the quartiles of a standard normal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """How uncertain summaries are said to be.

    Attributes
    ----------
    level : level of intervals and bands
    n_draws : draws of the multiplier bootstrap, 0 for analytic standard errors
    seed : seed of every draw
    executor : who carries out the draws that estimate anew (those of `cluster_bootstrap`)
    errors : "recommended", for each number what the clusters carrying it support, or "plain", the large-sample errors
        that other programs print, which are too small where few clusters are treated
    """

    level: float = LEVEL
    n_draws: int = 0
    seed: int = SEED
    executor: Executor = field(default=SERIAL, compare=False, repr=False)
    errors: Literal["recommended", "plain"] = "recommended"

    def __post_init__(self) -> None:
        if self.errors not in ("recommended", "plain"):
            raise DesignError(f"Errors are 'recommended' or 'plain', not '{self.errors}'.")
        require_level(self.level)
        if self.n_draws != 0:  # 0 for analytic errors
            require_draws(self.n_draws)
        require_seed(self.seed)


class Errors(NamedTuple):
    """The draws behind standard errors, shape (n_draws, K), None where they are analytic."""

    effects: GroupTimeEffects
    options: Uncertainty
    draws: Floats | None


def errors_of(effects: GroupTimeEffects, options: Uncertainty) -> Errors:
    """Return what standard errors are computed from; with `options.n_draws` the draws of the multiplier bootstrap."""
    if not options.n_draws:
        return Errors(effects, options, None)
    generator = stream(options.seed, "difference-in-differences: multiplier bootstrap")
    draws = effects.influence.drawn(options.n_draws, generator) * np.sqrt(effects.factor)
    return Errors(effects, options, draws)


def with_error(errors: Errors, summary: Summary) -> Estimate | Unavailable:
    """Return a summary's estimate with the standard error asked for.

    The bootstrap's is the distance between the quartiles of the draws over that of a standard normal, which
    single wild draws do not move (as in Callaway and Sant'Anna, 2021).
    """
    estimate = summary.estimate
    if isinstance(estimate, Unavailable) or isinstance(estimate.std_error, Unavailable) or errors.draws is None:
        return estimate
    return Estimate(estimate.value, float(_spread(errors.draws @ summary.weights[:, None])[0]), estimate.df)


def _spread(draws: Floats) -> Floats:
    """Return the robust standard deviation of each column.

    Draws that few clusters make take few values, and their quartiles say little; where they differ from the
    standard deviation by more than a quarter, it stands instead: signs have no wild draws.
    """
    low, high = np.quantile(draws, [0.25, 0.75], axis=0)
    robust, plain = (high - low) / _QUARTILES, draws.std(axis=0)
    spread: Floats = np.where(np.abs(robust - plain) > plain / 4, plain, robust)
    return spread


def simultaneous_bands(errors: Errors, parts: tuple[Summary, ...]) -> tuple[IntervalOrReason, ...]:
    """Return a band for each part such that all of them hold together at the level.

    estimate ± c × standard error with c the quantile of the largest |t| over the parts: of the bootstrap
    draws, or of normal draws with the parts' own correlation (sup-t; Montiel Olea and Plagborg-Møller, 2019);
    with clusters above the unit both are made Student's, as the single intervals are. Parts without a standard
    error have its reason.
    """
    found = [with_error(errors, part) for part in parts]
    usable = [at for at, one in enumerate(found) if isinstance(one, Estimate) and isinstance(one.std_error, float)]
    if not usable:
        return tuple(_reason(one) for one in found)
    critical = _critical(errors, np.column_stack([parts[at].weights for at in usable]))
    bands: list[IntervalOrReason] = []
    for one in found:
        if isinstance(one, Unavailable) or isinstance(one.std_error, Unavailable):
            bands.append(_reason(one))
        else:
            reach = critical * one.std_error
            bands.append(Interval(one.value - reach, one.value + reach, errors.options.level))
    return tuple(bands)


def _reason(one: Estimate | Unavailable) -> Unavailable:
    if isinstance(one, Unavailable):
        return one
    return one.std_error if isinstance(one.std_error, Unavailable) else Unavailable("No band is needed for one number.")


def _critical(errors: Errors, weights: Floats) -> float:
    """Return the quantile of the largest |t|, never below that of a single interval."""
    level, effects = errors.options.level, errors.effects
    generator = stream(errors.options.seed, "difference-in-differences: simultaneous band")
    if errors.draws is not None:
        drawn = by_rows(errors.draws, weights)
        largest = np.abs(drawn / _spread(drawn)).max(axis=1)
    else:
        covariance = weights.T @ effects.covariance @ weights
        size = np.sqrt(np.diagonal(covariance))
        values, vectors = np.linalg.eigh(covariance / np.outer(size, size))
        normal = generator.standard_normal((_NORMAL_DRAWS, len(values)))
        drawn = by_rows(normal, (vectors * np.sqrt(np.maximum(values, 0))).T)
        largest = np.abs(drawn, out=drawn).max(axis=1)
    if effects.df is not None:  # signs leave out that the error is estimated, as the single intervals do not
        largest = largest / np.sqrt(generator.chisquare(effects.df, len(largest)) / effects.df)
    # Draws may put the quantile of the largest below that of one alone, which it never is.
    single = critical_value(level, effects.df)
    return max(float(np.quantile(largest, level, method="inverted_cdf")), single)
