"""The two-way effect under other assignments, placebo residuals and wild draws, from sums by cluster."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations, product
from typing import Literal

import numpy as np

from evalkit.core.arrays import Codes, Floats
from evalkit.core.draws import SERIAL, Executor, pieces
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable
from evalkit.estimate.inversion_arrays import Reference
from evalkit.estimate.least_squares_arrays import LeastSquaresFit, without_means

# Assignments of treatment to clusters that keep a design's numbers, all of them or drawn.

MOST_ASSIGNMENTS_LISTED = 20_000
"""All assignments are gone through, and none drawn, where there are at most so many."""


def n_assignments(cohort: Codes, stratum: Codes) -> int:
    """Return how many distinct assignments keep the number of clusters of each cohort in each stratum."""
    total = 1
    for each in np.unique(stratum):
        sizes = np.bincount(cohort[stratum == each])
        total *= math.factorial(int(sizes.sum())) // math.prod(math.factorial(int(size)) for size in sizes)
    return total


def assignments(cohort: Codes, stratum: Codes, n_draws: int, random: np.random.Generator) -> Codes:
    """Return which cluster takes each treated place, shape (n_assignments, n_places); all where they are few.

    `cohort` holds each cluster's cohort, 0 standing for never treated, `stratum` its stratum; a place is a treated
    cluster's, in the order of `places`. Drawn assignments come after the actual one.
    """
    if n_assignments(cohort, stratum) <= MOST_ASSIGNMENTS_LISTED:
        return np.array(list(_all(cohort, stratum)), dtype=np.intp).reshape(-1, int((cohort > 0).sum()))
    actual = places(cohort, stratum)
    drawn = np.empty((n_draws + 1, len(actual)), dtype=np.intp)
    # The actual assignment is one of them, so that no p-value is 0 (Phipson and Smyth, 2010).
    drawn[0] = actual
    begin = 0
    for each in np.unique(stratum):
        members = np.flatnonzero(stratum == each)
        count = int((cohort[members] > 0).sum())
        for row in drawn[1:]:
            row[begin : begin + count] = random.choice(members, count, replace=False)
        begin += count
    return drawn


def places(cohort: Codes, stratum: Codes) -> Codes:
    """Return the treated clusters by stratum, then cohort: the actual assignment."""
    order = np.lexsort([np.arange(len(cohort)), cohort, stratum])
    return np.asarray(order[cohort[order] > 0])


def _all(cohort: Codes, stratum: Codes) -> Iterator[tuple[int, ...]]:
    """Yield every assignment once, stratum by stratum."""
    strata = [np.flatnonzero(stratum == each) for each in np.unique(stratum)]

    def fill(at: int) -> Iterator[tuple[int, ...]]:
        if at == len(strata):
            yield ()
            return
        members = strata[at]
        counts = [int(count) for count in np.bincount(cohort[members])[1:]]
        for first in _split(tuple(members.tolist()), counts):
            for rest in fill(at + 1):
                yield first + rest

    return fill(0)


def _split(members: tuple[int, ...], counts: list[int]) -> Iterator[tuple[int, ...]]:
    """Yield every way of giving `counts[0]` of the members to the first cohort, and so on."""
    if not counts:
        yield ()
        return
    for chosen in combinations(members, counts[0]):
        left = tuple(member for member in members if member not in chosen)
        for rest in _split(left, counts[1:]):
            yield chosen + rest


# The two-way effect under other assignments of treatment, from sums by cluster and cohort.

_CHUNK = 4_000_000
"""Numbers held at once while assignments are worked through."""
_MOST = 1_000
"""Assignments in a piece at most, so that there is something to share out."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What each cluster would add if it were of each cohort: y and Z as in `LeastSquaresFit`, D_c its treatment.

    Attributes
    ----------
    outcome, treatment : shape (n_clusters, n_cohorts)
        D_c'W ÿ, and D_c'W d̈ with d̈ the actual treatment less its projection.
    square : shape (n_clusters, n_cohorts)
        D̃_c'W D̃_c, D̃_c less its unit means.
    basis : shape (n_clusters, n_cohorts, r)
        Z'W D̃_c.
    left : shape (2, n_clusters, r)
        Z'W ÿ and Z'W d̈.
    gram : shape (n_clusters, r, r)
        Z'W Z.
    """

    outcome: Floats
    treatment: Floats
    square: Floats
    basis: Floats
    left: Floats
    gram: Floats


def cohort_sums(fit: LeastSquaresFit, treated_from: Floats, period: Floats, actual: Floats) -> Sums:
    """Return the sums; `fit` holds the outcome less everything but treatment, `treated_from` each cohort's start.

    `treated_from` (n_cohorts,) is infinite for never treated; `period` and `actual` (n,) are each row's period and
    whether it is treated.
    """
    w, z = fit.weight[:, None], fit.basis
    columns = np.asarray(period[:, None] >= treated_from, dtype=float)
    inner = without_means(columns, fit.weight, fit.nested)
    treatment_left = without_means(actual[:, None], fit.weight, fit.nested)
    treatment_left = treatment_left - z @ (z.T @ (w * treatment_left))
    basis = np.stack([fit.by_cluster(w * z * column[:, None]) for column in inner.T], axis=1)
    return Sums(
        outcome=fit.by_cluster(w * columns * fit.residuals[:, None]),
        treatment=fit.by_cluster(w * columns * treatment_left),
        square=fit.by_cluster(w * inner**2),
        basis=basis,
        left=np.stack([fit.by_cluster(w * z * fit.residuals[:, None]), fit.by_cluster(w * z * treatment_left)]),
        gram=np.stack([z[rows].T @ (w[rows] * z[rows]) for rows in np.split(np.arange(len(z)), fit.starts[1:])]),
    )


def permutation_reference(
    sums: Sums, who: Codes, cohort: Codes, actual: int, is_studentised: bool, executor: Executor = SERIAL
) -> Reference:
    """Return the two-way coefficient under every assignment, as a function of the constant effect tested.

    `who` (n_assignments, n_places) holds the clusters that take the treated places, `cohort` (n_places,) the places'
    cohorts, `actual` the position of the assignment that was made. Under assignment π the coefficient is
    Σ D_π'W ÿ / (Σ D̃_π'W D̃_π − |Σ Z'W D̃_π|²) (Frisch and Waugh, 1933); an effect b is taken from the outcome
    as b times the actual treatment. Studentised, it is divided by its CR0 error.
    """
    width = max(who.shape[1], len(sums.gram) if is_studentised else 1) * sums.basis.shape[2]
    step = min(_MOST, max(1, _CHUNK // max(width, 1)))
    parts = executor.map(partial(_statistics, sums, cohort, is_studentised), pieces(who, step))
    first, slope, square, cross, bend = (np.concatenate(each) for each in zip(*parts, strict=True))
    if not is_studentised:
        spread = float(first.std()) or 1.0
        return Reference.unscaled(float(first[actual]), spread, first, slope)
    return Reference(float(first[actual]), float(np.sqrt(square[actual])), first, slope, square, cross, bend)


def _statistics(sums: Sums, cohort: Codes, is_studentised: bool, who: Codes) -> tuple[Floats, ...]:
    """Return the coefficient of the outcome and of the actual treatment, and the three parts of the squared error."""
    onto = sums.basis[who, cohort].sum(axis=1)
    left = sums.square[who, cohort].sum(axis=1)
    # Treatment less its projection on all else, squared: as Z is orthonormal, by Pythagoras.
    bottom = left - (onto**2).sum(axis=1)
    if (bottom <= 1e-10 * np.maximum(left, 1e-300)).any():
        raise DesignError(
            "Under some assignment treatment does not differ within periods, so it has no effect to estimate. "
            "Give more comparison clusters, or fewer strata."
        )
    first = sums.outcome[who, cohort].sum(axis=1) / bottom
    slope = sums.treatment[who, cohort].sum(axis=1) / bottom
    if not is_studentised:
        return first, slope, first, first, first
    within_clusters = np.einsum("ar,grs,as->ag", onto, sums.gram, onto, optimize=True)
    scores = []
    for coefficient, moved, still in zip((first, slope), (sums.outcome, sums.treatment), sums.left, strict=True):
        inside = within_clusters.copy()
        top = -(onto @ still.T)
        rows = np.arange(len(who))[:, None]
        inside[rows, who] += sums.square[who, cohort] - 2 * (sums.basis[who, cohort] * onto[:, None, :]).sum(axis=2)
        top[rows, who] += moved[who, cohort]
        scores.append((top - coefficient[:, None] * inside) / bottom[:, None])
    y, d = scores
    return first, slope, (y * y).sum(axis=1), (y * d).sum(axis=1), (d * d).sum(axis=1)


# What comparison clusters' residuals would have added to a two-way effect in a treated cluster's place.

MOST_PLACEBOS_LISTED = 100_000
"""All ways of putting comparison clusters into the treated places are gone through where they are at most so many."""


@dataclass(frozen=True, slots=True, eq=False)
class PlaceboSums:
    """Draws of the estimate's error: comparison clusters' residuals put in the treated clusters' places.

    The estimate itself counts as one more draw, so that no p-value is 0.
    """

    draws: Floats
    is_enumerated: bool

    def p_equal_tailed(self, error: float) -> float:
        """Return twice the smaller share of draws beyond `error` (the estimate less the value tested), at most 1."""
        above = 1 + int((self.draws >= error - _slack(error)).sum())
        below = 1 + int((self.draws <= error + _slack(error)).sum())
        return min(1.0, 2 * min(above, below) / (len(self.draws) + 1))

    def p_absolute(self, error: float) -> float:
        """Return the share of draws at least as far from 0 as `error`."""
        return (1 + int((np.abs(self.draws) >= abs(error) - _slack(error)).sum())) / (len(self.draws) + 1)

    def interval(self, estimate: float, level: float, is_absolute: bool) -> IntervalOrReason:
        """Return the values that the test does not reject: equal-tailed, or by absolute size; or why there is none."""
        share = (1 - level) * (1.0 if is_absolute else 0.5)
        # (1 − 0.9)/2 · 20 is 0.9999999999999998 in floating point, and must count as the first draw.
        kth = int(np.floor(share * (len(self.draws) + 1) + 1e-9))
        if kth < 1:
            needed = int(np.ceil(1 / share - 1e-9)) - 1
            return Unavailable(
                f"Only {len(self.draws)} placebo draws exist, and a {level:.0%} interval needs at least {needed}: "
                "there are too few comparison clusters."
            )
        if is_absolute:
            reach = float(np.sort(np.abs(self.draws))[-kth])
            return Interval(estimate - reach, estimate + reach, level)
        ordered = np.sort(self.draws)
        return Interval(float(estimate - ordered[-kth]), float(estimate - ordered[kth - 1]), level)


def _slack(error: float) -> float:
    return 1e-10 * abs(error)


def placebo_products(paths: Floats, residuals: Floats, square: float) -> Floats:
    """Return W (n_treated, n_comparison): Σ_t path_jt · residual_lt / square (Conley and Taber, 2011).

    `paths` (n_treated, n_periods) is each treated cluster's sum of weight × (treatment less its unit's mean),
    `residuals` (n_comparison, n_periods) the comparison clusters' weighted mean residuals, `square` the sum of
    weight × (treatment less its unit's mean)² over all treated clusters.
    """
    return np.asarray(paths @ residuals.T / square)


def placebo_sums(products: Floats, n_draws: int, random: np.random.Generator) -> PlaceboSums:
    """Return Σ_j W[j, l_j] with one comparison cluster l_j for each treated one, independent and with replacement."""
    n_treated, n_comparison = products.shape
    # In logarithms: the number of ways itself may be beyond any float.
    is_enumerated = n_treated * np.log(n_comparison) <= np.log(MOST_PLACEBOS_LISTED) + 1e-12
    if is_enumerated:
        chosen = np.array(list(product(range(n_comparison), repeat=n_treated)), dtype=np.intp)
    else:
        chosen = random.integers(0, n_comparison, (n_draws, n_treated))
    return PlaceboSums(products[np.arange(n_treated), chosen].sum(axis=1), bool(is_enumerated))


def variance_by_size(squares: Floats, sizes: Floats) -> tuple[float, float]:
    """Return A and B, neither negative, of the least-squares fit of squares on A + B/size (Ferman and Pinto, 2019)."""
    inverse = 1 / sizes
    deviation = inverse - inverse.mean()
    spread = float((deviation**2).sum())
    slope = float((deviation * squares).sum()) / spread if spread > 0 else 0.0
    level = float(squares.mean()) - slope * float(inverse.mean())
    # Least squares without negative coefficients: where one would be negative, the optimum has it at zero.
    if slope < 0:
        return float(squares.mean()), 0.0
    if level < 0:
        return 0.0, float((squares * inverse).sum() / (inverse**2).sum())
    return level, slope


def rescaled(products: Floats, treated_sizes: Floats, sizes: Floats) -> Floats:
    """Return W with each residual brought to the variance of the treated cluster's size: times √(v(M_j)/v(M_l)).

    v(M) = A + B/M is fitted to the squares of each treated cluster's row, because starts differ.
    """
    rows = []
    for row, size in zip(products, treated_sizes, strict=True):
        constant, slope = variance_by_size(row**2, sizes)
        rows.append(row * np.sqrt((constant + slope / size) / (constant + slope / sizes)))
    return np.array(rows)


def size_test(products: Floats, sizes: Floats, n_draws: int, random: np.random.Generator) -> float:
    """Return the p-value of no relation between a comparison cluster's size and the square of its residuals.

    The statistic is |Σ_l (1/M_l − mean)·Σ_j W[j, l]²|; sizes are permuted over the clusters, the actual order counts.
    """
    squares = (products**2).sum(axis=0)
    inverse = 1 / sizes - (1 / sizes).mean()
    moved = np.array([random.permutation(inverse) @ squares for _ in range(n_draws)])
    actual = abs(float(inverse @ squares))
    return float((1 + (np.abs(moved) >= actual * (1 - 1e-10)).sum()) / (n_draws + 1))


# Wild cluster bootstrap of one least-squares coefficient, from the scores of clusters.

WildWeights = Literal["rademacher", "webb"]

MOST_DRAWS_LISTED = 2**14
"""All vectors of weights are gone through, and none drawn, where there are at most so many: up to 14 clusters with
Rademacher weights, up to 5 with Webb's."""

_VALUES = {
    "rademacher": np.array([-1.0, 1.0]),
    "webb": np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)]),
}


def wild_weights(n_clusters: int, kind: WildWeights, n_draws: int, random: np.random.Generator) -> Floats:
    """Return weights, shape (n_clusters, n_vectors), all enumerated where they are few.

    Rademacher: −1 or 1. Webb (2014): ±√½, ±1, ±√1½. Drawn vectors come after the one of ones, which is the data.
    """
    values = _VALUES[kind]
    total = len(values) ** n_clusters if n_clusters < 20 else np.inf
    if total <= MOST_DRAWS_LISTED:
        # The digits of 0, 1, 2, … in base 2 or 6: every vector once, the one of ones (the data) among them.
        digits = np.arange(int(total)) // len(values) ** np.arange(n_clusters)[:, None] % len(values)
        return np.asarray(values[digits])
    drawn = values[random.integers(0, len(values), (n_clusters, n_draws))]
    return np.column_stack([np.ones(n_clusters), drawn])


def wild_reference(fit: LeastSquaresFit, at: int, weights: Floats, is_restricted: bool = True) -> Reference:
    """Return the bootstrap distribution of the t statistic of coefficient `at`, as a function of the value tested.

    `weights` has shape (n_clusters, n_vectors). With the null b imposed (Cameron, Gelbach and Miller, 2008) the
    residuals are those of y − b·x on all other columns; otherwise those of the fit. For cluster g and weights v the
    bootstrap score is v_g s_g − Σ_h j_g'k_h v_h, s_g = d_g'W u_g, j_g = Z_g'W d_g, k_h = Z_h'W u_h, d the regressor's
    direction, so that no bootstrap sample is ever made (Roodman, MacKinnon, Nielsen and Webb, 2019). Small-sample
    factors cancel between t* and t.
    """
    if len(weights) != fit.n_clusters:
        raise DesignError(f"{len(weights)} bootstrap weights were given for {fit.n_clusters} clusters.")
    direction = fit.direction(at)
    # The regressor less the others: an effect b taken off the outcome moves the residuals by −b times this.
    moved_by_effect = direction / float((fit.weight * direction**2).sum())
    estimate = float(fit.coefficients[at])
    scale = float(np.sqrt((fit.by_cluster(fit.weight * direction * fit.residuals) ** 2).sum()))
    if not is_restricted:
        top, scores = _scores(fit, direction, fit.residuals, weights)
        zero = np.zeros(top.shape)
        return Reference(estimate, scale, top, zero, _squared(scores, scores), zero, zero)
    top, scores = _scores(fit, direction, fit.residuals + estimate * moved_by_effect, weights)
    slope, bends = _scores(fit, direction, moved_by_effect, weights)
    return Reference(
        estimate, scale, top, slope, _squared(scores, scores), _squared(scores, bends), _squared(bends, bends)
    )


def _scores(fit: LeastSquaresFit, direction: Floats, residuals: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return each vector's coefficient (n_vectors,) and the clusters' bootstrap scores (n_clusters, n_vectors)."""
    s = fit.by_cluster(fit.weight * direction * residuals)
    j = fit.by_cluster(fit.basis * (fit.weight * direction)[:, None])
    k = fit.by_cluster(fit.basis * (fit.weight * residuals)[:, None])
    return s @ weights, s[:, None] * weights - j @ (k.T @ weights)


def _squared(left: Floats, right: Floats) -> Floats:
    return np.asarray((left * right).sum(axis=0))
