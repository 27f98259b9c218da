"""Costs as whole numbers, so that a solver's sums of them are exact."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BITS: Final = 46
"""The largest cost becomes a number of so many bits; a float holds sums of 128 such numbers without rounding."""


def whole_costs(cost: Floats) -> Floats:
    """Return costs of zero or more as whole numbers from 1 on, in a unit of their own.

    Each is off by at most 1e-14 of the largest, and from 1 on because a sparse matrix drops zeros: where every row
    takes one column, what all columns cost more decides nothing. Prices in the algorithm of Jonker and Volgenant
    (1987) change by differences of sums. Where those are rounded, two rows that want the same columns can outbid
    each other for ever by less than a price can hold.
    """
    whole: Floats = 1 + np.rint(np.ldexp(cost, _BITS - int(np.frexp(cost.max(initial=0))[1])))
    return whole
