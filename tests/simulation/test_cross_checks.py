"""Effects differ between cohorts and grow with time: cross-check estimators are right on average, and say how sure.

Cohorts are drawn anew each time. Estimators with fixed shares are held against the average effect on the units drawn,
those with estimated shares against the average over the population of cohorts.
"""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.draws import stream
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.staggered.extended import extended_effects
from evalkit.estimate.staggered.imputation import imputation_effects, two_stage_effects
from evalkit.estimate.staggered.summaries import event_study, overall_effect
from evalkit.estimate.staggered.sun_abraham import sun_abraham_effects

PERIODS = np.arange(1, 8)
COHORTS = np.array([3.0, 4.0, 6.0, np.nan])
CHANCE = np.array([0.2, 0.2, 0.2, 0.4])
AREAS = 60
LATER = 2


def effect(cohort, time):
    """Return the effect: larger for early cohorts, growing with time."""
    return np.where(time >= 0, (8 - cohort) / 4 + 0.5 * time, 0.0)


def population_effect(times):
    """Return the average over treated observations at some event times if cohorts had their expected sizes."""
    cells = [(g, t, p) for g, p in zip(COHORTS[:3], CHANCE[:3], strict=True) for t in PERIODS if t - g in times]
    weight = np.array([p for _, _, p in cells])
    return float(weight @ [effect(g, t - g) for g, t, _ in cells] / weight.sum())


def draw_table(generator, n_units, kept):
    """Return a panel whose effects and errors differ between units; treated units have higher levels, equal trends."""
    cohort = generator.choice(COHORTS, n_units, p=CHANCE)
    while len(np.unique(cohort[~np.isnan(cohort)])) < 3:
        cohort = generator.choice(COHORTS, n_units, p=CHANCE)
    unit, period = np.repeat(np.arange(n_units), len(PERIODS)), np.tile(PERIODS, n_units)
    area = np.arange(n_units) % AREAS
    by_row = cohort[unit]
    size = generator.normal(size=n_units)
    x = generator.normal(size=len(unit))
    shock = generator.normal(size=(AREAS, len(PERIODS)))[area[unit], period - 1]
    treated = effect(np.nan_to_num(by_row, nan=99), period - np.nan_to_num(by_row, nan=99))
    individual = treated * (1 + 0.3 * generator.normal(size=n_units)[unit])
    error = generator.standard_t(8, size=len(unit)) + generator.normal(size=n_units)[unit] * 0.3 * period
    level = 2 * size[unit] + np.nan_to_num(8 - by_row) + 0.4 * period**1.5
    columns = {"unit": unit, "period": period, "cohort": by_row, "area": area[unit], "x": x, "size": size[unit]}
    table = pd.DataFrame(columns | {"y": level + x + individual + error, "y_area": level + individual + error + shock})
    table["effect"] = treated
    return table[generator.random(len(table)) < kept]


ROLES = {"unit": "unit", "period": "period", "cohort": "cohort"}
SETTINGS = {
    "balanced": ({"outcome": "y"}, 160, 2.0),
    "unbalanced with a covariate": ({"outcome": "y", "covariates": ("x",)}, 160, 0.9),
    "clusters of units": ({"outcome": "y_area", "cluster": "area"}, 180, 2.0),
}


def estimators(setting):
    """Return each estimator as a function of a design and which average it is held against."""
    found = {
        "imputation": (imputation_effects, "never", "drawn"),
        "leave-out": (lambda design: imputation_effects(design, errors="leave-out"), "never", "drawn"),
        "sun-abraham": (sun_abraham_effects, "never", "drawn"),
        "extended": (extended_effects, "not-yet", "drawn"),
        "extended, never": (extended_effects, "never", "drawn"),
    }
    if setting != "unbalanced with a covariate":  # there two-stage errors take shares as fixed
        found["two-stage"] = (two_stage_effects, "never", "population")
        found["sun-abraham, estimated"] = (lambda d: sun_abraham_effects(d, shares="estimated"), "never", "population")
    return found


def simulated(setting, n_draws, seed=20):
    """Return for each estimator its error, and whether the interval held it, by draw: overall, then two periods on."""
    roles, n_units, kept = SETTINGS[setting]
    missed = {name: [] for name in estimators(setting)}
    generator = stream(seed, f"cross-checks {setting}")
    for _ in range(n_draws):
        table = draw_table(generator, n_units, kept)
        treated = table[table["period"] >= table["cohort"]]
        later = treated[treated["period"] - treated["cohort"] == LATER]
        drawn = treated["effect"].mean(), later["effect"].mean()
        truth = {"drawn": drawn, "population": (population_effect(range(9)), population_effect((LATER,)))}
        panel = Panel.from_frame(table, Roles(**ROLES, **roles))
        for name, (estimate, comparison, against) in estimators(setting).items():
            effects = estimate(staggered_design(panel, StaggeredOptions(comparison=comparison)))
            parts = {part.label: part.estimate for part in event_study(effects).parts}
            both = zip((overall_effect(effects).estimate, parts[LATER]), truth[against], strict=True)
            missed[name].append([number for one, true in both for number in (one.value - true, true in one.interval())])
    return {name: np.array(rows) for name, rows in missed.items()}


def assert_right(name, rows, allowance):
    """Hold bias to three Monte Carlo errors and coverage to 93%, and to 97% unless errors are conservative."""
    for error, holds in ((rows[:, 0], rows[:, 1]), (rows[:, 2], rows[:, 3])):
        assert abs(error.mean()) < 3 * error.std() / np.sqrt(len(error)), name
        coverage = holds.mean()
        assert coverage >= 0.93 - allowance, (name, coverage)
        assert coverage <= 0.97 + allowance or name in ("imputation", "leave-out"), (name, coverage)


@pytest.mark.parametrize("setting", SETTINGS)
def test_estimates_are_right_on_average_and_intervals_hold(setting):
    # 80 draws: the Monte Carlo error of a coverage of 95% is 2.4 points
    for name, rows in simulated(setting, 80).items():
        assert_right(name, rows, allowance=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS)
def test_coverage_over_many_draws(setting):
    for name, rows in simulated(setting, 2000, seed=21).items():
        assert_right(name, rows, allowance=0.0)
