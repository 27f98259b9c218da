"""Two-way fixed effects by event time: one coefficient for each period before and after the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.core.shown import Shown
from evalkit.data.panel import Panel
from evalkit.design.clusters import (
    MANY,
    ClusterCounts,
    independence_by,
    one_treated_cluster_reason,
    recommended_inference,
)
from evalkit.estimate.arrays.covariance import ClusterKind
from evalkit.estimate.inference import clustered_estimate, without_rounding
from evalkit.estimate.panel_rows import EVENT_TIME, PanelRows, require_contrast
from evalkit.estimate.two_way import panel_ols

Floats = NDArray[np.float64]


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
class TwoWayEventStudy(Shown):
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
    """
    options = options or EventOptions()
    rows = PanelRows.of(panel)
    require_contrast(rows)
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
