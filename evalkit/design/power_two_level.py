"""The least effect a two-level design could detect: pupils in schools, whole schools treated."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.design.power import multiplier


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoLevelPlan:
    """Schools by arm, pupils a school, and what is known of the variance.

    Attributes
    ----------
    n_treated, n_comparison : schools
    pupils : pupils a school that are analysed; the harmonic mean where schools differ
    icc : share of the outcome's variance between schools, in [0, 1)
    r2_school, r2_pupil : shares of the variance between and within schools that covariates explain, in [0, 1)
    n_school_covariates : school-level covariates of the model, for the degrees of freedom
    """

    n_treated: int
    n_comparison: int
    pupils: float
    icc: float
    r2_school: float = 0.0
    r2_pupil: float = 0.0
    n_school_covariates: int = 0

    def __post_init__(self) -> None:
        if min(self.n_treated, self.n_comparison) < 1 or not self.pupils >= 1:
            raise DesignError("A two-level plan needs schools in both arms and at least one pupil in each.")
        for name, share in (("icc", self.icc), ("r2_school", self.r2_school), ("r2_pupil", self.r2_pupil)):
            if not 0 <= share < 1:
                raise DesignError(f"{name} is a share in [0, 1), not {share}.")

    @property
    def n_schools(self) -> int:
        """Return J, the schools of both arms."""
        return self.n_treated + self.n_comparison

    @property
    def df(self) -> int:
        """Return J − k − 2: schools less covariates, treatment and constant."""
        return self.n_schools - self.n_school_covariates - 2

    @property
    def std_error(self) -> float:
        """Return the standard error of the effect in total standard deviations.

        √(ρ(1 − R²₂)/(P(1 − P)J) + (1 − ρ)(1 − R²₁)/(P(1 − P)nJ)), P the share of schools treated (Bloom, 2007).
        """
        share = self.n_treated / self.n_schools
        between = self.icc * (1 - self.r2_school)
        within = (1 - self.icc) * (1 - self.r2_pupil) / self.pupils
        return math.sqrt((between + within) / (share * (1 - share) * self.n_schools))

    def after_attrition(self, lost_share: float) -> TwoLevelPlan:
        """Return the plan with that share of schools lost in each arm, rounded to whole schools."""
        if not 0 <= lost_share < 1:
            raise DesignError(f"The share of schools lost lies in [0, 1), not at {lost_share}.")
        left = [max(1, round(n * (1 - lost_share))) for n in (self.n_treated, self.n_comparison)]
        return replace(self, n_treated=left[0], n_comparison=left[1])


def two_level_mdes(plan: TwoLevelPlan, level: float = 0.95, power: float = 0.8) -> Quantity:
    """Return the least detectable effect in total standard deviations, or why there is none.

    M × the standard error; M from Student's t with J − k − 2 degrees of freedom, from the normal where they are 100 or
    more. Schools count as independent: an area's shock is not in it, so it does not apply to one treated area.
    """
    if plan.n_treated < 2 or plan.n_comparison < 2:
        return Unavailable("One school in an arm: nothing tells the programme from what else happened in that school.")
    if plan.df < 1:
        return Unavailable(f"{plan.n_schools} schools leave no degrees of freedom between schools.")
    return multiplier(plan.df, level, power) * plan.std_error
