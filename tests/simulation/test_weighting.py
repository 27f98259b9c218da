"""Weighting with a known effect: bias and coverage of M-estimation errors, with good overlap and with poor.

Two normal covariates x, log odds of treatment −1 + a(x₁ + x₂/2), outcome x₁ + x₂ + D(1 + x₁/2) + noise of SD 1; 600
units. The effect on all is 1; that on the treated 1 + E(x₁ | D = 1)/2, integrated numerically. a = 0.3 is good overlap,
a = 1.5 poor. Monte Carlo error of a coverage of 95% over R draws: 1.5 points with 200, 0.5 with 2,000.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from evalkit.core.draws import stream
from evalkit.core.errors import DesignError
from evalkit.data.baseline import Baseline
from evalkit.design.matching.match import match
from evalkit.design.matching.options import CovariateBalancing, EntropyBalancing, InverseProbability
from evalkit.estimate.matched.weighted_effect import weighted_effect

SHORT, LONG = 200, 2000
N, GOOD, POOR = 600, 0.3, 1.5
METHODS = {
    "ipw": (InverseProbability(), "sampled"),
    "entropy": (EntropyBalancing(), "sampled"),
    "entropy, target given": (EntropyBalancing(), "given"),
    "cbps": (CovariateBalancing(), "sampled"),
}


def effect_on_treated(slope: float) -> float:
    """Return 1 + E(x₁ p)/(2 E p) by Gauss and Hermite's rule in both covariates."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    p = 1 / (1 + np.exp(1 - slope * (nodes[:, None] + nodes / 2)))
    share = weights[:, None] * weights * p
    return 1 + 0.5 * float((share * nodes[:, None]).sum() / share.sum())


def drawn(rng: np.random.Generator, slope: float) -> tuple[Baseline, np.ndarray]:
    x = rng.normal(size=(N, 2))
    treated = rng.random(N) < 1 / (1 + np.exp(1 - slope * (x[:, 0] + x[:, 1] / 2)))
    outcome = x.sum(axis=1) + treated * (1 + x[:, 0] / 2) + rng.normal(size=N)
    units = pd.RangeIndex(1, N + 1)
    frame = pd.DataFrame({"is_treated": treated}, index=units)
    return Baseline.of(frame, pd.DataFrame(x, columns=["a", "b"], index=units)), outcome


@cache
def results(slope: float, target: str, n_draws: int) -> pd.DataFrame:
    """Return for each method and draw the error of the estimate and its standard error, missing where refused."""
    rng = stream(2012, f"weighting {slope} {target}")
    truth = effect_on_treated(slope) if target == "ATT" else 1.0
    rows = []
    for draw in range(n_draws):
        baseline, outcome = drawn(rng, slope)
        for name, (option, means) in METHODS.items():
            try:
                design = match(baseline, option, target)
            except DesignError:
                rows.append((name, draw, np.nan, np.nan, np.nan))
                continue
            found = weighted_effect(design, outcome, target_means=means)
            rows.append((name, draw, found.value - truth, found.std_error, design.effective_comparison))
    return pd.DataFrame(rows, columns=["method", "draw", "error", "std_error", "effective_comparison"])


def summary(slope: float, target: str, n_draws: int) -> pd.DataFrame:
    table = results(slope, target, n_draws).assign(is_inside=lambda t: t["error"].abs() < 1.96 * t["std_error"])
    found = table.dropna().groupby("method")
    return pd.DataFrame(
        {
            "bias": found["error"].mean(),
            "sd": found["error"].std(),
            "std_error": found["std_error"].mean(),
            "coverage": found["is_inside"].mean(),
            "n": found.size(),
        }
    )


def require_good(found: pd.DataFrame, n_draws: int) -> None:
    """Bias within three Monte Carlo errors of 0, coverage within three of the level."""
    error = found["sd"] / np.sqrt(found["n"])
    assert (found["bias"].abs() < 3 * error).all(), found
    assert (found["coverage"] > 0.95 - 3 * np.sqrt(0.95 * 0.05 / n_draws) - 0.01).all(), found
    assert (found["coverage"] < 0.95 + 3 * np.sqrt(0.95 * 0.05 / n_draws) + 0.01).all(), found


RANDOM_TARGET = ["ipw", "entropy", "cbps"]


@pytest.mark.parametrize("target", ["ATT", "ATE"])
def test_good_overlap_short(target):
    require_good(summary(GOOD, target, SHORT).loc[RANDOM_TARGET], SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["ATT", "ATE"])
def test_good_overlap(target):
    require_good(summary(GOOD, target, LONG).loc[RANDOM_TARGET], LONG)


@pytest.mark.slow
def test_poor_overlap_costs_coverage_of_inverse_probabilities_before_that_of_balanced_weights():
    """What happens where overlap is poor is stated in the card: errors of inverse probabilities are too small."""
    found = summary(POOR, "ATT", LONG)
    assert found.loc["ipw", "coverage"] < 0.94
    assert found.loc["entropy", "coverage"] >= found.loc["ipw", "coverage"]
