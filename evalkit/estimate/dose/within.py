"""How much more those changed that had more: the slope among participants, judged by doses dealt out anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import LEVEL, N_DRAWS, SEED, stream
from evalkit.core.quantities import IntervalOrReason, Quantity, Unavailable
from evalkit.estimate.dose.slope_arrays import Slope, dealings, slope
from evalkit.estimate.inversion_arrays import TIE

ALIKE: Final = Unavailable(
    "Within their areas all participants had the same dose, or one that areas and covariates say already, so that no "
    "line can be drawn through it."
)
_FEWEST: Final = 3
"""Degrees of freedom below which a line through so few is not drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseSlope:
    """The slope of a change on the dose among participants.

    Attributes
    ----------
    estimate, interval, p_value, p_value_one_sided : of the slope, or why there is none
    spread : standard deviation of the slopes of doses dealt out anew, at the precision of the doses as they were
    n, n_areas : participants, and the areas they lie in
    n_dealings : ways in which doses were dealt out, the real one among them; `is_exact` where these are all there are
    share_left : share of the variation of doses within areas that covariates leave
    largest_share : of one participant in what is left of the dose
    """

    estimate: Quantity
    interval: IntervalOrReason
    p_value: Quantity
    p_value_one_sided: Quantity
    spread: Quantity
    n: int
    n_areas: int
    n_dealings: int
    is_exact: bool
    share_left: Quantity
    largest_share: Quantity

    @classmethod
    def unavailable(cls, reason: str, n: int, n_areas: int) -> DoseSlope:
        """Return a slope that cannot be given, with the reason in every place."""
        none = Unavailable(reason)
        return cls(
            estimate=none,
            interval=none,
            p_value=none,
            p_value_one_sided=none,
            spread=none,
            n=n,
            n_areas=n_areas,
            n_dealings=0,
            is_exact=False,
            share_left=none,
            largest_share=none,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SlopeOptions:
    """Level, seed and name of the stream of draws, and how many there are."""

    level: float = LEVEL
    seed: int = SEED
    name: str = "doses dealt out"
    n_draws: int = N_DRAWS


PLAIN: Final = SlopeOptions()


def dose_slope(
    change: Floats, dose: Floats, area: Ints, covariates: Floats, options: SlopeOptions = PLAIN
) -> DoseSlope:
    """Return the slope of change on dose with area effects and covariates, its p-value and its interval.

    p is the share of dealings of doses within areas (all of them where they are at most 9,999, else so many draws and
    the real one) in which the statistic of `slope` is at least as large; the interval holds the slopes that the same
    test does not reject (Fisher, 1935; DiCiccio and Romano, 2017, for why the statistic is scaled).

    Parameters
    ----------
    change, dose, area : shape (n,), units in the order of their ids
    covariates : shape (n, q)

    >>> found = dose_slope(np.array([1.0, 2, 3, 4, 6]), np.arange(5.0), np.ones(5, int), np.empty((5, 0)))
    >>> round(found.estimate, 2), found.n_dealings, round(found.p_value, 4)
    (1.2, 120, 0.0167)
    """
    n_areas = len(np.unique(area))
    dealt = dealings(area, dose, options.n_draws, stream(options.seed, options.name))
    found = slope(change, dealt.doses, area, covariates)
    none = ALIKE
    if found is not None and found.df < _FEWEST:
        none = Unavailable(
            f"{len(change)} participants in {n_areas} areas leave {max(found.df, 0)} degrees of freedom for a line; at "
            f"least {_FEWEST} are needed."
        )
    if found is None or found.df < _FEWEST:
        return DoseSlope.unavailable(none.reason, len(change), n_areas)
    reference = found.reference
    return DoseSlope(
        estimate=found.estimate,
        interval=reference.interval(options.level),
        p_value=reference.p_value(),
        p_value_one_sided=_one_sided(found),
        spread=float(np.sqrt(np.mean(reference.first**2))),
        n=len(change),
        n_areas=n_areas,
        n_dealings=len(dealt.doses),
        is_exact=dealt.is_exact,
        share_left=found.share_left,
        largest_share=float(found.leverage.max()),
    )


def _one_sided(found: Slope) -> float:
    """Return the share of dealings whose statistic is at least as high."""
    first = found.reference.first
    return float((first + TIE * np.abs(first).max() >= found.estimate).mean())
