"""Matching with replacement as an estimator: matched differences, their correction, Abadie and Imbens' errors."""

from __future__ import annotations

from evalkit.core.errors import DesignError
from evalkit.design.matching_options import NearestNeighbour
from evalkit.estimate.arrays.imputed_matches import equal_shares, matching_effect, pair_differences
from evalkit.estimate.effect_task import EffectTask
from evalkit.estimate.found_effect import FoundEffect, guarded_estimate
from evalkit.estimate.matched_regression import shares_partners
from evalkit.estimate.matched_rows import focal_and_partner


def replacement_effect(task: EffectTask, errors: str) -> FoundEffect:
    """Return the average matched difference, bias-corrected where asked for, with Abadie–Imbens errors.

    Units whose partners tie or are several share their weight equally; the outcome's variance given covariates is
    taken as one number (Abadie and Imbens, 2006, 2011).
    """
    _require_replacement(task, errors)
    found = equal_shares(*focal_and_partner(task.design))
    is_treated = task.design.baseline.is_treated
    covariates = task.covariates if task.options.how == "bias-corrected" else None
    difference = pair_differences(found, task.outcome, is_treated, covariates)
    value, std_error = matching_effect(found, difference, len(is_treated))
    words = "Abadie–Imbens (2006), one outcome variance for all units, the score taken as known; normal"
    return FoundEffect(estimate=guarded_estimate(task, value, std_error, None), inference=words)


def _require_replacement(task: EffectTask, errors: str) -> None:
    option = task.design.option
    limited = isinstance(option, NearestNeighbour) and option.reuse_limit is not None
    if not shares_partners(task.design) or limited:
        what = "The bias correction is" if task.options.how == "bias-corrected" else "Abadie–Imbens errors are"
        raise DesignError(
            f"{what} for matching in which partners may serve any number of times, and here they may not. Match with "
            "replacement, or use g-computation (or no adjustment) and the default errors."
        )
    if task.options.how not in ("none", "bias-corrected"):
        raise DesignError(
            f"Abadie–Imbens errors are for the plain or the bias-corrected difference, not for '{task.options.how}'. "
            "Ask for the adjustment 'bias-corrected', or for two-way errors."
        )
    if errors != "abadie-imbens":
        raise DesignError(
            f"The bias-corrected difference has Abadie–Imbens errors, not '{errors}'. Ask for errors 'default'."
        )
    if task.cluster is not None:
        raise DesignError(
            "Abadie–Imbens errors take units as independent, and clusters were given. Use g-computation with two-way "
            "errors, or leave the clusters out."
        )
