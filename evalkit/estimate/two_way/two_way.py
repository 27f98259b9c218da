"""Classic two-way fixed effects: one number for treatment, and one coefficient for each period around the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Unavailable, without_rounding
from evalkit.core.shown import ShownModel
from evalkit.data.panel import Panel
from evalkit.design.clusters import (
    MANY,
    ClusterCounts,
    Recommendation,
    independence_by,
    one_treated_cluster_reason,
    recommended_inference,
)
from evalkit.estimate.effect import Inference, clustered_estimate
from evalkit.estimate.least_squares_arrays import ClusterKind
from evalkit.estimate.two_way.panel_rows import EVENT_TIME, TREATMENT, PanelRows, require_contrast
from evalkit.estimate.two_way.recommended import InferenceOptions, two_way_inference

# Classic two-way fixed effects: one number for treatment, with unit and period effects.

MEANING = (
    "An average of many comparisons between units that start, have started and have not; where effects differ between "
    "cohorts or grow with time, some of them enter with the wrong sign (see the Goodman-Bacon decomposition)."
)

TOO_NARROW = Unavailable(
    "With so few clusters an interval from this error would be too narrow, and its p-value too small. Use the "
    "recommended inference beside it."
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TwoWayEffect(ShownModel):
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

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 6 and t >= 3), 3 if i < 6 else None)
    ...     for i in range(18) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> effect = evalkit.two_way_effect(panel)
    >>> round(effect.estimate.value, 2)
    0.98
    >>> effect.inference.method
    'CR2 with Satterthwaite degrees of freedom'
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


# Two-way fixed effects by event time: one coefficient for each period before and after the start.


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOptions:
    """Which event time the others are measured from (the period before the start), and by which errors.

    `errors` is "recommended", for each time what the clusters seen then support, or "plain", clustered errors (CR1)
    whatever their number, as regression programs print them.
    """

    base_time: int = -1
    errors: Literal["recommended", "plain"] = "recommended"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoWayEventTime:
    """The coefficient of one event time, and how many clusters it is seen in."""

    event_time: int
    estimate: Estimate
    n_treated_clusters: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TwoWayEventStudy(ShownModel):
    """Coefficients by event time from one regression with unit and period effects, measured from `base_time`.

    Where cohorts start in different periods and effects differ between them, each coefficient also holds
    effects of other event times (Sun and Abraham, 2021).
    """

    times: tuple[TwoWayEventTime, ...]
    base_time: int
    clusters: ClusterCounts
    n_units: int
    n_rows: int
    assumes: str = ""


def two_way_event_study(panel: Panel, options: EventOptions | None = None) -> TwoWayEventStudy:
    """Return the two-way event study: units never treated in the panel have no event time.

    Coefficients come from linearmodels' PanelOLS, errors over clusters from the kit: CR1 for times that many clusters
    carry, CR2 with Satterthwaite's degrees of freedom for the others, a reason where these are fewer than two. Raise
    `DesignError` where event times cannot all be told from unit and period effects.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 6 and t >= 3), 3 if i < 6 else None)
    ...     for i in range(18) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> study = evalkit.two_way_event_study(panel)
    >>> [(time.event_time, round(time.estimate.value, 2)) for time in study.times]
    [(-3, 0.05), (-2, 0.02), (0, 1.02), (1, 0.99)]
    """
    options = options or EventOptions()
    rows = PanelRows.of(panel)
    require_contrast(rows)
    # Who starts after the last period is never treated in this panel, and has no event time.
    is_dated = np.isfinite(rows.cohort) & (rows.cohort <= rows.periods[-1])
    time = np.asarray(rows.periods, dtype=float)[rows.period] - np.where(is_dated, rows.cohort, 0.0)
    times = [int(each) for each in np.unique(time[is_dated]) if each != options.base_time]
    _require_base(times, time[is_dated], options.base_time, bool(is_dated.all()))
    names = tuple(f"{EVENT_TIME}{each}" for each in times) + rows.covariate_names
    columns = np.column_stack([*(is_dated & (time == each) for each in times), rows.covariates]).astype(float)
    fit = rows.fit(columns, names)
    values, counts = panel_ols(rows, columns, names), rows.counts()
    advice = recommended_inference(counts, concentration=rows.concentration())
    is_plain = options.errors == "plain"
    is_many = advice.inference == "cluster-robust"
    found = []
    for at, each in enumerate(times):
        n_clusters = len(np.unique(rows.cluster[is_dated & (time == each)]))
        kind: ClusterKind = "CR1W" if is_plain or (is_many and n_clusters >= MANY) else "CR2"
        clustered = clustered_estimate(fit, at, kind, counts)
        reason = one_treated_cluster_reason(ClusterCounts(n_clusters, max(counts.n_comparison, 2)))
        if reason is None and not is_plain and advice.inference == "unavailable":
            reason = advice.reason
        error = Unavailable(reason) if reason else clustered.std_error
        estimate = Estimate(without_rounding(values[at], fit.size), error, clustered.df)
        found.append(TwoWayEventTime(event_time=each, estimate=estimate, n_treated_clusters=n_clusters))
    return TwoWayEventStudy(
        times=tuple(found),
        base_time=options.base_time,
        clusters=counts,
        n_units=len(panel.units),
        n_rows=len(rows.outcome),
        assumes=independence_by(panel.clustered_by),
    )


def _require_base(times: list[int], seen: Floats, base_time: int, is_all_dated: bool) -> None:
    if base_time not in seen:
        raise DesignError(
            f"No treated unit is seen at event time {base_time}, so nothing can be measured from it. "
            f"Choose one of {', '.join(str(each) for each in times)}."
        )
    if is_all_dated:
        raise DesignError(
            "Every unit is treated within the panel, so that event time cannot be told from unit and period effects. "
            "Add units that are not treated, or leave out the last periods, so that the last to start are comparison."
        )
