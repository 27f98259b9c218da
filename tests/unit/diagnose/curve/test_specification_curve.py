"""The ledger of a specification curve: every choice is in it, with its estimate, its double, or its reason."""

from dataclasses import replace

import numpy as np
import pytest

from evalkit.core.quantities import Unavailable
from evalkit.diagnose.curve.specification_curve import AskedSpecification, CurveQuestion, specification_curve
from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.together import NO_SPREAD, PlacedStatistic, TogetherOptions

N = 40
GROUPS = np.arange(1, N + 1)
ONES = np.ones(N, dtype=int)
QUESTION = CurveQuestion(outcome="Y", choices={"list": ("old", "new")}, together=TogetherOptions())


def placed(effects, groups=GROUPS, group=1):
    ones = np.ones(len(groups), dtype=int)
    return PlacedStatistic(areas=AreaEffects(groups, effects, np.ones(len(groups)), ones, ones), group=group)


def asked(*options, locked=0):
    return [
        AskedSpecification(analysis="main", options=(one,), is_locked=at == locked) for at, one in enumerate(options)
    ]


@pytest.fixture
def effects():
    return np.random.default_rng(3).normal(size=N)


def test_each_estimate_is_divided_by_its_spread_over_all_areas(effects):
    curve = specification_curve(QUESTION, asked(0, 1), [placed(effects), placed(10 * effects)])
    z = effects[0] / effects.std()  # the treated is one of J
    assert [one.estimate for one in curve.specifications] == pytest.approx([effects[0], 10 * effects[0]])
    assert [one.statistic for one in curve.specifications] == pytest.approx([z, z])
    assert curve.median == pytest.approx(z)
    # of the same ranks: p is that of the treated among its areas
    assert curve.p_value == pytest.approx((np.abs(effects) >= abs(effects[0])).mean())
    assert curve.n_areas == N


def test_a_specification_without_an_estimate_keeps_its_place_and_its_reason(effects):
    reason = Unavailable("No list.")
    curve = specification_curve(QUESTION, asked(0, 1), [placed(effects), reason])
    assert curve.specifications[1].estimate is reason
    assert (curve.n_failed, len(curve.estimated)) == (1, 1)


def test_a_treated_area_without_an_effect_is_no_estimate(effects):
    curve = specification_curve(QUESTION, asked(0, 1), [placed(effects), placed(effects[1:], GROUPS[1:])])
    assert isinstance(curve.specifications[1].estimate, Unavailable)


def test_areas_without_one_specification_take_no_part(effects):
    curve = specification_curve(QUESTION, asked(0, 1), [placed(effects), placed(effects[:-9], GROUPS[:-9])])
    assert curve.n_areas == N - 9


def test_what_gives_the_same_everywhere_is_told_of_the_first(effects):
    curve = specification_curve(QUESTION, asked(0, 1), [placed(effects), placed(effects.copy())])
    assert [one.same_as for one in curve.specifications] == [1, 1]
    assert curve.n_alike == 1


def test_what_varies_nowhere_has_no_z(effects):
    curve = specification_curve(QUESTION, asked(0, 1), [placed(effects), placed(np.zeros(N))])
    assert curve.specifications[1].statistic is NO_SPREAD


def test_where_nothing_can_be_estimated_the_reason_stands_everywhere():
    curve = specification_curve(QUESTION, asked(0, 1), [Unavailable("None."), Unavailable("None.")])
    assert isinstance(curve.p_value, Unavailable)
    assert curve.contributions == ()


def test_the_order_of_areas_moves_nothing(effects):
    order = np.random.default_rng(1).permutation(N)
    one = specification_curve(QUESTION, asked(0, 1), [placed(effects), placed(effects**3)])
    other = specification_curve(
        QUESTION, asked(0, 1), [placed(effects[order], GROUPS[order]), placed(effects[order] ** 3, GROUPS[order])]
    )
    assert (one.median, one.p_value) == pytest.approx((other.median, other.p_value), abs=1e-12)


def test_another_unit_moves_estimates_alone(effects):
    one = specification_curve(QUESTION, asked(0, 1), [placed(effects), placed(effects**3)])
    other = specification_curve(QUESTION, asked(0, 1), [placed(7 * effects), placed(7 * effects**3)])
    assert one.median == pytest.approx(other.median)
    assert one.p_value == other.p_value


def test_analyses_are_a_choice_where_there_are_several(effects):
    both = [replace(one, analysis=name) for one, name in zip(asked(0, 1), ("main", "other"), strict=True)]
    curve = specification_curve(QUESTION, both, [placed(effects), placed(effects**3)])
    assert [one.option for one in curve.contributions if one.choice == "analysis"] == ["main", "other"]
