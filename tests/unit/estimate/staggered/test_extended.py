"""Extended two-way fixed effects: by hand, against all indicator columns, and at its edges."""

import numpy as np
import pytest
from staggered_tables import COHORTS, columns_of, design_of, indicators, sandwich, table, value_and_error

from evalkit.core.quantities import Unavailable
from evalkit.estimate.staggered.extended import extended_effects
from evalkit.estimate.staggered.imputation import imputation_effects
from evalkit.estimate.staggered.summaries import overall_effect
from evalkit.estimate.staggered.sun_abraham import small_sample_factor, sun_abraham_effects


def wooldridge_columns(design, cells):
    """Return unit and period indicators, covariates by period and cohort, then by cell, then the cells' indicators."""
    outcome, weight, units, periods, covariates, cluster = columns_of(design)
    cohort = design.panel.frame["cohort"].to_numpy()
    strata = [cohort == one for one in design.cohorts]
    inside = indicators(design, cells)
    others, within = [units, periods], []
    for x in covariates.T:
        others += [periods * x[:, None], *((x * stratum)[:, None] for stratum in strata)]
        means = [np.average(x[cohort == one], weights=weight[cohort == one]) for one, _ in cells]
        within += [inside[:, [at]] * (x - mean)[:, None] for at, mean in enumerate(means)]
    return outcome, weight, np.column_stack([*others, *within, inside]), cluster


@pytest.mark.parametrize("comparison", ["never", "not-yet"])
@pytest.mark.parametrize(
    ("share", "roles"),
    [
        (2.0, {}),
        (0.85, {"weight": "w"}),
        (0.85, {"covariates": ("size",)}),
        (0.85, {"weight": "w", "cluster": "area", "covariates": ("x", "size")}),
    ],
)
def test_cells_are_those_of_all_indicator_columns(comparison, share, roles):
    effects = extended_effects(design_of(table(n_units=100, share=share), comparison, **roles))
    wanted = [at for at, cell in enumerate(effects.cells) if not cell.is_reference]
    cells = [(effects.cells[at].cohort, effects.cells[at].period) for at in wanted]
    outcome, weight, regressors, cluster = wooldridge_columns(effects.design, cells)
    values, covariance = sandwich(regressors, outcome, weight, cluster, len(cells))
    np.testing.assert_allclose(effects.values[wanted], values, rtol=1e-7)
    found = effects.covariance[np.ix_(wanted, wanted)] / effects.factor
    np.testing.assert_allclose(found, covariance, rtol=1e-6, atol=1e-10)


def test_against_never_treated_units_alone_it_is_sun_and_abraham():
    design = design_of(table(share=0.85))
    extended, other = extended_effects(design), sun_abraham_effects(design)
    np.testing.assert_allclose(extended.values, other.values, rtol=1e-10)
    np.testing.assert_allclose(
        extended.covariance / extended.factor, other.covariance / other.factor, rtol=1e-8, atol=1e-14
    )


def test_against_all_untreated_it_is_imputation_where_the_panel_is_balanced():
    design = design_of(table(share=2.0), "not-yet")
    np.testing.assert_allclose(extended_effects(design).values, imputation_effects(design).values, rtol=1e-10)


def test_coefficients_counted_by_hand():
    # 4 cohorts (never among them), 6 periods, cells 4 + 3 + 1 = 8: k = 4 + 6 - 1 + 8 = 17
    # with a covariate: 8 slopes in cells, 4 in cohorts, 6 in periods more, as the reference counts: 35
    frame = table(n_units=40, share=2.0)
    n, clusters = 240, 40
    plain = extended_effects(design_of(frame, "not-yet"))
    assert plain.factor == pytest.approx(small_sample_factor(clusters, n, 17))
    for name in ("size", "x"):
        assert extended_effects(design_of(frame, "not-yet", covariates=(name,))).factor == pytest.approx(
            small_sample_factor(clusters, n, 35)
        )


def test_a_covariate_that_explains_different_trends_is_compared_away():
    # without noise y = size · (t - 2009) + effect 1 in every treated cell, and treated units are smaller
    frame = table(share=2.0)
    treated = frame["period"] >= frame["cohort"]
    frame["y"] = frame["size"] * (frame["period"] - 2009) + treated
    adjusted = extended_effects(design_of(frame, "not-yet", covariates=("size",)))
    np.testing.assert_allclose(adjusted.values, 1, atol=1e-9)
    assert abs(overall_effect(extended_effects(design_of(frame, "not-yet"))).estimate.value - 1) > 0.1


def test_without_never_treated_units_the_last_periods_have_a_reason():
    effects = extended_effects(design_of(table(cohorts=COHORTS[:3]), "not-yet"))
    reasons = {(cell.cohort, cell.period): cell.value for cell in effects.cells}
    assert isinstance(reasons[2012, 2014], float)
    assert "no unit is untreated then" in reasons[2013, 2015].reason


def test_a_unit_with_one_row_adds_nothing():
    frame = table(share=2.0)
    alone = frame[(frame["unit"] != 3) | (frame["period"] == 2014)]
    without = frame[frame["unit"] != 3]
    one, other = (extended_effects(design_of(rows, "not-yet")) for rows in (alone, without))
    np.testing.assert_allclose(one.values, other.values, rtol=1e-10)


def test_a_cohort_in_one_cluster_has_no_standard_error():
    frame = table(share=2.0, cohorts=(2013.0, np.nan))
    frame["place"] = np.where(frame["cohort"] == 2013, -1, frame["unit"])
    estimate = overall_effect(extended_effects(design_of(frame, "not-yet", cluster="place"))).estimate
    assert isinstance(estimate.std_error, Unavailable)


def test_four_units_by_hand():
    # year 3 less the mean of years 1 and 2: 7, 4; 2, 1: effect 5.5 - 1.5 = 4; squares of errors 2(0.75² + 0.25²) = 1.25
    # factor 4/3 · 11/(12 - 5): 4 clusters, 12 rows, k = 1 cell + 2 cohorts + 3 periods - 1
    frame = table(n_units=4, share=2.0, cohorts=(2012.0, 2012.0, np.nan, np.nan))
    frame = frame[frame["period"] <= 2012].assign(y=[1, 3, 9, 2, 2, 6, 0, 2, 3, 4, 4, 5])
    effects = extended_effects(design_of(frame, "not-yet"))
    assert value_and_error(effects, 2012, 2012) == pytest.approx((4, np.sqrt(1.25 * 4 / 3 * 11 / 7)))
