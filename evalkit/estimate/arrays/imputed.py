"""Effects as outcomes less what untreated observations predict, cell by cell."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evalkit.estimate.arrays.absorbed import Absorbed, Regressors
from evalkit.estimate.arrays.two_way import reciprocal, sums

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
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
    fit = stage.fit(rows.outcome[rows.is_untreated])
    empty = np.empty((len(rows.group), 0))
    predicted = fit.unit_effects[rows.group] + stage.predicted(fit.coefficients, rows.period, empty, rows.covariates)
    effect = rows.outcome - predicted
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
    others = 1 - squares * inverse[cell]
    return np.divide(left, others, out=np.zeros_like(left), where=others > 1e-12)


def _combination(rows: Observations, stage: Absorbed, is_used: Bools, share: Floats) -> Floats:
    """Return ρ: what each cell takes from the first stage's coefficients, shape (n_periods + p, n_cells)."""
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
