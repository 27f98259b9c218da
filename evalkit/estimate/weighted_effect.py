"""The effect after weighting, with errors that carry along how the weights were estimated (M-estimation)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DataError, DesignError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.core.sentence import Sentence, count
from evalkit.core.words import counted
from evalkit.design.arrays.balancing import newton_step
from evalkit.design.arrays.products import applied, crossed, summed
from evalkit.design.arrays.propensity import is_collinear
from evalkit.design.balance_targets import in_target
from evalkit.design.matched import MatchedDesign
from evalkit.estimate.cluster_model import ARMS, ClusterModel
from evalkit.estimate.inference import ROUNDING
from evalkit.estimate.weight_equations import TargetMeans, weight_equations

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class WeightedInfluence(NamedTuple):
    """An effect in units of the outcome, and what each unit contributes to its error, shape (n_units,)."""

    value: float
    influence: Floats


def weighted_effect(
    design: MatchedDesign,
    outcome: Floats,
    adjust: Floats | None = None,
    cluster: Ints | None = None,
    target_means: TargetMeans = "given",
    *,
    few: ClusterModel | None = None,
) -> Estimate:
    """Return the weighted difference between the arms, or g-computation, with M-estimation errors.

    The variance is Σ ψᵢ² over units (Stefanski and Boos, 2002), ψ the influence of `weighted_influence`; with
    clusters (Σ over clusters of their sums' squares) × G/(G − 1), and Student's t with G − 1 degrees of freedom.

    Parameters
    ----------
    design : MatchedDesign, of a weighting option
    outcome : shape (n_units,), in the order of the baseline; units of weight zero may have none (NaN)
    adjust : shape (n_units, k), or None for the weighted difference in means
        Least squares in each arm on these columns, predictions averaged over the target group's units that are used.
    cluster : shape (n_units,), codes; below 0 for units that are clusters of their own, or None
    target_means : whether means of the target group's covariates are "given", those of the units at hand, or "sampled"
        "given" is what R's WeightIt and marginaleffects report. "sampled" adds that other units of the target group
        would have other means: it is the error for an effect on the population these units were drawn from.
    few : the clusters' shares of the two arms where they are few, or None
        Sums of clusters are then corrected as CR2 corrects those of two weighted means, with its degrees of freedom.

    Raises
    ------
    DesignError
        Where the design is not a weighting one, or columns to adjust for are collinear within an arm.
    DataError
        Where a used unit has no outcome.
    """
    found = weighted_influence(design, outcome, adjust, target_means)
    reason = _why_no_error(design, np.nan_to_num(outcome), found.influence, adjust)
    if reason is not None:
        return Estimate(found.value, Unavailable(reason))
    if cluster is None:
        return Estimate(found.value, float(np.sqrt(found.influence @ found.influence)))
    if few is not None:
        inside = cluster >= 0
        of_clusters = np.bincount(cluster[inside], found.influence[inside], len(few.stratum)).astype(float)
        alone = found.influence[~inside]
        variance = float(few.covariance(of_clusters[:, None], ARMS[None, :])[0, 0] + alone @ alone)
        return Estimate(found.value, float(np.sqrt(variance)), few.concentration(ARMS).df)
    sums = _cluster_sums(found.influence, cluster)
    n = len(sums)
    if n < 2:
        return Estimate(found.value, Unavailable("All units are in one cluster, so that no error can be clustered."))
    return Estimate(found.value, float(np.sqrt(sums @ sums * n / (n - 1))), n - 1.0)


def weighted_influence(
    design: MatchedDesign, outcome: Floats, adjust: Floats | None = None, target_means: TargetMeans = "given"
) -> WeightedInfluence:
    """Return the effect after weighting and each unit's influence on it, whose sum is zero.

    A unit's influence is wᵢsᵢ for its outcome, s = ∂effect/∂w, and for its part in estimating the weights what
    `WeightEquations.contributions` says. Units trimmed away still took part in fitting the score.
    """
    is_treated, y, z = design.baseline.is_treated, _outcome(design, outcome), _regressors(design, adjust)
    target = _averaged(design)
    value, sensitivity, slopes = 0.0, np.zeros(len(y)), np.zeros(z.shape[1])
    for arm, sign, name in ((is_treated, 1.0, "treated"), (~is_treated, -1.0, "comparison")):
        fit = _arm_fit(y, z, design.weights * arm, name)
        value += sign * fit.coefficients[0]
        slopes += sign * fit.coefficients
        sensitivity += sign * arm * fit.sensitivity
    influence = design.weights * sensitivity
    for system in weight_equations(design, target_means):
        influence += system.contributions(sensitivity)
    if target_means == "sampled":
        influence += target * (applied(z, slopes) - slopes[0]) / np.count_nonzero(target)
    return WeightedInfluence(float(value), influence)


class _ArmFit(NamedTuple):
    """Coefficients (k + 1,) of one arm, and the derivative of the first by each unit's weight (n_units,)."""

    coefficients: Floats
    sensitivity: Floats


def _arm_fit(y: Floats, z: Floats, weights: Floats, name: str) -> _ArmFit:
    product = crossed(z * weights[:, None], z)
    n, k = int(np.count_nonzero(weights)), z.shape[1] - 1
    if k and (n <= k or is_collinear(product)):
        raise DesignError(
            Sentence(
                "Among the {units} the {columns} to adjust for are collinear, or more than so few units can carry. "
                "Adjust for fewer.",
                units=count(n, "units", f"{name} unit"),
                columns=counted(k, "column"),
            )
        )
    coefficients = newton_step(product, summed(weights * y, z))
    first = newton_step(product, np.eye(len(product))[0])
    return _ArmFit(coefficients, applied(z, first) * (y - applied(z, coefficients)))


def _regressors(design: MatchedDesign, adjust: Floats | None) -> Floats:
    """Return a constant and the columns at mean 0 over the target group, so that the first coefficient is its mean."""
    n = len(design.weights)
    if adjust is None or not adjust.shape[1]:
        return np.ones((n, 1))
    used, target = design.is_used, _averaged(design)
    columns = np.where(used[:, None], adjust, 0.0)
    if not np.isfinite(columns).all():
        raise DataError("A column to adjust for is missing or infinite for a unit that is used. Leave the unit out.")
    centred = np.where(used[:, None], columns - columns[target].mean(axis=0), 0.0)
    spread = centred[used].std(axis=0)
    return np.column_stack([np.ones(n), centred / np.where(spread > 0, spread, 1.0)])


def _averaged(design: MatchedDesign) -> Bools:
    """Return the units over which the effect is an average, shape (n_units,)."""
    return design.is_used & in_target(design.baseline.is_treated, design.target)


def _outcome(design: MatchedDesign, outcome: Floats) -> Floats:
    y = np.where(design.is_used, outcome, 0.0)
    odd = ~np.isfinite(y)
    if odd.any():
        unit = design.baseline.units.index[int(np.argmax(odd))]
        raise DataError(
            f"The outcome of unit '{unit}' is missing or infinite. Leave units without an outcome out before weighting."
        )
    return y


def _why_no_error(design: MatchedDesign, outcome: Floats, influence: Floats, adjust: Floats | None) -> str | None:
    k = 0 if adjust is None else adjust.shape[1]
    for n, name in ((design.n_treated, "treated"), (design.n_comparison, "comparison")):
        if n <= k + 1:
            given = f" given {counted(k, 'column')}" if k else ""
            return f"From {counted(n, f'{name} unit')} it cannot be seen how much such units vary{given}."
    if np.sqrt(influence @ influence) <= ROUNDING * np.abs(outcome[design.is_used]).max():
        return "Outcomes do not vary beyond what is fitted, so that there is nothing to estimate an error from."
    return None


def _cluster_sums(influence: Floats, cluster: Ints) -> Floats:
    """Return the sums by cluster of those whose units contribute; units of codes below 0 are each their own."""
    inside = cluster >= 0
    codes = np.unique(cluster[inside], return_inverse=True)[1]
    alone = influence[~inside]
    return np.concatenate([np.bincount(codes, influence[inside]), alone[alone != 0]])
