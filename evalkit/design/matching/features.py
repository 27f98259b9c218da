"""Covariates as columns of numbers: for scores, for distances and for balance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats
from evalkit.core.errors import DesignError
from evalkit.core.words import listed
from evalkit.data.baseline import Baseline, is_category

_ROUNDING = 1e-12
"""A spread below this share of the mean is no variation."""


def require_variation(baseline: Baseline, names: Sequence[str] | None = None) -> None:
    """Raise `DesignError` where a covariate (of those named), of numbers or texts, has one value."""
    chosen = list(map(str, baseline.covariates)) if names is None else names
    constant = [name for name in chosen if _is_constant(baseline.label(name))]
    if constant:
        names_listed = listed([f"'{name}'" for name in constant], 8)
        start = (
            f"The covariate {names_listed} has" if len(constant) == 1 else f"The covariates {names_listed} each have"
        )
        them = "it tells" if len(constant) == 1 else "they tell"
        raise DesignError(
            f"{start} the same value for every unit, so {them} nothing apart. "
            f"Leave {'it' if len(constant) == 1 else 'them'} out."
        )


def require_arms(is_treated: Bools) -> None:
    """Raise `DesignError` where nobody is treated, or nobody is there to compare with."""
    if is_treated.all() or not is_treated.any():
        arm = "comparison" if is_treated.all() else "treated"
        raise DesignError(f"No {arm} unit is in the data, so there is nothing to compare. Check the treated column.")


def _is_constant(values: pd.Series) -> bool:
    if is_category(values):
        return values.nunique() <= 1
    numbers = values.to_numpy(dtype=float)
    return bool(np.ptp(numbers) <= _ROUNDING * np.abs(numbers).max())


def score_columns(baseline: Baseline, names: Sequence[str] | None = None) -> tuple[Floats, tuple[str, ...]]:
    """Return covariates for a model with a constant, shape (n_units, k), and a name for each column.

    Of a category with m levels (sorted) the columns of the last m − 1 are given.
    """
    return _stacked(baseline, names, 1, 1.0)


def distance_columns(baseline: Baseline, names: Sequence[str] | None = None) -> tuple[Floats, tuple[str, ...]]:
    """Return covariates for a distance, shape (n_units, k), and a name for each column.

    All levels of a category are given, divided by √2, so that two units of different levels are 1 apart in it;
    of a category with two levels the second alone.
    """
    return _stacked(baseline, names, 0, float(np.sqrt(0.5)))


def balance_columns(baseline: Baseline) -> tuple[Floats, tuple[str, ...]]:
    """Return covariates for balance, shape (n_units, k): one column for each level, of two levels the second."""
    return _stacked(baseline, None, 0, 1.0)


def _stacked(
    baseline: Baseline, names: Sequence[str] | None, n_left_out: int, scale: float
) -> tuple[Floats, tuple[str, ...]]:
    columns, labels = [], []
    for name in baseline.covariates if names is None else names:
        values = baseline.label(str(name))
        if not is_category(values):
            columns.append(values.to_numpy(dtype=float))
            labels.append(str(name))
            continue
        texts = values.astype("str").to_numpy(dtype=object)
        levels = sorted(set(texts))
        skipped = max(n_left_out, 1 if len(levels) == 2 else 0)
        size = 1.0 if len(levels) == 2 else scale
        for level in levels[skipped:]:
            columns.append((texts == level) * size)
            labels.append(f"{name}_{level}")
    return np.column_stack(columns) if columns else np.empty((len(baseline.units), 0)), tuple(labels)
