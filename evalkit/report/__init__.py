"""Results to tables, figures, sentences and documents; computes nothing.

Every function takes a `DesignStage` or an `Evaluation` and returns something that shows itself in a
notebook: `Prose`, `ReleasedTable` or `Figure`. `released_files` turns the lot into the files that leave a project.
"""

from evalkit.report.disclosure import ReleasedTable, release
from evalkit.report.documents import released_files
from evalkit.report.figure import Figure
from evalkit.report.figures.area_map import area_map
from evalkit.report.figures.choices import choices_plot
from evalkit.report.figures.design import love_plot
from evalkit.report.figures.event_study import event_study_plot
from evalkit.report.figures.interval import interval_plot
from evalkit.report.figures.participants import participant_flow
from evalkit.report.figures.permutation import permutation_plot
from evalkit.report.figures.specification import specification_curve
from evalkit.report.figures.trajectories import trajectories_plot
from evalkit.report.prose import Prose
from evalkit.report.records import results_record
from evalkit.report.reproducibility import made_from, not_the_same, randomness, run_again
from evalkit.report.sentences import headline, headline_explained
from evalkit.report.statements import about, areas_compared, disclosure, face, how_to_read, matched_designs, programme
from evalkit.report.summary import answer, certainty, compared, cost_in_short
from evalkit.report.table import Column, Table
from evalkit.report.tables.checklist import checklist
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
)
from evalkit.report.tables.inference import inference
from evalkit.report.tables.outcomes import attrition, intraclass, outcome_results, outcomes
from evalkit.report.tables.reproducibility import inputs, parameters, versions
from evalkit.report.tables.review import (
    claims,
    conversions,
    cost,
    detectable,
    findings,
    judgements,
    limits,
)
from evalkit.report.tables.summary import key_numbers

__all__ = [
    "Column",
    "Figure",
    "Prose",
    "ReleasedTable",
    "Table",
    "about",
    "answer",
    "area_map",
    "areas",
    "areas_compared",
    "attrition",
    "balance",
    "certainty",
    "checklist",
    "choices",
    "choices_plot",
    "claims",
    "compared",
    "contamination",
    "conversions",
    "cost",
    "cost_in_short",
    "detectable",
    "detectable_at_design",
    "disclosure",
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
    "inputs",
    "interval_plot",
    "intraclass",
    "judgements",
    "key_numbers",
    "limits",
    "love_plot",
    "made_from",
    "matched_designs",
    "matches",
    "measures",
    "not_the_same",
    "other_effects",
    "outcome_results",
    "outcomes",
    "parameters",
    "participant_flow",
    "participants",
    "permutation_plot",
    "programme",
    "randomness",
    "release",
    "released_files",
    "results_record",
    "run_again",
    "specification_curve",
    "trajectories_plot",
    "versions",
]
