"""The primary analysis rehearsed: on years before alone until the plan is locked, then in other areas."""

from dataclasses import replace

import pytest

from evalkit.core.errors import DesignError
from evalkit.core.project import Exposure, ListRule, Participants
from evalkit.core.quantities import Unavailable
from evalkit.data.published.project_data import read_records
from evalkit.data.published.sources import find_sources
from evalkit.report.tables.rehearsal import rehearsal_planted, rehearsal_rejections, rehearsal_table, rehearsal_words
from evalkit.run.kinds.rehearsed import rehearse, rehearsed_project
from evalkit.run.project.project_file import load_project
from tests.conftest import ROOT

RULE = ListRule(of="READPROG", years=(2016, 2017), lowest=0.3)


@pytest.fixture(scope="module")
def project():
    whole = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    outcomes = tuple(one for one in whole.outcomes if one.code == "READPROG")
    return replace(whole, outcomes=outcomes, pool=replace(whole.pool, minimum_treated=2, minimum_area_schools=3))


def rehearsed(project, third_england, is_locked):
    moved = rehearsed_project(project, is_locked)
    data = read_records(moved, third_england, find_sources(third_england))
    return rehearse(moved, data, is_locked), data


def test_before_the_lock_no_later_year_is_read(project, third_england):
    made, data = rehearsed(project, third_england, is_locked=False)
    assert data.years == (2016, 2017)
    assert (made.pre, made.post) == ((2016,), (2017,))
    assert made.outcomes[0].n_areas > 100


def test_after_it_the_years_are_the_real_ones_in_other_areas(project, third_england):
    made, data = rehearsed(project, third_england, is_locked=True)
    assert max(data.years) == 2019
    assert (made.pre, made.post) == ((2016, 2017), (2019,))


def test_a_rule_goes_by_the_years_left_before(project, third_england):
    ruled = replace(project, participants=Participants(areas=(340,), rule=RULE))
    made, _ = rehearsed(ruled, third_england, is_locked=False)
    assert "of 2016" in made.how_listed
    one = made.outcomes[0]
    assert one.own.listed > one.own.others  # chance in low results fades
    assert one.bias > 3 * one.bias_error
    assert one.rejections[0].judged_by == "sets that the same rule lists"
    assert one.rejections[-1].share > one.rejections[0].share
    assert "would have called the difference the programme's" in " ".join(map(str, rehearsal_words(made).sentences))
    for table in (rehearsal_table(made), rehearsal_rejections(made), rehearsal_planted(made)):
        assert table.table.rows


def test_one_year_before_cannot_be_rehearsed_without_the_lock(project):
    one = replace(project, exposure=Exposure(pre=(2017,), partial=(2018,), post=(2019,)))
    with pytest.raises(DesignError, match="needs another before it"):
        rehearsed_project(one, is_locked=False)
    assert rehearsed_project(one, is_locked=True).exposure == one.exposure


def test_an_outcome_that_nobody_has_says_so(project, third_england):
    few = replace(project, pool=replace(project.pool, minimum_treated=500))
    made, _ = rehearsed(few, third_england, is_locked=False)
    assert isinstance(made.outcomes[0].bias, Unavailable)
    assert "cannot be rehearsed" in " ".join(map(str, rehearsal_words(made).sentences))
