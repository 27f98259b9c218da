"""Two stages: by hand, against the moment conditions written out, and at its edges."""

import numpy as np
import pytest
from staggered_tables import COHORTS, columns_of, dense_imputation, design_of, table, value_and_error

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Unavailable
from evalkit.estimate.staggered.imputation import imputation_effects, two_stage_effects
from evalkit.estimate.staggered.summaries import event_study, overall_effect


def four_units():
    """Four units over three years; the first two start in the last."""
    frame = table(n_units=4, share=2.0, cohorts=(2012.0, 2012.0, np.nan, np.nan))
    return frame[frame["period"] <= 2012].assign(y=[1, 3, 9, 2, 2, 6, 0, 2, 3, 4, 4, 5])


def test_four_units_by_hand():
    # year 3 less the mean of years 1 and 2: 7, 4; 2, 1: effect 5.5 - 1.5 = 4
    # errors (1/2)(7 - 5.5) = ±0.75 and (1/2)(2 - 1.5) = ±0.25: variance 2(0.75²) + 2(0.25²) = 1.25
    assert value_and_error(two_stage_effects(design_of(four_units())), 2012, 2012) == pytest.approx((4, np.sqrt(1.25)))


@pytest.mark.parametrize(
    ("share", "roles", "anticipation"),
    [
        (2.0, {}, 0),
        (0.85, {"weight": "w"}, 1),
        (0.85, {"weight": "w", "cluster": "area", "covariates": ("x",)}, 0),
    ],
)
def test_cells_are_those_of_the_weights_of_every_observation(share, roles, anticipation):
    effects = two_stage_effects(design_of(table(share=share), anticipation=anticipation, **roles))
    cells = [(cell.cohort, cell.period) for cell in effects.cells]
    rows = effects.design.panel.frame
    untreated = ~(rows["period"] >= rows["cohort"] - anticipation).to_numpy()
    values, covariance = dense_imputation(effects.design, cells, untreated, "second-stage")
    np.testing.assert_allclose(effects.values, values, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(effects.covariance[: len(cells), : len(cells)], covariance, rtol=1e-7, atol=1e-12)


def moment_conditions(design, treated, second):
    """Return second-stage coefficients and errors from both moment conditions stacked."""
    outcome, weight, units, periods, _, cluster = columns_of(design)
    first = np.column_stack([units, periods]) * (~treated)[:, None]
    every = np.column_stack([units, periods])
    inverse = np.linalg.pinv((first * weight[:, None]).T @ first, rcond=1e-13, hermitian=True)
    gamma = inverse @ first.T @ (weight * outcome)
    left = outcome - every @ gamma
    bread = np.linalg.inv((second * weight[:, None]).T @ second)
    beta = bread @ second.T @ (weight * left)
    through = (second * weight[:, None]).T @ every @ inverse
    scores = second * (weight * (left - second @ beta))[:, None]
    scores = scores - (first * (weight * left)[:, None]) @ through.T
    summed = np.array([scores[cluster == one].sum(axis=0) for one in np.unique(cluster)]) @ bread
    return beta, np.sqrt((summed**2).sum(axis=0))


@pytest.mark.parametrize("cluster", ["unit", "area"])
def test_averages_have_the_errors_of_their_own_second_stage(cluster):
    # one coefficient, or one for each event time, in the second stage: composition is part of the error
    design = design_of(table(share=2.0), cluster=cluster)
    frame = design.panel.frame
    treated = (frame["period"] >= frame["cohort"]).to_numpy()
    effects = two_stage_effects(design)
    beta, error = moment_conditions(design, treated, treated[:, None].astype(float))
    overall = overall_effect(effects).estimate
    assert (overall.value, overall.std_error) == pytest.approx((beta[0], error[0]))
    times = [0, 1, 2, 3]
    second = np.column_stack([(frame["period"] - frame["cohort"]) == time for time in times]).astype(float)
    beta, error = moment_conditions(design, treated, second)
    parts = {part.label: part.estimate for part in event_study(effects).parts}
    assert [parts[time].value for time in times] == pytest.approx(beta)
    assert [parts[time].std_error for time in times] == pytest.approx(error)


def test_estimates_are_those_of_imputation():
    design = design_of(table(share=0.85))
    two_stage, other = two_stage_effects(design), imputation_effects(design)
    after = [at for at, cell in enumerate(two_stage.cells) if cell.event_time >= 0]
    np.testing.assert_allclose(two_stage.values[after], other.values, rtol=1e-12)
    assert overall_effect(two_stage).estimate.value == pytest.approx(overall_effect(other).estimate.value)


def test_what_averages_take_as_given_is_said():
    even, uneven = (two_stage_effects(design_of(table(share=share))) for share in (2.0, 0.85))
    assert (even.shares, uneven.shares) == ("estimated", "fixed")
    assert not any("weights as given" in note for note in even.notes)
    assert any("weights as given" in note for note in uneven.notes)


def test_cluster_effects_take_out_less_than_unit_effects():
    # with one unit in each cluster both are the same; with several they are not
    frame = table(share=2.0)
    one = design_of(frame.assign(place=frame["unit"] + 1000), cluster="place")
    np.testing.assert_allclose(two_stage_effects(one, "cluster").values, two_stage_effects(one).values, rtol=1e-10)
    several = design_of(frame, cluster="area")
    assert not np.allclose(two_stage_effects(several, "cluster").values, two_stage_effects(several).values)


def test_covariates_that_vary_between_units_of_a_cluster_are_taken_with_cluster_effects():
    design = design_of(table(), cluster="area", covariates=("size",))
    assert np.isfinite(two_stage_effects(design, "cluster").values).all()
    with pytest.raises(DesignError, match="taken out by its effect: 'size'"):
        two_stage_effects(design)


def test_without_never_treated_units_the_last_periods_have_a_reason():
    effects = two_stage_effects(design_of(table(cohorts=COHORTS[:3]), "not-yet"))
    reasons = {(cell.cohort, cell.period): cell.value for cell in effects.cells}
    assert isinstance(reasons[2012, 2010], float)
    assert "no unit is untreated then" in reasons[2012, 2015].reason


def test_a_cohort_in_one_cluster_has_no_standard_error():
    frame = table(share=2.0, cohorts=(2013.0, np.nan))
    frame["place"] = np.where(frame["cohort"] == 2013, -1, frame["unit"])
    estimate = overall_effect(two_stage_effects(design_of(frame, cluster="place"))).estimate
    assert isinstance(estimate.std_error, Unavailable)


def test_unknown_effects_are_refused():
    with pytest.raises(DesignError, match="unit or cluster"):
        two_stage_effects(design_of(table()), "period")
