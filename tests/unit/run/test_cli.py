"""The command line: what it prints where, its exit codes, and never a traceback."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import evalkit
from evalkit.core.errors import DataError, DesignError, EnvironmentFault, EvalkitError
from evalkit.run import cli
from evalkit.run.many import run_command
from evalkit.run.many.fleet import watched
from evalkit.run.many.task import RunResult
from evalkit.run.notebooks.execute import NotebookFailure
from evalkit.run.processes import worker
from evalkit.run.processes.failure import Failure
from evalkit.run.project import runner, workspace
from evalkit.run.project.project_file import load_project
from tests.filled_template import filled_in

ROOT = Path(__file__).resolve().parents[3]
KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif"


@pytest.fixture
def space(tmp_path, monkeypatch):
    """A workspace of its own with the Knowsley project, the current folder in it, and workers in this process."""
    shutil.copytree(KNOWSLEY, tmp_path / "data" / "projects" / "knowsley-ssif")
    monkeypatch.chdir(tmp_path)
    workspace.synthetic_place().mkdir(parents=True)
    monkeypatch.setattr(cli, "_end_on_signals", lambda: None)
    monkeypatch.setattr(run_command, "_launcher", lambda options, n_tasks: in_this_process)
    return tmp_path


def in_this_process(tasks, watcher, stop):
    """Launch tasks one after the other, each as a worker would do it."""
    return [watched(task, watcher, stop, worked_here) for task in tasks]


def worked_here(task, report, stop) -> RunResult:
    said = []
    worker.work(task, said.append)
    last = said[-1]
    if last["event"] == "done":
        return RunResult(slug=task.slug, status="done", seconds=1.0, report=task.report)
    failure = Failure(**last["failure"])
    return RunResult(slug=task.slug, status="failed", seconds=1.0, failure=failure, log=last["log"])


def failing_run(monkeypatch, problems: dict[str, BaseException]) -> None:
    """Let a run of a project raise what is given for it, or return its folder."""

    def run(request, progress):
        slug = request.project_file.parent.name
        with progress.step(f"{slug}: reading"):
            if slug in problems:
                raise problems[slug]
        return request.out / slug

    monkeypatch.setattr(runner, "run_project", run)


def projects(space: Path, *slugs: str) -> None:
    text = (KNOWSLEY / "project.yml").read_text(encoding="utf-8")
    for slug in slugs:
        shutil.copytree(KNOWSLEY, space / "data" / "projects" / slug)
        (space / "data" / "projects" / slug / "project.yml").write_text(
            text.replace("slug: knowsley-ssif", f"slug: {slug}")
        )


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (EvalkitError("A sentence."), 1),
        (NotebookFailure("A sentence.", "Traceback"), 1),
        (DataError("A sentence."), 2),
        (DesignError("A sentence."), 2),
        (EnvironmentFault("A sentence."), 3),
        (OSError(errno.ENOSPC, "No space left on device"), 3),
        (PermissionError(errno.EACCES, "Permission denied"), 3),
        (MemoryError(), 3),
        (KeyError("column"), 1),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_a_failure_has_its_exit_code_and_no_traceback(space, monkeypatch, capsys, problem, code):
    failing_run(monkeypatch, {"knowsley-ssif": problem})
    assert cli.main(["run", "knowsley-ssif", "--data", "data"]) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out
    assert said.out == ""
    assert said.err.strip()


def test_details_nobody_foresaw_go_to_a_private_log(space, monkeypatch, capsys):
    monkeypatch.setattr("tempfile.tempdir", str(space))
    failing_run(monkeypatch, {"knowsley-ssif": KeyError("column")})
    cli.main(["run", "knowsley-ssif", "--data", "data"])
    [name] = re.findall(r"details are in (\S+\.log)", capsys.readouterr().err)
    assert "KeyError: 'column'" in Path(name).read_text()
    assert Path(name).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("problems", "code"),
    [
        ({}, 0),
        ({"b": DataError("x")}, 1),
        ({"a": DataError("x"), "b": DesignError("x"), "c": DataError("x")}, 2),
        ({"a": EnvironmentFault("x"), "c": EnvironmentFault("x")}, 1),
        ({"a": DataError("x"), "b": EnvironmentFault("x")}, 1),
        ({"a": EvalkitError("x"), "b": DataError("x")}, 1),
    ],
)
def test_of_several_projects_the_others_still_run(space, monkeypatch, capsys, problems, code):
    projects(space, "a", "b", "c")
    failing_run(monkeypatch, problems)
    assert cli.main(["run", "a", "b", "c", "--data", "data", "--out", "o"]) == code
    said = capsys.readouterr()
    rows = {line.split()[0]: line for line in said.out.splitlines() if line[:1] in set("abc")}
    assert list(rows) == ["a", "b", "c"]
    for slug, row in rows.items():
        assert row.endswith("x" if slug in problems else str(space / "o" / slug / "report.html"))
    assert all(f"evalkit: {slug}: x" in said.err for slug in problems)
    records = sorted(path.name for path in (space / "o" / "_runs").glob("*.failed.json"))
    assert records == [f"{slug}.failed.json" for slug in problems]
    known = {path.name.partition(".")[0] for path in (space / "o" / "_runs").glob("*.data.json")}
    assert known == {"a", "b", "c"} - set(problems)  # where the data of each report are


def test_without_data_the_synthetic_england_is_said_aloud(space, monkeypatch, capsys):
    failing_run(monkeypatch, {})
    assert cli.main(["run", "knowsley-ssif"]) == 0
    said = capsys.readouterr()
    assert "synthetic England" in said.err
    assert said.out.strip() == str(space / "outputs" / "knowsley-ssif" / "report.html")


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["run"], ["rn", "x"], ["run", "x", "--dat", "y", "--nope"], ["check"], ["new"]),
        *(["run", "--all", "x"], ["run", "x", "-j", "0"], ["run", "x", "-j", "two"], ["run", "x", "-j", "1.5"]),
        *(["run", "x", "--time-limit", "0"], ["run", "x", "--memory-limit", "nan"], ["run", "x", "--time-limit", "-1"]),
    ],
)
def test_wrong_usage_exits_with_2(arguments, capsys):
    assert cli.main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.fullmatch(r"evalkit: [A-Z-].*[.?] `evalkit.*` (lists|shows) .*\.\n", said.err)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("knowsley-sif", "Did you mean 'knowsley-ssif'?"),
        ("nowhere/project.yml", "there is no such project file"),
        ("../knowsley-ssif", "there is no such project file"),
        ("..", "There is no project '..'"),
    ],
)
def test_an_unknown_project_exits_with_2(space, capsys, name, expected):
    assert cli.main(["run", name, "--data", "data"]) == 2
    assert expected in capsys.readouterr().err


def test_a_missing_data_folder_exits_with_2_and_writes_nothing(space, capsys):
    assert cli.main(["run", "knowsley-ssif", "--data", "nowhere", "--out", "o"]) == 2
    assert "there is no such folder" in capsys.readouterr().err
    assert cli.main(["check", "knowsley-ssif", "--data", "nowhere"]) == 2
    assert not (space / "o").exists()


def test_a_foreign_folder_is_refused_before_anything_is_read(space, capsys):
    (space / "o" / "knowsley-ssif").mkdir(parents=True)
    (space / "o" / "knowsley-ssif" / "thesis.txt").touch()
    assert cli.main(["run", "knowsley-ssif", "--data", "data", "--out", "o"]) == 2
    assert "was not made by evalkit" in capsys.readouterr().err
    assert [path.name for path in (space / "o" / "knowsley-ssif").iterdir()] == ["thesis.txt"]


def test_a_new_project_is_valid_and_is_not_made_twice(space, capsys):
    assert cli.main(["new", "my-project"]) == 0
    made = space / "data" / "projects" / "my-project" / "project.yml"
    assert capsys.readouterr().out.strip() == str(made)
    with pytest.raises(EvalkitError, match="still to be filled in"):
        load_project(made)
    made.write_text(filled_in(made.read_text(encoding="utf-8")), encoding="utf-8")
    assert load_project(made).slug == "my-project"
    assert (made.parent.parent / "project.schema.json").exists()
    before = made.read_bytes()
    assert cli.main(["new", "my-project"]) == 2
    assert made.read_bytes() == before


@pytest.mark.parametrize("slug", ["../x", "A", "a/b", "a.b", "-a"])
def test_a_slug_that_cannot_name_a_project_exits_with_2(space, slug):
    assert cli.main(["new", "--", slug]) == 2
    assert not (space.parent / "x").exists()


def test_projects_are_listed_and_a_broken_one_is_named(space, capsys):
    projects(space, "broken")
    (space / "data" / "projects" / "broken" / "project.yml").write_text("slug: [")
    assert cli.main(["projects"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("broken: cannot be read.")
    assert second == f"knowsley-ssif: {load_project(KNOWSLEY / 'project.yml').title}"


def fake_kit(space, monkeypatch, executed: list[str]) -> None:
    """Put a kit in place that reads nothing and whose notebooks only say their names."""
    sources = SimpleNamespace(folder=space, kind="synthetic", files=lambda: ())

    def execute(path, parameters, note, is_own=False):
        executed.append(path.stem)
        assert Path(parameters["out"]).name.endswith(".staging")
        (Path(parameters["out"]) / "design.json").write_text("{}")
        return {"cells": [{"cell_type": "markdown", "metadata": {}, "source": path.stem}]}

    def released(evaluation, notebooks, reference):
        titles = [notebook.content["cells"][0]["source"] for notebook in notebooks]
        return {"report.html": " ".join(titles).encode(), "tables/a.csv": b"1\n"}

    monkeypatch.setattr(runner, "find_data", lambda folder: sources)
    monkeypatch.setattr(runner, "preflight", lambda *arguments: None)
    monkeypatch.setattr(runner, "open_evaluation", lambda **arguments: None)
    monkeypatch.setattr(runner, "content_key", lambda *arguments: "key")
    monkeypatch.setattr("evalkit.run.notebooks.execute.execute", execute)
    monkeypatch.setattr("evalkit.report.documents.released.released_files", released)


def test_a_run_executes_design_first_and_reports_the_summary_first(space, monkeypatch, capsys):
    executed: list[str] = []
    fake_kit(space, monkeypatch, executed)
    assert cli.main(["run", "knowsley-ssif", "--out", "o"]) == 0
    folder = space / "o" / "knowsley-ssif"
    assert capsys.readouterr().out.strip() == str(folder / "report.html")
    assert executed == ["1_design", "2_areas", "3_review", "0_summary", "4_reproducibility"]
    assert (folder / "report.html").read_text() == " ".join(sorted(executed))
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    notebooks = [f"notebooks/{name}.ipynb" for name in sorted(executed)]
    assert found == ["design.json", "manifest.json", *notebooks, "report.html", "tables/a.csv"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert sorted([*manifest["outputs"], "manifest.json"]) == found


def test_a_run_that_fails_leaves_the_old_outputs(space, monkeypatch):
    fake_kit(space, monkeypatch, [])
    assert cli.main(["run", "knowsley-ssif", "--out", "o"]) == 0
    folder = space / "o" / "knowsley-ssif"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for problem in (DataError("x"), KeyError("x"), OSError(errno.ENOSPC, "full"), KeyboardInterrupt()):

        def fail(evaluation, notebooks, reference, problem=problem):
            raise problem

        monkeypatch.setattr("evalkit.report.documents.released.released_files", fail)
        assert cli.main(["run", "knowsley-ssif", "--out", "o"]) != 0
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_workspace_is_found_from_below_it(space):
    (space / "notes" / "deep").mkdir(parents=True)
    assert workspace.find_workspace(space / "notes" / "deep") == space
    assert workspace.find_workspace(Path(ROOT.anchor)) == ROOT


def notebooks_in(folder: Path) -> Path:
    (folder / "notebooks").mkdir(parents=True)
    for name in workspace.NOTEBOOKS:
        (folder / "notebooks" / f"{name}.ipynb").touch()
    return folder / "notebooks"


def test_notebooks_are_those_of_the_projects_own_workspace_and_never_of_a_folder_above(tmp_path, monkeypatch):
    """A folder above, as a home folder may be, has projects and notebooks; what is run below it takes none of them."""
    above = notebooks_in(tmp_path)
    (tmp_path / "data" / "projects").mkdir(parents=True)
    named = tmp_path / "fund"
    inside = named / "data" / "projects" / "one" / "project.yml"
    alone = tmp_path / "alone"
    alone.mkdir()
    monkeypatch.chdir(alone)
    assert workspace.notebooks_folder(alone / "project.yml") == ROOT / "notebooks"
    assert workspace.notebooks_folder(inside) == ROOT / "notebooks"
    assert workspace.notebooks_folder(tmp_path / "data" / "projects" / "two" / "project.yml") == above
    found = notebooks_in(named)
    assert workspace.notebooks_folder(inside) == found  # the one that was named
    monkeypatch.chdir(named)
    assert workspace.notebooks_folder(alone / "project.yml") == found  # the one that the user stands in


def command(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "evalkit", *arguments], capture_output=True, text=True, check=False, cwd=ROOT, **options
    )


def test_the_program_says_its_version_without_loading_anything_heavy():
    answer = command("--version")
    assert (answer.returncode, answer.stdout) == (0, f"evalkit {evalkit.__version__}\n")
    code = "import sys, evalkit.run.cli; print(*({'pandas', 'pydantic', 'papermill', 'numpy'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert loaded.stdout.strip() == ""


INTERRUPTED = """
import sys, time
from pathlib import Path
from evalkit.run import cli
from evalkit.run.project import check
def check_project(*arguments):
    print("started", flush=True)
    time.sleep(30)
check.check_project = check_project
sys.exit(cli.main(["check", "knowsley-ssif", "--data", "data"]))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_exits_with_130(number):
    started = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(started, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout.readline() == "started\n"
        process.send_signal(number)
        said = process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert "Earlier outputs stand as they were" in said
    assert "Traceback" not in said
