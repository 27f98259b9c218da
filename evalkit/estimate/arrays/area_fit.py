"""What one treated series would have been, from the series of donors: three ways to weight them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evalkit.estimate.arrays.ridge_weights import chosen_ridge, ridge_adjusted
from evalkit.estimate.arrays.simplex import simplex_fit

Floats = NDArray[np.float64]

TIME_RIDGE = 1e-6
"""Time weights are regularised by this share of the noise, only to make them unique (Arkhangelsky et al., 2021)."""
ROUNDING = 1e-14
"""A difference of outcomes below this share of the largest one is a rounding error: none is fitted, and none ranks."""


def rounding(*values: Floats) -> float:
    """Return the size up to which a difference between some outcomes is a rounding error."""
    return ROUNDING * max(float(np.abs(one).max(initial=0.0)) for one in values)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AreaFit:
    """Weights of donors, shape (n_donors,), and the gap in every period, shape (n_periods,).

    `n_pre` periods lie before the start. `is_centred` says that only the shape before the start is matched, so that
    the gap's level there says nothing. `tuning` holds numbers that the method chose by itself.
    """

    weights: Floats
    gap: Floats
    n_pre: int
    is_unique: bool = True
    is_centred: bool = False
    time_weights: Floats | None = None
    tuning: dict[str, float] = field(default_factory=dict)

    @property
    def estimate(self) -> float:
        """Return the mean gap from the start on."""
        return float(self.gap[self.n_pre :].mean())

    @property
    def pre_rmse(self) -> float:
        """Return the root mean square of the gap before the start, around its mean where only the shape is matched."""
        before = self.gap[: self.n_pre]
        return root_mean_square(before - before.mean() if self.is_centred else before)

    @property
    def post_rmse(self) -> float:
        """Return the root mean square of the gap from the start on."""
        return root_mean_square(self.gap[self.n_pre :])


def root_mean_square(values: Floats) -> float:
    """Return √(mean of squares), without loss where numbers are very small or large."""
    most = float(np.abs(values).max(initial=0.0))
    return most * float(np.sqrt(np.mean((values / most) ** 2))) if most > 0 else 0.0


FitAreas = Callable[[Floats, Floats, int], AreaFit]
"""From a treated series, shape (n_periods,), and donors, (n_periods, n_donors), to a fit on `n_pre` periods."""


def fit_synthetic_control(treated: Floats, donors: Floats, n_pre: int) -> AreaFit:
    """Return the fit by weights that follow every outcome before the start (Abadie, Diamond and Hainmueller, 2010).

    w minimises Σ_{t ≤ n_pre} (Y_1t − Σ_j w_j Y_jt)² over w ≥ 0, Σw = 1.
    """
    found = simplex_fit(donors[:n_pre], treated[:n_pre], least=rounding(treated, donors))
    gap = gap_of(treated, donors, found.weights)
    return AreaFit(weights=found.weights, gap=gap, n_pre=n_pre, is_unique=found.is_unique)


def gap_of(treated: Floats, donors: Floats, weights: Floats) -> Floats:
    """Return treated − donors·w as Σ w_j (treated − donor_j), equal as Σw = 1.

    Differences are taken first: of an outcome of a million that differs by ones, the sum of products would keep but six
    digits fewer, and of one that is constant it would leave a rounding error where the gap is zero.
    """
    gap: Floats = (treated[:, None] - donors) @ weights
    return gap


def fit_augmented(treated: Floats, donors: Floats, n_pre: int, ridge: float | None = None) -> AreaFit:
    """Return the ridge-augmented fit (Ben-Michael, Feller and Rothstein, 2021).

    The weights of the synthetic control are moved towards a better fit, w + X'(XX' + ρI)⁻¹ (x − Xw), with X the
    donors' outcomes before the start, less their mean in each period, and x the treated ones'. They still sum to one
    and may be negative. ρ is `ridge`, or is chosen by leaving out one period before the start at a time.
    """
    start = simplex_fit(donors[:n_pre], treated[:n_pre], least=rounding(treated, donors))
    if ridge is None:
        ridge = chosen_ridge(treated[:n_pre], donors[:n_pre])
    weights = ridge_adjusted(treated[:n_pre], donors[:n_pre], start.weights, ridge)
    gap = gap_of(treated, donors, weights)
    tuning = {"ridge": ridge} if np.isfinite(ridge) else {}
    return AreaFit(weights=weights, gap=gap, n_pre=n_pre, is_unique=start.is_unique, tuning=tuning)


def noise_level(donors: Floats) -> float:
    """Return the standard deviation of donors' changes from one period to the next, 0 where there is none."""
    changes = np.diff(donors, axis=0)
    return float(changes.std(ddof=1)) if changes.size > 1 else 0.0


def fit_synthetic_did(treated: Floats, donors: Floats, n_pre: int, n_treated: int = 1) -> AreaFit:
    """Return the fit of synthetic difference-in-differences (Arkhangelsky et al., 2021, algorithm 1).

    Unit weights minimise Σ_t (ω_0 + Σ_j ω_j Y_jt − Y_1t)² + ζ² n_pre ‖ω‖², ζ = (n_treated n_post)^¼ σ, with σ the
    standard deviation of the donors' changes before the start. Time weights do the same over donors for the mean
    outcome from the start on, with ζ = 10⁻⁶ σ. The gap is measured from its time-weighted mean before the start.
    """
    least = rounding(treated, donors)
    treated, donors = treated - treated[0], donors - treated[0]  # the level is in nothing but the rounding
    before, after = donors[:n_pre], donors[n_pre:]
    sigma = noise_level(before)
    sigma = sigma if sigma > least else 0.0
    zeta = (n_treated * len(after)) ** 0.25 * sigma
    weights = _unit_weights(treated[:n_pre], before, zeta, least)
    mean_after = after.mean(axis=0)
    time_weights = simplex_fit(
        (before - before.mean(axis=1, keepdims=True)).T,
        mean_after - mean_after.mean(),
        (TIME_RIDGE * sigma) ** 2 * donors.shape[1],
        least,
    ).weights
    gap = gap_of(treated, donors, weights)
    return AreaFit(
        weights=weights,
        gap=gap - time_weights @ gap[:n_pre],
        n_pre=n_pre,
        is_centred=True,
        time_weights=time_weights,
        tuning={"zeta": zeta, "noise": sigma},
    )


def fit_centred(treated: Floats, donors: Floats, zeta: float) -> Floats:
    """Return the gap around its mean, by the unit weights of synthetic DiD fitted to all periods given."""
    gap = gap_of(treated, donors, _unit_weights(treated, donors, zeta, rounding(treated, donors)))
    centred: Floats = gap - gap.mean()
    return centred


def _unit_weights(treated: Floats, donors: Floats, zeta: float, least: float) -> Floats:
    """Return the regularised weights that follow the shape of a series; the intercept takes out its level."""
    away = donors - treated[:, None]
    return simplex_fit(away - away.mean(axis=0), np.zeros(len(treated)), zeta**2 * len(treated), least).weights
