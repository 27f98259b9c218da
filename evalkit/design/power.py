"""The least effect a design could detect."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evalkit.core.quantities import Quantity, Unavailable

MULTIPLIER = 2.8
"""Standard errors that a two-sided test at 5% detects with 80% power: 1.96 + 0.84 (Bloom, 1995)."""


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
