"""The matching estimator of Abadie and Imbens: nearest neighbours with every tie kept, bias correction, own errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import LEVEL, require_level
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimand, Estimate, IntervalOrReason, Unavailable
from evalkit.core.shown import ShownModel
from evalkit.data.baseline import Baseline
from evalkit.design.clusters import AT_ALL, independence_by
from evalkit.design.matching.features import score_columns
from evalkit.design.matching.options import NearestNeighbour, Target
from evalkit.design.matching.pairs_arrays import whitened
from evalkit.design.matching.scores import propensity_score
from evalkit.estimate.effect import ExplainedEstimate, guarded_estimate
from evalkit.estimate.matched.abadie_imbens_arrays import (
    NeighbourSets,
    equal_shares,
    local_variance,
    matching_effect,
    pair_differences,
    tied_nearest,
)
from evalkit.estimate.matched.regression import focal_and_partner, shares_partners
from evalkit.estimate.matched.task import EffectTask

TIE: Final = 1e-5
"""Squared distances of scaled covariates that differ by no more are ties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbadieImbens:
    """How the matching estimator is made.

    Attributes
    ----------
    n_matches : nearest partners of each unit, more where distances tie, fewer where an exact group holds fewer
    distance : over all matching covariates, each divided by its SD ("inverse-variance"), or by their covariance over
        all units ("mahalanobis"); or the propensity score ("logit", "probit")
    exact : labels or covariates that partners must share
    caliper : most by which partners may differ in any matched column, in its SDs over all units
    is_bias_corrected : whether partners' outcomes are moved to the focal unit's covariates by regression
    variance_neighbours : neighbours in a unit's own arm from which its outcome's variance is estimated;
        0 for one variance for all
    level : of the interval
    """

    n_matches: int = 1
    distance: Literal["inverse-variance", "mahalanobis", "logit", "probit"] = "inverse-variance"
    exact: tuple[str, ...] = ()
    caliper: float | None = None
    is_bias_corrected: bool = False
    variance_neighbours: int = 0
    level: float = LEVEL

    def __post_init__(self) -> None:
        if self.n_matches < 1 or self.variance_neighbours < 0:
            raise DesignError("The number of matches is 1 or more, that of neighbours for the variance 0 or more.")
        if self.caliper is not None and not self.caliper > 0:
            raise DesignError(f"A caliper is a positive number of SDs, not {self.caliper}.")
        require_level(self.level)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MatchingEstimate(ShownModel):
    """The effect by matching with replacement, and who stood in for whom.

    Attributes
    ----------
    estimate : Estimate, with the error of Abadie and Imbens (2006), normal
    plain : the estimate without the bias correction; equal to it where none was made
    neighbours : pairs as positions in the baseline, with weights that sum to 1 for each unit of the target group
    n_dropped : units of the target group without a partner inside the caliper or exact constraints
    """

    estimate: Estimate
    plain: float
    estimand: Estimand
    method: str
    inference: str
    level: float
    baseline: Baseline
    neighbours: NeighbourSets
    n_dropped: int
    assumes: str = independence_by("unit", AT_ALL)

    @property
    def interval(self) -> IntervalOrReason:
        """Return the interval at `level`, or why there is none."""
        return self.estimate.interval(self.level)

    def pair_table(self) -> pd.DataFrame:
        """Return the pairs by id: unit, its stand-in, weight."""
        ids, found = self.baseline.units.index, self.neighbours
        return pd.DataFrame({"unit": ids[found.focal], "stand_in": ids[found.partner], "weight": found.weight})


def abadie_imbens_match(
    baseline: Baseline, outcome: Floats, options: AbadieImbens | None = None, target: Target = "ATT"
) -> MatchingEstimate:
    """Return the effect by matching each unit of the target group with its nearest, with replacement.

    `outcome` has the order of the baseline, shape (n_units,), all known. Raise `DesignError` where there are too few
    units to match with, none within the constraints, or columns of the correction are collinear.

    >>> import evalkit
    >>> import pandas as pd
    >>> schools = pd.DataFrame(
    ...     {"school": range(40), "before": [i * 7 % 40 for i in range(40)], "helped": [i % 4 == 0 for i in range(40)]}
    ... )
    >>> later = schools["before"] + 2 * schools["helped"] + schools["school"] % 3 / 10
    >>> roles = evalkit.BaselineRoles(treated="helped", covariates=("before",), unit="school")
    >>> baseline = evalkit.Baseline.from_frame(schools, roles)
    >>> found = evalkit.abadie_imbens_match(baseline, later.to_numpy())
    >>> round(found.estimate.value, 2)
    1.89
    """
    chosen = options or AbadieImbens()
    _require_outcome(baseline, outcome)
    is_treated = baseline.is_treated
    _require_enough(is_treated, chosen.n_matches, target)
    space, columns = _space(baseline, chosen)
    group = _exact_groups(baseline, chosen.exact)
    focal = {"ATT": is_treated, "ATC": ~is_treated, "ATE": np.ones(len(is_treated), dtype=bool)}[target]
    neighbours = _neighbours(space, is_treated, focal, group, chosen)
    corrected = columns if chosen.is_bias_corrected else None
    difference = pair_differences(neighbours, outcome, is_treated, corrected)
    variance = None
    if chosen.variance_neighbours:
        variance = local_variance(_same_arm(space, is_treated, chosen.variance_neighbours), outcome)
    value, std_error = matching_effect(neighbours, difference, len(outcome), variance)
    plain = matching_effect(neighbours, pair_differences(neighbours, outcome, is_treated), len(outcome))[0]
    n_dropped = int(focal.sum()) - neighbours.n_focal
    return MatchingEstimate(
        estimate=Estimate(value, _guarded(neighbours, std_error, outcome)),
        plain=plain,
        estimand=Estimand(target if n_dropped == 0 else f"{target}_AMONG_MATCHED"),
        method=_method(chosen),
        inference=_inference(chosen),
        level=chosen.level,
        baseline=baseline,
        neighbours=neighbours,
        n_dropped=n_dropped,
    )


def _require_outcome(baseline: Baseline, outcome: Floats) -> None:
    if np.shape(outcome) != (len(baseline.units),) or not np.isfinite(outcome).all():
        raise DesignError(
            f"The outcome must be one finite number for each of the {len(baseline.units):,} units of the baseline, in "
            "their order. Leave units without one out before matching."
        )
    if baseline.is_treated.all() or not baseline.is_treated.any():
        raise DesignError("There are no treated or no comparison units, so that there is nothing to compare.")


def _require_enough(is_treated: Bools, n_matches: int, target: Target) -> None:
    n_treated, n_comparison = int(is_treated.sum()), int((~is_treated).sum())
    n = {"ATT": n_comparison, "ATC": n_treated, "ATE": min(n_treated, n_comparison)}[target]
    if n < n_matches:
        raise DesignError(f"{n_matches} matches for each unit were asked for, and there are {n}. Ask for fewer.")


def _space(baseline: Baseline, options: AbadieImbens) -> tuple[Floats, Floats]:
    """Return coordinates in which distance is Euclidean, and columns at mean 0 and SD 1 for the correction."""
    columns, names = score_columns(baseline)
    spread = columns.std(axis=0)
    if (spread == 0).any():
        raise DesignError(f"The covariate '{names[int(np.argmin(spread))]}' does not vary. Leave it out.")
    scaled = (columns - columns.mean(axis=0)) / spread
    if options.distance in ("logit", "probit"):
        score = propensity_score(baseline, "logit" if options.distance == "logit" else "probit")
        return ((score - score.mean()) / score.std())[:, None], scaled
    if options.distance == "inverse-variance":
        return scaled, scaled
    covariance = scaled.T @ scaled / len(scaled)
    if np.linalg.eigvalsh(covariance)[0] < 1e-10:
        raise DesignError("A covariate is a sum of others, so that there is no Mahalanobis distance. Leave it out.")
    return whitened(scaled, covariance), scaled


def _exact_groups(baseline: Baseline, names: tuple[str, ...]) -> Ints:
    codes = np.zeros(len(baseline.units), dtype=np.int64)
    for name in names:
        of_label, levels = pd.factorize(baseline.label(name), sort=True)
        codes = np.unique(codes * len(levels) + of_label, return_inverse=True)[1].astype(np.int64)
    return codes


def _neighbours(space: Floats, is_treated: Bools, focal: Bools, group: Ints, options: AbadieImbens) -> NeighbourSets:
    found = list(_by_group(space, is_treated, focal, group, options))
    units = np.concatenate([np.zeros(0, dtype=np.int64), *(part[0] for part in found)])
    partners = np.concatenate([np.zeros(0, dtype=np.int64), *(part[1] for part in found)])
    if options.caliper is not None:
        within = (np.abs(space[units] - space[partners]) <= options.caliper).all(axis=1)
        units, partners = units[within], partners[within]
    if not len(units):
        raise DesignError("No unit has a partner within the caliper and exact constraints. Loosen them.")
    order = np.lexsort((partners, units))
    return equal_shares(units[order], partners[order])


def _by_group(
    space: Floats, is_treated: Bools, focal: Bools, group: Ints, options: AbadieImbens
) -> Iterator[tuple[Ints, Ints]]:
    for code in range(int(group.max()) + 1):
        for arm in (True, False):
            units = np.flatnonzero((group == code) & focal & (is_treated == arm))
            pool = np.flatnonzero((group == code) & (is_treated != arm))
            if len(units) and len(pool):
                rows, columns = tied_nearest(space[units], space[pool], min(options.n_matches, len(pool)), TIE)
                yield units[rows], pool[columns]


def _same_arm(space: Floats, is_treated: Bools, n_neighbours: int) -> NeighbourSets:
    units, partners = [], []
    for arm in (True, False):
        arm_units = np.flatnonzero(is_treated == arm)
        rows, columns = tied_nearest(space[arm_units], space[arm_units], n_neighbours, TIE, skip_same=True)
        units.append(arm_units[rows])
        partners.append(arm_units[columns])
    return equal_shares(np.concatenate(units), np.concatenate(partners))


def _guarded(neighbours: NeighbourSets, std_error: float, outcome: Floats) -> float | Unavailable:
    if neighbours.n_focal < 2 or len(np.unique(neighbours.partner)) < 2:
        return Unavailable("One arm has a single unit in use, so that its variation cannot be seen.")
    if std_error <= 1e-11 * float(np.abs(outcome).max()):
        return Unavailable("All matched differences are alike, so that there is nothing to estimate an error from.")
    return std_error


def _method(options: AbadieImbens) -> str:
    by = {"logit": "the propensity score", "probit": "the propensity score (probit)"}.get(
        options.distance, f"{options.distance} distance"
    )
    corrected = ", corrected for what partners differ in" if options.is_bias_corrected else ""
    return f"matching with replacement, {options.n_matches} nearest by {by}, ties kept{corrected}"


def _inference(options: AbadieImbens) -> str:
    kind = "each unit's own" if options.variance_neighbours else "one for all units"
    given = "; the propensity score taken as known" if options.distance in ("logit", "probit") else ""
    return f"Abadie–Imbens (2006), outcome variance {kind}{given}, normal"


# Matching with replacement as an estimator: matched differences, their correction, Abadie and Imbens' errors.


def replacement_effect(task: EffectTask, errors: str) -> ExplainedEstimate:
    """Return the average matched difference, bias-corrected where asked for, with Abadie–Imbens errors.

    Units whose partners tie or are several share their weight equally; the outcome's variance given covariates is
    taken as one number (Abadie and Imbens, 2006, 2011).
    """
    _require_replacement(task, errors)
    neighbours = equal_shares(*focal_and_partner(task.design))
    is_treated = task.design.baseline.is_treated
    covariates = task.covariates if task.options.how == "bias-corrected" else None
    difference = pair_differences(neighbours, task.outcome, is_treated, covariates)
    value, std_error = matching_effect(neighbours, difference, len(is_treated))
    words = "Abadie–Imbens (2006), one outcome variance for all units, the score taken as known; normal"
    return ExplainedEstimate(estimate=guarded_estimate(task, value, std_error, None), inference=words)


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
