"""A lowest fifth on the real panel: the regression to the mean that a comparison of before and after calls success."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalkit.core.project import ListRule, Participants
from evalkit.data.published.project_data import read_records
from evalkit.data.published.sources import find_sources
from evalkit.run.kinds.rehearsed import rehearse, rehearsed_project
from evalkit.run.project.project_file import load_project
from tests.conftest import ROOT

MAINSTREAM = ("Maintained School", "Academy")


@pytest.fixture(scope="module")
def made(shared_data):
    project = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    rule = ListRule(of="READPROG", years=(2016,), lowest=0.2)
    outcomes = tuple(one for one in project.outcomes if one.code == "READPROG")
    asked = replace(project, outcomes=outcomes, participants=Participants(areas=(340,), rule=rule))
    moved = rehearsed_project(asked, is_locked=False)
    data = read_records(moved, shared_data, find_sources(shared_data))
    return rehearse(moved, data, is_locked=False).outcomes[0], data


def test_the_changes_are_those_of_pandas(made):
    found, data = made
    records = data.records["KS2"]
    values = records.values["READPROG"][[2016, 2017]].dropna()
    values = values[records.schools["minor_group"].reindex(values.index).isin(MAINSTREAM)]
    level = records.values["READPROG"][2016].dropna()
    level = level[records.schools["minor_group"].reindex(level.index).isin(MAINSTREAM)]
    area = records.schools["area"].astype("float")
    change = values[2017] - values[2016]
    listed, others = [], []
    for code, one in level.groupby(area.reindex(level.index)):
        fifth = one.sort_index().sort_values(kind="stable").index[: int(np.ceil(round(0.2 * len(one), 9)))]
        own = change[area.reindex(change.index) == code]
        if code == 340 or len(own) < 5:
            continue
        listed.append(own[own.index.isin(fifth)].mean())
        others.append(own[~own.index.isin(fifth)].mean())
    assert found.own.listed == pytest.approx(pd.Series(listed).mean(), abs=0.01)
    assert found.own.others == pytest.approx(pd.Series(others).mean(), abs=0.01)


def test_a_lowest_fifth_gains_where_there_was_no_programme(made):
    # each area's own fifth, areas alike: not the +1.77 of England's one fifth (test_the_fifth_of_all_england)
    found, _ = made
    assert found.own.listed == pytest.approx(1.73, abs=0.01)
    assert found.own.others == pytest.approx(-0.39, abs=0.01)
    assert found.bias > 1.6
    # random sets would call one list in two a success; the rule applied everywhere, seven areas of 148
    assert found.rejections[0].share == pytest.approx(7 / 148)
    assert found.rejections[-1].share == pytest.approx(0.51, abs=0.05)


@pytest.mark.parametrize(
    ("before", "after", "lowest", "others"), [((2016,), 2017, 1.77, -0.39), ((2016, 2017), 2019, 1.79, -0.43)]
)
def test_the_fifth_of_all_england(shared_data, before, after, lowest, others):
    # methods-projects 7 to its two decimals: one fifth of England, not one of each area; mainstream schools with all
    # four summers in the 149 areas that have five or more; means over schools
    project = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    records = read_records(project, shared_data, find_sources(shared_data)).records["KS2"]
    values = records.values["READPROG"][[2016, 2017, 2018, 2019]].dropna()
    of = records.schools.reindex(values.index)
    area = of["area"].astype("float").where(of["minor_group"].isin(MAINSTREAM))
    values = values[area.groupby(area).transform("size") >= 5]
    level = values[list(before)].mean(axis="columns")
    change, is_lowest = values[after] - level, level <= level.quantile(0.2)
    assert change[is_lowest].mean() == pytest.approx(lowest, abs=0.005)
    assert change[~is_lowest].mean() == pytest.approx(others, abs=0.005)
