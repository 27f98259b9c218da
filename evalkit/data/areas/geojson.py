"""The features of a GeoJSON file of areas, and the closed rings in degrees that each is made of."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from typing import IO, Any, Final

from evalkit.core.errors import DataError
from evalkit.data.files.json_table import MOST_BYTES

Ring = tuple[tuple[float, float], ...]
"""Points of longitude and latitude, the last of them the first."""
FEWEST_POINTS: Final = 4


def features_of(stream: IO[bytes], name: str) -> list[dict[str, Any]]:
    """Return the features of an open file; raise `DataError` where it is no GeoJSON, is damaged or is too large."""
    try:
        content_read = stream.read(MOST_BYTES + 1)
        if len(content_read) > MOST_BYTES:
            raise DataError(
                f"{name}: the file is larger than {MOST_BYTES // 1_000_000} MB. Download the generalised outlines "
                "(BGC or BUC): a map needs no more."
            )
        content = json.loads(content_read.decode("utf-8-sig"))
    except (OSError, EOFError, zlib.error, ValueError, RecursionError):
        raise DataError(f"{name}: the file is not JSON, or is damaged. Download it again as GeoJSON.") from None
    return features_in(content, name)


def features_in(content: Any, name: str) -> list[dict[str, Any]]:
    """Return the features of what a file holds; raise `DataError` where it is no GeoJSON."""
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise DataError(f"{name}: the file has no list of 'features', so it is not GeoJSON of areas.")
    return features


def properties_of(feature: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a feature says of itself; nothing where it says nothing that can be read."""
    properties = feature.get("properties")
    return properties if isinstance(properties, dict) else {}


def rings_of(feature: Mapping[str, Any], where: str) -> tuple[Ring, ...]:
    """Return the rings of a feature's polygons; raise `DataError`, naming `where`, for any other geometry."""
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
    if len(ring) < FEWEST_POINTS or ring[0] != ring[-1]:
        raise DataError(f"{where}: an outline is not closed (its last point is its first). Download the file again.")
    if not all(math.isfinite(x + y) and abs(x) <= 180 and abs(y) <= 90 for x, y in ring):
        raise DataError(
            f"{where}: its coordinates are not degrees of longitude and latitude; they may be metres of the British "
            "National Grid. Download the boundaries as GeoJSON in WGS 84 (EPSG:4326)."
        )
    return ring
