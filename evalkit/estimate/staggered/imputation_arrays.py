"""Effects as outcomes less what untreated observations predict, and what CR2 needs of such a regression."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.estimate.two_way.absorbed_arrays import Absorbed, Regressors, reciprocal, sums

# Effects as outcomes less what untreated observations predict, cell by cell.


Residuals = Literal["grouped", "leave-out", "second-stage"]


class Observations(NamedTuple):
    """Rows of a panel in ascending order of `group`, whose effects are taken out.

    group, period, cluster : shape (n,), codes; whole groups lie within one cluster
    cell : shape (n,), the cell whose mean effect a row is part of, -1 where none
    is_untreated : shape (n,), the rows that predict
    outcome, weight : shape (n,)
    covariates : shape (n, p)
    n_groups, n_periods, n_clusters, n_cells : int
    """

    group: Ints
    period: Ints
    cluster: Ints
    cell: Ints
    is_untreated: Bools
    outcome: Floats
    weight: Floats
    covariates: Floats
    n_groups: int
    n_periods: int
    n_clusters: int
    n_cells: int


class Imputed(NamedTuple):
    """Mean effects of cells and what each cluster contributes to their errors.

    value, weight : shape (n_cells,); `weight` is the sum over the rows used, 0 where no row can be imputed
    contribution : shape (n_clusters, n_cells)
    is_used : shape (n,), rows whose effect is known
    """

    value: Floats
    weight: Floats
    contribution: Floats
    is_used: Bools


def first_stage(rows: Observations) -> Absorbed:
    """Return the regression of untreated rows on group and period effects and covariates."""
    at = rows.is_untreated
    return Absorbed.of(
        Regressors(
            rows.group[at],
            rows.period[at],
            rows.weight[at],
            rows.n_groups,
            rows.n_periods,
            np.empty((int(at.sum()), 0)),
            rows.covariates[at],
        )
    )


def imputed_effects(rows: Observations, stage: Absorbed, residuals: Residuals) -> Imputed:
    """Return each cell's mean of y − ŷ(0), with ŷ(0) from `stage`, the regression of the untreated rows.

    A cell's estimate is Σ ω (y − ŷ(0)), ω = w / Σ w over its rows, and its error Σ_i v_i'ε_i with v = ω on those rows
    and v = −W Z₀ S⁻ ρ on untreated ones, ρ = Σ ω (z − z̄₀), z̄₀ the mean of z over the group's untreated rows. On
    untreated rows ε is the first-stage residual. On the cell's rows it is the effect less a mean of the cell:

    - "grouped": Σ v² τ̂ / Σ v², conservative (Borusyak, Jaravel and Spiess, 2024, section 4.3);
    - "leave-out": the same without the row itself, which multiplies the residual by 1 / (1 − v² / Σ v²);
    - "second-stage": the cell's estimate, which gives Gardner's (2022) two-stage GMM errors.
    """
    from scipy import sparse

    fit = stage.fit(rows.outcome[rows.is_untreated])
    empty = np.empty((len(rows.group), 0))
    predicted = fit.unit_effects[rows.group] + stage.predicted(fit.coefficients, rows.period, empty, rows.covariates)
    effect = rows.outcome - predicted
    # Group and period must be linked by untreated rows: else their sum is not determined, whatever the inverse gives.
    is_used = (rows.cell >= 0) & (stage.unit_component[rows.group] == stage.component[rows.period])
    cell, weight, n_cells = rows.cell[is_used], rows.weight[is_used], rows.n_cells
    total = sums(cell, weight, n_cells)
    share = weight * reciprocal(total)[cell]
    value = sums(cell, share * effect[is_used], n_cells)
    left = _left(effect[is_used], cell, share, value, residuals)
    combination = _combination(rows, stage, is_used, share)
    from_untreated = stage.contributions(fit.residuals, combination, rows.cluster[rows.is_untreated], rows.n_clusters)
    table = sparse.coo_array((share * left, (rows.cluster[is_used], cell)), shape=(rows.n_clusters, n_cells))
    return Imputed(value, total, np.asarray(table.toarray() - from_untreated), is_used)


def _left(effect: Floats, cell: Ints, share: Floats, value: Floats, residuals: Residuals) -> Floats:
    """Return what is left of effects once a mean of their cell is taken out."""
    if residuals == "second-stage":
        return effect - value[cell]
    squares = share**2
    inverse = reciprocal(sums(cell, squares, len(value)))
    left: Floats = effect - (sums(cell, squares * effect, len(value)) * inverse)[cell]
    if residuals == "grouped":
        return left
    # The only row of a cell has no others to be compared with; its own deviation counts as 0.
    others = 1 - squares * inverse[cell]
    return np.divide(left, others, out=np.zeros_like(left), where=others > 1e-12)


def _combination(rows: Observations, stage: Absorbed, is_used: Bools, share: Floats) -> Floats:
    """Return ρ: what each cell takes from the first stage's coefficients, shape (n_periods + p, n_cells)."""
    from scipy import sparse

    cell, group = rows.cell[is_used], rows.group[is_used]
    by_group = sparse.coo_array((share, (cell, group)), shape=(rows.n_cells, rows.n_groups)).tocsr()
    of_period = np.zeros((rows.n_periods, rows.n_cells))
    np.add.at(of_period, (rows.period[is_used], cell), share)
    of_period -= (by_group @ stage.coded_means).toarray().T
    of_covariates = [
        sums(cell, share * column[is_used], rows.n_cells) - by_group @ means
        for column, means in zip(rows.covariates.T, stage.common_means.T, strict=True)
    ]
    return np.vstack([of_period, *of_covariates])


# What CR2 needs of a regression with unit effects whose clusters vary alike, independently from period to period.


_FITTED = 1e-8
"""A cluster whose residuals keep less than this share of what it adds to a variance is fitted, not observed."""
_UNSEEN = 0.01
"""Where fitted clusters hold more than this share of a variance, no error tells it."""


class AlikeClusters(NamedTuple):
    """Of k numbers: what squares of contributions are divided by (n_clusters, k), degrees of freedom (k,)."""

    deflator: Floats
    df: Floats


def alike_clusters(absorbed: Absorbed, combination: Floats, cluster: Ints, n_clusters: int) -> AlikeClusters:
    """Return how far contributions of clusters to combinations (m, k) of coefficients understate their variance.

    All units of a cluster are taken to share one shock each period, of variance 1 and independent of all others. With
    z̃ the regressors less their unit means, P_g (m, n_codes) cluster g's sums of w z̃ by period, S_g those of w z̃z̃',
    λ = S⁻L and v_g = S_g λ, cluster g adds p_g = |P_g'λ|² to the variance of L'θ, and contributions have the covariance
    A_gh = 1[g = h] p_g − λ'P_g P_g'S⁻v_h − λ'P_h P_h'S⁻v_g + v_g'S⁻(Σ P P')S⁻v_h: the deflator is A_gg/p_g, which
    is 1 − 2h + Σh² for a weighted mean. Degrees of freedom are (Σ p)²/Σ A_gh² of what is deflated (Satterthwaite); 0
    where a cluster is fitted whose variance counts.
    """
    from scipy import sparse

    given, inverse = absorbed.given, absorbed.inverse
    regressors = _without_unit_means(absorbed)
    place = sparse.csr_array(
        (given.weight, (cluster * given.n_codes + given.code, np.arange(len(cluster)))),
        shape=(n_clusters * given.n_codes, len(cluster)),
    )
    shocks = np.asarray(place @ regressors).reshape(n_clusters, given.n_codes, -1)
    squares = np.einsum("gtm,gtn->mn", shocks, shocks)
    by_cluster = sparse.csr_array((given.weight, (cluster, np.arange(len(cluster)))), shape=(n_clusters, len(cluster)))
    deflator, df = np.ones((n_clusters, combination.shape[1])), np.zeros(combination.shape[1])
    for k, loading in enumerate((inverse @ combination).T):
        moved = np.asarray(by_cluster @ (regressors * (regressors @ loading)[:, None])) @ inverse
        by_period = shocks @ loading
        met = np.einsum("gtm,gt->gm", shocks, by_period)
        deflator[:, k], df[k] = _satterthwaite((by_period**2).sum(axis=1), met, moved, squares)
    return AlikeClusters(deflator, df)


def _without_unit_means(absorbed: Absorbed) -> Floats:
    """Return the regressors by row less their unit means, shape (n_rows, m), codes without slopes."""
    from scipy import sparse

    given = absorbed.given
    coded = sparse.csr_array(
        (np.ones(len(given.code)), (np.arange(len(given.code)), given.code)), shape=(len(given.code), given.n_codes)
    )
    means = np.hstack([absorbed.coded_means.toarray(), absorbed.common_means])
    regressors: Floats = np.hstack([coded.toarray(), given.common]) - means[given.unit]
    return regressors


def _satterthwaite(added: Floats, met: Floats, moved: Floats, squares: Floats) -> tuple[Floats, float]:
    """Return deflators and degrees of freedom from p (G,), P P'λ (G, m), S⁻v (G, m) and Σ P P' (m, m)."""
    m = len(squares)
    sides = np.hstack([met, moved])  # A = diag(p) + sides · middle · sides'
    middle = np.block([[np.zeros((m, m)), -np.eye(m)], [-np.eye(m), squares]])
    shared = np.einsum("gi,ij,gj->g", sides, middle, sides)
    is_held = added > 0
    ratio = np.where(is_held, (added + shared) / np.where(is_held, added, 1.0), 1.0)
    is_fitted = ratio <= _FITTED
    deflator = np.where(is_fitted, 1.0, ratio)
    if added.sum() <= 0 or added[is_fitted].sum() > _UNSEEN * added.sum():
        return deflator, 0.0
    d = np.where(is_fitted, 0.0, 1 / deflator)
    product = middle @ (sides.T @ (d[:, None] * sides))
    squared = float(((d * added) ** 2).sum() + 2 * (d**2 * added * shared).sum() + np.trace(product @ product))
    return deflator, float((d * (added + shared)).sum() ** 2 / squared)
