"""Kernel of what is left of a system of inequalities once its free unknowns are gone: the extreme rays of its dual."""

from __future__ import annotations

from typing import Final

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.errors import DesignError

MOST_RAYS: Final = 400
"""Beyond so many the tests of a bound would take minutes and gigabytes."""
_MOST_ON_THE_WAY: Final = 5 * MOST_RAYS
_ZERO: Final = 1e-10
"""Below this share of the largest number of a ray or a column, a number is rounding."""


def extreme_rays(columns: Floats) -> Floats:
    """Return the extreme rays of {γ ≥ 0, γ'X = 0} as rows, shape (n_rays, n_rows), the largest number of each 1.

    By the double description method (Motzkin and others, 1953): from the rays of γ ≥ 0, each column in turn keeps
    those on its plane and joins every adjacent pair on the two sides of it. Two rays are adjacent if no third one has
    its support within theirs. Columns that touch few rows of those yet to come are best taken first.

    Parameters
    ----------
    columns : shape (n_rows, k), X

    Raises `DesignError` where there are more than `MOST_RAYS`.

    >>> extreme_rays(np.array([[1.0], [-1.0], [2.0]])).tolist()
    [[1.0, 1.0, 0.0], [0.0, 1.0, 0.5]]
    """
    rays = np.eye(len(columns))
    for column in columns.T:
        rays = _on_plane(rays, column)
        if len(rays) > _MOST_ON_THE_WAY:
            break
    if len(rays) > MOST_RAYS:
        raise DesignError(
            "The combinations of these assumptions are too many to be tested. Take an average over fewer event times, "
            "or assume no sign or direction of the violations."
        )
    return rays


def _on_plane(rays: Floats, column: Floats) -> Floats:
    """Return the extreme rays of a cone's meeting with the plane γ'x = 0."""
    value = rays @ column
    size = np.abs(value)
    is_on = size <= _ZERO * max(float(np.abs(column).max(initial=0.0)), 1e-300)
    above, below = np.flatnonzero((value > 0) & ~is_on), np.flatnonzero((value < 0) & ~is_on)
    support = rays > _ZERO
    joined, n_joined = [rays[is_on]], int(is_on.sum())
    for i in above:
        if n_joined > _MOST_ON_THE_WAY:
            break
        inside = support[i] | support[below]
        n_within = (support[None, :, :] <= inside[:, None, :]).all(axis=2).sum(axis=1)
        near = below[n_within == 2]
        n_joined += len(near)
        mixed = size[near, None] * rays[i] + size[i] * rays[near]
        joined.append(mixed / mixed.max(axis=1, keepdims=True, initial=1e-300))
    return np.concatenate(joined)
