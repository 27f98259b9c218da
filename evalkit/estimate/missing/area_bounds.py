"""Lee's bounds of listed schools and of sets in their place, or of a whole area and of all others: with an interval."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.scipy_parts import special
from evalkit.estimate.areas.changes_arrays import permutation_test
from evalkit.estimate.areas.sets import SetStatistics, why_no_interval
from evalkit.estimate.areas.sets_arrays import reach
from evalkit.estimate.missing.lee_arrays import LeeBounds, lee_bounds_against

if TYPE_CHECKING:
    from evalkit.estimate.areas.set_draws import Sets

ESTIMATE, LOWER, UPPER = range(3)
"""Columns of a statistic of bounds: the difference among those published, and the two bounds."""
_ONE_CARRIES: Final = "Without one of the clusters there is nothing to compare, so that no error can be told."
_NO_BOUNDS: Final = Unavailable("An arm has no school with a result after the programme.")


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBounds:
    """Bounds of one effect, the interval around both, and what was cut.

    `observed_…` are the shares by weight of schools with every result before that have one after, `trimmed_share` what
    was cut of the arm that has more.
    """

    lower: Quantity
    upper: Quantity
    interval: IntervalOrReason
    trimmed_share: Quantity
    observed_treated: Quantity
    observed_comparison: Quantity

    def without_shares(self, reason: str) -> JudgedBounds:
        """Return the same without shares that would tell a number of people."""
        none = Unavailable(reason)
        return replace(self, trimmed_share=none, observed_treated=none, observed_comparison=none)


def bounds_without(reason: str) -> JudgedBounds:
    """Return bounds that cannot be given, with the reason."""
    none = Unavailable(reason)
    return JudgedBounds(
        lower=none,
        upper=none,
        interval=none,
        trimmed_share=none,
        observed_treated=none,
        observed_comparison=none,
    )


@dataclass(frozen=True, kw_only=True, eq=False)  # no slots: what is compared is put in order once
class BoundsOfSets:
    """The difference in mean change of sets of units, and its bounds: a statistic for randomisation over sets.

    Attributes
    ----------
    values : shape (n,), a change of each unit that has every result before, NaN where none is published after
    weight : shape (n,)
    area : shape (n,), the code of each unit's area
    may_compare : shape (n,), whether a unit is compared with: the listed never are
    codes : shape (G,), areas in order; `compared` (G, G) which areas each is compared with
    rows : shape (U, m), the units of each member that sets are of, −1 for nobody, where these hold several (pupils of
        schools); None where sets are of the units themselves
    """

    values: Floats
    weight: Floats
    area: Ints
    may_compare: Bools
    codes: Ints
    compared: Bools
    rows: Ints | None = None

    def __call__(self, sets: Sets) -> Floats:
        """Return difference, lower and upper bound of each set, shape (k, 3)."""
        found = np.full((len(sets), 3), np.nan)
        if sets.areas.shape[1] == 1:
            for code in np.unique(sets.areas[:, 0]).tolist():
                here = np.flatnonzero(sets.areas[:, 0] == code)
                found[here] = self._rows(sets.members[here], self.compared[np.searchsorted(self.codes, code)] * 1.0)
            return found
        for row, areas in enumerate(sets.areas):
            found[row] = self._rows(sets.members[row : row + 1], self._served(sets.members[row], sets.place, areas))
        return found

    def bounds(self, members: Ints, place: Ints, areas: Ints) -> LeeBounds:
        """Return the bounds of one set with what was trimmed; shapes (m,), (m,) and (A,)."""
        return self._against(*self._treated(members[None, :]), self._served(members, place, areas))

    @cached_property
    def _ordered(self) -> tuple[Ints, Ints]:
        """Return units that may be compared with a value, the lowest first, and those without one."""
        seen = np.isfinite(self.values)
        at = np.flatnonzero(self.may_compare & seen)
        return at[np.argsort(self.values[at], kind="stable")], np.flatnonzero(self.may_compare & ~seen)

    @cached_property
    def _place(self) -> Ints:
        """Return the place of each unit's area among `codes`; of one elsewhere that after the last."""
        at = np.searchsorted(self.codes, self.area)
        known = self.codes[np.minimum(at, len(self.codes) - 1)] == self.area
        return np.where(known, at, len(self.codes)).astype(np.int64)

    def _weights(self, factor: Floats) -> tuple[Floats, float]:
        """Return the weights of those compared in order, and what the others weigh, by factors of areas (G,)."""
        of_area = np.append(factor, 0.0)
        seen, lost = self._ordered
        rest = float((self.weight[lost] * of_area[self._place[lost]]).sum())
        return self.weight[seen] * of_area[self._place[seen]], rest

    def _rows(self, members: Ints, factor: Floats) -> Floats:
        values, own = self._treated(members)
        ordered = self.values[self._ordered[0]]
        weight, lost = self._weights(factor)
        bounds = lee_bounds_against(values, own, ordered, weight, lost)
        with np.errstate(invalid="ignore", divide="ignore"):
            difference = _means(values, own) - (weight @ ordered) / weight.sum()
        return np.column_stack([difference, bounds.ends])

    def _against(self, values: Floats, own: Floats, factor: Floats) -> LeeBounds:
        return lee_bounds_against(values, own, self.values[self._ordered[0]], *self._weights(factor))

    def _treated(self, members: Ints) -> tuple[Floats, Floats]:
        if self.rows is not None:
            members = np.where(members[:, :, None] >= 0, self.rows[members], -1).reshape(len(members), -1)
        own = np.where(members >= 0, self.weight[members], 0.0)
        return np.where(members >= 0, self.values[members], np.nan), own

    def _served(self, members: Ints, place: Ints, areas: Ints) -> Floats:
        """Return Σ_a W_a / W_C(a) over the areas of a set that each area is compared with, shape (G,)."""
        total = np.bincount(
            self._place[self.may_compare], self.weight[self.may_compare], minlength=len(self.codes) + 1
        )[: len(self.codes)]
        found = np.zeros(len(self.codes))
        for at, code in enumerate(areas.tolist()):
            near = self.compared[np.searchsorted(self.codes, code)]
            others = total[near].sum()
            if others > 0:
                own = self._treated(members[None, (place == at) & (members >= 0)])[1].sum()
                found += near * own / others
        return found


def _means(values: Floats, weight: Floats) -> Floats:
    seen = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = (weight * np.where(seen, values, 0.0)).sum(axis=1) / (weight * seen).sum(axis=1)
    return mean


def bounds_by_sets(found: SetStatistics, bounds: LeeBounds, level: float) -> JudgedBounds:
    """Return bounds with the interval [L − m − c_L, U − m + c_U], every set having bounds of its own.

    m is what sets gain on the difference itself where they are like the list or follow its rule, else 0; c_L is the
    reach of |L_set − m| and c_U that of |U_set − m|, as the interval of the estimate has it.
    """
    difference, lower, upper = (found.entries(column, is_centred=False) for column in (ESTIMATE, LOWER, UPPER))
    centre = 0.0
    if found.draws.rule != "simple" and len(difference.rows) > 1:
        centre = float(np.average(difference.values[:-1], weights=difference.weights[:-1]))
    low, high = float(lower.values[-1]) - centre, float(upper.values[-1]) - centre
    reason = lower.reason or upper.reason or why_no_interval(lower.n_areas, level)
    reaches = [reach(np.abs(one.values[:-1] - centre), one.weights[:-1], 1 - level) for one in (lower, upper)]
    if not reason and not np.isfinite(reaches).all():
        reason = why_no_interval(0, level)
    return _judged(bounds, (low, high), Unavailable(reason) if reason else _wider(low, high, reaches, level))


def bounds_by_permutation(bounds: LeeBounds, treated: int, level: float, too_few: str = "") -> JudgedBounds:
    """Return the bounds of one area with the interval [L − c_L, U + c_U], c the reach among those of all areas.

    `bounds` has a row for each area that can be analysed, `treated` the place of the treated one; `too_few` says why
    areas give no interval.
    """
    low, high = float(bounds.lower[treated]), float(bounds.upper[treated])
    own = LeeBounds(*(np.atleast_1d(column[treated]) for column in bounds))
    known = np.isfinite(bounds.lower) & np.isfinite(bounds.upper)
    if too_few or not known[treated]:
        return _judged(own, (low, high), Unavailable(too_few or _NO_BOUNDS.reason))
    at = int(known[:treated].sum())
    reaches = [permutation_test(column[known], at, 1 - level).reach for column in (bounds.lower, bounds.upper)]
    none = Unavailable(why_no_interval(0, level))
    return _judged(own, (low, high), _wider(low, high, reaches, level) if np.isfinite(reaches).all() else none)


def bounds_by_jackknife(
    bounds: LeeBounds, without: Floats, level: float, df: float | None, reason: str = ""
) -> JudgedBounds:
    """Return bounds with the interval [L − t s_L, U + t s_U], s from leaving out one cluster at a time.

    Parameters
    ----------
    bounds : shape (1,) each
    without : shape (G, 2), lower and upper bound without each cluster; s² = (G − 1)/G Σ(θ_g − θ̄)², which carries the
        error of the share that is cut as well as that of what is left (Tukey, 1958; Shao and Tu, 1995, for trimmed
        means)
    df : degrees of freedom of t, those of the estimate itself; None for the normal
    reason : why there is no interval, empty where there may be one
    """
    ends = float(bounds.lower[0]), float(bounds.upper[0])
    kept = without[np.isfinite(without).all(axis=1)]
    if reason or len(kept) < len(without) or len(kept) < 2:
        return _judged(bounds, ends, Unavailable(reason or _ONE_CARRIES))
    error = np.sqrt((len(kept) - 1) / len(kept) * ((kept - kept.mean(axis=0)) ** 2).sum(axis=0))
    critical = special.ndtri(0.5 + level / 2) if df is None else special.stdtrit(df, 0.5 + level / 2)
    low, high = float(critical) * error
    return _judged(bounds, ends, _wider(*ends, [float(low), float(high)], level))


def _wider(low: float, high: float, reaches: list[float], level: float) -> Interval:
    return Interval(low - reaches[0], high + reaches[1], level)


def _judged(bounds: LeeBounds, ends: tuple[float, float], interval: IntervalOrReason) -> JudgedBounds:
    if not np.isfinite(ends).all():
        return bounds_without(_NO_BOUNDS.reason)
    return JudgedBounds(
        lower=ends[0],
        upper=ends[1],
        interval=interval,
        trimmed_share=float(bounds.trimmed_share[0]),
        observed_treated=float(bounds.observed_treated[0]),
        observed_comparison=float(bounds.observed_comparison[0]),
    )
