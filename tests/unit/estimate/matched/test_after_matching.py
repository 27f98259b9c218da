"""Change, analysis of covariance and difference after matching, by hand and by what must not matter."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.draws import stream
from evalkit.core.errors import DataError, DesignError
from evalkit.core.quantities import Unavailable
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching.match import match
from evalkit.design.matching.matched import without_units
from evalkit.design.matching.options import EntropyBalancing, FullMatching, NearestNeighbour
from evalkit.estimate.matched.after_matching import AFTER_NAMES, after_matching
from evalkit.estimate.matched.after_matching_arrays import covariance_adjusted
from evalkit.estimate.matched.matched_effect import matched_effect
from evalkit.estimate.matched.task import EffectOptions
from tests.unit.estimate.matched_designs import baseline, paired


def six():
    """Two treated, each with two comparison units of weight a half, scaled to 1 by the number of them."""
    units = baseline([1, 1, 0, 0, 0, 0], size=[3.0, 5.0, 3.0, 4.0, 5.0, 6.0])
    design = paired(units, [0, 0, 1, 1], [2, 3, 4, 5])
    before = pd.DataFrame({2016: [10.0, 12, 11, 12, 13, 14], 2017: [10.0, 14, 11, 14, 13, 14]}, index=units.units.index)
    after = pd.Series([14.0, 16, 12, 14, 14, 16], index=units.units.index)
    return design, before, after


def test_the_three_estimates_by_hand():
    design, before, after = six()
    # means before: treated 10, 13; comparison 11, 13, 13, 14. Changes: 4, 3; 1, 1, 1, 2.
    # difference: (14 + 16)/2 − (12 + 14 + 14 + 16)/4 = 15 − 14 = 1
    # change: 3.5 − 1.25 = 2.25
    found = after_matching(design, before, after)
    assert found.asked == "change"
    assert found.difference.estimate.value == pytest.approx(1.0)
    assert found.change.estimate.value == pytest.approx(2.25)


def test_analysis_of_covariance_by_hand():
    design, _, after = six()
    before = pd.DataFrame({2017: [10.0, 13, 11, 13, 13, 15]}, index=after.index)
    # Adjusting for one column (the size is made one too: the same for all but a shift of the year).
    # Comparison line: x 11, 13, 13, 15 (mean 13), y 12, 14, 14, 16 (mean 14): Σ(x − 13)(y − 14) = 4 + 4 = 8,
    # Σ(x − 13)² = 8, slope 1. At the treated's mean 11.5 it says 14 − 1.5 = 12.5; the treated have 15: 2.5.
    value = covariance_adjusted(after.to_numpy(), before.to_numpy(), design.baseline.is_treated, design.weights)
    assert value == pytest.approx(2.5)
    by_regression = matched_effect(design, after, EffectOptions(adjust=("x",), columns=before.set_axis(["x"], axis=1)))
    assert by_regression.estimate.value == pytest.approx(2.5)


def test_the_bracket_is_of_change_and_covariance_and_says_the_gap():
    _, design, before, after = schools()
    found = after_matching(design, before, after)
    ends = sorted((found.change.estimate.value, found.ancova.estimate.value))
    assert [found.bracket.lower, found.bracket.upper] == ends
    used, treated = design.is_used, design.baseline.is_treated
    level = before.mean(axis=1).to_numpy()
    assert found.bracket.gap == pytest.approx(level[used & treated].mean() - level[used & ~treated].mean())


def schools(n=400, seed=1, effect=1.0, noise=1.0):
    """Schools of forty areas; those with a low noisy score are likelier to be treated."""
    draw = stream(seed, "after matching")
    ability = draw.normal(0, 2, size=n)
    frame = pd.DataFrame({"school": [f"s{at:03d}" for at in range(n)], "area": np.arange(n) % 40})
    for year in (2016, 2017):
        frame[f"score_{year}"] = ability + draw.normal(0, noise, size=n)
    frame["size"] = draw.uniform(20, 90, size=n)
    chance = 1 / (1 + np.exp(2.2 + 0.5 * frame["score_2017"]))
    frame["treated"] = (draw.uniform(size=n) < chance).astype(int)
    frame["after"] = ability + draw.normal(0, noise, size=n) + effect * frame["treated"] + 0.5
    return frame, *designed(frame)


def designed(frame, option=None, covariates=("score_2016", "score_2017", "size")):
    roles = BaselineRoles(treated="treated", unit="school", covariates=covariates, labels=("area",))
    design = match(Baseline.from_frame(frame, roles), option or NearestNeighbour())
    by_unit = frame.set_index("school")
    before = by_unit[["score_2016", "score_2017"]].set_axis([2016, 2017], axis=1)
    return design, before, by_unit["after"]


def values(found):
    return np.array([found.of(name).estimate.value for name in AFTER_NAMES])


def test_covariance_is_lin_s_regression_with_what_was_matched_on():
    _, design, before, after = schools()
    found = after_matching(design, before, after, "ancova")
    by_name = matched_effect(design, after, EffectOptions(adjust=("score_2016", "score_2017", "size")))
    assert found.main is found.ancova
    assert found.ancova.estimate.value == pytest.approx(by_name.estimate.value, abs=1e-12)
    assert found.ancova.estimate.std_error == pytest.approx(by_name.estimate.std_error, rel=1e-9)
    # years before that were matched on are not adjusted for twice
    assert found.ancova.adjusted_for == ("outcome before (2016)", "outcome before (2017)", "size")


@pytest.mark.parametrize("option", [NearestNeighbour(ratio=3, replacement=True), FullMatching(), EntropyBalancing()])
def test_the_kernel_is_the_regression_whatever_the_weights(option):
    frame, *_ = schools()
    design, before, after = designed(frame, option)
    found = after_matching(design, before, after)
    columns = np.column_stack([before.to_numpy(), frame["size"]])
    value = covariance_adjusted(after.to_numpy(), columns, design.baseline.is_treated, design.weights)
    assert value == pytest.approx(found.ancova.estimate.value, abs=1e-9)


def test_rows_names_years_and_units_of_measurement_do_not_matter():
    frame, design, before, after = schools()
    first = values(after_matching(design, before, after))
    shuffled = frame.sample(frac=1, random_state=2)
    assert np.array_equal(values(after_matching(*designed(shuffled))), first)
    renamed = frame.assign(school="x" + frame["school"])
    assert np.array_equal(values(after_matching(*designed(renamed))), first)
    later = before.set_axis([2019, 2020], axis=1)
    assert np.array_equal(values(after_matching(design, later, after)), first)
    scaled = frame.assign(**{name: 10 * frame[name] for name in ("score_2016", "score_2017", "after")})
    assert values(after_matching(*designed(scaled))) == pytest.approx(10 * first, rel=1e-9)
    shifted = after_matching(design, before, after + 7)
    assert values(shifted) == pytest.approx(first, abs=1e-9)


def test_what_is_given_stays_as_it_was():
    _, design, before, after = schools()
    copies = before.copy(), after.copy()
    after_matching(design, before, after)
    pd.testing.assert_frame_equal(before, copies[0])
    pd.testing.assert_series_equal(after, copies[1])


def test_without_an_outcome_before_the_difference_leads_and_change_says_why_not():
    _, design, before, after = schools()
    found = after_matching(design, before[[]], after)
    assert found.asked == "difference"
    assert isinstance(found.change, Unavailable)
    assert "not observed before" in found.change.reason
    assert isinstance(found.bracket, Unavailable)
    assert found.ancova.adjusted_for == ("score_2016", "score_2017", "size")
    with pytest.raises(DesignError, match="Ask for the difference"):
        after_matching(design, before[[]], after, "change")


def test_too_few_comparison_units_have_no_line():
    design, before, after = six()
    found = after_matching(design, before, after)
    assert isinstance(found.ancova, Unavailable)
    assert "too few for a line" in found.ancova.reason
    assert found.bracket == found.ancova


def test_an_error_that_cannot_be_made_leaves_the_estimate():
    frame, *_ = schools()
    design, before, after = designed(frame.assign(area=1))
    found = after_matching(design, before, after, options=EffectOptions(cluster="area", errors="CR2"))
    for name in AFTER_NAMES:
        effect = found.of(name)
        assert isinstance(effect.estimate.std_error, Unavailable)
        assert "one cluster" in effect.estimate.std_error.reason
    plain = after_matching(design, before, after)
    assert values(found) == pytest.approx(values(plain), abs=1e-9)


def test_a_unit_without_an_outcome_is_refused_or_left_out_with_its_partner():
    frame, design, before, after = schools()
    lost = frame["school"].eq(design.baseline.units.index[np.flatnonzero(design.is_used)[0]]).to_numpy()
    gone = after.where(~lost)
    with pytest.raises(DataError, match="not finite for 1 matched unit"):
        after_matching(design, before, gone)
    left = without_units(design, lost)
    assert left.n_treated == design.n_treated - 1
    assert left.n_comparison == design.n_comparison - 1
    kept = left.is_used
    by_hand = (
        after[kept & (frame["treated"] == 1).to_numpy()].mean()
        - after[kept & (frame["treated"] == 0).to_numpy()].mean()
    )
    assert after_matching(left, before, gone).difference.estimate.value == pytest.approx(by_hand)


@pytest.mark.parametrize("option", [FullMatching(), EntropyBalancing(), NearestNeighbour(ratio=2, replacement=True)])
def test_a_design_without_some_units_weighs_the_others_as_many(option):
    frame, *_ = schools()
    design = designed(frame, option)[0]
    lost = np.zeros(len(design.weights), dtype=bool)
    lost[np.flatnonzero(design.is_used)[::7]] = True
    left = without_units(design, lost)
    assert not left.weights[lost].any()
    for arm in (design.baseline.is_treated, ~design.baseline.is_treated):
        assert left.weights[arm].sum() == pytest.approx(np.count_nonzero(left.weights[arm]))
    assert without_units(design, np.zeros(len(lost), dtype=bool)) is design


def test_the_effect_lies_between_the_two_where_low_scores_were_chosen():
    # chosen on a low last score, matched on size alone: change holds the regain of a passing low, covariance does not
    found = []
    for seed in range(12):
        frame, *_ = schools(n=600, seed=seed, noise=1.5)
        found.append(values(after_matching(*designed(frame, covariates=("size",)))))
    change, ancova, difference = np.mean(found, axis=0)  # standard errors of the means are some 0.1
    assert change > 1.2
    assert ancova == pytest.approx(1.0, abs=0.3)
    assert difference < 0
