"""Lee's bounds of listed units, every set in their place having its own: whatever the kind that lists them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.design.project.areas import AreaComparisons
from evalkit.design.project.set_rule import MOST_AREAS, SetDesign
from evalkit.estimate.areas.sample import Changes
from evalkit.estimate.areas.set_effects import MANY_AREAS, ListedChanges, Placing, compared_codes, options_of
from evalkit.estimate.areas.sets import set_statistics
from evalkit.estimate.missing.area_bounds import (
    BoundsOfSets,
    JudgedBounds,
    bounds_by_permutation,
    bounds_by_sets,
    bounds_without,
)

DRAWS_OF_SEVERAL: Final = 2_000
"""Draws where units of several areas are listed, each with a comparison of its own to sort."""
_DRAWS_OF_PEOPLE: Final = 999
"""The same where people are cut, of whom each draw weighs a hundred thousand anew."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """Values of people, NaN where missing, their weights, and the position of the unit that each is of: shape (n,)."""

    values: Floats
    weight: Floats
    unit: Ints

    def rows_of(self, n_units: int) -> Ints:
        """Return the people of each unit, shape (n_units, m), −1 for nobody."""
        n = np.bincount(self.unit, minlength=n_units)
        order = np.argsort(self.unit, kind="stable")
        found = np.full((n_units, int(n.max(initial=0))), -1, dtype=np.int64)
        unit = self.unit[order]
        found[unit, np.arange(len(order)) - (np.cumsum(n) - n)[unit]] = order
        return found


def bounds_of_listed(
    changes: Changes, sets: SetDesign, comparison: AreaComparisons, placing: Placing, people: People | None = None
) -> JudgedBounds:
    """Return Lee's bounds of listed units, with an interval where sets judge.

    `changes` are of every unit that was there before, NaN where it lacks a result afterwards; a group of 0 is listed.
    Where results are those of `people` of units, these are cut, and `changes` say no more than who is listed.
    """
    known = np.where(np.isfinite(changes.change), changes.change, 0.0)  # who is in the pool hangs on no outcome
    listed = ListedChanges.of(changes, known[:, None], sets, comparison)
    if not listed.is_listed.any():
        return bounds_without("No listed school has every result before and a school to compare with.")
    statistic = _statistic(changes, listed, compared_codes(comparison, listed.codes), people)
    if len(sets.treated) > 1:
        n_sets = DRAWS_OF_SEVERAL if people is None else _DRAWS_OF_PEOPLE
        placing = replace(placing, n_sets=n_sets, draws_more=False)
    pool = listed.pool(sets, placing)
    areas = np.array(pool.treated_areas, dtype=np.int64)
    members = np.flatnonzero(listed.is_listed)
    own = statistic.bounds(members, np.searchsorted(areas, listed.area[members]), areas)
    if len(sets.treated) > MOST_AREAS:
        return replace(bounds_by_permutation(own, 0, placing.level, MANY_AREAS.reason), interval=MANY_AREAS)
    return bounds_by_sets(set_statistics(statistic, pool, options_of(sets, placing)), own, placing.level)


def _statistic(changes: Changes, listed: ListedChanges, compared: Bools, people: People | None) -> BoundsOfSets:
    place = changes.units.get_indexer(listed.units)
    if people is None:
        return BoundsOfSets(
            values=changes.change[place],
            weight=listed.weight,
            area=listed.area,
            may_compare=~listed.is_listed,
            codes=listed.codes,
            compared=compared,
        )
    at = np.full(len(changes.units), -1, dtype=np.int64)
    at[place] = np.arange(len(place))
    kept = at[people.unit] >= 0
    own = People(values=people.values[kept], weight=people.weight[kept], unit=at[people.unit[kept]])
    return BoundsOfSets(
        values=own.values,
        weight=own.weight,
        area=listed.area[own.unit],
        may_compare=~listed.is_listed[own.unit],
        codes=listed.codes,
        compared=compared,
        rows=own.rows_of(len(place)),
    )
