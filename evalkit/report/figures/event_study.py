"""The difference of each single year, with its own interval and the band that holds in all years together."""

from __future__ import annotations

from typing import Final

from matplotlib.axes import Axes

from evalkit.core.formats import careful, interval_text, level_text, number
from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable
from evalkit.diagnose.evaluation import Evaluation
from evalkit.estimate.effect import Effect
from evalkit.report.disclosure import ReleasedTable
from evalkit.report.figure import Figure
from evalkit.report.figures.style import BLACK, BLUE, GREY, SMALL, canvas, drawn, say_empty
from evalkit.report.figures.years import free_of_edges, month, programme_period, when, year_axis
from evalkit.report.names import outcome_label, unit_of
from evalkit.report.table import Cell, Column, Table
from evalkit.report.tables.design import released
from evalkit.report.tables.effects import base_note, event_effects

_NO_BAND: Final = Unavailable("No band was made for this outcome.")
_CAP: Final = 0.035
"""Half the width of the end of a band, in years."""
Bands = dict[str, IntervalOrReason]


def event_study_plot(evaluation: Evaluation) -> Figure:
    """Return the difference from neighbours in each year, with permutation intervals and their simultaneous band."""
    main = evaluation.project.primary.measure
    effects, bands = event_effects(evaluation, main), _bands(evaluation)
    with canvas(4.6) as (figure, axes):
        ax = axes[0]
        if all(isinstance(effect.estimate, Unavailable) for effect in effects):
            say_empty(axes, "No year has an estimate; the table gives the reasons.")
        else:
            _years(ax, evaluation, effects, bands)
            ax.set_ylabel(f"Difference from neighbours ({unit_of(evaluation, main)})")
        png, svg = drawn(figure, evaluation.design.data_kind)
    return Figure(
        name="event_study",
        png=png,
        svg=svg,
        alt=_alt(evaluation, effects, bands),
        caption=_caption(evaluation, bands),
        data=_data(evaluation, effects, bands),
    )


def _bands(evaluation: Evaluation) -> Bands:
    main = evaluation.project.primary.measure
    return {str(found.year): found.band for found in evaluation.bands if found.outcome == main}


def _years(ax: Axes, evaluation: Evaluation, effects: list[Effect], bands: Bands) -> None:
    exposure = evaluation.project.exposure
    programme_period(ax, evaluation.project)
    ax.axhline(0, color=GREY, linewidth=1, zorder=0)
    for effect in effects:
        band = bands.get(effect.period, _NO_BAND)
        _band(ax, when(int(effect.period)), band)
        _point(ax, effect, int(effect.period) in exposure.pre)
        _number(ax, effect, band)
    year_axis(ax, [int(effect.period) for effect in effects], exposure.partial)
    ax.margins(y=0.08)
    times = [when(int(effect.period)) for effect in effects]
    ax.set_xlim(min(times) - 0.35, max(times) + 0.28 * (max(times) - min(times)) + 0.35)
    _key(ax, evaluation, effects, bands)


def _band(ax: Axes, at: float, band: IntervalOrReason) -> None:
    """Draw the band of a year as a thin line with ends."""
    if isinstance(band, Interval):
        ax.vlines(at, band.lower, band.upper, color=BLUE, linewidth=1, zorder=1)
        ax.hlines([band.lower, band.upper], at - _CAP, at + _CAP, color=BLUE, linewidth=1.4, zorder=1)


def _point(ax: Axes, effect: Effect, is_before: bool) -> None:
    """Draw one year: hollow before the programme, with its interval where there is one."""
    if isinstance(effect.estimate, Unavailable):
        return
    at, value = when(int(effect.period)), effect.estimate
    if isinstance(effect.interval, Interval):
        ax.vlines(at, effect.interval.lower, effect.interval.upper, color=BLUE, linewidth=4.5, zorder=2)
    fill = "white" if is_before else BLUE
    ax.plot(at, value, "o", markersize=9, markeredgecolor=BLUE, markeredgewidth=1.8, markerfacecolor=fill, zorder=3)


def _number(ax: Axes, effect: Effect, band: IntervalOrReason) -> None:
    """Write a year's estimate above all that is drawn of it, where nothing crosses it."""
    if isinstance(effect.estimate, Unavailable):
        return
    tops = [drawn_as.upper for drawn_as in (effect.interval, band) if isinstance(drawn_as, Interval)]
    at = when(int(effect.period)), max([effect.estimate, *tops])
    room = 5 if tops else 9
    ax.annotate(number(effect.estimate), at, xytext=(0, room), textcoords="offset points", ha="center", color=BLACK)


def _key(ax: Axes, evaluation: Evaluation, effects: list[Effect], bands: Bands) -> None:
    """Say at the right of the last year what the thick and the thin line are, each word beside a sample of its line."""
    words = [("this year\nalone", 4.5)] if any(isinstance(effect.interval, Interval) for effect in effects) else []
    words += [("all years\ntogether", 1.0)] if _has_band(bands) else []
    low, high = ax.get_ylim()
    at = free_of_edges(evaluation.project, int(effects[-1].period)) + 0.03 * (ax.get_xlim()[1] - ax.get_xlim()[0])
    for place, (text, width) in enumerate(words):
        height = high - (0.09 + 0.16 * place) * (high - low)
        half = 0.055 * (high - low)
        ax.vlines(at, height - half, height + half, color=BLUE, linewidth=width)
        if width < 2:
            ax.hlines([height - half, height + half], at - _CAP, at + _CAP, color=BLUE, linewidth=1.4)
        ax.annotate(
            text, (at, height), xytext=(8, 0), textcoords="offset points", va="center", fontsize=SMALL, color=BLUE
        )
    ax.set_ylim(low, high)


def _caption(evaluation: Evaluation, bands: Bands) -> str:
    label = outcome_label(evaluation, evaluation.project.primary.measure)
    level = level_text(evaluation.project.inference.level)
    thin = f"; thin lines, the {level} band that holds in all years together" if _has_band(bands) else ""
    effects = event_effects(evaluation, evaluation.project.primary.measure)
    some = any(isinstance(effect.interval, Interval) for effect in effects)
    thick = f"Thick lines, each year's {level} permutation interval{thin}. " if some else "No year has an interval. "
    lines = f"{thick}Hollow: before the programme."
    return f"{label}, year by year against neighbours. {lines} {base_note(evaluation)}"


def _has_band(bands: Bands) -> bool:
    return any(isinstance(band, Interval) for band in bands.values())


def _words(effect: Effect, band: IntervalOrReason) -> str:
    if isinstance(effect.estimate, Unavailable):
        return f"not available: {effect.estimate.reason.rstrip('.')}"
    parts = [f"interval {interval_text(effect.interval)}" if isinstance(effect.interval, Interval) else "no interval"]
    parts += [f"band {interval_text(band)}"] if isinstance(band, Interval) else []
    return f"{careful(effect.estimate)} ({', '.join(parts)})"


def _alt(evaluation: Evaluation, effects: list[Effect], bands: Bands) -> str:
    facts = evaluation.project.programme
    years = "; ".join(f"{e.period}: {_words(e, bands.get(e.period, _NO_BAND))}" for e in effects)
    ran = f"The programme ran from {month(facts.start)} to {month(facts.end)}; its period is shaded."
    return f"Dot chart of the difference in each year. {years}. {ran}"


def _data(evaluation: Evaluation, effects: list[Effect], bands: Bands) -> ReleasedTable:
    columns = (
        Column("year", "Summer"),
        Column("estimate", "Estimate", "estimate"),
        Column("interval", "Interval of the year alone", "interval"),
        Column("band", "Band of all years together", "interval"),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (e.period, e.estimate, e.interval, bands.get(e.period, _NO_BAND)) for e in effects
    )
    note = (
        "The band stretches each year's interval by one factor, the least at which the permutation over areas allows "
        "for the largest of all years."
    )
    notes = (note,) if _has_band(bands) else ()
    caption = "Numbers behind the figure of single years"
    return released(evaluation, Table(caption=caption, columns=columns, rows=rows, notes=notes))
