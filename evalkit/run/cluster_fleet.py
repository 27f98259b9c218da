"""Many projects at once on the workers of a Dask cluster."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evalkit.core.errors import EnvironmentFault
from evalkit.run.cluster import Client, Deserted, Future, connected, facts, result_of
from evalkit.run.cluster_worker import Call, leave_here, run_here, stop_here
from evalkit.run.failure import Failure, failure_of, interrupted
from evalkit.run.fleet import Watcher
from evalkit.run.task import Outcome, Task

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

    def __call__(self, tasks: Sequence[Task], watcher: Watcher, stop: threading.Event) -> list[Outcome]:
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


def _outcome(client: Client, future: Future, task: Task, stages: Mapping[str, str], stop: threading.Event) -> Outcome:
    """Return what became of a project: what its worker says, or why none could."""
    stage = stages.get(task.slug, WAITING)
    try:
        found: Outcome = result_of(client, future)
        return found
    except EnvironmentFault as problem:
        if stop.is_set():
            return Outcome.without_report(interrupted(task.slug, stages.get(task.slug, "")))
        said = Failure(slug=task.slug, kind="killed", message=str(problem), exit_code=3, stage=stage)
        return Outcome.without_report(said)
    except Exception as problem:
        failure, log = failure_of(problem, task.slug, stage)
        return Outcome.without_report(failure, log)
