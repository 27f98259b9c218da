"""Extended two-way fixed effects: an effect for every cohort and period, covariates compared within cohorts."""

from __future__ import annotations

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.design.panel.staggered import StaggeredDesign
from evalkit.estimate.staggered.cells import CellAt, GroupTimeEffects, StaggeredRows
from evalkit.estimate.staggered.imputation import exposed_cells
from evalkit.estimate.staggered.sun_abraham import all_cells, period_contrasts, saturated_cells, small_sample_factor
from evalkit.estimate.two_way.absorbed_arrays import Contrasts, Regressors, Saturated, saturated_effects

METHOD = "extended two-way fixed effects (Wooldridge)"


def extended_effects(design: StaggeredDesign) -> GroupTimeEffects:
    """Return the coefficients of cohort × period in a regression with unit and period effects (Wooldridge, 2021, 2025).

    With comparison "not-yet" cells run from the start of each cohort (its anticipation included) and all untreated
    observations are compared; with "never" every period but the last before the start has its own coefficient, so
    that only never-treated units are. Covariates have a slope in each period, in each cohort and in each cell, where
    they are measured from their mean in the cohort, so that a cell is the effect at that mean. Covariates that do not
    vary within units may be used. Averages weigh observations, and their errors take weights and means as given.
    Errors are cluster-robust with G/(G − 1) · (n − 1)/(n − k), cohort effects counted in k, and G − 1 degrees of
    freedom.

    Raises
    ------
    DesignError
        Where no cell can be estimated.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 6 and t >= 3), 3 if i < 6 else None)
    ...     for i in range(18) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> design = evalkit.staggered_design(panel)
    >>> round(evalkit.overall_effect(evalkit.extended_effects(design)).estimate.value, 2)
    1.0
    """
    rows = StaggeredRows.of(design)
    is_never = design.comparison == "never"
    cells = all_cells(design) if is_never else exposed_cells(design)
    given = _regressors(rows, cells)
    at = _cohort_means(rows)[[design.cohorts.index(cell.cohort) for cell in cells]]
    never = len(design.cohorts)
    contrasts = period_contrasts(design, cells, never, at) if is_never else _untreated_contrasts(rows, cells, at)
    saturated = saturated_effects(given, rows.outcome, contrasts, rows.cluster, design.n_clusters)
    is_compared = rows.stratum == never if is_never else ~rows.is_exposed
    found = saturated_cells(rows, cells, saturated, is_compared, np.ones(len(rows.unit), dtype=bool))
    return GroupTimeEffects(
        method=METHOD,
        design=design,
        cells=rows.cells(cells, found),
        influence=rows.influence(found.contribution, of_shares=False),
        cohort_weight=rows.cohort_weight(),
        df=max(design.n_clusters - 1, 1),
        shares="fixed",
        cell_weight=rows.cell_weight(rows.cells_of(cells), len(cells)),
        factor=small_sample_factor(design.n_clusters, len(rows.unit), _n_coefficients(rows, saturated)),
    )


def _regressors(rows: StaggeredRows, cells: tuple[CellAt, ...]) -> Regressors:
    """Return what is regressed on: codes are stratum × period, or periods and then cells."""
    if rows.design.comparison == "never":
        code, n_codes = rows.stratum * rows.n_periods + rows.period, (len(rows.design.cohorts) + 1) * rows.n_periods
        common = np.empty((len(code), 0))
    else:
        cell = rows.cells_of(cells)
        code, n_codes = np.where(cell < 0, rows.period, rows.n_periods + cell), rows.n_periods + len(cells)
        common = _cohort_slopes(rows)
    return Regressors(rows.unit, code, rows.weight, rows.n_units, n_codes, rows.covariates, common)


def _cohort_slopes(rows: StaggeredRows) -> Floats:
    """Return each covariate that varies within units by cohort; of the others unit effects leave nothing."""
    is_in = rows.stratum[:, None] == np.arange(len(rows.design.cohorts))
    columns = [column[:, None] * is_in for column in rows.covariates[:, rows.varies_within(rows.unit)].T]
    return np.hstack(columns) if columns else np.empty((len(rows.unit), 0))


def _untreated_contrasts(rows: StaggeredRows, cells: tuple[CellAt, ...], at: Floats) -> Contrasts:
    """Return μ_c − μ_t for each cell c in period t; the second pair of codes cancels."""
    of_cell = rows.n_periods + np.arange(len(cells))
    period = np.array([rows.design.panel.periods.index(cell.period) for cell in cells])
    return Contrasts(np.column_stack([of_cell, period]), np.column_stack([period, period]), at)


def _cohort_means(rows: StaggeredRows) -> Floats:
    """Return the weighted mean of each covariate over the rows of each cohort, shape (n_cohorts, p)."""
    n_strata = len(rows.design.cohorts) + 1
    total = np.bincount(rows.stratum, rows.weight, n_strata)
    sums = [np.bincount(rows.stratum, rows.weight * column, n_strata) for column in rows.covariates.T]
    means = np.reshape(sums, (len(sums), n_strata)).T / np.where(total > 0, total, 1.0)[:, None]
    return np.asarray(means[:-1])


def _n_coefficients(rows: StaggeredRows, saturated: Saturated) -> int:
    """Return k of the regression with cohort in place of unit effects, which gives the same estimates if balanced.

    In it cohorts have effects, and slopes for the covariates that unit effects take out. As in the reference
    implementation a covariate counts a slope for every cohort and every period, one more than are independent.
    """
    n_strata = len(np.unique(rows.stratum))
    n_fixed = int((~rows.varies_within(rows.unit)).sum())
    return saturated.rank + n_strata * (1 + n_fixed) + len(rows.design.panel.covariates)
