"""The overall group-time effect with few clusters: corrected errors, and clusters that change places."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.clusters import ClusterCounts, Recommendation, recommended_inference
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.cluster_model import ClusterModel, cluster_counts
from evalkit.estimate.effect import clustered_estimate
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.influence_arrays import ExchangedCell, exchanged_effects, exchanged_sums
from evalkit.estimate.staggered.overall_inference import (
    MIXED,
    ONLY_MEANS,
    exchanged_inference,
    overall_inference,
    small_sample_estimate,
)
from evalkit.estimate.staggered.summaries import overall_effect
from evalkit.estimate.two_way.panel_rows import PanelRows
from evalkit.estimate.two_way.recommended import InferenceOptions

ROLES = Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="cluster")
CR2 = Recommendation("CR2 with Satterthwaite degrees of freedom", "few")
OPTIONS = InferenceOptions(n_draws=999, seed=3)


def table(cohort_of_cluster, size, periods=2, seed=1):
    """Clusters of given sizes; every unit in every period, a shock to each cluster and period."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(len(size)), size)
    n = len(cluster)
    y = rng.normal(size=(n, periods)) + rng.normal(size=(len(size), periods))[cluster]
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(n), periods),
            "period": np.tile(np.arange(2000, 2000 + periods), n),
            "y": y.ravel(),
            "cohort": np.repeat(np.asarray(cohort_of_cluster, dtype=float)[cluster], periods),
            "cluster": np.repeat(cluster, periods),
        }
    )


def effects_of(frame, comparison="never", roles=ROLES):
    design = staggered_design(Panel.from_frame(frame, roles), StaggeredOptions(comparison=comparison))
    return group_time_effects(design, "reg")


@pytest.mark.parametrize("size", [[4] * 9, [2, 5, 9, 3, 4, 8, 1, 6, 7]])
def test_with_one_cohort_and_two_periods_it_is_cr2_of_the_two_way_effect(size):
    # The change of clusters' means regressed on treatment, weighted by their size: the bias-reduced error and
    # Satterthwaite's df of that regression, which is tested against clubSandwich, are what the correction by cohort
    # must give, whatever the clusters' sizes.
    frame = table([2001] * 3 + [np.nan] * 6, size)
    effects = effects_of(frame)
    found = small_sample_estimate(effects, overall_effect(effects))
    means = frame.groupby(["cluster", "period"], as_index=False).agg(
        y=("y", "mean"), cohort=("cohort", "first"), w=("unit", "size")
    )
    roles = Roles(unit="cluster", period="period", outcome="y", cohort="cohort", weight="w")
    rows = PanelRows.of(Panel.from_frame(means, roles))
    reference = clustered_estimate(rows.fit_of_treatment(), 0, "CR2", rows.counts())
    assert found.value == pytest.approx(reference.value, rel=1e-10)
    assert found.std_error == pytest.approx(reference.std_error, rel=1e-9)
    assert found.df == pytest.approx(reference.df, rel=1e-9)


def test_two_equal_clusters_an_arm_by_hand():
    # One unit a cluster; changes 1 and 3 among the treated, 0 and 2 and 4 among the others.
    # Effect 2 − 2 = 0. Treated: h = 1/2, 1 − 2h + Σh² = 1/2, Σψ²/(1/2) = (0.25 + 0.25)/0.5 = 1 = s²/n = 2/2.
    # Others: h = 1/3, ψ = ±2/3, 1 − 2/3 + 1/3 = 2/3, Σψ²/(2/3) = (8/9)/(2/3) = 4/3 = s²/n = 4/3. Variance 7/3.
    # μ = 1/2 and 1/3, d = 1 and 2: df = (5/6)²/(1/4 + 1/18) = (25/36)/(11/36) = 25/11.
    change = [1.0, 3.0, 0.0, 2.0, 4.0]
    frame = pd.DataFrame(
        {
            "unit": np.repeat(range(5), 2),
            "period": [0, 1] * 5,
            "y": np.ravel([[0.0, c] for c in change]),
            "cohort": np.repeat([1.0, 1.0, np.nan, np.nan, np.nan], 2),
            "cluster": np.repeat(range(5), 2),
        }
    )
    effects = effects_of(frame)
    found = small_sample_estimate(effects, overall_effect(effects))
    assert found.value == pytest.approx(0.0, abs=1e-12)
    assert found.std_error == pytest.approx(np.sqrt(7 / 3), rel=1e-12)
    assert found.df == pytest.approx(25 / 11, rel=1e-12)


def rerun(frame, assignment, comparison):
    """Return the overall effect with the clusters' cohorts replaced, by the estimator itself."""
    cohort = np.asarray(assignment, dtype=float)[frame["cluster"]]
    return overall_effect(effects_of(frame.assign(cohort=cohort), comparison)).estimate.value


@pytest.mark.parametrize("comparison", ["never", "not-yet"])
def test_every_exchange_is_what_the_estimator_gives(comparison):
    cohorts = [2001.0, 2002.0, np.nan, np.nan, np.nan]
    frame = table(cohorts, [2, 3, 4, 2, 3], periods=4)
    effects = effects_of(frame, comparison)
    found = exchanged_inference(effects, OPTIONS)
    # 5·4 = 20 ways of placing the two cohorts
    every = [
        rerun(frame, order, comparison) for order in sorted(set(permutations(["2001", "2002", "nan", "nan", "nan"])))
    ]
    assert len(every) == 20
    actual = overall_effect(effects).estimate.value
    assert found.p_value == pytest.approx(np.mean(np.abs(every) >= abs(actual) - 1e-12))
    assert "20 assignments" in found.note


def test_the_interval_holds_what_is_not_rejected():
    frame = table([2001.0, 2001.0] + [np.nan] * 8, [3] * 10, periods=3)
    effects = effects_of(frame)
    found = exchanged_inference(effects, OPTIONS)
    assert isinstance(found.interval, Interval)
    for end, is_kept in ((found.interval.lower + 1e-6, True), (found.interval.lower - 1e-3, False)):
        treated = frame["period"] >= frame["cohort"]
        shifted = effects_of(frame.assign(y=frame["y"] - end * treated))
        assert (exchanged_inference(shifted, OPTIONS).p_value > 0.05) == is_kept


def test_exchanged_effects_by_hand():
    # Two clusters of weight 1 and 3; changes 2 and −1. Cluster 0 treated: 2 − (−1) = 3; cluster 1 treated: −3.
    total = np.array([[0.0, 2.0], [3.0, 0.0]])
    sums = exchanged_sums(total, np.array([1.0, 3.0]), np.array([[0, 1], [1, 0]]))
    found = exchanged_effects(sums, (ExchangedCell(0, 1, 0, (1,)),))
    assert found == pytest.approx([3.0, -3.0])


def test_the_recommendation_is_carried_out():
    frame = table([2001] * 4 + [np.nan] * 8, [3] * 12, periods=3)
    effects = effects_of(frame)
    counts = cluster_counts(effects.design)
    assert counts == ClusterCounts(4, 8)
    found = overall_inference(effects, recommended_inference(counts), OPTIONS)
    assert found.method == "CR2 with Satterthwaite degrees of freedom"
    assert found.df < 11
    robust = overall_inference(effects, Recommendation("cluster-robust", "many"), OPTIONS)
    assert robust.std_error == overall_effect(effects).estimate.std_error
    assert found.std_error > robust.std_error


def test_one_treated_cluster_gets_a_place_and_no_error():
    frame = table([2001] + [np.nan] * 24, [3] * 25, periods=3)
    effects = effects_of(frame)
    found = overall_inference(effects, Recommendation("randomisation inference", "one"), OPTIONS)
    assert isinstance(found.std_error, Unavailable)
    assert found.p_value >= 1 / 25
    corrected = overall_inference(effects, CR2, OPTIONS)
    assert isinstance(corrected.std_error, Unavailable)


def test_what_cannot_change_places_is_said():
    frame = table([2001] * 2 + [np.nan] * 6, [3] * 8, periods=3)
    mixed = frame.assign(cluster=frame["cluster"] // 3)
    assert exchanged_inference(effects_of(mixed), OPTIONS).p_value == Unavailable(MIXED)
    ragged = frame.drop(index=2)  # the first unit's last period: it is still seen on both sides of its start
    assert exchanged_inference(effects_of(ragged), OPTIONS).p_value == Unavailable(ONLY_MEANS)
    roles = Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="cluster", covariates=("x",))
    adjusted = effects_of(frame.assign(x=np.repeat(np.arange(24.0) % 5, 3)), roles=roles)
    assert exchanged_inference(adjusted, OPTIONS).p_value == Unavailable(ONLY_MEANS)


def test_clusters_of_both_kinds_are_taken_in_parts():
    # Clusters 0 to 3 hold treated units, all six comparison units: shares 1/4 of the one mean and of the other
    # 2 of 8 units in clusters 4 and 5, and 1 of 8 elsewhere.
    frame = table([2001] * 4 + [np.nan] * 8, [3] * 12, periods=2)
    mixed = frame.assign(cluster=frame["cluster"] % 6)
    effects = effects_of(mixed)
    overall = overall_effect(effects)
    psi = effects.influence.combined(overall.weights[:, None])[:, 0]
    assert cluster_counts(effects.design) == ClusterCounts(4, 6)
    held = mixed[mixed["period"] == 2000].groupby("cluster")["cohort"].agg(["count", "size"])
    treated, other = held["count"] / 12, (held["size"] - held["count"]) / 24
    parts = {(arm, g): h for arm, share in (("t", treated), ("c", other)) for g, h in share.items() if h > 0}
    # every part varies by itself: what it does to each cluster's contribution, and the deflated quadratic form
    reach = np.array(
        [
            [sign * one[g] * ((g == k) - parts[arm, k]) for arm, k in parts if arm == name]
            for name, sign, one in (("t", 1, treated), ("c", -1, other))
            for g in range(6)
        ],
        dtype=object,
    )
    form = np.array([[*reach[g], *reach[6 + g]] for g in range(6)], dtype=float)
    true = np.array([treated[g] ** 2 + other[g] ** 2 for g in range(6)])
    deflator = (form**2).sum(axis=1) / true
    covariance = form @ form.T / np.sqrt(np.outer(deflator, deflator))
    found = small_sample_estimate(effects, overall)
    assert found.std_error == pytest.approx(np.sqrt((psi**2 / deflator).sum()), rel=1e-9)
    assert found.df == pytest.approx(np.trace(covariance) ** 2 / (covariance**2).sum(), rel=1e-9)


def test_pairs_of_treated_and_compared_in_each_cluster_are_a_paired_comparison():
    # Six clusters, each with one treated and one comparison unit: the textbook error of six differences, 5 df.
    frame = table([2001] * 6 + [np.nan] * 6, [1] * 12, periods=2)
    paired = frame.assign(cluster=frame["cluster"] % 6)
    effects = effects_of(paired)
    change = paired.pivot(index="unit", columns="period", values="y")
    gap = (change[2001] - change[2000]).to_numpy()
    difference = gap[:6] - gap[6:]
    found = small_sample_estimate(effects, overall_effect(effects))
    assert found.value == pytest.approx(difference.mean())
    assert found.std_error == pytest.approx(difference.std(ddof=1) / np.sqrt(6), rel=1e-9)
    assert found.df == pytest.approx(5, rel=1e-9)


def test_cohorts_of_one_cluster_each_change_places():
    frame = table([2001, 2002, 2003] + [np.nan] * 12, [1] * 15, periods=4)
    found = overall_inference(effects_of(frame), CR2, OPTIONS)
    assert found.method == "randomisation inference"
    assert isinstance(found.interval, Interval)


def test_the_shock_of_a_cohort_of_one_cluster_is_taken_to_be_like_others():
    # Three clusters and one treated, five compared; b = ½, ½, −1 of their means. What deviations show is
    # ¼ · 1/3 + 1/5 of a cluster's variance, and ¼ more is in no deviation, the single cluster's contribution
    # (through the shares of cohorts) included. Equal shares: squares are divided by 1 − 1/n.
    cohort = np.array([0, 0, 0, 1, 2, 2, 2, 2, 2])
    model = ClusterModel.of_units(np.arange(9), 9, cohort, np.ones(9), 3)
    given = np.array([[0.5, 0.5, -1.0]])
    contribution = np.array([0.2, -0.1, -0.1, 0.7, 0.3, -0.3, 0.1, -0.1, 0.0])
    seen = (0.04 + 0.01 + 0.01) / (2 / 3) + (0.09 + 0.09 + 0.01 + 0.01) / 0.8
    known = 0.25 / 3 + 1 / 5
    found = model.covariance(contribution[:, None], given)[0, 0]
    assert found == pytest.approx(seen * (known + 0.25) / known, rel=1e-12)
    two_cohorts = model.covariance(contribution[:, None], np.array([[1.0, 0.0, -1.0]]))[0, 0]  # rests on no single one
    assert two_cohorts == pytest.approx(seen + 0.49, rel=1e-12)


def test_a_cluster_alone_in_its_cohort_that_holds_others_shows_what_its_other_units_add():
    # Cluster 0 holds a cohort by itself and 2/5 of the never-treated. Were every share's shock 1 by turns, squares of
    # contributions would sum to the variance of the number, Σ b² Σ h², with the single cluster's like others.
    cluster, stratum = np.array([0, 0, 1, 2, 3, 4, 5]), np.array([0, 2, 1, 1, 2, 2, 1])
    model = ClusterModel.of_units(cluster, 6, stratum, np.array([1.0, 4, 1, 1, 3, 3, 1]), 3)
    given, contribution = np.array([0.5, 0.5, -1.0]), np.zeros((6, len(model.share)))
    for at, (own, share) in enumerate(zip(model.of_stratum, model.share, strict=True)):
        inside = model.of_stratum == own
        left = given[own] * model.share * ((np.arange(len(inside)) == at) - share) * inside
        contribution[:, at] = np.bincount(model.cluster, left, 6)
    shown = sum(model.covariance(column[:, None], given[None, :])[0, 0] for column in contribution.T)
    assert shown == pytest.approx(0.25 + 0.25 / 3 + 0.34, rel=1e-12)
