"""What one kind of inference says about an estimate: error, interval and p-value, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.core.quantities import Estimate, IntervalOrReason, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.design.clusters import (
    CR2,
    LEAST_DF,
    ClusterCounts,
    InferenceMethod,
    one_treated_cluster_reason,
    too_concentrated,
)
from evalkit.estimate.arrays.covariance import ClusterKind, cluster_error
from evalkit.estimate.arrays.least_squares import Fit

ROUNDING = 1e-11
"""Residuals and errors below this share of the largest outcome are rounding."""
_LEFT_OVER = 1e-14

EXACT = (
    "The model fits every observation exactly, so that there is no variation from which an error could be estimated."
)
ALIKE = (
    "All treated clusters moved exactly alike, and so did all others, so that there is no variation from which an "
    "error could be estimated."
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Inference(Shown):
    """Error, interval and two-sided p-value of one estimate by one method.

    `note` says how they were made, `assumes` what they take as independent, `n_ranked` among how many results the
    estimate was ranked (None where it was not).
    """

    method: InferenceMethod
    std_error: Quantity
    df: float | None
    interval: IntervalOrReason
    p_value: Quantity
    note: str
    assumes: str = ""
    n_ranked: int | None = None

    @classmethod
    def unavailable(cls, method: InferenceMethod, reason: str) -> Inference:
        """Return the inference that cannot be given, with its reason in every place."""
        none = Unavailable(reason)
        return cls(method=method, std_error=none, df=None, interval=none, p_value=none, note=reason)


def clustered_estimate(fit: Fit, at: int, kind: ClusterKind, counts: ClusterCounts) -> Estimate:
    """Return coefficient `at` with its cluster-robust error, or the reason why clusters give none.

    Degrees of freedom are the clusters less one; Satterthwaite's for CR2.
    """
    value = float(fit.coefficients[at])
    reason = one_treated_cluster_reason(counts) or exact_reason(fit)
    if reason:
        return Estimate(value, Unavailable(reason))
    error = cluster_error(fit, at, kind)
    df = error.df if kind == "CR2" else fit.n_clusters - 1.0
    if error.std_error <= ROUNDING * fit.size:
        return Estimate(value, Unavailable(ALIKE))
    if df < LEAST_DF:
        return Estimate(value, Unavailable(too_concentrated(df)))
    return Estimate(value, error.std_error, df)


def clustered_inference(fit: Fit, at: int, kind: ClusterKind, counts: ClusterCounts, level: float) -> Inference:
    """Return the inference from the cluster-robust error of coefficient `at`."""
    method: InferenceMethod = CR2 if kind == "CR2" else "cluster-robust"
    estimate = clustered_estimate(fit, at, kind, counts)
    if isinstance(estimate.std_error, Unavailable):
        return Inference.unavailable(method, estimate.std_error.reason)
    return Inference(
        method=method,
        std_error=estimate.std_error,
        df=estimate.df,
        interval=estimate.interval(level),
        p_value=estimate.p_value,
        note=f"Errors over {fit.n_clusters:,} clusters ({kind}), Student's t, {estimate.df:.1f} degrees of freedom.",
    )


def without_rounding(value: float, size: float) -> float:
    """Return an effect, 0 where it is what arithmetic leaves of zero beside outcomes of that size."""
    return 0.0 if abs(value) <= _LEFT_OVER * size else value


def exact_reason(fit: Fit) -> str | None:
    """Return why there is no error where a fit leaves no residual but rounding, else None."""
    return EXACT if np.abs(fit.residuals).max() <= ROUNDING * fit.size else None
