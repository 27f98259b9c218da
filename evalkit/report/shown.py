"""What is shown of each noun: parts of a report under each other, its tables as frames, its figures by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.errors import InputError
from evalkit.core.shown import Several
from evalkit.core.words import did_you_mean
from evalkit.data.areas.authorities import AreaHistory
from evalkit.data.areas.borders import AreaBorders
from evalkit.data.areas.boundaries import Boundaries
from evalkit.data.areas.series import AreaSeries
from evalkit.data.baseline import Baseline
from evalkit.data.identity.schools import SchoolIdentity
from evalkit.data.layouts.gias import SchoolList
from evalkit.data.layouts.gias_groups import TrustMembership
from evalkit.data.layouts.performance_tables import PerformanceTable
from evalkit.data.layouts.published_table import PublishedTable
from evalkit.data.own_tables.long_table import LongTable
from evalkit.data.own_tables.unit_table import UnitTable
from evalkit.data.panel import CrossSections, Panel
from evalkit.data.profiles import Profiles
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.school_lists import Links
from evalkit.data.store.school_years import SchoolYears
from evalkit.data.store.store import Store
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
from evalkit.diagnose.power.pre_trends import PreTrendPower
from evalkit.diagnose.power.report import PowerReport
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.estimate.areas.random_effects import RandomEffects
from evalkit.estimate.bounds.permuted_bounds import PermutedBounds
from evalkit.estimate.bounds.violation_bounds import ViolationBounds
from evalkit.estimate.effect import Inference
from evalkit.estimate.effect_sizes import StandardisedEffect
from evalkit.estimate.matched.abadie_imbens import MatchingEstimate
from evalkit.estimate.matched.after_matching import AfterMatching
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
from evalkit.estimate.two_way.recommended import WildBootstrap
from evalkit.estimate.two_way.two_way import TwoWayEffect, TwoWayEventStudy
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.markup import in_notebook
from evalkit.report.border.parts import Figure, Parts, Prose, ShownPart
from evalkit.report.tables import (
    beside_models,
    data,
    design,
    effects,
    matched,
    models,
    outcomes,
    power,
    review,
    school_lists,
    similar,
    staggered,
    synthetic,
    two_way,
)
from evalkit.report.tables.beside_models import CoefficientTable
from evalkit.report.words import bounds, front, sentences

if TYPE_CHECKING:
    import pandas as pd

View = Callable[[Any], ShownPart]


# What a notebook shows, and what a noun gives by name.


def view(noun: object) -> str | None:
    """Return a noun as HTML for a notebook, None where it has no view."""
    parts = parts_of(noun)
    if not parts:
        return None
    return in_notebook("".join(part._repr_html_() for part in parts))


def bundle_of(noun: object) -> dict[str, object] | None:
    """Return all that a notebook keeps of a noun, the record that a report is read back from among it; None without."""
    parts = parts_of(noun)
    return {**Parts(parts)._repr_mimebundle_(), "text/plain": repr(noun)} if parts else None


def parts_of(noun: object) -> tuple[ShownPart, ...]:
    """Return the parts that a noun is shown as, every table released; none where it has no view."""
    views, kind = VIEWS, type(noun)
    if isinstance(noun, Several):
        views, kind = VIEWS_OF_SEVERAL, type(noun[0]) if noun else type(None)
    return tuple(part for part in (made(noun) for made in views.get(kind, ())) if not _is_empty(part))


def frame(noun: object, name: str = "") -> pd.DataFrame:
    """Return a noun's table of that name as a frame, the main one for an empty name.

    Raises
    ------
    InputError
        If the noun has no tables, or none of that name.
    """
    if isinstance(noun, Several) and not noun:
        raise InputError("There is nothing here, and so no table of it.")
    names = tables_of(noun)
    kind = type(noun[0] if isinstance(noun, Several) else noun)
    made = names[_chosen("table", kind, name or MAIN_TABLE.get(kind, ""), tuple(names))](noun)
    assert isinstance(made, ReleasedTable)
    return made.to_frame()


def tables_of(noun: object) -> dict[str, View]:
    """Return what makes each table of a noun, by name, in the order a notebook shows them."""
    views = VIEWS_OF_SEVERAL.get(type(noun[0]), ()) if isinstance(noun, Several) else VIEWS.get(type(noun), ())
    # The word, not the class: what a verb takes may be a name that only type checkers load.
    return {_name_of(made): made for made in views if made.__annotations__["return"] == ReleasedTable.__name__}


def _name_of(table: View) -> str:
    """Return a table's name for those who ask for it: that of its verb, without what the noun says already."""
    return table.__name__.strip("_").removesuffix("_table").removeprefix("match_")


def figure(noun: object, name: str = "") -> Figure:
    """Return a noun's figure of that name, the main one for an empty name.

    Raises
    ------
    InputError
        If the noun has no figures, none of that name, or nothing to draw in it.
    """
    named = FIGURES.get(type(noun), {})
    module, verb = named[_chosen("figure", type(noun), name, tuple(named))].split(":")
    # Loaded here, as drawing takes a library that tables do without.
    made: Figure | None = getattr(import_module(f"evalkit.report.figures.{module}"), verb)(noun)
    if made is None:
        raise InputError(f"There is nothing to draw: this {type(noun).__name__} holds no data for the figure '{name}'.")
    return made


def _chosen(what: str, kind: type, name: str, known: tuple[str, ...]) -> str:
    if not known:
        raise InputError(f"A {kind.__name__} has no {what}.")
    if name and name not in known:
        raise InputError(
            f"A {kind.__name__} has no {what} '{name}'.{did_you_mean(name, known)} It has: {', '.join(known)}."
        )
    return name or known[0]


def model(noun: object) -> CoefficientTable:
    """Return a noun's coefficients as a table of models takes them; raise `InputError` where it has none."""
    if type(noun) not in MODELS:
        raise InputError(f"A {type(noun).__name__} has no coefficients.")
    return MODELS[type(noun)](noun)


def _is_empty(part: ShownPart) -> bool:
    return isinstance(part, Prose) and not part.sentences


def _finding(finding: Finding) -> ReleasedTable:
    return matched.match_findings_table((finding,))


def _effect(effect: MatchedEffect | MatchingEstimate) -> ReleasedTable:
    return matched.match_effects((effect,))


def _units(balance: MatchBalance) -> ReleasedTable:
    return matched.match_units(balance, "people")


VIEWS: Final[dict[type, tuple[View, ...]]] = {
    Panel: (data.panel_units, data.panel_words),
    CrossSections: (data.observations, data.observations_words),
    Baseline: (data.baseline_units, data.baseline_columns),
    LongTable: (data.table_rows, data.table_words),
    UnitTable: (data.unit_table_rows, data.unit_table_columns, data.unit_table_words),
    AreaSeries: (data.area_periods,),
    Profiles: (data.profile_units, data.profile_columns),
    NeighbourTable: (data.neighbour_lists,),
    SchoolList: (school_lists.school_list,),
    TrustMembership: (school_lists.trust_membership,),
    Links: (school_lists.links,),
    SchoolIdentity: (school_lists.school_identity,),
    Boundaries: (school_lists.boundaries,),
    AreaBorders: (school_lists.area_borders,),
    AreaHistory: (school_lists.area_history,),
    PublishedTable: (school_lists.published_table,),
    PerformanceTable: (school_lists.performance_table,),
    Store: (school_lists.store,),
    SchoolYears: (school_lists.school_years,),
    StaggeredDesign: (staggered.design_cohorts, staggered.design_words),
    MatchedDesign: (matched.design_words, matched.design_units),
    SchoolPupilDesign: (matched.schools_words, matched.schools_units, matched.pupils_words, matched.pupils_units),
    AreaDesign: (synthetic.area_words, synthetic.area_design),
    SimilarUnits: (similar.similar_list,),
    Recommendation: (two_way.recommendation,),
    DesignStage: (
        front.front_matter,
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
    PermutedBounds: (review.permuted_bounds_words, review.permuted_bounds),
    PreTrendPower: (review.pre_trends_words, review.pre_trends),
    TwoWayEffect: (two_way.two_way_effect, two_way.two_way_recommendation),
    TwoWayEventStudy: (two_way.two_way_event_study,),
    ViolationBounds: (bounds.bounds_words, bounds.bounds_table),
    BaconDecomposition: (two_way.bacon,),
    ConleyTaber: (two_way.conley_taber,),
    RandomisationTest: (two_way.randomisation,),
    WildBootstrap: (two_way.wild_bootstrap,),
    TwoLevelModel: (models.coefficients, models.variance_parts, models.pupils_and_schools),
    StandardisedEffect: (models.standardised,),
    PowerReport: (
        power.power_words,
        power.power,
        power.power_units,
        power.power_simulated,
        power.power_two_level,
    ),
    RandomEffects: (models.pooled,),
    MatchBalance: (_units, matched.match_means, matched.match_balance_table),
    MatchedEffect: (_effect, matched.effect_words),
    AfterMatching: (matched.after_estimates, matched.after_words),
    MatchingEstimate: (_effect, matched.effect_words),
    MatchSensitivity: (matched.sensitivity, matched.hidden_bias, matched.benchmarks),
    Finding: (_finding,),
    SyntheticControl: (synthetic.synthetic_words, synthetic.gaps, synthetic.donor_weights),
    PlaceboInSpace: (synthetic.placebo_in_space,),
    PlaceboInTime: (synthetic.placebo_in_time,),
    Conformal: (synthetic.conformal,),
    LeaveOneDonorOut: (synthetic.without_each_donor,),
    AreasResults: (
        front.front_matter,
        sentences.headline,
        sentences.headline_explained,
        outcomes.outcomes,
        effects.effects,
        review.findings,
    ),
}
"""What each noun is shown as, in order."""
VIEWS_OF_SEVERAL: Final[dict[type, tuple[View, ...]]] = {
    Finding: (matched.match_findings_table,),
    StratumBalance: (matched.strata,),
}
"""What several nouns of one kind are shown as together."""
MAIN_TABLE: Final[dict[type, str]] = {MatchBalance: "balance", AreasResults: "effects"}
"""The table that stands for a noun where it is not the first one shown."""
FIGURES: Final[dict[type, dict[str, str]]] = {
    DesignStage: {"love": "design:love_plot", "map": "area_map:area_map"},
    MatchedDesign: {"overlap": "matching:overlap_plot"},
    MatchBalance: {"love": "matching:match_love_plot"},
    PowerReport: {"detectable": "design:power_plot"},
    SyntheticControl: {"path": "areas:synthetic_plot"},
    StaggeredResults: {"event_study": "staggered:staggered_plot"},
    TwoWayEventStudy: {"event_study": "staggered:two_way_plot"},
    ViolationBounds: {"bounds": "bounds:bounds_plot"},
    AreasResults: {
        "interval": "main_effect:interval_plot",
        "trajectories": "years:trajectories_plot",
        "event_study": "years:event_study_plot",
        "permutation": "main_effect:permutation_plot",
        "specifications": "choices:specification_curve",
        "choices": "choices:choices_plot",
        "participants": "design:participant_flow",
    },
}
"""Each noun's figures by name, the main one first, as the module and the verb that draw them."""
MODELS: Final[dict[type, Callable[[Any], CoefficientTable]]] = {
    StaggeredResults: beside_models.staggered,
    TwoWayEffect: beside_models.two_way,
    TwoWayEventStudy: beside_models.two_way_event_study,
    MatchedEffect: beside_models.matched,
    MatchingEstimate: beside_models.matched,
    TwoLevelModel: beside_models.two_level,
    RandomEffects: beside_models.pooled,
    CrossChecks: beside_models.estimators,
}
"""The coefficients of each noun that has any."""
