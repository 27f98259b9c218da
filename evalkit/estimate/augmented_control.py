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
    if np.isfinite(kept):
        return found
    note = "No ridge correction predicts periods left out better than none: the result is the synthetic control's."
    return replace(found, notes=(*found.notes, note))
