"""Matching with replacement: the nearest rows with every tie, the effect from imputed outcomes, its error."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.errors import DesignError

# The nearest rows with every tie kept.

MOST_PAIRS = 20_000_000
"""Pairs held at once; more ties than this make no sensible matching."""


def tied_nearest(
    focal: Floats, pool: Floats, n_matches: int, tolerance: float, skip_same: bool = False
) -> tuple[Ints, Ints]:
    """Return rows of `focal` (n, k) and of `pool` (m, k) that are as near as the `n_matches`-th nearest or nearer.

    Squared distances within `tolerance` of its square count as ties. With `skip_same`, `focal` is `pool` and no row
    is its own neighbour. Focal rows go up, and within each the pool's rows.
    """
    from scipy.spatial import cKDTree

    n_nearest = n_matches + int(skip_same)
    if len(pool) < n_nearest:
        raise DesignError(
            f"{n_matches} matches for each unit were asked for, and there are {len(pool) - int(skip_same)} units to "
            "choose from. Ask for fewer, or loosen exact constraints."
        )
    tree = cKDTree(pool)
    reach = np.sqrt(tree.query(focal, k=[n_nearest])[0][:, 0] ** 2 + tolerance)
    lengths = tree.query_ball_point(focal, reach, return_length=True)
    if int(lengths.sum()) > MOST_PAIRS:
        raise DesignError(
            f"Ties make {int(lengths.sum()):,} pairs, more than the {MOST_PAIRS:,} that are held. Match on more "
            "covariates, or exactly."
        )
    found = tree.query_ball_point(focal, reach, return_sorted=True)
    rows = np.repeat(np.arange(len(focal)), lengths)
    columns = np.concatenate([np.asarray(part, dtype=np.int64) for part in found]) if len(found) else rows
    is_other = rows != columns if skip_same else np.ones(len(rows), dtype=bool)
    return rows[is_other].astype(np.int64), columns[is_other]


# Matching estimators with replacement: the effect from imputed outcomes, and its large-sample error.


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourSets:
    """Whose outcome stands in for whose.

    Attributes
    ----------
    focal, partner : shape (n_pairs,), positions of units
    weight : shape (n_pairs,), sums to 1 for each focal unit
    """

    focal: Ints
    partner: Ints
    weight: Floats

    @property
    def n_focal(self) -> int:
        """Return the number of units whose missing outcome is imputed."""
        return len(np.unique(self.focal))

    def among(self, is_focal: Bools) -> NeighbourSets:
        """Return the pairs whose focal unit is wanted, shape (n_units,)."""
        chosen = is_focal[self.focal]
        return replace(self, focal=self.focal[chosen], partner=self.partner[chosen], weight=self.weight[chosen])


def equal_shares(focal: Ints, partner: Ints) -> NeighbourSets:
    """Return neighbours that share the weight of their focal unit equally."""
    return NeighbourSets(focal, partner, 1 / np.bincount(focal)[focal])


def pair_differences(
    neighbours: NeighbourSets, outcome: Floats, is_treated: Bools, covariates: Floats | None = None
) -> Floats:
    """Return treated less comparison outcome of each pair, shape (n_pairs,).

    With covariates the partner's outcome is moved by (x_focal − x_partner)'β, β from the regression of the partners'
    outcomes on their covariates within their arm, weighted by how much they serve (Abadie and Imbens, 2011).
    """
    focal, partner = neighbours.focal, neighbours.partner
    imputed = outcome[partner].copy()
    if covariates is not None:
        for arm in (True, False):
            rows = is_treated[partner] == arm
            if rows.any():
                slopes = _slopes(outcome, covariates, partner[rows], neighbours.weight[rows])
                imputed[rows] += (covariates[focal[rows]] - covariates[partner[rows]]) @ slopes
    return np.asarray(np.where(is_treated[focal], 1.0, -1.0) * (outcome[focal] - imputed))


def _slopes(outcome: Floats, covariates: Floats, partner: Ints, weight: Floats) -> Floats:
    used, at = np.unique(partner, return_inverse=True)
    root = np.sqrt(np.bincount(at, weight))[:, None]
    columns = np.column_stack([np.ones(len(used)), covariates[used]])
    if len(used) <= columns.shape[1]:
        raise DesignError(
            f"{len(used)} different partners are too few for a correction by {columns.shape[1] - 1} columns. "
            "Adjust for fewer."
        )
    found, _, rank, _ = np.linalg.lstsq(columns * root, outcome[used] * root[:, 0], rcond=1e-10)
    if rank < columns.shape[1]:
        raise DesignError(
            "Among the partners that matching chose, a column to adjust for does not vary or is a sum of the others, "
            "so that the correction does not exist. Adjust for fewer columns."
        )
    return np.asarray(found[1:])


def matching_effect(
    neighbours: NeighbourSets, difference: Floats, n_units: int, variance: Floats | None = None
) -> tuple[float, float]:
    """Return the average difference over focal units and its standard error.

    With τ_i the difference of focal unit i, N their number, K_j and L_j the sums of unit j's weights and of their
    squares as a partner, σ²_j its outcome's variance given covariates (Abadie and Imbens, 2006):

    V = [Σ_i (τ_i − τ)² + Σ_j (K_j² + 2 K_j 1(j is focal too) − L_j) σ²_j] / N².

    `variance` holds σ²_j, shape (n_units,); None for errors that are alike in all: ½ Σ w (d − τ)² / N over pairs.
    """
    weight, n = neighbours.weight, neighbours.n_focal
    effect = float((weight * difference).sum() / n)
    by_focal = np.bincount(neighbours.focal, weight * difference, minlength=n_units)
    is_focal = np.bincount(neighbours.focal, minlength=n_units) > 0
    served = np.bincount(neighbours.partner, weight, minlength=n_units)
    squared = np.bincount(neighbours.partner, weight**2, minlength=n_units)
    if variance is None:
        variance = np.full(n_units, 0.5 * float((weight * (difference - effect) ** 2).sum()) / n)
    spread = float(((by_focal[is_focal] - effect) ** 2).sum())
    # The cross term is there for ATE alone, where a partner is focal too.
    factor = served**2 + 2 * served * is_focal - squared
    return effect, float(np.sqrt(max(spread + float((factor * variance).sum()), 0.0))) / n


def local_variance(same_arm: NeighbourSets, outcome: Floats) -> Floats:
    """Return the sample variance of each unit's outcome and its neighbours' in its own arm, shape (n_units,).

    Unbiased where outcomes of neighbours have the same mean (Abadie and Imbens, 2006); 0 for units without any.
    """
    n = len(outcome)
    count = np.bincount(same_arm.focal, minlength=n)
    # Differences from the unit, whose own is 0: `count + 1` outcomes have these sums.
    away = outcome[same_arm.partner] - outcome[same_arm.focal]
    total = np.bincount(same_arm.focal, away, minlength=n)
    squares = np.bincount(same_arm.focal, away**2, minlength=n)
    return np.asarray(np.maximum(squares - total**2 / (count + 1), 0.0) / np.maximum(count, 1))
