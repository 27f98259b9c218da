"""Forest plot of all analyses of a project: the effect by which each is quoted, one below the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Final

from matplotlib.axes import Axes

from evalkit.core.formats import interval_text, level_text, visible
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted, listed
from evalkit.diagnose.evaluation import Evaluation
from evalkit.estimate.effect import Effect
from evalkit.report.border.parts import Figure
from evalkit.report.figures.style import BLUE, GREY, VERMILION, clipped, drawn, stacked
from evalkit.report.tables.analyses import answers, outcomes_shown
from evalkit.report.words.answers import in_order, main_effects
from evalkit.report.words.names import effect_unit, measure_label

_ROW: Final = 0.30
_AXIS: Final = 0.62
"""Inches of height of a row, and of what each axis takes."""
_LONGEST: Final = 26


@dataclass(frozen=True, slots=True)
class _Row:
    """One line: an effect with the name of its analysis, or the heading of an outcome, which has none."""

    label: str
    unit: str
    effect: Effect | None = None
    is_primary: bool = False


def analyses_plot(evaluation: Evaluation) -> Figure:
    """Return the effect of each analysis on each outcome with its interval, outcomes in other units on other axes."""
    panels = [list(rows) for _, rows in groupby(_rows(evaluation), key=lambda row: row.unit)]
    level = level_text(evaluation.project.inference.level)
    with stacked([_ROW * len(rows) + _AXIS for rows in panels], is_shared=False) as (figure, axes):
        for ax, rows in zip(axes, panels, strict=True):
            _draw(ax, rows)
        png, svg = drawn(figure, evaluation.data_kind)
    caption = (
        f"The effect of each analysis on each outcome, with its {level} interval; the line is no difference. Filled: "
        "the primary analysis. What has no interval is a mark alone; what could not be estimated is left out."
    )
    return Figure(name="analyses", png=png, svg=svg, alt=_alt(evaluation), caption=caption, data=answers(evaluation))


def _rows(evaluation: Evaluation) -> list[_Row]:
    """Return the lines of the figure, outcomes of one unit together."""
    project = evaluation.project
    by_unit: dict[str, list[_Row]] = {}
    for code in outcomes_shown(evaluation):
        found = [
            _Row(one.analysis.name, effect_unit(project, effect), effect, one.analysis.primary)
            for one in in_order(evaluation)
            for effect in main_effects(one)
            if effect.outcome == code and not isinstance(effect.estimate, Unavailable)
        ]
        for unit in dict.fromkeys(row.unit for row in found):
            of_unit = [row for row in found if row.unit == unit]
            by_unit.setdefault(unit, []).extend([_Row(measure_label(project, code), unit), *of_unit])
    rows = [row for rows in by_unit.values() for row in rows]
    return rows or [_Row("Nothing could be estimated", "")]


def _draw(ax: Axes, rows: list[_Row]) -> None:
    ax.axvline(0, color=GREY, linewidth=1, zorder=0)
    for at, row in enumerate(rows):
        if row.effect is not None:
            _draw_effect(ax, at, row.effect, row.is_primary)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_yticks(range(len(rows)), [clipped(row.label, _LONGEST if row.effect else 60) for row in rows])
    for label, row in zip(ax.get_yticklabels(), rows, strict=True):
        label.set_fontweight("normal" if row.effect else "bold")
    beside = ax.secondary_yaxis("right")
    beside.set_yticks(range(len(rows)), [_numbers(row.effect) for row in rows])
    for axis in (ax, beside):
        axis.tick_params(axis="y", length=0)
    for side, axes in (("left", ax), ("right", beside)):
        axes.spines[side].set_visible(False)
    if all(row.effect is None for row in rows):
        ax.set_xticks([])
    ax.set_xlabel(f"Difference ({rows[0].unit})" if rows[0].unit else "")
    ax.margins(x=0.06)


def _draw_effect(ax: Axes, at: int, effect: Effect, is_primary: bool) -> None:
    colour = VERMILION if is_primary else BLUE
    if isinstance(effect.interval, Interval):
        ends = [effect.interval.lower, effect.interval.upper]
        ax.plot(ends, [at, at], color=colour, linewidth=2.2 if is_primary else 1.6, solid_capstyle="butt")
    if not isinstance(effect.estimate, Unavailable):
        fill = colour if is_primary else "white"
        ax.plot(effect.estimate, at, "o", color=colour, markerfacecolor=fill, markersize=8, markeredgewidth=1.6)


def _numbers(effect: Effect | None) -> str:
    if effect is None or isinstance(effect.estimate, Unavailable):
        return ""
    ends = f" ({interval_text(effect.interval)})" if isinstance(effect.interval, Interval) else " (no interval)"
    return f"{visible(effect.estimate)}{ends}"


def _alt(evaluation: Evaluation) -> str:
    told = [
        f"{measure_label(evaluation.project, row.effect.outcome)} by “{row.label}” {_numbers(row.effect)}"
        for row in _rows(evaluation)
        if row.effect is not None
    ]
    n = counted(len(evaluation.analyses), "analysis", "analyses")
    if not told:
        return f"Forest plot of {n}, without a line: nothing could be estimated."
    return f"Forest plot of {n}, each effect with its interval: {listed(told, 40)}."
