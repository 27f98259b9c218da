"""Who was listed, who could have been, and sets of units drawn in the place of those listed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import LEVEL, N_DRAWS, SEED, require_level, stream
from evalkit.core.errors import DesignError, InputError
from evalkit.design.project.set_rule import TENTHS, SetRule, can_hold, tenths, too_few
from evalkit.estimate.areas import sets_arrays as kernel

N_SETS: Final = 20_000
"""Sets over all areas where one area is treated; `FEWER_SETS` where a matching is rerun for each."""
FEWER_SETS: Final = 2_000


# Who was listed, and who could have been.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SetPool:
    """The units analysed for one outcome: those listed, and those that could have stood in their place.

    Attributes
    ----------
    ids : shape (n,), identifiers; sets are drawn in their order, whatever the order of rows
    area : shape (n,), code of each unit's area
    is_listed : shape (n,)
    stand_ins : codes of the areas whose units may be drawn; areas of listed units never are
    level : shape (n,), each unit's mean before the programme; needed for sets that are `like` the list
    start : shape (n,), the first year of each listed unit, NaN for the others; None where all start together
    is_whole : whether the listed units are all of their areas, so that whole areas are drawn
    picked : shape (n,), whether the declared rule lists the unit, in whatever area; None where none is declared
    part : shape (n,), which of several kinds each unit is of, 0 …: a set holds as many of each as the list; or None
    """

    ids: Sequence[str]
    area: Ints
    is_listed: Bools
    stand_ins: tuple[int, ...]
    level: Floats | None = None
    start: Floats | None = None
    is_whole: bool = False
    part: Ints | None = None
    picked: Bools | None = None

    def __post_init__(self) -> None:
        columns = [one for one in (self.level, self.start, self.part, self.picked) if one is not None]
        if any(len(one) != len(self.ids) for one in (self.area, self.is_listed, *columns)):
            raise InputError("A pool of sets needs one id, area and mark of being listed for each unit.")
        if not self.is_listed.any():
            raise DesignError("No listed unit is left, so that there is no set to compare with others.")
        if len(set(self.ids)) < len(self.ids):
            raise InputError("A unit stands twice in the pool that sets are drawn from.")

    @property
    def treated_areas(self) -> tuple[int, ...]:
        """Return the codes of the areas in which units are listed, in order."""
        return tuple(np.unique(self.area[self.is_listed]).tolist())

    def by_area(self) -> dict[int, Ints]:
        """Return the positions of each area's units, in the order of their ids."""
        by_id = np.argsort(np.array([str(one) for one in self.ids]), kind="stable")
        ordered = by_id[np.argsort(self.area[by_id], kind="stable")].astype(np.int64)
        codes, first = np.unique(self.area[ordered], return_index=True)
        return dict(zip(codes.tolist(), np.split(ordered, first[1:]), strict=True))

    def units_of(self, area: int) -> Ints:
        """Return the positions of an area's units, in the order of their ids."""
        return self.by_area().get(area, np.empty(0, dtype=np.int64))

    def share_listed(self) -> float:
        """Return the listed units as a share of all units of their areas."""
        return float(self.is_listed.sum() / np.isin(self.area, self.treated_areas).sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOptions:
    """How sets are drawn and what is said of them.

    Attributes
    ----------
    rule : `simple` sets of as many units; `like`: as many from each national tenth of the level before; `rule`: those
        that a declared rule picks (`picked` of the pool), one set an area
    n_sets : sets over all areas where one is treated; None for 20,000, and 9,999 draws where several are
    draws_more : whether ten times as many are drawn where p is within two errors of .05 or .10
    """

    rule: SetRule = "simple"
    n_sets: int | None = None
    seed: int = SEED
    level: float = LEVEL
    draws_more: bool = True

    def __post_init__(self) -> None:
        require_level(self.level)


PLAIN: Final = SetOptions()


# Sets that were drawn, and statistics of them.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TreatedSet:
    """One set: `units` are positions, with the place (0 … A − 1) and first year of each; `areas` those drawn."""

    units: Ints
    place: Ints
    areas: Ints
    start: Floats | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sets:
    """Several sets at once, in arrays that travel to other processes.

    Attributes
    ----------
    members : shape (k, m), positions of units, −1 for nobody
    place : shape (m,), the place of each column: 0 … A − 1, the treated areas in order
    areas : shape (k, A), code of the area at each place
    start : shape (m,), first year of each column, or None
    """

    members: Ints
    place: Ints
    areas: Ints
    start: Floats | None = None

    def __len__(self) -> int:
        return len(self.members)

    def one(self, at: int) -> TreatedSet:
        """Return one of the sets without empty columns."""
        row = self.members[at]
        used = row >= 0
        start = None if self.start is None else self.start[used]
        return TreatedSet(units=row[used], place=self.place[used], areas=self.areas[at], start=start)


Statistic = Callable[[Sets], Floats]
"""What is found for each of k sets: shape (k,), or (k, T) for several at once; NaN where it cannot be found.

Units of areas that were really treated are never anybody's comparison; which they are, the statistic has to know.
"""


def one_at_a_time(function: Callable[[TreatedSet], float | Floats], sets: Sets) -> Floats:
    """Return what a function of one set gives for each; `partial(one_at_a_time, function)` is a statistic."""
    return np.array([function(sets.one(at)) for at in range(len(sets))], dtype=float)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SetDraws:
    """The listed set and those drawn in its place.

    Attributes
    ----------
    listed : Sets, of one
    area : shape (D, A), the area at each place of each draw, a position among `codes`
    members : shape (D, m), or (G, most units of an area) where `by_area`: all units of an area, or those of a rule
    codes : shape (G,), the areas that may be drawn
    is_drawn : shape (G,), whether an area's sets are a sample of all it has
    n_areas : J, the treated areas counted
    reason : why there are no draws, or an empty text
    """

    listed: Sets
    area: Ints
    members: Ints
    codes: Ints
    is_drawn: Bools
    n_areas: int
    rule: SetRule
    is_whole: bool
    by_area: bool = False
    reason: str = ""

    def __len__(self) -> int:
        return len(self.area)

    @property
    def n_treated(self) -> int:
        """Return in how many areas units were listed."""
        return int(self.listed.areas.shape[1])

    def chunks(self, size: int) -> list[Sets]:
        """Return the draws in chunks of `size`, which are the same whoever works through them."""
        return [self._some(slice(first, first + size)) for first in range(0, len(self), size)]

    def _some(self, rows: slice) -> Sets:
        area = self.area[rows]
        members = self.members[area].reshape(len(area), -1) if self.by_area else self.members[rows]
        return replace(self.listed, members=members, areas=self.codes[area], place=self._place(), start=self._start())

    def _place(self) -> Ints:
        if not self.by_area:
            return self.listed.place
        return np.repeat(np.arange(self.n_treated), self.members.shape[1])

    def _start(self) -> Floats | None:
        start = self.listed.start
        if not self.by_area or start is None:
            return start
        width, place = self.members.shape[1], self.listed.place
        # Areas differ in units, so that the first years of a place are dealt out over those drawn for it, in turn.
        return np.concatenate([np.resize(start[place == at], width) for at in range(self.n_treated)])


def draw_sets(pool: SetPool, options: SetOptions) -> SetDraws:
    """Draw sets of units that could have been listed instead, in areas of which none is treated.

    Parameters
    ----------
    pool : who was listed, and who could have been
    options : rule, number and seed; `SetOptions`

    One treated area: every area that can hold such a set gets the same number of sets, or all it has. Several: as many
    distinct areas for each draw, the sizes (and first years) put on them in random order. Every area draws from a
    stream of its own, named by its code.
    """
    return _draws_of(_Wanted(pool, options, _digest(pool, options)))


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """A pool and how sets are drawn of it, the same as another where `digest` is."""

    pool: SetPool
    options: SetOptions
    digest: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Wanted) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def _digest(pool: SetPool, options: SetOptions) -> str:
    """Return what tells one want from another: comparisons of one outcome mostly draw the same sets."""
    found = hashlib.sha256("\n".join(str(one) for one in pool.ids).encode())
    for column in (pool.area, pool.is_listed, pool.level, pool.start, pool.part, pool.picked):
        found.update(b"none" if column is None else np.ascontiguousarray(column).tobytes())
    found.update(repr((pool.stand_ins, pool.is_whole, options.rule, options.n_sets, options.seed)).encode())
    return found.hexdigest()


@lru_cache(maxsize=2)
def _draws_of(wanted: _Wanted) -> SetDraws:
    pool, options = wanted.pool, wanted.options
    places = pool.treated_areas
    listed, drawn = _listed(pool, options)
    others = np.array([code for code in sorted(set(pool.stand_ins)) if code not in places], dtype=np.int64)
    fits = _fits(pool, options, drawn, others)
    can = fits.any(axis=0)
    codes, fits = others[can], fits[:, can]
    n_areas = len(places) + int(fits.sum(axis=1).min(initial=len(codes)))
    empty = SetDraws(
        listed=listed,
        area=np.empty((0, len(places)), dtype=np.int64),
        members=np.empty((0, listed.members.shape[1]), dtype=np.int64),
        codes=codes,
        is_drawn=np.ones(len(codes), dtype=bool),
        n_areas=n_areas,
        rule=options.rule,
        is_whole=pool.is_whole,
        reason=too_few(n_areas, len(places)),
    )
    if n_areas <= len(places):
        return empty
    draw = _draws_in_turn if len(places) == 1 else _draws_together
    return draw(pool, options, empty, fits, drawn)


@dataclass(frozen=True, slots=True, eq=False)
class _Within:
    """What sets are drawn of: each area's units in the order of ids and their classes, and the members wanted.

    `wanted` has shape (A, K): of each class at each place.
    """

    units: dict[int, Ints]
    classes: dict[int, Ints]
    wanted: Ints


def _listed(pool: SetPool, options: SetOptions) -> tuple[Sets, _Within]:
    """Return the list as a set, and what other sets are drawn of."""
    places, held = pool.treated_areas, pool.by_area()
    every = {code: held.get(code, held[places[0]][:0]) for code in sorted({*places, *pool.stand_ins})}
    tenth = _classes(pool, options)
    own = [units[pool.is_listed[units]] for units in (every[code] for code in places)]
    wanted = np.array([np.bincount(tenth[units], minlength=int(tenth.max()) + 1) for units in own])
    members = np.concatenate(own)
    place = np.repeat(np.arange(len(places)), [len(units) for units in own])
    start = None if pool.start is None else pool.start[members]
    sets = Sets(members=members[None, :], place=place, areas=np.array([places], dtype=np.int64), start=start)
    return sets, _Within(every, {code: tenth[units] for code, units in every.items()}, wanted)


def _classes(pool: SetPool, options: SetOptions) -> Ints:
    """Return the class of each unit, of which a set holds as many as the list: its part, its tenth, or both."""
    tenth = _tenths(pool) if options.rule == "like" else np.zeros(len(pool.ids), dtype=np.int64)
    if pool.part is None:
        return tenth
    return np.where(tenth >= 0, tenth + TENTHS * pool.part, tenth)


def _tenths(pool: SetPool) -> Ints:
    """Return each unit's national tenth of the level before."""
    if pool.level is None or not np.isfinite(pool.level[pool.is_listed]).all():
        raise DesignError("Sets like the list need the level of every listed unit before the programme.")
    return tenths(pool.level, pool.ids)


def _fits(pool: SetPool, options: SetOptions, drawn: _Within, others: Ints) -> Bools:
    """Return whether each area can take each place, shape (A, areas)."""
    classes, wanted = drawn.classes, drawn.wanted
    if options.rule == "rule":
        row = [len(_picked(pool, drawn.units[code])) > 0 for code in others.tolist()]
        return np.array([row] * len(wanted), dtype=bool).reshape(len(wanted), len(others))
    if pool.is_whole:
        row = [len(classes[code]) > 0 for code in others.tolist()]
        return np.array([row] * len(wanted), dtype=bool).reshape(len(wanted), len(others))
    fits = [[can_hold(classes[code], row) for code in others.tolist()] for row in wanted]
    return np.array(fits, dtype=bool).reshape(len(wanted), len(others))


def _draws_in_turn(pool: SetPool, options: SetOptions, empty: SetDraws, fits: Bools, within: _Within) -> SetDraws:
    """Return the same number of sets of every area, or all it has."""
    if pool.is_whole or options.rule == "rule":
        members = _one_set_each(pool, within, options, empty)
        area = np.arange(len(empty.codes))[:, None]
        none_drawn = np.zeros(len(empty.codes), dtype=bool)
        return replace(empty, area=area, members=members, is_drawn=none_drawn, by_area=True)
    classes, wanted = within.classes, within.wanted
    each = -(-(options.n_sets or N_SETS) // len(empty.codes))
    found, is_drawn = [], []
    for code in empty.codes.tolist():
        rng = stream(options.seed, f"area {code}")
        found.append(within.units[code][kernel.sets_within(rng, classes[code], wanted[0], each)])
        is_drawn.append(kernel.n_possible(classes[code], wanted[0]) > each)
    area = kernel.areas_in_turn([len(sets) for sets in found])
    return replace(empty, area=area, members=np.concatenate(found), is_drawn=np.array(is_drawn))


def _picked(pool: SetPool, units: Ints) -> Ints:
    """Return which of some units the declared rule lists."""
    if pool.picked is None:
        raise InputError("A declared rule needs the units that it picks in every area.")
    return units[pool.picked[units]]


def _one_set_each(pool: SetPool, within: _Within, options: SetOptions, empty: SetDraws) -> Ints:
    """Return the one set that each area has, all its units or those of a rule, padded with −1: shape (G, width)."""
    codes = empty.codes.tolist()
    rows = [within.units[code] for code in codes]
    if options.rule == "rule":
        rows = [_picked(pool, units) for units in rows]
    members = np.full((len(rows), max(len(row) for row in rows)), kernel.NOBODY, dtype=np.int64)
    for at, row in enumerate(rows):
        members[at, : len(row)] = row
    return members


def _draws_together(pool: SetPool, options: SetOptions, empty: SetDraws, fits: Bools, within: _Within) -> SetDraws:
    """Return draws of several distinct areas at once, with sets of the listed sizes within them."""
    n_draws = options.n_sets or N_DRAWS
    area = kernel.areas_together(stream(options.seed, f"{len(fits)} areas"), fits, n_draws)
    if len(area) < n_draws:
        return replace(empty, reason="Hardly any other areas can hold sets of the listed sizes together.")
    if pool.is_whole or options.rule == "rule":
        return replace(empty, area=area, members=_one_set_each(pool, within, options, empty), by_area=True)
    classes, wanted = within.classes, within.wanted
    place = empty.listed.place
    members = np.empty((n_draws, len(place)), dtype=np.int64)
    for at, code in enumerate(empty.codes.tolist()):
        rng, units = stream(options.seed, f"area {code}"), within.units[code]
        for slot, row in enumerate(wanted):
            drawn = np.flatnonzero(area[:, slot] == at)
            if len(drawn):
                found = units[kernel.random_sets(rng, classes[code], row, len(drawn))]
                members[np.ix_(drawn, np.flatnonzero(place == slot))] = found
    return replace(empty, area=area, members=members)
