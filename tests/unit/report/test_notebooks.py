"""The notebooks stay thin, ask questions, and match what the report room offers."""

import ast
import re

import nbformat
import pytest
from report_running import NOTEBOOKS, ORDER

from evalkit import report


@pytest.fixture(params=ORDER)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOKS / f"{request.param}.ipynb", as_version=4)


def test_valid_without_stored_outputs(notebook: nbformat.NotebookNode) -> None:
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


def test_one_cell_of_parameters(notebook: nbformat.NotebookNode, request: pytest.FixtureRequest) -> None:
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    names = {node.targets[0].id: node.value.value for node in ast.parse(cell.source).body}
    of_kind = {"analysis": ""} if "[2_" in request.node.name else {}
    assert names == {"project_file": "data/projects/knowsley-ssif/project.yml", "data": "", "out": "", **of_kind}


def test_every_call_is_one_the_report_room_offers(notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells:
        for name in re.findall(r"report\.(\w+)", cell.source) if cell.cell_type == "code" else []:
            assert name in report.__all__


def test_headings_are_questions(notebook: nbformat.NotebookNode) -> None:
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    assert headings
    assert [heading for heading in headings if not heading.endswith("?")] == []


def test_the_design_notebook_never_asks_for_an_evaluation() -> None:
    text = (NOTEBOOKS / "1_design.ipynb").read_text(encoding="utf-8")
    assert "open_evaluation" not in text
    assert "open_design" in text
