"""The effect after matching or weighting, with errors that suit how the comparison group was made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimand, Estimate, IntervalOrReason, Unavailable, without_rounding
from evalkit.core.shown import ShownModel
from evalkit.core.words import listed
from evalkit.design.algebra_arrays import dependence
from evalkit.design.clusters import AT_ALL, independence_by
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import CovariateBalancing, EntropyBalancing, InverseProbability
from evalkit.design.matching.scores_arrays import standardised
from evalkit.estimate.effect import ExplainedEstimate, freedom
from evalkit.estimate.matched.abadie_imbens import replacement_effect
from evalkit.estimate.matched.bootstrap import bootstrap_effect
from evalkit.estimate.matched.regression import regression_effect, shares_partners
from evalkit.estimate.matched.task import EffectOptions, EffectTask, Errors, effect_task
from evalkit.estimate.matched.weighted_effect import weighted_effect

__all__ = ["EffectOptions", "MatchedEffect", "matched_effect"]


FEWEST_STRATA: Final = 20
"""With fewer strata errors clustered by them are not to be relied on; units count as independent instead."""

_METHODS: Final = {
    "none": "weighted difference in means",
    "additive": "weighted least squares on treatment and covariates",
    "g-computation": "g-computation: weighted least squares in each arm, predictions averaged over the target group",
    "bias-corrected": "matched difference, corrected for what partners differ in (Abadie and Imbens, 2011)",
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MatchedEffect(ShownModel):
    """An effect after matching or weighting, with everything needed to read it.

    Attributes
    ----------
    estimate : Estimate, in units of the outcome
    estimand : Estimand, that of the design
    method, inference : how the estimate and its error were made, in words
    level : level of `interval`
    n_treated, n_comparison : units used
    effective_comparison : equally weighted comparison units that would be as informative
    n_clusters : clusters of the error (the fewer of two ways), None where there are none
    adjusted_for : columns
    notes : sentences a reader must know
    assumes : what the error takes as independent
    """

    estimate: Estimate
    estimand: Estimand
    method: str
    inference: str
    level: float
    n_treated: int
    n_comparison: int
    effective_comparison: float
    n_clusters: int | None = None
    adjusted_for: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    assumes: str = ""

    @property
    def interval(self) -> IntervalOrReason:
        """Return the interval at `level`, or why there is none."""
        return self.estimate.interval(self.level)


def matched_effect(
    design: MatchedDesign, outcome: pd.Series | Floats, options: EffectOptions | None = None
) -> MatchedEffect:
    """Return the effect on an outcome from a matched or weighted design.

    Parameters
    ----------
    design : MatchedDesign
    outcome : Series by unit, or array in the order of the baseline
        Known for every unit that the design uses.
    options : EffectOptions
        What is adjusted for and how errors are made. Defaults: errors clustered by matched pair, set or stratum;
        with replacement by set and unit; HC3 with fewer than 20 strata or no sets; M-estimation for weights; CR2 by
        the clusters given where these are few (M-estimation corrected as CR2 is).

    Raises
    ------
    DataError
        Where an outcome, a column to adjust for or a cluster is missing, or no unit's id is that of the baseline.
    DesignError
        Where columns to adjust for are collinear or too many, or an error does not exist for this design.

    Examples
    --------
    >>> import evalkit
    >>> import pandas as pd
    >>> schools = pd.DataFrame(
    ...     {"school": range(40), "before": [i * 7 % 40 for i in range(40)], "helped": [i % 4 == 0 for i in range(40)]}
    ... )
    >>> later = schools["before"] + 2 * schools["helped"] + schools["school"] % 3 / 10
    >>> roles = evalkit.BaselineRoles(treated="helped", covariates=("before",), unit="school")
    >>> baseline = evalkit.Baseline.from_frame(schools, roles)
    >>> design = evalkit.match(baseline, evalkit.NearestNeighbour())
    >>> effect = evalkit.matched_effect(design, later.to_numpy())
    >>> round(effect.estimate.value, 2), str(effect.estimand)
    (1.0, 'ATT')
    """
    chosen = options or EffectOptions()
    task = effect_task(design, outcome, chosen)
    found = _estimated(task, resolved_errors(task))
    size = float(np.abs(task.outcome[design.is_used]).max(initial=0.0))
    return MatchedEffect(
        estimate=replace(found.estimate, value=without_rounding(found.estimate.value, size)),
        estimand=design.estimand,
        method=_METHODS[chosen.how],
        inference=found.inference,
        level=chosen.level,
        n_treated=design.n_treated,
        n_comparison=design.n_comparison,
        effective_comparison=design.effective_comparison,
        n_clusters=found.n_clusters,
        adjusted_for=task.names,
        notes=found.notes,
        assumes=independence_by("unit" if task.cluster is None else "cluster", AT_ALL),
    )


def resolved_errors(task: EffectTask) -> Errors:
    """Return the kind of error asked for, or for "default" the one that suits the design."""
    errors, design = task.options.errors, task.design
    if errors != "default":
        return errors
    if is_weighting(design):
        return "m-estimation"
    if task.has_few_clusters and task.options.how != "bias-corrected":
        return "CR2"
    if task.options.how == "bias-corrected":
        return "abadie-imbens"
    if shares_partners(design):
        return "two-way"
    if design.strata is None or (design.pairs is None and _n_strata(design) < FEWEST_STRATA):
        return "HC3" if task.cluster is None else "cluster"
    return "cluster" if task.cluster is None else "two-way"


def is_weighting(design: MatchedDesign) -> bool:
    """Return whether a design weights units rather than matching them."""
    return isinstance(design.option, EntropyBalancing | InverseProbability | CovariateBalancing)


def _n_strata(design: MatchedDesign) -> int:
    assert design.strata is not None
    return len(np.unique(design.strata[design.is_used]))


def _estimated(task: EffectTask, errors: Errors) -> ExplainedEstimate:
    if errors == "m-estimation":
        return _weighted(task)
    if errors == "abadie-imbens" or task.options.how == "bias-corrected":
        return replacement_effect(task, errors)
    if errors == "bootstrap":
        return bootstrap_effect(task)
    assert errors != "default"
    return regression_effect(task, errors)


def _weighted(task: EffectTask) -> ExplainedEstimate:
    """Return the estimate with the error that carries along how weights were estimated."""
    if not is_weighting(task.design):
        raise DesignError(
            "M-estimation carries along how weights were estimated, and this design is a matched one. Ask for errors "
            "'default'."
        )
    if task.options.how not in ("none", "g-computation"):
        raise DesignError(
            f"With weights the adjustment is g-computation or none, not '{task.options.how}'. Ask for one of these, or "
            "for HC1 errors, which take weights as given."
        )
    _require_slopes(task)
    few = task.cluster_model if task.has_few_clusters else None
    estimate = weighted_effect(task.design, task.outcome, task.covariates, task.cluster, few=few)
    if reason := task.few_clusters_reason:
        return ExplainedEstimate(estimate=Estimate(estimate.value, Unavailable(reason)), inference="none")
    t_or_normal = "normal" if estimate.df is None else f"clustered by the clusters given, {freedom(estimate.df)}"
    if few is not None:
        t_or_normal = f"corrected for few clusters as CR2 is, {t_or_normal}"
    words = f"M-estimation (the weights' own estimation is part of the error), {t_or_normal}"
    return ExplainedEstimate(estimate=estimate, inference=words)


def _require_slopes(task: EffectTask) -> None:
    """Raise `DesignError` that names what is adjusted for where it has no slope within an arm, as each must have."""
    if not task.names:
        return
    is_treated, weight = task.design.baseline.is_treated, task.design.weights
    for arm, noun in ((is_treated, "treated"), (~is_treated, "comparison")):
        used = arm & (weight > 0)
        follows = dependence(standardised(task.covariates[used], weight[used])[:, 1:])
        if follows is None:
            continue
        what = (
            f"follows from {listed([repr(task.names[k]) for k in follows.made_of])}"
            if follows.made_of
            else "is constant"
        )
        raise DesignError(
            f"Among the {noun} units '{task.names[follows.column]}' {what}, so that nothing can be adjusted for it. "
            "Leave it out."
        )
