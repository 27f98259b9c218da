"""Several statistics placed among the same areas, or the same sets: their differences, and p-values adjusted together.

A kind of analysis gives a `PlacedStatistic` for each outcome; whatever kinds they are of, those that are placed in the
same way can be set beside each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import LEVEL, SEED, SERIAL, Executor
from evalkit.core.quantities import ROUNDING, Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.design.project.set_rule import INTERVAL_NEEDS, P_NEEDS, SetRule, too_few
from evalkit.estimate.areas import sets_arrays as kernel
from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.effect_records import FEW_AREAS
from evalkit.estimate.areas.set_draws import SetOptions, SetPool, Sets, Statistic, draw_sets
from evalkit.estimate.areas.sets import FAST_CHUNK, SetStatistics
from evalkit.estimate.step_down_arrays import step_down

NOT_ALIKE = Unavailable("One is placed among whole areas and the other among sets, so that there are no draws of both.")
NO_SPREAD = Unavailable("A statistic is the same in every area or set, so that it has no spread to be divided by.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedStatistic:
    """The statistic by which an effect is placed among others without a programme.

    Either `areas` has it for every area, the treated `group` among them; or `statistic` finds it, in its `column`, of
    any set of the units of `pool`, drawn by `rule`. `n_sets` is None for the usual number, `chunk` how many sets make a
    piece of work.
    """

    areas: AreaEffects | None = None
    group: int = 0
    pool: SetPool | None = None
    statistic: Statistic | None = None
    column: int = 0
    rule: SetRule = "simple"
    n_sets: int | None = None
    chunk: int = FAST_CHUNK


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TogetherOptions:
    """How several statistics are placed together.

    `is_apart` is true where each has units of its own, as schools of different types have: sets then hold as many of
    each as the list does.
    """

    level: float = LEVEL
    seed: int = SEED
    is_apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Together:
    """Several statistics of the treated and of the same areas or sets without a programme.

    Attributes
    ----------
    observed : shape (K,), of the treated
    values : shape (D, K), of the others; each row one area or set, which has all of them
    weights : shape (D,)
    n_areas : J, the treated counted
    n_sets : sets drawn; 0 where areas stand for themselves
    is_centred : whether sets are like the list, so that what they gain on average is taken off
    """

    observed: Floats
    values: Floats
    weights: Floats
    n_areas: int
    n_sets: int
    is_centred: bool
    level: float

    @property
    def least_p(self) -> float:
        """Return the smallest p-value there can be: 1/J, or of several treated areas 1/(D + 1)."""
        return 1.0 / (1.0 + float(self.weights.sum()))

    def spread(self) -> Floats:
        """Return the standard deviation of each statistic over the areas or sets, the treated among them, shape (K,).

        The treated count as one of J. Without them a placebo's t would be divided by what it has itself widened, and
        the treated's not, so that few areas would give false alarms: of eight outcomes at J = 40 in 8.5% of families.
        """
        rows = np.vstack([self.values, self.observed])
        share = np.append(self.weights, 1.0) / (1.0 + self.weights.sum())
        found: Floats = np.sqrt(share @ (rows - share @ rows) ** 2)
        return found

    def p_values(self) -> Floats:
        """Return the p-value of each statistic by its own rank, shape (K,)."""
        values, observed = self.less_expected()
        each = [
            kernel.share_as_large(np.abs(values[:, k]), self.weights, abs(observed[k])) for k in range(len(observed))
        ]
        return np.array(each)

    def standardised(self) -> Floats | Unavailable:
        """Return t of each statistic: over its spread, less what sets like the list gain; or why there is none."""
        _, observed = self.less_expected()
        spread = self.spread()
        return observed / spread if self._varies(spread) else NO_SPREAD

    def adjusted(self) -> Floats | Unavailable:
        """Return the p-values adjusted together by max-|t| step-down, shape (K,); or why there are none."""
        values, observed = self.less_expected()
        spread = self.spread()
        return step_down(observed / spread, values / spread, self.weights) if self._varies(spread) else NO_SPREAD

    def _varies(self, spread: Floats) -> bool:
        """Return whether every statistic has a spread beyond rounding."""
        size = np.abs(np.vstack([self.values, self.observed])).max(axis=0)
        return bool((spread > ROUNDING * size).all())

    def difference(self, first: int, second: int) -> Difference:
        """Return one statistic less another, found in every area or set, with the place of the treated among them."""
        apart = replace(
            self,
            observed=self.observed[[first]] - self.observed[[second]],
            values=self.values[:, [first]] - self.values[:, [second]],
        )
        values, observed = apart.less_expected()
        size, estimate = np.abs(values[:, 0]), float(observed[0])
        half = kernel.reach(size, self.weights, 1 - self.level)
        needed = max(INTERVAL_NEEDS if self.n_sets else 0, round(1 / (1 - self.level)))
        interval: IntervalOrReason = Unavailable(FEW_AREAS.format(needed=needed))
        if np.isfinite(half) and self.n_areas >= needed:
            interval = Interval(estimate - half, estimate + half, self.level)
        return Difference(
            estimate=estimate,
            interval=interval,
            p_value=kernel.share_as_large(size, self.weights, abs(estimate)),
            n_areas=self.n_areas,
            n_sets=self.n_sets,
        )

    def less_expected(self) -> tuple[Floats, Floats]:
        """Return values and observed less the mean of the sets, where sets are like the list."""
        if not self.is_centred:
            return self.values, self.observed
        centre = self.weights @ self.values / self.weights.sum()
        return self.values - centre, self.observed - centre


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One effect less another: estimate, interval and p-value by the rank of the difference; J and the sets drawn."""

    estimate: Quantity
    interval: IntervalOrReason
    p_value: Quantity
    n_areas: int = 0
    n_sets: int = 0

    @classmethod
    def unavailable(cls, reason: Unavailable) -> Difference:
        """Return the difference that cannot be given, with its reason in every place."""
        return cls(estimate=reason, interval=reason, p_value=reason)


def place_together(
    placed: Sequence[PlacedStatistic], options: TogetherOptions, executor: Executor = SERIAL
) -> Together | Unavailable:
    """Return statistics of the same areas, or of the same sets, each row having all; or why there are none.

    Of sets one pool holds the units of all statistics; a set is drawn in it once, and each statistic is found of those
    of its members that it knows.
    """
    if all(one.areas is not None for one in placed):
        return _over_areas(placed, options)
    if all(one.pool is not None and one.statistic is not None for one in placed):
        return _over_sets(placed, options, executor)
    return NOT_ALIKE


def _over_areas(placed: Sequence[PlacedStatistic], options: TogetherOptions) -> Together | Unavailable:
    found = [one.areas for one in placed if one.areas is not None]
    common = reduce(np.intersect1d, [areas.groups for areas in found])
    group = placed[0].group
    if any(one.group != group for one in placed) or group not in common:
        return Unavailable("The treated area has no effect in one of them, so that there is no difference to place.")
    if len(common) < P_NEEDS:
        return Unavailable(too_few(len(common), 1))
    rows = np.array([areas.effects[np.searchsorted(areas.groups, common)] for areas in map(_sorted, found)]).T
    is_own = common == group
    return Together(
        observed=rows[is_own][0],
        values=rows[~is_own],
        weights=np.ones(int((~is_own).sum())),
        n_areas=len(common),
        n_sets=0,
        is_centred=False,
        level=options.level,
    )


def _sorted(areas: AreaEffects) -> AreaEffects:
    order = np.argsort(areas.groups, kind="stable")
    return replace(areas, groups=areas.groups[order], effects=areas.effects[order])


# Sets of one pool that holds the units of every statistic.


@dataclass(frozen=True, slots=True, eq=False)
class _Joint:
    """Several statistics as one, of sets in a pool that all share; `at` has each unit's place in a statistic's own."""

    parts: tuple[tuple[Statistic, int, Ints], ...]

    def __call__(self, sets: Sets) -> Floats:
        """Return each statistic of each set, shape (k, K)."""
        columns = []
        for statistic, column, at in self.parts:
            own = replace(sets, members=np.where(sets.members >= 0, at[sets.members], kernel.NOBODY))
            columns.append(np.asarray(statistic(own), dtype=float).reshape(len(sets), -1)[:, column])
        return np.column_stack(columns)


def _over_sets(
    placed: Sequence[PlacedStatistic], options: TogetherOptions, executor: Executor
) -> Together | Unavailable:
    pools = [one.pool for one in placed if one.pool is not None]
    ids = sorted({unit for pool in pools for unit in map(str, pool.ids)})
    at = {unit: row for row, unit in enumerate(ids)}
    places = [np.array([at[str(unit)] for unit in pool.ids], dtype=np.int64) for pool in pools]
    pool = _pool_of_all(ids, pools, places, options.is_apart)
    rule = _rule_of(placed, pool)
    numbers = [one.n_sets for one in placed if one.n_sets is not None]
    wanted = SetOptions(
        rule=rule, seed=options.seed, level=options.level, n_sets=min(numbers, default=None), draws_more=False
    )
    draws = draw_sets(pool, wanted)
    if draws.reason:
        return Unavailable(draws.reason)
    parts = [
        (one.statistic, one.column, _inverse(place, len(ids)))
        for one, place in zip(placed, places, strict=True)
        if one.statistic is not None
    ]
    joint, chunk = _Joint(tuple(parts)), min(one.chunk for one in placed)
    observed = joint(draws.listed)[0]
    values = np.concatenate([*executor.map(joint, draws.chunks(chunk))])
    found = SetStatistics(draws=draws, observed=observed, values=values)
    return _complete(found, options.level)


def _rule_of(placed: Sequence[PlacedStatistic], pool: SetPool) -> SetRule:
    """Return the draw of all: by the declared rule where any is, else like the list where any is, else at random."""
    rules: tuple[SetRule, SetRule] = ("rule", "like")
    return (
        "simple" if pool.is_whole else next((rule for rule in rules if rule in [one.rule for one in placed]), "simple")
    )


def _complete(found: SetStatistics, level: float) -> Together | Unavailable:
    """Return the sets that have every statistic, each area weighing the same where one is treated."""
    draws = found.draws
    is_known = np.isfinite(found.values).all(axis=1)
    if not np.isfinite(found.observed).all() or not is_known.any():
        return Unavailable("The listed schools, or all sets drawn in their place, lack one of the statistics.")
    values, area = found.values[is_known], draws.area[is_known][:, 0]
    weights, n_areas = np.ones(len(values)), draws.n_areas
    if draws.n_treated == 1:
        n_areas = 1 + len(np.unique(area))
        weights = kernel.set_weights(area, len(draws.codes))
    if reason := too_few(n_areas, draws.n_treated):
        return Unavailable(reason)
    return Together(
        observed=found.observed,
        values=values,
        weights=weights,
        n_areas=n_areas,
        n_sets=len(values),
        is_centred=draws.rule != "simple",
        level=level,
    )


def _inverse(place: Ints, n: int) -> Ints:
    found = np.full(n, kernel.NOBODY, dtype=np.int64)
    found[place] = np.arange(len(place))
    return found


def _pool_of_all(ids: Sequence[str], pools: Sequence[SetPool], places: Sequence[Ints], is_apart: bool) -> SetPool:
    """Return the units of all pools as one; areas that stand in do so in every pool."""
    n = len(ids)
    area, is_listed = np.full(n, kernel.NOBODY, dtype=np.int64), np.zeros(n, dtype=bool)
    start, has_start = np.full(n, np.nan), all(pool.start is not None for pool in pools)
    part = np.zeros(n, dtype=np.int64)
    picked, has_rule = np.zeros(n, dtype=bool), any(pool.picked is not None for pool in pools)
    for which, (pool, place) in enumerate(zip(pools, places, strict=True)):
        area[place], part[place] = pool.area, which
        is_listed[place] |= pool.is_listed
        if pool.picked is not None:
            picked[place] |= pool.picked
        if pool.start is not None:
            start[place] = np.where(np.isfinite(pool.start), pool.start, start[place])
    stand_ins = reduce(set.intersection, (set(pool.stand_ins) for pool in pools))
    return SetPool(
        ids=ids,
        area=area,
        is_listed=is_listed,
        stand_ins=tuple(sorted(stand_ins - set(area[is_listed].tolist()))),
        level=_ranks(n, pools, places),
        start=start if has_start else None,
        is_whole=all(pool.is_whole for pool in pools),
        part=part if is_apart else None,
        picked=picked if has_rule else None,
    )


def _ranks(n: int, pools: Sequence[SetPool], places: Sequence[Ints]) -> Floats:
    """Return each unit's mean share of units below it before the programme, over the statistics that know its level.

    Levels of different measures are on different scales; ranks are not. Of one statistic the order is that of levels.
    """
    total, counted = np.zeros(n), np.zeros(n)
    for pool, place in zip(pools, places, strict=True):
        if pool.level is None:
            continue
        known = np.isfinite(pool.level)
        ordered = np.sort(pool.level[known])
        rank = (
            np.searchsorted(ordered, pool.level[known], side="left")
            + np.searchsorted(ordered, pool.level[known], side="right")
        ) / (2.0 * max(len(ordered), 1))
        total[place[known]] += rank
        counted[place[known]] += 1
    return np.where(counted > 0, total / np.maximum(counted, 1), np.nan)
