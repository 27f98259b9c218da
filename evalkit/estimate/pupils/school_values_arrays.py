"""What a two-level model's effect is a difference of: one number a school, and the weight that the model gives it.

Given the coefficients of everything but treatment and the constants, the effect of a random-intercept model is the
difference between the arms' weighted means of school values: of adjusted means (one wave), or of their changes (before
and after, with absorbed school constants). With n_g rows in a group (a school, or a school in a span or period) and
λ = τ²/σ² a group weighs w_g = n_g/(1 + n_g λ); a change between two spans of weights a and b weighs ab/(a + b).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints


class SchoolValues(NamedTuple):
    """A value, its weight in the model, and rows before and after of each school, all of shape (S,).

    A school without rows where they are needed has the value NaN and the weight 0; of one wave `before` is 0.
    """

    value: Floats
    weight: Floats
    before: Ints
    after: Ints


@dataclass(frozen=True, slots=True, eq=False)
class AdjustedRows:
    """Pupils with what the model's effect compares of them: outcomes less what periods and covariates say of them.

    Attributes
    ----------
    school : shape (n,), 0 … S − 1
    person, period : of each
    adjusted : NaN where a pupil of the wave before has no later outcome
    offset : what the model says of each beside treatment and constants, so that `adjusted` and `offset` are the outcome
    prior : the earlier outcome of each; None of other pupils each year
    ratio : λ, variance between groups over that within
    by_span : whether groups are schools before and after, and not schools in a year
    """

    school: Ints
    person: Ints
    period: Ints
    adjusted: Floats
    offset: Floats
    prior: Floats | None
    ratio: float
    by_span: bool


def school_levels(adjusted: Floats, school: Ints, ratio: float, n_schools: int) -> SchoolValues:
    """Return the mean of adjusted outcomes by school.

    Parameters
    ----------
    adjusted : shape (n,), outcomes less what covariates predict
    school : shape (n,), 0 … S − 1
    ratio : λ, variance between over within schools
    """
    n = np.bincount(school, minlength=n_schools)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(school, adjusted, n_schools) / n
    return SchoolValues(mean, n / (1 + n * ratio), np.zeros_like(n), n)


def school_changes(adjusted: Floats, school: Ints, part: Ints, is_after: Bools, ratio: float) -> SchoolValues:
    """Return the change of adjusted outcomes by school, from before to after.

    Parameters
    ----------
    adjusted : shape (n,), outcomes less what covariates and periods predict
    school : shape (n,), 0 … S − 1
    part : shape (n,), span or period of each row, 0 … T − 1: a school in a part is a group of the model
    is_after : shape (T,), whether each part is after the start
    ratio : λ, variance between over within groups
    """
    n_schools, n_parts = int(school.max(initial=-1)) + 1, len(is_after)
    size = np.bincount(school * n_parts + part, minlength=n_schools * n_parts).reshape(n_schools, n_parts)
    total = np.bincount(school * n_parts + part, adjusted, n_schools * n_parts).reshape(n_schools, n_parts)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(size > 0, total / size, 0.0)
    return changes_of_means(mean, size, is_after, ratio)


def changes_of_means(mean: Floats, size: Floats | Ints, is_after: Bools, ratio: float) -> SchoolValues:
    """Return the same from means and numbers of rows by school and part, shape (S, T) each; a mean of none is 0."""
    weight = size / (1 + size * ratio)
    with np.errstate(invalid="ignore", divide="ignore"):
        spans = [(weight[:, side].sum(axis=1), (weight * mean)[:, side].sum(axis=1)) for side in (~is_after, is_after)]
        (before, sum_before), (after, sum_after) = spans
        value = sum_after / after - sum_before / before
        precision = before * after / (before + after)
    counts = [size[:, side].sum(axis=1) for side in (~is_after, is_after)]
    return SchoolValues(value, np.where(np.isfinite(value), precision, 0.0), *counts)


def difference(value: Floats, weight: Floats, is_treated: Bools) -> float:
    """Return the treated's weighted mean less that of the others; values that are not known weigh nothing."""
    known = np.isfinite(value) & (weight > 0)
    arms = (known & is_treated, known & ~is_treated)
    treated, others = (float(np.average(value[arm], weights=weight[arm])) for arm in arms)
    return treated - others


def pupils_difference(outcome: Floats, is_treated: Bools, period: Ints, is_after: Bools) -> float:
    """Return how much more the pupils' mean changed among the treated: means by arm and period, periods alike.

    `is_after` says of each row whether its period is after the start; the mean of later periods' means less that of
    earlier ones. With one period on each side it is what `evalkit did --people --repeated-cross-sections` gives.
    """
    gaps = []
    for side in (False, True):
        of_side = np.unique(period[is_after == side])
        arms = [[outcome[(period == at) & (is_treated == arm)].mean() for at in of_side] for arm in (False, True)]
        gaps.append(float(np.mean(arms[1]) - np.mean(arms[0])))
    return gaps[1] - gaps[0]
