"""`match`: one verb for every way of choosing or weighting a comparison group."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from evalkit.data.baseline import Baseline
from evalkit.design.matched import MatchedDesign
from evalkit.design.matching_options import MatchingOption, Target, WeightingOption
from evalkit.design.result_check import require_rules_kept

_HOME: Final = {
    "NearestNeighbour": "nearest_neighbour",
    "OptimalMatching": "optimal_matching",
    "FullMatching": "full_matching",
    "ExactMatching": "exact_matching",
    "CoarsenedExact": "coarsened_exact",
    "Subclassification": "subclassification",
    "ProfileMatching": "profile_matching",
    "EntropyBalancing": "entropy_balancing",
    "InverseProbability": "inverse_probability",
    "CovariateBalancing": "covariate_balancing",
}


def match(baseline: Baseline, option: MatchingOption | WeightingOption, target: Target = "ATT") -> MatchedDesign:
    """Choose or weight a comparison group by what was known before the programme.

    Parameters
    ----------
    baseline : Baseline
        Units, who was treated, covariates and labels: no outcome, and no place for one.
    option : one of the option objects of `matching_options`
        The method and everything that is chosen in it.
    target : "ATT", "ATC" or "ATE"
        Whose average effect is wanted. Whether units of that group were lost is the design's to say (`estimand`).

    Raises
    ------
    DesignError
        Where the method cannot give that target, or the data leave nothing to compare.
    """
    name = _HOME[type(option).__name__]
    method: Callable[[Baseline, Any, Target], MatchedDesign] = getattr(import_module(f"evalkit.design.{name}"), name)
    design = method(baseline, option, target)
    require_rules_kept(design)
    return design
