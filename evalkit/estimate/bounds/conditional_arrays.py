"""Kernel of the conditional and hybrid tests of Andrews, Roth and Pakes (2023) for effects under A δ ≤ d.

With β ~ N(δ + τ, Σ) and θ = l'τ tested, θ is possible if some τ with l'τ = θ has A (β − τ) ≤ d up to noise. The free
rest of τ is eliminated once: the vertices γ of {γ ≥ 0, γ'A N = 0, γ'σ = 1}, N a basis of l'x = 0 and σ the standard
errors of A β, do not depend on the data. The statistic η = max_γ γ'(A (β − τ) − d) is then the largest of K lines in θ,
and what its distribution is conditioned on has a closed form, so that a whole grid of θ is tested at once.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.scipy_parts import special
from evalkit.estimate.bounds.rays_arrays import extreme_rays
from evalkit.estimate.bounds.restrictions_arrays import Systems

_NOTHING: Final = 1e-7
"""A vertex whose standard error is below this, where σ weighs to 1, rests on rows that cancel."""
_PARALLEL: Final = 1e-9
_GRID: Final = 201
_REFINED: Final = 41
_ROUNDS: Final = 4


class Moments(NamedTuple):
    """C systems as lines in θ, K each: line k is rows_k'β − limits_k − θ slopes_k, with covariance over the K lines.

    rows : shape (C, K, p + q); limits, slopes : shape (C, K); covariance : shape (C, K, K)
    """

    rows: Floats
    limits: Floats
    slopes: Floats
    covariance: Floats

    def taken(self, which: NDArray[Any]) -> Moments:
        """Return some of the systems."""
        return Moments(*(part[which] for part in self))


def moments_of(systems: Systems, covariance: Floats, weights: Floats) -> Moments:
    """Return systems as lines in θ = l'τ, all of the same number K.

    Parameters
    ----------
    systems : C systems over p + q coefficients, whose rows are alike in the q after the start
    covariance : shape (p + q, p + q), Σ, not singular
    weights : shape (q,), l
    """
    q = len(weights)
    rays = extreme_rays(systems.rows[0, :, -q:] @ _free(weights))
    error = np.sqrt(np.einsum("crn,nm,crm->cr", systems.rows, covariance, systems.rows))
    scaled = rays / np.einsum("kr,cr->ck", rays, error)[:, :, None]
    rows = scaled @ systems.rows
    limits = np.einsum("ckr,cr->ck", scaled, systems.limits)
    between = np.einsum("ckn,nm,cjm->ckj", rows, covariance, rows)
    slopes = rows[:, :, -q:] @ weights / (weights @ weights)
    cancels = np.sqrt(np.diagonal(between, axis1=1, axis2=2)) < _NOTHING
    rows = np.where(cancels[:, :, None], 0.0, rows)
    between = np.where(cancels[:, :, None] | cancels[:, None, :], 0.0, between)
    return Moments(rows, limits, np.where(cancels, 0.0, slopes), between)


def _free(weights: Floats) -> Floats:
    """Return a basis of the effects that θ leaves free, {x : l'x = 0}, as columns, shape (q, q − 1).

    Last times come first: what bounds them hangs on the time before alone, so that few rays are made on the way.
    """
    own = np.flatnonzero(weights == 0)
    told = np.flatnonzero(weights)
    basis = np.eye(len(weights))
    pairs = [basis[i] / weights[i] - basis[j] / weights[j] for i, j in pairwise(told)]
    columns = [*basis[own[::-1]], *pairs[::-1]]
    return np.column_stack(columns) if columns else np.zeros((1, 0))


def is_possible(moments: Moments, beta: Floats, theta: Floats, critical: Floats, size: float) -> NDArray[np.bool_]:
    """Return for each system, shape (C, G), whether its test does not reject the values θ.

    The statistic of the largest line k, η/σ_k, is compared with the 1 − size quantile, or 0 where that is larger, of a
    standard normal between the ends that keep k the largest: with ρ_j = Cov(j, k)/σ_k² line j takes over at
    η − (η − v_j)/(1 − ρ_j). The upper end is at most the critical value of the first stage, above which θ is rejected.

    Parameters
    ----------
    theta : shape (C, G), values of each system's own
    critical : shape (C,), of the first stage; infinite for the conditional test alone
    size : of the test, which a hybrid has lowered for its first stage
    """
    start = moments.rows @ beta - moments.limits
    lines = start[:, :, None] - moments.slopes[:, :, None] * theta[:, None, :]
    largest = lines.argmax(axis=1)
    eta = np.take_along_axis(lines, largest[:, None, :], axis=1)[:, 0]
    at = np.arange(len(theta))[:, None]
    variance = np.diagonal(moments.covariance, axis1=1, axis2=2)[at, largest]
    is_fixed = variance == 0
    scale = np.sqrt(np.where(is_fixed, 1.0, variance))
    away = 1.0 - moments.covariance[at, largest] / np.where(is_fixed, 1.0, variance)[:, :, None]
    gap = (eta[:, :, None] - lines.transpose(0, 2, 1)) / np.where(np.abs(away) < _PARALLEL, 1.0, away)
    low = (eta[:, :, None] - np.where(away >= _PARALLEL, gap, np.inf)).max(axis=2) / scale
    high = (eta[:, :, None] - np.where(away <= -_PARALLEL, gap, -np.inf)).min(axis=2)
    statistic = eta / scale
    high = np.maximum(np.minimum(high, critical[:, None]) / scale, statistic)
    is_small = special.log_ndtr(-statistic) >= np.logaddexp(
        np.log(size) + special.log_ndtr(-low), np.log1p(-size) + special.log_ndtr(-high)
    )
    kept = (eta <= 0) | (~is_fixed & is_small & (eta <= critical[:, None]))
    return np.asarray(kept)


def first_stage(moments: Moments, beta: Floats, critical: Floats) -> tuple[Floats, Floats]:
    """Return the ends, shape (C,), of the θ at which no line exceeds its system's critical value; no θ: ends crossed.

    An end is infinite where nothing bounds θ on its side.
    """
    excess, slopes = moments.rows @ beta - moments.limits - critical[:, None], moments.slopes
    is_flat = np.abs(slopes) < 1e-12
    meets = excess / np.where(is_flat, 1.0, slopes)
    lower = np.where(slopes > 0, np.where(is_flat, -np.inf, meets), -np.inf).max(axis=1)
    upper = np.where(slopes < 0, np.where(is_flat, np.inf, meets), np.inf).min(axis=1)
    is_empty = (is_flat & (excess > 0)).any(axis=1)
    return np.where(is_empty, np.inf, lower), np.where(is_empty, -np.inf, upper)


def outermost(
    moments: Moments, beta: Floats, ends: tuple[Floats, Floats], critical: Floats, size: float
) -> tuple[Floats, Floats]:
    """Return each system's lowest and highest θ that is not rejected, shape (C,) each; none: +∞ and −∞.

    Between `ends`, shape (C,) each, on a grid that is made finer four times around the outermost values that hold.
    """
    lowest, highest = np.full(len(ends[0]), np.inf), np.full(len(ends[0]), -np.inf)
    open_ = np.flatnonzero(ends[0] <= ends[1])
    if not open_.size:
        return lowest, highest
    some, own = moments.taken(open_), critical[open_]
    theta = np.linspace(ends[0][open_], ends[1][open_], _GRID, axis=1)
    holds = is_possible(some, beta, theta, own, size)
    for found, is_low in ((lowest, True), (highest, False)):
        found[open_] = _refined(some, beta, theta, holds, (own, size), is_low)
    return lowest, highest


def _refined(
    moments: Moments,
    beta: Floats,
    theta: Floats,
    holds: NDArray[np.bool_],
    test: tuple[Floats, float],
    is_low: bool,
) -> Floats:
    """Return the outermost θ that holds on one side, shape (C,); infinite on that side's inner hand where none does."""
    has_any = holds.any(axis=1)
    at = np.arange(len(theta))
    for _ in range(_ROUNDS):
        first = holds.argmax(axis=1) if is_low else holds.shape[1] - 1 - holds[:, ::-1].argmax(axis=1)
        outer = np.clip(first + (-1 if is_low else 1), 0, theta.shape[1] - 1)
        pair = np.sort(np.stack([theta[at, first], theta[at, outer]]), axis=0)
        theta = np.linspace(pair[0], pair[1], _REFINED, axis=1)
        holds = is_possible(moments, beta, theta, *test)
        holds[:, -1 if is_low else 0] = True  # found to hold before
    first = holds.argmax(axis=1) if is_low else holds.shape[1] - 1 - holds[:, ::-1].argmax(axis=1)
    return np.where(has_any, theta[at, first], np.inf if is_low else -np.inf)
