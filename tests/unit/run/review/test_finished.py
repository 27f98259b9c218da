"""Finished runs as they are named, packs that were changed, and files found again by their SHA-256."""

import hashlib
import json
import zipfile

import pytest

from evalkit.core.errors import InputError
from evalkit.run.review.finished import CHECKSUMS, PACK, TamperedPack, finished_run, refuse_within
from evalkit.run.review.materials import find_materials, lay_out
from evalkit.run.review.wheel import archived

DATA = {"data/a.csv": b"urn,score\n1,2\n", "data/deep/b.csv": b"urn,score\n1,3\n"}
OWN = {"project/project.yml": b"schema_version: 2\n", "project/list.csv": b"urn\n1\n"}


def sha(content):
    return hashlib.sha256(content).hexdigest()


def manifest(**changes):
    content = {
        "kind": "evalkit outputs",
        "slug": "mine",
        "data_kind": "real",
        "inputs": [{"path": path, "sha256": sha(one)} for path, one in {**OWN, **DATA}.items()],
        "parameters": {"slug": "mine", "participants": {"file": "list.csv"}},
        "outputs": {"results.json": sha(b"{}")},
        "versions": {},
        "shown": "published",
    }
    return json.dumps({**content, **changes})


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def outputs(tmp_path, monkeypatch):
    """A finished run in a workspace, its project and its data beside it."""
    monkeypatch.chdir(write(tmp_path, {"data/projects/other/project.yml": b""}))
    write(tmp_path / "outputs" / "mine", {"manifest.json": manifest().encode(), "results.json": b"{}"})
    write(tmp_path / "published", {path.removeprefix("data/"): one for path, one in DATA.items()})
    write(tmp_path / "data" / "projects" / "mine", {path.partition("/")[2]: one for path, one in OWN.items()})
    return tmp_path / "outputs" / "mine"


@pytest.mark.parametrize("name", ["mine", "outputs/mine", "outputs/mine/manifest.json"])
def test_a_run_is_named_by_slug_folder_or_manifest(outputs, tmp_path, name):
    run = finished_run(name, tmp_path / "scratch")
    assert (run.slug, run.folder, run.changed_since()) == ("mine", outputs, ())
    (outputs / "results.json").write_text("{ }")
    assert run.changed_since() == ("results.json",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no finished run is there"),
        (manifest(kind="other"), "is not one of evalkit"),
        (manifest(is_release=True), "is a release"),
        (json.dumps({"kind": "evalkit outputs", "outputs": {}}), "no run of a project"),
    ],
)
def test_what_is_no_run_is_refused(outputs, tmp_path, content, said):
    (outputs / "manifest.json").write_text(content)
    with pytest.raises(InputError, match=said):
        finished_run("mine", tmp_path)


def test_nothing_is_written_into_a_run(outputs, tmp_path):
    run = finished_run("mine", tmp_path)
    refuse_within(run, tmp_path / "page.html")
    with pytest.raises(InputError, match="never written to"):
        refuse_within(run, outputs / "page.html")


def states(run, **asked):
    found = find_materials(run, asked.get("own"), asked.get("data"))
    return {one.path: one.state for one in found.files}


def test_files_are_found_by_their_content_and_what_is_not_there_is_named(outputs, tmp_path):
    run, place = finished_run("mine", tmp_path), tmp_path / "published"
    assert set(states(run, data=place).values()) == {"same"}
    (place / "a.csv").rename(place / "renamed.csv")
    (place / "deep" / "b.csv").write_bytes(b"urn,score\n1,4\n")
    project = tmp_path / "data" / "projects" / "mine"
    (project / "project.yml").write_bytes(b"another\n")
    (project / "list.csv").unlink()
    assert states(run, data=place) == {
        "project/project.yml": "from the manifest",
        "project/list.csv": "missing",
        "data/a.csv": "same, elsewhere",
        "data/deep/b.csv": "changed",
    }
    assert states(run, data=place, own=project / "project.yml")["project/project.yml"] == "changed"


def test_who_does_not_say_where_real_data_are_is_asked(outputs, tmp_path):
    with pytest.raises(InputError, match="--data DIR"):
        states(finished_run("mine", tmp_path))


def test_the_workspace_holds_what_the_run_read_under_the_names_it_had(outputs, tmp_path):
    run = finished_run("mine", tmp_path)
    write(tmp_path / "data" / "projects" / "mine", {"plan.lock.json": b"{}"})
    (tmp_path / "published" / "a.csv").rename(tmp_path / "published" / "renamed.csv")
    space = lay_out(run, find_materials(run, None, tmp_path / "published"), tmp_path / "space")
    there = {path.relative_to(space.root).as_posix() for path in space.root.rglob("*") if path.is_file()}
    assert there == {
        "data/projects/mine/project.yml",
        "data/projects/mine/list.csv",
        "data/projects/mine/plan.lock.json",
        "published/published/a.csv",
        "published/published/deep/b.csv",
    }
    assert space.data == space.root / "published" / "published"


def test_without_its_project_file_a_run_has_that_of_its_manifest(outputs, tmp_path):
    (tmp_path / "data" / "projects" / "mine" / "project.yml").unlink()
    run = finished_run("mine", tmp_path)
    space = lay_out(run, find_materials(run, None, tmp_path / "published"), tmp_path / "space")
    assert json.loads(space.project_file.read_text()) == run.parameters


def packed(**changes):
    files = {
        PACK: b'{"kind": "evalkit pack"}',
        "run/manifest.json": manifest().encode(),
        **OWN,
    }
    files[CHECKSUMS] = "".join(f"{sha(one)}  {name}\n" for name, one in files.items()).encode()
    return {**files, **changes}


def test_a_pack_is_a_run_too(tmp_path):
    (tmp_path / "mine.zip").write_bytes(archived(packed()))
    run = finished_run(str(tmp_path / "mine.zip"), tmp_path / "scratch")
    write(tmp_path / "published", {path.removeprefix("data/"): one for path, one in DATA.items()})
    assert run.slug == "mine"
    assert set(states(run, data=tmp_path / "published").values()) == {"same"}
    assert finished_run(str(write(tmp_path / "unpacked", packed())), tmp_path).pack == tmp_path / "unpacked"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"project/list.csv": b"urn\n2\n"}, "1 file changed: project/list.csv"),
        ({"more.py": b"x"}, "not named in its checksums: more.py"),
        ({CHECKSUMS: packed()[CHECKSUMS] + f"{sha(b'x')}  gone.csv\n".encode()}, "1 file missing: gone.csv"),
        ({"../out.py": b"x"}, "none that `evalkit pack` made"),
    ],
)
def test_a_pack_that_was_changed_is_told_and_not_run(tmp_path, changes, said):
    (tmp_path / "mine.zip").write_bytes(archived(packed(**changes)))
    with pytest.raises(TamperedPack, match=said) as told:
        finished_run(str(tmp_path / "mine.zip"), tmp_path / "scratch")
    assert told.value.exit_code == 1
    assert not (tmp_path / "out.py").exists()


def test_another_archive_is_no_pack(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(InputError, match="no pack of evalkit"):
        finished_run(str(tmp_path / "x.zip"), tmp_path / "scratch")
