"""Who is compared with whom after matching or weighting, and how much each unit counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimand, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.data.baseline import Baseline
from evalkit.design.matching.options import (
    MatchingOption,
    NearestNeighbour,
    OptimalMatching,
    Target,
    WeightingOption,
)
from evalkit.design.weights_arrays import effective_n


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Treated and comparison units that were put together, as positions in the baseline.

    Attributes
    ----------
    treated, comparison : shape (n_pairs,)
    distance : shape (n_pairs,)
        In units of the distance used; for scores |difference in probability| (in log odds for linear-logit).
    """

    treated: Ints
    comparison: Ints
    distance: Floats

    @property
    def total_distance(self) -> float:
        """Return the sum of distances over pairs."""
        return float(self.distance.sum())

    def in_turn(self, target: Target) -> tuple[Ints, Ints]:
        """Return the focal unit of each pair, which is of the group whose effect is wanted, and its partner."""
        return (self.comparison, self.treated) if target == "ATC" else (self.treated, self.comparison)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class MatchedDesign(Shown):
    """A comparison group chosen from a `Baseline`, which holds no outcome.

    Attributes
    ----------
    weights : shape (n_units,)
        Zero for units not used; within each arm they sum to the number of units used.
    pairs : Pairs, or None where the method makes none
    strata : shape (n_units,), or None
        The matched set or subclass of each unit, −1 for units in none. None with replacement and for weights.
    score : shape (n_units,), or None
        The propensity score (or own score) that distances or weights came from.
    discarded : shape (n_units,)
        Units left out before matching: outside common support, or trimmed.
    notes : sentences a reader of the result must know
    """

    baseline: Baseline
    option: MatchingOption | WeightingOption
    target: Target
    weights: Floats
    pairs: Pairs | None = None
    strata: Ints | None = None
    score: Floats | None = None
    discarded: Bools
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        is_treated = self.baseline.is_treated
        for arm, name in ((is_treated, "treated"), (~is_treated, "comparison")):
            if not (self.weights[arm] > 0).any():
                raise DesignError(
                    f"No {name} unit is left after matching, so there is nothing to compare. Loosen the calipers or "
                    "exact constraints, or use another method."
                )

    @property
    def is_used(self) -> Bools:
        """Return which units have a weight, shape (n_units,)."""
        used: Bools = self.weights > 0
        return used

    @property
    def n_treated(self) -> int:
        """Return the number of treated units used."""
        return int((self.is_used & self.baseline.is_treated).sum())

    @property
    def n_comparison(self) -> int:
        """Return the number of comparison units used."""
        return int((self.is_used & ~self.baseline.is_treated).sum())

    @property
    def effective_comparison(self) -> float:
        """Return the number of equally weighted comparison units that would be as informative."""
        return effective_n(self.weights[~self.baseline.is_treated])

    @property
    def effective_treated(self) -> float:
        """Return the number of equally weighted treated units that would be as informative."""
        return effective_n(self.weights[self.baseline.is_treated])

    @property
    def total_distance(self) -> Quantity:
        """Return the sum of distances over pairs, or why there is none."""
        if self.pairs is None:
            return Unavailable("This method makes no pairs, so there is no sum of distances.")
        return self.pairs.total_distance

    @property
    def estimand(self) -> Estimand:
        """Return what an effect from this design is an effect on: losing units of the target group changes it."""
        is_kept = self.is_used[in_target(self.baseline.is_treated, self.target)]
        return Estimand(self.target if is_kept.all() else f"{self.target}_AMONG_MATCHED")

    def pair_table(self) -> pd.DataFrame:
        """Return the pairs with their ids: treated, comparison, distance; empty where there are none."""
        if self.pairs is None:
            return pd.DataFrame({"treated": [], "comparison": [], "distance": []})
        ids = self.baseline.units.index
        return pd.DataFrame(
            {
                "treated": ids[self.pairs.treated],
                "comparison": ids[self.pairs.comparison],
                "distance": self.pairs.distance,
            }
        )


def in_target(is_treated: Bools, target: Target) -> Bools:
    """Return which units belong to the group whose average effect is wanted."""
    return {"ATT": is_treated, "ATC": ~is_treated, "ATE": np.ones(len(is_treated), dtype=bool)}[target]


def paired_weights(is_treated: Bools, pairs: Pairs, target: Target) -> Floats:
    """Return weights from pairs: each focal unit counts one and shares it equally among its partners.

    Focal units are the treated for the ATT and the comparison units for the ATC. Partners' shares are scaled to
    sum to the number of different partners. Shape (n_units,).
    """
    focal, partner = pairs.in_turn(target)
    n = len(is_treated)
    n_partners = np.bincount(focal, minlength=n)
    weights = np.bincount(partner, 1 / n_partners[focal], minlength=n).astype(float)  # an empty count is of integers
    weights *= np.count_nonzero(weights) / max(weights.sum(), 1)
    weights[n_partners > 0] = 1.0
    return weights


def matched_sets(n_units: int, pairs: Pairs, target: Target) -> Ints:
    """Return the matched set of each unit, −1 for none: a focal unit and its partners, in the order of focal units."""
    focal, partner = pairs.in_turn(target)
    sets = np.full(n_units, -1, dtype=np.int64)
    codes = np.unique(focal, return_inverse=True)[1]
    sets[focal], sets[partner] = codes, codes
    return sets


def stratum_weights(is_treated: Bools, strata: Ints, target: Target) -> Floats:
    """Return weights from strata: within each, an arm counts as much as the target group has units there.

    Strata that lack an arm count nothing. Within each arm weights sum to the number of units used. Shape (n_units,).
    """
    is_in_stratum = strata >= 0
    n_strata = int(strata.max(initial=-1)) + 1
    treated = np.bincount(strata[is_in_stratum & is_treated], minlength=n_strata)
    comparison = np.bincount(strata[is_in_stratum & ~is_treated], minlength=n_strata)
    target_size = {"ATT": treated, "ATC": comparison, "ATE": treated + comparison}[target]
    weights = np.zeros(len(strata))
    is_whole = (treated > 0) & (comparison > 0)
    for arm, size in ((is_treated, treated), (~is_treated, comparison)):
        rows = np.flatnonzero(is_in_stratum & arm)
        rows = rows[is_whole[strata[rows]]]
        weights[rows] = target_size[strata[rows]] / size[strata[rows]]
        weights[rows] *= len(rows) / max(weights[rows].sum(), np.finfo(float).tiny)
    return weights


def without_units(design: MatchedDesign, lost: Bools) -> MatchedDesign:
    """Return a design without some of its units, such as those whose outcome is not known.

    A pair that loses either unit is left out, a stratum weighs what is left of it, and weights that were fitted are
    kept in their proportions. `lost` has shape (n_units,). Raise `DesignError` where an arm is left without units.
    """
    if not (lost & design.is_used).any():
        return design
    is_treated, pairs, strata = design.baseline.is_treated, design.pairs, design.strata
    if pairs is not None:
        whole = ~lost[pairs.treated] & ~lost[pairs.comparison]
        pairs = Pairs(pairs.treated[whole], pairs.comparison[whole], pairs.distance[whole])
    if pairs is not None and isinstance(design.option, NearestNeighbour | OptimalMatching):
        weights = paired_weights(is_treated, pairs, design.target)
        strata = None if strata is None else matched_sets(len(lost), pairs, design.target)
    elif strata is not None:
        strata = np.where(lost, -1, strata)
        weights = stratum_weights(is_treated, strata, design.target)
        strata = np.where(weights > 0, strata, -1)
    else:
        weights = _kept_weights(np.where(lost, 0.0, design.weights), is_treated)
    return replace(design, pairs=pairs, strata=strata, weights=weights)


def _kept_weights(weights: Floats, is_treated: Bools) -> Floats:
    """Return weights scaled so that within each arm they sum to the number of units used."""
    scaled = weights.copy()
    for arm in (is_treated, ~is_treated):
        scaled[arm] *= np.count_nonzero(weights[arm]) / max(weights[arm].sum(), np.finfo(float).tiny)
    return scaled
