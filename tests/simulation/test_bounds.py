"""How often bounds hold the true effect where violations are as large as they allow, or 0.

`pytest -m slow tests/simulation/test_bounds.py -s` prints the table of docs/methods/violation-bounds.md.
"""

from math import sqrt

import numpy as np
import pandas as pd
import pytest

import evalkit
from evalkit.core.draws import stream
from evalkit.estimate.bounds.by_size import both_bounds
from evalkit.estimate.bounds.coefficients import Given, coefficients_of

TIMES = [-4, -3, -2, 0, 1]
EFFECT = 1.0
VIOLATIONS = {
    "none": [0, 0, 0, 0, 0],
    "largest at M̄ = 1": [-0.5, 0.0, 0.0, 0.5, 1.0],  # one step of 0.5 before, then two of 0.5
    "trend": [-0.9, -0.6, -0.3, 0.3, 0.6],
    "largest at M = 0.1": [-1.2, -0.7, -0.3, 0.4, 0.9],  # slopes .5, .4, .3, .4, .5
}
LEAST = {"none": ("relative", "smoothness"), "largest at M̄ = 1": ("relative",), "trend": ("relative", "smoothness"),
         "largest at M = 0.1": ("relative", "smoothness")}  # fmt: skip


def covariance():
    """Of estimates that share the noise of their base period."""
    return 0.04 * (np.eye(5) + 0.7)


def shares(violation, n, purpose):
    """Return the share of samples whose interval for the first effect holds it, at M̄ = 1 and M = 0.1."""
    random = stream(7, f"coverage of bounds: {purpose} {violation}")
    matrix, held = covariance(), {"relative": 0, "smoothness": 0}
    mean = np.array([0, 0, 0, EFFECT, EFFECT]) + VIOLATIONS[violation]
    for beta in random.multivariate_normal(mean, matrix, size=n):
        study = coefficients_of(Given(beta, matrix, TIMES), (0,))  # the verb would look for breakdown values besides
        both = both_bounds(study, np.zeros((0, 5)), 0.95, 1)
        for key, bound, size in zip(held, both, (1.0, 0.1), strict=True):
            low, high = bound.ends(np.array([size]))
            held[key] += bool(low[0] <= EFFECT <= high[0])
    return {key: count / n for key, count in held.items()}


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_intervals_hold_the_effect_under_violations_that_they_allow(violation):
    n = 60
    found = shares(violation, n, "short")
    for key in LEAST[violation]:
        assert found[key] >= 0.95 - 3 * sqrt(0.95 * 0.05 / n)


@pytest.mark.slow
@pytest.mark.parametrize("violation", VIOLATIONS)
def test_intervals_hold_the_effect_under_violations_that_they_allow_at_length(violation):
    n = 2000
    found = shares(violation, n, "long")
    print(f"| {violation} | {found['relative']:.3f} | {found['smoothness']:.3f} |")
    for key in LEAST[violation]:
        assert found[key] >= 0.95 - 3 * sqrt(0.95 * 0.05 / n)


def clustered(random, n_treated, n_compared=48, n_years=6):
    """A panel of areas with random walks, of which some start in the fourth year with no effect."""
    n = n_treated + n_compared
    scores = random.normal(size=(n, n_years)) + 0.3 * random.normal(size=(n, n_years)).cumsum(axis=1)
    start = np.where(np.arange(n) < n_treated, 3.0, np.nan)
    return pd.DataFrame(
        {
            "area": np.repeat(np.arange(n), n_years), "year": np.tile(range(n_years), n), "score": scores.ravel(),
            "start": np.repeat(start, n_years),
        }
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("n_treated", [12, 20])
def test_bounds_of_event_studies_keep_their_level_where_they_are_shown(n_treated):
    random, n = stream(7, f"coverage of bounds of few clusters {n_treated}"), 600
    roles = evalkit.Roles(unit="area", period="year", outcome="score", cohort="start")
    held, shown = {"original": 0, "relative": 0, "smoothness": 0}, 0
    for _ in range(n):
        panel = evalkit.Panel.from_frame(clustered(random, n_treated), roles)
        design = evalkit.staggered_design(panel, evalkit.StaggeredOptions(base_period="universal"))
        found = evalkit.event_study_bounds(evalkit.group_time_effects(design), event_time=0)
        if not hasattr(found, "original"):
            continue
        shown += 1
        held["original"] += 0.0 in found.original
        held["relative"] += 0.0 in found.relative[0].interval
        held["smoothness"] += 0.0 in found.smoothness[0].interval
    print(f"| {n_treated} | {shown} | " + " | ".join(f"{held[key] / max(shown, 1):.3f}" for key in held) + " |")
    assert shown > 0.9 * n
    for key in held:
        assert held[key] / shown >= 0.92
