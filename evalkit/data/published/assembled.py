"""The assembled England panels: every school and summer 2016 to 2019 in one file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.errors import DataError
from evalkit.data.flow import CountedCase
from evalkit.data.published.codes import LOST
from evalkit.data.published.records import Listing, area_codes, whole_numbers
from evalkit.data.published.tables import read_table

PANEL_YEARS: Final = (2016, 2017, 2018, 2019)
"""The summers that an assembled panel holds."""
_KEYS: Final = ["SCHOOL_ID", "YEAR"]
_IDENTITY: Final = [*_KEYS, "URN", "LA", "LAESTAB", "SCHNAME", "MINORGROUP_SPINE1718"]
_LOST_YEARS: Final = (2016, 2017, 2018)


def read_assembled(
    path: Path, measures: Sequence[str], pupils: str, years: Collection[int], beside: Sequence[str] = ()
) -> Listing:
    """Read an assembled panel: identity for every year, scores for `years` only.

    Rows of other years are skipped while the score columns are read, so that a follow-up
    outcome that was not asked for is never in memory.

    Parameters
    ----------
    path : Path
        `ks2_school_panel_…csv.gz` or `ks4_school_panel_…csv.gz`.
    measures : sequence of str
        Measure columns to read.
    pupils : str
        Column that counts pupils.
    years : collection of int
        Summers whose scores may be read.
    beside : sequence of str
        Further columns, read for these summers where the panel has them.

    Raises
    ------
    DataError
        If the file is not such a panel, or a school has two rows in one year.
    """
    identity = _identity(path)
    unread = set((identity.index[~identity["year"].isin(list(years))] + 1).tolist())
    columns = [*_KEYS, pupils, *measures]
    scores = read_table(path, columns, optional=beside, skip_rows=unread.__contains__)
    identity_read = identity[identity["year"].isin(list(years))]
    if not np.array_equal(
        scores["SCHOOL_ID"].to_numpy(dtype=object), identity_read["school_id"].to_numpy(dtype=object)
    ):
        raise DataError(f"{path.name}: rows changed while the file was being read. Close other programs and try again.")
    scores["YEAR"] = identity_read["year"].to_numpy()
    scores = scores.rename(columns={"SCHOOL_ID": "school_id", "YEAR": "year", pupils: "pupils"})
    cases = _cases(identity)
    return Listing(identity, scores, dict.fromkeys(_LOST_YEARS, LOST), cases, path.name)


def _identity(path: Path) -> pd.DataFrame:
    frame = read_table(path, _IDENTITY)
    names = {"SCHOOL_ID": "school_id", "URN": "urn", "LAESTAB": "laestab", "SCHNAME": "name"}
    frame = frame.rename(columns={**names, "MINORGROUP_SPINE1718": "minor_group"})
    frame["year"] = whole_numbers(frame.pop("YEAR"), f"{path.name}, YEAR")
    frame["area"] = area_codes(frame.pop("LA"))
    return frame


def _cases(identity: pd.DataFrame) -> tuple[CountedCase, ...]:
    by_school = identity.groupby("school_id")
    return (
        CountedCase(
            "schools followed under more than one number (URN), as chained in the source",
            int((by_school["urn"].nunique() > 1).sum()),
        ),
        CountedCase(
            "schools whose local-authority code changed; the last year's code is used",
            int((by_school["area"].nunique() > 1).sum()),
        ),
        CountedCase("rows without a local authority in the source", int(identity["area"].isna().sum())),
    )
