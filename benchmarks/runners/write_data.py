"""Write the tables of the benchmark: every peer reads the same file."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 20_240_917
PERIODS = np.arange(2010, 2020)
STARTS = np.array([2012, 2013, 2015, 2016, 2018, np.nan])
COVARIATE_ON_START = np.array([0.3, 0.2, 0.1, 0.0, -0.1, 0.0])
NEVER_TREATED = 0.7


def panel(n_units: int) -> pd.DataFrame:
    """Return units × 10 years: five cohorts and the never-treated, effects that grow and differ by cohort.

    The covariate shifts both the start and the trend, so that leaving it out is a different estimate.
    """
    generator = np.random.default_rng(SEED)
    x = generator.normal(size=n_units)
    leaning = np.outer(x, COVARIATE_ON_START) + NEVER_TREATED * np.isnan(STARTS)
    cohort = STARTS[np.argmax(leaning + generator.gumbel(size=leaning.shape), axis=1)]
    since = PERIODS[None, :] - cohort[:, None]
    effect = np.where(since >= 0, 0.3 + 0.1 * since + 0.05 * (np.nan_to_num(cohort)[:, None] - 2015), 0.0)
    trend = (PERIODS - PERIODS[0]) * (0.2 + 0.1 * x[:, None])
    noise = generator.normal(size=(n_units, 1)) + generator.normal(size=since.shape)
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(n_units), len(PERIODS)),
            "period": np.tile(PERIODS, n_units),
            "outcome": (noise + trend + effect).ravel(),
            "cohort": np.repeat(cohort, len(PERIODS)),
            "x": np.repeat(x, len(PERIODS)),
        }
    )


def pupils(n_a_year: int, n_years: int = 4, n_schools: int = 16_000) -> pd.DataFrame:
    """Return other pupils of the same schools in each of four years; half of the schools are in three cohorts."""
    generator = np.random.default_rng(SEED)
    n = n_a_year * n_years
    period = np.repeat(np.arange(2016, 2016 + n_years), n_a_year)
    school = generator.integers(0, n_schools, n)
    cohort = np.array([2017, 2018, 2019, np.nan, np.nan, np.nan])[generator.integers(0, 6, n_schools)][school]
    x = generator.normal(size=n) + 0.2 * ~np.isnan(cohort)
    effect = 0.1 * (period >= cohort)
    outcome = 0.4 * generator.normal(size=n_schools)[school] + 0.5 * x + effect + generator.normal(size=n)
    return pd.DataFrame(
        {"pupil": np.arange(n), "school": school, "period": period, "outcome": outcome, "cohort": cohort, "x": x}
    )


if __name__ == "__main__":
    kind, rows, path = sys.argv[1:]
    made = panel(int(rows)) if kind == "panel" else pupils(int(rows))
    made.to_parquet(Path(path), index=False)
