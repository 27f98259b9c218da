"""How much a weighted sample is worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def effective_n(weights: Floats) -> float:
    """Return (Σw)² / Σw², the number of equally weighted units that would be as informative (Kish, 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())
