"""`evalkit did` on the county data of R's did: the values of R did 2.5.1, through the command and its file.

Reference values: ../shared/golden/did (golden_mpdta_attgt_R_did251.csv, golden_mpdta_aggte_R_did251.csv,
golden_mpdta_variants_R_did251.csv and its README).
"""

import math

import pandas as pd
import pytest

from tests.did_command import did

COLUMNS = ("--unit", "countyreal", "--period", "year", "--outcome", "lemp", "--cohort", "first.treat")
COMPARISONS = {"nevertreated": "never", "notyettreated": "not-yet"}
CLOSE = 1e-6


@pytest.fixture(scope="module")
def folder(golden):
    return golden / "did"


@pytest.fixture(scope="module")
def counties(folder):
    return table_of(folder, "mpdta.csv")


def table_of(folder, name):
    """Return a table with the cohort 0, which stands for never treated, left empty."""
    table = pd.read_csv(folder / name)
    return table.assign(**{"first.treat": table["first.treat"].astype("Int64").replace(0, pd.NA)})


def reference(folder, name):
    return pd.read_csv(folder / name, skipinitialspace=True)


def near(value):
    return pytest.approx(value, rel=CLOSE, abs=1e-12)


def check_cells(found, wanted):
    cells = {(cell["cohort"], cell["period"]): cell for cell in found["group_time"]}
    assert len(wanted) > 0
    for row in wanted.itertuples():
        cell = cells[row.group, row.t]
        assert cell["estimate"] == near(row.att)
        if row.att == 0:  # the base period itself
            assert "unavailable" in cell["std_error"]
        else:
            assert cell["plain_std_error"] == near(row.se)


PLACES = {
    "dynamic": ("event_study", "times", "event_time"),
    "group": ("by_cohort", "cohorts", "cohort"),
    "calendar": ("calendar", "periods", "period"),
}


def check_summaries(found, wanted):
    assert len(wanted) > 10
    for row in wanted.itertuples():
        if row.type == "simple":
            one = found["simple"]
        else:
            name, plural, singular = PLACES[row.type]
            parts = {str(part[singular]): part for part in found[name][plural]}
            one = (parts | {"overall": found[name]["overall"]})[str(row.e)]
        assert one["estimate"] == near(row.att)
        if not math.isnan(row.se) and row.att != 0:
            assert one["plain_std_error"] == near(row.se)


@pytest.mark.parametrize("base_period", ["varying", "universal"])
@pytest.mark.parametrize("covariates", ["~1", "~lpop"])
@pytest.mark.parametrize("comparison", list(COMPARISONS))
@pytest.mark.parametrize("method", ["dr", "ipw", "reg"])
def test_every_method_comparison_and_base(counties, folder, tmp_path, method, comparison, covariates, base_period):
    options = ["--method", method, "--comparison", COMPARISONS[comparison], "--base-period", base_period]
    options += ["--covariates", "lpop"] if covariates == "~lpop" else []
    found = did(counties, tmp_path, *options, columns=COLUMNS).record
    keys = f"est == '{method}' and cg == '{comparison}' and xf == '{covariates}' and bp == '{base_period}'"
    check_cells(found, reference(folder, "golden_mpdta_attgt_R_did251.csv").query(keys))
    check_summaries(found, reference(folder, "golden_mpdta_aggte_R_did251.csv").query(keys))


def test_the_defaults_are_doubly_robust_never_treated_and_varying(counties, tmp_path):
    found = did(counties, tmp_path, columns=COLUMNS).record
    assert found["simple"]["estimate"] == near(-0.039951275155177)
    assert found["simple"]["std_error"] == near(0.0120340127702)
    assert (found["n_units"], found["n_treated"], found["n_comparison"]) == (500, 191, 309)
    assert found["pre_test"]["statistic"] == near(7.79123662720)
    assert found["pre_test"]["p_value"] == pytest.approx(0.16812, abs=5e-6)


@pytest.mark.parametrize(
    ("spec", "file", "options"),
    [
        ("repeated_cs", "mpdta.csv", ["--repeated-cross-sections"]),
        ("unbalanced_allow", "mpdta_unbalanced.csv", ["--unbalanced", "levels"]),
        ("unbalanced_dropped", "mpdta_unbalanced.csv", ["--unbalanced", "complete"]),
        ("anticipation1", "mpdta.csv", ["--anticipation", "1"]),
    ],
)
def test_variants(folder, tmp_path, spec, file, options):
    found = did(table_of(folder, file), tmp_path, *options, columns=COLUMNS).record
    check_cells(found, reference(folder, "golden_mpdta_variants_R_did251.csv").query(f"spec == '{spec}'"))


def test_units_without_every_period_are_told(folder, tmp_path):
    found = did(table_of(folder, "mpdta_unbalanced.csv"), tmp_path, "--unbalanced", "complete", columns=COLUMNS).record
    assert found["n_units"] == 406  # of 500, as in R with allow_unbalanced_panel = FALSE
    assert found["simple"]["estimate"] == pytest.approx(-0.0522248, abs=5e-8)
    [lost] = found["dropped"]
    assert (lost["n_units"], len(lost["units"])) == (94, 94)


def test_weights(counties, folder, tmp_path):
    weights = pd.read_csv(folder / "mpdta_weights.csv")
    table = counties.merge(weights, on=["year", "countyreal"])
    found = did(table, tmp_path, "--weights", "w", "--covariates", "lpop", columns=COLUMNS).record
    check_cells(found, reference(folder, "golden_mpdta_variants_R_did251.csv").query("spec == 'weights_lpop'"))


@pytest.mark.parametrize(
    ("estimator", "estimate", "std_error"),
    [
        # golden_scalars.csv: fixest 0.14.2, didimputation 0.5.0, did2s 1.2.1
        ("twfe", -3.65489366741e-02, 0.0132651554293),
        ("sun-abraham", -3.99512751552e-02, 0.0117962774418),
        ("two-stage", -4.77099151095e-02, 0.0134784088237),
        ("imputation", -4.77099151095e-02, 0.0132224886500),
    ],
)
def test_other_estimators(counties, tmp_path, estimator, estimate, std_error):
    simple = did(counties, tmp_path, "--estimator", estimator, columns=COLUMNS).record["simple"]
    assert simple["estimate"] == near(estimate)
    assert simple["std_error"] == near(std_error)


def test_all_of_them_side_by_side(counties, tmp_path):
    rows = did(counties, tmp_path, "--estimator", "all", columns=COLUMNS).record["side_by_side"]
    found = {row["estimator"]: row["estimate"] for row in rows}
    assert found["group-time"] == near(-0.039951275155177)
    assert found["twfe"] == near(-3.65489366741e-02)
    assert found["extended"] == near(found["imputation"])
