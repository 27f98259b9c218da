"""All results of one staggered estimator, each number with its uncertainty or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.formats import p_equals
from evalkit.core.quantities import Estimate, IntervalOrReason, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.core.words import counted
from evalkit.design.staggered import Dropped
from evalkit.estimate.bands import Errors, Uncertainty, errors_of, simultaneous_bands, with_error
from evalkit.estimate.group_time import GroupTimeEffects
from evalkit.estimate.summaries import (
    Summaries,
    Summary,
    combination,
    effects_by_cohort,
    effects_by_period,
    event_study,
    overall_effect,
)

NOTHING_BEFORE = "No cohort has a period before its start that could be tested."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One number for readers; `label` is the cohort, event time or period, None for an average of all.

    `weights` are those of the cells that it is a sum of, in their order; empty where it is made of none.
    """

    label: int | None
    estimate: Quantity
    std_error: Quantity
    interval: IntervalOrReason
    p_value: Quantity
    band: IntervalOrReason | None = None
    lacking: tuple[tuple[int, int], ...] = ()
    note: str = ""
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedCell:
    """The effect on one cohort in one period.

    `fewest_people` is as in `GroupTimeCell`, None where nothing is withheld: of units, and in the base period.
    """

    cohort: int
    period: int
    estimate: Quantity
    std_error: Quantity
    interval: IntervalOrReason
    n_treated: int
    n_comparison: int
    note: str = ""
    fewest_people: int | None = None

    @property
    def is_of_few(self) -> bool:
        """Return whether it rests on so few people that it may not be told."""
        return 0 < (self.fewest_people or 0) < FEWEST_PEOPLE


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedSet:
    """An average and the parts it is made of."""

    overall: Reported
    parts: tuple[Reported, ...]


NO_PROOF = "A test before the start is no proof: it can miss trends that part, and says nothing of the periods after."
MISLEADING = 0.1
"""A test at 5% that rejects a true hypothesis this often, or more often, is said to mislead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreTest:
    """A joint test that effects before the start are zero; not rejecting it is no proof of parallel trends.

    `lacking` are the effects (cohort, period) before the start that are not in it, as they have no standard error.
    `note` says where the clusters are too few for the number of effects, or is empty.
    """

    statistic: float
    df: int
    p_value: float
    lacking: tuple[tuple[int, int], ...] = ()
    note: str = ""

    @property
    def sentence(self) -> str:
        """Return what was tested and what came out."""
        effects = "the effect before the start is" if self.df == 1 else f"all {self.df} effects before the start are"
        freedom = counted(self.df, "degree", "degrees")
        found = f"χ² = {self.statistic:.2f} with {freedom} of freedom, {p_equals(self.p_value)}"
        return f"Test that {effects} zero: {found}."


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StaggeredResults(Shown):
    """What one estimator says: every cohort and period, and the four ways of averaging them.

    Attributes
    ----------
    method, level : the estimator; the level of intervals and bands
    group_time : the effect on each cohort in each period, in units of the outcome, as is every effect here
    simple : the average over all cohorts and periods after the start, by size of cohort
    by_cohort, event_study, calendar : averages by cohort, by time since the start, by period, and over each of these
    pre_test : the joint test that effects before the start are zero, or why there is none
    n_units, n_treated, n_comparison : units (observations, of repeated cross-sections) analysed
    dropped, notes : units left out, with the reason; what a reader must know
    """

    method: str
    level: float
    group_time: tuple[ReportedCell, ...]
    simple: Reported
    by_cohort: ReportedSet
    event_study: ReportedSet
    calendar: ReportedSet
    pre_test: PreTest | Unavailable
    n_units: int
    n_treated: int
    n_comparison: int
    dropped: tuple[Dropped, ...]
    notes: tuple[str, ...]


def staggered_results(
    effects: GroupTimeEffects, options: Uncertainty | None = None, balanced_until: int | None = None
) -> StaggeredResults:
    """Return every summary of group-time effects with standard errors, intervals and, over event times, a band."""
    errors = errors_of(effects, options or Uncertainty())
    study = event_study(effects, balanced_until)
    bands = simultaneous_bands(errors, study.parts)
    parts = tuple(_reported(errors, part, band) for part, band in zip(study.parts, bands, strict=True))
    design = effects.design
    return StaggeredResults(
        method=effects.method,
        level=errors.options.level,
        group_time=_cells(errors),
        simple=_reported(errors, overall_effect(effects)),
        by_cohort=_reported_set(errors, effects_by_cohort(effects)),
        event_study=ReportedSet(overall=_reported(errors, study.overall), parts=parts),
        calendar=_reported_set(errors, effects_by_period(effects)),
        pre_test=pre_test(effects),
        n_units=len(design.stratum),
        n_treated=design.n_treated,
        n_comparison=design.n_never,
        dropped=design.dropped,
        notes=effects.notes,
    )


def _reported_set(errors: Errors, summaries: Summaries) -> ReportedSet:
    parts = tuple(_reported(errors, part) for part in summaries.parts)
    return ReportedSet(overall=_reported(errors, summaries.overall), parts=parts)


def _reported(errors: Errors, summary: Summary, band: IntervalOrReason | None = None) -> Reported:
    found = with_error(errors, summary)
    value, std_error, interval, p_value = _numbers(found, errors.options.level)
    return Reported(
        label=summary.label,
        estimate=value,
        std_error=std_error,
        interval=interval,
        p_value=p_value,
        band=band,
        lacking=summary.lacking,
        note=summary.note,
        weights=tuple(summary.weights[: len(errors.effects.cells)].tolist()),
    )


def _numbers(found: Estimate | Unavailable, level: float) -> tuple[Quantity, Quantity, IntervalOrReason, Quantity]:
    if isinstance(found, Unavailable):
        return found, found, found, found
    return found.value, found.std_error, found.interval(level), found.p_value


def _cells(errors: Errors) -> tuple[ReportedCell, ...]:
    effects, found = errors.effects, []
    for at, cell in enumerate(effects.cells):
        estimate: Estimate | Unavailable
        if isinstance(cell.value, Unavailable):
            estimate = cell.value
        else:
            alone = np.zeros(len(effects.cells))
            alone[at] = 1.0
            estimate = with_error(errors, combination(effects, alone))
        value, std_error, interval, _ = _numbers(estimate, errors.options.level)
        found.append(
            ReportedCell(
                cohort=cell.cohort,
                period=cell.period,
                estimate=value,
                std_error=std_error,
                interval=interval,
                n_treated=cell.n_treated,
                n_comparison=cell.n_comparison,
                note=cell.note,
                fewest_people=None if cell.is_reference else cell.fewest_people,
            )
        )
    return tuple(found)


def pre_test(effects: GroupTimeEffects) -> PreTest | Unavailable:
    """Return the Wald test that effects before the start, and before any anticipation, are zero.

    W = v' V⁻¹ v over the q cells with an analytic standard error, χ² with q degrees of freedom.
    """
    cells = effects.cells
    wanted = [
        at for at, cell in enumerate(cells) if cell.event_time < -effects.design.anticipation and not cell.is_reference
    ]
    errors = {at: _analytic_error(effects, at) for at in wanted}
    before = [at for at in wanted if isinstance(errors[at], float)]
    lacking = tuple((cells[at].cohort, cells[at].period) for at in wanted if at not in before)
    if not before:
        reasons = [error.reason for error in errors.values() if isinstance(error, Unavailable)]
        return Unavailable(f"No effect before the start can be tested. {reasons[0]}" if reasons else NOTHING_BEFORE)
    values, covariance = effects.values[before], effects.covariance[np.ix_(before, before)]
    size = np.sqrt(np.diagonal(covariance))
    correlation = covariance / np.outer(size, size)
    if effects.influence.n_clusters <= len(before) or np.linalg.eigvalsh(correlation)[0] < 1e-10:
        return Unavailable(
            f"{len(before)} effects before the start are too many to be tested together with "
            f"{effects.influence.n_clusters} clusters, or depend on each other."
        )
    standard = values / size
    statistic = float(standard @ np.linalg.solve(correlation, standard))
    p_value = float(special.chdtrc(len(before), statistic))
    note = _too_many(len(before), effects)
    return PreTest(statistic=statistic, df=len(before), p_value=p_value, lacking=lacking, note=note)


def _too_many(n_effects: int, effects: GroupTimeEffects) -> str:
    """Return what to think of the test where an estimated covariance makes it reject too often, else an empty text.

    With a covariance from n clusters W (n − q)/(q (n − 1)) is F with q and n − q degrees of freedom (Hotelling, 1931),
    not χ²; how often W passes the 5% point of χ² follows.
    """
    n, point = effects.influence.n_clusters, float(special.chdtri(n_effects, 0.05))
    share = float(special.fdtrc(n_effects, n - n_effects, point * (n - n_effects) / (n_effects * (n - 1))))
    if share < MISLEADING:
        return ""
    noun = "unit" if effects.design.cluster is None and effects.design.is_panel else "cluster"
    return (
        f"With {counted(n, noun)} and {counted(n_effects, 'effect')} the test rejects too often: at 5% in {share:.0%} "
        "or more of the samples in which all of them are zero. A small p-value is then no sign of different trends."
    )


def _analytic_error(effects: GroupTimeEffects, at: int) -> Quantity:
    """Return the standard error of one cell, or why there is none."""
    value = effects.cells[at].value
    if isinstance(value, Unavailable):
        return value
    estimate = combination(effects, np.arange(len(effects.cells)) == at).estimate
    return estimate if isinstance(estimate, Unavailable) else estimate.std_error
