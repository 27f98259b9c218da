"""Pupils on roll by school, from the census of 2022/23."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pandas as pd

from evalkit.data.codes import parse_cells
from evalkit.data.tables import read_table

ROLL: Final = "NOR_2223"
ROLL_YEAR: Final = "2022/23"
"""The school year of the only census whose rolls are at hand."""


def read_roll(covariates: Mapping[str, Path]) -> pd.Series | None:
    """Return pupils on roll by school_id over all key stages, or None where no file has them.

    A school that teaches two key stages stands in both files with one roll and is kept once.
    """
    found = [rolls for _, path in sorted(covariates.items()) if (rolls := _read(path)) is not None]
    if not found:
        return None
    both = pd.concat(found)
    kept: pd.Series = both[~both.index.duplicated()]
    return kept


def _read(path: Path) -> pd.Series | None:
    frame = read_table(path, ["SCHOOL_ID"], optional=[ROLL])
    if ROLL not in frame:
        return None
    pupils = pd.Series(parse_cells(frame[ROLL], f"{path.name}, {ROLL}")[0], index=frame["SCHOOL_ID"], dtype=float)
    return pupils.dropna()
