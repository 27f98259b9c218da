"""The rows of a published table: what each is of, its numbers, and the reason of each number that is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.core.words import counted, did_you_mean, listed
from evalkit.data.published.codes import BLANKS, CODE_REASONS, MEANINGS, ROW_ENDS, Cells, Coded, read_cells, refuse_odd

_SPACE: Final = " "
_CLIP: Final = 40
"""Letters of a cell that a message quotes."""
_ENDS: Final = "\0"
"""What stands here for a cell that its row ended before; no file holds it as a cell of its own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PublishedTable(Shown):
    """The rows of a published table, each with what it is of (`keys`), its numbers and why one is missing.

    Attributes
    ----------
    name : the file
    keys : DataFrame of texts as published, blanks around them taken off: ids, names, levels, filters; readers add
        `year` (the later year of a school year)
    values : DataFrame of numbers, NaN exactly where there is a reason
    reasons : DataFrame of texts, empty exactly where there is a number
    codes : how many cells of a column hold a code in the place of a number
    notes : what a reader of the source must know
    """

    name: str
    keys: pd.DataFrame
    values: pd.DataFrame
    reasons: pd.DataFrame
    codes: tuple[Coded, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for part in ("keys", "values", "reasons"):
            object.__setattr__(self, part, getattr(self, part).reset_index(drop=True))

    def __repr__(self) -> str:
        return f"PublishedTable({self.name!r}, {len(self)} rows, measures: {listed(list(self.values.columns), 4)})"

    def __len__(self) -> int:
        return len(self.keys)


def published_table(
    frame: pd.DataFrame,
    name: str,
    *,
    measures: Sequence[str],
    keys: pd.DataFrame | None = None,
    notes: Iterable[str] = (),
    reasons: dict[str, str] | None = None,
) -> PublishedTable:
    """Return cells as published as a table of numbers and reasons.

    `measures` become numbers, all other columns are keys unless `keys` are given; `reasons` are codes of this source
    alone. Raise `DataError` with the line of a cell of a measure that is neither a number nor a known code.
    """
    values, why, codes = {}, {}, []
    for column in measures:
        cells, texts = coded_cells(frame[column], reasons)
        refuse_odd(cells, frame[column], column, lambda at: f"{name}: line {frame.index[at] + 2}")
        values[column], why[column] = cells.numbers, texts
        codes += [Coded(column, code, n) for code, n in cells.codes.items()]
    rest = frame[[column for column in frame.columns if column not in measures]] if keys is None else keys
    return PublishedTable(
        name=name,
        keys=rest.apply(lambda texts: stripped(texts) if texts.dtype in ("str", "object") else texts),
        values=pd.DataFrame(values, index=frame.index, dtype=float),
        reasons=pd.DataFrame(why, index=frame.index, dtype=object),
        codes=tuple(codes),
        notes=tuple(notes),
    )


def stripped(texts: pd.Series) -> pd.Series:
    """Return texts without blanks around them; one that its row ended before is empty."""
    plain: pd.Series = texts.fillna("").astype("str").str.strip()
    return plain


def coded_cells(texts: pd.Series, reasons: dict[str, str] | None = None) -> tuple[Cells, NDArray[np.object_]]:
    """Return cells as numbers, and why each is none: empty where it is one, or is odd.

    A cell of a single space is told from an empty one, and a cell that its row ended before from both.
    """
    own = reasons or {}
    at, known = pd.factorize(texts.fillna(_ENDS))
    distinct = pd.Series(known, dtype=object)  # a column of a nation has few distinct cells
    plain = distinct.mask(distinct == _ENDS, "").astype("str").str.strip()
    cells = read_cells(plain.mask(plain.isin(list(own)), ""))
    why = plain.map({**MEANINGS, **dict.fromkeys(BLANKS, CODE_REASONS[""]), **own}).astype(object)
    why = why.mask(distinct == _SPACE, CODE_REASONS[_SPACE]).mask(distinct == _ENDS, ROW_ENDS).fillna("")
    why[~np.isnan(cells.numbers)] = ""
    counts = np.bincount(at, minlength=len(distinct))
    codes: dict[str, int] = {}
    for code, n in zip(plain, counts, strict=True):
        if code in MEANINGS or code in own:
            codes[code] = codes.get(code, 0) + int(n)
    return Cells(cells.numbers[at], cells.is_odd[at], codes), why.to_numpy(dtype=object)[at]


def require_measures(asked: Sequence[str], frame: pd.DataFrame, name: str, notes: str = "") -> None:
    """Raise `DataError` where a measure asked for is no column of a table."""
    known = [str(column) for column in frame.columns]
    absent = [measure for measure in asked if measure not in known]
    if absent:
        raise DataError(
            f"{name}: there is no column '{absent[0]}'.{did_you_mean(absent[0], known)} "
            f"It has {listed(known, 12)}.{notes}"
        )


def refuse_repeated(keys: pd.DataFrame, name: str, what: str) -> None:
    """Raise `DataError` where two rows are of the same thing, such as a school and year that stands there twice."""
    twice = keys.duplicated().to_numpy() if len(keys.columns) else np.zeros(len(keys), dtype=bool)
    if twice.any():
        at = int(np.argmax(twice))
        of = listed([f"{column} {str(cell)[:_CLIP]}" for column, cell in keys.iloc[at].items() if str(cell).strip()], 6)
        raise DataError(
            f"{name}: line {int(keys.index[at]) + 2}: {what} stands there twice ({of}; "
            f"{counted(int(twice.sum()), 'such row')}). Download it again, or take the doubles out."
        )
