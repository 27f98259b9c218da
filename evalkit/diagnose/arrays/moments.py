"""Numerical kernels of balance: arrays in, numbers out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def weighted_mean(values: Floats, weight: Floats) -> float:
    """Return Σwx / Σw."""
    return float(np.average(values, weights=weight))


def weighted_variance(values: Floats, weight: Floats) -> float:
    """Return Σw(x − m)² / (1 − Σw²) with weights summing to one: s² for equal weights. NaN for one unit."""
    share = weight / weight.sum()
    centred = values - share @ values
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(share @ centred**2 / (1 - share @ share))
