"""Disclosure control at the border: counts of pupils under the threshold do not leave, nor what would give them away.

Counts of schools come from published files and are exempt. Suppression is checked exactly: a
hidden count must not be the only solution of the sums that the table shows. Counts may be of any numeric type;
what stands among them and is no whole number is refused, as nobody could say whether it may leave.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evalkit.core.disclosure import few, whole
from evalkit.core.errors import EvalkitError
from evalkit.core.quantities import Unavailable
from evalkit.core.sentence import Sentence
from evalkit.report.border.markup import bundle, table_csv, table_frame, table_html
from evalkit.report.border.table import Cell, Table, table_record

if TYPE_CHECKING:
    import pandas as pd

Place = tuple[int, int]
Line = tuple[Place, ...]


UNTYPED = "A sentence is withheld, as the border cannot tell whether the numbers in it count people."
"""What stands in the place of a sentence about people whose numbers are plain text."""


def told(text: str, fewest: int) -> str:
    """Return a sentence about people as it may leave: counts from 1 to under `fewest` withheld.

    A sentence without types leaves where there is no digit in it, and is withheld where there is.
    """
    if isinstance(text, Sentence):
        return text.written(fewest)
    return UNTYPED if any(sign.isdigit() for sign in text) else text


def told_where_typed(text: str, fewest: int) -> str:
    """Return a sentence about what may be people or schools: typed counts withheld as of people, other words kept."""
    return text.written(fewest) if isinstance(text, Sentence) else text


def rests_on_few(threshold: int) -> Unavailable:
    """Return what stands in the place of an estimate, share or mean that rests on fewer people than may be told."""
    return Unavailable(few(threshold))


def suppressed(threshold: int, people: str = "pupils") -> Unavailable:
    """Return what stands in the place of a suppressed count of pupils, or of other `people` in words."""
    return Unavailable(f"Suppressed (a count of fewer than {threshold} {people}, or one that would reveal it).")


def is_suppressed(cell: object) -> bool:
    """Return whether a cell is a count that was suppressed, at whatever threshold."""
    return isinstance(cell, Unavailable) and _SUPPRESSED.fullmatch(cell.reason) is not None


_SUPPRESSED: Final = re.compile(r"Suppressed \(a count of fewer than \d{1,8} [a-z]+, or one that would reveal it\)\.")


@dataclass(frozen=True, slots=True, repr=False)
class ReleasedTable:
    """A table that may leave: it cannot be made from a table that shows a small count of pupils."""

    table: Table
    threshold: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", _typed(self.table))
        if _small(self.table, self.threshold) or _exposed(self.table, self.threshold):
            raise EvalkitError(
                f"The table '{self.table.caption}' shows, or lets be worked out, a count of fewer than "
                f"{self.threshold} pupils. Pass it through `release`."
            )

    def __repr__(self) -> str:
        return f"<Table: {self.table.caption}>"

    def _repr_html_(self) -> str:
        return table_html(self.table)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return bundle(self._repr_html_(), repr(self), self.record())

    def record(self) -> dict[str, object]:
        """Return the table as a JSON record, from which `part_from_json` reads it back."""
        return {"part": "table", "threshold": self.threshold, "table": table_record(self.table)}

    def to_csv(self) -> str:
        """Return the table as CSV, numbers in full, reasons in place of what is not given."""
        return table_csv(self.table)

    def to_frame(self) -> pd.DataFrame:
        """Return the table as a frame, numbers in full; what is not given is missing, with why in `reason`."""
        return table_frame(self.table)


def release(table: Table, threshold: int) -> ReleasedTable:
    """Return the table with small counts of pupils, and what would give them away, suppressed.

    Raises
    ------
    EvalkitError
        If a column of counts of pupils holds anything but whole numbers, of whatever numeric type, and reasons.
    """
    table = _typed(table)
    counts = _counts(table)
    primary = {place for place, n in counts.items() if n < threshold}
    hidden = _protected(sums_shown(table, counts), counts, primary, threshold)
    return ReleasedTable(with_derived_hidden(_without(table, hidden, threshold), threshold), threshold)


def release_record(record: Mapping[str, object], threshold: int) -> dict[str, object]:
    """Return a JSON record with counts of pupils released: `n_pupils` sums the keys `n_pupils_…` beside it."""
    counts = {key: _recorded(key, value) for key, value in record.items() if _is_count_of_pupils(key, value)}
    places: dict[str, Place] = {key: (0, i) for i, key in enumerate(counts)}
    by_place = {places[key]: n for key, n in counts.items()}
    line: Line = tuple(places[key] for key in sorted(counts, key=lambda key: key != "n_pupils"))
    lines = [line] if "n_pupils" in counts and len(counts) > 1 else []
    hidden = _protected(lines, by_place, {p for p, n in by_place.items() if n < threshold}, threshold)
    return {
        key: {"unavailable": suppressed(threshold).reason}
        if places.get(key) in hidden or _several_hidden(key, value, threshold)
        else counts.get(key, _nested(value, threshold))
        for key, value in record.items()
    }


def _is_count_of_pupils(key: str, value: object) -> bool:
    """Return whether a key counts pupils; a reason, nothing, or a record of several counts stands for itself."""
    return key.startswith("n_pupils") and not (value is None or isinstance(value, Mapping | list | tuple))


def _several_hidden(key: str, value: object, threshold: int) -> bool:
    """Return whether a key of several counts of pupils holds a small one: then none of them is told."""
    if not key.startswith("n_pupils") or not isinstance(value, Mapping | list | tuple):
        return False
    counts = [whole(one) for one in (value.values() if isinstance(value, Mapping) else value)]
    return any(n is not None and n < threshold for n in counts)


def _recorded(key: str, value: object) -> int:
    n = whole(value)
    if n is None:
        raise EvalkitError(f"'{key}' is a count of pupils and holds {value!r}, which is no whole number.")
    return n


def _nested(value: object, threshold: int) -> object:
    if isinstance(value, Mapping):
        return release_record(value, threshold)
    if isinstance(value, list | tuple):
        return [_nested(item, threshold) for item in value]
    return value


def _pupil_columns(table: Table) -> list[int]:
    return [i for i, column in enumerate(table.columns) if column.kind == "pupil_count"]


def _typed(table: Table) -> Table:
    """Return the table with every count of pupils as an `int`; raise `EvalkitError` for what is none."""
    columns = set(_pupil_columns(table))
    if not columns:
        return table

    def cell_of(column: int, cell: Cell) -> Cell:
        if column not in columns or isinstance(cell, Unavailable):
            return cell
        n = whole(cell)
        if n is None:
            raise EvalkitError(
                f"The column '{table.columns[column].header}' of the table '{table.caption}' counts pupils and holds "
                f"{cell!r}, which is no whole number. Give a number, or Unavailable with the reason."
            )
        return n

    return replace(table, rows=tuple(tuple(cell_of(c, cell) for c, cell in enumerate(row)) for row in table.rows))


def _counts(table: Table) -> dict[Place, int]:
    """Return the counts of pupils of a typed table by their place."""
    cells = ((r, c, table.rows[r][c]) for r in range(len(table.rows)) for c in _pupil_columns(table))
    return {(r, c): cell for r, c, cell in cells if isinstance(cell, int)}


def _small(table: Table, threshold: int) -> set[Place]:
    return {place for place, n in _counts(table).items() if n < threshold}


def sums_shown(table: Table, within: Iterable[Place]) -> list[Line]:
    """Return every sum of counts of pupils that a table shows, as places, the total first, of places `within`."""
    known = set(within)
    columns = _pupil_columns(table)
    lines: list[Line] = []
    totals = [c for c in columns if table.columns[c].is_total]
    for total in totals:
        parts = [c for c in columns if c not in totals]
        lines += [((r, total), *((r, c) for c in parts)) for r in range(len(table.rows))]
    if table.has_total_row:
        last = len(table.rows) - 1
        lines += [((last, c), *((r, c) for r in range(last))) for c in columns]
    lines += [tuple((r, c) for r in rows) for rows in table.row_sums for c in columns]
    at = {column.key: c for c, column in enumerate(table.columns)}
    lines += [tuple((r, at[key]) for key in keys) for keys in table.column_sums for r in range(len(table.rows))]
    return [line for line in lines if len(line) > 1 and known.issuperset(line)]


def _recoverable(lines: Sequence[Line], hidden: set[Place]) -> set[Place]:
    """Return the hidden places whose value the sums determine: unit vectors in the row space of the sums."""
    unknown = sorted(hidden)
    system = [[_sign(line, place) for place in unknown] for line in lines]
    matrix = np.array([row for row in system if any(row)], dtype=float)
    if not matrix.size:
        return set()
    _, singular, basis = np.linalg.svd(matrix)
    rows = basis[: int((singular > 1e-9).sum())]
    return {place for i, place in enumerate(unknown) if np.isclose((rows[:, i] ** 2).sum(), 1.0)}


def _sign(line: Line, place: Place) -> int:
    return 0 if place not in line else -1 if place == line[0] else 1


def _protected(lines: Sequence[Line], counts: Mapping[Place, int], primary: set[Place], threshold: int) -> set[Place]:
    """Return what to hide so that no primary place can be worked out, adding the smallest neighbours in a sum."""
    hidden = set(primary)
    while weak := _weak_lines(lines, counts, hidden, primary, threshold):
        hidden.add(min((place for place in weak[0] if place not in hidden), key=lambda place: (counts[place], place)))
    return hidden


def _weak_lines(
    lines: Sequence[Line], counts: Mapping[Place, int], hidden: set[Place], primary: set[Place], threshold: int
) -> list[Line]:
    """Return sums to hide more of: those that tell a small count, loneliest first, and those that add up to one.

    Counts are not negative, so that hidden parts with a known sum of less than the threshold are each known to be
    small; a hidden place that the sums determine is as good as shown.
    """
    open_lines = [line for line in lines if set(line) - hidden]
    told = _recoverable(lines, hidden)
    weak = [line for line in open_lines if told & set(line)] if told & primary else []
    for line in lines:
        parts = [place for place in line[1:] if place in hidden and place not in told]
        is_total_known = line[0] not in hidden or line[0] in told
        if parts and is_total_known and sum(counts[place] for place in parts) < threshold:
            weak += [line] if line in open_lines else [other for other in open_lines if told & set(line) & set(other)]
    return sorted(weak, key=lambda line: len(hidden & set(line)))


def _exposed(table: Table, threshold: int) -> bool:
    """Return whether the sums that a table shows determine a suppressed count under the threshold."""
    reason = suppressed(threshold, table.people)
    places = {(r, c): table.rows[r][c] for c in _pupil_columns(table) for r in range(len(table.rows))}
    hidden = sorted(place for place, cell in places.items() if cell == reason)
    lines = sums_shown(table, places)
    if not hidden or not lines:
        return False
    system = np.array([[_sign(line, place) for place in hidden] for line in lines], dtype=float)
    shown = [-sum(_sign(line, p) * cell for p in line if isinstance(cell := places[p], int)) for line in lines]
    solved = np.linalg.lstsq(system, np.array(shown, dtype=float), rcond=None)[0]
    told = _recoverable(lines, set(hidden))
    return any(place in told and value < threshold - 0.5 for place, value in zip(hidden, solved, strict=True))


def _without(table: Table, hidden: set[Place], threshold: int) -> Table:
    if not hidden:
        return table
    stand_in = suppressed(threshold, table.people)
    rows = tuple(
        tuple(stand_in if (r, c) in hidden else cell for c, cell in enumerate(row)) for r, row in enumerate(table.rows)
    )
    return replace(table, rows=rows)


def with_derived_hidden(table: Table, threshold: int) -> Table:
    """Return the table with figures derived from a suppressed count suppressed too."""
    keys = [column.key for column in table.columns]
    source = {i: keys.index(c.derived_from) for i, c in enumerate(table.columns) if c.derived_from}
    stand_in = suppressed(threshold, table.people)

    def cell_of(row: tuple[Cell, ...], i: int) -> Cell:
        return stand_in if i in source and row[source[i]] == stand_in else row[i]

    return replace(table, rows=tuple(tuple(cell_of(row, i) for i in range(len(row))) for row in table.rows))
