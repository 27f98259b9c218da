"""Classic two-way fixed effects: one number for treatment, with unit and period effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.core.shown import Shown
from evalkit.data.panel import Panel
from evalkit.design.clusters import ClusterCounts, Recommendation, recommended_inference
from evalkit.estimate.inference import Inference, clustered_estimate, without_rounding
from evalkit.estimate.panel_rows import TREATMENT, PanelRows, require_contrast
from evalkit.estimate.recommended import InferenceOptions, two_way_inference

Floats = NDArray[np.float64]

MEANING = (
    "An average of many comparisons between units that start, have started and have not; where effects differ between "
    "cohorts or grow with time, some of them enter with the wrong sign (see the Goodman-Bacon decomposition)."
)

TOO_NARROW = Unavailable(
    "With so few clusters an interval from this error would be too narrow, and its p-value too small. Use the "
    "recommended inference beside it."
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TwoWayEffect(Shown):
    """The coefficient of treatment with unit and period effects, its errors, and the inference the design supports.

    Attributes
    ----------
    estimate : Estimate
        With the CR1 error over clusters (period effects counted, unit effects not) and clusters less one degrees of
        freedom, as regression programs print it; the error is unavailable where one cluster is treated.
    recommendation : Recommendation
        Which inference the numbers of clusters support, and why.
    inference : Inference
        Interval and p-value by the recommended method: what a report should state.
    covariates : tuple of (name, Estimate)
    clusters : ClusterCounts
    n_units, n_rows, n_treated_units : int
    meaning : str
        What the number is an average of.
    """

    estimate: Estimate
    recommendation: Recommendation
    inference: Inference
    covariates: tuple[tuple[str, Estimate], ...]
    clusters: ClusterCounts
    n_units: int
    n_rows: int
    n_treated_units: int
    meaning: str = MEANING

    @property
    def as_told(self) -> Estimate:
        """Return the estimate as reports print it: without the plain error where the design supports no interval."""
        if isinstance(self.estimate.std_error, Unavailable) or not isinstance(self.inference.interval, Unavailable):
            return self.estimate
        return Estimate(self.estimate.value, self.inference.interval)

    @property
    def why_no_plain_test(self) -> Unavailable | None:
        """Return why reports give no interval and p-value of the plain error, None where many clusters carry it."""
        if isinstance(self.as_told.std_error, Unavailable):
            return self.as_told.std_error
        return None if self.inference.method == "cluster-robust" else TOO_NARROW


def two_way_effect(panel: Panel, options: InferenceOptions | None = None) -> TwoWayEffect:
    """Return the two-way fixed-effects estimate: outcome on treated × after, the panel's covariates beside it.

    Coefficients come from linearmodels' PanelOLS, errors from the kit. Raise `DesignError` where the effect cannot be
    told from unit and period effects, or where a covariate adds nothing to them.
    """
    rows = PanelRows.of(panel)
    require_contrast(rows)
    counts = rows.counts()
    names = (TREATMENT, *rows.covariate_names)
    fit = rows.fit_of_treatment()
    values = panel_ols(rows, np.column_stack([rows.treatment, rows.covariates]), names)
    estimates = [
        Estimate(without_rounding(value, fit.size) if at == 0 else value, clustered.std_error, clustered.df)
        for at, (value, clustered) in enumerate(
            zip(values, (clustered_estimate(fit, at, "CR1W", counts) for at in range(len(names))), strict=True)
        )
    ]
    noun = "unit" if len(rows.clusters) == len(panel.units) else "cluster"
    recommendation = recommended_inference(counts, noun, rows.concentration())
    inference = two_way_inference(panel, recommendation, options or InferenceOptions(), fit)
    return TwoWayEffect(
        estimate=estimates[0],
        recommendation=recommendation,
        inference=inference,
        covariates=tuple(zip(names[1:], estimates[1:], strict=True)),
        clusters=counts,
        n_units=len(panel.units),
        n_rows=len(rows.outcome),
        n_treated_units=len(np.unique(rows.unit[rows.treatment > 0])),
    )


def panel_ols(rows: PanelRows, columns: Floats, names: tuple[str, ...]) -> list[float]:
    """Return the coefficients of columns (n, k) as linearmodels' PanelOLS gives them, with unit and period effects."""
    # Imported here, because it takes longer than everything else the kit imports.
    from linearmodels.panel import PanelOLS
    from linearmodels.panel.utility import AbsorbingEffectError

    index = pd.MultiIndex.from_arrays([rows.unit, rows.period], names=["unit", "period"])
    try:
        model = PanelOLS(
            pd.Series(rows.outcome, index, name="outcome"),
            pd.DataFrame(columns, index, list(names)),
            weights=pd.Series(rows.weight, index, name="weight"),
            entity_effects=True,
            time_effects=True,
        )
        result = model.fit(cov_type="unadjusted")
    except (AbsorbingEffectError, ValueError, np.linalg.LinAlgError) as error:
        raise DesignError(
            f"linearmodels could not estimate the two-way model: {str(error).strip().splitlines()[0]} "
            "Check for covariates that hardly vary within units, and for units seen once only."
        ) from None
    return [float(result.params[name]) for name in names]
