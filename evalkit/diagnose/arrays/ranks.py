"""Where a statistic stands among those of all areas: ranks, their joint statistic, and the power of a rank."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalkit.estimate.arrays.area_changes import TIE

Floats = NDArray[np.float64]


def rank_p_values(statistic: Floats) -> Floats:
    """Return each area's p-value among all: p_j = #{i: |s_i| ≥ |s_j|} / J, j itself counted; shape (J,)."""
    size = np.abs(statistic)
    smaller = np.searchsorted(np.sort(size), size - TIE, side="left")
    p: Floats = (len(size) - smaller) / len(size)
    return p


def joint_statistic(p_values: Floats) -> Floats:
    """Return Q_j = −Σ_k log p_kj of areas whose checks stand in rows, shape (K, J) to (J,) (Fisher, 1932).

    Fisher's χ² would need independent checks; Q is ranked among the same areas instead, so that whatever ties the
    checks to one another is in its distribution too.
    """
    joint: Floats = -np.log(p_values).sum(axis=0)
    return joint


def share_at_least(planted: Floats, statistic: Floats, alpha: float) -> float:
    """Return how often a planted statistic would be among the `alpha` largest in size: the power of a rank.

    Parameters
    ----------
    planted, statistic : shape (J − 1,)
        The statistic with and without the flaw, of every area but the treated one. The treated area is taken to be
        like each in turn but for the flaw, and ranked among them all: it is found where
        (1 + #{i: |s_i| ≥ |planted_j|}) / J ≤ alpha.
    """
    as_large = len(statistic) - np.searchsorted(np.sort(np.abs(statistic)), np.abs(planted) - TIE, side="left")
    return float(np.mean((1 + as_large) / (len(statistic) + 1) <= alpha + TIE))
