"""The equations that estimated weights solve, in the form that carries their estimation into an effect's error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri

from evalkit.core.errors import DesignError
from evalkit.design.arrays.balancing import newton_step
from evalkit.design.arrays.products import applied, crossed, summed
from evalkit.design.arrays.propensity import standardised
from evalkit.design.balance_targets import columns_to_balance, in_target, weighted_arms
from evalkit.design.features import score_columns
from evalkit.design.matched import MatchedDesign
from evalkit.design.matching_options import CovariateBalancing, EntropyBalancing, InverseProbability

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

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
    sign, eta = np.where(is_treated, 1.0, -1.0), ndtri(p)
    mills = np.exp(-0.5 * eta**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(sign * eta))
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
