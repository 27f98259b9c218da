"""Which rows of a table count: those whose cells are one of the values named for their column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.words import did_you_mean, listed

Where = Mapping[str, str | int | Sequence[str | int]]
"""From a column to the value, or the values, that its cells must have; blanks around a cell do not count."""


def wanted(values: str | int | Sequence[str | int]) -> tuple[str, ...]:
    """Return the values named for a column, one or several, as texts without blanks around them."""
    return tuple(str(value).strip() for value in ((values,) if isinstance(values, str | int) else values))


def rows_where(frame: pd.DataFrame, where: Where, name: str) -> NDArray[np.bool_]:
    """Return which rows have the values named in every column of `where`.

    Raise `DataError` where a column is not there, a value does not stand in it, or no row has all of them.

    >>> frame = pd.DataFrame({"level": ["National", "Regional"], "group": ["all", "all"]})
    >>> rows_where(frame, {"level": "Regional"}, "a.csv").tolist()
    [False, True]
    """
    keep = np.ones(len(frame), dtype=bool)
    for column, values in where.items():
        if column not in frame.columns:
            known = [str(known_column) for known_column in frame.columns]
            raise DataError(
                f"{name}: there is no column '{column}' to choose rows by.{did_you_mean(column, known)} "
                f"It has {listed(known, 12)}."
            )
        cells = frame[column].fillna("").astype("str").str.strip()
        absent = [value for value in wanted(values) if not (cells == value).any()]
        if absent:
            known = sorted(cells.unique().tolist())
            raise DataError(
                f"{name}: no cell of the column '{column}' is '{absent[0]}'.{did_you_mean(absent[0], known)} "
                f"It holds {listed([repr(cell) for cell in known], 8)}."
            )
        keep &= cells.isin(wanted(values)).to_numpy()
    if len(frame) and not keep.any():
        parts = listed([f"{column}: {listed(list(wanted(values)))}" for column, values in where.items()])
        raise DataError(f"{name}: no row has all that was asked for ({parts}). Ask for less.")
    return keep


def told_apart(rows: pd.DataFrame) -> str:
    """Return the columns by which rows differ, each with its values, as a reader may choose among them.

    >>> told_apart(pd.DataFrame({"group": ["CIN", "CLA"], "phase": ["Total", "Total"]}))
    "group ('CIN' and 'CLA')"
    """
    cells = rows.fillna("").astype("str")
    values = {column: sorted(cells[column].unique()) for column in cells if cells[column].nunique() > 1}
    return "; ".join(f"{column} ({listed([repr(one) for one in several], 6)})" for column, several in values.items())
