"""The folder that may leave is made of a finished report, beside what left before, or says why it is not."""

import csv
import hashlib
import json
from pathlib import Path

import pytest

from evalkit.core.errors import InputError
from evalkit.report.border.parts import Heading, Text
from evalkit.report.documents import contents as module
from evalkit.report.documents.contents import PARTS, contents_json
from evalkit.run.console import Progress
from evalkit.run.outputs.folder import MANIFEST, MANIFEST_KIND
from evalkit.run.outputs.release import PAGE, TOLD, Asked, make_release
from tests.conftest import ROOT
from tests.released_tables import recovered
from tests.small_contents import contents, flow_and_effects, png

PROJECT = ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml"
SLUG = "knowsley-ssif"


@pytest.fixture(autouse=True)
def quick_documents(monkeypatch):
    """Word and PDF, which take seconds to set, are left to the tests of documents."""
    for verb in ("word_report", "pdf_report", "summary_pdf"):
        monkeypatch.setattr(module, verb, lambda *_: b"paper")


@pytest.fixture
def finished(tmp_path):
    """Return what puts a finished report into the folder of reports."""

    def make(made, picture=b""):
        files = {PARTS: contents_json(made), "figures/pupils.png": picture or png()}
        hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        manifest = {"kind": MANIFEST_KIND, "slug": SLUG, "key": "k", "outputs": hashes}
        files[MANIFEST] = json.dumps(manifest).encode()
        for name, content in files.items():
            path = tmp_path / "outputs" / SLUG / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    return make


def released(tmp_path, **how):
    asked = Asked(project_file=PROJECT, outputs=tmp_path / "outputs", out=tmp_path / "release", **how)
    return make_release(asked, Progress())


def files_in(folder: Path):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def texts_in(folder: Path):
    return "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def test_only_what_may_leave_is_in_the_folder_each_file_with_its_checksum(finished, tmp_path):
    finished(contents())
    folder = released(tmp_path)
    named = files_in(folder)
    report = {f"report/{name}" for name in ("report.html", "report.docx", "report.pdf", "summary.pdf", "results.json")}
    report |= {
        "report/manifest.json",
        "report/tables/outcomes.csv",
        "report/figures/pupils.csv",
        "report/figures/pupils.png",
    }
    listed = {PAGE, TOLD, "results.json", "config.json", *report}
    assert named == listed | {MANIFEST} | {f"checksums/{name}.txt" for name in listed}
    for name in listed:
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        assert (folder / "checksums" / f"{name}.txt").read_text() == digest
    log = json.loads((folder / "results.json").read_text())
    assert log["results"]["output_0"]["files"] == [{"name": PAGE, "sdc": {}}]
    assert "No number had to be withheld" in (folder / PAGE).read_text()
    assert str(tmp_path) not in texts_in(folder)


def test_the_next_release_with_one_pupil_more_does_not_tell_it(finished, tmp_path):
    finished(contents())
    released(tmp_path)
    finished(contents(1619))
    folder = released(tmp_path)
    assert "1619" not in texts_in(folder)
    assert "1,619" not in texts_in(folder)
    assert "report/figures/pupils.png" not in files_in(folder)
    page = (folder / PAGE).read_text()
    assert "it differs from an earlier release by fewer people than may be told" in page
    # nor does the release after that, though the one before it did not tell the number
    assert "1619" not in texts_in(released(tmp_path))


def counts_in(folder: Path):
    """Return the whole numbers that stand in the tables and behind the figures of a release."""
    cells = [
        cell for path in folder.rglob("*.csv") for row in csv.reader(path.read_text().splitlines()) for cell in row
    ]
    return {int(cell) for cell in cells if cell.isdigit()}


@pytest.mark.parametrize(("are_people", "moved"), [(False, 1), (False, -1), (True, 1), (True, -1)])
def test_no_group_is_worked_out_from_two_folders_that_differ_by_one_person(finished, tmp_path, are_people, moved):
    def of(n):
        finished(flow_and_effects(2500, n, n) if are_people else contents(n))
        return released(tmp_path, are_people=are_people)

    first = counts_in(of(2000))
    second = counts_in(of(2000 + moved))
    assert 2000 in first
    assert recovered(first, {2000 + moved})  # so it would be, were the number of the second told
    assert not [few for few in recovered(first, second) if few < (10 if are_people else 6)]


def test_an_earlier_release_can_be_named(finished, tmp_path):
    finished(contents())
    sent = tmp_path / "sent"
    released(tmp_path).rename(sent)
    finished(contents(1619))
    assert "1619" not in texts_in(released(tmp_path, previous=sent))
    with pytest.raises(InputError, match="is no release of evalkit"):
        released(tmp_path, previous=tmp_path / "outputs")


def test_a_picture_leaves_as_its_dots_alone(finished, tmp_path):
    picture = png(Source=str(tmp_path / "outputs"))
    finished(contents(picture=picture), picture)
    folder = released(tmp_path)
    assert (folder / "report" / "figures" / "pupils.png").read_bytes() == png()


def test_a_page_that_names_a_folder_of_this_machine_stays(finished, tmp_path):
    by_hand = (Heading(1, "By hand"), Text(f"See {tmp_path / 'outputs'}."))
    finished(contents(sections=(by_hand,)))
    folder = released(tmp_path)
    assert "report/report.html" not in files_in(folder)
    assert "It names a folder or the name of this machine." in (folder / PAGE).read_text()
    told = json.loads((folder / "report" / MANIFEST).read_text())["outputs"]
    assert set(told) == files_in(folder / "report") - {MANIFEST}  # what stays is not listed either


def test_what_was_changed_by_hand_is_not_released(finished, tmp_path):
    finished(contents())
    path = tmp_path / "outputs" / SLUG / PARTS
    path.write_bytes(path.read_bytes().replace(b"1618", b"1617"))
    with pytest.raises(InputError, match="not as the run left it"):
        released(tmp_path)
    assert not (tmp_path / "release" / SLUG).exists()


@pytest.mark.parametrize(
    ("outputs", "says"),
    [({}, "did not keep what a release is drawn from"), (None, "no finished report")],
)
def test_without_a_report_it_says_what_to_type(tmp_path, outputs, says):
    if outputs is not None:
        (tmp_path / "outputs" / SLUG).mkdir(parents=True)
        manifest = json.dumps({"kind": MANIFEST_KIND, "outputs": outputs})
        (tmp_path / "outputs" / SLUG / MANIFEST).write_text(manifest)
    with pytest.raises(InputError, match=rf"{says}.*evalkit run knowsley-ssif --out \S+/outputs") as told:
        released(tmp_path)
    assert f"--out {tmp_path / 'outputs'}" in str(told.value)


def test_of_a_failed_run_its_record_leaves_without_what_it_read(tmp_path):
    runs = tmp_path / "outputs" / "_runs"
    runs.mkdir(parents=True)
    failure = {"kind": "bad input", "stage": "reading", "message": "Pupil 4711 has 2 rows.", "exit_code": 2}
    (runs / f"{SLUG}.failed.json").write_text(json.dumps({**failure, "run_again": f"evalkit run {tmp_path}"}))
    lines = [
        {"time": "t", "event": "stage started", "stage": "reading", "project": SLUG, "message": "Pupil 4711"},
        {"time": "t", "event": "stage started", "stage": "reading", "project": "other"},
    ]
    (runs / "log.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\nnot json\n")
    folder = released(tmp_path, are_people=True)
    told = json.loads((folder / "report" / "failure.json").read_text())
    assert (told["kind"], told["exit_code"]) == ("bad input", 2)
    assert "4711" not in texts_in(folder)
    assert (folder / "report" / "log.jsonl").read_text().count("\n") == 1
    assert "There is no finished report: the last run failed." in (folder / PAGE).read_text()


def test_a_folder_of_somebody_else_is_left_alone(finished, tmp_path):
    finished(contents())
    (tmp_path / "release" / SLUG).mkdir(parents=True)
    (tmp_path / "release" / SLUG / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="was not made by evalkit"):
        released(tmp_path)
