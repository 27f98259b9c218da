"""Kernel of fixed-length intervals where the slope of violations changes by at most M from period to period.

a'β with a = (v, l) estimates θ = l'τ. Linear violations leave it without bias if Σ_t t a_t = 0; then its largest bias
is M Σ_j |u_j|, u_j = Σ_t a_t (distance of t beyond the bend at j), and the shortest interval that holds is
a'β ± σ c(bias/σ), c the 1 − α quantile of |N(bias/σ, 1)| (Donoho, 1994; Rambachan and Roth, 2023). v enters through the
p − 1 bends before the start alone, so that the least variance at each bias is a path of the lasso, found exactly.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.scipy_parts import special

_SPLITS: Final = 65
_NARROW: Final = 1e-9


class Path(NamedTuple):
    """The least variances that biases of any size allow, as knots between which `bends` is linear.

    bends : shape (n_knots, p − 1), u of the bends before the start
    given : Σ |u_j| over the bends from the reference on, which l alone decides
    base, turn : a = base + turn u; shape (p + q,) and (p + q, p − 1)
    """

    bends: Floats
    given: float
    base: Floats
    turn: Floats


def fixed_length(path: Path, beta: Floats, covariance: Floats, values: Floats, level: float) -> tuple[Floats, Floats]:
    """Return centre and half-length of the shortest interval for each M of `values`, shape (C,) each."""
    found = [_shortest(path, covariance, value, level) for value in values]
    return np.array([weights @ beta for weights, _ in found]), np.array([half for _, half in found])


def folded_quantile(bias: Floats, level: float) -> Floats:
    """Return the `level` quantile of |N(bias, 1)|, for biases from 0 on; any shape.

    Newton's method from below, where the distribution function is concave: it rises to the root and never passes it.

    >>> folded_quantile(np.array([0.0, 5.0]), 0.95).round(6).tolist()
    [1.959964, 6.644854]
    """
    found = bias + special.ndtri(level)
    for _ in range(60):
        density = np.exp(-((found - bias) ** 2) / 2) + np.exp(-((found + bias) ** 2) / 2)
        short = level - special.ndtr(found - bias) + special.ndtr(-found - bias)
        step = short * np.sqrt(2 * np.pi) / density
        found = found + step
        if np.abs(step).max(initial=0.0) < 1e-14:
            break
    return np.asarray(found)


def bias_path(covariance: Floats, p: int, weights: Floats) -> Path:
    """Return the path of least variances for p coefficients before the start and weights l, shape (q,), after it."""
    q = len(weights)
    after = np.arange(1, q + 1)
    given = float(np.abs(np.maximum(after - np.arange(q)[:, None], 0) @ weights).sum())
    times = np.arange(-p, 0)
    bends = np.maximum(np.arange(1 - p, 0)[:, None] - times, 0)  # (p − 1, p): how far t lies beyond the bend j
    inverse = np.linalg.inv(np.vstack([bends, times]).astype(float))
    base = np.concatenate([inverse[:, -1] * -(after @ weights), weights])
    turn = np.vstack([inverse[:, :-1], np.zeros((q, p - 1))])
    return Path(_lasso(turn.T @ covariance @ turn, turn.T @ covariance @ base), given, base, turn)


def _lasso(square: Floats, linear: Floats) -> Floats:
    """Return the knots of the u that minimise u'Qu/2 + b'u + λ Σ|u_j| as λ falls from where u = 0 to 0.

    Between knots the gradient of every u_j that is not 0 has size λ; at each, one joins them or reaches 0 (Osborne,
    Presnell and Turlach, 2000).
    """
    n = len(linear)
    u, knots = np.zeros(n), [np.zeros(n)]
    if n == 0:
        return np.zeros((1, 0))
    penalty = float(np.abs(linear).max())
    active = [int(np.abs(linear).argmax())] if penalty > 0 else []
    signs = {j: -float(np.sign(linear[j])) for j in active}
    while active and penalty > 0:
        move = np.zeros(n)
        move[active] = np.linalg.solve(square[np.ix_(active, active)], [signs[j] for j in active])
        fall, event = _next_knot(u, move, square @ u + linear, square @ move, (penalty, active))
        u = u + fall * move
        penalty -= fall
        if event in active:
            u[event] = 0.0
            active.remove(event)
        elif event >= 0:
            active.append(event)
            signs[event] = -float(np.sign((square @ u + linear)[event]))
        knots.append(u.copy())
        if event < 0:
            break
    return np.array(knots)


def _next_knot(
    u: Floats, move: Floats, gradient: Floats, change: Floats, state: tuple[float, list[int]]
) -> tuple[float, int]:
    """Return how far λ falls to the next knot and which u_j it is of; −1 where λ reaches 0 before."""
    penalty, active = state
    best, event = penalty, -1
    tiny = 1e-12 * penalty
    for j in range(len(u)):
        if j in active:
            falls = [-u[j] / move[j]] if move[j] * u[j] < 0 else []
        else:  # |gradient + fall · change| meets λ − fall
            ends = ((penalty - gradient[j], 1 + change[j]), (penalty + gradient[j], 1 - change[j]))
            falls = [gap / rate for gap, rate in ends if rate > 1e-14]
        for fall in falls:
            if tiny < fall < best:
                best, event = fall, j
    return best, event


def _shortest(path: Path, covariance: Floats, value: float, level: float) -> tuple[Floats, float]:
    """Return the weights, shape (p + q,), and half-length of the shortest interval, by narrowing a grid along the path.

    The half-length has one minimum along it: it is convex in the largest bias, which only rises along the path.
    """
    last = float(len(path.bends) - 1)
    low, high = (last, last) if value == 0 else (0.0, last)
    while True:
        at = np.linspace(low, high, _SPLITS)
        bends = _on_path(path, at)
        weights = path.base + bends @ path.turn.T
        error = np.sqrt(np.einsum("cn,nm,cm->c", weights, covariance, weights))
        bias = value * (np.abs(bends).sum(axis=1) + path.given)
        half = error * folded_quantile(bias / error, level)
        k = int(half.argmin())
        if high - low < _NARROW:
            return weights[k], float(half[k])
        low, high = float(at[max(k - 1, 0)]), float(at[min(k + 1, _SPLITS - 1)])


def _on_path(path: Path, at: Floats) -> Floats:
    """Return u at places counted in knots, shape (n, p − 1)."""
    left = np.minimum(at.astype(np.intp), max(len(path.bends) - 2, 0))
    right = np.minimum(left + 1, len(path.bends) - 1)
    share = (at - left)[:, None]
    found: Floats = path.bends[left] * (1 - share) + path.bends[right] * share
    return found
