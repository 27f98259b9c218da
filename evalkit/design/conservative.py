"""Which inference rejects less often than its level says, by arithmetic alone, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import Final, Protocol

from evalkit.core.formats import decimals_for, level_text, number
from evalkit.core.quantities import Interval, IntervalOrReason

SLIM_DF: Final = 3.0
"""With fewer degrees of freedom (three equal treated clusters have 2.2) CR2 covers 97% and more in simulation
(docs/methods/few-clusters.md)."""

SMALL_SIZE: Final = 0.6
"""A test whose size is under this share of its level (3% at 5%) is said to be conservative."""


def rank_size(n_ranked: int, level: float) -> float:
    """Return the size of a test by rank among J results, the actual one among them: ⌊αJ⌋/J.

    >>> [round(rank_size(n, 0.95), 3) for n in (149, 40, 39, 22, 19)]
    [0.047, 0.05, 0.026, 0.045, 0.0]
    """
    return floor((1 - level) * n_ranked + 1e-9) / n_ranked


def is_conservative(level: float, df: float | None = None, n_ranked: int | None = None) -> bool:
    """Return whether inference at `level` rejects too seldom by arithmetic: by its rank or its degrees of freedom."""
    if n_ranked is not None:
        return rank_size(n_ranked, level) < SMALL_SIZE * (1 - level)
    return df is not None and df < SLIM_DF


def half_length(interval: Interval) -> float:
    """Return half the length of an interval."""
    return (interval.upper - interval.lower) / 2


def conservative_sentence(
    interval: IntervalOrReason, level: float, df: float | None = None, n_ranked: int | None = None
) -> str:
    """Return that inference is conservative, why, and the half-length of its interval; an empty text where it is not.

    Without an interval there is nothing whose length could be read, and the reason for that stands in its place.
    """
    if not isinstance(interval, Interval) or not is_conservative(level, df, n_ranked):
        return ""
    why = f"{df:.1f} degrees of freedom" if n_ranked is None else f"{n_ranked:,} results to rank"
    half = half_length(interval)
    return (
        f"This is conservative: with {why} an effect of nothing is called one in fewer than "
        f"{level_text(SMALL_SIZE * (1 - level))} of cases. The half-length of its {level_text(level)} interval is "
        f"{_size(half, half)}."
    )


class Inferred(Protocol):
    """Anything with an interval and what its inference rests on."""

    @property
    def interval(self) -> IntervalOrReason:
        """Return the interval, or why there is none."""

    @property
    def df(self) -> float | None:
        """Return the degrees of freedom, None where no Student's t is used."""

    @property
    def n_ranked(self) -> int | None:
        """Return among how many results it was ranked, None where it was not."""


def conservative_rows(rows: Sequence[Inferred]) -> str:
    """Return how many of some rows' intervals are conservative by arithmetic, with half-lengths; an empty text if none.

    Rows without an interval are not counted.
    """
    known = [(row, row.interval) for row in rows if isinstance(row.interval, Interval)]
    found = [half_length(one) for row, one in known if is_conservative(one.level, row.df, row.n_ranked)]
    if not found:
        return ""
    least, most = _size(min(found), max(found)), _size(max(found), max(found))
    half = f"half-length {least}" if least == most else f"half-lengths {least} to {most}"
    return (
        f"{len(found)} of {len(known)} intervals are conservative ({half}): they hold the truth more often than said."
    )


def _size(half: float, of: float) -> str:
    """Return a half-length with the decimals that suit `of`."""
    decimals = decimals_for(of)
    return f"{half:.3g}" if decimals is None else number(half, decimals)
