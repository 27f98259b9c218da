"""The proof that pairs are the best there are: prices of partners."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.design.arrays.candidates import Graph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOT_MATCHED = -1


class Proof(NamedTuple):
    """How far pairs may be from the best: `cost` of each row, its distance plus its partner's price, shape (n,).

    `gap` is the most by which the sum exceeds the least one over the pairs of the graph; `open_rows` are rows
    whose cost is above the distance of partners that the graph leaves out, which may therefore be better, and
    `loose_rows` those that would pay less with another partner of the graph.
    """

    cost: Floats
    gap: float
    open_rows: Ints
    loose_rows: Ints


def proof(graph: Graph, columns: Ints, penalty: Floats, n_partners: int) -> Proof:
    """Return what prices prove about pairs.

    Parameters
    ----------
    graph : possible pairs of each row
    columns : the partner of each row, or `NOT_MATCHED`, shape (n,)
    penalty : what a row without a partner costs, shape (n,)
    n_partners : number of partners

    Notes
    -----
    For any prices p ≥ 0 that are zero where partners are not used, no pairs cost less than Σ u'_i − Σ p_j with
    u'_i = min(min_j (c_ij + p_j), penalty_i): weak duality of the assignment problem. The prices tried are the least
    ones under which each row's partner is its cheapest, p_j = max(0, max_i (c_i,m(i) + p_m(i) − c_ij)), which exist
    for the best pairs and for no others (a wrong choice keeps a gap). They are raised along chains of rows that
    would rather have another's partner.
    """
    price, own = np.zeros(n_partners), np.array(penalty)
    is_matched = columns >= 0
    focal = graph.focal
    is_own = graph.partner == columns[focal]
    own[focal[is_own]] = graph.distance[is_own]
    holder = np.full(n_partners, NOT_MATCHED)
    holder[columns[is_matched]] = np.flatnonzero(is_matched)
    slack = 1e-13 * max(float(own.max(initial=0)), np.finfo(float).tiny)
    active = np.arange(len(columns))
    cost = own.copy()
    for _ in range(len(columns) + 1):
        edges, size = graph.edges_of(active)
        partner = graph.partner[edges]
        wanted = np.repeat(cost[active], size) - graph.distance[edges]
        raised = np.flatnonzero((wanted > price[partner] + slack) & (holder[partner] >= 0))
        if not len(raised):
            break
        np.maximum.at(price, partner[raised], wanted[raised])
        active = np.unique(holder[partner[raised]])
        cost[active] = own[active] + price[columns[active]]
    return _judged(graph, cost, price, penalty)


def _judged(graph: Graph, cost: Floats, price: Floats, penalty: Floats) -> Proof:
    least = penalty.copy()
    edges = graph.distance + price[graph.partner]
    rows = np.flatnonzero(np.diff(graph.first))
    if len(rows):
        least[rows] = np.minimum(least[rows], np.minimum.reduceat(edges, graph.first[rows]))
    slack = 1e-13 * max(float(cost.max(initial=0)), np.finfo(float).tiny)
    open_rows, loose_rows = np.flatnonzero(cost > graph.beyond + slack), np.flatnonzero(cost > least + slack)
    return Proof(cost, float(np.maximum(cost - least, 0).sum()), open_rows, loose_rows)
