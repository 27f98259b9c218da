"""Every released file of a project but its notebooks and manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from evalkit.diagnose.evaluation import Evaluation
from evalkit.report.disclosure import ReleasedTable
from evalkit.report.figure import Figure
from evalkit.report.figures.choices import choices_plot
from evalkit.report.figures.design import love_plot
from evalkit.report.figures.effects import event_study_plot, permutation_plot, trajectories_plot
from evalkit.report.html import report_html
from evalkit.report.records import results_json
from evalkit.report.tables import design as of_design
from evalkit.report.tables import effects as of_effects
from evalkit.report.tables import review as of_review
from evalkit.report.tables.inference import inference

TABLES: Final[dict[str, Callable[[Evaluation], ReleasedTable]]] = {
    "areas": lambda evaluation: of_design.areas(evaluation.design),
    "flow": of_design.flow,
    "flow_before": lambda evaluation: of_design.flow_before(evaluation.design),
    "identity": lambda evaluation: of_design.identity(evaluation.design),
    "participants": lambda evaluation: of_design.participants(evaluation.design),
    "matches": lambda evaluation: of_design.matches(evaluation.design),
    "balance": lambda evaluation: of_design.balance(evaluation.design),
    "measures": lambda evaluation: of_design.measures(evaluation.design),
    "choices": of_design.choices,
    "contamination": of_design.contamination,
    "outcomes": of_effects.outcomes,
    "effects": of_effects.effects,
    "other_effects": of_effects.other_effects,
    "event_study": of_effects.event_study,
    "inference": inference,
    "effect_sizes": of_effects.effect_sizes,
    "findings": of_review.findings,
    "judgements": of_review.judgements,
    "claims": of_review.claims,
    "conversions": of_review.conversions,
    "detectable": of_review.detectable,
    "cost": of_review.cost,
}
FIGURES: Final[dict[str, Callable[[Evaluation], Figure]]] = {
    "trajectories": trajectories_plot,
    "event_study": event_study_plot,
    "permutation": permutation_plot,
    "choices": choices_plot,
    "balance": lambda evaluation: love_plot(evaluation.design),
}


def released_files(evaluation: Evaluation, notebooks: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """Return path and content of report.html, results.json, the tables as CSV and the figures as PNG and SVG.

    `notebooks` are the executed notebooks in the order of the report, as nbformat reads them.
    """
    released = {
        "report.html": report_html(evaluation, notebooks).encode("utf-8"),
        "results.json": results_json(evaluation),
    }
    for name, table in TABLES.items():
        released[f"tables/{name}.csv"] = table(evaluation).to_csv().encode("utf-8")
    for name, drawing in FIGURES.items():
        released |= _figure_files(name, drawing(evaluation))
    return released


def _figure_files(name: str, figure: Figure) -> dict[str, bytes]:
    return {
        f"figures/{name}.png": figure.png,
        f"figures/{name}.svg": figure.svg,
        f"figures/{name}.csv": figure.data.to_csv().encode("utf-8"),
    }
