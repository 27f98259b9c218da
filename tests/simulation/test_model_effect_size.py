"""The effect size of a two-level model: bias, and coverage of the true effect over the true total spread."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.draws import stream
from evalkit.estimate.effect_sizes import SdName
from evalkit.estimate.pupils.multilevel import two_level_model
from evalkit.estimate.pupils.two_level import PupilColumns, two_level_effect_size

COLUMNS = PupilColumns(outcome="score", school="school", treated="treated", covariates=("prior",))
DELTA, ICC = 0.4, 0.15


def trials(schools: int, n: int) -> np.ndarray:
    """Return g over the conditional total spread, whether its interval covers, of n trials; σ_T = 1."""
    rng, found = stream(15, f"model effect size {schools}"), []
    for _ in range(n):
        school = np.repeat(np.arange(schools), rng.poisson(12, schools) + 4)
        treated = (school % 2).astype(float)
        prior = rng.normal(size=len(school))
        error = np.sqrt(ICC) * rng.normal(size=schools)[school] + np.sqrt(1 - ICC) * rng.normal(size=len(school))
        frame = pd.DataFrame({"school": school, "treated": treated, "prior": prior})
        model = two_level_model(frame.assign(score=DELTA * treated + 0.7 * prior + error), COLUMNS)
        effect = two_level_effect_size(model, SdName.TOTAL_CONDITIONAL)
        found.append((effect.value, DELTA in effect.interval))
    return np.array(found)


def check(schools: int, n: int, least: float) -> None:
    value, covers = trials(schools, n).T
    assert abs(value.mean() - DELTA) < 3 * value.std(ddof=1) / np.sqrt(n)
    assert covers.mean() >= least


def test_g_of_a_model():
    # Monte Carlo error of 95% over 120 draws: 2 points
    check(20, 120, 0.93 - 2 * 0.02)


@pytest.mark.slow
@pytest.mark.parametrize("schools", [8, 20, 60])
def test_g_of_a_model_over_1000_trials(schools):
    check(schools, 1000, 0.93)
