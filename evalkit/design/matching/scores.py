"""The propensity score: how likely each unit was to be treated, given the matching covariates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.errors import DesignError, EvalkitError
from evalkit.core.scipy_parts import special
from evalkit.core.words import listed
from evalkit.data.baseline import Baseline, is_category
from evalkit.design.algebra_arrays import dependence, summed
from evalkit.design.matching.features import require_arms, require_variation, score_columns
from evalkit.design.matching.options import DistanceName
from evalkit.design.matching.scores_arrays import fit_binary

SCORE_DISTANCES: tuple[DistanceName, ...] = ("logit", "linear-logit", "probit", "own")
"""Distances that are differences of one number."""


def propensity_score(baseline: Baseline, distance: DistanceName, own_score: str | None = None) -> Floats:
    """Return each unit's score by the name of a score distance, shape (n_units,).

    Probabilities for "logit" and "probit", log odds for "linear-logit", and for "own" the numbers of the label or
    covariate `own_score`. The model holds all matching covariates and nothing else, without interactions
    (Rosenbaum and Rubin, 1983).

    Raises
    ------
    DesignError
        Where one arm is empty, a covariate does not vary, covariates are collinear, or covariates separate the arms.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, propensity_score
    >>> frame = pd.DataFrame({"took_part": [1, 0, 1, 0, 0, 1], "score": [9.0, 10.0, 10.0, 11.0, 12.0, 11.0]})
    >>> baseline = Baseline.from_frame(frame, BaselineRoles(treated="took_part", covariates=("score",)))
    >>> propensity_score(baseline, "logit").round(2)
    array([0.89, 0.67, 0.67, 0.33, 0.11, 0.33])
    """
    if distance == "own":
        return _own_score(baseline, own_score)
    if distance not in SCORE_DISTANCES:
        raise EvalkitError(f"'{distance}' is not a score.")
    require_arms(baseline.is_treated)
    require_variation(baseline)
    columns, names = score_columns(baseline)
    covariates = _standardised(columns)
    fit = fit_binary(covariates, baseline.is_treated, "probit" if distance == "probit" else "logit")
    if fit.failure == "collinear":
        raise DesignError(_collinear(covariates, names))
    if fit.failure == "separated":
        raise DesignError(_separated(columns, baseline.is_treated, names, fit.coefficients[1:]))
    if distance == "linear-logit":
        return fit.predictor
    score: Floats = special.ndtr(fit.predictor) if distance == "probit" else special.expit(fit.predictor)
    return score


def _standardised(columns: Floats) -> Floats:
    """Return a constant and the columns at mean 0 and SD 1; a column that does not vary becomes zeros."""
    n, k = columns.shape
    covariates = np.empty((n, k + 1))
    covariates[:, 0] = 1.0
    mean = summed(np.full(n, 1 / n), columns)
    np.subtract(columns, mean, out=covariates[:, 1:])
    spread = np.sqrt(np.einsum("ij,ij->j", covariates[:, 1:], covariates[:, 1:]) / n)
    varies = spread > 1e-12 * np.abs(mean)
    covariates[:, 1:] *= np.where(varies, 1 / np.where(varies, spread, 1.0), 0.0)
    return covariates


def _own_score(baseline: Baseline, name: str | None) -> Floats:
    if name is None:
        raise DesignError("The distance is your own score, but no column is named. Set own_score to the column.")
    values = baseline.label(name)
    if is_category(values):
        raise DesignError(f"The column '{name}' is to be the score but holds texts. Name a column of numbers.")
    score = values.to_numpy(dtype=float)
    is_not_finite = ~np.isfinite(score)
    if is_not_finite.any():
        unit = baseline.units.index[int(np.argmax(is_not_finite))]
        raise DesignError(f"The score '{name}' of unit '{unit}' is missing or infinite. Fill it in, or leave it out.")
    return score


def _collinear(covariates: Floats, names: tuple[str, ...]) -> str:
    """Name the first column that those before it determine, and the columns it is made of."""
    determined = dependence(covariates[:, 1:])
    assert determined is not None
    involved = [names[k] for k in determined.made_of]
    return (
        f"The covariate '{names[determined.column]}' is determined by {_quoted(involved)}, so that a score cannot "
        "weigh them. Leave one of them out."
    )


def _separated(columns: Floats, is_treated: NDArray[np.bool_], names: tuple[str, ...], direction: Floats) -> str:
    treated, comparison = columns[is_treated], columns[~is_treated]
    above = treated.min(axis=0) >= comparison.max(axis=0)
    below = treated.max(axis=0) <= comparison.min(axis=0)
    alone = [name for name, parts in zip(names, above | below, strict=True) if parts]
    size = np.abs(direction)
    together = [name for name, part in zip(names, size > 1e-3 * size.max(), strict=True) if part]
    subject = (
        f"The covariate {_quoted(alone[:1])} separates" if alone else f"The covariates {_quoted(together)} separate"
    )
    return (
        f"{subject} the treated from comparison units perfectly, so that these have no counterparts and no score can "
        "be fitted. Leave it out, merge its rare categories, or restrict both arms to units that could be in either."
    )


def _quoted(names: list[str]) -> str:
    return listed([f"'{name}'" for name in names], 8)
