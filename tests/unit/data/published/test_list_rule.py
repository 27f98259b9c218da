"""The schools that a rule lists, by hand; in a project they take part, and judge in every other area."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.core.project import ListRule, Participants
from evalkit.data.published.list_rule import picked_by, rule_words
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.run.kinds.registry import design_project
from evalkit.run.project.project_file import load_project
from evalkit.run.project.project_rules import project_complaints
from tests.conftest import ROOT

LEVEL = pd.Series([3.0, 1.0, 2.0, 1.0, 5.0, 4.0, np.nan, 0.0], index=[f"S{i}" for i in range(8)])
AREA = pd.Series([1, 1, 1, 2, 2, 2, 2, np.nan], index=LEVEL.index)
FIFTH = ListRule(of="READPROG", years=(2016, 2017), lowest=0.2)


def test_a_share_of_each_area_from_the_lowest_on():
    # area 1 has S0, S1, S2: ⌈.4 · 3⌉ = 2, the levels 1 and 2; area 2 has S3, S4, S5 with a level: S3 and S5
    rule = replace(FIFTH, lowest=0.4)
    assert picked_by(rule, LEVEL, AREA).tolist() == ["S1", "S2", "S3", "S5"]


def test_a_number_of_each_area_from_the_highest_on():
    rule = replace(FIFTH, lowest=None, highest=1)
    assert picked_by(rule, LEVEL, AREA).tolist() == ["S0", "S4"]


def test_of_england_areas_have_as_many_as_lie_there():
    # of six with a level and an area ⌈.5 · 6⌉ = 3: levels 1, 1 and 2
    rule = replace(FIFTH, lowest=0.5, within="england")
    assert picked_by(rule, LEVEL, AREA).tolist() == ["S1", "S2", "S3"]


def test_ties_go_by_id_and_the_order_of_rows_moves_nothing():
    level = pd.Series(1.0, index=["b", "a", "c"])
    area = pd.Series(1, index=level.index)
    assert picked_by(replace(FIFTH, lowest=1), level, area).tolist() == ["a"]
    assert picked_by(replace(FIFTH, lowest=1), level[::-1], area).tolist() == ["a"]


def test_an_area_smaller_than_the_number_gives_all():
    assert len(picked_by(replace(FIFTH, lowest=9), LEVEL, AREA)) == 6


def test_a_rule_in_words():
    assert rule_words(FIFTH) == "the lowest 20% of schools of each area by the mean READPROG of 2016 and 2017"
    assert rule_words(replace(FIFTH, lowest=None, highest=1, within="england")).startswith("the highest 1 school of E")


@pytest.fixture(scope="module")
def project():
    whole = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    outcomes = tuple(one for one in whole.outcomes if one.code == "READPROG")
    rule = replace(FIFTH, lowest=0.5)
    return replace(
        whole,
        outcomes=outcomes,
        participants=Participants(areas=(340,), rule=rule),
        contrasts=(),
        pool=replace(whole.pool, minimum_treated=2),
    )


def test_a_project_treats_those_of_its_areas_and_judges_by_those_of_the_others(project, third_england):
    sources = find_sources(third_england)
    baseline = read_baseline(project, third_england, sources)
    records = baseline.records["KS2"]
    known = records.values["READPROG"][[2016, 2017]].dropna().mean(axis=1)
    known = known[records.schools["minor_group"].reindex(known.index).isin(project.pool.minor_groups)]
    own = known[records.schools["area"].reindex(known.index) == 340].sort_values()
    by_hand = own.index[: int(np.ceil(0.5 * len(own)))]
    assert set(baseline.treated.schools["KS2"]) == set(by_hand)
    sets = design_project(project, baseline).plans[0].details.locked.outcomes["READPROG"].sets
    assert sets.rule == "rule"
    assert set(by_hand) < set(sets.picked)
    # whatever is read later, the list is the same
    assert read_records(project, third_england, sources).treated.schools == baseline.treated.schools


def test_years_that_no_file_has_are_told(project, third_england):
    rule = replace(project.participants.rule, years=(2015,))
    asked = replace(project, participants=replace(project.participants, rule=rule))
    with pytest.raises(DesignError, match="READPROG of 2015, which no file at hand gives as a year before"):
        read_baseline(asked, third_england, find_sources(third_england))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"years": (2019,)}, "2019 is not among the years before the programme"),
        ({"of": "READPROGS"}, "Did you mean 'READPROG'?"),
        ({"highest": 0.2}, "either `lowest` or `highest`"),
        ({"lowest": None}, "either `lowest` or `highest`"),
        ({"lowest": 1.5}, "not 1.5"),
        ({"lowest": 0.0}, "not 0"),
    ],
)
def test_wrong_rules_are_told(project, change, said):
    rule = replace(project.participants.rule, **change)
    asked = replace(project, participants=replace(project.participants, rule=rule))
    told = [one.text for one in project_complaints(asked, ROOT / "data" / "projects" / "knowsley-ssif")]
    assert any(said in one for one in told), told
