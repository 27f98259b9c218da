"""What must not matter does not, and what scales the outcome scales the effect."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.core.project import Exposure, InferenceChoices
from evalkit.core.quantities import Estimand
from evalkit.data.baseline import Baseline
from evalkit.data.panel import Panel
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.roles import Roles
from evalkit.design.project.areas import neighbour_comparisons
from evalkit.design.project.group_matching import GroupNeighbours, match_groups
from evalkit.estimate.areas.area_effects import effects_by_area, effects_of_matches
from evalkit.estimate.areas.effect_records import EffectKey, permutation_effect
from evalkit.estimate.areas.sample import changes_to

EXPOSURE = Exposure(pre=(2016, 2017), partial=(2018,), post=(2019,))
ROLES = Roles(unit="school", period="year", outcome="score", cohort="start", cluster="area")
OWN, AREAS = 340, tuple(range(340, 365))
KEY = EffectKey(
    outcome="READPROG", role="primary", design="neighbours", period="post", estimand=Estimand.AREA_ITT, method="m",
    n_treated_clusters=1,
)  # fmt: skip
NEIGHBOURS = NeighbourTable({a: tuple(np.roll(AREAS, -i - 1)[:5].tolist()) for i, a in enumerate(AREAS)}, {}, {}, 0)


def england(seed=0):
    """Twenty-five areas of six schools over four years, as a long table."""
    rng = np.random.default_rng(seed)
    schools = [f"{100_000 + i}" for i in range(6 * len(AREAS))]
    area = np.repeat(AREAS, 6)
    score = rng.normal(size=(len(schools), 4)) + rng.normal(size=(len(AREAS), 4))[np.repeat(np.arange(len(AREAS)), 6)]
    start = np.where(area == OWN, 2018.0, np.nan)
    frames = [
        pd.DataFrame({"school": schools, "year": year, "score": score[:, i], "area": area, "start": start})
        for i, year in enumerate(EXPOSURE.years)
    ]
    return pd.concat(frames, ignore_index=True)


def both_designs(table, exposure=EXPOSURE):
    """Return the effects against neighbours and against matched schools."""
    panel = Panel.from_frame(table, ROLES)
    changes = changes_to(panel, exposure, exposure.post)
    comparisons = neighbour_comparisons(AREAS, NEIGHBOURS, {OWN: (OWN,)}, [])
    wide = panel.wide()[list(exposure.pre)]
    units = pd.DataFrame({"group": panel.by_unit()["cluster"], "region": "N", "is_treated": False})
    baseline = Baseline.of(units, wide.set_axis(["first", "second"], axis=1), exposure.pre, min(exposure.partial))
    matches = match_groups(baseline, GroupNeighbours(covariates=("first", "second")), list(AREAS), OWN)
    return effects_by_area(changes, comparisons, OWN, 5), effects_of_matches(changes, matches, OWN, 5)


def reported(table, exposure=EXPOSURE):
    return [permutation_effect(KEY, found, OWN, InferenceChoices()) for found in both_designs(table, exposure)]


def same(one, other, factor=1.0):
    for a, b in zip(one, other, strict=True):
        assert b.estimate == pytest.approx(factor * a.estimate, abs=1e-10)
        assert b.interval.lower == pytest.approx(factor * a.interval.lower, abs=1e-10)
        assert b.interval.upper == pytest.approx(factor * a.interval.upper, abs=1e-10)
        assert (b.p_value, b.p_value_one_sided) == (a.p_value, a.p_value_one_sided)
        assert b.permutation.rank == a.permutation.rank
        assert b.permutation.studentised_p == a.permutation.studentised_p
        assert (b.n_treated, b.n_comparison) == (a.n_treated, a.n_comparison)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 1_000_000))
def test_the_order_of_rows_does_not_matter(seed):
    table = england()
    same(reported(table), reported(table.sample(frac=1, random_state=seed)))


def test_the_names_of_schools_do_not_matter_where_no_distances_tie():
    table = england()
    names = np.random.default_rng(1).permutation(table["school"].unique())
    renamed = table.assign(school=table["school"].map(dict(zip(table["school"].unique(), names, strict=True))))
    same(reported(table), reported(renamed))


def test_years_are_labels():
    later = Exposure(pre=(2026, 2027), partial=(2028,), post=(2029,))
    table = england()
    same(reported(table), reported(table.assign(year=table["year"] + 10, start=table["start"] + 10), later))


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.floats(0.01, 100))
def test_rescaling_the_outcome_scales_effects_and_leaves_p_values(factor):
    table = england()
    same(reported(table), reported(table.assign(score=table["score"] * factor)), factor)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.floats(-50, 50))
def test_a_constant_added_to_every_score_does_not_matter(constant):
    table = england()
    same(reported(table), reported(table.assign(score=table["score"] + constant)))


def test_a_constant_added_to_one_year_does_not_matter():
    table = england()
    same(reported(table), reported(table.assign(score=table["score"] + (table["year"] == 2019) * 3.0)))


def test_an_effect_added_to_the_treated_moves_the_estimate_and_the_interval_by_itself():
    table = england()
    treated = (table["area"] == OWN) & (table["year"] == 2019)
    before, after = reported(table), reported(table.assign(score=table["score"] + treated * 0.7))
    for a, b in zip(before, after, strict=True):
        assert b.estimate - a.estimate == pytest.approx(0.7)
        assert b.interval.lower - a.interval.lower == pytest.approx(0.7)
        assert b.interval.upper - a.interval.upper == pytest.approx(0.7)


def test_an_effect_added_to_the_treated_moves_no_other_area():
    table = england()
    treated = (table["area"] == OWN) & (table["year"] == 2019)
    for a, b in zip(both_designs(table), both_designs(table.assign(score=table["score"] + treated * 9.0)), strict=True):
        others = a.groups != OWN
        np.testing.assert_array_equal(a.effects[others], b.effects[others])


def test_the_table_given_is_left_as_it_was():
    table = england()
    before = table.copy(deep=True)
    reported(table)
    pd.testing.assert_frame_equal(table, before)


def test_same_input_same_output():
    one, other = reported(england()), reported(england())
    assert [replace(a) for a in one] == other
