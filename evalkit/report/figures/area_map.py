"""The map of areas: where the programme was, and where the schools it is compared with are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from evalkit.core.words import counted, listed
from evalkit.data.areas.boundaries import Boundaries
from evalkit.data.areas.geojson import Ring
from evalkit.design.project.plan import AreaComparison, DesignStage
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Column, Table
from evalkit.report.figures.style import BLUE, GREY, PALE, SMALL, VERMILION, WIDTH, canvas, drawn, ink, spread
from evalkit.report.tables.design import released
from evalkit.report.words.names import design_of

Names = Mapping[int, str]
_TALLEST: Final = 8.0
_ROOM: Final = 0.34
"""Room for names at each side, as a share of the map's width."""
_SAME_ROW: Final = 0.02
"""Heights less than this share of the map's apart are those of one row."""
_ASIDE: Final = 0.07
"""By how much of the map's height the name of an area behind another is written lower, its line round the other."""


def area_map(stage: DesignStage) -> Figure | None:
    """Return the map of treated and comparison areas, or nothing where there are no boundaries that can be drawn."""
    design = design_of(stage)
    if design.boundaries is None or design.boundaries.unavailable_reason or not design.areas:
        return None
    main, outlines = design.areas[0], design.boundaries
    with canvas(_height(outlines)) as (figure, axes):
        _draw(axes[0], outlines, main)
        png, svg = drawn(figure, design.data_kind)
    listed_as = f"statistical neighbours of the {main.list_label} list"
    caption = f"Where the programme was, and the areas it is compared with ({listed_as})"
    lacking = [name for code, name in _marked(main).items() if code not in outlines.rings]
    if lacking:
        caption += f". The boundaries have no outline of {listed(lacking)}"
    return Figure(name="map", png=png, svg=svg, alt=_alt(outlines, main), caption=caption, data=_data(design, main))


def _marked(main: AreaComparison) -> dict[int, str]:
    return dict((*main.treated, *main.comparison))


def _draw(ax: Axes, outlines: Boundaries, main: AreaComparison) -> None:
    """Draw every area, the marked ones last, and their names at the sides."""
    colours = dict.fromkeys((code for code, _ in main.comparison), BLUE) | dict.fromkeys(
        (code for code, _ in main.treated), VERMILION
    )
    for code, rings in sorted(outlines.rings.items(), key=lambda item: item[0] in colours):
        colour = colours.get(code)
        ax.add_patch(
            PathPatch(
                _path(rings),
                facecolor=colour or PALE,
                edgecolor="white" if colour else GREY,
                linewidth=0.4,
                hatch="////" if colour == BLUE else None,
                zorder=(None, BLUE, VERMILION).index(colour) + 1,
            )
        )
    west, south, east, north = _extent(outlines)
    room = _ROOM * (east - west)
    ax.set_xlim(west - room, east + room)
    ax.set_ylim(south - 0.02 * (north - south), north + 0.02 * (north - south))
    ax.set_aspect(1 / _narrowing(south, north))
    ax.set_axis_off()
    _name(ax, outlines, main, colours, (west, east))


def _extent(outlines: Boundaries) -> tuple[float, float, float, float]:
    """Return the westernmost, southernmost, easternmost and northernmost degree of all areas."""
    points = np.array([point for rings in outlines.rings.values() for ring in rings for point in ring])
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    return float(west), float(south), float(east), float(north)


def _narrowing(south: float, north: float) -> float:
    """Return how long a degree of longitude is beside one of latitude, in the middle of the map."""
    return math.cos(math.radians((south + north) / 2))


def _height(outlines: Boundaries) -> float:
    """Return the height, in inches, at which the map and the names beside it fill the common width."""
    west, south, east, north = _extent(outlines)
    wide = (1 + 2 * _ROOM) * (east - west) * _narrowing(south, north)
    return min(max(WIDTH * 1.06 * (north - south) / wide, 3.0), _TALLEST)


def _path(rings: tuple[Ring, ...]) -> Path:
    """Return rings as one path, so that a ring inside another is a hole."""
    return Path.make_compound_path(*(Path(np.array(ring), closed=True) for ring in rings))


def _name(
    ax: Axes, outlines: Boundaries, main: AreaComparison, colours: dict[int, str], sides: tuple[float, float]
) -> None:
    """Write the marked areas' names beside the map, on the nearer side, each with a line to its area."""
    middle = {code: outlines.middle(code) for code in _marked(main) if code in outlines.rings}
    low, high = ax.get_ylim()
    centre = float(np.median([x for x, _ in middle.values()])) if middle else 0.0
    treated = {code for code, _ in main.treated}
    for is_left in (True, False):
        codes = [code for code in middle if (middle[code][0] <= centre) == is_left]
        behind = {code for code in codes if _is_behind(code, codes, middle, is_left, _SAME_ROW * (high - low))}
        at_middle = [middle[code][1] - (_ASIDE * (high - low) if code in behind else 0.0) for code in codes]
        heights = spread(at_middle, 0.04 * (high - low))
        gap = 0.03 * (sides[1] - sides[0])
        edge = sides[0] - gap if is_left else sides[1] + gap
        for code, height in zip(codes, heights, strict=True):
            ax.annotate(
                _marked(main)[code],
                middle[code],
                xytext=(edge, min(max(height, low), high)),
                ha="right" if is_left else "left",
                va="center",
                fontsize=10 if code in treated else SMALL,
                fontweight="bold" if code in treated else "normal",
                color=ink(colours[code]),
                arrowprops={
                    "arrowstyle": "-",
                    "color": ink(colours[code]),
                    "linewidth": 0.8,
                    "shrinkB": 0,
                    "connectionstyle": "angle,angleA=0,angleB=90" if code in behind else "arc3",
                },
                annotation_clip=False,
                zorder=4,
            )


def _is_behind(
    code: int, codes: list[int], middle: Mapping[int, tuple[float, float]], is_left: bool, row: float
) -> bool:
    """Return whether a straight line from the side to an area would run through another marked one of its row."""
    x, y = middle[code]
    return any(abs(middle[one][1] - y) < row and (middle[one][0] < x) == is_left for one in codes if one != code)


def _alt(outlines: Boundaries, main: AreaComparison) -> str:
    """Return where the treated area is, and its comparison areas by name from north to south."""
    treated = listed([name for _, name in main.treated])
    drawn_areas = [(code, name) for code, name in main.comparison if code in outlines.rings]
    by_latitude = sorted(drawn_areas, key=lambda area: -outlines.middle(area[0])[1])
    names = listed([name for _, name in by_latitude], 20)
    return (
        f"Map of {counted(len(outlines.rings), 'local authority', 'local authorities')}. Marked: {treated}, where the "
        f"programme was, and {counted(len(drawn_areas), 'comparison area')}, from north to south {names}."
    )


def _data(design: DesignStage, main: AreaComparison) -> ReleasedTable:
    columns = (Column("code", "Code"), Column("area", "Area"), Column("role", "Role"))
    rows = (
        *((str(code), name, "treated") for code, name in main.treated),
        *((str(code), name, "comparison") for code, name in main.comparison),
    )
    return released(design, Table(caption="Areas on the map", columns=columns, rows=rows))
