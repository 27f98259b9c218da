"""Numbers of relabelled panels from sums by cohort: against reruns of every estimator, and by hand."""

import numpy as np
import pandas as pd
import pytest

from evalkit import Panel, Roles, StaggeredOptions, overall_effect, staggered_design
from evalkit.core.errors import DesignError
from evalkit.estimate.areas.set_draws import SetOptions, Sets, draw_sets, one_at_a_time
from evalkit.estimate.areas.sets import set_statistics
from evalkit.estimate.staggered.relabelled import (
    UnlistedUnits,
    effects_of,
    numbers_of,
    relabelled_design,
    staggered_pool,
    staggered_sets,
    staggered_statistic,
)

ESTIMATORS = ("group-time", "imputation", "two-stage", "sun-abraham", "extended", "twfe")


def made_panel(n_areas=9, n_a=6, share_seen=1.0, weighted=False, seed=3):
    """Return a panel in which three units of area 0 and two of area 1 start in two different years."""
    rng = np.random.default_rng(seed)
    rows = []
    for area in range(n_areas):
        for k in range(n_a):
            start = {(0, 0): 2014, (0, 1): 2014, (0, 2): 2016, (1, 0): 2014, (1, 1): 2016}.get((area, k))
            if area in (0, 1) and start is None:
                continue
            level, weight = rng.normal(100, 5), rng.integers(10, 60) if weighted else 1
            for year in range(2011, 2018):
                if rng.random() < share_seen:
                    score = level + rng.normal() + (start is not None and year >= start)
                    rows.append((f"s{area}_{k}", area, year, score, start, weight))
    frame = pd.DataFrame(rows, columns=["school", "la", "year", "score", "start", "pupils"])
    roles = Roles(unit="school", period="year", outcome="score", cohort="start", cluster="la", weight="pupils")
    return Panel.from_frame(frame, roles)


def statistic_of(panel, estimator, until=None, **options):
    design = staggered_design(panel, StaggeredOptions(**options))
    area = design.panel.frame["cluster"].to_numpy(dtype=int)[design.panel.first_rows]
    return staggered_statistic(design, area, estimator, balanced_until=until)


def some_sets(statistic, n=3):
    """Return draws of three units of one area and two of another, with the starts of the list."""
    pool = staggered_pool(statistic.design, statistic.area, unlisted(statistic))
    return draw_sets(pool, SetOptions(n_sets=n, seed=5)).chunks(n)[0]


def unlisted(statistic):
    return UnlistedUnits(ids=("x0", "x1"), area=np.array([0, 1]), level=np.array([90.0, 95.0]))


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("comparison", ["never", "not-yet"])
@pytest.mark.parametrize("kind", ["balanced", "weighted", "gaps", "anticipation", "universal", "until"])
def test_sums_give_what_a_rerun_gives(estimator, comparison, kind):
    panel = made_panel(share_seen=0.9 if kind == "gaps" else 1.0, weighted=kind == "weighted")
    options = {"anticipation": 1} if kind == "anticipation" else {}
    options |= {"base_period": "universal"} if kind == "universal" else {}
    statistic = statistic_of(panel, estimator, comparison=comparison, until=1 if kind == "until" else None, **options)
    sets = some_sets(statistic)
    fast, slow = statistic(sets), one_at_a_time(statistic.rerun, sets)
    assert fast.shape == slow.shape == (3, len(statistic.numbers))
    assert np.isfinite(slow[:, 0]).all()
    np.testing.assert_allclose(fast, slow, rtol=0, atol=2e-11)


@pytest.mark.parametrize("estimator", ESTIMATORS[:-1])
def test_actual_labels_give_the_estimate(estimator):
    statistic = statistic_of(made_panel(), estimator)
    pool = staggered_pool(statistic.design, statistic.area, unlisted(statistic))
    found = staggered_sets(statistic, pool, SetOptions(n_sets=20, draws_more=False))
    effects = effects_of(statistic.design, estimator)
    assert found.observed[0] == pytest.approx(overall_effect(effects).estimate.value, abs=1e-11)
    told = [summary.estimate.value for summary in numbers_of(effects).values()]
    np.testing.assert_allclose(found.observed, told, atol=1e-11)


def test_the_effect_of_a_set_by_hand():
    """Two listed units in area 0, one starts in year 2, one in year 3; area 1 holds units c, d, area 2 e, f.

    With c in the place of a (start 2) and d in that of b (start 3) and e, f compared, whose means by year are 0, 1, 3:
    ATT(2, 2) = (5 - 1) - (1 - 0) = 3, ATT(2, 3) = (8 - 1) - (3 - 0) = 4, ATT(3, 3) = (4 - 2) - (3 - 1) = 0;
    cohorts of one unit each: (3 + 4 + 0)/3 = 7/3; event time 0: (3 + 0)/2 = 1.5, event time 1: 4.
    """
    scores = {"a": (0, 0, 0), "b": (0, 0, 0), "c": (1, 5, 8), "d": (2, 2, 4), "e": (0, 0, 2), "f": (0, 2, 4)}
    start, area = {"a": 2, "b": 3}, {"a": 0, "b": 0, "c": 1, "d": 1, "e": 2, "f": 2}
    rows = [(u, area[u], t, y, start.get(u)) for u, values in scores.items() for t, y in enumerate(values, 1)]
    frame = pd.DataFrame(rows, columns=["school", "la", "year", "score", "start"])
    panel = Panel.from_frame(frame, Roles(unit="school", period="year", outcome="score", cohort="start", cluster="la"))
    statistic = statistic_of(panel, "group-time")
    sets = Sets(members=np.array([[2, 3]]), place=np.array([0, 0]), areas=np.array([[1]]), start=np.array([2.0, 3.0]))
    # the year before: cohort 3 in year 2: (2 - 2) - (1 - 0) = -1; the mean over times from 0 on: (1.5 + 4)/2;
    # cohort 2: (3 + 4)/2; both cohorts of one unit: (3.5 + 0)/2; in year 3: (4 + 0)/2, over years 2 and 3: (3 + 2)/2
    expected = {
        ("overall", None): 7 / 3, ("times", None): 2.75, ("time", -1): -1, ("time", 0): 1.5, ("time", 1): 4,
        ("cohort", 2): 3.5, ("cohort", 3): 0, ("cohorts", None): 1.75,
        ("period", 2): 3, ("period", 3): 2, ("periods", None): 2.5,
    }  # fmt: skip
    found = {number[:2]: value for number, value in zip(statistic.numbers, statistic(sets)[0], strict=True)}
    assert {key: found[key] for key in expected} == pytest.approx(expected, abs=1e-12)


def test_nothing_depends_on_the_order_of_rows_on_years_units_or_chunks():
    panel = made_panel()
    statistic = statistic_of(panel, "group-time")
    pool = staggered_pool(statistic.design, statistic.area, unlisted(statistic))
    options = SetOptions(n_sets=60, draws_more=False)
    usual = staggered_sets(statistic, pool, options)
    frame = panel.frame.rename(columns={"unit": "school", "period": "year", "outcome": "score", "cohort": "start"})
    kept = frame.copy()
    shuffled = frame.sample(frac=1, random_state=2).assign(
        year=lambda rows: rows["year"] + 100,
        start=lambda rows: rows["start"] + 100,
        score=lambda rows: 3 * rows["score"],
    )
    roles = Roles(unit="school", period="year", outcome="score", cohort="start", cluster="cluster", weight="weight")
    other = statistic_of(Panel.from_frame(shuffled, roles), "group-time")
    moved = staggered_sets(other, staggered_pool(other.design, other.area, unlisted(other)), options)
    np.testing.assert_allclose(moved.values, 3 * usual.values, atol=1e-10)
    pd.testing.assert_frame_equal(frame, kept)
    np.testing.assert_array_equal(set_statistics(statistic, pool, options, chunk=7).values, usual.values)


def test_a_comparison_unit_of_a_treated_area_is_refused():
    panel = made_panel()
    statistic = statistic_of(panel, "group-time")
    area = statistic.area.copy()
    area[-1] = 0
    with pytest.raises(DesignError, match="lie in an area of a treated unit"):
        staggered_statistic(statistic.design, area)


def test_covariates_are_rerun_for_fewer_sets():
    panel = made_panel(n_areas=6)
    rng = np.random.default_rng(4)
    frame = panel.frame.assign(size=rng.normal(size=len(panel.units))[panel.unit_codes])
    roles = Roles(
        unit="unit", period="period", outcome="outcome", cohort="cohort", cluster="cluster", covariates=("size",)
    )
    statistic = statistic_of(Panel.from_frame(frame, roles), "group-time")
    assert not statistic.is_from_sums
    pool = staggered_pool(statistic.design, statistic.area, unlisted(statistic))
    found = staggered_sets(statistic, pool, SetOptions(n_sets=4))
    assert found.values.shape == (4, len(statistic.numbers))
    sets = found.draws.chunks(4)[0]
    expected = overall_effect(effects_of(relabelled_design(statistic, sets.one(0)), "group-time", "dr"))
    assert found.values[0, 0] == expected.estimate.value


@pytest.mark.parametrize(
    ("n_panels", "least", "most"), [(100, 1, 11), pytest.param(1_000, 15, 70, marks=pytest.mark.slow)]
)
def test_size_where_nothing_happened(n_panels, least, most):
    """Forty areas of six schools that share a shock a year; five of one area start in two years, without an effect.

    At J = 40 the test rejects at most floor(.05 * 40)/40 = 5 %: `most` is passed one time in 100.
    """
    rng = np.random.default_rng(8)
    n_areas, n_a, years = 40, 6, np.arange(4)
    rejected = 0
    for _ in range(n_panels):
        shock = rng.normal(size=(n_areas, 1, len(years)))
        score = rng.normal(size=(n_areas, n_a, 1)) + shock + rng.normal(size=(n_areas, n_a, len(years)))
        keep = np.ones((n_areas, n_a), dtype=bool)
        keep[0, 5:] = False
        area, place = np.nonzero(keep)
        start = np.where((area == 0) & (place < 5), 2.0 + (place % 2), np.nan)
        frame = pd.DataFrame(
            {
                "school": np.repeat(area * 100 + place, len(years)),
                "la": np.repeat(area, len(years)),
                "year": np.tile(years, len(area)),
                "score": score[keep].ravel(),
                "start": np.repeat(start, len(years)),
            }
        )
        roles = Roles(unit="school", period="year", outcome="score", cohort="start", cluster="la")
        statistic = statistic_of(Panel.from_frame(frame, roles), "group-time")
        pool = staggered_pool(
            statistic.design, statistic.area, UnlistedUnits(ids=("x",), area=np.array([0]), level=np.array([0.0]))
        )
        p = staggered_sets(statistic, pool, SetOptions(n_sets=240, draws_more=False)).inference().p_value
        rejected += p <= 0.05
    assert least <= rejected <= most
