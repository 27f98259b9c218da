"""All results of one estimator together: six units by hand, and nothing left blank."""

from dataclasses import fields, is_dataclass

import numpy as np
import pandas as pd
import pytest
from six_units import effects_of, one_cohort, six_units

from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.roles import Roles
from evalkit.estimate.staggered.bands import Uncertainty
from evalkit.estimate.staggered.pre_test import NOTHING_BEFORE, PreTest, large_sample_pre_test
from evalkit.estimate.staggered.results import staggered_results
from evalkit.estimate.staggered.summaries import NO_VARIATION, ONE_TREATED

PLAIN = Uncertainty(errors="plain")
"""Large-sample errors, for arithmetic by hand on fewer units than they are fit for."""


def test_results_hold_every_number_by_hand():
    """See test_summaries: overall 2 with variance 4/9; event times −1, 0, 1: 0, 1.5, 3."""
    found = staggered_results(effects_of(six_units()), PLAIN)
    assert (found.simple.estimate, found.simple.std_error) == (pytest.approx(2), pytest.approx(2 / 3))
    # 2 ± 1.959964 × 2/3, two-sided p of z = 3
    assert found.simple.interval.lower == pytest.approx(0.693357, abs=1e-6)
    assert found.simple.interval.upper == pytest.approx(3.306643, abs=1e-6)
    assert found.simple.p_value == pytest.approx(0.002699796)
    assert [(p.label, p.estimate) for p in found.event_study.parts] == [(-1, 0), (0, 1.5), (1, 3)]
    assert [p.label for p in found.by_cohort.parts] == [2, 3]
    assert [p.label for p in found.calendar.parts] == [2, 3]
    assert found.calendar.overall.estimate == pytest.approx(2)
    assert all(isinstance(part.band, Interval) for part in found.event_study.parts)
    assert found.simple.band is None
    assert (found.n_units, found.n_treated, found.n_comparison, found.dropped) == (6, 4, 2, ())
    cells = [(c.cohort, c.period, c.estimate, c.n_treated, c.n_comparison) for c in found.group_time]
    assert cells == [(2, 2, 2, 2, 2), (2, 3, 3, 2, 2), (3, 2, 0, 2, 2), (3, 3, 1, 2, 2)]
    assert found.group_time[3].std_error == pytest.approx(np.sqrt(2.5))


def test_clusters_use_student_s_t():
    """Three clusters: 2 degrees of freedom, quantile 4.302653."""
    area = {"A": 1, "F": 1, "B": 2, "E": 2, "C": 3, "D": 3}
    roles = Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="area")
    effects = effects_of(six_units().assign(area=lambda f: f["unit"].map(area)), roles)
    cell = staggered_results(effects, PLAIN).group_time[0]
    assert cell.interval.upper - cell.estimate == pytest.approx(4.302653 * np.sqrt(2), abs=1e-5)


def test_options_of_uncertainty_reach_every_number():
    effects = effects_of(one_cohort(30, 30))
    plain, drawn = staggered_results(effects), staggered_results(effects, Uncertainty(level=0.8, n_draws=199))
    assert drawn.level == drawn.simple.interval.level == drawn.group_time[0].interval.level == 0.8
    assert drawn.simple.std_error != plain.simple.std_error
    assert drawn.simple.std_error == pytest.approx(plain.simple.std_error, rel=0.3)
    assert drawn.pre_test == plain.pre_test  # always analytic


def test_a_balanced_event_study_can_be_asked_for():
    found = staggered_results(effects_of(six_units()), balanced_until=1)
    assert [(p.label, p.estimate) for p in found.event_study.parts] == [(0, 2), (1, 3)]  # cohort 2 alone


def values(item):
    """Yield everything in nested results."""
    if is_dataclass(item):
        for field in fields(item):
            yield from values(getattr(item, field.name))
    elif isinstance(item, tuple):
        for one in item:
            yield from values(one)
    else:
        yield item


@pytest.mark.parametrize("n_treated", [1, 2, 5])
@pytest.mark.parametrize("n_draws", [0, 99])
@pytest.mark.parametrize("base", ["varying", "universal"])
def test_no_number_is_nan_or_infinite(n_treated, n_draws, base):
    table = one_cohort(n_treated, 3)[lambda f: (f["unit"] + f["period"]) % 7 != 0]
    found = staggered_results(effects_of(table, base_period=base), Uncertainty(n_draws=n_draws))
    numbers = [value for value in values(found) if isinstance(value, float)]
    assert len(numbers) > 10
    assert np.isfinite(numbers).all()


def test_the_joint_test_of_one_effect_by_hand():
    """Cohort 3 in 2, moved by 2: W = (2/1)² = 4, χ² with 1 degree of freedom: p = 0.0455.

    Six units: a t with 5 degrees of freedom is beyond 1.96 in 10.7% of samples, and the note says so.
    """
    table = six_units()
    table["y"] += 2 * (table["unit"].isin(["C", "D"]) & (table["period"] == 2))
    found = large_sample_pre_test(effects_of(table))
    assert found == PreTest(statistic=pytest.approx(4), df=1, p_value=pytest.approx(0.04550026), note=found.note)
    assert "With 6 units and 1 effect the test rejects too often: at 5% in 11% or more" in found.note
    assert large_sample_pre_test(effects_of(one_cohort(30, 30))).note == ""


def test_the_joint_test_says_where_it_rejects_too_often():
    """Eight effects, 20 clusters: W is 8 · 19/12 F(8, 12), and F is beyond 15.507 · 12/(8 · 19) = 1.224 in 36%."""
    table = one_cohort(40, 40, periods=tuple(range(1, 11)), start=10, seed=4)
    table["area"] = table["unit"] % 20
    roles = Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="area")
    found = large_sample_pre_test(effects_of(table, roles))
    assert found.df == 8
    assert "With 20 clusters and 8 effects the test rejects too often: at 5% in 36% or more" in found.note


def test_the_joint_test_of_two_effects_is_their_wald_statistic():
    effects = effects_of(one_cohort(10, 15, periods=(1, 2, 3, 4), start=4, seed=2))
    before = [at for at, cell in enumerate(effects.cells) if cell.event_time < 0]
    covariance = effects.covariance[np.ix_(before, before)]
    found = large_sample_pre_test(effects)
    assert found.df == 2
    assert found.statistic == pytest.approx(effects.values[before] @ np.linalg.inv(covariance) @ effects.values[before])


def test_effects_that_may_be_anticipated_are_not_tested():
    """Cohort 4 with one period of anticipation: its effect in 3 may be real, that in 2 may not."""
    effects = effects_of(one_cohort(10, 15, start=4, seed=2), anticipation=1)
    assert [cell.event_time for cell in effects.cells] == [-2, -1, 0]
    assert large_sample_pre_test(effects).df == 1


def test_effects_of_one_treated_unit_are_left_out_of_the_joint_test():
    """Their errors hold the comparison units' shocks alone, so that they would reject nearly always."""
    alone = large_sample_pre_test(effects_of(one_cohort(1, 20)))
    assert alone == Unavailable(f"No effect before the start can be tested. {ONE_TREATED}")
    late = one_cohort(5, 0, start=4, seed=1).assign(unit=lambda f: f["unit"] + 100)
    both = pd.concat([one_cohort(1, 20), late], ignore_index=True)
    found = large_sample_pre_test(effects_of(both))
    assert found.lacking == ((3, 2),)
    assert found.df == 2


def test_a_joint_test_that_cannot_be_made_says_why():
    no_period = large_sample_pre_test(effects_of(six_units()[lambda f: f["cohort"] != 3]))
    assert no_period == Unavailable(NOTHING_BEFORE)
    constant = large_sample_pre_test(effects_of(six_units().assign(y=3.3)))
    assert constant == Unavailable(f"No effect before the start can be tested. {NO_VARIATION}")
    many = one_cohort(2, 3, periods=range(1, 9), start=8)
    assert (
        "6 effects before the start are too many to be tested together with 5 clusters"
        in large_sample_pre_test(effects_of(many)).reason
    )
