"""The kind `staggered` on a project's own table: equal to `evalkit did`, locked before outcomes, judged as planned."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalkit import Baseline, group_time_effects, match, overall_effect, staggered_design
from evalkit.core.errors import DesignError, EvalkitError, ProjectError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.design.matching.rerun import MatchingRerun
from evalkit.estimate.areas.set_draws import SetOptions, draw_sets
from evalkit.estimate.staggered.relabelled import OVERALL, MatchedFirst, staggered_pool, staggered_statistic
from evalkit.report.documents.released import effect_record
from evalkit.report.kinds import staggered as shown
from evalkit.run.cli import main
from evalkit.run.notebooks.session import open_design, open_evaluation

YEARS = range(2010, 2017)
EFFECT = 3.0

PROJECT = """\
schema_version: 2
slug: waves
title: Schools that joined in waves
question: Did scores rise in the schools that joined, from the year they joined?
programme:
  name: Waves
  place: some areas
  funder: a fund
  aim: to raise scores
  start: 2012-09-01
  end: 2016-07-31
data:
  kind: synthetic
  tables:
    scores: {{file: scores.csv, unit: school, period: year, area: la}}
participants: {{file: participants.csv}}
outcomes:
  - {{table: scores, column: score, label: Score, unit: points, role: primary}}
analyses:
  - {{name: waves, kind: staggered, primary: true{options}}}
"""


def made(folder, *, n_treated_areas, options="", n_areas=60, n_listed=2, order=None, starts=True, seed=5):
    """Write a project in which units of some areas start in 2013 or 2015; return its file and its table."""
    rng = np.random.default_rng(seed)
    rows, participants = [], []
    for area in range(n_areas):
        for k in range(4):
            unit, level = f"s{area:02d}{k}", rng.normal(100, 5)
            is_listed = area < n_treated_areas and k < n_listed
            start = (2013 if (area + k) % 2 else 2015) if is_listed else None
            if is_listed:
                participants.append((unit, f"{start - 1}-09-01"))
            for year in YEARS:
                score = level + rng.normal() + (EFFECT if start and year >= start else 0)
                rows.append((unit, 301 + area, year, round(score, 3), start))
    table = pd.DataFrame(rows, columns=["school", "la", "year", "score", "start"])
    folder.mkdir(parents=True, exist_ok=True)
    written = table.drop(columns="start")
    (written if order is None else written.sample(frac=1, random_state=order)).to_csv(
        folder / "scores.csv", index=False
    )
    listed = pd.DataFrame(participants, columns=["school", "start"])
    (listed if starts else listed[["school"]]).to_csv(folder / "participants.csv", index=False)
    (folder / "project.yml").write_text(PROJECT.format(options=options), encoding="utf-8")
    return folder / "project.yml", table


def evaluated(path):
    return open_evaluation(str(path)).primary


@pytest.fixture(scope="module")
def two_areas(tmp_path_factory):
    """A project with participants in two areas, its table and its results."""
    path, table = made(tmp_path_factory.mktemp("two"), n_treated_areas=2)
    return path, table, evaluated(path)


def did(table, folder, capsys, *options):
    """Return what `evalkit did --json` says of the same table, without other units of treated areas."""
    treated = table.loc[table["start"].notna(), "la"].unique()
    same = table[table["start"].notna() | ~table["la"].isin(treated)]
    same = same.assign(la="area " + same["la"].astype(str))
    same.to_csv(folder / "same.csv", index=False)
    columns = ["--unit", "school", "--period", "year", "--outcome", "score", "--cohort", "start", "--cluster", "la"]
    assert main(["did", str(folder / "same.csv"), *columns, *options, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ("", ()),
        (", comparison: not-yet, base_period: universal", ("--comparison", "not-yet", "--base-period", "universal")),
        (", estimator: imputation, anticipation: 1", ("--estimator", "imputation", "--anticipation", "1")),
        (", estimator: extended", ("--estimator", "extended")),
        (", bootstrap: 99", ("--bootstrap", "99")),
    ],
)
def test_many_treated_areas_give_what_did_gives_to_the_last_digit(tmp_path, capsys, options, flags):
    path, table = made(tmp_path, n_treated_areas=25, options=options)
    results = evaluated(path)
    command = did(table, tmp_path, capsys, *flags)
    given = json.loads(json.dumps(results.extra))
    for key in ("group_time", "event_study", "by_cohort", "calendar", "simple", "pre_test"):
        assert given[key] == command[key], key
    assert results.recommended == command["inference"]["recommended"]
    (main_effect,) = [one for one in results.effects if one.is_main]
    assert main_effect.inference == "cluster"
    assert main_effect.estimate == command["simple"]["estimate"]
    assert main_effect.interval == Interval(**command["simple"]["interval"])


def test_few_treated_areas_keep_the_estimates_of_did_and_are_judged_by_sets(two_areas, tmp_path, capsys):
    _, table, results = two_areas
    command = did(table, tmp_path, capsys, "--estimator", "all")
    found = json.loads(json.dumps(results.extra))
    for ours, theirs in zip(found["group_time"], command["group_time"], strict=True):
        assert [ours[key] for key in ("cohort", "period", "estimate")] == [
            theirs[key] for key in ("cohort", "period", "estimate")
        ]
    assert found["simple"]["estimate"] == command["simple"]["estimate"]
    assert [row["estimate"] for row in found["side_by_side"]] == [row["estimate"] for row in command["side_by_side"]]
    assert results.recommended == "randomisation over sets"
    (main_effect,) = [one for one in results.effects if one.is_main]
    assert main_effect.inference == "sets"
    assert main_effect.sets.n_treated_areas == 2
    assert main_effect.interval.lower < EFFECT < main_effect.interval.upper
    assert main_effect.p_value < 0.01
    for row in results.details.primary.checks.rows:
        assert row.interval.lower < EFFECT < row.interval.upper


def test_one_area_is_placed_among_the_others(tmp_path):
    results = evaluated(made(tmp_path, n_treated_areas=1, n_listed=3)[0])
    overall = results.details.primary.overall
    assert overall.n_areas == 60
    assert overall.p_value == pytest.approx(1 / 60)
    assert results.details.primary.results.simple.n_ranked == 60


def test_sets_like_the_list_are_not_drawn_where_a_listed_unit_was_not_observed_before(tmp_path):
    path, _ = made(tmp_path / "late", n_treated_areas=1)
    scores = pd.read_csv(path.parent / "scores.csv")
    late = (scores["school"] == "s000") & (scores["year"] < 2013)  # it starts in 2015, and others in 2013
    scores[~late].to_csv(path.parent / "scores.csv", index=False)
    found = evaluated(path).details.primary
    assert found.by_clusters is not None
    assert found.beside == ()
    said = str(shown.design_parts(open_design(str(path)).primary))
    assert "The level before the programme is not known of every listed unit." in said


def test_whole_areas_are_drawn_where_all_their_units_take_part(tmp_path):
    results = evaluated(made(tmp_path, n_treated_areas=3, n_listed=4)[0])
    (main_effect,) = [one for one in results.effects if one.is_main]
    assert main_effect.sets.is_whole
    assert main_effect.estimand == "AREA_ITT"
    assert main_effect.p_value < 0.01


def test_the_design_holds_no_later_outcome_and_no_order_of_rows(tmp_path):
    path, table = made(tmp_path / "one", n_treated_areas=2)
    first = open_design(str(path)).to_json()
    other, _ = made(tmp_path / "two", n_treated_areas=2, order=3)
    scores = pd.read_csv(other.parent / "scores.csv")
    later = scores["year"] >= 2013
    rng = np.random.default_rng(1)
    scores.loc[later, "score"] = rng.permutation(scores.loc[later, "score"].to_numpy()) + 7
    scores.to_csv(other.parent / "scores.csv", index=False)
    assert open_design(str(other)).to_json() == first
    record = json.loads(first)["analyses"]["waves"]["outcomes"]["scores.score"]
    assert record["treated_areas"] == [301, 302]
    assert record["cohorts"] == {
        str(start): sorted(table.loc[table["start"] == start, "school"].unique()) for start in (2013, 2015)
    }
    assert record["judged_by"] == "randomisation over sets"


def test_results_do_not_depend_on_the_order_of_rows(tmp_path):
    one, other = (
        evaluated(made(tmp_path / str(order), n_treated_areas=1, n_areas=24, order=order)[0]) for order in (None, 4)
    )
    assert json.dumps(one.extra) == json.dumps(other.extra)


def test_the_first_year_may_be_partial(tmp_path):
    path, _ = made(tmp_path, n_treated_areas=2, n_areas=12)
    text = path.read_text().replace("{file: participants.csv}", "{file: participants.csv, first_year: partial}")
    path.write_text(text)
    results = evaluated(path)
    assert results.details.primary.cohorts == (2014, 2016)
    assert any(finding.name == "first_year" for finding in results.findings)


def test_without_starts_the_programme_starts_for_all(tmp_path):
    results = evaluated(made(tmp_path, n_treated_areas=2, n_areas=12, starts=False)[0])
    assert results.details.primary.cohorts == (2013,)


def test_a_participant_without_a_start_is_refused(tmp_path):
    path, _ = made(tmp_path, n_treated_areas=2)
    listed = pd.read_csv(path.parent / "participants.csv", dtype=str)
    listed.loc[0, "start"] = ""
    listed.to_csv(path.parent / "participants.csv", index=False)
    with pytest.raises(DesignError, match=r"1 participant of 4 without a start \(s000\)"):
        open_design(str(path))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (", estimator: twfe, anticipation: 1, comparison: never", "has no use for `anticipation`"),
        (", anticipation: -1", "a whole number from 0 on"),
        (", bootstrap: 5", "from 99 to 100,000 draws"),
        (", draw: clusters", "Give the number of draws as well"),
        (", estimator: imputation, unbalanced: levels", "follows units over time"),
        (", ratio: 3", "kind `staggered` has no such key"),
    ],
)
def test_options_that_do_not_go_together_are_complaints_of_the_file(tmp_path, options, said):
    path, _ = made(tmp_path, n_treated_areas=2, options=options)
    with pytest.raises(ProjectError, match=said):
        open_design(str(path))


def test_every_complaint_is_told_at_once(tmp_path):
    path, _ = made(tmp_path, n_treated_areas=2, options=", estimator: twfe, anticipation: 1, method: dr")
    with pytest.raises(ProjectError) as told:
        open_design(str(path))
    assert "`anticipation`" in str(told.value)
    assert "`method`" in str(told.value)


def test_errors_by_unit_say_what_they_take_as_independent(tmp_path):
    results = evaluated(made(tmp_path, n_treated_areas=2, options=", cluster: unit")[0])
    (main_effect,) = [one for one in results.effects if one.is_main]
    assert main_effect.inference == "units"
    assert main_effect.cluster_level == "school"
    assert "independent" in results.details.primary.inference.assumes or results.details.primary.results.assumes


def test_errors_by_group_are_refused_where_no_participant_has_a_group(tmp_path):
    with pytest.raises(EvalkitError, match="no participant has one"):
        open_design(str(made(tmp_path, n_treated_areas=3, options=", cluster: group")[0]))


def test_too_few_areas_give_the_estimate_and_a_reason(tmp_path):
    results = evaluated(made(tmp_path, n_treated_areas=2, n_areas=12)[0])
    (main_effect,) = [one for one in results.effects if one.is_main]
    assert isinstance(main_effect.estimate, float)
    assert isinstance(main_effect.interval, Unavailable)
    assert "cannot be given" in shown.headline(results.details.primary)


def test_what_a_reader_sees_has_every_part(two_areas):
    results = two_areas[2]
    assert "Score: from their start on the participants stood" in repr(shown.answer_shown(results))
    assert "Sets hold" in repr(shown.design_shown(results.plan))
    assert len(shown.review_parts(results)) > 4
    assert "std_error" not in [column.key for column in shown.tables(results)["by_event_time"].table.columns]
    assert list(shown.estimand(results.plan))[:3] == ["population", "treatment", "comparator"]
    for part in (shown.answer(results), shown.comparison(results), shown.certainty(results), shown.limits(results)):
        assert part.text
    assert set(shown.tables(results)) >= {"starts", "outcomes", "by_event_time", "estimators", "sets", "without_one"}
    assert shown.figures(results)["event_study"]().alt
    for effect in results.effects:
        assert effect_record(effect, results.project)["outcome"] == "scores.score"


MATCHED = ", pool: {match: {ratio: 2, covariates: [pre_outcomes], replace: true}}"


def test_matched_first_gives_what_did_gives_of_those_matched_with_their_weights(tmp_path, capsys):
    path, table = made(tmp_path, n_treated_areas=3, n_listed=4, n_areas=40, options=MATCHED)
    results = evaluated(path)
    design = results.plan.details.outcomes["scores.score"].match.design
    weights = pd.Series(design.weights, design.baseline.units.index)
    same = table.assign(w=table["school"].map(weights), la="area " + table["la"].astype(str))
    same[same["w"] > 0].to_csv(tmp_path / "matched.csv", index=False)
    columns = ["--unit", "school", "--period", "year", "--outcome", "score", "--cohort", "start", "--cluster", "la"]
    assert main(["did", str(tmp_path / "matched.csv"), *columns, "--weights", "w", "--json"]) == 0
    command = json.loads(capsys.readouterr().out)
    found = json.loads(json.dumps(results.extra))
    assert found["simple"]["estimate"] == command["simple"]["estimate"]
    assert [c["estimate"] for c in found["group_time"]] == [c["estimate"] for c in command["group_time"]]
    record = results.plan.record["outcomes"]["scores.score"]["match"]
    assert record["n_treated"] == 12


def test_each_set_is_matched_anew(tmp_path):
    """One set by hand: `match` of it against all others, then the estimator on the matched panel with its weights."""
    path, _ = made(tmp_path, n_treated_areas=3, n_listed=4, n_areas=40, options=MATCHED)
    results = evaluated(path)
    primary = results.details.primary
    outcome = results.plan.details.outcomes["scores.score"]
    assert primary.overall.n_sets == 2_000
    values = open_values(path)
    design = staggered_design(outcome.panel(values))
    area = outcome.area.reindex(design.panel.units).to_numpy(dtype=np.int64)
    matching = MatchedFirst(
        rerun=MatchingRerun.of(outcome.match.everyone, outcome.match.option),
        unit=design.panel.units.get_indexer(outcome.match.everyone.units.index),
        area=outcome.area.reindex(outcome.match.everyone.units.index).to_numpy(dtype=np.int64),
        may_compare=np.asarray(outcome.match.everyone.units.index.isin(outcome.pool)),
    )
    statistic = replace(staggered_statistic(design, area), matching=matching, numbers=(OVERALL,))
    pool = staggered_pool(design, area)
    sets = draw_sets(pool, SetOptions(n_sets=3, seed=2)).chunks(3)[0]
    found = statistic(sets)[:, 0]
    for at in range(3):
        one = sets.one(at)
        units = design.panel.units[one.units]
        allowed = outcome.pool[~outcome.area.reindex(outcome.pool).isin(one.areas) & ~outcome.pool.isin(units)]
        everyone = outcome.match.everyone.units.index
        kept = everyone[everyone.isin(units) | everyone.isin(allowed)]
        frame = outcome.match.everyone.units.loc[kept].assign(is_treated=kept.isin(units))
        baseline = Baseline(frame, outcome.match.everyone.covariates.loc[kept])
        weights = pd.Series(match(baseline, outcome.match.option).weights, kept)
        relabelled = replace(outcome, cohort=pd.Series(one.start, units), pool=allowed)
        expected = overall_effect(group_time_effects(staggered_design(relabelled.panel(values, weights))))
        assert found[at] == pytest.approx(expected.estimate.value, abs=1e-10)


def open_values(path):
    """Return the scores of the table by school and year."""
    table = pd.read_csv(path.parent / "scores.csv")
    return table.pivot(index="school", columns="year", values="score")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (", covariates: [cohort_size]" + MATCHED, "matched first"),
        (", unbalanced: levels" + MATCHED, "followed over time"),
        (MATCHED.replace("ratio: 2", "estimate: change"), "takes neither"),
    ],
)
def test_what_does_not_go_with_a_matching_is_said(tmp_path, options, said):
    with pytest.raises(ProjectError, match=said):
        open_design(str(made(tmp_path, n_treated_areas=3, options=options)[0]))


# Which trends before the start would have been seen.


def test_trends_before_the_start_of_many_areas(tmp_path):
    results = evaluated(made(tmp_path, n_treated_areas=25)[0])
    seen = results.details.primary.pre_trends
    assert [test.test for test in seen.tests] == ["joint", "any lead"]
    for test in seen.tests:
        assert 0 < test.found[0].slope < test.found[1].slope
        assert test.at_violation.bias == pytest.approx(seen.violation)
    # The finding's power is that of the test that was made, where errors are by cluster.
    finding = next(one for one in results.findings if one.name == "before_the_start")
    assert finding.power.at_one == pytest.approx(seen.tests[0].at_violation.power)
    assert finding.power.at_half < finding.power.at_one < finding.power.at_twice
    assert "would bias the effect" in finding.sentence
    assert "pre_trends" in shown.tables(results)
    assert json.loads(json.dumps(results.extra))["pre_trends"]["tests"][0]["test"] == "joint"


def test_trends_before_the_start_among_sets(two_areas):
    results = two_areas[2]
    found = results.details.primary
    assert [test.test for test in found.pre_trends.tests] == ["rank", "rank"]
    up, down = found.pre_trends.tests
    assert up.found[0].slope > 0 > down.found[0].slope
    # The bias asked about and the power found are those of the finding, which takes trends upwards.
    assert up.at_violation.bias == pytest.approx(found.power.bias, rel=0.02)
    assert up.at_violation.power == pytest.approx(found.power.at_one, abs=0.03)


def test_units_matched_on_the_outcome_show_no_trend(tmp_path):
    results = evaluated(made(tmp_path, n_treated_areas=25, options=MATCHED)[0])
    assert "alike by construction" in results.details.primary.pre_trends.reason
