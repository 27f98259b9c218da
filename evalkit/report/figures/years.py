"""Figures by year: means of both arms, and their difference with its interval and the band for all years."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from textwrap import fill
from typing import Final

from matplotlib.axes import Axes

from evalkit.core.formats import interval_text, level_text, number, visible
from evalkit.core.project import Project, day_of_tests
from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable
from evalkit.diagnose.project.evaluation import AreasResults, ArmYear
from evalkit.estimate.effect import Effect
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.figures.style import (
    ARM_COLOURS,
    BLACK,
    BLUE,
    GREY,
    QUIET,
    SHADE,
    SMALL,
    canvas,
    drawn,
    ink,
    say_empty,
    spread,
)
from evalkit.report.tables.design import released
from evalkit.report.tables.effects import base_note, event_effects
from evalkit.report.words.names import arm_label, outcome_label, treated_label, unit_of

# The axis of years: when tests were sat, when the programme ran, which year saw only part of it.

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def when(year: int) -> float:
    """Return the time of a summer's tests, mid-May, in years."""
    return _time(day_of_tests(year))


def _time(day: date) -> float:
    return day.year + (day.timetuple().tm_yday - 1) / 365.25


def month(day: date) -> str:
    """Return a day's month: `Feb 2018`."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def programme_period(ax: Axes, project: Project) -> None:
    """Shade the programme from its first day to its last, and say above when it ran."""
    facts = project.programme
    start, end = _time(facts.start), _time(facts.end)
    ax.axvspan(start, end, color=SHADE, linewidth=0, zorder=-1)
    for edge in (start, end):
        ax.axvline(edge, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)), zorder=-1)
    ax.annotate(
        f"programme,\n{month(facts.start)} – {month(facts.end)}",
        ((start + end) / 2, 1.01),
        xycoords=("data", "axes fraction"),
        ha="center",
        va="bottom",
        fontsize=SMALL,
        color=BLUE,
    )


def free_of_edges(project: Project, year: int) -> float:
    """Return where words about a summer's tests may begin: at the tests, or at an end of the programme soon after."""
    at, end = when(year), _time(project.programme.end)
    return end if at < end < at + 0.5 else at


def year_axis(ax: Axes, years: Sequence[int], partial: Sequence[int]) -> None:
    """Put a mark at each summer of tests, and say which summer saw only part of the programme."""
    words = [f"{year}\n(part of the year)" if year in partial else str(year) for year in years]
    ax.set_xticks([when(year) for year in years], words)
    ax.set_xlabel("Summer of the tests")


# The mean of the primary outcome, year by year: treated and compared.

_MARKS: Final = {"treated": "o", "neighbours": "s", "england": "^", "matched": "D"}
_DASHES: Final = {"treated": "-", "neighbours": "-", "england": "--", "matched": "-."}


def trajectories_plot(evaluation: AreasResults) -> Figure:
    """Return the mean of the primary outcome in each year: treated, neighbours and the rest of England."""
    main = evaluation.project.primary.code
    points = [point for point in evaluation.trajectories if point.outcome == main]
    arms = [arm for arm in ARM_COLOURS if any(point.arm == arm for point in points)]
    label, unit = outcome_label(evaluation, main), unit_of(evaluation, main)
    with canvas() as (figure, axes):
        if points:
            _lines(axes[0], evaluation, points, arms)
            axes[0].set_ylabel(f"{label} ({unit})")
        else:
            say_empty(axes, "No mean can be given; the tables give the reasons.")
        png, svg = drawn(figure, evaluation.design.data_kind)
    caption = f"{label}: mean of schools in each summer, in {unit}"
    alt = _means_alt(evaluation, points, arms)
    return Figure(name="trajectories", png=png, svg=svg, alt=alt, caption=caption, data=_means_data(evaluation, points))


def _lines(ax: Axes, evaluation: AreasResults, points: list[ArmYear], arms: list[str]) -> None:
    programme_period(ax, evaluation.project)
    for arm in arms:
        of_arm = _of(points, arm)
        ax.plot(
            [when(p.year) for p in of_arm],
            [p.mean for p in of_arm],
            color=ARM_COLOURS[arm],
            linestyle=_DASHES[arm],
            linewidth=2.4 if arm == "treated" else 1.8,
            marker=_MARKS[arm],
            markersize=6,
        )
    low, high = ax.get_ylim()
    if low < 0 < high:
        ax.axhline(0, color=QUIET, linewidth=1, zorder=0)
    year_axis(ax, sorted({p.year for p in points}), evaluation.project.exposure.partial)
    _names_at_the_end(ax, evaluation, points, arms)


def _of(points: list[ArmYear], arm: str) -> list[ArmYear]:
    return sorted((p for p in points if p.arm == arm), key=lambda p: p.year)


def _arm_words(evaluation: AreasResults, arm: str) -> str:
    return treated_label(evaluation) if arm == "treated" else arm_label(arm)


def _names_at_the_end(ax: Axes, evaluation: AreasResults, points: list[ArmYear], arms: list[str]) -> None:
    """Name each line at its last point, the names kept apart."""
    last = [_of(points, arm)[-1] for arm in arms]
    low, high = ax.get_ylim()
    names = [fill(_arm_words(evaluation, arm), 18) for arm in arms]
    heights = spread([point.mean for point in last], (high - low) * (0.11 if any("\n" in n for n in names) else 0.07))
    for arm, name, point, height in zip(arms, names, last, heights, strict=True):
        ax.annotate(
            name,
            (free_of_edges(evaluation.project, point.year), height),
            xytext=(7, 0),
            textcoords="offset points",
            color=ink(ARM_COLOURS[arm]),
            fontweight="bold" if arm == "treated" else "normal",
            va="center",
            annotation_clip=False,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )


def _means_alt(evaluation: AreasResults, points: list[ArmYear], arms: list[str]) -> str:
    if not points:
        return "No line is drawn, as no mean of the outcome can be given."
    ends = [(arm, _of(points, arm)[0], _of(points, arm)[-1]) for arm in arms]
    parts = [
        f"{_arm_words(evaluation, arm)} from {number(first.mean)} in {first.year} to {number(last.mean)} in {last.year}"
        for arm, first, last in ends
    ]
    facts = evaluation.project.programme
    ran = f"The programme ran from {month(facts.start)} to {month(facts.end)}; its period is shaded."
    return f"Line chart of yearly means. {'; '.join(parts)}. {ran}"


def _means_data(evaluation: AreasResults, points: list[ArmYear]) -> ReleasedTable:
    columns = (
        Column("arm", "Schools"),
        Column("year", "Summer"),
        Column("mean", "Mean", "number"),
        Column("n_schools", "Number of schools", "school_count"),
    )
    rows = tuple((_arm_words(evaluation, p.arm), str(p.year), p.mean, p.n) for p in points)
    return released(evaluation, Table(caption="Numbers behind the figure of yearly means", columns=columns, rows=rows))


# The difference of each single year, with its own interval and the band that holds in all years together.

_NO_BAND: Final = Unavailable("No band was made for this outcome.")
_CAP: Final = 0.035
"""Half the width of the end of a band, in years."""
Bands = dict[str, IntervalOrReason]


def event_study_plot(evaluation: AreasResults) -> Figure:
    """Return the difference from neighbours in each year, with permutation intervals and their simultaneous band."""
    main = evaluation.project.primary.code
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
        alt=_differences_alt(evaluation, effects, bands),
        caption=_caption(evaluation, bands),
        data=_differences_data(evaluation, effects, bands),
    )


def _bands(evaluation: AreasResults) -> Bands:
    main = evaluation.project.primary.code
    return {str(year_band.year): year_band.band for year_band in evaluation.bands if year_band.outcome == main}


def _years(ax: Axes, evaluation: AreasResults, effects: list[Effect], bands: Bands) -> None:
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


def _key(ax: Axes, evaluation: AreasResults, effects: list[Effect], bands: Bands) -> None:
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


def _caption(evaluation: AreasResults, bands: Bands) -> str:
    label = outcome_label(evaluation, evaluation.project.primary.code)
    level = level_text(evaluation.project.inference.level)
    thin = f"; thin lines, the {level} band that holds in all years together" if _has_band(bands) else ""
    effects = event_effects(evaluation, evaluation.project.primary.code)
    some = any(isinstance(effect.interval, Interval) for effect in effects)
    by = "permutation" if not any(effect.inference == "sets" for effect in effects) else "randomisation"
    thick = f"Thick lines, each year's {level} {by} interval{thin}. " if some else "No year has an interval. "
    lines = f"{thick}Hollow: before the programme."
    return f"{label}, year by year against neighbours. {lines} {base_note(evaluation)}"


def _has_band(bands: Bands) -> bool:
    return any(isinstance(band, Interval) for band in bands.values())


def _words(effect: Effect, band: IntervalOrReason) -> str:
    if isinstance(effect.estimate, Unavailable):
        return f"not available: {effect.estimate.reason.rstrip('.')}"
    parts = [f"interval {interval_text(effect.interval)}" if isinstance(effect.interval, Interval) else "no interval"]
    parts += [f"band {interval_text(band)}"] if isinstance(band, Interval) else []
    return f"{visible(effect.estimate)} ({', '.join(parts)})"


def _differences_alt(evaluation: AreasResults, effects: list[Effect], bands: Bands) -> str:
    facts = evaluation.project.programme
    years = "; ".join(f"{e.period}: {_words(e, bands.get(e.period, _NO_BAND))}" for e in effects)
    ran = f"The programme ran from {month(facts.start)} to {month(facts.end)}; its period is shaded."
    return f"Dot chart of the difference in each year. {years}. {ran}"


def _differences_data(evaluation: AreasResults, effects: list[Effect], bands: Bands) -> ReleasedTable:
    columns = (
        Column("year", "Summer"),
        Column("estimate", "Estimate", "estimate"),
        Column("interval", "Interval of the year alone", "interval"),
        Column("band", "Band of all years together", "interval"),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (e.period, e.estimate, e.interval, bands.get(e.period, _NO_BAND)) for e in effects
    )
    what = "randomisation over sets" if any(e.inference == "sets" for e in effects) else "permutation over areas"
    note = (
        f"The band stretches each year's interval by one factor, the least at which the {what} allows for the largest "
        "of all years."
    )
    notes = (note,) if _has_band(bands) else ()
    caption = "Numbers behind the figure of single years"
    return released(evaluation, Table(caption=caption, columns=columns, rows=rows, notes=notes))
