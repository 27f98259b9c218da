"""Change, analysis of covariance and difference after matching, as numbers of weighted arrays."""

from __future__ import annotations

from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints

ADDS_NOTHING: Final = 1e-8
"""A column keeps less than this share of its spread once the columns before it are taken out: it adds nothing."""
SPARE_UNITS: Final = 2
"""With fewer units in an arm than its constant, its slopes and so many more, a line through it says nothing."""


def weighted_difference(values: Floats, is_treated: Bools, weight: Floats) -> float:
    """Return the weighted mean of the treated less that of the comparison units; shapes (n,)."""
    treated, other = weight * is_treated, weight * ~is_treated
    return float(treated @ values / treated.sum() - other @ values / other.sum())


def covariance_adjusted(values: Floats, columns: Floats, is_treated: Bools, weight: Floats) -> float:
    """Return what the treated have more than the comparison arm's line says of their means, NaN for too few units.

    Parameters
    ----------
    values : shape (n,), the outcome
    columns : shape (n, k), what is adjusted for
    is_treated, weight : shape (n,), weights of zero for units not used

    Notes
    -----
    ȳ₁ − (ȳ₀ + (x̄₁ − x̄₀)'β₀) with β₀ by weighted least squares among the comparison units: the coefficient of
    treatment in the regression with treatment × x, x centred at the treated's mean (Lin, 2013), which does not hang on
    the slopes of the treated. Columns that follow from those before them in the comparison arm have no slope.
    """
    other, treated = np.flatnonzero(~is_treated & (weight > 0)), is_treated & (weight > 0)
    w = weight[other] / weight[other].sum()
    centre, mean = w @ columns[other], w @ values[other]
    kept, scaled = _independent(columns[other] - centre, np.sqrt(w))
    if len(other) <= len(kept) + SPARE_UNITS:
        return float("nan")
    slopes = np.linalg.lstsq(scaled, np.sqrt(w) * (values[other] - mean), rcond=None)[0]
    share = weight[treated] / weight[treated].sum()
    apart = share @ columns[treated] - centre
    return float(share @ values[treated] - mean - apart[kept] @ slopes)


def independent_columns(columns: Floats, weight: Floats) -> Ints:
    """Return the positions of the columns (n, k) that do not follow from a constant and the columns before them."""
    w = weight / weight.sum()
    return _independent(columns - w @ columns, np.sqrt(w))[0]


def _independent(centred: Floats, root: Floats) -> tuple[Ints, Floats]:
    """Return which centred columns add something to those before them, and these times the root of the weights."""
    scaled = root[:, None] * centred
    length = np.sqrt((scaled**2).sum(axis=0))
    kept = np.flatnonzero(length > 1e-12 * np.abs(centred).max(axis=0, initial=0.0))
    while len(kept):
        n_most = min(len(kept), len(scaled))
        left = np.abs(np.diag(np.linalg.qr(scaled[:, kept], mode="r"))) / length[kept[:n_most]]
        small = np.flatnonzero(left < ADDS_NOTHING)
        if not len(small):
            kept = kept[:n_most]
            break
        kept = np.delete(kept, small[0])  # one at a time: what stands behind it was measured against rounding
    return kept, scaled[:, kept]
