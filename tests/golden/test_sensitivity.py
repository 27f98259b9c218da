"""Sensitivity to what was not measured against R: rbounds 2.2, EValue 4.1.4, sensemakr 0.1.6, on lalonde."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from evalkit.core.quantities import Estimate, Interval
from evalkit.diagnose.matched.robustness_value import RegressionRows, robustness_value
from evalkit.diagnose.matched.rosenbaum import rosenbaum_bounds
from evalkit.diagnose.matched.sensitivity import e_value_of_difference, e_value_of_ratio


@pytest.fixture(scope="module")
def lalonde(golden):
    return pd.read_csv(golden / "matching" / "data" / "lalonde.csv").set_index("id")


@pytest.fixture(scope="module")
def others(golden):
    return golden / "matching" / "lalonde_other"


@pytest.fixture(scope="module")
def bounds(golden, lalonde, others):
    pairs = pd.read_csv(golden / "matching" / "lalonde_matchit_4.7.2" / "matches_nn_ps.csv")
    differences = lalonde["re78"][pairs["focal_id"]].to_numpy() - lalonde["re78"][pairs["match_id"]].to_numpy()
    gammas = pd.read_csv(others / "rbounds_psens_nn_ps.csv")["Gamma"]
    return rosenbaum_bounds(differences, tuple(gammas))


def test_p_values_by_gamma(bounds, others):
    # rbounds prints four decimals
    wanted = pd.read_csv(others / "rbounds_psens_nn_ps.csv")
    assert [row.p_lower for row in bounds.rows] == pytest.approx(wanted["Lower bound"].tolist(), abs=5e-5 + 1e-12)
    assert [row.p_upper for row in bounds.rows] == pytest.approx(wanted["Upper bound"].tolist(), abs=5e-5 + 1e-12)


def test_estimates_by_gamma(bounds, others):
    # rbounds walks on a grid and prints five digits: within 1 dollar here (of an SD of 7,471). Its row of gamma 1 is
    # another estimator (wilcox.test's, without the ten pairs that do not differ), so it is left out.
    wanted = pd.read_csv(others / "rbounds_hlsens_nn_ps.csv").iloc[1:]
    assert [row.effect_lower for row in bounds.rows[1:]] == pytest.approx(wanted["Lower bound"].tolist(), abs=1.0)
    assert [row.effect_upper for row in bounds.rows[1:]] == pytest.approx(wanted["Upper bound"].tolist(), abs=1.0)


def test_the_estimate_without_hidden_bias(golden, lalonde, others):
    pairs = pd.read_csv(golden / "matching" / "lalonde_matchit_4.7.2" / "matches_nn_ps.csv")
    differences = lalonde["re78"][pairs["focal_id"]].to_numpy() - lalonde["re78"][pairs["match_id"]].to_numpy()
    wanted = pd.read_csv(others / "rbounds_hlsens_nn_ps.csv").iloc[0]["Lower bound"]
    row = rosenbaum_bounds(differences[differences != 0], (1.0,)).rows[0]
    assert row.effect_lower == pytest.approx(wanted, abs=0.15)  # wilcox.test solves its continuous approximation


def test_e_values(lalonde, others):
    wanted = pd.read_csv(others / "EValue.csv")
    ratio = e_value_of_ratio(1.8, Interval(1.2, 2.7))
    assert (ratio.point, ratio.limit) == pytest.approx((wanted["point"][1], wanted["lower"][1]), rel=1e-12)
    found = e_value_of_difference(Estimate(894.37, 705.23), float(lalonde["re78"].std()))
    assert found.ratio == pytest.approx(wanted["point"][2], rel=1e-12)
    assert found.interval.lower == pytest.approx(wanted["lower"][2], rel=1e-12)
    assert found.interval.upper == pytest.approx(wanted["upper"][2], rel=1e-12)
    assert (found.point, found.limit) == pytest.approx((wanted["point"][3], wanted["lower"][3]), rel=1e-12)


@pytest.fixture(scope="module")
def robust(lalonde):
    blocks = {name: lalonde[[name]].to_numpy(float) for name in ("age", "educ", "married", "nodegree", "re74", "re75")}
    race = lalonde["race"].to_numpy()
    blocks["race"] = np.column_stack([race == "hispan", race == "white"]).astype(float)
    rows = RegressionRows(lalonde["re78"].to_numpy(float), lalonde["treat"].to_numpy(float), blocks, np.ones(len(race)))
    return robustness_value(rows, ("re74", "re75", "educ"))


def test_robustness_values(robust, others):
    wanted = pd.read_csv(others / "sensemakr_stats.csv").iloc[0]
    assert robust.df == wanted["dof"]
    assert [
        robust.estimate,
        robust.std_error,
        robust.partial_r2,
        robust.value,
        robust.value_significance,
    ] == pytest.approx([wanted["estimate"], wanted["se"], wanted["r2yd.x"], wanted["rv_q"], wanted["rv_qa"]], rel=1e-10)


def test_benchmarks(robust, others):
    wanted = pd.read_csv(others / "sensemakr_bounds.csv")
    assert [f"{one.times:g}x {one.covariate}" for one in robust.benchmarks] == wanted["bound_label"].tolist()
    for one, (_, row) in zip(robust.benchmarks, wanted.iterrows(), strict=True):
        assert [one.treated_r2, one.outcome_r2, one.estimate, one.std_error, one.t] == pytest.approx(
            [row["r2dz.x"], row["r2yz.dx"], row["adjusted_estimate"], row["adjusted_se"], row["adjusted_t"]], rel=1e-10
        )
        # sensemakr's limits use the degrees of freedom of the regression without the hidden variable, one too many
        reach = t.ppf(0.975, robust.df) * one.std_error
        assert one.estimate - reach == pytest.approx(row["adjusted_lower_CI"], rel=1e-9)
        assert one.estimate + reach == pytest.approx(row["adjusted_upper_CI"], rel=1e-9)
        assert one.interval.upper - one.estimate == pytest.approx(reach, rel=1e-5)
