"""The least effect of a two-level design, by hand."""

import math

import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Unavailable
from evalkit.design.power.mdes import TwoLevelPlan, multiplier, two_level_mdes


def plan(n_comparison=29, **changed):
    given = {"n_treated": 29, "pupils": 30, "icc": 0.13, "r2_school": 0.5, "r2_pupil": 0.5}
    return TwoLevelPlan(n_comparison=n_comparison, **given | changed)


@pytest.mark.parametrize(("n_comparison", "rounded"), [(29, 0.21), (145, 0.16), (290, 0.15)])
def test_the_examples_of_the_practice_note(n_comparison, rounded):
    # ../shared/evaluation-practice.md, 2.1 point 12
    assert round(two_level_mdes(plan(n_comparison)), 2) == rounded


def test_the_formula_by_hand():
    # P = 1/2, J = 58: 0.065/(0.25·58) + 0.435/(0.25·30·58) = 0.0044828 + 0.0010 = 0.0054828, root 0.0740457;
    # df = 56: t at 97.5% 2.003241 and at 80% 0.848085: M = 2.851326.
    assert plan().std_error == pytest.approx(0.0740457, abs=1e-6)
    assert plan().df == 56
    assert two_level_mdes(plan()) == pytest.approx(2.851326 * 0.0740457, abs=1e-6)


def test_many_schools_take_the_customary_multiplier():
    # df = 317 ≥ 100: 2.8 × √(0.065/(0.0826446·319) + ...): 290/319·29/319 = 0.0826446
    share = 29 / 319 * 290 / 319 * 319
    assert two_level_mdes(plan(290)) == pytest.approx(2.8 * math.sqrt((0.065 + 0.435 / 30) / share))


def test_multipliers():
    assert multiplier(None) == multiplier(100) == 2.8
    assert multiplier(None, 0.95, 0.9) == pytest.approx(1.959964 + 1.281552, abs=1e-6)
    assert multiplier(10) == pytest.approx(2.228139 + 0.879058, abs=1e-6)
    assert multiplier(10) > multiplier(50) > multiplier(99) > 2.8


@pytest.mark.parametrize(("level", "power"), [(1.0, 0.8), (0.0, 0.8), (0.95, 1.0), (0.95, 0.05), (0.95, 0.01)])
def test_impossible_questions_are_refused(level, power):
    with pytest.raises(DesignError):
        multiplier(None, level, power)


def test_more_of_anything_good_detects_less():
    base = two_level_mdes(plan())
    better = [plan(icc=0.05), plan(r2_school=0.8), plan(r2_pupil=0.8), plan(pupils=60), plan(40)]
    assert all(two_level_mdes(other) < base for other in better)
    assert two_level_mdes(plan(n_school_covariates=5)) > base


def test_attrition_takes_whole_schools_from_both_arms():
    left = plan(145).after_attrition(0.2)
    assert (left.n_treated, left.n_comparison) == (23, 116)  # 23.2 and 116
    assert two_level_mdes(left) > two_level_mdes(plan(145))
    assert plan().after_attrition(0.0) == plan()
    with pytest.raises(DesignError):
        plan().after_attrition(1.0)


@pytest.mark.parametrize("changed", [{"n_treated": 1}, {"n_comparison": 1}])
def test_one_school_in_an_arm_has_no_least_effect(changed):
    assert isinstance(two_level_mdes(plan(**changed)), Unavailable)


def test_no_degrees_of_freedom_left_is_said():
    found = two_level_mdes(plan(2, n_treated=2, n_school_covariates=2))
    assert found == Unavailable("4 schools leave no degrees of freedom between schools.")


@pytest.mark.parametrize("changed", [{"icc": 1.0}, {"icc": -0.1}, {"r2_school": 1.0}, {"pupils": 0}, {"n_treated": 0}])
def test_impossible_plans_are_refused(changed):
    with pytest.raises(DesignError):
        plan(**changed)
