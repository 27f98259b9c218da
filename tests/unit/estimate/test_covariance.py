"""Least squares with nested effects taken out, and the errors of its coefficients, against dense matrices."""

import numpy as np
import pytest

from evalkit.core.errors import DesignError
from evalkit.estimate import least_squares_arrays as covariance
from evalkit.estimate.least_squares_arrays import (
    CollinearError,
    cluster_error,
    least_squares,
    period_columns,
    row_error,
)


def ragged(seed, is_weighted):
    """Seven clusters of one to three units seen in most of five periods, a covariate beside treatment."""
    random = np.random.default_rng(seed)
    rows = [
        (cluster, 10 * cluster + unit, period)
        for cluster in range(7)
        for unit in range(random.integers(1, 4))
        for period in range(5)
        if random.random() < 0.9
    ]
    cluster, unit, period = np.array(rows).T
    unit = np.unique(unit, return_inverse=True)[1]
    n = len(rows)
    treated = ((cluster < 3) & (period >= 2 + cluster % 2)).astype(float)
    weight = random.uniform(0.3, 3, n) if is_weighted else np.ones(n)
    columns = np.column_stack([treated, random.normal(size=n)])
    y = columns @ [0.5, 0.2] + random.normal(size=n) + random.normal(size=7)[cluster]
    return y, columns, period, weight, cluster, unit


def dense_error(design, y, weight, cluster, at, is_adjusted):
    """Return CR0 or CR2 and Satterthwaite's df from n × n matrices, as the papers write them."""
    n = len(y)
    bread = np.linalg.pinv(design.T @ (weight[:, None] * design))
    left = np.eye(n) - design @ bread @ design.T * weight
    error = left @ y
    variance, parts = 0.0, []
    for each in np.unique(cluster):
        rows = cluster == each
        values, vectors = np.linalg.eigh((left @ left.T)[np.ix_(rows, rows)])
        root = vectors @ np.diag([value**-0.5 if value > 1e-10 else 0 for value in values]) @ vectors.T
        q = (root if is_adjusted else np.eye(rows.sum())) @ (weight[rows, None] * design[rows]) @ bread[:, at]
        variance += (q @ error[rows]) ** 2
        parts.append(left[rows].T @ q)
    gram = np.array(parts) @ np.array(parts).T
    return np.sqrt(variance), np.trace(gram) ** 2 / (gram**2).sum()


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("kind", ["CR0", "CR2"])
@pytest.mark.parametrize("seed", range(3))
def test_blocks_agree_with_dense_matrices(seed, kind, is_weighted):
    y, columns, period, weight, cluster, unit = ragged(seed, is_weighted)
    fit = least_squares(y, columns, period_columns(period), weight, cluster, unit)
    units = np.equal.outer(unit, np.arange(unit.max() + 1)).astype(float)
    design = np.column_stack([columns, period_columns(period), units])
    for at in (0, 1):
        found = cluster_error(fit, at, kind)
        wanted = dense_error(design, y, weight, cluster, at, kind == "CR2")
        np.testing.assert_allclose([found.std_error, found.df], wanted, rtol=1e-9)


def two_by_two():
    """Four units, two periods; changes 3 and 5 in the treated, 1 and 1 in the comparison units."""
    unit, period = np.repeat(np.arange(4), 2), np.tile([0, 1], 4)
    y = np.array([0.0, 3, 0, 5, 0, 1, 0, 1])
    treated = ((unit < 2) & (period == 1)).astype(float)
    return least_squares(y, treated[:, None], period_columns(period), np.ones(8), unit, unit)


def test_errors_by_hand():
    # The effect is (3 + 5)/2 − (1 + 1)/2 = 3; changes deviate by ±1 in the treated and 0 in the others.
    # CR0: (1 + 1)/2² = 1/2. CR1: × 4/3. CR1W: × 4/3 × (8 − 1)/(8 − 3), treatment, a period and a constant counted.
    # CR1S: k = 1 + 1 + 4 units = 6, × 4/3 × 7/2. CR2: (1 + 1)/(1 − 1/2)/2² = 1; its df is Welch's for two groups
    # of two: (1/2 + 1/2)²/((1/2)²/1 + (1/2)²/1) = 2.
    fit = two_by_two()
    assert fit.coefficients[0] == pytest.approx(3, rel=1e-12)
    wanted = {"CR0": 1 / 2, "CR1": 2 / 3, "CR1W": 1 / 2 * 4 / 3 * 7 / 5, "CR1S": 1 / 2 * 4 / 3 * 7 / 2, "CR2": 1.0}
    for kind, variance in wanted.items():
        assert cluster_error(fit, 0, kind).std_error ** 2 == pytest.approx(variance, rel=1e-12), kind
    assert cluster_error(fit, 0, "CR2").df == pytest.approx(2, rel=1e-12)


def test_errors_of_rows_by_hand():
    # Residuals are ±1/2 in the treated units, half the change's deviation, and 0 otherwise: 4 × 1/4 = 1 over 8 − 6.
    # The treatment's own variation is 8 × (1/4)² = 1/2. Classical: (1/2)/(1/2) = 1.
    # HC1: Σ (1/4 × 1/2)² over four rows = 4/64, / (1/2)² = 1/4, × 8/2 = 1.
    fit = two_by_two()
    assert row_error(fit, 0, "classical") == pytest.approx(1, rel=1e-12)
    assert row_error(fit, 0, "HC1") == pytest.approx(1, rel=1e-12)


def test_one_treated_cluster_makes_the_error_too_small():
    # Its residuals fit exactly, so that only the comparison clusters' variation is left.
    random = np.random.default_rng(5)
    unit, period = np.repeat(np.arange(30), 6), np.tile(np.arange(6), 30)
    treated = ((unit == 0) & (period >= 3)).astype(float)
    ratio = []
    for _ in range(200):
        fit = least_squares(random.normal(size=180), treated[:, None], period_columns(period), np.ones(180), unit, unit)
        ratio.append(abs(fit.coefficients[0]) / cluster_error(fit, 0, "CR2").std_error)
    assert np.mean(np.array(ratio) > 2) > 0.4


def test_a_weight_that_is_the_same_everywhere_changes_nothing():
    y, columns, period, weight, cluster, unit = ragged(4, False)
    one, seven = (
        cluster_error(least_squares(y, columns, period_columns(period), factor * weight, cluster, unit), 0, "CR2")
        for factor in (1, 7)
    )
    np.testing.assert_allclose([one.std_error, one.df], [seven.std_error, seven.df], rtol=1e-12)


def test_chunks_do_not_change_a_number(monkeypatch):
    y, columns, period, weight, cluster, unit = ragged(1, True)
    fit = least_squares(y, columns, period_columns(period), weight, cluster, unit)
    whole = cluster_error(fit, 0, "CR2")
    monkeypatch.setattr(covariance, "_CHUNK", 1)
    assert cluster_error(fit, 0, "CR2") == whole


def test_a_weighted_cluster_too_large_for_its_matrix_is_refused(monkeypatch):
    y, columns, period, weight, cluster, unit = ragged(1, True)
    monkeypatch.setattr(covariance, "LARGEST_BLOCK", 3)
    with pytest.raises(DesignError, match="weighted rows; CR2 is computed up to 3"):
        cluster_error(least_squares(y, columns, period_columns(period), weight, cluster, unit), 0, "CR2")


def test_collinear_regressors_are_named_by_position():
    y, columns, period, weight, cluster, unit = ragged(2, True)
    twice = np.column_stack([columns, columns @ [1.0, -2.0]])
    with pytest.raises(CollinearError) as caught:
        least_squares(y, twice, period_columns(period), weight, cluster, unit)
    assert caught.value.column == 2


def test_a_regressor_that_nested_effects_take_out_is_collinear():
    y, columns, period, weight, cluster, unit = ragged(2, False)
    fixed = np.column_stack([columns[:, 0], 1e6 + unit])
    with pytest.raises(CollinearError) as caught:
        least_squares(y, fixed, period_columns(period), weight, cluster, unit)
    assert caught.value.column == 1


def test_one_cluster_is_refused():
    random = np.random.default_rng(1)
    fit = least_squares(
        random.normal(size=9), random.normal(size=(9, 1)), np.ones((9, 1)), np.ones(9), np.zeros(9, dtype=np.intp)
    )
    with pytest.raises(DesignError, match="All rows are in one cluster"):
        cluster_error(fit, 0)


def test_no_row_to_spare_is_refused():
    unit, period = np.repeat(np.arange(2), 2), np.tile([0, 1], 2)
    treated = ((unit < 1) & (period == 1)).astype(float)
    fit = least_squares(np.array([0.0, 1, 0, 3]), treated[:, None], period_columns(period), np.ones(4), unit, unit)
    with pytest.raises(DesignError, match="4 rows and 4 coefficients"):
        cluster_error(fit, 0, "CR1S")
    with pytest.raises(DesignError, match="4 rows and 4 coefficients"):
        row_error(fit, 0, "HC1")
