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


class ExchangedSums(NamedTuple):
    """What every number under some assignments of clusters to strata is made of.

    total, shape (n_assignments, n_strata, n_periods): weighted sums of the outcome of the clusters in each stratum;
    size, shape (n_assignments, n_strata): their weight.
    """

    total: Floats
    size: Floats


def exchanged_sums(total: Floats, weight: Floats, stratum: Codes) -> ExchangedSums:
    """Return sums by stratum under each assignment.

    Parameters
    ----------
    total : shape (n_clusters, n_periods)
        Weighted sums of the outcome.
    weight : shape (n_clusters,)
        Weights of the clusters' units, the same in each period.
    stratum : shape (n_assignments, n_clusters)
        The stratum each cluster takes; every stratum keeps its number of clusters.
    """
    both = np.column_stack([total, weight])
    n_strata = int(stratum.max()) + 1
    sums = np.stack([(stratum == s).astype(float) @ both for s in range(n_strata)], axis=1)
    return ExchangedSums(sums[:, :, :-1], sums[:, :, -1])


def exchanged_cells(sums: ExchangedSums, places: tuple[Place, ...]) -> Floats:
    """Return every cell under each assignment, a difference of mean changes, shape (n_assignments, n_cells)."""
    cells = np.empty((len(sums.size), len(places)))
    for at, place in enumerate(places):
        others = list(place.compared)
        change = sums.total[:, :, place.period] - sums.total[:, :, place.base]
        other = change[:, others].sum(axis=1) / sums.size[:, others].sum(axis=1)
        cells[:, at] = change[:, place.stratum] / sums.size[:, place.stratum] - other
    return cells


def exchanged_effects(sums: ExchangedSums, places: tuple[Place, ...]) -> Floats:
    """Return the overall effect under each assignment, Σ_c n_g(c) (cell c)/Σ_c n_g(c), shape (n_assignments,).

    n_g is the weight of the cell's cohort.
    """
    by_cohort = sums.size[:, [place.stratum for place in places]]
    effects: Floats = (by_cohort * exchanged_cells(sums, places)).sum(axis=1) / by_cohort.sum(axis=1)
    return effects
