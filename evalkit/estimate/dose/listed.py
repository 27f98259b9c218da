"""Listed units against those outside the programme: by dose, as a whole, and at a threshold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL
from evalkit.core.project import Project
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.scipy_parts import special
from evalkit.design.clusters import LEAST_DF, too_concentrated
from evalkit.design.project.areas import AreaComparisons
from evalkit.design.project.set_rule import SetDesign
from evalkit.estimate.areas.sample import Changes
from evalkit.estimate.areas.set_effects import (
    MANY_AREAS,
    ListedChanges,
    Placing,
    compared_codes,
    options_of,
    own_weights,
)
from evalkit.estimate.areas.sets import SetsInference, SetStatistics, set_statistics
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.estimate.dose.against_comparison import DoseGaps, doses_by_place
from evalkit.estimate.dose.take_up_arrays import AndersonRubinSet, placed_set, quadratic_set
from evalkit.estimate.least_squares_arrays import LeastSquaresFit, cluster_error, least_squares

TakeUp = Literal["none", "unknown", "observed"]
NOBODY: Final = Unavailable("No listed school is left that has anybody to be set against.")
_NOWHERE: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listed:
    """Changes of listed units and those they are set against.

    `changes` has the group 0 where listed; `sets` and `comparison` as the plan has them, `placing` how sets are drawn.
    `has_many` areas are clusters enough for errors by area.
    """

    changes: Changes
    sets: SetDesign
    comparison: AreaComparisons
    placing: Placing
    has_many: bool = False

    @property
    def area(self) -> pd.Series:
        """Return the area of each unit."""
        return self.sets.area.reindex(self.changes.units)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstComparison:
    """An estimate against units outside the programme, judged by sets, or by clusters where `sets` is None."""

    estimate: Quantity
    std_error: Quantity
    interval: IntervalOrReason
    p_value: Quantity
    p_value_one_sided: Quantity
    n_listed: int
    n_compared: int
    n_areas: int
    sets: SetsInference | None = None
    df: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdEffect:
    """The effect on participants that met a threshold, if the offer did nothing to those below it.

    Attributes
    ----------
    threshold : the dose from which on a participant has met it
    n_listed, n_met, n_some : listed units analysed; those that met it; those with some dose, and less
    share : π, the listed units' share that met it, weighted as the effect on all is, less that of those compared
    estimate, interval : T/π; the Anderson–Rubin set where it is one interval, else why there is none
    values : the Anderson–Rubin set, or why there is none
    p_value : of no effect, which is that of T
    take_up : what is known of those compared
    """

    threshold: float
    n_listed: int
    n_met: int
    n_some: int
    share: Quantity
    estimate: Quantity
    interval: IntervalOrReason
    values: AndersonRubinSet | Unavailable
    p_value: Quantity
    take_up: TakeUp


NO_ERROR: Final = Unavailable("Sets give an interval and a p-value, and no standard error.")


def placing_of_list(project: Project) -> Placing:
    """Return how a project places a list among sets."""
    return Placing(
        level=project.inference.level,
        seed=project.seed,
        draws_more=True,
        excluded=project.pool.exclude_areas,
        fewest=project.pool.minimum_area_schools,
    )


# By dose.


def area_shock(
    listed: Listed, dose: pd.Series, *, holds_before: bool = False, level: float = LEVEL
) -> AgainstComparison | Unavailable:
    """Return the slope of change on dose with those outside the programme at 0; units without a dose take no part.

    It differs from the line among participants by what moved all of their areas: see `DoseGaps`. Where it
    `holds_before`, changes are less what the mean before says of them: see `without_level`.
    """
    changes = listed.changes
    is_known = (changes.group != 0) | changes.units.isin(dose.index)
    change = without_level(listed) if holds_before else changes.change
    alike = Changes(changes.units, changes.group, change, np.ones(len(change)))
    kept = alike.keep(alike.units[is_known])
    found = ListedChanges.of(kept, kept.change[:, None], listed.sets, listed.comparison)
    if not found.is_listed.any():
        return NOBODY
    doses = dose.reindex(found.units).fillna(0.0).to_numpy(dtype=float)
    if not doses[found.is_listed].any():
        return Unavailable("No listed school had any of it.")
    if listed.has_many:
        return _shock_by_clusters(found, doses, listed, level)
    is_other = ~found.is_listed & np.isin(found.area, listed.comparison.groups)
    counts = np.bincount(np.searchsorted(found.codes, found.area[is_other]), minlength=len(found.codes))
    places = tuple(np.unique(found.area[found.is_listed]).tolist())
    statistic = DoseGaps(
        change=found.values[:, 0],
        dose=doses,
        rank=np.argsort(np.argsort(found.units.astype(str).to_numpy(), kind="stable")).astype(np.int64),
        codes=found.codes,
        compared=found.compared[:, 0],
        n_compared=compared_codes(listed.comparison, found.codes).astype(float) @ counts,
        by_place=doses_by_place(doses, found.area, found.is_listed.tolist(), places),
        listed=places,
        seed=listed.placing.seed,
    )
    pool = found.pool(listed.sets, listed.placing)
    made = set_statistics(statistic, pool, options_of(listed.sets, listed.placing)).inference(0, level)
    return _by_sets(made, found, listed)


def without_level(listed: Listed) -> Floats:
    """Return changes less γ times the mean before, γ their slope within areas among units outside the programme.

    Where the dose went where results were low, low results that rise by themselves would otherwise be taken for it.
    """
    changes = listed.changes
    before = listed.sets.level.reindex(changes.units).to_numpy(dtype=float)
    area = listed.area.to_numpy(dtype=float)
    is_used = (changes.group != 0) & np.isfinite(before) & np.isfinite(area)
    _, at = np.unique(area[is_used], return_inverse=True)
    n = np.bincount(at)
    x, y = (one[is_used] - (np.bincount(at, one[is_used]) / n)[at] for one in (before, changes.change))
    slope = float(x @ y / (x @ x)) if x @ x > 0 else 0.0
    return np.asarray(changes.change - slope * (before - np.nanmean(before)))


def _shock_by_clusters(found: ListedChanges, dose: Floats, listed: Listed, level: float) -> AgainstComparison:
    """Return the same slope by least squares over each area with what it is set against, clusters being areas."""
    rows, block = [], []
    compared = compared_codes(listed.comparison, found.codes)
    for own in np.unique(found.area[found.is_listed]).tolist():
        others = found.codes[compared[np.searchsorted(found.codes, own)]]
        is_in = (found.is_listed & (found.area == own)) | (~found.is_listed & np.isin(found.area, others))
        rows.append(np.flatnonzero(is_in))
        block.append(np.full(int(is_in.sum()), own))
    at, of = np.concatenate(rows), np.concatenate(block)
    order = np.argsort(found.area[at], kind="stable")
    at, of = at[order], of[order]
    dummies = (of[:, None] == np.unique(of)[None, :]).astype(float)
    cluster = np.unique(found.area[at], return_inverse=True)[1]
    own_dose = np.where(found.is_listed, dose, 0.0)[at][:, None]
    fit = least_squares(found.values[at, 0], own_dose, dummies, np.ones(len(at)), cluster)
    return _by_clusters(fit, found, listed, level)


# As a whole, and at a threshold.


def listed_effect_of(listed: Listed, level: float = LEVEL) -> AgainstComparison | Unavailable:
    """Return T, the mean change of the listed less that of what their areas are set against."""
    found = _placed(listed, listed.changes.change[:, None])
    if found is None:
        return NOBODY
    own, statistics = found
    if statistics is not None:
        return _by_sets(statistics.inference(0, level), own, listed)
    return _by_clusters(_weighted(listed, listed.changes.change)[0], own, listed, level)


def number_of_list(listed: Listed) -> Quantity:
    """Return T alone, without what judges it and without what sets like the list gain."""
    fit, weight = _weighted(listed, listed.changes.change)
    is_own = (listed.changes.group == 0) & (weight > 0)
    return float(fit.coefficients[0]) if is_own.any() else NOBODY


def placed_listed(listed: Listed) -> PlacedStatistic | Unavailable:
    """Return T of `listed_effect_of` as what can be placed beside others; or why it is not placed."""
    if listed.has_many:
        return MANY_AREAS
    found = ListedChanges.of(listed.changes, listed.changes.change[:, None], listed.sets, listed.comparison)
    if not found.is_listed.any():
        return NOBODY
    pool = found.pool(listed.sets, listed.placing)
    return PlacedStatistic(pool=pool, statistic=found.statistic, rule=listed.sets.rule)


@dataclass(frozen=True, slots=True, eq=False)
class Threshold:
    """A dose from which on a unit took part, what is known of those compared, and who did where that is observed."""

    dose: float
    take_up: TakeUp
    observed: pd.Series | None = None


def threshold_effect(
    listed: Listed, dose: pd.Series, threshold: Threshold, whole: AgainstComparison | Unavailable, level: float = LEVEL
) -> ThresholdEffect | Unavailable:
    """Return T/π with its Anderson–Rubin set: the effects τ for which T − τπ is not rejected.

    Parameters
    ----------
    listed : changes, with whom the listed are set against
    dose : of listed units
    threshold : as the plan has it
    whole : T, the effect on all listed

    Where nobody outside took part π is counted, not estimated, and the set is the interval of T over π. Where take-up
    outside is observed every placebo has its own difference, and the statistic is T_j − τπ_j.
    """
    changes = listed.changes
    is_own = changes.group == 0
    of_listed = dose.reindex(changes.units)
    if of_listed[is_own].isna().any():
        n = int(of_listed[is_own].isna().sum())
        return Unavailable(f"The dose of {n} listed schools is not known, so their share that met it is not either.")
    met = np.where(is_own, of_listed >= threshold.dose, False).astype(float)
    observed = threshold.observed
    if observed is not None:
        met = observed.reindex(changes.units).fillna(0.0).to_numpy(dtype=float)
    found = _placed(listed, np.column_stack([changes.change, met]))
    if found is None:
        return NOBODY
    own, statistics = found
    inside = own.is_listed
    weight = own.weight[inside]
    mine = of_listed.reindex(own.units[inside]).to_numpy(dtype=float)
    is_met = mine >= threshold.dose
    share = float(np.average(is_met, weights=weight))
    none = Unavailable("No listed school met the threshold.")
    made = ThresholdEffect(
        threshold=threshold.dose,
        n_listed=int(inside.sum()),
        n_met=int(is_met.sum()),
        n_some=int(((mine > 0) & ~is_met).sum()),
        share=share,
        estimate=none,
        interval=none,
        values=none,
        p_value=none,
        take_up=threshold.take_up,
    )
    if not share:
        return made
    if observed is not None:
        return _observed(made, listed, statistics, met, level)
    return made if isinstance(whole, Unavailable) else _divided(made, whole, share)


def _divided(made: ThresholdEffect, whole: AgainstComparison, share: float) -> ThresholdEffect:
    """Return the effect where nobody outside took part: T and its interval over π."""
    value = whole.estimate
    interval = whole.interval
    if isinstance(interval, Interval):
        interval = interval.divided(share)
        values: AndersonRubinSet | Unavailable = AndersonRubinSet(((interval.lower, interval.upper),), interval.level)
    else:
        values = interval
    return replace(
        made,
        estimate=value if isinstance(value, Unavailable) else value / share,
        interval=interval,
        values=values,
        p_value=whole.p_value,
    )


def _observed(
    made: ThresholdEffect, listed: Listed, statistics: SetStatistics | None, met: Floats, level: float
) -> ThresholdEffect:
    """Return the effect where take-up outside is observed."""
    values: AndersonRubinSet | Unavailable
    if statistics is None:
        values, share, effect, p = _observed_by_clusters(listed, met, level)
    else:
        of_change, of_share = (statistics.entries(column) for column in (0, 1))
        effect, share = float(of_change.values[-1]), float(of_share.values[-1])
        inference = statistics.inference(0, level)
        p = inference.p_value
        if isinstance(inference.interval, Unavailable):
            values = inference.interval
        else:
            others = (of_change.values[:-1], of_share.values[:-1])
            values = placed_set((effect, share), others, of_change.weights[:-1], level)
    if share <= 0:
        none = Unavailable("Those compared took part as often as the listed or more, so the effect cannot be told.")
        return replace(made, share=share, estimate=none, interval=none, values=none, p_value=none)
    return replace(made, share=share, estimate=effect / share, interval=interval_of(values), values=values, p_value=p)


def interval_of(values: AndersonRubinSet | Unavailable) -> IntervalOrReason:
    """Return an Anderson–Rubin set as an interval where it is one, else why it is none."""
    if isinstance(values, Unavailable):
        return values
    if values.shape == "interval":
        return Interval(*values.parts[0], values.level)
    return Unavailable(_NO_INTERVAL[values.shape])


_NO_INTERVAL: Final = {
    "two rays": "All values are compatible with the data but those of one stretch, so that no interval can be given.",
    "whole line": "Every value is compatible with the data: listed and compared schools differ too little in who met "
    "the threshold.",
    "ray": "The values compatible with the data have no end on one side.",
    "pieces": "The values compatible with the data lie in several stretches.",
    "empty": "No value is compatible with the data.",
}


def _observed_by_clusters(
    listed: Listed, met: Floats, level: float
) -> tuple[AndersonRubinSet | Unavailable, float, float, Quantity]:
    """Return the set from errors by area of T − τπ, a quadratic in τ: V_Tπ follows from the error of the sum."""
    fits = [_weighted(listed, one)[0] for one in (listed.changes.change, met, listed.changes.change + met)]
    errors = [cluster_error(fit, 0, "CR2") for fit in fits]
    v_t, v_p, v_sum = (one.std_error**2 for one in errors)
    df = errors[0].df
    effect, share = (float(fit.coefficients[0]) for fit in fits[:2])
    if df < LEAST_DF:
        none = Unavailable(too_concentrated(df))
        return none, share, effect, none
    critical = float(special.stdtrit(df, 0.5 + level / 2)) ** 2
    values = quadratic_set((effect, share), (v_t, (v_sum - v_t - v_p) / 2, v_p), critical, level)
    return values, share, effect, float(2 * special.stdtr(df, -abs(effect) / errors[0].std_error))


# Which sets or clusters.


def _placed(listed: Listed, values: Floats) -> tuple[ListedChanges, SetStatistics | None] | None:
    """Return changes beside what they are set against, and their sets (None where clusters judge)."""
    found = ListedChanges.of(listed.changes, values, listed.sets, listed.comparison)
    if not found.is_listed.any():
        return None
    if listed.has_many:
        return found, None
    pool = found.pool(listed.sets, listed.placing)
    return found, set_statistics(found.statistic, pool, options_of(listed.sets, listed.placing))


def _by_sets(made: SetsInference, found: ListedChanges, listed: Listed) -> AgainstComparison:
    estimate = made.estimate if made.rule == "simple" or isinstance(made.adjusted, Unavailable) else made.adjusted
    return AgainstComparison(
        estimate=estimate if np.isfinite(made.estimate) else Unavailable("The listed schools have no such number."),
        std_error=NO_ERROR,
        interval=made.interval,
        p_value=made.p_value,
        p_value_one_sided=made.p_value_one_sided,
        n_listed=int(found.is_listed.sum()),
        n_compared=_n_compared(found, listed),
        n_areas=made.n_treated_areas,
        sets=made,
    )


def _n_compared(found: ListedChanges, listed: Listed) -> int:
    serve = {code for codes in listed.comparison.own.values() for code in codes}
    return int((~found.is_listed & np.isin(found.area, sorted(serve))).sum())


def _weighted(listed: Listed, values: Floats) -> tuple[LeastSquaresFit, Floats]:
    """Return the regression of which being listed has the coefficient T, compared units weighed as they serve."""
    changes = listed.changes
    weight = own_weights(changes, listed.sets, listed.comparison)
    area = listed.area.fillna(_NOWHERE).to_numpy(dtype=np.int64)
    at = np.flatnonzero(weight > 0)
    at = at[np.argsort(area[at], kind="stable")]
    cluster = np.unique(area[at], return_inverse=True)[1]
    is_own = (changes.group[at] == 0).astype(float)[:, None]
    return least_squares(values[at], is_own, np.ones((len(at), 1)), weight[at], cluster), weight


def _by_clusters(fit: LeastSquaresFit, found: ListedChanges, listed: Listed, level: float) -> AgainstComparison:
    error = cluster_error(fit, 0, "CR2")
    value = float(fit.coefficients[0])
    made = AgainstComparison(
        estimate=value,
        std_error=error.std_error,
        interval=Unavailable(too_concentrated(error.df)),
        p_value=Unavailable(too_concentrated(error.df)),
        p_value_one_sided=Unavailable("Only the two-sided test was made."),
        n_listed=int(found.is_listed.sum()),
        n_compared=_n_compared(found, listed),
        n_areas=len(np.unique(found.area[found.is_listed])),
        df=error.df,
    )
    if error.df < LEAST_DF or error.std_error <= 0:
        return made
    half = float(special.stdtrit(error.df, 0.5 + level / 2)) * error.std_error
    p = float(2 * special.stdtr(error.df, -abs(value) / error.std_error))
    return replace(made, interval=Interval(value - half, value + half, level), p_value=p)
