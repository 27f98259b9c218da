"""Subgroups of pupils by a column of their own table: separate effects, and the difference in sets of schools."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.data.own_tables.people_table import PeopleRows
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.subgroups import of_people, on_common_people, people_subgroups, schools_of_people
from evalkit.report.tables.subgroups import judged_together
from evalkit.run.notebooks.session import open_design, open_evaluation
from tests.pupil_tables import made, pupil_table

MORE = 6.0


def girls_and_boys(n_areas=41, values=(0, 1)):
    """Return pupils of whom, in schools that take part, girls gain `MORE` beyond what boys do."""
    table = pupil_table(n_areas, 2, n_pupils=24)
    rng = np.random.default_rng(6)
    table["girl"] = rng.choice(values, len(table))
    table.loc[(table["girl"] == 1) & table["listed"] & (table["year"] >= 2018), "score"] += MORE
    return table


def project(folder, table, by="pupils.girl", kind="pupils"):
    path = made(folder, table)
    text = path.read_text().replace("kind: pupils, primary: true", f"kind: {kind}, primary: true, by: {by}")
    path.write_text(text.replace("exposure:", "pool: {minimum_treated: 3}\nexposure:"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory):
    return open_evaluation(str(project(tmp_path_factory.mktemp("girls"), girls_and_boys())))


def test_the_planted_difference_is_found_in_the_same_sets(evaluation):
    [found] = evaluation.primary.subgroups
    assert found.is_of_pupils
    words = [one.words for one in found.effects]
    assert words == ["girl = 0", "girl = 1"]
    boys, girls = (one.common.estimate for one in found.effects)
    difference = found.interactions[0].difference
    assert difference.estimate == pytest.approx(boys - girls)
    assert difference.interval.lower < -MORE < difference.interval.upper
    assert difference.p_value < 0.01
    assert difference.over == "sets"
    said = judged_together(evaluation)._repr_html_()
    assert "Pupils by girl" in said


def test_each_effect_is_that_of_an_analysis_of_these_pupils_alone(evaluation, tmp_path):
    table = girls_and_boys()
    alone = open_evaluation(str(made(tmp_path, table[table["girl"] == 1].drop(columns="girl")))).primary
    own = next(one.effect for one in evaluation.primary.subgroups[0].effects if one.words == "girl = 1")
    assert own.estimate == pytest.approx(alone.main("pupils.score").estimate)
    assert own.p_value == pytest.approx(alone.main("pupils.score").p_value)


def test_the_plan_of_a_subgroup_holds_no_later_result(evaluation, tmp_path):
    table = girls_and_boys()
    first = open_design(str(project(tmp_path / "a", table))).to_json()
    table.loc[table["year"] == 2018, "score"] = 7.0
    assert open_design(str(project(tmp_path / "b", table))).to_json() == first


def test_schools_without_one_of_the_subgroups_are_in_no_difference(tmp_path):
    table = girls_and_boys()
    lost = (table["school"] == "s050") & (table["year"] == 2017)
    table.loc[lost, "girl"] = 1
    evaluation = open_evaluation(str(project(tmp_path, table)))
    own, common = evaluation.primary.subgroups[0].effects[1].effect, evaluation.primary.subgroups[0].effects[1].common
    assert own.estimate != common.estimate


def test_a_column_of_pupils_parts_no_schools_and_needs_two_to_six_values(tmp_path):
    with pytest.raises(DesignError, match="this kind of analysis parts schools"):
        open_design(str(project(tmp_path / "a", girls_and_boys(25), kind="matched")))
    with pytest.raises(DesignError, match="fewer than two values"):
        open_design(str(project(tmp_path / "b", girls_and_boys(25, values=(1,)))))
    with pytest.raises(DesignError, match="has 9 values, and at most 6"):
        open_design(str(project(tmp_path / "c", girls_and_boys(25, values=range(9)))))


def test_rows_of_the_common_sample_are_those_of_schools_and_years_with_all():
    # school a has both in 2017 alone, b one in each year, c a pupil of whom it is not known
    rows = PeopleRows(
        units=pd.Index(["a", "b", "c"]),
        unit=np.array([0, 0, 0, 1, 1, 2]),
        person=np.arange(6),
        period=np.array([2017, 2017, 2018, 2017, 2018, 2017]),
        values={"girl": np.array([0.0, 1.0, 1.0, 0.0, 1.0, np.nan])},
    )
    data = ProjectData(
        kind="synthetic", years=(2017, 2018), records={}, neighbours={}, treated=None, limits={}, fsm_share=None,
        people={"pupils": rows},
    )  # fmt: skip
    boys, girls = people_subgroups(data, "pupils.girl")
    assert (boys.value, girls.words) == (0.0, "girl = 1")
    assert of_people(data, girls).people["pupils"].person.tolist() == [1, 2, 4]
    assert list(schools_of_people(data, boys)) == ["a", "b"]
    common = on_common_people(data, (boys, girls)).people["pupils"]
    assert common.person.tolist() == [0, 1]
    assert len(data.people["pupils"]) == 6
