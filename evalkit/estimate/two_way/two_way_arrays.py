"""Unit and period effects taken out exactly, and the two-by-two comparisons that a two-way effect is made of."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats, Ints
from evalkit.core.errors import DesignError
from evalkit.estimate.two_way.absorbed_arrays import reciprocal, sums

# Unit and period effects taken out of columns exactly, in unbalanced and weighted panels too.


@dataclass(frozen=True, slots=True, eq=False)
class TwoWay:
    """The weighted projection off unit and period effects; made by `TwoWay.of`.

    With A the unit × period table of weights, W_u and W_p its margins, unit effects are eliminated and the
    period effects of a column x solve S δ = Σ_i w (x − x̄_i) by period, where S = W_p − A' W_u⁻¹ A, n_periods
    square (Frisch and Waugh, 1933; Abowd, Kramarz and Margolis, 1999). Nothing is iterated.

    Attributes
    ----------
    unit, period : shape (n_rows,), codes 0, 1, …; not every code needs a row
    weight : shape (n_rows,), positive
    unit_total, period_total : weights of each unit and period
    inverse : shape (n_periods, n_periods), the pseudo-inverse of S
    period_component : shape (n_periods,)
        Periods that units link, directly or through others, share a number. Period effects of one component are
        known up to a common constant; they are normalised to sum to zero over its periods.
    unit_component : shape (n_units,), the component of each unit's periods, -1 where the unit has no row
    is_regular : whether every unit has every period in order and weights are constant within units
    """

    unit: Ints
    period: Ints
    weight: Floats
    unit_total: Floats
    period_total: Floats
    inverse: Floats
    period_component: Ints
    unit_component: Ints
    is_regular: bool

    @classmethod
    def of(cls, unit: Ints, period: Ints, weight: Floats, n_units: int = 0, n_periods: int = 0) -> TwoWay:
        """Return the projection for rows given by their codes; numbers of codes default to the largest seen."""
        from scipy import sparse
        from scipy.sparse import csgraph

        if len(unit) == 0:
            raise DesignError("No rows are left, so unit and period effects cannot be taken out.")
        n_units, n_periods = max(n_units, int(unit.max()) + 1), max(n_periods, int(period.max()) + 1)
        unit_total = sums(unit, weight, n_units)
        period_total = sums(period, weight, n_periods)
        is_regular = _is_regular(unit, period, weight, n_units, n_periods)
        if is_regular:
            components = np.zeros(n_periods, dtype=np.int64)
            total = float(period_total[0])
            schur: Floats = np.diag(period_total) - total / n_periods
            unit_component = np.zeros(n_units, dtype=np.int64)
        else:
            shape = (n_units, n_periods)
            table = sparse.coo_array((weight, (unit, period)), shape=shape).tocsr()
            crossed = (table.T @ table.multiply(reciprocal(unit_total)[:, None]).tocsr()).toarray()
            components = np.asarray(csgraph.connected_components(crossed > 0)[1], dtype=np.int64)
            schur = np.diag(period_total) - crossed
            unit_component = np.full(n_units, -1, dtype=np.int64)
            unit_component[unit] = components[period]
        inverse = _inverse(schur, components)
        return cls(unit, period, weight, unit_total, period_total, inverse, components, unit_component, is_regular)

    @property
    def n_effects(self) -> int:
        """Return the number of independent effects: units and periods with rows, less one for each component."""
        seen = self.period_total > 0
        n_components = len(np.unique(self.period_component[seen]))
        return int((self.unit_total > 0).sum() + seen.sum() - n_components)

    def residuals(self, columns: Floats) -> Floats:
        """Return columns, shape (n_rows,) or (n_rows, k), less their projection on unit and period effects."""
        if columns.ndim == 2:
            return np.column_stack([self.residuals(column) for column in columns.T]) if columns.size else columns.copy()
        if self.is_regular:
            return self._regular_residuals(columns)
        left = columns - self.unit_means(columns)[self.unit]
        return np.asarray(left - self._unit_free(self._period_effects(left)))

    def effects(self, column: Floats) -> tuple[Floats, Floats]:
        """Return the unit effects (n_units,) and period effects (n_periods,) of a column, shape (n_rows,).

        Period effects sum to zero over each component; a unit or period without rows has 0.
        """
        means = self.unit_means(column)
        of_period = self._period_effects(column - means[self.unit])
        return means - self.unit_means(of_period[self.period]), of_period

    def unit_means(self, column: Floats) -> Floats:
        """Return the weighted mean of a column, shape (n_rows,), over each unit's rows; 0 where it has none."""
        if self.is_regular:
            return np.asarray(column.reshape(len(self.unit_total), -1).mean(axis=1))
        return sums(self.unit, self.weight * column, len(self.unit_total)) * reciprocal(self.unit_total)

    def _period_effects(self, left: Floats) -> Floats:
        return np.asarray(self.inverse @ sums(self.period, self.weight * left, len(self.period_total)))

    def _unit_free(self, of_period: Floats) -> Floats:
        """Return period effects by row, less their mean within the unit."""
        by_row = of_period[self.period]
        return np.asarray(by_row - self.unit_means(by_row)[self.unit])

    def _regular_residuals(self, column: Floats) -> Floats:
        grid = column.reshape(len(self.unit_total), -1)
        left = grid - grid.mean(axis=1)[:, None]
        share = self.unit_total / self.unit_total.sum()
        return np.asarray((left - share @ left).ravel())


def _is_regular(unit: Ints, period: Ints, weight: Floats, n_units: int, n_periods: int) -> bool:
    """Return whether rows are a complete unit × period table in order, with one weight for each unit."""
    if len(unit) != n_units * n_periods:
        return False
    units, periods = unit.reshape(n_units, n_periods), period.reshape(n_units, n_periods)
    weights = weight.reshape(n_units, n_periods)
    in_order = (units == np.arange(n_units)[:, None]).all() and (periods == np.arange(n_periods)).all()
    return bool(in_order and (weights == weights[:, :1]).all())


def _inverse(schur: Floats, components: Ints) -> Floats:
    """Return the pseudo-inverse, component by component: each has one null vector, the constant.

    On vectors that sum to zero S + c 11'/m equals S, and it is regular, whatever c > 0.
    """
    inverse = np.zeros_like(schur)
    for component in np.unique(components):
        at = np.flatnonzero(components == component)
        if len(at) == 1:
            continue
        block = schur[np.ix_(at, at)]
        shift = np.trace(block) / len(at)
        ones = np.full(block.shape, 1 / len(at))
        inverse[np.ix_(at, at)] = np.linalg.inv(block + shift * ones) - ones / shift
    return inverse


# Two-by-two comparisons of cohorts and their weights in a two-way effect (Goodman-Bacon, 2021).


@dataclass(frozen=True, slots=True)
class Pair:
    """A comparison of cohort `treated` with cohort `compared` (positions): its weight and estimate."""

    treated: int
    compared: int
    weight: float
    estimate: float
    is_joint: bool = False


def plain_pairs(cohorts: Floats, share: Floats, means: Floats, periods: Floats) -> list[Pair]:
    """Return every comparison of a balanced panel; weights sum to 1 and Σ weight × estimate is the two-way effect.

    `cohorts` (C,) are starts, −inf for always and inf for never treated, `share` (C,) their shares of the units,
    `means` (C, T) their mean outcomes. For cohorts k and l, starting earlier and later, with D their shares of treated
    periods, the weights are in proportion to

    - k against never or always treated: n_k n_l D_k(1 − D_k);
    - k against l, in the periods before l starts: n_k n_l (D_k − D_l)(1 − D_k);
    - l against k, in the periods after k starts: n_k n_l D_l(D_k − D_l)

    (the paper's equations 10e to 10g, multiplied out).
    """
    treated_share = (periods >= cohorts[:, None]).mean(axis=1)
    found: list[Pair] = []
    for early, late in combinations(range(len(cohorts)), 2):
        size = float(share[early] * share[late])
        before, after = float(treated_share[early]), float(treated_share[late])
        if not np.isfinite(cohorts[[early, late]]).any():
            continue
        if np.isfinite(cohorts[early]) and np.isfinite(cohorts[late]):
            window = periods < cohorts[late]
            change = _difference(means, early, late, window & (periods >= cohorts[early]), periods < cohorts[early])
            found.append(Pair(early, late, size * (before - after) * (1 - before), change))
            change = _difference(means, late, early, periods >= cohorts[late], window & (periods >= cohorts[early]))
            found.append(Pair(late, early, size * after * (before - after), change))
        else:
            moving, still = (early, late) if np.isfinite(cohorts[early]) else (late, early)
            part = float(treated_share[moving])
            is_after = periods >= cohorts[moving]
            change = _difference(means, moving, still, is_after, ~is_after)
            found.append(Pair(moving, still, size * part * (1 - part), change))
    total = sum(pair.weight for pair in found)
    return [Pair(pair.treated, pair.compared, pair.weight / total, pair.estimate) for pair in found]


def _difference(
    means: Floats, treated: int, compared: int, after: NDArray[np.bool_], before: NDArray[np.bool_]
) -> float:
    gap = means[treated] - means[compared]
    return float(gap[after].mean() - gap[before].mean())


def controlled_pairs(cohorts: Floats, share: Floats, left: Floats, means: Floats) -> list[Pair]:
    """Return every pair of cohorts where covariates are in the model.

    `left` (C, T) are cohort means of the part of treatment that effects and covariates do not predict. A pair weighs
    n_k n_l Σ_t (left_kt − left_lt)², and its estimate is the slope of y_kt − y_lt on that difference; weighted, the
    slopes give the between-cohort part of the two-way effect, because left sums to 0 over cohorts in every period.
    An always- or never-treated cohort is the one compared with; covariates that move apart make even those two a pair.
    """
    found, largest = [], float((left**2).sum())
    for early, late in combinations(range(len(cohorts)), 2):
        has_start = np.isfinite(cohorts[late]) and not np.isfinite(cohorts[early])
        treated, compared = (late, early) if has_start else (early, late)
        gap = left[treated] - left[compared]
        square = float((gap**2).sum())
        if square <= 1e-20 * largest:
            continue
        slope = float((gap * (means[treated] - means[compared])).sum()) / square
        found.append(Pair(treated, compared, float(share[early] * share[late]) * square, slope, is_joint=True))
    total = sum(pair.weight for pair in found)
    return [Pair(pair.treated, pair.compared, pair.weight / total, pair.estimate, True) for pair in found]
