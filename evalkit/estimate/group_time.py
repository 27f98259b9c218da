"""The verb from a staggered design to the effect on each cohort in each period."""

from __future__ import annotations

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Unavailable
from evalkit.design.staggered import StaggeredDesign
from evalkit.estimate.arrays.two_period import Method
from evalkit.estimate.group_time_cells import REFERENCE, GroupTimeCell, GroupTimeEffects, Shares
from evalkit.estimate.group_time_panel import panel_effects
from evalkit.estimate.group_time_sections import section_effects

__all__ = ["REFERENCE", "GroupTimeCell", "GroupTimeEffects", "Shares", "group_time_effects"]


def group_time_effects(design: StaggeredDesign, method: Method = "dr") -> GroupTimeEffects:
    """Return the effect on every cohort in every period (Callaway and Sant'Anna, 2021).

    Parameters
    ----------
    design : StaggeredDesign
        Its panel's covariates are those adjusted for, at their values in the base period.
    method : "dr" (doubly robust), "ipw" (inverse probability, normalised) or "reg" (outcome regression)

    Returns
    -------
    GroupTimeEffects
        A comparison that cannot be made has its reason in place of a number. Errors carry the estimation of
        regressions, propensity scores and cohort shares, and are clustered as the observations say.

    Raises
    ------
    DesignError
        Where no comparison at all can be made.
    """
    if method not in ("dr", "ipw", "reg"):
        raise DesignError(f"The method '{method}' is not known. It is dr, ipw or reg.")
    as_levels = design.is_panel and design.options.unbalanced == "levels" and not design.panel.is_balanced
    effects = panel_effects(design, method) if design.is_panel and not as_levels else section_effects(design, method)
    reasons = [cell.value.reason for cell in effects.cells if isinstance(cell.value, Unavailable)]
    if all(isinstance(cell.value, Unavailable) or cell.is_reference for cell in effects.cells):
        raise DesignError(f"No effect can be estimated. {reasons[0]}")
    return effects
