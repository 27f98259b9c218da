"""Least squares with unit effects taken out exactly, and its contrasts: an effect for each cohort and period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints

if TYPE_CHECKING:
    from scipy import sparse


_COLLINEAR = 1e-10
"""A direction keeps less than this share of its sum of squares once the others are taken out: it adds nothing."""

_ESTIMABLE = 1e-6
"""A combination of coefficients is estimable if the normal equations reproduce it to this relative accuracy."""


def sums(codes: Ints, values: Floats, size: int) -> Floats:
    """Return the sum of values over each code 0, 1, … size − 1."""
    return np.bincount(codes, values, size).astype(float, copy=False)


def reciprocal(total: Floats) -> Floats:
    """Return 1 / total, 0 where the total is 0."""
    return np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)


class Regressors(NamedTuple):
    """What a regression with unit effects is run on.

    unit : shape (n,), codes in ascending order; not every unit needs a row
    code : shape (n,), each row's code: it has an intercept, and a slope for each column of `slopes`
    weight : shape (n,), positive
    n_units, n_codes : int
    slopes : shape (n, p), whose coefficients differ between codes
    common : shape (n, q), whose coefficients are the same for all rows
    """

    unit: Ints
    code: Ints
    weight: Floats
    n_units: int
    n_codes: int
    slopes: Floats
    common: Floats

    @property
    def width(self) -> int:
        """Return the number of coefficients of each code."""
        return 1 + int(self.slopes.shape[1])

    @property
    def n_columns(self) -> int:
        """Return the number of coefficients: code by code, intercept before slopes, then those of all rows."""
        return self.n_codes * self.width + int(self.common.shape[1])


class Fitted(NamedTuple):
    """Coefficients (m,), unit effects (n_units,; 0 without a row) and residuals (n,) of one outcome."""

    coefficients: Floats
    unit_effects: Floats
    residuals: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Absorbed:
    """The normal equations of weighted least squares once unit effects are eliminated; made by `Absorbed.of`.

    With Z the n × m regressors, D the unit indicators and W the weights, S = Z'WZ − Z'WD (D'WD)⁻¹ D'WZ is built
    from sums within units, so that no n × m table exists. `inverse` is a generalised inverse of S: estimates of
    estimable combinations do not depend on which.

    Attributes
    ----------
    given : Regressors
    unit_total : shape (n_units,)
    coded_means : sparse, shape (n_units, n_codes · width), unit means of the columns that belong to codes
    common_means : shape (n_units, q)
    normal, inverse : shape (m, m)
    squares : shape (m,), weighted sums of squares of Z's columns
    rank : int, the number of independent coefficients beside the unit effects
    component : shape (n_codes,), codes that units link share a number
    """

    given: Regressors
    unit_total: Floats
    coded_means: sparse.csr_array
    common_means: Floats
    normal: Floats
    inverse: Floats
    squares: Floats
    rank: int
    component: Ints

    @classmethod
    def of(cls, given: Regressors) -> Absorbed:
        """Return the normal equations and their inverse."""
        from scipy.sparse import csgraph

        total = sums(given.unit, given.weight, given.n_units)
        means = _coded_means(given, total)
        common_means = np.column_stack(
            [_unit_means(given, total, column) for column in given.common.T] or [np.empty((given.n_units, 0))]
        )
        normal, squares = _normal(given, total, means, common_means)
        wide = given.n_codes * given.width
        # Codes that no unit links, directly or through others, cannot be compared: each component has its own constant.
        linked = normal[: wide : given.width, : wide : given.width] != 0
        component = np.asarray(csgraph.connected_components(linked)[1], dtype=np.int64)
        inverse, rank = _inverse(normal, squares, given, component)
        return cls(given, total, means, common_means, normal, inverse, squares, rank, component)

    def fit(self, outcome: Floats) -> Fitted:
        """Return the least-squares fit of an outcome, shape (n,)."""
        given = self.given
        means = _unit_means(given, self.unit_total, outcome)
        left = outcome - means[given.unit]
        theta = self.inverse @ self._products(given.weight * left)
        by_row = self.predicted(theta, given.code, given.slopes, given.common)
        by_unit = self.coded_means @ theta[: self.coded_means.shape[1]]
        by_unit = by_unit + self.common_means @ theta[self.coded_means.shape[1] :]
        return Fitted(theta, means - by_unit, left - (by_row - by_unit[given.unit]))

    @property
    def unit_component(self) -> Ints:
        """Return the component of each unit's codes, shape (n_units,), -1 where it has no row."""
        found = np.full(self.given.n_units, -1, dtype=np.int64)
        found[self.given.unit] = self.component[self.given.code]
        return found

    def predicted(self, theta: Floats, code: Ints, slopes: Floats, common: Floats) -> Floats:
        """Return z'θ of any rows: their code's intercept and slopes, and what all rows share."""
        by_code = theta[: self.given.n_codes * self.given.width].reshape(self.given.n_codes, -1)
        found = by_code[code, 0] + common @ theta[by_code.size :]
        for at, column in enumerate(slopes.T, start=1):
            found = found + by_code[code, at] * column
        return np.asarray(found)

    def is_estimable(self, combination: Floats) -> Bools:
        """Return which combinations of coefficients, shape (m, k), the data determine."""
        # L'θ is estimable if and only if S S⁻L = L (Searle, 1971): no outcome is needed to know.
        missed = np.abs(self.normal @ (self.inverse @ combination) - combination)
        scale = np.sqrt(reciprocal(self.squares))[:, None]
        has_no_row = ((self.squares == 0)[:, None] & (combination != 0)).any(axis=0)
        is_met = (scale * missed).max(axis=0) <= _ESTIMABLE * (scale * np.abs(combination)).max(axis=0)
        return np.asarray(is_met & ~has_no_row)

    def contributions(self, residuals: Floats, combination: Floats, cluster: Ints, n_clusters: int) -> Floats:
        """Return what each cluster contributes to combinations of coefficients, shape (n_clusters, k).

        That of cluster c is L'S⁻ Σ_{i in c} z_i w_i e_i. `cluster`, shape (n,), must hold whole units, over which
        Σ w e = 0, so that the unit means of z drop out. L = `combination`, shape (m, k).
        """
        given, loadings = self.given, self.inverse @ combination
        score = given.weight * residuals
        wide = given.n_codes * given.width
        found = np.zeros((n_clusters, combination.shape[1]))
        for at, column in enumerate([np.ones(len(score)), *given.slopes.T]):
            table = _table(cluster, given.code, score * column, (n_clusters, given.n_codes))
            found += table @ loadings[at : wide : given.width]
        for at, column in enumerate(given.common.T):
            found += np.outer(sums(cluster, score * column, n_clusters), loadings[wide + at])
        return found

    def _products(self, score: Floats) -> Floats:
        """Return Z'w(y − ȳ), shape (m,), from w(y − ȳ): it sums to zero within units, so that means of Z drop out."""
        given = self.given
        coded = [sums(given.code, score * column, given.n_codes) for column in given.slopes.T]
        first = sums(given.code, score, given.n_codes)
        return np.concatenate([np.column_stack([first, *coded]).ravel(), given.common.T @ score])


def _table(row: Ints, column: Ints, values: Floats, shape: tuple[int, int]) -> sparse.csr_array:
    """Return sums of values by row and column as a sparse table."""
    from scipy import sparse

    if len(row) and (row[1:] >= row[:-1]).all():
        ends = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=shape[0]))])
        return sparse.csr_array((values, column, ends), shape=shape)
    return sparse.coo_array((values, (row, column)), shape=shape).tocsr()


def _unit_means(given: Regressors, total: Floats, column: Floats) -> Floats:
    return sums(given.unit, given.weight * column, given.n_units) * reciprocal(total)


def _coded_means(given: Regressors, total: Floats) -> sparse.csr_array:
    """Return unit means of every code's intercept and slopes, a few entries for each unit."""
    width = given.width
    columns = (given.code[:, None] * width + np.arange(width)).ravel()
    share = given.weight * reciprocal(total)[given.unit]
    values = (share[:, None] * np.column_stack([np.ones(len(share)), given.slopes])).ravel()
    return _table(np.repeat(given.unit, width), columns, values, (given.n_units, given.n_codes * width))


def _normal(given: Regressors, total: Floats, means: sparse.csr_array, common_means: Floats) -> tuple[Floats, Floats]:
    """Return S and the sums of squares of Z's columns before unit effects are taken out."""
    wide, width = given.n_codes * given.width, given.width
    scaled = means.multiply(total[:, None]).tocsr()
    normal = np.zeros((given.n_columns, given.n_columns))
    normal[:wide, :wide] = -(means.T @ scaled).toarray()
    columns = [np.ones(len(given.code)), *given.slopes.T]
    at = np.arange(given.n_codes) * width
    for i, one in enumerate(columns):
        for j, other in enumerate(columns):
            normal[at + i, at + j] += sums(given.code, given.weight * one * other, given.n_codes)
    before = np.column_stack([sums(given.code, given.weight * one**2, given.n_codes) for one in columns])
    left = given.common - common_means[given.unit]
    weighted = given.weight[:, None] * left
    normal[wide:, wide:] = weighted.T @ left
    for i, one in enumerate(columns):
        for j, other in enumerate(weighted.T):
            normal[at + i, wide + j] = sums(given.code, one * other, given.n_codes)
    normal[wide:, :wide] = normal[:wide, wide:].T
    squares = (given.weight[:, None] * given.common**2).sum(axis=0)
    return normal, np.concatenate([before.ravel(), squares])


def _inverse(normal: Floats, before: Floats, given: Regressors, component: Ints) -> tuple[Floats, int]:
    """Return a generalised inverse of S and its rank: coded columns component by component, then the common ones."""
    wide = given.n_codes * given.width
    coded, rank = np.zeros((wide, wide)), 0
    for label in np.unique(component):
        codes = np.flatnonzero(component == label)
        at = (codes[:, None] * given.width + np.arange(given.width)).ravel()
        block, n_independent = _pseudo_inverse(normal[np.ix_(at, at)], before[at], given.width == 1)
        coded[np.ix_(at, at)] = block
        rank += n_independent
    inverse = np.zeros_like(normal)
    inverse[:wide, :wide] = coded
    if len(normal) > wide:
        # The common columns by the Schur complement of the coded ones, which stay block by block.
        crossed = coded @ normal[:wide, wide:]
        left = normal[wide:, wide:] - normal[wide:, :wide] @ crossed
        core, n_independent = _pseudo_inverse(left, before[wide:], False)
        inverse[:wide, :wide] += crossed @ core @ crossed.T
        inverse[:wide, wide:] = -crossed @ core
        inverse[wide:, :wide] = inverse[:wide, wide:].T
        inverse[wide:, wide:] = core
        rank += n_independent
    return inverse, rank


def _pseudo_inverse(block: Floats, before: Floats, is_laplacian: bool) -> tuple[Floats, int]:
    """Return the pseudo-inverse of columns scaled to unit length, and the rank.

    Intercepts alone that are linked have exactly one null vector, the constant.
    """
    scale = np.sqrt(reciprocal(before))
    values, vectors = np.linalg.eigh(block * np.outer(scale, scale))
    is_independent = np.arange(len(values)) > 0 if is_laplacian else values > _COLLINEAR
    if not is_independent.any():
        return np.zeros_like(block), 0
    basis = scale[:, None] * vectors[:, is_independent]
    return np.asarray((basis / values[is_independent]) @ basis.T), int(is_independent.sum())


# Every cohort has its own effect in every period: contrasts of cohort × period means.


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
