"""Write a table of treated and comparison units for the matching benchmark: every program reads the same file.

Besides the covariates it holds the outcome, which no matching may see, the propensity score from statsmodels, so that
no program's own model stands between it and the same answer, and a weight for each unit, for balance.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm

SEED = 20_251_104
ON_TREATMENT = np.array([0.4, 0.3, -0.3, 0.2, 0.2, -0.1, 0.1, 0.0])
ON_OUTCOME = np.array([0.5, 0.3, -0.2, 0.2, 0.1, 0.1, 0.0, 0.2])
SHARED, EFFECT = 0.3, 0.2
FIRST_ID = 100_001


def units(n_treated: int, n_comparison: int) -> pd.DataFrame:
    """Return units sorted by id, the treated among them by the odds that eight correlated covariates give."""
    generator = np.random.default_rng(SEED)
    n = n_treated + n_comparison
    common = generator.normal(size=(n, 1))
    covariates = np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * generator.normal(size=(n, len(ON_TREATMENT)))
    leaning = covariates @ ON_TREATMENT + generator.gumbel(size=n)
    treated = np.zeros(n, dtype=np.int64)
    treated[np.argsort(-leaning)[:n_treated]] = 1
    outcome = covariates @ ON_OUTCOME + EFFECT * treated + generator.normal(size=n)
    score = _score(covariates, treated)
    odds = score / (1 - score)
    weight = np.where(treated == 1, 1.0, odds * n_comparison / odds[treated == 0].sum())
    columns = {f"x{at + 1}": values for at, values in enumerate(covariates.T)}
    told = {"outcome": outcome, "score": score, "weight": weight}
    return pd.DataFrame({"id": np.arange(FIRST_ID, FIRST_ID + n), "treated": treated} | columns | told)


def _score(covariates: np.ndarray, treated: np.ndarray) -> np.ndarray:
    model = sm.GLM(treated, sm.add_constant(covariates), family=sm.families.Binomial())
    return np.asarray(model.fit(tol=1e-14, maxiter=100).fittedvalues)


if __name__ == "__main__":
    n_treated, n_comparison, path = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    made = units(n_treated, n_comparison)
    if path.suffix == ".csv":
        made.drop(columns=["score", "weight"]).to_csv(path, index=False)
    else:
        made.to_parquet(path, index=False)
