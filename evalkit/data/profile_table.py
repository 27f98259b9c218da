"""A user's own table of what units are like, from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.words import counted
from evalkit.data.long_files import Columns, read_columns
from evalkit.data.long_kinds import text_columns
from evalkit.data.profiles import ProfileRoles, Profiles


def read_profiles(path: Path, roles: ProfileRoles, categories: tuple[str, ...] = ()) -> Profiles:
    """Return the units of a CSV (also .csv.gz) or Parquet file with one row for each.

    Ids, labels and names are texts as in the file. A characteristic is a number where the file holds numbers, and a
    category where it holds texts or is named in `categories`. Raise `DataError` where the file cannot be read, a
    column is missing, a characteristic holds numbers and texts, or an id stands twice.
    """
    unknown = [name for name in categories if name not in roles.characteristics]
    if unknown:
        raise DataError(f"'{unknown[0]}' is named as a category but is not among the characteristics.")
    as_texts = (*categories, *roles.labels, *roles.shown)
    open_ones = [name for name in roles.characteristics if name not in as_texts]
    named = [roles.unit, *roles.labels, *roles.shown, *categories, *([roles.name] if roles.name else [])]
    texts = list(dict.fromkeys([*named, *text_columns(path, open_ones)]))
    numbers = [name for name in roles.characteristics if name not in texts]
    read = read_columns(path, texts, numbers)
    for name in open_ones:
        if name in texts:
            _refuse_mixed(read, name)
    return Profiles.from_frame(pd.DataFrame(read.texts | read.numbers, copy=False), roles)


def _refuse_mixed(read: Columns, name: str) -> None:
    """Raise `DataError` where texts are likelier codes for missing numbers than categories."""
    is_number = pd.to_numeric(read.texts[name], errors="coerce").notna().to_numpy()
    if not is_number.any():
        return
    is_text = read.texts[name].notna().to_numpy() & ~is_number
    at = int(np.argmax(is_text))
    raise DataError(
        f"{read.name}: {read.place(at)}: the characteristic '{name}' holds numbers and texts "
        f"({read.texts[name].iloc[at]!r} there; {counted(int(is_text.sum()), 'such cell')}). Leave cells empty where "
        f"the value is missing, or name '{name}' as a category."
    )
