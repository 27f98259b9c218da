"""A worker tells what it does in events, and a failure without what the data hold."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.core.errors import DataError, EnvironmentFault, EvalkitError
from evalkit.run.many.task import Limits, Task
from evalkit.run.notebooks.execute import NotebookFailure
from evalkit.run.processes import worker
from evalkit.run.processes.failure import TookTooLong
from evalkit.run.project import runner

ROOT = Path(__file__).resolve().parents[4]
TASK = Task(slug="demo", project_file=Path("demo/project.yml"), data=None, out=Path("out"))


def test_a_task_survives_being_written():
    for task in (TASK, Task(slug="a", project_file=Path("p"), data=Path("d"), out=Path("o"), limits=Limits(1.5, 7.0))):
        assert Task.from_json(task.to_json()) == task


def said_by(monkeypatch, run) -> tuple[int, list[dict]]:
    monkeypatch.setattr(runner, "run_project", run)
    said = []
    return worker.work(TASK, said.append), said


def test_stages_and_cells_are_told_as_they_begin(monkeypatch):
    def run(request, progress):
        with progress.step("demo: reading the data"):
            progress.cell("Who took part?", "design.participants_table()")
        return request.out / "demo"

    code, said = said_by(monkeypatch, run)
    assert code == 0
    assert [event.pop("seconds") >= 0 for event in said if "seconds" in event] == [True]
    assert said == [
        {"event": "stage started", "stage": "reading the data"},
        {"event": "cell", "heading": "Who took part?", "call": "design.participants_table()"},
        {"event": "stage ended", "stage": "reading the data"},
        {"event": "done", "made": str(Path("out/demo/report.html"))},
    ]


@pytest.mark.parametrize(
    ("problem", "kind", "code"),
    [
        (DataError("a.csv is empty."), "bad input", 2),
        (EvalkitError("Another run is writing."), "error", 1),
        (NotebookFailure("An error that was not foreseen.", "log"), "error", 1),
        (TookTooLong("Too long."), "time limit", 1),
        (EnvironmentFault("Stopped. The disk is full."), "disk", 3),
        (OSError(errno.ENOSPC, "No space left on device"), "disk", 3),
        (MemoryError(), "memory limit", 3),
        (KeyError("pupil 17"), "error", 1),
        (KeyboardInterrupt(), "interrupted", 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_a_failure_is_told_with_its_kind_and_stage(monkeypatch, problem, kind, code):
    def run(request, progress):
        with progress.step("demo: notebook 2_impact"):
            raise problem

    exit_code, said = said_by(monkeypatch, run)
    failure = said[-1]["failure"]
    assert (exit_code, failure["kind"], failure["exit_code"]) == (code, kind, code)
    assert failure["stage"] == "notebook 2_impact"
    assert "pupil 17" not in failure["message"]
    if isinstance(problem, EvalkitError):
        assert failure["message"] == str(problem)
    if isinstance(problem, KeyError):
        assert "(KeyError)" in failure["message"]
        assert "pupil 17" in said[-1]["log"]


PRINTS = """
import sys
from evalkit.run.processes import worker
from evalkit.run.project import runner
def run_project(request, progress):
    print("noise")
    import os
    os.write(1, b"noise of a library\\n")
    return request.out
runner.run_project = run_project
sys.exit(worker.main())
"""


def test_what_is_printed_by_the_way_does_not_mix_with_what_is_told():
    command = [sys.executable, "-c", PRINTS, TASK.to_json()]
    with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, text=True, cwd=ROOT) as process:
        out = process.stdout.read()
        assert process.wait(30) == 0
        assert "noise of a library" in process.stderr.read()
    assert out.count("\n") == 1
    assert "noise" not in out


CELL = """
import json, sys
from evalkit.run.processes import worker
from evalkit.run.project import runner


def run_project(request, progress):
    with progress.step("demo: notebook 1_design"):
        progress.cell("What could go wrong?", "trouble")
        exec(request.project_file.read_text())
    return request.out


runner.run_project = run_project
sys.exit(worker.main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("trouble", "said", "written"),
    [
        ("import os; os._exit(0)", None, ""),
        ("import ctypes; ctypes.string_at(0)", None, ""),
        ("import sys; print(repr(sys.stdin.read()))", "done", "''"),
        ("import subprocess; subprocess.run(['cat'])", "done", ""),
        ("import os; os.write(1, b'noise')", "done", "noise"),
    ],
    ids=["leaves", "crashes", "reads", "starts what reads", "writes past the streams"],
)
def test_what_a_cell_does_to_its_process_reaches_no_channel_of_the_parent(tmp_path, trouble, said, written):
    """A worker that ends without a word has failed; what it reads and writes is not what its parent is told."""
    (tmp_path / "trouble.py").write_text(trouble)
    task = Task(slug="demo", project_file=tmp_path / "trouble.py", data=None, out=tmp_path / "out")
    command = [sys.executable, "-c", CELL, task.to_json()]
    with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, cwd=ROOT, start_new_session=True) as process:
        told = [json.loads(line) for line in process.stdout]
        complaint = process.stderr.read().decode()
        process.stdin.close()
    assert told[1] == {"event": "cell", "heading": "What could go wrong?", "call": "trouble"}
    assert (told[-1]["event"] if len(told) > 2 else None) == said
    assert written in complaint
