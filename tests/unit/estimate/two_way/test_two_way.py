"""The two-way effect: by hand, and what it does with data that cannot answer."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.clusters import ClusterCounts
from evalkit.estimate.two_way.two_way import EventOptions, two_way_effect, two_way_event_study

ROLES = {"unit": "unit", "period": "period", "outcome": "y", "cohort": "cohort"}


def table(n_treated, n_comparison, n_periods=4, first=3, seed=1):
    """Return a balanced table, treated units first; treatment adds 1 from period `first`."""
    n = n_treated + n_comparison
    frame = pd.DataFrame(
        {"unit": np.repeat(np.arange(n), n_periods), "period": np.tile(np.arange(1, n_periods + 1), n)}
    )
    frame["cohort"] = np.where(frame["unit"] < n_treated, first, np.nan)
    noise = np.random.default_rng(seed).normal(size=len(frame))
    frame["y"] = noise + (frame["period"] >= frame["cohort"]) + frame["unit"] + frame["period"] ** 2
    return frame


def panel(frame, **roles):
    return Panel.from_frame(frame, Roles(**(ROLES | roles)))


def test_two_by_two_by_hand():
    # Changes 3 and 5 against 1 and 1: 4 − 1 = 3. CR1: ½ × 4/3 × 7/5 (see test_covariance); 4 − 1 degrees of freedom.
    frame = pd.DataFrame({"unit": list("aabbccdd"), "period": [1, 2] * 4, "y": [0, 3, 0, 5, 0, 1, 0, 1.0]})
    frame["cohort"] = [2.0] * 4 + [np.nan] * 4
    effect = two_way_effect(panel(frame))
    assert effect.estimate.value == pytest.approx(3)
    assert effect.estimate.std_error**2 == pytest.approx(1 / 2 * 4 / 3 * 7 / 5)
    assert effect.estimate.df == 3
    assert effect.clusters == ClusterCounts(2, 2)
    assert (effect.n_units, effect.n_rows, effect.n_treated_units) == (4, 8, 2)


def test_weights_are_numbers_of_pupils():
    # Weighted 1 and 3: the treated change is (3 + 3·5)/4 = 4.5, the comparison (1·1 + 3·2)/4 = 1.75.
    frame = pd.DataFrame({"unit": list("aabbccdd"), "period": [1, 2] * 4, "y": [0, 3, 0, 5, 0, 1, 0, 2.0]})
    frame["cohort"], frame["w"] = [2.0] * 4 + [np.nan] * 4, [1.0, 1, 3, 3] * 2
    assert two_way_effect(panel(frame, weight="w")).estimate.value == pytest.approx(4.5 - 1.75)


def test_gaps_and_weights_give_what_dummies_give():
    random = np.random.default_rng(8)
    frame = table(8, 12, n_periods=6)
    frame["w"], frame["x"] = random.uniform(0.2, 4, len(frame)), random.normal(size=len(frame))
    frame = frame[random.random(len(frame)) < 0.8]
    found = two_way_effect(panel(frame, weight="w", covariates=("x",)))
    dummies = pd.get_dummies(frame[["unit", "period"]].astype(str), drop_first=True, dtype=float)
    design = np.column_stack([frame["period"] >= frame["cohort"], frame["x"], np.ones(len(frame)), dummies])
    root = np.sqrt(frame["w"].to_numpy())
    wanted = np.linalg.lstsq(root[:, None] * design.astype(float), root * frame["y"].to_numpy(), rcond=None)[0]
    assert found.estimate.value == pytest.approx(wanted[0], rel=1e-9)
    assert [(name, estimate.value) for name, estimate in found.covariates] == [
        ("x", pytest.approx(wanted[1], rel=1e-9))
    ]


def test_event_times_by_hand():
    # Periods 1 to 3, start in 3, base −1 (period 2). Gaps between treated and comparison: 2, 3, 7: −1 and 4.
    frame = pd.DataFrame({"unit": list("aaabbbccc"), "period": [1, 2, 3] * 3, "y": [2.0, 3, 7, 1, 0, 2, -1, 0, -2]})
    frame["cohort"] = [3.0] * 3 + [np.nan] * 6
    found = two_way_event_study(panel(frame))
    assert [(time.event_time, round(time.estimate.value, 9)) for time in found.times] == [(-2, -1), (0, 4)]
    from_first = two_way_event_study(panel(frame), EventOptions(base_time=-2))
    assert [(time.event_time, round(time.estimate.value, 9)) for time in from_first.times] == [(-1, 1), (0, 5)]


def test_one_treated_cluster_gives_no_error_and_the_reason():
    effect = two_way_effect(panel(table(1, 41)))
    assert "Only one cluster is treated" in effect.estimate.std_error.reason
    assert isinstance(effect.estimate.interval(), Unavailable)
    assert effect.inference.method == effect.recommendation.inference
    assert isinstance(effect.inference.interval, Interval)


def test_one_treated_cluster_of_many_units_gives_no_error_either():
    frame = table(30, 60)
    frame["area"] = np.where(frame["unit"] < 30, 0, 1 + frame["unit"] % 6)
    effect = two_way_effect(panel(frame, cluster="area"))
    assert effect.clusters == ClusterCounts(1, 6)
    assert isinstance(effect.estimate.std_error, Unavailable)


def test_event_times_seen_in_one_cluster_have_no_error():
    frame = table(6, 20, n_periods=6)
    frame.loc[frame["unit"] == 0, "cohort"] = 2
    found = {time.event_time: time for time in two_way_event_study(panel(frame)).times}
    assert found[4].n_treated_clusters == 1
    assert isinstance(found[4].estimate.std_error, Unavailable)
    assert found[3].estimate.std_error > 0


def test_without_never_treated_those_that_start_last_are_the_comparison():
    frame = table(12, 12, n_periods=6)
    frame["cohort"] = frame["cohort"].fillna(5)
    effect = two_way_effect(panel(frame))
    assert effect.clusters == ClusterCounts(12, 12)
    assert effect.estimate.std_error > 0
    with pytest.raises(DesignError, match="Every unit is treated within the panel"):
        two_way_event_study(panel(frame))


def test_clusters_that_hold_both_kinds_of_unit_count_on_both_sides():
    frame = table(30, 30)
    frame["area"] = frame["unit"] % 30
    effect = two_way_effect(panel(frame, cluster="area"))
    assert effect.clusters == ClusterCounts(30, 30)
    assert effect.inference.method == "cluster-robust"
    assert effect.inference.p_value == pytest.approx(effect.estimate.p_value)


def test_a_recommended_inference_that_the_data_refuse_says_why():
    # Two areas in which only some units are treated: whole areas cannot change places.
    frame = table(4, 30)
    frame["area"] = np.where(frame["unit"] < 4, frame["unit"] % 2, frame["unit"] % 8)
    effect = two_way_effect(panel(frame, cluster="area"))
    assert effect.recommendation.inference == "randomisation inference"
    assert "units of more than one cohort" in effect.inference.p_value.reason


def test_clusters_that_move_exactly_alike_have_no_error():
    # Treated units move by 3 and the others by 1 between the last two periods; what varies before does so by unit.
    frame = pd.DataFrame({"unit": np.repeat(np.arange(5), 3), "period": [1, 2, 3] * 5})
    frame["cohort"] = np.where(frame["unit"] < 2, 3.0, np.nan)
    wobble = np.array([1.0, -1, 2, 0, -2])[frame["unit"]] * np.array([1, -1, 0])[frame["period"] - 1]
    frame["y"] = wobble + (frame["period"] == 3) * (1 + 2 * (frame["unit"] < 2))
    effect = two_way_effect(panel(frame))
    assert effect.estimate.value == pytest.approx(2)
    assert "moved exactly alike" in effect.estimate.std_error.reason


def test_an_outcome_that_never_changes_has_no_error():
    effect = two_way_effect(panel(table(15, 15).assign(y=4.0)))
    assert effect.estimate.value == pytest.approx(0, abs=1e-12)
    assert "fits every observation exactly" in effect.estimate.std_error.reason
    assert isinstance(effect.inference.p_value, Unavailable)


def test_ten_units_get_an_answer():
    effect = two_way_effect(panel(table(4, 6)))
    assert effect.clusters == ClusterCounts(4, 6)
    assert 0 < effect.inference.p_value <= 1


def test_a_unit_seen_once_changes_nothing():
    frame = table(10, 10)
    lone = pd.DataFrame({"unit": [99], "period": [2], "cohort": [np.nan], "y": [50.0]})
    one, two = (two_way_effect(panel(each)).estimate for each in (frame, pd.concat([frame, lone])))
    assert one.value == pytest.approx(two.value, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cohort": np.nan}, "No unit is treated in any period"),
        ({"cohort": 9.0}, "No unit is treated in any period"),
        ({"cohort": 1.0}, "Every unit is treated in every period"),
        ({"cohort": 3.0}, "Treatment is the same for all units"),
    ],
)
def test_no_contrast_is_refused(change, message):
    with pytest.raises(DesignError, match=message):
        two_way_effect(panel(table(5, 5).assign(**change)))


def test_treated_from_the_first_period_is_refused():
    with pytest.raises(DesignError, match="no unit is seen before and after"):
        two_way_effect(panel(table(5, 5, first=1)))


def test_a_covariate_that_stays_the_same_is_named():
    frame = table(5, 5)
    frame["size"] = 10.0 * frame["unit"]
    with pytest.raises(DesignError, match="The covariate 'size' does not vary"):
        two_way_effect(panel(frame, covariates=("size",)))


def test_a_covariate_that_repeats_another_is_named():
    frame = table(5, 5)
    frame["x"] = np.random.default_rng(2).normal(size=len(frame))
    frame["twice"] = 2 * frame["x"] + frame["unit"]
    with pytest.raises(DesignError, match="The covariate 'twice' does not vary"):
        two_way_effect(panel(frame, covariates=("x", "twice")))


def test_a_covariate_like_treatment_is_refused():
    frame = table(5, 5)
    frame["after"] = 1.0 * (frame["period"] >= frame["cohort"])
    with pytest.raises(DesignError, match="The covariate 'after' does not vary"):
        two_way_effect(panel(frame, covariates=("after",)))


def test_an_event_time_that_unit_effects_absorb_is_named():
    # Unit 0 alone starts in period 4 and is seen then only, so that its event time 0 is its unit effect.
    frame = table(5, 5, first=2)
    frame.loc[frame["unit"] == 0, "cohort"] = 9
    frame.loc[frame["unit"] == 1, "cohort"] = 4
    lone = frame[(frame["unit"] != 1) | (frame["period"] == 4)]
    frame = lone[(lone["cohort"] != 2) | (lone["period"] != 2)]
    with pytest.raises(DesignError, match="The effect at event time 0 cannot be told"):
        two_way_event_study(panel(frame))


def test_an_event_time_that_nobody_has_cannot_be_the_base():
    with pytest.raises(DesignError, match="No treated unit is seen at event time -5"):
        two_way_event_study(panel(table(5, 5)), EventOptions(base_time=-5))
