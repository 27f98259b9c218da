"""Kernels of power before the start: normal probabilities of boxes and balls, and means given that a test passed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats
from evalkit.core.scipy_parts import brentq, special
from evalkit.estimate.areas.changes_arrays import TIE

_NODES: Final = {1: 64, 2: 48, 3: 32, 4: 20, 5: 13}
"""Gauss–Legendre nodes a dimension by the number of dimensions integrated over; beyond, a lattice."""
_LATTICE: Final = 1 << 16
"""Points of the lattice, in each of its shifts."""
_SHIFTS: Final = 4
_CHUNK: Final = 1 << 16
_HALVINGS: Final = 60
_FAR: Final = 8.0
"""Standard deviations beyond which a normal vector is taken never to lie."""
_ROOT_OF_TWO_PI: Final = float(np.sqrt(2 * np.pi))
_WIDEST: Final = 1e6
"""Standard errors a year beyond which no slope is looked for."""


# Probability that a normal vector lies in a box (Genz, 1992): a smooth integral over a cube, by fixed nodes.


def box_probability(lower: Floats, upper: Floats, mean: Floats, covariance: Floats) -> float:
    """Return P(lower ≤ X ≤ upper), X normal with `mean` (q,) and a positive definite `covariance` (q, q).

    Genz's transformation makes it an integral of a smooth function over the unit cube of q − 1 dimensions, taken at the
    nodes of Gauss and Legendre up to six dimensions and at those of a lattice beyond: no draws, the same number each
    time. It is exact to some 1e-8 up to six, and 1e-5 beyond.
    """
    size = np.sqrt(np.diagonal(covariance))
    low, high = (lower - mean) / size, (upper - mean) / size
    if len(mean) == 1:
        return float(special.ndtr(high[0]) - special.ndtr(low[0]))
    # The narrowest first, so that what is left varies least.
    order = np.argsort(special.ndtr(high) - special.ndtr(low), kind="stable")
    root = np.linalg.cholesky((covariance / np.outer(size, size))[np.ix_(order, order)])
    total = 0.0
    for nodes, weights in _cube(len(mean) - 1):
        total += float(weights @ _integrand(low[order], high[order], root, nodes))
    return min(max(total, 0.0), 1.0)


def _integrand(low: Floats, high: Floats, root: Floats, nodes: Floats) -> Floats:
    """Return the integrand at points of the cube, shape (n,): the probability of the last, given those before it.

    `root` (q, q) is the Cholesky factor, so that coordinate k, given those before, has its box moved by theirs. At the
    few nodes of a product rule the others go through their boxes evenly, weighed by their density, which is smooth; at
    those of a lattice by their quantiles (Genz), so that points stand where the weight is.
    """
    by_quantile = len(low) - 1 not in _NODES
    places, product = np.empty((len(nodes), len(low) - 1)), np.ones(len(nodes))
    for at in range(len(low) - 1):
        start, end = (np.clip(one, -_FAR, _FAR) for one in _given(low, high, root, places[:, :at]))
        if by_quantile:
            below, width = special.ndtr(start), special.ndtr(end) - special.ndtr(start)
            places[:, at] = special.ndtri(np.clip(below + nodes[:, at] * width, special.ndtr(-_FAR), 1 - 1e-16))
        else:
            places[:, at] = start + nodes[:, at] * (end - start)
            width = (end - start) * np.exp(-(places[:, at] ** 2) / 2) / _ROOT_OF_TWO_PI
        product *= width
    start, end = _given(low, high, root, places)
    return np.asarray(product * (special.ndtr(end) - special.ndtr(start)))


def _given(low: Floats, high: Floats, root: Floats, before: Floats) -> tuple[Floats, Floats]:
    """Return the box of the coordinate after those of `before` (n, k), in its own standard deviations."""
    at = before.shape[1]
    shift = before @ root[at, :at]
    return (low[at] - shift) / root[at, at], (high[at] - shift) / root[at, at]


def _cube(n: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield nodes (k, n) of the unit cube with their weights (k,), in pieces."""
    if n in _NODES:
        points, each = _grid(n)
        for first in range(0, len(points), _CHUNK):
            yield points[first : first + _CHUNK], each[first : first + _CHUNK]
        return
    # Richtmyer's lattice, folded so that the integrand is as if periodic; the shifts are fixed.
    roots = np.sqrt(np.array(_primes(n), dtype=float))
    for shift in range(_SHIFTS):
        for first in range(0, _LATTICE, _CHUNK):
            at = np.arange(first + 1, first + _CHUNK + 1, dtype=float)[:, None]
            moved = (at * roots + (shift + 0.5) / _SHIFTS * roots[::-1]) % 1.0
            yield np.abs(2 * moved - 1), np.full(_CHUNK, 1.0 / (_LATTICE * _SHIFTS))


@cache
def _grid(n: int) -> tuple[Floats, Floats]:
    points, weights = np.polynomial.legendre.leggauss(_NODES[n])
    axis, each = (points + 1) / 2, weights / 2
    grid = np.stack(np.meshgrid(*[axis] * n, indexing="ij"), axis=-1).reshape(-1, n)
    product = np.ones(1)
    for _ in range(n):
        product = np.multiply.outer(product, each).ravel()
    return grid, product


def _primes(n: int) -> list[int]:
    found: list[int] = []
    at = 2
    while len(found) < n:
        if all(at % one for one in found):
            found.append(at)
        at += 1
    return found


def box_mean(reach: Floats, mean: Floats, covariance: Floats) -> Floats:
    """Return E[X | |X| ≤ reach], X normal, shape (q,) (Tallis, 1961).

    E[X_i] = μ_i + Σ_k σ_ik (f_k(−r_k) − f_k(r_k)) / P, f_k(x) the density of X_k at x times the probability that the
    others lie in their box given X_k = x, and P that of the whole box.
    """
    inside = box_probability(-reach, reach, mean, covariance)
    q, edges = len(mean), np.zeros(len(mean))
    for k in range(q):
        edges[k] = sum(sign * _edge(k, -sign * reach[k], reach, mean, covariance) for sign in (1.0, -1.0))
    found: Floats = mean + covariance @ edges / inside
    return found


def _edge(k: int, at: float, reach: Floats, mean: Floats, covariance: Floats) -> float:
    variance = float(covariance[k, k])
    density = float(np.exp(-((at - mean[k]) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance))
    others: Bools = np.arange(len(mean)) != k
    if not others.any():
        return density
    slope = covariance[others, k] / variance
    given = covariance[np.ix_(others, others)] - np.outer(slope, covariance[k, others])
    centre = mean[others] + slope * (at - mean[k])
    return density * box_probability(-reach[others], reach[others], centre, given)


# The two tests: any lead by itself, and all leads together.


class LeadTest(NamedTuple):
    """A test of q leads with `covariance` (q, q): the leads lie in a box, or a ball in their own metric, if it passes.

    `reach` (q,) are the sizes of single leads that are still passed; of the joint test it is empty, and `critical` is
    the most that d'V⁻¹d may be. `df` are the denominator degrees of freedom with which V was estimated, infinite where
    it is taken as known.
    """

    covariance: Floats
    reach: Floats
    critical: float
    df: float

    @property
    def is_joint(self) -> bool:
        """Return whether all leads are tested together."""
        return len(self.reach) == 0

    def passed(self, mean: Floats) -> float:
        """Return the probability that the test passes where the leads have `mean` (q,)."""
        if not self.is_joint:
            return box_probability(-self.reach, self.reach, mean, self.covariance)
        return self._ball(len(mean), self._distance(mean))

    def mean_passed(self, mean: Floats) -> Floats:
        """Return the mean of the leads among the data that pass, shape (q,).

        In a ball E[d] = μ P(χ²_{q+2}(λ) ≤ c) / P(χ²_q(λ) ≤ c), λ = μ'V⁻¹μ; with an estimated V both χ² stand over the
        same independent one.
        """
        if not self.is_joint:
            return box_mean(self.reach, mean, self.covariance)
        q, away = len(mean), self._distance(mean)
        return mean * self._ball(q + 2, away) / self._ball(q, away)

    def _distance(self, mean: Floats) -> float:
        return float(mean @ np.linalg.solve(self.covariance, mean))

    def _ball(self, dimensions: int, away: float) -> float:
        """Return P(χ²_k(λ) ≤ c), or of its ratio with the χ² of the estimated V."""
        if not np.isfinite(self.df):
            return float(special.chndtr(self.critical, dimensions, away))
        # With V of η degrees of freedom d'V⁻¹d is η χ²_q(λ) / χ²_{df}, df = η − q + 1.
        eta = self.df + len(self.covariance) - 1
        return float(special.ncfdtr(dimensions, self.df, away, self.critical / eta * self.df / dimensions))


def single_test(covariance: Floats, critical: Floats) -> LeadTest:
    """Return the test that rejects where any lead is larger than `critical` (q,) of its standard errors."""
    return LeadTest(covariance, critical * np.sqrt(np.diagonal(covariance)), np.nan, np.inf)


def joint_test(covariance: Floats, alpha: float, df: float = np.inf) -> LeadTest:
    """Return Wald's test at `alpha`, χ² with q degrees of freedom, or with finite `df` the approximate Hotelling test.

    The latter is F = df/(ηq) d'V⁻¹d with q and df = η − q + 1 degrees of freedom (Tipton and Pustejovsky, 2015).
    """
    q, none = len(covariance), np.empty(0)
    if not np.isfinite(df):
        return LeadTest(covariance, none, float(special.chdtri(q, alpha)), np.inf)
    point = float(special.fdtri(q, df, 1 - alpha))
    return LeadTest(covariance, none, point * (df + q - 1) * q / df, df)


def slope_found(test: LeadTest, times: Floats, power: float) -> float:
    """Return the slope at which a test of leads `times` (q,) from the reference rejects with probability `power`.

    Power rises with the slope's size, as boxes and balls around zero are convex and symmetric (Anderson, 1955), and is
    the same up and down; NaN where the test rejects as often without any slope.
    """

    def beyond(slope: float) -> float:
        return 1 - test.passed(slope * times) - power

    if beyond(0.0) >= 0:
        return float("nan")
    away = times != 0
    unit = float((np.sqrt(np.diagonal(test.covariance))[away] / np.abs(times[away])).min())
    high = unit
    while beyond(high) < 0 and high < _WIDEST * unit:
        high *= 2
    return brentq(beyond, 0.0, high, xtol=1e-10 * unit)


# One treated area, or a list: where its earlier movement would stand among those of others, or of sets.


class AmongOthers(NamedTuple):
    """Leads and effects of what stands in for the treated, and what a trend of the treated would add.

    Attributes
    ----------
    moved, effects, weights : shapes (D, q), (D,) and (D,), of each stand-in
    rise : shape (q,), what a slope of 1 a period adds to each lead
    scale : shape (q,), what leads are divided by before the largest is taken
    critical : largest size that is not in the tail: what exceeds it is found
    """

    moved: Floats
    effects: Floats
    weights: Floats
    rise: Floats
    scale: Floats
    critical: float

    def is_found(self, slope: float) -> Bools:
        """Return which stand-ins would be in the tail, were the slope added to their leads, shape (D,)."""
        largest = np.abs((self.moved + slope * self.rise) / self.scale).max(axis=1)
        return np.asarray(largest > self.critical + TIE)

    def power(self, slope: float) -> float:
        """Return the share of stand-ins that would be found, were the slope added to their leads."""
        return float(np.average(self.is_found(slope), weights=self.weights))

    def drift_if_passed(self, slope: float) -> float:
        """Return by how much effects of those that pass are larger than those of all, NaN where none passes."""
        passed = ~self.is_found(slope)
        if not passed.any():
            return float("nan")
        every = np.average(self.effects, weights=self.weights)
        return float(np.average(self.effects[passed], weights=self.weights[passed]) - every)

    def slope_found(self, power: float, sign: float) -> float:
        """Return the slope, up or down by `sign`, from which on the power is reached, NaN where it is without any.

        Power goes up in steps, as one stand-in after the other enters the tail; the place of the step is halved in on.
        """
        if self.power(0.0) >= power:
            return float("nan")
        low, high = 0.0, float((self.critical * self.scale / np.abs(self.rise)).max()) + 1e-300
        while self.power(sign * high) < power - 1e-12:
            high *= 2
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.power(sign * middle) >= power - 1e-12 else (middle, high)
        return sign * high
