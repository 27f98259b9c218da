"""Averages of group-time effects by hand, their errors, and when they have none."""

import numpy as np
import pandas as pd
import pytest
from six_units import ROLES, cell, effects_of, one_cohort, six_units

from evalkit.core.quantities import Estimate, Unavailable
from evalkit.data.panel import CrossSections
from evalkit.data.roles import Roles
from evalkit.estimate.staggered.cells import REFERENCE
from evalkit.estimate.staggered.summaries import (
    NO_CELL,
    NO_VARIATION,
    ONE_COMPARISON,
    ONE_COMPARISON_NOTE,
    ONE_TREATED,
    SINGLES,
    SINGLES_NOTE,
    combination,
    effects_by_cohort,
    effects_by_period,
    event_study,
    overall_effect,
)
from evalkit.estimate.staggered.sun_abraham import sun_abraham_effects

GAPPED = (1, 2, 3, 4, 7)
AREAS = Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="area")


def numbers(summary):
    return summary.estimate.value, summary.estimate.std_error**2


def parts(summaries):
    return {part.label: numbers(part) for part in summaries.parts}


def test_the_overall_effect_by_hand():
    """(2 + 3 + 1)/3 = 2 with weights 1/3.

    Shares: ∂/∂p₂ = ((2 − 2) + (3 − 2))/(3 × 1/3) = 1, ∂/∂p₃ = −1, times a sixth for each unit.
    A (.5 + 0)/3 + 1/6 = 1/3, B −1/6 + 1/6 = 0, C 1/6 − 1/6 = 0, D −1/3, E (−.5 + .5 + 1)/3 = 1/3, F −1/3: 4/9.
    """
    assert numbers(overall_effect(effects_of(six_units()))) == pytest.approx((2, 4 / 9))


def test_effects_by_cohort_by_hand():
    """Cohort 2: (2 + 3)/2, A .25, B −.25, E and F 0; cohort 3: 1, 2.5. Overall (2.5 + 1)/2 with ∂/∂p = ±.75/(2/3).

    A .25/2 + 1.125/6 = .3125, B .0625, C .25 − .1875 = .0625, D −.4375, E .5, F −.5: squares add up to .796875.
    """
    found = effects_by_cohort(effects_of(six_units()))
    assert parts(found) == {2: pytest.approx((2.5, 0.125)), 3: pytest.approx((1, 2.5))}
    assert numbers(found.overall) == pytest.approx((1.75, 0.796875))


def test_the_event_study_by_hand():
    """Time 0: (2 + 1)/2, ∂/∂p = ±.5/(2/3): A .25 + .125, B −.125, C .125, D −.375, E −.25 + .5, F −.25: .4375.

    Times −1 and 1 are one cell each. Overall (1.5 + 3)/2: A .1875, B −.0625, C .0625, D −.1875, E .375, F −.375.
    """
    found = event_study(effects_of(six_units()))
    assert parts(found) == {-1: pytest.approx((0, 1)), 0: pytest.approx((1.5, 0.4375)), 1: pytest.approx((3, 0.5))}
    assert numbers(found.overall) == pytest.approx((2.25, 0.359375))


def test_effects_by_period_by_hand():
    """Period 3: (3 + 1)/2, ∂/∂p = ±1/(2/3): A .25, B .25, C 0, D −.5, E .75, F −.75: 1.5. Overall: .25."""
    found = effects_by_period(effects_of(six_units()))
    assert parts(found) == {2: pytest.approx((2, 1)), 3: pytest.approx((2, 1.5))}
    assert numbers(found.overall) == pytest.approx((2, 0.25))


def test_cohorts_weigh_by_the_weight_of_their_units():
    """Cohort 2 weighs 4, cohort 3 weighs 2, twice each in cohort 2: (4 × 2 + 4 × 3 + 2 × 1)/10 = 2.2.

    Weights within cohorts are equal, so that effects stay as they are.
    """
    table = six_units().assign(w=lambda f: np.where(f["cohort"] == 2, 2.0, 1.0))
    effects = effects_of(table, Roles(unit="unit", period="period", outcome="y", cohort="cohort", weight="w"))
    assert overall_effect(effects).estimate.value == pytest.approx(2.2)
    assert effects_by_cohort(effects).overall.estimate.value == pytest.approx((4 * 2.5 + 2) / 6)
    assert event_study(effects).parts[1].estimate.value == pytest.approx((4 * 2 + 2 * 1) / 6)


def test_fixed_shares_leave_their_estimation_out():
    """Without ∂/∂p: A .5/3, B −.5/3, C .5/3, D −.5/3, E 1/3, F −1/3: 4/36 + 2/9."""
    from dataclasses import replace

    effects = replace(effects_of(six_units()), shares="fixed")
    assert numbers(overall_effect(effects)) == pytest.approx((2, 1 / 3))


def test_weights_of_summaries_make_their_values_and_errors():
    effects = effects_of(six_units())
    for summary in (overall_effect(effects), *event_study(effects).parts, effects_by_cohort(effects).overall):
        n = len(effects.cells)
        assert summary.weights[:n] @ effects.values == pytest.approx(summary.estimate.value)
        assert summary.weights[:n].sum() == pytest.approx(1)
        assert summary.weights[n:] @ effects.cohort_weight == pytest.approx(0, abs=1e-15)  # shares have no scale
        contribution = effects.influence.combined(summary.weights[:, None])
        assert (contribution**2).sum() == pytest.approx(summary.estimate.std_error**2)
    assert event_study(effects).weights.shape == (6, 3)


def test_any_combination_by_hand():
    """(2, 3) less (2, 2): 3 − 2, A −.5, B .5, E 1, F −1: 2.5."""
    found = combination(effects_of(six_units()), np.array([-1.0, 1.0, 0.0, 0.0]), label=7)
    assert numbers(found) == pytest.approx((1, 2.5))
    assert found.label == 7


def test_a_summary_says_which_cells_it_lacks():
    table = six_units()[lambda f: ~((f["cohort"] == 2) & (f["period"] == 3))]
    effects = effects_of(table)
    overall = overall_effect(effects)
    assert overall.lacking == ((2, 3),)
    assert overall.estimate.value == 1.5  # of (2, 2) and (3, 3)
    assert [part.lacking for part in effects_by_cohort(effects).parts] == [((2, 3),), ()]
    study = event_study(effects)
    assert study.parts[2].estimate == cell(effects, 2, 3).value  # its reason
    assert study.overall.lacking == ((2, 3),)
    assert study.overall.estimate.value == study.parts[1].estimate.value


def test_where_nothing_belongs_there_is_a_reason():
    """Cohort 4, two periods after the last, may act from 2 on: it has cells, but none after its start."""
    table = one_cohort(4, 4, periods=(1, 2, 3), start=4)
    effects = effects_of(table, anticipation=2, comparison="never")
    assert effects.design.cohorts == (4,)
    assert overall_effect(effects).estimate == Unavailable(NO_CELL)
    assert event_study(effects).overall.estimate == Unavailable(NO_CELL)
    assert effects_by_cohort(effects).parts == ()


BALANCED = {0: [(-3, 1), (-2, 2), (-1, 2), (0, 2)], 1: [(-2, 1), (-1, 1), (0, 1), (1, 1)]}


@pytest.mark.parametrize("until", BALANCED)
def test_a_balanced_event_study_keeps_the_same_cohorts_from_the_start_on(until):
    """Cohorts 3 and 4 of periods 1 to 4: to time 0 both are seen, to time 1 only cohort 3."""
    late = one_cohort(3, 0, start=4, seed=1).assign(unit=lambda f: f["unit"] + 100)
    table = pd.concat([one_cohort(3, 3), late], ignore_index=True)
    effects = effects_of(table, base_period="universal")
    study = event_study(effects, balanced_until=until)
    counts = [(part.label, int((part.weights[: len(effects.cells)] != 0).sum())) for part in study.parts]
    assert counts == BALANCED[until]
    assert len(event_study(effects).parts) == 5  # −3 to 1


def test_a_balanced_event_study_leaves_out_times_that_a_gap_hides_from_a_cohort():
    """Without period 5, cohort 4 is not seen at time 1 nor cohort 3 at time 2."""
    late = one_cohort(3, 0, periods=(1, 2, 3, 4, 6), start=4, seed=1).assign(unit=lambda f: f["unit"] + 100)
    table = pd.concat([one_cohort(3, 3, periods=(1, 2, 3, 4, 6)), late], ignore_index=True)
    study = event_study(effects_of(table), balanced_until=2)
    assert [part.label for part in study.parts] == [-2, -1, 0]


def test_one_treated_unit_has_an_estimate_and_no_error():
    effects = effects_of(one_cohort(1, 20))
    for summary in (overall_effect(effects), *event_study(effects).parts, effects_by_period(effects).overall):
        assert isinstance(summary.estimate, Estimate)
        assert summary.estimate.std_error == Unavailable(ONE_TREATED)


def test_many_treated_units_of_one_cluster_have_no_error():
    table = one_cohort(10, 20).assign(area=lambda f: np.where(f["cohort"].notna(), 0, f["unit"]))
    assert overall_effect(effects_of(table, AREAS)).estimate.std_error == Unavailable(ONE_TREATED)
    assert isinstance(overall_effect(effects_of(table)).estimate.std_error, float)


def test_comparison_units_of_one_cluster_give_no_error():
    table = one_cohort(10, 20).assign(area=lambda f: np.where(f["cohort"].isna(), 99, f["unit"]))
    assert overall_effect(effects_of(table, AREAS)).estimate.std_error == Unavailable(ONE_COMPARISON)


def cohorts_of(*sizes):
    """Return cohorts 3, 4, … of the sizes given over periods 1 to 5, and ten units never treated."""
    tables = [one_cohort(0, 10, periods=range(1, 6), seed=9)]
    for at, size in enumerate(sizes):
        table = one_cohort(size, 0, periods=range(1, 6), start=3 + at, seed=at)
        tables.append(table.assign(unit=table["unit"] + 100 * (at + 1)))
    return pd.concat(tables, ignore_index=True)


def test_cohorts_of_single_units_leave_most_of_the_weight_without_error():
    effects = effects_of(cohorts_of(1, 1))
    assert overall_effect(effects).estimate.std_error == Unavailable(SINGLES.format(cohorts="3 and 4"))
    assert effects_by_cohort(effects).parts[0].estimate.std_error == Unavailable(ONE_TREATED)


def test_a_cohort_of_one_unit_with_less_than_half_of_the_weight_is_noted():
    """Cohort 3 of one unit has 3 cells, cohort 4 of five has 2: 3 of 13 parts of the weight."""
    effects = effects_of(cohorts_of(1, 5))
    found = overall_effect(effects)
    assert isinstance(found.estimate.std_error, float)
    assert found.note == SINGLES_NOTE.format(cohorts="3")
    study = event_study(effects)
    assert study.parts[-1].estimate.std_error == Unavailable(ONE_TREATED)  # time 2: cohort 3 alone


def test_a_cell_that_one_unit_serves_has_no_error_though_its_cohort_has_two():
    """One of two treated units lacks period 4: what is left does not deviate from its own mean."""
    table = one_cohort(2, 20)[lambda f: ~((f["unit"] == 0) & (f["period"] == 4))]
    effects = effects_of(table)
    study = event_study(effects)
    assert isinstance(study.parts[1].estimate.std_error, float)
    assert study.parts[2].estimate.std_error == Unavailable(SINGLES.format(cohorts="3"))
    assert isinstance(overall_effect(effects).estimate.std_error, float)  # half of the weight, and noted
    assert overall_effect(effects).note == SINGLES_NOTE.format(cohorts="3")


def test_one_row_of_the_treated_in_a_period_has_no_error():
    """Cross-sections with one treated row a period: two rows a cell, each its own mean."""
    effects = effects_of(one_cohort(1, 20), source=CrossSections)
    assert cell(effects, 3, 3).n_treated == 2
    assert cell(effects, 3, 3).n_treated_clusters == 1
    assert overall_effect(effects).estimate.std_error == Unavailable(SINGLES.format(cohorts="3"))


def test_comparisons_with_one_unit_are_noted_or_leave_no_error():
    """Without never-treated units cohort 5 of one unit serves cohort 3 in 3 and 4, cohort 4 of ten only in 3."""
    table = cohorts_of(4, 10, 1)[lambda f: f["cohort"].notna()]
    effects = effects_of(table, comparison="not-yet")
    counts = {(c.cohort, c.period): c.n_comparison for c in effects.cells if c.cohort == 3}
    assert counts == {(3, 2): 11, (3, 3): 11, (3, 4): 1, (3, 5): 0}
    by_cohort = effects_by_cohort(effects)
    assert by_cohort.parts[0].note == ONE_COMPARISON_NOTE  # half of it
    assert isinstance(by_cohort.parts[0].estimate.std_error, float)
    assert by_cohort.parts[1].estimate.std_error == Unavailable(ONE_COMPARISON)
    assert overall_effect(effects).estimate.std_error == Unavailable(ONE_COMPARISON)  # 14 of 18 parts


def test_the_base_is_zero_by_definition():
    effects = effects_of(one_cohort(5, 5), base_period="universal")
    [base] = [part for part in event_study(effects).parts if part.label == -1]
    assert base.estimate == Estimate(0.0, Unavailable(REFERENCE))


def test_an_outcome_that_moves_alike_everywhere_has_no_error():
    table = six_units().assign(
        y=lambda f: 0.1 * f["period"] + f["unit"].map(ord) / 3 + 0.7 * (f["period"] >= f["cohort"])
    )
    found = overall_effect(effects_of(table, ROLES)).estimate
    assert found.value == pytest.approx(0.7)
    assert found.std_error == Unavailable(NO_VARIATION)


@pytest.mark.parametrize("estimator", ["group-time", "sun-abraham"])
def test_a_base_before_a_gap_is_not_in_the_average_of_other_cohorts(estimator):
    """Periods 1 to 4 and 7. Cohort 6 has its base, 4, at time −2, where cohort 4 has an estimate.

    That is period 2 less period 3: 5 − 1 = 4 in both of its units, and the comparison does not move; with the zero of
    cohort 6 it would be 2. Time −1 is the base of cohort 4 alone, and keeps its reason.
    """
    outcomes = {"A": (4, 0, 5, 1, 0, 0), "B": (4, 0, 5, 1, 0, 3), "C": (6, 1, 1, 1, 2, 4), "D": (6, 3, 1, 2, 1, 4)}
    rows = [
        (unit, period, y, cohort)
        for unit, (cohort, *ys) in outcomes.items()
        for period, y in zip(GAPPED, ys, strict=True)
    ]
    rows += [(unit, period, level, np.nan) for unit, level in (("E", 1), ("F", 2)) for period in GAPPED]
    table = pd.DataFrame(rows, columns=["unit", "period", "y", "cohort"])
    effects = effects_of(table, base_period="universal")
    if estimator == "sun-abraham":
        effects = sun_abraham_effects(effects.design)
    study = {part.label: part for part in event_study(effects).parts}
    assert study[-2].estimate.value == pytest.approx(4)
    assert study[-2].note == "Event time −2 is the base period of cohort 6, which is not in its average."
    assert study[-1].estimate == Estimate(0.0, Unavailable(REFERENCE), effects.df)
    assert study[-3].note == ""
