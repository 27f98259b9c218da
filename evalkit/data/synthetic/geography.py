"""The synthetic England's authorities: codes, regions, made-up names, schools, deprivation, and outlines."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evalkit.core.draws import stream

# The synthetic England's authorities: codes, regions, made-up names, how many schools each has, how deprived it is.

TREATED_CODE = 340
TREATED_SCHOOLS = 52  # mainstream primaries in the treated area, and in each area it was selected among
SELECTION_POOL = 12  # areas of that size; the lowest reading score of 2016 and 2017 among them is the treated one

# Region (as `GOReg` has it), region number, and the authorities' codes in use for 2016-2019. Public facts.
REGIONS: tuple[tuple[str, int, tuple[int, ...]], ...] = (
    ("East Midlands", 1, (830, 831, 855, 856, 857, 891, 892, 925, 928)),
    ("East of England", 2, (821, 822, 823, 873, 874, 881, 882, 883, 919, 926, 935)),
    ("London (Inner)", 3, (201, 202, 204, 205, 206, 207, 208, 209, 210, 211, 212, 213, 309, 316)),
    ("London (Outer)", 3, (203, *range(301, 309), *range(310, 316), 317, 318, 319, 320)),
    ("North East", 4, (390, 391, 392, 393, 394, 805, 806, 807, 808, 840, 841, 929)),
    ("North West", 5, (*range(340, 345), *range(350, 360), 876, 877, 888, 889, 890, 895, 896, 909)),
    ("South East", 6, (825, 826, 845, 846, 850, 851, 852, *range(867, 873), 886, 887, 921, 931, 936, 938)),
    ("South West", 7, (420, 800, 801, 802, 803, 838, 839, 865, 866, 878, 879, 880, 908, 916, 933)),
    ("West Midlands", 8, (*range(330, 337), 860, 861, 884, 885, 893, 894, 937)),
    ("Yorkshire and the Humber", 9, (*range(370, 374), *range(380, 385), 810, 811, 812, 813, 815, 816)),
)
TINY = {201: 1, 420: 1, 857: 4}  # authorities with fewer than five primaries
REORGANISED = {835: 838, 836: 839, 837: 839}  # codes that end with 2018, and what a dozen of their schools became
_LOG_MEAN, _LOG_SD = 4.29, 0.68  # primaries an authority, England panel 2016-2019


@dataclass(frozen=True, eq=False)
class Areas:
    """One entry an authority, in code order."""

    code: NDArray[np.int64]
    region: tuple[str, ...]
    region_number: NDArray[np.int64]
    n_primaries: NDArray[np.int64]
    fsm: NDArray[np.float64]  # mean per cent of pupils eligible for free meals in six years
    features: NDArray[np.float64]  # what neighbours are neighbours in, beside deprivation

    @property
    def treated(self) -> int:
        """Position of the treated area."""
        return int(np.flatnonzero(self.code == TREATED_CODE)[0])

    @property
    def pool(self) -> NDArray[np.int64]:
        """Positions of the areas the treated one was selected among."""
        return np.flatnonzero(self.n_primaries == self.n_primaries[self.treated])


def area_name(code: int) -> str:
    """Return the made-up name of an authority."""
    return "Knowsley (synthetic)" if code == TREATED_CODE else f"Synthetic Borough {code}"


def quantile_sizes(n_areas: int, n_schools: int) -> NDArray[np.int64]:
    """Return area sizes at the quantiles of a log-normal, scaled to sum to about `n_schools`, ascending."""
    normal = NormalDist(_LOG_MEAN, _LOG_SD)
    raw = np.exp([normal.inv_cdf((i + 0.5) / n_areas) for i in range(n_areas)])
    return np.asarray(np.maximum(1, np.rint(raw * n_schools / raw.sum())), dtype=np.int64)


def school_areas(seed: int, n_schools: int = 14_400, n_areas: int = 150) -> NDArray[np.int64]:
    """Return the area (0 to `n_areas` - 1) of each of exactly `n_schools` schools, with sizes like the real ones."""
    sizes = stream(seed, "school-areas").permutation(quantile_sizes(n_areas, n_schools))
    sizes[np.argmax(sizes)] += n_schools - sizes.sum()
    return np.repeat(np.arange(n_areas), sizes)


def draw_areas(seed: int, n_schools: int) -> Areas:
    """Return every authority of the synthetic England, with about `n_schools` mainstream primaries in all."""
    listed = sorted((code, name, number) for name, number, codes in REGIONS for code in codes)
    code = np.array([row[0] for row in listed])
    rng = stream(seed, "areas")
    features = rng.standard_normal((len(code), 3))
    fsm = np.clip(26.0 + 8.7 * features[:, 0], 8.0, 45.0)  # mean and SD between authorities, 2022/23 census
    fsm[code == TREATED_CODE] = 41.0
    return Areas(
        code=code,
        region=tuple(row[1] for row in listed),
        region_number=np.array([row[2] for row in listed]),
        n_primaries=_primaries(rng, code, n_schools),
        fsm=fsm,
        features=features[:, 1:],
    )


def _primaries(rng: np.random.Generator, code: NDArray[np.int64], n_schools: int) -> NDArray[np.int64]:
    """Shuffle the sizes over the codes; the treated area and its rivals for selection get one size, in any scale."""
    sizes = rng.permutation(quantile_sizes(len(code), n_schools))
    size = max(6, round(TREATED_SCHOOLS * n_schools / 16_000))
    fixed = np.isin(code, [TREATED_CODE, *TINY])
    sizes[sizes == size] += 1
    distance = np.where(fixed, np.inf, np.abs(sizes - size))
    sizes[np.argsort(distance, kind="stable")[: SELECTION_POOL - 1]] = size
    sizes[code == TREATED_CODE] = size
    for tiny, count in TINY.items():
        sizes[code == tiny] = count
    return np.asarray(sizes)


# Made-up outlines of the synthetic England's authorities: hexagons of one size, region by region.

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
            "geometry": {"type": "Polygon", "coordinates": [outline]},
        }
        for code, outline in outlines(seed, areas)
    ]
    content = {"type": "FeatureCollection", "name": "Synthetic England", "features": features}
    (folder / "boundaries.geojson").write_text(json.dumps(content) + "\n", encoding="utf-8")


def outlines(seed: int, areas: Areas) -> Iterator[tuple[int, list[list[float]]]]:
    """Yield the code and the closed outline of every authority."""
    return ((code, _hexagon(*place)) for code, place in sorted(_places(seed, areas).items()))


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
