"""The module that shows a kind of analysis: what it may hold, and how it is found.

A kind names a module of its own, in which each of these may stand; what is not there is not shown:

- `design_parts(plan)`: the parts of a document that show its plan, before outcomes
- `answer_parts(results)`: what a reader must see of its answer, in short
- `review_parts(results)`: what could be wrong with it
- `tables(results)`: its tables by the name of their files
- `figures(results)`: what draws its figures, by the name of their files
- `record(results)`: what stands of it at the top of results.json where it is primary
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from evalkit.design.analysis_plan import AnalysisPlan


def kind_module(plan: AnalysisPlan) -> ModuleType | None:
    """Return the module that shows the kind of a plan, None where it names none."""
    return import_module(plan.shown_by) if plan.shown_by else None
