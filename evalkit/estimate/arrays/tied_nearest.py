"""The nearest rows with every tie kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from evalkit.core.errors import DesignError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_PAIRS = 20_000_000
"""Pairs held at once; more ties than this make no sensible matching."""


def tied_nearest(
    focal: Floats, pool: Floats, n_matches: int, tolerance: float, skip_same: bool = False
) -> tuple[Ints, Ints]:
    """Return rows of `focal` (n, k) and of `pool` (m, k) that are as near as the `n_matches`-th nearest or nearer.

    Squared distances within `tolerance` of its square count as ties. With `skip_same`, `focal` is `pool` and no row
    is its own neighbour. Focal rows go up, and within each the pool's rows.
    """
    wanted = n_matches + int(skip_same)
    if len(pool) < wanted:
        raise DesignError(
            f"{n_matches} matches for each unit were asked for, and there are {len(pool) - int(skip_same)} units to "
            "choose from. Ask for fewer, or loosen exact constraints."
        )
    tree = cKDTree(pool)
    reach = np.sqrt(tree.query(focal, k=[wanted])[0][:, 0] ** 2 + tolerance)
    lengths = tree.query_ball_point(focal, reach, return_length=True)
    if int(lengths.sum()) > MOST_PAIRS:
        raise DesignError(
            f"Ties make {int(lengths.sum()):,} pairs, more than the {MOST_PAIRS:,} that are held. Match on more "
            "covariates, or exactly."
        )
    found = tree.query_ball_point(focal, reach, return_sorted=True)
    rows = np.repeat(np.arange(len(focal)), lengths)
    columns = np.concatenate([np.asarray(part, dtype=np.int64) for part in found]) if len(found) else rows
    kept = rows != columns if skip_same else np.ones(len(rows), dtype=bool)
    return rows[kept].astype(np.int64), columns[kept]
