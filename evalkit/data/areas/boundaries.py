"""Outlines of local authorities, from a GeoJSON file in degrees of longitude and latitude, and their regions."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from evalkit.core.errors import DataError

NOT_KNOWN: Final = "not known"
SEVERAL: Final = "several regions"

# Codes in use between 2016 and 2025: public facts, held against DfE's own lists by a test.
_CODES: Final[dict[str, tuple[int, ...]]] = {
    "East Midlands": (830, 831, 855, 856, 857, 891, 892, 925, 928, 940, 941),
    "East of England": (821, 822, 823, 873, 874, 881, 882, 883, 919, 926, 935),
    "London": (*range(201, 214), *range(301, 321)),
    "North East": (*range(390, 395), 805, 806, 807, 808, 840, 841, 929),
    "North West": (*range(340, 345), *range(350, 360), 876, 877, 888, 889, 890, 895, 896, 909, 942, 943),
    "South East": (825, 826, 845, 846, 850, 851, 852, *range(867, 873), 886, 887, 921, 931, 936, 938),
    "South West": (420, *range(800, 804), *range(835, 840), 865, 866, 878, 879, 880, 908, 916, 933),
    "West Midlands": (*range(330, 337), 860, 861, 884, 885, 893, 894, 937),
    "Yorkshire and the Humber": (*range(370, 374), *range(380, 385), 810, 811, 812, 813, 815, 816),
}
_REGION: Final = {code: region for region, codes in _CODES.items() for code in codes}


def region_of(areas: tuple[int, ...]) -> str:
    """Return the region of areas by DfE code, `several regions` where they lie in more than one."""
    regions = {_REGION.get(area, NOT_KNOWN) for area in areas}
    return SEVERAL if len(regions) > 1 else regions.pop() if regions else NOT_KNOWN


# Outlines of local authorities, from a GeoJSON file in degrees of longitude and latitude.

Ring = tuple[tuple[float, float], ...]

CODE_NAMES: Final = ("code", "la", "la_code", "lacode", "la_num", "lea", "lea_code", "old_la_code")
"""Properties that may hold an authority's three-digit code, in any case of letters."""
_NAME: Final = re.compile(r"(?:la_?|area_?|ctyua\d*|lad\d*)?(?:name|nm)|la|code", re.IGNORECASE)
STEP: Final = 0.01
"""Points of an outline closer than this to the last one kept, in degrees, are left out: about a kilometre."""
_FEWEST_POINTS: Final = 4


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The outlines of areas by DfE code, each of one or more closed rings of (longitude, latitude)."""

    rings: dict[int, tuple[Ring, ...]]

    def middle(self, code: int) -> tuple[float, float]:
        """Return the middle of an area's largest ring."""
        ring = max(self.rings[code], key=lambda ring: abs(_signed_area(ring)))
        longitudes, latitudes = zip(*ring[:-1], strict=True)
        return sum(longitudes) / len(longitudes), sum(latitudes) / len(latitudes)


def read_boundaries(path: Path, names: Mapping[int, str], needed: Sequence[int] = ()) -> Boundaries:
    """Return the outlines of the areas in `names` (by code), thinned to what a page can show.

    An area is told by a property that holds its three-digit code, or its name as in `names`; features that are
    neither, such as those of other countries, are left out. Several features of one area are put together.

    Raises
    ------
    DataError
        If the file is not GeoJSON of polygons in degrees, or has no outline of an area in `needed`.
    """
    known = {_plain(name): code for code, name in names.items()} | {str(code): code for code in names}
    rings: dict[int, tuple[Ring, ...]] = {}
    for at, feature in enumerate(_features(path), start=1):
        code = _code(feature, known)
        if code is not None:
            rings[code] = (*rings.get(code, ()), *_rings(feature, f"{path.name}, feature {at}"))
    if not rings:
        raise DataError(
            f"{path.name}: no feature is a local authority of the neighbour list. Each needs a property such as "
            "'code' with the three-digit code, or 'name' with the name."
        )
    lacking = [names.get(code, str(code)) for code in needed if code not in rings]
    if lacking:
        raise DataError(
            f"{path.name}: there is no outline of {lacking[0]}, which took part. Add it, or take the file away: "
            "the map is optional."
        )
    return Boundaries({code: _main_rings(rings[code]) for code in sorted(rings)})


def _features(path: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DataError(f"{path.name}: there is no such file.") from None
    except (OSError, ValueError, RecursionError):
        raise DataError(f"{path.name}: the file is not JSON, or is damaged. Download it again as GeoJSON.") from None
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise DataError(f"{path.name}: the file has no list of 'features', so it is not GeoJSON of areas.")
    return features


def _code(feature: Mapping[str, Any], known: Mapping[str, int]) -> int | None:
    """Return which area a feature is: by a property with its code, otherwise by one with its name."""
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        return None
    codes = [value for key, value in properties.items() if key.lower() in CODE_NAMES]
    words = [value for key, value in properties.items() if _NAME.fullmatch(key)]
    wanted = [str(value).strip().removesuffix(".0") for value in codes] + [_plain(str(value)) for value in words]
    return next((known[word] for word in wanted if word in known), None)


def _plain(name: str) -> str:
    """Return a name for comparison: `Bristol, City of` and `City of Bristol` are one, `&` is `and`."""
    text = re.sub(r"[^a-z ]+", " ", name.lower().replace("&", " and "))
    words = [word for word in text.split() if word not in ("city", "county", "of", "the", "ua", "royal", "borough")]
    return " ".join(words)


def _rings(feature: Mapping[str, Any], where: str) -> tuple[Ring, ...]:
    geometry = feature.get("geometry")
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or kind not in ("Polygon", "MultiPolygon"):
        raise DataError(f"{where}: its geometry is {kind or 'missing'}; areas are drawn from Polygon or MultiPolygon.")
    given = geometry.get("coordinates")
    polygons: Any = [given] if kind == "Polygon" else given
    try:
        rings = [tuple((float(point[0]), float(point[1])) for point in ring) for part in polygons for ring in part]
    except (TypeError, ValueError, IndexError, KeyError):
        raise DataError(f"{where}: its coordinates are not pairs of numbers. Download the file again.") from None
    return tuple(_checked(ring, where) for ring in rings)


def _checked(ring: Ring, where: str) -> Ring:
    if len(ring) < _FEWEST_POINTS or ring[0] != ring[-1]:
        raise DataError(f"{where}: an outline is not closed (its last point is its first). Download the file again.")
    if not all(math.isfinite(x + y) and abs(x) <= 180 and abs(y) <= 90 for x, y in ring):
        raise DataError(
            f"{where}: its coordinates are not degrees of longitude and latitude; they may be metres of the British "
            "National Grid. Download the boundaries as GeoJSON in WGS 84 (EPSG:4326)."
        )
    return ring


def _main_rings(rings: tuple[Ring, ...]) -> tuple[Ring, ...]:
    """Return an area's rings thinned; those too small to be seen are left out, but never the largest."""
    largest = max(rings, key=lambda ring: abs(_signed_area(ring)))
    thinned = [(ring, tuple(_thinned(ring))) for ring in rings]
    rings_kept = tuple(thin for _, thin in thinned if len(thin) >= _FEWEST_POINTS)
    return rings_kept or (largest,)


def _thinned(ring: Ring) -> Iterator[tuple[float, float]]:
    """Yield the points of a ring that lie at least `STEP` from the one before, and its end."""
    last = ring[0]
    yield last
    for point in ring[1:-1]:
        if math.dist(point, last) >= STEP:
            last = point
            yield point
    yield ring[-1]


def _signed_area(ring: Ring) -> float:
    """Return the area a ring encloses, by the shoelace formula; positive anticlockwise."""
    return sum(x * later_y - later_x * y for (x, y), (later_x, later_y) in pairwise(ring)) / 2
