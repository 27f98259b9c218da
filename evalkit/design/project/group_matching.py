"""Nearest neighbours of every group at once, as if each had been the treated one."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Floats, Ints
from evalkit.core.errors import DesignError
from evalkit.data.baseline import Baseline
from evalkit.design.algebra_arrays import dependence
from evalkit.design.matching.pairs_arrays import GroupScatter, whitened

# Nearest neighbours with replacement, ties by position.


def nearest(treated: Floats, pool: Floats, ratio: int, spare: int = 20) -> tuple[Ints, Floats]:
    """Return the `ratio` nearest rows of `pool` for each treated row, and their distances.

    Parameters
    ----------
    treated : shape (n1, k)
    pool : shape (n0, k)
    ratio : int
    spare : int
        Further rows looked at for ties; a longer run of ties is resolved over the whole pool.

    Returns
    -------
    columns, distances : shape (n1, ratio)
        Nearest first, distances rounded at 1e-9; of equal ones the earlier row of `pool` wins. Where
        the pool is smaller than `ratio`, rows end in −1 and NaN.
    """
    from scipy.spatial import cKDTree
    from scipy.spatial.distance import cdist

    n0, n_kept = len(pool), min(ratio, len(pool))
    columns = np.full((len(treated), ratio), -1, dtype=np.int64)
    distances = np.full(columns.shape, np.nan)
    if n_kept == 0:
        return columns, distances
    k = min(n0, ratio + spare)
    far, near = cKDTree(pool).query(treated, k=np.arange(1, k + 1))
    columns[:, :n_kept], distances[:, :n_kept] = _first(np.round(far, 9), near, n_kept)
    crowded = (np.round(far[:, -1], 9) == distances[:, n_kept - 1]) & (k < n0)
    if crowded.any():
        nearest_found = np.round(far[crowded], 9), near[crowded]
        tied = np.round(cdist(treated[crowded], pool), 9) == distances[crowded, n_kept - 1][:, None]
        columns[crowded, :n_kept], distances[crowded, :n_kept] = _with_ties(*nearest_found, tied, n_kept)
    return columns, distances


def _with_ties(distance: Floats, column: Ints, tied: NDArray[np.bool_], n_kept: int) -> tuple[Ints, Floats]:
    """Return the `n_kept` nearest where the last of them is as far as others that were not looked at.

    All that are nearer were found, in `distance` and `column`; `tied`, shape (rows, pool), says which columns of the
    pool are as far as the last, of which the earliest are wanted.
    """
    last = distance[:, n_kept - 1 : n_kept]
    earliest = np.argsort(~tied, axis=1, kind="stable")[:, :n_kept]
    is_tied = np.take_along_axis(tied, earliest, 1)
    known = np.where(distance < last, distance, np.inf)
    return _first(np.hstack([known, np.where(is_tied, last, np.inf)]), np.hstack([column, earliest]), n_kept)


def _first(distance: Floats, column: Ints, n_kept: int) -> tuple[Ints, Floats]:
    """Return the `n_kept` smallest of each row by distance, then by column."""
    order = np.lexsort((column, distance), axis=1)[:, :n_kept]
    return np.take_along_axis(column, order, 1), np.take_along_axis(distance, order, 1)


# Nearest neighbours of every group at once, as if each had been the treated one.


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNeighbours:
    """Match each unit of a group to its `ratio` nearest comparison units, with replacement.

    Distance is Mahalanobis with the pooled within-group covariance of the covariates named; of
    equal distances the unit whose identifier has the smaller CRC-32 wins: an order unrelated to place.
    `within_region` asks for the same region.
    """

    ratio: int = 5
    covariates: tuple[str, ...] = ()
    within_region: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class GroupMatches:
    """The partners of every unit, as if its own group were the treated one.

    `partners[i]` are positions in `units` of the partners of unit i, nearest first, −1 where there
    is none; `distance` is in Mahalanobis units, missing where there is no partner. Units of the group
    that was really treated serve nobody else.
    """

    units: pd.Index
    groups: NDArray[np.int64]
    partners: NDArray[np.int64]
    distance: NDArray[np.float64]

    def pairs(self, group: int) -> pd.DataFrame:
        """Return the pairs of a group: treated, comparison, rank (1 the nearest), distance."""
        rows, ranks = np.nonzero((self.partners >= 0) & (self.groups == group)[:, None])
        return pd.DataFrame(
            {
                "treated": self.units[rows],
                "comparison": self.units[self.partners[rows, ranks]],
                "rank": ranks + 1,
                "distance": self.distance[rows, ranks],
            }
        )


def match_groups(baseline: Baseline, option: GroupNeighbours, groups: list[int], treated: int) -> GroupMatches:
    """Match every unit of each of `groups` as if that group were treated.

    Parameters
    ----------
    baseline : Baseline
        Units with their group, region and covariates from before the programme.
    option : GroupNeighbours
        Ratio, covariates, region rule.
    groups : list of int
        Groups to match; a group's own units and those of `treated` are never its partners.
    treated : int
        The group that was really treated.

    Raises
    ------
    DesignError
        If a covariate does not vary or follows from others, so that there is no distance.
    """
    covariates = baseline.covariates[list(option.covariates)].to_numpy(dtype=float)
    _require_variation(covariates, option)
    group = baseline.units["group"].to_numpy(dtype=np.int64)
    partners = np.full((len(group), option.ratio), -1, dtype=np.int64)
    distance = np.full(partners.shape, np.nan)
    region = region_codes(baseline.units["region"], option)
    shuffled = order_for_ties(baseline.units.index)
    scatter = GroupScatter.of(covariates, group)
    within = {where: shuffled[region[shuffled] == where] for where in set(region.tolist())}
    for group_code in groups:
        comparable = (group != group_code) & (group != treated)
        covariance = scatter.pooled(group_code, treated)
        members = np.flatnonzero(group == group_code)
        for where in sorted(set(region[members].tolist())):
            rows = members[region[members] == where]
            pool = within[where][comparable[within[where]]]
            white = whitened(covariates[np.concatenate([rows, pool])], covariance)
            columns, distance[rows] = nearest(white[: len(rows)], white[len(rows) :], option.ratio)
            partners[rows] = np.where(columns >= 0, np.append(pool, -1)[columns], -1)
    return GroupMatches(baseline.units.index, group, partners, distance)


def region_codes(region: pd.Series, option: GroupNeighbours) -> NDArray[np.int64]:
    """Return each unit's region as a code in the order of names, one code for all where it does not count."""
    if not option.within_region:
        return np.zeros(len(region), dtype=np.int64)
    return np.asarray(pd.factorize(region, sort=True)[0], dtype=np.int64)


def order_for_ties(units: pd.Index) -> NDArray[np.int64]:
    """Return positions in an order that is fixed by the identifiers and unrelated to place.

    Identifiers run by area, so that breaking ties by them would favour some areas.
    """
    keys = np.array([zlib.crc32(str(unit).encode()) for unit in units], dtype=np.int64)
    return np.argsort(keys, kind="stable").astype(np.int64)


def _require_variation(covariates: NDArray[np.float64], option: GroupNeighbours) -> None:
    constant = [name for name, column in zip(option.covariates, covariates.T, strict=True) if np.ptp(column) == 0]
    if constant:
        raise DesignError(
            f"Every unit has the same {constant[0]}, so schools cannot be matched on it. Remove it from "
            "`matching.covariates`."
        )
    spread = np.where(covariates.std(axis=0) > 0, covariates.std(axis=0), 1.0)
    follows = dependence((covariates - covariates.mean(axis=0)) / spread)
    if follows:
        others = ", ".join(option.covariates[k] for k in follows.made_of)
        raise DesignError(
            f"{option.covariates[follows.column]} follows from {others}, so schools cannot be matched on all of them. "
            "Remove one from `matching.covariates`."
        )
