"""`evalkit lab`: notebooks with relative parameters, nothing of the user's lost, and sentences for what cannot be."""

import json
import socket
from pathlib import Path

import pytest

from evalkit.core.errors import EnvironmentFault, InputError
from evalkit.run.cli import main
from evalkit.run.lab.lab import prepare_notebooks
from evalkit.run.notebooks.planned import PlannedNotebook, planned_notebooks
from evalkit.run.outputs.folder import PRIVATE
from evalkit.run.project.project_file import load_project
from tests.conftest import ROOT

KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml"
ALL = ("0_summary.ipynb", "1_design.ipynb", "2_areas.ipynb", "3_review.ipynb", "4_reproducibility.ipynb")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "data" / "projects" / "one").mkdir(parents=True)
    (tmp_path / "data" / "projects" / "one" / "project.yml").write_text("", encoding="utf-8")
    (tmp_path / "files").mkdir()
    return tmp_path


def prepared(root: Path, is_fresh: bool = False, data: str | None = None, own: tuple[PlannedNotebook, ...] = ()):
    path = root / "data" / "projects" / "one" / "project.yml"
    given = {"project_file": path, "data": root / data if data else None}
    return prepare_notebooks(root, "one", given, own or planned_notebooks(load_project(KNOWSLEY), KNOWSLEY), is_fresh)


def parameters(path: Path) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    (found,) = ["".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    return found


def change(path: Path, cell: int, source: str) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][cell]["source"] = source
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_parameters_lead_from_the_notebook_to_its_files_and_name_nothing_of_the_machine(root):
    found = prepared(root, data="files")
    assert (found.made, found.kept, found.aside) == (ALL, (), ())
    said = 'project_file = "../../data/projects/one/project.yml"\ndata = "../../files"\nout = "."'
    assert parameters(found.folder / "1_design.ipynb") == said
    assert parameters(found.folder / "2_areas.ipynb") == f'{said}\nanalysis = "main"'
    for name in ALL:
        assert str(root) not in (found.folder / name).read_text(encoding="utf-8")


def test_a_notebook_of_the_evaluators_own_is_opened_with_the_parameters_of_the_project(root):
    cells = [
        {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": ['out = "old"'], "outputs": []},
        {"cell_type": "code", "metadata": {}, "source": "1", "outputs": [{"text": "secret"}], "execution_count": 4},
    ]
    path = root / "data" / "projects" / "one" / "extra.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    found = prepared(root, own=(PlannedNotebook(name="extra", path=path, title="More"),))
    assert found.made == ("extra.ipynb",)
    said = parameters(found.folder / "extra.ipynb").splitlines()
    assert said[0] == 'out = "old"'
    assert 'project_file = "../../data/projects/one/project.yml"' in said
    assert "secret" not in (found.folder / "extra.ipynb").read_text(encoding="utf-8")


def test_without_data_the_parameter_is_empty_so_that_the_synthetic_england_is_read(root):
    assert '\ndata = ""\n' in parameters(prepared(root).folder / "1_design.ipynb")


def test_a_second_call_touches_nothing_so_that_saved_outputs_stay(root):
    first = prepared(root)
    path = first.folder / "1_design.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][1]["execution_count"] = 7  # as saved by JupyterLab after a run
    path.write_text(json.dumps(notebook), encoding="utf-8")
    again = prepared(root)
    assert (again.made, again.kept) == ((), ())
    assert json.loads(path.read_text(encoding="utf-8"))["cells"][1]["execution_count"] == 7


def test_other_data_make_notebooks_anew_that_nobody_changed(root):
    prepared(root)
    found = prepared(root, data="files")
    assert found.made == ALL
    assert '"../../files"' in parameters(found.folder / "3_review.ipynb")


def test_a_notebook_changed_by_hand_is_kept_and_said_and_put_aside_only_when_asked(root):
    path = prepared(root).folder / "2_areas.ipynb"
    change(path, 3, "print('mine')")
    kept = prepared(root, data="files")
    assert kept.kept == ("2_areas.ipynb",)
    assert kept.made == tuple(name for name in ALL if name != "2_areas.ipynb")
    assert "mine" in path.read_text(encoding="utf-8")
    fresh = prepared(root, is_fresh=True, data="files")
    assert fresh.aside == ("2_areas-before-1.ipynb",)
    assert fresh.made == ALL
    assert "mine" in (fresh.folder / "2_areas-before-1.ipynb").read_text(encoding="utf-8")
    assert "mine" not in path.read_text(encoding="utf-8")
    change(path, 3, "print('again')")
    assert prepared(root, is_fresh=True).aside == ("2_areas-before-2.ipynb",)


def test_a_notebook_that_cannot_be_read_counts_as_changed(root):
    path = prepared(root).folder / "0_summary.ipynb"
    path.write_text("{ half", encoding="utf-8")
    assert prepared(root).kept == ("0_summary.ipynb",)
    assert path.read_text(encoding="utf-8") == "{ half"


def test_without_the_record_of_what_was_made_nothing_is_overwritten(root):
    folder = prepared(root).folder
    (folder / ".made.json").unlink()
    assert prepared(root, data="files").kept == ALL


def test_what_notebooks_share_is_emptied_and_only_the_user_may_read_it(root):
    private = prepared(root).folder / PRIVATE
    (private / "evaluation-old.pickle").write_bytes(b"of an older version")
    prepared(root)
    assert list(private.iterdir()) == []
    assert private.stat().st_mode & 0o077 == 0


def test_a_file_in_the_place_of_the_folder_is_refused(root):
    (root / "lab").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="is a file, not a folder"):
        prepared(root)


def test_a_folder_that_may_not_be_written_is_a_fault_of_the_environment(root, monkeypatch):
    def refuse(path: Path, *given, **named) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(EnvironmentFault, match="Permission was denied"):
        prepared(root)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-project"], "There is no project 'no-such-project'"),
        (["knowsley-ssif", "--data", "no-such-folder"], "there is no such folder"),
        (["knowsley-ssif", "--data", " "], "empty text"),
        (["--data", "."], "Name the project as well"),
        (["--fresh"], "Name the project as well"),
        (["knowsley-ssif", "--port", "0"], "a number from 1 to 65535"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_with_the_code_of_bad_input(arguments, said, capsys):
    assert main(["lab", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_before_anything_is_made(capsys):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        assert main(["lab", "knowsley-ssif", "--port", str(port)]) == 2
    assert f"Port {port} is taken by another program. Give another with --port" in capsys.readouterr().err
