"""What a worker of a Dask cluster does with a project: run it as this machine would, and tell how it goes."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from evalkit.core.errors import InputError
from evalkit.run.cluster import facts, require_same
from evalkit.run.failure import interrupted
from evalkit.run.fleet import forking, reading_once
from evalkit.run.isolated import run_isolated
from evalkit.run.locks import await_free
from evalkit.run.outputs import lock_of
from evalkit.run.session import READ_ONCE
from evalkit.run.standing_reports import made_meanwhile
from evalkit.run.task import Outcome, Task
from evalkit.run.temporary import sweep

LET_GO_WITHIN: Final = 20.0
"""Seconds that the processes of a worker that was killed may take to let go of a project's outputs."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of `evalkit run`: its name, the folder it was made in, and what its process is made of."""

    name: str
    folder: Path
    facts: dict[str, str]


_turn = threading.Lock()
_stops: dict[str, threading.Event] = {}
"""Of each call that this worker works for: whether it shall stop."""
_server = ExitStack()
"""Holds the process that projects are forked from, from the first of them to the end of the worker."""
_has_server = threading.Event()
_reading = ExitStack()
"""Holds the folder in which projects share what they read, from the first of some calls to the end of the last."""


def run_here(task: Task, call: Call) -> Outcome:
    """Run a project on this worker and return what became of it.

    Its events go to the client under the name of the call. A project that another worker had begun, and that ended
    with it, is begun anew as soon as what is left of it has let go of the outputs; one that it had done is not.
    """
    from distributed import get_worker

    worker: Any = get_worker()
    require_same(call.facts, facts(), worker.address)
    _enter(call.folder, task, worker.address)
    stop = _stop_of(call.name)
    if stop.is_set():
        return Outcome.without_report(interrupted(task.slug, ""))
    await_free(lock_of(task.out, task.slug), LET_GO_WITHIN, stop)
    if (made := made_meanwhile(task)) is not None:
        return replace(made, status="done")
    _prepare(call.name)
    worker.log_event(call.name, {"event": "project started", "project": task.slug, "worker": worker.address})
    return run_isolated(task, lambda event: worker.log_event(call.name, dict(event)), stop)


def stop_here(name: str) -> None:
    """End what this worker runs for a call, and begin no more of it."""
    _stop_of(name).set()


def leave_here(name: str) -> None:
    """Forget a call that has ended."""
    with _turn:
        _stops.pop(name, None)
        if not _stops:
            _reading.close()


def _stop_of(name: str) -> threading.Event:
    with _turn:
        return _stops.setdefault(name, threading.Event())


def _prepare(name: str) -> None:
    """Have projects forked from one process, and those of the calls under way share what they read."""
    with _turn:
        if not _has_server.is_set():
            sweep()
            _server.enter_context(forking())
            _has_server.set()
        if name in _stops and READ_ONCE not in os.environ:
            _reading.enter_context(reading_once(True))


def _enter(folder: Path, task: Task, worker: str) -> None:
    """Go to the folder that the call was made in, where the synthetic England is looked for."""
    wanted = [folder, task.project_file, *([task.data] if task.data is not None else [])]
    missing = next((path for path in wanted if not path.exists()), None)
    if missing is not None:
        raise InputError(
            f"{missing} is not on the machine of the worker {worker}. Projects, data and outputs must lie on a file "
            "system that all workers share, under the same path."
        )
    if Path.cwd() != folder:
        os.chdir(folder)
