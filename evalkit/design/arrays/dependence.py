"""Which column of a table follows from the others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.design.arrays.products import crossed
from evalkit.design.arrays.propensity import is_collinear

Floats = NDArray[np.float64]

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
