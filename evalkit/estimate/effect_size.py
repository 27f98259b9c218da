"""Effects in standard deviations, each standard deviation named."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.data.published_limits import PublishedLimits
from evalkit.estimate.effect import EffectSize, Months
from evalkit.estimate.months import TABLE_NAMES, months_of_progress

_FEWEST_PUPILS = 40
_FEWEST_SCHOOLS = 20


def pupil_sd(half_width: NDArray[np.float64], pupils: NDArray[np.float64]) -> Quantity:
    """Recover the pupil-level standard deviation from published 95% limits.

    Parameters
    ----------
    half_width : shape (n,)
        Half the width of each school's published 95% limits, in points.
    pupils : shape (n,)
        Pupils the school's score rests on: cohort × coverage.

    Returns
    -------
    The median over schools with at least 40 pupils of half_width × √pupils / 1.96: DfE computes the
    limits as ± 1.96 σ/√n with one national σ. `Unavailable` with fewer than 20 such schools.
    """
    usable = np.isfinite(half_width) & (pupils >= _FEWEST_PUPILS)
    if usable.sum() < _FEWEST_SCHOOLS:
        return Unavailable(
            f"Only {int(usable.sum())} schools with {_FEWEST_PUPILS} pupils have published confidence limits."
        )
    return float(np.median(half_width[usable] * np.sqrt(pupils[usable]) / 1.96))


def effect_size(
    estimate: float, interval: IntervalOrReason, limits: PublishedLimits | None, school_sd: Quantity, table: str
) -> EffectSize:
    """Divide an effect by the pupil-level and, separately, by the school-level standard deviation.

    g = estimate / σ with J = 1, because σ is known rather than estimated from the sample
    (Hedges, 1981); the interval is divided by the same σ. Months come from the pupil-level g only.
    """
    sd, name = _pupil_level(limits)
    by_school = estimate / school_sd if isinstance(school_sd, float) else school_sd
    if isinstance(sd, Unavailable):
        return EffectSize(hedges_g=sd, hedges_g_interval=sd, sd_used=sd, sd_name=name, hedges_g_school=by_school,
                          school_sd=school_sd, months=None)  # fmt: skip
    g_interval = interval.divided(sd) if isinstance(interval, Interval) else interval
    return EffectSize(
        hedges_g=estimate / sd,
        hedges_g_interval=g_interval,
        sd_used=sd,
        sd_name=name,
        hedges_g_school=by_school,
        school_sd=school_sd,
        months=_months(estimate / sd, g_interval, table),
    )


def _pupil_level(limits: PublishedLimits | None) -> tuple[Quantity, str]:
    if limits is None:
        return Unavailable("These files hold no table with published confidence limits for the last year."), "none"
    return pupil_sd(limits.half_width, limits.pupils), (
        "SD of pupil progress, conditional on prior attainment, recovered from published confidence limits; "
        f"from {limits.scope}"
    )


def _months(g: float, interval: IntervalOrReason, table: str) -> Months:
    ends = (interval.lower, interval.upper) if isinstance(interval, Interval) else (None, None)
    lower, upper = (None if end is None else months_of_progress(end, table) for end in ends)
    return Months(estimate=months_of_progress(g, table), lower=lower, upper=upper, table=TABLE_NAMES[table])
