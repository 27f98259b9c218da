"""The inference of single rows: CR2 by their own clusters, places exchanged, bands, and the test before the start."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special

from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.clusters import ClusterCounts, Concentration, recommended_inference
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.design.weights_arrays import effective_number, mean_variance, residual_variance
from evalkit.estimate.cluster_model import ARMS, ClusterModel, cluster_counts
from evalkit.estimate.staggered.bands import Uncertainty
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.imputation_leads import imputation_leads
from evalkit.estimate.staggered.overall_inference import overall_inference
from evalkit.estimate.staggered.pre_test import pre_test
from evalkit.estimate.staggered.results import staggered_results
from evalkit.estimate.staggered.row_inference import Rows
from evalkit.estimate.staggered.summaries import combination
from evalkit.estimate.two_way.recommended import InferenceOptions

ROLES = Roles(unit="unit", period="period", outcome="y", cohort="cohort")
WEIGHTED = Roles(unit="unit", period="period", outcome="y", cohort="cohort", weight="w")


def table(cohorts, n_periods=4, seed=1):
    """One row a unit and period; noise alone."""
    random = np.random.default_rng(seed)
    n = len(cohorts)
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(n), n_periods),
            "period": np.tile(np.arange(n_periods), n),
            "y": random.normal(size=n * n_periods),
            "cohort": np.repeat(np.asarray(cohorts, dtype=float), n_periods),
        }
    )


def effects_of(frame, roles=ROLES, **options):
    return group_time_effects(staggered_design(Panel.from_frame(frame, roles), StaggeredOptions(**options)))


@pytest.mark.parametrize("seed", range(4))
def test_the_variance_of_a_mean_is_the_quadratic_form(seed):
    share = np.random.default_rng(seed).dirichlet(np.ones(5))
    residual = np.eye(5) - np.outer(np.ones(5), share)
    form = residual.T @ np.diag(share**2 / residual_variance(share)) @ residual
    found = mean_variance(share)
    assert found.expected == pytest.approx(np.trace(form), rel=1e-12)
    assert found.expected == pytest.approx((share**2).sum())  # unbiased under clusters alike
    assert found.spread == pytest.approx((form * form.T).sum(), rel=1e-9)
    assert effective_number(share) == pytest.approx(1 / (share**2).sum())


@pytest.mark.parametrize(
    ("n", "share", "effective_n", "df"),
    # one cluster with a share among equal others, 60 to compare with: values of another program, to a decimal
    [(8, 0.3, 6.3, 3.1), (8, 0.5, 3.5, 1.4), (8, 0.8, 1.5, 1.1), (20, 0.3, 8.6, 2.0), (20, 0.5, 3.8, 1.2)],
)
def test_degrees_of_freedom_of_concentrated_shares(n, share, effective_n, df):
    treated = np.r_[share, np.full(n - 1, (1 - share) / (n - 1))]
    found = Concentration.of(treated, np.ones(60))
    assert found.effective_n == pytest.approx(effective_n, abs=0.05)
    assert found.df == pytest.approx(df, abs=0.05)
    advice = recommended_inference(ClusterCounts(n, 60), concentration=found)
    assert (advice.inference == "unavailable") == (df < 2)
    if df < 2:
        assert f"holds {share:.0%} of the weight" in advice.reason


def test_three_equal_treated_clusters_have_two_degrees_of_freedom_and_two_have_one():
    # (1/3 + 1/60)²/((1/3)²/2 + (1/60)²/59) = 0.1225/0.05556 = 2.2; (1/2 + 1/60)²/((1/2)²/1 + …) = 1.07
    assert Concentration.of(np.ones(3), np.ones(60)).df == pytest.approx(2.205, abs=1e-3)
    assert Concentration.of(np.ones(2), np.ones(60)).df == pytest.approx(1.068, abs=1e-3)


def test_a_row_has_the_degrees_of_freedom_of_its_own_clusters():
    frame = table([2] * 4 + [3] * 40 + [np.nan] * 60)
    found = staggered_results(effects_of(frame))
    assert found.simple.method == "cluster-robust"
    small, large = found.by_cohort.parts
    assert (small.method, large.method) == ("CR2 with Satterthwaite degrees of freedom", "cluster-robust")
    # 4 treated, 60 others: (1/4 + 1/60)²/((1/4)²/3 + (1/60)²/59)
    assert small.df == pytest.approx((1 / 4 + 1 / 60) ** 2 / ((1 / 4) ** 2 / 3 + (1 / 60) ** 2 / 59), rel=1e-9)
    # one row a unit: the textbook error of two means with variances s²/n
    change = frame.pivot(index="unit", columns="period", values="y")
    one = [combined(change, 2, t) for t in (2, 3)]
    by_hand = np.mean(one, axis=0)
    treated, others = by_hand[:4], by_hand[44:]
    assert small.estimate == pytest.approx(treated.mean() - others.mean())
    assert small.std_error == pytest.approx(np.sqrt(treated.var(ddof=1) / 4 + others.var(ddof=1) / 60), rel=1e-9)
    assert small.plain_error < small.std_error


def combined(change, start, period):
    return (change[period] - change[start - 1]).to_numpy()


def test_the_band_is_bonferroni_s_where_a_row_rests_on_few():
    found = staggered_results(effects_of(table([2] * 4 + [np.nan] * 20)))
    parts = [part for part in found.event_study.parts if isinstance(part.interval, Interval)]
    assert len(parts) == 3  # event times −1, 0, 1; none is the base of the varying kind
    for part in parts:
        reach = special.stdtrit(part.df, 1 - 0.025 / 3) * part.std_error
        assert part.band.upper - part.estimate == pytest.approx(reach, rel=1e-9)
        assert part.band.level == 0.95


def test_large_sample_errors_can_be_asked_for():
    effects = effects_of(table([2] * 4 + [np.nan] * 20))
    plain, recommended = staggered_results(effects, Uncertainty(errors="plain")), staggered_results(effects)
    assert plain.simple.method == "cluster-robust"
    assert plain.simple.std_error == recommended.simple.plain_error
    assert (plain.pre_test.kind, recommended.pre_test.kind) == ("chi-squared", "F")


def test_hotelling_s_test_by_hand():
    # One cohort, first leads measured from the last period before: d, V = S_T/n_T + S_C/n_C,
    # w = (1/5)/(1/5 + 1/12), η = 1/(w²/4 + (1 − w)²/11), F = (η − q + 1)/(ηq) d'V⁻¹d
    frame = table([4] * 5 + [np.nan] * 12, n_periods=5, seed=3)
    effects = effects_of(frame, base_period="universal")
    found = pre_test(effects, Rows.of(effects, 1))
    y = frame.pivot(index="unit", columns="period", values="y").to_numpy()
    leads = y[:, :3] - y[:, [3]]
    treated, others = leads[:5], leads[5:]
    d = treated.mean(axis=0) - others.mean(axis=0)
    variance = np.cov(treated.T) / 5 + np.cov(others.T) / 12
    w = (1 / 5) / (1 / 5 + 1 / 12)
    eta = 1 / (w**2 / 4 + (1 - w) ** 2 / 11)
    statistic = (eta - 2) / (eta * 3) * d @ np.linalg.solve(variance, d)
    assert (found.kind, found.df) == ("F", 3)
    assert found.df_denominator == pytest.approx(eta - 2, rel=1e-9)
    assert found.statistic == pytest.approx(statistic, rel=1e-9)
    assert found.p_value == pytest.approx(special.fdtrc(3, eta - 2, statistic), rel=1e-9)


def test_with_few_clusters_averages_over_cohorts_are_tested_by_hand():
    # Cohorts of 4 (starts at 2) and 5 (at 3), 12 never treated, four periods, leads from the last period before.
    # Event time −2: 4/9 (y0 − y1) of the first and 5/9 (y1 − y2) of the second; −3: y0 − y2 of the second alone.
    frame = table([2] * 4 + [3] * 5 + [np.nan] * 12, seed=7)
    design = staggered_design(Panel.from_frame(frame, ROLES), StaggeredOptions(base_period="universal"))
    effects = replace(group_time_effects(design), shares="fixed")
    found = pre_test(effects, Rows.of(effects, 1))
    y = frame.pivot(index="unit", columns="period", values="y").to_numpy()
    near, far = np.array([[4, -4, 0, 0], [0, 5, -5, 0]]) / 9, np.array([[0, 0, 0, 0], [1, 0, -1, 0]])
    change = {"early": np.array([far[0], near[0]]), "late": np.array([far[1], near[1]])}
    change["never"] = change["early"] + change["late"]
    units = {"early": y[:4], "late": y[4:9], "never": y[9:]}
    d = sum((-1.0 if arm == "never" else 1.0) * (units[arm] @ change[arm].T).mean(axis=0) for arm in units)
    variance = sum(np.cov((units[arm] @ change[arm].T).T) / len(units[arm]) for arm in units)
    # clusters alike, periods independent: arm s adds Ω_s = C_s C_s'/n_s with n_s − 1 degrees of freedom
    omega = {arm: change[arm] @ change[arm].T / len(units[arm]) for arm in units}
    values, vectors = np.linalg.eigh(sum(omega.values()))
    root = vectors / np.sqrt(values) @ vectors.T
    scaled = {arm: root @ omega[arm] @ root for arm in units}
    eta = 6 / sum((np.trace(w @ w) + np.trace(w) ** 2) / (len(units[arm]) - 1) for arm, w in scaled.items())
    statistic = (eta - 1) / (eta * 2) * d @ np.linalg.solve(variance, d)
    assert (found.kind, found.of, found.df) == ("F", "event time", 2)
    assert found.df_denominator == pytest.approx(eta - 1, rel=1e-9)
    assert found.statistic == pytest.approx(statistic, rel=1e-9)
    assert found.lacking == ()
    assert "the average effect over cohorts at each of 2 event times before the start is zero" in found.sentence


def test_with_too_many_leads_for_the_clusters_the_largest_is_judged():
    frame = table([6] * 3 + [np.nan] * 20, n_periods=7, seed=5)
    effects = effects_of(frame, base_period="universal")
    found = pre_test(effects, Rows.of(effects, 1))
    rows = staggered_results(effects, Uncertainty()).event_study.parts
    smallest = min(part.p_value for part in rows if part.label < -1)
    assert (found.kind, found.df) == ("largest", 5)
    assert found.p_value == pytest.approx(min(1.0, 5 * smallest))


def test_one_treated_cluster_is_ranked_among_the_others():
    frame = table([3] + [np.nan] * 30, seed=2)
    effects = effects_of(frame, base_period="universal")
    found = pre_test(effects, Rows.of(effects, 1))
    y = frame.pivot(index="unit", columns="period", values="y").to_numpy()
    gaps = np.array([[y[i, t] - y[i, 2] - np.delete(y[:, t] - y[:, 2], i).mean() for t in (0, 1)] for i in range(31)])
    largest = np.abs(gaps / gaps.std(axis=0)).max(axis=1)
    assert found.kind == "rank"
    assert found.p_value == pytest.approx((largest >= largest[0] - 1e-12).mean())


def test_a_row_of_one_treated_cluster_has_its_own_place():
    frame = table([2] + [3] * 30 + [np.nan] * 30, seed=4)
    effects = effects_of(frame)
    part = staggered_results(effects).by_cohort.parts[0]
    y = frame.pivot(index="unit", columns="period", values="y").to_numpy()
    pool = np.r_[0, 31:61]  # the cohort's cluster and the never-treated; the other cohort stays where it is
    change = (y[:, 2] + y[:, 3]) / 2 - y[:, 1]
    moved = np.array([change[i] - change[pool[pool != i]].mean() for i in pool])
    assert part.method == "randomisation inference"
    assert part.estimate == pytest.approx(moved[0])
    assert part.p_value == pytest.approx((np.abs(moved) >= abs(moved[0]) - 1e-12).mean())


def test_with_two_comparison_clusters_rows_have_the_inference_of_the_overall_effect():
    frame = table([2] * 20 + [np.nan] * 2)
    frame["w"] = np.where(frame["unit"] < 3, 9.0, 1.0)  # treated clusters unlike those compared with
    effects = effects_of(frame, WEIGHTED)
    rows = Rows.of(effects, 1)
    overall = overall_inference(effects, rows.advice, InferenceOptions())
    row = staggered_results(effects).by_cohort.parts[0]
    assert rows.advice.inference == overall.method == row.method == "randomisation inference"
    assert row.interval.lower == pytest.approx(overall.interval.lower)
    assert row.interval.upper == pytest.approx(overall.interval.upper)


def test_a_number_that_one_cluster_carries_has_no_error_and_says_why():
    frame = table([2] * 20 + [np.nan] * 40)
    frame["w"] = np.where(frame["unit"] == 0, 76.0, 1.0)  # 76 of 95: 80%
    found = staggered_results(effects_of(frame, WEIGHTED))
    numbers = (found.simple, *found.by_cohort.parts, *found.event_study.parts, *found.group_time)
    assert all(isinstance(one.interval, Unavailable) for one in numbers)
    assert "holds 80% of the weight" in found.simple.interval.reason


def test_units_on_which_no_effect_rests_are_left_out_and_not_counted():
    frame = table([2] * 30 + [np.nan] * 30)
    gone = (frame["unit"] >= 2) & (frame["unit"] < 30) & (frame["period"] >= 2)
    effects = effects_of(frame[~gone])
    assert cluster_counts(effects.design) == ClusterCounts(2, 30)
    [lost] = effects.design.dropped
    assert (len(lost.units), lost.n_rows) == (28, 56)
    assert "not seen both before its start and since" in lost.reason
    assert [cell.n_treated for cell in effects.cells] == [2, 2, 2]


def test_a_single_cell_is_its_own_row():
    effects = effects_of(table([2] * 4 + [3] * 5 + [np.nan] * 20))
    rows = Rows.of(effects, 1)
    at = [(cell.cohort, cell.period) for cell in effects.cells].index((3, 3))
    alone = combination(effects, (np.arange(len(effects.cells)) == at).astype(float))
    expected = (1 / 5 + 1 / 20) ** 2 / ((1 / 5) ** 2 / 4 + (1 / 20) ** 2 / 19)
    assert rows.df(alone) == pytest.approx(expected, rel=1e-9)


def shared_clusters():
    """Forty clusters of four units; one unit of the first ten starts early, one of the next two late."""
    frame = table(np.full(160, np.nan), n_periods=6, seed=9)
    frame["area"] = frame["unit"] // 4
    is_first = frame["unit"] % 4 == 0
    frame.loc[is_first & (frame["area"] < 10), "cohort"] = 3.0
    frame.loc[is_first & frame["area"].isin([10, 11]), "cohort"] = 5.0
    return frame


SHARED_ROLES = Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="area")


def test_a_row_of_two_clusters_has_no_interval_where_clusters_hold_both_kinds():
    found = staggered_results(effects_of(shared_clusters(), SHARED_ROLES))
    early, late = found.by_cohort.parts
    assert isinstance(early.interval, Interval)
    assert early.df == pytest.approx(12.98, abs=0.01)  # ten treated clusters; two means of 10 and 40 had 13.9
    assert isinstance(late.interval, Unavailable)
    assert "cluster holds units of more than one cohort" in late.interval.reason
    assert found.simple.df > early.df
    by_hand = [cell for cell in found.group_time if cell.cohort == 5]
    assert all(isinstance(cell.interval, Unavailable) for cell in by_hand)


def test_leads_of_imputation_rest_on_the_clusters_of_their_cohorts():
    effects = effects_of(shared_clusters(), SHARED_ROLES)
    leads = imputation_leads(effects.design, 2)
    assert leads.times == (-2, -1)
    own = ClusterModel.of_arms(effects.design).concentration(ARMS)
    assert leads.is_corrected
    assert [one.df for one in leads.estimates] == pytest.approx([13.24, 13.24], abs=0.005)
    assert own.df == pytest.approx(16.46, abs=0.005)  # of two means of 12 and 40 that share no cluster
    only_late = imputation_leads(effects.design, 4).estimates[0]
    assert isinstance(only_late.std_error, Unavailable)  # event time −4 is of the late cohort's two clusters
    assert "worth 2.0 equal clusters" in only_late.std_error.reason


@pytest.mark.parametrize(("n_many", "is_plain"), [(40, False), (200, True)])
def test_a_cohort_of_one_cluster_that_matters_is_no_case_for_plain_errors(n_many, is_plain):
    # Beside n units with two periods since their start one of weight w has one: b = 2n/(2n + w), w/(2n + w) and −1 (300
    # compared). Its share of the variance is b₂²/(b₁²/n + 1/300 + b₂²): for n = 40 .005 with w = 1 and .35 with w = 10,
    # for n = 200 and w = 3 .007; a tenth is the limit.
    frame = table([2] * n_many + [3] + [np.nan] * 300).assign(w=1.0)
    effects = effects_of(frame, WEIGHTED)
    assert staggered_results(effects).simple.method == "cluster-robust"
    heavy = frame.assign(w=np.where(frame["cohort"] == 3, 10.0 if n_many == 40 else 3.0, 1.0))
    found = staggered_results(effects_of(heavy, WEIGHTED)).simple
    assert (found.method == "cluster-robust") == is_plain


def test_leads_measured_from_the_periods_of_few_clusters_have_the_freedom_of_these():
    # Leads −3 to −1 are of 40 and 4 units, but only the 4 have a period before them all: they tell the level.
    # At 5% each was rejected 11 to 13% of made samples with the freedom of 44 units, in 2 to 5% with that of 4.
    start = np.repeat([4.0, 7.0, np.nan], [40, 4, 60])
    leads = imputation_leads(effects_of(table(start, n_periods=8, seed=3)).design, 4)
    assert leads.is_corrected
    assert all(2 < one.df < 7 for one in leads.estimates)


def test_large_levels_of_units_do_not_part_assignments_that_give_the_same():
    frame = table([2.0] * 2 + [np.nan] * 30, n_periods=6)
    frame["y"] = np.random.default_rng(1).integers(0, 3, len(frame)).astype(float)
    frame["w"] = np.where(frame["unit"] % 3 == 0, 1.1, 0.7)
    levels = frame.assign(y=frame["y"] + 3.7e7 * frame["unit"])
    found, moved = (staggered_results(effects_of(one, WEIGHTED)) for one in (frame, levels))
    assert moved.simple.p_value == found.simple.p_value
    assert [one.p_value for one in moved.event_study.parts] == [one.p_value for one in found.event_study.parts]
    assert (moved.pre_test.kind, moved.pre_test.p_value) == ("rank", found.pre_test.p_value)
