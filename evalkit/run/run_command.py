"""`evalkit run`: evaluate one project, several, or all, and write their reports."""

from __future__ import annotations

import argparse
import math
import shlex
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.errors import EvalkitError, InputError

if TYPE_CHECKING:
    from evalkit.run.fleet import Launcher, Watcher
    from evalkit.run.progress import Progress
    from evalkit.run.task import Limits, Outcome, Task

NO_DATA: Final = (
    "No --data was given: reading the synthetic England, made-up schools. Results say nothing of real ones."
)
UNCHANGED: Final = "unchanged, as its report is that of these data, choices and code (--force makes it again)"


def add_run_command(commands: Any) -> None:
    """Add `run` to the commands."""
    run = commands.add_parser("run", help="evaluate projects and write their reports")
    run.add_argument("projects", nargs="*", metavar="PROJECT", help="slug, or path of a project.yml")
    run.add_argument("--all", action="store_true", dest="is_all", help="every project under data/projects/")
    run.add_argument("--data", metavar="DIR", help="folder of published files (default: the synthetic England)")
    run.add_argument("--out", metavar="DIR", help="the report goes to DIR/<slug>/ (default: outputs)")
    run.add_argument(
        "-j", "--jobs", type=_count, metavar="N", help="projects at once (default: by cores and free memory)"
    )
    run.add_argument("--force", action="store_true", help="make reports again whose inputs have not changed")
    run.add_argument("--shard", metavar="I/N", help="only the I-th of N parts of the projects, in order of their slugs")
    run.add_argument(
        "--time-limit", type=_above_zero, metavar="MINUTES", help="end a project that takes longer (default: 60)"
    )
    run.add_argument("--memory-limit", type=_above_zero, metavar="GB", help="end a project that holds more")
    run.add_argument("--scheduler", metavar="ADDRESS", help="run on the workers of a Dask cluster, at this address")
    run.set_defaults(command=lambda options: run_command(options, run))


def run_command(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Run what was asked for and return the exit code; what failed is said, and the others still run."""
    from evalkit.run.progress import Progress

    if options.is_all == bool(options.projects):
        parser.error("name the projects to run, or give --all, and not both")
    if options.jobs and options.scheduler:
        parser.error("-j is for this machine and --scheduler for a cluster, which has its own; give one of them")
    progress, batch = Progress(), _batch(options)
    if not options.data:
        progress.say(NO_DATA)
    outcomes = _outcomes(batch, options, progress)
    return _closing(batch, outcomes, time.monotonic() - progress.started)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The tasks of one call, what to type to run each of them again, and whether one project was named alone."""

    tasks: tuple[Task, ...]
    again: Mapping[str, str]
    out: Path
    is_one: bool


def _batch(options: argparse.Namespace) -> Batch:
    from evalkit.run.shard import Shard
    from evalkit.run.task import Task
    from evalkit.run.typed_paths import data_folder, out_folder
    from evalkit.run.workspace import writable_root

    shard = Shard.parsed(options.shard) if options.shard is not None else Shard()
    data = data_folder(options.data)
    out = out_folder(options.out) or writable_root() / "outputs"
    named = shard.take(sorted(_named(options), key=lambda item: item[0]))
    limits = _limits(options)
    return Batch(
        tasks=tuple(Task(slug=slug, project_file=file, data=data, out=out, limits=limits) for slug, file, _ in named),
        again={slug: _again(name, options) for slug, _, name in named},
        out=out,
        is_one=not options.is_all and len(set(options.projects)) == 1,
    )


def _named(options: argparse.Namespace) -> list[tuple[str, Path, str]]:
    """Return slug, file and name of each project once; raise `InputError` where two would write to the same place."""
    from evalkit.run.workspace import project_file, project_slugs

    names = project_slugs() if options.is_all else list(dict.fromkeys(options.projects))
    if not names:
        raise InputError("There is no project under data/projects yet. `evalkit new SLUG` makes one.")
    found: dict[str, tuple[Path, str]] = {}
    for name in names:
        file = project_file(name)
        slug = _slug(file)
        other = found.setdefault(slug, (file, name))[0]
        if other.resolve() != file.resolve():
            raise InputError(
                f"{other} and {file} both have the slug '{slug}', so that the outputs of one would take the place of "
                "the other's. Give one of them another slug."
            )
    return [(slug, file, name) for slug, (file, name) in found.items()]


def _slug(file: Path) -> str:
    """Return the slug of a project file, or of its folder where the file gives none that can be used."""
    from evalkit.run.content_key import project_slug
    from evalkit.run.paths import is_slug

    given = project_slug(file)
    return next((text for text in (given, file.parent.name) if text and is_slug(text)), "project")


def _limits(options: argparse.Namespace) -> Limits:
    from evalkit.run.task import WALL_MINUTES, Limits

    minutes = WALL_MINUTES if options.time_limit is None else options.time_limit
    return Limits(60 * minutes, None if options.memory_limit is None else 1024 * options.memory_limit)


def _again(name: str, options: argparse.Namespace) -> str:
    """Return the command that runs one project as this call does."""
    given = [("--data", options.data), ("--out", options.out)]
    return shlex.join(["evalkit", "run", name, *(word for pair in given if pair[1] for word in pair)])


def _outcomes(batch: Batch, options: argparse.Namespace, progress: Progress) -> list[Outcome]:
    """Return what became of each task, those first that have their report already."""
    from evalkit.run.fleet import Watchers, stopping
    from evalkit.run.live import screen
    from evalkit.run.run_log import RunLog, new_run_id

    log = RunLog(batch.out, new_run_id())
    log.event({"event": "run started", "n_projects": len(batch.tasks), "shard": options.shard or "1/1"})
    with stopping() as stop:
        done = {} if options.force else unchanged(batch.tasks)
        rest = [task for task in batch.tasks if task.slug not in done]
        for outcome in done.values():
            Records(batch).ended(outcome)
            log.ended(outcome)
            if batch.is_one:
                progress.say(f"{outcome.slug}: {UNCHANGED}")
        if rest:
            with screen(1 if batch.is_one else len(rest), progress) as shown:
                watcher = Watchers(Records(batch), log, shown)
                done |= {outcome.slug: outcome for outcome in _launched(rest, options, watcher, stop)}
    log.event({"event": "run ended", "seconds": round(time.monotonic() - progress.started, 3)})
    return [done[task.slug] for task in batch.tasks]


def unchanged(tasks: Sequence[Task]) -> dict[str, Outcome]:
    """Return those tasks whose report stands, whole, and is that of what would be read now."""
    from evalkit.run.content_key import Hashes, content_key, is_unchanged, shown_data
    from evalkit.run.task import Outcome
    from evalkit.run.workspace import synthetic_place

    hashes, found = Hashes(), {}
    for task in (task for task in tasks if task.report.is_file()):
        try:
            data = synthetic_place() if task.data is None else task.data.resolve()
            key = content_key(task.project_file, data, hashes, shown_data(task.data))
        except (OSError, EvalkitError):
            continue  # what is missing is said when the project is run
        if is_unchanged(task.out / task.slug, key, hashes):
            found[task.slug] = Outcome(slug=task.slug, status="unchanged", seconds=0.0, report=task.report)
    return found


class Records:
    """Writes a record of each failure beside the outputs and removes it when the project has its report."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def event(self, event: Mapping[str, object]) -> None:
        """Do nothing."""

    def ended(self, outcome: Outcome) -> None:
        """Write or remove the record of a project; one that was not begun keeps what it had."""
        from evalkit.run.failure import remove_record, write_record

        failure = outcome.failure
        if failure is None:
            remove_record(self._batch.out, outcome.slug)
        elif failure.stage and not write_record(self._batch.out, failure, self._batch.again[outcome.slug]):
            print(f"evalkit: {outcome.slug}: the record of its failure could not be written.", file=sys.stderr)


def _launched(
    tasks: Sequence[Task], options: argparse.Namespace, watcher: Watcher, stop: threading.Event
) -> list[Outcome]:
    from evalkit.run.fleet import forking
    from evalkit.run.isolated import make_synthetic_england
    from evalkit.run.task import Outcome
    from evalkit.run.workspace import synthetic_place

    if options.data or synthetic_place().is_dir():
        return _launcher(options, len(tasks))(tasks, watcher, stop)
    with forking():
        failure, log = make_synthetic_england(watcher.event, stop)
        if failure is None:
            return _launcher(options, len(tasks))(tasks, watcher, stop)
    outcomes = [
        Outcome(slug=task.slug, status="failed", seconds=0.0, failure=replace(failure, slug=task.slug), log=log)
        for task in tasks
    ]
    for outcome in outcomes:
        watcher.ended(outcome)
    return outcomes


def _launcher(options: argparse.Namespace, n_tasks: int) -> Launcher:
    """Return what runs the tasks: this machine, or the workers of a cluster."""
    from evalkit.run.fleet import LocalFleet, jobs_here

    if options.scheduler:
        from evalkit.run.cluster_fleet import ClusterFleet

        return ClusterFleet(options.scheduler)
    return LocalFleet(options.jobs or jobs_here(n_tasks))


def _closing(batch: Batch, outcomes: Sequence[Outcome], seconds: float) -> int:
    """Print the path of the one report, or a table of several projects; return the exit code."""
    from evalkit.run.failure import INTERRUPTED
    from evalkit.run.fleet import exit_code
    from evalkit.run.run_summary import summary

    if batch.is_one:
        print("".join(f"{outcome.report}\n" for outcome in outcomes if outcome.report), end="", flush=True)
    else:
        print(summary(outcomes, seconds, batch.out), flush=True)
    code = exit_code(outcomes)
    if code == INTERRUPTED:
        print("\nInterrupted. Earlier outputs stand as they were.", file=sys.stderr)
    return code


def _count(text: str) -> int:
    if not text.strip().isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of projects at once; give a whole number from 1 on")
    return int(text)


def _above_zero(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"'{text}' is no limit; give a number above 0")
    return number
