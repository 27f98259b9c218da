"""What comparison clusters' residuals would have added to a two-way effect in a treated cluster's place."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable

Floats = NDArray[np.float64]

ENUMERATED = 100_000
"""All ways of putting comparison clusters into the treated places are gone through where they are at most so many."""


@dataclass(frozen=True, slots=True, eq=False)
class PlaceboSums:
    """Draws of the estimate's error: comparison clusters' residuals put in the treated clusters' places.

    The estimate itself counts as one more draw, so that no p-value is 0.
    """

    draws: Floats
    is_enumerated: bool

    def p_equal_tailed(self, error: float) -> float:
        """Return twice the smaller share of draws beyond `error` (the estimate less the value tested), at most 1."""
        above = 1 + int((self.draws >= error - _slack(error)).sum())
        below = 1 + int((self.draws <= error + _slack(error)).sum())
        return min(1.0, 2 * min(above, below) / (len(self.draws) + 1))

    def p_absolute(self, error: float) -> float:
        """Return the share of draws at least as far from 0 as `error`."""
        return (1 + int((np.abs(self.draws) >= abs(error) - _slack(error)).sum())) / (len(self.draws) + 1)

    def interval(self, estimate: float, level: float, is_absolute: bool) -> IntervalOrReason:
        """Return the values that the test does not reject: equal-tailed, or by absolute size; or why there is none."""
        share = (1 - level) * (1.0 if is_absolute else 0.5)
        kth = int(np.floor(share * (len(self.draws) + 1) + 1e-9))
        if kth < 1:
            needed = int(np.ceil(1 / share - 1e-9)) - 1
            return Unavailable(
                f"Only {len(self.draws)} placebo draws exist, and a {level:.0%} interval needs at least {needed}: "
                "there are too few comparison clusters."
            )
        if is_absolute:
            reach = float(np.sort(np.abs(self.draws))[-kth])
            return Interval(estimate - reach, estimate + reach, level)
        ordered = np.sort(self.draws)
        return Interval(float(estimate - ordered[-kth]), float(estimate - ordered[kth - 1]), level)


def _slack(error: float) -> float:
    return 1e-10 * abs(error)


def placebo_products(paths: Floats, residuals: Floats, square: float) -> Floats:
    """Return W (n_treated, n_comparison): Σ_t path_jt · residual_lt / square (Conley and Taber, 2011).

    `paths` (n_treated, n_periods) is each treated cluster's sum of weight × (treatment less its unit's mean),
    `residuals` (n_comparison, n_periods) the comparison clusters' weighted mean residuals, `square` the sum of
    weight × (treatment less its unit's mean)² over all treated clusters.
    """
    return np.asarray(paths @ residuals.T / square)


def placebo_sums(products: Floats, n_draws: int, random: np.random.Generator) -> PlaceboSums:
    """Return Σ_j W[j, l_j] with one comparison cluster l_j for each treated one, independent and with replacement."""
    n_treated, n_comparison = products.shape
    is_enumerated = n_treated * np.log(n_comparison) <= np.log(ENUMERATED) + 1e-12
    if is_enumerated:
        chosen = np.array(list(product(range(n_comparison), repeat=n_treated)), dtype=np.intp)
    else:
        chosen = random.integers(0, n_comparison, (n_draws, n_treated))
    return PlaceboSums(products[np.arange(n_treated), chosen].sum(axis=1), bool(is_enumerated))


def variance_by_size(squares: Floats, sizes: Floats) -> tuple[float, float]:
    """Return A and B, neither negative, of the least-squares fit of squares on A + B/size (Ferman and Pinto, 2019)."""
    inverse = 1 / sizes
    deviation = inverse - inverse.mean()
    spread = float((deviation**2).sum())
    slope = float((deviation * squares).sum()) / spread if spread > 0 else 0.0
    level = float(squares.mean()) - slope * float(inverse.mean())
    if slope < 0:
        return float(squares.mean()), 0.0
    if level < 0:
        return 0.0, float((squares * inverse).sum() / (inverse**2).sum())
    return level, slope


def rescaled(products: Floats, treated_sizes: Floats, sizes: Floats) -> Floats:
    """Return W with each residual brought to the variance of the treated cluster's size: times √(v(M_j)/v(M_l)).

    v(M) = A + B/M is fitted to the squares of each treated cluster's row, because starts differ.
    """
    rows = []
    for row, size in zip(products, treated_sizes, strict=True):
        constant, slope = variance_by_size(row**2, sizes)
        rows.append(row * np.sqrt((constant + slope / size) / (constant + slope / sizes)))
    return np.array(rows)


def size_test(products: Floats, sizes: Floats, n_draws: int, random: np.random.Generator) -> float:
    """Return the p-value of no relation between a comparison cluster's size and the square of its residuals.

    The statistic is |Σ_l (1/M_l − mean)·Σ_j W[j, l]²|; sizes are permuted over the clusters, the actual order counts.
    """
    squares = (products**2).sum(axis=0)
    inverse = 1 / sizes - (1 / sizes).mean()
    moved = np.array([random.permutation(inverse) @ squares for _ in range(n_draws)])
    actual = abs(float(inverse @ squares))
    return float((1 + (np.abs(moved) >= actual * (1 - 1e-10)).sum()) / (n_draws + 1))
