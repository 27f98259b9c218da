"""Made-up outlines of the synthetic England's authorities: hexagons of one size, region by region."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from evalkit.core.seeds import stream
from evalkit.data.synthetic.geography import Areas, area_name

# One letter a hexagon, from north to south; every second row stands half a hexagon further east. The letters are
# regions where England has them, as many hexagons as the region has authorities; London is drawn larger than it is.
_LAYOUT: Final = (
    "....NNN.......",
    "....NNNN......",
    "...WNNNNN.....",
    "...WWWYYYY....",
    "...WWWWYYYYY..",
    "...WWWWYYYY...",
    "...WWWWWYYE...",
    "...WWWWMEEE...",
    "...WWMMMEEEAA.",
    "..MMMMMMEEAAA.",
    "..MMMMTSOOOAAA",
    ".TTSSSOOIIOAAA",
    ".TTTSSOIIIIOO.",
    "TTTSSSOOIIIIOO",
    "TTTTSSSOIIIIOO",
    ".TT..SSSSOOOSS",
    ".......S......",
)
_REGIONS: Final = {
    "E": "East Midlands",
    "A": "East of England",
    "I": "London (Inner)",
    "O": "London (Outer)",
    "N": "North East",
    "W": "North West",
    "S": "South East",
    "T": "South West",
    "M": "West Midlands",
    "Y": "Yorkshire and the Humber",
}
_WEST, _NORTH, _WIDE = -5.6, 55.0, 0.48  # degrees: the first hexagon's place, and the width of each
_ROW = _WIDE * math.cos(math.radians(53)) * math.sqrt(3) / 2  # degrees of latitude between rows of regular hexagons


def write_boundaries(folder: Path, seed: int, areas: Areas) -> None:
    """Write `boundaries.geojson`: which hexagon of its region an authority has is drawn."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": code, "name": area_name(code)},
            "geometry": {"type": "Polygon", "coordinates": [_hexagon(*place)]},
        }
        for code, place in sorted(_places(seed, areas).items())
    ]
    content = {"type": "FeatureCollection", "name": "Synthetic England", "features": features}
    (folder / "boundaries.geojson").write_text(json.dumps(content) + "\n", encoding="utf-8")


def _places(seed: int, areas: Areas) -> dict[int, tuple[int, int]]:
    """Return the row and column of every authority's hexagon."""
    placed: dict[int, tuple[int, int]] = {}
    for letter, region in _REGIONS.items():
        codes = [int(code) for code, own in zip(areas.code, areas.region, strict=True) if own == region]
        order = stream(seed, f"boundaries-{region}").permutation(len(codes)).tolist()
        for at, place in zip(order, _hexagons(letter), strict=True):
            placed[codes[at]] = place
    return placed


def _hexagons(letter: str) -> Iterator[tuple[int, int]]:
    return ((row, at) for row, line in enumerate(_LAYOUT) for at, found in enumerate(line) if found == letter)


def _hexagon(row: int, column: int) -> list[list[float]]:
    """Return the closed outline of a hexagon that stands on a corner; neighbours share their corners exactly."""
    across = 2 * column + row % 2  # in half hexagons
    tall = _ROW / 3  # a third of the distance of rows is half an edge
    corners = ((1, -2), (2, -1), (2, 1), (1, 2), (0, 1), (0, -1), (1, -2))
    return [[round(_WEST + (across + x) * _WIDE / 2, 4), round(_NORTH - (3 * row + y) * tall, 4)] for x, y in corners]
