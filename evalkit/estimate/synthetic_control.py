"""Synthetic control: donors weighted so that they follow the treated area before the start."""

from __future__ import annotations

from evalkit.design.area_design import AreaDesign
from evalkit.estimate.area_result import AreaMethod, Floats, SyntheticControl, area_result
from evalkit.estimate.arrays.area_fit import fit_synthetic_control


def synthetic_control(design: AreaDesign) -> SyntheticControl:
    """Return the gap to the weighted average of donors that best follows every outcome before the start.

    Weights are not negative and sum to one; they are found exactly. Several treated areas are averaged; `design.each()`
    gives each on its own. Abadie, Diamond and Hainmueller (2010), on outcomes alone.
    """
    return area_result(design, AreaMethod(name="synthetic control", fit=fit_synthetic_control, residuals=_residuals))


def _residuals(treated: Floats, donors: Floats) -> Floats:
    return fit_synthetic_control(treated, donors, len(treated)).gap
