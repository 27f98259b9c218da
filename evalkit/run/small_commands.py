"""Commands of a few lines: `check`, `new`, `projects` and `completion`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from evalkit.core.errors import EvalkitError
from evalkit.core.words import cleaned

if TYPE_CHECKING:
    from evalkit.run.commands.reading import Given


def check(options: Given) -> int:
    """Print what was found in everything that a project names, and return the exit code 0."""
    from evalkit.run.console import Progress
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.project.check import check_project, checked_json, checked_text
    from evalkit.run.project.chosen_data import chosen_here
    from evalkit.run.project.workspace import project_file

    progress, path = Progress(), project_file(options.project)
    data = chosen_here(options, path)
    with environment_faults("checking"), progress.step(f"{options.project}: reading everything, estimating nothing"):
        checked = check_project(path, data)
    print(checked_json(checked) if options.json else checked_text(checked))
    return 0


def make_new(options: Given) -> int:
    """Make a project folder, print the path of its project file, and return the exit code 0."""
    from evalkit.run.project.new_project import new_project

    print(new_project(options.slug))
    print(f"Edit it, then type: evalkit check {options.slug}", file=sys.stderr)
    return 0


def list_projects(options: Given) -> int:
    """Print the title of every project, or why it cannot be read, and return the exit code 0."""
    from evalkit.run.project.project_file import load_project
    from evalkit.run.project.workspace import project_file, project_slugs

    for slug in project_slugs():
        try:
            print(cleaned(f"{slug}: {load_project(project_file(slug)).title}"))
        except EvalkitError as problem:
            print(f"{slug}: cannot be read. {str(problem).splitlines()[0]}")
    return 0


def print_completion(options: Given) -> int:
    """Print what lets a shell complete commands and options, and return the exit code 0."""
    from evalkit.run.completion import SCRIPTS

    print(SCRIPTS[options.shell](), end="")
    return 0
