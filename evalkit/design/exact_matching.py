"""Exact matching: units that are equal in every covariate are compared with each other."""

from __future__ import annotations

from evalkit.data.baseline import Baseline
from evalkit.design.matched import MatchedDesign
from evalkit.design.matching_options import ExactMatching, Target
from evalkit.design.strata_result import categories, stratified, whole_strata


def exact_matching(baseline: Baseline, option: ExactMatching, target: Target) -> MatchedDesign:
    """Return strata of units that are equal in every covariate; strata that lack an arm are left out.

    Raises
    ------
    DesignError
        Where no treated unit is equal to a comparison unit in every covariate.
    """
    columns = [categories(baseline.covariates[name]) for name in baseline.covariates]
    return stratified(baseline, option, target, whole_strata(columns, baseline.is_treated))
