"""Missing cells of a table of units by years filled in by predictive mean matching, year after year in rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints

_RIDGE: Final = 1e-5
"""Share of its square that is added to each predictor's, so that predictors may follow from each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputationOptions:
    """How cells are filled in: rounds over the years, and donors among whom one is drawn."""

    n_rounds: int = 5
    n_donors: int = 5


def imputed(
    values: Floats, covariates: Floats, group: Ints, rng: np.random.Generator, options: ImputationOptions
) -> Floats:
    """Return a table in which every missing cell holds the value of a donor.

    Parameters
    ----------
    values : shape (n, T)
        Outcome of each unit in each year, NaN where missing; each row and each column has a value.
    covariates : shape (n, k)
        Without gaps.
    group : shape (n,)
        Position of each unit's area, 0 … G − 1; −1 where it is not known.
    rng : the stream of this one completed table; rows are in an order that does not depend on the file

    Notes
    -----
    Each year in turn is regressed, among the units that have it, on a constant, the other years, the covariates and
    the mean of the other units of the area in every year. Coefficients are drawn from their posterior; a unit without
    the year gets the value of one of the `n_donors` units whose prediction (by the estimated coefficients) lies nearest
    its own (by the drawn ones): type 1 of van Buuren (2018, section 3.4). Rounds over the years begin from the sum of
    the unit's and the year's mean.
    """
    missing = np.isnan(values)
    n_years = values.shape[1]
    start = np.where(missing, _additive(values), values)
    table = np.vstack([start.T, np.ones(len(values)), covariates.T, means_of_others(values, group).T])
    years = [_year(year, missing[:, year], table) for year in np.flatnonzero(missing.any(axis=0)).tolist()]
    for _ in range(options.n_rounds):
        for year, known, wanted, told in years:
            columns = table[told]
            table[year, wanted] = _drawn(table[year, known], columns[:, known], columns[:, wanted], rng, options)
    found: Floats = np.ascontiguousarray(table[:n_years].T)
    return found


def _year(year: int, missing: Bools, table: Floats) -> tuple[int, Ints, Ints, Ints]:
    """Return a year, who has it and who lacks it, and the rows of the table that tell something of it."""
    known, wanted = np.flatnonzero(~missing), np.flatnonzero(missing)
    tells = (table[:, known] != 0).any(axis=1)  # a kind of unit of which nobody has this year tells nothing of it
    tells[year] = False
    return year, known, wanted, np.flatnonzero(tells)


def means_of_others(values: Floats, group: Ints) -> Floats:
    """Return the mean of the other units of each unit's group in each year, of all others where it has none.

    Shapes (n, T) and (n,) as in `imputed`; a unit's own value never counts.
    """
    seen = np.isfinite(values)
    filled = np.where(seen, values, 0.0)
    n_groups = int(group.max(initial=-1)) + 1
    found = np.empty_like(filled)
    for year in range(values.shape[1]):
        known = group >= 0
        sums = np.bincount(group[known], filled[known, year], minlength=n_groups + 1)
        counts = np.bincount(group[known], seen[known, year], minlength=n_groups + 1)
        total = np.where(known, sums[group], 0.0) - np.where(known, filled[:, year], 0.0)
        number = np.where(known, counts[group], 0.0) - np.where(known, seen[:, year], 0.0)
        of_all, n_all = filled[:, year].sum() - filled[:, year], seen[:, year].sum() - seen[:, year]
        everywhere = of_all / np.maximum(n_all, 1)
        found[:, year] = np.where(number > 0, total / np.maximum(number, 1), everywhere)
    return found


def _additive(values: Floats) -> Floats:
    """Return the mean of each unit's departures from the years' means, added to these; shape (n, T)."""
    years = np.nanmean(values, axis=0)
    own: Floats = np.nanmean(values - years, axis=1)
    start: Floats = years + own[:, None]
    return start


def _drawn(
    known: Floats, columns: Floats, wanted: Floats, rng: np.random.Generator, options: ImputationOptions
) -> Floats:
    """Return a donor's value for each column of `wanted`, shape (p, m), of units with `known` (n,) and `columns`."""
    square = columns @ columns.T
    square[np.diag_indices_from(square)] *= 1 + _RIDGE
    inverse = np.linalg.inv(square)
    fitted = inverse @ (columns @ known)
    predicted = fitted @ columns
    residual = known - predicted
    spread = np.sqrt(residual @ residual / rng.chisquare(max(len(known) - len(columns), 1)))
    drawn = fitted + spread * (np.linalg.cholesky((inverse + inverse.T) / 2) @ rng.standard_normal(len(fitted)))
    found: Floats = known[_donors(predicted, drawn @ wanted, rng, options.n_donors)]
    return found


def _donors(of_known: Floats, of_wanted: Floats, rng: np.random.Generator, n_donors: int) -> Ints:
    """Return one of the nearest `n_donors` for each prediction, as a position among those that are known."""
    n = len(of_known)
    n_donors = min(n_donors, n)
    order = np.argsort(of_known, kind="stable")
    at = np.searchsorted(of_known[order], of_wanted)
    window = at[:, None] + np.arange(-n_donors, n_donors)[None, :]
    inside = (window >= 0) & (window < n)
    candidates = order[np.clip(window, 0, n - 1)]
    distance = np.where(inside, np.abs(of_known[candidates] - of_wanted[:, None]), np.inf)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :n_donors]
    chosen = np.take_along_axis(nearest, rng.integers(n_donors, size=(len(at), 1)), axis=1)
    found: Ints = np.take_along_axis(candidates, chosen, axis=1)[:, 0].astype(np.int64)
    return found
