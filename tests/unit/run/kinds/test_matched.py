"""The kind `matched` on the synthetic England, whose effect is known, and against `evalkit match` on the same table."""

import json
import pickle
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from evalkit.core.draws import stream
from evalkit.core.errors import DesignError
from evalkit.core.project import Analysis, Participants
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.data.synthetic.world import TRUE_EFFECTS
from evalkit.design.clusters import CR2
from evalkit.design.kinds.matched import KnownBefore, MatchedOptions, MatchedPool
from evalkit.design.project.inference import SETS
from evalkit.diagnose.kinds import matched as kind
from evalkit.estimate.areas.set_draws import SetOptions, draw_sets
from evalkit.report.documents.released import results_record
from evalkit.report.kinds import matched as shown
from evalkit.run.kinds.matched import MATCHED
from evalkit.run.kinds.registry import design_project, evaluate_project
from evalkit.run.project.project_file import load_project
from evalkit.run.tables.match import pairs_of, weights_of
from tests.conftest import ROOT
from tests.match_command import run_match

AREA, N_LISTED = 340, 10
N_SETS = 150


def knowsley(folder, participants=None, **options):
    """The Knowsley project with one matched analysis, of the listed schools or of the whole area."""
    project = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    outcomes = tuple(one for one in project.outcomes if one.code in ("READPROG", "MATPROG"))
    chosen = Participants(areas=(AREA,))
    if participants is not None:
        (folder / "participants.csv").write_text("URN\n" + "\n".join(participants) + "\n", encoding="utf-8")
        chosen = Participants(file="participants.csv")
    analysis = Analysis(name="matched", kind="matched", primary=True, options=MatchedOptions(**options))
    return replace(project, outcomes=outcomes, participants=chosen, analyses=(analysis,), claims=None, contrasts=())


def urns_of(third_england, areas, n=None):
    """URNs of mainstream primaries of areas of the synthetic England, `n` of each drawn."""
    project = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    records = read_baseline(project, third_england, find_sources(third_england)).records["KS2"]
    known = records.values["READPROG"].notna().all(axis=1) & records.schools["minor_group"].isin(
        project.pool.minor_groups
    )
    by_school = {}
    for urn, school in records.urns.items():
        if urn.isdigit():
            by_school.setdefault(school, urn)
    found: list[str] = []
    for area in areas:
        schools = records.schools.index[known & (records.schools["area"] == area).fillna(False)]
        schools = [school for school in schools if school in by_school]
        n_drawn = len(schools) if n is None else min(n, len(schools))
        drawn = stream(7, f"list {area}").choice(schools, n_drawn, replace=False)
        found += [by_school[school] for school in drawn]
    return found


@pytest.fixture(scope="module")
def listed(third_england, tmp_path_factory):
    """The plan and results of ten schools of the treated area, few sets drawn."""
    folder = tmp_path_factory.mktemp("listed")
    project = knowsley(folder, urns_of(third_england, [AREA], N_LISTED), ratio=2)
    return evaluated(project, folder, third_england)


def evaluated(project, folder, third_england, n_sets=N_SETS):
    sources = find_sources(third_england)
    design = design_project(project, read_baseline(project, folder, sources))
    everything = read_records(project, folder, sources)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "FEWER_SETS", n_sets)
        return design, evaluate_project(design, everything), everything


def test_the_known_effect_lies_in_the_interval_and_sets_judge_it(listed):
    _, evaluation, _ = listed
    results = evaluation.primary
    main = results.main("READPROG")
    assert (main.design, main.inference, main.is_main) == ("matched_change", "sets", True)
    assert main.sets.n_areas >= 40
    assert main.sets.n_sets >= N_SETS
    assert isinstance(main.interval, Interval)
    assert main.interval.lower < TRUE_EFFECTS["READPROG"] < main.interval.upper
    lost = results.details.outcomes[0].n_lost
    assert main.n_treated == N_LISTED - lost[0]
    assert results.recommended == SETS
    assert sum(effect.is_main for effect in results.effects) == 2  # one for each outcome


def test_three_estimates_stand_beside_each_other_with_their_bracket(listed):
    _, evaluation, _ = listed
    found = evaluation.primary.details.outcomes[0]
    by_design = {effect.design: effect for effect in found.effects if effect.inference == "sets"}
    assert list(by_design) == ["matched_change", "matched_ancova", "matched_difference"]
    ends = sorted(by_design[name].sets.unadjusted for name in ("matched_change", "matched_ancova"))
    assert [found.estimates.bracket.lower, found.estimates.bracket.upper] == pytest.approx(ends)
    assert any(finding.name == "bracket" for finding in found.findings)


def test_what_the_list_has_is_what_the_sets_statistic_says_of_it(listed):
    _, evaluation, _ = listed
    found = evaluation.primary.details.outcomes[0]
    for name, sets in found.sets.items():
        assert sets.estimate == pytest.approx(found.estimates.of(name).estimate.value, abs=1e-9)


def test_the_numbers_are_those_of_the_command_on_the_same_table(listed, tmp_path, monkeypatch):
    _, evaluation, everything = listed
    results = evaluation.primary
    matched = results.plan.details.plan
    plan = matched.outcomes[0]
    # the command refuses matched units without an outcome, so that every school has one here
    records = everything.records["KS2"]
    filled = {code: values.fillna(0.25) for code, values in records.values.items()}
    complete = replace(everything, records={**everything.records, "KS2": replace(records, values=filled)})
    monkeypatch.setattr(kind, "FEWER_SETS", 1)
    found = kind.estimate_matched(matched, complete).outcomes[0]
    assert found.n_lost == (0, 0)
    table = pd.concat([plan.design.baseline.units, plan.design.baseline.covariates], axis=1)
    values = filled["READPROG"].reindex(table.index)
    table = table.assign(
        treated=table.pop("is_treated").astype(int),
        area=plan.area.reindex(table.index).astype(str),
        change=values[2019] - values[[2016, 2017]].mean(axis=1),
    )
    table.rename_axis("school").to_csv(tmp_path / "schools.csv")
    covariates = ",".join(map(str, plan.everyone.covariates))
    ran = run_match(
        tmp_path / "schools.csv", "--id", "school", "--treated", "treated", "--on", covariates, "--ratio", "2",
        "--outcome", "change", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    record = json.loads(ran.out)
    assert pairs_of(found.design) == record["pairs"]
    assert weights_of(found.design) == record["weights"]
    assert found.estimates.change.estimate.value == record["effect"]["estimate"]
    assert str(found.design.estimand) == record["estimand"]
    smd = {row["covariate"]: row["smd_after"] for row in record["balance"]}
    assert {row.covariate: row.after.smd for row in found.balance.covariates} == smd


def test_results_json_holds_each_effect_once_as_the_main_one(listed):
    _, evaluation, _ = listed
    record = results_record(evaluation)
    (analysis,) = record["analyses"]
    assert analysis["kind"] == "matched"
    assert analysis["inference"]["recommended"] == SETS
    assert [one["outcome"] for one in analysis["effects"] if one.get("main")] == ["READPROG", "MATPROG"]
    assert {one["outcome"] for one in analysis["matches"]} == {"READPROG", "MATPROG"}
    json.dumps(record)


def test_every_part_shows_itself(listed):
    design, evaluation, _ = listed
    results = evaluation.primary
    for parts in (shown.design_shown(design.primary), shown.answer_shown(results), shown.review_shown(results)):
        assert "<table" in parts._repr_html_()
    tables = shown.tables(results)
    assert {"matched", "estimates", "balance", "means", "findings", "sets"} <= set(tables)
    frame = tables["estimates"].to_frame()
    assert len(frame) == 6


def test_the_estimand_says_whom_schools_are_compared_with_and_on_what(listed):
    said = shown.estimand(listed[0].primary)
    assert said["comparator"] == (
        "Schools outside the areas of participants, by nearest-neighbour matching on the propensity "
        "score (logit), compared on READPROG_2016, READPROG_2017, cohort_size_2016 and cohort_size_2017."
    )
    assert "average over the treated schools of the change from" in said["summary"]


def test_the_plan_is_locked_as_plain_data(listed):
    design, _, _ = listed
    locked = json.loads(design.to_json())["analyses"]["matched"]["outcomes"]["READPROG"]
    assert len(locked["pairs"]) == 2 * N_LISTED
    assert locked["judged_by"] == "sets"
    assert locked["covariates"] == ["READPROG_2016", "READPROG_2017", "cohort_size_2016", "cohort_size_2017"]


def test_statistics_travel_to_other_processes(listed):
    _, evaluation, everything = listed
    plan = evaluation.primary.plan.details.plan
    one = plan.outcomes[0]
    values = kind._values(plan, one, everything)
    statistic = kind.matched_statistic(plan, one, values)
    draws = draw_sets(kind._pool(plan, one, values), SetOptions(n_sets=N_SETS))
    chunk = draws.chunks(10)[0]
    again = pickle.loads(pickle.dumps(statistic))
    assert np.array_equal(statistic(chunk), again(chunk), equal_nan=True)


def test_a_whole_area_is_placed_among_whole_areas(third_england, tmp_path):
    project = knowsley(tmp_path, method="nearest", anti_exact=("area",))
    _, evaluation, _ = evaluated(project, tmp_path, third_england)
    main = evaluation.primary.main("READPROG")
    assert main.sets.is_whole
    assert str(main.estimand).startswith("AREA_ITT")
    assert main.interval.lower < TRUE_EFFECTS["READPROG"] < main.interval.upper


def test_schools_of_many_areas_have_errors_by_area(third_england, tmp_path):
    project = knowsley(tmp_path)
    areas = sorted(
        read_baseline(project, tmp_path, find_sources(third_england)).records["KS2"].schools["area"].dropna().unique()
    )
    areas = [int(area) for area in areas if area != AREA][:30]
    project = knowsley(tmp_path, urns_of(third_england, areas, 3), method="entropy", estimate="difference")
    _, evaluation, _ = evaluated(project, tmp_path, third_england)
    results = evaluation.primary
    main = results.main("READPROG")
    assert results.recommended == CR2
    assert (main.inference, main.cluster_level, main.design) == ("cluster", "local_authority", "matched_difference")
    assert 20 < main.n_treated_clusters <= 30
    # nothing was done in these areas
    assert main.interval.lower < 0 < main.interval.upper


def test_neighbours_alone_may_be_compared_with(third_england, tmp_path):
    options = {"pool": MatchedPool(neighbours="april_2021")}
    project = knowsley(tmp_path, urns_of(third_england, [AREA], N_LISTED), **options)
    sources = find_sources(third_england)
    intake = read_baseline(project, tmp_path, sources)
    plan = design_project(project, intake).primary.details.plan
    one = plan.outcomes[0]
    near = set(intake.neighbours["april_2021"].of(AREA))
    compared = one.area.reindex(one.design.baseline.units.index)[~one.design.baseline.is_treated]
    assert {int(area) for area in compared} <= near


def test_a_published_measure_that_is_no_outcome_is_read_of_the_years_before(third_england, tmp_path):
    project = knowsley(tmp_path, covariates=("pre_outcomes", "READ_AVERAGE", "MAT_AVERAGE_2017"))
    intake = read_baseline(project, tmp_path, find_sources(third_england))
    plan = design_project(project, intake).primary.details.plan.outcomes[0]
    assert list(plan.everyone.covariates) == ["READPROG_2016", "READPROG_2017", "READ_AVERAGE", "MAT_AVERAGE_2017"]
    read = intake.records["KS2"].values["READ_AVERAGE"].loc[plan.everyone.units.index]
    assert plan.everyone.covariates["READ_AVERAGE"].tolist() == read[[2016, 2017]].mean(axis=1).tolist()
    assert "READ_AVERAGE" not in read_records(project, tmp_path, find_sources(third_england)).records["KS2"].values


@pytest.mark.parametrize(
    ("covariates", "said"),
    [
        (("READPROG_2019",), "a year after the programme began"),
        (("READPORG",), "Nothing is known of 'READPORG'"),
        (("scores.baseline",), "Nothing is known of 'scores.baseline'"),
    ],
)
def test_what_was_not_known_before_is_refused(third_england, tmp_path, covariates, said):
    project = knowsley(tmp_path, covariates=covariates)
    with pytest.raises(DesignError, match=said):
        design_project(project, read_baseline(project, tmp_path, find_sources(third_england)))


def test_names_stand_for_what_was_known_before(third_england, tmp_path):
    project = knowsley(tmp_path)
    intake = read_baseline(project, tmp_path, find_sources(third_england))
    schools = intake.records["KS2"].schools.index
    own = pd.DataFrame({"scores.baseline": np.arange(len(schools), dtype=float)}, index=schools)
    known = KnownBefore.of(project, replace(intake, columns=own), "READPROG")
    values = intake.records["KS2"].values
    assert list(known.columns("pre_outcomes")) == ["READPROG_2016", "READPROG_2017"]
    mean = values["MATPROG"][[2016, 2017]].mean(axis=1, skipna=False)
    pd.testing.assert_series_equal(known.columns("MATPROG")["MATPROG"], mean, check_names=False)
    pd.testing.assert_series_equal(
        known.columns("MATPROG_2016")["MATPROG_2016"], values["MATPROG"][2016], check_names=False
    )
    assert known.columns("scores.baseline")["scores.baseline"].tolist() == own["scores.baseline"].tolist()
    assert set(known.columns("type")["type"]) >= {"Maintained School", "Academy"}


@pytest.mark.parametrize(
    ("options", "place", "said"),
    [
        ({"method": "optimal", "replace": True}, "replace", "has no use for it; it belongs to nearest"),
        ({"mahalanobis_on": ("size",)}, "mahalanobis_on", "Give `caliper` as well"),
        ({"reuse": 2, "replace": True}, "reuse", "Give one of them"),
        ({"ratio": 0}, "ratio", "a whole number from 1 on"),
        ({"caliper": -1.0}, "caliper", "a positive number"),
        ({"method": "ipw", "trim": 0.7}, "trim", "between 0 and 0.5"),
        ({"method": "ipw", "distance": "mahalanobis"}, "distance", "needs a score"),
        ({"method": "subclass", "subclasses": 1}, "subclasses", "from 2 on"),
        ({"estimand": "ATE"}, "estimand", "gives the ATT or the ATC"),
        ({"covariates": ("READPROG_2019",)}, "covariates", "a year after the programme began"),
        ({"fewest": 1.5, "most": 3.0, "ratio": 2}, "fewest", "a whole number for nearest"),
    ],
)
def test_options_that_cannot_be_are_complaints(tmp_path, options, place, said):
    project = knowsley(tmp_path, **options)
    found = list(MATCHED.complaints(project, project.analyses[0]))
    assert [(one.place, said in one.text) for one in found] == [(("analyses", 0, place), True)]


def test_options_that_can_be_are_none(tmp_path):
    options = {
        "method": "nearest",
        "ratio": 2,
        "caliper": 0.2,
        "mahalanobis_on": ("cohort_size",),
        "exact": ("region",),
    }
    project = knowsley(tmp_path, **options)
    assert list(MATCHED.complaints(project, project.analyses[0])) == []


def test_too_few_treated_are_reported_as_such(third_england, tmp_path):
    project = knowsley(tmp_path, urns_of(third_england, [AREA], 5))
    _, evaluation, _ = evaluated(project, tmp_path, third_england)
    main = evaluation.primary.main("READPROG")
    assert isinstance(main.estimate, Unavailable)
    assert "too few for an estimate" in main.estimate.reason


def test_a_programme_that_began_before_every_year_leaves_the_difference(third_england, tmp_path):
    project = knowsley(tmp_path, urns_of(third_england, [AREA], N_LISTED), covariates=("pre_outcomes", "cohort_size"))
    programme = replace(project.programme, start=date(2016, 9, 1))
    exposure = replace(project.exposure, pre=(2016,))
    early = replace(project, programme=programme, exposure=exposure, outcomes=project.outcomes[:1])
    _, evaluation, _ = evaluated(early, tmp_path, third_england)
    found = evaluation.primary.details.outcomes[0]
    assert found.estimates.asked == "change"
    assert found.plan.pre == (2016,)


# What it would bear, were trends not parallel.


def test_schools_matched_on_the_outcome_bound_nothing(listed):
    _, evaluation, _ = listed
    found = evaluation.primary.details.outcomes[0]
    assert "alike by construction" in found.violations.bounds.reason
    assert found.violations.pre_trends == found.violations.bounds
    texts = " ".join(str(part) for part in shown.review_parts(evaluation.primary))
    assert "alike by construction" in texts


def test_bounds_of_schools_matched_on_other_things(third_england, tmp_path):
    project = knowsley(tmp_path, urns_of(third_england, [AREA], N_LISTED), ratio=1, covariates=("cohort_size",))
    _, evaluation, everything = evaluated(project, tmp_path, third_england)
    found = evaluation.primary.details.outcomes[0]
    bounds, seen = found.violations.bounds, found.violations.pre_trends
    # By hand: the matched difference of 2019 less 2017, and of 2017 less 2016, by the weights of the match.
    units, weights = found.design.baseline.units.index, found.design.weights
    values = everything.records["KS2"].values["READPROG"].reindex(units)
    treated = found.design.baseline.is_treated

    def gap(year):
        column, used = values[year].to_numpy(), weights > 0
        arms = (treated & used, ~treated & used)
        own, others = (np.average(column[arm], weights=weights[arm]) for arm in arms)
        return own - others

    if found.plan.sets.rule == "simple":  # else less what such sets have
        assert bounds.estimate == pytest.approx(gap(2019) - gap(2017))
        assert bounds.steps[0].step == pytest.approx(gap(2017) - gap(2016))
    assert bounds.n_sets >= N_SETS - 5
    assert bounds.ahead == 2.0
    assert 0 < bounds.p_at_zero <= 1
    assert [test.test for test in seen.tests] == ["rank", "rank"]
    assert seen.tests[0].found[0].bias == pytest.approx(2.5 * seen.tests[0].found[0].slope)
    titles = [getattr(part, "text", "") for part in shown.review_parts(evaluation.primary)]
    assert "Which earlier trends would have been seen?" in titles
