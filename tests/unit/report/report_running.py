"""Notebooks run without a kernel: each code cell executed here, its last value kept as papermill would keep it."""

from __future__ import annotations

import ast
import copy
from pathlib import Path
from typing import Any

import nbformat
from report_fixture import make_provenance, whole

import evalkit.report as report
from evalkit.diagnose.evaluation import Evaluation
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.report.documents.document import ExecutedNotebook

NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
ORDER = ("0_summary", "1_design", "2_areas", "3_review", "4_reproducibility")


def executed(areas: AreasResults) -> list[ExecutedNotebook]:
    """Return the notebooks with the outputs their cells give on the results of one analysis of areas."""
    return run_on(whole(areas), {"2_areas": areas}, make_provenance(areas))


def run_on(evaluation: Evaluation, by_kind: dict[str, object], provenance: Any = None) -> list[ExecutedNotebook]:
    """Return the kit's notebooks run on an evaluation; `by_kind` holds the results that those of a kind show."""
    names = [name for name in ORDER if not name.startswith("2") and (provenance or not name.startswith("4"))]
    known = {"report": report, "evaluation": evaluation, "design": evaluation.design, "provenance": provenance}
    made = {name: run_with(name, known) for name in names}
    made |= {name: run_with(name, {"report": report, "evaluation": found}) for name, found in by_kind.items()}
    return [ExecutedNotebook(name=name, content=made[name]) for name in sorted(made)]


def run_with(name: str, known: dict[str, Any]) -> dict[str, Any]:
    """Return one notebook with what its cells show where these names are known."""
    notebook = copy.deepcopy(nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4))
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.startswith("report."):
            shown = eval(compile(ast.parse(cell.source, mode="eval"), name, "eval"), known)
            if shown is not None:
                cell.outputs = [{"output_type": "execute_result", "data": shown._repr_mimebundle_()}]
    return dict(notebook)
