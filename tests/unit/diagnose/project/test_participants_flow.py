"""Participants from listed to those whose results are known, each that is left out with the reason."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evalkit.core.project import Exposure
from evalkit.data.published.records import SchoolRecords
from evalkit.diagnose.project.flows import participants_flow
from tests.unit.report.report_fixture import make_project

IDS = ["100", "101", "102", "103", "104"]


@pytest.fixture
def intake():
    values = pd.DataFrame({2016: [1.0, 2.0, np.nan, 4.0, 5.0], 2017: [1.0, np.nan, 3.0, 4.0, 5.0]}, index=IDS)
    reasons = pd.DataFrame("", index=IDS, columns=[2016, 2017])
    reasons.loc["102", 2016], reasons.loc["101", 2017] = "suppressed", "not listed"
    groups = ["Academy", "Academy", "Academy", "Special School", "Academy"]
    schools = pd.DataFrame({"minor_group": groups, "area": 936}, index=IDS)
    records = SchoolRecords("KS2", schools, {"READPROG": values}, {"READPROG": reasons}, values, (2016, 2017), {}, ())
    # 104 takes no part; two infant schools of the list have no results at all
    treated = SimpleNamespace(schools={"KS2": tuple(IDS[:4])}, without_outcome={"KS2": {"no KS2 outcome": 2}})
    return SimpleNamespace(records={"KS2": records}, treated=treated)


def counted(flow):
    return [(row.stage, row.reason, row.n) for row in flow.rows]


def test_every_participant_is_left_or_left_out_for_one_reason(intake):
    project = make_project()
    asked = replace(project, outcomes=(project.primary,), exposure=Exposure(pre=(2016, 2017), post=(2019,)))
    flow = participants_flow(asked, intake, {"READPROG": (2016, 2017)})
    assert counted(flow) == [
        ("listed", "", 6),
        ("excluded", "2016: suppressed", 1),
        ("excluded", "2017: not listed", 1),
        ("excluded", "no KS2 outcome", 2),
        ("excluded", "not mainstream state-funded (special school)", 1),
        ("analysed", "", 1),
    ]
    # without years of its own an analysis leaves out those without results, and of other groups than its own
    assert counted(participants_flow(asked, intake, {}, ("Academy", "Special School"))) == [
        ("listed", "", 6),
        ("excluded", "no KS2 outcome", 2),
        ("analysed", "", 4),
    ]
