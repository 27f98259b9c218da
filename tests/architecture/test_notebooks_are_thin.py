"""Notebooks tell the story; the library does the work."""

import ast
import json
import re
from pathlib import Path

import pytest
from source_tree import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAX_LINES = 8
PARAMETER = re.compile(r"(project|data|outputs?|out)(_(file|folder|dir|path))?|analysis")  # the analysis by its name
WORK = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.If,
    ast.IfExp,
    ast.Try,
    ast.TryStar,
    ast.With,
    ast.AsyncWith,
    ast.Match,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


def outermost_calls(node: ast.AST) -> int:
    """Return the number of calls that are not part of another call."""
    return sum(1 if isinstance(child, ast.Call) else outermost_calls(child) for child in ast.iter_child_nodes(node))


def complaints_about_code(source: str) -> list[str]:
    """Return one sentence for each thing in a code cell that a module should be doing instead."""
    found = []
    module = ast.parse(source)
    if len([line for line in source.splitlines() if line.strip()]) > MAX_LINES:
        found.append(f"longer than {MAX_LINES} lines")
    if outermost_calls(module) > 1:
        found.append("more than one call")
    found += [
        f"line {node.lineno}: {type(node).__name__} belongs in evalkit"
        for node in ast.walk(module)
        if isinstance(node, WORK)
    ]
    return found


def complaints_about_parameters(source: str) -> list[str]:
    """Return one sentence for each parameter that is more than the name of a file, a folder or an analysis."""
    found = []
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        value = getattr(statement, "value", None)
        if not isinstance(target, ast.Name) or not isinstance(value, ast.Constant):
            found.append(f"line {statement.lineno}: a parameter is a name and a constant")
        elif not PARAMETER.fullmatch(target.id):
            found.append(f"parameter {target.id}: every analytical choice belongs in project.yml")
        elif not (value.value is None or isinstance(value.value, str)):
            found.append(f"parameter {target.id}: names a file or folder, so it is text")
    return found


def complaints(notebook: dict) -> list[str]:
    """Return one sentence for each rule that a notebook breaks."""
    found, tagged = [], 0
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        if cell.get("outputs") or cell.get("execution_count") is not None:
            found.append(f"cell {number}: stored output")
        found += [f"cell {number}: {text}" for text in complaints_about_code(source)]
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            tagged += 1
            found += [f"cell {number}: {text}" for text in complaints_about_parameters(source)]
    return found if tagged == 1 else [*found, f"expected one cell tagged 'parameters', found {tagged}"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_thin(path: Path):
    assert complaints(json.loads(path.read_text(encoding="utf-8"))) == []


def cell(source: str, *tags: str, **more: object) -> dict:
    return {"cell_type": "code", "source": source, "metadata": {"tags": list(tags)}, "outputs": [], **more}


PARAMETERS = cell('project_file = "project.yml"\ndata = None\nout = "outputs"', "parameters")


def test_a_thin_notebook_passes():
    thin = [PARAMETERS, cell("from evalkit.report import show\nshow(table(effects))"), cell("frame.head().round(1)")]
    assert complaints({"cells": thin}) == []


@pytest.mark.parametrize(
    "thick",
    [
        cell("def f(): ..."),
        cell("f = lambda: 1"),
        cell("for x in y: pass"),
        cell("while x: pass"),
        cell("[x for x in y]"),
        cell("if x: pass"),
        cell("x = 1 if y else 2"),
        cell("try: pass\nexcept E: pass"),
        cell("class A: ..."),
        cell("with x: pass"),
        cell("f(1)\ng(2)"),
        cell("x = f(1) + g(2)"),
        cell("\n".join(["x = 1"] * 9)),
        cell("x", outputs=[{"output_type": "stream"}]),
        cell("x", execution_count=3),
        PARAMETERS,
    ],
)
def test_a_thick_cell_is_found(thick):
    assert len(complaints({"cells": [PARAMETERS, thick]})) == 1


@pytest.mark.parametrize("source", ["caliper = 'no'", "data = 3", "data = folder", "data = path('x')", "import os"])
def test_a_parameter_that_is_a_choice_is_found(source):
    assert complaints({"cells": [cell(source, "parameters")]})


def test_a_notebook_without_parameters_is_found():
    assert complaints({"cells": []}) == ["expected one cell tagged 'parameters', found 0"]
