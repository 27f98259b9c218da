"""The clusters of a design as CR2 sees them: alike and independent, each carrying shares of the means compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Codes, Floats
from evalkit.design.clusters import BEYOND, ClusterCounts, Concentration
from evalkit.design.panel.staggered import StaggeredDesign
from evalkit.design.weights_arrays import MeanVariance, mean_variance

ARMS: Final = np.array([1.0, -1.0])
"""What a difference of two arms gives to their means."""
_MOST_MIXED: Final = 3_000
"""Clusters of several strata that are compared with each other pair by pair; with more their number decides."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusterModel:
    """Which cluster carries which share of the mean of each stratum (a cohort, or the never-treated, last).

    A cluster that holds units of several strata has a share in each; these shares are taken to be independent, as
    clusters are. `stratum` is the earliest one a cluster holds, which is the only one unless `is_mixed`.

    Attributes
    ----------
    cluster, of_stratum, share : shape (n_shares,), a cluster's share of the weight of a stratum; sums to 1 in each
    stratum : shape (n_clusters,)
    weight, n : shape (n_strata,), the weight of each stratum and the clusters that hold it
    terms : for each stratum the variance of its mean and what the degrees of freedom need; None with one cluster
    is_mixed : whether a cluster holds units of more than one stratum
    counts : treated and comparison clusters
    """

    cluster: Codes
    of_stratum: Codes
    share: Floats
    stratum: Codes
    weight: Floats
    n: Codes
    terms: tuple[MeanVariance | None, ...]
    is_mixed: bool
    counts: ClusterCounts

    @classmethod
    def of(cls, design: StaggeredDesign) -> ClusterModel:
        """Return the model of a design's clusters, each cohort a stratum."""
        stratum, n_strata = design.stratum.astype(np.intp), len(design.cohorts) + 1
        model = cls.of_units(_clusters(design), design.n_clusters, stratum, carried_weight(design), n_strata)
        return replace(model, counts=cluster_counts(design))

    @classmethod
    def of_arms(cls, design: StaggeredDesign, cohorts: Iterable[int] | None = None) -> ClusterModel:
        """Return the model of treated units (of `cohorts` by position; None: all) as one stratum against the others.

        The other stratum is the never-treated; where every unit is treated in the end, the last cohort.
        """
        other = len(design.cohorts) - (design.n_never == 0)
        chosen = np.isin(design.stratum, list(range(other) if cohorts is None else set(cohorts) - {other}))
        is_other = design.stratum == other
        weight = np.where(chosen | is_other, carried_weight(design), 0.0)
        return cls.of_units(_clusters(design), design.n_clusters, np.where(chosen, 0, 1).astype(np.intp), weight, 2)

    @classmethod
    def of_units(cls, unit: Codes, n_clusters: int, stratum: Codes, size: Floats, n_strata: int) -> ClusterModel:
        """Return the model of units in strata, the last one compared with; `unit` holds each unit's cluster."""
        places, at = np.unique(unit * n_strata + stratum, return_inverse=True)
        held = np.bincount(at, size, len(places))
        cluster, of_stratum = (places // n_strata).astype(np.intp), (places % n_strata).astype(np.intp)
        earliest = np.full(n_clusters, n_strata - 1, dtype=np.intp)
        np.minimum.at(earliest, cluster, of_stratum)
        cluster, of_stratum, held = cluster[held > 0], of_stratum[held > 0], held[held > 0]
        weight = np.bincount(of_stratum, held, n_strata).astype(float)
        share = held / weight[of_stratum]
        n = np.bincount(of_stratum, minlength=n_strata).astype(np.intp)
        terms = tuple(mean_variance(share[of_stratum == s]) if n[s] > 1 else None for s in range(n_strata))
        is_mixed = len(np.unique(places // n_strata)) < len(places)
        counts = ClusterCounts(len(np.unique(cluster[of_stratum < n_strata - 1])), int(n[-1]))
        return cls(cluster, of_stratum, share, earliest, weight, n, terms, is_mixed, counts)

    def _expected(self) -> Floats:
        """Return Σh² of each stratum, 1 with one cluster, shape (n_strata,)."""
        return np.array([1.0 if term is None else term.expected for term in self.terms])

    def deflator(self, weights: Floats) -> Floats:
        """Return what squares of clusters' contributions are divided by, shape (n_clusters,).

        With b_s what a number gives to the mean of stratum s and h a cluster's share of it, the share adds b_s² h² to
        the number's variance, and to the expected square of the contribution (1 − 2h + Σh²) times that: 1 − 2h + Σh²
        where a cluster holds one stratum, the ratio of the sums where it holds several. A stratum that it holds alone
        is in no contribution and counts in neither sum (`beyond_seen` adds it); 1 where it holds no other.
        """
        squares, h = self._expected()[self.of_stratum], np.where(self.n[self.of_stratum] > 1, self.share, 0.0)
        left = 1 - 2 * h + squares
        n_clusters = len(self.stratum)
        deflator = np.ones(n_clusters)
        for b in (np.ones(len(self.n)), weights):  # a cluster that a number does not rest on keeps the first
            carried = (b[self.of_stratum] * h) ** 2
            whole = np.bincount(self.cluster, carried, n_clusters)
            seen = np.bincount(self.cluster, carried * left, n_clusters)
            deflator = np.where(whole > 0, seen / np.where(whole > 0, whole, 1.0), deflator)
        return deflator

    def beyond_seen(self, weights: Floats) -> Floats:
        """Return each number's variance over the part that contributions show, shape (K,); `weights` (K, n_strata).

        A stratum of one cluster does not deviate from its own mean: its b_s² is in no contribution, and is added as
        that of a cluster like the others. 1 where every stratum has two clusters, or none has.
        """
        added = weights**2 * self._expected()
        seen = added[:, self.n > 1].sum(axis=1)
        ratio: Floats = np.where(seen > 0, added.sum(axis=1) / np.where(seen > 0, seen, 1.0), 1.0)
        return ratio

    def unseen(self, weights: Floats) -> float:
        """Return the share of a number's variance that no contribution shows; `weights` has shape (n_strata,)."""
        return 1 - 1 / float(self.beyond_seen(weights[None, :])[0])

    def df(self, weights: Floats) -> float:
        """Return Satterthwaite's degrees of freedom where a number gives `weights` (n_strata,) to the strata's means.

        (Σ b_s² E_s)²/Σ b_s⁴ S_s with E and S of `mean_variance`; 0 where no stratum given weight has two clusters.
        Where clusters hold several strata the squares of whole contributions are what varies: see `_mixed_df`.
        """
        known = [(b**2, term) for b, term in zip(weights, self.terms, strict=True) if b != 0 and term is not None]
        squared = sum(weight**2 * term.spread for weight, term in known)
        if squared <= 0:
            return 0.0
        df = float(sum(weight * term.expected for weight, term in known) ** 2 / squared)
        return min(df, self._mixed_df(weights)) if self.is_mixed else df

    def _mixed_df(self, weights: Floats) -> float:
        """Return (Σ_g A_gg)²/Σ_g Σ_h A_gh², A the covariance of deflated contributions of whole clusters.

        Cov(ψ_g, ψ_h) = Σ_s b_s² h_sg h_sh (1[g = h] − h_sg − h_sh + Σh_s²).
        """
        n_clusters = len(self.stratum)
        if n_clusters > _MOST_MIXED:
            return float(max(min(self.counts.n_treated, self.counts.n_comparison) - 1, 0))
        shares = np.zeros((len(self.n), n_clusters))
        shares[self.of_stratum, self.cluster] = self.share
        covariance = np.zeros((n_clusters, n_clusters))
        for b, h, n, squares in zip(weights, shares, self.n, self._expected(), strict=True):
            if b != 0 and n > 1:
                both = np.eye(n_clusters) - h[:, None] - h[None, :] + squares
                covariance += b**2 * np.outer(h, h) * both
        scale = 1 / np.sqrt(self.deflator(weights))
        covariance *= np.outer(scale, scale)
        squared = float((covariance**2).sum())
        return float(np.trace(covariance) ** 2 / squared) if squared > 0 else 0.0

    def n_treated(self, weights: Floats) -> int:
        """Return how many clusters a number's treated strata lie in."""
        return len(np.unique(self.cluster[self._is_treated(weights)]))

    def _is_treated(self, weights: Floats) -> NDArray[np.bool_]:
        is_in: NDArray[np.bool_] = (self.of_stratum < len(self.n) - 1) & (weights[self.of_stratum] > 0)
        return is_in

    def concentration(self, weights: Floats) -> Concentration:
        """Return how unequally treated clusters carry a number, all cohorts taken as one group."""
        is_treated, is_other = self._is_treated(weights), weights[self.of_stratum] < 0
        carried = np.abs(weights[self.of_stratum]) * self.share
        treated, other = (
            np.bincount(self.cluster[arm], carried[arm], len(self.stratum)).astype(float)
            for arm in (is_treated, is_other)
        )
        found = Concentration.of(treated[treated > 0], other[other > 0])
        if self.is_mixed:
            found = replace(found, df=min(found.df, self.df(weights)))
        found = replace(found, unseen=self.unseen(weights))
        sizes = self.share * self.weight[self.of_stratum]
        compared = sizes[self.of_stratum == len(self.n) - 1]
        if not len(compared) or not is_treated.any():
            return found
        is_alike = (sizes[is_treated] >= compared.min() / BEYOND) & (sizes[is_treated] <= compared.max() * BEYOND)
        return replace(found, is_alike=bool(is_alike.all()))

    def covariance(self, contribution: Floats, weights: Floats) -> Floats:
        """Return the bias-reduced covariance of K numbers from what each cluster contributes to them.

        `contribution` has shape (n_clusters, K); `weights`, shape (K, n_strata), are what each number gives to
        the means.
        """
        scaled = contribution / np.sqrt(self.deflator(np.sqrt((weights**2).sum(axis=0))))[:, None]
        beyond = self.beyond_seen(weights)
        is_unseen = ~np.isin(np.arange(len(self.stratum)), self.cluster[self.n[self.of_stratum] > 1])
        scaled[np.ix_(is_unseen, beyond > 1)] = 0.0  # what they add through the shares of cohorts is part of `beyond`
        scaled *= np.sqrt(beyond)
        covariance: Floats = scaled.T @ scaled
        return covariance


def cluster_counts(design: StaggeredDesign) -> ClusterCounts:
    """Return the clusters that hold treated units seen since their start, and those with units to compare them with.

    Where every unit is treated in the end, the last cohort is what the others are compared with.
    """
    n_strata = len(design.cohorts) + (design.n_never > 0)
    is_treated = design.is_carrying & (design.stratum < n_strata - 1)
    is_compared = design.stratum == n_strata - 1
    if design.cluster is None:
        return ClusterCounts(int(is_treated.sum()), int(is_compared.sum()))
    return ClusterCounts(*(len(np.unique(design.cluster[arm])) for arm in (is_treated, is_compared)))


def _clusters(design: StaggeredDesign) -> Codes:
    """Return the cluster of each unit (row, of cross-sections)."""
    return np.arange(len(design.stratum)) if design.cluster is None else design.cluster.astype(np.intp)


def carried_weight(design: StaggeredDesign) -> Floats:
    """Return the weight of each unit (row, of cross-sections) on which an effect can rest, 0 of the others."""
    weight = design.observations.frame["weight"].to_numpy(dtype=float)
    if design.is_panel:
        weight = weight[design.panel.first_rows]
    return np.where(design.is_carrying, weight, 0.0)


def is_mixed(design: StaggeredDesign) -> bool:
    """Return whether a cluster holds units of more than one stratum."""
    return design.cluster is not None and bool((design.is_in_cluster.sum(axis=0) > 1).any())
