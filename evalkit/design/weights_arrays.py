"""What unequal weights and unequal shares of clusters do to a weighted mean: arrays in, numbers out."""

from __future__ import annotations

from typing import NamedTuple

from evalkit.core.arrays import Floats


def effective_n(weights: Floats) -> float:
    """Return (Σw)² / Σw², the number of equally weighted units that would be as informative (Kish, 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


# What unequal shares of clusters do to the variance of a weighted mean, under one working model: clusters alike.


class MeanVariance(NamedTuple):
    """The bias-reduced variance estimator of a weighted mean, in units of the clusters' variance.

    Attributes
    ----------
    expected : Σ h_g², what the mean's variance is and the estimator has as its expectation
    spread : the trace of the squared matrix of the quadratic form; expected²/spread are degrees of freedom
    """

    expected: float
    spread: float


def residual_variance(share: Floats) -> Floats:
    """Return the variance of each cluster's deviation from the weighted mean, 1 − 2h_g + Σh², shape (n_clusters,).

    Clusters are independent with variance 1 whatever their shares h (Σh = 1): the identity working covariance of
    Pustejovsky and Tipton (2018). With equal shares it is 1 − 1/n.
    """
    variance: Floats = 1 - 2 * share + (share**2).sum()
    return variance


def mean_variance(share: Floats) -> MeanVariance:
    """Return expectation and spread of Σ_g h_g² e_g²/(1 − 2h_g + Σh²), e the deviations from the weighted mean.

    The estimator is the quadratic form R'DR of independent clusters of variance 1, with R = I − 1h' and
    D = diag(d), d_g = h_g²/(1 − 2h_g + Σh²). Written out, R'DR = D − dh' − hd' + (Σd) hh', whose trace is Σh²
    (unbiased) and whose squared trace is summed here without a matrix (Bell and McCaffrey, 2002).
    """
    h, d = share, share**2 / residual_variance(share)
    hh, hd, dd, total = float(h @ h), float(h @ d), float(d @ d), float(d.sum())
    spread = dd + 2 * (hd**2 + dd * hh) + (total * hh) ** 2
    spread += -4 * float(d**2 @ h) + 2 * total * float(d @ h**2) - 4 * total * hd * hh
    return MeanVariance(hh, spread)


def effective_number(share: Floats) -> float:
    """Return 1/Σh²: how many clusters of equal shares the mean is worth."""
    return float(1 / (share**2).sum())
