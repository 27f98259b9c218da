"""The interval of the main effect as one line: zero marked, points below, standard deviations above."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes

from evalkit.core.formats import level_text, number, visible
from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.project.evaluation import Evaluation
from evalkit.estimate.effect import Effect
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.figures.style import BLACK, GREY, SMALL, VERMILION, canvas, drawn, say_empty
from evalkit.report.tables.design import released
from evalkit.report.tables.summary import interval_words
from evalkit.report.words.names import outcome_label, surest, unit_of

_HEIGHT: Final = 1.75
_HALF_HEIGHT: Final = 1.0


def interval_plot(evaluation: Evaluation) -> Figure:
    """Return the main effect and its interval drawn on one line, in points and in standard deviations."""
    main, effect = evaluation.project.primary.measure, surest(evaluation)
    label, unit = outcome_label(evaluation, main), unit_of(evaluation, main)
    level = level_text(evaluation.project.inference.level)
    with canvas(_HEIGHT) as (figure, axes):
        if effect is None or isinstance(effect.estimate, Unavailable):
            say_empty(axes, "No estimate can be given; the text says why.")
        else:
            _line(axes[0], effect, effect.estimate)
            axes[0].set_xlabel(f"Difference in change ({unit})")
            _second_axis(axes[0], effect)
        png, svg = drawn(figure, evaluation.design.data_kind)
    has = effect is not None and isinstance(effect.interval, Interval)
    caption = f"{label}: the difference from similar areas" + (f" and its {level} interval" if has else "")
    return Figure(
        name="interval",
        png=png,
        svg=svg,
        alt=_alt(effect, unit, level),
        caption=caption,
        data=_data(evaluation, effect),
    )


def _line(ax: Axes, effect: Effect, estimate: float) -> None:
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


def _alt(effect: Effect | None, unit: str, level: str) -> str:
    if effect is None or isinstance(effect.estimate, Unavailable):
        return "No estimate can be given, so that no interval is drawn."
    start = f"One line with zero marked. The estimate is {visible(effect.estimate)} {unit}"
    if not isinstance(effect.interval, Interval):
        return f"{start}; it has no interval."
    side = "It contains zero." if 0.0 in effect.interval else "It does not contain zero."
    return f"{start}, the {level} interval {interval_words(effect.interval)}{_in_sd(effect)}. {side}"


def _in_sd(effect: Effect) -> str:
    size = effect.effect_size
    if size is None or not isinstance(size.hedges_g, float) or not isinstance(size.hedges_g_interval, Interval):
        return ""
    return f"; in standard deviations {number(size.hedges_g)} ({interval_words(size.hedges_g_interval)})"


def _data(evaluation: Evaluation, effect: Effect | None) -> ReleasedTable:
    columns = (
        Column("unit", "Unit"),
        Column("estimate", "Estimate", "estimate"),
        Column("interval", "Interval", "interval"),
    )
    none = Unavailable("Not estimated.")
    size = effect.effect_size if effect else None
    unit = unit_of(evaluation, evaluation.project.primary.measure)
    rows: tuple[tuple[Cell, ...], ...] = ((unit, effect.estimate, effect.interval) if effect else (unit, none, none),)
    if size is not None:
        rows = (*rows, ("Hedges' g", size.hedges_g, size.hedges_g_interval))
    return released(evaluation, Table(caption="Numbers behind the interval", columns=columns, rows=rows))
