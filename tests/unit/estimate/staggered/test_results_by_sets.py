"""Results by sets keep every estimate and change its inference: interval, p-value, band, the test before the start."""

import numpy as np
import pandas as pd
import pytest

from evalkit import Panel, Roles, staggered_design, staggered_results
from evalkit.core.quantities import Interval, Unavailable
from evalkit.design.clusters import OVER_SETS
from evalkit.estimate.areas.set_draws import SetOptions
from evalkit.estimate.staggered.relabelled import (
    UnlistedUnits,
    effects_of,
    staggered_pool,
    staggered_sets,
    staggered_statistic,
)
from evalkit.estimate.staggered.results_by_sets import (
    NumbersBySets,
    inference_by_sets,
    less_expected,
    note_of,
    results_by_sets,
)

AREAS, PER_AREA, YEARS = 45, 5, range(2012, 2018)
STARTS = {(0, 0): 2015, (0, 1): 2015, (0, 2): 2016}


def made_design(effect=3.0, low=0.0, n_areas=AREAS, starts=STARTS):
    """Return a design in which units of area 0 start in some years, and others of it are not listed."""
    rng = np.random.default_rng(11)
    rows = []
    for area in range(n_areas):
        for k in range(PER_AREA):
            start = starts.get((area, k))
            if area == 0 and start is None:
                continue
            level = rng.normal(100, 4) - low * (start is not None)
            for year in YEARS:
                rows.append((f"{area}-{k}", area, year, level + rng.normal(), start))
    frame = pd.DataFrame(rows, columns=["school", "la", "year", "score", "start"])
    frame["score"] += effect * (frame["start"] <= frame["year"])
    roles = Roles(unit="school", period="year", outcome="score", cohort="start", cluster="la")
    return staggered_design(Panel.from_frame(frame, roles))


def judged(design, rule="simple", estimator="group-time"):
    area = design.panel.frame["cluster"].to_numpy(dtype=int)[design.panel.first_rows]
    statistic = staggered_statistic(design, area, estimator)
    others = UnlistedUnits(ids=("0-3", "0-4"), area=np.array([0, 0]), level=np.array([100.0, 101.0]))
    options = SetOptions(rule=rule, n_sets=900, draws_more=False)
    found = staggered_sets(statistic, staggered_pool(design, area, others), options)
    return NumbersBySets(statistics=found, numbers=statistic.numbers, level=0.95)


def every(results):
    sets = (results.by_cohort, results.event_study, results.calendar)
    return [results.simple, *(one for each in sets for one in (each.overall, *each.parts))]


@pytest.mark.parametrize("estimator", ["group-time", "imputation", "sun-abraham", "extended", "two-stage"])
def test_every_estimate_stays_and_every_number_is_judged(estimator):
    design = made_design()
    results = staggered_results(effects_of(design, estimator))
    found = results_by_sets(results, judged(design, estimator=estimator))
    for before, after in zip(every(results), every(found), strict=True):
        assert after.estimate == before.estimate
        if after.estimate != 0:
            assert after.method == OVER_SETS
            assert isinstance(after.interval, Interval)
            assert after.n_ranked == AREAS
    for before, after in zip(results.group_time, found.group_time, strict=True):
        assert (after.cohort, after.period, after.estimate) == (before.cohort, before.period, before.estimate)
    assert found.simple.p_value == pytest.approx(1 / AREAS)


def test_bands_are_no_narrower_than_intervals():
    design = made_design()
    found = results_by_sets(staggered_results(effects_of(design, "group-time")), judged(design))
    for part in found.event_study.parts:
        assert part.band.lower <= part.interval.lower < part.interval.upper <= part.band.upper


def test_the_test_before_the_start_is_a_rank():
    design = made_design()
    by_sets = judged(design)
    test = results_by_sets(staggered_results(effects_of(design, "group-time")), by_sets).pre_test
    columns = by_sets.leads(0)
    values = by_sets.statistics.values[:, columns]
    largest = np.abs(values / values.std(axis=0)).max(axis=1)
    own = np.abs(by_sets.statistics.observed[columns] / values.std(axis=0)).max()
    area = by_sets.statistics.draws.area[:, 0]
    shares = [np.mean(largest[area == one] >= own - 1e-12) for one in np.unique(area)]
    assert test.kind == "rank"
    assert test.df == len(columns) == 3
    assert test.p_value == pytest.approx((1 + sum(shares)) / AREAS)


def test_a_list_of_low_units_is_compared_with_sets_like_it():
    design = made_design(low=2.0, n_areas=150, starts={(0, 0): 2015})
    by_sets = judged(design, rule="like")
    overall = by_sets.overall
    results = results_by_sets(staggered_results(effects_of(design, "group-time")), by_sets)
    middle = (overall.interval.lower + overall.interval.upper) / 2
    assert middle == pytest.approx(overall.estimate - overall.expected)
    assert results.simple.estimate == pytest.approx(overall.estimate)
    less = less_expected(results, by_sets)
    assert less.simple.estimate == pytest.approx(overall.adjusted)
    for part in less.event_study.parts:
        assert part.estimate == pytest.approx((part.interval.lower + part.interval.upper) / 2, abs=1e-9)
    assert "gain" in results.simple.note
    assert "like the list" in note_of(overall)


def test_with_few_areas_there_is_a_reason():
    design = made_design(n_areas=15)
    found = results_by_sets(staggered_results(effects_of(design, "group-time")), judged(design))
    assert isinstance(found.simple.interval, Unavailable)
    assert isinstance(found.simple.p_value, Unavailable)
    assert isinstance(found.pre_test, Unavailable)
    inference = inference_by_sets(judged(design).overall, 0.95)
    assert isinstance(inference.interval, Unavailable)
