"""Impact evaluations of school-improvement partnership programmes, from published data to a report.

The names below are loaded when they are first used, so that `import evalkit` costs nothing.
"""

from __future__ import annotations

from evalkit.core.viewer import Viewer, set_viewer

TYPE_CHECKING = False  # `typing` takes as long to load as all that a refused option needs
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

__version__ = "0.1.0"

_HOME: Final = {
    "CrossSections": "data.panel",
    "Panel": "data.panel",
    "Roles": "data.roles",
    "read_long_table": "data.own_tables.long_table",
    "ClusterCounts": "design.clusters",
    "recommended_inference": "design.clusters",
    "PanelPlan": "design.power.mdes",
    "panel_mdes": "design.power.mdes",
    "TwoLevelPlan": "design.power.mdes",
    "two_level_mdes": "design.power.mdes",
    "StaggeredDesign": "design.panel.staggered",
    "StaggeredOptions": "design.panel.staggered",
    "staggered_design": "design.panel.staggered",
    "bacon_decomposition": "estimate.two_way.bacon",
    "Uncertainty": "estimate.staggered.bands",
    "cluster_bootstrap": "estimate.cluster_bootstrap",
    "ConleyTaberOptions": "estimate.two_way.conley_taber",
    "conley_taber": "estimate.two_way.conley_taber",
    "extended_effects": "estimate.staggered.extended",
    "GroupTimeEffects": "estimate.staggered.cells",
    "group_time_effects": "estimate.staggered.group_time",
    "imputation_effects": "estimate.staggered.imputation",
    "imputation_leads": "estimate.staggered.imputation_leads",
    "months_of_progress": "estimate.effect_sizes",
    "two_level_model": "estimate.pupils.multilevel",
    "RandomisationOptions": "estimate.two_way.randomisation",
    "randomisation_test": "estimate.two_way.randomisation",
    "InferenceOptions": "estimate.two_way.recommended",
    "two_way_inference": "estimate.two_way.recommended",
    "hedges_g": "estimate.effect_sizes",
    "hedges_g_total": "estimate.effect_sizes",
    "hedges_g_within": "estimate.effect_sizes",
    "StaggeredResults": "estimate.staggered.results",
    "staggered_results": "estimate.staggered.results",
    "effects_by_cohort": "estimate.staggered.summaries",
    "effects_by_period": "estimate.staggered.summaries",
    "event_study": "estimate.staggered.summaries",
    "overall_effect": "estimate.staggered.summaries",
    "random_effects": "estimate.areas.random_effects",
    "RandomEffects": "estimate.areas.random_effects",
    "sun_abraham_effects": "estimate.staggered.sun_abraham",
    "PupilColumns": "estimate.pupils.two_level",
    "TwoLevelOptions": "estimate.pupils.two_level",
    "two_level_did": "estimate.pupils.sections",
    "two_stage_effects": "estimate.staggered.imputation",
    "two_way_effect": "estimate.two_way.two_way",
    "two_way_event_study": "estimate.two_way.two_way",
    "WildOptions": "estimate.two_way.recommended",
    "wild_bootstrap": "estimate.two_way.recommended",
    "ViolationBounds": "estimate.bounds.violation_bounds",
    "violation_bounds": "estimate.bounds.violation_bounds",
    "event_study_bounds": "estimate.bounds.of_effects",
    "AreaRoles": "data.areas.series",
    "AreaSeries": "data.areas.series",
    "read_area_file": "data.areas.series",
    "read_lait": "data.areas.lait",
    "read_exclusions": "data.areas.exclusions",
    "read_ofsted_shares": "data.areas.ofsted_shares",
    "read_ees": "data.layouts.ees",
    "read_ees_areas": "data.layouts.ees",
    "PublishedTable": "data.layouts.published_table",
    "read_school_census": "data.layouts.school_census",
    "read_school_absence": "data.layouts.school_census",
    "read_ofsted_inspections": "data.layouts.ofsted",
    "read_destinations": "data.layouts.destinations",
    "read_16_to_18": "data.layouts.destinations",
    "read_idaci": "data.layouts.deprivation",
    "read_similar_schools": "data.layouts.similar_schools",
    "read_pupils": "data.layouts.pupils",
    "Baseline": "data.baseline",
    "BaselineRoles": "data.baseline",
    "UnitColumns": "data.own_tables.unit_table",
    "read_unit_table": "data.own_tables.unit_table",
    "area_design": "design.panel.area_design",
    "match": "design.matching.match",
    "MatchedDesign": "design.matching.matched",
    "CoarsenedExact": "design.matching.options",
    "CovariateBalancing": "design.matching.options",
    "CovariateCaliper": "design.matching.options",
    "EntropyBalancing": "design.matching.options",
    "ExactMatching": "design.matching.options",
    "FullMatching": "design.matching.options",
    "InverseProbability": "design.matching.options",
    "NearestNeighbour": "design.matching.options",
    "OptimalMatching": "design.matching.options",
    "PairRules": "design.matching.options",
    "ProfileMatching": "design.matching.options",
    "Subclassification": "design.matching.options",
    "propensity_score": "design.matching.scores",
    "match_schools_then_pupils": "design.matching.school_pupil_matching",
    "AbadieImbens": "estimate.matched.abadie_imbens",
    "abadie_imbens_match": "estimate.matched.abadie_imbens",
    "after_matching": "estimate.matched.after_matching",
    "EffectOptions": "estimate.matched.task",
    "matched_effect": "estimate.matched.matched_effect",
    "matched_panel": "estimate.matched.matched_panel",
    "synthetic_control": "estimate.synthetic.control",
    "augmented_control": "estimate.synthetic.control",
    "synthetic_did": "estimate.synthetic.control",
    "PlaceboOptions": "estimate.synthetic.placebos",
    "placebo_in_space": "estimate.synthetic.placebos",
    "placebo_in_time": "estimate.synthetic.placebos",
    "conformal": "estimate.synthetic.conformal",
    "leave_one_donor_out": "estimate.synthetic.placebos",
    "match_balance": "diagnose.matched.balance",
    "stratum_balance": "diagnose.matched.balance",
    "match_findings": "diagnose.matched.findings",
    "match_sensitivity": "diagnose.matched.sensitivity",
    "SensitivityOptions": "diagnose.matched.sensitivity",
    "regression_to_mean": "diagnose.matched.regression_to_mean",
    "import_folder": "data.store.importing",
    "open_store": "data.store.store",
    "Store": "data.store.store",
    "SchoolYears": "data.store.school_years",
    "school_years": "data.store.school_years",
    "read_neighbours": "data.published.neighbours",
    "read_performance_table": "data.layouts.performance_tables",
    "SchoolList": "data.layouts.gias",
    "read_gias": "data.layouts.gias",
    "Links": "data.published.school_lists",
    "read_links": "data.published.school_lists",
    "TrustMembership": "data.layouts.gias_groups",
    "read_trusts": "data.layouts.gias_groups",
    "SchoolIdentity": "data.identity.schools",
    "follow_schools": "data.identity.schools",
    "follow_laestabs": "data.identity.schools",
    "AreaHistory": "data.areas.authorities",
    "follow_areas": "data.areas.authorities",
    "Boundaries": "data.areas.boundaries",
    "read_boundaries": "data.areas.boundaries",
    "AreaBorders": "data.areas.borders",
    "area_borders": "data.areas.borders",
    "Profiles": "data.profiles",
    "ProfileRoles": "data.profiles",
    "SimilarOptions": "design.similar",
    "similar_units": "design.similar",
    "cross_checks": "diagnose.cross_checks",
    "permuted_bounds": "estimate.bounds.permuted_bounds",
    "PermutedBounds": "estimate.bounds.permuted_bounds",
    "pre_trend_power": "diagnose.power.pre_trends",
    "PreTrendOptions": "diagnose.power.pre_trends",
    "PreTrendPower": "diagnose.power.pre_trends",
    "staggered_pre_trends": "diagnose.power.event_leads",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    """Load a public name from the room it lives in."""
    if name not in _HOME:
        raise AttributeError(f"evalkit has no name '{name}'. It has: {', '.join(sorted(_HOME))}.")
    from importlib import import_module

    return getattr(import_module(f"evalkit.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Return every public name, for completion."""
    return __all__


def _of_report(name: str) -> Callable[..., Any]:
    """Return a function of the report's view of nouns, which is loaded when it is first called."""

    def called(*given: Any) -> Any:
        from importlib import import_module

        return getattr(import_module("evalkit.report.shown"), name)(*given)

    return called


set_viewer(
    Viewer(
        html=_of_report("view"),
        frame=_of_report("frame"),
        figure=_of_report("figure"),
        model=_of_report("model"),
        bundle=_of_report("bundle_of"),
    )
)
