"""What a matched comparison would bear, were trends not parallel: bounds by permutation, and trends it could see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats
from evalkit.core.quantities import Unavailable
from evalkit.design.kinds.matched import MatchedPlan, OutcomeMatch
from evalkit.diagnose.power.pre_trends import ONE_PERIOD, PreTrendPower, StandIns, rank_trend_power
from evalkit.estimate.areas.sets import SetStatistics, why_no_interval
from evalkit.estimate.bounds.permuted_bounds import ONE_YEAR_BEFORE, PermutedBounds, Years, bounds_of
from evalkit.estimate.bounds.permuted_bounds_arrays import Placed, step_weights
from evalkit.estimate.matched.after_matching import AFTER_NAMES
from evalkit.estimate.matched.set_statistic import COLUMN
from evalkit.estimate.staggered.results_by_sets import DETECTABLE

NOT_BY_SETS: Final = Unavailable("Sets do not judge this analysis, so that nothing is ranked.")
MATCHED_ON_OUTCOME: Final = Unavailable(
    "Schools were matched on the outcome of the years before, whose movements are then alike by construction: they "
    "bound nothing, and no trend could show in them. Match without the outcomes to see this."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedViolations:
    """How far trends may part before the rank is lost, and which earlier trends would have been seen."""

    bounds: PermutedBounds | Unavailable
    pre_trends: PreTrendPower | Unavailable


def violations_of(plan: MatchedPlan, found: OutcomeMatch, statistics: SetStatistics | None) -> MatchedViolations:
    """Return bounds and trends of one outcome by sets whose columns beyond the estimates are those of `steps_of`."""
    return MatchedViolations(bounds=_bounds(plan, found, statistics), pre_trends=_trends(plan, found, statistics))


def is_matched_on_outcome(found: OutcomeMatch) -> bool:
    """Return whether years of the outcome itself were matched on."""
    return any(str(name).startswith(f"{found.outcome}_") for name in found.everyone.covariates.columns)


def why_no_steps(found: OutcomeMatch, reason: str) -> Unavailable | None:
    """Return why the steps of matched schools say nothing, None where they may; `reason` for too few years."""
    if not found.is_by_sets:
        return NOT_BY_SETS
    if is_matched_on_outcome(found):
        return MATCHED_ON_OUTCOME
    return Unavailable(reason) if len(found.pre) < 2 else None


def steps_of(found: OutcomeMatch, before: pd.DataFrame, after: pd.Series) -> Floats | None:
    """Return each school's change since the last year before, and yearly steps, shape (n, 1 + S); None without any."""
    if why_no_steps(found, ONE_YEAR_BEFORE) is not None:
        return None
    years = sorted(int(year) for year in before.columns)
    stand_in = years[-1] + 1  # the years after, taken together
    weights = step_weights((*years, stand_in), years, (stand_in,)).weights
    return np.asarray(np.column_stack([before[years].to_numpy(dtype=float), after.to_numpy(dtype=float)]) @ weights)


def _bounds(plan: MatchedPlan, found: OutcomeMatch, statistics: SetStatistics | None) -> PermutedBounds | Unavailable:
    why = why_no_steps(found, ONE_YEAR_BEFORE)
    if why is not None or statistics is None:
        return why or NOT_BY_SETS
    columns = statistics.together(range(len(AFTER_NAMES), statistics.values.shape[1]))
    if columns.reason:
        return Unavailable(columns.reason)
    level = plan.project.inference.level
    years = Years(before=tuple(sorted(found.pre)), after=tuple(sorted(plan.project.exposure.post)))
    placed = Placed(columns.observed, columns.others, columns.weights)
    made = bounds_of(placed, years, level, n_areas=columns.n_areas, no_interval=why_no_interval(columns.n_areas, level))
    if isinstance(made, Unavailable):
        return made
    error = statistics.inference(len(AFTER_NAMES), level).monte_carlo_error
    return made.told(found.outcome, len(columns.others), error)


def _trends(plan: MatchedPlan, found: OutcomeMatch, statistics: SetStatistics | None) -> PreTrendPower | Unavailable:
    why = why_no_steps(found, ONE_PERIOD)
    if why is not None or statistics is None:
        return why or NOT_BY_SETS
    years, post = sorted(found.pre), plan.project.exposure.post
    columns = statistics.together([COLUMN["change"], *range(len(AFTER_NAMES) + 1, statistics.values.shape[1])])
    if columns.reason:
        return Unavailable(columns.reason)
    effects, between = columns.others[:, 0], np.diff(np.array(years, dtype=float))
    away = effects - np.average(effects, weights=columns.weights)
    spread = float(np.sqrt(np.average(away**2, weights=columns.weights)))
    others = StandIns(
        moved=(columns.others[:, 1:] @ between)[:, None],
        effects=effects,
        weights=columns.weights,
        rise=np.array([float(years[-1] - years[0])]),
        effect_rise=float(np.mean(post) - np.mean(years)),
        n_areas=columns.n_areas,
    )
    return rank_trend_power(others, DETECTABLE * spread, years[0], plan.project.inference.level)
