"""Power of tests before the start against R's pretrends and mvtnorm (../shared/golden), and what passing does.

`pretrends` draws its normal probabilities and means at random (errors of 1e-4 in a power), so that its values are held
to 2e-4 and its slopes, from a root found to 1e-4 of a power, to 2e-5; its likelihood ratio is exact. mvtnorm's Miwa (2
and 4 leads) and Genz–Bretz with 2 million points (6) are held to 5e-7, half of what separates them from each other;
Wald's slopes to 1e-9.
"""

import numpy as np
import pandas as pd
import pytest

import evalkit
from evalkit.core.scipy_parts import special
from evalkit.diagnose.power import pre_trends_arrays as kernel

STUDIES = "12_parallel_trends_bounds"


@pytest.fixture(scope="module")
def hewang(golden):
    beta = pd.read_csv(golden / "did" / "hewang_beta.csv")
    sigma = pd.read_csv(golden / "did" / "hewang_sigma.csv").to_numpy()
    return beta["beta"].to_numpy(), sigma, beta["t"].tolist()


def scalar(golden, quantity):
    rows = (golden / "did" / "golden_scalars.csv").read_text(encoding="utf-8").splitlines()
    return next(float(row.split('"')[5]) for row in rows if quantity in row)


def test_he_and_wang(golden, hewang):
    plot = pd.read_csv(golden / "did" / "golden_pretrends_hewang_eventplot.csv")
    printed = pd.read_csv(golden / "did" / "golden_pretrends_hewang_power.csv").iloc[0]
    slope = scalar(golden, "slope_for_power 0.5")
    lags = plot[plot["t"] >= 0]
    options = evalkit.PreTrendOptions(critical=1.96, violation=float(lags["deltatrue"].mean()))
    found = evalkit.pre_trend_power(*hewang, options)
    single = found.tests[1]
    assert single.test == "any lead"
    assert single.found[0].slope == pytest.approx(slope, abs=2e-5)
    assert single.found[1].slope == pytest.approx(scalar(golden, "slope_for_power 0.8"), abs=2e-5)
    asked = single.at_violation
    assert asked.slope == pytest.approx(slope, rel=1e-9)
    assert asked.power == pytest.approx(printed["Power"], abs=2e-4)
    assert asked.bayes_factor == pytest.approx(printed["Bayes.Factor"], abs=2e-4)
    assert asked.likelihood_ratio == pytest.approx(printed["Likelihood.Ratio"], rel=1e-9)
    # Their mean after passing, period by period: the effect here is the mean of the lags.
    assert asked.bias_if_passed == pytest.approx(lags["meanAfterPretesting"].mean(), abs=2e-4)


def test_the_mean_of_each_lead_that_passes(golden, hewang):
    plot = pd.read_csv(golden / "did" / "golden_pretrends_hewang_eventplot.csv")
    before = plot[plot["t"] < -1]
    _, sigma, _ = hewang
    test = kernel.single_test(sigma[:3, :3], np.full(3, 1.96))
    found = test.mean_passed(before["deltatrue"].to_numpy())
    assert found == pytest.approx(before["meanAfterPretesting"].to_numpy(), abs=2e-4)


def study(golden, name):
    table = pd.read_csv(golden / "kinds" / STUDIES / f"event_study_{name}.csv")
    return table["beta"].to_numpy(), table.iloc[:, 3:].to_numpy(), table["event_time"].tolist()


@pytest.mark.parametrize("name", ["A", "B", "C"])
@pytest.mark.parametrize("threshold", ["1.96", "normal_quantile"])
def test_any_lead(golden, name, threshold):
    rows = pd.read_csv(golden / "kinds" / STUDIES / "expected_pretest_power.csv")
    rows = rows[(rows["study"] == name) & (rows["threshold"].astype(str) == threshold)].set_index("quantity")["value"]
    critical = 1.96 if threshold == "1.96" else float(special.ndtri(0.975))
    found = evalkit.pre_trend_power(*study(golden, name), evalkit.PreTrendOptions(critical=critical)).tests[1]
    assert found.size == pytest.approx(rows["size_individual"], abs=5e-7)
    assert found.found[0].slope == pytest.approx(rows["slope_individual_power_0.5"], abs=5e-7)
    assert found.found[1].slope == pytest.approx(rows["slope_individual_power_0.8"], abs=5e-7)


@pytest.mark.parametrize("name", ["A", "B", "C"])
def test_all_leads_together(golden, name):
    table = pd.read_csv(golden / "kinds" / STUDIES / "expected_flci.csv")
    table = table[(table["study"] == name) & (table["target"] == "pretest")].set_index("quantity")["low"]
    _, sigma, times = study(golden, name)
    before = [at for at, time in enumerate(times) if time < 0]
    away = np.array([times[at] + 1.0 for at in before])
    test = kernel.joint_test(sigma[np.ix_(before, before)], 0.05)
    assert test.passed(np.zeros(len(before))) == pytest.approx(0.95, abs=1e-12)
    for power in (0.5, 0.8):
        expected = float(table[f"slope_joint_wald_power_{power}"])
        assert kernel.slope_found(test, away, power) == pytest.approx(expected, rel=1e-9)
