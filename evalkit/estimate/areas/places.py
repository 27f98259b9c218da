"""A statistic as a function of which whole areas take the treated ones' places, so that several are found of the same.

One treated area: every other area in turn. Several: as many at a time, drawn at random, in the treated ones' places and
with their starts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import N_DRAWS, SERIAL, Executor, stream
from evalkit.core.quantities import Unavailable
from evalkit.design.project.set_rule import INTERVAL_NEEDS, too_few_areas
from evalkit.estimate.areas import sets_arrays as kernel
from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.set_draws import SetPool, Sets, Statistic

STREAM: Final = "areas in the places of those treated"
"""Of the seed's streams, that of the draws of several areas at a time."""
OTHER_AREAS: Final = Unavailable("The treated areas are not the same in all of them, so that no placebo has every one.")
BORDERING: Final = Unavailable(
    "The treated areas are ranked among sets of areas that border each other, of which few have none in common: ranks "
    "of several numbers among these would say no more than each by itself, and no p-value is adjusted over them."
)
OTHER_STARTS: Final = Unavailable("The treated areas do not start in the same years in all of them.")

Row = tuple[str, ...]
"""Ids of the areas in the treated ones' places, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AreaStatistic:
    """A statistic of whole areas.

    Attributes
    ----------
    treated : ids of the treated areas, DfE's code where they have one, in the order of their places
    stand_ins : ids of the areas that may take their places
    statistic : of rows of ids, shape (k,) or (k, T), NaN where it cannot be found; that of `treated` among them
    starts : first treated period at each place, empty where all start together
    n_draws : draws where several areas are treated
    interval_needs : areas, the treated counted, below which no interval is given
    """

    treated: Row
    stand_ins: tuple[str, ...]
    statistic: Callable[[Sequence[Row]], Floats]
    starts: tuple[int, ...] = ()
    n_draws: int = N_DRAWS
    interval_needs: int = INTERVAL_NEEDS

    @property
    def is_found(self) -> bool:
        """Return whether the treated areas have the statistic."""
        return bool(np.isfinite(np.asarray(self.statistic([self.treated]), dtype=float)).all())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedRows:
    """Statistics of the treated areas, `observed` (K,), and of those in their places, `values` (D, K); J areas."""

    observed: Floats
    values: Floats
    n_areas: int
    is_drawn: bool


def place_areas(
    placed: Sequence[AreaStatistic], columns: Sequence[int], seed: int, chunk: int, executor: Executor = SERIAL
) -> PlacedRows | Unavailable:
    """Return statistics of the same areas, each row having all of them; or why there are none.

    `columns` says which of a statistic's is meant; `executor` works through the rows in pieces of `chunk`.
    """
    first = placed[0]
    if any(one.treated != first.treated for one in placed):
        return OTHER_AREAS
    if len({one.starts for one in placed if one.starts}) > 1:
        return OTHER_STARTS
    common = reduce(set.intersection, (set(one.stand_ins) for one in placed)) - set(first.treated)
    others, n_treated = sorted(common, key=lambda one: (len(one), one)), len(first.treated)
    if reason := too_few_areas(len(others) + n_treated, n_treated):
        return Unavailable(reason)
    rows = _rows(others, n_treated, seed, min(one.n_draws for one in placed))
    pieces = [[first.treated], *(rows[at : at + chunk] for at in range(0, len(rows), chunk))]
    every = {id(one): _every_column(one, pieces, executor) for one in {id(one): one for one in placed}.values()}
    found = np.column_stack([every[id(one)][:, column] for one, column in zip(placed, columns, strict=True)])
    is_known = np.asarray(np.isfinite(found).all(axis=1))
    if not is_known[0]:
        return Unavailable("The treated areas lack one of the statistics, so that there is nothing to place.")
    n_areas = int(is_known.sum()) if n_treated == 1 else len(others) + n_treated
    if reason := too_few_areas(n_areas, n_treated):
        return Unavailable(reason)
    return PlacedRows(observed=found[0], values=found[1:][is_known[1:]], n_areas=n_areas, is_drawn=n_treated > 1)


def _rows(others: Sequence[str], n_treated: int, seed: int, n_draws: int) -> list[Row]:
    """Return who takes the treated areas' places: each other area in turn, or draws of as many as are treated."""
    if n_treated == 1:
        return [(one,) for one in others]
    fits = np.ones((n_treated, len(others)), dtype=bool)
    drawn = kernel.areas_together(stream(seed, STREAM), fits, n_draws)
    return [tuple(others[at] for at in row) for row in drawn.tolist()]


def _every_column(placed: AreaStatistic, pieces: Sequence[Sequence[Row]], executor: Executor) -> Floats:
    found = executor.map(placed.statistic, pieces)
    return np.concatenate(
        [np.asarray(part, dtype=float).reshape(len(piece), -1) for part, piece in zip(found, pieces, strict=True)]
    )


# Effects of every area that are already there, and sets that are whole areas.


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    effects: dict[str, float]

    def __call__(self, rows: Sequence[Row]) -> Floats:
        return np.array([self.effects[area] for (area,) in rows])


def places_of_effects(areas: AreaEffects, group: int) -> AreaStatistic:
    """Return the effect of every area, one of which, `group`, is treated, as a statistic of areas."""
    effects = dict(zip(map(str, areas.groups.tolist()), areas.effects.tolist(), strict=True))
    own = {str(group): effects.get(str(group), float("nan"))}
    known = _Known(effects | own)
    return AreaStatistic(treated=(str(group),), stand_ins=tuple(effects), statistic=known, interval_needs=0)


@dataclass(frozen=True, slots=True, eq=False)
class _Whole:
    """A statistic of sets as one of areas, all units of each; `members` by area."""

    statistic: Statistic
    members: dict[str, Ints] = field(repr=False)

    def __call__(self, rows: Sequence[Row]) -> Floats:
        widest = [max(len(self.members[row[at]]) for row in rows) for at in range(len(rows[0]))]
        place = np.repeat(np.arange(len(widest)), widest)
        members = np.full((len(rows), len(place)), kernel.NOBODY, dtype=np.int64)
        for found, row in zip(members, rows, strict=True):
            for at, area in enumerate(row):
                own = self.members[area]
                found[np.flatnonzero(place == at)[: len(own)]] = own
        areas = np.array([[int(area) for area in row] for row in rows], dtype=np.int64)
        return np.asarray(self.statistic(Sets(members=members, place=place, areas=areas)), dtype=float)


def places_of_sets(pool: SetPool, statistic: Statistic, n_draws: int | None) -> AreaStatistic | None:
    """Return a statistic of sets that are whole areas as one of areas; None where sets are parts, or have starts."""
    if not pool.is_whole or pool.start is not None:
        return None
    members = {str(code): units for code, units in pool.by_area().items() if code >= 0}
    treated = tuple(map(str, pool.treated_areas))
    others = tuple(area for area in map(str, pool.stand_ins) if area in members)
    own = {area: units[pool.is_listed[units]] if area in treated else units for area, units in members.items()}
    return AreaStatistic(
        treated=treated, stand_ins=others, statistic=_Whole(statistic, own), n_draws=n_draws or N_DRAWS
    )
