"""The Word document in whose look a project's report is made."""

from __future__ import annotations

from pathlib import Path

from evalkit.core.project import Project
from evalkit.run.faults import environment_faults
from evalkit.run.plain_yaml import shown_name


def reference_of(project: Project, folder: Path) -> bytes | None:
    """Return the reference document of a project, None where it names none; raise `InputError` for any other file."""
    if project.reference_document is None:
        return None
    from evalkit.report.word_base import require_reference

    path = folder / project.reference_document
    with environment_faults(f"reading {path.name}"):
        content = path.read_bytes()
    require_reference(content, shown_name(path))
    return content
