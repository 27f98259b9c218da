"""A matched design feeds every staggered estimator with its weights and clusters."""

import numpy as np
import pandas as pd
import pytest

import evalkit
from evalkit.core.errors import DesignError
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.matching.match import match
from evalkit.design.matching.options import EntropyBalancing, NearestNeighbour, Subclassification
from evalkit.estimate.matched.matched_panel import matched_panel

ROLES = Roles(unit="school", period="year", outcome="score", cohort="start")
YEARS = [2016, 2017, 2018, 2019]


@pytest.fixture(scope="module")
def world():
    """120 schools over four years; the 15 treated from 2018 were low in 2017, and gain one point."""
    random = np.random.default_rng(8)
    n = 120
    usual = random.normal(100, 2, size=n)
    wide = pd.DataFrame({year: usual + random.normal(0, 1, size=n) for year in YEARS})
    treated = np.argsort(wide[2017] + random.normal(0, 3, size=n))[:15]
    wide.loc[treated, [2018, 2019]] += 1.0
    ids = [f"S{at}" for at in range(n)]
    base = pd.DataFrame({"school": ids, "before": wide[2016], "last": wide[2017], "joined": 0})
    base.loc[treated, "joined"] = 1
    long = wide.assign(school=ids, start=np.where(base["joined"] == 1, 2018.0, np.nan)).melt(
        id_vars=["school", "start"], var_name="year", value_name="score"
    )
    baseline = Baseline.from_frame(base, BaselineRoles(treated="joined", covariates=("before", "last"), unit="school"))
    return baseline, Panel.from_frame(long, ROLES), wide.set_axis(pd.Index(ids, name="unit")), long


@pytest.mark.parametrize("option", [NearestNeighbour(ratio=2), NearestNeighbour(replacement=True), EntropyBalancing()])
def test_the_effect_is_the_weighted_difference_of_changes(world, option):
    baseline, panel, wide, _ = world
    design = match(baseline, option)
    matched = matched_panel(panel, design)
    effects = evalkit.group_time_effects(evalkit.staggered_design(matched))
    cells = evalkit.staggered_results(effects).group_time
    found = {cell.period: cell.estimate for cell in cells}
    change = (wide[2019] - wide[2017]).loc[baseline.units.index].to_numpy()
    is_treated = baseline.is_treated
    expected = change[is_treated].mean() - np.average(change[~is_treated], weights=design.weights[~is_treated])
    assert found[2019] == pytest.approx(expected, abs=1e-10)


def test_pairs_become_clusters_where_no_unit_is_in_two(world):
    baseline, panel, _, _ = world
    pairs = match(baseline, NearestNeighbour())
    assert matched_panel(panel, pairs).frame["cluster"].nunique() == 15
    assert matched_panel(panel, pairs, clusters="unit").frame["cluster"].nunique() == 30
    six = match(baseline, Subclassification())
    assert matched_panel(panel, six).frame["cluster"].nunique() == six.n_treated + six.n_comparison
    shared = match(baseline, NearestNeighbour(replacement=True))
    assert matched_panel(panel, shared).frame["cluster"].nunique() == shared.n_treated + shared.n_comparison


def test_every_estimator_runs_on_a_matched_panel(world):
    baseline, panel, _, _ = world
    matched = matched_panel(panel, match(baseline, NearestNeighbour(ratio=3)))
    design = evalkit.staggered_design(matched)
    found = [
        evalkit.staggered_results(estimate(design)).simple.estimate
        for estimate in (
            evalkit.group_time_effects,
            evalkit.imputation_effects,
            evalkit.sun_abraham_effects,
            evalkit.two_stage_effects,
            evalkit.extended_effects,
        )
    ]
    found.append(evalkit.two_way_effect(matched).estimate.value)
    assert found == pytest.approx([1.0] * 6, abs=0.9)


def test_a_unit_that_is_not_in_the_panel_is_refused(world):
    baseline, _, _, long = world
    design = match(baseline, NearestNeighbour())
    lost = baseline.units.index[design.is_used][0]
    panel = Panel.from_frame(long[long["school"] != lost], ROLES)
    with pytest.raises(DesignError, match=rf"1 unit that the design uses is not in the panel \({lost}\)"):
        matched_panel(panel, design)


def test_ids_of_another_kind_and_cohorts_of_the_wrong_units_are_refused(world):
    baseline, _, _, long = world
    design = match(baseline, NearestNeighbour())
    numbers = long.assign(school=long["school"].str[1:].astype(int))
    with pytest.raises(DesignError, match="Read both with ids as texts"):
        matched_panel(Panel.from_frame(numbers, ROLES), design)
    with pytest.raises(DesignError, match="treated in the design and has no cohort"):
        matched_panel(Panel.from_frame(long.assign(start=np.nan), ROLES), design)


def test_the_panel_given_stays_as_it_was(world):
    baseline, panel, _, _ = world
    before = panel.frame.copy()
    matched_panel(panel, match(baseline, NearestNeighbour()))
    pd.testing.assert_frame_equal(panel.frame, before)
