"""What a design finds where nothing happened, from the statistic of areas or of their sets: arrays in, arrays out."""

from __future__ import annotations

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.estimate.areas.changes_arrays import TIE


def rank_p_values(statistic: Floats, area: Ints, others: Floats, area_of_others: Ints, centre: float) -> Floats:
    """Return the p-value of each pseudo-programme, as if its area were the treated one, shape (D,).

    Parameters
    ----------
    statistic : shape (D,)
        What is found of each pseudo-programme.
    area : shape (D,)
        Position of its area, 0 … J − 1.
    others : shape (E,)
        What is found of each set that it is placed among, those of its own area left out.
    area_of_others : shape (E,)
    centre : float
        What such sets gain where nothing happened, taken off both; 0 where nothing is.

    Returns
    -------
    p = [1 + Σ_j s_j(|T − m|)] / J over the other areas j, s_j the share of area j's sets at least as large.
    """
    codes = np.unique(np.concatenate([area, area_of_others]))
    size = np.abs(statistic - centre) - TIE
    total = np.ones(len(statistic))
    for code in np.unique(area_of_others).tolist():
        sizes = np.sort(np.abs(others[area_of_others == code] - centre))
        share = 1.0 - np.searchsorted(sizes, size, side="left") / len(sizes)
        total += np.where(area == code, 0.0, share)
    found: Floats = total / len(codes)
    return found


def over_areas(values: Floats, area: Ints) -> tuple[float, float]:
    """Return the mean over areas of their means, and its standard error with areas as independent (0 for one area)."""
    codes, at = np.unique(area, return_inverse=True)
    means = np.bincount(at, values) / np.bincount(at)
    error = float(means.std(ddof=1) / np.sqrt(len(codes))) if len(codes) > 1 else 0.0
    return float(means.mean()), error
