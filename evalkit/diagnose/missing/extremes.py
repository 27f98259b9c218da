"""What results that are missing after the programme began could be at worst and at best, as completed tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools
from evalkit.core.quantities import Unavailable
from evalkit.core.words import counted

if TYPE_CHECKING:
    from evalkit.diagnose.missing.sample import MissingSample, Outcomes

SIZES: Final = (6, 10)
"""Pupils of the smallest published cohorts, which stand for those whose results are suppressed."""
TAILS: Final = (5.0, 95.0)
"""Percentiles of their results that stand for the worst and the best."""
FEWEST_LIKE: Final = 20
"""Units of such a size below which a percentile of them says nothing."""
_SUPPRESSED: Final = ("suppressed", "confidential", "redacted")
NONE_SUPPRESSED: Final = "No result after the programme began is suppressed."
NONE_LOST: Final = "No result after the programme began is missing."

End = Literal["worst", "best"]


def is_suppressed(reason: str) -> bool:
    """Return whether a result was there and withheld, as few people stood behind it."""
    return reason.startswith(_SUPPRESSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extremes:
    """What stands for a missing result at worst and at best.

    Attributes
    ----------
    of : the lowest and the highest number that a result of the year at a place could be; raises `LookupError`
    covers_all : whether every gap after the programme began is filled, or suppressed results alone
    row, note : what is filled in, in words for a row of a table and for a note below it
    """

    of: Callable[[Outcomes, int], tuple[float, float]]
    covers_all: bool
    row: str
    note: str


def worst_and_best(sample: MissingSample) -> dict[End, pd.DataFrame] | Unavailable:
    """Return a completed table for each end: the treated's gaps at their worst and all others' at best, and reversed.

    Other gaps stay gaps.
    """
    outcomes, extremes = sample.outcomes, sample.extremes
    if isinstance(extremes, Unavailable):
        return extremes
    filled = _filled(outcomes, extremes.covers_all)
    if not filled[outcomes.is_in_arm].any():
        return Unavailable(NONE_LOST if extremes.covers_all else NONE_SUPPRESSED)
    try:
        ends = {at: extremes.of(outcomes, at) for at in np.flatnonzero(filled.any(axis=0)).tolist()}
    except LookupError as problem:
        return Unavailable(str(problem))
    is_treated = (outcomes.arm == "treated").to_numpy()
    found: dict[End, pd.DataFrame] = {}
    for end in ("worst", "best"):
        table = outcomes.values.astype(float)
        is_low = (end == "worst") != sample.words.is_lower_better
        for at, (low, high) in ends.items():
            own, others = (low, high) if is_low else (high, low)
            year = table.columns[at]
            table.loc[filled[:, at] & is_treated, year] = own
            table.loc[filled[:, at] & ~is_treated, year] = others
        found[end] = table
    return found


def _filled(outcomes: Outcomes, covers_all: bool) -> Bools:
    gaps = outcomes.missing & outcomes.after & outcomes.has_all_before[:, None]
    if covers_all:
        return np.asarray(gaps)
    reasons = outcomes.reasons.to_numpy(dtype=object)
    hidden = np.array([[is_suppressed(str(one)) for one in row] for row in reasons]).reshape(reasons.shape)
    return np.asarray(hidden & gaps)


def _of_small(outcomes: Outcomes, at: int) -> tuple[float, float]:
    """Return the 5th and 95th percentile of the results of schools with 6 to 10 pupils in the year at a place.

    Where the files tell no cohort of that year, a school's cohort is that of the last year before of which they do.
    """
    year, values = outcomes.values.columns[at], outcomes.values.iloc[:, at]
    known = outcomes.pupils.iloc[:, : at + 1].dropna(axis=1, how="all")
    pupils = known.iloc[:, -1] if len(known.columns) else outcomes.pupils.iloc[:, at]
    small = values[pupils.between(*SIZES) & values.notna()]
    if len(small) < FEWEST_LIKE:
        raise LookupError(
            f"{counted(len(small), 'school')} of {SIZES[0]} to {SIZES[1]} pupils had a result in {year}: too few to "
            "say what the suppressed ones could be at worst."
        )
    return _tails(small)


def _tails(values: pd.Series) -> tuple[float, float]:
    low, high = np.percentile(values.to_numpy(dtype=float), TAILS)
    return float(low), float(high)


_LOW, _HIGH = (f"{end:.0f}th" for end in TAILS)
SMALL_SCHOOLS: Final = Extremes(
    of=_of_small,
    covers_all=False,
    row="where suppressed",
    note=f"Suppressed: the {_LOW} and {_HIGH} percentile of schools of {SIZES[0]} to {SIZES[1]} pupils that year stand "
    "for what cohorts too small to publish may have had: at worst the worse one for the treated and the better one for "
    "all others, at best the reverse. Other gaps stay gaps. Where no cohorts of that year are told, those of the last "
    "year before count.",
)


def any_of(one: str, many: str) -> Extremes:
    """Return that the 5th and 95th percentile of all units that year stand for every gap after the programme began."""

    def of(outcomes: Outcomes, at: int) -> tuple[float, float]:
        values = outcomes.values.iloc[:, at].dropna()
        if len(values) < FEWEST_LIKE:
            raise LookupError(
                f"{counted(len(values), one, many)} had a result in {outcomes.values.columns[at]}: too few to say what "
                "the missing ones could be at worst."
            )
        return _tails(values)

    return Extremes(
        of=of,
        covers_all=True,
        row=f"of any {one} that year",
        note=f"At worst and at best: the {_LOW} and {_HIGH} percentile of {many} that year stand for every missing "
        "result after the programme began: at worst the worse one for the treated and the better one for all others, "
        "at best the reverse. For those that stood far from the middle before, the range is wide.",
    )
