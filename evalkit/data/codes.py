"""What the codes in published tables mean; a code stays a reason and never becomes a silent gap."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.words import counted

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


def parse_cells(cells: pd.Series, where: str, blank: str = "") -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Split published cells into numbers and reasons.

    Parameters
    ----------
    cells : Series of str, shape (n,)
        Cells exactly as published; missing where the row ended early.
    where : str
        File and column, for the error message.
    blank : str
        Reason for an empty cell, where the source is known to have lost its codes.

    Returns
    -------
    numbers : NDArray of float, shape (n,); NaN exactly where there is a reason
    reasons : NDArray of str, shape (n,); empty exactly where there is a number

    Raises
    ------
    DataError
        If a cell is neither a number nor a known code.
    """
    text = cells.where(cells.notna(), "\0")
    numbers = pd.to_numeric(text.str.removesuffix("%"), errors="coerce").to_numpy(dtype=float, copy=True)
    numbers[~np.isfinite(numbers)] = np.nan
    wanted = {**CODE_REASONS, "\0": ROW_ENDS} | ({"": blank} if blank else {})
    reasons = text.map(wanted).to_numpy(dtype=object, copy=True)
    reasons[np.isfinite(numbers)] = ""
    _refuse_unknown(text[pd.isna(reasons)], where)
    return numbers, reasons


def _refuse_unknown(odd: pd.Series, where: str) -> None:
    if not odd.empty:
        raise DataError(
            f"{where}: {odd.iloc[0]!r} ({counted(len(odd), 'such cell')}) is neither a number nor a code of the "
            f"performance tables ({', '.join(c for c in CODE_REASONS if c.strip())}).\n"
            "Check that the file is the untouched download and that the column is the one it claims to be."
        )
