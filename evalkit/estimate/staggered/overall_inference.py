"""The inference on the overall group-time effect that its numbers of clusters support."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.draws import stream
from evalkit.core.errors import DesignError
from evalkit.core.quantities import ROUNDING, Estimate, Unavailable
from evalkit.design.clusters import CR2, LEAST_DF, InferenceMethod, Recommendation, recommended_inference
from evalkit.design.panel.staggered import StaggeredDesign
from evalkit.estimate.cluster_model import ClusterModel, is_mixed
from evalkit.estimate.effect import Inference
from evalkit.estimate.inversion_arrays import Reference
from evalkit.estimate.staggered.cells import GroupTimeEffects
from evalkit.estimate.staggered.influence_arrays import ExchangedCell, exchanged_effects, exchanged_sums
from evalkit.estimate.staggered.summaries import NO_VARIATION, Summary, overall_effect
from evalkit.estimate.two_way.inference_arrays import assignments, places
from evalkit.estimate.two_way.recommended import InferenceOptions

EXCHANGED: Final[InferenceMethod] = "randomisation inference"
ONLY_MEANS = (
    "Whole clusters can change places only for a balanced panel with weights that stay the same, without covariates, "
    "and estimated from mean changes. Use the group-time estimator on such a panel, or the two-way estimator."
)
NO_SPREAD = "No cohort has two clusters, so that nothing tells how much they vary."
MIXED = (
    "So few treated clusters are judged by putting other clusters in their places, which cannot be done here: a "
    "cluster holds units of more than one cohort, or treated units and units to compare them with."
)


def recommendation(effects: GroupTimeEffects, model: ClusterModel | None = None) -> Recommendation:
    """Return the inference that a design's clusters and their shares in the overall effect support."""
    design = effects.design
    noun = "unit" if design.cluster is None and design.is_panel else "cluster"
    model = model or ClusterModel.of(design)
    given = _given_to_means(effects, overall_effect(effects).weights, model.weight)
    return recommended_inference(model.counts, noun, model.concentration(given))


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
    if overall.estimate.std_error == Unavailable(NO_VARIATION):
        return Inference.unavailable(advice.inference, NO_VARIATION)
    match advice.inference:
        case "unavailable":
            return Inference.unavailable("unavailable", advice.reason)
        case "cluster-robust":
            note = f"Influence functions summed over {effects.influence.n_clusters} clusters."
            return inference_of(overall.estimate, "cluster-robust", note, options.level)
        case "CR2 with Satterthwaite degrees of freedom":
            estimate = small_sample_estimate(effects, overall)
            is_short = estimate.df is not None and estimate.df < LEAST_DF
            if isinstance(estimate.std_error, Unavailable) or is_short:  # cohorts of one or two clusters each
                return exchanged_inference(effects, options)
            return inference_of(estimate, CR2, corrected_note(effects, estimate), options.level)
    return exchanged_inference(effects, options)


def corrected_note(effects: GroupTimeEffects, estimate: Estimate) -> str:
    """Return how an error was corrected for few clusters, and what it leaves out."""
    how = "corrected for the clusters of each cohort"
    if is_mixed(effects.design):
        how += ", of which some hold units of several or units never treated"
    df = f"{estimate.df:.1f}" if estimate.df is not None else "no"
    return f"Influence functions {how}; Student's t, {df} degrees of freedom."


def inference_of(estimate: Estimate, method: InferenceMethod, note: str, level: float) -> Inference:
    """Return what an estimate's own error says, by a method named."""
    if isinstance(estimate.std_error, Unavailable):
        return Inference.unavailable(method, estimate.std_error.reason)
    return Inference(
        method=method,
        std_error=estimate.std_error,
        df=estimate.df,
        interval=estimate.interval(level),
        p_value=estimate.p_value,
        note=note,
    )


def small_sample_estimate(effects: GroupTimeEffects, summary: Summary, model: ClusterModel | None = None) -> Estimate:
    """Return a summary's estimate with an error that allows for few clusters in a cohort.

    With h_g a cluster's share of its cohort's weight and ψ_g its
    contribution, that of cohorts' shares included where they are estimated, the variance is Σ_g ψ_g²/(1 − 2h_g + Σh²),
    the sum over its cohort: the bias-reduced form (CR2) of a weighted mean of clusters that are alike (the identity
    working covariance of Pustejovsky and Tipton, 2018; Bell and McCaffrey, 2002). Degrees of freedom are
    Satterthwaite's under the same model (`ClusterModel.df`). Where a cluster holds several strata, its parts are taken
    to be independent, and its contribution is that of all of them (`ClusterModel.deflator`).
    """
    if isinstance(summary.estimate, Unavailable):
        raise DesignError(summary.estimate.reason)
    if isinstance(summary.estimate.std_error, Unavailable):
        return summary.estimate
    model = model or ClusterModel.of(effects.design)
    given = _given_to_means(effects, summary.weights, model.weight)
    df = model.df(given)
    if df == 0:
        return Estimate(summary.estimate.value, Unavailable(NO_SPREAD))
    contribution = effects.influence.combined(summary.weights[:, None])
    variance = float(model.covariance(contribution, given[None, :])[0, 0])
    return Estimate(summary.estimate.value, float(np.sqrt(variance * effects.factor)), df)


def _given_to_means(effects: GroupTimeEffects, weights: Floats, total: Floats) -> Floats:
    """Return the weight a summary gives to the mean change of each stratum, shape (n_cohorts + 1,).

    Estimators that compare with everyone untreated are taken to give the comparison to all of them by weight.
    """
    return weights[: len(effects.cells)] @ given_by_cells(effects, total)


def given_by_cells(effects: GroupTimeEffects, total: Floats) -> Floats:
    """Return the weight each cell gives to the mean change of each stratum, shape (n_cells, n_cohorts + 1)."""
    design = effects.design
    plans = {(plan.cohort, plan.period): plan.compared for plan in design.cells()}
    given = np.zeros((len(effects.cells), len(total)))
    for at, cell in enumerate(effects.cells):
        others = list(plans.get((cell.cohort, cell.period), ()) or (len(design.cohorts),))
        if cell.is_reference or total[others].sum() <= 0:
            continue
        given[at, design.cohorts.index(cell.cohort)] += 1.0
        given[at, others] -= total[others] / total[others].sum()
    return given


def exchanged_inference(effects: GroupTimeEffects, options: InferenceOptions) -> Inference:
    """Return the overall effect's place among those of other assignments of whole clusters to the cohorts.

    p is the share of assignments with an effect at least as large, the actual one among them (Fisher, 1935);
    the interval holds every constant effect that is not rejected. All assignments where there are at most 20,000,
    else draws.
    """
    design = effects.design
    reason = why_not_exchanged(effects)
    if reason:
        return Inference.unavailable(EXCHANGED, reason)
    stratum = ClusterModel.of(design).stratum
    total, weight = sums_by_cluster(design)
    never = len(design.cohorts)
    cohort = np.where(stratum == never, 0, stratum + 1).astype(np.intp)
    nobody = np.zeros(len(cohort), dtype=np.intp)
    who = assignments(cohort, nobody, options.n_draws, stream(options.seed, "randomisation: group-time"))
    actual_places = places(cohort, nobody)
    assigned = np.full((len(who), len(cohort)), never, dtype=np.intp)
    np.put_along_axis(assigned, who, np.broadcast_to(stratum[actual_places], who.shape), axis=1)
    outcome, treatment = (exchanged_sums(total[:, :, m], weight, assigned) for m in (0, 1))
    found, slope = (exchanged_effects(sums, _places(effects)) for sums in (outcome, treatment))
    actual = int(np.flatnonzero((assigned == stratum).all(axis=1))[0])
    reference = reference_of(found, slope, actual, effects.scale)
    if isinstance(reference, Unavailable):
        return Inference.unavailable(EXCHANGED, reference.reason)
    return Inference(
        method=EXCHANGED,
        std_error=Unavailable("Clusters that change places give a p-value and an interval, but no standard error."),
        df=None,
        interval=reference.interval(options.level),
        p_value=reference.p_value(),
        note=f"{len(found):,} assignments of whole clusters compared; fair if any cluster could have been treated.",
        n_ranked=len(found),
    )


def reference_of(found: Floats, slope: Floats, actual: int, scale: float) -> Reference | Unavailable:
    """Return the distribution of an effect over assignments, or that without the effect nothing varies.

    `found` and `slope` have shape (n_assignments,): the effect, and what a constant effect of 1 on those treated adds
    to it.
    """
    if np.abs(found - found[actual] * slope).max() <= ROUNDING * max(scale, 1e-300):
        return Unavailable(NO_VARIATION)
    return Reference.unscaled(float(found[actual]), float(found.std()) or 1.0, found, slope)


def why_not_exchanged(effects: GroupTimeEffects) -> str:
    """Return why whole clusters cannot change places in a design, or an empty text."""
    design = effects.design
    if not design.is_panel or design.panel.covariates or not design.panel.is_balanced or not design.n_never:
        return ONLY_MEANS
    if effects.method not in ("dr", "ipw", "reg") or (np.ptp(design.panel.grid("weight"), axis=1) > 0).any():
        return ONLY_MEANS
    return MIXED if is_mixed(design) else ""


def sums_by_cluster(design: StaggeredDesign) -> tuple[Floats, Floats]:
    """Return each cluster's weighted sums of the outcome and of the actual treatment by period, and its weight.

    Units' first outcomes, and means by period of what is left, are taken out of outcomes: they drop out of every
    difference of mean changes, and large levels would part by rounding the assignments that give the same.
    """
    weight = design.panel.grid("weight")[:, 0]
    outcome = design.panel.grid("outcome")
    outcome = outcome - outcome[:, :1]
    outcome = outcome - outcome.mean(axis=0)
    start = np.append(np.array(design.cohorts, dtype=float), np.inf)[design.stratum]
    treated = (np.array(design.panel.periods) >= start[:, None]).astype(float)
    cluster = np.arange(len(weight)) if design.cluster is None else design.cluster
    total = np.zeros((design.n_clusters, len(design.panel.periods), 2))
    np.add.at(total, cluster, weight[:, None, None] * np.stack([outcome, treated], axis=2))
    return total, np.bincount(cluster, weight, design.n_clusters).astype(float)


def cell_places(effects: GroupTimeEffects, which: Sequence[int]) -> tuple[ExchangedCell, ...]:
    """Return some cells of group-time effects by the positions of their cohort, period and base."""
    at = {period: position for position, period in enumerate(effects.design.panel.periods)}
    plans = effects.design.cells()
    return tuple(
        ExchangedCell(effects.design.cohorts.index(plan.cohort), at[plan.period], at[plan.base], plan.compared)
        for plan in (plans[position] for position in which)
    )


def _places(effects: GroupTimeEffects) -> tuple[ExchangedCell, ...]:
    """Return the cells after the start that have an estimate."""
    after = [
        position
        for position, cell in enumerate(effects.cells)
        if cell.event_time >= 0 and not isinstance(cell.value, Unavailable)
    ]
    return cell_places(effects, after)
