"""How far apart units that were put together are in a covariate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def pair_difference(values: Floats, treated: Ints, comparison: Ints) -> float:
    """Return the mean |difference| over pairs given as positions, shape (n_pairs,) each; NaN where there are none."""
    return float(np.abs(values[treated] - values[comparison]).mean()) if len(treated) else math.nan


def stratum_difference(values: Floats, is_treated: Bools, strata: Ints, order: Ints | None) -> float:
    """Return the mean |difference| over all pairs of a treated and a comparison unit of one stratum.

    No pair is ever made: with units sorted, Σ|xᵢ − xⱼ| = Σ x × (units of the other arm below − above).

    Parameters
    ----------
    values, is_treated : shape (n_units,)
    strata : shape (n_units,), −1 for units in none
    order : shape (n_units,), the order that sorts `values`, or None to sort here

    Returns
    -------
    The mean, NaN where no stratum has both arms.
    """
    order = np.argsort(values) if order is None else order
    own = strata[order]
    own = own.astype(np.int16) if own.max(initial=-1) < np.iinfo(np.int16).max else own  # sorted by their digits
    order = order[np.argsort(own, kind="stable")][np.count_nonzero(own < 0) :]
    if not len(order):
        return math.nan
    stratum, flag = strata[order], is_treated[order]
    starts = np.flatnonzero(np.append(True, stratum[1:] != stratum[:-1]))
    sizes = np.diff(starts, append=len(order))
    n_treated = np.add.reduceat(flag.astype(np.int64), starts)
    n_pairs = int((n_treated * (sizes - n_treated)).sum())
    if n_pairs == 0:
        return math.nan
    ordered = values[order] - values.mean()
    return float(ordered @ _below_less_above(flag, starts, sizes, n_treated)) / n_pairs


def _below_less_above(flag: Bools, starts: Ints, sizes: Ints, n_treated: Ints) -> Ints:
    """Return for each sorted unit how many units of the other arm of its stratum stand below it, less those above."""
    treated_below: Ints = np.cumsum(flag) - np.repeat(np.cumsum(n_treated) - n_treated, sizes)
    comparison_below = np.arange(1, len(flag) + 1) - np.repeat(starts, sizes) - treated_below
    all_treated = np.repeat(n_treated, sizes)
    all_comparison = np.repeat(sizes, sizes) - all_treated
    less: Ints = np.where(flag, 2 * comparison_below - all_comparison, 2 * treated_below - all_treated)
    return less
