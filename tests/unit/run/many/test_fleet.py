"""Projects side by side: who is told what, the exit code, and a parent that loads nothing heavy."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from evalkit.run.many import fleet
from evalkit.run.many.fleet import LocalFleet, Watchers, exit_code, jobs_here, stopping
from evalkit.run.many.task import RunResult, Task
from evalkit.run.notebooks.session import READ_ONCE
from evalkit.run.processes.failure import Failure, interrupted

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(autouse=True)
def afresh(monkeypatch):
    monkeypatch.setenv("EVALKIT_PLAIN_PROCESSES", "1")


def task(slug: str) -> Task:
    return Task(slug=slug, project_file=Path(slug), data=None, out=Path("out"))


def done(slug: str) -> RunResult:
    return RunResult(slug=slug, status="done", seconds=1.0, report=Path(slug))


def failed(code: int, slug: str = "a") -> RunResult:
    return RunResult(
        slug=slug,
        status="failed",
        seconds=1.0,
        failure=Failure(slug=slug, kind="error", message="x", exit_code=code),
    )


class Heard:
    """A watcher that keeps what it is told, and notices when it is told two things at once."""

    def __init__(self) -> None:
        self.events, self.outcomes, self._busy = [], [], threading.Lock()

    def event(self, event) -> None:
        assert self._busy.acquire(blocking=False)
        self.events.append(event)
        time.sleep(0.001)
        self._busy.release()

    def ended(self, outcome) -> None:
        self.event({"event": "ended", "project": outcome.slug})
        self.outcomes.append(outcome)


def test_tasks_run_side_by_side_and_come_back_in_order():
    meet = threading.Barrier(3, timeout=10)  # passed only where three run at once

    def one(task, report, stop):
        report({"event": "stage started", "project": task.slug, "stage": "s"})
        meet.wait()
        time.sleep(0.05 if task.slug == "a" else 0)
        return done(task.slug)

    heard = Heard()
    outcomes = LocalFleet(3, one)([task(slug) for slug in "abc"], Watchers(heard), threading.Event())
    assert [outcome.slug for outcome in outcomes] == ["a", "b", "c"]
    assert sorted(outcome.slug for outcome in heard.outcomes) == ["a", "b", "c"]
    for slug in "abc":
        kinds = [event["event"] for event in heard.events if event.get("project") == slug]
        assert kinds == ["project started", "stage started", "ended"]


def test_once_stopped_no_project_is_begun():
    def one(task, report, stop):
        stop.set()
        return RunResult.without_report(interrupted(task.slug, "reading"), seconds=1.0)

    outcomes = LocalFleet(1, one)([task(slug) for slug in "abc"], Watchers(), threading.Event())
    assert [outcome.failure.stage for outcome in outcomes] == ["reading", "", ""]
    assert [outcome.failure.message for outcome in outcomes][1] == "Interrupted before it began."
    assert [outcome.status for outcome in outcomes] == ["interrupted", "not begun", "not begun"]
    assert exit_code(outcomes) == 130


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([done("a")], 0),
        ([done("a"), done("b")], 0),
        ([failed(2)], 2),
        ([failed(2), failed(2)], 2),
        ([failed(3), failed(3)], 3),
        ([failed(2), failed(3)], 1),
        ([done("a"), failed(2)], 1),
        ([failed(1), failed(130), done("a")], 130),
        ([], 0),
        ([failed(4), done("a")], 4),  # another run holds one, and nothing else is wrong
        ([failed(4), failed(2), done("a")], 1),
        ([failed(4), failed(130)], 130),
    ],
)
def test_the_exit_code_is_that_of_all_or_1(outcomes, code):
    assert exit_code(outcomes) == code


@pytest.mark.parametrize(("gigabytes", "n_tasks", "expected"), [(16, 3, 3), (16, 100, 8), (5, 100, 3), (0.5, 100, 1)])
def test_jobs_are_bounded_by_cores_memory_and_tasks(monkeypatch, gigabytes, n_tasks, expected):
    # 5 GB hold three projects of 1.5 GB; of eight cores and a hundred tasks eight run
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    memory = SimpleNamespace(available=gigabytes * 2**30)
    monkeypatch.setattr(fleet.psutil, "virtual_memory", lambda: memory)
    assert jobs_here(n_tasks) == expected


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_sets_the_event_and_is_given_back_after(number):
    before = signal.getsignal(number)
    with stopping() as stop:
        os.kill(os.getpid(), number)
        assert stop.wait(5)
    assert signal.getsignal(number) is before


PARENT = """
import sys
from evalkit.run import cli
code = cli.main(sys.argv[1:])
print(code, *({"pandas", "numpy", "scipy", "papermill", "nbclient", "pydantic"} & set(sys.modules)))
"""


def test_a_parent_loads_nothing_heavy(tmp_path):
    folder = tmp_path / "data" / "projects" / "empty"
    folder.mkdir(parents=True)
    (folder / "project.yml").write_text("slug: empty\n")
    (tmp_path / "published").mkdir()
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PARENT, "run", "--all", "--data", "published"]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=variables, check=True)
    assert answer.stdout.splitlines()[-1] == "2"
    assert "things need correcting" in answer.stderr
    assert (tmp_path / "outputs" / "_runs" / "empty.failed.json").exists()


def test_several_projects_share_what_they_read_and_nothing_remains(monkeypatch):
    monkeypatch.delenv(READ_ONCE, raising=False)
    seen = []

    def run_one(task, report, stop):
        folder = os.environ.get(READ_ONCE, "")
        seen.append(folder)
        assert not folder or Path(folder).stat().st_mode & 0o077 == 0
        return done(task.slug)

    LocalFleet(1, run_one)([task("a"), task("b")], Heard(), threading.Event())
    LocalFleet(1, run_one)([task("alone")], Heard(), threading.Event())
    assert len(set(seen[:2])) == 1
    assert seen[0]
    assert not Path(seen[0]).exists()
    assert seen[2] == ""
    assert READ_ONCE not in os.environ
