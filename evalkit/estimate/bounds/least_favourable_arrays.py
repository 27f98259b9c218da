"""Kernel of least-favourable critical values: the quantile of the largest of K correlated normals with mean 0.

P(max X_k > c) = Σ_k p_k E[1/N | X_k > c], with p_k = P(X_k > c) and N the number of X that exceed c (Adler, Blanchet
and Liu, 2012). Draws stand for the means of 1/N alone, which lie between 1/K and 1, so that a few thousand give the
quantile as finely as millions of draws of the maximum would.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.scipy_parts import special

N_DRAWS: Final = 1_000
_MOST_NUMBERS: Final = 4_000_000
_ROUNDS: Final = 7


class NormalDraws(NamedTuple):
    """Draws that every system shares: `normal`, shape (n, D), and `uniform`, shape (D,)."""

    normal: Floats
    uniform: Floats

    @classmethod
    def of(cls, n: int, random: np.random.Generator) -> NormalDraws:
        """Return draws for systems over n coefficients."""
        return cls(random.standard_normal((n, N_DRAWS)), 1.0 - random.random(N_DRAWS))


def least_favourable(rows: Floats, covariance: Floats, draws: NormalDraws, share: float) -> Floats:
    """Return the 1 − `share` quantile of the largest line of each system, shape (C,), where every one has mean 0.

    Parameters
    ----------
    rows : shape (C, K, n), of lines over n coefficients
    covariance : shape (n, n), of the coefficients
    draws : of n normals
    share : that exceeds the quantile, below one half
    """
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    size = max(int(_MOST_NUMBERS / (rows.shape[1] * draws.uniform.size)), 1)
    found = [_quantiles(rows[at : at + size] @ root, draws, share) for at in range(0, len(rows), size)]
    return np.concatenate(found) if found else np.zeros(0)


class _Conditioned(NamedTuple):
    """Each draw of each system given that its line k exceeds c: line j is `rest` + `slope` × the value of line k.

    rest, slope : shape (C, K, D); scale, shape (C, D), the standard error of line k; weight, one over D times the
    share of draws that are of line k
    """

    rest: Floats
    slope: Floats
    scale: Floats
    weight: Floats
    uniform: Floats

    def exceeding(self, critical: Floats) -> Floats:
        """Return P(max > c) of each system at its own c, shape (C,)."""
        tail = special.ndtr(-critical[:, None] / self.scale)
        value = -self.scale * special.ndtri(self.uniform * tail)
        n_above = (self.rest + self.slope * value[:, None, :] > critical[:, None, None]).sum(axis=1)
        return np.asarray((self.weight * tail / np.maximum(n_above, 1)).sum(axis=1))


def _quantiles(rows: Floats, draws: NormalDraws, share: float) -> Floats:
    deviation = np.sqrt((rows**2).sum(axis=2))
    largest = deviation.max(axis=1)
    low, high = largest * -special.ndtri(share), largest * -special.ndtri(share / rows.shape[1])
    given = _conditioned(rows, deviation, draws, high)
    ends = [np.log(np.maximum(given.exceeding(one), 1e-300) / share) for one in (low, high)]
    for _ in range(_ROUNDS):
        width = ends[0] - ends[1]
        step = np.where(width > 0, ends[0] / np.where(width > 0, width, 1.0), 0.5)
        middle = low + np.clip(step, 0.02, 0.98) * (high - low)
        found = np.log(np.maximum(given.exceeding(middle), 1e-300) / share)
        is_low = found > 0
        low, high = np.where(is_low, middle, low), np.where(is_low, high, middle)
        ends = [np.where(is_low, found, ends[0]), np.where(is_low, ends[1], found)]
    return np.asarray((low + high) / 2)


def _conditioned(rows: Floats, deviation: Floats, draws: NormalDraws, loose: Floats) -> _Conditioned:
    """Return draws given one line each, as many of a line as its share of Bonferroni's bound at `loose`."""
    n_systems, n_draws = len(rows), draws.uniform.size
    at = np.arange(n_systems)[:, None]
    safe = np.where(deviation > 0, deviation, 1.0)
    tails = np.where(deviation > 0, special.ndtr(-loose[:, None] / safe), 0.0)
    shares = tails / tails.sum(axis=1, keepdims=True)
    place = (np.arange(n_draws) + 0.5) / n_draws
    line: NDArray[np.intp] = np.array([np.searchsorted(np.cumsum(one), place * (1 - 1e-12)) for one in shares])
    line = np.minimum(line, rows.shape[1] - 1)
    counts = np.array([np.bincount(one, minlength=rows.shape[1]) for one in line])
    slope = np.einsum("ckn,cdn->ckd", rows, rows[at, line]) / (safe[at, line] ** 2)[:, None, :]
    value = rows @ draws.normal
    rest = value - slope * np.take_along_axis(value, line[:, None, :], axis=1)
    return _Conditioned(rest, slope, safe[at, line], 1.0 / counts[at, line], draws.uniform)
