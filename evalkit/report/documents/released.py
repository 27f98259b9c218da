"""Every released file of a project but its notebooks and manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from evalkit.diagnose.project.evaluation import Evaluation
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure
from evalkit.report.documents.document import read_document
from evalkit.report.documents.html import report_html
from evalkit.report.documents.pdf import pdf_report, summary_pdf
from evalkit.report.documents.records import results_json
from evalkit.report.documents.word import word_report
from evalkit.report.figures.area_map import area_map
from evalkit.report.figures.choices import choices_plot, specification_curve
from evalkit.report.figures.design import love_plot, participant_flow
from evalkit.report.figures.main_effect import interval_plot, permutation_plot
from evalkit.report.figures.years import event_study_plot, trajectories_plot
from evalkit.report.tables import design as of_design
from evalkit.report.tables import effects as of_effects
from evalkit.report.tables import outcomes as of_outcomes
from evalkit.report.tables import review as of_review
from evalkit.report.tables.checklist import checklist
from evalkit.report.tables.effects import inference, key_numbers

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
    "key_numbers": key_numbers,
    "outcomes": of_outcomes.outcomes,
    "outcome_results": of_outcomes.outcome_results,
    "intraclass": of_outcomes.intraclass,
    "attrition": of_outcomes.attrition,
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
    "checklist": checklist,
}
FIGURES: Final[dict[str, Callable[[Evaluation], Figure | None]]] = {
    "interval": interval_plot,
    "trajectories": trajectories_plot,
    "event_study": event_study_plot,
    "permutation": permutation_plot,
    "choices": choices_plot,
    "balance": lambda evaluation: love_plot(evaluation.design),
    "flow": participant_flow,
    "specifications": specification_curve,
    "map": lambda evaluation: area_map(evaluation.design),
}


def released_files(
    evaluation: Evaluation, notebooks: Sequence[Mapping[str, Any]], reference: bytes | None = None
) -> dict[str, bytes]:
    """Return path and content of the documents, results.json, the tables as CSV and the figures as PNG and SVG.

    `notebooks` are the executed notebooks in the order of the report, as nbformat reads them; `reference` is the
    .docx in whose look the Word document is made.
    """
    document = read_document(evaluation, notebooks)
    released = {
        "report.html": report_html(document).encode("utf-8"),
        "report.docx": word_report(document, reference),
        "report.pdf": pdf_report(document),
        "summary.pdf": summary_pdf(document),
        "results.json": results_json(evaluation),
    }
    for name, table in TABLES.items():
        released[f"tables/{name}.csv"] = table(evaluation).to_csv().encode("utf-8")
    shown = {part.name: part for part in document.parts if isinstance(part, Figure)}
    for name, drawing in FIGURES.items():
        released |= _figure_files(name, shown[name] if name in shown else drawing(evaluation))
    return released


def _figure_files(name: str, figure: Figure | None) -> dict[str, bytes]:
    """Return the files of a figure, none where there is nothing to draw: a map without boundaries."""
    if figure is None:
        return {}
    return {
        f"figures/{name}.png": figure.png,
        f"figures/{name}.svg": figure.svg,
        f"figures/{name}.csv": figure.data.to_csv().encode("utf-8"),
    }
