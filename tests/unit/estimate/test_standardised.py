"""Standardised effects by hand."""

import math

import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.estimate.effect_sizes import (
    ClusterSizes,
    SdName,
    correction_factor,
    hedges_g,
    hedges_g_total,
    hedges_g_total_eef,
    hedges_g_within,
    standardised_estimate,
)

SIZES = ClusterSizes.equal(3, 2, 4)  # NT = 12, NC = 8, N = 20, M = 5, n = 4


def test_g_of_independent_pupils():
    # d = 3/6 = 0.5, df = 18, J = 1 − 3/71; Var(d) = 20/(10·10) + 0.25/40 = 0.20625.
    found = hedges_g(3.0, 6.0, 10, 10)
    factor = 1 - 3 / 71
    assert found.value == pytest.approx(0.5 * factor)
    assert (found.uncorrected, found.correction, found.df) == (0.5, pytest.approx(factor), 18)
    assert found.std_error == pytest.approx(factor * math.sqrt(0.20625))
    assert found.interval.lower == pytest.approx(factor * (0.5 - 1.959964 * math.sqrt(0.20625)), abs=1e-6)
    assert found.sd_name is SdName.POOLED


def test_the_factor_is_close_to_the_exact_one():
    # Hedges (1981): exact J = Γ(df/2)/(√(df/2) Γ((df − 1)/2)); at df = 10, 0.92275.
    exact = math.gamma(5) / (math.sqrt(5) * math.gamma(4.5))
    assert exact == pytest.approx(0.92275, abs=1e-5)
    assert correction_factor(10) == pytest.approx(exact, abs=5e-4)


def test_within_schools_by_hand():
    # ñ = n = 4: Var = 20/96·(1 + 3·0.2)/0.8 + d²/(2·15), d = 0.5: 0.4166667 + 0.0083333 = 0.425; df = 15.
    found = hedges_g_within(2.0, 4.0, SIZES, 0.2)
    assert found.df == 15
    assert found.uncorrected == 0.5
    assert (found.std_error / found.correction) ** 2 == pytest.approx(0.425)


def test_total_by_hand():
    # factor: 1 − 2·3·0.2/18 = 0.9333333; d = 0.5·√0.9333333. E = 18 − 1.2 = 16.8; N − 2n = 12:
    # S = 18·0.64 + 4·12·0.04 + 2·12·0.2·0.8 = 11.52 + 1.92 + 3.84 = 17.28; h = 16.8²/17.28 = 16.33333;
    # Var = 20/96·1.6 + d²·17.28/(2·18·16.8), d² = 0.2333333.
    found = hedges_g_total(2.0, 4.0, SIZES, 0.2)
    assert found.uncorrected**2 == pytest.approx(0.25 * 14 / 15)
    assert found.df == pytest.approx(16.8**2 / 17.28)
    expected = 20 / 96 * 1.6 + (0.25 * 14 / 15) * 17.28 / (2 * 18 * 16.8)
    assert (found.std_error / found.correction) ** 2 == pytest.approx(expected)


def test_a_sum_of_components_is_not_made_smaller():
    plain = hedges_g_total(2.0, 4.0, SIZES, 0.2, SdName.TOTAL_UNCONDITIONAL)
    assert plain.uncorrected == 0.5
    eef = hedges_g_total_eef(2.0, 4.0, SIZES, 0.2)
    assert eef.uncorrected == pytest.approx(0.5 * math.sqrt(14 / 15))
    assert eef.sd_name is SdName.TOTAL_UNCONDITIONAL


def test_unequal_schools_by_hand():
    # Treated 2, 4; comparison 3, 3. N = 12, arms of 6. ñ_T = (36 − 20)/(6·1) = 8/3, ñ_C = (36 − 18)/6 = 3.
    # factor at 0.3: 1 − 0.3·((12 − 2·8/3 − 2·3) + 8/3 + 3 − 2)/10 = 1 − 0.3·(13/3)/10 = 0.87.
    sizes = ClusterSizes((2, 4), (3, 3))
    assert sizes.total_factor(0.3) == pytest.approx(0.87)
    # ñ = 6·20/(6·12) + 6·18/(6·12) = 5/3 + 3/2 = 19/6: 12/36·(1 + (13/6)·0.3) = 0.55
    assert sizes.mean_variance(0.3) == pytest.approx(0.55)
    # A_T = (36·20 + 400 − 12·72)/36 = 256/36, A_C = (36·18 + 324 − 12·54)/36 = 9; B = 8/3 + 3; E = 8.7
    a, b = 256 / 36 + 9, 17 / 3
    spread = 10 * 0.49 + a * 0.09 + 2 * b * 0.21
    assert sizes.total_df(0.3) == pytest.approx(8.7**2 / spread)
    assert sizes.total_variance(0.3, 0.7) == pytest.approx(0.55 + 0.49 * spread / (2 * 10 * 8.7))


@pytest.mark.parametrize("icc", [0.0, 0.1, 0.6])
def test_equal_schools_are_a_case_of_unequal_ones(icc):
    n, total = 4, 20
    below = 2 * (n - 1) * icc
    spread = (total - 2) * (1 - icc) ** 2 + n * (total - 2 * n) * icc**2 + 2 * (total - 2 * n) * icc * (1 - icc)
    assert SIZES.total_df(icc) == pytest.approx((total - 2 - below) ** 2 / spread)
    assert SIZES.total_factor(icc) == pytest.approx(1 - below / (total - 2))


def test_without_clustering_the_cluster_forms_are_the_plain_one():
    # ρ = 0: h = N − 2 and Var = (NT + NC)/(NT NC) + d²/(2(N − 2)); the plain form divides by 2N.
    found, plain = hedges_g_total(2.0, 4.0, SIZES, 0.0), hedges_g(2.0, 4.0, 12, 8)
    assert found.value == pytest.approx(plain.value)
    assert (found.std_error / found.correction) ** 2 == pytest.approx(20 / 96 + 0.25 / 36)


def test_a_models_estimate_carries_its_own_error():
    known = standardised_estimate(Estimate(1.2, 0.6, 20.0), 6.0, SdName.PUPIL_PUBLISHED)
    assert (known.value, known.correction, known.df) == (pytest.approx(0.2), 1.0, None)
    # t(20) at 97.5% is 2.085963: 0.2 ± 0.2085963
    assert (known.interval.lower, known.interval.upper) == pytest.approx((-0.0085963, 0.4085963), abs=1e-6)
    found = standardised_estimate(Estimate(1.2, 0.6), 6.0, SdName.TOTAL_UNCONDITIONAL, df=50.0)
    factor = 1 - 3 / 199
    assert found.value == pytest.approx(0.2 * factor)
    assert found.std_error == pytest.approx(factor * math.sqrt(0.01 + 0.04 / 100))


def test_an_estimate_without_an_error_gives_a_g_without_an_interval():
    reason = Unavailable("One area only.")
    found = standardised_estimate(Estimate(1.2, reason), 6.0, SdName.PUPIL_PUBLISHED)
    assert found.value == pytest.approx(0.2)
    assert (found.std_error, found.interval, found.improvement_interval) == (reason, reason, reason)
    months = found.months()
    assert (months.estimate, months.lower, months.upper) == (3, None, None)


def test_months_at_the_value_and_both_ends_from_the_table_named():
    found = standardised_estimate(Estimate(0.18, 0.08), 6.0, SdName.PUPIL_PUBLISHED)
    # g = 0.03 (0.004 to 0.056): Toolkit 1 (0 to 1), trial table 0 (0 to 1)
    toolkit, trial = found.months(), found.months("trial")
    assert (toolkit.estimate, toolkit.lower, toolkit.upper) == (1, 0, 1)
    assert (trial.estimate, trial.lower, trial.upper) == (0, 0, 1)
    assert "unverified" in trial.table
    assert "unverified" not in toolkit.table
    with pytest.raises(DesignError, match="no months table 'eef'"):
        found.months("eef")


def test_a_spread_of_schools_gives_no_months():
    found = standardised_estimate(Estimate(0.18, 0.08), 2.7, SdName.SCHOOL_LEVEL)
    assert isinstance(found.months(), Unavailable)


def test_the_improvement_index():
    # Φ(0.25) = 0.598706: 9.87 percentile ranks (the WWC's own example)
    found = standardised_estimate(Estimate(0.25, 0.1), 1.0, SdName.POOLED)
    assert found.improvement_index == pytest.approx(9.8706, abs=1e-4)
    assert found.improvement_interval.lower == pytest.approx(100 * 0.521469 - 50, abs=0.05)
    assert found.improvement_interval.lower < found.improvement_index < found.improvement_interval.upper


@pytest.mark.parametrize("form", [hedges_g_within, hedges_g_total, hedges_g_total_eef])
@pytest.mark.parametrize(("sd", "icc"), [(0.0, 0.1), (-1.0, 0.1), (float("nan"), 0.1), (1.0, 1.0), (1.0, -0.1)])
def test_impossible_inputs_are_refused(form, sd, icc):
    with pytest.raises(DesignError):
        form(1.0, sd, SIZES, icc)


@pytest.mark.parametrize("sizes", [((3,), (3, 3)), ((3, 3), ()), ((3, 0), (3, 3)), ((1, 1), (1, 1))])
def test_impossible_schools_are_refused(sizes):
    with pytest.raises(DesignError):
        ClusterSizes(*sizes)


def test_a_single_pupil_or_an_endless_difference_is_refused():
    with pytest.raises(DesignError, match="two pupils"):
        hedges_g(1.0, 1.0, 1, 5)
    with pytest.raises(DesignError, match="finite"):
        hedges_g(math.inf, 1.0, 5, 5)
    with pytest.raises(DesignError, match="degree of freedom"):
        correction_factor(1.0)


def test_the_scale_of_the_outcome_does_not_matter():
    one, other = hedges_g_total(2.0, 4.0, SIZES, 0.2), hedges_g_total(20.0, 40.0, SIZES, 0.2)
    assert other.value == pytest.approx(one.value)
    assert other.std_error == pytest.approx(one.std_error)
    assert hedges_g_total(-2.0, 4.0, SIZES, 0.2).value == pytest.approx(-one.value)
