"""Ridge-augmented synthetic control: what the synthetic control misses before the start is predicted away."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from evalkit.core.errors import DesignError
from evalkit.design.area_design import AreaDesign
from evalkit.estimate.area_result import AreaMethod, Floats, SyntheticControl, area_result
from evalkit.estimate.arrays.area_fit import fit_augmented
from evalkit.estimate.arrays.ridge_weights import chosen_ridge

FEWEST_TO_TUNE = 3
"""Periods before the start without which none can be left out to choose the penalty."""
OTHER_DEFAULT = (
    "R's augsynth chooses by the same rule from other penalties: 21 from the largest eigenvalue of the donors' "
    "outcomes before the start down to 10⁻⁸ of it, never none, and without leaving out the last period before the "
    "start. Where it chooses another λ its result differs; give that λ in Python to compare "
    "(augmented_control(design, ridge=λ))."
)


def augmented_control(design: AreaDesign, ridge: float | None = None) -> SyntheticControl:
    """Return the gap by the ridge-augmented synthetic control (Ben-Michael, Feller and Rothstein, 2021).

    Weights sum to one and may be negative. Without `ridge`, which is in squared units of the outcome, the penalty is
    chosen by leaving out one period before the start at a time, the largest within one standard error of the best;
    placebos choose their own. Raise `DesignError` with fewer than three periods before the start to choose it by.
    """
    if ridge is not None and not ridge > 0:
        raise DesignError(f"The ridge penalty is a positive number, not {ridge}. Leave it out to have it chosen.")
    if ridge is None and design.n_pre < FEWEST_TO_TUNE:
        raise DesignError(
            f"The ridge penalty is chosen by leaving out periods before the start, and there are {design.n_pre}: "
            f"{FEWEST_TO_TUNE} are needed. Use the plain synthetic control, or add earlier periods."
        )
    kept = (
        chosen_ridge(design.series[: design.n_pre], design.donor_values[:, : design.n_pre].T)
        if ridge is None
        else ridge
    )

    def residuals(treated: Floats, donors: Floats) -> Floats:
        return fit_augmented(treated, donors, len(treated), kept).gap

    name = "ridge-augmented synthetic control"
    found = area_result(design, AreaMethod(name=name, fit=partial(fit_augmented, ridge=ridge), residuals=residuals))
    return found if ridge is not None else replace(found, notes=(*found.notes, _how_chosen(kept), OTHER_DEFAULT))


def _how_chosen(ridge: float) -> str:
    if not np.isfinite(ridge):
        return "No ridge correction predicts periods left out better than none: the result is the synthetic control's."
    return (
        f"The ridge penalty λ = {ridge:.4g} (squared units of the outcome) is the largest of those tried, no "
        "correction among them, whose error in each period before the start, left out in turn, is within one standard "
        "error of the least."
    )
