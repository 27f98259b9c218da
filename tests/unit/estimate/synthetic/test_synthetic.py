"""Synthetic control and its kin as a user calls them: results, inference, refusals."""

import numpy as np
import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.areas.series import AreaSeries
from evalkit.design.panel.area_design import area_design
from evalkit.estimate.synthetic.conformal import conformal
from evalkit.estimate.synthetic.control import OTHER_DEFAULT, augmented_control, synthetic_control, synthetic_did
from evalkit.estimate.synthetic.placebos import PlaceboOptions, leave_one_donor_out, placebo_in_space, placebo_in_time
from evalkit.estimate.synthetic.result import MOVES_ALIKE
from tests.unit.estimate.area_tables import ROLES, design_of, factor_values, table_of

VERBS = (synthetic_control, augmented_control, synthetic_did)


@pytest.fixture(scope="module")
def values():
    return factor_values(np.random.default_rng(4), 26, 26, noise=0.1, effect=3.0, n_pre=22)


@pytest.fixture(scope="module")
def design(values):
    return design_of(values, 2023)


def test_by_hand():
    # (1, 2, 3) = 1/2 (0, 1, 2) + 1/2 (2, 3, 4); afterwards 9 against 1/2 · 3 + 1/2 · 5 = 4: a gap of 5
    found = synthetic_control(design_of([[1, 2, 3, 9], [0, 1, 2, 3], [2, 3, 4, 5]], 2004))
    assert found.estimate == pytest.approx(5)
    assert found.weight_of == pytest.approx({"A2": 0.5, "A3": 0.5})
    assert found.pre_rmse == pytest.approx(0, abs=1e-12)
    assert [row.gap for row in found.gaps] == pytest.approx([0, 0, 0, 5])
    assert [row.synthetic for row in found.gaps] == pytest.approx([1, 2, 3, 4])
    # donors' SD in each year before is that of two values 2 apart, √2
    assert found.pre_fit.spread == pytest.approx(np.sqrt(2))


@pytest.mark.parametrize("verb", VERBS)
def test_a_large_effect_is_found_and_stands_out(design, verb):
    found = verb(design)
    assert found.estimate == pytest.approx(3, abs=0.5)
    assert found.weights.sum() == pytest.approx(1)
    space = placebo_in_space(found)
    assert space.p_value == pytest.approx(1 / 26)  # the largest of 25 donors and itself
    assert (len(space.ratios), space.is_complete) == (25, True)
    late = conformal(found)
    assert late.n_periods == 26
    assert [one.period for one in late.by_period] == [2023, 2024, 2025, 2026]
    time = placebo_in_time(found)
    assert time.start == 2001 + 2 * 22 // 3
    assert abs(time.estimate) < 0.7
    left = leave_one_donor_out(found)
    assert left.lowest <= left.estimates[left.influential] <= left.highest
    assert left.highest - left.lowest < 1.5


def test_the_conformal_interval_holds_the_effect_and_not_none(design):
    found = conformal(synthetic_control(design), level=0.9)
    assert isinstance(found.interval, Interval)
    assert 3.0 in found.interval
    assert 0.0 not in found.interval
    assert found.p_value <= 0.1
    for one in found.by_period:
        assert 0.0 not in one.interval


def test_too_few_periods_for_the_level(design):
    found = conformal(synthetic_control(design), level=0.99)
    assert "With 26 periods no p-value is below 1/26" in found.interval.reason
    assert "100 periods are needed" in found.interval.reason


@pytest.mark.parametrize("verb", VERBS)
def test_order_of_rows_and_scale(values, verb):
    table = table_of(values)
    plain = verb(area_design(AreaSeries.from_frame(table, ROLES), ["A1"], 2023))
    shuffled = verb(area_design(AreaSeries.from_frame(table.sample(frac=1, random_state=1), ROLES), ["A1"], 2023))
    assert shuffled.estimate == plain.estimate
    scaled = verb(area_design(AreaSeries.from_frame(table.assign(y=1e3 * table["y"] - 7), ROLES), ["A1"], 2023))
    assert scaled.estimate == pytest.approx(1e3 * plain.estimate, rel=1e-6)
    assert scaled.pre_fit.ratio == pytest.approx(plain.pre_fit.ratio, rel=1e-6)
    assert placebo_in_space(scaled).p_value == placebo_in_space(plain).p_value


@pytest.mark.parametrize("verb", VERBS)
def test_relabelled_areas_get_the_same_weights(values, verb):
    order = np.random.default_rng(2).permutation(np.arange(1, 26))
    plain, moved = verb(design_of(values, 2023)), verb(design_of(values[[0, *order]], 2023))
    assert moved.estimate == pytest.approx(plain.estimate, rel=1e-7)
    np.testing.assert_allclose(moved.weights, plain.weights[order - 1], atol=1e-7)


@pytest.mark.parametrize("verb", [synthetic_control, synthetic_did])
@pytest.mark.parametrize("n_pre", [2, 4])
def test_few_periods_before_the_start_give_an_estimate_and_no_inference(values, verb, n_pre):
    found = verb(design_of(values[:, 22 - n_pre :], 2001 + n_pre))
    assert isinstance(found.estimate, float)
    assert "so few periods" in found.pre_fit.sentence
    space, moved = placebo_in_space(found), conformal(found)
    for nothing in (space.p_value, space.std_error, space.interval, moved.p_value, moved.interval):
        assert f"Only {n_pre} periods lie before the start. Two fit almost any area exactly" in nothing.reason
    assert isinstance(placebo_in_time(found), Unavailable)


def test_a_poor_fit_shows_no_estimate(values):
    far = values.copy()
    far[0] += 9
    found = synthetic_control(design_of(far, 2023))
    assert found.pre_fit.is_poor
    assert "no average of these donors is like it" in found.estimate.reason
    assert all(isinstance(row.gap, Unavailable) == (row.period >= 2023) for row in found.gaps)
    for nothing in (placebo_in_space(found).p_value, conformal(found).p_value, leave_one_donor_out(found)):
        assert nothing == found.estimate
    assert synthetic_did(design_of(far, 2023)).estimate == pytest.approx(3, abs=0.5)  # only the shape has to fit


def test_fit_worse_than_the_threshold_is_poor_and_better_is_not():
    # donors ±1 (SD √2); the treated area 1 + x above the upper one: the error is x, the ratio x/√2
    for x, is_poor in ((0.70, False), (0.72, True)):  # 0.5 · √2 = 0.707
        found = synthetic_control(design_of([[1 + x] * 3, [1] * 3, [-1] * 3], 2003))
        assert found.pre_fit.is_poor is is_poor
        assert found.pre_fit.ratio == pytest.approx(x / np.sqrt(2))


def test_donors_that_do_not_differ():
    same = [[1, 2, 3]] * 3
    assert synthetic_control(design_of([[1, 2, 5], *same], 2003)).estimate == pytest.approx(2)
    assert isinstance(synthetic_control(design_of([[1, 3, 5], *same], 2003)).estimate, Unavailable)


ALIKE = {
    "constant everywhere": np.full((12, 9), 0.1),
    "a level for each area": np.linspace(0.1, 7, 12)[:, None] + np.zeros(9),
    "one movement for all": np.linspace(50, 51, 12)[::-1, None] + np.sin(np.arange(9)),
}


@pytest.mark.parametrize("values", ALIKE.values(), ids=ALIKE)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("treated", [("A6",), ("A5", "A6", "A7")])
def test_outcomes_that_move_alike_give_no_effect_and_no_p_value(values, verb, treated):
    """Rounding must not rank areas: every gap is zero, and there is nothing to judge one by."""
    found = verb(design_of(values, 2008, treated))
    assert found.estimate == pytest.approx(0, abs=1e-12)
    space, moved, time = placebo_in_space(found), conformal(found), placebo_in_time(found)
    for nothing in (space.p_value, space.ratio, space.std_error, space.interval, moved.p_value, moved.interval):
        assert nothing == Unavailable(MOVES_ALIKE)
    assert time.p_value == Unavailable(MOVES_ALIKE)


def test_a_gap_of_rounding_errors_ranks_below_every_other(values):
    """Two donors have the treated area's series, whose gap is zero: all 25 donors' are at least as large."""
    followed = values.copy()
    followed[1] = followed[2] = followed[0]
    space = placebo_in_space(synthetic_control(design_of(1e6 + followed, 2023)))
    assert (space.ratio, space.p_value) == (0.0, 1.0)


@pytest.mark.parametrize("verb", VERBS)
def test_one_donor_is_refused(verb):
    with pytest.raises(DesignError, match="There is one donor, 'A2'"):
        verb(design_of([[1, 2, 3, 4], [2, 3, 4, 5]], 2004))


def test_few_donors_give_no_p_value(values):
    found = synthetic_did(design_of(values[:5], 2023))
    assert isinstance(found.estimate, float)
    assert "The 4 donors allow 4 placebos" in placebo_in_space(found).p_value.reason
    two = synthetic_control(design_of([[1] * 8, [0, 1] * 4, [2, 1] * 4], 2007))
    assert two.estimate == pytest.approx(0, abs=1e-12)
    assert "The 2 donors allow 0 placebos" in placebo_in_space(two).p_value.reason
    assert "none can be left out" in leave_one_donor_out(two).reason


def test_refusals_of_single_methods():
    rows = [[1, 2, 3, 4], [2, 3, 4, 5], [0, 1, 2, 3]]
    with pytest.raises(DesignError, match="there are 2: 3 are needed"):
        augmented_control(design_of(rows, 2003))
    with pytest.raises(DesignError, match="there is one period"):
        synthetic_did(design_of(rows, 2002))
    with pytest.raises(DesignError, match="positive number"):
        augmented_control(design_of(rows, 2003), ridge=-1)
    with pytest.raises(DesignError, match="between 0 and 1"):
        conformal(synthetic_control(design_of(rows, 2003)), level=95)
    with pytest.raises(DesignError, match="between 0 and 1"):
        PlaceboOptions(level=1)
    with pytest.raises(DesignError, match="at least 5 are needed"):
        PlaceboOptions(n_draws=1)
    assert isinstance(augmented_control(design_of(rows, 2003), ridge=1.0).estimate, float)


def test_one_period_before_the_start():
    found = synthetic_control(design_of([[1, 5], [0, 0], [2, 3]], 2002))
    assert found.estimate == pytest.approx(3.5)  # 5 − (0 + 3)/2


def test_several_treated_areas(values):
    both = values.copy()
    both[1, 22:] += 3
    found = synthetic_control(design_of(both, 2023, treated=("A1", "A2")))
    assert found.estimate == pytest.approx(3, abs=0.5)
    assert any("plain mean" in note for note in found.notes)
    space = placebo_in_space(found, PlaceboOptions(n_draws=99, seed=3))
    assert (len(space.ratios), space.is_complete) == (99, False)  # 24 · 23 / 2 = 276 sets
    assert {len(areas) for areas in space.areas} == {2}
    assert "p-value may be too small" in space.notes[0]
    again = placebo_in_space(found, PlaceboOptions(n_draws=99, seed=3))
    assert again.p_value == space.p_value
    np.testing.assert_array_equal(again.ratios, space.ratios)
    assert not np.array_equal(placebo_in_space(found, PlaceboOptions(n_draws=99, seed=4)).ratios, space.ratios)
    assert placebo_in_space(found, PlaceboOptions(n_draws=300)).is_complete
    alone = [synthetic_control(one).estimate for one in found.design.each()]
    assert alone == pytest.approx([3, 3], abs=0.8)


def test_a_donor_that_is_badly_followed_has_a_small_ratio(values):
    odd = values.copy()
    odd[25] += 30
    found = synthetic_control(design_of(odd, 2023))
    space = placebo_in_space(found)
    assert space.pre_rmse[-1] > 10
    assert space.ratios[-1] < 2
    assert space.p_value == pytest.approx(1 / 26)


def test_exactly_followed_areas_have_a_floor_under_their_ratio():
    random = np.random.default_rng(11)
    values = random.normal(size=(60, 7))
    values[0] = values[1:].mean(axis=0)
    found = synthetic_control(design_of(values, 2006))
    assert found.pre_rmse < 1e-10
    assert any("exactly; the most even one" in note for note in found.notes)
    space = placebo_in_space(found)
    assert np.isfinite(space.ratio)
    assert np.isfinite(space.ratios).all()
    assert "follow all 7 periods exactly" in conformal(found).p_value.reason


@pytest.mark.parametrize("method", [synthetic_control, augmented_control, synthetic_did])
def test_placebos_that_come_out_alike_give_no_error(method):
    values = np.tile(np.sin(np.arange(16.0)), (15, 1))
    values[0, 10:] += 0.3
    found = method(design_of(values, 2011))
    space = placebo_in_space(found)
    assert found.estimate == pytest.approx(0.3)
    assert "placebos come out alike" in space.std_error.reason
    assert isinstance(space.interval, Unavailable)


def test_the_treated_area_serves_no_placebo(values):
    """An enormous effect on the treated area leaves every placebo as it was."""
    huge = values.copy()
    huge[0, 22:] += 1000
    one, two = (placebo_in_space(synthetic_control(design_of(v, 2023))) for v in (values, huge))
    np.testing.assert_array_equal(one.gaps, two.gaps)


def test_the_augmented_control_says_how_its_penalty_was_chosen(values):
    found = augmented_control(design_of(values, 2023))
    chosen = [note for note in found.notes if "ridge" in note.lower()]
    assert OTHER_DEFAULT in found.notes
    ridge = found.fit.tuning.get("ridge")
    assert chosen[0].startswith("No ridge correction" if ridge is None else f"The ridge penalty λ = {ridge:.4g} (sq")
    fixed = augmented_control(design_of(values, 2023), ridge=2.0)
    assert OTHER_DEFAULT not in fixed.notes
    assert fixed.fit.tuning == {"ridge": 2.0}
