"""The least effect a panel of schools in areas could detect, from how schools moved before the programme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.design.power import averaging_factor, multiplier


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
    plan: PanelPlan, between_areas: float, between_schools: float, level: float = 0.95, power: float = 0.8
) -> Quantity:
    """Return the least detectable effect in points, or why there is none.

    M × `panel_std_error`, M from Student's t with the plan's degrees of freedom. With one treated area use
    `one_area_mdes`: its own shock cannot be seen in it, and the spread of other areas' placebo effects must stand in.
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
    placebo_effects: Sequence[float], years: tuple[int, int], level: float = 0.95, power: float = 0.8, fewest: int = 20
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
