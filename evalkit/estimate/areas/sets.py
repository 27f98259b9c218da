"""What sets of units drawn in other areas say of an effect on listed units: p-value, interval, band, Monte Carlo error.

A statistic is any function of sets: kinds of analysis bring their own, and may rerun a whole matching for each set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import LEVEL, N_DRAWS, SERIAL, Executor, stream
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.design.project.set_rule import INTERVAL_NEEDS, SetRule, below_area, rule_of, too_few
from evalkit.estimate.areas import sets_arrays as kernel
from evalkit.estimate.areas.changes_arrays import TIE
from evalkit.estimate.areas.set_draws import (
    N_SETS,
    PLAIN,
    SetDraws,
    SetOptions,
    SetPool,
    Sets,
    Statistic,
    draw_sets,
)

_NEAR: Final = (0.05, 0.10)
_ERRORS_NEAR: Final = 2.0
_MORE: Final = 10
FAST_CHUNK: Final = 1_000
"""Sets in a piece of work where all are reckoned at once, and where each reruns a matching."""
SLOW_CHUNK: Final = 25


# What sets say of an estimate.


@dataclass(frozen=True, slots=True, kw_only=True)
class SetsInference:
    """What sets of units say of the estimate for the listed ones.

    Attributes
    ----------
    estimate : T, of the listed units as it is
    expected : m, the mean of the sets: what such a list gains where nothing happened
    spread : standard deviation of the sets' statistics
    adjusted : T − m where sets are like the list or follow its rule, else T: what the interval is around
    interval, p_value, p_value_one_sided : of `adjusted`, or why there is none
    monte_carlo_error : of the p-value, for how many sets were drawn
    n_areas, n_treated_areas, n_sets, n_lost : J; the treated among them; sets used; sets without a statistic
    rule : how sets were drawn
    is_whole : whether whole areas were drawn
    """

    estimate: float
    expected: Quantity
    spread: Quantity
    adjusted: Quantity
    interval: IntervalOrReason
    p_value: Quantity
    p_value_one_sided: Quantity
    monte_carlo_error: Quantity
    n_areas: int
    n_treated_areas: int
    n_sets: int
    n_lost: int
    rule: SetRule
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SetEntries:
    """A statistic of sets, the list's own last: rows among the draws, values and weights, each of shape (d + 1,)."""

    rows: Ints
    values: Floats
    weights: Floats
    n_areas: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SetColumns:
    """Several columns of a statistic: of the list, `observed` (C,), and of sets, `others` (d, C), `weights` (d,)."""

    observed: Floats
    others: Floats
    weights: Floats
    n_areas: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SetStatistics:
    """A statistic of the list and of every set drawn: `observed` (T,), `values` (D, T), NaN where there is none."""

    draws: SetDraws
    observed: Floats
    values: Floats

    def inference(self, column: int = 0, level: float = LEVEL) -> SetsInference:
        """Return what the sets say of one column.

        p(τ) = [1 + Σ_j s_j(|T − τ|)] / J with s_j the share of area j's sets as large, each area weighing the same;
        with several treated areas (1 + number of draws as large) / (D + 1). The interval holds what is not rejected.
        """
        sample = self._sample([column])
        observed, values = float(self.observed[column]), sample.values[:, 0]
        none = Unavailable(sample.reason or "-")
        made = SetsInference(
            estimate=observed,
            expected=none,
            spread=none,
            adjusted=none,
            interval=none,
            p_value=none,
            p_value_one_sided=none,
            monte_carlo_error=none,
            n_areas=sample.n_areas,
            n_treated_areas=self.draws.n_treated,
            n_sets=len(values),
            n_lost=len(self.values) - len(values),
            rule=self.draws.rule,
            is_whole=self.draws.is_whole,
        )
        if not len(values) or not np.isfinite(observed):
            return made
        expected = float(sample.weights @ values / sample.weights.sum())
        spread = float(np.sqrt(sample.weights @ (values - expected) ** 2 / sample.weights.sum()))
        adjusted = observed - _centre(self.draws.rule, sample)
        made = replace(made, expected=expected, spread=spread, adjusted=adjusted)
        return made if sample.reason else _tested(made, values, sample, level)

    def band(self, columns: Sequence[int], level: float = LEVEL) -> tuple[IntervalOrReason, ...]:
        """Return a band over several columns such that all hold together at the level, or why there is none.

        Sets without one of the columns take no part; the factor by which single intervals are stretched is at least 1.
        """
        sample = self._sample(columns)
        reason = sample.reason or why_no_interval(sample.n_areas, level)
        if reason:
            return tuple(Unavailable(reason) for _ in columns)
        centre = _centre(self.draws.rule, sample)
        found = kernel.stretched_sets(np.abs(sample.values - centre), sample.weights, 1 - level)
        middle, half = self.observed[list(columns)] - centre, found.reaches * found.factor
        return tuple(
            Interval(float(a - b), float(a + b), level) if np.isfinite(b) else Unavailable(why_no_interval(0, level))
            for a, b in zip(middle, half, strict=True)
        )

    def entries(self, column: int, is_centred: bool = True) -> SetEntries:
        """Return one column of every set that has it, the list's own last, less the mean of like sets if asked for."""
        sample = self._sample([column])
        rows = np.flatnonzero(np.isfinite(self.values[:, column]))
        centre = _centre(self.draws.rule, sample) if is_centred and len(rows) else 0.0
        return SetEntries(
            rows=np.append(rows, len(self.values)),
            values=np.append(sample.values[:, 0], self.observed[column]) - centre,
            weights=np.append(sample.weights, 1.0),
            n_areas=sample.n_areas,
            reason=sample.reason,
        )

    def together(self, columns: Sequence[int]) -> SetColumns:
        """Return several columns of the list and of every set that has all, less the mean of like sets."""
        sample = self._sample(columns)
        centre = np.zeros(len(columns))
        if self.draws.rule != "simple" and len(sample.values):
            centre = sample.weights @ sample.values / sample.weights.sum()
        return SetColumns(
            observed=self.observed[list(columns)] - centre,
            others=sample.values - centre,
            weights=sample.weights,
            n_areas=sample.n_areas,
            reason=sample.reason,
        )

    def p_of(self, column: int, value: float) -> float:
        """Return the p-value that a statistic of size `value` has among the sets, uncentred."""
        sample = self._sample([column])
        return kernel.share_as_large(np.abs(sample.values[:, 0]), sample.weights, abs(value))

    def _sample(self, columns: Sequence[int]) -> _Sample:
        values = self.values[:, list(columns)]
        is_known = np.isfinite(values).all(axis=1)
        area = self.draws.area[is_known][:, 0] if len(self.draws) else np.empty(0, dtype=np.int64)
        n_areas, reason, weights = self.draws.n_areas, self.draws.reason, np.ones(int(is_known.sum()))
        if self.draws.n_treated == 1 and len(area):
            n_areas = 1 + len(np.unique(area))
            reason = too_few(n_areas, 1)
            weights = kernel.set_weights(area, len(self.draws.codes))
        if not np.isfinite(self.observed[list(columns)]).all():
            reason = "The listed units have no such statistic."
        reason = reason or ("" if len(area) else "No set was drawn.")
        in_turn = self.draws.n_treated == 1
        return _Sample(values[is_known], area, weights, n_areas, reason, self.draws.is_drawn, in_turn)


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """The sets that have a statistic: `values` (d, T), the area and weight of each, J, and why that is too little."""

    values: Floats
    area: Ints
    weights: Floats
    n_areas: int
    reason: str
    is_drawn: Bools
    is_in_turn: bool

    def error_of(self, as_large: Bools, p: float) -> float:
        """Return the Monte Carlo error of p: √(Σ_j s_j(1 − s_j)/M_j)/J, or √(p(1 − p)/D) of draws of several areas."""
        if self.is_in_turn:
            return kernel.error_of_p(self.area, as_large, self.is_drawn)
        return float(np.sqrt(p * (1 - p) / len(as_large)))


def _tested(made: SetsInference, values: Floats, sample: _Sample, level: float) -> SetsInference:
    """Return the inference with p-values, their error and the interval."""
    centre = _centre(made.rule, sample)
    adjusted = made.estimate - centre
    size, weights = np.abs(values - centre), sample.weights
    p = kernel.share_as_large(size, weights, abs(adjusted))
    half = kernel.reach(size, weights, 1 - level)
    reason = why_no_interval(sample.n_areas, level) or ("" if np.isfinite(half) else why_no_interval(0, level))
    return replace(
        made,
        adjusted=adjusted,
        p_value=p,
        p_value_one_sided=kernel.share_as_large(values - centre, weights, adjusted),
        interval=Unavailable(reason) if reason else Interval(adjusted - half, adjusted + half, level),
        monte_carlo_error=sample.error_of(size >= abs(adjusted) - TIE, p),
    )


def _centre(rule: SetRule, sample: _Sample) -> float:
    """Return what T is taken less of: the mean of the sets where they are like the list, and nothing otherwise."""
    if rule == "simple":
        return 0.0
    return float(sample.weights @ sample.values[:, 0] / sample.weights.sum())


def why_no_interval(n_areas: int, level: float) -> str:
    """Return why so many areas give no interval at a level, or an empty text."""
    needed = max(INTERVAL_NEEDS, round(1 / (1 - level)))
    return f"Fewer than {needed} areas could hold such a set, so no interval is given." if n_areas < needed else ""


def set_statistics(
    statistic: Statistic,
    pool: SetPool,
    options: SetOptions = PLAIN,
    executor: Executor = SERIAL,
    chunk: int = FAST_CHUNK,
) -> SetStatistics:
    """Return a statistic of the listed units and of sets drawn in their place (Fisher, 1935, over sets).

    Parameters
    ----------
    statistic : function of `Sets`, one that can be pickled where `executor` uses other processes
    pool : who was listed, and who could have been
    options : how sets are drawn; where p of the first column is within two Monte Carlo errors of .05 or .10, ten
        times as many are drawn if `draws_more`
    executor : works through the sets in pieces of `chunk`, with the same numbers whoever it is

    Raises `DesignError` where no listed unit is left.
    """
    found = _worked(statistic, draw_sets(pool, options), executor, chunk)
    if not options.draws_more or not _is_near(found.inference(0, options.level)):
        return found
    usual = N_SETS if found.draws.n_treated == 1 else N_DRAWS
    more = replace(options, n_sets=_MORE * (options.n_sets or usual))
    return _worked(statistic, draw_sets(pool, more), executor, chunk)


def sets_inference(
    statistic: Statistic,
    pool: SetPool,
    options: SetOptions = PLAIN,
    executor: Executor = SERIAL,
    chunk: int = FAST_CHUNK,
) -> SetsInference:
    """Return what sets drawn in the place of the listed units say of one statistic; as `set_statistics`."""
    return set_statistics(statistic, pool, options, executor, chunk).inference(0, options.level)


def _worked(statistic: Statistic, draws: SetDraws, executor: Executor, chunk: int) -> SetStatistics:
    observed = np.atleast_2d(np.asarray(statistic(draws.listed), dtype=float).reshape(1, -1))[0]
    parts = executor.map(statistic, draws.chunks(chunk))
    rows = [np.asarray(part, dtype=float).reshape(-1, len(observed)) for part in parts]
    values = np.concatenate(rows) if rows else np.empty((0, len(observed)))
    return SetStatistics(draws=draws, observed=observed, values=values)


def _is_near(found: SetsInference) -> bool:
    p, error = found.p_value, found.monte_carlo_error
    if isinstance(p, Unavailable) or isinstance(error, Unavailable) or error == 0:
        return False
    return any(abs(p - line) <= _ERRORS_NEAR * error for line in _NEAR)


# The statistic of changes: each area's set against the area's own comparison.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChangeGaps:
    """T = Σ_a (W_a / W)(mean of the set in area a − mean of what a is compared with), for one or more columns.

    Attributes
    ----------
    values : shape (n, T), a change of each unit in each column
    weight : shape (n,), or (n, T) where some columns lack some units, which then weigh nothing
    codes : shape (G,), area codes in order
    compared : shape (G, T), mean of the areas that each is compared with, NaN where there is none
    by_area : whether areas weigh the same, and not as their sets do
    """

    values: Floats
    weight: Floats
    codes: Ints
    compared: Floats
    by_area: bool = False

    def __call__(self, sets: Sets) -> Floats:
        """Return the statistic of each set, shape (k, T)."""
        gaps, totals = [], []
        for at in range(sets.areas.shape[1]):
            means, total = kernel.set_means(self.values, self.weight, sets.members[:, sets.place == at])
            gaps.append(means - self.compared[np.searchsorted(self.codes, sets.areas[:, at])])
            totals.append(np.ones_like(total) if self.by_area else total)
        share = np.array(totals) / np.array(totals).sum(axis=0)
        found: Floats = (share * np.array(gaps)).sum(axis=0)
        return found


# Which sets lead, and what stands beside them.


def leading_rule(pool: SetPool) -> SetRule:
    """Return the draw of the headline, from levels before the programme alone; see `rule_of`."""
    if pool.picked is not None and not pool.is_whole:
        return "rule"
    return "simple" if pool.level is None else rule_of(below_area(pool.level, pool.area, pool.is_listed))


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinAreas:
    """The listed units against the others of their areas: estimate, p-value over relabellings, numbers."""

    estimate: float
    p_value: float
    n_listed: int
    n_others: int
    n_draws: int


def against_others(
    change: Floats, weight: Floats, pool: SetPool, options: SetOptions = PLAIN
) -> WithinAreas | Unavailable:
    """Return the listed units' mean change less that of the others of their areas, which may feel the programme too.

    p over 9,999 relabellings within each area, numbers fixed; null: no effect on anyone, spillover included. What
    moved the whole area cancels.
    """
    draws = N_DRAWS if options.n_sets is None else options.n_sets
    areas = [pool.units_of(code) for code in pool.treated_areas]
    own = [units[pool.is_listed[units]] for units in areas]
    if any(len(mine) == len(units) for mine, units in zip(own, areas, strict=True)):
        return Unavailable("An area has no other school, so that there is nobody in it to compare with.")
    drawn = [
        units[kernel.random_sets(stream(options.seed, f"others of {code}"), np.zeros(len(units), dtype=np.int64),
                                 np.array([len(mine)]), draws)]
        for code, units, mine in zip(pool.treated_areas, areas, own, strict=True)
    ]  # fmt: skip
    sizes = [len(mine) for mine in own]
    rows = np.vstack([np.concatenate(own)[None, :], np.hstack(drawn)])
    gaps = kernel.relabelled_gaps(change, weight, rows, areas, sizes)
    p = kernel.share_as_large(np.abs(gaps[1:]), np.ones(draws), abs(float(gaps[0])))
    n_others = sum(len(units) for units in areas) - sum(sizes)
    return WithinAreas(estimate=float(gaps[0]), p_value=p, n_listed=sum(sizes), n_others=n_others, n_draws=draws)


SPILLOVER: Final = (0.0, 0.25, 0.5)
"""Effects on the others of an area as shares of that on its listed schools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diluted:
    """The whole area's estimate as one on its listed schools, were the effect on the others `spillover` of theirs."""

    spillover: float
    estimate: float
    interval: IntervalOrReason


def diluted(estimate: float, interval: IntervalOrReason, share: float) -> tuple[Diluted, ...]:
    """Return T_W / (f + φ(1 − f)) for φ = 0, .25, .5, the interval divided alike.

    `estimate` and `interval` are of the whole area and `share` is f, the listed schools' share of its pupils. Assumes
    that the area's change is the programme's; the p-value stays the whole area's.
    """
    found = []
    for spillover in SPILLOVER:
        by = share + spillover * (1 - share)
        around = interval if isinstance(interval, Unavailable) else interval.divided(by)
        found.append(Diluted(spillover=spillover, estimate=estimate / by, interval=around))
    return tuple(found)
