"""When the lists of statistical neighbours were drawn up, beside the programme they are used for."""

from __future__ import annotations

from datetime import date
from typing import Final

from evalkit.core.project import Project
from evalkit.design.labels import LIST_LABEL

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
        told = f"Both lists of statistical neighbours ({labels[0]} and {labels[1]}) were drawn up {when[0]}"
    else:
        told = (
            f"Of the lists of statistical neighbours, that of {labels[0]} was drawn up {when[0]}, and that of "
            f"{labels[1]} {when[1]}"
        )
    if not any(postdates(project, name) for name in names):
        return f"{told}."
    return (
        f"{told}, from what areas were like by then: an area may stand on a list, or not, for what the programme "
        "itself changed."
    )


def _when(project: Project, name: str) -> str:
    drawn, facts = _DATES[name], project.programme
    if drawn > facts.end:
        return f"after the programme, which ended in {facts.end:%B %Y}"
    return "while the programme ran" if drawn > facts.start else "before the programme began"
