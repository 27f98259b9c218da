"""`evalkit run`: evaluate one project, several, or all, and write their reports."""

from __future__ import annotations

import shlex
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evalkit.core.errors import InputError
from evalkit.core.words import cleaned, listed

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given
    from evalkit.run.console import Progress
    from evalkit.run.many.fleet import Launcher, Watcher
    from evalkit.run.many.task import Limits, RunResult, Task
    from evalkit.run.processes.failure import Failure
    from evalkit.run.project.chosen_data import DataChoice

NO_DATA: Final = (
    "No --data was given: reading the synthetic England, made-up schools. Results say nothing of real ones."
)
SYNTHETIC: Final = "Reading the synthetic England, made-up schools. Results say nothing of real ones."
WAITING: Final = "waiting for another run of it"
UNCHANGED: Final = "unchanged, as its report is that of these data, choices and code (--force makes it again)"


def run_command(options: Given) -> int:
    """Run what was asked for and return the exit code; what failed is said, and the others still run."""
    from evalkit.run.console import Progress
    from evalkit.run.processes.temporary import sweep

    sweep()
    progress, batch = Progress(), batch_of(options)
    for line in _data_lines(batch.tasks, options):
        progress.say(line)
    if options.dry_run:
        return _dry_run(batch, options.force)
    outcomes = _outcomes(batch, options, progress)
    return _closing(batch, outcomes, time.monotonic() - progress.started)


def _dry_run(batch: Batch, is_forced: bool) -> int:
    """Print what a run would do with each project, and why; return the exit code 0."""
    from evalkit.run.many.status import why_run
    from evalkit.run.outputs.hashes import Hashes

    hashes, tasks = Hashes(), {task.slug: task for task in batch.tasks}
    refused = {outcome.slug: outcome for outcome in batch.refused}
    for name in batch.names:
        if name in refused:
            failure = refused[name].failure
            print(cleaned(f"{name}: would be refused. {failure.message if failure else ''}"))
        elif why := "--force was given" if is_forced else why_run(tasks[name], hashes):
            print(cleaned(f"{name}: would be run: {why}"))
        else:
            print(f"{name}: would be left as it is: its report is current")
    print("Nothing was run.", file=sys.stderr)
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One call: its tasks, what to type to run each again, projects that cannot be run, and reports without a project.

    `names` are those of all its projects, in order; `is_one` whether one was named alone.
    """

    tasks: tuple[Task, ...]
    again: Mapping[str, str]
    refused: tuple[RunResult, ...]
    orphans: tuple[str, ...]
    names: tuple[str, ...]
    out: Path
    is_one: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A project as it was named, its slug and file, and why it is not run, where another has its slug."""

    name: str
    slug: str
    file: Path
    refusal: str = ""

    @property
    def label(self) -> str:
        """What it is called in tables: its slug, or, where that is another's, the name it was given by."""
        return self.name if self.refusal else self.slug


def batch_of_all(out: str | None = None) -> Batch:
    """Return what `evalkit run --all` would be about, whose reports are in `out`."""
    from evalkit.run.commands.catalogue import COMMANDS
    from evalkit.run.commands.options import given_of

    return batch_of(given_of("run", COMMANDS["run"], ["--all", *([] if out is None else [f"--out={out}"])]))


def batch_of(options: Given) -> Batch:
    """Return what a call is about: its projects, those that cannot be run, and reports of none."""
    from evalkit.run.many.task import Shard
    from evalkit.run.outputs.content_key import orphans
    from evalkit.run.project.chosen_data import DataChoice
    from evalkit.run.project.workspace import writable_root
    from evalkit.run.typed_paths import out_folder

    shard = Shard.parsed(options.shard) if options.shard is not None else Shard()
    choice = DataChoice.of(options)
    out = out_folder(options.out) or writable_root() / "outputs"
    every = _named(options)
    named = shard.take(sorted(every, key=lambda item: item.label))
    tasks, refused = _tasks(named, choice, out, _limits(options))
    return Batch(
        tasks=tuple(tasks),
        again={item.label: _again(item.name, options) for item in named},
        refused=tuple(refused),
        orphans=tuple(orphans(out, {item.slug for item in every})) if options.is_all else (),
        names=tuple(item.label for item in named),
        out=out,
        is_one=not options.is_all and len(set(options.projects)) == 1,
    )


def _tasks(named: Sequence[Named], choice: DataChoice, out: Path, limits: Limits) -> tuple[list[Task], list[RunResult]]:
    """Return a task for each project that can be run, and an outcome for each that cannot."""
    from evalkit.run.many.task import RunResult, Task
    from evalkit.run.outputs.content_key import report_stamp

    tasks, refused = [], []
    for item in named:
        if item.refusal:
            refused.append(RunResult.without_report(_refusal(item.label, item.refusal)))
            continue
        try:
            data = choice.folder_for(item.file, item.slug, out)
        except InputError as problem:
            refused.append(RunResult.without_report(_refusal(item.slug, str(problem), "looking for its data")))
            continue
        task = Task(slug=item.slug, project_file=item.file, data=data, out=out, limits=limits)
        tasks.append(replace(task, before=report_stamp(task.report)))
    return tasks, refused


def _refusal(slug: str, message: str, stage: str = "") -> Failure:
    from evalkit.run.processes.failure import Failure

    return Failure(slug=slug, kind="bad input", message=message, exit_code=InputError.exit_code, stage=stage)


def _named(options: Given) -> list[Named]:
    """Return each project once, those among them that have another's slug with a refusal."""
    from evalkit.run.project.workspace import project_file, project_slugs

    names = project_slugs() if options.is_all else list(dict.fromkeys(options.projects))
    if not names:
        raise InputError("There is no project under data/projects yet. `evalkit new SLUG` makes one.")
    by_file: dict[Path, Named] = {}
    for name in names:
        file = project_file(name)
        by_file.setdefault(file.resolve(), Named(name, _slug(file), file))
    every = list(by_file.values())
    return [replace(item, refusal=_refused_for(item, every)) for item in every]


def _refused_for(item: Named, every: Sequence[Named]) -> str:
    """Return why a project is not run: its slug is that of another, which its folder's name shows to be the other's.

    A folder that was copied keeps the slug of the first, and its report would take the place of the first's.
    """
    folder = item.file.absolute().parent
    beside = folder.with_name(item.slug) / "project.yml"
    rivals = [other.file for other in every if other.slug == item.slug and other.file != item.file]
    if folder.name != item.slug and beside.is_file() and _slug(beside) == item.slug:
        rivals = [beside]
    elif folder.name == item.slug:
        rivals = [file for file in rivals if file.absolute().parent.name == item.slug]
    if not rivals:
        return ""
    return (
        f"{item.file} has the slug '{item.slug}', as {rivals[0]} has: the report of one would take the place of the "
        "other's. Give it another slug."
    )


def _slug(file: Path) -> str:
    """Return the slug of a project file, or of its folder where the file gives none that can be used."""
    from evalkit.run.outputs.content_key import project_slug
    from evalkit.run.project.workspace import is_slug

    slug = project_slug(file)
    return next((text for text in (slug, file.parent.name) if text and is_slug(text)), "project")


def _limits(options: Given) -> Limits:
    from evalkit.run.many.task import WALL_MINUTES, Limits

    minutes = WALL_MINUTES if options.time_limit is None else options.time_limit
    return Limits(60 * minutes, None if options.memory_limit is None else 1024 * options.memory_limit)


def _again(name: str, options: Given) -> str:
    """Return the command that runs one project as this call does."""
    folders = [("--data", options.data), ("--out", options.out)]
    words = [word for pair in folders if pair[1] for word in pair]
    return shlex.join(["evalkit", "run", name, *words, *(["--synthetic"] if options.synthetic else [])])


def _data_lines(tasks: Sequence[Task], options: Given) -> Iterator[str]:
    """Yield what is said of the data that nobody named in this call."""
    from evalkit.run.project.chosen_data import INSTEAD
    from evalkit.run.project.workspace import no_files_place

    if options.data:
        return
    made_up = [task.slug for task in tasks if task.data is None]
    if made_up:
        notice = SYNTHETIC if options.synthetic else NO_DATA
        yield notice if len(made_up) == len(tasks) else f"{listed(made_up)}: {notice}"
    for folder in dict.fromkeys(task.data for task in tasks if task.data is not None):
        slugs = [task.slug for task in tasks if task.data == folder]
        if folder == no_files_place():
            yield f"{listed(slugs)}: reading tables of the project's own alone; no published file is needed"
            continue
        yield f"{listed(slugs)}: reading the published files in {folder} {INSTEAD}"


def _outcomes(batch: Batch, options: Given, progress: Progress) -> list[RunResult]:
    """Return what became of each project, those first that are not run."""
    from evalkit.run.many.ending import write_run_record
    from evalkit.run.many.fleet import Watchers, stopping
    from evalkit.run.many.live import RunLog, failure_text, new_run_id, screen
    from evalkit.run.outputs.content_key import unchanged

    log, records = RunLog(batch.out, new_run_id()), Records(batch)
    log.event({"event": "run started", "n_projects": len(batch.names), "shard": options.shard or "1/1"})
    with stopping() as stop:
        done = {outcome.slug: outcome for outcome in batch.refused}
        done |= {} if options.force else unchanged(batch.tasks)
        rest = [task for task in batch.tasks if task.slug not in done]
        for outcome in done.values():
            records.ended(outcome)
            log.ended(outcome)
            if outcome.failure is not None:
                print(failure_text(outcome, batch.is_one), file=sys.stderr)
            elif batch.is_one:
                progress.say(f"{outcome.slug}: {UNCHANGED}")
        if rest:
            with screen(1 if batch.is_one else len(rest), progress) as shown:
                done |= _finished(rest, options, Watchers(records, log, shown), stop)
    seconds, outcomes = time.monotonic() - progress.started, [done[name] for name in batch.names]
    log.event({"event": "run ended", "seconds": round(seconds, 3)})
    write_run_record(batch.out, log.run_id, outcomes, seconds)
    return outcomes


class Records:
    """Keeps beside the outputs why a project failed, until it has its report, and then where its data are."""

    def __init__(self, batch: Batch) -> None:
        self._batch, self._tasks = batch, {task.slug: task for task in batch.tasks}

    def event(self, event: Mapping[str, object]) -> None:
        """Do nothing."""

    def ended(self, outcome: RunResult) -> None:
        """Write or remove the record of a project; one that was not begun, or is another run's, keeps what it had."""
        from evalkit.run.outputs.content_key import keep_source
        from evalkit.run.processes.failure import remove_record, write_record
        from evalkit.run.project.chosen_data import remember

        failure = outcome.failure
        if failure is None:
            remove_record(self._batch.out, outcome.slug)
            task = self._tasks[outcome.slug]
            remember(self._batch.out, outcome.slug, task.data)
            keep_source(self._batch.out, outcome.slug, task.project_file, outcome.status == "done")
        elif failure.kind == "busy" or not failure.stage:
            return
        elif not write_record(self._batch.out, failure, self._batch.again[outcome.slug]):
            print(f"evalkit: {outcome.slug}: the record of its failure could not be written.", file=sys.stderr)


class Patient:
    """Tells a watcher all but that a project is another run's: what becomes of it is told when that has ended."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def event(self, event: Mapping[str, object]) -> None:
        """Tell of an event."""
        self._watcher.event(event)

    def ended(self, outcome: RunResult) -> None:
        """Tell what became of a project, or that it waits."""
        if outcome.status == "busy":
            self._watcher.event({"event": "stage started", "project": outcome.slug, "stage": WAITING})
        else:
            self._watcher.ended(outcome)


def _finished(tasks: Sequence[Task], options: Given, watcher: Watcher, stop: threading.Event) -> dict[str, RunResult]:
    """Return what became of tasks; where another run holds one, its report is waited for and counts if it is the same.

    What the other run did not make is tried once more here.
    """
    from evalkit.data.locks import await_free
    from evalkit.run.outputs.content_key import unchanged
    from evalkit.run.outputs.folder import lock_of

    done = {outcome.slug: outcome for outcome in _launched(tasks, options, Patient(watcher), stop)}
    held = [task for task in tasks if done[task.slug].status == "busy"]
    for task in held:
        await_free(lock_of(task.out, task.slug), task.limits.wall_seconds, stop)
    made = unchanged(held)
    for outcome in made.values():
        watcher.ended(outcome)
    left = [task for task in held if task.slug not in made]
    if left:
        done |= {outcome.slug: outcome for outcome in _launched(left, options, watcher, stop)}
    return done | made


def _launched(tasks: Sequence[Task], options: Given, watcher: Watcher, stop: threading.Event) -> list[RunResult]:
    from evalkit.run.many.fleet import forking
    from evalkit.run.many.task import RunResult
    from evalkit.run.processes.isolated import make_synthetic_england
    from evalkit.run.project.workspace import synthetic_place

    if all(task.data is not None for task in tasks) or synthetic_place().is_dir():
        return _launcher(options, len(tasks))(tasks, watcher, stop)
    with forking():
        failure, log = make_synthetic_england(watcher.event, stop)
        if failure is None:
            return _launcher(options, len(tasks))(tasks, watcher, stop)
    outcomes = [RunResult.without_report(replace(failure, slug=task.slug), log) for task in tasks]
    for outcome in outcomes:
        watcher.ended(outcome)
    return outcomes


def _launcher(options: Given, n_tasks: int) -> Launcher:
    """Return what runs the tasks: this machine, or the workers of a cluster."""
    from evalkit.run.many.fleet import LocalFleet, jobs_here

    if options.scheduler:
        from evalkit.run.many.cluster_fleet import ClusterFleet

        return ClusterFleet(options.scheduler)
    return LocalFleet(options.jobs or jobs_here(n_tasks))


def _closing(batch: Batch, outcomes: Sequence[RunResult], seconds: float) -> int:
    """Print the path of the one report, or a table of several projects; return the exit code."""
    from evalkit.run.many.ending import closing_lines
    from evalkit.run.many.fleet import exit_code
    from evalkit.run.many.live import summary
    from evalkit.run.processes.failure import INTERRUPTED

    if batch.is_one:
        print("".join(f"{outcome.report}\n" for outcome in outcomes if outcome.report), end="", flush=True)
    else:
        print(summary(outcomes, seconds, batch.out, batch.orphans), flush=True)
    code = exit_code(outcomes)
    for line in closing_lines(outcomes, batch.again):
        print(line, file=sys.stderr)
    if code == INTERRUPTED:
        print("\nInterrupted. Earlier outputs stand as they were.", file=sys.stderr)
    return code
