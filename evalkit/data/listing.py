"""One row per school and summer as the sources list them, before any school is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.data.flow import CountedCase

IDENTITY: Final = ("school_id", "urn", "year", "area", "laestab", "name", "minor_group")
"""Columns every listing has, whichever source it came from."""


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """Schools as listed: one row per school and year, scores still as published text.

    `identity` has the columns of `IDENTITY` for every year listed. `scores` has `school_id`,
    `year`, the pupils counted (`cohort`) and one column per measure, for the years that were read
    and no other. `blank` is the reason of an empty cell by year, where the source has lost its
    codes. `cases` counts what identity over time had to resolve.
    """

    identity: pd.DataFrame
    scores: pd.DataFrame
    blank: dict[int, str]
    cases: tuple[CountedCase, ...]
    source: str

    def __post_init__(self) -> None:
        for frame in (self.identity, self.scores):
            if frame.duplicated(["school_id", "year"]).any():
                raise DataError(
                    f"{self.source}: a school has two rows in one year; identity over time was not resolved."
                )


def whole_numbers(cells: pd.Series, where: str) -> pd.Series:
    """Return cells as whole numbers; raise `DataError` at the first that is not one."""
    numbers = pd.to_numeric(cells, errors="coerce")
    odd = cells[numbers.isna() | (numbers % 1 != 0)]
    if not odd.empty:
        raise DataError(f"{where}: {odd.iloc[0]!r} (row {odd.index[0] + 2} of the file) is not a whole number.")
    return numbers.astype(int)
