"""Kernels of the comparative interrupted time series: gaps of areas, and lines with a change of level and slope."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints


def gaps(values: Floats, compared: Bools) -> Floats:
    """Return each area's series less the mean of those it is compared with, NaN where there is none; shape (J, T).

    `values` is (J, T) and complete; `compared` (J, J) says whether the area of a row is compared with that of a column.
    """
    number = compared.sum(axis=1)
    means = (compared.astype(float) @ values) / np.maximum(number, 1)[:, None]
    found: Floats = np.where(number[:, None] > 0, values - means, np.nan)
    return found


def set_gaps(values: Floats, compared: Bools, weight: Floats, sets: Ints) -> Floats:
    """Return the mean gap of each set's areas to those they are compared with outside the set, shape (D, T).

    NaN where an area of a set has nobody to be compared with outside it.

    Parameters
    ----------
    values : shape (J, T)
    compared : shape (J, J), whether the area of a row is compared with that of a column
    weight : shape (J,), what an area weighs in its set
    sets : shape (D, A), positions
    """
    found = np.full((len(sets), values.shape[1]), np.nan)
    for at, chosen in enumerate(sets):
        outside = compared[chosen].astype(float)
        outside[:, chosen] = 0.0
        counts = outside.sum(axis=1)
        if counts.all():
            gap = values[chosen] - outside @ values / counts[:, None]
            found[at] = np.average(gap, axis=0, weights=weight[chosen])
    return found


def terms(years: Ints, start: int, has_slope: bool) -> Floats:
    """Return the regressors of each year: 1, P, and with slopes t − t₀ and P(t − t₀); shape (T, 2 or 4).

    P is 1 from the start t₀ on, so that the change of level is that of the first treated year.
    """
    since = (years - start).astype(float)
    is_after = (years >= start).astype(float)
    columns = [np.ones(len(years)), is_after]
    columns += [since, is_after * since] if has_slope else []
    return np.stack(columns, axis=1)


class InterruptedFit(NamedTuple):
    """Of every area, by ordinary least squares over its own years.

    `level` γ and `slope` δ (0 where there are no slopes) are the changes at the start; `trend` is β before it;
    `effects` (J, n after) are γ + δ(t − t₀) of each year from the start on, `mean` (J,) their mean; `fitted` and
    `without` (J, T) the line, and the line as it would have gone on, in every year; `residuals` (J, n used) of the
    years used.
    """

    level: Floats
    slope: Floats
    trend: Floats
    effects: Floats
    mean: Floats
    fitted: Floats
    without: Floats
    residuals: Floats


def interrupted(series: Floats, years: Ints, start: int, has_slope: bool, used: Bools | None = None) -> InterruptedFit:
    """Fit y_t = α + γP_t (+ β(t − t₀) + δP_t(t − t₀)) + e to every row of `series` (J, T) at once.

    `used` (T,) are the years that count, all by default. Effects are those of the years used from the start on.
    """
    used = np.ones(len(years), dtype=bool) if used is None else used
    every = terms(years, start, has_slope)
    coefficients = series[:, used] @ np.linalg.pinv(every[used]).T
    none = np.zeros(len(series))
    trend, slope = (coefficients[:, 2], coefficients[:, 3]) if has_slope else (none, none)
    fitted = coefficients @ every.T
    without = coefficients @ terms_before(every).T
    after = used & (years >= start)
    effects = (fitted - without)[:, after]
    return InterruptedFit(
        level=coefficients[:, 1],
        slope=slope,
        trend=trend,
        effects=effects,
        mean=effects.mean(axis=1),
        fitted=fitted,
        without=without,
        residuals=(series - fitted)[:, used],
    )


def terms_before(every: Floats) -> Floats:
    """Return regressors with the programme taken out of them."""
    found = every.copy()
    found[:, 1] = 0.0
    found[:, 3:] = 0.0
    return found


class LineBefore(NamedTuple):
    """Of every area in the years before its start: mean gap, its slope a year (0 with fewer than three years)."""

    mean: Floats
    slope: Floats


def line_before(series: Floats, years: Ints, start: int, used: Bools) -> LineBefore:
    """Fit a line to the years used before a start, for every row of `series` (J, T)."""
    before = used & (years < start)
    part, time = series[:, before], years[before].astype(float)
    mean = part.mean(axis=1)
    if before.sum() < 3:
        return LineBefore(mean, np.zeros(len(series)))
    spread = time - time.mean()
    slope: Floats = (part @ spread) / (spread @ spread)
    return LineBefore(mean, slope)


def neighbour_correlation(residuals: Floats, years: Ints) -> Floats:
    """Return the correlation of residuals a year apart, Σ e_t e_{t−1} / Σ e_t², of each row; NaN where none varies.

    `residuals` is (J, T); only pairs of years that follow each other count.
    """
    follow = np.diff(years) == 1
    products = (residuals[:, 1:] * residuals[:, :-1])[:, follow].sum(axis=1)
    squares = (residuals**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(squares > 0, products / squares, np.nan)
    return found


def left_by_lines(outcome: Floats, predictors: Floats, is_fitted: Bools) -> Floats:
    """Return what a plane fitted by least squares to some rows leaves of all rows, shape (n,).

    `predictors` is (n, k); a column that does not vary among the fitted rows takes no part.
    """
    centred = predictors - predictors[is_fitted].mean(axis=0)
    design = np.column_stack([np.ones(len(outcome)), centred])
    coefficients = np.linalg.lstsq(design[is_fitted], outcome[is_fitted], rcond=None)[0]
    found: Floats = outcome - design @ coefficients
    return found
