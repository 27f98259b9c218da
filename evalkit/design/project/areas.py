"""Which areas are compared with which."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.data.published.neighbours import NeighbourTable

TREATED_GROUP: Final = 0
"""Group of the treated schools where they are listed by name; other groups are areas, by codes of three digits."""


@dataclass(frozen=True, slots=True, eq=False)
class AreaComparisons:
    """For each group of schools, the areas it is compared with.

    `groups` are area codes (0 for schools treated by name); `compared[i, j]` says whether group i is
    compared with group j; `absent[i]` are areas on i's list without schools in the data. Where treated schools lie in
    areas of which the others take no part, `own` holds what each of these areas is compared with.
    """

    groups: tuple[int, ...]
    compared: NDArray[np.bool_]
    absent: dict[int, tuple[int, ...]]
    own: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def of(self, group: int) -> tuple[int, ...]:
        """Return the areas a group is compared with."""
        return tuple(np.array(self.groups)[self.compared[self.groups.index(group)]].tolist())


def neighbour_comparisons(
    groups: Collection[int], table: NeighbourTable, treated: dict[int, tuple[int, ...]], excluded: Collection[int]
) -> AreaComparisons:
    """Compare each group with the statistical neighbours of its area.

    Parameters
    ----------
    groups : collection of int
        Groups with schools in the data.
    table : NeighbourTable
        A published neighbour list.
    treated : dict of int to tuple of int
        The treated group and the areas its schools lie in; neither ever serves as comparison.
    excluded : collection of int
        Areas the project excludes from comparison.

    Raises
    ------
    DesignError
        If the treated group has no neighbour left.
    """
    ordered = tuple(sorted(groups))
    never_compared = {*treated, *(area for areas in treated.values() for area in areas), *excluded}
    compared = np.zeros((len(ordered), len(ordered)), dtype=bool)
    absent: dict[int, tuple[int, ...]] = {}
    for row, group in enumerate(ordered):
        areas = treated.get(group, (group,))
        listed_areas = dict.fromkeys(code for area in areas for code in table.of(area))
        absent[group] = tuple(code for code in listed_areas if code not in groups and code not in never_compared)
        for column, other in enumerate(ordered):
            compared[row, column] = other in listed_areas and other not in never_compared and other != group
    for group in treated:
        if group not in ordered or not compared[ordered.index(group)].any():
            raise DesignError(
                "No statistical neighbour of the treated area has schools in the data, so there is no untreated "
                "school to compare with. Check `pool.neighbours` and `pool.exclude_areas` in the project file; where "
                "the files are of single authorities, add the neighbours' or all England's, or compare schools by "
                "`kind: matched`."
            )
    usable = set(ordered) - never_compared
    own = {
        area: tuple(code for code in ordered if code in usable and code in table.of(area)) for area in _named(treated)
    }
    return AreaComparisons(ordered, compared, absent, own)


def _named(treated: dict[int, tuple[int, ...]]) -> tuple[int, ...]:
    """Return the areas in which schools are treated by name."""
    return treated.get(TREATED_GROUP, ())


def rest_of_england(
    groups: Collection[int], treated: dict[int, tuple[int, ...]], excluded: Collection[int]
) -> AreaComparisons:
    """Compare each group with every other area but the treated and excluded ones."""
    ordered = tuple(sorted(groups))
    never_compared = {*treated, *(area for areas in treated.values() for area in areas), *excluded}
    usable = np.array([group not in never_compared for group in ordered])
    own = dict.fromkeys(_named(treated), tuple(np.array(ordered)[usable].tolist()))
    return AreaComparisons(ordered, usable[None, :] & ~np.eye(len(ordered), dtype=bool), {}, own)


def without_areas(comparisons: AreaComparisons, left_out: Collection[int]) -> AreaComparisons:
    """Return the comparisons with some areas never used."""
    is_kept = ~np.isin(comparisons.groups, sorted(left_out))
    own = {area: tuple(code for code in codes if code not in left_out) for area, codes in comparisons.own.items()}
    return AreaComparisons(comparisons.groups, comparisons.compared & is_kept[None, :], comparisons.absent, own)
