"""A table of ids and numbers as CSV that no spreadsheet runs and no terminal obeys."""

from __future__ import annotations

import pandas as pd

from evalkit.core.words import csv_safe


def frame_csv(frame: pd.DataFrame, has_index: bool = True) -> str:
    """Return a table as CSV, its index first; texts that begin like a formula stand behind an apostrophe."""
    table = frame.reset_index() if has_index else frame
    safe = pd.DataFrame({csv_safe(str(name)): _safe(table[name]) for name in table})
    return str(safe.to_csv(index=False, lineterminator="\n"))


def _safe(column: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column
    return column.astype(object).map(lambda cell: csv_safe(cell) if isinstance(cell, str) else cell)
