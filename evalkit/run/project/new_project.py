"""`evalkit new` and `evalkit projects`: a new project folder to start from, and those that are there."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.core.errors import EvalkitError, InputError
from evalkit.core.words import cleaned
from evalkit.run.processes.failure import environment_faults
from evalkit.run.project.project_file import claims_schema, load_project, project_schema, schema_text
from evalkit.run.project.workspace import is_slug, project_file, project_slugs, writable_root

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given


def new_command(given: Given) -> int:
    """Make a project folder, print the path of its project file, and return the exit code 0."""
    print(new_project(given.slug, given.kind))
    print(f"Edit it, then type: evalkit check {given.slug}", file=sys.stderr)
    return 0


def projects_command(given: Given) -> int:
    """Print the title of every project, or why it cannot be read, and return the exit code 0."""
    for slug in project_slugs():
        try:
            print(cleaned(f"{slug}: {load_project(project_file(slug)).title}"))
        except EvalkitError as problem:
            print(f"{slug}: cannot be read. {str(problem).splitlines()[0]}")
    return 0


def new_project(slug: str, kind: str = "areas") -> Path:
    """Make data/projects/`slug` with a project file to fill in for an analysis of a kind, and return its path."""
    if not is_slug(slug):
        raise InputError(
            f"'{slug}' cannot name a project. Use lower-case letters, digits and hyphens, at most 64, beginning and "
            "ending with a letter or digit, and no name that Windows keeps to itself (con, nul): new-project."
        )
    projects = writable_root() / "data" / "projects"
    folder = projects / slug
    if folder.exists() or folder.is_symlink():
        raise InputError(
            f"{folder} is there already and is left alone. Choose another slug, or edit the project there."
        )
    with environment_faults(f"making {folder}"):
        projects.mkdir(parents=True, exist_ok=True)
        if not (projects / "project.schema.json").exists():
            write_schemas(projects)
        part = projects / f".{slug}.{os.getpid()}.part"
        try:
            _fill(part, slug, kind)
            part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder / "project.yml"


def _fill(folder: Path, slug: str, kind: str = "areas") -> None:
    folder.mkdir()
    templates = files("evalkit.run.project") / "templates"
    text = (templates / f"{kind}.yml").read_text(encoding="utf-8")
    (folder / "project.yml").write_text(text.replace("SLUG", slug), encoding="utf-8")
    header = (templates / "participants.template.csv").read_text(encoding="utf-8")
    (folder / "participants.template.csv").write_text(header, encoding="utf-8")


def write_schemas(projects: Path) -> None:
    """Write the schemas that editors complete from into the folder of all projects."""
    for name, schema in (("project", project_schema()), ("claims", claims_schema())):
        (projects / f"{name}.schema.json").write_text(schema_text(schema), encoding="utf-8")
