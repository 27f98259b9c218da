"""The trap of selection on a noisy score: what looks like an effect is told, and chance is seldom taken for it."""

import numpy as np
import pandas as pd

from evalkit.core.draws import stream
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching.match import match
from evalkit.design.matching.options import NearestNeighbour
from evalkit.diagnose.finding import Verdict
from evalkit.diagnose.matched.regression_to_mean import regression_to_mean
from evalkit.estimate.matched.matched_effect import matched_effect

ROLES = BaselineRoles(treated="t", covariates=("a", "b"))


def schools(rng: np.random.Generator, on_last_score: bool) -> tuple[Baseline, np.ndarray, np.ndarray]:
    """600 schools with two noisy earlier scores; the treated are low in the last, or any; no effect."""
    usual = rng.normal(0, 3, size=600)
    scores = usual[:, None] + rng.normal(0, 2, size=(600, 3))
    chance = scores[:, 1] if on_last_score else rng.normal(size=600)
    frame = pd.DataFrame({"a": scores[:, 0], "b": rng.normal(size=600), "t": 0})
    frame.loc[np.argsort(chance + rng.normal(0, 1, size=600))[:40], "t"] = 1
    return Baseline.from_frame(frame, ROLES), scores[:, :2], scores[:, 2]


def verdicts(on_last_score: bool, n_draws: int) -> tuple[float, float]:
    """Return how often the finding warns, and the mean gain since the last score of treated over matched units."""
    rng = stream(2026, f"regression to the mean {on_last_score}")
    warned, gains = 0, []
    for _ in range(n_draws):
        baseline, earlier, later = schools(rng, on_last_score)
        design = match(baseline, NearestNeighbour(distance="mahalanobis"))
        warned += regression_to_mean(design, earlier, later).verdict in (Verdict.CAUTION, Verdict.SERIOUS)
        gains.append(matched_effect(design, later - earlier[:, 1]).estimate.value)
    return warned / n_draws, float(np.mean(gains))


def test_selection_on_a_passing_low_looks_like_an_effect_and_is_told():
    """Without any effect the treated gain over two points since their low score; the finding warns."""
    share, gain = verdicts(on_last_score=True, n_draws=60)
    assert gain > 1.5, gain
    assert share > 0.95, share


def test_selection_at_random_is_seldom_taken_for_it():
    share, gain = verdicts(on_last_score=False, n_draws=120)
    assert abs(gain) < 0.4, gain
    assert share < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 120), share
