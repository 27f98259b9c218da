"""Tables of what a project's design could detect, before any outcome is read."""

from __future__ import annotations

from evalkit.core.formats import as_sentence, interval_text, level_text, number, years_text
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.sentence import Sentence, count
from evalkit.diagnose.power.report import OutcomePower, PowerReport
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Prose, sentences
from evalkit.report.border.table import Cell, Column, Table


def power_words(report: PowerReport) -> Prose:
    """Return what the least detectable effects mean, and which data and years they come from."""
    options = report.options
    kind = "the synthetic England: made-up schools" if report.data_kind == "synthetic" else "published files"
    return sentences(
        f"Least detectable effects: found with {level_text(options.power)} probability by a two-sided test at "
        f"{level_text(1 - options.level)}.",
        f"Data: {kind}.",
        f"Years read: {years_text(report.years)}, all before the programme, and no others.",
    )


def power_of_analyses(report: PowerReport) -> ReleasedTable:
    """Return the least detectable effect of every analysis, by the inference that a run makes."""
    columns = (
        Column("analysis", "Analysis"),
        Column("outcome", "Outcome"),
        Column("unit", "Points"),
        Column("least", "Least detectable effect", "number"),
        Column("leads", "Leading inference"),
        Column("method", "From"),
    )
    rows = tuple((one.analysis, one.label, one.unit, one.least, one.leads, one.method) for one in report.analyses)
    why = dict.fromkeys(f"“{one.analysis}”: {as_sentence(one.why)}" for one in report.analyses if one.why)
    caption = "Least detectable effects, by analysis"
    none = ("None", *(Unavailable("No analysis was planned."),) * 5)
    return _released(report, caption, columns, rows or (none,), tuple(why))


def power(report: PowerReport) -> ReleasedTable:
    """Return the least detectable effect on each outcome, by the panel, by simulation and of single schools."""
    columns = (
        Column("outcome", "Outcome"),
        Column("unit", "Points"),
        Column("panel", "Panel, points", "number"),
        Column("panel_g", "Panel, pupil SDs", "number"),
        Column("simulated", "By simulation, points", "number"),
        Column("two_level", "Single schools chosen, pupil SDs", "number"),
        Column("leads", "Leading inference"),
    )
    rows = tuple(
        (
            _name(one),
            one.unit,
            one.panel,
            one.panel_g,
            one.simulated if isinstance(one.simulated, Unavailable) else one.simulated.effect,
            one.two_level,
            one.leads,
        )
        for one in report.outcomes
    )
    why = dict.fromkeys(one.why for one in report.outcomes if Unavailable(one.why) != one.panel)
    spreads = (
        f"{one.label}: an SD is {number(one.pupil_sd)} ({one.pupil_sd_name})."
        for one in report.outcomes
        if not isinstance(one.pupil_sd, Unavailable)
    )
    panels = (f"{one.label}, panel: from {one.panel_method}." for one in report.outcomes if _has_panel(one))
    return _released(report, "Least detectable effects", columns, rows, (*why, *panels, *spreads))


def _has_panel(one: OutcomePower) -> bool:
    return not isinstance(one.panel, Unavailable)


def _name(one: OutcomePower) -> str:
    return f"{one.label} ({one.outcome.role})"


def _released(
    report: PowerReport,
    caption: str,
    columns: tuple[Column, ...],
    rows: tuple[tuple[Cell, ...], ...],
    notes: tuple[str, ...] = (),
) -> ReleasedTable:
    table = Table(caption=caption, columns=columns, rows=rows, notes=notes)
    return release(table, report.project.disclosure.threshold)


def power_units(report: PowerReport) -> ReleasedTable:
    """Return how many schools, and areas to compare with, each outcome has before the programme."""
    columns = (
        Column("outcome", "Outcome"),
        Column("measure", "Measure"),
        Column("n_treated", "Treated schools", "school_count"),
        Column("n_comparison", "Comparison schools", "school_count"),
        Column("n_comparison_areas", "Comparison areas", "count"),
    )
    rows = tuple(
        (_name(one), one.outcome.code, one.n_treated, one.n_comparison, one.n_comparison_areas)
        for one in report.outcomes
    )
    return _released(report, "Schools before the programme", columns, rows)


def power_simulated(report: PowerReport) -> ReleasedTable:
    """Return in what share of placebo sets the design's own test finds effects of several sizes."""
    columns = (
        Column("outcome", "Outcome"),
        Column("effect", "Effect, points", "number"),
        Column("power", "Found in, %", "number", decimals=1),
        Column("monte_carlo_error", "Monte Carlo error, %", "number", decimals=1),
    )
    rows = tuple(row for one in report.outcomes for row in _curve(one))
    notes = tuple(note for one in report.outcomes if (note := _simulation(one)))
    return _released(report, "How often an effect would be found, by simulation", columns, rows, notes)


def _curve(one: OutcomePower) -> tuple[tuple[Cell, ...], ...]:
    found = one.simulated
    if isinstance(found, Unavailable):
        return ((_name(one), found, found, found),)
    return tuple((_name(one), at.effect, 100 * at.power, 100 * at.monte_carlo_error) for at in found.curve)


def _simulation(one: OutcomePower) -> str:
    """Return by which test and on how many placebo sets power was simulated, with its Monte Carlo interval."""
    found = one.simulated
    if isinstance(found, Unavailable):
        return ""
    interval = found.effect_interval
    reach = f"; Monte Carlo interval {interval_text(interval)}" if isinstance(interval, Interval) else ""
    return Sentence(
        "{label}: {test}{reach}; placebo sets: {every}{n}; {sets}.",
        label=one.label,
        test=one.simulated_test,
        reach=reach,
        every="all " if found.is_every_set else "",
        n=count(found.n_draws, "areas"),
        sets=one.simulated_sets,
    )


def power_two_level(report: PowerReport) -> ReleasedTable:
    """Return what could be detected if single schools had been chosen, and the plan that this rests on."""
    columns = (
        Column("outcome", "Outcome"),
        Column("two_level", "Least effect, pupil SDs", "number"),
        Column("two_level_after_loss", "After losing a fifth of the schools", "number"),
        Column("icc", "Share between schools (icc)", "number", decimals=3),
        Column("pupils", "Pupils a school", "number", decimals=1),
        Column("r2_school", "Of it explained by the year before (R²)", "number"),
        Column("source", "From"),
    )
    rows = tuple(_two_level_row(one) for one in report.outcomes)
    notes = dict.fromkeys(as_sentence(one.two_level_note) for one in report.outcomes if one.two_level_note)
    return _released(report, "Single schools chosen", columns, rows, tuple(notes))


def _two_level_row(one: OutcomePower) -> tuple[Cell, ...]:
    found = one.two_level_plan
    if isinstance(found, Unavailable):
        return (_name(one), one.two_level, one.two_level_after_loss, *(found,) * 4)
    plan = found.plan
    numbers = (one.two_level, one.two_level_after_loss, plan.icc, plan.pupils, plan.r2_school)
    return (_name(one), *numbers, found.source)
