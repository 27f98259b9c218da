"""How alike schools of one area change."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.project import Exposure
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.diagnose.project.evaluation import area_icc

EXPOSURE = Exposure(pre=(2016, 2017), post=(2019,))


def panel(area_sd, n_areas=60, size=20, seed=3):
    """Schools whose change is a shock to the area plus one of their own of SD 1."""
    draw = np.random.default_rng(seed)
    area = np.repeat(np.arange(n_areas), size)
    change = draw.normal(0, area_sd, n_areas)[area] + draw.normal(0, 1, n_areas * size)
    level = draw.normal(0, 2, n_areas * size)
    frames = [
        pd.DataFrame({"unit": np.arange(len(area)), "period": year, "outcome": level + (year == 2019) * change})
        for year in (2016, 2017, 2019)
    ]
    frame = pd.concat(frames)
    frame["area"] = np.tile(area, 3)
    frame["cohort"] = np.where(frame["area"] == 0, 2018.0, np.nan)
    return Panel.from_frame(
        frame, Roles(unit="unit", period="period", outcome="outcome", cohort="cohort", cluster="area")
    )


def anova_icc(found, size):
    """(between − within) / (between + (n − 1) within), mean squares of a balanced one-way layout."""
    wide, units = found.wide(), found.by_unit()
    change = (wide[2019] - wide[[2016, 2017]].mean(axis=1))[units["cohort"].isna()]
    groups = change.groupby(units["cluster"][change.index])
    between = size * groups.mean().var(ddof=1)
    within = groups.var(ddof=1).mean()
    return (between - within) / (between + (size - 1) * within)


def test_balanced_areas_give_the_analysis_of_variance():
    made = panel(0.5)
    found = area_icc("READPROG", made, EXPOSURE)
    assert found.icc == pytest.approx(anova_icc(made, 20), abs=1e-6)
    # the treated area is left out: 59 areas of 20 schools
    assert (found.n_areas, found.n_schools) == (59, 1180)
    assert isinstance(found.interval, Interval)
    assert found.icc in found.interval
    # a shock of variance 0.25 beside 1: 0.25 / 1.25 = 0.2
    assert 0.2 in found.interval


def test_without_shocks_to_areas_zero_is_not_ruled_out():
    assert 0.0 in area_icc("READPROG", panel(0.0), EXPOSURE).interval


def test_too_few_areas_have_a_reason():
    found = area_icc("READPROG", panel(0.5, n_areas=10), EXPOSURE)
    assert found.icc == found.conditional
    assert isinstance(found.icc, Unavailable)
    assert "9 areas" in found.icc.reason


def test_every_estimated_outcome_has_one(evaluation):
    estimated = [row.outcome for row in evaluation.outcomes if isinstance(row.raw_difference, float)]
    assert [row.outcome for row in evaluation.intraclass] == estimated
