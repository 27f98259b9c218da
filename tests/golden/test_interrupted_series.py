"""The interrupted time series of a difference of two series against R's lm (../shared/golden/kinds).

36 terms, the start at the 25th; time is counted from there, as in the kit. lm and the kit solve the same least squares
by other routes (QR there, a pseudo-inverse here): they agree to rounding, 1e-9 of values around 3, and the reference
has 12 digits.
"""

import numpy as np
import pandas as pd
import pytest

from evalkit.estimate.areas.gap_series_arrays import gaps, interrupted, neighbour_correlation

START = 25


@pytest.fixture(scope="module")
def reference(golden):
    table = pd.read_csv(golden / "kinds" / "03_interrupted_series" / "expected.csv")
    return table[table["case"] == "difference_series/ols"].set_index("quantity")["value"]


@pytest.fixture(scope="module")
def fit(golden):
    table = pd.read_csv(golden / "kinds" / "03_interrupted_series" / "pair_of_series.csv")
    wide = table.pivot_table(index="series", columns="time", values="value").loc[["treated", "comparison"]]
    gap = gaps(wide.to_numpy(), np.array([[False, True], [False, False]]))
    return interrupted(gap[:1], wide.columns.to_numpy(), START, has_slope=True)


def test_trend_level_and_slope(fit, reference):
    assert fit.trend[0] == pytest.approx(reference["coef[time_c]"], abs=1e-9)
    assert fit.level[0] == pytest.approx(reference["coef[post]"], abs=1e-9)
    assert fit.slope[0] == pytest.approx(reference["coef[since]"], abs=1e-9)


def test_the_line_without_the_programme(fit, reference):
    assert fit.without[0, START - 1] == pytest.approx(reference["coef[(Intercept)]"], abs=1e-9)


def test_effect_of_each_term(fit, reference):
    for k in (0, 3, 5):
        expected = reference["coef[post]"] + k * reference["coef[since]"]
        assert fit.effects[0, k] == pytest.approx(expected, abs=1e-9)


def test_correlation_of_what_is_left(fit, reference):
    found = neighbour_correlation(fit.residuals, np.arange(1, 37))
    assert found[0] == pytest.approx(reference["residual_autocorrelation_lag1"], abs=1e-9)
