"""Which notebooks a project runs: the kit's own, one for each of its analyses, and those of the evaluator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evalkit.run.project.workspace import NOTEBOOKS, notebooks_folder

if TYPE_CHECKING:
    from evalkit.core.project import Project

DESCRIBING: Final = {name: f"{name}_described" for name in ("0_summary", "1_design", "3_review")}
"""What stands in the place of the kit's notebooks where every analysis describes and none gives an effect."""
FIRST: Final = NOTEBOOKS[0]
"""The notebook that locks the design, before any other is run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedNotebook:
    """One notebook to run, and the name of what it becomes among the outputs.

    `parameters` are given beside those of every notebook: which analysis it is of. `title` is that of a notebook of
    the evaluator's own, whose bare output is shown only where it `is_unchecked`.
    """

    name: str
    path: Path
    parameters: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    is_unchecked: bool = False
    place: tuple[str, int] = ("", 0)

    @property
    def is_own(self) -> bool:
        """Return whether it is the evaluator's own."""
        return bool(self.title)


def planned_notebooks(project: Project, project_file: Path) -> tuple[PlannedNotebook, ...]:
    """Return the notebooks of a project in the order in which they are run: the design first, then its analyses."""
    folder = notebooks_folder(project_file)
    files = {name: DESCRIBING.get(name, name) if project.only_describes else name for name in NOTEBOOKS}
    kits = {name: PlannedNotebook(name=name, path=folder / f"{file}.ipynb") for name, file in files.items()}
    return (
        kits.pop(FIRST),
        *_of_analyses(project, folder),
        *_own(project, project_file.parent),
        *kits.values(),
    )


def _of_analyses(project: Project, folder: Path) -> Iterator[PlannedNotebook]:
    from evalkit.run.kinds.registry import kind_of

    n_of = Counter(analysis.kind for analysis in project.analyses)
    for analysis in project.analyses:
        path = kind_of(analysis.kind).notebook or folder / f"2_{analysis.kind}.ipynb"
        name = f"2_{analysis.kind}" if n_of[analysis.kind] == 1 else f"2_{analysis.kind}-{analysis.name}"
        yield PlannedNotebook(name=name, path=path, parameters={"analysis": analysis.name})


def _own(project: Project, folder: Path) -> Iterator[PlannedNotebook]:
    for number, one in enumerate(project.notebooks, start=1):
        yield PlannedNotebook(
            name=Path(one.file).stem,
            path=folder / one.file,
            title=one.title,
            is_unchecked=one.unchecked,
            place=(one.after, number),
        )


def in_report_order(planned: tuple[PlannedNotebook, ...]) -> list[PlannedNotebook]:
    """Return notebooks as a report shows them: by name, each of the evaluator's own after the one it names."""
    kits = sorted((one for one in planned if not one.is_own), key=lambda one: one.name)
    ordered: list[PlannedNotebook] = []
    own = [one for one in planned if one.is_own]
    for one in kits:
        ordered += [one, *(each for each in own if one.name in (each.place[0], f"2_{each.place[0]}"))]
    return [*ordered, *(one for one in own if one not in ordered)]
