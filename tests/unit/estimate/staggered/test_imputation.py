"""Imputation: by hand, against the weights of every observation, and where something cannot be imputed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtr
from staggered_tables import COHORTS, dense_imputation, design_of, table, value_and_error

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Unavailable
from evalkit.estimate.staggered.imputation import imputation_effects
from evalkit.estimate.staggered.imputation_leads import imputation_leads
from evalkit.estimate.staggered.summaries import effects_by_cohort, event_study, overall_effect


def small(a=(1, 3, 9), b=(2, 2, 6), c=(0, 2, 3), d=(4, 4, 5)):
    """Four units over three years; the first two start in year 3."""
    rows = [
        (unit, year, y, 3.0 if unit in "ab" else np.nan)
        for unit, values in zip("abcd", (a, b, c, d), strict=True)
        for year, y in enumerate(values, start=1)
    ]
    return pd.DataFrame(rows, columns=["unit", "period", "y", "cohort"])


def test_four_units_by_hand():
    # year 3 less the mean of years 1 and 2: a 9 - 2 = 7, b 6 - 2 = 4, c 3 - 1 = 2, d 5 - 4 = 1
    # effect (7 + 4)/2 - (2 + 1)/2 = 4; by unit 7 - 1.5 = 5.5 and 4 - 1.5 = 2.5
    # errors: a, b (1/2)(5.5 - 4) = 0.75 and -0.75; c, d -(1/2)(2 - 1.5) = -0.25 and 0.25
    # variance 2(0.75²) + 2(0.25²) = 1.25
    effects = imputation_effects(design_of(small()))
    assert value_and_error(effects, 3, 3) == pytest.approx((4, np.sqrt(1.25)))
    overall = overall_effect(effects).estimate
    assert (overall.value, overall.std_error, overall.df) == (pytest.approx(4), pytest.approx(np.sqrt(1.25)), None)
    assert [(cell.n_treated, cell.n_comparison, cell.base) for cell in effects.cells] == [(2, 2, None)]


def test_leave_out_errors_by_hand():
    # each effect less the other's: 5.5 - 2.5 = 3 and -3, so (1/2) 3 = 1.5; variance 2(1.5²) + 2(0.25²) = 4.625
    effects = imputation_effects(design_of(small()), errors="leave-out")
    assert value_and_error(effects, 3, 3) == pytest.approx((4, np.sqrt(4.625)))


@pytest.mark.parametrize(
    ("share", "roles", "anticipation"),
    [
        (2.0, {}, 0),
        (0.85, {}, 0),
        (0.85, {"weight": "w"}, 1),
        (0.85, {"weight": "w", "cluster": "area", "covariates": ("x",)}, 0),
    ],
)
def test_cells_are_those_of_the_weights_of_every_observation(share, roles, anticipation):
    frame = table(share=share)
    effects = imputation_effects(design_of(frame, anticipation=anticipation, **roles))
    cells = [(cell.cohort, cell.period) for cell in effects.cells]
    rows = effects.design.panel.frame
    untreated = ~(rows["period"] >= rows["cohort"] - anticipation).to_numpy()
    values, covariance = dense_imputation(effects.design, cells, untreated, "grouped")
    np.testing.assert_allclose(effects.values, values, rtol=1e-9)
    np.testing.assert_allclose(effects.covariance[: len(cells), : len(cells)], covariance, rtol=1e-8, atol=1e-12)


def test_anticipation_adds_cells_before_the_start():
    effects = imputation_effects(design_of(table(share=2.0), anticipation=1))
    assert sorted({cell.event_time for cell in effects.cells}) == [-1, 0, 1, 2, 3]


def test_never_and_not_yet_are_the_same():
    frame = table()
    one, other = (imputation_effects(design_of(frame, comparison)) for comparison in ("never", "not-yet"))
    np.testing.assert_array_equal(one.values, other.values)


def test_cells_are_averaged_by_their_observations():
    # unbalanced: the overall effect is the mean over treated observations, so cells weigh by their rows
    effects = imputation_effects(design_of(table(share=0.8)))
    size = np.array([cell.n_treated for cell in effects.cells])
    assert overall_effect(effects).estimate.value == pytest.approx(size @ effects.values / size.sum())


def test_units_without_an_untreated_period_are_left_out_and_counted():
    frame = table(share=2.0)
    lost = (frame["unit"] == 0) & (frame["period"] < 2012)
    effects = imputation_effects(design_of(frame[~lost]))
    assert [(dropped.units, dropped.n_rows) for dropped in effects.design.dropped] == [(("0",), 4)]
    assert "not seen both before its start and since" in effects.design.dropped[0].reason
    without = imputation_effects(design_of(frame[frame["unit"] != 0]))
    np.testing.assert_allclose(effects.values, without.values)
    np.testing.assert_allclose(effects.covariance, without.covariance)


def test_rows_that_nothing_links_to_the_period_are_left_out_of_their_cell():
    # unit 0 is untreated in 2010 alone, when nobody else is seen: nothing is known of it relative to the others
    frame = table(share=2.0)
    kept = np.where(frame["unit"] == 0, frame["period"].isin([2010, 2013, 2014]), frame["period"] > 2010)
    effects = imputation_effects(design_of(frame[kept]))
    without = imputation_effects(design_of(frame[(frame["unit"] != 0) & (frame["period"] > 2010)]))
    np.testing.assert_allclose(effects.values, without.values)
    assert [cell.n_treated for cell in effects.cells] == [cell.n_treated for cell in without.cells]
    assert {(cell.cohort, cell.period): cell.note[-3:] for cell in effects.cells if cell.note} == {
        (2012, 2013): " 1.",
        (2012, 2014): " 1.",
    }


def test_without_never_treated_units_the_last_periods_have_a_reason():
    effects = imputation_effects(design_of(table(cohorts=COHORTS[:3]), "not-yet"))
    reasons = {(cell.cohort, cell.period): cell.value for cell in effects.cells}
    assert isinstance(reasons[2012, 2014], float)
    assert isinstance(reasons[2012, 2015], Unavailable)
    assert "no unit is untreated then" in reasons[2012, 2015].reason
    assert overall_effect(effects).lacking == ((2012, 2015), (2013, 2015), (2015, 2015))


def test_a_cohort_in_one_cluster_has_no_standard_error():
    frame = table(share=2.0)
    frame["place"] = np.where(frame["cohort"] == 2012, -1, frame["unit"])
    parts = effects_by_cohort(imputation_effects(design_of(frame, cluster="place"))).parts
    assert isinstance(parts[0].estimate.std_error, Unavailable)
    assert isinstance(parts[1].estimate.std_error, float)


def test_covariates_that_do_not_vary_are_refused():
    with pytest.raises(DesignError, match="taken out by its effect: 'size'"):
        imputation_effects(design_of(table(), covariates=("size", "x")))


def test_collinear_covariates_are_refused():
    frame = table()
    frame["twice"] = 2 * frame["x"] + frame["period"]
    with pytest.raises(DesignError, match="within each period 'twice' follows from 'x'"):
        imputation_effects(design_of(frame, covariates=("x", "twice")))


def test_unknown_errors_are_refused():
    with pytest.raises(DesignError, match="conservative or leave-out"):
        imputation_effects(design_of(table()), errors="robust")


def test_a_constant_outcome_has_no_standard_error():
    estimate = overall_effect(imputation_effects(design_of(table().assign(y=1.0)))).estimate
    assert estimate.value == pytest.approx(0, abs=1e-12)
    assert isinstance(estimate.std_error, Unavailable)


def test_a_gap_in_the_years_is_no_period():
    frame = table(share=2.0)
    study = event_study(imputation_effects(design_of(frame[frame["period"] != 2014])))
    assert [part.label for part in study.parts] == [0, 1, 2, 3]


def test_leads_by_hand():
    # only untreated rows: years 1 and 2 of a, b and all of c, d. Changes to year 2: a 4 - 1 = 3, b 0; c 2, d 0
    # lead (3 + 0)/2 - (2 + 0)/2 = 0.5; errors (3 - 1.5)/2 = ±0.75 and (2 - 1)/2 = ±0.5, squares sum to 1.625
    # two clusters an arm: 1 − 2/2 + 2/4 = 1/2, so 1.625/(1/2) = 3.25; df (1/2 + 1/2)²/(1/4 + 1/4) = 2, F(1, 2) = t²(2)
    leads = imputation_leads(design_of(small(a=(1, 4, 9))), 1)
    assert leads.times == (-1,)
    assert leads.estimates[0].value == pytest.approx(0.5)
    assert leads.estimates[0].std_error == pytest.approx(np.sqrt(3.25))
    assert leads.p_value == pytest.approx(2 * stdtr(2, -0.5 / np.sqrt(3.25)))
    assert (leads.joint.kind, leads.joint.df_denominator) == ("F", pytest.approx(2.0))


def test_leads_leave_a_period_to_measure_from():
    leads = imputation_leads(design_of(small()), 2)
    assert all(isinstance(one, Unavailable) for one in leads.estimates)
    assert isinstance(leads.p_value, Unavailable)
    with pytest.raises(DesignError, match="from 1 on"):
        imputation_leads(design_of(small()), 0)


def test_the_design_is_not_changed():
    design = design_of(table(share=2.0))
    before = replace(design), design.panel.frame.copy()
    imputation_effects(design)
    assert design.dropped == before[0].dropped
    pd.testing.assert_frame_equal(design.panel.frame, before[1])
