"""Two-by-two comparisons of cohorts and their weights in a two-way effect (Goodman-Bacon, 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """A comparison of cohort `treated` with cohort `compared` (positions): its weight and estimate."""

    treated: int
    compared: int
    weight: float
    estimate: float
    is_joint: bool = False


def plain_pairs(cohorts: Floats, share: Floats, means: Floats, periods: Floats) -> list[Pair]:
    """Return every comparison of a balanced panel; weights sum to 1 and Σ weight × estimate is the two-way effect.

    `cohorts` (C,) are starts, −inf for always and inf for never treated, `share` (C,) their shares of the units,
    `means` (C, T) their mean outcomes. For cohorts k and l, starting earlier and later, with D their shares of treated
    periods, the weights are in proportion to

    - k against never or always treated: n_k n_l D_k(1 − D_k);
    - k against l, in the periods before l starts: n_k n_l (D_k − D_l)(1 − D_k);
    - l against k, in the periods after k starts: n_k n_l D_l(D_k − D_l)

    (the paper's equations 10e to 10g, multiplied out).
    """
    treated_share = (periods >= cohorts[:, None]).mean(axis=1)
    found: list[Pair] = []
    for early, late in combinations(range(len(cohorts)), 2):
        size = float(share[early] * share[late])
        before, after = float(treated_share[early]), float(treated_share[late])
        if not np.isfinite(cohorts[[early, late]]).any():
            continue
        if np.isfinite(cohorts[early]) and np.isfinite(cohorts[late]):
            window = periods < cohorts[late]
            change = _difference(means, early, late, window & (periods >= cohorts[early]), periods < cohorts[early])
            found.append(Pair(early, late, size * (before - after) * (1 - before), change))
            change = _difference(means, late, early, periods >= cohorts[late], window & (periods >= cohorts[early]))
            found.append(Pair(late, early, size * after * (before - after), change))
        else:
            moving, still = (early, late) if np.isfinite(cohorts[early]) else (late, early)
            part = float(treated_share[moving])
            is_after = periods >= cohorts[moving]
            change = _difference(means, moving, still, is_after, ~is_after)
            found.append(Pair(moving, still, size * part * (1 - part), change))
    total = sum(pair.weight for pair in found)
    return [Pair(pair.treated, pair.compared, pair.weight / total, pair.estimate) for pair in found]


def _difference(
    means: Floats, treated: int, compared: int, after: NDArray[np.bool_], before: NDArray[np.bool_]
) -> float:
    gap = means[treated] - means[compared]
    return float(gap[after].mean() - gap[before].mean())


def controlled_pairs(cohorts: Floats, share: Floats, left: Floats, means: Floats) -> list[Pair]:
    """Return every pair of cohorts where covariates are in the model.

    `left` (C, T) are cohort means of the part of treatment that effects and covariates do not predict. A pair weighs
    n_k n_l Σ_t (left_kt − left_lt)², and its estimate is the slope of y_kt − y_lt on that difference; weighted, the
    slopes give the between-cohort part of the two-way effect, because left sums to 0 over cohorts in every period.
    An always- or never-treated cohort is the one compared with; covariates that move apart make even those two a pair.
    """
    found, largest = [], float((left**2).sum())
    for early, late in combinations(range(len(cohorts)), 2):
        has_start = np.isfinite(cohorts[late]) and not np.isfinite(cohorts[early])
        treated, compared = (late, early) if has_start else (early, late)
        gap = left[treated] - left[compared]
        square = float((gap**2).sum())
        if square <= 1e-20 * largest:
            continue
        slope = float((gap * (means[treated] - means[compared])).sum()) / square
        found.append(Pair(treated, compared, float(share[early] * share[late]) * square, slope, is_joint=True))
    total = sum(pair.weight for pair in found)
    return [Pair(pair.treated, pair.compared, pair.weight / total, pair.estimate, True) for pair in found]
