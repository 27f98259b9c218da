"""Triple differences: a difference-in-differences of the difference of two outcomes within a school or area, against R.

The reference fits all three factors (clubSandwich, sandwich). A table with the difference as its outcome gives the same
estimates and the same errors by area, so that every kind of analysis gives a triple difference of an own table.
"""

import numpy as np
import pandas as pd
import pytest

from evalkit import Panel, Roles, two_way_effect
from evalkit.estimate.least_squares_arrays import cluster_error, least_squares


@pytest.fixture(scope="module")
def reference(golden):
    folder = golden / "kinds" / "14_triple_differences"
    values = pd.read_csv(folder / "expected.csv").set_index(["case", "quantity"])["value"]
    return pd.read_csv(folder / "panel.csv"), values


def differences(rows, by):
    """Return score of the targeted less that of the others, by unit and year."""
    means = rows.groupby([*by, "area", "treated_area", "year", "targeted"])["score"].mean().unstack("targeted")
    return (means[1] - means[0]).rename("gap").reset_index()


def fitted(gaps, treated):
    order = np.argsort(gaps["area"].to_numpy(), kind="stable")
    cluster = np.unique(gaps["area"].to_numpy()[order], return_inverse=True)[1]
    ones = np.ones((len(gaps), 1))
    return least_squares(gaps["change"].to_numpy()[order], treated[order][:, None], ones, ones[:, 0], cluster)


def test_two_periods_of_schools(reference):
    panel, values = reference
    wide = differences(panel[panel["year"].isin([2018, 2019])], ["school"])
    wide = wide.pivot(index=["school", "area", "treated_area"], columns="year", values="gap").reset_index()
    wide["change"] = wide[2019] - wide[2018]
    fit = fitted(wide, wide["treated_area"].to_numpy(float))
    expected = values["two_periods_cells/unweighted"]
    # scores have two decimals, and the reference twelve digits
    assert fit.coefficients[0] == pytest.approx(values["two_periods_by_hand", "triple_difference"], rel=1e-10)
    assert fit.coefficients[0] == pytest.approx(expected["estimate"], rel=1e-10)
    assert cluster_error(fit, 0, "CR0").std_error == pytest.approx(expected["se[CR0]"], rel=1e-9)
    assert cluster_error(fit, 0, "CR1").std_error == pytest.approx(expected["se[CR1_G]"], rel=1e-9)
    error = cluster_error(fit, 0, "CR2")
    assert error.std_error == pytest.approx(expected["se[CR2]"], rel=1e-9)
    assert error.df == pytest.approx(expected["df_satterthwaite[CR2]"], rel=1e-8)


def test_six_years_of_areas(reference):
    panel, values = reference
    weighted = panel.assign(total=panel["score"] * panel["pupils"])
    sums = weighted.groupby(["area", "treated_area", "year", "targeted"])[["total", "pupils"]].sum().reset_index()
    sums["score"] = sums["total"] / sums["pupils"]
    gaps = differences(sums, [])
    gaps["cohort"] = np.where(gaps["treated_area"] == 1, 2019.0, np.nan)
    roles = Roles(unit="area", period="year", outcome="gap", cohort="cohort", cluster="area")
    found = two_way_effect(Panel.from_frame(gaps[["area", "year", "gap", "cohort"]], roles))
    expected = values["six_years_difference_of_groups"]
    assert found.estimate.value == pytest.approx(expected["estimate"], rel=1e-10)
    three_way = values["six_years_three_way_fixed_effects_area_means/unweighted", "estimate"]
    assert found.estimate.value == pytest.approx(three_way, rel=1e-10)
    assert found.inference.std_error == pytest.approx(expected["se[CR2]"], rel=1e-8)
    assert found.inference.df == pytest.approx(expected["df_satterthwaite[CR2]"], rel=1e-7)
