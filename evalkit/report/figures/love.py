"""Standardised differences before and after as dots on a line: the drawing that every love plot shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from evalkit.core.quantities import Quantity, Unavailable
from evalkit.report.figures.style import BLUE, GREY, QUIET, SMALL, VERMILION

THRESHOLDS: Final = (0.05, 0.25)
"""Where lines are drawn: dashed at the first, dotted at the second."""


@dataclass(frozen=True, slots=True)
class LoveRow:
    """A covariate's name on the page and its standardised difference before and after."""

    label: str
    before: Quantity
    after: Quantity


def love_panel(ax: Axes, rows: Sequence[LoveRow], labels: Sequence[str]) -> None:
    """Draw a dot before and a dot after for each row, at the place of its label from the top."""
    for limit in THRESHOLDS:
        for side in (-limit, limit):
            ax.axvline(side, color=QUIET, linestyle=":" if limit == THRESHOLDS[1] else "--", linewidth=1, zorder=0)
    ax.axvline(0, color=GREY, linewidth=1, zorder=0)
    for row in rows:
        place = list(labels).index(row.label)
        if not isinstance(row.before, Unavailable) and not isinstance(row.after, Unavailable):
            ax.plot([row.before, row.after], [place, place], color=QUIET, linewidth=1, zorder=1)
        if not isinstance(row.before, Unavailable):
            ax.plot(row.before, place, "o", markerfacecolor="white", markeredgecolor=VERMILION, markersize=8)
        if not isinstance(row.after, Unavailable):
            ax.plot(row.after, place, "o", color=BLUE, markersize=7)
    ax.set_yticks(range(len(labels)), list(labels))
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.margins(x=0.14)


def love_legend(figure: Canvas) -> None:
    """Say once, above the panels, which mark is which."""
    marks = (
        Line2D([], [], marker="o", linestyle="", markerfacecolor="white", markeredgecolor=VERMILION, markersize=8),
        Line2D([], [], marker="o", linestyle="", color=BLUE, markersize=7),
    )
    figure.legend(marks, ("before", "after"), loc="outside upper left", ncols=2, frameon=False, fontsize=SMALL)
