"""Figures of what changed: years, single years against the base, and the spread of areas."""

from __future__ import annotations

from datetime import date

import seaborn as sns
from matplotlib.axes import Axes

from evalkit.core.formats import careful, count, interval_text, level_text, number
from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.evaluation import AreaDistribution, ArmYear, Evaluation
from evalkit.estimate.effect import Effect
from evalkit.report.disclosure import ReleasedTable
from evalkit.report.figure import Figure
from evalkit.report.figures.style import BLACK, BLUE, GREY, PALE, SKY, VERMILION, canvas, drawn, say_empty, spread
from evalkit.report.names import arm_label, outcome_label, unit_of
from evalkit.report.table import Cell, Column, Table
from evalkit.report.tables.design import released
from evalkit.report.tables.effects import base_note, event_effects

_COLOURS = {"treated": VERMILION, "neighbours": BLUE, "england": GREY, "matched": "#007A5A"}
_MARKS = {"treated": "o", "neighbours": "s", "england": "^", "matched": "D"}


def _when(year: int) -> float:
    """Return the time of a summer's tests, mid-May, in years."""
    return _time(date(year, 5, 15))


def _time(day: date) -> float:
    return day.year + (day.timetuple().tm_yday - 1) / 365.25


def _programme_period(ax: Axes, evaluation: Evaluation) -> None:
    """Shade the programme from its first day to its last, and name it."""
    facts = evaluation.project.programme
    start, end = _time(facts.start), _time(facts.end)
    ax.axvspan(start, end, color=SKY, alpha=0.22, linewidth=0, zorder=0)
    ax.annotate(
        "programme", ((start + end) / 2, 1.01), xycoords=("data", "axes fraction"), ha="center", fontsize=9, color=GREY
    )


def _year_axis(ax: Axes, years: list[int]) -> None:
    ax.set_xticks([_when(year) for year in years], [str(year) for year in years])
    ax.set_xlabel("Summer of the tests")


def trajectories_plot(evaluation: Evaluation) -> Figure:
    """Return the mean of the primary outcome in each year: treated, neighbours and the rest of England."""
    main = evaluation.project.primary.measure
    points = [point for point in evaluation.trajectories if point.outcome == main]
    arms = [arm for arm in _COLOURS if any(point.arm == arm for point in points)]
    label, unit = outcome_label(evaluation, main), unit_of(evaluation, main)
    with canvas() as (figure, axes):
        ax = axes[0]
        _programme_period(ax, evaluation)
        for arm in arms:
            own = sorted((p for p in points if p.arm == arm), key=lambda p: p.year)
            sns.lineplot(
                x=[_when(p.year) for p in own], y=[p.mean for p in own], ax=ax, color=_COLOURS[arm], marker=_MARKS[arm]
            )
        _year_axis(ax, sorted({p.year for p in points}))
        ax.set_ylabel(f"{label} ({unit})")
        _end_labels(ax, evaluation, points, arms)
        png, svg = drawn(figure)
    caption = f"{label}: mean of schools in each summer"
    return Figure(
        png=png,
        svg=svg,
        alt=_trajectories_alt(evaluation, points, arms),
        caption=caption,
        data=_arm_data(evaluation, points),
    )


def _arm_words(evaluation: Evaluation, arm: str) -> str:
    return evaluation.headline.place if arm == "treated" else arm_label(arm)


def _end_labels(ax: Axes, evaluation: Evaluation, points: list[ArmYear], arms: list[str]) -> None:
    """Name each line at its last point, the names kept apart."""
    last = [max((p for p in points if p.arm == arm), key=lambda p: p.year) for arm in arms]
    low, high = ax.get_ylim()
    heights = spread([point.mean for point in last], (high - low) * 0.07)
    for arm, point, height in zip(arms, last, heights, strict=True):
        ax.annotate(
            _arm_words(evaluation, arm),
            (_when(point.year) + 0.06, height),
            color=_COLOURS[arm],
            va="center",
            annotation_clip=False,
        )


def _trajectories_alt(evaluation: Evaluation, points: list[ArmYear], arms: list[str]) -> str:
    parts = []
    for arm in arms:
        own = sorted((p for p in points if p.arm == arm), key=lambda p: p.year)
        first, last = own[0], own[-1]
        parts.append(
            f"{_arm_words(evaluation, arm)} from {number(first.mean)} in {first.year} to "
            f"{number(last.mean)} in {last.year}"
        )
    return "Line chart of yearly means. " + "; ".join(parts) + ". The period of the programme is shaded."


def _arm_data(evaluation: Evaluation, points: list[ArmYear]) -> ReleasedTable:
    columns = (
        Column("arm", "Schools"),
        Column("year", "Summer"),
        Column("mean", "Mean", "number"),
        Column("n_schools", "Number of schools", "school_count"),
    )
    rows = tuple((_arm_words(evaluation, p.arm), str(p.year), p.mean, p.n) for p in points)
    return released(evaluation, Table(caption="Numbers behind the figure of yearly means", columns=columns, rows=rows))


def event_study_plot(evaluation: Evaluation) -> Figure:
    """Return the difference from neighbours in each year, on the headline's base, with permutation intervals."""
    main = evaluation.project.primary.measure
    effects = event_effects(evaluation, main)
    label = outcome_label(evaluation, main)
    with canvas() as (figure, axes):
        ax = axes[0]
        _programme_period(ax, evaluation)
        ax.axhline(0, color=GREY, linewidth=1)
        for effect in effects:
            _event_point(ax, effect, int(effect.period) in evaluation.project.exposure.pre)
        _year_axis(ax, [int(effect.period) for effect in effects])
        ax.set_ylabel(f"Difference from neighbours ({unit_of(evaluation, main)})")
        ax.margins(x=0.12, y=0.1)
        if all(isinstance(effect.estimate, Unavailable) for effect in effects):
            say_empty(axes, "No year has an estimate; the table gives the reasons.")
        png, svg = drawn(figure)
    level = level_text(evaluation.project.inference.level)
    caption = f"{label}, year by year against neighbours, with {level} permutation intervals. {base_note(evaluation)}"
    return Figure(png=png, svg=svg, alt=_event_alt(effects), caption=caption, data=_event_data(evaluation, effects))


def _event_point(ax: Axes, effect: Effect, is_before: bool) -> None:
    """Draw one year: hollow before the programme, its interval where there is one, its number beside it."""
    if isinstance(effect.estimate, Unavailable):
        return
    at, value = _when(int(effect.period)), effect.estimate
    if isinstance(effect.interval, Interval):
        ax.vlines(at, effect.interval.lower, effect.interval.upper, color=BLUE, linewidth=2)
    ax.plot(at, value, "o", markersize=9, markeredgecolor=BLUE, markerfacecolor="white" if is_before else BLUE)
    ax.annotate(number(value), (at, value), xytext=(10, 0), textcoords="offset points", va="center", color=BLACK)


def _effect_words(effect: Effect) -> str:
    if isinstance(effect.estimate, Unavailable):
        return f"not available: {effect.estimate.reason.rstrip('.')}"
    interval = (
        f" ({interval_text(effect.interval)})" if isinstance(effect.interval, Interval) else ", without an interval"
    )
    return f"{careful(effect.estimate)}{interval}"


def _event_alt(effects: list[Effect]) -> str:
    return (
        "Dot chart of the difference in each year. "
        + "; ".join(f"{e.period}: {_effect_words(e)}" for e in effects)
        + "."
    )


def _event_data(evaluation: Evaluation, effects: list[Effect]) -> ReleasedTable:
    columns = (
        Column("year", "Summer"),
        Column("estimate", "Estimate", "estimate"),
        Column("interval", "Interval", "interval"),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple((e.period, e.estimate, e.interval) for e in effects)
    return released(evaluation, Table(caption="Numbers behind the figure of single years", columns=columns, rows=rows))


def permutation_plot(evaluation: Evaluation) -> Figure:
    """Return the change of every area analysed the same way, the treated area marked."""
    main = evaluation.project.primary.measure
    found = next((d for d in evaluation.distributions if (d.outcome, d.design) == (main, "neighbours")), None)
    label, place = outcome_label(evaluation, main), evaluation.headline.place
    with canvas(3.2) as (figure, axes):
        if found is not None:
            _swarm(axes[0], found, place)
            axes[0].set_yticks([])
            axes[0].set_xlabel(f"Change relative to each area's own neighbours ({unit_of(evaluation, main)})")
            axes[0].spines["left"].set_visible(False)
        else:
            say_empty(axes, "No area permutation was made.")
        png, svg = drawn(figure)
    caption = (
        f"{label}: the change of every area, each analysed as if the programme had been there; the dark dots "
        f"changed at least as much as {place} in either direction"
    )
    return Figure(
        png=png, svg=svg, alt=_permutation_alt(found, place), caption=caption, data=_area_data(evaluation, found)
    )


def _own(found: AreaDistribution) -> float:
    return found.effects[found.areas.index(found.treated_area)]


def _swarm(ax: Axes, found: AreaDistribution, place: str) -> None:
    """Draw one dot an area; those that changed at least as much as the treated one are dark."""
    own = _own(found)
    kinds = [
        "own" if area == found.treated_area else "large" if abs(effect) >= abs(own) else "other"
        for area, effect in zip(found.areas, found.effects, strict=True)
    ]
    colours = {"own": VERMILION, "large": "#404040", "other": PALE}
    y = [""] * len(kinds)
    sns.swarmplot(
        x=list(found.effects),
        y=y,
        hue=kinds,
        palette=colours,
        hue_order=list(colours),
        ax=ax,
        size=5.5,
        legend=False,
        orient="y",
    )
    for side in (-abs(own), abs(own)):
        ax.axvline(side, color=GREY, linestyle="--", linewidth=1, zorder=0)
    ax.axvline(0, color=PALE, linewidth=1, zorder=0)
    ax.set_ylabel("")
    ax.annotate(
        f"{place} {number(own)}",
        (own, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(4, 0),
        textcoords="offset points",
        color="#B34700",
        va="top",
        fontweight="bold",
    )


def _permutation_alt(found: AreaDistribution | None, place: str) -> str:
    if found is None:
        return "No area permutation was made, so there is no distribution to show."
    own = _own(found)
    large = sum(abs(effect) >= abs(own) for effect in found.effects)
    return (
        f"Dot plot of {count(len(found.effects))} areas' changes, from {number(min(found.effects))} to "
        f"{number(max(found.effects))}. {place} stands at {number(own)}; {count(large)} areas, {place} "
        f"among them, lie at least "
        "as far from zero."
    )


def _area_data(evaluation: Evaluation, found: AreaDistribution | None) -> ReleasedTable:
    columns = (Column("area", "Area"), Column("code", "Code"), Column("effect", "Change", "estimate"))
    pairs = sorted(zip(found.names, found.areas, found.effects, strict=True), key=lambda row: -row[2]) if found else []
    rows = tuple((name, str(code), effect) for name, code, effect in pairs)
    return released(evaluation, Table(caption="Numbers behind the figure of areas", columns=columns, rows=rows))
