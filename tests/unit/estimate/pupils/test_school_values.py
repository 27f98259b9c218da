"""School values by hand, and that the model's effect is their weighted difference."""

import numpy as np
import pandas as pd
import pytest

from evalkit.data.panel import CrossSections
from evalkit.data.roles import Roles
from evalkit.estimate.pupils.multilevel import CONSTANT, two_level_model
from evalkit.estimate.pupils.school_values_arrays import (
    difference,
    pupils_difference,
    school_changes,
    school_levels,
)
from evalkit.estimate.pupils.sections import PERIOD, two_level_did
from evalkit.estimate.pupils.two_level import PupilColumns


def test_levels_by_hand():
    # school 0: 2 and 4, mean 3; school 1: 10; school 2 has nobody. λ = 0.5: 2/(1 + 1) = 1, 1/(1 + 0.5) = 2/3
    found = school_levels(np.array([2.0, 10.0, 4.0]), np.array([0, 1, 0]), 0.5, 3)
    assert found.value[:2].tolist() == [3.0, 10.0]
    assert np.isnan(found.value[2])
    assert found.weight == pytest.approx([1.0, 2 / 3, 0.0])
    assert found.after.tolist() == [2, 1, 0]


def test_changes_by_hand():
    # λ = 1. School 0: before 1, 3 (mean 2, weight 2/3), after 8 (weight 1/2): change 6, weight (1/3)/(7/6) = 2/7.
    # School 1 has nobody after: no change.
    school, part = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 0])
    found = school_changes(np.array([1.0, 3.0, 8.0, 5.0]), school, part, np.array([False, True]), 1.0)
    assert found.value[0] == 6.0
    assert np.isnan(found.value[1])
    assert found.weight == pytest.approx([2 / 7, 0.0])
    assert found.before.tolist() == [2, 1]
    assert found.after.tolist() == [1, 0]


def test_several_periods_of_a_span_weigh_by_what_they_tell():
    # λ = 1, school in three periods, the first two before: means 4 (one pupil, 1/2) and 1 (three pupils, 3/4), so that
    # before is (4/2 + 3/4)/(5/4) = 2.2; after 3 (one pupil, 1/2): change 0.8, weight (5/4 · 1/2)/(7/4) = 5/14
    part = np.array([0, 1, 1, 1, 2])
    found = school_changes(
        np.array([4.0, 1.0, 1.0, 1.0, 3.0]), np.zeros(5, dtype=int), part, np.array([False, False, True]), 1.0
    )
    assert found.value[0] == pytest.approx(0.8)
    assert found.weight[0] == pytest.approx(5 / 14)


def test_pupils_by_hand():
    # treated: 1 before, 6 after; others: 2 before (1 and 3), 4 after: (6 − 4) − (1 − 2) = 3
    found = pupils_difference(
        np.array([1.0, 6.0, 1.0, 3.0, 4.0]),
        np.array([True, True, False, False, False]),
        np.array([2017, 2018, 2017, 2017, 2018]),
        np.array([False, True, False, False, True]),
    )
    assert found == 3.0


@pytest.fixture(scope="module")
def pupils():
    rng = np.random.default_rng(4)
    size = rng.poisson(9, 24 * 4) + 1
    cell = np.repeat(np.arange(24 * 4), size)
    frame = pd.DataFrame({"school": cell // 4, "year": 2015 + cell % 4})
    frame["start"] = np.where(frame["school"] < 9, 2017.0, np.nan)
    frame["prior"] = rng.normal(size=len(frame)) + 0.3 * rng.normal(size=24)[frame["school"]]
    frame["score"] = (
        frame["prior"] + rng.normal(size=96)[cell] + rng.normal(size=len(frame)) + 0.2 * (frame["year"] - 2015)
    )
    return frame


@pytest.mark.parametrize("shock", ["span", "period"])
def test_the_effect_on_changes_is_the_weighted_difference_of_school_changes(pupils, shock):
    roles = Roles(
        unit="school", period="year", outcome="score", cohort="start", cluster="school", covariates=("prior",)
    )
    model = two_level_did(CrossSections.from_frame(pupils, roles), shock)
    known = {one.name: one.estimate.value for one in model.coefficients}
    year = pupils["year"].map(lambda at: known.get(f"{PERIOD}{at}", 0.0)).to_numpy()
    adjusted = (pupils["score"] - known["prior"] * pupils["prior"]).to_numpy() - year
    after = np.array([False, False, True, True])
    part = (pupils["year"] - 2015).to_numpy()
    parts = (part, after) if shock == "period" else (after[part].astype(int), np.array([False, True]))
    ratio = model.conditional.between / model.conditional.within
    found = school_changes(adjusted, pupils["school"].to_numpy(), parts[0], parts[1], ratio)
    assert difference(found.value, found.weight, np.arange(24) < 9) == pytest.approx(model.effect.value, abs=1e-9)


def test_the_effect_on_one_wave_is_the_weighted_difference_of_school_means(pupils):
    one = pupils[pupils["year"] == 2018].assign(treated=lambda frame: frame["start"].notna().astype(float))
    columns = PupilColumns(outcome="score", school="school", treated="treated", covariates=("prior",))
    model = two_level_model(one, columns)
    known = {each.name: each.estimate.value for each in model.coefficients}
    adjusted = (one["score"] - known["prior"] * one["prior"] - known[CONSTANT]).to_numpy()
    ratio = model.conditional.between / model.conditional.within
    found = school_levels(adjusted, one["school"].to_numpy(), ratio, 24)
    assert difference(found.value, found.weight, np.arange(24) < 9) == pytest.approx(model.effect.value, abs=1e-9)
