"""Moving-block permutations of residuals, and the ends of what a test keeps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_RUNGS, _GROWTH, _HALVINGS = 45, 1.25, 25


def moved_block_p(residuals: Floats, n_post: int) -> float:
    """Return the share of cyclic moves whose last `n_post` residuals have at least as large a sum of sizes.

    The move by nothing is among them, so that the least p-value is one over the number of periods.
    """
    size = np.abs(residuals)
    sums = np.convolve(np.concatenate([size, size[: n_post - 1]]), np.ones(n_post), mode="valid")
    own = sums[len(size) - n_post]
    return float((sums >= own * (1 - 1e-10)).mean())


def outermost_kept(is_kept: Callable[[float], bool], centre: float, step: float) -> float:
    """Return the farthest value on one side of `centre` that a test keeps; infinite where none is rejected far out.

    Values are tried in growing steps, as what a test keeps need not be connected; the end is then found between the
    last one kept and the next. NaN where none is kept.
    """
    tried = centre + step * 0.2 * np.concatenate([[0.0], _GROWTH ** np.arange(_RUNGS)])
    kept = [at for at, value in enumerate(tried) if is_kept(float(value))]
    if not kept:
        return float("nan")
    if kept[-1] == len(tried) - 1:
        return float(np.copysign(np.inf, step))
    inside, outside = float(tried[kept[-1]]), float(tried[kept[-1] + 1])
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if is_kept(middle):
            inside = middle
        else:
            outside = middle
    return inside
