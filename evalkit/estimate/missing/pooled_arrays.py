"""Estimates of several completed data sets as one, and the shift of imputed values at which nothing is found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.scipy_parts import brentq, special


class Pooled(NamedTuple):
    """Rubin's (1987) pooled estimate with the degrees of freedom of Barnard and Rubin (1999).

    `within` is the mean variance, `between` that of the estimates, `missing_share` λ = (1 + 1/m)b/t the share of the
    variance `std_error`² that is due to what is missing.
    """

    estimate: float
    std_error: float
    df: float
    within: float
    between: float
    missing_share: float

    @property
    def p_value(self) -> float:
        """Return the two-sided p-value against an effect of 0."""
        if self.std_error == 0:
            return 1.0 if self.estimate == 0 else 0.0
        return float(2 * _t_cdf(self.df, -abs(self.estimate) / self.std_error))

    def half_length(self, level: float) -> float:
        """Return half the length of the interval at a level."""
        return self.std_error * float(_t_quantile(self.df, 0.5 + level / 2))


def pooled(estimates: Floats, variances: Floats, complete_df: float = math.inf) -> Pooled:
    """Pool the estimates and variances of m completed data sets, shape (m,) each, m of at least 2.

    t = ū + (1 + 1/m)b; ν = ν_m ν_o/(ν_m + ν_o) with ν_m = (m − 1)/λ² and ν_o = (ν_c + 1)/(ν_c + 3) · ν_c(1 − λ), where
    `complete_df` is ν_c, the degrees of freedom that there would be with nothing missing.
    """
    m = len(estimates)
    within, between = float(variances.mean()), float(estimates.var(ddof=1))
    total = within + (1 + 1 / m) * between
    share = 0.0 if total == 0 else (1 + 1 / m) * between / total
    by_draws = math.inf if share == 0 else (m - 1) / share**2
    observed = math.inf
    if math.isfinite(complete_df):
        observed = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
    df = min(by_draws, observed) if math.inf in (by_draws, observed) else by_draws * observed / (by_draws + observed)
    return Pooled(float(estimates.mean()), math.sqrt(total), df, within, between, share)


def _t_cdf(df: float, at: float) -> float:
    return float(special.ndtr(at) if math.isinf(df) else special.stdtr(df, at))


def _t_quantile(df: float, p: float) -> float:
    return float(special.ndtri(p) if math.isinf(df) else special.stdtrit(df, p))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ShiftedEstimates:
    """Estimates of m completed data sets as functions of a shift δ added to imputed outcomes of the treated.

    `estimates` (m, 3) and `variances` (m, 3) are what was found at shifts of −`step`, 0 and `step`. An estimate by
    least squares is a straight line in δ and its variance a parabola, so that the three say it everywhere.
    """

    estimates: Floats
    variances: Floats
    step: float
    complete_df: float = math.inf

    @property
    def slope(self) -> float:
        """Return by how much the pooled estimate moves for a shift of one."""
        return float((self.estimates[:, 2] - self.estimates[:, 0]).mean() / (2 * self.step))

    def at(self, shift: float) -> Pooled:
        """Return the pooled estimate at a shift."""
        x = shift / self.step
        low, middle, high = self.estimates.T
        estimates = middle + x * (high - low) / 2
        first, centre, last = self.variances.T
        variances = centre + x * (last - first) / 2 + x**2 * (last - 2 * centre + first) / 2
        return pooled(estimates, np.maximum(variances, 0.0), self.complete_df)

    def tipping_point(self, level: float) -> float:
        """Return the shift nearest 0 at which the interval reaches 0: NaN where it holds 0 already or never does."""
        start = self.at(0.0)
        if self.slope == 0 or abs(start.estimate) <= start.half_length(level):
            return math.nan
        at_zero = -start.estimate / self.slope  # where the estimate itself is 0, which lies inside the interval

        def beyond(shift: float) -> float:
            found = self.at(shift)
            return abs(found.estimate) - found.half_length(level)

        return brentq(beyond, 0.0, at_zero)


def rigid_tipping_point(lower: float, upper: float, slope: float) -> float:
    """Return the shift at which an interval that moves as a whole, `slope` for a shift of one, reaches 0.

    NaN where it holds 0 already, or does not move.
    """
    if slope == 0 or lower <= 0 <= upper:
        return math.nan
    return -(lower if lower > 0 else upper) / slope
