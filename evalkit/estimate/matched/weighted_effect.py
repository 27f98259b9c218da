"""The effect after weighting, with errors that carry along how the weights were estimated (M-estimation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.errors import DataError, DesignError
from evalkit.core.quantities import ROUNDING, Estimate, Unavailable
from evalkit.core.scipy_parts import special
from evalkit.core.sentence import Sentence, count
from evalkit.core.words import counted
from evalkit.design.algebra_arrays import applied, crossed, is_collinear, summed
from evalkit.design.matching.features import score_columns
from evalkit.design.matching.matched import MatchedDesign, in_target
from evalkit.design.matching.options import CovariateBalancing, EntropyBalancing, InverseProbability
from evalkit.design.matching.scores_arrays import standardised
from evalkit.design.matching.weighting import columns_to_balance, weighted_arms
from evalkit.design.matching.weighting_arrays import newton_step
from evalkit.estimate.cluster_model import ARMS, ClusterModel


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


# The equations that estimated weights solve, in the form that carries their estimation into an effect's error.


TargetMeans = Literal["given", "sampled"]
"""Whether the target group's covariate means are those of the units at hand, or a sample's of a larger population."""


@dataclass(frozen=True, slots=True, eq=False)
class WeightEquations:
    """Equations Σ eᵢxᵢ = 0 in coefficients θ, of which the weights are functions through η = x'θ.

    Attributes
    ----------
    columns : shape (n_units, q), x
    residual : shape (n_units,), e
    slope : shape (n_units,), de/dη, nowhere above 0: the equations' derivative is Σ slopeᵢ xᵢxᵢ'
    response : shape (n_units,), dw/dη; zero for units whose weight does not depend on θ
    """

    columns: Floats
    residual: Floats
    slope: Floats
    response: Floats

    def contributions(self, sensitivity: Floats) -> Floats:
        """Return what each unit adds to an effect by its part in estimating θ, shape (n_units,).

        With s = ∂effect/∂w it is −(Σ sⱼ dwⱼ/dη xⱼ)' (Σ slopeⱼ xⱼxⱼ')⁻¹ eᵢxᵢ.
        """
        along = summed(sensitivity * self.response, self.columns)
        through = newton_step(crossed(self.columns * -self.slope[:, None], self.columns), along)
        added: Floats = self.residual * applied(self.columns, through)
        return added


def weight_equations(design: MatchedDesign, target_means: TargetMeans) -> list[WeightEquations]:
    """Return the systems of equations that a weighting design's weights solve.

    Raises
    ------
    DesignError
        Where the design is no weighting design.
    """
    option = design.option
    if isinstance(option, EntropyBalancing):
        return _entropy(design, option, target_means)
    if isinstance(option, CovariateBalancing):
        return [_balancing(design)]
    if isinstance(option, InverseProbability):
        return [_likelihood(design, option)]
    raise DesignError(
        "M-estimation errors carry along how weights were estimated, and this design is matched, not weighted. "
        "Use the errors for matched designs."
    )


def _entropy(design: MatchedDesign, option: EntropyBalancing, target_means: TargetMeans) -> list[WeightEquations]:
    """Return for each weighted arm −Σ w(x − m) = 0, m the target group's mean; "sampled" adds that m is estimated."""
    is_treated = design.baseline.is_treated
    values, group = columns_to_balance(design.baseline, option.moments).values, in_target(is_treated, design.target)
    share = group / np.count_nonzero(group)
    centred = values - summed(share, values)
    systems = []
    for arm, _ in weighted_arms(is_treated, design.target):
        weights = design.weights * arm
        residual = weights.sum() * share - weights if target_means == "sampled" else -weights
        systems.append(WeightEquations(centred, residual, -weights, weights))
    return systems


def _balancing(design: MatchedDesign) -> WeightEquations:
    """Return Σ x(D − (1 − D)o) = 0 with odds o (ATT), its mirror (ATC), or Σ x(D/p − (1 − D)/(1 − p)) = 0 (ATE)."""
    is_treated, p = design.baseline.is_treated, design.score
    assert p is not None
    sign, inverse = np.where(is_treated, 1.0, -1.0), _odds_against(p, is_treated)
    columns, response = _with_constant(design), _log_slope(design) * design.weights
    if design.target == "ATE":
        return WeightEquations(columns, sign * (1 + inverse), -inverse, response)
    away = ~in_target(is_treated, design.target)
    return WeightEquations(columns, np.where(away, sign * inverse, sign), np.where(away, -inverse, 0.0), response)


def _likelihood(design: MatchedDesign, option: InverseProbability) -> WeightEquations:
    """Return the score equations of the logit or probit, to all units."""
    is_treated, p = design.baseline.is_treated, design.score
    assert p is not None
    columns, response = _with_constant(design), _log_slope(design) * design.weights
    if option.link == "logit":
        return WeightEquations(columns, is_treated - p, -p * (1 - p), response)
    sign, eta = np.where(is_treated, 1.0, -1.0), special.ndtri(p)
    mills = np.exp(-0.5 * eta**2 - 0.5 * np.log(2 * np.pi) - special.log_ndtr(sign * eta))
    density = np.exp(-0.5 * eta**2 - 0.5 * np.log(2 * np.pi))
    return WeightEquations(
        columns, sign * mills, -mills * (mills + sign * eta), response * density / np.maximum(p * (1 - p), _TINY)
    )


_TINY = np.finfo(float).tiny


def _log_slope(design: MatchedDesign) -> Floats:
    """Return d log w/dη of the weights, η the log odds: 1 for odds, p or −(1 − p) for inverses. Shape (n_units,)."""
    is_treated, p = design.baseline.is_treated, design.score
    assert p is not None
    if design.target == "ATE":
        return np.where(is_treated, p - 1, p)
    away = ~in_target(is_treated, design.target)
    return np.where(away, 1.0 if design.target == "ATT" else -1.0, 0.0)


def _odds_against(p: Floats, is_treated: Bools) -> Floats:
    """Return the odds that a unit were in the other arm: (1 − p)/p for treated, p/(1 − p) for comparison units."""
    chance = np.maximum(np.where(is_treated, p, 1 - p), _TINY)
    odds: Floats = (1 - chance) / chance
    return odds


def _with_constant(design: MatchedDesign) -> Floats:
    columns = score_columns(design.baseline)[0]
    return standardised(columns, np.ones(len(columns)))
