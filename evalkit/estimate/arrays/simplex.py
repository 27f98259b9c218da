"""Least squares over weights that are not negative and sum to one, solved exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from evalkit.core.errors import EvalkitError

Floats = NDArray[np.float64]

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
    wanted = basis @ weights
    multiplier = wanted.copy()
    for _ in range(_NEWTON_STEPS):
        shadow = basis.T @ multiplier
        gradient = basis @ np.maximum(shadow, 0) - wanted
        if np.abs(gradient).max() < 1e-13:
            return np.maximum(shadow, 0)
        active = basis[:, shadow > 0]
        curvature = active @ active.T + 1e-12 * np.eye(len(basis))
        step = np.asarray(np.linalg.solve(curvature, -gradient), dtype=np.float64)
        multiplier = multiplier + _length(basis, wanted, multiplier, step) * step
    miss = np.abs(basis @ np.maximum(basis.T @ multiplier, 0) - wanted).max()
    return np.maximum(basis.T @ multiplier, 0) if miss < 1e-10 else None


def _length(basis: Floats, wanted: Floats, at: Floats, step: Floats) -> float:
    """Return how far to go: halved until the dual function falls enough (Armijo)."""

    def dual(multiplier: Floats) -> float:
        return float(0.5 * (np.maximum(basis.T @ multiplier, 0) ** 2).sum() - multiplier @ wanted)

    here = dual(at)
    slope = float((basis @ np.maximum(basis.T @ at, 0) - wanted) @ step)
    length = 1.0
    while length > 1e-8 and dual(at + length * step) > here + 1e-4 * length * slope + 1e-16:
        length /= 2
    return length
