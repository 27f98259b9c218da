"""Impact evaluations of school-improvement partnership programmes, from published data to a report.

The names below are loaded when they are first used, so that `import evalkit` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from evalkit.core.shown import set_viewer

__version__ = "0.1.0"

_HOME: Final = {
    "CrossSections": "data.cross_sections",
    "Panel": "data.panel",
    "Roles": "data.roles",
    "read_long_table": "data.long_table",
    "ClusterCounts": "design.clusters",
    "recommended_inference": "design.clusters",
    "PanelPlan": "design.power_panel",
    "panel_mdes": "design.power_panel",
    "TwoLevelPlan": "design.power_two_level",
    "two_level_mdes": "design.power_two_level",
    "StaggeredDesign": "design.staggered",
    "StaggeredOptions": "design.staggered",
    "staggered_design": "design.staggered",
    "bacon_decomposition": "estimate.bacon",
    "Uncertainty": "estimate.bands",
    "cluster_bootstrap": "estimate.cluster_bootstrap",
    "ConleyTaberOptions": "estimate.conley_taber",
    "conley_taber": "estimate.conley_taber",
    "extended_effects": "estimate.extended",
    "GroupTimeEffects": "estimate.group_time",
    "group_time_effects": "estimate.group_time",
    "imputation_effects": "estimate.imputation",
    "imputation_leads": "estimate.imputation_leads",
    "months_of_progress": "estimate.months",
    "two_level_model": "estimate.multilevel",
    "RandomisationOptions": "estimate.randomisation",
    "randomisation_test": "estimate.randomisation",
    "InferenceOptions": "estimate.recommended",
    "two_way_inference": "estimate.recommended",
    "hedges_g": "estimate.standardised",
    "hedges_g_total": "estimate.standardised",
    "hedges_g_within": "estimate.standardised",
    "StaggeredResults": "estimate.staggered_results",
    "staggered_results": "estimate.staggered_results",
    "effects_by_cohort": "estimate.summaries",
    "effects_by_period": "estimate.summaries",
    "event_study": "estimate.summaries",
    "overall_effect": "estimate.summaries",
    "random_effects": "estimate.random_effects",
    "RandomEffects": "estimate.random_effects",
    "sun_abraham_effects": "estimate.sun_abraham",
    "PupilColumns": "estimate.two_level",
    "TwoLevelOptions": "estimate.two_level",
    "two_level_did": "estimate.two_level_sections",
    "two_stage_effects": "estimate.two_stage",
    "two_way_effect": "estimate.two_way",
    "two_way_event_study": "estimate.two_way_event",
    "WildOptions": "estimate.wild_bootstrap",
    "wild_bootstrap": "estimate.wild_bootstrap",
    "AreaRoles": "data.area_series",
    "AreaSeries": "data.area_series",
    "read_area_file": "data.area_file",
    "read_lait": "data.lait",
    "read_exclusions": "data.exclusions",
    "read_ofsted_shares": "data.ofsted_shares",
    "Baseline": "data.baseline",
    "BaselineRoles": "data.baseline",
    "UnitColumns": "data.unit_table",
    "read_unit_table": "data.unit_table",
    "area_design": "design.area_design",
    "match": "design.match",
    "MatchedDesign": "design.matched",
    "CoarsenedExact": "design.matching_options",
    "CovariateBalancing": "design.matching_options",
    "CovariateCaliper": "design.matching_options",
    "EntropyBalancing": "design.matching_options",
    "ExactMatching": "design.matching_options",
    "FullMatching": "design.matching_options",
    "InverseProbability": "design.matching_options",
    "NearestNeighbour": "design.matching_options",
    "OptimalMatching": "design.matching_options",
    "PairRules": "design.matching_options",
    "ProfileMatching": "design.matching_options",
    "Subclassification": "design.matching_options",
    "propensity_score": "design.scores",
    "match_schools_then_pupils": "design.school_pupil_matching",
    "AbadieImbens": "estimate.abadie_imbens",
    "abadie_imbens_match": "estimate.abadie_imbens",
    "EffectOptions": "estimate.effect_options",
    "matched_effect": "estimate.matched_effect",
    "matched_panel": "estimate.matched_panel",
    "synthetic_control": "estimate.synthetic_control",
    "augmented_control": "estimate.augmented_control",
    "synthetic_did": "estimate.synthetic_did",
    "PlaceboOptions": "estimate.area_placebos",
    "placebo_in_space": "estimate.area_placebos",
    "placebo_in_time": "estimate.area_placebos",
    "conformal": "estimate.conformal",
    "leave_one_donor_out": "estimate.leave_one_donor_out",
    "match_balance": "diagnose.match_balance",
    "stratum_balance": "diagnose.match_balance",
    "match_findings": "diagnose.match_findings",
    "match_sensitivity": "diagnose.match_sensitivity",
    "SensitivityOptions": "diagnose.match_sensitivity",
    "regression_to_mean": "diagnose.regression_to_mean",
    "read_neighbours": "data.neighbours",
    "Profiles": "data.profiles",
    "ProfileRoles": "data.profiles",
    "SimilarOptions": "design.similar",
    "similar_units": "design.similar",
    "cross_checks": "diagnose.cross_checks",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    """Load a public name from the room it lives in."""
    if name not in _HOME:
        raise AttributeError(f"evalkit has no name '{name}'. It has: {', '.join(sorted(_HOME))}.")
    return getattr(import_module(f"evalkit.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Return every public name, for completion."""
    return __all__


def _view(noun: object) -> str | None:
    """Return a noun as a notebook shows it, from the report's tables, which are loaded when first shown."""
    found: str | None = import_module("evalkit.report.shown").view(noun)
    return found


set_viewer(_view)
