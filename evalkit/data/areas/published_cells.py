"""Cells of published tables of areas, as numbers."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.words import counted, shown_cell

MISSING: Final = ("", "-", "--", ".", "..", ":", "x", "z", "c", "u", "NA", "N/A")


def published_numbers(cells: pd.Series, where: str) -> NDArray[np.float64]:
    """Return published cells as numbers, NaN for a code that stands for a missing one; `93%` is 93.

    Raise `DataError` for any other text.
    """
    texts = cells.fillna("").astype(str).str.strip()
    is_known = ~texts.isin(MISSING)
    numbers = pd.to_numeric(texts.str.removesuffix("%"), errors="coerce").to_numpy(dtype=float, copy=True)
    bad = is_known.to_numpy() & ~np.isfinite(numbers)
    if bad.any():
        raise DataError(
            f"{where}: {shown_cell(texts[bad].iloc[0])} ({counted(int(bad.sum()), 'such cell')}) is neither a number "
            "nor a code for a missing one. Check that the file is the untouched download."
        )
    numbers[~is_known.to_numpy()] = np.nan
    return numbers
