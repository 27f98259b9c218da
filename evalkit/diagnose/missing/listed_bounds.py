"""Lee's bounds of listed units, every set in their place having its own: whatever the kind that lists them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from evalkit.core.quantities import Unavailable
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

_DRAWS_OF_SEVERAL: Final = 2_000
"""Draws where units of several areas are listed, each with a comparison of its own to sort."""


def bounds_of_listed(changes: Changes, sets: SetDesign, comparison: AreaComparisons, placing: Placing) -> JudgedBounds:
    """Return Lee's bounds of listed units, with an interval where sets judge.

    `changes` are of every unit that was there before, NaN where it lacks a result afterwards; a group of 0 is listed.
    """
    known = np.where(np.isfinite(changes.change), changes.change, 0.0)  # who is in the pool hangs on no outcome
    listed = ListedChanges.of(changes, known[:, None], sets, comparison)
    if not listed.is_listed.any():
        return bounds_without("No listed school has every result before and a school to compare with.")
    place = changes.units.get_indexer(listed.units)
    statistic = BoundsOfSets(
        values=changes.change[place],
        weight=listed.weight,
        area=listed.area,
        may_compare=~listed.is_listed,
        codes=listed.codes,
        compared=compared_codes(comparison, listed.codes),
    )
    if len(sets.treated) > 1:
        placing = replace(placing, n_sets=_DRAWS_OF_SEVERAL, draws_more=False)
    pool = listed.pool(sets, placing)
    areas = np.array(pool.treated_areas, dtype=np.int64)
    members = np.flatnonzero(listed.is_listed)
    own = statistic.bounds(members, np.searchsorted(areas, listed.area[members]), areas)
    if len(sets.treated) > MOST_AREAS:
        return replace(
            bounds_by_permutation(own, 0, placing.level, MANY_AREAS.reason), interval=Unavailable(MANY_AREAS.reason)
        )
    return bounds_by_sets(set_statistics(statistic, pool, options_of(sets, placing)), own, placing.level)
