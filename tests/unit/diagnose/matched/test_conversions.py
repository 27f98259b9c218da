"""Conversions as a co-intervention: counts by arm, fixed thresholds, the estimate without them and given them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evalkit.core.project import Exposure
from evalkit.core.quantities import Unavailable
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import NearestNeighbour
from evalkit.diagnose.conversions import ArmConversions, conversions_finding
from evalkit.diagnose.finding import Verdict
from evalkit.diagnose.kinds.matched_conversions import given_conversion, matched_conversions, without_converters
from evalkit.estimate.matched.after_matching import after_matching

# A converted and gained 5, B did not and gained 2; of those compared c and d converted (3, 1), e to h did not.
UNITS = list("ABcdefgh")
TREATED = np.array([1, 1, 0, 0, 0, 0, 0, 0], dtype=bool)
CONVERTED = np.array([1, 0, 1, 1, 0, 0, 0, 0], dtype=bool)
CHANGE = np.array([5.0, 2.0, 3.0, 1.0, 0.0, 0.0, 2.0, 2.0])
EXPOSURE = Exposure(pre=(2016, 2017), partial=(2018,), post=(2019,))


def design_of(order=None, weights=None):
    order = np.arange(len(UNITS)) if order is None else order
    frame = pd.DataFrame({"unit": UNITS, "treated": TREATED, "size": np.arange(8.0)}).iloc[order]
    baseline = Baseline.from_frame(frame, BaselineRoles(treated="treated", covariates=("size",), unit="unit"))
    return MatchedDesign(
        baseline=baseline,
        option=NearestNeighbour(),
        target="ATT",
        weights=np.ones(8) if weights is None else weights,
        discarded=np.zeros(8, dtype=bool),
    )


def values_of(change=CHANGE):
    before = pd.DataFrame({2016: np.arange(8.0), 2017: np.arange(8.0)}, index=UNITS)
    return before, before[2017] + pd.Series(change, UNITS)


def records_of(units=UNITS):
    return SimpleNamespace(schools=pd.DataFrame({"is_converted": CONVERTED[: len(units)]}, index=units))


def found_of(change=CHANGE, asked="change", order=None):
    design, values = design_of(order), values_of(change)
    return design, after_matching(design, *values, asked), values


def test_without_and_given_conversion_by_hand():
    design, estimates, values = found_of()
    # all: (5 + 2)/2 − (3 + 1 + 0 + 0 + 2 + 2)/6 = 3.5 − 1.333…
    assert estimates.main.estimate.value == pytest.approx(13 / 6)
    # without: B alone, 2 − (0 + 0 + 2 + 2)/4 = 1
    assert without_converters(design, estimates, CONVERTED, values) == pytest.approx(1.0)
    # given: half of the treated converted: ½(5 − (3 + 1)/2) + ½(2 − 1) = ½·3 + ½·1
    assert given_conversion(design, estimates, CONVERTED, values) == pytest.approx(2.0)


@pytest.mark.parametrize("asked", ["change", "difference", "ancova"])
def test_a_planted_effect_of_conversion_is_taken_out(asked):
    # every school gains 0.3 × size; the programme 1, conversion 2: the estimate bears 2 × (1/2 − 1/3) of it
    before = pd.DataFrame({2016: np.zeros(8), 2017: np.zeros(8)}, index=UNITS)
    after = pd.Series(1.0 * TREATED + 2.0 * CONVERTED, UNITS)
    design = design_of()
    estimates = after_matching(design, before, after, "change" if asked == "change" else "difference")
    assert estimates.main.estimate.value == pytest.approx(1 + 2 * (1 / 2 - 1 / 3))
    told = SimpleNamespace(asked=asked, main=estimates.main)
    assert given_conversion(design, told, CONVERTED, (before, after)) == pytest.approx(1.0)
    if asked != "ancova":
        assert without_converters(design, told, CONVERTED, (before, after)) == pytest.approx(1.0)


def test_order_scale_and_the_callers_frames():
    order = np.random.default_rng(3).permutation(8)
    design, estimates, values = found_of(10 * CHANGE, order=order)
    kept = [frame.copy() for frame in values]
    by_unit = pd.Series(CONVERTED, UNITS).reindex(design.baseline.units.index).to_numpy()
    values = tuple(frame.reindex(design.baseline.units.index) for frame in values)
    assert given_conversion(design, estimates, by_unit, values) == pytest.approx(20.0)
    assert without_converters(design, estimates, by_unit, values) == pytest.approx(10.0)
    for frame, before in zip(values_of(10 * CHANGE), kept, strict=True):
        assert frame.equals(before)


def test_what_cannot_be_given_says_why():
    design, estimates, values = found_of()
    none = given_conversion(design, estimates, CONVERTED & TREATED, values)
    assert isinstance(none, Unavailable)
    assert "none did" in none.reason
    assert isinstance(without_converters(design, estimates, TREATED, values), Unavailable)


def test_the_finding_counts_by_arm_and_by_weight():
    design, estimates, values = found_of()
    found = matched_conversions({"KS2": records_of()}, "KS2", EXPOSURE, design, estimates, values)
    # 1 of 2 (50%) and 2 of 6 (33.3%): 16.7 points apart, above 10
    assert found.verdict is Verdict.SERIOUS
    assert found.statistic == pytest.approx(1 / 6)
    assert "1 of 2 treated schools (50.0%) and 2 of 6 compared ones (33.3%)" in found.sentence
    assert "tests of 2017 and those of 2019" in found.sentence
    arm = ArmConversions.of(np.array([True, False, True, False]), np.array([3.0, 1.0, 0.0, 1.0]))
    assert (arm.n_schools, arm.n_converted, arm.share) == (3, 1, pytest.approx(0.6))  # 3/(3 + 1 + 1)
    assert arm.told("schools") == "1 of 3 schools (33.3%, 60.0% by weight)"


@pytest.mark.parametrize(
    ("published", "verdict"),
    [(None, Verdict.NOT_ASSESSABLE), (UNITS[:-1], Verdict.NOT_ASSESSABLE), (UNITS, Verdict.SERIOUS)],
)
def test_units_whose_results_were_not_read_are_not_said_to_have_kept_their_identity(published, verdict):
    # an own table says "not converted" of schools of which nothing was read: known to a list or not
    design, estimates, values = found_of()
    records = {"tests": records_of()} if published is None else {"tests": records_of(), "KS2": records_of(published)}
    assert matched_conversions(records, "tests", EXPOSURE, design, estimates, values).verdict is verdict


@pytest.mark.parametrize(
    ("n_converted", "verdict"), [(4, Verdict.REASSURING), (7, Verdict.CAUTION), (12, Verdict.SERIOUS)]
)
def test_the_thresholds_are_fixed(n_converted, verdict):
    treated = ArmConversions(n_schools=100, n_converted=n_converted, share=n_converted / 100)
    compared = ArmConversions(n_schools=100, n_converted=0, share=0.0)
    assert conversions_finding(treated, compared, (2017, 2019)).verdict is verdict


def test_an_empty_arm_is_not_assessable():
    nobody = ArmConversions.of(np.array([True]), np.array([0.0]))
    assert conversions_finding(nobody, nobody, (2017, 2019)).verdict is Verdict.NOT_ASSESSABLE
