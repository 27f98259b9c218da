"""The overall group-time effect with whole clusters in other places, from sums by cluster and period."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


class Place(NamedTuple):
    """One cell after the start: its stratum, its period and base by position, and the strata it is compared with."""

    stratum: int
    period: int
    base: int
    compared: tuple[int, ...]


def exchanged_effects(total: Floats, weight: Floats, stratum: Codes, places: tuple[Place, ...]) -> Floats:
    """Return the overall effect under each assignment of clusters to strata.

    Parameters
    ----------
    total : shape (n_clusters, n_periods, m)
        Weighted sums of m outcomes.
    weight : shape (n_clusters,)
        Weights of the clusters' units, the same in each period.
    stratum : shape (n_assignments, n_clusters)
        The stratum each cluster takes; every stratum keeps its number of clusters.
    places : the cells that are averaged

    Returns
    -------
    shape (n_assignments, m)
        Σ_c n_g(c) (difference of mean changes in cell c) / Σ_c n_g(c), n_g the weight of the cell's cohort.
    """
    cells, size = exchanged_cells(total, weight, stratum, places)
    by_cohort = size[:, [place.stratum for place in places]]
    effects: Floats = (by_cohort[:, :, None] * cells).sum(axis=1) / by_cohort.sum(axis=1)[:, None]
    return effects


def exchanged_cells(total: Floats, weight: Floats, stratum: Codes, places: tuple[Place, ...]) -> tuple[Floats, Floats]:
    """Return every cell under each assignment, (n_assignments, n_cells, m), and the weight of each stratum in it.

    The arguments are those of `exchanged_effects`; weights have shape (n_assignments, n_strata).
    """
    n_strata = int(stratum.max()) + 1
    sums = np.empty((len(stratum), n_strata, *total.shape[1:]))
    size = np.empty((len(stratum), n_strata))
    for s in range(n_strata):
        member = (stratum == s).astype(float)
        sums[:, s] = np.tensordot(member, total, axes=1)
        size[:, s] = member @ weight
    cells = np.empty((len(stratum), len(places), total.shape[2]))
    for at, place in enumerate(places):
        others = list(place.compared)
        own = (sums[:, place.stratum, place.period] - sums[:, place.stratum, place.base]) / size[:, [place.stratum]]
        other = (sums[:, others, place.period] - sums[:, others, place.base]).sum(axis=1)
        cells[:, at] = own - other / size[:, others].sum(axis=1)[:, None]
    return cells, size
