"""What is reported of an effect: never a number where there is none, never a p-value from schools."""

import numpy as np
import pytest

from evalkit.core.project import InferenceChoices
from evalkit.core.quantities import Estimand, Interval, Unavailable
from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.effect_records import (
    EffectKey,
    permutation_effect,
    school_cluster_effect,
    unavailable_effects,
)

KEY = EffectKey(
    outcome="READPROG", role="primary", design="neighbours", period="post", estimand=Estimand.AREA_ITT, method="m",
    n_treated_clusters=1,
)  # fmt: skip


def areas(effects, errors=None, first=340):
    count = len(effects)
    errors = np.full(count, 0.5) if errors is None else np.array(errors)
    return AreaEffects(first + np.arange(count), np.array(effects), errors, np.full(count, 49), np.full(count, 500))


def test_the_permutation_by_hand():
    # Area 340 has 1.5; of the 40 areas one other is as large (−2.0): p = 2/40. 2/40 = .05 rejects, 3/40 does not: the
    # interval's reach is the second largest of the others, 0.39.
    others = [-2.0, *(0.01 * k for k in range(2, 40))]
    found = permutation_effect(KEY, areas([1.5, *others]), 340, InferenceChoices())
    assert found.estimate == 1.5
    assert found.p_value == 2 / 40
    assert found.p_value_one_sided == 1 / 40
    assert found.interval == Interval(1.5 - 0.39, 1.5 + 0.39, 0.95)
    assert (found.permutation.rank, found.permutation.n_areas, found.permutation.smallest_p) == (2, 40, 1 / 40)
    assert isinstance(found.std_error, Unavailable)
    assert (found.n_treated, found.n_comparison, found.cluster_level) == (49, 500, "local_authority")


def test_studentised_intervals_are_in_points_of_the_outcome():
    effects = [1.0, *(0.1 * k for k in range(1, 20))]
    errors = [0.5, *([0.2] * 19)]
    found = permutation_effect(KEY, areas(effects, errors), 340, InferenceChoices(statistic="studentised"))
    # 20 areas: the reach is the largest other |t| = 1.9/0.2 = 9.5, times the treated area's own error 0.5.
    assert found.interval.lower == pytest.approx(1.0 - 9.5 * 0.5)
    assert found.interval.upper == pytest.approx(1.0 + 9.5 * 0.5)
    # t = 2.0 of the treated one: the 16 others from 0.4/0.2 on are as large.
    assert found.p_value == (1 + 16) / 20


@pytest.mark.parametrize("statistic", ["unstudentised", "studentised"])
def test_both_statistics_have_their_interval_whichever_is_asked_for(statistic):
    effects = [1.0, *(0.1 * k for k in range(1, 20))]
    found = permutation_effect(KEY, areas(effects, [0.5, *([0.2] * 19)]), 340, InferenceChoices(statistic=statistic))
    detail = found.permutation
    # the largest other effect is 1.9, its t 9.5
    for interval, reach in ((detail.plain_interval, 1.9), (detail.studentised_interval, 4.75)):
        assert (interval.lower, interval.upper) == pytest.approx((1.0 - reach, 1.0 + reach))
    assert (detail.plain_p, detail.studentised_p) == (11 / 20, 17 / 20)


@pytest.mark.parametrize("missing", [0, 5])
def test_without_a_school_sampling_error_nothing_is_studentised(missing):
    errors = np.full(30, 0.5)
    errors[missing] = np.nan
    plain = permutation_effect(KEY, areas(np.linspace(-1, 1, 30), errors), 340, InferenceChoices())
    assert isinstance(plain.permutation.studentised_p, Unavailable)
    assert plain.p_value == 2 / 30  # the effects run from −1 to 1: both ends are as large
    asked = permutation_effect(
        KEY, areas(np.linspace(-1, 1, 30), errors), 340, InferenceChoices(statistic="studentised")
    )
    assert isinstance(asked.p_value, Unavailable)
    assert isinstance(asked.interval, Unavailable)
    assert asked.estimate == -1.0


def test_too_few_areas_give_an_estimate_and_nothing_inferred_from_it():
    found = permutation_effect(KEY, areas(np.linspace(1, 2, 19)), 340, InferenceChoices())
    assert found.estimate == 1.0
    for quantity in (found.p_value, found.p_value_one_sided, found.interval):
        assert "19 areas of these files could be analysed the same way" in quantity.reason
        assert "20 are needed before a rank among them can be unlikely" in quantity.reason
    assert found.permutation is None
    assert permutation_effect(KEY, areas(np.linspace(1, 2, 20)), 340, InferenceChoices()).p_value == 1.0


def test_an_interval_needs_more_areas_at_a_higher_level():
    found = permutation_effect(KEY, areas(np.linspace(1, 2, 25)), 340, InferenceChoices(level=0.99))
    assert found.p_value == 1.0
    assert "Fewer than 100 areas" in found.interval.reason


def test_schools_treated_by_name_have_no_permutation():
    found = permutation_effect(KEY, areas(np.linspace(-1, 1, 40), first=0), 0, InferenceChoices())
    assert found.estimate == -1.0
    assert isinstance(found.p_value, Unavailable)
    assert "part of their area" in found.p_value.reason
    assert found.permutation is None


def test_clustering_by_school_gives_an_error_and_nothing_inferred_from_it():
    found = school_cluster_effect(KEY, areas([1.0, 2.0], [0.25, 0.5]), 340)
    assert (found.estimate, found.std_error, found.cluster_level) == (1.0, 0.25, "school")
    for quantity in (found.p_value, found.p_value_one_sided, found.interval):
        assert isinstance(quantity, Unavailable)
        assert "excludes area shocks" in quantity.reason


def test_a_treated_group_without_an_effect_is_not_given_another_area_s():
    others = areas(np.linspace(-1, 1, 40), first=341)
    for found in (permutation_effect(KEY, others, 340, InferenceChoices()), school_cluster_effect(KEY, others, 340)):
        assert isinstance(found.estimate, Unavailable)
        assert isinstance(found.p_value, Unavailable)
        assert isinstance(found.std_error, Unavailable)
        assert (found.n_treated, found.n_comparison) == (0, 0)


def test_an_outcome_that_is_not_estimated_has_two_records_with_the_reason():
    permutation, cluster = unavailable_effects(KEY, "six schools", 6, 122)
    assert {permutation.inference, cluster.inference} == {"permutation", "cluster"}
    assert permutation.estimate == cluster.estimate == Unavailable("six schools")
    assert (permutation.n_treated, permutation.n_comparison) == (6, 122)
    assert (permutation.n_treated_clusters, cluster.n_treated_clusters) == (1, 6)
