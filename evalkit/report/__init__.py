"""Results to tables, figures, sentences and documents; computes nothing.

Every function takes a design or an evaluation, of a project or of one kind, and returns something that shows itself in
a notebook: `Prose`, `ReleasedTable`, `Figure`, or several such `Parts`. `released_files` turns the lot into the files
that leave a project.

The names below are loaded when they are first used, so that a command that writes text does not wait for figures.

- `border/`: What may leave: tables, sentences and figures, and the disclosure control that they pass.
- `documents/`: One document, drawn as a page, for Word, as PDF and on the terminal.
- `figures/`: Figures in one voice: colours that colour-blind readers can tell apart, labels at the lines, honest
  axes.
- `kinds/`: What each kind of analysis shows in documents, and where that is found.
- `plan/`: What an analysis plan says: the words, tables and numbers of the report, before outcomes.
- `portfolio/`: The site over all projects.
- `shown`: What is shown of each noun: parts of a report under each other, its tables as frames, its figures by name.
- `tables/`: Tables of each noun.
- `templates/`: What documents are set in: page templates, styles, and the schema of results.json.
- `words/`: Sentences: what a report says of the numbers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from evalkit.report.border.disclosure import ReleasedTable, release

if TYPE_CHECKING:
    from evalkit.report.border.parts import Prose
    from evalkit.report.words.front import OfProject

_HOME: Final = {
    "front_matter": "words.front",
    "authors": "words.front",
    "question": "words.front",
    "programme": "words.front",
    "sources": "words.front",
    "summary": "words.answers",
    "comparison": "words.answers",
    "certainty": "words.answers",
    "cost_in_all": "words.answers",
    "answer_in_short": "words.answers",
    "plans_in_full": "words.answers",
    "reviews_in_full": "words.answers",
    "limits": "words.answers",
    "estimands": "tables.analyses",
    "answers": "tables.analyses",
    "inferences": "tables.analyses",
    "grave_findings": "tables.analyses",
    "other_findings": "tables.analyses",
    "judged_together": "tables.subgroups",
    "subgroups_planned": "tables.subgroups",
    "other_choices": "figures.curve",
    "choices_planned": "tables.curve",
    "analyses_plot": "figures.analyses",
    "released_files": "documents.released",
    "Figure": "border.parts",
    "area_map": "figures.area_map",
    "choices_plot": "figures.choices",
    "love_plot": "figures.design",
    "event_study_plot": "figures.years",
    "interval_plot": "figures.main_effect",
    "participant_flow": "figures.design",
    "permutation_plot": "figures.main_effect",
    "specification_curve": "figures.choices",
    "trajectories_plot": "figures.years",
    "Prose": "border.parts",
    "results_record": "documents.released",
    "made_from": "tables.reproducibility",
    "not_the_same": "tables.reproducibility",
    "randomness": "tables.reproducibility",
    "run_again": "tables.reproducibility",
    "plan_kept": "words.plan_kept",
    "lock_shown": "words.plan_kept",
    "headline": "words.sentences",
    "headline_explained": "words.sentences",
    "areas_compared": "words.statements",
    "how_to_read": "words.statements",
    "matched_designs": "words.statements",
    "summary_answer": "words.summary",
    "summary_certainty": "words.summary",
    "summary_comparison": "words.summary",
    "cost_in_short": "words.summary",
    "Column": "border.table",
    "Table": "border.table",
    "checklist": "tables.checklist",
    "areas": "tables.design",
    "balance": "tables.design",
    "choices": "tables.design",
    "contamination": "tables.design",
    "detectable_at_design": "tables.design",
    "flow": "tables.design",
    "flow_before": "tables.design",
    "identity": "tables.design",
    "matches": "tables.design",
    "measures": "tables.design",
    "participants": "tables.design",
    "effect_sizes": "tables.effects",
    "effects": "tables.effects",
    "event_study": "tables.effects",
    "other_effects": "tables.effects",
    "inference": "tables.effects",
    "attrition": "tables.outcomes",
    "intraclass": "tables.outcomes",
    "outcome_results": "tables.outcomes",
    "outcomes": "tables.outcomes",
    "inputs": "tables.reproducibility",
    "parameters": "tables.reproducibility",
    "versions": "tables.reproducibility",
    "claims": "tables.review",
    "conversions": "tables.review",
    "cost": "tables.review",
    "detectable": "tables.review",
    "findings": "tables.review",
    "judgements": "words.judged",
    "key_numbers": "tables.effects",
}

__all__ = ["ReleasedTable", "disclosure", "release", *sorted(_HOME)]


def disclosure(of: OfProject) -> Prose:
    """Return what is withheld and why: small counts of pupils, and whatever would tell them."""
    from evalkit.report.words import front

    return front.disclosure(of)


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"evalkit.report.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Return every public name, for completion."""
    return __all__
