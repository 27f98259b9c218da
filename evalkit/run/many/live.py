"""What a run of projects does while it does it: a log of JSON lines, lines or a live table, and a summary."""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from evalkit.core.words import cleaned, counted, listed
from evalkit.run.console import HEARTBEAT_SECONDS, Progress
from evalkit.run.many.task import RunResult
from evalkit.run.processes.failure import RUNS, Failure, kept_log
from evalkit.run.project.workspace import NOTEBOOKS

if TYPE_CHECKING:
    from rich.console import RenderableType


# The log of runs: one line of JSON for each thing that happened, in a file that runs side by side may share.

LOG: Final = "log.jsonl"
_LOGGED: Final = ("run started", "project started", "stage started", "stage ended", "run ended")


def new_run_id() -> str:
    """Return a name for a run: when it began, in UTC, and four letters by chance."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


class RunLog:
    """Appends what happens in one run to the log; where the disk does not take it, the run goes on without."""

    def __init__(self, out: Path, run_id: str) -> None:
        self._path, self.run_id = out / RUNS / LOG, run_id

    def event(self, event: Mapping[str, object]) -> None:
        """Log an event of a run or of a worker."""
        if event["event"] in _LOGGED:
            self._append(event)

    def ended(self, outcome: RunResult) -> None:
        """Log what became of a project."""
        record = {
            "event": "project ended",
            "project": outcome.slug,
            "status": outcome.status,
            "seconds": outcome.seconds,
            "peak_mb": outcome.peak_mb,
        }
        failure = outcome.failure
        self._append({**record, "kind": failure.kind, "stage": failure.stage} if failure else record)

    def _append(self, event: Mapping[str, object]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"time": now, "run": self.run_id, **event}, ensure_ascii=False) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(file, line.encode())  # one write a line, so that lines of several runs do not mix
            finally:
                os.close(file)
        except OSError:
            return


# What became of several projects, as a table that a person reads.

_HEAD: Final = ("project", "status", "time", "report, or why there is none")
_LONGEST: Final = 120


def summary(outcomes: Sequence[RunResult], seconds: float, out: Path, orphans: Sequence[str] = ()) -> str:
    """Return a line for each project, one that counts them, and one that names reports without a project."""
    rows = [_HEAD, *(_row(outcome) for outcome in outcomes)]
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
    lines = ["  ".join((a.ljust(widths[0]), b.ljust(widths[1]), c.rjust(widths[2]), d)) for a, b, c, d in rows]
    return cleaned("\n".join([*lines, "", *_counts(outcomes, seconds, out), *_orphans(orphans, out)]))


def duration(seconds: float) -> str:
    """Return a length of time: `12 s`, `3 min 05 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def first_sentence(text: str) -> str:
    """Return the first sentence of a text, cut where it is long."""
    first = re.split(r"(?<=[.!?])\s|\n", text.strip(), maxsplit=1)[0].rstrip(":")
    return first if len(first) <= _LONGEST else first[: _LONGEST - 1] + "…"


def status_word(outcome: RunResult) -> str:
    """Return what became of a project in a word or two."""
    return f"failed: {outcome.failure.kind}" if outcome.failure and outcome.status == "failed" else outcome.status


def _row(outcome: RunResult) -> tuple[str, str, str, str]:
    last = str(outcome.report) if outcome.failure is None else _why(outcome.failure)
    time = duration(outcome.seconds) if outcome.seconds else ""
    return outcome.slug, status_word(outcome), time, last


def _why(failure: Failure) -> str:
    return first_sentence(failure.message)


def _counts(outcomes: Sequence[RunResult], seconds: float, out: Path) -> Iterator[str]:
    words = [status_word(outcome).partition(":")[0] for outcome in outcomes]
    kinds = [f"{words.count(word)} {word}" for word in dict.fromkeys(words)]
    yield f"{counted(len(outcomes), 'project')} in {duration(seconds)}: {listed(kinds)}."
    if any(outcome.failure and outcome.failure.stage and outcome.status == "failed" for outcome in outcomes):
        yield f"Records of failures: {out / RUNS}"


def _orphans(orphans: Sequence[str], out: Path) -> Iterator[str]:
    if orphans:
        what, them = ("is a report", "it") if len(orphans) == 1 else ("are reports", "them")
        yield (
            f"In {out} there {what} of no project here: {listed(orphans, 20)}. A project that was given another slug "
            f"leaves its old report. Nothing was removed: where you do not need {them}, move {them} away."
        )


# What a run of projects does, on standard error while it does it: lines, or on a terminal a table that changes.

N_STAGES: Final = len(NOTEBOOKS) + 3
"""Reading, each notebook of a project with one analysis, writing the report."""
_MOST_ROWS: Final = 16
_STOPPED: Final = ("interrupted", "not begun")
_FLEET_HEARTBEAT_SECONDS: Final = 3 * HEARTBEAT_SECONDS


class Screen(Protocol):
    """A `Watcher` that shows what it is told while its block lasts."""

    def __enter__(self) -> Screen: ...

    def __exit__(self, *problem: object) -> None: ...

    def event(self, event: Mapping[str, object]) -> None:
        """Show an event of a worker."""

    def ended(self, outcome: RunResult) -> None:
        """Show what became of a project."""


@dataclass
class Underway:
    """A project that is being run: since when, its stage, and the number of that stage."""

    since: float
    stage: str = "starting"
    number: int = 0


@dataclass
class Standing:
    """How a run stands: of how many projects which are under way, and what became of the others."""

    n_projects: int
    began: float = field(default_factory=time.monotonic)
    preparing: str = ""
    underway: dict[str, Underway] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)

    def event(self, event: Mapping[str, object]) -> None:
        """Take note of an event."""
        slug = str(event.get("project", ""))
        self.preparing = str(event["what"]) if event["event"] == "preparing" else ""
        if event["event"] == "project started":
            self.underway[slug] = Underway(time.monotonic())
        elif event["event"] == "stage started":
            record = self.underway.setdefault(slug, Underway(time.monotonic()))
            record.stage, record.number = str(event["stage"]), record.number + 1
        elif event["event"] == "project over":  # of what is made for all projects, and is none of them
            self.underway.pop(slug, None)

    def end(self, outcome: RunResult) -> None:
        """Take note of what became of a project."""
        self.underway.pop(outcome.slug, None)
        word = status_word(outcome).partition(":")[0]
        self.ended[word] = self.ended.get(word, 0) + 1

    def line(self) -> str:
        """Return the state of the whole in one line."""
        n_ended = sum(self.ended.values())
        parts = [f"{n_ended} of {counted(self.n_projects, 'project')} ended"]
        parts += [f"{n} {word}" for word, n in self.ended.items()]
        parts.append(self.preparing or f"{len(self.underway)} under way")
        return ", ".join([*parts, duration(time.monotonic() - self.began)])


def failure_text(outcome: RunResult, is_one: bool) -> str:
    """Return what a user is told of a failure, after keeping its details in a private file."""
    failure = outcome.failure
    assert failure is not None
    sentences = [failure.message if is_one else f"{outcome.slug}: {failure.message}"]
    if failure.call and failure.kind != "bad input":
        sentences.append(f"It was at: {failure.where}.")
    return cleaned(" ".join(["evalkit:", *sentences, *filter(None, [kept_log(outcome.log)])]))


class Lines:
    """Says on standard error what happens: every stage of one project; of several when each ended and what goes on."""

    def __init__(self, n_projects: int, progress: Progress) -> None:
        self._standing, self._progress, self._is_one = Standing(n_projects), progress, n_projects == 1
        self._over, self._said = threading.Event(), time.monotonic()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Lines:
        self._heart.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._over.set()
        self._heart.join()

    def event(self, event: Mapping[str, object]) -> None:
        """Say that a stage has begun, where there is one project."""
        self._standing.event(event)
        if event["event"] == "preparing":
            self._say(str(event["what"]))
        elif self._is_one and event["event"] == "stage started":
            self._say(f"{event['project']}: {event['stage']}")

    def ended(self, outcome: RunResult) -> None:
        """Say what became of a project."""
        self._standing.end(outcome)
        if outcome.failure is not None and outcome.status not in _STOPPED:
            print(failure_text(outcome, self._is_one), file=sys.stderr, flush=True)
        elif self._is_one or outcome.status == "done":
            self._say(f"{outcome.slug}: {status_word(outcome)}")

    def _say(self, text: str) -> None:
        self._said = time.monotonic()
        self._progress.say(text)

    def _beat(self) -> None:
        pause = HEARTBEAT_SECONDS if self._is_one else _FLEET_HEARTBEAT_SECONDS
        while not self._over.wait(max(0.1, self._said + pause - time.monotonic())):
            if time.monotonic() - self._said >= pause and self._standing.underway:
                at_work = [f"{slug}: {item.stage}" for slug, item in list(self._standing.underway.items())]
                self._say(f"{'; '.join(at_work)}, still at work")


class LiveTable:
    """Shows on a terminal how several projects stand, in a table that changes; failures are said above it."""

    def __init__(self, n_projects: int) -> None:
        from rich.console import Console
        from rich.live import Live

        self._standing = Standing(n_projects)
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, get_renderable=self._drawn, refresh_per_second=4, transient=True)

    def __enter__(self) -> LiveTable:
        self._live.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._live.stop()

    def event(self, event: Mapping[str, object]) -> None:
        """Take note of an event; it is seen at the next refreshing."""
        self._standing.event(event)

    def ended(self, outcome: RunResult) -> None:
        """Say above the table what became of a project that failed."""
        self._standing.end(outcome)
        if outcome.failure is not None and outcome.status not in _STOPPED:
            self._console.print(failure_text(outcome, is_one=False), markup=False, soft_wrap=True)

    def _drawn(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table as RichTable

        table = RichTable(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for name, width in (("project", 12), ("stage", N_STAGES + 4), ("", 30), ("time", 9)):
            table.add_column(name, no_wrap=True, min_width=width, justify="right" if name == "time" else "left")
        underway = list(self._standing.underway.items())
        for slug, item in underway[:_MOST_ROWS]:
            table.add_row(slug, _bar(item.number), cleaned(item.stage), duration(time.monotonic() - item.since))
        if len(underway) > _MOST_ROWS:
            table.add_row(f"and {len(underway) - _MOST_ROWS} more", "", "", "")
        return Group(table, self._standing.line())


def _bar(number: int) -> str:
    """Return which stage is under way, drawn: `━━━───── 3/7`."""
    reached = min(number, N_STAGES)
    return f"{'━' * reached}{'─' * (N_STAGES - reached)} {reached}/{N_STAGES}"


@contextmanager
def screen(n_projects: int, progress: Progress) -> Iterator[Any]:
    """Give what shows a run: a table for several projects on a terminal, lines otherwise."""
    shown: Screen = LiveTable(n_projects) if n_projects > 1 and sys.stderr.isatty() else Lines(n_projects, progress)
    with shown:
        yield shown
