"""Outlines of local authorities, from one or more GeoJSON files put together by code."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.core.words import listed
from evalkit.data.areas.authorities import COUNTY, authorities, authorities_on, code_of_gss
from evalkit.data.areas.geojson import FEWEST_POINTS, Ring, features_of, properties_of, rings_of
from evalkit.data.files.members import Member, member_of

# Outlines of local authorities, from GeoJSON files in degrees of longitude and latitude.

CODE_NAMES: Final = ("code", "la", "la_code", "lacode", "la_num", "lea", "lea_code", "old_la_code")
"""Properties that may hold an authority's three-digit code, in any case of letters."""
_NAME: Final = re.compile(r"(?:la_?|area_?|ctyua\d*|utla\d*|lad\d*)?(?:name|nm)|la|code", re.IGNORECASE)
_GSS: Final = re.compile(r"[ENSW]\d{8}")
STEP: Final = 0.01
"""Points of an outline closer than this to the last one kept, in degrees, are left out: about a kilometre."""


@dataclass(frozen=True, slots=True, repr=False)
class Boundaries(Shown):
    """The outlines of areas by DfE code, each of one or more closed rings of (longitude, latitude).

    `lacking` names the authorities that no file has an outline of, `day` is that of which they are the authorities
    (None where areas were told without codes of the ONS). `step` is how far apart points were kept, 0 for all.
    `unavailable_reason` says why there is no outline at all, and is empty where there is.
    """

    rings: dict[int, tuple[Ring, ...]]
    lacking: tuple[str, ...] = ()
    day: date | None = None
    step: float = STEP
    unavailable_reason: str = ""

    def middle(self, code: int) -> tuple[float, float]:
        """Return the middle of an area's largest ring."""
        ring = max(self.rings[code], key=lambda ring: abs(_signed_area(ring)))
        longitudes, latitudes = zip(*ring[:-1], strict=True)
        return sum(longitudes) / len(longitudes), sum(latitudes) / len(latitudes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """The features of one file by area: those told by a GSS code, and those told by DfE's code or a name."""

    name: str
    by_gss: dict[str, list[tuple[int, dict[str, Any]]]]
    by_code: dict[int, list[tuple[int, dict[str, Any]]]]

    @property
    def rank(self) -> tuple[bool, int, str]:
        """Return what puts layers into order: first those with counties, then those with more areas."""
        has_counties = any(gss.startswith(COUNTY) for gss in self.by_gss)
        return not has_counties, -len(self.by_gss) - len(self.by_code), self.name


def read_boundaries(
    paths: Path | Member | Sequence[Path | Member],
    names: Mapping[int, str] | None = None,
    needed: Sequence[int] = (),
    *,
    on: date | None = None,
    step: float = STEP,
) -> Boundaries:
    """Return the outlines of local authorities of one or more GeoJSON files, thinned to what a page can show.

    An area is told by its GSS code, by a property that holds its three-digit code, or by its name as in `names` (by
    code; of all authorities where None). What is no authority, such as a district or another country, is left out;
    several features of one area are put together. Of several files the one with the county councils comes first, then
    the one with more areas; each area is taken whole from the first that has it. So the upper tier gives the unitary
    authorities, the London boroughs and the counties, and a layer of districts the metropolitan boroughs.

    Authorities are those of the day `on`. Without it they are those of the latest reorganisation of which the files
    have every area in `needed`, and most areas. Authorities without an outline are named in `lacking`.

    Raises
    ------
    DataError
        If a file is not GeoJSON of polygons in degrees, or none has an outline of any authority.

    Examples
    --------
    >>> import json
    >>> from pathlib import Path
    >>> from evalkit import read_boundaries
    >>> def layer(**properties):
    ...     square = [[-3.0, 53.0], [-2.0, 53.0], [-2.0, 54.0], [-3.0, 53.0]]
    ...     shape = {"type": "Polygon", "coordinates": [square]}
    ...     return json.dumps({"features": [{"type": "Feature", "properties": properties, "geometry": shape}]})
    >>> _ = Path("upper.geojson").write_text(layer(UTLA22CD="E10000016", UTLA22NM="Kent"))
    >>> _ = Path("districts.geojson").write_text(layer(LAD24CD="E08000011", LAD24NM="Knowsley"))
    >>> found = read_boundaries([Path("districts.geojson"), Path("upper.geojson")])
    >>> sorted(found.rings), len(found.lacking)
    ([340, 886], 151)
    """
    given = (paths,) if isinstance(paths, Path | Member) else tuple(paths)
    files = [path if isinstance(path, Member) else member_of(path) for path in given]
    known_names = {one.code: one.name for one in authorities()} if names is None else dict(names)
    known = {_plain(name): code for code, name in known_names.items()} | {str(code): code for code in known_names}
    layers = sorted((_layer(file, known) for file in files), key=lambda layer: layer.rank)
    day = on or _day_of(layers, known_names, needed)
    chosen = _chosen(layers, known_names, day)
    if not chosen:
        raise DataError(
            f"{listed([file.name for file in files])}: no feature is a local authority of the neighbour list. Each "
            "needs a property such as 'UTLA22CD' with the code of the ONS, 'code' with the three-digit code, or "
            "'name' with the name."
        )
    rings = {code: _kept(tuple(_rings(layer, features)), step) for code, (layer, features) in sorted(chosen.items())}
    expected = _expected(known_names, needed, day, names)
    lacking = tuple(f"{known_names.get(code, 'area')} ({code})" for code in expected if code not in rings)
    return Boundaries(rings, lacking, day, step)


def outlines_or_reason(paths: Sequence[Path | Member], names: Mapping[int, str], needed: Sequence[int]) -> Boundaries:
    """Return the outlines for a map of areas, or none and the reason: no number depends on a map."""
    try:
        found = read_boundaries(paths, names, needed)
    except DataError as problem:
        return Boundaries({}, unavailable_reason=str(problem))
    if needed and not set(needed) & set(found.rings):
        lacking = listed([names.get(code, str(code)) for code in needed])
        return Boundaries({}, unavailable_reason=f"The boundaries have no outline of {lacking}, which took part.")
    return found


def _layer(file: Member, known: Mapping[str, int]) -> _Layer:
    try:
        with file.open() as stream:
            features = features_of(stream, file.name)
    except FileNotFoundError:
        raise DataError(f"{file.name}: there is no such file.") from None
    except OSError as problem:
        raise DataError(f"{file.name}: the file cannot be read ({problem.strerror or problem}).") from None
    by_gss: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    by_code: dict[int, list[tuple[int, dict[str, Any]]]] = {}
    for at, feature in enumerate(features, start=1):
        gss = gss_of_feature(properties_of(feature))
        code = None if gss else _code(feature, known)
        if gss and code_of_gss(gss) is not None:
            by_gss.setdefault(gss, []).append((at, feature))
        elif code is not None:
            by_code.setdefault(code, []).append((at, feature))
    return _Layer(name=file.name, by_gss=by_gss, by_code=by_code)


def gss_of_feature(properties: Mapping[str, Any]) -> str:
    """Return the GSS code that a feature has under a name such as `UTLA22CD`; empty where it has none."""
    texts = [str(value).strip() for key, value in properties.items() if key.upper().endswith("CD")]
    return next((text for text in texts if _GSS.fullmatch(text)), "")


def _day_of(layers: Sequence[_Layer], names: Mapping[int, str], needed: Sequence[int]) -> date | None:
    """Return the latest day of whose authorities the layers have all that are needed, and most."""
    if not any(layer.by_gss for layer in layers):
        return None
    days = {one.first for one in authorities() if one.first is not None} | {date(2002, 1, 1)}

    def found(day: date) -> tuple[int, int, date]:
        codes = set(_chosen(layers, names, day))
        return len(codes & set(needed)), len(codes), day

    return max(days, key=found)


def _chosen(
    layers: Sequence[_Layer], names: Mapping[int, str], day: date | None
) -> dict[int, tuple[_Layer, list[tuple[int, dict[str, Any]]]]]:
    """Return for each authority the first layer that has it, and its features there."""
    there = {} if day is None else authorities_on(day)
    chosen: dict[int, tuple[_Layer, list[tuple[int, dict[str, Any]]]]] = {}
    for layer in layers:
        for code, authority in there.items():
            if code in names and authority.gss in layer.by_gss:
                chosen.setdefault(code, (layer, layer.by_gss[authority.gss]))
        for code, features in layer.by_code.items():
            chosen.setdefault(code, (layer, features))
    return chosen


def _rings(layer: _Layer, features: Sequence[tuple[int, dict[str, Any]]]) -> Iterator[Ring]:
    for at, feature in features:
        yield from rings_of(feature, f"{layer.name}, feature {at}")


def _expected(
    known: Mapping[int, str], needed: Sequence[int], day: date | None, names: Mapping[int, str] | None
) -> list[int]:
    """Return the authorities that should have an outline: those of the day that are known, and those needed."""
    there = set(authorities_on(day)) & set(known) if day is not None else set() if names is None else set(names)
    return sorted(there | set(needed))


def _code(feature: Mapping[str, Any], known: Mapping[str, int]) -> int | None:
    """Return which area a feature is: by a property with its code, otherwise by one with its name."""
    properties = properties_of(feature)
    codes = [value for key, value in properties.items() if key.lower() in CODE_NAMES]
    words = [value for key, value in properties.items() if _NAME.fullmatch(key)]
    wanted = [str(value).strip().removesuffix(".0") for value in codes] + [_plain(str(value)) for value in words]
    return next((known[word] for word in wanted if word in known), None)


def _plain(name: str) -> str:
    """Return a name for comparison: `Bristol, City of` and `City of Bristol` are one, `&` is `and`."""
    text = re.sub(r"[^a-z ]+", " ", name.lower().replace("&", " and "))
    words = [word for word in text.split() if word not in ("city", "county", "of", "the", "ua", "royal", "borough")]
    return " ".join(words)


def _kept(rings: tuple[Ring, ...], step: float) -> tuple[Ring, ...]:
    """Return an area's rings thinned; those too small to be seen are left out, but never the largest."""
    if step == 0:
        return rings
    thinned = (tuple(_thinned(ring, step)) for ring in rings)
    kept = tuple(thin for thin in thinned if len(thin) >= FEWEST_POINTS)
    return kept or (max(rings, key=lambda ring: abs(_signed_area(ring))),)


def _thinned(ring: Ring, step: float) -> Iterator[tuple[float, float]]:
    """Yield the points of a ring that lie at least `step` from the one before, and its end."""
    last = ring[0]
    yield last
    for point in ring[1:-1]:
        if math.dist(point, last) >= step:
            last = point
            yield point
    yield ring[-1]


def _signed_area(ring: Ring) -> float:
    """Return the area a ring encloses, by the shoelace formula; positive anticlockwise."""
    return sum(x * later_y - later_x * y for (x, y), (later_x, later_y) in pairwise(ring)) / 2
