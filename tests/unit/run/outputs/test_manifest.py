"""The manifest says what the outputs were made from, the same for the same run, and nothing of the machine."""

import hashlib
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

import evalkit
from evalkit.run.outputs.folder import MANIFEST, is_ours
from evalkit.run.outputs.manifest import (
    commit,
    input_files,
    make_manifest,
    manifest_bytes,
    numerics,
    provenance,
    versions,
)
from evalkit.run.project.project_file import load_project

ROOT = Path(__file__).resolve().parents[4]
KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml"


@pytest.fixture
def sources(tmp_path):
    """A data folder with two files."""
    for name in ("panel/b.csv", "gias/a.csv"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(name)
    files = (tmp_path / "panel/b.csv", tmp_path / "gias/a.csv")
    return SimpleNamespace(folder=tmp_path, kind="synthetic", files=lambda: files)


def text_of(sources) -> bytes:
    project = load_project(KNOWSLEY)
    inputs = input_files(project, KNOWSLEY, sources)
    return manifest_bytes(make_manifest(project, sources, inputs, {"b.csv": b"2", "a.csv": b"1"}))


def test_every_input_is_named_and_hashed(sources):
    found = {item["path"]: item["sha256"] for item in json.loads(text_of(sources))["inputs"]}
    assert list(found) == ["project/claims.yml", "project/project.yml", "data/gias/a.csv", "data/panel/b.csv"]
    assert found["data/gias/a.csv"] == hashlib.sha256(b"gias/a.csv").hexdigest()
    assert found["project/project.yml"] == hashlib.sha256(KNOWSLEY.read_bytes()).hexdigest()


def test_a_manifest_says_the_same_twice_and_names_no_path(sources, tmp_path):
    assert text_of(sources) == text_of(sources)
    for path in (str(tmp_path), str(ROOT), str(Path.home())):
        assert f'"{path}' not in text_of(sources).decode()


def test_parameters_seed_outputs_and_kind_are_there(sources):
    content = json.loads(text_of(sources))
    assert (content["slug"], content["seed"], content["data_kind"]) == ("knowsley-ssif", 20180201, "synthetic")
    assert content["parameters"]["matching"]["ratio"] == 5
    # SHA-256 of the text "1", as `printf 1 | sha256sum` gives it
    assert content["outputs"]["a.csv"] == "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    assert list(content["outputs"]) == ["a.csv", "b.csv"]


def test_the_appendix_says_what_the_manifest_says(sources, tmp_path):
    project = load_project(KNOWSLEY)
    made, content = provenance(project, KNOWSLEY, sources), json.loads(text_of(sources))
    assert [{"path": file.path, "sha256": file.sha256} for file in made.inputs] == content["inputs"]
    assert (made.parameters, made.versions, made.commit) == tuple(
        content[key] for key in ("parameters", "versions", "commit")
    )
    assert (made.slug, made.seed, made.threshold) == ("knowsley-ssif", 20180201, 6)
    assert str(tmp_path) not in repr(made)
    assert "/" not in numerics()


def test_the_manifest_marks_the_folder_as_ours(sources, tmp_path):
    (tmp_path / MANIFEST).write_bytes(text_of(sources))
    assert is_ours(tmp_path)


def test_versions_name_python_the_kit_and_its_dependencies():
    found = versions()
    assert found["evalkit"] == evalkit.__version__
    assert {"python", "numpy", "pandas", "papermill", "pydantic"} <= set(found)
    assert "not installed" not in found.values()


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *settings, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_is_named_and_a_change_to_it_is_said(tmp_path):
    assert commit(tmp_path) == "unknown"
    git(tmp_path, "init", "-q")
    assert commit(tmp_path) == "unknown"
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "one")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert commit(tmp_path) == head
    (tmp_path / "a").write_text("2")
    assert commit(tmp_path) == f"{head} (changed)"
