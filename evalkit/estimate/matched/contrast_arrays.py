"""The difference between two arms by weighted least squares, and its errors when rows, sets or both are independent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.errors import DesignError
from evalkit.estimate.least_squares_arrays import LeastSquaresFit, cluster_error, least_squares, n_parameters, row_error

FULL_LEVERAGE = 1 - 1e-10
"""A row with this leverage is fitted exactly whatever its outcome, so that it tells nothing of errors."""
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class ArmRows:
    """Rows of two arms, ready for a regression.

    Attributes
    ----------
    outcome, weight : shape (n,)
    is_treated : shape (n,)
    covariates : shape (n, k), less the means at which the arms are compared
    crossed : whether each arm has slopes of its own
    """

    outcome: Floats
    weight: Floats
    is_treated: Bools
    covariates: Floats
    crossed: bool = False

    def taken(self, rows: Ints | Bools) -> ArmRows:
        """Return some of the rows, in the order given."""
        columns = self.outcome[rows], self.weight[rows], self.is_treated[rows], self.covariates[rows]
        return ArmRows(*columns, self.crossed)


def arm_fit(rows: ArmRows, cluster: Ints | None = None) -> LeastSquaresFit:
    """Return the regression whose first coefficient is the difference between the arms.

    Outcome on treated, a constant and the covariates x; where `crossed`, also on treated × x. With x centred at the
    means of a target group, that coefficient is the average over the group of the predictions as treated less
    those as comparison (g-computation), and its error that of the delta method with the group as given.
    Where `cluster` is given, rows must be in its order. Raise `CollinearError` where x determines the arm.
    """
    treated = rows.is_treated.astype(float)[:, None]
    others = [np.ones_like(treated), rows.covariates]
    if rows.crossed:
        within_treated = treated * rows.covariates
        size = np.abs(rows.covariates).max(axis=0, initial=0.0)
        within_treated[:, np.abs(within_treated).max(axis=0, initial=0.0) <= _ROUNDING * size] = (
            0.0  # at its mean in all the treated
        )
        others.append(within_treated)
    codes = np.arange(len(rows.outcome)) if cluster is None else cluster
    return least_squares(rows.outcome, treated, np.hstack(others), rows.weight, codes.astype(np.intp))


def scores(fit: LeastSquaresFit) -> Floats:
    """Return what each row adds to the first coefficient's deviation, shape (n,)."""
    return np.asarray(fit.weight * fit.direction(0) * fit.residuals)


def hc1_error(fit: LeastSquaresFit) -> float:
    """Return √(n/(n − k) Σ s²), s the rows' scores (MacKinnon and White, 1985)."""
    return row_error(fit, 0, "HC1")


def hc3_error(fit: LeastSquaresFit) -> float:
    """Return √(Σ (s/(1 − h))²), h the leverages (MacKinnon and White, 1985)."""
    leverage = fit.weight * (fit.basis**2).sum(axis=1)
    if (leverage > FULL_LEVERAGE).any():
        raise DesignError(
            "The regression fits some unit exactly whatever its outcome (the only one of its kind), so that HC3 errors "
            "do not exist. Adjust for fewer covariates, or ask for HC1 errors."
        )
    return float(np.sqrt(((scores(fit) / (1 - leverage)) ** 2).sum()))


def clustered_error(fit: LeastSquaresFit, cluster: Ints) -> float:
    """Return √(G/(G − 1) · (n − 1)/(n − k) Σ_g (Σ s)²) for clusters with codes 0, 1, …"""
    return float(np.sqrt(_part(fit, cluster)))


def two_way_variance(fit: LeastSquaresFit, first: Ints, second: Ints) -> tuple[float, bool]:
    """Return the variance clustered two ways, and whether it had to be replaced by the larger of one way.

    V = V₁ + V₂ − V₁₂, V₁₂ clustered by the pairs of codes, each with its own factor as in `clustered_error`
    (Cameron, Gelbach and Miller, 2011). The sum can be zero or less in small samples.
    """
    both = np.unique(first * (int(second.max()) + 1) + second, return_inverse=True)[1]
    parts = _part(fit, first), _part(fit, second)
    variance = sum(parts) - _part(fit, both)
    if variance <= 1e-12 * max(parts):
        return max(parts), True
    return variance, False


def cr2_error(rows: ArmRows, cluster: Ints) -> tuple[float, float]:
    """Return the bias-reduced clustered error and its Satterthwaite degrees of freedom."""
    order = np.argsort(cluster, kind="stable")
    error = cluster_error(arm_fit(rows.taken(order), cluster[order]), 0, "CR2")
    return error.std_error, error.df


def _part(fit: LeastSquaresFit, cluster: Ints) -> float:
    n, k, sums = len(cluster), n_parameters(fit), np.bincount(cluster, scores(fit))
    if n <= k:
        raise DesignError(f"{n} rows and {k} coefficients leave nothing to estimate an error from. Give more rows.")
    return float(len(sums) / (len(sums) - 1) * (n - 1) / (n - k) * (sums**2).sum())
