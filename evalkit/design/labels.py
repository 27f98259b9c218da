"""The comparisons this kit makes, each with the words a report uses for it."""

from __future__ import annotations

from typing import Final

NEIGHBOURS: Final = "neighbours"
MATCHED: Final = "matched"
MATCHED_WITHOUT_OUTCOMES: Final = "matched_without_outcomes"
ENGLAND: Final = "england"
PUPIL_WEIGHTED: Final = "neighbours_pupil_weighted"
SCHOOL_WEIGHTED: Final = "neighbours_school_weighted"
UNRESTRICTED: Final = "neighbours_unrestricted"
WITHOUT_CONVERSIONS: Final = "neighbours_without_conversions"
WITHOUT_CONTAMINATED: Final = "neighbours_without_contaminated"
TREND_ADJUSTED: Final = "neighbours_trend_adjusted"
LEAD: Final = "neighbours_before"

LIST_YEAR: Final = {"april_2021": "2021", "may_2025": "2025"}
LIST_LABEL: Final = {"april_2021": "April 2021", "may_2025": "May 2025"}

_LABELS: Final = {
    NEIGHBOURS: "Statistical neighbours (main)",
    "neighbours_2021": "Neighbours of the April 2021 list",
    "neighbours_2025": "Neighbours of the May 2025 list",
    ENGLAND: "All of England outside the treated area",
    PUPIL_WEIGHTED: "Neighbours, weighted by pupils",
    SCHOOL_WEIGHTED: "Neighbours, each school weighing one",
    UNRESTRICTED: "Neighbours, without the rule that every year must be published",
    WITHOUT_CONVERSIONS: "Neighbours, without schools that converted",
    WITHOUT_CONTAMINATED: "Neighbours, without areas with another known programme",
    LEAD: "Neighbours, change before the programme",
    TREND_ADJUSTED: "Neighbours, less the earlier trend continued",
    MATCHED: "Matched schools, earlier outcomes among the matching variables",
    MATCHED_WITHOUT_OUTCOMES: "Matched schools, earlier outcomes not among the matching variables",
}


def neighbours_of(list_name: str) -> str:
    """Return the design name of a neighbour list that is shown beside the main one."""
    return f"neighbours_{LIST_YEAR[list_name]}"


def design_label(name: str) -> str:
    """Return the words for a design."""
    return _LABELS[name]
