"""The comparative interrupted time series of areas: effect by year, and the treated areas' place among all others.

Every number is a function of an area and a start, so that other areas can take the treated ones' places: one at a time
where one area is treated, else as many at a time, with the treated ones' starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import LEVEL, N_DRAWS, stream
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.design.project.set_rule import no_interval_of_areas, no_interval_of_sets, too_few_areas
from evalkit.estimate.areas import gap_series_arrays as kernel
from evalkit.estimate.areas.changes_arrays import TIE
from evalkit.estimate.areas.sets_arrays import areas_together, reach, share_as_large
from evalkit.estimate.synthetic.connected_arrays import connected_sets

STREAM: Final = "areas in the places of those treated"
"""Of the seed's streams, that of the draws of several areas at a time."""
CONNECTED_STREAM: Final = "connected areas"
"""That of sets of areas that border each other, the same sets as of a synthetic control."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCounts:
    """Sets of areas that lie together: areas in all, those treated counted, and sets without an area in common."""

    n_areas: int
    n_disjoint: int


@dataclass(frozen=True, kw_only=True, eq=False)  # no slots: gaps are kept once computed
class GapSeries:
    """Areas over the years compared, every value known.

    Attributes
    ----------
    values : shape (J, T)
    years : shape (T,), increasing
    compared : shape (J, J), whether the area of a row is compared with that of a column
    treated, starts : shape (A,), position of each treated area, and its first treated year
    stands_in : shape (J,), which areas may take the place of a treated one
    weight : shape (J,), what an area weighs among several treated ones
    has_slope : whether a line is fitted on either side of a start, or levels are compared
    is_partial : whether the year before a start is left out for its area
    is_alone : whether areas are followed by themselves, less nothing
    why_unranked : why no rank says anything, however many areas there are; empty where one may
    of_sets : where rows are sets of areas and `values` their gaps, of how many areas, and how many have none in common
    """

    values: Floats
    years: Ints
    compared: Bools
    treated: Ints
    starts: Ints
    stands_in: Bools
    weight: Floats
    has_slope: bool
    is_partial: bool = False
    is_alone: bool = False
    why_unranked: str = ""
    of_sets: SetCounts | None = None

    @cached_property
    def gap(self) -> Floats:
        """Return each area's value less the mean of those it is compared with, NaN where there is none, (J, T)."""
        is_made = self.is_alone or self.of_sets is not None
        return self.values if is_made else kernel.gaps(self.values, self.compared)

    @property
    def event_times(self) -> tuple[int, ...]:
        """Return the years since a start in which any treated area is seen, 0 the first treated year."""
        return tuple(sorted({int(year - start) for start in self.starts for year in self.years if year >= start}))

    @property
    def n_areas(self) -> int:
        """Return J: the areas among which the treated are placed, they themselves counted."""
        if self.of_sets is not None:
            return self.of_sets.n_areas
        return int(self.stands_in.sum()) + len(self.treated)

    def used(self, start: int) -> Bools:
        """Return which years count for an area that starts in a year, shape (T,)."""
        return np.asarray(self.years != start - 1) if self.is_partial else np.ones(len(self.years), dtype=bool)

    def fit(self, start: int) -> kernel.InterruptedFit:
        """Return the regression of every area as if it had started in a year."""
        return kernel.interrupted(self.gap, self.years, start, self.has_slope, self.used(start))

    def effects(self, start: int) -> Floats:
        """Return the mean effect of every area from a start on, and that of each event time, shape (J, 1 + K).

        By lines the effect of a year is γ + δ(t − t₀). By levels alone that is γ in every year, so that a year's own is
        its gap less the mean gap before; γ is their mean.
        """
        fit, times = self.fit(start), self.event_times
        after = self.used(start) & (self.years >= start)
        found = np.full((len(self.values), 1 + len(times)), np.nan)
        found[:, 0] = fit.mean
        by_year = fit.effects if self.has_slope else (self.gap - fit.without)[:, after]
        found[:, 1 + np.searchsorted(times, self.years[after] - start)] = by_year
        return found

    def before(self, start: int) -> Floats:
        """Return the mean gap of every area before a start and its slope a year, shape (J, 2)."""
        line = kernel.line_before(self.gap, self.years, start, self.used(start))
        return np.stack([line.mean, line.slope], axis=1)

    def unsteadiness(self, start: int) -> Floats:
        """Return the root mean square distance of every area's gap from its line before a start, shape (J, 1)."""
        line = kernel.line_before(self.gap, self.years, start, self.used(start))
        before = self.used(start) & (self.years < start)
        time = self.years[before] - self.years[before].mean()
        away = self.gap[:, before] - line.mean[:, None] - line.slope[:, None] * time
        return np.asarray(np.sqrt((away**2).mean(axis=1)))[:, None]

    def given_before(self, start: int) -> Floats:
        """Return what the mean effect and the line before it leave of each other, shape (J, 1).

        Least squares of effects on mean gap and slope before, over areas that stand in; the treated by the same plane.
        """
        return kernel.left_by_lines(self.fit(start).mean, self.before(start), self.stands_in)[:, None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """Numbers of the treated areas, `observed` (C,), and of those that took their places, `values` (D, C).

    `n_areas` and `n_treated` are J, the treated counted, and A; `is_drawn` says that several areas were drawn at a
    time, rather than each in turn; `why_unranked` and `of_sets` as of the series.
    """

    observed: Floats
    values: Floats
    n_areas: int
    n_treated: int
    is_drawn: bool
    why_unranked: str = ""
    of_sets: SetCounts | None = None

    def ranked(self, column: int = 0, level: float = LEVEL) -> Ranked:
        """Return the place of one number: p = (1 + #{|T_d| ≥ |T|})/(D + 1), the interval what is not rejected."""
        observed, values = float(self.observed[column]), self.values[:, column]
        reason = self.why_unranked or self._too_few() or ("" if len(values) else "No other area could stand in.")
        none = Unavailable(reason or "-")
        made = Ranked(
            estimate=observed,
            interval=none,
            p_value=none,
            p_value_one_sided=none,
            expected=none,
            spread=none,
            rank=none,
            monte_carlo_error=none,
            n_areas=self.n_areas,
            n_draws=len(values) if self.is_drawn else 0,
            n_disjoint=0 if self.of_sets is None else self.of_sets.n_disjoint,
        )
        if len(values):
            made = replace(made, expected=float(values.mean()), spread=float(np.sqrt(np.mean(values**2))))
        if reason:
            return made
        size, ones = np.abs(values), np.ones(len(values))
        p = share_as_large(size, ones, abs(observed))
        half = reach(size, ones, 1 - level)
        why, least = self._no_interval(level), 0.0 if self.of_sets is None else 1 / (1 + self.of_sets.n_disjoint)
        return replace(
            made,
            interval=Unavailable(why) if why else Interval(observed - half, observed + half, level),
            p_value=max(p, least),
            p_value_one_sided=max(share_as_large(values, ones, observed), least),
            rank=1.0 + float((size > abs(observed) + TIE).sum()),
            monte_carlo_error=float(np.sqrt(p * (1 - p) / len(values))) if self.is_drawn else 0.0,
        )

    def _too_few(self) -> str:
        return "" if self.of_sets is not None else too_few_areas(self.n_areas, self.n_treated)

    def _no_interval(self, level: float) -> str:
        if self.of_sets is not None:
            return no_interval_of_sets(self.of_sets.n_disjoint)
        return no_interval_of_areas(self.n_areas, level)

    def detected(self, column: int, moved: float, level: float = LEVEL) -> float:
        """Return the share of those in the treated ones' places of which a flaw that moves a number would be found."""
        values = self.values[:, column]
        half = reach(np.abs(values), np.ones(len(values)), 1 - level)
        return float(np.mean([(np.abs(values + shift) > half + TIE).mean() for shift in (moved, -moved)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A number of the treated areas and its place among the others'.

    Attributes
    ----------
    estimate : T
    interval, p_value, p_value_one_sided : by rank, or why there are none
    expected, spread : mean, and root mean square, of the same number where nothing happened
    rank : of |T|, 1 the largest
    monte_carlo_error : of the p-value, 0 where each area stood in once
    n_areas, n_draws : J; draws of several areas at a time, 0 where each stood in once
    n_disjoint : of sets of areas that lie together, how many have none in common; 0 of other draws
    """

    estimate: float
    interval: IntervalOrReason
    p_value: Quantity
    p_value_one_sided: Quantity
    expected: Quantity
    spread: Quantity
    rank: Quantity
    monte_carlo_error: Quantity
    n_areas: int
    n_draws: int
    n_disjoint: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Which areas take the treated ones' places: positions (D, A), in the order of the treated."""

    rows: Ints
    is_drawn: bool


def places_of(series: GapSeries, seed: int, n_draws: int = N_DRAWS) -> Places:
    """Return who takes the treated areas' places: each other area in turn, or draws of as many as are treated."""
    others = np.flatnonzero(series.stands_in)
    n_treated = len(series.treated)
    if series.of_sets is not None:
        return Places(others[:, None], True)
    if n_treated == 1 or len(others) < n_treated:
        return Places(others[:, None] if n_treated == 1 else np.empty((0, n_treated), dtype=np.int64), n_treated > 1)
    fits = np.ones((n_treated, len(others)), dtype=bool)
    return Places(others[areas_together(stream(seed, STREAM), fits, n_draws)], True)


def placed(series: GapSeries, places: Places, numbers: dict[int, Floats]) -> Placed:
    """Return numbers of the treated areas and of those in their places.

    `numbers` are, by start, those of every area as if it had started then, shape (J, C), NaN in a column that this
    start does not have: areas that have it are then averaged, each by its weight.
    """
    by_place = np.stack([numbers[int(start)] for start in series.starts])
    columns = np.arange(len(series.starts))

    def averaged(rows: Ints) -> Floats:
        found, weight = by_place[columns, rows], series.weight[rows][:, :, None]
        counts = np.isfinite(found) * weight
        with np.errstate(invalid="ignore", divide="ignore"):
            means: Floats = np.where(np.isfinite(found), found * weight, 0.0).sum(axis=1) / counts.sum(axis=1)
        return means

    return Placed(
        observed=averaged(series.treated[None, :])[0],
        values=averaged(places.rows),
        n_areas=series.n_areas,
        n_treated=len(series.treated),
        is_drawn=places.is_drawn,
        why_unranked=series.why_unranked,
        of_sets=series.of_sets,
    )


def in_connected_sets(series: GapSeries, borders: Bools, seed: int, n_draws: int = N_DRAWS) -> GapSeries:
    """Return the series with the treated areas as one row, and sets of as many that border each other as the others.

    Each row is the mean gap of a set's areas, each by its weight, to those it is compared with outside the set: so the
    treated areas are compared, of whom none is compared with another. A set with an area that has nobody else to be
    compared with is left out.

    Parameters
    ----------
    series : GapSeries, of several treated areas with one start
    borders : shape (n, n), which of the areas that stand in border each other, in their order
    seed, n_draws : of the draws; sets drawn
    """
    others = np.flatnonzero(series.stands_in)
    found = connected_sets(borders, len(series.treated), n_draws, stream(seed, CONNECTED_STREAM))
    sets = others[found.sets] if len(found.sets) else np.empty((0, len(series.treated)), dtype=np.int64)
    gap = kernel.set_gaps(series.values, series.compared, series.weight, sets)
    own = np.average(series.gap[series.treated], axis=0, weights=series.weight[series.treated])
    values = np.vstack([own[None, :], gap[np.isfinite(gap).all(axis=1)]])
    return replace(
        series,
        values=values,
        compared=np.zeros((len(values), 0), dtype=bool),
        treated=np.array([0], dtype=np.int64),
        starts=series.starts[:1],
        stands_in=np.arange(len(values)) > 0,
        weight=np.ones(len(values)),
        of_sets=SetCounts(n_areas=series.n_areas, n_disjoint=found.n_disjoint),
    )


def by_start(series: GapSeries, of_start: Callable[[GapSeries, int], Floats]) -> dict[int, Floats]:
    """Return numbers of the series (`GapSeries.effects`, say) for each start."""
    return {int(start): of_start(series, int(start)) for start in np.unique(series.starts)}
