"""Results to tables, figures, sentences and documents; computes nothing.

Every function takes a `DesignStage` or an `Evaluation` and returns something that shows itself in a
notebook: `Prose`, `ReleasedTable` or `Figure`. `released_files` turns the lot into the files that leave a project.

The names below are loaded when they are first used, so that a command that writes text does not wait for figures.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from evalkit.report.disclosure import ReleasedTable, release

if TYPE_CHECKING:
    from evalkit.diagnose.evaluation import Evaluation
    from evalkit.report.prose import Prose

_HOME: Final = {
    "released_files": "documents",
    "Figure": "figure",
    "area_map": "figures.area_map",
    "choices_plot": "figures.choices",
    "love_plot": "figures.design",
    "event_study_plot": "figures.event_study",
    "interval_plot": "figures.interval",
    "participant_flow": "figures.participants",
    "permutation_plot": "figures.permutation",
    "specification_curve": "figures.specification",
    "trajectories_plot": "figures.trajectories",
    "Prose": "prose",
    "results_record": "records",
    "made_from": "reproducibility",
    "not_the_same": "reproducibility",
    "randomness": "reproducibility",
    "run_again": "reproducibility",
    "headline": "sentences",
    "headline_explained": "sentences",
    "about": "statements",
    "areas_compared": "statements",
    "face": "statements",
    "how_to_read": "statements",
    "matched_designs": "statements",
    "programme": "statements",
    "answer": "summary",
    "certainty": "summary",
    "compared": "summary",
    "cost_in_short": "summary",
    "Column": "table",
    "Table": "table",
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
    "inference": "tables.inference",
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
    "judgements": "tables.review",
    "limits": "tables.review",
    "key_numbers": "tables.summary",
}

__all__ = ["ReleasedTable", "disclosure", "release", *sorted(_HOME)]


def disclosure(evaluation: Evaluation) -> Prose:
    """Return what is withheld and why: small counts of pupils, and whatever would tell them."""
    from evalkit.report import statements  # not looked up like the others: a module bears the same name

    return statements.disclosure(evaluation)


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"evalkit.report.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Return every public name, for completion."""
    return __all__
