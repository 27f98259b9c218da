"""The ids of units: each known and once, and the order they fix, whatever order a file has."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.words import counted
from evalkit.data.roles import named


def id_order(ids: pd.Index) -> NDArray[np.int64] | None:
    """Return positions that put ids in order, None where they stand so.

    Numbers go by size; texts by length and then by letter, so that `S2` comes before `S10`.
    """
    if pd.api.types.is_numeric_dtype(ids.dtype):
        return None if ids.is_monotonic_increasing else ids.argsort().astype(np.int64)
    texts = pd.Series(ids).astype("str")
    length = texts.str.len().to_numpy()
    head, tail = texts.iloc[:-1].reset_index(drop=True), texts.iloc[1:].reset_index(drop=True)
    longer, alike = np.diff(length) > 0, np.diff(length) == 0
    if (longer | (alike & (tail >= head).to_numpy())).all():
        return None
    rank = pd.factorize(texts, sort=True)[0]
    return np.lexsort((rank, length)).astype(np.int64)


def require_ids(ids: pd.Index) -> None:
    """Raise `DataError` where there are no ids, or one is missing or stands twice."""
    if not len(ids):
        raise DataError("The table has no rows.")
    if ids.hasnans:
        raise DataError("A row has no id. Fill it in, or leave the row out.")
    if not ids.is_unique:
        twice = ids[ids.duplicated()]
        raise DataError(
            f"The id {named(twice[0])} stands in more than one row ({counted(twice.nunique(), 'such id')}). "
            "Keep one row for each unit."
        )
