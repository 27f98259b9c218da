"""All results of one staggered estimator, each number with its uncertainty or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace

from evalkit.core.disclosure import is_few
from evalkit.core.quantities import Estimate, IntervalOrReason, Quantity, Unavailable
from evalkit.core.shown import ShownModel
from evalkit.data.flow import LeftOut
from evalkit.design.clusters import InferenceMethod, independence_by
from evalkit.estimate.effect import Inference
from evalkit.estimate.staggered.bands import Errors, Uncertainty, errors_of, simultaneous_bands, with_error
from evalkit.estimate.staggered.cells import GroupTimeEffects
from evalkit.estimate.staggered.overall_inference import overall_inference
from evalkit.estimate.staggered.pre_test import PreTest, pre_test
from evalkit.estimate.staggered.row_inference import Rows, bonferroni_band, row_inference
from evalkit.estimate.staggered.summaries import (
    Summaries,
    Summary,
    effects_by_cohort,
    effects_by_period,
    event_study,
    overall_effect,
    single_cell,
)
from evalkit.estimate.two_way.recommended import InferenceOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One number for readers; `label` is the cohort, event time or period, None for an average of all.

    Error, interval and p-value are by `method`, the inference that the clusters carrying this number support, with
    `df` degrees of freedom (None for the normal distribution). `plain_error` is the influence functions' own error, as
    other programs print it, which with few clusters is too small.
    `n_ranked` says among how many results it was ranked, where it was.
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
    method: InferenceMethod = "cluster-robust"
    df: float | None = None
    plain_error: Quantity | None = None
    weights: tuple[float, ...] = ()
    n_ranked: int | None = None


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
    method: InferenceMethod = "cluster-robust"
    df: float | None = None
    plain_error: Quantity | None = None
    fewest_people: int | None = None
    n_ranked: int | None = None

    @property
    def is_of_few(self) -> bool:
        """Return whether it rests on so few people that it may not be told."""
        return is_few(self.fewest_people or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedSet:
    """An average and the parts it is made of."""

    overall: Reported
    parts: tuple[Reported, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StaggeredResults(ShownModel):
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
    assumes : what the errors take as independent
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
    dropped: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    assumes: str = ""


def staggered_results(
    effects: GroupTimeEffects, options: Uncertainty | None = None, balanced_until: int | None = None
) -> StaggeredResults:
    """Return every summary of group-time effects with standard errors, intervals and, over event times, a band.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 6 and t >= 3), 3 if i < 6 else None)
    ...     for i in range(18) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> design = evalkit.staggered_design(panel)
    >>> effects = evalkit.group_time_effects(design)
    >>> results = evalkit.staggered_results(effects)
    >>> round(results.simple.estimate, 2)
    1.0
    >>> round(results.simple.interval.lower, 2), round(results.simple.interval.upper, 2)
    (0.82, 1.18)
    >>> results.to_frame("by_event_time")["label"].tolist()
    ['-2', '-1', '0', '1', '0 and on']
    """
    errors = errors_of(effects, options or Uncertainty())
    rows = Rows.of(effects, errors.options.seed, are_all_plain=errors.options.errors == "plain")
    study = event_study(effects, balanced_until)
    design = effects.design
    return StaggeredResults(
        method=effects.method,
        level=errors.options.level,
        group_time=_cells(errors, rows),
        simple=_overall(errors, rows),
        by_cohort=_reported_set(errors, rows, effects_by_cohort(effects)),
        event_study=_with_bands(errors, rows, study),
        calendar=_reported_set(errors, rows, effects_by_period(effects)),
        pre_test=pre_test(effects, rows),
        n_units=len(design.stratum),
        n_treated=design.n_treated,
        n_comparison=design.n_never,
        dropped=design.dropped,
        notes=effects.notes,
        assumes=independence_by(design.observations.clustered_by),
    )


def _overall(errors: Errors, rows: Rows) -> Reported:
    """Return the average of all, by the inference recommended for it."""
    summary = overall_effect(rows.effects)
    if rows.is_plain(summary):
        return _reported(errors, rows, summary)
    options = InferenceOptions(level=errors.options.level, seed=errors.options.seed)
    return _row(summary, overall_inference(rows.effects, rows.advice, options), len(rows.given))


def _reported_set(errors: Errors, rows: Rows, summaries: Summaries) -> ReportedSet:
    parts = tuple(_reported(errors, rows, part) for part in summaries.parts)
    return ReportedSet(overall=_reported(errors, rows, summaries.overall), parts=parts)


def _with_bands(errors: Errors, rows: Rows, study: Summaries) -> ReportedSet:
    """Return an event study with a band over its times.

    Where every time keeps the plain error the band is that of `simultaneous_bands`; else it is Bonferroni's, which
    needs no covariance of errors that are of unlike kinds.
    """
    if all(rows.is_plain(part) for part in study.parts):
        bands = simultaneous_bands(errors, study.parts)
    else:
        level = errors.options.level
        inferences = [row_inference(rows, part, level) for part in study.parts]
        n = sum(not isinstance(one.interval, Unavailable) for one in inferences)
        bands = tuple(
            bonferroni_band(rows, part, one, level, n) for part, one in zip(study.parts, inferences, strict=True)
        )
    parts = tuple(
        replace(_reported(errors, rows, part), band=band) for part, band in zip(study.parts, bands, strict=True)
    )
    return ReportedSet(overall=_reported(errors, rows, study.overall), parts=parts)


def _reported(errors: Errors, rows: Rows, summary: Summary) -> Reported:
    """Return a number with its own inference; draws of the bootstrap stand where plain errors would."""
    level = errors.options.level
    if rows.is_plain(summary):
        found = with_error(errors, summary)
        has_error = isinstance(found, Unavailable) or not isinstance(found.std_error, Unavailable)
        if has_error or rows.are_all_plain:
            return _plain(summary, found, level, len(rows.given))
    return _row(summary, row_inference(rows, summary, level), len(rows.given))


def _plain(summary: Summary, found: Estimate | Unavailable, level: float, n_cells: int) -> Reported:
    value, std_error, interval, p_value = _numbers(found, level)
    return Reported(
        label=summary.label,
        estimate=value,
        std_error=std_error,
        interval=interval,
        p_value=p_value,
        lacking=summary.lacking,
        note=summary.note,
        df=found.df if isinstance(found, Estimate) else None,
        plain_error=_plain_error(summary),
        weights=tuple(summary.weights[:n_cells].tolist()),
    )


def _row(summary: Summary, found: Inference, n_cells: int) -> Reported:
    estimate = summary.estimate
    return Reported(
        label=summary.label,
        estimate=estimate if isinstance(estimate, Unavailable) else estimate.value,
        std_error=found.std_error,
        interval=found.interval,
        p_value=found.p_value,
        lacking=summary.lacking,
        note=summary.note,
        method=found.method,
        df=found.df,
        n_ranked=found.n_ranked,
        plain_error=_plain_error(summary),
        weights=tuple(summary.weights[:n_cells].tolist()),
    )


def _plain_error(summary: Summary) -> Quantity:
    return summary.estimate if isinstance(summary.estimate, Unavailable) else summary.estimate.std_error


def _numbers(found: Estimate | Unavailable, level: float) -> tuple[Quantity, Quantity, IntervalOrReason, Quantity]:
    if isinstance(found, Unavailable):
        return found, found, found, found
    return found.value, found.std_error, found.interval(level), found.p_value


def _cells(errors: Errors, rows: Rows) -> tuple[ReportedCell, ...]:
    effects, reported = errors.effects, []
    for at, cell in enumerate(effects.cells):
        if isinstance(cell.value, Unavailable):
            number = Reported(
                label=None, estimate=cell.value, std_error=cell.value, interval=cell.value, p_value=cell.value
            )
        else:
            number = _reported(errors, rows, single_cell(effects, at))
        reported.append(
            ReportedCell(
                cohort=cell.cohort,
                period=cell.period,
                estimate=number.estimate,
                std_error=number.std_error,
                interval=number.interval,
                n_treated=cell.n_treated,
                n_comparison=cell.n_comparison,
                note=cell.note,
                method=number.method,
                df=number.df,
                n_ranked=number.n_ranked,
                plain_error=number.plain_error,
                fewest_people=None if cell.is_reference else cell.fewest_people,
            )
        )
    return tuple(reported)
