"""Tables of cohorts that start in different periods: who is compared, the effects, and what they are averaged to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evalkit.core.formats import MINUS, Precision, as_sentence, decimals_for, level_text
from evalkit.core.quantities import Estimate, Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.words import counted
from evalkit.design.clusters import OVER_SETS, conservative_rows
from evalkit.estimate.staggered.cells import METHODS, GroupTimeEffects
from evalkit.estimate.staggered.pre_test import NO_PROOF
from evalkit.estimate.staggered.results import Reported, ReportedCell, ReportedSet, StaggeredResults
from evalkit.estimate.staggered.results_by_sets import NO_STD_ERROR, notes_of
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Prose, sentences
from evalkit.report.border.table import Cell, Column, measured
from evalkit.report.border.told_effects import OF_FEW, told_effects
from evalkit.report.tables.data import NEVER, counts, panel_words, plain

if TYPE_CHECKING:
    from evalkit.design.panel.staggered import StaggeredDesign
    from evalkit.diagnose.cross_checks import CrossChecks
    from evalkit.estimate.staggered.imputation_leads import Leads
    from evalkit.estimate.staggered.summaries import Summaries, Summary

_COMPARED: Final = {
    "never": "Treated cohorts are compared with units never treated.",
    "not-yet": "Treated cohorts are compared with units never treated or not treated yet.",
}
PLAIN: Final = "cluster-robust"
_ERRORS: Final = "evalkit.staggered_results adds errors, intervals and the averages."


def design_cohorts(design: StaggeredDesign) -> ReleasedTable:
    """Return how many units (observations, of cross-sections) start when."""
    noun = "Units" if design.is_panel else "Observations"
    rows = [(f"Treated from {g}", int(n)) for g, n in zip(design.cohorts, design.n_by_stratum[:-1], strict=True)]
    every = design.n_treated + design.n_never
    return counts("Who is compared with whom", ("Cohort", noun), [*rows, (NEVER, design.n_never), ("All", every)])


def design_words(design: StaggeredDesign) -> Prose:
    """Return whom cohorts are compared with, and why units were left out."""
    early = f"The programme may act {counted(design.anticipation, 'period')} before the start."
    reasons = dict.fromkeys(as_sentence(f"Units left out: {lost.reason}") for lost in design.dropped)
    periods = panel_words(design.panel).sentences if design.is_panel else ()
    return sentences(_COMPARED[design.comparison], early if design.anticipation else "", *periods, *reasons)


def effect_cells(effects: GroupTimeEffects) -> ReleasedTable:
    """Return the effect on each cohort in each period, without errors; none where one rests on too few people."""
    has_few = any(cell.is_of_few for cell in effects.cells)
    values = [cell.value for cell in effects.cells]
    columns = (
        Column("cohort", "Cohort"),
        Column("period", "Period"),
        Column("base", "Measured from"),
        measured("effect", "Effect", "estimate", Precision(_decimals(*values))),
    )
    rows = [
        (
            str(cell.cohort),
            str(cell.period),
            "the periods before" if cell.base is None else str(cell.base),
            Unavailable("The base itself.") if cell.is_reference else OF_FEW if has_few else cell.value,
        )
        for cell in effects.cells
    ]
    return plain(_caption("Effects by cohort and period", effects.method), columns, rows, (_ERRORS, *effects.notes))


def averages(results: StaggeredResults) -> ReleasedTable:
    """Return the four averages of all effects after the start."""
    results = told_effects(results)
    rows = [
        ("All cohorts and periods, by size of cohort", results.simple),
        ("Over cohorts", results.by_cohort.overall),
        ("Over times since the start", results.event_study.overall),
        ("Over periods", results.calendar.overall),
    ]
    by = _inference_column([one for _, one in rows])
    columns = (Column("average", "Average"), *_numbers(results), Column("p", "p", "p"), *by)
    cells = [(name, *_values(one), one.p_value, *(_inference(one) for _ in by)) for name, one in rows]
    notes = (results.assumes, conservative_rows([one for _, one in rows]), *results.notes)
    return _without_errors(plain(_caption("The average effect", results.method), columns, cells, notes))


def by_event_time(results: StaggeredResults) -> ReleasedTable:
    """Return the effect by time since the start, with the band that holds for all times together."""
    results = told_effects(results)
    return _parts(results, results.event_study, "By time since the start", "Periods since the start")


def by_cohort(results: StaggeredResults) -> ReleasedTable:
    """Return the effect on each cohort."""
    results = told_effects(results)
    return _parts(results, results.by_cohort, "By cohort", "Cohort")


def by_period(results: StaggeredResults) -> ReleasedTable:
    """Return the effect in each period."""
    results = told_effects(results)
    return _parts(results, results.calendar, "By period", "Period")


def by_cohort_and_period(results: StaggeredResults) -> ReleasedTable:
    """Return the effect on each cohort in each period."""
    results = told_effects(results)
    by = _inference_column(results.group_time)
    columns = (Column("cohort", "Cohort"), Column("period", "Period"), *_numbers(results), *by)
    rows = [
        (
            str(cell.cohort),
            str(cell.period),
            *_same((cell.estimate, cell.std_error, cell.interval)),
            *(_inference(cell) for _ in by),
        )
        for cell in results.group_time
    ]
    notes = notes_of(results.group_time)
    return _without_errors(
        plain("By cohort and period", columns, rows, [conservative_rows(results.group_time), *notes])
    )


def before_the_start(results: StaggeredResults) -> Prose:
    """Return what the test of effects before the start says, and what it cannot."""
    results = told_effects(results)
    test = results.pre_test
    if isinstance(test, Unavailable):
        return sentences(as_sentence(test.reason), NO_PROOF)
    return sentences(test.sentence, test.note, NO_PROOF)


def _parts(results: StaggeredResults, reported: ReportedSet, caption: str, name: str) -> ReleasedTable:
    has_band = any(part.band is not None for part in reported.parts)
    level = level_text(results.level)
    made = Precision(_decimals_of(results))
    band = (measured("band", f"{level} band", "interval", made),) if has_band else ()
    every = (*reported.parts, reported.overall)
    by = _inference_column(every)
    names: list[str | int] = [*(_named(part) for part in reported.parts), "0 and on" if has_band else "All"]
    rows = [
        (*_part(part, label, has_band), *(_inference(part) for _ in by))
        for part, label in zip(every, names, strict=True)
    ]
    together = f"All intervals of the band hold together with a probability of {level}, if the errors are right."
    if any(part.method == OVER_SETS for part in reported.parts):
        together += " The band stretches the intervals by one factor, that of the largest of the sets' numbers in each."
    elif any(part.method != PLAIN for part in reported.parts):
        together += " The band is Bonferroni's: each of its intervals is at a level that is stricter by their number."
    notes = [together] * has_band + [conservative_rows(every), *notes_of(every)]
    return _without_errors(
        plain(caption, (Column("label", name, "label"), *_numbers(results), *band, *by), rows, notes)
    )


def _without_errors(table: ReleasedTable) -> ReleasedTable:
    """Return a table in which sets judge every number without the columns that would say so in each of its rows."""
    keys = [column.key for column in table.table.columns]
    at = keys.index("std_error")
    if not any(row[at] == Unavailable(NO_STD_ERROR) for row in table.table.rows):
        return table
    if not all(isinstance(row[at], Unavailable) for row in table.table.rows):
        return table
    kept = [i for i, key in enumerate(keys) if key not in ("std_error", "inference")]
    made = replace(
        table.table,
        columns=tuple(table.table.columns[i] for i in kept),
        rows=tuple(tuple(row[i] for i in kept) for row in table.table.rows),
        notes=(*table.table.notes, BY_SETS),
    )
    return ReleasedTable(made, table.threshold)


BY_SETS: Final = "Every interval is by randomisation over sets, which gives no standard errors."


def _part(part: Reported, name: str | int, has_band: bool) -> tuple[Cell, ...]:
    none = Unavailable("An average has no band.")
    band: tuple[Cell, ...] = (none if part.band is None else part.band,) if has_band else ()
    return name, *_values(part), *band


def _inference_column(rows: Sequence[Reported | ReportedCell]) -> tuple[Column, ...]:
    """Return the column that says by what inference each row is, where one is not by the plain clustered error."""
    return (Column("inference", "Inference"),) if any(row.method != PLAIN for row in rows) else ()


def _inference(row: Reported | ReportedCell) -> str:
    """Return a row's inference in a few words, with its degrees of freedom."""
    if isinstance(row.interval, Unavailable):
        return "none"
    method = "CR2" if row.method.startswith("CR2") else row.method
    return method if row.df is None else f"{method}, {row.df:.1f} degrees of freedom"


def _named(part: Reported) -> int:
    assert part.label is not None  # only an average over the parts has none
    return part.label


def _label(label: int | None) -> str:
    return str(label).replace("-", MINUS)


def _numbers(results: StaggeredResults) -> tuple[Column, ...]:
    return effect_columns(results.level, _decimals_of(results))


def _decimals_of(results: StaggeredResults) -> int | None:
    """Return the decimals of every effect: by the overall one's error, or where sets judge by its interval."""
    simple = results.simple
    if simple.method == OVER_SETS and isinstance(simple.interval, Interval):
        return _decimals(_quarter(simple.interval))
    return _decimals(simple.std_error, simple.estimate)


def _quarter(interval: Interval) -> float:
    """Return a quarter of an interval's length: about what a standard error would be."""
    return (interval.upper - interval.lower) / 4


def effect_columns(level: float, decimals: int | None) -> tuple[Column, ...]:
    """Return the columns of an effect, its error and its interval."""
    made = Precision(decimals)
    return (
        measured("effect", "Effect", "estimate", made),
        measured("std_error", "Standard error", "number", made),
        measured("interval", f"{level_text(level)} interval", "interval", made),
    )


def _values(part: Reported) -> tuple[Cell, ...]:
    return _same((part.estimate, part.std_error, part.interval))


def _same(cells: tuple[Quantity, Quantity, IntervalOrReason]) -> tuple[Cell, ...]:
    return cells


def _decimals(*sizes: object) -> int | None:
    return decimals_for(*(abs(size) if isinstance(size, float) else size for size in sizes))


def _caption(caption: str, method: str) -> str:
    return f"{caption}: {METHODS.get(method, method)}" if method else caption


def summary(average: Summary) -> ReleasedTable:
    """Return one average of effects, without its error."""
    return _summaries([average], ())


def summaries(by_part: Summaries) -> ReleasedTable:
    """Return an average of effects and the parts it is made of, without errors."""
    return _summaries([*by_part.parts, by_part.overall], ("The last row is the average over the others.",))


def _summaries(parts: Sequence[Summary], notes: tuple[str, ...]) -> ReleasedTable:
    values = [
        OF_FEW if one.is_of_few else one.estimate if isinstance(one.estimate, Unavailable) else one.estimate.value
        for one in parts
    ]
    columns = (Column("label", "Average over"), measured("effect", "Effect", "estimate", Precision(_decimals(*values))))
    rows = [
        ("All" if one.label is None else _label(one.label), value) for one, value in zip(parts, values, strict=True)
    ]
    return plain("Averages of effects", columns, rows, (*notes, _ERRORS, *(one.note for one in parts)))


def leads(estimated_leads: Leads) -> ReleasedTable:
    """Return how far cohorts were from the others before their start, and the joint test."""
    known = [one for one in estimated_leads.estimates if isinstance(one, Estimate)]
    columns = (
        Column("time", "Periods since the start"),
        *effect_columns(0.95, _decimals(*(one.std_error for one in known))),
    )
    rows = [
        (_label(time), *estimated(one))
        for time, one in zip(estimated_leads.times, estimated_leads.estimates, strict=True)
    ]
    p = estimated_leads.p_value
    joint = p.reason if isinstance(p, Unavailable) else f"Test that all are zero: p = {p:.3f}."
    return plain("Before the start", columns, rows, (joint, NO_PROOF))


def estimated(estimate: Estimate | Unavailable, level: float = 0.95) -> tuple[Cell, ...]:
    """Return an estimate, its error and its interval as cells."""
    if isinstance(estimate, Unavailable):
        return estimate, estimate, estimate
    return estimate.value, estimate.std_error, estimate.interval(level)


def estimators(checks: CrossChecks) -> ReleasedTable:
    """Return the overall effect by every estimator, and what each compares."""
    known = [_quarter(row.interval) for row in checks.rows if isinstance(row.interval, Interval)]
    are_sets = any(row.std_error == Unavailable(NO_STD_ERROR) for row in checks.rows)
    decimals = _decimals(*(known if are_sets else (row.std_error for row in checks.rows)))
    columns = (
        Column("estimator", "Estimator"),
        *effect_columns(checks.level, decimals),
        Column("compares", "What it compares"),
    )
    rows = [(row.estimator, *_same((row.estimate, row.std_error, row.interval)), row.compares) for row in checks.rows]
    return _without_errors(plain("The overall effect by every estimator", columns, rows, (checks.assumes,)))
