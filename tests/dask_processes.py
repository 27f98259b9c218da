"""A Dask cluster started as a user would start it: a scheduler and workers, each a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from evalkit.run.many.task import RunResult, Task
from tests.conftest import ROOT

START_SECONDS = 60


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def noted(task: Task, call: object) -> RunResult:
    """On a worker: note that a project was begun, and by whom; the slow one waits until the worker of it was killed."""
    with task.project_file.open("a", encoding="utf-8") as file:
        file.write(f"{task.slug} {os.getpid()}\n")
    begun = [line.split() for line in task.project_file.read_text(encoding="utf-8").splitlines()]
    if task.slug == "slow" and [slug for slug, _ in begun].count("slow") == 1:
        time.sleep(START_SECONDS)
    time.sleep(0.1)
    return RunResult(slug=task.slug, status="done", seconds=0.0)


@contextmanager
def processes(folder: Path, n_workers: int = 2) -> Iterator[tuple[Path, list[subprocess.Popen[bytes]]]]:
    """Give the scheduler's file, and the processes: the scheduler's first, then the workers'."""
    dask, file = [sys.executable, "-m", "dask"], folder / "scheduler.json"
    near = ["--host", "127.0.0.1", "--no-dashboard"]
    commands = [["scheduler", *near, "--port", "0", "--scheduler-file", str(file)]]
    one = ["worker", *near, "--no-nanny", "--nthreads", "1", "--death-timeout", str(START_SECONDS)]
    commands += [[*one, "--scheduler-file", str(file), "--name", f"w{at}"] for at in range(n_workers)]
    running: list[subprocess.Popen[bytes]] = []
    with (folder / "log.txt").open("wb") as log:
        try:
            for command in commands:
                running.append(_started([*dask, *command], log, folder))
                _await(file.exists, running[0])
            yield file, running
        finally:
            for process in reversed(running):
                process.kill()
                process.wait()


def _started(command: list[str], log: object, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=log, stderr=log, env=environment(), cwd=folder)


def _await(holds: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        assert process.poll() is None, "the scheduler ended; see log.txt in its folder"
        assert time.monotonic() < deadline
        time.sleep(0.1)
