"""Lee bounds, Rubin's rules and the tipping point against R: own code, mice, mitools."""

import numpy as np
import pandas as pd
import pytest

from evalkit.estimate.missing.lee_arrays import lee_bounds
from evalkit.estimate.missing.pooled_arrays import ShiftedEstimates, pooled

DIGITS = 2e-11
"""Values are written with 12 significant digits, and bounds are differences of numbers near 60."""
POOLED = 1e-9
"""Least squares of another program (QR against normal equations), of coefficients up to 40 with 12 digits written."""


@pytest.fixture(scope="module")
def outcomes(golden):
    return pd.read_csv(golden / "kinds" / "05_lee_bounds" / "outcomes.csv")


@pytest.fixture(scope="module")
def lee(golden):
    return pd.read_csv(golden / "kinds" / "05_lee_bounds" / "expected.csv").set_index(["case", "quantity"])["value"]


def bounds_of(rows):
    arms = [rows.loc[rows["treated"] == arm, "score"].to_numpy(dtype=float)[None, :] for arm in (1, 0)]
    return lee_bounds(arms[0], np.ones_like(arms[0]), arms[1], np.ones_like(arms[1]))


@pytest.mark.parametrize("case", ["A", "B", "ties"])
def test_lee_bounds_cut_a_part_of_the_marginal_unit(outcomes, lee, case):
    found, expected = bounds_of(outcomes[outcomes["design"] == case]), lee[case]
    assert found.lower[0] == pytest.approx(expected["lower_bound_fraction"], abs=DIGITS)
    assert found.upper[0] == pytest.approx(expected["upper_bound_fraction"], abs=DIGITS)
    assert found.trimmed_share[0] == pytest.approx(expected["trimmed_share"], abs=DIGITS)
    assert found.observed_treated[0] == pytest.approx(expected["response_treated"], abs=DIGITS)
    assert found.observed_comparison[0] == pytest.approx(expected["response_comparison"], abs=DIGITS)
    assert found.is_comparison_trimmed[0] == bool(expected["trimmed_arm_is_comparison"])


@pytest.mark.parametrize("case", ["A", "B", "ties"])
def test_lee_bounds_within_bands(outcomes, lee, case):
    rows = outcomes[outcomes["design"] == case]
    for band in (1, 2, 3):
        found = bounds_of(rows[rows["band"] == band])
        assert found.lower[0] == pytest.approx(lee[case, f"band{band}_lower_fraction"], abs=DIGITS)
        assert found.upper[0] == pytest.approx(lee[case, f"band{band}_upper_fraction"], abs=DIGITS)
        assert found.trimmed_share[0] == pytest.approx(lee[case, f"band{band}_trimmed_share"], abs=DIGITS)


TERMS = ("(Intercept)", "treated", "prior", "fsm")


@pytest.fixture(scope="module")
def imputation(golden):
    folder = golden / "kinds" / "06_multiple_imputation"
    observed, completed = pd.read_csv(folder / "observed.csv"), pd.read_csv(folder / "imputations.csv")
    sets = [
        observed.drop(columns=["prior", "score"]).merge(completed[completed["imputation"] == m], on="pupil")
        for m in sorted(completed["imputation"].unique())
    ]
    expected = pd.read_csv(folder / "expected.csv").set_index(["case", "quantity"])["value"]
    return observed, sets, expected, pd.read_csv(folder / "expected_tipping_point_grid.csv")


def fitted(rows, score, cluster=None):
    """Coefficients and variances by least squares: of errors all alike, or clustered as Stata corrects them."""
    x = np.column_stack([np.ones(len(rows)), rows["treated"], rows["prior"], rows["fsm"]])
    coefficients = np.linalg.solve(x.T @ x, x.T @ score)
    residuals, inverse, n = score - x @ coefficients, np.linalg.inv(x.T @ x), len(rows)
    if cluster is None:
        return coefficients, np.diag(inverse) * (residuals @ residuals) / (n - 4)
    sums = pd.DataFrame(x * residuals[:, None]).groupby(cluster.to_numpy()).sum().to_numpy()
    g = len(sums)
    return coefficients, np.diag(inverse @ sums.T @ sums @ inverse) * g / (g - 1) * (n - 1) / (n - 4)


@pytest.mark.parametrize(("case", "is_clustered", "df"), [
    ("ols", False, 216), ("cluster_CR1_stata", True, 21), ("infinite_complete_df", False, np.inf),
])  # fmt: skip
def test_pooled_estimates_have_the_freedom_of_barnard_and_rubin(imputation, case, is_clustered, df):
    _, sets, expected, _ = imputation
    fits = [fitted(one, one["score"].to_numpy(), one["school"] if is_clustered else None) for one in sets]
    for at, term in enumerate(TERMS):
        found = pooled(np.array([f[0][at] for f in fits]), np.array([f[1][at] for f in fits]), df)
        wanted = expected[f"{case}/{term}"]
        named = {"estimate": found.estimate, "within": found.within, "between": found.between, "se": found.std_error,
                 "lambda": found.missing_share, "df_barnard_rubin": found.df, "p": found.p_value,
                 "low": found.estimate - found.half_length(0.95), "high": found.estimate + found.half_length(0.95),
                 }  # fmt: skip
        for name, value in named.items():
            assert value == pytest.approx(wanted[name], rel=POOLED, abs=POOLED), (case, term, name)


@pytest.fixture(scope="module")
def shifted(imputation):
    observed, sets, _, _ = imputation
    missing = observed["score"].isna().to_numpy() & (observed["treated"] == 1).to_numpy()
    found = np.array([[[c[1], v[1]] for c, v in (fitted(one, one["score"].to_numpy() + step * missing)
                       for step in (-1.0, 0.0, 1.0))] for one in sets])  # fmt: skip
    return ShiftedEstimates(estimates=found[:, :, 0], variances=found[:, :, 1], step=1.0, complete_df=216)


def test_three_shifts_say_what_every_shift_gives(imputation, shifted):
    grid = imputation[3]
    for row in grid[grid["delta_comparison"] == 0].itertuples():
        found = shifted.at(row.delta_treated)
        wanted = (row.estimate, row.se, row.df, row.p)
        assert (found.estimate, found.std_error, found.df, found.p_value) == pytest.approx(wanted, rel=1e-8)


def test_the_tipping_point_is_where_p_is_five_per_cent(imputation, shifted):
    expected = imputation[2]["tipping_point"]
    assert shifted.at(0.0).p_value == pytest.approx(expected["p_at_zero"], rel=1e-8)
    # the reference is a root found to 1e-10, of p-values from a table of 12 digits
    assert shifted.tipping_point(0.95) == pytest.approx(expected["delta_treated_where_p_is_0.05"], abs=1e-7)
    at_zero = -shifted.at(0.0).estimate / shifted.slope
    assert at_zero == pytest.approx(expected["delta_treated_where_estimate_is_0"], abs=1e-7)
