"""The weighted regression after matching, with errors for independent units, sets, clusters, or two of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import (
    CoarsenedExact,
    ExactMatching,
    NearestNeighbour,
    OptimalMatching,
    Subclassification,
)
from evalkit.estimate.cluster_model import ARMS
from evalkit.estimate.effect import ExplainedEstimate, few_clusters_note, freedom, guarded_estimate, why_no_error
from evalkit.estimate.least_squares_arrays import CollinearError, LeastSquaresFit, n_parameters
from evalkit.estimate.matched.contrast_arrays import (
    ArmRows,
    arm_fit,
    clustered_error,
    cr2_error,
    hc1_error,
    hc3_error,
    two_way_variance,
)
from evalkit.estimate.matched.task import EffectTask

RegressionErrors = Literal["HC1", "HC3", "cluster", "two-way", "CR2"]
ROUGH_DF: Final = 4.0
"""Below so many Satterthwaite degrees of freedom CR2 is only a rough guide (Pustejovsky and Tipton, 2018)."""


def regression_effect(task: EffectTask, errors: RegressionErrors) -> ExplainedEstimate:
    """Return the difference between the arms of a regression after matching, with one kind of error."""
    if errors == "two-way":
        return _two_ways(task)
    rows = unit_rows(task)
    if errors == "cluster":
        return _clustered(task, rows)
    return _bias_reduced(task, rows) if errors == "CR2" else _by_unit(task, rows, errors)


def fitted(rows: MatchedRows) -> LeastSquaresFit:
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


def _by_unit(task: EffectTask, rows: MatchedRows, errors: Literal["HC1", "HC3"]) -> ExplainedEstimate:
    if task.cluster is not None:
        raise DesignError(f"{errors} errors take units as independent, and clusters were given. Leave one of them out.")
    fit = fitted(rows)
    df = float(len(rows.unit) - n_parameters(fit))
    alone = why_no_error(task) is not None  # HC3 would divide by zero for a unit alone in its arm
    std_error = hc1_error(fit) if errors == "HC1" or alone else hc3_error(fit)
    estimate = guarded_estimate(task, float(fit.coefficients[0]), std_error, df)
    return ExplainedEstimate(estimate=estimate, inference=f"robust with independent units ({errors}), {freedom(df)}")


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


def _clustered(task: EffectTask, rows: MatchedRows) -> ExplainedEstimate:
    codes, noun = _groups(task, rows)
    fit, n = fitted(rows), int(codes.max()) + 1
    value = float(fit.coefficients[0])
    if n < 2:
        return ExplainedEstimate(estimate=_one_set(task, value, noun), inference="none", n_clusters=n)
    estimate = guarded_estimate(task, value, clustered_error(fit, codes), n - 1.0)
    words = f"cluster-robust by {noun} (HC1 correction), {freedom(n - 1.0)}"
    return ExplainedEstimate(estimate=estimate, inference=words, n_clusters=n, notes=few_clusters_note(task))


def _bias_reduced(task: EffectTask, rows: MatchedRows) -> ExplainedEstimate:
    codes, noun = _groups(task, rows)
    value, n = float(fitted(rows).coefficients[0]), int(codes.max()) + 1
    if n < 2:
        return ExplainedEstimate(estimate=_one_set(task, value, noun), inference="none", n_clusters=n)
    std_error, df = cr2_error(rows.arms, codes)
    if task.cluster is not None:  # not more than of alike clusters: units of one are not independent
        df = min(df, task.cluster_model.df(ARMS))
    notes = () if df >= ROUGH_DF else (f"With {df:.1f} degrees of freedom the error is only a rough guide.",)
    words = f"cluster-robust by {noun} (CR2), {freedom(df)} (Satterthwaite)"
    estimate = guarded_estimate(task, value, std_error, df)
    return ExplainedEstimate(estimate=estimate, inference=words, n_clusters=n, notes=notes)


def _two_ways(task: EffectTask) -> ExplainedEstimate:
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
        return ExplainedEstimate(
            estimate=_one_set(task, float(fit.coefficients[0]), set_noun(task.design)), inference="none"
        )
    variance, is_replaced = two_way_variance(fit, rows.matched_set, codes)
    estimate = guarded_estimate(task, float(fit.coefficients[0]), float(np.sqrt(variance)), fewer - 1)
    return ExplainedEstimate(
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


# The rows of a regression after matching: one for each unit, or one for each unit in each matched set.


@dataclass(frozen=True, slots=True, eq=False)
class MatchedRows:
    """Rows with what they belong to.

    Attributes
    ----------
    arms : ArmRows, covariates centred at the target group's means
    unit : shape (n,), positions in the baseline
    matched_set : shape (n,), or None
        Codes 0, 1, … of matched pairs, sets or strata; None where the method makes none.
    """

    arms: ArmRows
    unit: Ints
    matched_set: Ints | None

    @property
    def n_sets(self) -> int:
        """Return the number of matched sets, 0 where there are none."""
        return 0 if self.matched_set is None else int(self.matched_set.max()) + 1


def unit_rows(task: EffectTask) -> MatchedRows:
    """Return one row for each unit used, weighted as the design weights it."""
    design = task.design
    unit = np.flatnonzero(design.is_used)
    matched_set = None
    if design.strata is not None:
        matched_set = np.unique(design.strata[unit], return_inverse=True)[1].astype(np.int64)
    return _rows(task, unit, design.weights[unit], matched_set)


def pair_rows(task: EffectTask) -> MatchedRows:
    """Return for each matched set its focal unit, of weight 1, and its partners, which share a weight of 1.

    A partner that serves in several sets has a row in each, so that rows are clustered by set and by unit.
    """
    focal, partner = focal_and_partner(task.design)
    focals, of_set = np.unique(focal, return_inverse=True)
    share = 1 / np.bincount(of_set)[of_set]
    unit = np.concatenate([focals, partner])
    matched_set = np.concatenate([np.arange(len(focals)), of_set])
    return _rows(task, unit, np.concatenate([np.ones(len(focals)), share]), matched_set)


def focal_and_partner(design: MatchedDesign) -> tuple[Ints, Ints]:
    """Return the positions of each pair's focal unit (treated for the ATT) and of its partner."""
    assert design.pairs is not None
    both = design.pairs.treated, design.pairs.comparison
    return both if design.target != "ATC" else (both[1], both[0])


def _rows(task: EffectTask, unit: Ints, weight: Floats, matched_set: Ints | None) -> MatchedRows:
    centre = task.covariates[task.target].mean(axis=0)
    arms = ArmRows(
        task.outcome[unit],
        weight,
        task.design.baseline.is_treated[unit],
        task.covariates[unit] - centre,
        task.options.how == "g-computation",
    )
    return MatchedRows(arms, unit, matched_set)
