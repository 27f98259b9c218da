"""Results to tables, figures, sentences and documents; computes nothing.

Every function takes a `DesignStage` or an `Evaluation` and returns something that shows itself in a
notebook: `Prose`, `ReleasedTable` or `Figure`. `released_files` turns the lot into the files that leave a project.
"""

from evalkit.report.disclosure import ReleasedTable, release
from evalkit.report.documents import released_files
from evalkit.report.figure import Figure
from evalkit.report.figures.choices import choices_plot
from evalkit.report.figures.design import love_plot
from evalkit.report.figures.effects import event_study_plot, permutation_plot, trajectories_plot
from evalkit.report.prose import Prose
from evalkit.report.records import results_record
from evalkit.report.sentences import headline, headline_explained
from evalkit.report.statements import about, areas_compared, face, how_to_read, matched_designs, programme
from evalkit.report.table import Column, Table
from evalkit.report.tables.design import (
    areas,
    balance,
    choices,
    contamination,
    detectable_at_design,
    flow,
    flow_before,
    identity,
    matches,
    measures,
    participants,
)
from evalkit.report.tables.effects import (
    effect_sizes,
    effects,
    event_study,
    other_effects,
    outcomes,
)
from evalkit.report.tables.inference import inference
from evalkit.report.tables.review import (
    claims,
    conversions,
    cost,
    detectable,
    findings,
    judgements,
    limits,
)

__all__ = [
    "Column",
    "Figure",
    "Prose",
    "ReleasedTable",
    "Table",
    "about",
    "areas",
    "areas_compared",
    "balance",
    "choices",
    "choices_plot",
    "claims",
    "contamination",
    "conversions",
    "cost",
    "detectable",
    "detectable_at_design",
    "effect_sizes",
    "effects",
    "event_study",
    "event_study_plot",
    "face",
    "findings",
    "flow",
    "flow_before",
    "headline",
    "headline_explained",
    "how_to_read",
    "identity",
    "inference",
    "judgements",
    "limits",
    "love_plot",
    "matched_designs",
    "matches",
    "measures",
    "other_effects",
    "outcomes",
    "participants",
    "permutation_plot",
    "programme",
    "release",
    "released_files",
    "results_record",
    "trajectories_plot",
]
