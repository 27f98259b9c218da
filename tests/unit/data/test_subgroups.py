"""Breakdowns that outcomes have, and what is said where a project asks for one that there is not."""

from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.core.project import Analysis, Exposure, Outcome
from evalkit.data.measures import MEASURES
from evalkit.data.subgroups import breakdowns, breakdowns_read, by_words, faults, measures_by, pupil_subgroups
from evalkit.run.project.project_file import load_project

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def project():
    whole = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    return replace(whole, exposure=Exposure(pre=(2017,), partial=(2018,), post=(2019,)), contrasts=())


def asked(project, *by, **changes):
    analysis = replace(project.analyses[0], by=by)
    return replace(project, analyses=(analysis,), **changes), analysis


def test_every_breakdown_parts_pupils_into_groups_of_one_measure():
    assert set(breakdowns()) == {"sex", "prior_attainment", "disadvantaged"}
    assert [one.code for one in measures_by("READPROG", "disadvantaged")] == [
        "READPROG_FSM6CLA1A",
        "READPROG_NotFSM6CLA1A",
    ]
    parted = {(one.of, one.by) for one in MEASURES.values() if one.by}
    assert {len(measures_by(*pair)) for pair in parted} == {2, 3}  # no group stands alone


def test_levels_hold_the_outcomes_that_have_them(project):
    subgroups = pupil_subgroups(project, "sex")
    assert [(subgroup.words, dict(subgroup.outcomes)["READPROG"]) for subgroup in subgroups] == [
        ("boys", "READPROG_B"),
        ("girls", "READPROG_G"),
    ]


def test_what_is_read_follows_from_what_is_asked(project):
    with_by, _ = asked(project, "disadvantaged", outcomes=(Outcome(measure="READPROG", role="primary"),))
    assert breakdowns_read(with_by) == {
        "READPROG_FSM6CLA1A": (2017, 2018, 2019),
        "READPROG_NotFSM6CLA1A": (2017, 2018, 2019),
    }
    assert breakdowns_read(project) == {}


def test_faults_are_told_all_at_once_with_what_next(project):
    outcomes = (Outcome(measure="READPROG", role="primary"),)
    ask, analysis = asked(project, "disadvantage", "phase", "sex", "sex", outcomes=outcomes)
    told = list(faults(ask, analysis))
    assert "Did you mean 'disadvantaged'?" in told[0]
    assert "phase" in told[1]
    assert told[2:] == ["`sex` is named twice"]


def test_a_summer_without_the_breakdown_is_named_with_those_that_have_it(project):
    ask, analysis = asked(
        project, "disadvantaged",
        exposure=Exposure(pre=(2016, 2017), post=(2019,)), outcomes=(Outcome(measure="READPROG", role="primary"),),
    )  # fmt: skip
    [told] = faults(ask, analysis)
    assert "not known for 2016" in told
    assert "`exposure`" in told


def test_an_outcome_without_breakdowns_is_refused(project):
    ask, analysis = asked(project, "disadvantaged", outcomes=(Outcome(table="t", column="c", role="primary"),))
    [told] = faults(ask, analysis)
    assert told.startswith("no breakdown by disadvantaged is published of t.c")


def test_an_analysis_says_otherwise_than_its_project(project):
    both = replace(project, by="sex")
    assert both.by_of(both.analyses[0]) == ("sex",)
    assert both.by_of(Analysis(name="a", kind="areas", by=())) == ()
    assert by_words("size.cohort_size") == "Schools by cohort size"
