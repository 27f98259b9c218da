"""The main effect: its interval on one line, and where the treated area stands among all areas."""

from __future__ import annotations

from typing import Final

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from evalkit.core.formats import count, interval_text, level_text, number, visible
from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable
from evalkit.core.words import counted
from evalkit.diagnose.project.evaluation import AreaDistribution, AreasResults, SetDistribution
from evalkit.estimate.effect import Effect
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.figures.style import (
    BLACK,
    GREY,
    QUIET,
    SMALL,
    VERMILION,
    canvas,
    clean_words,
    drawn,
    ink,
    say_empty,
)
from evalkit.report.tables.design import released
from evalkit.report.words.names import capital, outcome_label, subject, surest, unit_of

# The interval as one line: zero marked, points below, standard deviations above.

_HEIGHT: Final = 1.75
_HALF_HEIGHT: Final = 1.0


def interval_plot(evaluation: AreasResults) -> Figure:
    """Return the main effect and its interval drawn on one line, in points and in standard deviations."""
    main, effect = evaluation.project.primary.code, surest(evaluation)
    label, unit = outcome_label(evaluation, main), unit_of(evaluation, main)
    level = level_text(evaluation.project.inference.level)
    with canvas(_HEIGHT) as (figure, axes):
        if effect is None or isinstance(effect.estimate, Unavailable):
            say_empty(axes, "No estimate can be given; the text says why.")
        else:
            _draw_line(axes[0], effect, effect.estimate)
            axes[0].set_xlabel(f"Difference in change ({unit})")
            _second_axis(axes[0], effect)
        png, svg = drawn(figure, evaluation.design.data_kind)
    has = effect is not None and isinstance(effect.interval, Interval)
    caption = f"{label}: the difference from similar areas" + (f" and its {level} interval" if has else "")
    return Figure(
        name="interval",
        png=png,
        svg=svg,
        alt=_interval_alt(effect, unit, level),
        caption=caption,
        data=_interval_data(evaluation, effect),
    )


def _draw_line(ax: Axes, effect: Effect, estimate: float) -> None:
    """Draw zero, the interval and the estimate, each number beside its mark."""
    ax.set_ylim(-_HALF_HEIGHT, _HALF_HEIGHT)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.axvline(0, color=GREY, linewidth=1, zorder=0)
    ends = [effect.interval.lower, effect.interval.upper] if isinstance(effect.interval, Interval) else []
    if ends:
        ax.hlines(0, ends[0], ends[1], color=VERMILION, linewidth=3)
        ax.plot(ends, [0, 0], "|", color=VERMILION, markersize=14, markeredgewidth=2)
    ax.plot(estimate, 0, "o", color=VERMILION, markersize=9, markerfacecolor=VERMILION if ends else "white")
    ax.annotate(f"{visible(estimate)}", (estimate, 0), xytext=(0, 9), textcoords="offset points", ha="center",
                weight="bold", color=BLACK)  # fmt: skip
    for end, side in zip(ends, ("right", "left"), strict=False):
        ax.annotate(visible(end), (end, 0), xytext=(-9 if side == "right" else 9, 0), textcoords="offset points",
                    ha=side, va="center", color=BLACK)  # fmt: skip
    if not ends:
        ax.annotate("no interval can be given", (estimate, 0), xytext=(0, -9), textcoords="offset points", ha="center",
                    va="top", color=GREY, fontsize=SMALL)  # fmt: skip
    reach = max(map(abs, [*ends, estimate])) or 1.0
    low, high = min([0.0, estimate, *ends]), max([0.0, estimate, *ends])
    ax.set_xlim(low - 0.28 * reach, high + 0.28 * reach)
    ax.annotate(
        "no difference", (0, -_HALF_HEIGHT), xytext=(4, 3), textcoords="offset points", color=GREY, fontsize=SMALL
    )


def _second_axis(ax: Axes, effect: Effect) -> None:
    """Put standard deviations of pupils above, where the standard deviation is known."""
    size = effect.effect_size
    if size is None or isinstance(size.sd_used, Unavailable):
        return
    sd = size.sd_used
    above = ax.secondary_xaxis("top", functions=(lambda points: np.asarray(points) / sd, lambda g: np.asarray(g) * sd))
    above.set_xlabel("Hedges' g (standard deviations of pupils)")


def _interval_alt(effect: Effect | None, unit: str, level: str) -> str:
    if effect is None or isinstance(effect.estimate, Unavailable):
        return "No estimate can be given, so that no interval is drawn."
    start = f"One line with zero marked. The estimate is {visible(effect.estimate)} {unit}"
    if not isinstance(effect.interval, Interval):
        return f"{start}; it has no interval."
    side = "It contains zero." if 0.0 in effect.interval else "It does not contain zero."
    return f"{start}, the {level} interval {_ends(effect.interval)}{_in_sd(effect)}. {side}"


def _in_sd(effect: Effect) -> str:
    size = effect.effect_size
    if size is None or not isinstance(size.hedges_g, float) or not isinstance(size.hedges_g_interval, Interval):
        return ""
    return f"; in standard deviations {number(size.hedges_g)} ({_ends(size.hedges_g_interval)})"


def _ends(interval: IntervalOrReason) -> str:
    """Return both ends of an interval, or that there is none."""
    return interval_text(interval) if isinstance(interval, Interval) else "no interval"


def _interval_data(evaluation: AreasResults, effect: Effect | None) -> ReleasedTable:
    columns = (
        Column("unit", "Unit"),
        Column("estimate", "Estimate", "estimate"),
        Column("interval", "Interval", "interval"),
    )
    none = Unavailable("Not estimated.")
    size = effect.effect_size if effect else None
    unit = unit_of(evaluation, evaluation.project.primary.code)
    rows: tuple[tuple[Cell, ...], ...] = ((unit, effect.estimate, effect.interval) if effect else (unit, none, none),)
    if size is not None:
        rows = (*rows, ("Hedges' g", size.hedges_g, size.hedges_g_interval))
    return released(evaluation, Table(caption="Numbers behind the interval", columns=columns, rows=rows))


# Where the treated area stands among all areas, each analysed the same way.


def permutation_plot(evaluation: AreasResults) -> Figure:
    """Return the change of every area analysed the same way, the treated area marked."""
    if evaluation.placed is not None:
        return _sets_plot(evaluation, evaluation.placed)
    main = evaluation.project.primary.code
    distribution = next((d for d in evaluation.distributions if (d.outcome, d.design) == (main, "neighbours")), None)
    label, place = outcome_label(evaluation, main), evaluation.headline.place
    with canvas(3.2) as (figure, axes):
        if distribution is not None:
            _swarm(axes[0], distribution, place)
            axes[0].set_yticks([])
            axes[0].set_xlabel(f"Change relative to each area's own neighbours ({unit_of(evaluation, main)})")
            axes[0].spines["left"].set_visible(False)
            _mark(figure, axes[0], _treated_effect(distribution))
        else:
            say_empty(axes, "No area permutation was made.")
        png, svg = drawn(figure, evaluation.design.data_kind)
    caption = (
        f"{label}: no area was analysed in the place of {place}"
        if distribution is None
        else (
            f"{label}: the change of every area, each analysed as if the programme had been there; the dark dots "
            f"changed at least as much as {place} in either direction"
        )
    )
    return Figure(
        name="permutation",
        png=png,
        svg=svg,
        alt=_areas_alt(distribution, place),
        caption=caption,
        data=_areas_data(evaluation, distribution),
    )


def _treated_effect(distribution: AreaDistribution) -> float:
    return distribution.effects[distribution.areas.index(distribution.treated_area)]


def _n_large(distribution: AreaDistribution) -> int:
    """Return how many areas lie at least as far from zero, the treated one among them."""
    return sum(abs(effect) >= abs(_treated_effect(distribution)) for effect in distribution.effects)


def _swarm(ax: Axes, distribution: AreaDistribution, place: str) -> None:
    """Draw one dot an area; those that changed at least as much as the treated one are dark."""
    treated = _treated_effect(distribution)
    kinds = [
        "own" if area == distribution.treated_area else "large" if abs(effect) >= abs(treated) else "other"
        for area, effect in zip(distribution.areas, distribution.effects, strict=True)
    ]
    colours = {"own": VERMILION, "large": BLACK, "other": QUIET}
    sns.swarmplot(
        x=list(distribution.effects),
        y=[""] * len(kinds),
        hue=kinds,
        palette=colours,
        hue_order=list(colours),
        ax=ax,
        size=5.5,
        legend=False,
        orient="y",
    )
    for side in (-abs(treated), abs(treated)):
        ax.axvline(side, color=GREY, linestyle="--", linewidth=1, zorder=0)
    ax.axvline(0, color=QUIET, linewidth=1, zorder=0)
    ax.set_ylabel("")
    _name_place(ax, distribution, place)


def _mark(figure: Canvas, ax: Axes, treated: float) -> None:
    """Draw the treated area's dot larger, where the swarm has put it; places are known once it has been drawn."""
    ax.autoscale(enable=False)
    clean_words(figure)
    figure.draw_without_rendering()
    places = [(float(x), float(y)) for dots in ax.collections for x, y in np.asarray(dots.get_offsets())]
    x, y = min(places, key=lambda place: abs(place[0] - treated))
    ax.plot(x, y, "o", color=VERMILION, markersize=11, markeredgecolor="white", markeredgewidth=1.6, zorder=100)


def _name_place(ax: Axes, distribution: AreaDistribution, place: str) -> None:
    """Name the treated area on the side of its line where there is room, and count the dark dots."""
    treated, (low, high) = _treated_effect(distribution), ax.get_xlim()
    _name_treated(ax, place, treated, is_right=treated < low + 0.6 * (high - low))
    n = _n_large(distribution) - 1
    words = f"dark: {counted(n, 'other area')} at least as far from zero, on either side"
    ax.set_title(words, fontsize=SMALL, fontweight="normal")


def _name_treated(ax: Axes, who: str, treated: float, *, is_right: bool) -> None:
    """Write who is treated, and its number, beside its place at the top of a figure."""
    ax.annotate(
        f"{who} {number(treated)}",
        (treated, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(4 if is_right else -4, 0),
        textcoords="offset points",
        ha="left" if is_right else "right",
        va="top",
        color=ink(VERMILION),
        fontweight="bold",
    )


def _areas_alt(distribution: AreaDistribution | None, place: str) -> str:
    if distribution is None:
        return "No area permutation was made, so there is no distribution to show."
    treated, large = _treated_effect(distribution), _n_large(distribution)
    return (
        f"Dot plot of {count(len(distribution.effects))} areas' changes, from {number(min(distribution.effects))} to "
        f"{number(max(distribution.effects))}. {place} stands at {number(treated)}; {count(large)} areas, {place} "
        "among them, lie at least as far from zero."
    )


def _areas_data(evaluation: AreasResults, distribution: AreaDistribution | None) -> ReleasedTable:
    columns = (Column("area", "Area"), Column("code", "Code"), Column("effect", "Change", "estimate"))
    every = zip(distribution.names, distribution.areas, distribution.effects, strict=True) if distribution else ()
    pairs = sorted(every, key=lambda row: -row[2])
    rows = tuple((name, str(code), effect) for name, code, effect in pairs)
    return released(evaluation, Table(caption="Numbers behind the figure of areas", columns=columns, rows=rows))


# Where listed schools stand among sets of schools drawn in other areas.


def _sets_plot(evaluation: AreasResults, placed: SetDistribution) -> Figure:
    """Return the changes of sets drawn in other areas, of one area each counting the same, and the treated's own."""
    label, unit = outcome_label(evaluation, placed.outcome), unit_of(evaluation, placed.outcome)
    with canvas(3.2) as (figure, axes):
        _bars(axes[0], placed, subject(evaluation))
        axes[0].set_xlabel(f"Change relative to each set's own neighbours ({unit})")
        axes[0].set_ylabel("Share of sets (%)")
        png, svg = drawn(figure, evaluation.design.data_kind)
    what, effect = _sets_words(evaluation), evaluation.main_effect
    is_one = effect is not None and effect.sets is not None and effect.sets.n_treated_areas == 1
    alike = ", each area counting the same" if is_one else ""
    caption = (
        f"{label}: the changes of {count(placed.n_sets)} {what}{alike}; dark, those at least "
        f"as far from zero as {subject(evaluation)}"
    )
    alt = (
        f"Histogram of the changes of {count(placed.n_sets)} {what}, from {number(_ends_of(placed)[0])} to "
        f"{number(_ends_of(placed)[1])}. {capital(subject(evaluation))} stand at {number(placed.treated)}."
    )
    data = _sets_data(evaluation, placed)
    return Figure(name="permutation", png=png, svg=svg, alt=alt, caption=caption, data=data)


def _sets_words(evaluation: AreasResults) -> str:
    effect = evaluation.main_effect
    others = counted(evaluation.placed.n_areas - 1, "other area") if evaluation.placed else "other areas"
    if effect is None or effect.sets is None:
        return f"sets of schools drawn in {others}"
    own = effect.sets.n_treated_areas
    others = counted(effect.sets.n_areas - own, "other area")
    if effect.sets.is_whole:
        return f"draws of {counted(own, 'whole area')} among {others}"
    each = f", {own} areas at a time" if own > 1 else ""
    return f"sets of {count(effect.n_treated)} schools drawn in {others}{each}"


def _bars(ax: Axes, placed: SetDistribution, who: str) -> None:
    """Draw a bar a bin; bins wholly as far from zero as the listed schools are dark."""
    treated, edges = placed.treated, np.array(placed.edges)
    nearest = np.minimum(np.abs(edges[:-1]), np.abs(edges[1:]))
    colours = [BLACK if near >= abs(treated) else QUIET for near in nearest]
    ax.bar(edges[:-1], 100 * np.array(placed.shares), np.diff(edges), align="edge", color=colours, linewidth=0)
    for side in (-abs(treated), abs(treated)):
        ax.axvline(side, color=GREY, linestyle="--", linewidth=1, zorder=0)
    ax.plot(treated, 0, "o", color=VERMILION, markersize=11, markeredgecolor="white", clip_on=False, zorder=100)
    ax.set_ylim(0, 1.25 * 100 * max(placed.shares))
    _name_treated(ax, who, treated, is_right=treated < 0.6 * edges[-1])


def _ends_of(placed: SetDistribution) -> tuple[float, float]:
    """Return the outer edges of the first and the last bin that holds a set."""
    held = np.flatnonzero(placed.shares)
    return placed.edges[int(held[0])], placed.edges[int(held[-1]) + 1]


def _sets_data(evaluation: AreasResults, placed: SetDistribution) -> ReleasedTable:
    columns = (
        Column("from", "From", "estimate"),
        Column("to", "To", "estimate"),
        Column("share", "Share of sets (%)", "number"),
    )
    parts = zip(placed.edges, placed.edges[1:], placed.shares, strict=False)
    rows = tuple((low, high, 100 * share) for low, high, share in parts if share)
    return released(evaluation, Table(caption="Numbers behind the figure of sets", columns=columns, rows=rows))
