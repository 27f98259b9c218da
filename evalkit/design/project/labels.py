"""The comparisons this kit makes, each with a report's words for it, and when the lists behind them were drawn up."""

from __future__ import annotations

from datetime import date
from typing import Final

from evalkit.core.project import Project

# The comparisons this kit makes, each with the words a report uses for it.

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
SETS_SIMPLE: Final = "neighbours_random_sets"
SETS_LIKE: Final = "neighbours_sets_like_the_list"
AREA_WEIGHTED: Final = "neighbours_area_weighted"
WHOLE_AREA: Final = "neighbours_every_school"
OWN_AREA: Final = "other_schools_of_the_area"

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
    SETS_SIMPLE: "Neighbours, placed among sets of schools at random",
    SETS_LIKE: "Neighbours, placed among sets like the list before",
    AREA_WEIGHTED: "Neighbours, each treated area weighing the same",
    WHOLE_AREA: "Neighbours, every school of the treated areas counted as treated",
    OWN_AREA: "The other schools of the same areas (spillover-prone)",
    MATCHED: "Matched schools, earlier outcomes among the matching variables",
    MATCHED_WITHOUT_OUTCOMES: "Matched schools, earlier outcomes not among the matching variables",
}


def neighbours_of(list_name: str) -> str:
    """Return the design name of a neighbour list that is shown beside the main one."""
    return f"neighbours_{LIST_YEAR[list_name]}"


def design_label(name: str) -> str:
    """Return the words for a design."""
    return _LABELS[name]


# When the lists of statistical neighbours were drawn up, beside the programme they are used for.

_DATES: Final = {"april_2021": date(2021, 4, 1), "may_2025": date(2025, 5, 1)}


def postdates(project: Project, list_name: str) -> bool:
    """Return whether a list was drawn up after the programme began, so that the programme may have shaped it."""
    return _DATES[list_name] > project.programme.start


def age_of_lists(project: Project) -> str:
    """Return in a sentence when each of a project's lists was drawn up, and what follows from it."""
    names = (project.pool.neighbours, project.pool.alternative_neighbours)
    when = [_when(project, name) for name in names]
    labels = [LIST_LABEL[name] for name in names]
    if when[0] == when[1]:
        when_drawn = f"Both lists of statistical neighbours ({labels[0]} and {labels[1]}) were drawn up {when[0]}"
    else:
        when_drawn = (
            f"Of the lists of statistical neighbours, that of {labels[0]} was drawn up {when[0]}, and that of "
            f"{labels[1]} {when[1]}"
        )
    if not any(postdates(project, name) for name in names):
        return f"{when_drawn}."
    return (
        f"{when_drawn}, from what areas were like by then: an area may stand on a list, or not, for what the programme "
        "itself changed."
    )


def _when(project: Project, name: str) -> str:
    drawn, programme = _DATES[name], project.programme
    if drawn > programme.end:
        return f"after the programme, which ended in {programme.end:%B %Y}"
    return "while the programme ran" if drawn > programme.start else "before the programme began"
