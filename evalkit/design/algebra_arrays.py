"""Products of tall matrices in small pieces, and which column of a table follows from the others.

A woken thread waits busily for some 40 ms after each product, which costs more than small products do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats

# Matrix products of tall arrays in pieces too small for the linear algebra library to wake its threads.

Numbers = NDArray[np.floating[Any]]

SMALL = 250_000
"""Multiplications in one piece; OpenBLAS shares out products of more than 262,144."""

_COLLINEAR = 1e-10
"""The ratio of the least to the largest eigenvalue of a matrix that is singular for practical purposes."""


def crossed(left: Numbers, right: Numbers) -> Floats:
    """Return left' right for shapes (n, p) and (n, q)."""
    step = max(1, SMALL // max(left.shape[1] * right.shape[1], 1))
    total = np.zeros((left.shape[1], right.shape[1]))
    for first in range(0, len(left), step):
        total += left[first : first + step].T @ right[first : first + step]
    return total


def by_rows(left: Numbers, right: Numbers) -> Floats:
    """Return left right for shapes (n, p) and (p, q)."""
    step = max(1, SMALL // max(right.size, 1))
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


def is_collinear(product: Floats) -> bool:
    """Return whether a matrix X'WX is singular for practical purposes, whatever the scale of its columns."""
    size = np.sqrt(np.diagonal(product))
    if not (np.isfinite(product).all() and (size > 0).all()):
        return True
    values = np.linalg.eigvalsh(product / np.outer(size, size))
    return bool(values[0] < _COLLINEAR * values[-1])


_PART = 1e-6
"""A column with a smaller share in another's making has none."""


class Dependence(NamedTuple):
    """A column that those before it determine, and those of them that it is made of; none where it does not vary."""

    column: int
    made_of: tuple[int, ...]


def dependence(columns: Floats) -> Dependence | None:
    """Return the first column that follows from those before it, or None where each says something of its own.

    Parameters
    ----------
    columns : shape (n, k), each at mean 0 and SD 1, or zeros where it does not vary
    """
    constant = ~columns.any(axis=0)
    if constant.any():
        return Dependence(int(np.argmax(constant)), ())
    product = crossed(columns, columns)
    if not columns.shape[1] or not is_collinear(product):
        return None
    last = next(k for k in range(2, columns.shape[1] + 1) if is_collinear(product[:k, :k])) - 1
    share = np.linalg.lstsq(product[:last, :last], product[:last, last], rcond=None)[0]
    return Dependence(last, tuple(k for k in range(last) if abs(share[k]) > _PART))
