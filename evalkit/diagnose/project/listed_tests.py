"""Statistics of falsification tests for listed schools, and for the same sets of schools drawn in their place.

All tests of one project are of the same sets, so that how unlikely they are together can be ranked too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.project import Project
from evalkit.design.project import labels
from evalkit.design.project.plan import OutcomeDesign
from evalkit.design.project.set_rule import MOST_AREAS
from evalkit.estimate.areas.outcome_effects import OutcomeEffects, placing_of
from evalkit.estimate.areas.sample import changes_before, changes_to, changes_to_last_before
from evalkit.estimate.areas.set_draws import Sets
from evalkit.estimate.areas.set_effects import ListedChanges, codes_of, compared_by_code, compared_codes, options_of
from evalkit.estimate.areas.sets import ChangeGaps, SetStatistics, set_statistics
from evalkit.estimate.areas.sets_arrays import largest_moves

MAIN_COLUMN, LEAD, START, PLACEBO, LISTS, INFLUENCE = "main", "lead", "start", "placebo", "lists", "influence"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ListedStatistics:
    """The statistics of every test for the list and for each set; `columns` says which stands where."""

    sets: SetStatistics
    columns: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _TestStatistic:
    """Gaps of several columns, the difference between the two lists, and the most that one school moves the first.

    `of_compared` has the most that one compared school moves each area of `gaps.codes`, shape (G,).
    """

    gaps: ChangeGaps
    of_compared: Floats

    def __call__(self, sets: Sets) -> Floats:
        """Return every column for each set, shape (k, T + 1)."""
        found = self.gaps(sets)
        found[:, -1] -= found[:, 0]  # the set's own change is in both and cancels
        if sets.areas.shape[1] > 1:
            return np.column_stack([found, np.full(len(found), np.nan)])
        own = largest_moves(self.gaps.values[:, 0], self.gaps.weight[:, 0], sets.members)
        compared = self.of_compared[np.searchsorted(self.gaps.codes, sets.areas[:, 0])]
        return np.column_stack([found, np.maximum(own, compared)])


def listed_statistics(
    project: Project, design: OutcomeDesign, found: OutcomeEffects, placebo: OutcomeEffects | None
) -> ListedStatistics | None:
    """Return the tests' statistics of listed schools and of sets, None where sets do not judge them.

    `found` is of the primary outcome, `placebo` of the one that was not aimed at, if there is one.
    """
    sets = design.sets
    if sets is None or design.is_whole_area or not found.areas or len(sets.treated) > MOST_AREAS:
        return None
    changes = found.weighed(changes_to(found.panel, project.exposure, project.exposure.post))
    main = design.comparisons[labels.NEIGHBOURS]
    other = design.comparisons[labels.neighbours_of(project.pool.alternative_neighbours)]
    listed = ListedChanges.of(changes, changes.change[:, None], sets, main)
    if not listed.is_listed.any():
        return None
    names, values, weights = _columns(project, found, placebo, listed)
    area = np.where(listed.is_listed, -1, listed.area)
    compared = compared_by_code(values, weights, area, main)
    second = compared_by_code(values[:, :1], weights[:, :1], area, other)
    gaps = ChangeGaps(
        values=np.hstack([values, values[:, :1]]),
        weight=np.hstack([weights, weights[:, :1]]),
        codes=listed.codes,
        compared=np.hstack([compared, second]),
    )
    of_compared = _moves_of_compared(listed, area, compared_codes(main, codes_of(main)))
    placing = placing_of(project)
    statistic = _TestStatistic(gaps=gaps, of_compared=of_compared)
    statistics = set_statistics(statistic, listed.pool(sets, placing), options_of(sets, placing))
    return ListedStatistics(sets=statistics, columns={name: at for at, name in enumerate([*names, LISTS, INFLUENCE])})


def _columns(
    project: Project, found: OutcomeEffects, placebo: OutcomeEffects | None, listed: ListedChanges
) -> tuple[list[str], Floats, Floats]:
    """Return the columns' names, values and weights; a school without a value weighs nothing in that column."""
    exposure, each = project.exposure, {MAIN_COLUMN: pd.Series(listed.values[:, 0], listed.units)}
    if len(exposure.pre) > 1:
        lead = changes_before(found.panel, exposure)
        each[LEAD] = pd.Series(lead.change, lead.units)
    if len(exposure.pre) > 2:
        start = changes_to_last_before(found.panel, exposure)
        each[START] = pd.Series(start.change, start.units)
    if placebo is not None and placebo.areas:
        after = changes_to(placebo.panel, exposure, exposure.post)
        each[PLACEBO] = pd.Series(after.change, after.units)
    aligned = {name: column.reindex(listed.units) for name, column in each.items()}
    table = pd.DataFrame(aligned).to_numpy(dtype=float)
    known = np.isfinite(table)
    return list(each), np.where(known, table, 0.0), np.where(known, listed.weight[:, None], 0.0)


def _moves_of_compared(listed: ListedChanges, area: Ints, compared: Bools) -> Floats:
    """Return by how much the mean of what each area is compared with moves at most without one school, shape (G,)."""
    moved = np.zeros(len(listed.codes))
    place, is_other = np.searchsorted(listed.codes, area), area >= 0
    for row in range(len(listed.codes)):
        arm = np.flatnonzero(is_other & compared[row][np.minimum(place, len(listed.codes) - 1)])
        if len(arm) > 1:
            moved[row] = largest_moves(listed.values[:, 0], listed.weight, arm[None, :])[0]
    return moved
