"""The weighted regression after matching, with errors for independent units, sets, clusters, or two of these."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.design.matched import MatchedDesign
from evalkit.design.matching_options import (
    CoarsenedExact,
    ExactMatching,
    NearestNeighbour,
    OptimalMatching,
    Subclassification,
)
from evalkit.estimate.arrays.contrast import (
    arm_fit,
    clustered_error,
    cr2_error,
    hc1_error,
    hc3_error,
    two_way_variance,
)
from evalkit.estimate.arrays.covariance import n_parameters
from evalkit.estimate.arrays.least_squares import CollinearError, Fit
from evalkit.estimate.cluster_model import ARMS
from evalkit.estimate.effect_task import EffectTask
from evalkit.estimate.found_effect import FoundEffect, few_clusters_note, freedom, guarded_estimate, why_no_error
from evalkit.estimate.matched_rows import MatchedRows, pair_rows, unit_rows

Ints = NDArray[np.int64]
RegressionErrors = Literal["HC1", "HC3", "cluster", "two-way", "CR2"]

ROUGH_DF: Final = 4.0
"""Below so many Satterthwaite degrees of freedom CR2 is only a rough guide (Pustejovsky and Tipton, 2018)."""


def regression_effect(task: EffectTask, errors: RegressionErrors) -> FoundEffect:
    """Return the difference between the arms of a regression after matching, with one kind of error."""
    if errors == "two-way":
        return _two_ways(task)
    rows = unit_rows(task)
    if errors == "cluster":
        return _clustered(task, rows)
    return _bias_reduced(task, rows) if errors == "CR2" else _by_unit(task, rows, errors)


def fitted(rows: MatchedRows) -> Fit:
    """Return the regression; raise `DesignError` where covariates leave nothing to compare."""
    try:
        return arm_fit(rows.arms)
    except CollinearError:
        raise DesignError(
            "Given the columns to adjust for, treated and comparison units have nothing in common (a category that "
            "only one arm has, or an arm of too few units), so that the difference would be extrapolated. Adjust for "
            "fewer columns."
        ) from None


def shares_partners(design: MatchedDesign) -> bool:
    """Return whether partners may serve in several pairs, so that there are no separate sets."""
    return design.pairs is not None and design.strata is None


def set_noun(design: MatchedDesign) -> str:
    """Return what the matched sets of a design are called."""
    option = design.option
    if isinstance(option, Subclassification):
        return "subclass"
    if isinstance(option, ExactMatching) or (isinstance(option, CoarsenedExact) and not option.one_to_one):
        return "stratum"
    is_paired = isinstance(option, NearestNeighbour | OptimalMatching) and option.ratio == 1
    return "matched pair" if is_paired or isinstance(option, CoarsenedExact) else "matched set"


def _by_unit(task: EffectTask, rows: MatchedRows, errors: Literal["HC1", "HC3"]) -> FoundEffect:
    if task.cluster is not None:
        raise DesignError(f"{errors} errors take units as independent, and clusters were given. Leave one of them out.")
    fit = fitted(rows)
    df = float(len(rows.unit) - n_parameters(fit))
    alone = why_no_error(task) is not None  # HC3 would divide by zero for a unit alone in its arm
    std_error = hc1_error(fit) if errors == "HC1" or alone else hc3_error(fit)
    estimate = guarded_estimate(task, float(fit.coefficients[0]), std_error, df)
    return FoundEffect(estimate=estimate, inference=f"robust with independent units ({errors}), {freedom(df)}")


def _groups(task: EffectTask, rows: MatchedRows) -> tuple[Ints, str]:
    """Return the clusters of errors clustered one way, and their noun: those given, or the matched sets."""
    if task.cluster is not None:
        return np.unique(task.cluster[rows.unit], return_inverse=True)[1], "the clusters given"
    if rows.matched_set is not None:
        return rows.matched_set, set_noun(task.design)
    if shares_partners(task.design):
        raise DesignError(
            "With replacement matched pairs share units, so that they are no separate clusters. Ask for two-way errors "
            "(by pair and unit), or name clusters above the unit."
        )
    raise DesignError(
        "This method makes no pairs or strata that errors could be clustered by. Ask for HC3 errors (m-estimation for "
        "weights), or name clusters above the unit."
    )


def _clustered(task: EffectTask, rows: MatchedRows) -> FoundEffect:
    codes, noun = _groups(task, rows)
    fit, n = fitted(rows), int(codes.max()) + 1
    value = float(fit.coefficients[0])
    if n < 2:
        return FoundEffect(estimate=_one_set(task, value, noun), inference="none", n_clusters=n)
    estimate = guarded_estimate(task, value, clustered_error(fit, codes), n - 1.0)
    words = f"cluster-robust by {noun} (HC1 correction), {freedom(n - 1.0)}"
    return FoundEffect(estimate=estimate, inference=words, n_clusters=n, notes=few_clusters_note(task))


def _bias_reduced(task: EffectTask, rows: MatchedRows) -> FoundEffect:
    codes, noun = _groups(task, rows)
    value, n = float(fitted(rows).coefficients[0]), int(codes.max()) + 1
    if n < 2:
        return FoundEffect(estimate=_one_set(task, value, noun), inference="none", n_clusters=n)
    std_error, df = cr2_error(rows.arms, codes)
    if task.cluster is not None:  # not more than of alike clusters: units of one are not independent
        df = min(df, task.cluster_model.df(ARMS))
    notes = () if df >= ROUGH_DF else (f"With {df:.1f} degrees of freedom the error is only a rough guide.",)
    words = f"cluster-robust by {noun} (CR2), {freedom(df)} (Satterthwaite)"
    estimate = guarded_estimate(task, value, std_error, df)
    return FoundEffect(estimate=estimate, inference=words, n_clusters=n, notes=notes)


def _two_ways(task: EffectTask) -> FoundEffect:
    rows = pair_rows(task) if shares_partners(task.design) else unit_rows(task)
    if rows.matched_set is None or (task.cluster is None and not shares_partners(task.design)):
        raise DesignError(
            "Two-way errors are clustered by matched set and by unit, which needs matching with replacement, or by "
            "matched set and by clusters above the unit, which needs sets. Ask for errors 'default'."
        )
    second = rows.unit if task.cluster is None else task.cluster[rows.unit]
    codes = np.unique(second, return_inverse=True)[1].astype(np.int64)
    fit, fewer = fitted(rows), float(min(rows.n_sets, int(codes.max()) + 1))
    if fewer < 2:
        return FoundEffect(estimate=_one_set(task, float(fit.coefficients[0]), set_noun(task.design)), inference="none")
    variance, is_replaced = two_way_variance(fit, rows.matched_set, codes)
    estimate = guarded_estimate(task, float(fit.coefficients[0]), float(np.sqrt(variance)), fewer - 1)
    return FoundEffect(
        estimate=estimate,
        inference=_two_way_words(task, fewer - 1),
        n_clusters=int(fewer),
        notes=(*((_REPLACED,) if is_replaced else ()), *few_clusters_note(task)),
    )


_REPLACED: Final = (
    "The two-way variance came out as zero or less, as it can in small samples; the larger of the two one-way "
    "variances stands in for it."
)


def _two_way_words(task: EffectTask, df: float) -> str:
    other = "unit" if task.cluster is None else "the clusters given"
    return f"two-way cluster-robust by {set_noun(task.design)} and {other} (HC1 correction), {freedom(df)}"


def _one_set(task: EffectTask, value: float, noun: str) -> Estimate:
    reason = why_no_error(task) or f"There is one {noun} only, so that no error can be clustered by it."
    return Estimate(value, Unavailable(reason))
