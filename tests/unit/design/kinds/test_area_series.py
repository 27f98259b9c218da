"""The outcome of areas by year: who takes part from when, whose neighbours are whose, how schools are averaged."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.core.project import Analysis, Estimation, Outcome, Participants, Pool, Programme, Project
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.participants import TreatedSchools, with_common_start
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords
from evalkit.design.kinds.area_series import area_outcome

NEIGHBOURS = NeighbourTable({301: (302, 303, 999), 302: (301, 303)}, {301: "North", 302: "South", 303: "East"}, {}, 0)


def project(**changes):
    made = Project(
        schema_version=2,
        slug="made",
        title="Made",
        question="Did it change?",
        programme=Programme(
            name="P", place="North", funder="F", aim="a", start=date(2012, 9, 1), end=date(2014, 7, 31)
        ),
        participants=Participants(areas=(301,)),
        outcomes=(Outcome(role="primary", table="t", column="v", label="Rate"),),
        analyses=(Analysis(name="main", kind="series", primary=True),),
    )
    return replace(made, **changes)


def intake(values, area, pupils=None, treated=None, areas=(301,)):
    """Return data of units with one outcome; `values` are by unit and year."""
    units = values.index
    schools = pd.DataFrame(
        {
            "name": [f"unit {one}" for one in units],
            "area": pd.array(area, dtype="Int64"),
            "laestab": "",
            "minor_group": "own",
            "area_name": ["" if pd.isna(code) else NEIGHBOURS.names.get(code, "") for code in area],
            "region": "",
            "is_converted": False,
        },
        index=units,
    )
    counts = pd.DataFrame(np.nan if pupils is None else pupils, index=units, columns=values.columns)
    records = SchoolRecords("t", schools, {"t.v": values}, {}, counts, tuple(values.columns), {}, ())
    who = tuple(units[[code == 301 for code in area]]) if treated is None else treated
    facts = with_common_start(TreatedSchools({"t": who}, {"t": {}}, (), areas), project())
    lists = {"april_2021": NEIGHBOURS, "may_2025": NEIGHBOURS}
    return ProjectData("synthetic", tuple(values.columns), {"t": records}, lists, facts, {}, None)


def frame(rows, columns=(2011, 2012, 2013)):
    return pd.DataFrame(rows, index=[f"u{n}" for n in range(len(rows))], columns=list(columns), dtype=float)


def test_units_that_are_areas_stand_as_they_are():
    values = frame([[3.0, 4, 9], [1, 2, 3], [5, np.nan, 7]])
    made = area_outcome(project(), intake(values, [301, 302, 303]), "t.v")
    assert made.areas == ("301", "302", "303")
    assert made.starts == {"301": 2013}
    assert made.n_schools is None
    np.testing.assert_array_equal(made.series.values, values.to_numpy())
    assert made.series.name("302") == "South"
    assert made.is_complete((2011, 2012)).tolist() == [True, True, False]
    assert made.incomplete((2011, 2012))[0].units == ("303",)
    assert made.of_years((2011, 2013)).series.values[2].tolist() == [5, 7]


def test_nobody_is_compared_with_itself_a_treated_or_an_excluded_area():
    made = area_outcome(
        project(pool=Pool(exclude_areas=(303,))), intake(frame([[1, 1, 1], [2, 2, 2], [3, 3, 3]]), [301, 302, 303]),
        "t.v",
    )  # fmt: skip
    # 303 is excluded and 301 treated: of the three only 302 may be compared with
    assert made.compared("all", NEIGHBOURS).tolist() == [[False, True, False], [False] * 3, [False, True, False]]
    assert made.compared("neighbours", NEIGHBOURS).tolist() == [[False, True, False], [False] * 3, [False] * 3]


def test_schools_are_averaged_each_weighing_one_or_its_pupils_before_the_start():
    values = frame([[1.0, 3, 10], [3, 5, np.nan], [8, 8, 8], [np.nan, 6, 6]])
    pupils = [[10, 30, 500], [60, 60, 0], [1, 1, 1], [np.nan, 5, 5]]
    area = [301, 301, 302, 302]
    plain = area_outcome(project(), intake(values, area, pupils), "t.v")
    np.testing.assert_allclose(plain.series.values, [[2, 4, 10], [8, 7, 7]])
    assert plain.n_schools.tolist() == [[2, 2, 1], [1, 2, 2]]
    # 2011: weights 20 and 60 (means of 2011 and 2012), so (20·1 + 60·3)/80 = 2.5; 2012: (20·3 + 60·5)/80 = 4.5
    weighted = area_outcome(
        project(estimation=Estimation(weights="pupils")), intake(values, area, pupils), "t.v"
    )  # fmt: skip
    np.testing.assert_allclose(weighted.series.values[0], [2.5, 4.5, 10])
    # 302: weights 1 and 5, so (8 + 5·6)/6
    np.testing.assert_allclose(weighted.series.values[1], [8, 38 / 6, 38 / 6])


def test_schools_listed_one_by_one_have_no_series():
    data = intake(frame([[1, 1, 1], [2, 2, 2], [3, 3, 3]]), [301, 301, 302], treated=("u0",), areas=())
    with pytest.raises(DesignError, match=r"participants\.areas"):
        area_outcome(project(), data, "t.v")


def test_units_without_any_area_are_areas_of_their_own():
    data = intake(frame([[1, 1, 1], [2, 2, 2]]), [pd.NA, pd.NA], treated=("u1",), areas=())
    made = area_outcome(project(), data, "t.v")
    assert made.areas == ("u0", "u1")
    assert made.treated == ("u1",)
    assert made.series.name("u1") == "unit u1"
    assert made.compared("all", NEIGHBOURS).tolist() == [[False, False], [True, False]]


def test_a_value_of_an_area_that_rests_on_few_pupils_is_not_told():
    values = frame([[3.0, 4, 9], [1, 2, 3]])
    made = area_outcome(project(), intake(values, [301, 302], [[50, 50, 5], [50, 50, 50]]), "t.v")
    np.testing.assert_array_equal(made.series.values, [[3, 4, np.nan], [1, 2, 3]])
