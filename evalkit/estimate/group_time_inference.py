"""The inference on the overall group-time effect that its numbers of clusters support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.core.seeds import stream
from evalkit.design.arrays.shares import MeanVariance, mean_variance
from evalkit.design.clusters import (
    BEYOND,
    LEAST_DF,
    ClusterCounts,
    Concentration,
    InferenceMethod,
    Recommendation,
    recommended_inference,
)
from evalkit.design.staggered import StaggeredDesign
from evalkit.estimate.arrays.assignments import assignments, places
from evalkit.estimate.arrays.exchanged import Place, exchanged_effects
from evalkit.estimate.arrays.inversion import Reference
from evalkit.estimate.group_time import GroupTimeEffects
from evalkit.estimate.inference import ROUNDING, Inference
from evalkit.estimate.recommended import InferenceOptions
from evalkit.estimate.summaries import NO_VARIATION, Summary, overall_effect

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

CORRECTED: Final[InferenceMethod] = "CR2 with Satterthwaite degrees of freedom"
EXCHANGED: Final[InferenceMethod] = "randomisation inference"
ONLY_MEANS = (
    "Whole clusters can change places only for a balanced panel with weights that stay the same, without covariates, "
    "and estimated from mean changes. Use the group-time estimator on such a panel, or the two-way estimator."
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


@dataclass(frozen=True, slots=True, eq=False)
class ClusterModel:
    """The clusters of a design as CR2 sees them: alike and independent, each carrying a share of its stratum's mean.

    Attributes
    ----------
    stratum : shape (n_clusters,), the earliest stratum a cluster holds (a cohort, or the never-treated, last)
    share : shape (n_clusters,), of the weight of its stratum; sums to 1 in each
    weight : shape (n_strata,), the weight of each stratum
    n : shape (n_strata,), its clusters
    terms : for each stratum the variance of its mean and what the degrees of freedom need; None with one cluster
    is_mixed : whether a cluster holds units of more than one stratum, so that contributions cannot be taken apart
    n_smaller : the clusters on the side that has fewer
    """

    stratum: Codes
    share: Floats
    weight: Floats
    n: Codes
    terms: tuple[MeanVariance | None, ...]
    is_mixed: bool
    n_smaller: int

    @classmethod
    def of(cls, design: StaggeredDesign) -> ClusterModel:
        """Return the model of a design's clusters."""
        return cls._of(design, *_clusters(design), len(design.cohorts) + 1)

    @classmethod
    def of_two_arms(cls, design: StaggeredDesign) -> ClusterModel:
        """Return the model with all treated clusters as one stratum and the never-treated as the other."""
        stratum, size = _clusters(design)
        return cls._of(design, (stratum == len(design.cohorts)).astype(np.intp), size, 2)

    @classmethod
    def _of(cls, design: StaggeredDesign, stratum: Codes, size: Floats, n_strata: int) -> ClusterModel:
        weight = np.bincount(stratum, size, n_strata).astype(float)
        share = size / np.where(weight[stratum] > 0, weight[stratum], 1.0)
        n = np.bincount(stratum, size > 0, n_strata).astype(np.intp)
        terms = tuple(mean_variance(share[(stratum == s) & (size > 0)]) if n[s] > 1 else None for s in range(n_strata))
        counts = cluster_counts(design)
        return cls(stratum, share, weight, n, terms, _is_mixed(design), min(counts.n_treated, counts.n_comparison))

    def deflator(self) -> Floats:
        """Return what squares of contributions are divided by, 1 − 2h_g + Σh² of a cluster's stratum; 1 if alone."""
        squares = np.array([1.0 if term is None else term.expected for term in self.terms])
        divisor: Floats = np.where(
            (self.n[self.stratum] > 1) & (self.share > 0), 1 - 2 * self.share + squares[self.stratum], 1.0
        )
        return divisor

    def df(self, given: Floats) -> float:
        """Return Satterthwaite's degrees of freedom where a number gives `given` (n_strata,) to the strata's means.

        (Σ b_s² E_s)²/Σ b_s⁴ S_s with E and S of `mean_variance`; 0 where no stratum given weight has two clusters.
        """
        if self.is_mixed:
            return float(max(self.n_smaller - 1, 0))
        known = [(b**2, term) for b, term in zip(given, self.terms, strict=True) if b != 0 and term is not None]
        squared = sum(weight**2 * term.spread for weight, term in known)
        return float(sum(weight * term.expected for weight, term in known) ** 2 / squared) if squared > 0 else 0.0

    def concentration(self, given: Floats) -> Concentration:
        """Return how unequally treated clusters carry a number, all cohorts taken as one group."""
        never = len(self.terms) - 1
        is_treated = (self.stratum < never) & (given[self.stratum] > 0) & (self.share > 0)
        treated = self.share[is_treated] * given[self.stratum[is_treated]]
        other = (given[self.stratum] < 0) & (self.share > 0)
        found = Concentration.of(treated, self.share[other] * -given[self.stratum[other]])
        sizes = self.share * self.weight[self.stratum]
        compared = sizes[(self.stratum == never) & (sizes > 0)]
        if not len(compared) or not is_treated.any():
            return found
        is_alike = (sizes[is_treated] >= compared.min() / BEYOND) & (sizes[is_treated] <= compared.max() * BEYOND)
        return replace(found, is_alike=bool(is_alike.all()))


@dataclass(frozen=True, slots=True, eq=False)
class TwoArms:
    """All treated clusters as one arm and the never-treated as the other, for numbers that no cells are behind."""

    counts: ClusterCounts
    concentration: Concentration
    model: ClusterModel
    is_many: bool

    def covariance(self, contribution: Floats) -> Floats:
        """Return the bias-reduced covariance of numbers from what each cluster contributes to them."""
        return corrected_covariance(self.model, contribution)


def two_arms(design: StaggeredDesign) -> TwoArms | None:
    """Return the two arms of a design, None where they cannot be told apart by cluster or nobody is never treated."""
    if _is_mixed(design) or not design.n_never:
        return None
    stratum, size = _clusters(design)
    is_treated = stratum < len(design.cohorts)
    counts = cluster_counts(design)
    concentration = Concentration.of(size[is_treated & (size > 0)], size[~is_treated & (size > 0)])
    is_many = recommended_inference(counts, concentration=concentration).inference == "cluster-robust"
    return TwoArms(counts, concentration, ClusterModel.of_two_arms(design), is_many)


def recommendation(effects: GroupTimeEffects, model: ClusterModel | None = None) -> Recommendation:
    """Return the inference that a design's clusters and their shares in the overall effect support."""
    design = effects.design
    noun = "unit" if design.cluster is None and design.is_panel else "cluster"
    model = model or ClusterModel.of(design)
    given = _given_to_means(effects, overall_effect(effects).weights, model.weight)
    concentration = None if model.is_mixed else model.concentration(given)
    return recommended_inference(cluster_counts(design), noun, concentration)


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
            return inference_of(estimate, CORRECTED, corrected_note(effects, estimate), options.level)
    return exchanged_inference(effects, options)


def corrected_note(effects: GroupTimeEffects, estimate: Estimate) -> str:
    """Return how an error was corrected for few clusters, and what it leaves out."""
    how = "corrected for the clusters of each cohort"
    if _is_mixed(effects.design):
        how = "corrected by the number of clusters on the smaller side, as clusters hold units of several cohorts"
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

    A cluster belongs to the earliest cohort it holds. With h_g a cluster's share of its cohort's weight and ψ_g its
    contribution, that of cohorts' shares included where they are estimated, the variance is Σ_g ψ_g²/(1 − 2h_g + Σh²),
    the sum over its cohort: the bias-reduced form (CR2) of a weighted mean of clusters that are alike (the identity
    working covariance of Pustejovsky and Tipton, 2018; Bell and McCaffrey, 2002). Degrees of freedom are
    Satterthwaite's under the same model (`ClusterModel.df`). Where a cluster holds several strata, contributions are
    not taken apart: the variance is n/(n − 1) Σ ψ_g² with n − 1 degrees of freedom, n the smaller of the numbers of
    treated and comparison clusters.
    """
    if isinstance(summary.estimate, Unavailable):
        raise DesignError(summary.estimate.reason)
    if isinstance(summary.estimate.std_error, Unavailable):
        return summary.estimate
    model = model or ClusterModel.of(effects.design)
    df = model.df(_given_to_means(effects, summary.weights, model.weight))
    if df == 0:
        return Estimate(summary.estimate.value, Unavailable(NO_SPREAD))
    contribution = effects.influence.combined(summary.weights[:, None])
    variance = float(corrected_covariance(model, contribution)[0, 0])
    return Estimate(summary.estimate.value, float(np.sqrt(variance * effects.factor)), df)


def corrected_covariance(model: ClusterModel, contribution: Floats) -> Floats:
    """Return the bias-reduced covariance of numbers from what each cluster contributes to them, (n_clusters, K)."""
    if model.is_mixed:
        n = model.n_smaller
        plain: Floats = contribution.T @ contribution * n / max(n - 1, 1)
        return plain
    # A stratum of one cluster deviates from no mean: its contributions are of estimated shares alone.
    scaled = contribution / np.sqrt(model.deflator())[:, None]
    covariance: Floats = scaled.T @ scaled
    return covariance


def _is_mixed(design: StaggeredDesign) -> bool:
    """Return whether a cluster holds units of more than one stratum."""
    return design.cluster is not None and bool((design.is_in_cluster.sum(axis=0) > 1).any())


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


def _clusters(design: StaggeredDesign) -> tuple[Codes, Floats]:
    """Return the earliest stratum of each cluster and the weight of its units there."""
    weight = design.observations.frame["weight"].to_numpy(dtype=float)
    if design.is_panel:
        weight = weight[design.panel.first_rows]
    weight = np.where(design.is_carrying, weight, 0.0)
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
    reason = why_not_exchanged(effects)
    if reason:
        return Inference.unavailable(EXCHANGED, reason)
    stratum, _ = _clusters(design)
    total, weight = sums_by_cluster(design)
    never = len(design.cohorts)
    cohort = np.where(stratum == never, 0, stratum + 1).astype(np.intp)
    nobody = np.zeros(len(cohort), dtype=np.intp)
    who = assignments(cohort, nobody, options.n_draws, stream(options.seed, "randomisation: group-time"))
    own = places(cohort, nobody)
    assigned = np.full((len(who), len(cohort)), never, dtype=np.intp)
    np.put_along_axis(assigned, who, np.broadcast_to(stratum[own], who.shape), axis=1)
    found = exchanged_effects(total, weight, assigned, _places(effects))
    actual = int(np.flatnonzero((assigned == stratum).all(axis=1))[0])
    reference = reference_of(found, actual, effects.scale)
    if isinstance(reference, Unavailable):
        return Inference.unavailable(EXCHANGED, reference.reason)
    return Inference(
        method=EXCHANGED,
        std_error=Unavailable("Clusters that change places give a p-value and an interval, but no standard error."),
        df=None,
        interval=reference.interval(options.level),
        p_value=reference.p_value(),
        note=f"{len(found):,} assignments of whole clusters compared; fair if any cluster could have been treated.",
    )


def reference_of(found: Floats, actual: int, scale: float) -> Reference | Unavailable:
    """Return the distribution of an effect over assignments, or that without the effect nothing varies.

    `found` has shape (n_assignments, 2): the effect, and what a constant effect of 1 on those treated adds to it.
    """
    first, slope = found.T
    if np.abs(first - first[actual] * slope).max() <= ROUNDING * max(scale, 1e-300):
        return Unavailable(NO_VARIATION)
    one, none = np.ones(len(found)), np.zeros(len(found))
    spread = float(first.std()) or 1.0
    return Reference(float(first[actual]), spread, first, slope, one * spread**2, none, none)


def why_not_exchanged(effects: GroupTimeEffects) -> str:
    """Return why whole clusters cannot change places in a design, or an empty text."""
    design = effects.design
    if not design.is_panel or design.panel.covariates or not design.panel.is_balanced or not design.n_never:
        return ONLY_MEANS
    if effects.method not in ("dr", "ipw", "reg") or (np.ptp(design.panel.grid("weight"), axis=1) > 0).any():
        return ONLY_MEANS
    return MIXED if _is_mixed(design) else ""


def sums_by_cluster(design: StaggeredDesign) -> tuple[Floats, Floats]:
    """Return each cluster's weighted sums of the outcome and of the actual treatment by period, and its weight."""
    weight = design.panel.grid("weight")[:, 0]
    start = np.append(np.array(design.cohorts, dtype=float), np.inf)[design.stratum]
    treated = (np.array(design.panel.periods) >= start[:, None]).astype(float)
    cluster = np.arange(len(weight)) if design.cluster is None else design.cluster
    total = np.zeros((design.n_clusters, len(design.panel.periods), 2))
    np.add.at(total, cluster, weight[:, None, None] * np.stack([design.panel.grid("outcome"), treated], axis=2))
    return total, np.bincount(cluster, weight, design.n_clusters).astype(float)


def cell_places(effects: GroupTimeEffects, which: Sequence[int]) -> tuple[Place, ...]:
    """Return some cells of group-time effects by the positions of their cohort, period and base."""
    at = {period: position for position, period in enumerate(effects.design.panel.periods)}
    plans = effects.design.cells()
    return tuple(
        Place(effects.design.cohorts.index(plan.cohort), at[plan.period], at[plan.base], plan.compared)
        for plan in (plans[position] for position in which)
    )


def _places(effects: GroupTimeEffects) -> tuple[Place, ...]:
    """Return the cells after the start that have an estimate."""
    after = [
        position
        for position, cell in enumerate(effects.cells)
        if cell.event_time >= 0 and not isinstance(cell.value, Unavailable)
    ]
    return cell_places(effects, after)
