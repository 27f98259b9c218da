"""The design of a project: who is treated, who may be compared, and what is refused."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from evalkit.core.errors import DesignError
from evalkit.core.project import Exposure, Participants
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.data.synthetic import write_synthetic_england
from evalkit.design.project.plan import make_design
from evalkit.estimate.areas.outcome_effects import estimate_contrast, estimate_outcome
from evalkit.run.project.project_file import load_project

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def england(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan") / "data"
    write_synthetic_england(folder, seed=4, scale=0.06)
    return folder


@pytest.fixture(scope="module")
def project():
    whole = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    pool = replace(whole.pool, minimum_treated=2, minimum_area_schools=2)
    outcomes = tuple(outcome for outcome in whole.outcomes if outcome.measure in ("READPROG", "MATPROG"))
    return replace(whole, outcomes=outcomes, pool=pool)


@pytest.fixture(scope="module")
def intake(project, england):
    return read_baseline(project, england, find_sources(england))


def listed(project, folder, urns):
    (folder / "participants.csv").write_text("\n".join(["URN", *urns]) + "\n", encoding="utf-8")
    return replace(project, participants=Participants(file="participants.csv"))


def mainstream(intake):
    records = intake.records["KS2"]
    values = records.values["READPROG"]
    known = values.notna().all(axis=1) & records.schools["minor_group"].isin(["Maintained School", "Academy"])
    return records.schools.index[known & (records.schools["area"] == 340)]


@pytest.mark.parametrize(
    ("start", "pre", "post"),
    [
        # The tests stand for the 15th of May: a start from 16 May 2016 to 15 May 2017 makes 2017 the first exposed.
        ((2016, 9, 1), (2016,), (2017, 2018, 2019)),
        ((2016, 12, 31), (2016,), (2017,)),
        ((2017, 1, 1), (2016,), (2017, 2018, 2019)),
        ((2017, 5, 15), (2016,), (2017, 2018, 2019)),
        ((2017, 5, 16), (2016, 2017), (2018, 2019)),
        *(((2017, month, 1), (2016, 2017), (2018, 2019)) for month in range(6, 13)),
    ],
)
def test_a_programme_may_start_in_any_month_of_the_year(project, england, start, pre, post):
    programme = replace(project.programme, start=date(*start), end=date(2019, 7, 31))
    moved = replace(project, programme=programme, exposure=Exposure(pre=pre, post=post))
    baseline = make_design(moved, read_baseline(moved, england, find_sources(england))).outcomes["READPROG"].baseline
    assert (baseline.years, baseline.first_treated) == (pre, min(post))


def test_a_whole_area_is_its_own_group_and_has_every_design(project, intake):
    design = make_design(project, intake).outcomes["READPROG"]
    assert (design.treated_group, design.treated_areas) == (340, (340,))
    assert set(design.comparisons) == {"neighbours", "neighbours_2025", "england"}
    assert set(design.matches) == {"matched", "matched_without_outcomes"}
    assert set(design.baseline.covariates) == {
        f"{name}_{year}" for name in ("READPROG", "cohort_size") for year in (2016, 2017)
    }
    for comparison in design.comparisons.values():
        assert 340 not in {area for group in comparison.groups for area in comparison.of(group)}


def test_the_two_matchings_differ_in_the_earlier_outcomes_alone(project, intake):
    design = make_design(project, intake).outcomes["READPROG"]
    pairs = {name: matches.pairs(340) for name, matches in design.matches.items()}
    assert set(pairs["matched"]["treated"]) == set(pairs["matched_without_outcomes"]["treated"])
    assert not pairs["matched"].equals(pairs["matched_without_outcomes"])


def test_the_design_as_text_names_its_pairs(project, intake):
    design = make_design(project, intake)
    content = json.loads(design.to_json())["outcomes"]["READPROG"]
    pairs = design.outcomes["READPROG"].matches["matched"].pairs(340)
    assert [row[:2] for row in content["pairs"]["matched"]] == pairs[["treated", "comparison"]].to_numpy().tolist()
    assert len(content["all_matches_sha256"]["matched"]) == 64
    assert design.to_json() == make_design(project, intake).to_json()


def test_a_list_of_part_of_the_borough_takes_its_other_schools_out_of_the_pool(project, intake, england, tmp_path):
    some = mainstream(intake)[:2].tolist()
    part = listed(project, tmp_path, some)
    found = read_records(part, tmp_path, find_sources(england))
    design = make_design(part, read_baseline(part, tmp_path, find_sources(england))).outcomes["READPROG"]
    assert (design.treated_group, design.treated_areas) == (0, (340,))
    groups, areas = design.groups, found.records["KS2"].schools["area"]
    assert groups[some].tolist() == [0, 0]
    others = set(areas.index[areas == 340]) - set(some)
    assert others
    assert not others & set(groups.index)
    for matches in design.matches.values():
        assert not others & set(matches.pairs(0)["comparison"])
        assert set(matches.pairs(0)["treated"]) == set(some)
    effects = estimate_outcome(part, found, design, "primary").effects
    main = next(e for e in effects if (e.design, e.period, e.inference) == ("neighbours", "post", "sets"))
    assert isinstance(main.estimate, float)
    assert main.n_treated == 2
    assert main.sets.n_treated_areas == 1  # placed among sets of two schools drawn in each other area
    assert str(main.estimand) == "ATT"


def test_no_treated_school_left_is_refused(project, intake, england, tmp_path):
    records = intake.records["KS2"]
    special = records.schools.index[records.schools["minor_group"] == "Special School"][:1].tolist()
    part = listed(project, tmp_path, special)
    with pytest.raises(DesignError, match="No treated school is left"):
        make_design(part, read_baseline(part, tmp_path, find_sources(england)))


def test_no_untreated_school_left_is_refused(project, intake):
    neighbours = intake.neighbours["april_2021"].of(340)
    none = replace(project, pool=replace(project.pool, exclude_areas=neighbours))
    with pytest.raises(DesignError, match="no untreated school"):
        make_design(none, intake)


def test_too_few_treated_schools_are_not_matched_and_say_why(project, intake, england):
    strict = replace(project, pool=replace(project.pool, minimum_treated=500))
    design = make_design(strict, intake).outcomes["READPROG"]
    assert design.matches == {}
    assert "too few for an estimate (the project asks for at least 500)" in design.too_few
    found = estimate_outcome(strict, read_records(strict, england, find_sources(england)), design, "primary")
    assert [e.inference for e in found.effects] == ["permutation", "cluster"]
    assert all(e.estimate.reason.lower() == design.too_few.lower() for e in found.effects)


def test_excluded_areas_serve_nobody(project, intake):
    near = intake.neighbours["april_2021"].of(340)[:2]
    cut = replace(project, pool=replace(project.pool, exclude_areas=near))
    design = make_design(cut, intake).outcomes["READPROG"]
    for comparison in design.comparisons.values():
        assert not set(near) & {area for group in comparison.groups for area in comparison.of(group)}
    for matches in design.matches.values():
        assert not set(near) & set(matches.groups[matches.partners[matches.partners >= 0]])


def test_the_event_study_of_a_run_has_one_free_lead(project, intake, england):
    every = read_records(project, england, find_sources(england))
    found = estimate_outcome(project, every, make_design(project, intake).outcomes["READPROG"], "primary")
    at = {(e.design, e.period): e.estimate for e in found.effects if e.inference == "permutation"}
    assert at["neighbours", "2016"] + at["neighbours", "2017"] == pytest.approx(0.0, abs=1e-12)
    assert at["neighbours", "2019"] == at["neighbours", "post"]
    assert at["neighbours_before", "2017"] == pytest.approx(2 * at["neighbours", "2017"], abs=1e-12)
    keys = [(e.outcome, e.design, e.period, e.inference) for e in found.effects]
    assert len(set(keys)) == len(keys)


def test_a_triple_difference_of_an_outcome_less_itself_is_nothing(project, intake, england):
    every = read_records(project, england, find_sources(england))
    design = make_design(project, intake).outcomes["READPROG"]
    first = estimate_outcome(project, every, design, "primary")
    nothing = replace(first.panel, frame=first.panel.frame.assign(outcome=0.0))
    found = estimate_contrast(project, design, "READPROG-READPROG", nothing, first)
    assert {e.outcome for e in found.effects} == {"READPROG-READPROG"}
    assert [e.estimate for e in found.effects] == pytest.approx([0.0] * len(found.effects), abs=1e-12)
    assert all(e.p_value == 1.0 for e in found.effects if e.inference == "permutation")
