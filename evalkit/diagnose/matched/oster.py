"""How much more what was not measured would have to matter than what was, judged by how covariates move the effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.errors import DesignError
from evalkit.core.formats import number, visible
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.diagnose.finding import Finding, Verdict, statement
from evalkit.diagnose.matched.regression_arrays import Movement, delta_for, slopes_for
from evalkit.diagnose.matched.robustness_value import RegressionRows

R2_FACTOR: Final = 1.3
"""R² with everything, as a multiple of that with the covariates; results of randomised studies mostly survive it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OsterDelta:
    """Selection on what was not measured, relative to selection on what was (Oster, 2019).

    Attributes
    ----------
    movement : the slopes and R² without and with covariates, and the variances used
    r2_most : the R² assumed if everything were measured
    delta : the relative strength at which the effect would be zero, or why there is none
    adjusted : the effect if what was not measured mattered just as much (delta of 1), or why there is none
    simple : the approximation β − (β₀ − β)(R²most − R²)/(R² − R₀²), for comparison
    """

    movement: Movement
    r2_most: float
    delta: Quantity
    adjusted: Quantity
    simple: Quantity

    @property
    def sentence(self) -> str:
        """Return what a reader needs to know."""
        basis = f"(if everything together would explain {number(100 * self.r2_most, 0)}% of the outcome)"
        if isinstance(self.delta, Unavailable):
            return self.delta.reason
        if self.delta < 0:
            text = (
                "Allowing for what was measured moves the effect away from zero, so that only something not measured "
                f"that works in the opposite direction, {number(-self.delta, 1)} times as strongly, would explain it "
                f"{basis}"
            )
        else:
            text = (
                f"What was not measured would have to matter {number(self.delta, 1)} times as much as everything "
                f"measured to explain the whole effect {basis}"
            )
        if isinstance(self.adjusted, Unavailable):
            return text + "."
        return text + f"; if it mattered just as much, the effect would be {visible(self.adjusted)}."

    @property
    def finding(self) -> Finding:
        """Return the measure as a statement: a large effect has a large delta, whatever was left out."""
        if isinstance(self.delta, Unavailable):
            return Finding("oster_delta", Verdict.NOT_ASSESSABLE, self.delta, self.sentence)
        return statement("oster_delta", self.delta, self.sentence)


def oster_delta(rows: RegressionRows, r2_most: float | None = None) -> OsterDelta:
    """Return the delta at which the effect is zero and the effect at a delta of one, by the exact solutions.

    `r2_most` is the R² assumed with everything measured; by default the R² with the covariates times 1.3, at
    most 1. Where the cubic has several solutions, those are left out under which covariates' true index would
    go with treatment in the other direction than its estimate does, and of the rest the one nearest to the
    adjusted effect is given (Oster, 2019, section 3.2). Raise `DesignError` where `r2_most` is below the R².
    """
    movement = _movement(rows)
    most = min(1.0, R2_FACTOR * movement.r2_adjusted) if r2_most is None else r2_most
    if not movement.r2_adjusted <= most <= 1:
        raise DesignError(
            f"The R² with everything measured lies between that of the regression, {movement.r2_adjusted:.3f}, and 1; "
            f"it cannot be {most:g}."
        )
    return OsterDelta(
        movement=movement,
        r2_most=most,
        delta=_delta(movement, most),
        adjusted=_adjusted(movement, most),
        simple=_simple(movement, most),
    )


def _movement(rows: RegressionRows) -> Movement:
    left = rows.residuals()
    weight = rows.weight / rows.weight.sum()
    outcome = rows.outcome - weight @ rows.outcome
    treated = rows.is_treated - weight @ rows.is_treated
    of_outcome, of_treated = float(weight @ outcome**2), float(weight @ treated**2)
    plain = float(weight @ (outcome * treated)) / of_treated
    return Movement(
        plain=plain,
        adjusted=left.slope,
        r2_plain=plain**2 * of_treated / of_outcome,
        r2_adjusted=1 - left.unexplained / left.total_outcome,
        outcome=of_outcome,
        treated=of_treated,
        # The share of treatment's variance that covariates leave, on the scale of the whole variance.
        left=of_treated * float((left.treated**2).sum()) / left.total_treated,
    )


_UNMOVED: Final = (
    "Allowing for what was measured hardly changes how much of the outcome is explained, so how it moves the effect "
    "says nothing of what was not measured."
)


def _is_unmoved(movement: Movement) -> bool:
    return movement.r2_adjusted - movement.r2_plain < 1e-9


def _delta(movement: Movement, r2_most: float) -> Quantity:
    if _is_unmoved(movement):
        return Unavailable(_UNMOVED)
    found = delta_for(movement, 0.0, r2_most)
    if found is None or not np.isfinite(found):
        return Unavailable("No strength of what was not measured, relative to what was, would explain the effect.")
    return found


def _adjusted(movement: Movement, r2_most: float) -> Quantity:
    if _is_unmoved(movement):
        return Unavailable(_UNMOVED)
    found = slopes_for(movement, 1.0, r2_most)
    return found[0] if found else Unavailable("No effect is consistent with a delta of one and this R².")


def _simple(movement: Movement, r2_most: float) -> Quantity:
    if _is_unmoved(movement):
        return Unavailable(_UNMOVED)
    share = (r2_most - movement.r2_adjusted) / (movement.r2_adjusted - movement.r2_plain)
    return movement.adjusted - (movement.plain - movement.adjusted) * share
