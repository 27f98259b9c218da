"""The reference document of a project: beside it, a Word document, an input like any other, refused before a run."""

import hashlib
import io
from pathlib import Path

import docx
import pytest

from evalkit.core.errors import InputError, ProjectError
from evalkit.run.outputs.manifest import input_files
from evalkit.run.project import runner
from evalkit.run.project.project_file import load_project, reference_of

KNOWSLEY = Path(__file__).resolve().parents[4] / "data" / "projects" / "knowsley-ssif"


def word_file():
    out = io.BytesIO()
    docx.Document().save(out)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "claims.yml").write_bytes((KNOWSLEY / "claims.yml").read_bytes())
    (tmp_path / "brand.docx").write_bytes(word_file())
    return tmp_path


def project_file(folder, name):
    path = folder / "project.yml"
    text = (KNOWSLEY / "project.yml").read_text(encoding="utf-8")
    path.write_text(f"{text}\nreference_document: {name}\n", encoding="utf-8")
    return path


def test_it_is_read_from_beside_the_project_file(folder):
    assert (
        reference_of(load_project(project_file(folder, "brand.docx")), folder) == (folder / "brand.docx").read_bytes()
    )
    assert reference_of(load_project(KNOWSLEY / "project.yml"), KNOWSLEY) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../brand.docx", "leads out of the project's folder"),
        ("/brand.docx", "leads out of the project's folder"),
        ("other.docx", "'other.docx' is missing"),
        ("claims.yml", "'claims.yml' is not a .docx"),
        ("''", "the name of the file is empty"),
    ],
)
def test_a_file_that_cannot_be_named_is_refused_with_the_project(folder, name, expected):
    with pytest.raises(ProjectError) as caught:
        load_project(project_file(folder, name))
    assert "reference_document (line" in str(caught.value)
    assert expected in str(caught.value)


def test_a_broken_file_stops_a_run_before_anything_is_read(folder, monkeypatch):
    (folder / "brand.docx").write_bytes(b"not a document")
    path = project_file(folder, "brand.docx")
    monkeypatch.setattr(
        "evalkit.data.published.project_data.read_records", lambda *given: pytest.fail("the data were read")
    )
    with pytest.raises(InputError, match=r"brand\.docx is not a Word document that can be read") as caught:
        runner.preflight(load_project(path), path, None)
    assert caught.value.exit_code == 2


def test_it_is_an_input_of_the_manifest(folder):
    class Nothing:
        folder = Path()

        def files(self):
            return ()

    path = project_file(folder, "brand.docx")
    hashes = {file.path: file.sha256 for file in input_files(load_project(path), path, Nothing())}
    assert hashes["project/brand.docx"] == hashlib.sha256((folder / "brand.docx").read_bytes()).hexdigest()
