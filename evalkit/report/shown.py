"""What a notebook shows of each noun: parts of a report, one under the other, in the colours of the notebook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evalkit.core.shown import Several
from evalkit.data.areas.series import AreaSeries
from evalkit.data.baseline import Baseline
from evalkit.data.own_tables.long_table import LongTable
from evalkit.data.own_tables.unit_table import UnitTable
from evalkit.data.panel import CrossSections, Panel
from evalkit.data.profiles import Profiles
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.design.clusters import Recommendation
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.school_pupil_matching import SchoolPupilDesign
from evalkit.design.panel.area_design import AreaDesign
from evalkit.design.panel.staggered import StaggeredDesign
from evalkit.design.project.plan import DesignStage
from evalkit.design.similar import SimilarUnits
from evalkit.diagnose.cross_checks import CrossChecks
from evalkit.diagnose.finding import Finding
from evalkit.diagnose.matched.balance import MatchBalance, StratumBalance
from evalkit.diagnose.matched.sensitivity import MatchSensitivity
from evalkit.diagnose.power.report import PowerReport
from evalkit.diagnose.project.evaluation import Evaluation
from evalkit.estimate.areas.random_effects import RandomEffects
from evalkit.estimate.effect import Inference
from evalkit.estimate.effect_sizes import StandardisedEffect
from evalkit.estimate.matched.abadie_imbens import MatchingEstimate
from evalkit.estimate.matched.matched_effect import MatchedEffect
from evalkit.estimate.pupils.two_level import TwoLevelModel
from evalkit.estimate.staggered.cells import GroupTimeEffects
from evalkit.estimate.staggered.imputation_leads import Leads
from evalkit.estimate.staggered.results import StaggeredResults
from evalkit.estimate.staggered.summaries import Summaries, Summary
from evalkit.estimate.synthetic.conformal import Conformal
from evalkit.estimate.synthetic.placebos import LeaveOneDonorOut, PlaceboInSpace, PlaceboInTime
from evalkit.estimate.synthetic.result import SyntheticControl
from evalkit.estimate.two_way.bacon import BaconDecomposition
from evalkit.estimate.two_way.conley_taber import ConleyTaber
from evalkit.estimate.two_way.randomisation import RandomisationTest
from evalkit.estimate.two_way.two_way import TwoWayEffect, TwoWayEventStudy
from evalkit.estimate.two_way.wild_bootstrap import WildBootstrap
from evalkit.report.border.bundle import in_notebook
from evalkit.report.border.parts import Prose, ShownPart
from evalkit.report.tables import (
    data,
    design,
    effects,
    matched,
    models,
    outcomes,
    review,
    staggered,
    synthetic,
    two_way,
)
from evalkit.report.tables import matched as matching
from evalkit.report.tables import matched as sensitivity
from evalkit.report.words import sentences, statements

View = Callable[[Any], ShownPart]


def view(noun: object) -> str | None:
    """Return a noun as HTML for a notebook, None where it has no view."""
    parts = parts_of(noun)
    if not parts:
        return None
    return in_notebook("".join(part._repr_html_() for part in parts))


def parts_of(noun: object) -> tuple[ShownPart, ...]:
    """Return the parts that a noun is shown as, every table released; none where it has no view."""
    views, kind = VIEWS, type(noun)
    if isinstance(noun, Several):
        views, kind = VIEWS_OF_SEVERAL, type(noun[0]) if noun else type(None)
    return tuple(part for part in (made(noun) for made in views.get(kind, ())) if not _is_empty(part))


def _is_empty(part: ShownPart) -> bool:
    return isinstance(part, Prose) and not part.sentences


def _one_finding(found: Finding) -> ShownPart:
    return matching.match_findings_table((found,))


def _one_effect(found: MatchedEffect | MatchingEstimate) -> ShownPart:
    return matching.match_effects((found,))


def _people(balance: MatchBalance) -> ShownPart:
    return matching.match_units(balance, "people")


VIEWS: Final[dict[type, tuple[View, ...]]] = {
    Panel: (data.panel_units, data.panel_words),
    CrossSections: (data.observations, data.observations_words),
    Baseline: (data.baseline_units, data.baseline_columns),
    LongTable: (data.table_rows, data.table_words),
    UnitTable: (data.unit_table_rows, data.unit_table_columns, data.unit_table_words),
    AreaSeries: (data.area_periods,),
    Profiles: (data.profile_units, data.profile_columns),
    NeighbourTable: (data.neighbour_lists,),
    StaggeredDesign: (staggered.design_cohorts, staggered.design_words),
    MatchedDesign: (matched.design_words, matched.design_units),
    SchoolPupilDesign: (matched.schools_words, matched.schools_units, matched.pupils_words, matched.pupils_units),
    AreaDesign: (synthetic.area_words, synthetic.area_design),
    SimilarUnits: (matched.similar_list,),
    Recommendation: (two_way.recommendation,),
    DesignStage: (
        statements.front_matter,
        statements.programme,
        design.areas,
        design.matches,
        design.detectable_at_design,
    ),
    GroupTimeEffects: (staggered.effect_cells,),
    StaggeredResults: (
        staggered.averages,
        staggered.by_event_time,
        staggered.by_cohort,
        staggered.by_period,
        staggered.by_cohort_and_period,
        staggered.before_the_start,
    ),
    Summary: (staggered.summary,),
    Summaries: (staggered.summaries,),
    Leads: (staggered.leads,),
    CrossChecks: (staggered.estimators,),
    Inference: (two_way.inference,),
    TwoWayEffect: (two_way.two_way_effect, two_way.two_way_recommendation),
    TwoWayEventStudy: (two_way.two_way_event_study,),
    BaconDecomposition: (two_way.bacon,),
    ConleyTaber: (two_way.conley_taber,),
    RandomisationTest: (two_way.randomisation,),
    WildBootstrap: (two_way.wild_bootstrap,),
    TwoLevelModel: (models.coefficients, models.variance_parts, models.pupils_and_schools),
    StandardisedEffect: (models.standardised,),
    PowerReport: (models.power_words, models.power),
    RandomEffects: (models.pooled,),
    MatchBalance: (_people, matching.match_balance_table),
    MatchedEffect: (_one_effect, matched.effect_words),
    MatchingEstimate: (_one_effect, matched.effect_words),
    MatchSensitivity: (sensitivity.sensitivity, sensitivity.hidden_bias, sensitivity.benchmarks),
    Finding: (_one_finding,),
    SyntheticControl: (synthetic.synthetic_words, synthetic.gaps, synthetic.donor_weights),
    PlaceboInSpace: (synthetic.placebo_in_space,),
    PlaceboInTime: (synthetic.placebo_in_time,),
    Conformal: (synthetic.conformal,),
    LeaveOneDonorOut: (synthetic.without_each_donor,),
    Evaluation: (
        statements.front_matter,
        sentences.headline,
        sentences.headline_explained,
        outcomes.outcomes,
        effects.effects,
        review.findings,
    ),
}
"""What each noun is shown as, in order."""
VIEWS_OF_SEVERAL: Final[dict[type, tuple[View, ...]]] = {
    Finding: (matching.match_findings_table,),
    StratumBalance: (matched.strata,),
}
"""What several nouns of one kind are shown as together."""
