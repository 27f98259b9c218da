"""What a project's result would bear, were trends not parallel: bounds by permutation, and trends it could see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.project import AIMED_AT, Exposure
from evalkit.core.quantities import Unavailable
from evalkit.design.project import labels
from evalkit.design.project.plan import OutcomeDesign
from evalkit.design.project.set_rule import MOST_AREAS
from evalkit.diagnose.power.pre_trends import ONE_PERIOD, PreTrendPower, StandIns, rank_trend_power
from evalkit.diagnose.project.evaluation import OutcomeBounds
from evalkit.diagnose.project.falsification import detectable_at_design
from evalkit.diagnose.project.listed_tests import LEAD, MAIN_COLUMN
from evalkit.diagnose.project.results import Results
from evalkit.estimate.areas.area_effects import effects_by_area
from evalkit.estimate.areas.outcome_effects import OutcomeEffects, placing_of
from evalkit.estimate.areas.sample import Changes, values_of_units
from evalkit.estimate.areas.set_effects import MANY_AREAS, sets_of_changes
from evalkit.estimate.areas.sets import why_no_interval
from evalkit.estimate.bounds.permuted_bounds import ONE_YEAR_BEFORE, PermutedBounds, Years, bounds_of
from evalkit.estimate.bounds.permuted_bounds_arrays import Placed, step_weights
from evalkit.estimate.effect import MAIN

_NO_TREATED: Final = Unavailable("No treated school has a result in each of the years that bounds need.")


def outcome_bounds(results: Results) -> Iterator[OutcomeBounds]:
    """Yield the bounds by permutation of every outcome that the programme aimed at."""
    for outcome in results.project.outcomes:
        if outcome.role in AIMED_AT:
            yield OutcomeBounds(outcome=outcome.code, found=bounds_on(results, outcome.code))


def bounds_on(results: Results, code: str) -> PermutedBounds | Unavailable:
    """Return the bounds of one outcome: of a whole area among areas, of listed schools among sets."""
    exposure, estimate = results.project.exposure, results.estimate(code)
    if isinstance(estimate, Unavailable):
        return estimate
    if len(exposure.pre) < 2:
        return Unavailable(ONE_YEAR_BEFORE)
    found, design = results.outcomes[code], results.locked.outcomes[code]
    years = Years(before=tuple(sorted(exposure.pre)), after=tuple(sorted(exposure.post)))
    changes, values = _columns(found, exposure, years)
    if not (changes.group == design.treated_group).any():
        return _NO_TREATED
    level = results.project.inference.level
    made = _of_areas if design.is_whole_area or design.sets is None else _of_sets
    bounds = made(results, design, changes, values, years, level)
    return bounds if isinstance(bounds, Unavailable) else replace(bounds, outcome=code)


def _columns(found: OutcomeEffects, exposure: Exposure, years: Years) -> tuple[Changes, Floats]:
    """Return each school's T° and steps, shape (n, 1 + S), with weight and group; schools lack none of the years."""
    weights = step_weights(years.all, years.before, years.after).weights
    wide = found.panel.wide()[list(years.all)].dropna()
    moved = wide.to_numpy(dtype=float) @ weights
    changes = found.weighed(values_of_units(found.panel, wide.index, moved[:, 0]))
    return changes, moved[wide.index.get_indexer(changes.units)]


def _of_areas(
    results: Results, design: OutcomeDesign, changes: Changes, values: Floats, years: Years, level: float
) -> PermutedBounds | Unavailable:
    pool, main = results.project.pool, design.comparisons[labels.NEIGHBOURS]
    each = [
        effects_by_area(replace(changes, change=column), main, design.treated_group, pool.minimum_area_schools).without(
            set(pool.exclude_areas) - {design.treated_group}
        )
        for column in values.T
    ]
    at = each[0].position(design.treated_group)
    if at < 0:
        return _NO_TREATED
    effects = np.column_stack([one.effects for one in each])
    others = np.delete(effects, at, axis=0)
    return bounds_of(Placed(effects[at], others, np.ones(len(others))), years, level)


def _of_sets(
    results: Results, design: OutcomeDesign, changes: Changes, values: Floats, years: Years, level: float
) -> PermutedBounds | Unavailable:
    assert design.sets is not None
    if len(design.sets.treated) > MOST_AREAS:
        return MANY_AREAS
    main, placing = design.comparisons[labels.NEIGHBOURS], placing_of(results.project)
    statistics = sets_of_changes(changes, design.sets, main, placing, values=values)
    if statistics is None:
        return _NO_TREATED
    columns = statistics.together(range(values.shape[1]))
    if columns.reason:
        return Unavailable(columns.reason)
    placed = Placed(columns.observed, columns.others, columns.weights)
    no_interval = why_no_interval(columns.n_areas, level)
    bounds = bounds_of(placed, years, level, n_areas=columns.n_areas, no_interval=no_interval)
    if isinstance(bounds, Unavailable):
        return bounds
    error = statistics.inference(0, level).monte_carlo_error
    return bounds.told("", len(columns.others), error)


# Which earlier trends the movement before the programme could have shown.


def trends_seen(results: Results) -> PreTrendPower | Unavailable:
    """Return which trends the rank of the movement before the programme would find, and what those missed would do.

    The movement is from the first to the last year before, as that of the check; the bias asked about is the least
    effect that the design was to detect.
    """
    exposure = results.project.exposure
    if len(exposure.pre) < 2:
        return Unavailable(ONE_PERIOD)
    found = _stand_ins(results)
    if isinstance(found, Unavailable):
        return found
    return rank_trend_power(found, detectable_at_design(results), min(exposure.pre), results.project.inference.level)


def _stand_ins(results: Results) -> StandIns | Unavailable:
    exposure = results.project.exposure
    rise = np.array([float(max(exposure.pre) - min(exposure.pre))])
    effect_rise = float(np.mean(exposure.post) - np.mean(exposure.pre))
    if results.listed is not None:
        names = results.listed.columns
        columns = results.listed.sets.together([names[MAIN_COLUMN], names[LEAD]])
        if columns.reason:
            return Unavailable(columns.reason)
        return StandIns(
            moved=columns.others[:, 1:],
            effects=columns.others[:, 0],
            weights=columns.weights,
            rise=rise,
            effect_rise=effect_rise,
            n_areas=columns.n_areas,
        )
    found, design = results.outcomes[results.primary], results.locked.outcomes[results.primary]
    main, lead = found.areas.get(MAIN), found.areas.get((labels.LEAD, str(max(exposure.pre))))
    if main is None or lead is None or not design.is_whole_area:
        return Unavailable("No movement before the programme was ranked among others, so that no trend is looked for.")
    others = np.setdiff1d(np.intersect1d(main.groups, lead.groups), [design.treated_group])
    return StandIns(
        moved=lead.without(set(lead.groups.tolist()) - set(others.tolist())).effects[:, None],
        effects=main.without(set(main.groups.tolist()) - set(others.tolist())).effects,
        weights=np.ones(len(others)),
        rise=rise,
        effect_rise=effect_rise,
        n_areas=1 + len(others),
    )
