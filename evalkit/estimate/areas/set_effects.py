"""The effect on listed schools, or on several whole areas, each against its own neighbours, placed among sets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import LEVEL, SEED
from evalkit.core.quantities import Unavailable
from evalkit.design.project.areas import TREATED_GROUP, AreaComparisons
from evalkit.design.project.set_rule import MOST_AREAS, SetDesign, SetRule
from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.changes_arrays import weighted_mean_error
from evalkit.estimate.areas.sample import Changes
from evalkit.estimate.areas.set_draws import SetOptions, SetPool
from evalkit.estimate.areas.sets import ChangeGaps, SetStatistics, set_statistics
from evalkit.estimate.areas.sets_arrays import compared_means

MANY_AREAS = Unavailable(
    f"Schools of more than {MOST_AREAS} areas take part: the main comparison has errors clustered by area, and others "
    "beside it none."
)
_NOWHERE = -1
"""Area of a school whose area is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """How the listed are placed: the rule of the draw where not the design's, level, seed, and whether to draw more.

    `excluded` are areas that never stand in, `fewest` the schools of an area that may, where whole areas are drawn.
    """

    rule: SetRule | None = None
    level: float = LEVEL
    seed: int = SEED
    draws_more: bool = False
    n_sets: int | None = None
    excluded: tuple[int, ...] = ()
    fewest: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class ListedChanges:
    """Changes of schools, one or more columns, with who was listed and whom each area is compared with.

    Attributes
    ----------
    units : schools that lie in an area and, if listed, have somebody to be compared with
    values : shape (n, T)
    weight, area : shape (n,)
    is_listed : shape (n,)
    codes : shape (G,), areas in order; `compared` (G, T) the mean change that each is set against
    n_lost : listed schools without anybody to be compared with
    """

    units: pd.Index
    values: Floats
    weight: Floats
    area: Ints
    is_listed: Bools
    codes: Ints
    compared: Floats
    n_lost: int

    @classmethod
    def of(cls, changes: Changes, values: Floats, sets: SetDesign, comparison: AreaComparisons) -> ListedChanges:
        """Set listed schools and areas beside their comparison; `values`, shape (n, T), stand in for the change."""
        area = sets.area.reindex(changes.units).fillna(_NOWHERE).to_numpy(dtype=np.int64)
        is_listed = changes.group == TREATED_GROUP
        codes = codes_of(comparison)
        used = np.isin(area, codes)
        compared = compared_by_code(values, changes.weight, np.where(is_listed, _NOWHERE, area), comparison)
        has_own = np.zeros(len(area), dtype=bool)
        has_own[used] = np.isfinite(compared[np.searchsorted(codes, area[used])]).all(axis=1)
        kept = used & (~is_listed | has_own)
        lost = int((is_listed & ~kept).sum())
        parts = (changes.units[kept], values[kept], changes.weight[kept], area[kept], is_listed[kept])
        return cls(*parts, codes, compared, lost)

    @property
    def statistic(self) -> ChangeGaps:
        """Return the mean change of sets less that of what their areas are compared with."""
        return ChangeGaps(values=self.values, weight=self.weight, codes=self.codes, compared=self.compared)

    def pool(self, sets: SetDesign, placing: Placing) -> SetPool:
        """Return who could have been listed instead."""
        has_any = self.codes[np.isfinite(self.compared).any(axis=1)]
        fewest = placing.fewest if sets.is_whole or sets.rule == "rule" else 1
        n = np.bincount(np.searchsorted(self.codes, self.area), minlength=len(self.codes))
        large = self.codes[n >= fewest]
        stand_ins = {*has_any.tolist()} & {*large.tolist()} - {*placing.excluded}
        return SetPool(
            ids=self.units.astype(str).tolist(),
            area=self.area,
            is_listed=self.is_listed,
            stand_ins=tuple(sorted(stand_ins)),
            level=sets.level.reindex(self.units).to_numpy(dtype=float),
            is_whole=sets.is_whole,
            picked=sets.picked_among(self.units),
        )


def codes_of(comparison: AreaComparisons) -> Ints:
    """Return the areas of a comparison, treated ones among them, in order: shape (G,)."""
    return np.array(sorted({*comparison.groups, *comparison.own} - {TREATED_GROUP}), dtype=np.int64)


def compared_by_code(values: Floats, weight: Floats, area: Ints, comparison: AreaComparisons) -> Floats:
    """Return the mean of what each area of `codes_of` is compared with, shape (G, T).

    `values` has shape (n, T), `weight` (n,) or (n, T), `area` (n,) with listed schools in none that is compared.
    """
    codes, others = codes_of(comparison), np.isin(area, comparison.groups)
    at = np.searchsorted(codes, area[others])
    return compared_means(values[others], weight[others], at, compared_codes(comparison, codes))


def compared_codes(comparison: AreaComparisons, codes: Ints) -> Bools:
    """Return which areas each area is compared with, treated ones among the rows: shape (G, G) over `codes`."""
    found = np.zeros((len(codes), len(codes)), dtype=bool)
    groups = np.array(comparison.groups)
    is_area = groups != TREATED_GROUP
    at = np.searchsorted(codes, groups[is_area])
    found[np.ix_(at, at)] = comparison.compared[np.ix_(is_area, is_area)]
    for area, others in comparison.own.items():
        found[np.searchsorted(codes, area), np.searchsorted(codes, list(others))] = True
    return found


def own_weights(changes: Changes, sets: SetDesign, comparison: AreaComparisons) -> Floats:
    """Return weights under which listed less compared schools is Σ_a (W_a/W)(mean of a − mean of C(a)), shape (n,).

    A compared school counts Σ_a W_a w_i / W_C(a) over the treated areas that it serves; one that serves none, and a
    listed one without anybody to be compared with, zero.
    """
    area = sets.area.reindex(changes.units).fillna(_NOWHERE).to_numpy(dtype=np.int64)
    is_listed = changes.group == TREATED_GROUP
    weight = np.zeros(len(area))
    for own, others in comparison.own.items():
        listed, serves = is_listed & (area == own), ~is_listed & np.isin(area, others)
        if listed.any() and serves.any():
            weight[listed] = changes.weight[listed]
            weight[serves] += weight[listed].sum() * changes.weight[serves] / changes.weight[serves].sum()
    return weight


def listed_effect(changes: Changes, sets: SetDesign, comparison: AreaComparisons) -> AreaEffects:
    """Return the effect on the listed schools, each area against its own, with its school-sampling error."""
    listed = ListedChanges.of(changes, changes.change[:, None], sets, comparison)
    if not listed.is_listed.any():
        none = np.empty(0)
        return AreaEffects(np.empty(0, dtype=np.int64), none, none, none.astype(int), none.astype(int), listed.n_lost)
    kept = changes.keep(listed.units)
    weight = own_weights(kept, sets, comparison)
    own, others = listed.is_listed, ~listed.is_listed & (weight > 0)
    estimate = np.average(kept.change[own], weights=weight[own])
    estimate = estimate - np.average(kept.change[others], weights=weight[others])
    errors = [weighted_mean_error(kept.change[arm], weight[arm]) for arm in (own, others)]
    error = np.hypot(errors[0], errors[1])
    counts = (np.array([int(own.sum())]), np.array([int(others.sum())]))
    return AreaEffects(np.array([TREATED_GROUP]), np.array([estimate]), np.array([error]), *counts, listed.n_lost)


def sets_of_changes(
    changes: Changes,
    sets: SetDesign,
    comparison: AreaComparisons,
    placing: Placing,
    *,
    values: Floats | None = None,
    by_area: bool = False,
) -> SetStatistics | None:
    """Return the statistic of the listed schools and of sets drawn in their place, None where nobody listed is left.

    Parameters
    ----------
    changes : of schools, in groups: `TREATED_GROUP` where listed, else areas
    sets, comparison : how the listed are judged, and whom each area is compared with
    placing : rule, level, seed, areas that never stand in
    values : shape (n, T), several columns in the place of the one change
    by_area : whether areas weigh the same, and not as their listed schools do
    """
    columns = changes.change[:, None] if values is None else values
    listed = ListedChanges.of(changes, columns, sets, comparison)
    if not listed.is_listed.any():
        return None
    statistic = replace(listed.statistic, by_area=by_area)
    return set_statistics(statistic, listed.pool(sets, placing), options_of(sets, placing))


def options_of(sets: SetDesign, placing: Placing) -> SetOptions:
    """Return how sets are drawn: by the rule of the design unless another is asked for."""
    return SetOptions(
        rule=placing.rule or sets.rule,
        seed=placing.seed,
        level=placing.level,
        draws_more=placing.draws_more,
        n_sets=placing.n_sets,
    )
