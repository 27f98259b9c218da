"""Regressions with unit effects taken out equal those on every indicator column."""

import numpy as np
import pytest

from evalkit.core.draws import stream
from evalkit.estimate.two_way.absorbed_arrays import Absorbed, Regressors

N_UNITS, N_PERIODS, N_CODES = 40, 6, 18


def given(n_slopes, n_common, seed=1):
    """Return rows of 40 units in three strata, codes stratum × period, some rows missing; the first slope is fixed."""
    draw = stream(seed, f"absorbed {n_slopes} {n_common}")
    kept = draw.random(N_UNITS * N_PERIODS) < 0.85
    unit = np.repeat(np.arange(N_UNITS), N_PERIODS)[kept]
    code = unit % 3 * N_PERIODS + np.tile(np.arange(N_PERIODS), N_UNITS)[kept]
    slopes = draw.normal(size=(len(unit), n_slopes))
    if n_slopes:
        slopes[:, 0] = draw.normal(size=N_UNITS)[unit]
    weight, common = draw.uniform(0.5, 2, len(unit)), draw.normal(size=(len(unit), n_common))
    return Regressors(unit, code, weight, N_UNITS, N_CODES, slopes, common), draw.normal(size=len(unit)) + 100


def every_column(rows):
    """Return unit indicators, then the columns in the kernel's order."""
    codes = np.eye(N_CODES)[rows.code]
    by_code = np.stack([codes, *(codes * slope[:, None] for slope in rows.slopes.T)], axis=2)
    return np.column_stack([np.eye(N_UNITS)[rows.unit], by_code.reshape(len(rows.unit), -1), rows.common])


CASES = pytest.mark.parametrize(("n_slopes", "n_common"), [(0, 0), (1, 0), (0, 2), (2, 1)])


@CASES
def test_residuals_rank_and_predictions(n_slopes, n_common):
    rows, outcome = given(n_slopes, n_common)
    absorbed, columns, root = Absorbed.of(rows), every_column(rows), np.sqrt(rows.weight)
    beta, _, rank, _ = np.linalg.lstsq(root[:, None] * columns, root * outcome, rcond=1e-10)
    fit = absorbed.fit(outcome)
    np.testing.assert_allclose(fit.residuals, outcome - columns @ beta, atol=1e-9)
    assert absorbed.rank == rank - N_UNITS
    fitted = fit.unit_effects[rows.unit] + absorbed.predicted(fit.coefficients, rows.code, rows.slopes, rows.common)
    np.testing.assert_allclose(outcome - fitted, fit.residuals, atol=1e-9)


@CASES
def test_contrasts_and_contributions(n_slopes, n_common):
    rows, outcome = given(n_slopes, n_common)
    absorbed, columns, width = Absorbed.of(rows), every_column(rows), 1 + n_slopes
    contrast = np.zeros((rows.n_columns, 1))
    contrast[[width, 6 * width], 0], contrast[[0, 7 * width], 0] = 1, -1
    assert absorbed.is_estimable(contrast).tolist() == [True]
    weighted = columns * rows.weight[:, None]
    bread = np.linalg.pinv(weighted.T @ columns, rcond=1e-12, hermitian=True)
    padded = np.concatenate([np.zeros(N_UNITS), contrast[:, 0]])
    fit = absorbed.fit(outcome)
    assert contrast[:, 0] @ fit.coefficients == pytest.approx(padded @ bread @ weighted.T @ outcome)
    by_row = weighted * fit.residuals[:, None]
    by_unit = np.array([by_row[rows.unit == unit].sum(axis=0) for unit in range(N_UNITS)]) @ bread @ padded
    found = absorbed.contributions(fit.residuals, contrast, rows.unit, N_UNITS)
    np.testing.assert_allclose(found[:, 0], by_unit, atol=1e-12)


def test_what_the_data_do_not_determine_is_said():
    # one period's effect is known only against another of the same stratum; a code without rows not at all
    rows, _ = given(0, 0)
    rows = rows._replace(n_codes=N_CODES + 1)
    columns = np.zeros((rows.n_columns, 4))
    columns[0, 0] = 1
    columns[[0, 1], 1] = 1, -1
    columns[[0, N_PERIODS], 2] = 1, -1
    columns[[N_CODES, 0], 3] = 1, -1
    absorbed = Absorbed.of(rows)
    assert absorbed.is_estimable(columns).tolist() == [False, True, False, False]
    assert len(np.unique(absorbed.component)) == 4
    assert absorbed.unit_component[:3].tolist() == absorbed.component[[0, N_PERIODS, 2 * N_PERIODS]].tolist()


def test_a_common_column_that_codes_explain_adds_no_rank():
    rows, _ = given(0, 1)
    explained = rows._replace(common=np.column_stack([rows.common, np.sin(rows.code) + np.cos(rows.unit)]))
    absorbed = Absorbed.of(explained)
    assert absorbed.rank == Absorbed.of(rows).rank
    assert absorbed.is_estimable(np.eye(rows.n_columns + 1)[:, -2:]).tolist() == [True, False]
