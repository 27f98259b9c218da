"""A project is run again when a byte changed that decides its outputs, and not otherwise."""

import hashlib
import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

import evalkit
from evalkit.data.store.importing import import_folder, imported
from evalkit.data.store.in_use import kept_sha256
from evalkit.run.outputs import content_key as module
from evalkit.run.outputs import manifest
from evalkit.run.outputs.content_key import content_key, is_unchanged, project_files, project_slug
from evalkit.run.outputs.hashes import Hashes
from evalkit.run.project.workspace import NOTEBOOKS, default_store

PROJECT = "slug: demo\nparticipants:\n  file: schools.csv\nclaims: 'claims.yml'\nyears: [2016]\n"
PANEL = "SCHOOL_ID,URN,YEAR,LA,LAESTAB,SCHNAME,MINORGROUP_SPINE1718,TELIG\n1,1,2016,340,3402001,A,Academy,9\n"


@pytest.fixture
def space(tmp_path, monkeypatch):
    """A workspace with a project, its data, its notebooks, and a kit of two files."""
    made = {
        "data/projects/demo/project.yml": PROJECT,
        "data/projects/demo/schools.csv": "URN\n1\n",
        "data/projects/demo/claims.yml": "[]",
        "data/projects/demo/README.md": "notes",
        "published/panel/ks2_school_panel_1.csv": PANEL,
        "published/gias/links_1.csv": "URN,LinkURN,LinkType\n2,1,Predecessor\n",
        "published/notes.txt": "read by nobody",
        "kit/__init__.py": "",
        "kit/report/page.html": "<p>",
        **{f"notebooks/{name}.ipynb": "{}" for name in NOTEBOOKS},
    }
    for name, text in made.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(evalkit, "__file__", str(tmp_path / "kit" / "__init__.py"))
    monkeypatch.setattr(module, "installed_versions", lambda: {"numpy": "2.3.0"})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def key(space: Path, shown: str = "published") -> str:
    return content_key(space / "data/projects/demo/project.yml", space / "published", Hashes(), shown)


@pytest.mark.parametrize(
    "name",
    [
        "data/projects/demo/project.yml",
        "data/projects/demo/schools.csv",
        "data/projects/demo/claims.yml",
        "published/panel/ks2_school_panel_1.csv",
        "published/gias/links_1.csv",
        "notebooks/3_review.ipynb",
        "kit/__init__.py",
        "kit/report/page.html",
    ],
)
def test_one_more_byte_is_another_key(space, name):
    before, path = key(space), space / name
    content = path.read_bytes()
    path.write_bytes(content + b" ")
    assert key(space) != before
    path.write_bytes(content)
    assert key(space) == before


def test_a_file_more_or_less_is_another_key(space):
    before = key(space)
    (space / "kit" / "new.py").touch()
    assert key(space) != before
    (space / "kit" / "new.py").unlink()
    (space / "published" / "gias" / "links_1.csv").unlink()
    assert key(space) != before


def test_another_version_or_name_of_the_data_is_another_key(space, monkeypatch):
    before = key(space)
    assert key(space, shown="other") != before
    monkeypatch.setattr(module, "installed_versions", lambda: {"numpy": "2.3.1"})
    assert key(space) != before


def test_what_decides_nothing_leaves_the_key(space, monkeypatch):
    before = key(space)
    for name in ("data/projects/demo/README.md", "published/notes.txt"):
        (space / name).write_text("changed")
    (space / "kit" / "__pycache__").mkdir()
    (space / "kit" / "__pycache__" / "x.pyc").touch()
    for path in space.rglob("*"):
        os.utime(path, (1, 1))
    assert key(space) == before
    shutil.copytree(space, space.with_name("elsewhere"))
    monkeypatch.chdir(space.with_name("elsewhere"))
    monkeypatch.setattr(evalkit, "__file__", str(space.with_name("elsewhere") / "kit" / "__init__.py"))
    assert key(space.with_name("elsewhere")) == before


def test_each_file_is_read_once_in_a_batch(space, monkeypatch):
    hashes = Hashes()
    first = content_key(space / "data/projects/demo/project.yml", space / "published", hashes)
    monkeypatch.setattr("hashlib.file_digest", None)
    assert content_key(space / "data/projects/demo/project.yml", space / "published", hashes) == first


def outputs(folder: Path, key: str, **change: str) -> Path:
    """Write outputs of two files with their manifest."""
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    files = {"report.html": b"1", "tables/a.csv": b"2"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = {"kind": "evalkit outputs", "key": key, "outputs": hashes, **change}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_whole_outputs_with_the_same_key_are_unchanged(tmp_path):
    folder = outputs(tmp_path / "demo", "k1")
    assert is_unchanged(folder, "k1", Hashes())
    assert not is_unchanged(folder, "k2", Hashes())


def test_outputs_that_are_not_whole_are_made_again(tmp_path):
    for name in ("report.html", "tables/a.csv"):
        folder = outputs(tmp_path / "demo", "k1")
        (folder / name).write_bytes(b"3")
        assert not is_unchanged(folder, "k1", Hashes())
        (folder / name).unlink()
        assert not is_unchanged(folder, "k1", Hashes())


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"kind": "evalkit outputs"}', '{"kind": "evalkit outputs", "key": "k1", "outputs": 3}'],
)
def test_a_manifest_that_cannot_be_read_counts_for_nothing(tmp_path, text):
    outputs(tmp_path, "k1")
    (tmp_path / "manifest.json").write_text(text)
    assert not is_unchanged(tmp_path, "k1", Hashes())


def test_outputs_of_files_that_changed_meanwhile_have_no_key(tmp_path):
    assert not is_unchanged(outputs(tmp_path, ""), "", Hashes())


def test_files_that_a_project_names_are_found_inside_its_folder_only(space):
    path = space / "data/projects/demo/project.yml"
    assert project_files(path) == ["claims.yml", "project.yml", "schools.csv"]
    path.write_text("a: ../demo/claims.yml\nb: " + str(space / "published" / "notes.txt") + "\nc: README.md\n")
    assert project_files(path) == ["README.md", "project.yml"]
    path.write_text("a: [")
    assert project_files(path) == ["project.yml"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("slug: demo\n", "demo"),
        ("# slug: no\ntitle: |\n  slug: no\nprogramme:\n  slug: no\nslug: 'demo'\n", "demo"),
        ("slug: [demo]\n", None),
        ("title: slug\n", None),
        ("- slug: demo\n", None),
        ("slug: [", None),
        ("", None),
        ("a: &a [1]\nb: *a\nslug: demo\n", "demo"),
    ],
)
def test_a_slug_is_read_at_a_glance(tmp_path, text, expected):
    (tmp_path / "project.yml").write_text(text)
    assert project_slug(tmp_path / "project.yml") == expected


def test_versions_reach_packages_behind_packages():
    found = module.installed_versions()
    assert {"numpy", "pandas", "papermill", "python-dateutil"} <= set(found)  # the last one is asked for by pandas
    assert all(found.values())


@pytest.fixture
def stored(space):
    """The same workspace, its published files imported into its store."""
    for path in (space / "published").rglob("*"):
        os.utime(path, (1_700_000_000,) * 2)
    import_folder(space / "published", default_store())
    return space


def test_published_files_are_not_hashed_again_where_the_store_has_them(stored, monkeypatch):
    hashed = []
    real = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda file, name: hashed.append(file.name) or real(file, name))
    with_store = key(stored)
    assert hashed
    assert not [name for name in hashed if str(name).startswith(f"{stored}/published")]
    shutil.rmtree(default_store())
    assert key(stored) == with_store
    assert [name for name in hashed if str(name).startswith(f"{stored}/published")]


def test_a_published_file_that_is_changed_and_dated_back_is_told(stored):
    before, path = key(stored), stored / "published/panel/ks2_school_panel_1.csv"
    facts = path.stat()
    path.write_text(PANEL.replace("Academy,9", "Academy,8"))  # as many bytes
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (facts.st_size, facts.st_mtime_ns)
    assert kept_sha256(default_store(), path) == ""
    assert key(stored) != before
    (named,) = manifest._hashed("data", stored / "published", [path], Hashes().of_published)
    assert named.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert imported(stored / "published", default_store()).n_read == 1


def test_an_archive_has_the_digest_of_the_archive(stored):
    with zipfile.ZipFile(stored / "published/links.zip", "w") as archive:
        archive.writestr("links.csv", "URN,LinkURN,LinkType\n2,1,Predecessor\n")
    os.utime(stored / "published/links.zip", (1_700_000_000,) * 2)
    import_folder(stored / "published", default_store())
    path = stored / "published/links.zip"
    assert kept_sha256(default_store(), path) == hashlib.sha256(path.read_bytes()).hexdigest()
