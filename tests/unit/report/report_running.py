"""Notebooks run without a kernel: each code cell executed here, its last value kept as papermill would keep it."""

from __future__ import annotations

import ast
import copy
from pathlib import Path
from typing import Any

import nbformat
from report_fixture import make_provenance

import evalkit.report as report
from evalkit.diagnose.project.evaluation import AreasResults

NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
ORDER = ("0_summary", "1_design", "2_impact", "3_review", "4_reproducibility")


def executed(evaluation: AreasResults) -> list[dict[str, Any]]:
    """Return the notebooks with the outputs their cells give on an evaluation."""
    return [_executed(name, evaluation) for name in ORDER]


def _executed(name: str, evaluation: AreasResults) -> dict[str, Any]:
    notebook = copy.deepcopy(nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4))
    known: dict[str, Any] = {"report": report, "evaluation": evaluation, "design": evaluation.design}
    known["provenance"] = make_provenance(evaluation)
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.startswith("report."):
            shown = eval(compile(ast.parse(cell.source, mode="eval"), name, "eval"), known)
            if shown is not None:
                cell.outputs = [{"output_type": "execute_result", "data": shown._repr_mimebundle_()}]
    return dict(notebook)
