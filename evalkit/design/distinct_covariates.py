"""Covariates of units over time: each must say something that period and the other covariates do not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.words import listed
from evalkit.data.cross_sections import CrossSections
from evalkit.data.panel import Panel
from evalkit.design.arrays.dependence import dependence

Floats = NDArray[np.float64]

_ROUNDING = 1e-12
"""A spread below this share of the largest value is no variation."""


def require_distinct_covariates(observations: Panel | CrossSections) -> None:
    """Raise `DesignError` that names a covariate with nothing of its own to say: alike in a period, or collinear.

    Every estimator compares units within periods, so that a covariate is only what it is beyond its period's mean.
    """
    names = observations.covariates
    if not names:
        return
    columns = np.column_stack([_within_periods(observations, name) for name in names])
    found = dependence(columns)
    if found is None:
        return
    name = names[found.column]
    if not found.made_of:
        raise DesignError(
            f"The covariate '{name}' is the same for all units of a period, so that it tells none of them apart. "
            "Leave it out."
        )
    others = listed([f"'{names[k]}'" for k in found.made_of])
    raise DesignError(
        f"The covariates are collinear: within each period '{name}' follows from {others}, so that they cannot be "
        "adjusted for side by side. Leave one of them out."
    )


def _within_periods(observations: Panel | CrossSections, name: str) -> Floats:
    """Return a covariate less its mean in each period, at SD 1; zeros where it does not vary within any."""
    values = observations.frame[name].to_numpy(dtype=float)
    code, n_periods = observations.period_codes, len(observations.periods)
    mean = np.bincount(code, values, n_periods) / np.maximum(np.bincount(code, minlength=n_periods), 1)
    apart = values - mean[code]
    spread = float(np.sqrt(apart @ apart / len(apart)))
    none: Floats = np.zeros(len(apart))
    return none if spread <= _ROUNDING * np.abs(values).max() else apart / spread
