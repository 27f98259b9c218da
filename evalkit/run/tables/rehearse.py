"""What a project's design finds where nothing happened: `evalkit rehearse`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.core.plain import plain
from evalkit.run.tables.written import CommandAnswer, output_of, tell

if TYPE_CHECKING:
    from evalkit.diagnose.power.rehearsal import Rehearsal
    from evalkit.report.border.parts import Document
    from evalkit.run.commands.options import Given

LOCK = "plan.lock.json"


def rehearse_command(options: Given) -> int:
    """Rehearse a project, or write what was found, and return the exit code 0."""
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.project.chosen_data import chosen_here
    from evalkit.run.project.workspace import project_file

    path = project_file(options.project)
    output = output_of(options, path)
    data = chosen_here(options, path)
    doing = f"{options.project}: rehearsing where nothing happened"
    with environment_faults("rehearsing"), output.progress.step(doing):
        made = rehearsal_of(path, data)
    tell(told_of(made), output)
    return 0


def rehearsal_of(project_file: Path, data: Path | None) -> Rehearsal:
    """Return the rehearsal of a project: on years before alone until its plan is locked, then in other areas."""
    from evalkit.data.published.project_data import read_records
    from evalkit.run.kinds.rehearsed import rehearse, rehearsed_project
    from evalkit.run.project.chosen_data import telling_of_missing_data
    from evalkit.run.project.project_file import load_project
    from evalkit.run.project.runner import find_data

    sources, is_locked = find_data(data), (project_file.parent / LOCK).exists()
    project = rehearsed_project(load_project(project_file), is_locked)
    with telling_of_missing_data(sources):
        intake = read_records(project, project_file.parent, sources)
    return rehearse(project, intake, is_locked)


def told_of(made: Rehearsal) -> CommandAnswer:
    """Return everything that is told of a rehearsal, each form made when it is asked for."""
    from evalkit.report.tables.rehearsal import rehearsal_table

    return CommandAnswer(
        document=lambda _: _document(made),
        csv=lambda: rehearsal_table(made).to_csv(),
        record=lambda: _record(made),
    )


def _document(made: Rehearsal) -> Document:
    from evalkit.report.border.parts import Document
    from evalkit.report.tables.rehearsal import (
        rehearsal_planted,
        rehearsal_rejections,
        rehearsal_table,
        rehearsal_words,
    )
    from evalkit.report.words.statements import synthetic_banner

    parts = (rehearsal_words(made), rehearsal_table(made), rehearsal_rejections(made), rehearsal_planted(made))
    return Document(
        title=f"{made.project.slug}: its design rehearsed where nothing happened",
        banner=synthetic_banner(made.project.programme.place) if made.data_kind == "synthetic" else "",
        sections=(parts,),
    )


def _record(made: Rehearsal) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "project": made.project.slug,
        "data_kind": made.data_kind,
        "analysis": made.analysis,
        "how_listed": made.how_listed,
        "years_before": list(made.pre),
        "years_after": list(made.post),
        "plan_locked": made.is_locked,
        "outcomes": plain(made.outcomes),
    }
