"""Answers to items as bars that part at the middle of their scale; what is withheld in the table is not drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from evalkit.core.manifest import DataKind
from evalkit.core.quantities import Unavailable
from evalkit.diagnose.kinds.survey import ScaleResults
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.figures.style import BLACK, GREY, canvas, drawn

_BAR: Final = 0.34
"""Inches of height of a bar, and of the line with the words of an item."""
_TEXT: Final = 0.30
_LONGEST: Final = 92
_NO_HALVES: Final = 3
_LEAST_LABELLED: Final = 7.0
_LOW: Final = ("#B34A00", "#E88A4A", "#F6C9A8")
_HIGH: Final = ("#00507D", "#4A9CCB", "#B5D8EC")
_MIDDLE: Final = "#E3E6EA"
_DARK: Final = ("#B34A00", "#00507D")


def likert_plot(data: ReleasedTable, name: str, caption: str, data_kind: DataKind) -> Figure:
    """Return the figure of a table with columns `item`, `wave`, `n` and one of counts for each point, the lowest first.

    The lower half is hatched, so that it is told from the upper one without colours; a row of which a count is
    withheld has words in the place of its bar.
    """
    points = [column for column in data.table.columns if column.key.startswith("point_")]
    labels = [column.header for column in points]
    items = dict.fromkeys(data.table.column("item"))
    height = _BAR * len(data.table.rows) + _TEXT * len(items) + 1.25
    with canvas(height=height) as (figure, axes):
        _draw(axes[0], data, labels)
        looks = _looks(len(labels))
        handles = [
            Patch(facecolor=colour, hatch=hatch, edgecolor=BLACK, linewidth=0.6, label=label)
            for (colour, hatch), label in zip(looks, labels, strict=True)
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=min(len(labels), 5), frameon=False, fontsize=9)
        png, svg = drawn(figure, data_kind)
    return Figure(name=name, png=png, svg=svg, alt=_alt(data, labels), caption=caption, data=data)


def shares_of(data: ReleasedTable) -> list[tuple[str, str, list[float] | None]]:
    """Return item, wave and per cent of each point of every row; None where a count of it is withheld."""
    columns = [column.key for column in data.table.columns]
    at = [place for place, key in enumerate(columns) if key.startswith("point_")]
    found = []
    for row in data.table.rows:
        counts = [row[place] for place in at]
        told = [one for one in counts if isinstance(one, int)]
        total = sum(told)
        shares = [100.0 * one / total for one in told] if len(told) == len(counts) and total else None
        found.append((str(row[columns.index("item")]), str(row[columns.index("wave")]), shares))
    return found


def _looks(n: int) -> list[tuple[str, str]]:
    """Return colour and hatch of each of `n` points, the lowest first; the middle of an odd number is pale."""
    half = n // 2
    low = [(_LOW[min(at, 2)], "////") for at in range(half)]
    high = [(_HIGH[min(at, 2)], "") for at in range(half)]
    return [*low, *([(_MIDDLE, "")] if n % 2 else []), *reversed(high)]


def _draw(ax: Axes, data: ReleasedTable, labels: Sequence[str]) -> None:
    rows, looks, place, last = shares_of(data), _looks(len(labels)), 0.0, ""
    ticks, names, reach = list[float](), list[str](), 20.0
    for item, wave, shares in rows:
        if item != last:
            place += _TEXT / _BAR if last else 0.0
            words = textwrap.shorten(item, _LONGEST, placeholder="…")
            ax.text(0.0, place, words, transform=ax.get_yaxis_transform(), va="center", fontsize=10, color=BLACK)
            place, last = place + 0.9, item
        ticks.append(place)
        names.append(wave)
        if shares is None:
            ax.text(0, place, "withheld: it rests on few answers", ha="center", va="center", fontsize=9, color=GREY)
        else:
            start, end = _bar(ax, place, shares, looks)
            reach = max(reach, -start, end)
        place += 1.0
    ax.axvline(0, color=BLACK, linewidth=0.8, zorder=0)
    ax.set_xlim(-1.04 * reach, 1.04 * reach)
    ax.set_ylim(place - 0.3, -0.6)
    ax.set_yticks(ticks, names)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):.0f}%"))
    ax.set_xlabel("Share of those who answered: lower half to the left, upper half to the right")


def _bar(ax: Axes, place: float, shares: Sequence[float], looks: Sequence[tuple[str, str]]) -> tuple[float, float]:
    """Draw one bar and return where it begins and ends."""
    half = len(shares) // 2
    start = left = -sum(shares[:half]) - (shares[half] / 2 if len(shares) % 2 else 0.0)
    for share, (colour, hatch) in zip(shares, looks, strict=True):
        if share > 0:
            ax.barh(place, share, left=left, height=0.8, color=colour, hatch=hatch, edgecolor=BLACK, linewidth=0.6)
        if share >= _LEAST_LABELLED:
            box = {"facecolor": colour, "edgecolor": "none", "pad": 1.2} if hatch else None
            ink = "white" if colour in _DARK else BLACK
            ax.text(left + share / 2, place, f"{share:.0f}", ha="center", va="center", fontsize=9, color=ink, bbox=box)
        left += share
    return start, left


def _alt(data: ReleasedTable, labels: Sequence[str]) -> str:
    parts = []
    for item, wave, shares in shares_of(data):
        said = (
            "withheld"
            if shares is None
            else ", ".join(f"{share:.0f}% {label}" for share, label in zip(shares, labels, strict=True))
        )
        parts.append(f"{item} ({wave}): {said}")
    return f"Bars of answers parted at the middle of the scale. {'; '.join(parts)}."


def is_told(data: ReleasedTable) -> bool:
    """Return whether no count of a table of answers is withheld."""
    return not any(isinstance(cell, Unavailable) for row in data.table.rows for cell in row)


def answers_table(one: ScaleResults, waves: Sequence[str], threshold: int) -> tuple[ReleasedTable, bool]:
    """Return how many gave each point of the items of a scale, and whether it is told by point.

    It is told by half of the scale instead where a point of some item has fewer than `threshold` answers; never both.
    """
    points = [[place] for place in range(len(one.scale.points))]
    by_point = release(_counts(one, waves, points), threshold)
    if is_told(by_point) or len(points) <= _NO_HALVES:  # two or three points have no halves to be told in
        return by_point, True
    half = len(points) // 2
    low, high = list(range(half)), list(range(len(points) - half, len(points)))
    middle = [[half]] if len(points) % 2 else []
    return release(_counts(one, waves, [low, *middle, high]), threshold), False


def _counts(one: ScaleResults, waves: Sequence[str], points: Sequence[Sequence[int]]) -> Table:
    names = list(one.scale.points.values())
    columns = (
        Column("item", "Item"),
        Column("wave", "Wave"),
        Column("n", "Answered", "pupil_count", is_total=True),
        *(
            Column(f"point_{at}", " or ".join(names[place] for place in places), "pupil_count")
            for at, places in enumerate(points)
        ),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            item.item.text + (" (reversed)" if item.item.reversed else ""),
            waves[item.wave],
            item.n,
            *(int(item.counts[list(places)].sum()) for places in points),
        )
        for item in one.items
    )
    return Table(caption=f"{one.scale.label}: answers", columns=columns, rows=rows, people="people")
