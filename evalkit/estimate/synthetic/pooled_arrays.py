"""Weights of donors for several treated areas with starts of their own: found together, fitting each and their mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.errors import EvalkitError
from evalkit.estimate.synthetic.weights_arrays import gap_of, root_mean_square, rounding, simplex_fit

POOL_RIDGE = 1e-6
"""Weights are regularised by this share of the donors' variance, only to make them unique: for the mean of several
areas alone many would do (the kit's own convention)."""
_TOLERANCE = 1e-11
"""Most by which a gradient may lie on the wrong side, in units of the largest distance squared."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PooledFit:
    """Weights of donors for each treated area, and gaps by time since the start.

    Attributes
    ----------
    weights : shape (n_areas, n_donors)
    gaps : shape (n_areas, n_periods), by calendar period
    n_pre : periods before the start of each area, shape (n_areas,)
    nu : the share of the fit of the mean in what is minimised
    q_pooled, q_separate : root mean square of the mean gap, and of the areas' own, over the lags that all areas have
    q_alone : the least that `q_separate` can be: with ν = 0
    n_lags, n_leads : times before the start, and from it on, that all areas have
    """

    weights: Floats
    gaps: Floats
    n_pre: Ints
    nu: float
    q_pooled: float
    q_separate: float
    q_alone: float
    n_lags: int
    n_leads: int

    @property
    def gap(self) -> Floats:
        """Return the mean gap over areas at each time that all have, shape (n_lags + n_leads,)."""
        mean: Floats = at_event_times(self.gaps, self.n_pre, self.n_lags, self.n_leads).mean(axis=0)
        return mean

    @property
    def estimate(self) -> float:
        """Return the mean gap over the times from the start on that all areas have."""
        return float(self.gap[self.n_lags :].mean())

    @property
    def pre_rmse(self) -> float:
        """Return the root mean square of the mean gap before the start."""
        return root_mean_square(self.gap[: self.n_lags])

    @property
    def post_rmse(self) -> float:
        """Return the root mean square of the mean gap from the start on."""
        return root_mean_square(self.gap[self.n_lags :])


def at_event_times(values: Floats, n_pre: Ints, n_lags: int, n_leads: int) -> Floats:
    """Return rows of calendar periods by time since each row's own start, shape (n_rows, n_lags + n_leads)."""
    return np.array([row[at - n_lags : at + n_leads] for row, at in zip(values, n_pre, strict=True)])


def fit_pooled(
    treated: Floats, donors: Floats, n_pre: Ints, *, nu: float | None = None, is_centred: bool = False,
    ridge: float | None = None,
) -> PooledFit:  # fmt: skip
    """Return partially pooled weights (Ben-Michael, Feller and Rothstein, 2022).

    With d_j the gap of area j over the L periods before its own start that all areas have, w minimises
    ν‖Σ_j d_j / A‖²/L + (1 − ν) Σ_j ‖d_j‖²/(A L) + ridge Σ_j ‖w_j‖² over w_j ≥ 0, Σw_j = 1. Without `nu` it is
    ‖Σ_j d_j‖ / Σ_j ‖d_j‖ at ν = 0: how much less the mean is missed than the areas are. `is_centred` takes each series'
    own mean before that start off first, so that the shape alone is matched.

    Parameters
    ----------
    treated : shape (n_areas, n_periods); donors : shape (n_periods, n_donors); n_pre : shape (n_areas,)
    """
    n_lags, n_leads = int(n_pre.min()), int(treated.shape[1] - n_pre.max())
    own = [_centred(row, donors, at) if is_centred else (row, donors) for row, at in zip(treated, n_pre, strict=True)]
    least = rounding(treated, donors)
    hulls = np.array([_hull(row, others, at, n_lags, least) for (row, others), at in zip(own, n_pre, strict=True)])
    if ridge is None:
        ridge = POOL_RIDGE * float((donors[: n_pre.max()].std(axis=1, ddof=1) ** 2).mean())
    separate = _separate(hulls, ridge)
    alone = np.einsum("jtn,jn->jt", hulls, separate)
    if nu is None:
        nu = _ratio_of_fits(alone, least)
    weights = pooled_weights(hulls, nu, ridge, separate)
    missed = np.einsum("jtn,jn->jt", hulls, weights)
    gaps = np.array([gap_of(row, others, w) for (row, others), w in zip(own, weights, strict=True)])
    return PooledFit(
        weights=weights,
        gaps=gaps,
        n_pre=n_pre,
        nu=nu,
        q_pooled=root_mean_square(missed.mean(axis=0)),
        q_separate=root_mean_square(missed),
        q_alone=root_mean_square(alone),
        n_lags=n_lags,
        n_leads=n_leads,
    )


def _centred(treated: Floats, donors: Floats, n_pre: int) -> tuple[Floats, Floats]:
    return treated - treated[:n_pre].mean(), donors - donors[:n_pre].mean(axis=0)


def _hull(treated: Floats, donors: Floats, n_pre: int, n_lags: int, least: float) -> Floats:
    """Return donors less the treated series over the last periods before its start, shape (n_lags, n_donors)."""
    away: Floats = (donors - treated[:, None])[n_pre - n_lags : n_pre]
    return np.where(np.abs(away) <= least, 0.0, away)


def _separate(hulls: Floats, ridge: float) -> Floats:
    """Return each area's own best weights: the solution for ν = 0."""
    n_areas, n_lags, _ = hulls.shape
    return np.array([simplex_fit(hull, np.zeros(n_lags), ridge * n_areas * n_lags).weights for hull in hulls])


def _ratio_of_fits(missed: Floats, least: float) -> float:
    alone = float(np.sqrt((missed**2).sum(axis=1)).sum())
    return float(np.sqrt((missed.sum(axis=0) ** 2).sum())) / alone if alone > least else 0.0


def pooled_weights(hulls: Floats, nu: float, ridge: float, start: Floats) -> Floats:
    """Return the weights of the pooled problem, shape (n_areas, n_donors), by an active set from feasible ones.

    hulls : donors less the treated series, shape (n_areas, n_lags, n_donors)

    Each step solves for the free weights with every area's sum held at one, as far as none becomes negative, then frees
    the weight whose gradient says that it lowers the loss most. The conditions of the optimum are those it ends by.
    """
    n_areas, n_lags, n_donors = hulls.shape
    scale = float(np.abs(hulls).max(initial=0.0))
    if nu == 0.0 or scale == 0.0:
        return start
    hulls, ridge = hulls / scale, ridge / scale**2
    wide = hulls.transpose(1, 0, 2).reshape(n_lags, n_areas * n_donors)
    quadratic = nu / (n_lags * n_areas**2) * wide.T @ wide + ridge * np.eye(wide.shape[1])
    for at, hull in enumerate(hulls):
        block = slice(at * n_donors, (at + 1) * n_donors)
        quadratic[block, block] += (1 - nu) / (n_areas * n_lags) * hull.T @ hull
    area = np.repeat(np.arange(n_areas), n_donors)
    weights = _active_set(quadratic, area, start.ravel().copy())
    return weights.reshape(n_areas, n_donors)


def _active_set(quadratic: Floats, area: Ints, weights: Floats) -> Floats:
    """Return w ≥ 0 with each area's sum one that minimises w'Qw, Q positive definite."""
    free = weights > 0
    for _ in range(30 * len(weights) + 100):
        at = np.flatnonzero(free)
        better = _with_sums(quadratic, area, at)
        if better.min() > 0:
            weights = np.zeros_like(weights)
            weights[at] = better
            slack = _slack(quadratic, area, weights)
            if slack.min() >= -_TOLERANCE:
                return weights
            free[int(np.argmin(np.where(free, 0.0, slack)))] = True
            continue
        falls = at[better <= 0]
        reach = weights[falls] / (weights[falls] - better[better <= 0])
        step = float(reach.min())
        weights[at] += step * (better - weights[at])
        weights[falls[reach <= step]] = 0.0
        free = weights > 0
    raise EvalkitError("The pooled weights of the donors could not be found: the active set did not settle.")


def _with_sums(quadratic: Floats, area: Ints, at: Ints) -> Floats:
    """Return the free weights that minimise the loss with every area's sum at one, whatever their signs."""
    sums = (area[at][:, None] == np.unique(area)[None, :]).astype(float)
    n, k = sums.shape
    system = np.zeros((n + k, n + k))
    system[:n, :n], system[:n, n:], system[n:, :n] = quadratic[np.ix_(at, at)], sums, sums.T
    found: Floats = np.linalg.solve(system, np.append(np.zeros(n), np.ones(k)))[:n]
    return found


def _slack(quadratic: Floats, area: Ints, weights: Floats) -> Floats:
    """Return by how much each weight's gradient exceeds its area's mean one: at the optimum none is negative."""
    gradient = quadratic @ weights
    mean = np.bincount(area, weights=gradient * weights)
    slack: Floats = gradient - mean[area]
    return slack
