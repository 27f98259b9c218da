"""The theory of change drawn in layers: boxes for its nodes, and a line for each link by its verdict."""

from __future__ import annotations

from graphlib import TopologicalSorter
from itertools import groupby
from textwrap import wrap
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from evalkit.core.words import counted
from evalkit.design.kinds.contribution import ContributionOptions, Link, Node
from evalkit.diagnose.kinds.contribution import ContributionFindings, LinkVerdict
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure
from evalkit.report.figures.style import BLACK, BLUE, GREY, PALE, QUIET, SMALL, VERMILION, WIDTH, drawn, sheet

Places = dict[str, tuple[float, float]]
LINES: Final[dict[LinkVerdict, tuple[str, Any, float]]] = {
    LinkVerdict.CONTRADICTED: (VERMILION, "-.", 2.0),
    LinkVerdict.NOT_EVIDENCED: (QUIET, ":", 1.4),
    LinkVerdict.ASSERTED: (GREY, (0, (2, 2)), 1.4),
    LinkVerdict.MIXED: (VERMILION, "--", 1.4),
    LinkVerdict.SUGGESTED: (BLUE, "--", 1.4),
    LinkVerdict.RIVAL: (BLUE, (0, (8, 2)), 1.8),
    LinkVerdict.SUPPORTED: (BLACK, "-", 2.4),
}
"""Colour, line and width of each verdict: none is told by its colour alone."""
_IN_ROW: Final = 4
_ROW, _LETTERS, _LEGEND, _LINE_HEIGHT, _MARGIN, _BEND = 1.35, 19, 0.22, 0.17, 0.12, -0.2
_LANE, _NEAR = 0.15, 0.2
"""Inches between a box and the line that leads from it back up, and the number of a long line."""


def theory_plot(found: ContributionFindings, data: ReleasedTable) -> Figure:
    """Return the theory of change as a figure; links are numbered as in `data`, which lists them in words."""
    options = found.options
    rows = node_rows(options)
    legend = [one for one in reversed(LinkVerdict) if found.n_of(one)]
    below = 0.15 + _LEGEND * ((len(legend) + 1) // 2)
    with sheet(below + _ROW * len(rows)) as (figure, ax):
        places = _placed(rows, below)
        for number, link in enumerate(options.links, start=1):
            _line(ax, options, places, link, (found.verdicts[link.between], number))
        for one in options.nodes:
            _box(ax, one, *places[one.id])
        _legend(ax, legend)
        png, svg = drawn(figure)
    caption = "The theory of change; lines by what the evidence allows to be said, numbered as in the list of links"
    return Figure(name="contribution", png=png, svg=svg, alt=_alt(found), caption=caption, data=data)


def node_rows(options: ContributionOptions) -> list[tuple[str, ...]]:
    """Return the nodes in rows of at most four, from the first to the last: every link but feedback leads downwards."""
    before = {
        one.id: {a for a, b in (link.between for link in options.links if not link.feedback) if b == one.id}
        for one in options.nodes
    }
    order = list(TopologicalSorter(before).static_order())
    rank: dict[str, int] = {}
    for node in order:
        rank[node] = max((rank[one] + 1 for one in before[node]), default=0)
    for node in reversed(order):  # what nothing leads to stands just above what it leads to
        after = [rank[one] for one in order if node in before[one]]
        rank[node] = min(after) - 1 if after and not before[node] else rank[node]
    written = {one.id: at for at, one in enumerate(options.nodes)}
    ranked = sorted(order, key=lambda one: (rank[one], written[one]))
    layers = (list(layer) for _, layer in groupby(ranked, key=lambda one: rank[one]))
    return [tuple(part) for layer in layers for part in _parted(layer)]


def _parted(layer: list[str]) -> list[list[str]]:
    """Return a layer in rows of four and three in turn, so that lines from above find a way between the boxes."""
    rows: list[list[str]] = []
    at = 0
    while at < len(layer):
        n = _IN_ROW - len(rows) % 2
        rows.append(layer[at : at + n])
        at += n
    return rows


def _placed(rows: list[tuple[str, ...]], below: float) -> Places:
    places: Places = {}
    for at, row in enumerate(rows):
        y = below + _ROW * (len(rows) - at - 0.5)
        step = WIDTH / max(len(row), 2 if at % 2 else 1)
        shift = (WIDTH - step * len(row)) / 2
        places |= {node: (shift + step * (i + 0.5), y) for i, node in enumerate(row)}
    return places


def _line(ax: Axes, options: ContributionOptions, places: Places, link: Link, look: tuple[LinkVerdict, int]) -> None:
    (x1, y1), (x2, y2) = (places[one] for one in link.between)
    up1, up2 = (_half_height(options.label(one)) for one in link.between)
    colour, style, width = LINES[look[0]]
    arrow = {"arrowstyle": "-|>", "color": colour, "linestyle": style, "linewidth": width, "shrinkA": 0, "shrinkB": 1}
    if y1 <= y2:  # back up, between rows and along the margin
        edge = _MARGIN if x1 + x2 < WIDTH else WIDTH - _MARGIN
        low, high = y1 - up1, y2 + up2
        xs, ys = (x1, x1, edge, edge, x2), (low, low - _LANE, low - _LANE, high + _LANE, high + _LANE)
        ax.plot(xs, ys, color=colour, linestyle=style, linewidth=width, zorder=1)
        ax.annotate("", (x2, high), (x2, high + _LANE), arrowprops=arrow, zorder=2)
        _number(ax, edge, (y1 + y2) / 2, look[1])
        return
    is_long = y1 - y2 > 1.5 * _ROW
    start, end = (x1, y1 - up1), (x2, y2 + up2)
    bend = f"arc3,rad={_BEND if is_long else 0}"
    ax.annotate("", end, start, arrowprops={**arrow, "connectionstyle": bend}, zorder=1)
    if is_long:
        _number(ax, *_on_arc(start, end, _is_fan(options, link)), look[1])
        return
    part = 0.35 + 0.1 * (look[1] % 3)
    _number(ax, start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1]), look[1])


def _is_fan(options: ContributionOptions, link: Link) -> bool:
    """Return whether more links leave where a link begins than arrive where it ends."""
    first, second = link.between
    leaving = sum(one.between[0] == first for one in options.links)
    return leaving > sum(one.between[1] == second for one in options.links)


def _on_arc(start: tuple[float, float], end: tuple[float, float], at_end: bool) -> tuple[float, float]:
    """Return where the number of a long line stands: near one of its ends, where no box lies."""
    (x1, y1), (x2, y2) = start, end
    bent = (x1 + x2) / 2 + _BEND * (y2 - y1), (y1 + y2) / 2 - _BEND * (x2 - x1)
    wanted = y2 + _NEAR if at_end else y1 - _NEAR
    points = []
    for step in range(101):
        t = step / 100
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
        points.append((a * x1 + b * bent[0] + c * x2, a * y1 + b * bent[1] + c * y2))
    return min(points, key=lambda point: abs(point[1] - wanted))


def _number(ax: Axes, x: float, y: float, number: int) -> None:
    ax.text(x, y, str(number), ha="center", va="center", fontsize=SMALL, zorder=4, bbox=_PATCH)


def _half_height(label: str) -> float:
    return (len(_wrapped(label)) + 1) * _LINE_HEIGHT / 2 + 0.05


def _wrapped(label: str) -> list[str]:
    return wrap(label, _LETTERS)[:4]


_PATCH: Final = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"}


def _box(ax: Axes, node: Node, x: float, y: float) -> None:
    text = "\n".join((f"({node.type})", *_wrapped(node.label)))
    edge = {"facecolor": "white" if node.type != "outcome" else PALE, "edgecolor": GREY, "boxstyle": "round,pad=0.25"}
    dashed = "--" if node.type in ("assumption", "context") else "-"
    ax.text(x, y, text, ha="center", va="center", fontsize=SMALL, zorder=3, bbox={**edge, "linestyle": dashed})


def _legend(ax: Axes, shown: list[LinkVerdict]) -> None:
    lines = []
    for one in shown:
        colour, style, width = LINES[one]
        lines.append(Line2D([], [], color=colour, linestyle=style, linewidth=width, label=one.words))
    ax.legend(handles=lines, loc="lower center", ncols=2, fontsize=SMALL, frameon=False, handlelength=3.5)


def _alt(found: ContributionFindings) -> str:
    said = [
        f"{found.options.label(a)} to {found.options.label(b)}: {verdict.words}"
        for (a, b), verdict in found.verdicts.items()
    ]
    return f"{counted(len(found.options.nodes), 'box')} and {counted(len(said), 'arrow')}. {'; '.join(said)}."
