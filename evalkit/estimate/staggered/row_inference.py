"""The inference that each number of a staggered design supports by itself: cells, cohorts, event times, periods.

An overall effect may rest on many clusters and one of its rows on three. Every row is therefore judged by the clusters
that carry it, in the order plain clustered error, CR2, places exchanged, and where none holds its level, a reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from evalkit.core.arrays import Codes, Floats
from evalkit.core.draws import stream
from evalkit.core.quantities import Estimate, IntervalOrReason, Unavailable
from evalkit.design.clusters import CR2, LEAST_DF, PLAIN_DF, SOME, UNSEEN, Recommendation
from evalkit.estimate.cluster_model import ClusterModel
from evalkit.estimate.effect import Inference
from evalkit.estimate.inversion_arrays import Reference
from evalkit.estimate.staggered.cells import REFERENCE, GroupTimeEffects
from evalkit.estimate.staggered.influence_arrays import ExchangedSums, exchanged_cells, exchanged_sums
from evalkit.estimate.staggered.overall_inference import (
    EXCHANGED,
    cell_places,
    corrected_note,
    given_by_cells,
    inference_of,
    recommendation,
    reference_of,
    sums_by_cluster,
    why_not_exchanged,
)
from evalkit.estimate.staggered.overall_inference import small_sample_estimate as corrected_estimate
from evalkit.estimate.staggered.summaries import NO_CELL, NO_VARIATION, Summary
from evalkit.estimate.two_way.inference_arrays import assignments, places

N_DRAWS: Final = 1_999
PLAIN: Final = "Influence functions summed over clusters."
PLACES: Final = (
    "{n:,} assignments of whole clusters to this number's cohorts compared; fair if any of them could have been "
    "treated."
)
NO_ERROR: Final = "Clusters that change places give a p-value and an interval, but no standard error."


class Exchange(NamedTuple):
    """Clusters in other places: which assignment is the actual one, and sums by stratum under each.

    overlap, shape (n_assignments, n_strata, n_strata): the weight in each stratum of clusters that are really of each.
    """

    actual: int
    outcome: ExchangedSums
    overlap: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What the inference on every number of some group-time effects starts from.

    Attributes
    ----------
    effects : GroupTimeEffects
    model : ClusterModel of its design
    given : shape (n_cells, n_strata), the weight each cell gives to the mean of each stratum
    advice : the inference that the overall effect's clusters support
    seed : of the assignments that are drawn where there are too many to go through
    are_all_plain : whether large-sample errors were asked for, whatever the clusters
    """

    effects: GroupTimeEffects
    model: ClusterModel
    given: Floats
    advice: Recommendation
    seed: int
    are_all_plain: bool = False
    exchanges: dict[tuple[int, ...], Exchange] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, effects: GroupTimeEffects, seed: int, are_all_plain: bool = False) -> Rows:
        """Return what inference on the numbers of some effects starts from."""
        model = ClusterModel.of(effects.design)
        given = given_by_cells(effects, model.weight)
        return cls(effects, model, given, recommendation(effects, model), seed, are_all_plain)

    def strata(self, summary: Summary) -> Floats:
        """Return the weight a number gives to the mean of each stratum, shape (n_strata,)."""
        strata: Floats = summary.weights[: len(self.given)] @ self.given
        return strata

    def df(self, summary: Summary) -> float:
        """Return the number's own degrees of freedom under CR2."""
        return self.model.df(self.strata(summary))

    def used(self, summary: Summary) -> Codes:
        """Return the positions of the cells that a number is made of, bases left out."""
        is_base = np.array([cell.is_reference for cell in self.effects.cells])
        weights = summary.weights[: len(self.given)]
        return np.flatnonzero((weights != 0) & self.effects.is_available & ~is_base)

    def cohorts_of(self, summary: Summary) -> tuple[int, ...]:
        """Return the positions of the cohorts that a number is made of."""
        cohorts = self.effects.design.cohorts
        return tuple(sorted({cohorts.index(self.effects.cells[at].cohort) for at in self.used(summary)}))

    def covariance(self, columns: Floats) -> Floats:
        """Return the covariance of sums of cells, shape (n_columns, k): bias-reduced where few clusters carry one."""
        given = columns[: len(self.given)].T @ self.given
        return self.model.covariance(self.effects.influence.combined(columns), given) * self.effects.factor

    def is_plain(self, summary: Summary) -> bool:
        """Return whether the plain clustered error holds its level: many clusters, and as many carry this number."""
        if self.are_all_plain:
            return True
        if self.advice.inference != "cluster-robust" or isinstance(summary.estimate, Unavailable):
            return self.advice.inference == "cluster-robust"
        if isinstance(summary.estimate.std_error, Unavailable):
            return True
        return self.df(summary) >= PLAIN_DF and self.model.unseen(self.strata(summary)) <= UNSEEN


def row_inference(rows: Rows, summary: Summary, level: float) -> Inference:
    """Return the inference that the clusters carrying a number support, or why there is none.

    Plain clustered errors where the design has many clusters and the number at least 19 degrees of freedom of its own;
    CR2 with two or more; with fewer, its place among those that arise when comparison clusters take the treated ones'
    places, where they are alike enough to do so.
    """
    estimate = summary.estimate
    if isinstance(estimate, Unavailable):
        return Inference.unavailable(rows.advice.inference, estimate.reason)
    if isinstance(estimate.std_error, Unavailable) and estimate.std_error.reason in (REFERENCE, NO_VARIATION, NO_CELL):
        return Inference.unavailable(rows.advice.inference, estimate.std_error.reason)
    if rows.is_plain(summary) and not isinstance(estimate.std_error, Unavailable):
        return inference_of(estimate, "cluster-robust", PLAIN, level)
    strata = rows.strata(summary)
    df = rows.df(summary)
    if min(rows.model.n_treated(strata), rows.model.counts.n_comparison) >= SOME:
        concentration = rows.model.concentration(strata)
        if concentration.df < LEAST_DF and (rows.model.is_mixed or not concentration.is_alike):
            return Inference.unavailable("unavailable", concentration.reason)
        df = min(df, concentration.df)
    if not isinstance(estimate.std_error, Unavailable) and df >= LEAST_DF:
        corrected = corrected_estimate(rows.effects, summary, rows.model)
        return inference_of(corrected, CR2, corrected_note(rows.effects, corrected), level)
    return exchanged_row(rows, summary, level)


def exchanged_row(rows: Rows, summary: Summary, level: float) -> Inference:
    """Return a number's place among those that arise when never-treated clusters take its cohorts' places.

    Clusters of other cohorts stay where they are. p is the share of assignments with a number at least as large, the
    actual one among them; the interval holds every constant effect in the number's cells that is not rejected.
    """
    reference = exchange_reference(rows, summary)
    if isinstance(reference, Unavailable):
        return Inference.unavailable(EXCHANGED, reference.reason)
    return Inference(
        method=EXCHANGED,
        std_error=Unavailable(NO_ERROR),
        df=None,
        interval=reference.interval(level),
        p_value=reference.p_value(),
        note=PLACES.format(n=len(reference.first)),
        n_ranked=len(reference.first),
    )


def exchange_reference(rows: Rows, summary: Summary) -> Reference | Unavailable:
    """Return a number's reference distribution under exchanged clusters, or why clusters cannot change places."""
    reason = why_not_exchanged(rows.effects)
    if reason:
        return Unavailable(reason)
    effects, design = rows.effects, rows.effects.design
    weights, used = summary.weights[: len(effects.cells)], rows.used(summary)
    exchange = _exchange(rows, rows.cohorts_of(summary))
    holds = np.zeros((len(design.cohorts) + 1, len(design.panel.periods)))
    for at in used:
        cell = effects.cells[at]
        holds[design.cohorts.index(cell.cohort), design.panel.periods.index(cell.period)] = 1.0
    shift = ExchangedSums(exchange.overlap @ holds, exchange.outcome.size)
    told = cell_places(effects, used.tolist())
    found, slope = (exchanged_cells(sums, told) @ weights[used] for sums in (exchange.outcome, shift))
    return reference_of(found, slope, exchange.actual, effects.scale)


def _exchange(rows: Rows, cohorts: tuple[int, ...]) -> Exchange:
    """Return what numbers of some cohorts are made of when never-treated clusters take those cohorts' places."""
    if cohorts not in rows.exchanges:
        stratum, never = rows.model.stratum, len(rows.effects.design.cohorts)
        inside = np.flatnonzero(np.isin(stratum, [*cohorts, never]))
        cohort = np.where(stratum[inside] == never, 0, stratum[inside] + 1).astype(np.intp)
        nobody = np.zeros(len(cohort), dtype=np.intp)
        who = assignments(cohort, nobody, N_DRAWS, stream(rows.seed, "randomisation: rows of group-time effects"))
        taken = places(cohort, nobody)
        # Whoever takes no treated place is never treated under that assignment; other cohorts stay where they are.
        moved = np.full((len(who), len(cohort)), never, dtype=np.intp)
        np.put_along_axis(moved, who, np.broadcast_to(stratum[inside][taken], who.shape), axis=1)
        assigned = np.tile(stratum, (len(who), 1))
        assigned[:, inside] = moved
        actual = int(np.flatnonzero((assigned == stratum).all(axis=1))[0])
        total, weight = sums_by_cluster(rows.effects.design)
        by_stratum = weight[:, None] * (stratum[:, None] == np.arange(never + 1))
        both = exchanged_sums(np.hstack([total[:, :, 0], by_stratum]), weight, assigned)
        outcome, overlap = np.split(both.total, [total.shape[1]], axis=2)
        rows.exchanges[cohorts] = Exchange(actual, ExchangedSums(outcome, both.size), overlap)
    return rows.exchanges[cohorts]


def bonferroni_band(rows: Rows, summary: Summary, found: Inference, level: float, n_rows: int) -> IntervalOrReason:
    """Return a number's interval at 1 − (1 − level)/n_rows, so that those of all rows hold together."""
    if isinstance(found.interval, Unavailable):
        return found.interval
    stricter = 1 - (1 - level) / n_rows
    if found.method == EXCHANGED:
        reference = exchange_reference(rows, summary)
        return reference if isinstance(reference, Unavailable) else _at_level(reference.interval(stricter), level)
    if isinstance(summary.estimate, Unavailable) or isinstance(found.std_error, Unavailable):
        return found.interval
    return _at_level(Estimate(summary.estimate.value, found.std_error, found.df).interval(stricter), level)


def _at_level(interval: IntervalOrReason, level: float) -> IntervalOrReason:
    if isinstance(interval, Unavailable):
        return interval
    return type(interval)(interval.lower, interval.upper, level)
