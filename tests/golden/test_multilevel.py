"""Two-level models against lme4 1.1-31 and statsmodels' MixedLM."""

import numpy as np
import pandas as pd
import pytest

from evalkit.estimate.pupils.multilevel import CONSTANT, two_level_model
from evalkit.estimate.pupils.two_level import PupilColumns, TwoLevelOptions

# lme4's optimiser stops at about 1e-8 of λ; its ML variances are 2e-7 from the maximum (its log-likelihood agrees to
# 1e-14), so that variances and ML errors are compared less tightly than effects.
TERMS = {"(Intercept)": CONSTANT, "treat": "treat", "pre": "pre", "fsm": "fsm", "female": "female"}
COLUMNS = PupilColumns(outcome="post", school="school", treated="treat", covariates=("pre", "fsm", "female"))


@pytest.fixture(scope="module")
def pupils(golden):
    return pd.read_csv(golden / "matching" / "data" / "cluster_trial.csv")


@pytest.fixture(scope="module")
def lme4(golden):
    return pd.read_csv(golden / "matching" / "cluster" / "lme4.csv").set_index(["model", "term"])


@pytest.mark.parametrize("likelihood", ["REML", "ML"])
def test_the_model_is_that_of_lme4(pupils, lme4, likelihood):
    found = two_level_model(pupils, COLUMNS, TwoLevelOptions(likelihood=likelihood))
    theirs = lme4.loc[f"lmer_{likelihood}"]
    for term, name in TERMS.items():
        ours = found.coefficient(name)
        assert ours.value == pytest.approx(theirs.loc[term, "estimate"], rel=1e-7)
        assert ours.std_error == pytest.approx(theirs.loc[term, "se"], rel=5e-7)
    assert found.conditional.between == pytest.approx(theirs.loc["var_school", "estimate"], rel=5e-7)
    assert found.conditional.within == pytest.approx(theirs.loc["var_resid", "estimate"], rel=1e-7)
    assert found.conditional.icc == pytest.approx(theirs.loc["ICC", "estimate"], rel=5e-7)
    assert found.log_likelihood == pytest.approx(theirs.loc["logLik", "estimate"], rel=1e-13)
    assert found.log_likelihood >= theirs.loc["logLik", "estimate"] - 1e-11  # never a worse maximum


def test_the_empty_model_is_that_of_lme4(pupils, lme4):
    theirs = lme4.loc["lmer_REML_null", "estimate"]
    found = two_level_model(pupils, PupilColumns(outcome="post", school="school"))
    constant = found.coefficient(CONSTANT)
    assert constant.value == pytest.approx(theirs["(Intercept)"], rel=1e-7)
    assert constant.std_error == pytest.approx(lme4.loc[("lmer_REML_null", "(Intercept)"), "se"], rel=1e-7)
    for parts in (found.unconditional, two_level_model(pupils, COLUMNS).unconditional):
        assert parts.between == pytest.approx(theirs["var_school"], rel=1e-7)
        assert parts.within == pytest.approx(theirs["var_resid"], rel=1e-7)
        assert parts.icc == pytest.approx(theirs["ICC"], rel=1e-7)


@pytest.mark.parametrize("likelihood", ["REML", "ML"])
def test_statsmodels_finds_the_same_ratio(pupils, likelihood):
    own = two_level_model(pupils, COLUMNS, TwoLevelOptions(likelihood=likelihood))
    theirs = two_level_model(pupils, COLUMNS, TwoLevelOptions(likelihood=likelihood, engine="statsmodels"))
    assert theirs.engine == "statsmodels"
    assert theirs.conditional.icc == pytest.approx(own.conditional.icc, rel=1e-6)
    for name in TERMS.values():
        assert theirs.coefficient(name).value == pytest.approx(own.coefficient(name).value, rel=1e-7)
        assert theirs.coefficient(name).std_error == pytest.approx(own.coefficient(name).std_error, rel=1e-6)


def test_statsmodels_own_errors_differ_where_a_covariate_differs_between_schools(pupils):
    from statsmodels.regression.mixed_linear_model import MixedLM

    design = np.column_stack([np.ones(len(pupils)), pupils[["treat", "pre", "fsm", "female"]].to_numpy(float)])
    theirs = MixedLM(pupils["post"].to_numpy(), design, pupils["school"].to_numpy()).fit(method="bfgs", gtol=1e-7)
    own = two_level_model(pupils, COLUMNS)
    errors = np.array([own.coefficient(name).std_error for name in TERMS.values()])
    # effects and variances agree; errors from the observed Hessian are up to 0.14% off those of lme4 (fsm), else 1e-4
    assert theirs.fe_params == pytest.approx([own.coefficient(name).value for name in TERMS.values()], rel=1e-6)
    assert theirs.cov_re[0, 0] == pytest.approx(own.conditional.between, rel=1e-4)
    assert theirs.scale == pytest.approx(own.conditional.within, rel=1e-4)
    assert np.delete(theirs.bse_fe, 3) == pytest.approx(np.delete(errors, 3), rel=1e-4)
    assert theirs.bse_fe[3] == pytest.approx(errors[3], rel=2e-3)
