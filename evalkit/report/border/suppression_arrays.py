"""What an attacker can deduce of hidden cells, and which cells to hide beside them: linear programmes over arrays.

Cells of all tables stand in one vector x. A reader knows sums (each row of `sums` times x is 0), the cells that are
shown, that counts are whole and not negative, and no more. What he can deduce of a hidden cell is the range between
its least and its largest value under all that: the attacker's problem (Fischetti and Salazar, 2001). A cell is safe
where that range is as wide as the fewest that may be told, and reaches it: nobody can say that the cell is small, nor
what it is. Further cells are hidden until every hidden one is safe, on small tables as few as possible. The true
values of hidden cells are not needed for it, and not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Bools, Floats
from evalkit.core.errors import EvalkitError

Places = NDArray[np.intp]

MOST_EXACT: Final = 16
"""Cells up to which the fewest are found that must be hidden; in larger systems few, one hidden cell after another."""
_SECONDS: Final = 10.0
"""After which the search for the fewest is given up, and few are taken."""
_OPTIMAL: Final = 0
_SLACK: Final = 1e-6
_NO_SUMS: Final = "The sums of a table do not hold, so nobody can say what they tell of a hidden cell."


class SumsDoNotHold(EvalkitError):
    """What is shown contradicts the sums that are said to hold of it."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CellSystem:
    """Cells with the sums that a reader knows of them.

    Attributes
    ----------
    sums : shape (n_sums, n_cells), every row of which times the true values is 0
    values : shape (n_cells,), what is shown; NaN for what is hidden
    is_fixed : shape (n_cells,), cells that a reader knows already, so that to hide them would not help
    lowest : shape (n_cells,), what a reader knows each cell to be at least: 0 of a count, -inf of a difference
    """

    sums: Floats
    values: Floats
    is_fixed: Bools
    lowest: Floats

    @property
    def hidden(self) -> Bools:
        """Return which cells are hidden, shape (n_cells,)."""
        return np.isnan(self.values)

    def without(self, also: Bools) -> CellSystem:
        """Return the system with further cells hidden."""
        return replace(self, values=np.where(also, np.nan, self.values))

    def of(self, places: Places) -> CellSystem:
        """Return the system of some cells alone, and the sums among them."""
        sums = self.sums[np.any(self.sums[:, places] != 0, axis=1)][:, places]
        return CellSystem(
            sums=sums, values=self.values[places], is_fixed=self.is_fixed[places], lowest=self.lowest[places]
        )

    @property
    def most(self) -> float:
        """Return what stands for no upper bound: no sum of what is shown comes near it."""
        return float(10 * (np.nansum(np.abs(self.values)) + 100 * len(self.values)))


def counts(sums: Floats, values: Floats) -> CellSystem:
    """Return the system of counts under sums, shape (n_sums, n_cells), and what is shown of them, NaN where hidden."""
    n = len(values)
    return CellSystem(
        sums=np.asarray(sums, dtype=float).reshape(-1, n),
        values=np.asarray(values, dtype=float),
        is_fixed=np.zeros(n, dtype=bool),
        lowest=np.zeros(n),
    )


# What an attacker can deduce.


def deduced(system: CellSystem) -> tuple[Floats, Floats]:
    """Return the least and the largest value that each cell can have, shape (n_cells,) each; of shown ones the value.

    Raises
    ------
    SumsDoNotHold
        If no values of the hidden cells fit what is shown.
    """
    low, high = system.values.copy(), system.values.copy()
    at, matrix, right = _of_hidden(system)
    bounds = _bounds(system, at)
    for place, cell in enumerate(at):
        wanted = np.eye(1, len(at), place)[0]
        ends = [_solved(side * wanted, matrix, (right, right), bounds) for side in (1, -1)]
        if any(end is None for end in ends):
            raise SumsDoNotHold(_NO_SUMS)
        low[cell], high[cell] = (round(end[place], 6) for end in ends if end is not None)
    return low, high


def unsafe(system: CellSystem, fewest: int) -> Bools:
    """Return which hidden cells are not safe, shape (n_cells,): known to be small, or known too closely.

    Every solution shows values that all hidden cells can have together, so that most cells need none of their own.
    """
    found = np.zeros(len(system.values), dtype=bool)
    at, matrix, right = _of_hidden(system)
    bounds = _bounds(system, at)
    least, largest = np.full(len(at), np.inf), np.full(len(at), -np.inf)
    for place, cell in enumerate(at):
        for side in (-1, 1):
            if largest[place] >= fewest - _SLACK and largest[place] - least[place] >= fewest - _SLACK:
                break
            values = _solved(side * np.eye(1, len(at), place)[0], matrix, (right, right), bounds)
            if values is None:
                raise SumsDoNotHold(_NO_SUMS)
            least, largest = np.minimum(least, values), np.maximum(largest, values)
        found[cell] = largest[place] < fewest - _SLACK or largest[place] - least[place] < fewest - _SLACK
    return found


def _of_hidden(system: CellSystem) -> tuple[Places, Floats, Floats]:
    """Return the places of hidden cells, the sums over them, and what these come to by what is shown."""
    at = np.flatnonzero(system.hidden)
    shown = ~system.hidden
    involved = np.any(system.sums[:, at] != 0, axis=1)
    known = -system.sums[involved][:, shown] @ system.values[shown]
    return at, system.sums[involved][:, at], known


def _bounds(system: CellSystem, at: Places) -> tuple[Floats, Floats]:
    """Return the least and the most that cells at some places may be."""
    return np.maximum(system.lowest[at], -system.most), np.full(len(at), system.most)


def _solved(
    cost: Floats,
    matrix: Any,
    between: tuple[Floats, Floats],
    bounds: tuple[Floats, Floats],
    *,
    is_whole: Floats | None = None,
    seconds: float | None = None,
) -> Floats | None:
    """Return the whole numbers of least cost under linear bounds, None where there are none, or none was found."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    constraints = [LinearConstraint(matrix, *between)] if matrix.shape[0] else []
    found = milp(
        cost,
        constraints=constraints,
        bounds=Bounds(*bounds),
        integrality=np.ones(len(cost)) if is_whole is None else is_whole,
        options={} if seconds is None else {"time_limit": seconds},
    )
    return None if found.x is None or found.status != _OPTIMAL else np.asarray(found.x, dtype=float)


# What to hide beside what is hidden.


@dataclass(frozen=True, slots=True, eq=False)
class Suppressed:
    """What is hidden in the end, and which hidden cells are not safe whatever is hidden: they were told before."""

    hidden: Bools
    is_lost: Bools


def suppressed(system: CellSystem, fewest: int) -> Suppressed:
    """Return which cells to hide, so that every hidden one is safe; cells of little weight are taken first.

    Cells that sums link to each other are looked at by themselves; those linked to no hidden cell stay as they are.

    Raises
    ------
    SumsDoNotHold
        If no values of the hidden cells fit what is shown.
    """
    hidden, is_lost = system.hidden.copy(), np.zeros(len(system.values), dtype=bool)
    for linked in _linked(system):
        found = _suppressed(system.of(linked), fewest)
        hidden[linked], is_lost[linked] = found.hidden, found.is_lost
    return Suppressed(hidden, is_lost)


def _linked(system: CellSystem) -> Iterator[Places]:
    """Yield the places of each group of cells that sums link, where some of them is hidden."""
    left = system.hidden.copy()
    while left.any():
        reached = np.arange(len(left)) == np.flatnonzero(left)[0]
        while True:
            lines = np.any(system.sums[:, reached] != 0, axis=1)
            wider = reached | np.any(system.sums[lines] != 0, axis=0)
            if (wider == reached).all():
                break
            reached = wider
        left &= ~reached
        yield np.flatnonzero(reached)


def _suppressed(system: CellSystem, fewest: int) -> Suppressed:
    if not unsafe(system, fewest).any():
        return Suppressed(system.hidden, np.zeros(len(system.values), dtype=bool))
    if len(system.values) <= MOST_EXACT:
        also = _fewest_also(system, fewest)
        if also is not None and not unsafe(system.without(also), fewest).any():
            return Suppressed(system.hidden | also, np.zeros(len(system.values), dtype=bool))
    return _few_also(system, fewest)


def weights(system: CellSystem) -> Floats:
    """Return what hiding each cell costs, shape (n_cells,): 1, and for larger cells up to 2."""
    known = np.nan_to_num(np.abs(system.values))
    weight: Floats = 1 + known / (known.max(initial=0.0) + 1)
    return weight


def _few_also(system: CellSystem, fewest: int) -> Suppressed:
    """Return what to hide, found one unsafe cell after another; what turns out not to be needed is shown again."""
    is_lost = np.zeros(len(system.values), dtype=bool)
    now = system
    while (weak := unsafe(now, fewest) & ~is_lost).any():
        cell = int(np.flatnonzero(weak)[0])
        opened = _opened(now, cell, fewest)
        if opened is None or not (opened & ~now.hidden).any():
            is_lost[cell] = True
        else:
            now = now.without(opened)
    for cell in sorted(_places(now.hidden & ~system.hidden), key=lambda cell: -system.values[cell]):
        fewer = replace(now, values=np.where(np.arange(len(now.values)) == cell, system.values, now.values))
        now = now if (unsafe(fewer, fewest) & ~is_lost).any() else fewer
    return Suppressed(now.hidden, is_lost)


def _opened(system: CellSystem, cell: int, fewest: int) -> Bools | None:
    """Return which shown cells to hide so that one hidden cell is safe, None where none can help.

    Two sets of values that agree with all sums are sought, one with the cell at `fewest` or above, one with it lower by
    as much, that move as little as can be from what is shown: what moves is hidden (Kelly, Golden and Assad, 1992).
    """
    n, shown = len(system.values), ~system.hidden
    at = np.flatnonzero(shown)
    zero, eye = np.zeros_like(system.sums), np.eye(n)
    moved = np.zeros((n, len(at)))
    moved[at, np.arange(len(at))] = 1
    matrix, lower, upper = [], list[Floats](), list[Floats]()
    for sums in (np.hstack([system.sums, zero]), np.hstack([zero, system.sums])):
        matrix.append(np.hstack([sums, np.zeros((len(sums), len(at)))]))
        lower.append(np.zeros(len(sums)))
        upper.append(np.zeros(len(sums)))
    for sign in (1, -1):
        for copy in (0, 1):
            own = np.hstack([sign * eye[at] if one == copy else np.zeros((len(at), n)) for one in (0, 1)])
            matrix.append(np.hstack([own, -moved[at]]))
            lower.append(np.full(len(at), -np.inf))
            upper.append(sign * system.values[at])
    matrix += [np.hstack([eye[[cell]], np.zeros((1, n)), np.zeros((1, len(at)))])]
    matrix += [np.hstack([eye[[cell]], -eye[[cell]], np.zeros((1, len(at)))])]
    lower, upper = [*lower, np.full(2, float(fewest))], [*upper, np.full(2, np.inf)]
    low, high = _bounds(system, np.arange(n))
    most = np.where(system.is_fixed[at], 0.0, np.inf)
    weight = weights(system)[at] * (1 + 1e-3 * np.arange(len(at)) / n)  # ties fall the same way on every machine
    found = _solved(
        np.concatenate([np.zeros(2 * n), weight]),
        np.vstack(matrix),
        (np.concatenate(lower), np.concatenate(upper)),
        (np.concatenate([low, low, np.zeros(len(at))]), np.concatenate([high, high, most])),
    )
    if found is None:
        return None
    moves = np.zeros(n, dtype=bool)
    moves[at] = found[2 * n :] > 0.5
    return moves


def _fewest_also(system: CellSystem, fewest: int) -> Bools | None:
    """Return the fewest, and of as few the smallest, cells to hide, None where that takes too long or cannot be.

    One programme: a switch for each cell, and for each cell two sets of values that make it safe where it is hidden;
    values differ from what is shown only where a cell is switched off. A shown cell moves by at most twice `fewest`,
    which in tables with margins is no limit, as what makes one cell safe runs in circles.
    """
    n, shown = len(system.values), ~system.hidden
    low, high = _bounds(system, np.arange(n))
    programme = _Programme(n + 2 * n * n)
    for copy in range(2 * n):
        start = n + copy * n
        for line in system.sums:
            programme.add({start + i: float(line[i]) for i in _places(line != 0)}, 0, 0)
        for i in _places(shown):
            value = float(system.values[i])
            programme.add({start + i: 1.0, i: -2.0 * fewest}, -np.inf, value)
            programme.add({start + i: 1.0, i: 2.0 * fewest}, value, np.inf)
    for cell in range(n):
        first, second = n + 2 * cell * n + cell, n + (2 * cell + 1) * n + cell
        if system.hidden[cell] or system.lowest[cell] >= 0:
            programme.add({first: 1.0, cell: -float(fewest)}, 0, np.inf)
        programme.add({first: 1.0, second: -1.0, cell: -float(fewest)}, 0, np.inf)
    off, on = np.where(shown, 0.0, 1.0), np.where(shown & system.is_fixed, 0.0, 1.0)
    found = _solved(
        np.concatenate([1 + weights(system) / (2 * n), np.zeros(2 * n * n)]),  # one cell more outweighs a larger one
        np.array(programme.rows),
        (np.array(programme.lower), np.array(programme.upper)),
        (np.concatenate([off, np.tile(low, 2 * n)]), np.concatenate([on, np.tile(high, 2 * n)])),
        is_whole=np.concatenate([np.ones(n), np.zeros(2 * n * n)]),
        seconds=_SECONDS,
    )
    return None if found is None else shown & (found[:n] > 0.5)


def _places(which: Bools) -> list[int]:
    return [int(i) for i in np.flatnonzero(which)]


@dataclass(slots=True)
class _Programme:
    """Linear bounds, collected one after the other."""

    n: int
    rows: list[Floats] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)

    def add(self, entries: dict[int, float], least: float, largest: float) -> None:
        """Bound the sum of some variables, each times its number."""
        row = np.zeros(self.n)
        row[list(entries)] = list(entries.values())
        self.rows.append(row)
        self.lower.append(least)
        self.upper.append(largest)
