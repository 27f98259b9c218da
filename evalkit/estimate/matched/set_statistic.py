"""What a matched comparison would find of any other set of schools: the matching made again, then the estimates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.design.matching.options import AfterName
from evalkit.design.matching.rerun import MatchedUnits, MatchingRerun, matched_by_each
from evalkit.estimate.matched.after_matching import AFTER_NAMES
from evalkit.estimate.matched.after_matching_arrays import covariance_adjusted, weighted_difference

if TYPE_CHECKING:
    from evalkit.estimate.areas.set_draws import Sets
    from evalkit.estimate.areas.sets import SetsInference, SetStatistics

COLUMN: Final[dict[AfterName, int]] = {name: at for at, name in enumerate(AFTER_NAMES)}
"""Which column of a statistic holds which estimate."""


@dataclass(frozen=True, slots=True, eq=False)
class MatchedStatistic:
    """Change, analysis of covariance and difference of sets of units, each matched anew; a statistic for randomisation.

    Attributes
    ----------
    rerun : the matching
    area : shape (n_units,), codes of the areas
    never : areas that are nobody's comparison: those of the units that were really treated, and those left out
    before : shape (n_units, n_years), the outcome before, no column where it was not observed
    after : shape (n_units,), NaN where the outcome is not known: such a unit is left out after matching
    columns : shape (n_units, k), what the analysis of covariance adjusts for
    neighbours : the areas that each area is compared with, None where it is with every other
    beside : shape (n_units, c), further outcomes whose differences of the same matchings stand beside the estimates
    """

    rerun: MatchingRerun
    area: Ints
    never: Ints
    before: Floats
    after: Floats
    columns: Floats
    neighbours: Mapping[int, Ints] | None = None
    beside: Floats | None = None

    def __call__(self, sets: Sets) -> Floats:
        """Return the three estimates of each set and what stands beside, (n_sets, 3 + c); NaN where there is none."""
        n_beside = 0 if self.beside is None else self.beside.shape[1]
        found = np.full((len(sets), len(AFTER_NAMES) + n_beside), np.nan)
        for row, matched in enumerate(self.matchings(sets, ~np.isfinite(self.after))):
            if matched is not None:
                found[row, : len(AFTER_NAMES)] = self.estimates(matched)
                for at in range(n_beside):
                    values = self.beside[matched.unit, at]  # type: ignore[index]  # there is one
                    found[row, len(AFTER_NAMES) + at] = weighted_difference(values, matched.is_treated, matched.weight)
        return found

    def matchings(self, sets: Sets, lost: Bools) -> Iterator[MatchedUnits | None]:
        """Yield the matching of each set, None where none can be made; `lost` (n_units,) are left out after it."""
        return self.rerun.matched(sets.members, self.pools(sets), lost)

    def pools(self, sets: Sets) -> Bools:
        """Return who may be compared with each set, shape (n_sets, n_units)."""
        may_compare = ~np.isin(self.area, self.never)
        in_pool = np.empty((len(sets), len(self.area)), dtype=bool)
        for row, areas in enumerate(sets.areas):
            in_pool[row] = may_compare & ~np.isin(self.area, areas)
            if self.neighbours is not None:
                near = np.concatenate([self.neighbours[area] for area in areas.tolist()])
                in_pool[row] &= np.isin(self.area, near)
        return in_pool

    def estimates(self, matched: MatchedUnits) -> Floats:
        """Return change, analysis of covariance and difference of one matching, shape (3,)."""
        unit, is_treated, weight = matched.unit, matched.is_treated, matched.weight
        after, found = self.after[unit], np.full(len(AFTER_NAMES), np.nan)
        found[COLUMN["difference"]] = weighted_difference(after, is_treated, weight)
        if self.before.shape[1]:
            change = after - self.before[unit].mean(axis=1)
            found[COLUMN["change"]] = weighted_difference(change, is_treated, weight)
        found[COLUMN["ancova"]] = covariance_adjusted(after, self.columns[unit], is_treated, weight)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class MatchedStatistics:
    """The three estimates by each of K methods of matching the same units on the same covariates, as one statistic.

    Column 3k + c is estimate c by method k, to the last digit what a `MatchedStatistic` of that method alone gives;
    scores are fitted to a set once. `common` holds all but the matching, of which its own counts for nothing.
    """

    common: MatchedStatistic
    reruns: tuple[MatchingRerun, ...]

    def __call__(self, sets: Sets) -> Floats:
        """Return the estimates of each set, (n_sets, 3 K); NaN where there is none."""
        common, lost = self.common, ~np.isfinite(self.common.after)
        found = np.full((len(sets), len(self.reruns), len(AFTER_NAMES)), np.nan)
        every = matched_by_each(self.reruns, sets.members, common.pools(sets), lost)
        for row, each in enumerate(every):
            for k, matched in enumerate(each):
                if matched is not None:
                    found[row, k] = common.estimates(matched)
        return found.reshape(len(sets), -1)


def said_by_name(statistics: SetStatistics, level: float) -> dict[AfterName, SetsInference]:
    """Return what sets say of each of the three estimates."""
    return {name: statistics.inference(COLUMN[name], level) for name in AFTER_NAMES}
