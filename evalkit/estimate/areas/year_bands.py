"""A band for the effects of single years that holds in all years together, from the area permutation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL
from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable
from evalkit.design.project.areas import TREATED_GROUP
from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.changes_arrays import TIE, permutation_test
from evalkit.estimate.areas.outcome_effects import (
    FEW_AREAS,
    NOBODY_LEFT,
    NOT_STUDENTISED,
    PART_OF_AREA,
    permuted_statistic,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearBand:
    """The band of one outcome in one year; at its level it holds in all years of that outcome together."""

    outcome: str
    year: int
    band: IntervalOrReason


@dataclass(frozen=True, slots=True, kw_only=True)
class BandOptions:
    """The level of the band, and the statistic the areas are compared by: studentised or unstudentised."""

    level: float = LEVEL
    statistic: str = "unstudentised"


def year_bands(
    outcome: str, years: Mapping[int, AreaEffects], treated_group: int, options: BandOptions
) -> tuple[YearBand, ...]:
    """Return a band for every year such that all of them hold together at the level (max-t over the permutation).

    Each year's permutation interval is stretched by one factor c. With r_t the reach of year t's interval and
    θ_jt area j's effect (or statistic) in that year, M_j = max_t |θ_jt| / r_t; c is the reach of the permutation
    of M, as if it were one statistic, so that the band is rejected by no more than the asked share of areas. c is
    never below 1. Areas without an effect in some year take no part; a year that is zero for every area (a base of
    one year) has a band of no width. The reach leaves the treated area out, which moves the level by less than
    1/J (Westfall and Young, 1993, for the maximum over years; Fisher's permutation for areas).
    """
    common = reduce(np.intersect1d, [found.groups for found in years.values()]) if years else np.array([])
    reason = _why_none(treated_group, common, options.level)
    if reason:
        return tuple(YearBand(outcome=outcome, year=year, band=Unavailable(reason)) for year in years)
    by_year = {year: found.without(set(found.groups.tolist()) - set(common.tolist())) for year, found in years.items()}
    statistics = np.array([permuted_statistic(found, options.statistic) for found in by_year.values()])
    if not np.isfinite(statistics).all():
        return tuple(YearBand(outcome=outcome, year=year, band=Unavailable(NOT_STUDENTISED)) for year in years)
    at = next(iter(by_year.values())).position(treated_group)
    reaches, factor = stretched(statistics, at, 1 - options.level)
    scales = [found.std_errors[at] if options.statistic == "studentised" else 1.0 for found in by_year.values()]
    halves = [factor * reach * scale for reach, scale in zip(reaches, scales, strict=True)]
    return tuple(
        YearBand(outcome=outcome, year=year, band=_around(float(found.effects[at]), float(half), options.level))
        for (year, found), half in zip(by_year.items(), halves, strict=True)
    )


def stretched(statistics: Floats, treated: int, alpha: float) -> tuple[Floats, float]:
    """Return the reach of each year's own interval, and the factor that makes them hold together.

    Parameters
    ----------
    statistics : shape (T, J)
        One statistic for each year and area, areas in one order.
    treated : int
        Position of the treated area.
    alpha : float
        One less the level; there are at least 1/alpha areas.

    Returns
    -------
    reaches : shape (T,)
    factor : float, at least 1
    """
    reaches = np.array([permutation_test(row, treated, alpha).reach for row in statistics])
    moving = reaches > TIE
    if not moving.any():
        return reaches, 1.0
    largest = (np.abs(statistics[moving]) / reaches[moving, None]).max(axis=0)
    return reaches, max(permutation_test(largest, treated, alpha).reach, 1.0)


def _why_none(treated_group: int, common: NDArray[np.int64], level: float) -> str:
    """Return why there can be no band, or an empty text."""
    if treated_group == TREATED_GROUP:
        return PART_OF_AREA
    if treated_group not in common:
        return NOBODY_LEFT
    if len(common) * (1 - level) < 1 - TIE:
        return FEW_AREAS.format(needed=round(1 / (1 - level)))
    return ""


def _around(estimate: float, half: float, level: float) -> Interval:
    return Interval(estimate - half, estimate + half, level)
