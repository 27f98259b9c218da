"""What an analysis that describes reads for itself, by the verb `read` of its options."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from evalkit.core.project import Project, summer_of
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.sources import Sources


@dataclass(frozen=True, slots=True, eq=False)
class DescribedRequest:
    """What the options of an analysis that describes read its data of, by their own verb `read`, where they have one.

    `folder` is where the project file lies, `areas` the list of authorities and their neighbours. Nothing of a summer
    after `last` may be read or returned, where one is given: a plan is made of that. None: every year is read.
    """

    project: Project
    folder: Path
    sources: Sources
    areas: NeighbourTable
    last: int | None


def read_described(
    project: Project, folder: Path, sources: Sources, areas: NeighbourTable, start: date | None, is_baseline: bool
) -> dict[str, object]:
    """Return what each analysis that describes reads for itself, by its name; nothing of one that reads nothing.

    A baseline has nothing of a summer from the first start on: `start`, or the programme's own first day.
    """
    last = summer_of(start or project.programme.start) - 1 if is_baseline else None
    wanted = DescribedRequest(project, folder, sources, areas, last)
    return {
        one.name: one.options.read(wanted) for one in project.analyses if one.describes and hasattr(one.options, "read")
    }
