"""Every effect of six units over three periods by hand, and what stands where there is none."""

import numpy as np
import pandas as pd
import pytest
from six_units import ROLES, cell, design_of, effects_of, one_cohort, six_units

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Unavailable
from evalkit.data.panel import CrossSections
from evalkit.data.roles import Roles
from evalkit.estimate.staggered.cells import GroupTimeEffects
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.influence_arrays import Influence
from evalkit.estimate.staggered.summaries import NO_VARIATION, overall_effect

METHODS = ("dr", "ipw", "reg")


def errors(effects):
    return {(c.cohort, c.period): np.sqrt(effects.covariance[i, i]) for i, c in enumerate(effects.cells)}


@pytest.mark.parametrize("method", METHODS)
def test_effects_and_errors_by_hand(method):
    """Without covariates all methods are one: mean change of the cohort less that of E and F.

    (2, 2): (3 + 1)/2 − (1 − 1)/2 = 2; deviations ±1 in both arms, halved and squared: 4/4 = 1.
    (2, 3), from 1: (5 + 5)/2 − (1 + 3)/2 = 3; deviations 0 and ±1: 2/4.
    (3, 2): (1 − 1)/2 − 0 = 0; 1.
    (3, 3), from 2: (4 + 2)/2 − (0 + 4)/2 = 1; ±1 and ±2: (2 + 8)/4 = 2.5.
    """
    effects = effects_of(six_units(), method=method)
    assert {(c.cohort, c.period): c.value for c in effects.cells} == {(2, 2): 2, (2, 3): 3, (3, 2): 0, (3, 3): 1}
    expected = {(2, 2): 1, (2, 3): np.sqrt(0.5), (3, 2): 1, (3, 3): np.sqrt(2.5)}
    assert errors(effects) == pytest.approx(expected)
    # (2, 2) and (2, 3) share A to F: A .5 × 0, B −.5 × 0, E −.5 × .5, F .5 × −.5
    assert effects.covariance[0, 1] == pytest.approx(-0.5)
    assert effects.cohort_weight.tolist() == pytest.approx([1 / 3, 1 / 3])
    assert [(c.n_treated, c.n_comparison) for c in effects.cells] == [(2, 2)] * 4
    assert effects.df is None


def test_contributions_by_hand():
    """A to F: to (2, 2), (2, 3), (3, 2), (3, 3), then to the shares of the cohorts, one sixth for each unit."""
    found = effects_of(six_units()).influence.by_cluster()
    sixth = 1 / 6
    assert found == pytest.approx(
        np.array(
            [
                [0.5, 0.0, 0.0, 0.0, sixth, 0.0],
                [-0.5, 0.0, 0.0, 0.0, sixth, 0.0],
                [0.0, 0.0, 0.5, 0.5, 0.0, sixth],
                [0.0, 0.0, -0.5, -0.5, 0.0, sixth],
                [-0.5, 0.5, -0.5, 1.0, 0.0, 0.0],
                [0.5, -0.5, 0.5, -1.0, 0.0, 0.0],
            ]
        )
    )


def test_not_yet_treated_units_serve_by_hand():
    """(2, 2): C, D, E, F move by 1, −1, 1, −1: 2 − 0, variance 2 × .25 + 4 × (1/4)² = 0.75; the rest as before."""
    effects = effects_of(six_units(), comparison="not-yet")
    assert cell(effects, 2, 2).value == 2
    assert errors(effects)[2, 2] == pytest.approx(np.sqrt(0.75))
    assert [(c.period, c.n_comparison) for c in effects.cells] == [(2, 4), (3, 2), (2, 2), (3, 2)]


def test_a_universal_base_by_hand():
    """Cohort 3 in 1, from 2: A change of C, D by −1, 1 and of E, F by −1, 1: 0. In 2 zero by definition."""
    effects = effects_of(six_units(), base_period="universal")
    assert [(c.cohort, c.period, c.value) for c in effects.cells] == [
        (2, 1, 0), (2, 2, 2), (2, 3, 3), (3, 1, 0), (3, 2, 0), (3, 3, 1),
    ]  # fmt: skip
    assert [c.is_reference for c in effects.cells] == [True, False, False, False, True, False]
    assert errors(effects)[3, 2] == 0


def test_weights_of_units_by_hand():
    """A weighs 3, E 3: (2, 2) = (3 × 3 + 1)/4 − (3 × 1 − 1)/4 = 2.5 − 0.5; variance 4 × (3/4 × 1/2)² = 0.5625.

    Deviations: A .5, B −1.5 with shares 3/4, 1/4: ±.375; E .5, F −1.5 likewise. Shares of cohorts 4/6 and 2/6.
    """
    table = six_units().assign(w=lambda f: np.where(f["unit"].isin(["A", "E"]), 3.0, 1.0))
    roles = Roles(unit="unit", period="period", outcome="y", cohort="cohort", weight="w")
    effects = effects_of(table, roles)
    assert cell(effects, 2, 2).value == pytest.approx(2.0)
    assert errors(effects)[2, 2] == pytest.approx(0.75)
    assert effects.cohort_weight == pytest.approx([4 / 6, 2 / 6])


def test_clusters_above_the_unit_by_hand():
    """A with F, B with E: (2, 2) gets .5 + .5 and −.5 − .5, so that its variance is 2; degrees of freedom 3 − 1."""
    area = {"A": 1, "F": 1, "B": 2, "E": 2, "C": 3, "D": 3}
    roles = Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="area")
    effects = effects_of(six_units().assign(area=lambda f: f["unit"].map(area)), roles)
    assert errors(effects)[2, 2] == pytest.approx(np.sqrt(2))
    assert effects.df == 2
    assert cell(effects, 2, 2).n_treated_clusters == cell(effects, 2, 2).n_comparison_clusters == 2
    assert cell(effects, 3, 3).n_treated_clusters == 1


def test_a_covariate_that_moves_is_held_at_its_base():
    """x in the base period says all of the change: reg gives 0 from there. x after it is noise."""
    table = one_cohort(8, 10, periods=(1, 2), start=2)
    x = np.random.default_rng(3).normal(size=36)
    y = np.where(table["period"] == 2, np.roll(x, 1), 0.0)  # outcome in 2 is x in 1
    roles = Roles(unit="unit", period="period", outcome="y", cohort="cohort", covariates=("x",))
    effects = effects_of(table.assign(x=x, y=y), roles, "reg")
    assert effects.cells[0].value == pytest.approx(0, abs=1e-12)
    assert effects.notes == ("Covariates of 18 units vary over time; they are held at their value in the base period.",)


def test_weights_that_move_are_those_of_the_base():
    """A and C weigh 3 in 2: (3, 3) from there is (3 × 4 + 2)/4 − 2; cohort 2 is measured from 1, where A weighs 1."""
    table = six_units()
    table["w"] = np.where(table["unit"].isin(["A", "C"]) & (table["period"] == 2), 3.0, 1.0)
    roles = Roles(unit="unit", period="period", outcome="y", cohort="cohort", weight="w")
    effects = effects_of(table, roles)
    values = {(c.cohort, c.period): c.value for c in effects.cells}
    assert values == {(2, 2): 2, (2, 3): 3, (3, 2): 0, (3, 3): 1.5}
    assert effects.notes == ("Weights vary over time; each comparison uses those of its base period.",)


def test_pairs_by_hand():
    """Without B's period 3: (2, 3) = 5 − 2 from A alone; (2, 2) keeps B. Without E's 2: (3, 3) against F: 3 − 4."""
    table = six_units()
    gone = ((table["unit"] == "B") & (table["period"] == 3)) | ((table["unit"] == "E") & (table["period"] == 2))
    effects = effects_of(table[~gone])
    assert {(c.cohort, c.period): c.value for c in effects.cells} == {(2, 2): 3, (2, 3): 3, (3, 2): 1, (3, 3): -1}
    assert [(c.n_treated, c.n_comparison) for c in effects.cells] == [(2, 1), (1, 2), (2, 1), (2, 1)]
    assert [c.n_treated_clusters for c in effects.cells] == [2, 1, 2, 2]
    assert effects.cohort_weight == pytest.approx([1 / 3, 1 / 3])  # cohorts weigh by their units, whoever serves a cell
    assert effects.notes == (
        "2 units without every period: each serves the comparisons for which it has both periods.",
    )


def test_levels_by_hand():
    """Without B's period 3, rows as cross-sections: (2, 3) = A's 6 − (1 + 3)/2 less (1 + 5)/2 − (0 + 2)/2: 4 − 2."""
    table = six_units()
    gone = (table["unit"] == "B") & (table["period"] == 3)
    effects = effects_of(table[~gone], unbalanced="levels")
    assert cell(effects, 2, 3).value == 2
    # contributions: A in 1 −(1 − 2)/2, B −(3 − 2)/2; E −(1 − 3)/2 + (0 − 1)/2 = .5, F −.5
    assert errors(effects)[2, 3] == pytest.approx(1.0)
    assert cell(effects, 2, 3).n_treated_clusters == 1  # one in period 3
    assert effects.notes[0].startswith("Rows of the panel are taken as repeated cross-sections")


def test_levels_of_a_balanced_panel_are_its_changes():
    one, other = effects_of(six_units()), effects_of(six_units(), unbalanced="levels")
    assert other.cells == one.cells
    assert (other.covariance == one.covariance).all()
    assert other.notes == ()


def test_cross_sections_by_hand():
    """The same rows as other people: (2, 2) is 2 again; its variance adds ±1/2, ±0, ±1, ±0 of four means, squared.

    A, B: 1, 3 before and 4, 4 after: 2 × .25 + 0; E, F: 0, 2 before and 1, 1 after: 2 × .25 + 0.
    """
    effects = effects_of(six_units(), source=CrossSections)
    assert cell(effects, 2, 2).value == 2
    assert errors(effects)[2, 2] == pytest.approx(1.0)
    assert effects.cohort_weight == pytest.approx([1 / 3, 1 / 3])
    assert cell(effects, 2, 2).n_treated == 4  # observations of both periods
    said = (
        "Each row is taken as independent: no unit holds two rows of one period, and no cluster was named. Where "
        "people share a school, name that or its area, or the errors are too small."
    )
    assert effects.notes == (said,)


def test_what_cross_sections_are_clustered_by_is_said():
    pupils = pd.concat([six_units(), six_units()], ignore_index=True)
    effects = effects_of(pupils, source=CrossSections)
    assert effects.notes == ("Units hold several rows of one period, so errors are clustered by unit.",)
    assert effects.df == 5
    named = Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="unit")
    assert effects_of(six_units(), named, source=CrossSections).notes == ("Errors are clustered by the column named.",)


def test_a_gap_in_years_changes_nothing_but_names():
    table = six_units().assign(period=lambda f: f["period"].map({1: 2019, 2: 2022, 3: 2023}))
    table["cohort"] = table["cohort"].map({2.0: 2021.0, 3.0: 2023.0})
    effects = effects_of(table)
    assert [(c.cohort, c.period, c.base, c.event_time, c.value) for c in effects.cells] == [
        (2021, 2022, 2019, 1, 2), (2021, 2023, 2019, 2, 3), (2023, 2022, 2019, -1, 0), (2023, 2023, 2022, 0, 1),
    ]  # fmt: skip


def test_a_comparison_that_cannot_be_made_has_its_reason_and_the_rest_goes_on():
    table = six_units()[lambda f: f["cohort"].notna()]
    effects = effects_of(table, comparison="not-yet")
    assert cell(effects, 2, 2).value == 2  # C and D move by 0 on average
    reasons = {(c.cohort, c.period): c.value.reason for c in effects.cells if isinstance(c.value, Unavailable)}
    assert set(reasons) == {(2, 3), (3, 2), (3, 3)}
    assert reasons[2, 3] == "Cohort 2 in 3: no unit is untreated then that it could be compared with."
    assert effects.is_available.tolist() == [True, False, False, False]
    assert effects.values.tolist() == [2, 0, 0, 0]


def test_a_pair_nobody_has_gives_a_reason():
    table = six_units()[lambda f: ~((f["cohort"] == 2) & (f["period"] == 3))]
    reason = cell(effects_of(table), 2, 3).value.reason
    assert reason == "Cohort 2 in 3: an arm has no unit with both periods."
    levels = cell(effects_of(table, unbalanced="levels"), 2, 3).value.reason
    assert levels == "Cohort 2 in 3: an arm has no observation in one of the two periods."


@pytest.mark.parametrize("method", METHODS)
def test_covariates_that_cannot_be_fitted_stop_their_cohort_alone(method):
    """Cohort 4 holds every unit with x above 5 but one more value: separable there, not in cohort 3."""
    random = np.random.default_rng(5)
    table = one_cohort(10, 30, periods=(1, 2, 3, 4))
    late = one_cohort(10, 0, periods=(1, 2, 3, 4), start=4, seed=1).assign(unit=lambda f: f["unit"] + 100)
    table = pd.concat([table, late], ignore_index=True)
    x = pd.Series(random.normal(size=200))
    table["x"] = table["unit"].map(x) + 50 * (table["cohort"] == 4)
    effects = effects_of(
        table, Roles(unit="unit", period="period", outcome="y", cohort="cohort", covariates=("x",)), method
    )
    available = {c.cohort: not isinstance(c.value, Unavailable) for c in effects.cells}
    assert available == {3: True, 4: method == "reg"}
    if method != "reg":
        assert "propensity score above 0.999" in cell(effects, 4, 4).value.reason


def test_trimmed_comparison_units_are_noted():
    table = one_cohort(608, 32, periods=(1, 2), start=2)
    x = np.repeat(np.repeat([1.0, 0.0, 1.0, 0.0], [598, 10, 2, 30]), 2)
    roles = Roles(unit="unit", period="period", outcome="y", cohort="cohort", covariates=("x",))
    said = "2 comparison units with a propensity score of 0.995 or more weigh nothing."
    assert effects_of(table.assign(x=x), roles).cells[0].note == said
    assert effects_of(table.assign(x=x), roles, "reg").cells[0].note == ""


def test_where_no_comparison_can_be_made_the_first_reason_is_given():
    table = one_cohort(3, 3, periods=(1, 2), start=2)
    table["x"] = np.where(table["cohort"].isna(), 1.0, table["unit"])
    roles = Roles(unit="unit", period="period", outcome="y", cohort="cohort", covariates=("x",))
    said = "No effect can be estimated. Cohort 2 in 2: the covariate 'x' does not vary among the comparison units."
    with pytest.raises(DesignError, match=said):
        effects_of(table, roles)


def test_an_unknown_method_is_refused():
    with pytest.raises(DesignError, match="The method 'ols' is not known"):
        group_time_effects(design_of(six_units()), "ols")


def test_contributions_must_match_cells():
    effects = effects_of(six_units())
    with pytest.raises(DesignError, match="6 columns of contributions are needed, not 2"):
        GroupTimeEffects(
            method="dr",
            design=effects.design,
            cells=effects.cells,
            influence=Influence.of(np.zeros((6, 2))),
            cohort_weight=effects.cohort_weight,
        )


def test_a_constant_outcome_has_effects_of_zero_and_no_error():
    effects = effects_of(six_units().assign(y=7.1))
    assert [c.value for c in effects.cells] == [0.0] * 4
    reason = overall_effect(effects).estimate.std_error
    assert reason == Unavailable(NO_VARIATION)


def test_a_cohort_with_a_single_period_before_has_effects_but_nothing_before():
    effects = effects_of(six_units()[lambda f: f["cohort"] != 3])
    assert [(c.cohort, c.period) for c in effects.cells] == [(2, 2), (2, 3)]
    assert ROLES.covariates == ()
