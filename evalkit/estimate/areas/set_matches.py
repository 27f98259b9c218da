"""Sets of listed schools matched anew: nearest neighbours of every set, as if it had been the treated one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats, Ints
from evalkit.design.matching.pairs_arrays import GroupScatter, whitened
from evalkit.design.project.areas import TREATED_GROUP
from evalkit.design.project.group_matching import nearest, order_for_ties, region_codes
from evalkit.design.project.plan import OutcomeDesign
from evalkit.design.project.set_rule import SetDesign
from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.changes_arrays import matched_gaps
from evalkit.estimate.areas.sample import Changes
from evalkit.estimate.areas.set_draws import FEWER_SETS, SetPool, Sets, TreatedSet, one_at_a_time
from evalkit.estimate.areas.set_effects import Placing, options_of
from evalkit.estimate.areas.sets import SLOW_CHUNK, SetStatistics, set_statistics


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MatchedGaps:
    """The mean change of a set less that of its schools' nearest neighbours, matched anew for the set.

    Attributes
    ----------
    covariates : shape (N, k), of every school that was matched before outcomes
    area : shape (N,), its area
    region : shape (N,), a code; all the same where matches may lie anywhere
    order : for each region the positions of those who may be partners, in the order in which ties are settled
    change, weight : shape (N,), NaN where there is no result
    position : shape (n,), where each school of the pool stands among the N, −1 where it was not matched
    ratio : partners of each school
    scatter : sums and products by area, of all but the listed
    """

    covariates: Floats
    area: Ints
    region: Ints
    order: tuple[Ints, ...]
    change: Floats
    weight: Floats
    position: Ints
    ratio: int
    scatter: GroupScatter

    def __call__(self, sets: Sets) -> Floats:
        """Return the statistic of each set, shape (k,)."""
        return one_at_a_time(self.of_set, sets)

    def of_set(self, one: TreatedSet) -> float:
        """Return the weighted mean gap of a set's schools that have a result and a partner with one."""
        rows = np.sort(self.position[one.units])
        rows = rows[rows >= 0]
        gap, _ = matched_gaps(self.change, self.partners(rows, one.areas), rows)
        is_served = np.isfinite(gap)
        if not is_served.any():
            return float("nan")
        return float(np.average(gap[is_served], weights=self.weight[rows][is_served]))

    def partners(self, rows: Ints, areas: Ints) -> Ints:
        """Return the nearest of the schools outside the areas drawn, as `match_groups` finds them; shape (m, ratio)."""
        covariance = self.covariance(rows, areas)
        region = self.region[rows]
        found = np.full((len(rows), self.ratio), -1, dtype=np.int64)
        for where in np.unique(region).tolist():
            own, near = np.flatnonzero(region == where), self.order[where]
            pool = near[np.all([self.area[near] != area for area in areas.tolist()], axis=0)]
            columns = _nearest(self.covariates[rows[own]], self.covariates[pool], covariance, self.ratio)
            found[own] = np.where(columns >= 0, np.append(pool, -1)[columns], -1)
        return found

    def covariance(self, rows: Ints, areas: Ints) -> Floats:
        """Return the covariance within a set and within all others, pooled, as `GroupScatter.pooled` of groups."""
        apart = np.searchsorted(self.scatter.groups, areas)
        n = self.scatter.n.sum() - self.scatter.n[apart].sum()
        total = self.scatter.sums.sum(axis=0) - self.scatter.sums[apart].sum(axis=0)
        products = self.scatter.products.sum(axis=0) - self.scatter.products[apart].sum(axis=0)
        centred = self.covariates[rows] - self.covariates[rows].mean(axis=0)
        within: Floats = centred.T @ centred + products - np.outer(total, total) / n
        pooled: Floats = within / (n + len(rows) - 2)
        return pooled


_APART: Final = 1e-7
"""Squared distances closer than this may be equal, and are looked at again in the order of ties."""


def _nearest(own: Floats, pool: Floats, covariance: Floats, ratio: int) -> Ints:
    """Return the columns of the `ratio` nearest rows of `pool` for each of `own`, as `nearest` but not in order."""
    if len(pool) <= ratio:
        return _in_order(own, pool, covariance, ratio)
    root = np.linalg.inv(np.linalg.cholesky(covariance)).T
    a, b = own @ root, pool @ root
    # Of the same rows the largest is the same whatever |a|² is.
    distance = (b * b).sum(axis=1) - 2 * (a @ b.T)
    columns: Ints = np.argpartition(distance, (ratio - 1, ratio), axis=1)[:, : ratio + 1]
    edge = np.take_along_axis(distance, columns[:, ratio - 1 :], 1)
    columns, is_tied = columns[:, :ratio], edge[:, 1] - edge[:, 0] <= _APART
    if is_tied.any():
        columns[is_tied] = _in_order(own[is_tied], pool, covariance, ratio)
    return columns


def _in_order(own: Floats, pool: Floats, covariance: Floats, ratio: int) -> Ints:
    white = whitened(np.concatenate([own, pool]), covariance)
    return nearest(white[: len(own)], white[len(own) :], ratio)[0]


def sets_of_matches(
    changes: Changes, design: OutcomeDesign, name: str, own: AreaEffects, placing: Placing
) -> SetStatistics | None:
    """Return the effect on the listed schools as matched before outcomes, and that of sets matched anew.

    Parameters
    ----------
    changes : of schools
    design : the design of the outcome; `name` that of the match
    own : the effect on the listed schools, by the match that was locked
    placing : rule, level, seed, areas that never stand in

    None where no listed school is left, or the schools of a set cannot be matched as the listed were.
    """
    sets, option, matches = design.sets, design.matched_on.get(name), design.matches[name]
    at = own.position(TREATED_GROUP)
    if sets is None or option is None or at < 0:
        return None
    baseline = design.baseline
    units = baseline.units.loc[matches.units]
    covariates = baseline.covariates.loc[matches.units, list(option.covariates)].to_numpy(dtype=float)
    group = matches.groups
    area = sets.area.reindex(matches.units).fillna(-1).to_numpy(dtype=np.int64)
    pool = _pool(changes, sets, set(group.tolist()) | set(sets.treated), placing)
    positions = changes.units.get_indexer(matches.units)
    change, weight = (
        np.where(positions >= 0, np.append(values, np.nan)[positions], np.nan)
        for values in (changes.change, changes.weight)
    )
    region, order, is_other = (
        region_codes(units["region"], option),
        order_for_ties(matches.units),
        group != TREATED_GROUP,
    )
    near = order[is_other[order]]
    statistic = MatchedGaps(
        covariates=covariates,
        area=area,
        region=region,
        order=tuple(near[region[near] == where] for where in range(int(region.max()) + 1)),
        change=change,
        weight=weight,
        position=matches.units.get_indexer(pd.Index(pool.ids)),
        ratio=option.ratio,
        scatter=GroupScatter.of(covariates[is_other], group[is_other]),
    )
    options = replace(options_of(sets, placing), n_sets=placing.n_sets or FEWER_SETS, draws_more=False)
    found = set_statistics(statistic, pool, options, chunk=SLOW_CHUNK)
    return replace(found, observed=own.effects[[at]])


def _pool(changes: Changes, sets: SetDesign, known: set[int], placing: Placing) -> SetPool:
    """Return who could have been listed: schools with a change in areas that were matched."""
    area = sets.area.reindex(changes.units).fillna(-1).to_numpy(dtype=np.int64)
    kept = np.isin(area, sorted(known))
    units, place = changes.units[kept], area[kept]
    codes, n = np.unique(place, return_counts=True)
    large = codes[n >= (placing.fewest if sets.is_whole or sets.rule == "rule" else 1)]
    return SetPool(
        ids=units.astype(str).tolist(),
        area=place,
        is_listed=changes.group[kept] == TREATED_GROUP,
        stand_ins=tuple(sorted({*large.tolist()} - {*placing.excluded, TREATED_GROUP, -1})),
        level=sets.level.reindex(units).to_numpy(dtype=float),
        is_whole=sets.is_whole,
        picked=sets.picked_among(units),
    )
