"""The command line: `evalkit run`, `check`, `power`, `portfolio`, `lab`, `did`, `match`, `synth`, `similar`, `new`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

import evalkit
from evalkit.core.errors import EvalkitError
from evalkit.core.words import cleaned
from evalkit.run.console import make_streams_plain
from evalkit.run.lab.lab import add_lab_command
from evalkit.run.many.portfolio import add_portfolio_command
from evalkit.run.many.run_command import add_run_command
from evalkit.run.tables.did_options import add_did_command
from evalkit.run.tables.match_options import add_match_command
from evalkit.run.tables.power import add_power_command
from evalkit.run.tables.similar import add_similar_command
from evalkit.run.tables.synth_options import add_synth_command
from evalkit.run.typed_paths import add_data_options

DONE, FAILED, BAD_INPUT, ENVIRONMENT, INTERRUPTED = 0, 1, 2, 3, 130
_EPILOG: Final = """\
PROJECT is a slug under data/projects/ or the path of a project.yml.
Without --data those of the project file or of its last report are read, else the synthetic England: made-up schools, so
that everything can be tried.

Exit codes: 0 done; 1 a project failed; 2 bad input or usage; 3 disk, memory or permissions; 4 another run holds the
project; 130 interrupted.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks and return the exit code; no traceback is ever shown."""
    make_streams_plain()
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    _end_on_signals()
    try:
        return command(options)
    except KeyboardInterrupt:
        print("\nInterrupted. Earlier outputs stand as they were.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILED
    except Exception as problem:
        return _told(problem)


def _check(options: argparse.Namespace) -> int:
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
    return DONE


def _new(options: argparse.Namespace) -> int:
    from evalkit.run.project.new_project import new_project

    print(new_project(options.slug))
    print(f"Edit it, then type: evalkit check {options.slug}", file=sys.stderr)
    return DONE


def _projects(options: argparse.Namespace) -> int:
    from evalkit.run.project.project_file import load_project
    from evalkit.run.project.workspace import project_file, project_slugs

    for slug in project_slugs():
        try:
            print(cleaned(f"{slug}: {load_project(project_file(slug)).title}"))
        except EvalkitError as problem:
            print(f"{slug}: cannot be read. {str(problem).splitlines()[0]}")
    return DONE


def _told(problem: Exception) -> int:
    """Say what stopped a command, in words, and return the exit code; what nobody foresaw goes to a log."""
    from evalkit.run.processes.failure import failure_of, kept_log

    failure, log = failure_of(problem, "", "")
    print(cleaned(" ".join(["evalkit:", failure.message, *filter(None, [kept_log(log)])])), file=sys.stderr)
    return failure.exit_code


def _end_on_signals() -> None:
    """Let the wish to end this process clean up like an interruption, and count as one."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, end)
        signal.signal(signal.SIGTERM, end)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="evalkit",
        description="Evaluate a school improvement programme: from the published files to a report.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"evalkit {evalkit.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add_run_command(commands)
    check = commands.add_parser("check", help="read everything, estimate nothing, say what was found")
    check.add_argument("project", metavar="PROJECT", help="slug, or path of a project.yml")
    add_data_options(check)
    check.add_argument("--json", action="store_true", help="write what was found as JSON")
    check.set_defaults(command=_check)
    new = commands.add_parser("new", help="make a project folder to start from")
    new.add_argument("slug", metavar="SLUG", help="lower-case letters, digits and hyphens")
    new.set_defaults(command=_new)
    add_power_command(commands)
    add_did_command(commands)
    add_match_command(commands)
    add_similar_command(commands)
    add_synth_command(commands)
    add_portfolio_command(commands)
    add_lab_command(commands)
    projects = commands.add_parser("projects", help="list the projects")
    projects.set_defaults(command=_projects)
    return parser
