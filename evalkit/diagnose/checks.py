"""The checks that could sink the result, in the order a reader should meet them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from evalkit.diagnose.checks_choice import (
    alternative_list,
    choices,
    clustering_by_area,
    contamination,
    influence,
    lists_postdate,
    one_neighbour_out,
    permutation,
)
from evalkit.diagnose.checks_sample import (
    attrition,
    balance,
    concentration,
    conversions,
    overlap,
    power,
    score_cap,
)
from evalkit.diagnose.checks_trend import (
    joint,
    level_and_change,
    matching_assumptions,
    placebo_outcome,
    placebo_start,
    pre_trend,
    triple_difference,
)
from evalkit.diagnose.finding import Finding
from evalkit.diagnose.results import Results

CHECKS: Final[tuple[Callable[[Results], Finding], ...]] = (
    pre_trend,
    placebo_start,
    placebo_outcome,
    alternative_list,
    influence,
    joint,
    balance,
    overlap,
    attrition,
    conversions,
    contamination,
    concentration,
    lists_postdate,
    permutation,
    level_and_change,
    triple_difference,
    choices,
    one_neighbour_out,
    matching_assumptions,
    clustering_by_area,
    score_cap,
    power,
)
"""Every check, falsification tests first, then design facts, then statements: takes results, returns one finding."""
