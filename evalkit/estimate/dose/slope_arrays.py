"""The slope of change on dose within areas, and every way in which the doses could have been dealt out instead."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.estimate.inversion_arrays import Reference
from evalkit.estimate.least_squares_arrays import orthonormal

_NOTHING_LEFT = 1e-9
"""A dose that keeps less than this share of its length once areas and covariates are out says nothing of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Dealings:
    """Doses dealt out anew within areas.

    Attributes
    ----------
    doses : shape (D, n), the doses as they were first
    is_exact : whether these are all the ways there are, each once, and no sample
    """

    doses: Floats
    is_exact: bool


def n_dealings(area: Ints, dose: Floats) -> int:
    """Return in how many ways the doses of each area can be dealt out to its units: Π n_a! / Π ties!."""
    found = 1
    for code in np.unique(area):
        _, ties = np.unique(dose[area == code], return_counts=True)
        found *= math.factorial(int(ties.sum())) // math.prod(math.factorial(int(n)) for n in ties)
    return found


def dealings(area: Ints, dose: Floats, n_draws: int, rng: np.random.Generator) -> Dealings:
    """Return the doses as they were and dealt out anew: in all ways where they are no more than `n_draws` + 1.

    Parameters
    ----------
    area, dose : shape (n,); units stand in the order of their ids, so that the draws do not depend on rows
    n_draws : draws beside the doses as they were, where there are more ways
    rng : stream of the draws
    """
    places = [np.flatnonzero(area == code) for code in np.unique(area)]
    if n_dealings(area, dose) <= n_draws + 1:
        every = [[*_orders(dose[at])] for at in places]
        rows = np.empty((math.prod(map(len, every)), len(dose)))
        for row, parts in zip(rows, product(*every), strict=True):
            for at, part in zip(places, parts, strict=True):
                row[at] = part
        own = int(np.flatnonzero((rows == dose).all(axis=1))[0])
        return Dealings(np.vstack([rows[own], np.delete(rows, own, axis=0)]), is_exact=True)
    rows = np.tile(dose, (n_draws + 1, 1))
    for at in places:
        order = np.argsort(rng.random((n_draws, len(at))), axis=1)
        rows[1:, at] = dose[at][order]
    return Dealings(rows, is_exact=False)


def _orders(dose: Floats) -> Iterator[list[float]]:
    """Yield every distinct order of some doses."""
    values, counts = np.unique(dose, return_counts=True)
    yield from _orders_of(values.tolist(), counts.tolist(), len(dose))


def _orders_of(values: list[float], left: list[int], n: int) -> Iterator[list[float]]:
    if n == 0:
        yield []
        return
    for at, value in enumerate(values):
        if left[at]:
            rest = [count - (one == at) for one, count in enumerate(left)]
            yield from ([value, *tail] for tail in _orders_of(values, rest, n - 1))


@dataclass(frozen=True, slots=True, eq=False)
class Slope:
    """The coefficient of dose, and those of every dealing.

    Attributes
    ----------
    estimate : of a change on the dose, areas and covariates held
    reference : the same for every dealing, each over the length that is left of its doses
    share_left : R² that areas and covariates leave of the dose: 1 less their own
    leverage : shape (n,), the share of each unit in what is left of the dose
    df : units less coefficients
    """

    estimate: float
    reference: Reference
    share_left: float
    leverage: Floats
    df: int


def slope(change: Floats, doses: Floats, area: Ints, covariates: Floats) -> Slope | None:
    """Return the least-squares slope of change on dose, areas and covariates held; None where nothing is left of dose.

    With M the projection off area means and covariates, b = d'My / d'Md. Dealing π has the statistic
    d_π'M(y − βd) / √(d_π'Md_π), which orders dealings as the absolute t of the regression does: where doses go with a
    covariate, dealt-out ones do not, and slopes alone would be compared at different precision.

    Parameters
    ----------
    change : shape (n,)
    doses : shape (D, n), the doses as they were first
    area : shape (n,)
    covariates : shape (n, q), which may be collinear
    """
    dummies = (area[:, None] == np.unique(area)[None, :]).astype(float)
    basis = _held(area, covariates)
    left = _left(doses, basis)
    length = np.sqrt((left**2).sum(axis=1))
    whole = np.sqrt((doses[0] ** 2).sum())
    if length[0] <= _NOTHING_LEFT * whole:
        return None
    y = change - basis @ (basis.T @ change)
    estimate = float(left[0] @ y / length[0] ** 2)
    is_known = length > _NOTHING_LEFT * whole
    over = np.where(is_known, length, 1.0) * length[0]
    first = np.where(is_known, left @ y / over, estimate)
    bend = np.where(is_known, left @ left[0] / over, 1.0)  # one of which nothing is left counts as like the data
    within = doses[0] - dummies @ (dummies.T @ doses[0] / dummies.sum(axis=0))
    return Slope(
        estimate=estimate,
        reference=Reference.unscaled(estimate, 1 / float(length[0]), first, bend),
        share_left=min(float(length[0] ** 2 / (within @ within)), 1.0),
        leverage=left[0] ** 2 / length[0] ** 2,
        df=len(change) - basis.shape[1] - 1,
    )


def _held(area: Ints, covariates: Floats) -> Floats:
    """Return an orthonormal basis of area effects and covariates, shape (n, r)."""
    dummies = (area[:, None] == np.unique(area)[None, :]).astype(float)
    lengths = np.sqrt((np.column_stack([dummies, covariates]) ** 2).sum(axis=0))
    return orthonormal(np.column_stack([dummies, covariates - covariates.mean(axis=0)]), lengths)


def _left(doses: Floats, basis: Floats) -> Floats:
    """Return what areas and covariates leave of doses, shape (D, n)."""
    left = doses - (doses @ basis) @ basis.T
    left -= (left @ basis) @ basis.T  # twice, so that rounding leaves nothing of areas and covariates
    return np.asarray(left)


def contributions(change: Floats, doses: Floats, area: Ints, covariates: Floats) -> tuple[Floats, Floats]:
    """Return the slope on each row of doses, shape (D,), and what each unit contributes to its error, (D, n).

    With d what is left of the doses and e the residuals of the regression on them, a unit contributes d_i e_i / d'd:
    the squares of these sum to White's variance, and those of differences of two slopes to that of their difference. A
    row of which nothing is left has a slope of 0, and no error.
    """
    basis = _held(area, covariates)
    left = _left(doses, basis)
    square = (left**2).sum(axis=1)
    is_known = square > (_NOTHING_LEFT**2) * (doses**2).sum(axis=1)
    over = np.where(is_known, square, 1.0)
    y = change - basis @ (basis.T @ change)
    slopes = np.where(is_known, left @ y / over, 0.0)
    psi = left * (y - slopes[:, None] * left) / over[:, None]
    return slopes, np.where(is_known[:, None], psi, 0.0)


def residuals(change: Floats, dose: Floats, area: Ints, covariates: Floats) -> Floats:
    """Return what of a change is left by the regression of `slope`, shape (n,)."""
    dummies = (area[:, None] == np.unique(area)[None, :]).astype(float)
    columns = np.column_stack([dummies, covariates - covariates.mean(axis=0), dose - dose.mean()])
    basis = orthonormal(columns, np.sqrt((np.column_stack([dummies, covariates, dose]) ** 2).sum(axis=0)))
    return np.asarray(change - basis @ (basis.T @ change))
