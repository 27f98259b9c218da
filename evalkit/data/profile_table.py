"""A user's own table of what units are like, from a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.data.long_files import read_columns
from evalkit.data.long_kinds import text_columns
from evalkit.data.profiles import ProfileRoles, Profiles


def read_profiles(path: Path, roles: ProfileRoles, categories: tuple[str, ...] = ()) -> Profiles:
    """Return the units of a CSV (also .csv.gz) or Parquet file with one row for each.

    Ids, labels and names are texts as in the file. A characteristic is a number where its column holds numbers (with
    percent signs, and codes such as SUPP for those that are missing), and a category where all its cells are texts or
    it is named in `categories`. Raise `DataError` where the file cannot be read, a
    column is missing, a characteristic holds numbers and texts, or an id stands twice.
    """
    unknown = [name for name in categories if name not in roles.characteristics]
    if unknown:
        raise DataError(f"'{unknown[0]}' is named as a category but is not among the characteristics.")
    as_texts = (*categories, *roles.labels, *roles.shown)
    open_ones = [name for name in roles.characteristics if name not in as_texts]
    named = [roles.unit, *roles.labels, *roles.shown, *categories, *([roles.name] if roles.name else [])]
    texts = list(dict.fromkeys([*named, *text_columns(path, open_ones, "characteristic")]))
    numbers = [name for name in roles.characteristics if name not in texts]
    read = read_columns(path, texts, numbers)
    read.require_ids(roles.unit)
    profiles = Profiles.from_frame(pd.DataFrame(read.texts | read.numbers, copy=False), roles)
    return replace(profiles, codes=read.codes, notes=read.notes)
