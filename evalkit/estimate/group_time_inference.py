"""The inference on the overall group-time effect that its numbers of clusters support."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.core.seeds import stream
from evalkit.design.clusters import ClusterCounts, InferenceMethod, Recommendation
from evalkit.design.staggered import StaggeredDesign
from evalkit.estimate.arrays.assignments import assignments, places
from evalkit.estimate.arrays.exchanged import Place, exchanged_effects
from evalkit.estimate.arrays.inversion import Reference
from evalkit.estimate.group_time import GroupTimeEffects
from evalkit.estimate.inference import Inference
from evalkit.estimate.recommended import InferenceOptions
from evalkit.estimate.summaries import Summary, overall_effect

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

CORRECTED: Final[InferenceMethod] = "CR2 with Satterthwaite degrees of freedom"
EXCHANGED: Final[InferenceMethod] = "randomisation inference"
ONLY_MEANS = (
    "Whole clusters can change places only for a balanced panel with weights that stay the same, without covariates, "
    "and estimated from mean changes. Use the two-way estimator for the inference recommended."
)
NO_SPREAD = "No cohort has two clusters, so that nothing tells how much they vary."
MIXED = "A cluster holds units of more than one cohort, so that clusters cannot change places."


def cluster_counts(design: StaggeredDesign) -> ClusterCounts:
    """Return the clusters that hold treated units seen since their start, and those with units to compare them with.

    Where every unit is treated in the end, the last cohort is what the others are compared with.
    """
    n_strata = len(design.cohorts) + (design.n_never > 0)
    is_treated = design.is_carrying & (design.stratum < n_strata - 1)
    is_compared = design.stratum == n_strata - 1
    if design.cluster is None:
        return ClusterCounts(int(is_treated.sum()), int(is_compared.sum()))
    return ClusterCounts(*(len(np.unique(design.cluster[arm])) for arm in (is_treated, is_compared)))


def overall_inference(effects: GroupTimeEffects, advice: Recommendation, options: InferenceOptions) -> Inference:
    """Return error, interval and p-value of the overall effect by the inference recommended, or why it has none.

    With many clusters the influence functions' own error; with few, that error corrected for the clusters of each
    cohort (`small_sample_estimate`); with one or two treated clusters, or mostly one in each cohort, the effect's
    place among those that arise when other clusters take the treated ones' places (`exchanged_inference`), which is
    the comparison that Conley and Taber (2011) make as well.
    """
    overall = overall_effect(effects)
    if isinstance(overall.estimate, Unavailable):
        return Inference.unavailable(advice.inference, overall.estimate.reason)
    match advice.inference:
        case "unavailable":
            return Inference.unavailable("unavailable", advice.reason)
        case "cluster-robust":
            note = f"Influence functions summed over {effects.influence.n_clusters} clusters."
            return _of(overall.estimate, "cluster-robust", note, options)
        case "CR2 with Satterthwaite degrees of freedom":
            estimate = small_sample_estimate(effects, overall)
            if isinstance(estimate.std_error, Unavailable):  # cohorts of a single cluster each, most of them
                return exchanged_inference(effects, options)
            return _of(estimate, CORRECTED, _corrected(effects, estimate), options)
    return exchanged_inference(effects, options)


def _corrected(effects: GroupTimeEffects, estimate: Estimate) -> str:
    """Return how an error was corrected for few clusters, and what it leaves out."""
    how = "corrected for the clusters of each cohort"
    if _is_mixed(effects.design):
        how = "corrected by the number of clusters on the smaller side, as clusters hold units of several cohorts"
    df = f"{estimate.df:.1f}" if estimate.df is not None else "no"
    return f"Influence functions {how}; Student's t, {df} degrees of freedom."


def _of(estimate: Estimate, method: InferenceMethod, note: str, options: InferenceOptions) -> Inference:
    if isinstance(estimate.std_error, Unavailable):
        return Inference.unavailable(method, estimate.std_error.reason)
    interval, p_value = estimate.interval(options.level), estimate.p_value
    return Inference(
        method=method, std_error=estimate.std_error, df=estimate.df, interval=interval, p_value=p_value, note=note
    )


def small_sample_estimate(effects: GroupTimeEffects, summary: Summary) -> Estimate:
    """Return a summary's estimate with an error that allows for few clusters in a cohort.

    A cluster belongs to the earliest cohort it holds. With h_g a cluster's share of its cohort's weight M_s and
    ψ_g its contribution, that of cohorts' shares included where they are estimated, the variance is
    Σ_g ψ_g²/(1 − h_g): the bias-reduced form (CR2) of a weighted mean in each cohort. Degrees of freedom are
    Satterthwaite's under units alike and independent, (Σ_s μ_s)²/Σ_s μ_s²/d_s, with μ_s = b_s²/M_s, b_s what the
    summary gives to the mean of cohort s, and
    d_s = 1/(Σ h_g² + Σ_{g≠g'} h_g² h_g'²/((1 − h_g)(1 − h_g'))), which is n_s − 1 where a cohort's n_s clusters are
    alike (Bell and McCaffrey, 2002). Where a cluster holds several strata, contributions are not taken apart: the
    variance is n/(n − 1) Σ ψ_g² with n − 1 degrees of freedom, n the smaller of the numbers of treated and
    comparison clusters.
    """
    if isinstance(summary.estimate, Unavailable):
        raise DesignError(summary.estimate.reason)
    if isinstance(summary.estimate.std_error, Unavailable):
        return summary.estimate
    contribution = effects.influence.combined(summary.weights[:, None])[:, 0]
    if _is_mixed(effects.design):
        variance, df = _of_smaller_side(effects, contribution)
    else:
        variance, df = _by_stratum(effects, summary.weights, contribution)
    if df == 0:
        return Estimate(summary.estimate.value, Unavailable(NO_SPREAD))
    return Estimate(summary.estimate.value, float(np.sqrt(variance * effects.factor)), df)


def _is_mixed(design: StaggeredDesign) -> bool:
    """Return whether a cluster holds units of more than one stratum."""
    return design.cluster is not None and bool((design.is_in_cluster.sum(axis=0) > 1).any())


def _of_smaller_side(effects: GroupTimeEffects, contribution: Floats) -> tuple[float, float]:
    """Return variance and df by the number of clusters on the side that has fewer."""
    counts = cluster_counts(effects.design)
    n = min(counts.n_treated, counts.n_comparison)
    return float((contribution**2).sum()) * n / max(n - 1, 1), float(max(n - 1, 0))


def _by_stratum(effects: GroupTimeEffects, weights: Floats, contribution: Floats) -> tuple[float, float]:
    """Return the bias-reduced variance and Satterthwaite's degrees of freedom."""
    stratum, size = _clusters(effects.design)
    total = np.bincount(stratum, size, len(effects.design.cohorts) + 1).astype(float)
    given = _given_to_means(effects, weights, total)
    variance, expected, squared = 0.0, 0.0, 0.0
    for s in np.flatnonzero(given):
        share = size[stratum == s] / total[s]
        if len(share) < 2:
            continue  # summaries withhold the error where such cohorts carry most of the weight, and note it otherwise
        variance += float((contribution[stratum == s] ** 2 / (1 - share)).sum())
        mean = given[s] ** 2 / total[s]
        expected, squared = expected + mean, squared + mean**2 / _df(share)
    return variance, float(expected**2 / squared) if squared else 0.0


def _given_to_means(effects: GroupTimeEffects, weights: Floats, total: Floats) -> Floats:
    """Return the weight a summary gives to the mean change of each stratum, shape (n_cohorts + 1,).

    Estimators that compare with everyone untreated are taken to give the comparison to all of them by weight.
    """
    design = effects.design
    plans = {(plan.cohort, plan.period): plan.compared for plan in design.cells()}
    given = np.zeros(len(total))
    for cell, weight in zip(effects.cells, weights, strict=False):
        others = list(plans.get((cell.cohort, cell.period), ()) or (len(design.cohorts),))
        if weight != 0 and total[others].sum() > 0:
            given[design.cohorts.index(cell.cohort)] += weight
            given[others] -= weight * total[others] / total[others].sum()
    return given


def _df(share: Floats) -> float:
    """Return the degrees of freedom of the variance of a weighted mean whose clusters have these shares."""
    ratio = share**2 / (1 - share)
    off = ratio.sum() ** 2 - (ratio**2).sum()
    return float(1 / ((share**2).sum() + off))


def _clusters(design: StaggeredDesign) -> tuple[Codes, Floats]:
    """Return the earliest stratum of each cluster and the weight of its units there."""
    weight = design.observations.frame["weight"].to_numpy(dtype=float)
    if design.is_panel:
        weight = weight[design.panel.first_rows]
    if design.cluster is None:
        return design.stratum.astype(np.intp), weight
    earliest = np.argmax(design.is_in_cluster, axis=0).astype(np.intp)
    is_own = design.stratum == earliest[design.cluster]
    return earliest, np.bincount(design.cluster, np.where(is_own, weight, 0.0), design.n_clusters).astype(float)


def exchanged_inference(effects: GroupTimeEffects, options: InferenceOptions) -> Inference:
    """Return the overall effect's place among those of other assignments of whole clusters to the cohorts.

    p is the share of assignments with an effect at least as large, the actual one among them (Fisher, 1935);
    the interval holds every constant effect that is not rejected. All assignments where there are at most 20,000,
    else draws.
    """
    design = effects.design
    reason = _why_not(effects)
    if reason:
        return Inference.unavailable(EXCHANGED, reason)
    stratum, _ = _clusters(design)
    total, weight = _sums(design)
    never = len(design.cohorts)
    cohort = np.where(stratum == never, 0, stratum + 1).astype(np.intp)
    nobody = np.zeros(len(cohort), dtype=np.intp)
    who = assignments(cohort, nobody, options.n_draws, stream(options.seed, "randomisation: group-time"))
    own = places(cohort, nobody)
    assigned = np.full((len(who), len(cohort)), never, dtype=np.intp)
    np.put_along_axis(assigned, who, np.broadcast_to(stratum[own], who.shape), axis=1)
    found = exchanged_effects(total, weight, assigned, _places(effects))
    actual = int(np.flatnonzero((assigned == stratum).all(axis=1))[0])
    one, none = np.ones(len(found)), np.zeros(len(found))
    spread = float(found[:, 0].std()) or 1.0
    reference = Reference(float(found[actual, 0]), spread, found[:, 0], found[:, 1], one * spread**2, none, none)
    return Inference(
        method=EXCHANGED,
        std_error=Unavailable("Clusters that change places give a p-value and an interval, but no standard error."),
        df=None,
        interval=reference.interval(options.level),
        p_value=reference.p_value(),
        note=f"{len(found):,} assignments of whole clusters compared; fair if any cluster could have been treated.",
    )


def _why_not(effects: GroupTimeEffects) -> str:
    design = effects.design
    if not design.is_panel or design.panel.covariates or not design.panel.is_balanced or not design.n_never:
        return ONLY_MEANS
    if effects.method not in ("dr", "ipw", "reg") or (np.ptp(design.panel.grid("weight"), axis=1) > 0).any():
        return ONLY_MEANS
    return MIXED if _is_mixed(design) else ""


def _sums(design: StaggeredDesign) -> tuple[Floats, Floats]:
    """Return each cluster's weighted sums of the outcome and of the actual treatment by period, and its weight."""
    weight = design.panel.grid("weight")[:, 0]
    start = np.append(np.array(design.cohorts, dtype=float), np.inf)[design.stratum]
    treated = (np.array(design.panel.periods) >= start[:, None]).astype(float)
    cluster = np.arange(len(weight)) if design.cluster is None else design.cluster
    total = np.zeros((design.n_clusters, len(design.panel.periods), 2))
    np.add.at(total, cluster, weight[:, None, None] * np.stack([design.panel.grid("outcome"), treated], axis=2))
    return total, np.bincount(cluster, weight, design.n_clusters).astype(float)


def _places(effects: GroupTimeEffects) -> tuple[Place, ...]:
    """Return the cells after the start that have an estimate."""
    at = {period: position for position, period in enumerate(effects.design.panel.periods)}
    return tuple(
        Place(effects.design.cohorts.index(plan.cohort), at[plan.period], at[plan.base], plan.compared)
        for plan, cell in zip(effects.design.cells(), effects.cells, strict=True)
        if cell.event_time >= 0 and not isinstance(cell.value, Unavailable)
    )
