"""Matrix products of tall arrays in pieces too small for the linear algebra library to wake its threads.

A woken thread waits busily for some 40 ms after each product, which costs more than small products do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.floating[Any]]

_SMALL = 250_000
"""Multiplications in one piece; OpenBLAS shares out products of more than 262,144."""


def crossed(left: Numbers, right: Numbers) -> Floats:
    """Return left' right for shapes (n, p) and (n, q)."""
    step = max(1, _SMALL // max(left.shape[1] * right.shape[1], 1))
    total = np.zeros((left.shape[1], right.shape[1]))
    for first in range(0, len(left), step):
        total += left[first : first + step].T @ right[first : first + step]
    return total


def by_rows(left: Numbers, right: Numbers) -> Floats:
    """Return left right for shapes (n, p) and (p, q)."""
    step = max(1, _SMALL // max(right.size, 1))
    product: Floats = np.empty((len(left), right.shape[1]), dtype=np.result_type(left, right))
    for first in range(0, len(left), step):
        np.matmul(left[first : first + step], right, out=product[first : first + step])
    return product


def summed(weight: Numbers, values: Numbers) -> Floats:
    """Return weight' values for shapes (n,) and (n, q)."""
    total: Floats = crossed(weight[:, None], values)[0]
    return total


def applied(left: Numbers, right: Numbers) -> Floats:
    """Return left right for shapes (n, p) and (p,)."""
    return by_rows(left, right[:, None])[:, 0]
