"""The module that shows a kind of analysis: what it may hold, and how it is found.

A kind names a module of its own, in which each of these may stand; what is not there is said from the plan, the
effects and the findings alone:

- `estimand(plan)`: rows of the estimand table in its own words, by the keys of `ESTIMAND_ROWS`
- `units(plan)`: what its effects count as treated and compared, in the plural, where that is not the project's units
- `whom(plan)`: the sentence that says on the face of the report whom it is about
- `answer(results)`: the answer in a sentence or two, as `Prose` of the kind `headline`
- `summary_parts(results)`: what stands below it on the page of the summary: a figure, a small table
- `comparison(results)`: who was compared with whom, as `Prose`
- `certainty(results)`: how sure the answer is and why, as `Prose` of the kind `list`
- `cost_parts(results)`: what the programme cost, with what the effect allows to be said of it
- `limits(results)`: what it cannot do, as `Prose` of the kind `list`
- `answer_parts(results)`: what a reader must see of its answer in the body of the report, in short
- `would_have(results)`: what its answer rests on, in words that follow "without the programme, the treated"
- `review_parts(results)`: what could be wrong with it, in the annexes
- `equation(plan)`: the estimate as an equation, and what its letters mean, a text each
- `design_parts(plan)`: the parts of a document that show its plan, before outcomes, in the annexes
- `tables(results)`: its tables by the name of their files
- `figures(results)`: what draws its figures, by the name of their files
- `record(results)`: what stands of it at the top of results.json where it is primary

Parts are headings of level 3, texts, sentences, tables and figures.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any, Final, TypeVar

from evalkit.design.analysis_plan import AnalysisPlan
from evalkit.diagnose.evaluation import AnalysisResults

ESTIMAND_ROWS: Final = {
    "population": "Population",
    "treatment": "Treatment",
    "comparator": "Comparator",
    "outcome": "Outcome",
    "summary": "Summary",
    "leavers": "Leavers and converters",
}
"""Rows of the estimand table, with the words for each."""
T = TypeVar("T", AnalysisPlan, AnalysisResults)


def kind_module(plan: AnalysisPlan) -> ModuleType | None:
    """Return the module that shows the kind of a plan, None where it names none."""
    return import_module(plan.shown_by) if plan.shown_by else None


def said_by_kind(name: str, of: T, otherwise: Callable[[T], Any]) -> Any:
    """Return what a kind's module says of its plan or results under a name; `otherwise` where it says nothing."""
    module = kind_module(of.plan if isinstance(of, AnalysisResults) else of)
    return getattr(module, name, otherwise)(of)
