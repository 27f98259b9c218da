"""Propensity scores: a case by hand, both links against their equations, and sentences for what has no score."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit, ndtr, ndtri

from evalkit.core.errors import DesignError, EvalkitError
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching import scores_arrays as binary_fit
from evalkit.design.matching.scores import propensity_score
from evalkit.design.matching.scores_arrays import fit_binary

# x = 1: two of three treated; x = 0: one of four
TREATED = [1, 1, 0, 1, 0, 0, 0]
X = [1, 1, 1, 0, 0, 0, 0]
SHARES = np.array([2 / 3] * 3 + [1 / 4] * 4)


def baseline(treated, **covariates) -> Baseline:
    frame = pd.DataFrame({"treated": treated, **covariates})
    return Baseline.from_frame(frame, BaselineRoles(treated="treated", covariates=tuple(covariates)))


@pytest.mark.parametrize("x", [X, ["yes" if one else "no" for one in X], [1e6 * one + 3 for one in X]])
@pytest.mark.parametrize(
    ("distance", "expected"), [("logit", SHARES), ("linear-logit", logit(SHARES)), ("probit", SHARES)]
)
def test_of_one_binary_covariate_the_score_is_the_share_treated(x, distance, expected):
    """A model with as many coefficients as cells fits the shares of the cells, whatever its link and its scale."""
    assert propensity_score(baseline(TREATED, x=x), distance) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("link", "inverse"), [("logit", expit), ("probit", ndtr)])
def test_the_fit_solves_its_equations(link, inverse):
    """At the maximum Σ x (t − p) f(η) / (p (1 − p)) = 0; for the logit f = p (1 − p).

    The iteration ends by the usual rule, at changes of the deviance, and not at the last digit.
    """
    random = np.random.default_rng(3)
    x = np.column_stack([np.ones(400), random.normal(size=(400, 3))])
    treated = random.random(400) < inverse(x @ [-0.5, 0.8, -1.0, 0.3])
    fit = fit_binary(x, treated, link)
    share = inverse(fit.predictor)
    slope = share * (1 - share) if link == "logit" else np.exp(-0.5 * fit.predictor**2) / np.sqrt(2 * np.pi)
    assert fit.failure == ""
    parts = x * ((treated - share) * slope / (share * (1 - share)))[:, None]
    assert np.abs(parts.sum(axis=0)).max() < 1e-5 * np.abs(parts).sum(axis=0).min()


def test_the_probit_of_a_binary_covariate_has_quantiles_as_coefficients():
    x = np.column_stack([np.ones(7), X])
    fit = fit_binary(x, np.array(TREATED, dtype=bool), "probit")
    assert fit.coefficients == pytest.approx([ndtri(1 / 4), ndtri(2 / 3) - ndtri(1 / 4)], abs=1e-9)


def test_a_start_from_a_part_of_many_units_ends_at_the_same_scores(monkeypatch):
    random = np.random.default_rng(4)
    x = np.column_stack([np.ones(4000), random.normal(size=(4000, 2))])
    treated = random.random(4000) < expit(x @ [0.0, 1.0, 0.5])
    plain = fit_binary(x, treated, "logit")
    monkeypatch.setattr(binary_fit, "_MANY", 1000)
    assert fit_binary(x, treated, "logit").predictor == pytest.approx(plain.predictor, abs=1e-6)
    monkeypatch.setattr(binary_fit, "_MANY", 10)  # every sixteenth of 20 is 2 rows, which give no start
    assert fit_binary(x[:20], treated[:20], "logit").failure == ""


def test_an_own_score_is_taken_as_it_is():
    frame = pd.DataFrame({"treated": [1, 0, 0], "x": [1.0, 2.0, 4.0], "merit": [0.5, 7.0, -2.0], "town": list("abc")})
    roles = BaselineRoles(treated="treated", covariates=("x",), labels=("merit", "town"))
    data = Baseline.from_frame(frame, roles)
    assert propensity_score(data, "own", "merit").tolist() == [0.5, 7.0, -2.0]
    with pytest.raises(DesignError, match="Set own_score"):
        propensity_score(data, "own")
    with pytest.raises(DesignError, match="'town' is to be the score but holds texts"):
        propensity_score(data, "own", "town")
    with pytest.raises(DesignError, match="no column 'merits'"):
        propensity_score(data, "own", "merits")


def test_an_own_score_is_known_for_everyone():
    frame = pd.DataFrame({"treated": [1, 0, 0], "x": [1.0, 2.0, 4.0], "merit": [0.5, np.inf, -2.0]})
    data = Baseline.from_frame(frame, BaselineRoles(treated="treated", covariates=("x",), labels=("merit",)))
    with pytest.raises(DesignError, match="The score 'merit' of unit '2' is missing or infinite"):
        propensity_score(data, "own", "merit")


def test_a_distance_over_covariates_is_no_score():
    with pytest.raises(EvalkitError, match="'mahalanobis' is not a score"):
        propensity_score(baseline(TREATED, x=X), "mahalanobis")


@pytest.mark.parametrize(("treated", "arm"), [([0, 0, 0], "treated"), ([1, 1, 1], "comparison")])
def test_an_empty_arm(treated, arm):
    with pytest.raises(DesignError, match=f"No {arm} unit is in the data"):
        propensity_score(baseline(treated, x=[1, 2, 4]), "logit")


def test_a_covariate_that_does_not_vary():
    with pytest.raises(DesignError, match="The covariate 'z' has the same value for every unit"):
        propensity_score(baseline(TREATED, x=X, z=[0.1] * 7), "logit")


def test_covariates_that_determine_one_another_are_named():
    y = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0]
    twice = [2 * a - b for a, b in zip(X, y, strict=True)]
    with pytest.raises(DesignError, match=r"'z' is determined by 'x', 'y'|'z' is determined by 'x' and 'y'"):
        propensity_score(baseline(TREATED, x=X, y=y, z=twice), "logit")


@pytest.mark.parametrize("distance", ["logit", "probit"])
@pytest.mark.parametrize("x", [[9, 8, 2, 7, 3, 1, 2], [1, 1, 2, 1, 3, 4, 2], [1, 1, 0, 1, 0, 0, 0]])
def test_a_covariate_that_separates_the_arms_is_named(distance, x):
    with pytest.raises(DesignError, match="The covariate 'x' separates the treated from comparison units perfectly"):
        propensity_score(baseline(TREATED, y=[3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0], x=x), distance)


def test_a_rare_category_of_treated_units_alone_separates():
    place = ["north", "south", "south", "north", "south", "south", "south"]
    with pytest.raises(DesignError, match="'place_south' separates"):
        propensity_score(baseline([1, 1, 0, 1, 0, 0, 0], place=place), "logit")


def test_covariates_that_separate_together_are_named():
    """Treated have x + y = 10 or 11, comparison units 8 or 9; neither x nor y alone tells them apart."""
    with pytest.raises(DesignError, match=r"covariates 'x', 'y' separate|covariates 'x' and 'y' separate"):
        propensity_score(
            baseline([1, 1, 1, 1, 0, 0, 0, 0], x=[1, 9, 4, 6, 1, 8, 5, 3], y=[9, 1, 7, 5, 8, 1, 3, 6]), "logit"
        )
