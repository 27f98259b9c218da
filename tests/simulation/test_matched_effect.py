"""Effects after matching with a known effect: bias and coverage, with good overlap and with poor.

Two normal covariates x, log odds of treatment −1.3 + a(x₁ + x₂/2), outcome x₁ + x₂ + x₁²/4 + D(1 + x₁/2) + noise of
SD 1; 400 units. The effect on the treated is 1 + E(x₁ | D = 1)/2, integrated numerically. a = 0.3 is good overlap,
a = 1.2 poor (some one in seven treated has no partner near). Monte Carlo error of a coverage of 95% over R draws: 3.4
points with 40, 0.7 with 1,000.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from evalkit.core.draws import stream
from evalkit.core.quantities import Unavailable
from evalkit.data.baseline import Baseline
from evalkit.design.matching.match import match
from evalkit.design.matching.options import FullMatching, NearestNeighbour, OptimalMatching, Subclassification
from evalkit.estimate.matched.abadie_imbens import AbadieImbens, abadie_imbens_match
from evalkit.estimate.matched.matched_effect import matched_effect
from evalkit.estimate.matched.task import EffectOptions

SHORT, LONG = 40, 1000
N, GOOD, POOR = 400, 0.3, 1.2
PLAIN, ADJUSTED = EffectOptions(), EffectOptions(adjust=("a", "b"))
NEAREST, REPLACED = NearestNeighbour(), NearestNeighbour(replacement=True)
METHODS = {
    "nearest": (NEAREST, PLAIN),
    "nearest, adjusted": (NEAREST, ADJUSTED),
    "nearest, adjusted, pairs ignored": (NEAREST, EffectOptions(adjust=("a", "b"), errors="HC1")),
    "nearest, bootstrap of pairs": (NEAREST, EffectOptions(errors="bootstrap", n_draws=99)),
    "replacement, two-way": (REPLACED, PLAIN),
    "replacement, adjusted, two-way": (REPLACED, ADJUSTED),
    "replacement, Abadie–Imbens": (REPLACED, EffectOptions(errors="abadie-imbens")),
    "replacement, bias-corrected": (REPLACED, EffectOptions(adjust=("a", "b"), adjustment="bias-corrected")),
    "optimal, adjusted": (OptimalMatching(), ADJUSTED),
    "full": (FullMatching(), PLAIN),
    "full, adjusted": (FullMatching(), ADJUSTED),
    "subclasses": (Subclassification(), PLAIN),
    "subclasses, adjusted": (Subclassification(), ADJUSTED),
}


def effect_on_treated(slope: float) -> float:
    """Return 1 + E(x₁ p)/(2 E p) by Gauss and Hermite's rule in both covariates."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    p = 1 / (1 + np.exp(1.3 - slope * (nodes[:, None] + nodes / 2)))
    share = weights[:, None] * weights * p
    return 1 + 0.5 * float((share * nodes[:, None]).sum() / share.sum())


def drawn(rng: np.random.Generator, slope: float) -> tuple[Baseline, np.ndarray]:
    x = rng.normal(size=(N, 2))
    treated = rng.random(N) < 1 / (1 + np.exp(1.3 - slope * (x[:, 0] + x[:, 1] / 2)))
    outcome = x.sum(axis=1) + x[:, 0] ** 2 / 4 + treated * (1 + x[:, 0] / 2) + rng.normal(size=N)
    units = pd.RangeIndex(1, N + 1)
    frame = pd.DataFrame({"is_treated": treated}, index=units)
    return Baseline.of(frame, pd.DataFrame(x, columns=["a", "b"], index=units)), outcome


@cache
def results(slope: float, n_draws: int) -> pd.DataFrame:
    """Return for each method: bias, its Monte Carlo error, SD of estimates, root mean squared error, coverage."""
    rng = stream(2011, f"matching {slope}")
    truth = effect_on_treated(slope)
    rows: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in (*METHODS, "Abadie–Imbens, Mahalanobis")}
    for _ in range(n_draws):
        baseline, outcome = drawn(rng, slope)
        designs = {}
        for name, (option, asked) in METHODS.items():
            key = repr(option)
            if key not in designs:
                designs[key] = match(baseline, option)
            rows[name].append(told(matched_effect(designs[key], outcome, asked), truth))
        own = AbadieImbens(distance="mahalanobis", is_bias_corrected=True)
        rows["Abadie–Imbens, Mahalanobis"].append(told(abadie_imbens_match(baseline, outcome, own), truth))
    return pd.DataFrame({name: summary(np.array(found, dtype=float)) for name, found in rows.items()}).T


def told(found, truth: float) -> tuple[float, float, bool]:
    assert not isinstance(found.interval, Unavailable)
    return found.estimate.value - truth, found.estimate.std_error, truth in found.interval


def summary(found: np.ndarray) -> dict[str, float]:
    error, std_error, covers = found.T
    spread = error.std(ddof=1)
    return {
        "bias": error.mean(),
        "monte_carlo": spread / np.sqrt(len(error)),
        "sd": spread,
        "std_error": np.sqrt((std_error**2).mean()),
        "coverage": covers.mean(),
    }


CONSERVATIVE = ("replacement, two-way", "subclasses")
"""Errors that count what covariates explain of the outcome as chance, although matching has taken it out."""


def check_good(table: pd.DataFrame, slack: float) -> None:
    assert (table["bias"].abs() < 0.05 + 3 * table["monte_carlo"]).all(), table
    assert (table["coverage"] > 0.935 - slack).all(), table
    for name in CONSERVATIVE:
        assert table.loc[name, "std_error"] > 1.15 * table.loc[name, "sd"], table


def check_poor(table: pd.DataFrame, slack: float) -> None:
    """Without replacement some treated units get partners unlike them: no error makes up for that bias."""
    for name in ("nearest", "nearest, bootstrap of pairs"):
        assert table.loc[name, "bias"] > 0.3, table
        assert table.loc[name, "coverage"] < 0.5, table
    for name in ("nearest, adjusted", "optimal, adjusted", "full, adjusted", "replacement, adjusted, two-way"):
        assert table.loc[name, "bias"] < 0.12 + 3 * table.loc[name, "monte_carlo"], table
        assert table.loc[name, "coverage"] > 0.87 - slack, table
    for name in ("replacement, Abadie–Imbens", "replacement, bias-corrected", "subclasses, adjusted", "full",
                 "Abadie–Imbens, Mahalanobis"):  # fmt: skip
        assert table.loc[name, "bias"] < 0.15 + 3 * table.loc[name, "monte_carlo"], table
        assert table.loc[name, "coverage"] > 0.93 - slack, table


def test_good_overlap_short():
    check_good(results(GOOD, SHORT), 0.1)


def test_poor_overlap_short():
    check_poor(results(POOR, SHORT), 0.1)


@pytest.mark.slow
def test_good_overlap():
    check_good(results(GOOD, LONG), 0.015)


@pytest.mark.slow
def test_poor_overlap():
    check_poor(results(POOR, LONG), 0.015)
