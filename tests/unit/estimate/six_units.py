"""Six units over three periods whose every effect and error can be worked out on paper.

Changes from 1 to 2, 2 to 3 and 1 to 3: A 3 2 5, B 1 4 5 (cohort 2); C 1 4 5, D −1 2 1 (cohort 3);
E 1 0 1, F −1 4 3 (never treated).
"""

import numpy as np
import pandas as pd

from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.staggered.group_time import group_time_effects

OUTCOMES = {
    "A": (1, 4, 6), "B": (3, 4, 8), "C": (2, 3, 7), "D": (4, 3, 5), "E": (0, 1, 1), "F": (2, 1, 5),
}  # fmt: skip
COHORT = {"A": 2.0, "B": 2.0, "C": 3.0, "D": 3.0, "E": np.nan, "F": np.nan}
ROLES = Roles(unit="unit", period="period", outcome="y", cohort="cohort")


def six_units():
    """Return the long table."""
    rows = [(u, t, y, COHORT[u]) for u, ys in OUTCOMES.items() for t, y in enumerate(ys, start=1)]
    return pd.DataFrame(rows, columns=["unit", "period", "y", "cohort"])


def design_of(table, roles=ROLES, source=Panel, **options):
    """Return the design of a table."""
    return staggered_design(source.from_frame(table, roles), StaggeredOptions(**options))


def effects_of(table, roles=ROLES, method="dr", source=Panel, **options):
    """Return the group-time effects of a table."""
    return group_time_effects(design_of(table, roles, source, **options), method)


def one_cohort(n_treated, n_comparison, periods=(1, 2, 3, 4), start=3, seed=0):
    """Return units of one cohort and comparison units with normal outcomes."""
    random = np.random.default_rng(seed)
    n = n_treated + n_comparison
    cohort = np.where(np.arange(n) < n_treated, float(start), np.nan)
    table = pd.DataFrame({"unit": np.repeat(np.arange(n), len(periods)), "period": np.tile(periods, n)})
    return table.assign(cohort=np.repeat(cohort, len(periods)), y=random.normal(size=len(table)))


def cell(effects, cohort, period):
    """Return one cell."""
    [found] = [c for c in effects.cells if (c.cohort, c.period) == (cohort, period)]
    return found
