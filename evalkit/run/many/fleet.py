"""Many projects at once, each in a process of its own."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Final, Protocol

import psutil

from evalkit.data.locks import Busy
from evalkit.run.many.task import RunResult, Task
from evalkit.run.notebooks.session import READ_ONCE
from evalkit.run.outputs.content_key import made_meanwhile
from evalkit.run.processes.failure import INTERRUPTED, interrupted
from evalkit.run.processes.fork_server import ADDRESS, EVERYTHING, ONE_PROJECT, ForkServer, NoForkServer, address_here
from evalkit.run.processes.isolated import ReportEvent, run_isolated
from evalkit.run.processes.temporary import READ, private_folder

PROJECT_BYTES: Final = 1.5 * 2**30
"""What is reckoned with for a project when nobody says how many to run at once."""
_STOPPING: Final = ("SIGINT", "SIGTERM", "SIGHUP")


class Watcher(Protocol):
    """Is told what happens; from several threads, but never of two things at once."""

    def event(self, event: Mapping[str, object]) -> None:
        """Take note of an event of a worker."""

    def ended(self, outcome: RunResult) -> None:
        """Take note of what became of a project."""


class Watchers:
    """Several watchers as one, told one thing at a time."""

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers, self._turn = watchers, threading.Lock()

    def event(self, event: Mapping[str, object]) -> None:
        """Tell all of an event."""
        with self._turn:
            for watcher in self._watchers:
                watcher.event(event)

    def ended(self, outcome: RunResult) -> None:
        """Tell all what became of a project."""
        with self._turn:
            for watcher in self._watchers:
                watcher.ended(outcome)


Launcher = Callable[[Sequence[Task], Watcher, threading.Event], list[RunResult]]
"""Runs tasks, tells a watcher, begins no more once the event is set, and returns an outcome for each task, in order."""
RunOne = Callable[[Task, ReportEvent, threading.Event], RunResult]


@dataclass(frozen=True, slots=True)
class LocalFleet:
    """A `Launcher` that runs up to `n_at_once` projects of this machine side by side."""

    n_at_once: int
    run_one: RunOne = run_isolated

    def __call__(self, tasks: Sequence[Task], watcher: Watcher, stop: threading.Event) -> list[RunResult]:
        """Return what became of each task, in their order."""

        def one(task: Task) -> RunResult:
            return watched(task, watcher, stop, self.run_one)

        watcher.event({"event": "preparing", "what": "loading the libraries"})
        needed = EVERYTHING if len(tasks) > 1 else ONE_PROJECT
        with reading_once(len(tasks) > 1), forking(needed), ThreadPoolExecutor(self.n_at_once) as pool:
            return list(pool.map(one, tasks))


def watched(task: Task, watcher: Watcher, stop: threading.Event, run_one: RunOne) -> RunResult:
    """Run one task, tell the watcher, and return what became of it.

    It does not begin where `stop` is set, or where another run has made its report since the task was.
    """
    if stop.is_set():
        outcome = RunResult.without_report(interrupted(task.slug, ""))
    elif (made := made_meanwhile(task)) is not None:
        outcome = made
    else:
        watcher.event({"event": "project started", "project": task.slug})
        outcome = run_one(task, watcher.event, stop)
    watcher.ended(outcome)
    return outcome


def exit_code(outcomes: Sequence[RunResult]) -> int:
    """Return 0 where each project has its report, else the code that all share, or 1.

    It is 130 where the run was interrupted, and that of `Busy` where nothing else is wrong than that other runs hold
    some of the projects.
    """
    codes = {outcome.exit_code for outcome in outcomes}
    if INTERRUPTED in codes:
        return INTERRUPTED
    if Busy.exit_code in codes and codes <= {0, Busy.exit_code}:
        return Busy.exit_code
    return codes.pop() if len(codes) == 1 else int(any(codes))


def jobs_here(n_tasks: int) -> int:
    """Return how many projects this machine runs well at once: by its cores, its free memory, and what there is."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    by_memory = int(psutil.virtual_memory().available // PROJECT_BYTES)
    return max(1, min(cores, by_memory, n_tasks))


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Give an event that is set, in place of an interruption, when somebody wishes this process to end."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    numbers = [getattr(signal, name) for name in _STOPPING if hasattr(signal, name)]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def reading_once(is_wanted: bool) -> Iterator[None]:
    """Have the projects of the block share what they read of the published files, in a private folder removed after."""
    if not is_wanted:
        yield
        return
    with private_folder(READ) as folder:
        os.environ[READ_ONCE] = str(folder)
        try:
            yield
        finally:
            os.environ.pop(READ_ONCE, None)


@contextmanager
def forking(modules: Sequence[str] = EVERYTHING) -> Iterator[None]:
    """Have workers forked from a server that has imported `modules`, where the system can, for the block."""
    if address_here() is not None:
        yield
        return
    server = ForkServer(modules)
    try:
        with suppress(NoForkServer):
            server.start()
            os.environ[ADDRESS] = server.address
        yield
    finally:
        os.environ.pop(ADDRESS, None)
        server.stop()
