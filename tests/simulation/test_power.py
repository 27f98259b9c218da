"""Least detectable effects are detected as often as they say.

Monte Carlo error of a share of 80% over n draws: 1.3 points with 1,000, 0.6 with 4,000.
"""

import numpy as np
import pytest
from scipy import stats

from evalkit.core.draws import stream
from evalkit.design.power.mdes import PanelPlan, TwoLevelPlan, one_area_mdes, panel_mdes, two_level_mdes
from evalkit.design.power.simulation import placebo_sets, simulated_power
from evalkit.estimate.areas.changes_arrays import permutation_test

DRAWS = 4000


def rejected(effect: np.ndarray, error: np.ndarray, df: int) -> float:
    return float((np.abs(effect) > stats.t.ppf(0.975, df) * error).mean())


@pytest.mark.parametrize("schools", [(6, 6), (29, 29), (29, 145)])
def test_a_two_level_design_finds_its_least_effect_in_80_of_100(schools):
    # balanced schools: the two-level test is the t test of school means, with variance ρ + (1 − ρ)/n
    plan = TwoLevelPlan(n_treated=schools[0], n_comparison=schools[1], pupils=30, icc=0.13)
    rng, mdes = stream(12, f"two-level power {schools}"), two_level_mdes(plan)
    sd = np.sqrt(0.13 + 0.87 / 30)
    arms = [sd * rng.normal(size=(DRAWS, n)) for n in schools]
    squares = sum(((arm - arm.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) for arm in arms)
    error = np.sqrt(squares / plan.df * (1 / schools[0] + 1 / schools[1]))
    effect = arms[0].mean(axis=1) - arms[1].mean(axis=1) + mdes
    # t(α/2) + t(power) is a little off the noncentral t with few schools: up to 1.5 points at ten degrees of freedom
    assert rejected(effect, error, plan.df) == pytest.approx(0.8, abs=0.02 + 0.015)


def test_a_panel_of_areas_finds_its_least_effect_in_80_of_100():
    # five treated and fifteen comparison areas of ten schools: the t test of area means on 18 degrees of freedom
    plan = PanelPlan(treated=(10,) * 5, comparison=(10,) * 15)
    rng, mdes = stream(12, "panel power"), panel_mdes(plan, 0.2, 3.0)
    sd = np.sqrt(0.2 + 3.0 / 10)
    arms = [sd * rng.normal(size=(DRAWS, n)) for n in (5, 15)]
    squares = sum(((arm - arm.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) for arm in arms)
    error = np.sqrt(squares / plan.df * (1 / 5 + 1 / 15))
    assert rejected(arms[0].mean(axis=1) - arms[1].mean(axis=1) + mdes, error, 18) == pytest.approx(0.8, abs=0.035)


def test_a_treated_area_finds_its_least_effect_in_80_of_100():
    # 150 areas, the first treated, tested by permutation against all: formula and simulation agree on what it detects
    rng = stream(12, "one area")
    effects = rng.normal(size=150)
    critical = np.array([permutation_test(effects, at).reach for at in range(150)])
    formula = one_area_mdes(effects[1:].tolist(), (1, 1))
    simulated = simulated_power(effects, critical, [formula])
    assert simulated.effect == pytest.approx(formula, rel=0.12)
    fresh = rng.normal(size=(DRAWS // 4, 150))
    found = [
        permutation_test(np.concatenate([[row[0] + simulated.effect], row[1:]]), 0).p_value <= 0.05 for row in fresh
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.08)  # the spread of 150 placebos has an error of 6% itself


def test_without_an_effect_placebo_sets_reject_at_the_size_of_the_test():
    rng = stream(12, "sets")
    group = np.repeat(np.arange(60), 12)
    change = rng.normal(size=len(group)) + 0.4 * rng.normal(size=60)[group]
    sets = placebo_sets(group, [4, 4, 4], range(60), 300, seed=3)
    effects = np.array([change[rows].mean() for rows in sets])
    critical = np.array([permutation_test(effects, at).reach for at in range(300)])
    found = simulated_power(effects, critical, [0.0, 1.0])
    assert found.curve[0].power == pytest.approx(0.05, abs=0.01)
    assert found.curve[1].power > 0.5
    # area shocks are in the spread of the sets: a school-only formula would say 1/√12 = 0.29
    assert effects.std() == pytest.approx(np.sqrt(0.16 / 3 + 1 / 12), rel=0.2)
