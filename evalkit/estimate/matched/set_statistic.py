"""What a matched comparison would find of any other set of schools: the matching made again, then the estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.design.matching.rerun import MatchedUnits, MatchingRerun
from evalkit.estimate.matched.after_matching import AFTER_NAMES, AfterName
from evalkit.estimate.matched.after_matching_arrays import covariance_adjusted, weighted_difference

if TYPE_CHECKING:
    from evalkit.estimate.areas.set_draws import Sets

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
    may_compare : shape (n_units,), who may be compared with at all, or None for everyone
    """

    rerun: MatchingRerun
    area: Ints
    never: Ints
    before: Floats
    after: Floats
    columns: Floats
    may_compare: Bools | None = None

    def __call__(self, sets: Sets) -> Floats:
        """Return the three estimates of each set, shape (n_sets, 3); NaN where one cannot be made."""
        may_compare = ~np.isin(self.area, self.never)
        if self.may_compare is not None:
            may_compare &= self.may_compare
        in_pool = np.array([may_compare & ~np.isin(self.area, areas) for areas in sets.areas]).reshape(
            -1, len(self.area)
        )
        found = np.full((len(sets), len(AFTER_NAMES)), np.nan)
        lost = ~np.isfinite(self.after)
        for row, matched in enumerate(self.rerun.matched(sets.members, in_pool, lost)):
            if matched is not None:
                found[row] = self.estimates(matched)
        return found

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
