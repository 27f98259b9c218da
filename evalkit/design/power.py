"""The least effect a design could detect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from scipy import special

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Quantity, Unavailable

MULTIPLIER = 2.8
"""Standard errors that a two-sided test at 5% detects with 80% power: 1.96 + 0.84 (Bloom, 1995)."""

MANY_DF: Final = 100
"""Degrees of freedom from which the normal quantiles stand in for Student's t: they differ by under 1.5% there."""


def multiplier(df: float | None, level: float = 0.95, power: float = 0.8) -> float:
    """Return M, the standard errors that a two-sided test detects with the power asked for.

    M = t(1 − (1 − level)/2; df) + t(power; df); normal quantiles where `df` is None or at least 100, their sum rounded
    to the customary 2.8 at 95% and 80%. Raises `DesignError` for a level or power that is none, or df ≤ 0.
    """
    require_shares(level, power)
    if df is not None and not df > 0:
        raise DesignError(f"A test needs degrees of freedom, and {df:g} are left. Compare more schools or areas.")
    tail = 0.5 + level / 2
    if df is None or df >= MANY_DF:
        if (level, power) == (0.95, 0.8):
            return MULTIPLIER
        return float(special.ndtri(tail) + special.ndtri(power))
    return float(special.stdtrit(df, tail) + special.stdtrit(df, power))


def require_shares(level: float, power: float) -> None:
    """Raise `DesignError` where a level or a power is none."""
    if not 0 < level < 1:
        raise DesignError(f"The level of a test's interval lies between 0 and 1, not at {level}.")
    if not 1 - level < power < 1:
        raise DesignError(
            f"The power asked for lies between {1 - level:.2g}, the size of the test, and 1: not {power}."
        )


def averaging_factor(n_pre: int, n_post: int) -> float:
    """Return the SD of mean(post) − mean(pre) over that of a change between two single years.

    Assumes area shocks of equal variance, independent between years: √((1/n_post + 1/n_pre) / 2).
    """
    return math.sqrt((1 / n_post + 1 / n_pre) / 2)


def detectable_effect(placebo_sd: float, n_pre: int, n_post: int) -> float:
    """Return 2.8 × the SD of placebo-area changes between two single years, adjusted for averaging."""
    return MULTIPLIER * placebo_sd * averaging_factor(n_pre, n_post)


def detectable_at_design(placebo_changes: Sequence[float], n_pre: int, n_post: int, fewest: int = 20) -> Quantity:
    """Return the least detectable effect from placebo-area changes before the programme, or why there is none."""
    n = len(placebo_changes)
    if n < fewest:
        return Unavailable(f"Only {n} areas could serve as placebos before the programme; {fewest} are needed.")
    mean = math.fsum(placebo_changes) / n
    sd = math.sqrt(math.fsum((change - mean) ** 2 for change in placebo_changes) / (n - 1))
    return detectable_effect(sd, n_pre, n_post)
