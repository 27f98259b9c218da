"""Lee's bounds after matching: of the treated as they are matched, and of sets in their place, each matched anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evalkit.core.arrays import Bools, Floats
from evalkit.estimate.matched.after_matching_arrays import weighted_difference
from evalkit.estimate.matched.set_statistic import MatchedStatistic
from evalkit.estimate.missing.lee_arrays import LeeBounds, lee_bounds

if TYPE_CHECKING:
    from evalkit.estimate.areas.set_draws import Sets


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MatchedBounds:
    """The difference in change of sets of units after matching, and its bounds: a statistic for randomisation.

    The matching sees no outcome, so that it is that of all units; `statistic` holds it, with outcomes before and after.
    """

    statistic: MatchedStatistic

    @property
    def change(self) -> Floats:
        """Return the change of each unit, or its outcome afterwards where none was observed before; NaN if missing."""
        before = self.statistic.before
        return self.statistic.after - before.mean(axis=1) if before.shape[1] else self.statistic.after

    def __call__(self, sets: Sets) -> Floats:
        """Return difference, lower and upper bound of each set, shape (k, 3); NaN where no matching can be made."""
        change, found = self.change, np.full((len(sets), 3), np.nan)
        nobody = np.zeros(len(change), dtype=bool)
        for row, matched in enumerate(self.statistic.matchings(sets, nobody)):
            if matched is not None:
                own = change[matched.unit]
                bounds = bounds_of_weights(own, matched.is_treated, matched.weight)
                seen = np.isfinite(own)
                arms = matched.is_treated[seen], matched.weight[seen]
                if arms[0].any() and not arms[0].all():
                    difference = weighted_difference(own[seen], *arms)
                    found[row] = difference, bounds.lower[0], bounds.upper[0]
        return found


def bounds_of_weights(change: Floats, is_treated: Bools, weight: Floats) -> LeeBounds:
    """Return the bounds of one weighted comparison, shapes (n,): changes, NaN where missing, arms and weights."""
    arms = [(change[arm][None, :], weight[arm][None, :]) for arm in (is_treated, ~is_treated)]
    return lee_bounds(*arms[0], *arms[1])
