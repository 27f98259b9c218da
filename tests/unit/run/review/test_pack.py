"""What goes into a pack, what stays, and that the same gives the same bytes."""

import hashlib
import json
import zipfile
from io import BytesIO

import pytest

from evalkit.core.errors import InputError
from evalkit.run.outputs.manifest import code_hash
from evalkit.run.review import pack
from evalkit.run.review.data_statement import DataFile, fetch_lines, told
from evalkit.run.review.finished import CHECKSUMS, FinishedRun
from evalkit.run.review.materials import FoundFile, Materials
from evalkit.run.review.pack import PackRequest
from evalkit.run.review.pack_readme import Packed, readme
from evalkit.run.review.wheel import archived, kit_wheel


def sha(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def project(tmp_path):
    """A project's folder with files of every kind, a request to pack it, and its run."""
    cell = {"cell_type": "code", "source": "", "outputs": [{"text": "row"}]}
    files = {
        "project.yml": b"x",
        "claims.yml": b"x",
        "list.csv": b"urn\n1\n",
        "pupils.csv": b"urn\n1\n",
        "shown.ipynb": json.dumps({"cells": [cell]}).encode(),
        "plain.ipynb": json.dumps({"cells": [{**cell, "outputs": []}]}).encode(),
        "plan.lock.json": b"{}",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    parameters = {"participants": {"file": "list.csv"}, "data": {"tables": {"pupils": {"file": "pupils.csv"}}}}
    manifest = {
        "slug": "mine",
        "parameters": parameters,
        "data_kind": "real",
        "seed": 1,
        "versions": {"evalkit": "0.1.0"},
    }
    manifest |= {"inputs": [], "outputs": {"results.json": sha(b"1"), "report.html": sha(b"r"), "t.csv": sha(b"2")}}
    run = FinishedRun(named="mine", folder=tmp_path, manifest={**manifest, "commit": "c", "code": "k", "key": "k"})
    own = [name for name in files if name != "plan.lock.json"]
    found = tuple(FoundFile(path=f"project/{name}", state="same", place=tmp_path / name) for name in own)
    request = PackRequest(project_file=tmp_path / "project.yml", outputs=tmp_path, releases=tmp_path)
    return run, Materials(project=found, data=()), request


def test_rows_of_data_stay_and_choices_go(project):
    run, found, request = project
    travels, stays = pack._travelling(found, run, request)
    assert sorted(travels) == ["claims.yml", "plain.ipynb", "plan.lock.json", "project.yml"]
    assert stays == ["project/list.csv", "project/pupils.csv", "project/shown.ipynb"]


def test_the_list_of_participants_goes_where_it_may_and_tables_never(project):
    run, found, request = project
    asked = PackRequest(project_file=request.project_file, outputs=request.outputs, releases=request.releases,
                        with_participants=True)  # fmt: skip
    travels, stays = pack._travelling(found, run, asked)
    assert "list.csv" in travels
    assert "project/pupils.csv" in stays


def test_hashes_of_what_is_withheld_do_not_leave(project):
    run, _, _ = project
    report = {"results.json": b"1", "t.csv": b"withheld", "report.html": b"drawn anew"}
    told_of_public = json.loads(pack._run_manifest(run, report, is_told=True))
    assert sorted(told_of_public["outputs"]) == ["report.html", "results.json"]
    assert sorted(json.loads(pack._run_manifest(run, report, is_told=False))["outputs"]) == ["results.json"]
    assert "key" not in told_of_public


def test_a_report_that_was_changed_or_of_another_state_is_not_packed(project):
    run, found, request = project
    (run.folder / "results.json").write_bytes(b"changed")
    with pytest.raises(InputError, match=r"not as the run left it: results\.json"):
        pack._require_untouched(run, request)
    other = Materials(project=(FoundFile(path="project/project.yml", state="changed"), *found.project), data=())
    with pytest.raises(InputError, match="changed since"):
        pack._require_as_run(other, request)


def test_of_people_only_what_was_released_is_packed(tmp_path):
    report, release = {"report.html": b"1"}, tmp_path / "mine"
    with pytest.raises(InputError, match="there is no release"):
        pack._require_released(report, release)
    release.mkdir()
    outputs = {"told.json": sha(b"t"), "report/report.html": sha(b"1")}
    (release / "manifest.json").write_text(json.dumps({"outputs": outputs}))
    pack._require_released(report, release)
    with pytest.raises(InputError, match="there is no release"):
        pack._require_released({"report.html": b"2"}, release)


def test_folders_of_this_machine_are_not_packed(project):
    _, _, request = project
    with pytest.raises(InputError, match=r"project/project\.yml would tell"):
        pack._require_no_marks({"project/project.yml": f"data: {request.outputs}".encode()}, request)
    pack._require_no_marks({"project/project.yml": b"data: published"}, request)


def test_an_archive_depends_on_names_and_contents_alone():
    made = archived({"b/two": b"2" * 100, "a": b"1"})
    assert made == archived({"a": b"1", "b/two": b"2" * 100})
    with zipfile.ZipFile(BytesIO(made)) as archive:
        assert archive.namelist() == ["a", "b/two"]
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_wheel_is_the_code_that_is_here(tmp_path):
    name, content = kit_wheel()
    assert kit_wheel() == (name, content)
    with zipfile.ZipFile(BytesIO(content)) as archive:
        archive.extractall(tmp_path)
        record = archive.read(next(one for one in archive.namelist() if one.endswith("RECORD"))).decode()
    assert len(record.splitlines()) == len([path for path in tmp_path.rglob("*") if path.is_file()])
    from evalkit.run.outputs.hashes import Hashes

    assert Hashes().of_tree(tmp_path / "evalkit") == code_hash()


def test_checksums_name_every_file():
    assert pack._checksums({"b": b"2", "a": b"1"}).decode().splitlines() == [f"{sha(b'1')}  a", f"{sha(b'2')}  b"]
    assert CHECKSUMS not in pack._checksums({"a": b""}).decode()


def test_the_readme_says_how_to_get_the_data_and_how_to_check(project):
    run, _, _ = project
    table = DataFile(path="project/pupils.csv", sha256="0" * 64, title="Table of the project", access="Ask.")
    line = "evalkit fetch performance-tables --years 2019 --only ks2"
    public = [
        DataFile(path=f"data/{n}.csv", sha256=str(n) * 64, title="Performance table", publisher="DfE", years=(2019,),
                 access="Public.", fetch=line, url="https://example.org/x", fetched="2026-01-02", size=n)
        for n in (1, 2)
    ]  # fmt: skip
    data = (table, *public)
    assert fetch_lines(data) == (line,)
    assert any("1 byte." in text for text in told(public[0]))
    code = {"kit": "0.1.0", "commit": "c", "code": "k", "wheel": "code/evalkit-0.1.0-py3-none-any.whl"}
    text = readme(Packed(run=run, title="Mine", data=data, code=code, n_withheld=3, outputs=("results.json",)))
    for said in (
        f"    {line} --out data",
        "environment/bin/evalkit verify . --data data",
        "pip install --require-hashes -r requirements.lock",
        "Fetched 2026-01-02 from <https://example.org/x>.",
        "3 numbers withheld",
        "3 files are needed that do not travel",
    ):
        assert said in text
    assert all(len(heading) > 3 for heading in text.splitlines() if heading.startswith("#"))
