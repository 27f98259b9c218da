"""Tables of a project whose units are people, as they may leave: every number stands beside the people it rests on.

What cannot be tied to a count of people does not leave: this side of the border fails closed.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from evalkit.core.disclosure import FEWEST_DF, FEWEST_PEOPLE
from evalkit.core.errors import EvalkitError
from evalkit.core.formats import rounded
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.sentence import Sentence
from evalkit.report.border.disclosure import UNTYPED, ReleasedTable, is_suppressed, release
from evalkit.report.border.release import REASONS, Why, Withheld, row_name
from evalkit.report.border.table import Cell, Column, Kind, Table

_NUMBERS: Final[tuple[Kind, ...]] = ("estimate", "number", "interval", "p", "percentage", "money")
_DECIMALS: Final[dict[Kind, int]] = {"estimate": 2, "number": 2, "interval": 2, "p": 3, "percentage": 0, "money": 0}
_EXTREME: Final = re.compile(r"(^|[^a-z])(min|max|minimum|maximum)([^a-z]|$)", re.I)
_YEAR: Final = re.compile(r"(?<![\d.,])(?:19|20)\d\d(?![\d%]|[.,]\d)")
_WORDS: Final = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|single|both|neither|half|third|quarter"
_NUMBER: Final = re.compile(rf"\d|\b(?:{_WORDS})\b", re.I)
_NOT_GIVEN: Final = "Not given; why would tell a number of people."
_DF: Final = ("df", "dof", "residual_df")


def of_people(one: ReleasedTable) -> ReleasedTable | None:
    """Return a table whose units turn out to be people with its small counts withheld, None where that cannot be done.

    Texts and notes that tell a number are left out, as nobody can say what it counts. Rows of a table without sums are
    taken to count groups within each other: two that differ by few are not both told.
    """
    table = one.table
    columns = tuple(replace(c, kind="pupil_count") if c.kind == "school_count" else c for c in table.columns)
    first = next((at for at, c in enumerate(columns) if not c.is_numeric and c.key != table.panel_by), 0)
    rows = tuple(
        tuple(cell if at == first or c.key == table.panel_by else _text(cell) for at, (c, cell) in enumerate(pairs))
        for pairs in (tuple(zip(columns, row, strict=True)) for row in table.rows)
    )
    notes, above = (tuple(note for note in texts if not tells_number(note)) for texts in (table.notes, table.above))
    is_nested = not (table.row_sums or table.column_sums or table.has_total_row)
    made = replace(table, columns=columns, rows=rows, notes=notes, above=above, is_nested=is_nested)
    try:
        return release(made, FEWEST_PEOPLE)
    except EvalkitError:  # a count that is none, which nobody can judge
        return None


def _text(cell: Cell) -> Cell:
    """Return a text, or a reason why there is no number, without what it may count."""
    if isinstance(cell, Unavailable) and not is_suppressed(cell) and tells_number(cell.reason):
        return Unavailable(_NOT_GIVEN)
    return Unavailable(UNTYPED) if isinstance(cell, str) and tells_number(cell) else cell


def tells_number(text: str) -> bool:
    """Return whether a text holds a number that is no year, in digits or in words."""
    return bool(_NUMBER.search(_YEAR.sub("", text)))


def sentence_of_people(sentence: str) -> str:
    """Return a sentence of a project whose units are people; what cannot be typed and tells a number is withheld."""
    if isinstance(sentence, Sentence):
        return sentence.written(FEWEST_PEOPLE)
    return UNTYPED if tells_number(sentence) else sentence


def tied_to_counts(
    name: str, one: ReleasedTable, *, hardly_changed: bool = False
) -> tuple[ReleasedTable, list[Withheld]]:
    """Return a table of people in which numbers go with the counts, and what of it is withheld for that.

    A row with a withheld count tells no other number; nor does a model with few residual degrees of freedom, a mean
    that one or two people make up, or a smallest or largest value. Where counts have `hardly_changed` since an earlier
    release, neither does a row without any count. What stays is rounded half up, as it is shown, so that no sum can be
    worked out of a mean.
    """
    table, found, rows = one.table, list[Withheld](), list[tuple[Cell, ...]]()
    for r, row in enumerate(table.rows):
        cells = list[Cell]()
        for column, cell in zip(table.columns, row, strict=True):
            why = _why_not(table, row, r, column, hardly_changed) if _is_number(column, cell) else None
            if why is not None:
                found.append(Withheld(name, ", ".join(row_name(table, r)), column.header, why))
            cells.append(Unavailable(f"Withheld: {REASONS[why]}.") if why else _rounded(column, cell))
        rows.append(tuple(cells))
    return ReleasedTable(replace(table, rows=tuple(rows)), one.threshold), found


def _is_number(column: Column, cell: Cell) -> bool:
    return column.kind in _NUMBERS and isinstance(cell, int | float | Interval)


def _why_not(table: Table, row: tuple[Cell, ...], at: int, column: Column, hardly_changed: bool) -> Why | None:
    counts = [cell for c, cell in zip(table.columns, row, strict=True) if c.kind == "pupil_count"]
    if any(isinstance(cell, Unavailable) and is_suppressed(cell) for cell in counts):
        return "base"
    if at in table.dominated:
        return "dominated"
    if any(map(_EXTREME.search, (column.key, column.header, *row_name(table, at)))):
        return "extreme"
    freedom = [
        cell for c, cell in zip(table.columns, row, strict=True) if c.key in _DF and isinstance(cell, int | float)
    ]
    if any(df < FEWEST_DF for df in freedom):
        return "df"
    return "unknown base" if hardly_changed and not counts else None


def _rounded(column: Column, cell: Cell) -> Cell:
    decimals = _DECIMALS.get(column.kind, 0) if column.decimals is None else column.decimals
    if column.kind not in _NUMBERS or column.is_in_powers or isinstance(cell, str | Unavailable):
        return cell
    if isinstance(cell, Interval):
        lower, upper = (float(rounded(end, decimals)) for end in (cell.lower, cell.upper))
        return Interval(lower, upper, cell.level)
    return float(rounded(cell, decimals))


def is_of_groups(data: Table) -> bool:
    """Return whether each point of a figure of people, by the numbers behind it, is known to be no person.

    So it is where every point stands beside a count of people that may be told, or is an estimate.
    """
    kinds = {column.kind for column in data.columns}
    return "pupil_count" in kinds or bool(kinds & {"estimate", "interval"})
