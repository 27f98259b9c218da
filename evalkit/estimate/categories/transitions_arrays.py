"""Matrices of categories before and after: counts, what improved, and the test of symmetry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.core.arrays import Ints
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.scipy_parts import special


@dataclass(frozen=True, slots=True, eq=False)
class Transitions:
    """Units of one arm by category before (rows) and after (columns), the best category first: shape (K, K)."""

    counts: Ints

    @classmethod
    def of(cls, before: Ints, after: Ints, n_categories: int) -> Transitions:
        """Return the matrix of positions 0 … K − 1 before and after, each of shape (n,).

        >>> Transitions.of(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).counts.tolist()
        [[1, 0], [1, 1]]
        """
        flat = np.bincount(before * n_categories + after, minlength=n_categories**2)
        return cls(flat.reshape(n_categories, n_categories).astype(np.int64))

    @property
    def n(self) -> int:
        """Return how many units there are."""
        return int(self.counts.sum())

    @property
    def n_improved(self) -> int:
        """Return how many moved to a better category."""
        return int(np.tril(self.counts, -1).sum())

    @property
    def n_declined(self) -> int:
        """Return how many moved to a worse category."""
        return int(np.triu(self.counts, 1).sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Symmetry:
    """The McNemar–Bowker test that as many move one way between each two categories as the other way."""

    statistic: Quantity
    df: int
    p_value: Quantity
    n_moved: int


_NOBODY_MOVED = Unavailable("No unit changed its category.")


def symmetry(found: Transitions) -> Symmetry:
    """Return Σ_{i<j} (n_ij − n_ji)²/(n_ij + n_ji) against χ² with a degree for each pair that is seen (Bowker, 1948).

    Pairs of categories between which nobody moved give neither a term nor a degree of freedom.
    """
    n = found.counts.astype(float)
    upper, lower = (np.asarray(one)[np.triu_indices(len(n), 1)] for one in (n, n.T))
    seen = upper + lower > 0
    moved = int((upper + lower).sum())
    if not moved:
        return Symmetry(statistic=_NOBODY_MOVED, df=0, p_value=_NOBODY_MOVED, n_moved=0)
    statistic = float(((upper - lower)[seen] ** 2 / (upper + lower)[seen]).sum())
    df = int(seen.sum())
    p = float(special.chdtrc(df, statistic))
    return Symmetry(statistic=statistic, df=df, p_value=p, n_moved=moved)


def share_interval(n: int, of: int, level: float) -> IntervalOrReason:
    """Return Wilson's (1927) interval of a share of units taken as independent."""
    if not of:
        return Unavailable("Nobody is left.")
    z = float(special.ndtri(0.5 + level / 2))
    p, square = n / of, z**2
    middle, reach = p + square / (2 * of), z * np.sqrt(p * (1 - p) / of + square / (4 * of**2))
    low, high = ((middle + sign * reach) / (1 + square / of) for sign in (-1, 1))
    return Interval(max(float(low), 0.0), min(float(high), 1.0), level)
