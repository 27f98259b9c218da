"""A workspace of many projects whose reports are one line each, made in the process of the test."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.run import cli
from evalkit.run.many import run_command
from evalkit.run.many.fleet import watched
from evalkit.run.many.task import RunResult, Task
from evalkit.run.outputs.content_key import shown_data
from evalkit.run.project import workspace
from tests.conftest import ROOT

KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml"
RunOne = Callable[..., RunResult]


def key(project_file: Path, data: Path, hashes: object = None, shown: str = "") -> str:
    """Return what stands for the key of a report: the project's text and the content of a file among the data."""
    content = (data / "data.txt").read_text() if (data / "data.txt").exists() else "synthetic"
    return hashlib.sha256(f"{project_file.read_text()} {content} {shown}".encode()).hexdigest()


def made(task: Task, report: object = None, stop: object = None) -> RunResult:
    """Make a report as a run does: put in place whole, with the key of what was read."""
    folder = task.out / task.slug
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text(f"{task.slug} of {task.data}")
    digest = hashlib.sha256((folder / "report.html").read_bytes()).hexdigest()
    data = workspace.synthetic_place() if task.data is None else task.data
    manifest = {
        "kind": "evalkit outputs",
        "data_kind": "synthetic" if task.data is None else "published",
        "key": key(task.project_file, data, shown=shown_data(task.data)),
        "outputs": {"report.html": digest},
    }
    (folder / "new.json").write_text(json.dumps(manifest))
    (folder / "new.json").replace(folder / "manifest.json")
    return RunResult(slug=task.slug, status="done", seconds=1.0, report=task.report)


def make_space(folder: Path, monkeypatch: pytest.MonkeyPatch, run_one: RunOne = made, *slugs: str) -> Path:
    """Make a workspace, stand in it, and have its projects run by `run_one`."""
    for slug in slugs:
        add(folder, slug)
    (folder / "data" / "projects").mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(cli, "_end_on_signals", lambda: None)
    monkeypatch.setattr("evalkit.run.outputs.content_key.content_key", key)
    workspace.synthetic_place().mkdir(parents=True)
    run_by(monkeypatch, run_one)
    return folder


def run_by(monkeypatch: pytest.MonkeyPatch, run_one: RunOne) -> None:
    """Have projects run by `run_one`, one after the other."""
    monkeypatch.setattr(run_command, "_launcher", lambda options, n: lambda tasks, watcher, stop: [
        watched(task, watcher, stop, run_one) for task in tasks
    ])  # fmt: skip


def add(space: Path, slug: str, folder: str = "", extra: str = "") -> Path:
    """Add a project to a workspace, in a folder of another name where one is given; return its file."""
    path = space / "data" / "projects" / (folder or slug) / "project.yml"
    path.parent.mkdir(parents=True)
    text = KNOWSLEY.read_text(encoding="utf-8").replace("slug: knowsley-ssif", f"slug: {slug}")
    path.write_text(text.replace("\nclaims: claims.yml", "") + extra, encoding="utf-8")
    return path


def published(space: Path, name: str = "published") -> Path:
    """Make a folder that stands for published files."""
    folder = space.parent / f"{space.name}-{name}"
    folder.mkdir()
    (folder / "data.txt").write_text("real schools")
    return folder


def words(table: str) -> dict[str, str]:
    """Return what a summary says became of each project."""
    lines = table.splitlines()
    start = lines[0].index("status")
    return {line.split()[0]: line[start:].split("  ")[0].strip() for line in lines[1 : lines.index("")]}
