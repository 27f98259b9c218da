"""The small table of the one-page summary: the effect in points, in standard deviations and in months."""

from __future__ import annotations

from evalkit.core.formats import interval_text, level_text, number
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.diagnose.project.evaluation import Evaluation
from evalkit.estimate.effect import EffectSize, Months
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.tables.design import released
from evalkit.report.tables.effects import months_ends
from evalkit.report.words.names import surest, unit_of
from evalkit.report.words.sentences import POINT

_NONE = Unavailable("Not estimated.")
_NO_MONTHS = Unavailable("Months need an effect size in pupil-level standard deviations, which cannot be given.")


def key_numbers(evaluation: Evaluation) -> ReleasedTable:
    """Return the main effect in test points, in Hedges' g and in months, each with its interval."""
    effect = surest(evaluation)
    size = effect.effect_size if effect else None
    unit = unit_of(evaluation, evaluation.project.primary.measure)
    columns = (
        Column("scale", "The difference, measured in"),
        Column("estimate", "Best estimate", "estimate"),
        Column("interval", f"{level_text(evaluation.project.inference.level)} interval", "interval"),
    )
    main: tuple[Quantity, IntervalOrReason] = (effect.estimate, effect.interval) if effect else (_NONE, _NONE)
    rows: tuple[tuple[Cell, ...], ...] = (
        (unit.capitalize(), *_short(*main)),
        ("Standard deviations of pupils (Hedges' g)", *_sizes(size, main[0])),
        ("Months of progress (illustrative)", *_months(size, main[0])),
    )
    point = (POINT[unit],) if unit in POINT else ()
    table = Table(caption="The difference in three units", columns=columns, rows=rows, notes=(*point, *_notes(size)))
    return released(evaluation, table)


def _short(estimate: Quantity, interval: IntervalOrReason) -> tuple[Cell, Cell]:
    return estimate, "none" if isinstance(interval, Unavailable) and not isinstance(estimate, Unavailable) else interval


def _sizes(size: EffectSize | None, estimate: Quantity) -> tuple[Cell, Cell]:
    if size is None:
        return (estimate, estimate) if isinstance(estimate, Unavailable) else (_NONE, _NONE)
    return _short(size.hedges_g, size.hedges_g_interval)


def _months(size: EffectSize | None, estimate: Quantity) -> tuple[Cell, Cell]:
    """Return months as texts: they are whole, and say less than a number with decimals would."""
    months: Months | None = size.months if size else None
    if size is None or months is None:
        none = estimate if isinstance(estimate, Unavailable) else _NO_MONTHS
        return none, none
    if months.lower is None or months.upper is None:
        return Unavailable("Not given without an interval."), "none"
    return number(months.estimate, 0), months_ends(size)


def _notes(size: EffectSize | None) -> tuple[str, ...]:
    if size is None or isinstance(size.sd_used, Unavailable):
        return ()
    table = f" Months: {size.months.table}." if size.months and size.months.lower is not None else ""
    return (
        f"The standard deviation is {number(size.sd_used)} ({size.sd_name}), not that of a trial by the Education "
        f"Endowment Foundation (EEF).{table}",
    )


def interval_words(interval: IntervalOrReason) -> str:
    """Return both ends of an interval, or that there is none."""
    return interval_text(interval) if isinstance(interval, Interval) else "no interval"
