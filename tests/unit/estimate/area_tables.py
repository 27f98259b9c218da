"""Area series to try estimators on."""

import numpy as np
import pandas as pd

from evalkit.data.areas.series import AreaRoles, AreaSeries
from evalkit.design.panel.area_design import area_design

ROLES = AreaRoles(unit="area", period="year", outcome="y")


def table_of(values, first=2001):
    """A long table from values, shape (n_areas, n_periods); areas are A1, A2, …"""
    values = np.asarray(values, dtype=float)
    n_areas, n_periods = values.shape
    return pd.DataFrame(
        {
            "area": np.repeat([f"A{at + 1}" for at in range(n_areas)], n_periods),
            "year": np.tile(np.arange(first, first + n_periods), n_areas),
            "y": values.ravel(),
        }
    )


def design_of(values, start, treated=("A1",), first=2001):
    return area_design(AreaSeries.from_frame(table_of(values, first), ROLES), list(treated), start)


def factor_values(random, n_areas, n_periods, noise=0.3, effect=0.0, n_pre=None, n_treated=1):
    """Two factors that wander, loadings and levels of every area drawn alike, and noise; the effect on the first."""
    factors = (0.3 * random.normal(size=(n_periods, 2))).cumsum(axis=0)
    loadings = random.normal(size=(n_areas, 2)) / np.sqrt(2)
    values = random.normal(size=(n_areas, 1)) + loadings @ factors.T + noise * random.normal(size=(n_areas, n_periods))
    if effect:
        values[:n_treated, n_pre:] += effect
    return values
