"""Critical values and two-level plans from a project's own years before, by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evalkit.core.quantities import Unavailable
from evalkit.design.project.areas import AreaComparisons
from evalkit.diagnose.power.placebos import area_placebos, critical_values
from evalkit.diagnose.power.report import PowerOptions, plan_from_records
from evalkit.estimate.areas.changes_arrays import permutation_test
from evalkit.estimate.areas.sample import Changes

AT_TENTH = PowerOptions(level=0.9, n_simulations=100)


@pytest.mark.parametrize("n", [2, 19, 20, 21, 40, 100])
def test_critical_values_are_those_of_each_test(n):
    effects = np.random.default_rng(n).normal(size=n)
    slow = [permutation_test(effects, at, 0.05).reach for at in range(n)]
    assert critical_values(effects, 0.05).tolist() == slow


def test_equal_effects_and_single_ones():
    assert critical_values(np.ones(40), 0.05).tolist() == [1.0] * 40
    assert critical_values(np.array([1.0]), 0.05).tolist() == [np.inf]


def small_england(statistic="unstudentised"):
    """Thirty areas of six schools, each compared with all others; area 1 is treated."""
    rng = np.random.default_rng(5)
    group = np.repeat(np.arange(1, 31), 6)
    change = rng.normal(size=len(group)) + rng.normal(size=31)[group]
    groups = tuple(range(1, 31))
    compared = ~np.eye(30, dtype=bool)
    compared[:, 0] = False
    design = SimpleNamespace(
        comparisons={"neighbours": AreaComparisons(groups, compared, {})}, treated_group=1, treated_areas=(1,)
    )
    pool = SimpleNamespace(minimum_area_schools=5, exclude_areas=(30,))
    project = SimpleNamespace(pool=pool, inference=SimpleNamespace(statistic=statistic), seed=1)
    return project, design, Changes(pd.RangeIndex(len(group)), group, change, np.ones(len(group)))


def slow_placebo(area, design, changes, excluded):
    """One area as if treated: its effect, and those of the others without it among their comparisons."""

    def effect(own, never):
        others = ~np.isin(changes.group, [own, 1, *never])
        return changes.change[changes.group == own].mean() - changes.change[others].mean()

    others = [effect(g, [area]) for g in range(2, 31) if g not in (area, *excluded)]
    return effect(area, []), np.array(others)


def test_every_area_in_turn_is_the_treated_one():
    project, design, changes = small_england()
    sets = area_placebos(project, design, changes, AT_TENTH)
    assert sets.is_every_set
    assert len(sets.effects) == 28  # neither the treated area nor the excluded one
    for at, area in enumerate(range(2, 30)):
        own, others = slow_placebo(area, design, changes, [30])
        assert sets.effects[at] == pytest.approx(own)
        # 28 areas at 10%: p = (m + 1)/28 > 0.1 first at m = 2, so the second largest of the others
        assert sets.critical[at] == pytest.approx(np.sort(np.abs(others))[-2])


def test_a_studentised_test_needs_more_of_a_noisy_area():
    project, design, changes = small_england("studentised")
    sets = area_placebos(project, design, changes, AT_TENTH)
    ratio = sets.critical / area_placebos(*small_england(), AT_TENTH).critical
    assert ratio.std() > 0.05  # the same for all, were the errors alike
    assert np.isfinite(sets.critical).all()


def records(scores, pupils, sd=6.0, pre=(2016, 2017), too_few=""):
    n = len(scores)
    index = pd.Index([f"S{i}" for i in range(n)])
    units = pd.DataFrame({"group": np.where(np.arange(n) < 5, 340, 341)}, index=index)
    design = SimpleNamespace(
        outcome="READPROG", too_few=too_few, treated_group=340, baseline=SimpleNamespace(units=units),
        comparisons={"neighbours": AreaComparisons((340, 341), np.array([[False, True], [True, False]]), {})},
    )  # fmt: skip
    stage = SimpleNamespace(
        values={"READPROG": pd.DataFrame(scores, index=index, columns=list(pre))},
        pupils=pd.DataFrame(dict.fromkeys(pre, pupils), index=index),
    )
    project = SimpleNamespace(outcomes=(), exposure=SimpleNamespace(pre=pre))
    return plan_from_records(project, SimpleNamespace(records={"KS2": stage}), design, sd)


def test_the_icc_is_what_scores_vary_beyond_chance():
    # 40 schools of 36 pupils, half at +3, half at −3 in both years: V = 9·40/39 = 9.230769; σ²/n = 36/36 = 1;
    # τ² = 8.230769/(35/36) = 8.465934; icc = τ²/36 = 0.235165; cov = V: r2 = min((V/τ²)², 0.99) = 0.99
    scores = np.repeat(np.tile([3.0, -3.0], 20)[:, None], 2, axis=1)
    found = records(scores, 36.0)
    assert found.plan.icc == pytest.approx(8.465934 / 36, abs=1e-7)
    assert found.plan.pupils == pytest.approx(36)
    assert found.plan.r2_school == 0.99
    assert (found.plan.n_treated, found.plan.n_comparison, found.plan.n_school_covariates) == (5, 35, 1)
    assert "40 schools in 2017" in found.source


def test_a_year_that_says_nothing_of_the_next_explains_nothing():
    latest = np.tile([3.0, -3.0], 20)
    earlier = np.tile([3.0, 3.0, -3.0, -3.0], 10)
    assert records(np.column_stack([earlier, latest]), 36.0).plan.r2_school == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sd": Unavailable("No limits.")}, "needs the spread of pupils. No limits."),
        ({"sd": 60.0}, "no more than chance"),
        ({"too_few": "six schools"}, "six schools"),
        ({"pupils": np.nan}, "Only 0 schools"),
    ],
)
def test_what_is_missing_is_said(changed, said):
    given = {"scores": np.repeat(np.tile([3.0, -3.0], 20)[:, None], 2, axis=1), "pupils": 36.0} | changed
    found = records(**given)
    assert isinstance(found, Unavailable)
    assert said in found.reason
