"""Many projects at once on the workers of a Dask cluster, each run as this machine would run it."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from evalkit.core.errors import EnvironmentFault, InputError
from evalkit.data.locks import await_free
from evalkit.run.many.cluster import Client, Deserted, Future, connected, facts, require_same, result_of
from evalkit.run.many.fleet import Watcher, forking, reading_once
from evalkit.run.many.task import RunResult, Task
from evalkit.run.notebooks.session import READ_ONCE
from evalkit.run.outputs.content_key import made_meanwhile
from evalkit.run.outputs.folder import lock_of
from evalkit.run.processes.failure import Failure, failure_of, interrupted
from evalkit.run.processes.isolated import run_isolated
from evalkit.run.processes.temporary import sweep

# What a worker of a Dask cluster does with a project: run it as this machine would, and tell how it goes.

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


def run_here(task: Task, call: Call) -> RunResult:
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
        return RunResult.without_report(interrupted(task.slug, ""))
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
    needed = [folder, task.project_file, *([task.data] if task.data is not None else [])]
    missing = next((path for path in needed if not path.exists()), None)
    if missing is not None:
        raise InputError(
            f"{missing} is not on the machine of the worker {worker}. Projects, data and outputs must lie on a file "
            "system that all workers share, under the same path."
        )
    if Path.cwd() != folder:
        os.chdir(folder)


# Many projects at once on the workers of a Dask cluster.

TICK_SECONDS: Final = 0.25
LOOK_SECONDS: Final = 5.0
STOPPED_WITHIN: Final = 30.0
"""Seconds that workers have to end their projects when the call is interrupted."""
WAITING: Final = "waiting for a worker"


@dataclass(frozen=True, slots=True)
class ClusterFleet:
    """A `Launcher` that runs projects on the workers of the scheduler at an address, one for each of their threads.

    The projects that a worker was at when it was lost are run again by another, those that it had done are not. Raises
    `InputError` where the cluster cannot be used; see `connected`.
    """

    address: str

    def __call__(self, tasks: Sequence[Task], watcher: Watcher, stop: threading.Event) -> list[RunResult]:
        """Return what became of each task, in their order."""
        call = Call(f"evalkit-{uuid.uuid4().hex}", Path.cwd(), facts())
        with connected(self.address) as client, _told(client, call, watcher) as stages:
            futures = {client.submit(run_here, task, call, pure=False): task for task in tasks}
            done = {}
            for future in _ended(client, futures, call, stop):
                outcome = _outcome(client, future, futures.pop(future), stages, stop)
                # Dask does again what somebody still holds the future of, where the worker ends that has its result.
                future.release()
                watcher.ended(outcome)
                done[outcome.slug] = outcome
            return [done[task.slug] for task in tasks]


@contextmanager
def _told(client: Client, call: Call, watcher: Watcher) -> Iterator[dict[str, str]]:
    """Pass the workers' events on to a watcher for the block, and give the stage that each project is in."""
    stages: dict[str, str] = {}

    def hear(stamped: tuple[float, Mapping[str, Any]]) -> None:
        event = stamped[1]
        if event["event"] in ("project started", "stage started"):
            stages[event["project"]] = event.get("stage", "starting")
        watcher.event(event)

    client.subscribe_topic(call.name, hear)
    try:
        yield stages
    finally:
        with suppress(Exception):  # workers that are gone have nothing to let go of
            client.unsubscribe_topic(call.name)
            client.run(leave_here, call.name, on_error="ignore")


def _ended(client: Client, futures: Mapping[Future, Task], call: Call, stop: threading.Event) -> Iterator[Future]:
    """Yield every future once: when it has ended, or when there is no more hope that it will."""
    left, deserted = dict(futures), Deserted()
    next_look, give_up = time.monotonic() + LOOK_SECONDS, float("inf")
    while left:
        for future in [future for future in left if future.done()]:
            del left[future]
            yield future
        now = time.monotonic()
        if stop.is_set() and give_up == float("inf"):
            give_up = now + STOPPED_WITHIN
            with suppress(Exception):  # the scheduler may be gone as well; the time below still ends the wait
                client.run(stop_here, call.name, on_error="ignore")
        if now > next_look and not stop.is_set():
            next_look = now + LOOK_SECONDS
            give_up = min(give_up, now if deserted.for_long(client) else give_up)
        if now >= give_up:
            yield from left
            return
        time.sleep(TICK_SECONDS)


def _outcome(client: Client, future: Future, task: Task, stages: Mapping[str, str], stop: threading.Event) -> RunResult:
    """Return what became of a project: what its worker says, or why none could."""
    stage = stages.get(task.slug, WAITING)
    try:
        result: RunResult = result_of(client, future)
        return result
    except EnvironmentFault as problem:
        if stop.is_set():
            return RunResult.without_report(interrupted(task.slug, stages.get(task.slug, "")))
        failure = Failure(slug=task.slug, kind="killed", message=str(problem), exit_code=3, stage=stage)
        return RunResult.without_report(failure)
    except Exception as problem:
        failure, log = failure_of(problem, task.slug, stage)
        return RunResult.without_report(failure, log)
