"""An effect never travels alone: estimand, sample, method and uncertainty go with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evalkit.core.estimand import Estimand
from evalkit.core.quantities import IntervalOrReason, Quantity

InferenceName = Literal["permutation", "cluster"]
ClusterLevel = Literal["school", "local_authority"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Months:
    """Months of progress at an estimate and at both ends of its interval; illustrative.

    `lower` and `upper` are the months at the interval's ends; `table` names the conversion used.
    """

    estimate: int
    lower: int | None
    upper: int | None
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSize:
    """An effect in standard deviations, with the standard deviation named.

    `hedges_g` divides by `sd_used` (pupil level, known: J = 1); `hedges_g_school` divides
    by the school-level standard deviation `school_sd` and is not comparable with it.
    """

    hedges_g: Quantity
    hedges_g_interval: IntervalOrReason
    sd_used: Quantity
    sd_name: str
    hedges_g_school: Quantity
    school_sd: Quantity
    months: Months | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PermutationDetail:
    """Where the treated area stands among all areas analysed the same way.

    `rank` is that of |t|, 1 the largest; `smallest_p` is 1/J. `studentised_…` compare effects over their
    school-sampling standard errors, `plain_…` the effects themselves, whichever of them the project asks for.
    """

    rank: int
    n_areas: int
    smallest_p: float
    studentised_p: Quantity
    studentised_interval: IntervalOrReason
    plain_p: Quantity
    plain_interval: IntervalOrReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One estimated effect of one outcome, design, period and kind of inference."""

    outcome: str
    role: str
    design: str
    estimand: Estimand
    period: str
    estimate: Quantity
    std_error: Quantity
    interval: IntervalOrReason
    p_value: Quantity
    p_value_one_sided: Quantity
    inference: InferenceName
    cluster_level: ClusterLevel
    n_treated: int
    n_comparison: int
    n_treated_clusters: int
    method: str
    permutation: PermutationDetail | None = None
    effect_size: EffectSize | None = None
