"""Figure of a list of similar schools or areas: each on a strip, by how far it is from the one the list is for."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from matplotlib.axes import Axes

from evalkit.core.formats import number
from evalkit.core.words import counted
from evalkit.design.similar import CLOSENESS, NOT_CLOSE
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Column, Table
from evalkit.report.figures.style import BLUE, GREY, PALE, SMALL, canvas, clipped, drawn, say_empty

MOST_DRAWN: Final = 25
"""Units that the strip has room for, the nearest first."""
_LONGEST: Final = 34
_ROOM: Final = 0.013
"""Room that a letter takes above the strip, as a share of its width; a word with less is left out."""


def similar_strip(listing: ReleasedTable) -> Figure:
    """Return the distances of a list that `similar` made, the nearest at the top; withheld ones are not drawn."""
    known = _known(listing)
    drawn_ones = known[:MOST_DRAWN]
    with canvas(1.5 + 0.22 * len(drawn_ones)) as (figure, axes):
        if drawn_ones:
            _draw(axes[0], drawn_ones)
        else:
            say_empty(axes, _NONE)
        png, svg = drawn(figure)
    columns = (Column("name", "Unit"), Column("distance", "Distance (SDs)", "number"), Column("closeness", "How close"))
    data = release(Table(caption="Numbers behind the figure of distances", columns=columns, rows=tuple(known)), 0)
    caption = f"{listing.table.caption}: how far each unit of the list is"
    n_hidden = len(listing.table.rows) - 1 - len(known)
    return Figure(png=png, svg=svg, alt=_alt(known, n_hidden), caption=caption, data=data)


_NONE: Final = "No distance may be shown."

_Row = tuple[str, float, str]


def _known(listing: ReleasedTable) -> list[_Row]:
    """Return name, distance and how close for each unit of a list but its own whose distance may be told."""
    table = listing.table
    keys = [column.key for column in table.columns]
    name, distance, word = (keys.index(key) for key in ("name" if "name" in keys else "id", "distance", "closeness"))
    return [
        (clipped(str(row[name]), _LONGEST), cell, str(row[word]))
        for row in table.rows[1:]
        if isinstance(cell := row[distance], float)
    ]


def _draw(ax: Axes, rows: list[_Row]) -> None:
    """Draw a dot for each unit, and behind them where each word for how close begins."""
    most = max(distance for _, distance, _ in rows)
    edges = [0.0, *(edge for edge, _ in CLOSENESS)]
    reach = max(most * 1.08, edges[1])
    for at, (low, high) in enumerate(pairwise([*edges, reach])):
        word = CLOSENESS[at][1] if at < len(CLOSENESS) else NOT_CLOSE
        end = min(high, reach)
        if low < reach:
            ax.axvline(low, color=PALE, linewidth=1, zorder=0)
        if end - low > _ROOM * len(word) * reach:
            ax.text((low + end) / 2, -1.1, word, ha="center", va="bottom", fontsize=SMALL, color=GREY)
    places = range(len(rows))
    ax.hlines(places, 0, [distance for _, distance, _ in rows], color=PALE, linewidth=1, zorder=1)
    ax.plot([distance for _, distance, _ in rows], places, "o", color=BLUE, markersize=6)
    ax.set_yticks(places, [name for name, _, _ in rows])
    ax.set_ylim(len(rows) - 0.4, -1.0)
    ax.set_xlim(0, reach)
    ax.set_xlabel("Distance, in standard deviations")


def _alt(known: list[_Row], n_hidden: int) -> str:
    if not known:
        return f"Nothing is drawn. {_NONE}"
    hidden = f" {counted(n_hidden, 'distance')} withheld." if n_hidden else ""
    beyond = f" The nearest {MOST_DRAWN} are drawn." if len(known) > MOST_DRAWN else ""
    name, nearest, word = known[0]
    return (
        f"Dots on a strip, one for each unit of the list, by distance. The nearest is {name} at {number(nearest)} SDs "
        f"({word}); the furthest lies at {number(known[-1][1])} SDs.{beyond}{hidden}"
    )
