"""Weighted least squares, and cluster-robust errors of a coefficient with Satterthwaite degrees of freedom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Codes, Floats
from evalkit.core.errors import DesignError

# Weighted least squares with the effects nested in clusters taken out exactly, in the form covariances need.

_COLLINEAR = 1e-9
"""A column keeps less than this share of its length once the others are taken out: it adds nothing."""


class CollinearError(DesignError):
    """A regressor is a sum of the others; `column` is its position."""

    def __init__(self, column: int) -> None:
        super().__init__(f"Regressor {column} is a sum of the others, so its coefficient does not exist. Leave it out.")
        self.column = column


@dataclass(frozen=True, eq=False)
class LeastSquaresFit:
    """A least-squares fit as an orthonormal basis.

    With Z the basis, w the weights (mean 1) and y the outcome, Z'diag(w)Z = I and β = loadings · Z'diag(w)y.
    The hat matrix is H = P + Z Z'diag(w), P being the weighted means over the nested effects, so that any
    block of H is found from the rows of its cluster alone (Frisch and Waugh, 1933; Lovell, 1963).

    Attributes
    ----------
    coefficients : shape (p,)
    loadings : shape (p, r)
    basis : shape (n, r)
    residuals, weight : shape (n,)
    cluster, nested : shape (n,)
        Codes 0, 1, …; `nested` is None where no effect was taken out. Rows are ordered by cluster.
    size : float
        Largest |outcome|, against which a residual is or is not rounding.
    """

    coefficients: Floats
    loadings: Floats
    basis: Floats
    residuals: Floats
    weight: Floats
    cluster: Codes
    nested: Codes | None
    size: float

    @cached_property
    def n_clusters(self) -> int:
        """Return the number of clusters."""
        return int(self.cluster[-1]) + 1

    @property
    def n_nested(self) -> int:
        """Return the number of nested effects taken out."""
        return 0 if self.nested is None else int(self.nested.max()) + 1

    @cached_property
    def is_weighted(self) -> bool:
        """Return whether weights differ between rows."""
        return bool(np.ptp(self.weight) > 1e-12)

    @cached_property
    def squares(self) -> Floats:
        """Return Z'diag(w²)Z, shape (r, r): the identity where weights are alike."""
        if not self.is_weighted:
            return np.eye(self.basis.shape[1])
        return np.asarray((self.basis * (self.weight**2)[:, None]).T @ self.basis)

    @cached_property
    def starts(self) -> Codes:
        """Return where each cluster's rows begin, shape (n_clusters,)."""
        return np.flatnonzero(np.diff(self.cluster, prepend=-1))

    def by_cluster(self, rows: Floats) -> Floats:
        """Return sums over each cluster's rows, shape (n_clusters, …)."""
        return np.asarray(np.add.reduceat(rows, self.starts, axis=0))

    def direction(self, at: int) -> Floats:
        """Return a regressor less its projection on all others, over its own sum of squares, shape (n,).

        Its weighted product with the outcome is the coefficient.
        """
        return np.asarray(self.basis @ self.loadings[at])


def least_squares(
    outcome: Floats, regressors: Floats, others: Floats, weight: Floats, cluster: Codes, nested: Codes | None = None
) -> LeastSquaresFit:
    """Return the fit of `outcome` (n,) on `regressors` (n, p), with `others` (n, q) and nested effects beside them.

    `others` may be collinear (only their span matters); a collinear regressor raises `CollinearError`.
    `cluster` holds sorted codes 0, 1, …; every nested effect lies within one cluster. Rows are taken as they come.
    """
    # Only ratios of weights matter; with mean 1 the unweighted formulas hold as they stand.
    weight = weight / weight.mean()
    root = np.sqrt(weight)[:, None]
    y = _scaled(without_means(outcome[:, None], weight, nested), root)
    span = orthonormal(_scaled(without_means(others, weight, nested), root), _lengths(others, weight))
    left, length = _scaled(without_means(regressors, weight, nested), root), _lengths(regressors, weight)
    for _ in range(2):  # twice, so that rounding leaves nothing of the others
        left = left - span @ (span.T @ left)
    q, r = np.linalg.qr(left)
    small = np.abs(np.diag(r)) <= _COLLINEAR * np.where(length > 0, length, 1.0)
    if small.any():
        raise CollinearError(int(np.argmax(small)))
    basis = np.column_stack([span, q])
    loadings = np.column_stack([np.zeros((len(r), span.shape[1])), np.linalg.inv(r)])
    products = basis.T @ y[:, 0]
    residuals = (y[:, 0] - basis @ products) / root[:, 0]
    size = float(np.abs(outcome).max(initial=0.0))
    return LeastSquaresFit(
        loadings @ products, loadings, _scaled(basis, 1 / root), residuals, weight, cluster, nested, size
    )


def _scaled(columns: Floats, factor: Floats) -> Floats:
    """Return columns (n, k) times a factor (n, 1), without a copy where it is 1 throughout."""
    return columns if (factor == 1).all() else columns * factor


def _lengths(columns: Floats, weight: Floats) -> Floats:
    """Return the weighted length of each column, shape (k,)."""
    return np.asarray(np.sqrt(np.einsum("i,ij,ij->j", weight, columns, columns)))


def without_means(columns: Floats, weight: Floats, groups: Codes | None) -> Floats:
    """Return columns (n, k) less their weighted mean in each group; as they are where there are no groups."""
    if groups is None or columns.shape[1] == 0:
        return columns
    means = group_sums(weight[:, None] * columns, groups) / group_sums(weight[:, None], groups)
    return np.asarray(columns - means[groups])


def group_sums(columns: Floats, groups: Codes) -> Floats:
    """Return the sum of columns (n, k) over each group, shape (n_groups, k); groups have codes 0, 1, …"""
    if (groups[1:] >= groups[:-1]).all():
        starts = np.flatnonzero(np.diff(groups, prepend=-1))
        size = len(groups) // len(starts)
        # Groups of one size are summed along an axis, which numpy does faster than piece by piece.
        if (starts == np.arange(len(starts)) * size).all() and len(starts) * size == len(groups):
            return np.asarray(columns.reshape(len(starts), size, -1).sum(axis=1))
        return np.asarray(np.add.reduceat(columns, starts, axis=0))
    return np.column_stack([np.bincount(groups, column) for column in columns.T])


def orthonormal(columns: Floats, length: Floats) -> Floats:
    """Return an orthonormal basis (n, r) of the span of columns (n, k); those near 0 against `length` count as 0."""
    left = np.sqrt((columns**2).sum(axis=0))
    kept = left > _COLLINEAR * np.where(length > 0, length, 1.0)
    if not kept.any():
        return np.zeros((len(columns), 0))
    basis = columns[:, kept] / left[kept]
    for _ in range(2):  # the second time mends what rounding did to the first
        values, vectors = np.linalg.eigh(basis.T @ basis)
        kept = values > 1e-10 * values[-1]
        basis = basis @ (vectors[:, kept] / np.sqrt(values[kept]))
    return np.asarray(basis)


def period_columns(period: Codes) -> Floats:
    """Return an indicator column for each period but the first, shape (n, n_periods − 1)."""
    return np.asarray(period[:, None] == np.arange(1, period.max() + 1), dtype=float)


# Cluster-robust errors of one least-squares coefficient, with Satterthwaite degrees of freedom.

ClusterKind = Literal["CR0", "CR1", "CR1S", "CR1W", "CR2"]
RowKind = Literal["classical", "HC1"]

LARGEST_BLOCK = 4000
"""Rows of one cluster up to which weighted CR2 is computed: each cluster needs a rows × rows matrix."""

_ZERO = 1e-12
"""Eigenvalues of I − H below this are zero: the design fits that combination of the cluster's rows exactly."""

_CHUNK = 4_000_000
"""Numbers held at once while clusters are worked through."""


@dataclass(frozen=True, slots=True)
class CoefficientError:
    """The standard error of a coefficient and its Satterthwaite degrees of freedom."""

    std_error: float
    df: float


@dataclass(frozen=True, slots=True, eq=False)
class _Cluster:
    """What each cluster gives: its score, and the three products that the degrees of freedom need."""

    score: Floats
    within: Floats
    basis: Floats
    crossed: Floats


def cluster_error(fit: LeastSquaresFit, at: int, kind: ClusterKind = "CR2") -> CoefficientError:
    """Return the cluster-robust standard error of coefficient `at` and its degrees of freedom.

    With e the residuals and Z, w, ℓ as in `LeastSquaresFit`, the variance is c Σ_g (q_g'e_g)², where
    q_g = A_g diag(w_g) Z_g ℓ.

    - CR0: A_g = I, c = 1. CR1: c = G/(G − 1). CR1S: c = G/(G − 1) · (n − 1)/(n − k), k all columns with the nested
      effects. CR1W: the same, nested effects not counted in k (one constant is), as regression programs that absorb
      effects do.
    - CR2 (Bell and McCaffrey, 2002; Pustejovsky and Tipton, 2018): A_g the symmetric inverse root of block g of
      (I − H)(I − H)', errors independent and alike being the working model; c = 1.

    Degrees of freedom: ν = (Σ_g p_g'p_g)² / Σ_g Σ_h (p_g'p_h)² with p_g = (I − H)_g' q_g (Satterthwaite, 1946).
    """
    if fit.n_clusters < 2:
        raise DesignError("All rows are in one cluster, so no cluster-robust error exists. Give at least two clusters.")
    parts = _adjusted(fit, at) if kind == "CR2" else _plain(fit, at)
    variance = small_sample_factor(fit, kind) * float((parts.score**2).sum())
    return CoefficientError(float(np.sqrt(variance)), _satterthwaite(fit, parts))


def row_error(fit: LeastSquaresFit, at: int, kind: RowKind) -> float:
    """Return the standard error that takes rows as independent: classical, or HC1 with the factor n/(n − k)."""
    n, k = len(fit.residuals), n_parameters(fit)
    if n <= k:
        raise DesignError(f"{n} rows and {k} coefficients leave nothing to estimate an error from. Give more rows.")
    if kind == "classical":
        spread = float((fit.weight * fit.residuals**2).sum()) / (n - k)
        return float(np.sqrt(spread * (fit.loadings[at] ** 2).sum()))
    score = fit.weight * fit.direction(at) * fit.residuals
    return float(np.sqrt(n / (n - k) * (score**2).sum()))


def n_parameters(fit: LeastSquaresFit) -> int:
    """Return the number of coefficients, those of nested effects among them."""
    return int(fit.basis.shape[1]) + fit.n_nested


def small_sample_factor(fit: LeastSquaresFit, kind: ClusterKind) -> float:
    """Return the factor c of a kind of error."""
    if kind in ("CR0", "CR2"):
        return 1.0
    clusters, n = fit.n_clusters, len(fit.residuals)
    k: int = {"CR1": 1, "CR1S": n_parameters(fit), "CR1W": fit.basis.shape[1] + (fit.nested is not None)}[kind]
    if n <= k:
        raise DesignError(f"{n} rows and {k} coefficients leave nothing to estimate an error from. Give more rows.")
    return float(clusters / (clusters - 1) * (n - 1) / (n - k))


def _satterthwaite(fit: LeastSquaresFit, parts: _Cluster) -> float:
    """Return ν from p_g'p_h = a_g'S a_h − a_g'd_h − d_g'a_h for g ≠ h, S = Z'diag(w²)Z, and p_g'p_g by itself."""
    a, d = parts.basis, parts.crossed
    squares = fit.squares
    both = np.hstack([a, d])
    left = np.hstack([a @ squares - d, -a])
    # Σ_gh (p_g'p_h)² = tr((L'B)²) with p_g'p_h = l_g·b_h: the G × G matrix of products is never made.
    gram = left.T @ both
    total = float((gram * gram.T).sum())
    within = (left * both).sum(axis=1)
    total += float((parts.within**2).sum() - (within**2).sum())
    return float(parts.within.sum() ** 2 / total) if total > 0 else 0.0


def _plain(fit: LeastSquaresFit, at: int) -> _Cluster:
    """Return what each cluster gives where nothing is adjusted: q = diag(w) Z ℓ."""
    q = fit.weight * fit.direction(at)
    left = q - _nested_means(fit, q)
    a = fit.by_cluster(fit.basis * q[:, None])
    d = fit.by_cluster(fit.basis * (fit.weight * left)[:, None])
    within = fit.by_cluster(left**2) - 2 * (a * d).sum(axis=1) + ((a @ fit.squares) * a).sum(axis=1)
    return _Cluster(fit.by_cluster(q * fit.residuals), within, a, d)


def _nested_means(fit: LeastSquaresFit, q: Floats) -> Floats:
    """Return P'q: each row's weight times the sum of q over its nested effect, over that effect's weight."""
    if fit.nested is None:
        return np.zeros_like(q)
    share = np.bincount(fit.nested, q) / np.bincount(fit.nested, fit.weight)
    return np.asarray(fit.weight * share[fit.nested])


def _adjusted(fit: LeastSquaresFit, at: int) -> _Cluster:
    """Return what each cluster gives under CR2."""
    columns = fit.basis.shape[1]
    clusters, wide = fit.n_clusters, np.zeros((fit.n_clusters, columns))
    parts = _Cluster(np.zeros(clusters), np.zeros(clusters), wide, wide.copy())
    work = _weighted_block if fit.is_weighted else _unweighted_block
    squares = fit.squares
    for which, rows in _blocks(fit):
        score, within, a, d = work(fit, fit.loadings[at], rows, squares)
        parts.score[which], parts.within[which], parts.basis[which], parts.crossed[which] = score, within, a, d
    return parts


def _blocks(fit: LeastSquaresFit) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield clusters of one size together: their codes (m,) and their rows (m, size)."""
    sizes = np.diff(fit.starts, append=len(fit.cluster))
    for size in np.unique(sizes):
        alike = np.flatnonzero(sizes == size)
        width = max(int(size), fit.basis.shape[1]) ** 2 if fit.is_weighted else fit.basis.shape[1] * int(size)
        step = max(1, _CHUNK // max(width, fit.basis.shape[1] ** 2))
        for begin in range(0, len(alike), step):
            which = alike[begin : begin + step]
            yield which, fit.starts[which][:, None] + np.arange(size)


def _unweighted_block(
    fit: LeastSquaresFit, loading: Floats, rows: NDArray[np.intp], squares: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return score, p'p, a and d of unweighted clusters, from r × r matrices only.

    Block g of (I − H)(I − H)' is I − P_g − Z_g Z_g', and Z_g'P_g = 0, so that A_g Z_g = Z_g (I − Z_g'Z_g)^(−1/2).
    """
    z = fit.basis[rows]
    values, vectors = np.linalg.eigh(np.swapaxes(z, 1, 2) @ z)
    left = 1 - values
    # Where the design fits a combination of the cluster's rows exactly the inverse root does not exist; the generalised
    # inverse takes 0 for it (Pustejovsky and Tipton, 2018).
    is_kept = left > _ZERO
    turned = np.swapaxes(vectors, 1, 2) @ loading
    scaled = np.where(is_kept, turned / np.sqrt(np.where(is_kept, left, 1.0)), 0.0)
    h = (vectors @ scaled[:, :, None])[:, :, 0]
    q = (z @ h[:, :, None])[:, :, 0]
    within = (np.where(is_kept, values, 0.0) * turned**2).sum(axis=1)
    a = (np.swapaxes(z, 1, 2) @ q[:, :, None])[:, :, 0]
    return (q * fit.residuals[rows]).sum(axis=1), within, a, a.copy()


def _weighted_block(
    fit: LeastSquaresFit, loading: Floats, rows: NDArray[np.intp], squares: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return score, p'p, a and d of weighted clusters, from one rows × rows matrix for each.

    Block g of (I − H)(I − H)' is (I − P)(I − P)' − (I − P) W ZZ' − ZZ' W (I − P)' + Z S Z', S = Z'W²Z over all
    rows: taking nested effects out stays exact with weights because P is block-diagonal.
    """
    size = rows.shape[1]
    if size > LARGEST_BLOCK:
        raise DesignError(
            f"A cluster has {size:,} weighted rows; CR2 is computed up to {LARGEST_BLOCK:,}. "
            "Use the wild cluster bootstrap, or one row for each cluster and period."
        )
    z, w = fit.basis[rows], fit.weight[rows]
    outer = np.swapaxes(z, 1, 2)
    keep = np.eye(size) - _means_matrix(fit, rows)
    across = (keep * w[:, None, :]) @ z @ outer
    block = keep @ np.swapaxes(keep, 1, 2) - across - np.swapaxes(across, 1, 2) + z @ squares @ outer
    plain = w * (z @ loading)
    values, vectors = np.linalg.eigh(block)
    is_kept = values > _ZERO
    turned = (np.swapaxes(vectors, 1, 2) @ plain[:, :, None])[:, :, 0]
    scaled = np.where(is_kept, turned / np.sqrt(np.where(is_kept, values, 1.0)), 0.0)
    q = (vectors @ scaled[:, :, None])[:, :, 0]
    left = w * (np.swapaxes(keep, 1, 2) @ q[:, :, None])[:, :, 0]
    a, d = ((outer @ column[:, :, None])[:, :, 0] for column in (q, left))
    return (q * fit.residuals[rows]).sum(axis=1), np.where(is_kept, turned**2, 0.0).sum(axis=1), a, d


def _means_matrix(fit: LeastSquaresFit, rows: NDArray[np.intp]) -> Floats:
    """Return P of each cluster, shape (m, size, size)."""
    if fit.nested is None:
        return np.zeros((*rows.shape, rows.shape[1]))
    nested = fit.nested[rows]
    total = np.bincount(fit.nested, fit.weight)
    share = fit.weight[rows] / total[nested]
    return np.asarray((nested[:, :, None] == nested[:, None, :]) * share[:, None, :])
