"""What the codes in published tables mean; a code stays a reason and never becomes a silent gap."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.words import counted, shown_cell

LOST: Final = "not published (the source does not say why)"
ROW_ENDS: Final = "not given (the row ends before this column)"
NO_ROW: Final = "no row in this year's table"

CODE_REASONS: Final = {
    "SUPP": "suppressed (too few pupils)",
    "NE": "no entries",
    "NA": "not applicable or not available for the year",
    "NP": "not published for this kind of school",
    "NEW": "new school, no results yet",
    "LOWCOV": "not published (fewer than half of the pupils covered)",
    "SP": "between 0% and 0.5%",
    "RE": "redacted",
    "": "blank in source",
    " ": "not given (single space in source)",
}
"""Codes of the performance tables, 2016/17 to 2018/19, with the words a reader sees."""

BLANKS: Final = ("", "NaN", "nan")
"""What a cell of any table holds where there is nothing to be said of it."""
SYMBOLS: Final = {
    "z": "not applicable",
    "x": "not available for other reasons",
    "c": "confidential",
    "u": "of low reliability",
    "k": "rounds to 0 but is not 0",
    "low": "rounds to 0 but is not 0",
    "~": "rounds to 0 but is not 0",
    ":": "not available",
    ".": "not applicable",
    "..": "not available",
}
"""Symbols of DfE's and the statistical service's open data."""
MEANINGS: Final = {code: text for code, text in CODE_REASONS.items() if code.strip()} | SYMBOLS
"""What a code means that stands in the place of a number, in any table; blanks are no codes."""
_LETTERS: Final = ("z", "x", "c", "u", "k", "low")
"""Codes that may just as well be names of categories where a column holds no number."""

_PERCENT: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)\s?%")
DECIMAL_COMMA: Final = re.compile(r"[-+]?\d+,\d{1,2}%?")
"""A number written with a comma for its decimals, which cannot be one of thousands."""
_THOUSANDS: Final = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?%?")


@dataclass(frozen=True, slots=True)
class Coded:
    """How many cells of a column hold a code in the place of a number."""

    column: str
    code: str
    n_cells: int

    @property
    def meaning(self) -> str:
        """Return what the code means."""
        return MEANINGS[self.code].replace(" (", ": ").removesuffix(")")


def coded_notes(codes: Iterable[Coded], fewest: int = 0) -> Iterator[str]:
    """Yield for each column in a sentence which codes stand in it; counts of cells below `fewest` are not told.

    >>> list(coded_notes([Coded("progress", "SUPP", 12), Coded("progress", "NE", 1)]))
    ["In 'progress' count as missing: 12 cells SUPP (suppressed: too few pupils), 1 cell NE (no entries)."]
    """
    columns: dict[str, list[str]] = {}
    for code in codes:
        cells = f"fewer than {fewest} cells" if code.n_cells < fewest else counted(code.n_cells, "cell")
        columns.setdefault(code.column, []).append(f"{cells} {code.code} ({code.meaning})")
    for column, parts in columns.items():
        yield f"In '{column}' count as missing: {', '.join(parts)}."


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A column of texts as numbers: NaN where a cell is blank, holds a code, or `is_odd` (neither number nor code)."""

    numbers: NDArray[np.float64]
    is_odd: NDArray[np.bool_]
    codes: dict[str, int]

    @property
    def has_numbers(self) -> bool:
        """Return whether any cell is a number."""
        return bool((~np.isnan(self.numbers)).any())


def read_cells(texts: pd.Series) -> Cells:
    """Return texts as numbers: the one rule, for every file, of what a cell of a column of numbers may hold.

    A number may have blanks around it, a percent sign (`46.9%` is 46.9) or thousands separators (`1,234`). A blank
    cell, NaN and the codes of published tables are missing; how often each code stands there is counted. All else is
    odd, and so are the cells without a percent sign where others have one: which unit they are in is not known.
    """
    cells = texts.fillna("").astype("str").str.strip()
    plain = pd.to_numeric(cells, errors="coerce").notna().to_numpy(copy=True)
    plain &= ~cells.isin(BLANKS).to_numpy()
    numbers = np.full(len(cells), np.nan)
    numbers[plain] = cells[plain].astype(float)  # as Python reads them, to the last digit
    rest = np.flatnonzero(~plain)
    at, distinct = pd.factorize(cells.iloc[rest])
    numbers[rest] = np.array([_number(text) for text in distinct], dtype=float)[at]
    is_known = np.array([text in BLANKS or text in MEANINGS for text in distinct], dtype=bool)[at]
    is_odd = np.isnan(numbers)
    is_odd[rest[is_known]] = False
    if any(text.endswith("%") for text in distinct):
        is_odd |= plain & (numbers != 0)
    counts = np.bincount(at, minlength=len(distinct))
    codes = {text: int(n) for text, n in zip(distinct, counts, strict=True) if text in MEANINGS}
    return Cells(numbers, is_odd, dict(sorted(codes.items(), key=lambda pair: (-pair[1], pair[0]))))


def _number(text: str) -> float:
    if _PERCENT.fullmatch(text) or _THOUSANDS.fullmatch(text):
        return float(text.rstrip("% ").replace(",", ""))
    return np.nan


def holds_texts(cells: Cells) -> bool:
    """Return whether a column is one of texts: no number stands in it, and something that is no code for one.

    A column of nothing but `c` and `u` holds texts, one of nothing but SUPP holds numbers that are all missing.
    """
    if cells.has_numbers:
        return False
    return bool(cells.is_odd.any()) or any(code in _LETTERS for code in cells.codes)


def refuse_odd(cells: Cells, texts: pd.Series, column: str, place: Callable[[int], str], *, remedy: str = "") -> None:
    """Raise `DataError` with the place of the first cell that is neither a number nor a code for a missing one."""
    if not cells.is_odd.any():
        return
    at, n = int(np.argmax(cells.is_odd)), counted(int(cells.is_odd.sum()), "such cell")
    text = shown_cell(texts.iloc[at])
    if not np.isnan(cells.numbers[at]):
        raise DataError(
            f"{place(at)}: {text} in the column {column!r} has no percent sign where other cells have one ({n}), so "
            "that it could be a share of 1 or of 100. Write all of them with the sign, or none."
        )
    raise DataError(
        f"{place(at)}: {text} in the column {column!r} is not a number.\n"
        f"{_remedy(str(texts.iloc[at]).strip(), cells)}{remedy} ({n} in this column)."
    )


def _remedy(text: str, cells: Cells) -> str:
    if text.lower() in ("true", "false", "yes", "no", "y", "n"):
        return "Write 1 for yes and 0 for no"
    if DECIMAL_COMMA.fullmatch(text):
        return "Write decimals with a point, in all rows"
    if holds_texts(cells):
        return "No cell of the column is one. Name a column of numbers, or make one of 0 and 1 for each category"
    return "Correct it, or leave the cell empty if the value is missing"


def parse_cells(
    cells: pd.Series, where: str, blank: str = "", symbols: Mapping[str, str] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Split published cells into numbers and reasons.

    Parameters
    ----------
    cells : Series of str, shape (n,)
        Cells exactly as published; missing where the row ended early.
    where : str
        File and column, for the error message.
    blank : str
        Reason for an empty cell, where the source is known to have lost its codes.
    symbols : Mapping of str to str, optional
        Further codes that the source uses, such as `SYMBOLS`, with their meaning.

    Returns
    -------
    numbers : NDArray of float, shape (n,); NaN exactly where there is a reason
    reasons : NDArray of str, shape (n,); empty exactly where there is a number

    Raises
    ------
    DataError
        If a cell is neither a number nor a known code.
    """
    # a cell that its row ended before is something else than an empty cell; no file holds this mark
    text = cells.where(cells.notna(), "\0")
    numbers = pd.to_numeric(text.str.removesuffix("%"), errors="coerce").to_numpy(dtype=float, copy=True)
    numbers[~np.isfinite(numbers)] = np.nan
    known = {**CODE_REASONS, **(symbols or {})}
    reason_of = {**known, "\0": ROW_ENDS} | ({"": blank} if blank else {})
    reasons = text.map(reason_of).to_numpy(dtype=object, copy=True)
    reasons[np.isfinite(numbers)] = ""
    _refuse_unknown(text[pd.isna(reasons)], where, known)
    return numbers, reasons


def _refuse_unknown(unknown_cells: pd.Series, where: str, known: Mapping[str, str]) -> None:
    if not unknown_cells.empty:
        raise DataError(
            f"{where}: {unknown_cells.iloc[0]!r} ({counted(len(unknown_cells), 'such cell')}) is neither a number nor "
            f"a code of the performance tables ({', '.join(c for c in known if c.strip())}).\n"
            "Check that the file is the untouched download and that the column is the one it claims to be."
        )
