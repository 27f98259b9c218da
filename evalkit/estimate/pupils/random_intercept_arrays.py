"""Random-intercept models from group sums: restricted and full maximum likelihood, exact at any number of rows.

The model is y_ij = x_ij'β + u_j + e_ij with u_j ~ N(0, τ²) and e_ij ~ N(0, σ²). With λ = τ²/σ² the inverse of a
group's covariance is (I − λ/(1 + n_j λ) 11')/σ², so that everything the likelihood needs of the rows are, for the
columns z = (1, x, y), the sums of squares within groups and each group's size and sums (Laird and Ware, 1982;
Bates et al., 2015, for the profile in one ratio).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy import linalg, optimize, stats

from evalkit.core.arrays import Floats, Ints

_GRID: Final = np.linspace(math.log(1e-9), math.log(1e7), 33)
"""Logs of λ at which the profile is looked at before it is refined."""
_CHUNK: Final = 1 << 17


@dataclass(frozen=True, slots=True, eq=False)
class GroupSums:
    """All that the likelihood needs of the rows.

    Attributes
    ----------
    size : shape (G,), rows of each group
    mean : shape (G, p + 1), means by group of the columns (1, x, y), x and y less their `centre`
    within : shape (p + 1, p + 1), Σ (z − z̄_j)(z − z̄_j)'
    centre : shape (p + 1,), mean of each column over all rows, 0 for the constant
    absorbed : shape (G,) or None, the block of each group whose own constant is taken out, 0 … B − 1
    """

    size: Floats
    mean: Floats
    within: Floats
    centre: Floats
    absorbed: Ints | None = None

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return int(self.size.sum())

    @property
    def n_blocks(self) -> int:
        """Return the number of blocks whose constants are absorbed; 0 where there is one constant for all."""
        return 0 if self.absorbed is None else int(self.absorbed.max()) + 1

    @property
    def first(self) -> int:
        """Return the first column with a coefficient: the constant is none where blocks are absorbed."""
        return 0 if self.absorbed is None else 1

    @property
    def n_fixed(self) -> int:
        """Return the number of fixed coefficients, absorbed constants included."""
        return int(self.mean.shape[1]) - 1 - self.first + self.n_blocks


class RandomInterceptFit(NamedTuple):
    """A fitted random-intercept model.

    `beta`, shape (p,), and `covariance`, shape (p, p), are of the constant and x (of x alone where blocks
    are absorbed); `ratio` is λ = between/within; `deviance` −2 × the (restricted) log-likelihood.
    """

    beta: Floats
    covariance: Floats
    between: float
    within: float
    ratio: float
    deviance: float


def group_sums(outcome: Floats, design: Floats, group: Ints, absorbed: Ints | None = None) -> GroupSums:
    """Return the sums by group of rows.

    Parameters
    ----------
    outcome : shape (n,)
    design : shape (n, p − 1)
        Columns without a constant, which is added.
    group : shape (n,)
        Position of each row's group, 0 … G − 1, each with at least one row.
    absorbed : shape (G,), optional
        Block of each group, 0 … B − 1, whose constant is taken out.
    """
    size = np.bincount(group).astype(float)
    columns = [*design.T, outcome]
    centre = np.array([column.mean() for column in columns])
    means = [np.bincount(group, column - c) / size for column, c in zip(columns, centre, strict=True)]
    mean = np.column_stack([np.ones(len(size)), *means])
    within = np.zeros((len(columns) + 1, len(columns) + 1))
    shift = mean[:, 1:] + centre
    for start in range(0, len(outcome), _CHUNK):  # a part at a time: no second copy of all rows is held
        rows = slice(start, start + _CHUNK)
        spread = np.column_stack([column[rows] for column in columns]) - shift[group[rows]]
        within[1:, 1:] += spread.T @ spread
    return GroupSums(size, mean, within, np.concatenate([[0.0], centre]), absorbed)


def fit(sums: GroupSums, is_restricted: bool = True) -> RandomInterceptFit:
    """Return the fit with the largest (restricted) likelihood.

    The profile −2ℓ(λ) is looked at on a grid of log λ and at 0; around its least value the root of its derivative
    is found by Brent's method, and the better of root and boundary is kept.
    """
    return fit_at(sums, _best_ratio(sums, is_restricted), is_restricted)


def deviance(sums: GroupSums, ratio: float, is_restricted: bool = True) -> float:
    """Return −2 × the profile log-likelihood at λ.

    Restricted: (N − p)(1 + ln 2πσ̂²) + Σ ln(1 + n_j λ) + ln|X'V⁻¹X|, σ̂² = RSS(λ)/(N − p); full: N in the place of
    N − p and no last term. V is in units of σ².
    """
    return _profile(sums, ratio, is_restricted)[0]


def icc_limits(
    sums: GroupSums, level: float, is_restricted: bool = True, best: float | None = None
) -> tuple[float, float]:
    """Return the ends of the profile-likelihood interval of the intraclass correlation λ/(1 + λ).

    All λ with −2ℓ(λ) at most the χ²(1) quantile above its least value; 0 is in it where it is not rejected. `best` is
    the λ of the fit, found where it is not given.
    """
    best = _best_ratio(sums, is_restricted) if best is None else best
    bar = deviance(sums, best, is_restricted) + float(stats.chi2.ppf(level, 1))

    def excess(log_ratio: float) -> float:
        return deviance(sums, math.exp(log_ratio), is_restricted) - bar

    at = math.log(best) if best > 0 else float(_GRID[0])
    lowest, highest = float(_GRID[0]), float(_GRID[-1])
    reaches_zero = best == 0 or deviance(sums, 0.0, is_restricted) <= bar or excess(lowest) <= 0
    lower = 0.0 if reaches_zero else _share(optimize.brentq(excess, lowest, at, xtol=1e-12))
    upper = 1.0 if excess(highest) <= 0 else _share(optimize.brentq(excess, at, highest, xtol=1e-12))
    return lower, upper


def _share(log_ratio: float) -> float:
    return 1 / (1 + math.exp(-log_ratio))


def _best_ratio(sums: GroupSums, is_restricted: bool) -> float:
    values = [deviance(sums, math.exp(point), is_restricted) for point in _GRID]
    at = int(np.argmin(values))
    at_zero = deviance(sums, 0.0, is_restricted)
    if at == 0:
        return 0.0
    low, high = float(_GRID[at - 1]), float(_GRID[min(at + 1, len(_GRID) - 1)])

    def slope(log_ratio: float) -> float:
        return _profile(sums, math.exp(log_ratio), is_restricted)[1]

    root = high if slope(high) < 0 else low if slope(low) > 0 else optimize.brentq(slope, low, high, xtol=1e-13)
    found = math.exp(root)
    return found if deviance(sums, found, is_restricted) < at_zero else 0.0


def _profile(sums: GroupSums, ratio: float, is_restricted: bool) -> tuple[float, float]:
    """Return −2ℓ(λ) and its derivative in λ."""
    matrix, change, log_blocks, blocks_change = _weighted(sums, ratio)
    first, p = sums.first, sums.n_fixed
    xx, xy = matrix[first:-1, first:-1], matrix[first:-1, -1]
    factor = linalg.cho_factor(xx, lower=True) if len(xy) else None
    beta = linalg.cho_solve(factor, xy) if factor else xy
    rest = np.concatenate([-beta, [1.0]])
    squares = float(matrix[-1, -1] - xy @ beta)
    slope = float(rest @ change[first:, first:] @ rest)
    rows = sums.n - p if is_restricted else sums.n
    spread = 1 + sums.size * ratio
    value = rows * (1 + math.log(2 * math.pi * squares / rows)) + float(np.log(spread).sum())
    derivative = rows * slope / squares + float((sums.size / spread).sum())
    if is_restricted:
        inner = linalg.cho_solve(factor, change[first:-1, first:-1]) if factor else np.zeros((0, 0))
        value += log_blocks + (2 * float(np.log(np.diag(factor[0])).sum()) if factor else 0.0)
        derivative += blocks_change + float(np.trace(inner))
    return value, derivative


def _weighted(sums: GroupSums, ratio: float) -> tuple[Floats, Floats, float, float]:
    """Return Z'V⁻¹Z and its derivative in λ, and those of the log-determinant of the absorbed constants.

    Z'V⁻¹Z = within + Σ_j w_j z̄_j z̄_j', w_j = n_j/(1 + n_j λ): sums of squares only, so that nothing cancels. Where
    blocks are absorbed, z̄_j is less its w-weighted mean over the block.
    """
    weight = sums.size / (1 + sums.size * ratio)
    steeper = -(weight**2)
    if sums.absorbed is None:
        mean, log_blocks, blocks_change = sums.mean, 0.0, 0.0
    else:
        total = np.bincount(sums.absorbed, weight)
        centre = np.column_stack([np.bincount(sums.absorbed, weight * column) / total for column in sums.mean.T])
        mean = sums.mean - centre[sums.absorbed]
        log_blocks = float(np.log(total).sum())
        blocks_change = float((np.bincount(sums.absorbed, steeper) / total).sum())
    matrix = sums.within + mean.T @ (weight[:, None] * mean)
    return matrix, mean.T @ (steeper[:, None] * mean), log_blocks, blocks_change


def fit_at(sums: GroupSums, ratio: float, is_restricted: bool = True) -> RandomInterceptFit:
    """Return the fit with the ratio λ given."""
    matrix = _weighted(sums, ratio)[0]
    first = sums.first
    xx, xy = matrix[first:-1, first:-1], matrix[first:-1, -1]
    inverse: Floats = linalg.cho_solve(linalg.cho_factor(xx), np.eye(len(xy))) if len(xy) else xx
    beta = inverse @ xy
    squares = float(matrix[-1, -1] - xy @ beta)
    within = squares / (sums.n - sums.n_fixed if is_restricted else sums.n)
    covariance: Floats = within * inverse
    if sums.absorbed is None:
        beta, covariance = _uncentred(beta, covariance, sums.centre)
    return RandomInterceptFit(beta, covariance, ratio * within, within, ratio, deviance(sums, ratio, is_restricted))


def _uncentred(beta: Floats, covariance: Floats, centre: Floats) -> tuple[Floats, Floats]:
    """Return coefficients and covariance with the constant of the columns as given."""
    turn = np.eye(len(beta))
    turn[0, 1:] = -centre[1:-1]
    shifted = turn @ beta
    shifted[0] += centre[-1]
    return shifted, turn @ covariance @ turn.T
