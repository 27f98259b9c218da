"""The checks that could sink the result, in the order a reader should meet them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from evalkit.diagnose.checks_choice import (
    choices,
    clustering_by_area,
    contamination,
    lists_postdate,
    one_neighbour_out,
    permutation,
)
from evalkit.diagnose.checks_sample import (
    attrition,
    balance,
    conversions,
    power,
    score_cap,
)
from evalkit.diagnose.checks_trend import (
    level_and_change,
    matching_assumptions,
    placebo_outcome,
    pre_trend,
    triple_difference,
)
from evalkit.diagnose.finding import Finding
from evalkit.diagnose.results import Results

CHECKS: Final[tuple[Callable[[Results], Finding], ...]] = (
    permutation,
    choices,
    one_neighbour_out,
    pre_trend,
    level_and_change,
    placebo_outcome,
    triple_difference,
    matching_assumptions,
    balance,
    attrition,
    conversions,
    contamination,
    clustering_by_area,
    score_cap,
    power,
    lists_postdate,
)
"""Every check: takes results, returns one finding."""
