"""Kernels of bounds by permutation: years to effect and steps, and every stand-in placed at once for many biases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.estimate.areas.changes_arrays import TIE
from evalkit.estimate.areas.sets_arrays import reach

N_BIASES = 41
"""Biases looked at between −mM and mM."""
_MOST_AT_ONCE = 4_000_000
"""Statistics held in memory together."""


class StepWeights(NamedTuple):
    """What turns values of years into the effect since the last year before, and the yearly steps before it.

    `weights` (T, 1 + S): the first column gives T° = G_post − G_b, the others Δ_s = (G_s − G_{s−1}) a year; `ahead` is
    m, the years from b to the years after (their mean if they are several).
    """

    weights: Floats
    ahead: float


def step_weights(years: Sequence[int], before: Sequence[int], after: Sequence[int]) -> StepWeights:
    """Return the weights of every year in the effect and in each step; `years` (T,) hold all of the other two.

    The steps are those between neighbouring years of `before`, divided by the years between them where one is missing.
    """
    place, earlier = {year: at for at, year in enumerate(years)}, sorted(before)
    weights = np.zeros((len(years), len(earlier)))
    for year in after:
        weights[place[year], 0] += 1.0 / len(after)
    weights[place[earlier[-1]], 0] -= 1.0
    for at, (first, second) in enumerate(pairwise(earlier), start=1):
        weights[place[second], at] = 1.0 / (second - first)
        weights[place[first], at] = -1.0 / (second - first)
    return StepWeights(weights, sum(after) / len(after) - earlier[-1])


class Placed(NamedTuple):
    """What was treated and its stand-ins: effect and steps `observed` (1 + S,), `others` (D, 1 + S), `weights` (D,)."""

    observed: Floats
    others: Floats
    weights: Floats


def biases(ahead: float, m: float) -> Floats:
    """Return the grid of c over [−mM, mM], one point where M = 0; shape (C,)."""
    return np.zeros(1) if m == 0 else np.linspace(-ahead * m, ahead * m, N_BIASES)


def p_values(placed: Placed, c: Floats) -> Floats:
    """Return p(c, s) = [1 + Σ_j w_j · 1(|W_j| ≥ |W_a|)] / [1 + Σ_j w_j], W = T° − c Δ_s of all; shape (S, C).

    With weights of one it is the rank among areas; of sets each area's weigh one together.
    """
    total = 1.0 + float(placed.weights.sum())
    found = np.empty((placed.others.shape[1] - 1, len(c)))
    for row, own, each, at in _by_step(placed, c):
        as_large = np.abs(each) >= np.abs(own)[:, None] - TIE
        found[row, at] = (1.0 + as_large @ placed.weights) / total
    return found


def hull(placed: Placed, c: Floats, alpha: float) -> tuple[float, float]:
    """Return the least and largest τ that some c and step leave unrejected: hull of W_a ± crit_c; infinite ends if any.

    crit_c is the largest size |W| of a stand-in at which the weights of those as large, and one, exceed α of all.
    """
    lower, upper = math.inf, -math.inf
    for _, own, each, _ in _by_step(placed, c):
        half = np.array([reach(row, placed.weights, alpha) for row in np.abs(each)])
        lower, upper = min(lower, float((own - half).min())), max(upper, float((own + half).max()))
    return lower, upper


def _by_step(placed: Placed, c: Floats) -> Iterator[tuple[int, Floats, Floats, slice]]:
    """Yield for each step, and as many biases as fit in memory, W of the treated (C,) and of the others (C, D)."""
    size = max(_MOST_AT_ONCE // max(len(placed.others), 1), 1)
    for step in range(1, placed.others.shape[1]):
        for first in range(0, len(c), size):
            at = slice(first, min(first + size, len(c)))
            own = placed.observed[0] - c[at] * placed.observed[step]
            yield step - 1, own, placed.others[:, 0] - c[at, None] * placed.others[:, step], at
