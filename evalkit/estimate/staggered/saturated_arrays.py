"""Regressions in which every cohort has its own effect in every period, as contrasts of cohort × period means."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.estimate.two_way.absorbed_arrays import Absorbed, Regressors


class Contrasts(NamedTuple):
    """Cells as sums and differences of codes' expected outcomes.

    plus, minus : shape (n_cells, 2), codes that are added and subtracted; equal ones cancel
    at : shape (n_cells, p), the values of the slopes' columns at which codes are compared
    """

    plus: Ints
    minus: Ints
    at: Floats

    def combination(self, given: Regressors) -> Floats:
        """Return the cells as combinations of coefficients, shape (m, n_cells)."""
        n_cells = len(self.plus)
        values = np.column_stack([np.ones(n_cells), self.at])
        by_code = np.zeros((given.n_codes, given.width, n_cells))
        for sign, codes in ((1.0, self.plus), (-1.0, self.minus)):
            for column in codes.T:
                by_code[column, :, np.arange(n_cells)] += sign * values
        return np.vstack([by_code.reshape(-1, n_cells), np.zeros((given.common.shape[1], n_cells))])


class Saturated(NamedTuple):
    """Estimates of cells and what each cluster contributes to their errors.

    value : shape (n_cells,)
    is_known : shape (n_cells,), whether the data determine the cell
    contribution : shape (n_clusters, n_cells)
    is_common_known : shape (q,), whether the data determine the coefficient of each column common to all rows
    rank : number of independent coefficients beside unit effects
    """

    value: Floats
    is_known: Bools
    contribution: Floats
    is_common_known: Bools
    rank: int


def saturated_effects(
    given: Regressors, outcome: Floats, contrasts: Contrasts, cluster: Ints, n_clusters: int
) -> Saturated:
    """Return least-squares estimates of contrasts; see `Absorbed` for the regression.

    The indicator of a cell is a difference of codes, so that a regression on cell indicators, unit effects and period
    effects is one on codes: the coefficient of cohort g in period t with base b against never-treated n is
    (μ_gt − μ_gb) − (μ_nt − μ_nb). Cells that are not determined have value and contributions 0.
    """
    absorbed = Absorbed.of(given)
    combination = contrasts.combination(given)
    is_known = absorbed.is_estimable(combination)
    combination = np.where(is_known, combination, 0.0)
    fit = absorbed.fit(outcome)
    contribution = absorbed.contributions(fit.residuals, combination, cluster, n_clusters)
    of_common = np.eye(given.n_columns)[:, given.n_codes * given.width :]
    value = combination.T @ fit.coefficients
    return Saturated(value, is_known, contribution, absorbed.is_estimable(of_common), absorbed.rank)
