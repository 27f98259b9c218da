"""A project in a process of its own: whatever becomes of that process is told as it was, and nothing of it stays."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from evalkit.run.many.task import Limits, Task
from evalkit.run.processes import isolated
from evalkit.run.processes.isolated import run_isolated

ROOT = Path(__file__).resolve().parents[4]
A_MINUTE = Limits(60.0)
pytestmark = pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX")

SAY = """\
import json, os, signal, subprocess, sys, time
def say(**event):
    print(json.dumps(event), flush=True)
say(event="stage started", stage="notebook 2_impact")
say(event="cell", heading="What changed?", call="evaluation.effects_table()")
"""
CHILD = "children = [subprocess.Popen(['sleep', '60'], start_new_session=s) for s in (False, True)]\n"
CHILD += "open(sys.argv[1], 'a').write(' '.join(str(child.pid) for child in children))\n"


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Return a function that runs a script in the place of a worker and returns the outcome, and the events."""
    monkeypatch.setenv("EVALKIT_PLAIN_PROCESSES", "1")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(isolated, "MODULE", "worker_of_the_test")
    events = []

    def run(script: str, limits: Limits = A_MINUTE, stop: threading.Event | None = None):
        text = (SAY + script).replace("sys.argv[1]", repr(str(tmp_path / "children")))
        (tmp_path / "worker_of_the_test.py").write_text(text)
        task = Task(slug="demo", project_file=tmp_path / "p.yml", data=None, out=tmp_path / "out", limits=limits)
        return run_isolated(task, events.append, stop), events

    return run


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def children(folder: Path) -> list[int]:
    return [int(word) for word in (folder / "children").read_text().split()]


def test_what_a_worker_says_is_passed_on_with_its_project(work, tmp_path):
    outcome, events = work("print('not JSON')\nsay(event='done', made='x')")
    assert (outcome.status, outcome.report, outcome.failure) == ("done", tmp_path / "out/demo/report.html", None)
    assert outcome.exit_code == 0
    assert [event["event"] for event in events] == ["stage started", "cell"]
    assert {event["project"] for event in events} == {"demo"}


def test_a_worker_and_its_notebooks_do_not_see_the_server(work, monkeypatch):
    monkeypatch.setenv("EVALKIT_FORK_SERVER", "/somewhere")
    outcome, _ = work("assert 'EVALKIT_FORK_SERVER' not in os.environ\nsay(event='done', made='x')")
    assert outcome.status == "done"


def test_done_is_done_whatever_the_exit_status(work):
    """What counts is that the outputs were put in place, which comes before the word."""
    outcome, _ = work("say(event='done', made='x')\nsys.exit(9)")
    assert outcome.status == "done"


def test_a_failure_is_told_as_the_worker_told_it(work):
    failure = {"slug": "demo", "kind": "bad input", "message": "a.csv is empty.", "exit_code": 2, "stage": "reading"}
    outcome, _ = work(f"say(event='failed', failure={failure!r}, log='')")
    assert outcome.failure.kind == "bad input"
    assert (outcome.failure.message, outcome.exit_code, outcome.log) == ("a.csv is empty.", 2, "")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_is_killed_is_told_from_its_signal(work, tmp_path, number):
    outcome, _ = work(CHILD + f"os.kill(os.getpid(), {int(number)})")
    failure = outcome.failure
    assert (failure.kind, failure.exit_code) == ("killed", 3)
    assert f"signal {int(number)}" in failure.message
    assert (failure.stage, failure.heading) == ("notebook 2_impact", "What changed?")
    assert failure.call == "evaluation.effects_table()"
    mine, escaped = children(tmp_path)
    assert is_gone(mine)
    with suppress(ProcessLookupError):  # it left the group, and its parent ended before anybody looked
        os.kill(escaped, signal.SIGKILL)


def test_a_worker_that_ends_without_a_word_has_failed(work):
    outcome, _ = work("print('thread panicked', file=sys.stderr)")
    assert outcome.failure.kind == "killed"
    assert "without a last word" in outcome.failure.message
    assert "panicked" in outcome.log  # for the private log
    assert "panicked" not in outcome.failure.message


def test_a_time_limit_ends_a_worker_and_all_it_started(work, tmp_path):
    outcome, _ = work(CHILD + "time.sleep(600)", Limits(1.5))
    failure = outcome.failure
    assert (failure.kind, failure.exit_code) == ("time limit", 1)
    assert failure.message.startswith("Stopped after 2 seconds, the time limit")
    assert failure.heading == "What changed?"
    assert outcome.seconds < 20
    assert [is_gone(pid) for pid in children(tmp_path)] == [True, True]


def test_a_memory_limit_counts_what_children_hold_too(work, tmp_path):
    hold = "import time; held = bytearray(b'1') * (120 << 20); time.sleep(600)"
    script = f"held = bytearray(b'1') * (120 << 20)\nsubprocess.Popen([sys.executable, '-c', {hold!r}])\n"
    outcome, _ = work(script + CHILD + "time.sleep(600)", Limits(60.0, memory_mb=200))
    failure = outcome.failure
    assert (failure.kind, failure.exit_code) == ("memory limit", 3)
    assert 200 < outcome.peak_mb < 400  # 120 MB in each of two, and two interpreters
    assert "memory limit of 0.195312 GB" in failure.message
    assert [is_gone(pid) for pid in children(tmp_path)] == [True, True]


def test_within_its_limits_a_worker_is_left_alone(work):
    outcome, _ = work(
        "held = bytearray(b'1') * (50 << 20)\ntime.sleep(2)\nsay(event='done', made='x')", Limits(30, 500)
    )
    assert outcome.status == "done"
    assert 50 < outcome.peak_mb < 200


def test_a_wish_to_stop_is_passed_on_by_closing_standard_input(work, tmp_path):
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    outcome, _ = work(CHILD + "sys.stdin.read()\nopen(sys.argv[1] + '.told', 'w').close()\nsys.exit(130)", stop=stop)
    assert (outcome.failure.kind, outcome.exit_code) == ("interrupted", 130)
    assert outcome.failure.message == "Interrupted while notebook 2_impact."
    assert (tmp_path / "children.told").exists()
    assert is_gone(children(tmp_path)[0])


def test_what_is_temporary_is_removed_however_a_worker_ends(work, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    work("import tempfile\ntempfile.mkdtemp()\nos.kill(os.getpid(), 9)")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_where_no_process_can_be_started_the_machine_is_named(work, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    outcome, _ = work("")
    assert (outcome.failure.kind, outcome.exit_code) == ("disk", 3)
    assert outcome.failure.stage == "starting"


PARENT = """
import sys
from pathlib import Path
from evalkit.run.processes import isolated
from evalkit.run.many.task import Task
isolated.MODULE = "worker_that_hangs"
here = Path(sys.argv[1])
task = Task(slug="demo", project_file=here / "p.yml", data=None, out=here / "out")
isolated.run_isolated(task, lambda event: print(event["event"], flush=True))
"""
HANGS = """
import os, sys, time
from pathlib import Path
from evalkit.run.processes import worker
from evalkit.run.project import runner
def run_project(request, progress):
    with progress.step("demo: hanging"):
        try:
            Path(sys.argv[0]).with_name("pid").write_text(str(os.getpid()))
            time.sleep(600)
        finally:
            Path(sys.argv[0]).with_name("cleaned").touch()
runner.run_project = run_project
sys.exit(worker.main())
"""


def test_a_worker_ends_when_its_parent_is_killed(tmp_path):
    (tmp_path / "worker_that_hangs.py").write_text(HANGS)
    variables = {**os.environ, "EVALKIT_PLAIN_PROCESSES": "1", "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, env=variables)
    with parent:
        assert parent.stdout.readline() == b"stage started\n"
        deadline = time.monotonic() + 10
        while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        parent.send_signal(signal.SIGKILL)
    pid, deadline = int((tmp_path / "pid").read_text()), time.monotonic() + 15
    while not is_gone(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (tmp_path / "cleaned").exists()  # it was interrupted, and not killed
