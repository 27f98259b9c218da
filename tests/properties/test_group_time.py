"""What must not matter to group-time effects does not, and what must does in the right measure."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.data.panel import CrossSections, Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.staggered.bands import Uncertainty
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.results import staggered_results

ROOT = Path(__file__).resolve().parents[2]
METHODS, DATA = ("dr", "ipw", "reg"), ("panel", "pairs", "levels", "sections")
CASES = [(method, data) for method in METHODS for data in DATA]


def table(data="panel", seed=1):
    """Return 90 units of cohorts 3 and 4 and of the never-treated over four periods, with covariates and weights."""
    random = np.random.default_rng(seed)
    n, periods = 90, np.arange(1, 5)
    cohort = random.choice([3.0, 4.0, np.nan], n)
    rows = pd.DataFrame({"unit": [f"u{i:03}" for i in range(n)], "cohort": cohort, "area": random.integers(0, 30, n)})
    rows = rows.assign(x=random.normal(size=n) + 0.3 * np.isnan(cohort), z=random.random(n), w=random.uniform(1, 2, n))
    rows = rows.loc[np.repeat(np.arange(n), 4)].assign(period=np.tile(periods, n)).reset_index(drop=True)
    rows["y"] = random.normal(size=len(rows)) + rows["x"] * rows["period"] + (rows["period"] >= rows["cohort"])
    if data == "sections":
        rows["unit"] = [f"r{i:03}" for i in random.permutation(len(rows))]
    return rows[random.random(len(rows)) > 0.06].reset_index(drop=True) if data in ("pairs", "levels") else rows


def roles(covariates=("x", "z"), weight="w"):
    return Roles(
        unit="unit", period="period", outcome="y", cohort="cohort", cluster="area", weight=weight, covariates=covariates
    )


def results(rows, case, chosen=None, errors=None, **options):
    """Return analytic results of a table."""
    method, data = case
    source = CrossSections if data == "sections" else Panel
    given_options = StaggeredOptions(unbalanced="levels" if data == "levels" else "pairs", **options)
    design = staggered_design(source.from_frame(rows, chosen or roles()), given_options)
    return staggered_results(group_time_effects(design, method), errors)


def numbers(found):
    """Return estimates and standard errors of cells and summaries."""
    groups = [group for name in ("by_cohort", "event_study", "calendar") for group in [getattr(found, name)]]
    every = [*found.group_time, found.simple, *(group.overall for group in groups)]
    every += [part for group in groups for part in group.parts]
    return np.array([one.estimate for one in every]), np.array([one.std_error for one in every])


def same(one, other, factor=1.0, of_errors=None):
    (value, error), (other_value, other_error) = numbers(one), numbers(other)
    assert other_value == pytest.approx(factor * value, rel=1e-8, abs=1e-9 * abs(factor))
    assert other_error == pytest.approx((abs(factor) if of_errors is None else of_errors) * error, rel=1e-8)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from(CASES))
def test_the_order_of_rows_does_not_matter(seed, case):
    rows = table(case[1])
    same(results(rows, case), results(rows.sample(frac=1, random_state=seed), case))


def test_draws_do_not_depend_on_the_order_of_rows_of_a_panel():
    rows, options = table(), Uncertainty(n_draws=99)
    one, other = (
        staggered_results(group_time_effects(staggered_design(Panel.from_frame(given, roles()))), options)
        for given in (rows, rows.sample(frac=1, random_state=3))
    )
    same(one, other)


@pytest.mark.parametrize("case", CASES)
def test_names_of_units_and_clusters_do_not_matter(case):
    rows = table(case[1])
    names = rows["unit"].unique()
    renamed = dict(zip(names, np.random.default_rng(2).permutation(10_000)[: len(names)], strict=True))
    same(results(rows, case), results(rows.assign(unit=rows["unit"].map(renamed), area=(7 * rows["area"]) % 31), case))


@pytest.mark.parametrize("case", CASES)
def test_years_are_labels(case):
    rows = table(case[1])
    later = rows.assign(period=rows["period"] + 2015, cohort=rows["cohort"] + 2015)
    one, other = results(rows, case), results(later, case)
    same(one, other)
    assert [p.label for p in one.event_study.parts] == [p.label for p in other.event_study.parts]
    assert [p.label + 2015 for p in one.by_cohort.parts] == [p.label for p in other.by_cohort.parts]


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.floats(-1e4, 1e4).filter(lambda f: abs(f) > 1e-4), st.sampled_from(CASES))
def test_rescaling_the_outcome_scales_effects_and_errors(factor, case):
    rows = table(case[1])
    same(results(rows, case), results(rows.assign(y=factor * rows["y"]), case), factor)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from([case for case in CASES if case[1] in ("panel", "pairs")]))
def test_unit_and_period_effects_do_not_matter_to_panels(seed, case):
    random, rows = np.random.default_rng(seed), table(case[1])
    units = dict(zip(rows["unit"].unique(), 10 * random.normal(size=rows["unit"].nunique()), strict=True))
    periods = dict(zip(range(1, 5), 10 * random.normal(size=4), strict=True))
    shifted = rows.assign(y=rows["y"] + rows["unit"].map(units) + rows["period"].map(periods))
    same(results(rows, case), results(shifted, case))


@pytest.mark.parametrize("case", CASES)
def test_period_effects_do_not_matter(case):
    rows = table(case[1])
    same(results(rows, case), results(rows.assign(y=rows["y"] + rows["period"] ** 2), case))


@pytest.mark.parametrize("case", CASES)
def test_an_effect_added_to_a_cohort_after_its_start_is_found_in_full(case):
    rows = table(case[1])
    more = rows.assign(y=rows["y"] + 2.5 * (rows["period"] >= rows["cohort"]))
    (before, errors), (after, other_errors) = numbers(results(rows, case)), numbers(results(more, case))
    cells = results(rows, case).group_time
    assert after[: len(cells)] - before[: len(cells)] == pytest.approx([2.5 * (c.period >= c.cohort) for c in cells])
    assert after[len(cells)] - before[len(cells)] == pytest.approx(2.5)
    assert other_errors == pytest.approx(errors)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.floats(1e-6, 1e6), st.sampled_from(CASES))
def test_the_scale_of_weights_does_not_matter(factor, case):
    rows = table(case[1])
    same(results(rows, case), results(rows.assign(w=factor * rows["w"]), case))


@pytest.mark.parametrize("case", CASES)
def test_a_sample_twice_has_errors_smaller_by_the_root_of_two(case):
    rows = table(case[1])
    copy = rows.assign(unit=rows["unit"] + "b", area=rows["area"] + 100)
    plain = Uncertainty(errors="plain")  # few clusters' errors shrink faster: twice as many are known better too
    one, twice = results(rows, case, errors=plain), results(pd.concat([rows, copy]), case, errors=plain)
    same(one, twice, of_errors=np.sqrt(0.5))


@pytest.mark.parametrize("case", CASES)
def test_the_order_and_the_units_of_covariates_do_not_matter(case):
    rows = table(case[1])
    plain = results(rows, case)
    same(plain, results(rows, case, roles(("z", "x"))))
    same(plain, results(rows.assign(x=1e-6 * rows["x"], z=5000 + 100 * rows["z"]), case))
    same(plain, results(rows.assign(z=rows["z"] - 2 * rows["x"]), case))  # the same plane


@pytest.mark.parametrize("case", CASES)
def test_the_caller_s_table_is_left_alone(case):
    rows = table(case[1])
    before = rows.copy(deep=True)
    results(rows, case, comparison="not-yet")
    pd.testing.assert_frame_equal(rows, before)


@pytest.mark.parametrize("method", METHODS)
def test_levels_of_a_balanced_panel_are_the_panel(method):
    same(results(table(), (method, "panel")), results(table(), (method, "levels")))


@pytest.mark.parametrize("comparison", ["never", "not-yet"])
def test_cross_sections_clustered_by_unit_are_the_balanced_panel_without_covariates(comparison):
    """Four means of the same units in both periods are two means of changes, and clusters add the four deviations."""
    by_unit = Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="unit")
    one = results(table(), ("dr", "panel"), by_unit, comparison=comparison)
    other = results(table(), ("dr", "sections"), by_unit, comparison=comparison)
    same(one, other)


def test_methods_without_covariates_are_one():
    found = [results(table("pairs"), (method, "pairs"), roles(())) for method in METHODS]
    same(found[0], found[1])
    same(found[0], found[2])


PRINTED = """
import dataclasses, sys
sys.path.insert(0, sys.argv[1])
import test_group_time as t
for case in [("dr", "pairs"), ("ipw", "sections"), ("reg", "levels")]:
    rows = t.table(case[1])
    source = t.CrossSections if case[1] == "sections" else t.Panel
    design = t.staggered_design(source.from_frame(rows, t.roles()), t.StaggeredOptions(comparison="not-yet"))
    print(dataclasses.asdict(t.staggered_results(t.group_time_effects(design, case[0]), t.Uncertainty(n_draws=99))))
"""


def test_the_hash_seed_does_not_change_a_byte():
    command = [sys.executable, "-c", PRINTED, str(Path(__file__).parent)]
    both = [
        subprocess.Popen(
            command, env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
        )
        for seed in ("0", "1")
    ]
    printed = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len(printed[0]) > 5000
    assert printed[0] == printed[1]
