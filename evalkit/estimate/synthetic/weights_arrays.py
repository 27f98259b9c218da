"""What one treated series would have been, from the series of donors; and every donor as if it were treated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from math import comb

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import SERIAL, Executor, in_pieces
from evalkit.core.errors import EvalkitError

# What one treated series would have been, from the series of donors: three ways to weight them.

TIME_RIDGE = 1e-6
"""Time weights are regularised by this share of the noise, only to make them unique (Arkhangelsky et al., 2021)."""
OUTCOME_ROUNDING = 1e-14
"""A difference of outcomes below this share of the largest one is a rounding error: none is fitted, and none ranks."""


def rounding(*values: Floats) -> float:
    """Return the size up to which a difference between some outcomes is a rounding error."""
    return OUTCOME_ROUNDING * max(float(np.abs(one).max(initial=0.0)) for one in values)


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


def fit_with_features(treated: Floats, donors: Floats, n_pre: int, n_features: int) -> AreaFit:
    """Return the synthetic control's fit to features as well, whose rows come before those of the periods.

    treated : shape (n_features + n_periods,); donors : (n_features + n_periods, n_donors). The gap is of periods alone.
    """
    found = simplex_fit(donors[: n_features + n_pre], treated[: n_features + n_pre], least=rounding(treated, donors))
    gap = gap_of(treated[n_features:], donors[n_features:], found.weights)
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
    # Time weights: donors are now the rows, periods before the start the columns, the mean after it the target.
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


# Least squares over weights that are not negative and sum to one, solved exactly.


ACCURACY = 1e-8
"""Most by which the conditions of the optimum may be missed, in units of the largest distance squared."""
_TIED = 1e-10
_NEWTON_STEPS = 100


@dataclass(frozen=True, slots=True, eq=False)
class SimplexFit:
    """The best weights, shape (n,), and whether others would have fitted as well."""

    weights: Floats
    is_unique: bool


def simplex_fit(columns: Floats, target: Floats, ridge: float = 0.0, least: float = 0.0) -> SimplexFit:
    """Return w ≥ 0, Σw = 1, that minimises ‖target − columns·w‖² + ridge·‖w‖².

    As Σw = 1, the target can be taken off every column: what is sought is the point of a convex hull that is nearest to
    the origin (Wolfe, 1976). The non-negative least squares of (hull; ones) on (0; 1), by Lawson and Hanson's (1974)
    active set, has that point's direction as its solution. The free weights are then solved for once more, and the
    Karush–Kuhn–Tucker conditions checked. Where several sets of weights fit equally well, those of the smallest sum of
    squares are taken, so that the answer depends on no order.

    Parameters
    ----------
    columns : shape (m, n); target : shape (m,); ridge : from 0 on
    least : differences from the target up to this size are rounding errors, and count as none

    Raises
    ------
    EvalkitError
        If the conditions of the optimum are missed by more than `ACCURACY`.
    """
    hull = columns - target[:, None]
    hull[np.abs(hull) <= least] = 0.0
    n = hull.shape[1]
    scale = float(np.abs(hull).max(initial=0.0))
    if scale == 0.0:
        return SimplexFit(np.full(n, 1 / n), n == 1 or ridge > 0)
    hull = hull / scale
    if ridge > 0:
        hull = np.vstack([hull, np.sqrt(ridge) / scale * np.eye(n)])
    weights = _resolved(hull, _active_set(hull))
    _require_optimal(hull, weights)
    if ridge > 0:
        return SimplexFit(weights, True)
    return _of_least_squares(hull, weights)


def slackness(hull: Floats, weights: Floats) -> tuple[Floats, float]:
    """Return by how much each weight's gradient exceeds the mean one, and the squared length of the point reached.

    At the optimum none is negative and each is zero where its weight is not.
    """
    point = hull @ weights
    length = float(point @ point)
    return hull.T @ point - length, length


def _active_set(hull: Floats) -> Floats:
    from scipy.optimize import nnls

    m, n = hull.shape
    system = np.vstack([hull, np.ones(n)])
    try:
        found = nnls(system, np.append(np.zeros(m), 1.0), maxiter=30 * n + 100)[0]
    except RuntimeError:
        raise EvalkitError("The weights of the donors could not be found: the active set did not settle.") from None
    weights: Floats = found / found.sum()
    return weights


def _resolved(hull: Floats, weights: Floats) -> Floats:
    """Return the weights with those that are free solved for once more, where that keeps them positive."""
    free = np.flatnonzero(weights > 0)
    first, rest = hull[:, free[0]], free[1:]
    away = np.linalg.lstsq(hull[:, rest] - first[:, None], -first, rcond=None)[0]
    better = np.zeros_like(weights)
    # Σw = 1 is built in: the first free weight is what the others leave.
    better[rest], better[free[0]] = away, 1 - away.sum()
    if better.min() < 0 or np.linalg.norm(hull @ better) > np.linalg.norm(hull @ weights):
        return weights
    return better


def _require_optimal(hull: Floats, weights: Floats) -> None:
    slack, _ = slackness(hull, weights)
    missed = max(-float(slack.min()), float(np.abs(slack * weights).max()))
    if missed > ACCURACY * max(len(hull), 1):
        raise EvalkitError(f"The weights of the donors miss the conditions of the optimum by {missed:.1e}.")


def _of_least_squares(hull: Floats, weights: Floats) -> SimplexFit:
    """Return, of all weights that reach the same point, those of the smallest sum of squares."""
    slack, _ = slackness(hull, weights)
    tied = np.flatnonzero((slack <= _TIED * len(hull)) | (weights > 0))
    system = np.vstack([hull[:, tied], np.ones(len(tied))])
    _, singular, basis = np.linalg.svd(system, full_matrices=False)
    rank = int((singular > 1e-10 * singular[0]).sum())
    if rank == len(tied):
        return SimplexFit(weights, True)
    spread = np.zeros_like(weights)
    found = _least_norm(basis[:rank], weights[tied])
    if found is None:
        return SimplexFit(weights, False)
    spread[tied] = found
    return SimplexFit(spread / spread.sum(), False)


def _least_norm(basis: Floats, weights: Floats) -> Floats | None:
    """Return v ≥ 0 of least norm with basis·v = basis·weights, by Newton's method on the dual; None where it stalls.

    The solution is the positive part of basisᵀλ (Mangasarian, 1984), with λ the minimum of a convex function that is
    piecewise quadratic.
    """
    target = basis @ weights
    multiplier = target.copy()
    for _ in range(_NEWTON_STEPS):
        shadow = basis.T @ multiplier
        gradient = basis @ np.maximum(shadow, 0) - target
        if np.abs(gradient).max() < 1e-13:
            return np.maximum(shadow, 0)
        active = basis[:, shadow > 0]
        curvature = active @ active.T + 1e-12 * np.eye(len(basis))
        step = np.asarray(np.linalg.solve(curvature, -gradient), dtype=np.float64)
        multiplier = multiplier + _length(basis, target, multiplier, step) * step
    miss = np.abs(basis @ np.maximum(basis.T @ multiplier, 0) - target).max()
    return np.maximum(basis.T @ multiplier, 0) if miss < 1e-10 else None


def _length(basis: Floats, target: Floats, at: Floats, step: Floats) -> float:
    """Return how far to go: halved until the dual function falls enough (Armijo)."""

    def dual(multiplier: Floats) -> float:
        return float(0.5 * (np.maximum(basis.T @ multiplier, 0) ** 2).sum() - multiplier @ target)

    start = dual(at)
    slope = float((basis @ np.maximum(basis.T @ at, 0) - target) @ step)
    length = 1.0
    while length > 1e-8 and dual(at + length * step) > start + 1e-4 * length * slope + 1e-16:
        length /= 2
    return length


# Weights of a synthetic control moved by ridge regression, and how strongly.


RIDGE_STEPS = 25
"""Penalties tried: from ten times the largest eigenvalue of XX' down to a millionth of it, in equal ratios, and ∞."""


def ridge_adjusted(treated: Floats, donors: Floats, weights: Floats, ridge: float) -> Floats:
    """Return w + X'(XX' + ρI)⁻¹ (x − Xw), with each period's mean over donors taken off; w itself where ρ is infinite.

    treated : shape (n_pre,); donors : shape (n_pre, n_donors); weights : shape (n_donors,)
    """
    moved: Floats = _adjusted(treated, donors, weights, np.array([ridge]))[0]
    return moved


def _adjusted(treated: Floats, donors: Floats, weights: Floats, ridges: Floats) -> Floats:
    """Return the weights for several penalties, shape (n_ridges, n_donors)."""
    # The treated series off first, so that nothing of the level of the outcome is left in the rounding: weights must
    # sum to one to as many digits as the outcome has.
    away = donors - treated[:, None]
    centred = away - away.mean(axis=1, keepdims=True)
    left, singular, right = np.linalg.svd(centred, full_matrices=False)
    is_nonzero = singular > 1e-12 * max(float(singular[0]), np.finfo(float).tiny)
    miss = left.T @ (-away @ weights)
    factor = np.zeros((len(ridges), len(singular)))
    factor[:, is_nonzero] = singular[is_nonzero] / (singular[is_nonzero] ** 2 + ridges[:, None])
    adjusted: Floats = weights + (factor * miss) @ right
    return adjusted


def chosen_ridge(treated: Floats, donors: Floats) -> float:
    """Return the largest penalty whose error, each period left out in turn, is within one standard error of the least.

    Infinity, which is the synthetic control itself, is among them. The error of a penalty is the mean over periods
    before the start of (Y_1t − Σ_j w_j Y_jt)², w fitted without period t (Ben-Michael, Feller
    and Rothstein, 2021, section 5.3).
    """
    ridges = _grid(donors - treated[:, None])
    errors = np.array([_errors_without(at, treated, donors, ridges) for at in range(len(treated))])
    mean = errors.mean(axis=0)
    best = int(np.argmin(mean))
    reach = errors[:, best].std(ddof=1) / np.sqrt(len(errors)) if len(errors) > 1 else 0.0
    return float(ridges[np.flatnonzero(mean <= mean[best] + reach)[0]])


def _grid(donors: Floats) -> Floats:
    largest = float(np.linalg.norm(donors - donors.mean(axis=1, keepdims=True), 2)) ** 2
    return np.append(np.inf, 10 * largest * np.logspace(0, -7, RIDGE_STEPS)) if largest > 0 else np.array([np.inf])


def _errors_without(at: int, treated: Floats, donors: Floats, ridges: Floats) -> Floats:
    """Return the squared error in one period for each penalty, that period left out of the fit."""
    is_other = np.arange(len(treated)) != at
    weights = simplex_fit(donors[is_other], treated[is_other]).weights
    moved = _adjusted(treated[is_other], donors[is_other], weights, ridges)
    errors: Floats = (moved @ (donors[at] - treated[at])) ** 2
    return errors


# Every donor, or set of donors, as if it were treated: how unusual the treated areas' gap is.

FLOOR_SHARE = 0.1
"""Least error before the start that counts in a ratio, as a share of the standard deviation of changes: an area that
donors follow more closely than this is followed through its noise, and by chance."""
CHUNK = 10
"""Sets in a chunk, whoever fits them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placebos:
    """Fits of sets of donors, shape (n_sets,) each, and the sets, shape (n_sets, n_treated)."""

    sets: Ints
    fits: tuple[AreaFit, ...]
    is_complete: bool


def placebo_sets(n_donors: int, size: int, most: int, random: np.random.Generator) -> tuple[Ints, bool]:
    """Return every set of donors of a size where they are at most `most`, else as many drawn; and whether it is all."""
    if comb(n_donors, size) <= most:
        return np.array(list(combinations(range(n_donors), size)), dtype=np.int64), True
    draws = [np.sort(random.choice(n_donors, size, replace=False)) for _ in range(most)]
    return np.array(draws, dtype=np.int64), False


def placebo_fits(
    donors: Floats, n_pre: int, sets: Ints, fit: FitAreas, executor: Executor = SERIAL
) -> tuple[AreaFit, ...]:
    """Return the fit of each set's mean to the other donors; the areas truly treated are donors of none.

    donors : shape (n_periods, n_donors); sets : shape (n_sets, size)
    """
    return tuple(in_pieces(executor, partial(_fits, donors, n_pre, fit), sets, CHUNK))


def _fits(donors: Floats, n_pre: int, fit: FitAreas, sets: Ints) -> list[AreaFit]:
    return [fit(donors[:, chosen].mean(axis=1), np.delete(donors, chosen, axis=1), n_pre) for chosen in sets]


def error_floor(series: Floats) -> float:
    """Return the least error that counts before the start; series : shape (n_periods before the start, n_areas)."""
    least = 1e-12 * float(np.abs(series).max(initial=0.0))
    return max(FLOOR_SHARE * noise_level(series), least, np.finfo(float).tiny)


def rank_p(treated: float, others: Floats) -> float:
    """Return the share of all, the treated one among them, whose statistic is at least as large."""
    return float((1 + (others >= treated * (1 - 1e-10)).sum()) / (1 + len(others)))
