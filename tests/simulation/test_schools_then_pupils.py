"""Schools first, then pupils: bias and coverage of pupil-level analyses, clustered by school and not.

Each of 3n schools has a covariate s, n are treated, likelier where s is high; 15 pupils a school with a covariate x
around s/2. Outcome 0.5 D + x + s/2 + school shock (SD 0.35) + pupil noise (SD 1): a tenth of the variance that x and s
leave lies between schools. Monte Carlo error of a coverage of 95% over R draws: 3.1 points with 50, 1.0 with 500.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from evalkit.core.draws import stream
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching.options import NearestNeighbour, OptimalMatching
from evalkit.design.matching.school_pupil_matching import match_schools_then_pupils
from evalkit.estimate.matched.matched_effect import matched_effect
from evalkit.estimate.matched.task import EffectOptions
from evalkit.estimate.pupils.multilevel import two_level_model
from evalkit.estimate.pupils.two_level import PupilColumns

SHORT, LONG = 50, 500
EFFECT, SIZE = 0.5, 15
SCHOOLS, PUPILS = OptimalMatching(distance="euclidean"), NearestNeighbour(distance="euclidean")


def drawn(rng: np.random.Generator, n_treated: int) -> tuple[Baseline, Baseline, pd.Series]:
    n = 3 * n_treated
    level = rng.normal(size=n)
    treated = np.zeros(n, dtype=int)
    treated[np.argsort(level + rng.normal(0, 1.5, n))[-n_treated:]] = 1
    names = np.array([f"S{at:03d}" for at in range(n)])
    schools = pd.DataFrame({"school": names, "treated": treated, "level": level})
    at = np.repeat(np.arange(n), SIZE)
    pupils = pd.DataFrame({"pupil": [f"P{k:04d}" for k in range(len(at))], "school": names[at], "treated": treated[at]})
    pupils["x"] = level[at] / 2 + rng.normal(size=len(at))
    outcome = EFFECT * treated[at] + pupils["x"] + level[at] / 2 + rng.normal(0, 0.35, n)[at]
    outcome += rng.normal(size=len(at))
    roles = BaselineRoles(treated="treated", covariates=("level",), unit="school")
    of_pupils = BaselineRoles(treated="treated", covariates=("x",), unit="pupil", labels=("school",))
    return (
        Baseline.from_frame(schools, roles),
        Baseline.from_frame(pupils, of_pupils),
        outcome.set_axis(pupils["pupil"]),
    )


@cache
def results(n_treated: int, n_draws: int) -> pd.DataFrame:
    """Return for each analysis its bias, Monte Carlo error and coverage."""
    rng = stream(2017, f"schools then pupils {n_treated}")
    rows: dict[str, list[tuple[float, bool]]] = {}
    for _ in range(n_draws):
        schools, pupils, outcome = drawn(rng, n_treated)
        found = match_schools_then_pupils(schools, pupils, "school", SCHOOLS, PUPILS)
        for name, asked in analyses(found).items():
            effect = matched_effect(found.pupils, outcome, asked)
            rows.setdefault(name, []).append((effect.estimate.value - EFFECT, EFFECT in effect.interval))
        model = by_two_levels(found, outcome)
        rows.setdefault("two-level model", []).append((model.effect.value - EFFECT, EFFECT in model.effect_interval))
    return pd.DataFrame(
        {
            name: {
                "bias": np.mean([error for error, _ in one]),
                "monte_carlo": np.std([error for error, _ in one]) / np.sqrt(n_draws),
                "coverage": np.mean([covers for _, covers in one]),
            }
            for name, one in rows.items()
        }
    ).T


def analyses(found) -> dict[str, EffectOptions]:
    level = found.schools.baseline.covariates["level"]
    columns = pd.DataFrame({"level": level[found.school].to_numpy()}, index=found.school.index)
    adjusted = {"adjust": ("x", "level"), "columns": columns, "adjustment": "additive"}
    sets = pd.Series(found.schools.strata, index=level.index)[found.school].set_axis(found.school.index)
    return {
        "pupil pairs alone": EffectOptions(**adjusted),
        "CR2 by school": EffectOptions(errors="CR2", cluster=found.school, **adjusted),
        "CR2 by set of schools": EffectOptions(errors="CR2", cluster=sets, **adjusted),
        "CR2 by school, unadjusted": EffectOptions(errors="CR2", cluster=found.school),
        "pairs and schools": EffectOptions(cluster=found.school, **adjusted),
    }


def by_two_levels(found, outcome: pd.Series):
    used = found.pupils.is_used
    baseline = found.pupils.baseline
    level = found.schools.baseline.covariates["level"]
    frame = pd.DataFrame(
        {
            "y": outcome.reindex(baseline.units.index)[used],
            "school": found.school[used],
            "treated": baseline.is_treated[used].astype(int),
            "x": baseline.covariates["x"][used],
            "level": level[found.school[used]].to_numpy(),
        }
    )
    return two_level_model(
        frame, PupilColumns(outcome="y", school="school", treated="treated", covariates=("x", "level"))
    )


def check(table: pd.DataFrame, slack: float) -> None:
    """Measured with 500 draws, 6 and 20 treated schools; see docs/methods/schools-then-pupils.md."""
    for name in ("CR2 by school", "CR2 by set of schools", "two-level model"):
        assert abs(table.loc[name, "bias"]) < 3 * table.loc[name, "monte_carlo"]
        assert table.loc[name, "coverage"] > 0.95 - slack, table
    assert table.loc["pairs and schools", "coverage"] > 0.90 - slack, table
    assert table.loc["pupil pairs alone", "coverage"] < 0.8 + slack, table  # pupils of a school share its shock
    assert table.loc["CR2 by school, unadjusted", "bias"] > 0.15, table  # matching alone leaves the schools unlike


def test_a_short_run():
    check(results(6, SHORT), 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("n_treated", [6, 20])
def test_a_long_run(n_treated):
    check(results(n_treated, LONG), 0.025)
