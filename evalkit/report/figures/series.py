"""The figure of an interrupted time series: the areas and those compared with, and the gap with its lines."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from evalkit.core.formats import Precision, lower_first
from evalkit.core.manifest import DataKind
from evalkit.diagnose.kinds.series import SeriesOutcomeResults, YearPoint
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Cell, Column, Table, measured
from evalkit.report.figures.style import (
    ARM_COLOURS,
    BLACK,
    BLUE,
    GREY,
    QUIET,
    SHADE,
    SMALL,
    drawn,
    ink,
    spread,
    stacked,
)

_HEIGHTS = (2.5, 2.7)


def series_figure(one: SeriesOutcomeResults, who: str, kind: DataKind) -> Figure:
    """Return the treated areas beside those compared with, and under it the gap with the lines fitted to it."""
    table = series_table(one, who)
    heights = _HEIGHTS[1:] if one.is_single else _HEIGHTS
    with stacked(heights) as (figure, axes):
        if not one.is_single:
            _levels(axes[0], one, who)
        _gap(axes[-1], one)
        png, svg = drawn(figure, kind)
    what = "" if one.is_single else ", and below the gap between them"
    beside = "" if one.is_single else " beside the mean of those compared with"
    caption = f"{one.label}: {who}{beside}{what}; solid, what the regression gives; dashed, how it would have gone on"
    return Figure(name="series", png=png, svg=svg, alt=_alt(one, who), caption=caption, data=table)


def _when(one: SeriesOutcomeResults) -> str:
    return "Year" if one.common_start is not None else "Years since the start"


def _start(one: SeriesOutcomeResults) -> float:
    """Return where the programme begins on the axis: between the last year before and the first from it on."""
    return (one.common_start if one.common_start is not None else 0) - 0.5


def _shade(ax: Axes, one: SeriesOutcomeResults, has_words: bool) -> None:
    last = max(point.at for point in one.points) + 0.5
    ax.axvspan(_start(one), last, color=SHADE, linewidth=0, zorder=-1)
    ax.axvline(_start(one), color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)), zorder=-1)
    if has_words:
        middle = ((_start(one) + last) / 2, 1.01)
        ax.annotate(
            "from the start on", middle, xycoords=("data", "axes fraction"), ha="center", fontsize=SMALL, color=BLUE
        )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _levels(ax: Axes, one: SeriesOutcomeResults, who: str) -> None:
    _shade(ax, one, has_words=True)
    arms = (
        ("treated", who, [point.own for point in one.points], "o"),
        ("neighbours", "those compared with", [point.own - point.gap for point in one.points], "s"),
    )
    times = [point.at for point in one.points]
    ends = []
    for arm, _, values, mark in arms:
        ax.plot(times, values, color=ARM_COLOURS[arm], marker=mark, markersize=5)
        ends.append(values[-1])
    low, high = ax.get_ylim()
    for (arm, words, _, _), at in zip(arms, spread(ends, 0.1 * (high - low)), strict=True):
        ax.annotate(
            words, (times[-1], at), xytext=(8, 0), textcoords="offset points", va="center", color=ink(ARM_COLOURS[arm]),
            fontsize=SMALL, annotation_clip=False,
        )  # fmt: skip
    ax.set_ylabel(one.unit)


def _gap(ax: Axes, one: SeriesOutcomeResults) -> None:
    _shade(ax, one, has_words=one.is_single)
    start = _start(one)
    before = [point for point in one.points if point.at < start]
    after = [point for point in one.points if point.at > start]
    for part in (before, after):
        _line(ax, part, [point.fitted for point in part], "-")
    _line(ax, after, [point.without for point in after], "--")
    for point in one.points:
        fill = BLACK if point.is_used else "white"
        ax.plot(point.at, point.gap, "o", markeredgecolor=BLACK, markerfacecolor=fill, markersize=5.5, zorder=3)
    if not one.is_single:
        ax.axhline(0, color=GREY, linewidth=1, zorder=0)
    ax.set_xlabel(_when(one))
    ax.set_ylabel(one.unit if one.is_single else f"gap ({one.unit})")


def _line(ax: Axes, points: Sequence[YearPoint], values: Sequence[float], style: str) -> None:
    """Draw a line; over a single year it is a short level one."""
    times = [float(point.at) for point in points]
    if len(times) == 1:
        times, values = [times[0] - 0.3, times[0] + 0.3], [values[0], values[0]]
    ax.plot(times, values, color=BLUE, linestyle=style, linewidth=2, zorder=2)


def series_table(one: SeriesOutcomeResults, who: str) -> ReleasedTable:
    """Return the numbers behind the figure."""
    made = one.made
    compared = () if one.is_single else (measured("compared", "Those compared with", "estimate", made),)
    gap = () if one.is_single else (measured("gap", "Gap", "estimate", made),)
    columns = (
        Column("when", _when(one), "text"),
        measured("own", who, "estimate", made),
        *compared,
        *gap,
        measured("fitted", "By the regression", "estimate", made),
        measured("without", "As it would have gone on", "estimate", made),
    )
    rows = tuple(_row(point, is_single=one.is_single) for point in one.points)
    return release(Table(caption=f"{one.label} by {lower_first(_when(one))}", columns=columns, rows=rows), 0)


def _row(point: YearPoint, *, is_single: bool) -> tuple[Cell, ...]:
    beside: tuple[Cell, ...] = () if is_single else (point.own - point.gap, point.gap)
    return (str(point.at), point.own, *beside, point.fitted, point.without)


def _alt(one: SeriesOutcomeResults, who: str) -> str:
    made: Precision = one.made
    what = "value" if one.is_single else "gap"
    told = "; ".join(
        f"{point.at}: {made.number(point.gap)}, expected {made.number(point.without)}"
        if point.at > _start(one)
        else f"{point.at}: {made.number(point.gap)}"
        for point in one.points
    )
    return f"Line chart of {one.label} in {who}. The {what} by {lower_first(_when(one))}: {told}."
