"""The effect of every area, as if each in turn had been treated."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalkit.design.project.areas import AreaComparisons
from evalkit.design.project.group_matching import GroupMatches
from evalkit.estimate.areas.changes_arrays import (
    GroupEffects,
    comparison_weights,
    group_effects,
    largest_influence,
    matched_gaps,
    weighted_mean_error,
)
from evalkit.estimate.areas.sample import Changes


@dataclass(frozen=True, slots=True, eq=False)
class AreaEffects:
    """Effects of groups analysed the same way: the treated one's and, where areas can stand in for it, the others'.

    `effects[i]`, `std_errors[i]` (school sampling only), `n[i]` and `n_comparison[i]` belong to `groups[i]`.
    `n_lost` counts treated units of the sample that had no comparison.
    """

    groups: NDArray[np.int64]
    effects: NDArray[np.float64]
    std_errors: NDArray[np.float64]
    n: NDArray[np.int64]
    n_comparison: NDArray[np.int64]
    n_lost: int = 0

    def without(self, groups: Collection[int]) -> AreaEffects:
        """Return the effects without those groups, which then stand in for nobody."""
        is_kept = ~np.isin(self.groups, sorted(groups))
        counts = (self.n[is_kept], self.n_comparison[is_kept], self.n_lost)
        return AreaEffects(self.groups[is_kept], self.effects[is_kept], self.std_errors[is_kept], *counts)

    def position(self, group: int) -> int:
        """Return where a group stands, or −1 where it has no effect."""
        found = np.flatnonzero(self.groups == group)
        return int(found[0]) if len(found) else -1


def effects_by_area(changes: Changes, comparisons: AreaComparisons, treated_group: int, fewest: int) -> AreaEffects:
    """Compare each area's mean change with that of its comparison areas.

    Areas with fewer than `fewest` units serve as comparison but get no effect of their own; the
    treated group `treated_group` always does.
    """
    known = np.isin(changes.group, comparisons.groups)
    group = np.searchsorted(comparisons.groups, changes.group[known])
    result = group_effects(changes.change[known], changes.weight[known], group, comparisons.compared)
    return _of_enough_units(np.array(comparisons.groups), result, treated_group, fewest)


def influence_by_area(changes: Changes, comparisons: AreaComparisons, groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return by how much each group's effect moves at most when one unit, its own or a compared one, is left out."""
    known = np.isin(changes.group, comparisons.groups)
    group = np.searchsorted(comparisons.groups, changes.group[known])
    moved = largest_influence(changes.change[known], changes.weight[known], group, comparisons.compared)
    found: NDArray[np.float64] = moved[np.searchsorted(comparisons.groups, groups)]
    return found


def effects_of_matches(changes: Changes, matches: GroupMatches, treated_group: int, fewest: int) -> AreaEffects:
    """Compare each unit's change with the mean change of its partners, and average within groups.

    Partners without a published follow-up drop out and the rest count more; a unit without any is lost.
    """
    change, weight = (_aligned(values, changes, matches) for values in (changes.change, changes.weight))
    gap, counted = matched_gaps(change, matches.partners)
    is_served = np.isfinite(gap)
    rows = {int(g): np.flatnonzero(is_served & (matches.groups == g)) for g in np.unique(matches.groups[is_served])}
    cells = [_one_group(row, change, weight, gap, matches, counted) for row in rows.values()]
    result = GroupEffects(*np.array(cells, dtype=float).reshape(-1, 4).T)
    lost = int((changes.group == treated_group).sum()) - int((is_served & (matches.groups == treated_group)).sum())
    effects = _of_enough_units(np.array(list(rows), dtype=np.int64), result, treated_group, fewest)
    return AreaEffects(effects.groups, effects.effects, effects.std_errors, effects.n, effects.n_comparison, lost)


def _aligned(values: NDArray[np.float64], changes: Changes, matches: GroupMatches) -> NDArray[np.float64]:
    position = changes.units.get_indexer(matches.units)
    aligned: NDArray[np.float64] = np.where(position >= 0, np.append(values, np.nan)[position], np.nan)
    return aligned


def _one_group(
    rows: NDArray[np.int64],
    change: NDArray[np.float64],
    weight: NDArray[np.float64],
    gap: NDArray[np.float64],
    matches: GroupMatches,
    counted: NDArray[np.bool_],
) -> tuple[float, float, int, int]:
    used = comparison_weights(weight[rows], matches.partners[rows], counted[rows])
    partners = np.flatnonzero(used)
    treated_error = weighted_mean_error(change[rows], weight[rows])
    error = np.hypot(treated_error, weighted_mean_error(change[partners], used[partners]))
    return float(np.average(gap[rows], weights=weight[rows])), float(error), len(rows), len(partners)


def _of_enough_units(groups: NDArray[np.int64], result: GroupEffects, treated_group: int, fewest: int) -> AreaEffects:
    is_kept = np.isfinite(result.effect) & ((result.n >= fewest) | (groups == treated_group))
    counts = (result.n[is_kept].astype(np.int64), result.n_comparison[is_kept].astype(np.int64))
    return AreaEffects(groups[is_kept], result.effect[is_kept], result.std_error[is_kept], *counts)
