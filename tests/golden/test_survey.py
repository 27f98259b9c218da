"""Reliability, agreement and the means of survey waves against R (psych, survey) and formulas by hand."""

import numpy as np
import pandas as pd
import pytest

from evalkit.estimate.survey.change_arrays import Wave, change_between, wave_mean
from evalkit.estimate.survey.reliability_arrays import (
    feldt_interval,
    one_way_icc,
    rater_iccs,
    reliability,
    weighted_kappa,
)

CLOSE = 1e-11
"""Twelve significant digits are given."""


@pytest.fixture(scope="module")
def folder(golden):
    return golden / "kinds" / "08_reliability"


@pytest.fixture(scope="module")
def expected(folder):
    return pd.read_csv(folder / "expected.csv").set_index(["case", "quantity"])["value"]


@pytest.fixture(scope="module")
def scale(folder):
    items = pd.read_csv(folder / "items.csv").drop(columns="person")
    items["q6"] = 6 - items["q6"]
    return reliability(items.to_numpy(float))


def test_alpha_its_interval_and_its_items(scale, expected):
    alpha = expected["alpha"]
    assert scale.alpha == pytest.approx(alpha["alpha_raw"], abs=CLOSE)
    for level in (0.95, 0.9):
        interval = feldt_interval(scale.alpha, 240, 8, level)
        ends = (alpha[f"feldt_low_{level:g}"], alpha[f"feldt_high_{level:g}"])
        assert (interval.lower, interval.upper) == pytest.approx(ends, abs=CLOSE)
    numbers = range(1, 9)
    assert scale.item_rest == pytest.approx([alpha[f"item_rest_correlation_q{i}"] for i in numbers], abs=CLOSE)
    assert scale.alpha_without == pytest.approx([alpha[f"alpha_without_q{i}"] for i in numbers], abs=CLOSE)


def test_omega_is_that_of_maximum_likelihood_on_the_covariance(scale, expected):
    # the two optimisers of the reference are 2.6e-7 apart, and this one lies between them
    low, high = sorted(
        expected["omega"][["omega_total_ml_covariance", "omega_total_ml_covariance_own_optimum"]].tolist()
    )
    assert low - 1e-9 < scale.omega < high + 1e-9


def test_intraclass_correlations_of_raters(folder, expected):
    ratings = pd.read_csv(folder / "ratings.csv").drop(columns="target").to_numpy(float)
    found, alone = rater_iccs(ratings), one_way_icc(ratings.ravel(), np.repeat(np.arange(40), 4))
    for name, value, interval in (
        ("ICC(1,1)", alone.icc, alone.interval),
        ("ICC(2,1)", found.agreement, found.agreement_interval),
        ("ICC(3,1)", found.consistency, found.consistency_interval),
    ):
        numbers = (value, interval.lower, interval.upper)
        there = [expected["icc"][f"{name}{part}"] for part in ("", "_low", "_high")]
        assert numbers == pytest.approx(there, abs=CLOSE)


@pytest.mark.parametrize("weights", ["unweighted", "linear", "quadratic"])
def test_kappa_with_the_error_of_fleiss_cohen_and_everitt(folder, expected, weights):
    raters = pd.read_csv(folder / "two_raters.csv")
    found = weighted_kappa(raters["rater1"].to_numpy() - 1, raters["rater2"].to_numpy() - 1, 4, weights)
    there = expected[f"kappa_{weights}"]
    numbers = (found.kappa, found.std_error, found.agreement, found.by_chance)
    names = ["kappa", "se_fleiss_cohen_everitt", "agreement", "agreement_by_chance"]
    assert numbers == pytest.approx(there[names].tolist(), abs=CLOSE)
    assert (found.interval.lower, found.interval.upper) == pytest.approx(there[["low", "high"]].tolist(), abs=CLOSE)


@pytest.mark.parametrize("outcome", ["score", "agree"])
def test_means_of_waves_with_schools_as_clusters(folder, expected, outcome):
    rows = pd.read_csv(folder / "two_waves.csv")
    values = rows["score"] if outcome == "score" else (rows["score"] >= 3.5).astype(float)
    there = expected[f"waves/clusters_only/{outcome}"]
    school = pd.factorize(rows["school"])[0]
    for number in (1, 2):
        of = (rows["wave"] == number).to_numpy()
        found = wave_mean(Wave(values.to_numpy()[of], school[of]), rows["weight"].to_numpy()[of])
        numbers = (found.mean, found.std_error, found.design_effect)
        names = [f"mean_wave{number}", f"se_wave{number}", f"deff_wave{number}_replacement"]
        assert numbers == pytest.approx(there[names].tolist(), abs=CLOSE)


def test_change_of_respondents_by_schools_against_a_linearisation_in_pandas(folder):
    # the reference's change is weighted; without weights the linearisation is done anew here, by another way
    rows = pd.read_csv(folder / "two_waves.csv")
    school = pd.factorize(rows["school"])[0]
    first, second = (Wave(rows["score"].to_numpy()[of], school[of]) for of in (rows["wave"] == 1, rows["wave"] == 2))
    found = change_between(first, second)
    means = rows.groupby("wave")["score"].transform("mean")
    sizes = rows.groupby("wave")["score"].transform("size")
    z = ((rows["score"] - means) / sizes * np.where(rows["wave"] == 2, 1, -1)).groupby(rows["school"]).sum()
    assert found.by_respondents.value == pytest.approx(rows.groupby("wave")["score"].mean().diff().iloc[-1], abs=1e-12)
    assert found.by_respondents.std_error == pytest.approx((24 / 23 * ((z - z.mean()) ** 2).sum()) ** 0.5, abs=1e-12)
    d = rows.pivot_table(index="school", columns="wave", values="score").diff(axis=1)[2]
    assert (found.estimate, found.std_error) == pytest.approx((d.mean(), d.sem()), abs=1e-12)
