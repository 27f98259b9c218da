"""Areas' series of published measures: means of schools by hand, and every area against its own neighbours by hand."""

from dataclasses import replace

import numpy as np
import pytest

from evalkit.core.project import Analysis, Estimation
from evalkit.data.published.project_data import read_records
from evalkit.data.published.sources import find_sources
from evalkit.design.kinds.area_series import area_outcome
from evalkit.design.kinds.series import SeriesChoices, series_plan
from evalkit.diagnose.kinds.series import series_outcomes
from evalkit.run.kinds.registry import before_of

CODE, AREA = "READPROG", "340"


@pytest.fixture(scope="module")
def of_series(project):
    outcomes = tuple(one for one in project.outcomes if one.measure == CODE)
    analysis = Analysis(name="main", kind="series", primary=True, options=SeriesChoices(), uses_exposure=False)
    return replace(project, outcomes=outcomes, contrasts=(), analyses=(analysis,))


@pytest.fixture(scope="module")
def intake(of_series, small_england):
    return read_records(of_series, small_england, find_sources(small_england))


def means(intake, groups, weight=None):
    """Return the mean of each area and year over mainstream schools with a result, by hand."""
    records = intake.records["KS2"]
    is_kept = records.schools["minor_group"].isin(groups) & records.schools["area"].notna()
    found = {}
    for area, schools in records.schools[is_kept].groupby("area").groups.items():
        cells = records.values[CODE].loc[schools].to_numpy()
        w = np.ones(len(schools)) if weight is None else weight.loc[schools].to_numpy()
        known = np.isfinite(cells) & (w > 0)[:, None]
        with np.errstate(invalid="ignore"):
            found[str(area)] = np.where(known, cells * w[:, None], 0).sum(axis=0) / (known * w[:, None]).sum(axis=0)
    return found


def test_areas_are_means_of_their_schools(of_series, intake):
    made = area_outcome(of_series, intake, CODE)
    expected = means(intake, of_series.pool.minor_groups)
    for at, area in enumerate(made.areas):
        np.testing.assert_allclose(made.series.values[at], expected[area], atol=1e-12)
    assert made.starts == {AREA: 2018}


def test_weighed_by_pupils_before(of_series, intake):
    weighed = replace(of_series, estimation=Estimation(weights="pupils"))
    made = area_outcome(weighed, intake, CODE)
    pupils = intake.records["KS2"].pupils[[2016, 2017]].mean(axis=1).fillna(0)
    expected = means(intake, of_series.pool.minor_groups, pupils)
    for at, area in enumerate(made.areas):
        np.testing.assert_allclose(made.series.values[at], expected[area], atol=1e-9)


def evaluated(project, intake):
    baseline = before_of(project, project.analyses[0], intake)
    return series_outcomes(project, series_plan(project, SeriesChoices(), baseline), intake).primary


def test_every_area_is_set_against_its_own_neighbours(of_series, intake):
    one = evaluated(of_series, intake)
    series, table = means(intake, of_series.pool.minor_groups), intake.neighbours[of_series.pool.neighbours]
    n_schools = area_outcome(of_series, intake, CODE)
    change = {area: values[2:].mean() - values[:2].mean() for area, values in series.items()}
    complete = {area for area, values in series.items() if np.isfinite(values).all()}
    effects = {}
    for area in complete:
        near = [str(code) for code in table.of(int(area)) if str(code) in complete - {AREA, area}]
        large = n_schools.n_schools[n_schools.areas.index(area), :2].min() >= of_series.pool.minimum_area_schools
        if near and (large or area == AREA):
            effects[area] = change[area] - np.mean([change[other] for other in near])
    assert one.overall.n_areas == len(effects)
    assert one.overall.estimate == pytest.approx(effects[AREA])
    as_large = sum(abs(value) >= abs(effects[AREA]) - 1e-12 for value in effects.values())
    assert one.overall.p_value == pytest.approx(as_large / len(effects))


def test_schools_in_another_order_change_nothing_and_frames_are_left_as_they_are(of_series, intake):
    records = intake.records["KS2"]
    order = np.random.default_rng(5).permutation(len(records.schools))
    frames = {name: getattr(records, name).iloc[order] for name in ("schools", "pupils")}
    turned = replace(records, values={CODE: records.values[CODE].iloc[order]}, **frames)
    before = records.values[CODE].copy()
    one = evaluated(of_series, intake)
    other = evaluated(of_series, replace(intake, records={"KS2": turned}))
    assert other.overall.estimate == pytest.approx(one.overall.estimate, abs=1e-12)
    assert other.overall.p_value == one.overall.p_value
    assert records.values[CODE].equals(before)
