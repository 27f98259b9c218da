"""Disclosure control over a whole release: what its tables tell together, and beside an earlier release.

Each table has passed the border by itself. Together they may tell more: a count that is hidden in one stands in
another; sums of one bound what another hides; two counts of nearly the same people differ by few; and so do two
releases. All counts of people of all tables are put into one system of cells, and further ones are hidden until no
hidden count can be worked out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from evalkit.core.disclosure import FEWEST_DF, is_few
from evalkit.report.border.disclosure import (
    Place,
    ReleasedTable,
    is_suppressed,
    sums_shown,
    suppressed,
    with_derived_hidden,
)
from evalkit.report.border.same_people import Counted, arm_named, too_near
from evalkit.report.border.suppression_arrays import CellSystem, SumsDoNotHold
from evalkit.report.border.suppression_arrays import suppressed as suppressed_cells
from evalkit.report.border.table import Table

Why = Literal["sum", "difference", "earlier release", "small", "base", "df", "dominated", "extreme", "unknown base"]
REASONS: Final[Mapping[Why, str]] = {
    "small": "it counts fewer people than may be told, or its own table would let such a count be worked out",
    "sum": "with other numbers of this release it would let a withheld count be worked out",
    "difference": "it differs from another number of this release by fewer people than may be told",
    "earlier release": "it differs from an earlier release by fewer people than may be told",
    "base": "it rests on a count that is withheld",
    "df": f"it has fewer than {FEWEST_DF} residual degrees of freedom",
    "dominated": "one or two people make up most of it, and could be worked out from it",
    "extreme": "a smallest or largest value is that of one person",
    "unknown base": "nobody can say how many people it rests on, and some counts have hardly changed since the last "
    "release",
}
"""Why a number is withheld, for the page of a release."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A number that is withheld: in which table, row and column, and why."""

    table: str
    row: str
    column: str
    why: Why


@dataclass(frozen=True, slots=True)
class Together:
    """Tables of one release as they may leave together, and what of them is withheld.

    `lost` names cells that no withholding protects, as an earlier release has told what lets them be worked out.
    """

    tables: dict[str, ReleasedTable]
    withheld: tuple[Withheld, ...] = ()
    lost: tuple[Withheld, ...] = ()


def released_together(
    tables: Mapping[str, ReleasedTable],
    fewest: int,
    previous: Sequence[Mapping[str, ReleasedTable]] = (),
    true: Mapping[str, Table] | None = None,
) -> Together:
    """Return tables as they may leave in one release, where those of earlier ones, the first of them first, are out.

    Where units are people, `true` are the tables before anything was withheld: counts of one size are then taken to be
    of the same people whatever their names, and those that differ by few of nearly the same.
    """
    if not any(counts_people(one.table) for one in tables.values()):
        return Together(dict(tables))
    hidden, is_lost = _solved(tables, fewest, previous, true)
    made, withheld = dict(tables), list[Withheld]()
    for name, one in tables.items():
        found, rows = hidden.get(name, {}), one.table.rows
        places = {place: why for place, why in found.items() if not is_suppressed(rows[place[0]][place[1]])}
        made[name] = _hiding(one, set(places), fewest)
        withheld += [_withheld(name, one.table, place, why) for place, why in sorted(places.items())]
    lost = [_withheld(name, tables[name].table, place, "earlier release") for name, place in is_lost]
    twins = _twins(tables, made)
    if not twins:
        return Together(made, tuple(withheld), tuple(lost))
    withheld += [_withheld(name, made[name].table, place, "sum") for name, places in twins.items() for place in places]
    without = {name: _hiding(one, twins.get(name, set()), fewest) for name, one in made.items()}
    after = released_together(without, fewest, previous, true)
    return Together(after.tables, (*withheld, *after.withheld), tuple(dict.fromkeys((*lost, *after.lost))))


def _twins(before: Mapping[str, ReleasedTable], after: Mapping[str, ReleasedTable]) -> dict[str, set[Place]]:
    """Return where a count that is newly withheld is told under another name: one that is as large."""
    newly = {
        before[name].table.rows[r][c]
        for name, one in after.items()
        for r, c in _places(one.table)
        if is_suppressed(one.table.rows[r][c]) and not is_suppressed(before[name].table.rows[r][c])
    }
    found: dict[str, set[Place]] = {}
    for name, one in after.items():
        for r, c in _places(one.table):
            if one.table.rows[r][c] in newly:
                found.setdefault(name, set()).add((r, c))
    return found


def _places(table: Table) -> Iterator[Place]:
    yield from ((r, c) for r in range(len(table.rows)) for c in _people_columns(table))


def _solved(
    tables: Mapping[str, ReleasedTable],
    fewest: int,
    previous: Sequence[Mapping[str, ReleasedTable]],
    true: Mapping[str, Table] | None,
) -> tuple[dict[str, dict[Place, Why]], list[tuple[str, Place]]]:
    """Return what to hide and what is lost, cells linked as closely as what is shown allows."""
    for linked in _LINKED:
        book = _Book(fewest, linked)
        book.enter(tables, _NEW)
        for at, told in enumerate(previous):
            book.enter(told, f"release {at}")
        if true is not None:
            book.link_sizes(tables, true, previous)
        with suppress(SumsDoNotHold):
            return book.solved()
    raise SumsDoNotHold("The sums of a table of this release do not hold, so nobody can say what they tell.")


def hidden_already(tables: Mapping[str, ReleasedTable]) -> tuple[Withheld, ...]:
    """Return the counts that tables had withheld before they were looked at together."""
    return tuple(
        _withheld(name, one.table, (r, c), "small")
        for name, one in tables.items()
        for r, row in enumerate(one.table.rows)
        for c in _people_columns(one.table)
        if is_suppressed(row[c])
    )


def _withheld(name: str, table: Table, place: Place, why: Why) -> Withheld:
    row, column = place
    return Withheld(name, ", ".join(row_name(table, row)), table.columns[column].header, why)


def _hiding(one: ReleasedTable, places: set[Place], fewest: int) -> ReleasedTable:
    if not places:
        return one
    stand_in = suppressed(fewest, one.table.people)
    rows = tuple(
        tuple(stand_in if (r, c) in places else cell for c, cell in enumerate(row))
        for r, row in enumerate(one.table.rows)
    )
    return ReleasedTable(with_derived_hidden(replace(one.table, rows=rows), fewest), fewest)


def counts_alone(one: ReleasedTable) -> ReleasedTable:
    """Return the counts of people of a table beside the names of its rows: what a later release is compared with."""
    kept = [at for at, c in enumerate(one.table.columns) if c.kind == "pupil_count" or not c.is_numeric]
    columns = tuple(one.table.columns[at] for at in kept)
    rows = tuple(tuple(row[at] for at in kept) for row in one.table.rows)
    keys = {column.key for column in columns}
    sums = tuple(line for line in one.table.column_sums if keys.issuperset(line))
    made = replace(one.table, columns=columns, rows=rows, column_sums=sums, notes=(), above=())
    return ReleasedTable(made, one.threshold)


def counts_people(table: Table) -> bool:
    """Return whether a table has a column that counts people."""
    return bool(_people_columns(table))


def _people_columns(table: Table) -> list[int]:
    return [at for at, column in enumerate(table.columns) if column.kind == "pupil_count"]


def row_name(table: Table, row: int) -> tuple[str, ...]:
    """Return what names a row: its texts and labels."""
    pairs = zip(table.columns, table.rows[row], strict=True)
    return tuple(str(cell) for column, cell in pairs if isinstance(cell, str) and not column.is_numeric)


# All counts of people of a release as one system of cells.

_NEW: Final = "new"
_Linked = Literal["by name", "by table", "by value"]
_LINKED: Final[tuple[_Linked, ...]] = ("by name", "by table", "by value")
"""How cells are linked: those of one name in all tables and both releases; within tables of one name alone; and last,
where the data have changed in between, hidden ones of two releases not at all."""
_Identity = tuple[str, str, tuple[str, ...], int]
"""The table (empty where all are one), the key of a column, what names the row, and which of that name it is."""
_Key = tuple[str, _Identity]


@dataclass(slots=True)
class _Book:
    """Counts of people by what they count; a count of one name is one cell, in whichever tables it stands.

    Counts of one name with different values are cells of their own. Where they differ by few, the difference is a cell
    too: one that is not shown, and can be worked out as long as both are.
    """

    fewest: int
    linked: _Linked
    cells: dict[_Key, float] = field(default_factory=dict)
    named: dict[_Identity, list[_Key]] = field(default_factory=dict)
    places: dict[tuple[str, str, Place], _Key] = field(default_factory=dict)
    fixed: set[_Key] = field(default_factory=set)
    lines: list[dict[_Key, float]] = field(default_factory=list)
    differences: dict[_Key, Why] = field(default_factory=dict)
    pairs: dict[_Key, tuple[_Key, _Key]] = field(default_factory=dict)
    same: dict[_Key, _Key] = field(default_factory=dict)
    near: dict[_Key, Why] = field(default_factory=dict)

    def enter(self, tables: Mapping[str, ReleasedTable], of: str) -> None:
        """Enter the counts of tables, and what is known of their sums."""
        for name, one in tables.items():
            table, found = one.table, dict[Place, _Key]()
            for place, identity in _identities(table, "" if self.linked == "by name" else name):
                cell = table.rows[place[0]][place[1]]
                if isinstance(cell, int) or is_suppressed(cell):
                    value = float(cell) if isinstance(cell, int) else np.nan
                    found[place] = self._key(identity, value, of)
            for total, *parts in sums_shown(table, found):
                self.lines.append(_line([(found[total], -1.0), *((found[part], 1.0) for part in parts)]))
            if table.is_nested:
                self._nest(table, found)
            self.places |= {(of, name, place): key for place, key in found.items()}

    def _key(self, identity: _Identity, value: float, of: str) -> _Key:
        """Return the cell that a count is, made where there is none of its name and value."""
        named = self.named.setdefault(identity, [])
        is_strict = of != _NEW and self.linked == "by value"
        same = next((key for key in named if _agree(self.cells[key], value, is_strict)), None)
        key = same or (f"{of} {len(named)}", identity)
        before = self.cells.get(key, np.nan)
        if of != _NEW:
            # what an earlier release told is known, whether it is shown again or not
            self.cells[key] = value if np.isfinite(value) else before
            self.fixed |= {key} if np.isfinite(value) else set()
        else:
            self.cells[key] = value if same is None or np.isnan(value) else before
        if same is None:
            for other in named:
                self._differ(key, other, "earlier release" if of != _NEW else "difference")
            named.append(key)
        return key

    def _nest(self, table: Table, found: Mapping[Place, _Key]) -> None:
        for column in _people_columns(table):
            rows = [key for r in range(len(table.rows)) if (key := found.get((r, column)))]
            for at, key in enumerate(rows):
                for other in rows[:at]:
                    self._differ(key, other, "difference")

    def _differ(self, one: _Key, other: _Key, why: Why) -> None:
        """Enter what two cells differ by, where that is a small number of people."""
        by = self.cells[one] - self.cells[other]
        if not is_few(int(abs(by)) if np.isfinite(by) else 0, self.fewest):
            return
        larger, smaller = (one, other) if by > 0 else (other, one)
        key = (f"less {smaller}", larger[1])
        self.lines.append(_line([(larger, -1.0), (smaller, 1.0), (key, 1.0)]))
        self.cells[key], self.differences[key], self.pairs[key] = np.nan, why, (larger, smaller)

    def link_sizes(
        self,
        tables: Mapping[str, ReleasedTable],
        true: Mapping[str, Table],
        previous: Sequence[Mapping[str, ReleasedTable]],
    ) -> None:
        """Take counts of one size to be one cell, and hide those that differ by few from others that are told."""
        releases = [(_NEW, tables, true), *((f"release {at}", told, {}) for at, told in enumerate(previous))]
        where: dict[int, list[Counted]] = {}
        size_of: dict[_Key, int] = {}
        for of, told, known in releases:
            for name, one in told.items():
                for place, counted in _counted(name, one.table):
                    size = known.get(name, one.table).rows[place[0]][place[1]]
                    key = self.places.get((of, name, place))
                    # a hidden cell that its name has made one with another of a different size is left as it is
                    if key is not None and isinstance(size, int) and size_of.setdefault(key, size) == size:
                        where.setdefault(size, []).append(counted)
        first: dict[int, _Key] = {}
        self.same = {key: first.setdefault(n, key) for key, n in size_of.items() if n >= self.fewest}
        told_before = {size_of[key] for key in self.fixed if key in size_of}
        hidden = too_near(where, told_before, self.fewest)
        for key, size in size_of.items():
            if size in hidden:
                near_earlier = any(abs(size - other) < self.fewest for other in told_before)
                self.cells[key], self.near[key] = np.nan, "earlier release" if near_earlier else "difference"

    def solved(self) -> tuple[dict[str, dict[Place, Why]], list[tuple[str, Place]]]:
        """Return which places of which tables to hide and why, and those that nothing can protect."""
        names = {key: self.same.get(key, key) for key in self.cells}
        at = {key: i for i, key in enumerate(dict.fromkeys(names.values()))}
        sums = np.zeros((len(self.lines), len(at)))
        for i, line in enumerate(self.lines):
            for key, sign in line.items():
                sums[i, at[names[key]]] += sign
        values, is_fixed = np.full(len(at), np.nan), np.zeros(len(at), dtype=bool)
        for key, cell in names.items():
            value = self.cells[key]
            values[at[cell]] = values[at[cell]] if np.isnan(value) else value
            is_fixed[at[cell]] |= key in self.fixed
        lowest = np.array([-np.inf if key in self.differences else 0.0 for key in at])
        system = CellSystem(sums=sums, values=values, is_fixed=is_fixed, lowest=lowest)
        found = suppressed_cells(system, self.fewest)
        hidden = {key for key, cell in names.items() if found.hidden[at[cell]]}
        lost = {key for key, cell in names.items() if found.is_lost[at[cell]]}
        lost |= {end for key in lost & set(self.differences) for end in self.pairs[key]}
        places: dict[str, dict[Place, Why]] = {}
        for (of, name, place), key in self.places.items():
            if of == _NEW and key in hidden:
                places.setdefault(name, {})[place] = self._why(key)
        return places, [(name, place) for (of, name, place), key in self.places.items() if of == _NEW and key in lost]

    def _why(self, key: _Key) -> Why:
        named = next((self.differences[d] for d, ends in self.pairs.items() if key in ends), None)
        return self.near.get(key) or named or "sum"


def _agree(one: float, other: float, is_strict: bool) -> bool:
    """Return whether two cells of one name may be the same: equal, or, where it is not strict, one of them hidden."""
    return one == other or (not is_strict and bool(np.isnan(one + other)))


def _line(entries: Iterable[tuple[_Key, float]]) -> dict[_Key, float]:
    """Return the coefficients of a sum; a cell that stands in it twice counts twice."""
    line = Counter[_Key]()
    for key, sign in entries:
        line[key] += sign  # type: ignore[assignment]  # coefficients are floats
    return dict(line)


def _counted(name: str, table: Table) -> Iterator[tuple[Place, Counted]]:
    """Yield the counts of people of a table with what is known of whom they count."""
    places = list(_places(table))
    lines = sums_shown(table, places)
    parts = {part for _, *of in lines for part in of} - {total for total, *_ in lines}
    for r, c in places:
        yield (r, c), Counted(name, arm_named(table.columns[c].key, *row_name(table, r)), (r, c) in parts)


def _identities(table: Table, of: str) -> Iterator[tuple[Place, _Identity]]:
    seen: Counter[tuple[str, ...]] = Counter()
    for r in range(len(table.rows)):
        name = row_name(table, r)
        for c in _people_columns(table):
            yield (r, c), (of, table.columns[c].key, name, seen[name])
        seen[name] += 1
