"""The two-way effect under other assignments of treatment, from sums by cluster and cohort."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.executor import SERIAL, Executor, pieces
from evalkit.estimate.arrays.inversion import Reference
from evalkit.estimate.arrays.least_squares import Fit, without_means

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_CHUNK = 4_000_000
"""Numbers held at once while assignments are worked through."""
_MOST = 1_000
"""Assignments in a piece at most, so that there is something to share out."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What each cluster would add if it were of each cohort, with y and Z as in `Fit` and D_c that cohort's treatment.

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


def cohort_sums(fit: Fit, treated_from: Floats, period: Floats, actual: Floats) -> Sums:
    """Return the sums; `fit` holds the outcome less everything but treatment, `treated_from` each cohort's start.

    `treated_from` (n_cohorts,) is infinite for never treated; `period` and `actual` (n,) are each row's period and
    whether it is treated.
    """
    w, z = fit.weight[:, None], fit.basis
    columns = np.asarray(period[:, None] >= treated_from, dtype=float)
    inner = without_means(columns, fit.weight, fit.nested)
    own = without_means(actual[:, None], fit.weight, fit.nested)
    own = own - z @ (z.T @ (w * own))
    basis = np.stack([fit.by_cluster(w * z * column[:, None]) for column in inner.T], axis=1)
    return Sums(
        outcome=fit.by_cluster(w * columns * fit.residuals[:, None]),
        treatment=fit.by_cluster(w * columns * own),
        square=fit.by_cluster(w * inner**2),
        basis=basis,
        left=np.stack([fit.by_cluster(w * z * fit.residuals[:, None]), fit.by_cluster(w * z * own)]),
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
    own = np.einsum("ar,grs,as->ag", onto, sums.gram, onto, optimize=True)
    scores = []
    for coefficient, moved, still in zip((first, slope), (sums.outcome, sums.treatment), sums.left, strict=True):
        inside = own.copy()
        top = -(onto @ still.T)
        rows = np.arange(len(who))[:, None]
        inside[rows, who] += sums.square[who, cohort] - 2 * (sums.basis[who, cohort] * onto[:, None, :]).sum(axis=2)
        top[rows, who] += moved[who, cohort]
        scores.append((top - coefficient[:, None] * inside) / bottom[:, None])
    y, d = scores
    return first, slope, (y * y).sum(axis=1), (y * d).sum(axis=1), (d * d).sum(axis=1)
