"""Bounds on violations of parallel trends against HonestDiD 0.2.6 and 0.2.8, and an own convex programme.

Conditional sets rest on no draws and are held to what the references' grids resolve. Sets by the hybrid test rest on a
99.5% quantile, from 1,000 draws there and by importance sampling here: on `ehec` they are held to 5e-4, and with that
program's own draws, which `r_normals` makes, to the step of its grid.
"""

import numpy as np
import pandas as pd
import pytest

import evalkit
from evalkit.estimate.bounds.conditional_arrays import first_stage, moments_of, outermost
from evalkit.estimate.bounds.rays_arrays import extreme_rays
from evalkit.estimate.bounds.restrictions_arrays import relative_systems, shape_rows, smooth_systems
from tests.golden.r_normals import r_normals

STUDIES = ("A", "B", "C")
RESOLVED = 3.2e-4  # standard errors: what the references' refined grids leave open
DRAWN = 0.15  # standard errors: by how much two programs' draws may part
EHEC_TIMES = (-6, -5, -4, -3, -2, 0, 1)
GRID = 40 / 999  # standard errors: the step of HonestDiD's grid, 1,000 points over 20 on either side
SHAPES = {
    "bias_positive": {"sign": "+"}, "bias_negative": {"sign": "-"},
    "increasing": {"monotone": "up"}, "decreasing": {"monotone": "down"},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(golden):
    return golden / "kinds" / "12_parallel_trends_bounds"


@pytest.fixture(scope="module")
def ehec(golden):
    """Estimates, their covariance, and the reference's intervals."""
    did = golden / "did"
    estimates = pd.read_csv(did / "golden_ehec_twfe_event.csv")["Estimate"].to_numpy()
    covariance = pd.read_csv(did / "golden_ehec_sigma.csv", index_col=0).to_numpy()
    return estimates, covariance, pd.read_csv(did / "golden_honestdid_ehec.csv").set_index(["Delta", "M"])


def study_of(folder, name):
    table = pd.read_csv(folder / f"event_study_{name}.csv")
    return table["event_time"].tolist(), table["beta"].to_numpy(), table.filter(regex="^v").to_numpy()


def weights_of(target, q):
    return np.eye(q)[0] if target == "first" else np.ones(q) / q


def average_of(target, times):
    return [0] if target == "first" else [time for time in times if time >= 0]


def shape_of(restriction):
    return next((kind for words, kind in SHAPES.items() if restriction.endswith(words)), {})


def expected(folder, name, kind):
    """The reference's rows that the kit has a verb for, one kind of set alone."""
    table = pd.read_csv(folder / f"expected_bounds_{name}.csv")
    is_other = table["restriction"].str.startswith("smoothness_relative") | (table["M"] == "breakdown")
    return table[~is_other & (table["set"] == kind)].reset_index(drop=True)


def conditional_ends(study, row):
    """Return the ends of the conditional set within ten standard errors, as the reference looked for them."""
    times, beta, covariance = study
    p = sum(time < 0 for time in times)
    weights = weights_of(row.target, len(times) - p)
    shape = shape_of(row.restriction)
    rows = shape_rows(p, len(times) - p, shape.get("sign"), shape.get("monotone"))
    systems = relative_systems if row.restriction.startswith("relative") else smooth_systems
    moments = moments_of(systems(np.array([float(row.M)]), p, len(times) - p, rows), covariance, weights)
    centre, error = weights @ beta[p:], np.sqrt(weights @ covariance[p:, p:] @ weights)
    n = len(moments.limits)
    ends = np.full(n, centre - 10 * error), np.full(n, centre + 10 * error)
    low, high = outermost(moments, beta, ends, np.full(n, np.inf), 0.05)
    return low.min(), high.max(), centre, error


@pytest.mark.parametrize("name", STUDIES)
def test_conditional_sets_are_those_of_honestdid(folder, name):
    study = study_of(folder, name)
    table = expected(folder, name, "conditional")
    assert len(table) > 25
    n_compared = 0
    for row in table.itertuples():
        low, high, centre, error = conditional_ends(study, row)
        for found, told, edge in ((low, row.low, centre - 10 * error), (high, row.high, centre + 10 * error)):
            if pd.isna(told):  # the reference failed there: a matrix was singular
                continue
            if told in ("below_grid", "above_grid"):
                assert found == pytest.approx(edge)
                continue
            assert abs(found - float(told)) <= RESOLVED * error, row
            n_compared += 1
    assert n_compared > 2 * len(table) - 8


@pytest.mark.parametrize("name", STUDIES)
def test_hybrid_sets_part_from_honestdid_by_no_more_than_its_draws(folder, name):
    times, beta, covariance = study_of(folder, name)
    table = expected(folder, name, "conditional_least_favourable")
    rows = table[table["restriction"] == "relative_magnitudes"]
    found = evalkit.violation_bounds(
        beta, covariance, event_times=times, relative=rows["M"].astype(float).tolist(), smoothness=[]
    )
    for one, row in zip(found.relative, rows.itertuples(), strict=True):
        assert abs(one.interval.lower - float(row.low)) < DRAWN * found.std_error
        assert abs(one.interval.upper - float(row.high)) < DRAWN * found.std_error
    told = pd.read_csv(folder / f"expected_bounds_{name}.csv").query("M == 'breakdown' and target == 'first'")
    told = told.set_index(["restriction", "set"])["low"]
    assert found.breakdown_relative == pytest.approx(
        float(told["relative_magnitudes", "conditional_least_favourable"]), abs=0.02
    )


@pytest.mark.parametrize("name", STUDIES)
def test_hybrid_sets_with_a_shape_part_from_statspai_by_no_more_than_its_draws(folder, name):
    """In study C ends lie where the first stage ends them: five seeds of StatsPAI put one of them at 0.37 to 0.44."""
    times, beta, covariance = study_of(folder, name)
    table = pd.read_csv(folder / f"cross_check_bounds_{name}.csv")
    table = table[(table["set"] == "conditional_least_favourable") & table["restriction"].str.contains("bias|creasing")]
    table = table[~table["restriction"].str.startswith("smoothness_relative")]
    assert len(table) >= 10
    for row in table.itertuples():
        key = "relative" if row.restriction.startswith("relative") else "smoothness"
        sizes = {"relative": [], "smoothness": [], key: [row.M]}
        found = evalkit.violation_bounds(
            beta, covariance, event_times=times, average=average_of(row.target, times), **sizes,
            **shape_of(row.restriction),
        )  # fmt: skip
        (one,) = getattr(found, key)
        assert one.method == "hybrid"
        tolerance = (0.35 if name == "C" else DRAWN) * found.std_error
        for end, told in ((one.interval.lower, row.low_StatsPAI), (one.interval.upper, row.high_StatsPAI)):
            assert abs(end - told) < tolerance, row


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("target", ["first", "average"])
def test_fixed_length_intervals_are_those_of_the_convex_programme(folder, name, target):
    """Half-lengths to 1e-8, ends to 1e-6: the centre is flat in the optimum, and the reference's is to 1e-5 of it."""
    times, beta, covariance = study_of(folder, name)
    table = pd.read_csv(folder / "expected_flci.csv", dtype={"M_or_threshold": str})
    table = table[(table["study"] == name) & (table["target"] == target) & (table["quantity"] == "smoothness")]
    sizes = table[table["M_or_threshold"] != "breakdown"]
    found = evalkit.violation_bounds(
        beta, covariance, event_times=times, average=average_of(target, times), relative=[],
        smoothness=sizes["M_or_threshold"].astype(float).tolist(),
    )  # fmt: skip
    for one, row in zip(found.smoothness, sizes.itertuples(), strict=True):
        assert one.method == "fixed-length"
        half = (one.interval.upper - one.interval.lower) / 2
        assert half == pytest.approx((row.high - row.low) / 2, abs=1e-8)
        assert one.interval.lower == pytest.approx(row.low, abs=1e-6)
        assert one.interval.upper == pytest.approx(row.high, abs=1e-6)
    told = table.set_index("M_or_threshold")["low"]["breakdown"]
    assert found.breakdown_smoothness == pytest.approx(told, rel=1e-7)


def test_ehec_by_smoothness_and_with_parallel_trends(ehec):
    estimates, covariance, told = ehec
    sizes = [0, 0.01, 0.02, 0.03, 0.04, 0.05]
    found = evalkit.violation_bounds(estimates, covariance, event_times=EHEC_TIMES, relative=[], smoothness=sizes)
    for one in found.smoothness:
        row = told.loc[("DeltaSD", one.m)]
        assert one.interval.lower == pytest.approx(row["lb"], abs=3e-5)
        assert one.interval.upper == pytest.approx(row["ub"], abs=3e-5)
    original = told[told["method"] == "Original"].iloc[0]
    assert found.original.lower == pytest.approx(original["lb"], abs=1e-9)
    assert found.original.upper == pytest.approx(original["ub"], abs=1e-9)


@pytest.mark.parametrize(("delta", "average"), [("DeltaRM", [0]), ("DeltaRM avg", [0, 1])])
def test_ehec_by_relative_magnitudes(ehec, delta, average):
    """To 5e-4: the reference's grid has steps of 3.7e-4, and its 1,000 draws move an end by some 3e-4 more."""
    estimates, covariance, told = ehec
    sizes = told.loc[delta].index.tolist()
    found = evalkit.violation_bounds(
        estimates, covariance, event_times=EHEC_TIMES, average=average, relative=sizes, smoothness=[]
    )
    for one in found.relative:
        row = told.loc[(delta, one.m)]
        assert one.interval.lower == pytest.approx(row["lb"], abs=5e-4)
        assert one.interval.upper == pytest.approx(row["ub"], abs=5e-4)


def drawn_critical(systems, covariance, free):
    """The 99.5% quantile of each system from 1,000 draws of its moments as R makes them."""
    rays, found = extreme_rays(systems.rows[0, :, -2:] @ free), []
    for rows in systems.rows:
        sigma = rows @ covariance @ rows.T
        values, vectors = np.linalg.eigh(sigma)
        root = vectors @ np.diag(np.sqrt(np.maximum(values, 0))) @ vectors.T
        draws = r_normals(0, (1000, len(sigma))) @ root
        vertices = rays / (rays @ np.sqrt(np.diag(sigma)))[:, None]
        found.append(np.quantile((draws @ vertices.T).max(axis=1), 0.995))
    return np.array(found)


def test_the_normals_are_those_of_r():
    assert r_normals(0, (3,)).tolist() == pytest.approx([1.262954285, -0.326233361, 1.329799263], abs=1e-9)


@pytest.mark.parametrize(("delta", "target"), [("DeltaRM", "first"), ("DeltaRM avg", "average")])
def test_ehec_with_the_draws_of_honestdid_is_its_grid(ehec, delta, target):
    """Its ends are the outermost points of its grid in the set: ours lie beyond them by no more than a step."""
    estimates, covariance, told = ehec
    weights = weights_of(target, 2)
    free = np.array([[0.0], [1.0]]) if target == "first" else np.array([[1.0], [-1.0]])  # what the target leaves open
    error = np.sqrt(weights @ covariance[5:, 5:] @ weights)
    for size in told.loc[delta].index:
        systems = relative_systems(np.array([size]), 5, 2, np.zeros((0, 7)))
        moments = moments_of(systems, covariance, weights)
        critical = drawn_critical(systems, covariance, free)
        low, high = outermost(moments, estimates, first_stage(moments, estimates, critical), critical, 0.045 / 0.995)
        row = told.loc[(delta, size)]
        assert -1e-9 <= row["lb"] - low.min() <= 1.01 * GRID * error
        assert -1e-9 <= high.max() - row["ub"] <= 1.01 * GRID * error
