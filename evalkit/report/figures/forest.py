"""Forest plot: every project's estimate, and the pooled one with its prediction interval or why there is none."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes

from evalkit.core.errors import EvalkitError
from evalkit.core.formats import interval_text, level_text, visible
from evalkit.core.manifest import DataKind
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted
from evalkit.estimate.areas.placebo_pool import PlaceboPool
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure
from evalkit.report.figures.style import BLUE, GREY, VERMILION, canvas, drawn

_ROW: Final = 0.30
"""Inches of height for each project."""
_LONGEST_LABEL: Final = 34
_LARGEST_MARK: Final = 110.0
_ON_WHITE: Final = {"facecolor": "white", "edgecolor": "none", "pad": 2.0}


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One project's label, estimate and interval."""

    label: str
    estimate: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """What is drawn: rows from the top down, their weights (none where nothing is pooled), and the result or reason."""

    title: str
    unit: str
    rows: tuple[ForestRow, ...]
    weights: tuple[float, ...]
    pooled: PlaceboPool | Unavailable
    is_few: bool
    data_kind: DataKind = "real"

    def __post_init__(self) -> None:
        if not self.rows or (self.weights and len(self.weights) != len(self.rows)):
            raise EvalkitError("A forest plot needs at least one estimate, and a weight for each or none.")


def forest_plot(forest: Forest, data: ReleasedTable) -> Figure:
    """Return the figure; `data` is the table of the numbers it shows."""
    n, lines = len(forest.rows), _below(forest)
    with canvas(height=_ROW * (n + len(lines)) + 1.35) as (figure, axes):
        ax = axes[0]
        ax.axvline(0, color=GREY, linewidth=1, zorder=0)
        _draw_rows(ax, forest)
        if isinstance(forest.pooled, PlaceboPool):
            _draw_pooled(ax, forest.pooled, n)
        _label(ax, forest, lines)
        png, svg = drawn(figure, forest.data_kind)
    return Figure(png=png, svg=svg, alt=_alt(forest), caption=_caption(forest), data=data)


def _draw_rows(ax: Axes, forest: Forest) -> None:
    heaviest = max(forest.weights, default=1.0)
    for at, row in enumerate(forest.rows):
        ax.plot([row.interval.lower, row.interval.upper], [at, at], color=BLUE, linewidth=1.6, solid_capstyle="butt")
        share = forest.weights[at] / heaviest if forest.weights else 0.4
        ax.scatter([row.estimate], [at], s=max(_LARGEST_MARK * share, 10), marker="s", color=BLUE, zorder=3)


def _draw_pooled(ax: Axes, pooled: PlaceboPool, n: int) -> None:
    """Draw the diamond, and below it the prediction interval where there is one."""
    middle, interval = pooled.test.estimate, pooled.test.interval
    ax.axhline(n - 0.5, color=GREY, linewidth=0.6)
    if isinstance(interval, Interval):
        corners = [interval.lower, middle, interval.upper, middle]
        ax.fill(corners, [n, n - 0.3, n, n + 0.3], color=VERMILION, zorder=3)
    else:
        ax.scatter([middle], [n], marker="D", color=VERMILION, zorder=3)
    if isinstance(pooled.prediction, Interval):
        ax.plot([pooled.prediction.lower, pooled.prediction.upper], [n + 1] * 2, color=VERMILION, linewidth=1.6)
        for end in (pooled.prediction.lower, pooled.prediction.upper):
            ax.plot([end, end], [n + 0.85, n + 1.15], color=VERMILION, linewidth=1.6)


def _label(ax: Axes, forest: Forest, lines: Sequence[tuple[str, str]]) -> None:
    """Write projects at the left, numbers at the right, and under the rows what was pooled or why nothing was."""
    n = len(forest.rows)
    left = [*(_short(row.label) for row in forest.rows), *(name for name, _ in lines)]
    right = [*(_numbers(row.estimate, row.interval) for row in forest.rows), *(numbers for _, numbers in lines)]
    ax.set_ylim(n + len(lines) - 0.4, -0.6)
    ax.set_yticks(range(len(left)), left)
    ax.tick_params(axis="y", length=0)
    if isinstance(forest.pooled, Unavailable):
        ax.axhline(n - 0.5, color=GREY, linewidth=0.6)
        where = ax.get_yaxis_transform()
        reason = textwrap.fill(forest.pooled.reason, 58)
        ax.text(
            0.02, n + len(lines) / 2 - 0.5, reason, transform=where, va="center", fontsize=9, color=GREY, bbox=_ON_WHITE
        )
    beside = ax.secondary_yaxis("right")
    beside.set_yticks(range(len(right)), right)
    beside.tick_params(axis="y", length=0, labelsize=9)
    beside.spines["right"].set_visible(False)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(f"Effect ({forest.unit})")
    ax.margins(x=0.04)


def _below(forest: Forest) -> list[tuple[str, str]]:
    """Return name and numbers of the lines under the rows."""
    found = forest.pooled
    if isinstance(found, Unavailable):
        return [("Average", ""), *(("", "") for _ in range(math.ceil(len(found.reason) / 58) - 1))]
    few = " (few: with care)" if forest.is_few else ""
    lines = [(f"Average{few}", _average(found))]
    if isinstance(found.prediction, Interval):
        lines.append(("One more project", interval_text(found.prediction)))
    return lines


def _average(pooled: PlaceboPool) -> str:
    interval = pooled.test.interval
    if isinstance(interval, Interval):
        return _numbers(pooled.test.estimate, interval)
    return f"{visible(pooled.test.estimate)} (no interval)"


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1].rstrip() + "…"


def _numbers(estimate: float, interval: Interval) -> str:
    return f"{visible(estimate)} ({interval_text(interval)})"


def _caption(forest: Forest) -> str:
    found = forest.pooled
    if isinstance(found, Unavailable):
        return f"{forest.title}: the projects' estimates given the baseline; nothing is pooled"
    level = level_text(found.mean.level)
    given = f"{level} interval" if isinstance(found.test.interval, Interval) else "its interval is withheld"
    return (
        f"{forest.title}: the projects' estimates given the baseline, with normal intervals; their average less what "
        f"areas like them give ({given}); and where the effect of one more project would lie ({level} prediction "
        "interval)"
    )


def _alt(forest: Forest) -> str:
    low, high = (end(row.estimate for row in forest.rows) for end in (min, max))
    said = (
        f"Forest plot of {counted(len(forest.rows), 'project')}. Estimates run from {visible(low)} to {visible(high)} "
    )
    found = forest.pooled
    if isinstance(found, Unavailable):
        return f"{said}{forest.unit}. {found.reason}"
    return f"{said}{forest.unit}; their average is {_average(found)}."
