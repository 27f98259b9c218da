"""Notebooks run with exactly their parameters; what stops one reaches the user as it was, in words."""

import json
import sys
from pathlib import Path

import nbformat
import pytest

import evalkit
from evalkit.core.errors import DataError, DesignError, EnvironmentFault, EvalkitError, InputError
from evalkit.run.notebooks.execute import NotebookFailure, error_of, execute
from evalkit.run.notebooks.tidy import notebook_bytes, tidy

GIVEN = {"project_file": 'p\'\\ "q"', "data": "", "out": ""}
DECLARED = 'project_file = "a"\ndata = ""\nout = ""'


def notebook(folder: Path, *sources: str, parameters: str = DECLARED, tagged: bool = True) -> Path:
    """Write a notebook with a cell of parameters and the given cells."""
    first = nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"] if tagged else []})
    content = nbformat.v4.new_notebook(cells=[first, *(nbformat.v4.new_code_cell(source) for source in sources)])
    path = folder / "1_demo.ipynb"
    nbformat.write(content, path)
    return path


def test_a_notebook_runs_in_this_python_with_its_parameters_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    asked = "import os, sys\n(sys.executable, project_file, *map(os.getenv, ['OMP_NUM_THREADS', 'PYTHONHASHSEED']))"
    path = notebook(tmp_path, asked, "os.getcwd(), os.listdir()", "import evalkit; evalkit.__version__")
    before = path.read_bytes()
    done = execute(path, GIVEN)
    said = [cell["outputs"][0]["data"]["text/plain"] for cell in done["cells"] if cell.get("outputs")]
    assert said[0] == repr((sys.executable, GIVEN["project_file"], "1", "0"))
    assert str(tmp_path) not in said[1]  # a private folder, in which no file of the user can shadow a module
    assert said[2] == repr(evalkit.__version__)
    assert path.read_bytes() == before


OURS = "from evalkit.core.errors import DataError\nraise DataError('a.csv: is empty.\\nGet it again.')"
UNFORESEEN = "secret = 'pupil 17'\n1 / 0 if secret else None"


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        (OURS, DataError, "a.csv: is empty.\nGet it again."),
        ("raise MemoryError", EnvironmentFault, "not enough memory"),
        ("raise OSError(28, 'No space left on device')", EnvironmentFault, "disk is full"),
        (UNFORESEEN, NotebookFailure, "did not foresee (ZeroDivisionError)."),
    ],
    ids=["ours", "memory", "disk", "unforeseen"],
)
def test_what_stops_a_notebook_is_raised_as_it_was(tmp_path, source, kind, expected):
    with pytest.raises(kind) as caught:
        execute(notebook(tmp_path, source, "print('not reached')"), GIVEN)
    assert expected in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert "pupil 17" not in str(caught.value)


def test_a_traceback_goes_to_the_log_only():
    problem = error_of("1_demo.ipynb", KeyError("x"), "\x1b[31mTraceback\x1b[0m of many lines")
    assert isinstance(problem, NotebookFailure)
    assert problem.log == "Traceback of many lines"
    assert "many lines" not in str(problem)
    assert problem.exit_code == 1


@pytest.mark.parametrize("kind", [DataError, DesignError, EnvironmentFault])
def test_an_error_of_the_kit_keeps_its_exit_code(kind):
    problem = error_of("1_demo.ipynb", kind("A sentence."), "")
    assert (type(problem), str(problem), problem.exit_code) == (kind, "A sentence.", kind.exit_code)


@pytest.mark.parametrize(
    "options",
    [
        {"parameters": 'project_file = "a"\ndatas = ""\nout = ""'},
        {"parameters": 'project_file = "a"\nout = ""'},
        {"parameters": DECLARED + "\nmore = 1"},
        {"tagged": False},
    ],
    ids=["misspelt", "missing", "one more", "untagged"],
)
def test_a_notebook_with_other_parameters_is_refused(tmp_path, options):
    with pytest.raises(EvalkitError, match="must declare the parameters project_file, data, out"):
        execute(notebook(tmp_path, **options), GIVEN)


def test_a_parameter_that_is_not_text_is_refused(tmp_path):
    with pytest.raises(EvalkitError, match="The parameter data of 1_demo"):
        execute(notebook(tmp_path), {**GIVEN, "data": 3})


def test_an_executed_notebook_runs_afresh(tmp_path):
    path = notebook(tmp_path, "project_file")
    nbformat.write(nbformat.from_dict(execute(path, {**GIVEN, "project_file": "old"})), path)
    cells = execute(path, {**GIVEN, "project_file": "new"})["cells"]
    assert sum("injected-parameters" in cell["metadata"].get("tags", []) for cell in cells) == 1
    assert cells[-1]["outputs"][0]["data"]["text/plain"] == "'new'"


def test_two_runs_give_the_same_bytes_without_a_path_of_this_machine(tmp_path):
    sources = ["print(project_file)", "object()", "from IPython.display import HTML\nHTML(f'<p>{out}/x.csv</p>')"]
    parameters = {"project_file": str(tmp_path / "project.yml"), "data": "", "out": str(tmp_path / "staging")}
    names = {str(tmp_path): "data/projects/demo", str(tmp_path / "staging"): "outputs/demo"}
    shown = {**GIVEN, "project_file": "data/projects/demo/project.yml"}
    runs = [tidy(execute(notebook(tmp_path, *sources), parameters), shown, names) for _ in range(2)]
    first, second = (notebook_bytes(run) for run in runs)
    assert first == second
    assert str(tmp_path).encode() not in first
    text = first.decode()
    assert "data/projects/demo/project.yml\\n" in text
    assert "<p>outputs/demo/x.csv</p>" in text
    assert "<object at 0x…>" in text
    nbformat.validate(nbformat.reads(text, as_version=4))
    assert [cell["id"] for cell in json.loads(text)["cells"]] == [f"cell-{i:02d}" for i in range(1, 6)]


def executed(output: str) -> dict:
    result = {
        "output_type": "execute_result",
        "data": {"text/html": output},
        "metadata": {"x": 1},
        "execution_count": 1,
    }
    cell = {"cell_type": "code", "id": "9f", "source": "f()", "execution_count": 1, "outputs": [result],
            "metadata": {"papermill": {"start_time": "now"}, "execution": {}}}  # fmt: skip
    return {"cells": [cell], "metadata": {"papermill": {"duration": 1}}, "nbformat": 4, "nbformat_minor": 5}


def tidied(output: str, names: dict[str, str]) -> str:
    return tidy(executed(output), GIVEN, names)["cells"][0]["outputs"][0]["data"]["text/html"]


def test_times_and_ids_of_a_run_are_gone():
    text = notebook_bytes(tidy(executed("<p>1</p>"), GIVEN, {})).decode()
    assert "papermill" not in text
    assert "9f" not in text


def test_a_path_is_renamed_only_where_it_is_one():
    names = {"/a": "top", "/a/b": "below"}
    assert tidied("see /a/b/c.csv and /a/d", names) == "see below/c.csv and top/d"
    encoded = "data:image/png;base64,iVBOR/a/bXk+/a/b="
    assert tidied(encoded, names) == encoded
    assert tidied("/a/bc and x/a", names) == "top/bc and x/a"


# Notebooks of the evaluator's own.


def own(folder: Path, *sources: str, tag: str = "parameters") -> Path:
    """Return a notebook whose first cell may declare parameters."""
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook.cells[0].metadata["tags"] = [tag]
    path = folder / "extra.ipynb"
    nbformat.write(notebook, path)
    return path


def test_one_of_the_evaluators_own_may_declare_fewer_parameters_or_none(tmp_path):
    given = {"project_file": "p.yml", "data": "d", "out": "o"}
    path = own(tmp_path, 'data = ""', "print(data)")
    done = execute(path, given, is_own=True)
    assert done["cells"][-1]["outputs"][0]["text"] == "d\n"
    none = execute(own(tmp_path, "x = 1", "print(x, 'data' in dir())", tag="other"), given, is_own=True)
    assert none["cells"][-1]["outputs"][0]["text"] == "1 False\n"


def test_its_error_is_told_with_notebook_heading_and_message_and_no_traceback(tmp_path):
    path = own(tmp_path, 'data = ""', "{}['a pupil']")
    with pytest.raises(NotebookFailure, match=r"^extra\.ipynb stopped at an error: KeyError: 'a pupil'$") as told:
        execute(path, {"data": ""}, is_own=True)
    assert "Traceback" not in str(told.value)
    assert "KeyError" in told.value.log
    with pytest.raises(NotebookFailure, match=r"did not foresee \(KeyError\)"):  # of the kit's own, no value is told
        execute(path, {"data": ""})


def test_what_is_no_notebook_is_told_in_a_sentence(tmp_path):
    path = tmp_path / "extra.ipynb"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"extra\.ipynb cannot be read as a notebook"):
        execute(path, {}, is_own=True)
    with pytest.raises(InputError, match="is not Python"):
        execute(own(tmp_path, "data ="), {"data": ""}, is_own=True)
