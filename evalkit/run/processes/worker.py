"""The process that runs one project: `python -m evalkit.run.processes.worker TASK`.

It says what it does in lines of JSON on its standard output: `stage started`, `cell`, `stage ended`, and last `done`
or `failed`. It ends when its standard input does, which is when the process that started it has ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Final

from evalkit.run.console import Progress
from evalkit.run.many.task import Task
from evalkit.run.processes.failure import failure_of

SYNTHETIC: Final = "--synthetic-england"
"""In place of a task: make the synthetic England where it is not there yet."""
MAKING: Final = "making the synthetic England"
ENDING_SECONDS: Final = 3.0
"""How long a process that was told to end may take to clean up."""
Say = Callable[[dict[str, object]], None]


class Telling(Progress):
    """Tells the stages and cells of a run as events."""

    def __init__(self, slug: str, say: Say) -> None:
        super().__init__(is_quiet=True)
        self.stage = "reading the project file"
        self._slug, self._tell = slug, say

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Tell that a stage has begun and, where nothing stopped it, how long it took."""
        self.stage, began = text.removeprefix(f"{self._slug}: "), time.monotonic()
        self._tell({"event": "stage started", "stage": self.stage})
        yield
        seconds = round(time.monotonic() - began, 3)
        self._tell({"event": "stage ended", "stage": self.stage, "seconds": seconds})

    def cell(self, heading: str, call: str) -> None:
        """Tell which cell of a notebook is about to run."""
        self._tell({"event": "cell", "heading": heading, "call": call})


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the task given as JSON and return its exit code."""
    (text,) = sys.argv[1:] if arguments is None else arguments
    say = _own_output()
    _end_with_parent()
    return make_synthetic(say) if text == SYNTHETIC else work(Task.from_json(text), say)


def work(task: Task, say: Say) -> int:
    """Run one project in this process, telling what happens; return its exit code."""
    telling = Telling(task.slug, say)

    def run() -> str:
        from evalkit.run.project import runner

        request = runner.Request(task.project_file, task.data, task.out)
        return str(runner.run_project(request, telling) / "report.html")

    return _told(run, telling, say)


def make_synthetic(say: Say) -> int:
    """Make the synthetic England where it is not there yet, so that workers do not all make it."""
    telling = Telling("", say)

    def make() -> str:
        from evalkit.run.notebooks.session import synthetic_folder

        with telling.step(MAKING):
            return str(synthetic_folder())

    return _told(make, telling, say)


def _told(do: Callable[[], str], telling: Telling, say: Say) -> int:
    try:
        made = do()
    except (Exception, KeyboardInterrupt) as problem:
        failure, log = failure_of(problem, telling._slug, telling.stage)
        say({"event": "failed", "failure": asdict(failure), "log": log})
        return failure.exit_code
    say({"event": "done", "made": made})
    return 0


def _own_output() -> Say:
    """Return how to say something to the parent; whatever else is printed goes to standard error."""
    own, lock = os.dup(1), threading.Lock()
    os.dup2(2, 1)

    def say(event: dict[str, object]) -> None:
        line = json.dumps(event).encode() + b"\n"
        with lock, suppress(BrokenPipeError):
            while line:
                line = line[os.write(own, line) :]

    return say


def _end_with_parent() -> None:
    """End this process, and its group where it leads one, when its standard input ends."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    parent = _taken_input()

    def watch() -> None:
        with suppress(OSError):
            while os.read(parent, 1024):
                pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ENDING_SECONDS)
        _end_hard()

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()


def _taken_input() -> int:
    """Return the number of what was standard input, which is empty from now on: what a cell starts may read it."""
    taken, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return taken


def _end_hard() -> None:
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
