"""The least effect that a design could detect: of a project, of a panel of schools, of pupils in schools."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from evalkit.core.draws import LEVEL, require_level
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.scipy_parts import special

# The least effect a design could detect.

MULTIPLIER = 2.8
"""Standard errors that a two-sided test at 5% detects with 80% power: 1.96 + 0.84 (Bloom, 1995)."""

POWER: Final = 0.8
"""The chance of detecting an effect that designs are usually planned for."""

FEWEST_PLACEBOS: Final = 20
"""With fewer placebo areas, or sets of them, their spread says too little of a treated area's."""

MANY_DF: Final = 100
"""Degrees of freedom from which the normal quantiles stand in for Student's t: they differ by under 1.5% there."""


def multiplier(df: float | None, level: float = LEVEL, power: float = POWER) -> float:
    """Return M, the standard errors that a two-sided test detects with the power asked for.

    M = t(1 − (1 − level)/2; df) + t(power; df); normal quantiles where `df` is None or at least 100, their sum rounded
    to the customary 2.8 at 95% and 80%. Raises `DesignError` for a level or power that is none, or df ≤ 0.
    """
    require_shares(level, power)
    if df is not None and not df > 0:
        raise DesignError(f"A test needs degrees of freedom, and {df:g} are left. Compare more schools or areas.")
    tail = 0.5 + level / 2
    if df is None or df >= MANY_DF:
        # 2.8 as every handbook has it, not 2.8016: results stand beside those of other calculators
        if (level, power) == (LEVEL, POWER):
            return MULTIPLIER
        return float(special.ndtri(tail) + special.ndtri(power))
    return float(special.stdtrit(df, tail) + special.stdtrit(df, power))


def require_shares(level: float, power: float) -> None:
    """Raise `DesignError` where a level or a power is none."""
    require_level(level)
    if not 1 - level < power < 1:
        raise DesignError(
            f"The power asked for lies between {1 - level:.2g}, the size of the test, and 1: not {power}."
        )


def averaging_factor(n_pre: int, n_post: int) -> float:
    """Return the SD of mean(post) − mean(pre) over that of a change between two single years.

    Assumes area shocks of equal variance, independent between years: √((1/n_post + 1/n_pre) / 2).
    """
    return math.sqrt((1 / n_post + 1 / n_pre) / 2)


def detectable_effect(placebo_sd: float, n_pre: int, n_post: int) -> float:
    """Return 2.8 × the SD of placebo-area changes between two single years, adjusted for averaging."""
    return MULTIPLIER * placebo_sd * averaging_factor(n_pre, n_post)


def detectable_at_design(
    placebo_changes: Sequence[float], n_pre: int, n_post: int, fewest: int = FEWEST_PLACEBOS
) -> Quantity:
    """Return the least detectable effect from placebo-area changes before the programme, or why there is none."""
    n = len(placebo_changes)
    if n < fewest:
        return Unavailable(f"Only {n} areas could serve as placebos before the programme; {fewest} are needed.")
    mean = math.fsum(placebo_changes) / n
    sd = math.sqrt(math.fsum((change - mean) ** 2 for change in placebo_changes) / (n - 1))
    return detectable_effect(sd, n_pre, n_post)


# The least effect a panel of schools in areas could detect, from how schools moved before the programme.


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelPlan:
    """Schools of each treated and each comparison area, and the years averaged before and after.

    `treated` and `comparison` hold analysed schools by area; `n_pre` and `n_post` count years. `test_df` are the
    degrees of freedom of the test that will be made, where they are known: None for areas less two.
    """

    treated: tuple[int, ...]
    comparison: tuple[int, ...]
    n_pre: int = 1
    n_post: int = 1
    test_df: float | None = None

    def __post_init__(self) -> None:
        if not self.treated or not self.comparison or min(*self.treated, *self.comparison) < 1:
            raise DesignError("A panel plan needs areas with schools in both arms.")
        if min(self.n_pre, self.n_post) < 1:
            raise DesignError("A change needs at least one year before and one after.")

    @property
    def df(self) -> float:
        """Return the degrees of freedom of the test, areas of both arms less two where they are not known."""
        return len(self.treated) + len(self.comparison) - 2 if self.test_df is None else self.test_df


def panel_std_error(plan: PanelPlan, between_areas: float, between_schools: float) -> float:
    """Return the standard error of the difference-in-differences, area shocks included, in points.

    Parameters
    ----------
    plan : PanelPlan
    between_areas, between_schools : float
        Variance of changes between two single years before the programme: between areas, and between the schools of an
        area.

    Returns
    -------
    √(Σ over arms of τ² Σ n_a²/(Σ n_a)² + σ²/Σ n_a) × √((1/n_post + 1/n_pre)/2), every school weighing one.
    """
    if not (math.isfinite(between_areas + between_schools) and min(between_areas, between_schools) >= 0):
        raise DesignError("Variances of changes must be finite and not negative.")
    variance = 0.0
    for sizes in (plan.treated, plan.comparison):
        n = sum(sizes)
        variance += between_areas * sum(size**2 for size in sizes) / n**2 + between_schools / n
    return math.sqrt(variance) * averaging_factor(plan.n_pre, plan.n_post)


def panel_mdes(
    plan: PanelPlan, between_areas: float, between_schools: float, level: float = LEVEL, power: float = POWER
) -> Quantity:
    """Return the least detectable effect in points, or why there is none.

    M × `panel_std_error`, M from Student's t with the plan's degrees of freedom. With one treated area use
    `one_area_mdes`: its own shock cannot be seen in it, and the spread of other areas' placebo effects must stand in.

    Examples
    --------
    >>> from evalkit import PanelPlan, panel_mdes
    >>> plan = PanelPlan(treated=(20, 25, 30), comparison=(22,) * 10, n_pre=2, n_post=1)
    >>> round(panel_mdes(plan, between_areas=0.16, between_schools=4.0), 2)
    1.0
    >>> panel_mdes(PanelPlan(treated=(20,), comparison=(22,) * 10), 0.16, 4.0).reason[:16]
    'One treated area'
    """
    if len(plan.treated) == 1:
        return Unavailable(
            "One treated area: the spread of placebo effects of other areas measures its uncertainty, not a formula "
            "for several areas."
        )
    if plan.df < 1:
        return Unavailable("Two areas leave no degrees of freedom.")
    return multiplier(plan.df, level, power) * panel_std_error(plan, between_areas, between_schools)


def one_area_mdes(
    placebo_effects: Sequence[float],
    years: tuple[int, int],
    level: float = LEVEL,
    power: float = POWER,
    fewest: int = FEWEST_PLACEBOS,
) -> Quantity:
    """Return the least detectable effect for one treated area, in points, or why there is none.

    M × the SD of placebo effects, other areas' effects between two single years before the programme, adjusted for
    averaging over `years` = (n_pre, n_post); M from Student's t with areas − 1 degrees of freedom, the normal from 100.
    """
    n = len(placebo_effects)
    if n < fewest:
        return Unavailable(f"Only {n} areas could serve as placebos before the programme; {fewest} are needed.")
    mean = math.fsum(placebo_effects) / n
    spread = math.sqrt(math.fsum((effect - mean) ** 2 for effect in placebo_effects) / (n - 1))
    return multiplier(n - 1, level, power) * spread * averaging_factor(*years)


# The least effect a two-level design could detect: pupils in schools, whole schools treated.


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


def two_level_mdes(plan: TwoLevelPlan, level: float = LEVEL, power: float = POWER) -> Quantity:
    """Return the least detectable effect in total standard deviations, or why there is none.

    M × the standard error; M from Student's t with J − k − 2 degrees of freedom, from the normal where they are 100 or
    more. Schools count as independent: an area's shock is not in it, so it does not apply to one treated area.

    Examples
    --------
    >>> from evalkit import TwoLevelPlan, two_level_mdes
    >>> plan = TwoLevelPlan(n_treated=40, n_comparison=40, pupils=25, icc=0.15, r2_school=0.6, r2_pupil=0.5)
    >>> round(two_level_mdes(plan), 2), round(two_level_mdes(plan, power=0.9), 2)
    (0.18, 0.2)
    """
    if plan.n_treated < 2 or plan.n_comparison < 2:
        return Unavailable("One school in an arm: nothing tells the programme from what else happened in that school.")
    if plan.df < 1:
        return Unavailable(f"{plan.n_schools} schools leave no degrees of freedom between schools.")
    return multiplier(plan.df, level, power) * plan.std_error
