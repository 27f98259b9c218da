"""One project run in a process of its own, within limits, whatever becomes of that process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal

import psutil

from evalkit.core.words import counted
from evalkit.run.many.task import Limits, RunResult, Task
from evalkit.run.outputs.folder import clear_away
from evalkit.run.processes.failure import Failure, failure_of, interrupted
from evalkit.run.processes.fork_server import ADDRESS, ForkedProcess, Launch, address_here, fork
from evalkit.run.processes.light import ONE_THREAD
from evalkit.run.processes.temporary import WORKER, private_folder
from evalkit.run.processes.worker import ENDING_SECONDS, SYNTHETIC
from evalkit.run.project.workspace import SOURCE_ROOT

# The processes of one worker: what they hold in memory together, and their end.

_MB = 2.0**20


class Family:
    """A worker, its process group, and whatever either has started, from the first look on.

    A process is told from another that later gets its number by the time it started.
    """

    def __init__(self, pid: int) -> None:
        self._group, self._root, self._since = pid, None, float("inf")
        with suppress(psutil.Error):
            self._root = psutil.Process(pid)
            self._since = self._root.create_time()
        self._seen = {self._root} if self._root else set()

    def look(self) -> list[psutil.Process]:
        """Return the processes that are alive, in order of their numbers."""
        self._seen.update(self._of_group())
        with suppress(psutil.Error):
            self._seen.update(self._root.children(recursive=True) if self._root else ())
        self._seen = {process for process in self._seen if _is_alive(process)}
        return sorted(self._seen, key=lambda process: process.pid)

    def memory_mb(self) -> float:
        """Return the megabytes they hold, each page that several share counted once where the system tells."""
        return sum(_memory(process) for process in self.look()) / _MB

    def end(self) -> None:
        """Kill them all, those too that are started in the meantime."""
        while alive := self.look():
            for process in alive:
                with suppress(psutil.Error):
                    process.kill()
            psutil.wait_procs(alive, timeout=1)

    def _of_group(self) -> Iterator[psutil.Process]:
        if not hasattr(os, "getpgid"):
            return
        for pid in psutil.pids():
            with suppress(OSError, psutil.Error):
                if os.getpgid(pid) == self._group and (found := psutil.Process(pid)).create_time() >= self._since:
                    yield found


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _memory(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        full = process.memory_full_info()
        return float(getattr(full, "pss", 0) or full.uss)
    with suppress(psutil.Error):  # one we may not look into
        return float(process.memory_info().rss)
    return 0.0


# One project run in a process of its own, within limits, whatever becomes of that process.

MODULE: Final = "evalkit.run.processes.worker"
TICK_SECONDS: Final = 0.25
LOOK_SECONDS: Final = 0.5
"""How often memory is looked at where it has a limit; a quarter as often where it has none."""
_MOST_LOG: Final = 20_000
ReportEvent = Callable[[Mapping[str, object]], None]
Process = subprocess.Popen[bytes] | ForkedProcess
EndReason = Literal["", "stopped", "time limit", "memory limit"]


def run_isolated(task: Task, report: ReportEvent, stop: threading.Event | None = None) -> RunResult:
    """Run one project in a process of its own and return what became of it; no failure of it is raised.

    `report` is given every event of the worker, with the project's slug. When `stop` is set or a limit of the task is
    passed, the worker and all it started are ended; earlier outputs stand.
    """
    began = time.monotonic()
    talk = Talk(task.slug, report)
    end = _attended(task.to_json(), task.limits, talk, stop or threading.Event())
    clear_away(task.out, task.slug)
    failure, log = _failure(talk, end, task.limits)
    seconds, peak = round(time.monotonic() - began, 3), round(end.peak_mb, 1)
    if failure is not None:
        return RunResult.without_report(failure, log, seconds=seconds, peak_mb=peak)
    return RunResult(slug=task.slug, status="done", seconds=seconds, report=task.report, peak_mb=peak)


def make_synthetic_england(report: ReportEvent, stop: threading.Event | None = None) -> tuple[Failure | None, str]:
    """Make the synthetic England in a process of its own; return what stopped it, if anything, and details."""
    talk = Talk("synthetic England", report)
    end = _attended(SYNTHETIC, Limits(), talk, stop or threading.Event())
    report({"event": "project over", "project": talk.slug})
    return _failure(talk, end, Limits())


class Talk:
    """What a worker has said so far: where it is, and how it ended."""

    def __init__(self, slug: str, report: ReportEvent) -> None:
        self.slug, self.stage, self.heading, self.call = slug, "starting", "", ""
        self.last: dict[str, Any] = {}
        self.is_over = threading.Event()
        self._report = report

    def listen(self, stream: IO[bytes]) -> None:
        """Hear a worker out, to the end of its output, and close it."""
        with stream:
            for line in stream:
                with suppress(ValueError):
                    self._hear(json.loads(line))
        self.is_over.set()

    def _hear(self, event: dict[str, Any]) -> None:
        if event["event"] in ("done", "failed"):
            self.last = event
            return
        if event["event"] == "stage started":
            self.stage, self.heading, self.call = event["stage"], "", ""
        elif event["event"] == "cell":
            self.heading, self.call = event["heading"], event["call"]
        self._report({**event, "project": self.slug})


@dataclass(frozen=True, slots=True)
class End:
    """How a worker ended: why it was ended, if it was, its exit status, the most memory, and what it wrote."""

    verdict: EndReason
    status: int
    peak_mb: float
    written: str
    problem: OSError | None = None


def _attended(argument: str, limits: Limits, talk: Talk, stop: threading.Event) -> End:
    """Start a worker and stay with it until it and all it started have ended."""
    try:
        with private_folder(WORKER) as private, (private / "errors.txt").open("w+b") as errors:
            process = _started(argument, private, errors)
            verdict, peak = _accompanied(process, limits, talk, stop)
            errors.seek(max(0, errors.seek(0, os.SEEK_END) - _MOST_LOG))
            written = errors.read().decode("utf-8", "replace").strip()
            return End(verdict, process.returncode or 0, peak, written)
    except OSError as problem:
        return End("", 1, 0.0, "", problem)


def _accompanied(process: Process, limits: Limits, talk: Talk, stop: threading.Event) -> tuple[EndReason, float]:
    family = Family(process.pid)
    listener = threading.Thread(target=talk.listen, args=(process.stdout,), daemon=True)
    listener.start()
    try:
        verdict, peak = _watched(process, family, limits, talk, stop)
    finally:
        with suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]  # a pipe; its end tells the worker to end
        if stop.is_set():
            talk.is_over.wait(ENDING_SECONDS + 1)
        family.end()
        process.wait()
        listener.join(ENDING_SECONDS)  # longer only where something that got away holds the other end
    return verdict, peak


def _watched(
    process: Process, family: Family, limits: Limits, talk: Talk, stop: threading.Event
) -> tuple[EndReason, float]:
    """Return why a worker has to be ended, "" when it has ended by itself, and the most memory that was seen."""
    began, next_look, peak = time.monotonic(), 0.0, 0.0
    pause = LOOK_SECONDS if limits.memory_mb is not None else 4 * LOOK_SECONDS
    while process.poll() is None and not talk.is_over.wait(TICK_SECONDS):
        now = time.monotonic()
        if stop.is_set():
            return "stopped", peak
        if now - began > limits.wall_seconds:
            return "time limit", peak
        if now >= next_look:
            peak, next_look = max(peak, family.memory_mb()), now + pause
        if limits.memory_mb is not None and peak > limits.memory_mb:
            return "memory limit", peak
    return "", peak


def _started(argument: str, private: Path, errors: IO[bytes]) -> Process:
    environment = {
        **os.environ,
        **ONE_THREAD,
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join([str(SOURCE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "TMPDIR": str(private),
    }
    environment.pop(ADDRESS, None)  # a worker starts no more, and its notebooks see the same however it was started
    pipe = subprocess.PIPE
    if (address := address_here()) is not None:
        launch = Launch(MODULE, (argument,), env=environment, cwd=str(Path.cwd()))
        with suppress(OSError):  # the server has ended: start afresh
            return fork(address, launch, stdin=pipe, stdout=pipe, stderr=errors)
    command = [sys.executable, "-P", "-m", MODULE, argument]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, env=environment, start_new_session=True)


def _failure(talk: Talk, end: End, limits: Limits) -> tuple[Failure | None, str]:
    """Return what stopped a project, None where nothing did, and details for a private log."""
    if talk.last.get("event") == "done":
        return None, ""
    if end.problem is not None:
        return failure_of(end.problem, talk.slug, talk.stage)
    if end.verdict in ("time limit", "memory limit"):
        return _over_limit(talk, end, limits), ""
    if end.verdict == "stopped":
        return interrupted(talk.slug, talk.stage), ""
    if talk.last.get("event") == "failed":
        log = str(talk.last["log"])
        return Failure(**talk.last["failure"]), f"{log}\n\n{end.written}".strip() if log else ""
    return _ended(talk, end), end.written


def _over_limit(talk: Talk, end: End, limits: Limits) -> Failure:
    if end.verdict == "time limit":
        said = f"Stopped after {_minutes(limits.wall_seconds)}, the time limit of one project. Nothing was written. "
        said += "If it needs longer, give more with --time-limit MINUTES."
        return _failed(talk, "time limit", said, 1)
    said = f"Stopped when its processes held {end.peak_mb / 1024:.2f} GB, more than the memory limit of "
    said += f"{(limits.memory_mb or 0) / 1024:g} GB. Nothing was written. If it needs more, give it with "
    return _failed(talk, "memory limit", said + "--memory-limit GB.", 3)


def _ended(talk: Talk, end: End) -> Failure:
    """Return the failure of a worker that ended without a last word."""
    how = f"was ended from outside ({_signal(-end.status)})" if end.status < 0 else "ended without a last word"
    said = f"The process that ran {talk.slug} {how}. Most often the memory was used up: run fewer at a time (-j 1), "
    return _failed(talk, "killed", said + "or use a machine with more, and type the same command again.", 3)


def _failed(talk: Talk, kind: Literal["killed", "time limit", "memory limit"], said: str, code: int) -> Failure:
    return Failure(
        slug=talk.slug,
        kind=kind,
        message=said,
        exit_code=code,
        stage=talk.stage,
        heading=talk.heading,
        call=talk.call,
    )


def _signal(number: int) -> str:
    try:
        return f"signal {number}, {signal.Signals(number).name}"
    except ValueError:
        return f"signal {number}"


def _minutes(seconds: float) -> str:
    return counted(round(seconds), "second") if seconds < 60 else f"{seconds / 60:g} minute{'s' * (seconds != 60)}"
