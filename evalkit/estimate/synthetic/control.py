"""Synthetic control, its ridge-augmented form, and synthetic difference-in-differences: three ways to weight donors."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.errors import DesignError
from evalkit.design.panel.area_design import AreaDesign
from evalkit.estimate.synthetic.result import AreaMethod, SyntheticControl, area_result
from evalkit.estimate.synthetic.weights_arrays import (
    chosen_ridge,
    fit_augmented,
    fit_centred,
    fit_synthetic_control,
    fit_synthetic_did,
    fit_with_features,
    noise_level,
)


def synthetic_control(design: AreaDesign) -> SyntheticControl:
    """Return the gap to the weighted average of donors that best follows every outcome before the start.

    Weights are not negative and sum to one; they are found exactly. Several treated areas are averaged; `design.each()`
    gives each on its own. Abadie, Diamond and Hainmueller (2010), on outcomes and the design's features, if it has any,
    each of which counts as one period.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (f"A{i:02}", t, 60 + i * 5 % 12 + t * (i % 4) / 10 + i * t % 7 / 10 + 3 * (i == 5 and t >= 2016))
    ...     for i in range(12) for t in range(2006, 2020)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["area", "year", "share"])
    >>> roles = evalkit.AreaRoles(unit="area", period="year", outcome="share")
    >>> series = evalkit.AreaSeries.from_frame(table, roles)
    >>> design = evalkit.area_design(series, ["A05"], 2016)
    >>> found = evalkit.synthetic_control(design)
    >>> round(found.estimate, 1), round(float(found.weights.sum()), 6)
    (2.9, 1.0)
    """
    name, n_features = "synthetic control", len(design.features)
    if not n_features:
        return area_result(design, AreaMethod(name=name, fit=fit_synthetic_control, residuals=_residuals))
    fit = partial(fit_with_features, n_features=n_features)
    residuals = partial(_residuals_with_features, n_features=n_features)
    return area_result(design, AreaMethod(name=name, fit=fit, residuals=residuals))


def _residuals(treated: Floats, donors: Floats) -> Floats:
    return fit_synthetic_control(treated, donors, len(treated)).gap


def _residuals_with_features(treated: Floats, donors: Floats, n_features: int) -> Floats:
    return fit_with_features(treated, donors, len(treated) - n_features, n_features).gap


def _refuse_features(design: AreaDesign) -> None:
    if design.features:
        raise DesignError(
            f"Only the plain synthetic control follows covariates ({', '.join(design.features)}) beside the outcome. "
            "Leave them out, or use that."
        )


# Ridge-augmented synthetic control: what the synthetic control misses before the start is predicted away.

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

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (f"A{i:02}", t, 60 + i * 5 % 12 + t * (i % 4) / 10 + i * t % 7 / 10 + 3 * (i == 5 and t >= 2016))
    ...     for i in range(12) for t in range(2006, 2020)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["area", "year", "share"])
    >>> roles = evalkit.AreaRoles(unit="area", period="year", outcome="share")
    >>> series = evalkit.AreaSeries.from_frame(table, roles)
    >>> design = evalkit.area_design(series, ["A05"], 2016)
    >>> round(evalkit.augmented_control(design).estimate, 1)
    2.9
    """
    _refuse_features(design)
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
    residuals = partial(_residuals_augmented, ridge=kept)
    name = "ridge-augmented synthetic control"
    found = area_result(design, AreaMethod(name=name, fit=partial(fit_augmented, ridge=ridge), residuals=residuals))
    return found if ridge is not None else replace(found, notes=(*found.notes, _how_chosen(kept), OTHER_DEFAULT))


def _residuals_augmented(treated: Floats, donors: Floats, ridge: float) -> Floats:
    return fit_augmented(treated, donors, len(treated), ridge).gap


def _how_chosen(ridge: float) -> str:
    if not np.isfinite(ridge):
        return "No ridge correction predicts periods left out better than none: the result is the synthetic control's."
    return (
        f"The ridge penalty λ = {ridge:.4g} (squared units of the outcome) is the largest of those tried, no "
        "correction among them, whose error in each period before the start, left out in turn, is within one standard "
        "error of the least."
    )


def synthetic_did(design: AreaDesign) -> SyntheticControl:
    """Return the effect by synthetic difference-in-differences (Arkhangelsky et al., 2021).

    Donors need only be parallel to the treated area, not on its level. Raise `DesignError` with fewer than two periods
    before the start: the weights are regularised by the size of the donors' changes there.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (f"A{i:02}", t, 60 + i * 5 % 12 + t * (i % 4) / 10 + i * t % 7 / 10 + 3 * (i == 5 and t >= 2016))
    ...     for i in range(12) for t in range(2006, 2020)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["area", "year", "share"])
    >>> roles = evalkit.AreaRoles(unit="area", period="year", outcome="share")
    >>> series = evalkit.AreaSeries.from_frame(table, roles)
    >>> design = evalkit.area_design(series, ["A05"], 2016)
    >>> round(evalkit.synthetic_did(design).estimate, 1)
    3.1
    """
    _refuse_features(design)
    if design.n_pre < 2:
        raise DesignError(
            f"Synthetic difference-in-differences measures the donors' changes before the start {design.start}, "
            "and there is one period. Add an earlier one, or use the plain synthetic control."
        )
    n_treated = len(design.treated)
    zeta = (n_treated * design.n_post) ** 0.25 * noise_level(design.donor_values[:, : design.n_pre].T)
    residuals = partial(fit_centred, zeta=zeta)
    name = "synthetic difference-in-differences"
    return area_result(
        design, AreaMethod(name=name, fit=partial(fit_synthetic_did, n_treated=n_treated), residuals=residuals)
    )
