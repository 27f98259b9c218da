"""Effects on published measures in standard deviations of pupils, which are had from what is published of schools."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.project import Project
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.scipy_parts import special
from evalkit.data.measures import Measure, measure_of
from evalkit.data.published.performance import NationalShares, PublishedLimits
from evalkit.data.published.project_data import ProjectData
from evalkit.estimate.effect import EffectSize
from evalkit.estimate.effect_sizes import months_between

_FEWEST_PUPILS: Final = 40
_FEWEST_SCHOOLS: Final = 20
_BETWEEN_STANDARDS: Final = 10.0  # points of the scaled score: expected 100, higher 110


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A standard deviation of pupils, in points, and what it is the spread of; `none` where it cannot be had."""

    sd: Quantity
    name: str

    def __post_init__(self) -> None:
        if isinstance(self.sd, float) and not (math.isfinite(self.sd) and self.sd > 0):
            raise DesignError(f"A standard deviation must be a positive number, not {self.sd}.")

    @classmethod
    def unavailable(cls, reason: str) -> Spread:
        """Return the spread that cannot be had, with its reason."""
        return cls(sd=Unavailable(reason), name="none")


def pupil_sd(half_width: NDArray[np.float64], pupils: NDArray[np.float64]) -> Quantity:
    """Recover the pupil-level standard deviation behind published 95% limits of schools' scores.

    Of a progress score it is the spread given prior attainment.

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
    # 1.96 and not the normal quantile: the published limits were made with the rounded number.
    return float(np.median(half_width[usable] * np.sqrt(pupils[usable]) / 1.96))


def scaled_score_sd(expected: float, higher: float) -> float:
    """Return the standard deviation of pupils' scaled scores from the shares at the expected and the higher standard.

    10/(z(1 − higher) − z(1 − expected)), z the normal quantile: 100 and 110 points are where those shares of a normal
    distribution begin. Raises `DesignError` unless 1 > expected > higher > 0.

    >>> round(scaled_score_sd(0.75, 0.25), 3)  # z(0.75) − z(0.25) = 2 × 0.67449
    7.413
    """
    if not 1 > expected > higher > 0:
        raise DesignError(
            f"Shares at the expected ({expected}) and the higher standard ({higher}) must fall and lie between 0 and 1."
        )
    return float(_BETWEEN_STANDARDS / (special.ndtri(1 - higher) - special.ndtri(1 - expected)))


def share_sd(share: float) -> float:
    """Return the standard deviation of pupils in percentage points where a share of them counts: 100 √(p(1 − p)).

    >>> share_sd(0.5)
    50.0
    """
    if not 0 < share < 1:
        raise DesignError(f"A share that spreads lies between 0 and 1, not at {share}.")
    return 100 * math.sqrt(share * (1 - share))


def unconditional_spread(known: Measure, shares: NationalShares | None) -> Spread:
    """Return the standard deviation between all pupils by which effects on a measure are standardised, or why not.

    A point of key stage 2 progress is a point of the scaled score, so that its standard deviation is the score's.
    """
    rule = known.sd
    if rule.value is not None:
        return Spread(sd=float(rule.value), name="SD of pupils as the project file states it")
    if rule.kind == "none":
        return Spread.unavailable(f"No standard deviation between all pupils can be had: {rule.reason}.")
    if shares is None:
        return Spread.unavailable(
            f"No standard deviation between all pupils can be had: these files lack {' or '.join(rule.columns)} in the "
            "last summer before the programme."
        )
    if not all(0 < share < 1 for share in shares.shares):
        return Spread.unavailable(f"No standard deviation can be had from {shares.scope}: one is 0 or all.")
    if rule.kind == "share":
        name = f"SD of pupils reaching it (100) or not (0), unconditional; from {shares.scope}"
        return Spread(sd=share_sd(shares.shares[0]), name=name)
    expected, higher = shares.shares
    if expected <= higher:
        return Spread.unavailable(f"{shares.scope.capitalize()} do not fall from the expected to the higher standard.")
    name = (
        "SD of pupils' scaled scores, unconditional, normal shape assumed; from the expected and the higher standard: "
        f"{shares.scope}"
    )
    return Spread(sd=scaled_score_sd(expected, higher), name=name)


def conditional_spread(known: Measure, limits: PublishedLimits | None) -> Spread:
    """Return the standard deviation of pupils given their prior attainment, behind published limits, or why not."""
    if known.limits is None:
        return Spread.unavailable("No confidence limits of this outcome are published.")
    if limits is None:
        return Spread.unavailable("These files hold no published confidence limits of this outcome for the last year.")
    sd = pupil_sd(limits.half_width, limits.pupils)
    if isinstance(sd, Unavailable):
        return Spread.unavailable(sd.reason)
    name = (
        "SD of pupil progress, conditional on prior attainment, recovered from published confidence limits; "
        f"from {limits.scope}"
    )
    return Spread(sd=sd, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spreads:
    """The standard deviations by which effects on one outcome are divided: of pupils, given prior attainment, schools.

    `table` names the conversion into months.
    """

    unconditional: Spread
    conditional: Spread
    school_sd: Quantity
    table: str = "toolkit"


def spreads_of(project: Project, intake: ProjectData, code: str, school_sd: Quantity) -> Spreads:
    """Return the standard deviations by which effects on an outcome are divided; `school_sd` is that of schools."""
    known = measure_of(project, code)
    return Spreads(
        unconditional=unconditional_spread(known, intake.shares.get(known.code)),
        conditional=conditional_spread(known, intake.limits.get(known.code)),
        school_sd=school_sd,
        table=project.effect_sizes.months_table,
    )


def effect_size(estimate: float, interval: IntervalOrReason, spreads: Spreads) -> EffectSize:
    """Divide an effect by each standard deviation of pupils and, separately, by that of schools.

    g = estimate / σ with J = 1, because σ is known rather than estimated from the sample (Hedges, 1981); the interval
    is divided by the same σ, whose own error is ignored. The headline, and months, take the unconditional σ, as
    trials do; g by the conditional one stands beside it.
    """
    g, g_interval = _divided(estimate, interval, spreads.unconditional.sd)
    beside, beside_interval = _divided(estimate, interval, spreads.conditional.sd)
    return EffectSize(
        hedges_g=g,
        hedges_g_interval=g_interval,
        sd_used=spreads.unconditional.sd,
        sd_name=spreads.unconditional.name,
        hedges_g_conditional=beside,
        hedges_g_conditional_interval=beside_interval,
        sd_conditional=spreads.conditional.sd,
        sd_conditional_name=spreads.conditional.name,
        hedges_g_school=_divided(estimate, interval, spreads.school_sd)[0],
        school_sd=spreads.school_sd,
        months=None if isinstance(g, Unavailable) else months_between(g, g_interval, spreads.table),
    )


def _divided(estimate: float, interval: IntervalOrReason, sd: Quantity) -> tuple[Quantity, IntervalOrReason]:
    if isinstance(sd, Unavailable):
        return sd, sd
    return estimate / sd, interval.divided(sd) if isinstance(interval, Interval) else interval
