"""Several statistics placed among the same areas, sets or dealings: their differences, and p-values adjusted together.

A kind of analysis gives a `PlacedStatistic` for each outcome; whatever kinds they are of, those that are placed in the
same way can be set beside each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import LEVEL, SEED, SERIAL, Executor
from evalkit.core.quantities import ROUNDING, Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.design.project.set_rule import INTERVAL_NEEDS, SetRule, too_few
from evalkit.estimate.areas import sets_arrays as kernel
from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.effect_records import FEW_AREAS
from evalkit.estimate.areas.places import AreaStatistic, place_areas, places_of_effects, places_of_sets
from evalkit.estimate.areas.set_draws import SetDraws, SetOptions, SetPool, Sets, Statistic, draw_sets
from evalkit.estimate.areas.sets import FAST_CHUNK, SetStatistics
from evalkit.estimate.dose.dealt import DealtRows, DealtSlope, deal_together
from evalkit.estimate.step_down_arrays import step_down

Over = Literal["areas", "draws of areas", "sets", "dealings"]
"""What rows are of: each other area in turn, several whole areas at a time, sets of units, or doses dealt out anew."""

NOT_ALIKE = Unavailable("One is placed among whole areas and the other among sets, so that there are no draws of both.")
NOT_DEALT = Unavailable(
    "One is judged by doses dealt out anew among participants and the other by areas or sets outside the programme, so "
    "that there are no draws of both."
)
_FEW_DEALINGS = "Doses can be dealt out in too few ways for an interval."
NO_SPREAD = Unavailable("A statistic is the same in every area or set, so that it has no spread to be divided by.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedStatistic:
    """The statistic by which an effect is placed among others without a programme.

    It is one of whole areas, `places`; or `statistic` finds it of any set of the units of `pool`, drawn by `rule`; or
    it is a slope on doses that are `dealt` out anew. `column` is its column, and `judged` that of another statistic by
    which the effect is judged, where that is not its size. `n_sets` is None for the usual number, `chunk` how many sets
    or areas make a piece of work.
    """

    places: AreaStatistic | None = None
    pool: SetPool | None = None
    statistic: Statistic | None = None
    dealt: DealtSlope | None = None
    column: int = 0
    judged: int | None = None
    rule: SetRule = "simple"
    n_sets: int | None = None
    chunk: int = FAST_CHUNK

    @classmethod
    def of_areas(cls, areas: AreaEffects, group: int) -> PlacedStatistic:
        """Return that of an effect found in every area, `group` being the treated one."""
        return cls(places=places_of_effects(areas, group))

    @property
    def as_judged(self) -> PlacedStatistic:
        """Return the statistic by which the effect is judged."""
        return self if self.judged is None else replace(self, column=self.judged)

    @property
    def whole(self) -> AreaStatistic | None:
        """Return it as a statistic of whole areas; None where it is of none."""
        if self.places is not None or self.pool is None or self.statistic is None:
            return self.places
        return places_of_sets(self.pool, self.statistic, self.n_sets)


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
    n_sets : sets, draws of areas or dealings; 0 where areas stand for themselves
    is_centred : whether sets are like the list, so that what they gain on average is taken off
    over : what rows are of
    dealt : of dealings, by which their differences are judged; None elsewhere
    interval_needs : areas, the treated counted, below which no interval of a difference is given
    """

    observed: Floats
    values: Floats
    weights: Floats
    n_areas: int
    n_sets: int
    is_centred: bool
    level: float
    over: Over = "areas"
    dealt: DealtRows | None = None
    interval_needs: int = 0

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

    def differences(self, pairs: Sequence[tuple[int, int]]) -> Together:
        """Return the first of each pair less the second, found in every row: shape (D, pairs)."""
        if self.dealt is not None:
            rows = np.column_stack([self.dealt.compared(one, two) for one, two in pairs])
            return replace(self, observed=rows[0], values=rows[1:], dealt=None)
        first, second = [one for one, _ in pairs], [two for _, two in pairs]
        observed = self.observed[first] - self.observed[second]
        return replace(self, observed=observed, values=self.values[:, first] - self.values[:, second])

    def difference(self, first: int, second: int) -> Difference:
        """Return one statistic less another, found in every area or set, with the place of the treated among them."""
        values, observed = self.differences([(first, second)]).less_expected()
        size, estimate = np.abs(values[:, 0]), float(observed[0])
        half = kernel.reach(size, self.weights, 1 - self.level)
        needed = max(self.interval_needs, round(1 / (1 - self.level)))
        n_ranked = 1 + len(values) if self.over == "dealings" else self.n_areas
        interval: IntervalOrReason = Unavailable(
            _FEW_DEALINGS if self.over == "dealings" else FEW_AREAS.format(needed=needed)
        )
        if np.isfinite(half) and n_ranked >= needed:
            interval = Interval(estimate - half, estimate + half, self.level)
        return Difference(
            estimate=estimate,
            interval=interval,
            p_value=kernel.share_as_large(size, self.weights, abs(estimate)),
            n_areas=self.n_areas,
            n_sets=self.n_sets,
            over=self.over,
        )

    def less_expected(self) -> tuple[Floats, Floats]:
        """Return values and observed less the mean of the sets, where sets are like the list."""
        if not self.is_centred:
            return self.values, self.observed
        centre = self.weights @ self.values / self.weights.sum()
        return self.values - centre, self.observed - centre


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One effect less another: estimate, interval and p-value by the rank of the difference; J and the sets drawn.

    `over` says what it was ranked among, `n_areas` and `n_sets` how many these are.
    """

    estimate: Quantity
    interval: IntervalOrReason
    p_value: Quantity
    n_areas: int = 0
    n_sets: int = 0
    over: Over = "areas"

    @classmethod
    def unavailable(cls, reason: Unavailable) -> Difference:
        """Return the difference that cannot be given, with its reason in every place."""
        return cls(estimate=reason, interval=reason, p_value=reason)


def place_together(
    placed: Sequence[PlacedStatistic], options: TogetherOptions, executor: Executor = SERIAL
) -> Together | Unavailable:
    """Return statistics of the same areas, sets or dealings, each row having all; or why there are none.

    Of sets one pool holds the units of all statistics; a set is drawn in it once, and each statistic is found of those
    of its members that it knows. Statistics of whole areas and of sets that are whole areas are found of the same
    areas; where some are of parts of areas there are no draws of all.
    """
    if any(one.dealt is not None for one in placed):
        return _over_dealings(placed, options)
    if all(one.pool is not None and one.statistic is not None for one in placed):
        return _over_sets(placed, options, executor)
    made: dict[tuple[int, ...], AreaStatistic | None] = {}  # of several columns of one statistic it is found once
    for one in placed:
        if _identity(one) not in made:
            made[_identity(one)] = one.whole
    whole = [made[_identity(one)] for one in placed]
    places = [one for one in whole if one is not None]
    if len(places) < len(placed):
        return NOT_ALIKE
    return _over_areas(placed, places, options, executor)


def _identity(placed: PlacedStatistic) -> tuple[int, ...]:
    return id(placed.places), id(placed.pool), id(placed.statistic)


def _over_areas(
    placed: Sequence[PlacedStatistic], places: Sequence[AreaStatistic], options: TogetherOptions, executor: Executor
) -> Together | Unavailable:
    columns, chunk = [one.column for one in placed], min(one.chunk for one in placed)
    found = place_areas(places, columns, options.seed, chunk, executor)
    if isinstance(found, Unavailable):
        return found
    return Together(
        observed=found.observed,
        values=found.values,
        weights=np.ones(len(found.values)),
        n_areas=found.n_areas,
        n_sets=len(found.values) if found.is_drawn else 0,
        is_centred=False,
        level=options.level,
        over="draws of areas" if found.is_drawn else "areas",
        interval_needs=max(one.interval_needs for one in places),
    )


def _over_dealings(placed: Sequence[PlacedStatistic], options: TogetherOptions) -> Together | Unavailable:
    slopes = [one.dealt for one in placed if one.dealt is not None]
    if len(slopes) < len(placed):
        return NOT_DEALT
    if options.is_apart:  # subgroups have participants of their own, among whom alone their doses are dealt out
        slopes = [replace(one, part=f"{one.part} {at}") for at, one in enumerate(slopes)]
    found = deal_together(slopes, options.seed)
    if isinstance(found, Unavailable):
        return found
    return Together(
        observed=found.judged[0],
        values=found.judged[1:],
        weights=np.ones(len(found.judged) - 1),
        n_areas=found.n_areas,
        n_sets=len(found.judged),
        is_centred=False,
        level=options.level,
        over="dealings",
        dealt=found,
    )


# Sets of one pool that holds the units of every statistic.


@dataclass(frozen=True, slots=True, eq=False)
class _Joint:
    """Several statistics as one, of sets in a pool that all share; `at` has each unit's place in a statistic's own."""

    parts: tuple[tuple[Statistic, int, Ints], ...]

    def __call__(self, sets: Sets) -> Floats:
        """Return each statistic of each set, shape (k, K); of one with several columns in use it is found once."""
        found: dict[tuple[int, int], Floats] = {}
        columns = []
        for statistic, column, at in self.parts:
            same = id(statistic), id(at)
            if same not in found:
                own = replace(sets, members=np.where(sets.members >= 0, at[sets.members], kernel.NOBODY))
                found[same] = np.asarray(statistic(own), dtype=float).reshape(len(sets), -1)
            columns.append(found[same][:, column])
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
    inverse = {id(own): _inverse(place, len(ids)) for own, place in zip(pools, places, strict=True)}
    parts = [
        (one.statistic, one.column, inverse[id(own)])
        for one, own in zip(placed, pools, strict=True)
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
        over=_over(draws),
        interval_needs=INTERVAL_NEEDS,
    )


def _over(draws: SetDraws) -> Over:
    if not draws.is_whole:
        return "sets"
    return "areas" if draws.n_treated == 1 else "draws of areas"


def _inverse(place: Ints, n: int) -> Ints:
    found = np.full(n, kernel.NOBODY, dtype=np.int64)
    found[place] = np.arange(len(place))
    return found


def _pool_of_all(ids: Sequence[str], pools: Sequence[SetPool], places: Sequence[Ints], is_apart: bool) -> SetPool:
    """Return the units of all pools as one; areas that stand in do so in every pool."""
    n = len(ids)
    area, is_listed = np.full(n, kernel.NOBODY, dtype=np.int64), np.zeros(n, dtype=bool)
    start, has_start = np.full(n, np.nan), any(pool.start is not None for pool in pools)
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
