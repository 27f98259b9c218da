"""Which areas share a border, and along how many kilometres, computed from their outlines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from scipy.spatial import cKDTree

from evalkit.core.arrays import Floats, Ints
from evalkit.core.errors import DataError, MissingData
from evalkit.core.shown import Shown
from evalkit.core.words import listed
from evalkit.data.areas.boundaries import Boundaries, read_boundaries
from evalkit.data.files.members import Member
from evalkit.data.own_tables.columns import header_of, read_columns

TOLERANCE_KM: Final = 0.15
"""Outlines nearer than this run along each other: two layers, simplified each for itself, do not share their points."""
LEAST_KM: Final = 0.5
"""A border is at least so long: areas that meet at a point, or nearly, have none."""
_SPACING_KM: Final = 0.2
"""How far apart the points are that stand for an outline."""
_KM_PER_DEGREE: Final = 111.2
"""Of latitude."""


@dataclass(frozen=True, slots=True, repr=False)
class AreaBorders(Shown):
    """The length in kilometres of each border, by the codes of its two areas, the lower first."""

    km: dict[tuple[int, int], float]

    def of(self, area: int) -> dict[int, float]:
        """Return the areas that border one, with the length in kilometres, the longest first."""
        found = {
            second if first == area else first: km for (first, second), km in self.km.items() if area in (first, second)
        }
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def area_borders(boundaries: Boundaries) -> AreaBorders:
    """Return which areas border each other: whose outlines run within 150 m of each other for half a kilometre or more.

    Outlines of two layers that were simplified each for itself do not share their points, so nearness decides; the
    length is that of the shorter side, to 200 m or so. Outlines that end at the water make no border across an
    estuary or a wide river: Liverpool and Wirral do not border.

    Raises
    ------
    DataError
        If the outlines were thinned for a map: read them with `step=0`.

    Examples
    --------
    >>> from evalkit import area_borders
    >>> from evalkit.data.areas.boundaries import Boundaries
    >>> def square(x):
    ...     return ((x, 53.0), (x + 0.1, 53.0), (x + 0.1, 53.1), (x, 53.1), (x, 53.0))
    >>> three = Boundaries({340: (square(-3.0),), 341: (square(-2.9),), 350: (square(-2.5),)}, step=0)
    >>> {area: round(km) for area, km in area_borders(three).of(340).items()}
    {341: 11}
    """
    if boundaries.step > 0:
        raise DataError("The outlines were thinned, so borders cannot be told from them. Read them with `step=0`.")
    if not boundaries.rings:
        return AreaBorders({})
    points, areas = _points(boundaries)
    near = cKDTree(points).query_pairs(TOLERANCE_KM, output_type="ndarray")
    near = near[areas[near[:, 0]] != areas[near[:, 1]]]
    # each point counts once for each area it is near to
    sides = np.concatenate(
        [np.column_stack([near[:, 0], areas[near[:, 1]]]), np.column_stack([near[:, 1], areas[near[:, 0]]])]
    )
    along = np.unique(sides, axis=0)
    pairs, counts = np.unique(np.column_stack([areas[along[:, 0]], along[:, 1]]), axis=0, return_counts=True)
    n = {(int(area), int(other)): int(count) for (area, other), count in zip(pairs, counts, strict=True)}
    lengths = {pair: min(count, n.get(pair[::-1], 0)) * _SPACING_KM for pair, count in n.items() if pair[0] < pair[1]}
    return AreaBorders({pair: round(km, 1) for pair, km in sorted(lengths.items()) if km >= LEAST_KM})


Bordering = Mapping[str, tuple[str, ...]]
"""The areas that border each area, by their ids as texts: DfE's code where they have one."""


def bordering(borders: AreaBorders) -> Bordering:
    """Return the borders of outlines by the ids that areas have elsewhere."""
    return _both_ways((str(first), str(second)) for first, second in borders.km)


def read_border_list(path: Path, names: Mapping[int, str]) -> Bordering:
    """Return the borders of a list: a row for each pair of areas, in the first two columns, once or both ways.

    An area is told by its code, by its name as in `names`, or by the id that it has in a table of one's own.
    """
    header = header_of(path)
    if len(header) < 2:
        raise DataError(f"{path.name}: a list of borders has two columns, one area in each. It has {listed(header)}.")
    columns = read_columns(path, header[:2], ())
    for name in header[:2]:
        columns.require_ids(name)
    codes = {name.casefold(): str(code) for code, name in names.items()}
    first, second = ([_id(text, codes) for text in columns.texts[name]] for name in header[:2])
    return _both_ways(zip(first, second, strict=True))


def borders_of(folder: Path, own: str | None, outlines: Sequence[Path | Member], names: Mapping[int, str]) -> Bordering:
    """Return which areas border each other: by a list in a project's folder, or by outlines where it has none."""
    if own:
        return read_border_list(folder / own, names)
    if not outlines:
        raise MissingData(
            "An analysis draws sets of areas that border each other, and no outlines are among the published "
            "files. Put them there (data/README.md says where they come from), or give a list as `data.borders`."
        )
    return bordering(area_borders(read_boundaries(outlines, step=0)))


def _id(text: str, codes: Mapping[str, str]) -> str:
    return codes.get(text.strip().casefold(), text.strip())


def _both_ways(pairs: Iterable[tuple[str, str]]) -> Bordering:
    found: dict[str, set[str]] = {}
    for first, second in pairs:
        if first != second:
            found.setdefault(first, set()).add(second)
            found.setdefault(second, set()).add(first)
    return {area: tuple(sorted(others)) for area, others in sorted(found.items())}


def _points(boundaries: Boundaries) -> tuple[Floats, Ints]:
    """Return points along all outlines in kilometres on a plane, n × 2, and the area of each."""
    latitudes = [y for rings in boundaries.rings.values() for ring in rings for _, y in ring]
    narrowing = math.cos(math.radians((min(latitudes) + max(latitudes)) / 2))
    spaced = list(_spaced(boundaries, narrowing))
    points = np.vstack([part for _, part in spaced])
    return points, np.concatenate([np.full(len(part), area) for area, part in spaced])


def _spaced(boundaries: Boundaries, narrowing: float) -> Iterator[tuple[int, Floats]]:
    """Yield each ring's area, and points on the ring about `_SPACING_KM` apart."""
    for area, rings in boundaries.rings.items():
        for ring in rings:
            corners = np.array(ring) * _KM_PER_DEGREE * np.array([narrowing, 1.0])
            at = np.concatenate([[0.0], np.hypot(*np.diff(corners, axis=0).T).cumsum()])
            places = np.linspace(0, at[-1], max(round(at[-1] / _SPACING_KM), 1), endpoint=False)
            yield area, np.column_stack([np.interp(places, at, corners[:, side]) for side in (0, 1)])
